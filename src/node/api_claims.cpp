// Claims from the opened bill to the payment: what people of the insurer, the hospital and the
// bureau do, and what they may see of decisions.
#include <algorithm>

#include "contracts/calendar.h"
#include "contracts/events.h"
#include "contracts/operations.h"
#include "crypto/base64.h"
#include "crypto/commitment.h"
#include "crypto/random.h"
#include "node/api.h"
#include "node/api_json.h"
#include "node/claims/recompute.h"
#include "vault/envelope.h"

namespace baolian::node {

using api::json;
using ledger::Role;
namespace keys = contracts::keys;

namespace {

constexpr std::size_t kDecisionsMax = 1000;

Result<contracts::ClaimState> own_claim(const Services& services, const ClaimId& id) {
  auto claim = ledger::read_as<contracts::ClaimState>(services.state(), keys::claim(id));
  if (!claim || (claim->insurer() != services.self && claim->reporter != services.self)) {
    return fail(Errc::not_found, "no such claim here");
  }
  return std::move(*claim);
}

/// Every decision of a claim, in order, from its log.
Result<std::vector<contracts::ClaimsDecide>> decisions_of(const Services& services,
                                                          const ClaimId& id) {
  std::vector<contracts::ClaimsDecide> out;
  const ledger::LogId log{ledger::LogKind::claim, contracts::id_cast<Hash>(id)};
  if (services.chain.first_log_index(log) > 0) {
    return fail(Errc::pruned,
                "this claim is older than the snapshot with which this node's chain began, block " +
                    std::to_string(services.chain.base().value) + "; ask another node");
  }
  constexpr auto kDecide = static_cast<std::uint16_t>(contracts::ClaimsDecide::kKind);
  const auto entries =
      services.chain.log_entries(log, TimeMs{0}, TimeMs{UINT64_MAX}, 0, kDecisionsMax);
  const auto rows = services.chain.operations_of(entries);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // Only a decision is worth opening its block.
    if (rows[i] && rows[i]->kind != kDecide) continue;
    const ledger::LogEntry& entry = entries[i].entry;
    TRY(const auto leaves, services.chain.read_leaves(entry.height));
    if (entry.operation >= leaves.size()) continue;
    const auto operation = decode<ledger::Operation>(leaves[entry.operation].operation);
    if (!operation) continue;
    if (auto content = contracts::content_of<contracts::ClaimsDecide>(*operation)) {
      out.push_back(*std::move(content));
    }
  }
  return out;
}

json reasons_json(const contracts::Decision& decision) {
  json out = json::array();
  for (const auto& reason : decision.reasons) {
    out.push_back({{"code", std::string(enum_name(reason.code))}, {"detail", reason.detail}});
  }
  return out;
}

json decision_json(const contracts::Decision& decision) {
  return {{"outcome", std::string(enum_name(decision.outcome))},
          {"billed_fen", decision.billed},
          {"payable_fen", decision.payable},
          {"withheld", std::string(enum_name(decision.withheld))},
          {"reasons", reasons_json(decision)}};
}

json payment_json(const PaymentOrder& order) {
  return {{"claim", order.claim.hex()},
          {"decision", order.number},
          {"amount_fen", order.instruction.amount},
          {"currency", order.instruction.currency},
          {"state", std::string(enum_name(order.state))},
          {"attempts", order.attempts},
          {"reason", order.last_reason},
          {"reference", order.answer ? order.answer->reference : std::string()},
          {"ordered_ms", order.ordered_at.value},
          {"next_attempt_ms", order.next_attempt.value}};
}

Result<Commitment> evidence_of(const Services& services, const json& body, const RequestId& id) {
  TRY(std::string reference, api::form_reference(body));
  // The salt follows from the request id and a key of this node: whoever keeps the paper can open
  // the commitment later.
  return crypto::commit(crypto::domain::kSalted, services.keys.salt_of("claim-form", id),
                        as_bytes(reference));
}

/// Writes an operation of {claim, evidence} for the insured person, for whom this institution's
/// attestor vouches; or answers what its request id wrote before.
template <typename Content>
Result<api::Written<Content>> write_for_person(const Services& services, const ApiCall& call) {
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId id, api::request_id(body));
  TRY(std::optional<api::Written<Content>> before, api::written_before<Content>(services, id));
  if (before) return *std::move(before);
  if (!services.keys.has_member(key_name::kAttestor)) {
    return fail(Errc::not_authorized,
                "this institution has no attestor; the medical-insurance bureau's counter speaks "
                "for persons");
  }
  Content content;
  TRY(content.claim, api::id_from<ClaimId>(call.path[2], "the claim"));
  TRY(content.evidence, evidence_of(services, body, id));
  ledger::Operation operation = contracts::make_operation(content, id);
  operation.cosignatures.push_back(AttestationDesk::own(services, operation));
  TRY(OperationOutcome outcome, api::send(services, std::move(operation)));
  return api::Written<Content>{std::move(outcome), content, /*repeated=*/false};
}

}  // namespace

Result<std::string> Api::publish_catalog(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::data_officer, Role::compliance}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId id, api::request_id(body));
  TRY(const std::string encoded, api::text(body, "content_base64"));
  TRY(const Bytes bytes, crypto::base64_decode(encoded));
  TRY(const contracts::CodeMap map, decode<contracts::CodeMap>(bytes));
  TRY(contracts::check_code_map(map));
  contracts::CatalogPublish content;
  content.catalog = crypto::random_id<CatalogId>();
  const std::string known = api::text_or(body, "catalog", "");
  if (!known.empty()) {
    TRY(content.catalog, api::id_from<CatalogId>(known, "'catalog'"));
  }
  TRY(const std::uint64_t version, api::number_or(body, "version", 1, 1, UINT32_MAX));
  content.catalog_version = static_cast<std::uint32_t>(version);
  TRY(content.content, claims_.contents.put(bytes));
  TRY(const api::Written<contracts::CatalogPublish> written,
      api::write_once(services_, content, id));
  json out = api::write_fields(written, watch.ms());
  out["catalog"] = written.content.catalog.hex();
  out["version"] = written.content.catalog_version;
  out["content"] = written.content.content.hex();
  return out.dump();
}

Result<std::string> Api::explain_claim(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::claims_adjuster, Role::compliance, Role::auditor}));
  TRY(const ClaimId id, api::id_from<ClaimId>(call.path[2], "the claim"));
  TRY(const contracts::ClaimState claim, own_claim(services_, id));
  json decisions = json::array();
  TRY(const auto decided, decisions_of(services_, id));
  for (const auto& content : decided) {
    json one = {{"number", content.number}, {"outcome", std::string(enum_name(content.outcome))}};
    if (const auto kept = services_.book.find(content.decision)) {
      if (const auto decision = decode<contracts::Decision>(kept->file.decision)) {
        one.update(decision_json(*decision));
        one["explanation_zh"] = kept->explanation_zh;
        one["explanation_en"] = kept->explanation_en;
      }
    }
    if (const auto order = claims_.payments.find(decision_id(id, content.number))) {
      one["payment"] = payment_json(*order);
    }
    decisions.push_back(std::move(one));
  }
  json out = {{"claim", id.hex()},
              {"state", std::string(enum_name(claim.phase))},
              {"currency", services_.genesis.currency},
              {"decisions", decisions}};
  if (const auto note = claims_.adjudication.note_of(id)) {
    out["waits_for"] = note->reason;
    out["attempts"] = note->attempts;
  }
  return out.dump();
}

Result<std::string> Api::propose_decision(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::claims_adjuster}));
  TRY(const ClaimId id, api::id_from<ClaimId>(call.path[2], "the claim"));
  TRY(const json body, api::body_object(call.http));
  const auto verdict = enum_from_name<contracts::Verdict>(api::text_or(body, "verdict", ""));
  if (!verdict) return api::bad_body("'verdict' must be accept or decline");
  TRY(std::string reason, api::text(body, "reason"));
  if (reason.empty() || reason.size() > 1024) {
    return api::bad_body("'reason' must be 1 to 1,024 bytes: the person will read it");
  }
  TRY(const Proposal proposal,
      claims_.adjudication.propose(id, contracts::Ruling{*verdict, std::move(reason)}));
  json out = decision_json(proposal.decision);
  out["claim"] = id.hex();
  out["content"] = to_hex(proposal.content);
  out["content_hash"] = proposal.content_hash.hex();
  out["kind"] = static_cast<std::uint16_t>(contracts::ClaimsDecide::kKind);
  out["persons_needed"] = proposal.persons_needed;
  out["explanation_zh"] = proposal.explanation_zh;
  out["explanation_en"] = proposal.explanation_en;
  return out.dump();
}

Result<std::string> Api::approve_decision(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::claims_adjuster}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  TRY(const std::string name, api::text(body, "content_hash"));
  TRY(const Hash content_hash, api::id_from<Hash>(name, "'content_hash'"));
  TRY(const std::string encoded, api::text(body, "cosignature"));
  TRY(const Bytes bytes, from_hex(encoded));
  TRY(const ledger::Cosignature cosignature, decode<ledger::Cosignature>(bytes));
  if (cosignature.key != call.member.member.signing_key ||
      cosignature.capacity != ledger::Capacity::second_approver) {
    return api::bad_body("'cosignature' must be the caller's own, as second_approver");
  }
  TRY(const std::optional<OperationOutcome> outcome,
      claims_.adjudication.approve(content_hash, cosignature));
  if (!outcome) return json{{"outcome", "another_person_must_sign"}}.dump();
  json out = api::write_fields(*outcome, watch.ms());
  out["outcome"] = "decided";
  return out.dump();
}

Result<std::string> Api::supplement_claim(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::clinician, Role::data_officer}));
  const api::Stopwatch watch;
  TRY(const ClaimId id, api::id_from<ClaimId>(call.path[2], "the claim"));
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId request, api::request_id(body));
  TRY(const std::optional<api::Written<contracts::ClaimsSupplement>> before,
      api::written_before<contracts::ClaimsSupplement>(services_, request));
  if (before) return api::write_fields(*before, watch.ms()).dump();
  const auto claim = ledger::read_as<contracts::ClaimState>(services_.state(), keys::claim(id));
  const auto encounter = claim ? ledger::read_as<contracts::EncounterState>(
                                     services_.state(), keys::encounter(claim->encounter))
                               : std::nullopt;
  if (!encounter || !encounter->care_subject) return fail(Errc::not_found, "no such claim");
  TRY(const std::string encoded, api::text(body, "content_base64"));
  TRY(const Bytes plain, crypto::base64_decode(encoded));

  contracts::RecordsRegister record;
  record.record = {crypto::random_id<RecordId>(), 1};
  record.subject = *encounter->care_subject;
  record.record_class = contracts::RecordClass::bill;
  record.level = contracts::Level::three;
  TRY(const vault::SealedRecord sealed, vault::seal_record(record.record, plain));
  TRY(services_.records.put(sealed));
  record.commitment = sealed.commitment;
  record.vault = services_.vault_member;
  contracts::ClaimsSupplement content;
  content.claim = id;
  content.records = {record.record};
  TRY(content.note, evidence_of(services_, body, request));
  TRY(const std::vector<OperationOutcome> outcomes,
      services_.submitter.submit_and_wait(
          services_.gateway_key(),
          {contracts::make_operation(record, crypto::random_id<RequestId>()),
           contracts::make_operation(content, request)}));
  for (const auto& outcome : outcomes) {
    if (outcome.receipt.status != ledger::ReceiptStatus::applied) {
      return receipt_error(outcome.receipt);
    }
  }
  json out = api::write_fields(outcomes.back(), watch.ms());
  out["claim"] = id.hex();
  out["record"] = record.record.record.hex();
  return out.dump();
}

Result<std::string> Api::withdraw_claim(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::data_officer, Role::clinician}));
  const api::Stopwatch watch;
  TRY(const api::Written<contracts::ClaimsWithdraw> written,
      write_for_person<contracts::ClaimsWithdraw>(services_, call));
  return api::write_fields(written, watch.ms()).dump();
}

Result<std::string> Api::request_review(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::data_officer, Role::clinician}));
  const api::Stopwatch watch;
  TRY(const api::Written<contracts::ClaimsRequestReview> written,
      write_for_person<contracts::ClaimsRequestReview>(services_, call));
  json out = api::write_fields(written, watch.ms());
  if (const auto asked =
          contracts::find_event<contracts::ReviewRequested>(written.outcome.receipt)) {
    out["due_ms"] = asked->due.value;
  }
  return out.dump();
}

Result<std::string> Api::show_policy(const ApiCall& call) {
  TRY(const PolicyId id, api::id_from<PolicyId>(call.path[2], "the policy"));
  const auto policy = ledger::read_as<contracts::PolicyState>(services_.state(), keys::policy(id));
  if (!policy || policy->insurer() != services_.self) {
    return fail(Errc::not_found, "no such policy here");
  }
  json out = {{"policy", id.hex()},
              {"product", policy->product.hex()},
              {"product_version", policy->product_version},
              {"premium_class", policy->premium_class},
              {"from", contracts::civil_date_text(policy->from_day)},
              {"to", contracts::civil_date_text(policy->to_day)},
              {"state", std::string(enum_name(policy->phase))},
              {"currency", services_.genesis.currency}};
  const auto total =
      ledger::read_as<contracts::PolicyTotal>(services_.state(), keys::policy_total(id));
  if (const auto paid = services_.book.sum(total ? total->total : GroupElement{})) {
    out["paid_fen"] = paid->amount;
  }
  json values = json::array();
  const Bytes prefix = keys::accumulators(id);
  for (const auto& row : services_.state().scan(prefix, prefix, 256)) {
    const auto state = decode<contracts::AccumulatorState>(row.value);
    const auto opening = state ? services_.book.accumulator(state->amount) : std::nullopt;
    if (opening) values.push_back({{"id", opening->id}, {"amount_fen", opening->amount}});
  }
  out["accumulators"] = values;
  return out.dump();
}

Result<std::string> Api::list_payments(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::claims_adjuster, Role::compliance, Role::auditor}));
  TRY(const std::vector<PaymentOrder> orders, claims_.payments.list());
  json payments = json::array();
  for (const auto& order : orders) payments.push_back(payment_json(order));
  return json{{"payments", payments}}.dump();
}

Result<std::string> Api::recompute_payout(const ApiCall& call) {
  TRY(api::require_role(call.member, {Role::claims_adjuster, Role::compliance, Role::auditor}));
  TRY(const ClaimId id, api::id_from<ClaimId>(call.path[2], "the claim"));
  TRY(const contracts::ClaimState claim, own_claim(services_, id));
  if (claim.insurer() != services_.self) {
    return fail(Errc::not_authorized, "only the insurer's node holds all openings of a decision");
  }
  json decisions = json::array();
  bool holds = true;
  TRY(const auto decided, decisions_of(services_, id));
  for (const auto& content : decided) {
    if (content.outcome != contracts::Outcome::payable) continue;
    TRY(const Recomputation result, recompute(services_, claims_.contents, id, content));
    holds = holds && result.holds();
    json checks = json::array();
    for (const auto& check : result.checks) {
      checks.push_back({{"what", check.what}, {"holds", check.holds}});
    }
    decisions.push_back({{"number", content.number},
                         {"payable_fen", result.payable},
                         {"recomputed_fen", result.recomputed},
                         {"checks", checks},
                         {"explanation_zh", result.explanation_zh},
                         {"explanation_en", result.explanation_en}});
  }
  return json{{"claim", id.hex()},
              {"holds", holds},
              {"currency", services_.genesis.currency},
              {"decisions", decisions}}
      .dump();
}

}  // namespace baolian::node
