#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "contracts/facts.h"
#include "crypto/signing.h"
#include "ledger/evidence.h"
#include "ledger/genesis_json.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kEvidenceFileMax = std::size_t{256} << 20;
constexpr std::size_t kGenesisFileMax = std::size_t{64} << 20;

struct VerifyOptions {
  std::string file;
  std::string genesis;
};

Result<ledger::Verification> verify(const VerifyOptions& options) {
  TRY(const std::string genesis_text, read_text_file(options.genesis, kGenesisFileMax));
  TRY(const ledger::Genesis genesis, ledger::genesis_from_json(genesis_text));
  TRY(const std::string evidence, read_text_file(options.file, kEvidenceFileMax));
  return ledger::verify_evidence(evidence, genesis, crypto::ed25519_verifier(),
                                 contracts::fact_reader());
}

json to_json(const ledger::Verification& verification) {
  json steps = json::array();
  for (const auto& step : verification.steps) {
    steps.push_back({{"what", step.what}, {"ok", step.ok}, {"detail", step.detail}});
  }
  return {
      {"verified", verification.ok}, {"steps", steps}, {"question", verification.question_text}};
}

void print_people(const ledger::Verification& verification) {
  for (const auto& step : verification.steps) {
    fmt::print("{} {}{}{}\n", step.ok ? "ok  " : "FAIL", step.what, step.detail.empty() ? "" : ": ",
               step.detail);
  }
  fmt::print("\n");
  if (!verification.ok) {
    fmt::print("NOT VERIFIED\n");
    return;
  }
  for (const auto& sentence : verification.words) {
    fmt::print("{}\n{}\n", sentence.en, sentence.zh);
  }
  fmt::print("\nWhat this does not prove / 本证据不证明：\n");
  for (const auto& sentence : verification.limits) {
    fmt::print("- {}\n  {}\n", sentence.en, sentence.zh);
  }
  fmt::print("\nVERIFIED\n");
}

}  // namespace

void add_verify_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("verify", "Check an evidence file, offline");
  command->footer(
      "Needs the file and the chain's genesis, nothing else. Prints each step; exit code 5 if one\n"
      "does not hold.\n\nExample:\n"
      "  baolian verify evidence.json --genesis demo-network/genesis.json");
  auto options = std::make_shared<VerifyOptions>();
  command->add_option("file", options->file, "evidence file")->required();
  command->add_option("--genesis", options->genesis, "genesis of the chain (JSON)")->required();
  command->callback([options, &context] {
    auto verification = verify(*options);
    if (!verification) return context.failed(verification.error());
    if (!verification->ok) context.exit = Exit::invalid;
    if (context.json) {
      fmt::print("{}\n", to_json(*verification).dump(1));
    } else {
      print_people(*verification);
    }
  });
}

}  // namespace baolian::cli
