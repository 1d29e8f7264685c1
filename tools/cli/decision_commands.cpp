// Decisions on claims: explanation, review by persons, papers, withdrawal, payments, and a payout
// run again.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "contracts/claims/decision_operations.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "gateway/money.h"
#include "gateway/supplement_json.h"
#include "gateway/table.h"
#include "ledger/genesis_json.h"
#include "ledger/transaction.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

constexpr std::uint64_t kCosignatureLifeMs = 5 * 60 * 1000;
constexpr std::size_t kPaperBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kGenesisBytesMax = 64 * 1024 * 1024;

std::string money(std::uint64_t minor, const std::string& currency) {
  return gateway::format_money(minor, gateway::currency_minor_digits(currency), currency);
}

void print_explanation(const json& answer, const std::string& language) {
  const std::string currency = answer.value("currency", "CNY");
  fmt::print("claim {}: {}\n", text_at(answer, "claim"), text_at(answer, "state"));
  for (const auto& decision : answer["decisions"]) {
    fmt::print("\ndecision {}: {}\n", number_at(decision, "number"), text_at(decision, "outcome"));
    if (decision.contains("payable_fen")) {
      fmt::print("payable {} of {}, withheld: {}\n",
                 money(number_at(decision, "payable_fen"), currency),
                 money(number_at(decision, "billed_fen"), currency), text_at(decision, "withheld"));
    }
    const std::string text = decision.value("explanation_" + language, "");
    fmt::print("{}", text.empty() ? "its openings are not at this node\n" : text);
    if (const auto payment = decision.find("payment"); payment != decision.end()) {
      fmt::print("payment: {} {} {}\n", text_at(*payment, "state"), text_at(*payment, "reference"),
                 text_at(*payment, "reason"));
    }
  }
  if (answer.contains("waits_for")) fmt::print("\nwaits for: {}\n", text_at(answer, "waits_for"));
}

void add_explain(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("explain", "What was decided on a claim, and why");
  command->footer(
      "For the insurer's adjusters and auditors.\n\nExample:\n"
      "  baolian claim explain 41d0… --language zh");
  auto id = std::make_shared<std::string>();
  auto language = std::make_shared<std::string>("en");
  command->add_option("claim", *id, "claim id")->required();
  command->add_option("--language", *language, "zh or en")->check(CLI::IsMember({"zh", "en"}));
  command->callback([id, language, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/claims/" + *id + "/explanation"),
         [&](const json& answer) { print_explanation(answer, *language); });
  });
}

struct ReviewOptions {
  std::string claim;
  std::string verdict = "accept";
  std::string reason;
  std::string proposal;
};

/// The adjuster's own signature over the decision that the node prepared.
Result<std::string> sign_proposal(const Context& context, const json& proposal,
                                  const std::string& claim) {
  TRY(const std::unique_ptr<crypto::Signer> signer, context.signer());
  TRY(const Profile profile, context.profile());
  ledger::Operation operation;
  operation.kind = static_cast<std::uint16_t>(contracts::ClaimsDecide::kKind);
  TRY(operation.content, from_hex(proposal.value("content", "")));
  TRY(const contracts::ClaimsDecide content, decode<contracts::ClaimsDecide>(operation.content));
  // A person signs a decision on this claim, and nothing else that a node might prepare.
  const bool is_asked =
      content.claim.hex() == claim && content.outcome == contracts::Outcome::payable &&
      crypto::sha256(operation.content).hex() == proposal.value("content_hash", "");
  if (!is_asked) return fail(Errc::bad_argument, "the node prepared something else; not signed");
  const ledger::Cosignature cosignature =
      ledger::cosign(operation, ledger::Capacity::second_approver, profile.institution, Nonce{},
                     TimeMs{now_ms().value + kCosignatureLifeMs}, profile.chain_id, *signer);
  return to_hex(encode(cosignature));
}

Result<json> review(Context& context, const ReviewOptions& options) {
  TRY(ApiClient client, context.connect());
  json proposal;
  if (options.proposal.empty()) {
    TRY(proposal, client.request_json("POST", "/v1/claims/" + options.claim + "/proposal",
                                      {{"verdict", options.verdict}, {"reason", options.reason}}));
  } else {
    TRY(const std::string text, read_text_file(options.proposal, kPaperBytesMax));
    proposal = json::parse(text, nullptr, false);
    if (!proposal.is_object()) return fail(Errc::bad_json, "the proposal's file is no JSON object");
  }
  TRY(const std::string cosignature, sign_proposal(context, proposal, options.claim));
  TRY(json answer, client.request_json("POST", "/v1/claims/" + options.claim + "/decision",
                                       {{"content_hash", proposal.value("content_hash", "")},
                                        {"cosignature", cosignature}}));
  for (const char* name : {"payable_fen", "billed_fen", "withheld", "content", "content_hash",
                           "explanation_zh", "explanation_en", "persons_needed"}) {
    if (proposal.contains(name)) answer[name] = proposal[name];
  }
  answer["claim"] = options.claim;
  return answer;
}

void add_review(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("review", "Decide a claim that lies with a person");
  command->footer(
      "The node opens the bill (a recorded reading), decides by the product with your ruling, and\n"
      "you sign the decision with your own key; then the hospital countersigns. After a requested\n"
      "review a second adjuster signs the same proposal (--proposal, the first one's JSON "
      "answer).\n\n"
      "Examples:\n"
      "  baolian claim review 41d0… --verdict accept --reason 诊断已人工核对\n"
      "  baolian claim review 41d0… --proposal first.json");
  auto options = std::make_shared<ReviewOptions>();
  command->add_option("claim", options->claim, "claim id")->required();
  command->add_option("--verdict", options->verdict, "accept or decline")
      ->check(CLI::IsMember({"accept", "decline"}));
  command->add_option("--reason", options->reason, "in words; the person will read it");
  command->add_option("--proposal", options->proposal, "JSON answer of the first signer");
  command->callback([options, &context] {
    show(context, review(context, *options), [](const json& answer) {
      fmt::print("{}\n{}", text_at(answer, "outcome"), text_at(answer, "explanation_zh"));
    });
  });
}

Result<json> supplement(Context& context, const std::string& claim, const std::string& file,
                        const std::string& paper) {
  Bytes content;
  if (!file.empty()) {
    // Amounts are in the chain's currency, which its genesis names.
    TRY(const Profile profile, context.profile());
    TRY(const std::string genesis_text, read_text_file(profile.genesis_file, kGenesisBytesMax));
    TRY(const ledger::Genesis genesis, ledger::genesis_from_json(genesis_text));
    const unsigned minor_digits = genesis.minor_digits;
    TRY(const std::string text, read_text_file(file, kPaperBytesMax));
    TRY(const contracts::BillSupplement facts, gateway::read_supplement_json(text, minor_digits));
    content = encode(facts);
  } else {
    TRY(const std::string bytes, read_text_file(paper, kPaperBytesMax));
    content = to_bytes(bytes);
  }
  TRY(ApiClient client, context.connect());
  return client.request_json("POST", "/v1/claims/" + claim + "/supplement",
                             {{"content_base64", crypto::base64_encode(content)}});
}

void add_supplement(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("supplement", "Bring what a claim waits for");
  command->footer(
      "--facts is JSON: classes of items that had none, and lines that were missing\n"
      "(examples/discharges/README.md); the engine decides on them. --paper is any document; a\n"
      "person of the insurer reads it. The record is sealed in this institution's vault.\n\n"
      "Examples:\n  baolian claim supplement 41d0… --facts classes.json\n"
      "  baolian claim supplement 41d0… --paper receipt.pdf");
  auto id = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  auto paper = std::make_shared<std::string>();
  command->add_option("claim", *id, "claim id")->required();
  auto* facts = command->add_option("--facts", *file, "facts for the engine (JSON)");
  auto* document = command->add_option("--paper", *paper, "a document for people");
  facts->excludes(document);
  command->callback([id, file, paper, &context] {
    if (file->empty() == paper->empty()) {
      return context.failed(fail(Errc::bad_argument, "name --facts FILE or --paper FILE"));
    }
    show(context, supplement(context, *id, *file, *paper), [](const json& answer) {
      fmt::print("record {} brought, certified at height {}\n", text_at(answer, "record"),
                 number_at(answer, "height"));
    });
  });
}

void add_for_person(CLI::App& group, Context& context, const char* name, const char* path,
                    const char* what) {
  auto* command = group.add_subcommand(name, what);
  command->footer(fmt::format(
      "For the insured person, at the counter of an institution with an attestor.\n\nExample:\n"
      "  baolian claim {} 41d0… --reference 复核申请-0007",
      name));
  auto id = std::make_shared<std::string>();
  auto reference = std::make_shared<std::string>();
  command->add_option("claim", *id, "claim id")->required();
  command->add_option("--reference", *reference, "number of the paper, scan or recording");
  command->callback([id, reference, path, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context,
         client->request_json("POST", fmt::format("/v1/claims/{}/{}", *id, path),
                              {{"reference", *reference}}),
         [](const json& answer) {
           fmt::print("recorded, certified at height {}\n", number_at(answer, "height"));
         });
  });
}

void print_payments(const json& answer) {
  gateway::Table table({{"claim"},
                        {"decision", gateway::Align::right},
                        {"amount", gateway::Align::right},
                        {"state"},
                        {"attempts", gateway::Align::right},
                        {"reference"},
                        {"last reason"}});
  for (const auto& payment : answer["payments"]) {
    table.add_row({short_id(payment["claim"]), std::to_string(number_at(payment, "decision")),
                   money(number_at(payment, "amount_fen"), payment.value("currency", "CNY")),
                   text_at(payment, "state"), std::to_string(number_at(payment, "attempts")),
                   text_at(payment, "reference"), text_at(payment, "reason")});
  }
  fmt::print("{}", table.text());
}

void print_recomputed(const json& answer) {
  const std::string currency = answer.value("currency", "CNY");
  for (const auto& decision : answer["decisions"]) {
    fmt::print("decision {}: decided {}, recomputed {}\n", number_at(decision, "number"),
               money(number_at(decision, "payable_fen"), currency),
               money(number_at(decision, "recomputed_fen"), currency));
    for (const auto& check : decision["checks"]) {
      fmt::print("  {} {}\n", check.value("holds", false) ? "ok    " : "FAILED",
                 text_at(check, "what"));
    }
    fmt::print("{}", decision.value("explanation_zh", ""));
  }
  fmt::print("{}\n", answer.value("holds", false) ? "RECOMPUTED: everything holds"
                                                  : "NOT RECOMPUTED: something differs");
}

}  // namespace

void add_decision_commands(CLI::App& claim_group, Context& context) {
  add_explain(claim_group, context);
  add_review(claim_group, context);
  add_supplement(claim_group, context);
  add_for_person(claim_group, context, "withdraw", "withdraw", "Withdraw a claim for the person");
  add_for_person(claim_group, context, "request-review", "review",
                 "Ask for a review by two persons, for the person");
}

void add_payment_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("payment", "Payments of an insurer");
  group->require_subcommand(1);
  auto* list = group->add_subcommand("list", "Every payment with its state at the payment service");
  list->footer("Example:\n  baolian payment list");
  list->callback([&context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/payments"), print_payments);
  });
}

void add_payout_command(CLI::App& audit_group, Context& context) {
  auto* command = audit_group.add_subcommand("payout", "A claim's payouts, run again");
  command->footer(
      "--open opens the bill (a recorded reading) and every commitment of the decision, runs the\n"
      "engine on the same inputs and compares to the last minor unit.\n\n"
      "Example:\n  baolian audit payout 41d0… --open");
  auto id = std::make_shared<std::string>();
  auto open = std::make_shared<bool>(false);
  command->add_option("claim", *id, "claim id")->required();
  command->add_flag("--open", *open, "for whoever holds the openings: the insurer's auditors");
  command->callback([id, open, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    if (!*open) {
      return show(context, client->request_json("GET", "/v1/claims/" + *id + "/explanation"),
                  [](const json& answer) { print_explanation(answer, "en"); });
    }
    const auto answer =
        client->request_json("POST", "/v1/claims/" + *id + "/recompute", json::object());
    show(context, answer, print_recomputed);
    if (answer && !answer->value("holds", false)) context.exit = Exit::invalid;
  });
}

}  // namespace baolian::cli
