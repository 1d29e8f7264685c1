#include <algorithm>

#include "contracts/claims/claims.h"
#include "contracts/codes.h"
#include "contracts/events.h"
#include "contracts/operations.h"
#include "crypto/base64.h"
#include "crypto/commitment.h"
#include "crypto/random.h"
#include "node/api.h"
#include "node/api_json.h"

namespace baolian::node {

using api::json;
using contracts::RecordRef;

namespace {

constexpr std::uint64_t kReceiveTimeoutMs = 30'000;

/// The record and version that a call names; without a version the newest.
Result<RecordRef> read_ref(const Services& services, const ApiCall& call, const json& body) {
  RecordRef out;
  TRY(out.record, api::id_from<RecordId>(call.path[2], "the record"));
  const auto record = ledger::read_as<contracts::RecordState>(services.state(),
                                                              contracts::keys::record(out.record));
  const std::uint64_t newest = record ? record->newest_version : 1;
  TRY(const std::uint64_t version, api::number_or(body, "version", newest, 1, UINT32_MAX));
  out.version = static_cast<std::uint32_t>(version);
  return out;
}

Result<contracts::Purpose> read_purpose(const json& body) {
  const auto purpose = enum_from_name<contracts::Purpose>(api::text_or(body, "purpose", "TREAT"));
  if (!purpose) return api::bad_body("'purpose' must be TREAT, HPAYMT, HOPERAT ...");
  return *purpose;
}

Result<gateway::BaseCostItem> read_base_cost_item(const net::HttpRequest& request) {
  const auto found = request.query.find("base_cost_item");
  if (found == request.query.end() || found->second == "0") return gateway::BaseCostItem::leave_out;
  if (found->second == "1") return gateway::BaseCostItem::add;
  return api::bad_body("'base_cost_item' must be 0 or 1");
}

/// The claim of this insurer in which the record stands.
std::optional<ClaimId> claim_of_record(const Services& services, const RecordRef& record) {
  constexpr std::size_t kPage = 1000;
  const Bytes prefix = contracts::keys::insurer_claims(services.self);
  Bytes from;
  while (true) {
    const auto rows = services.state().scan(prefix, from, kPage);
    for (const auto& row : rows) {
      const auto id = contracts::keys::last_id<ClaimId>(row.key);
      const auto claim =
          ledger::read_as<contracts::ClaimState>(services.state(), contracts::keys::claim(id));
      if (claim && contracts::names_record(*claim, record)) return id;
    }
    if (rows.size() < kPage) return std::nullopt;
    from = rows.back().key;
    from.push_back(0);
  }
}

/// Any consent to this institution for the record's person: an effective one first, so that a
/// denial names the last.
std::optional<ConsentId> consent_for(const Services& services, const RecordRef& record,
                                     contracts::Purpose purpose) {
  const auto facts = record_facts(services.state(), record);
  if (!facts || !facts->record.subject) return std::nullopt;
  const auto now = services.chain.header(services.chain.height())->timestamp;
  std::optional<ConsentId> any;
  for (const auto& consent : consents_of(services.state(), *facts->record.subject)) {
    if (consent.terms.grantee != services.self) continue;
    const bool for_this =
        std::binary_search(consent.terms.purposes.begin(), consent.terms.purposes.end(), purpose);
    if (for_this && is_effective(consent, now)) return consent.terms.id;
    any = consent.terms.id;
  }
  return any;
}

json with_content(json out, const crypto::Secret& content) {
  out["content_base64"] = crypto::base64_encode(content.view());
  return out;
}

/// A repeated request id is answered with what it did, and never with content: one entry on the
/// chain is one opening.
constexpr const char* kRepeatedAdvice =
    "this request id was used before; to read again use a new one, which is recorded again";

/// Seals the content of a new record and registers it.
Result<api::Written<contracts::RecordsRegister>> register_record(const Services& services,
                                                                 const json& body,
                                                                 const std::string& person,
                                                                 const RequestId& id) {
  contracts::RecordsRegister content;
  content.record = {crypto::random_id<RecordId>(), 1};
  TRY(content.subject, services.subjects.subject(InstitutionId{}, person));
  const auto record_class =
      enum_from_name<contracts::RecordClass>(api::text_or(body, "class", "document"));
  if (!record_class) return api::bad_body("'class' must be a record class, such as document");
  content.record_class = *record_class;
  TRY(const std::uint64_t level, api::number_or(body, "level", 3, 1, 5));
  content.level = static_cast<contracts::Level>(level);
  TRY(const std::string encoded, api::text(body, "content_base64"));
  TRY(const Bytes plain, crypto::base64_decode(encoded));
  TRY(const vault::SealedRecord sealed, vault::seal_record(content.record, plain));
  TRY(services.records.put(sealed));
  content.commitment = sealed.commitment;
  content.vault = services.vault_member;
  TRY(OperationOutcome outcome, api::send(services, contracts::make_operation(content, id)));
  return api::Written<contracts::RecordsRegister>{std::move(outcome), content, false};
}

}  // namespace

Result<std::string> Api::put_record(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::clinician, ledger::Role::data_officer}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  TRY(const std::string person, api::person(body));
  TRY(const RequestId id, api::request_id(body));
  TRY(std::optional<api::Written<contracts::RecordsRegister>> written,
      api::written_before<contracts::RecordsRegister>(services_, id));
  if (!written) {
    TRY(written, register_record(services_, body, person, id));
  }
  json out = api::write_fields(*written, watch.ms());
  out["record"] = written->content.record.record.hex();
  out["version"] = written->content.record.version;
  out["commitment"] = written->content.commitment.hex();
  return out.dump();
}

Result<std::string> Api::read_record(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::clinician, ledger::Role::claims_adjuster,
                                      ledger::Role::data_officer, ledger::Role::compliance}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  contracts::RecordsRead content;
  TRY(content.record, read_ref(services_, call, body));
  const auto facts = record_facts(services_.state(), content.record);
  if (!facts || !services_.records.contains(content.record)) {
    return fail(Errc::not_found, "this vault does not hold that record; use request");
  }
  TRY(content.purpose, read_purpose(body));
  TRY(const RequestId id, api::request_id(body));
  if (facts->record.custodian == services_.self) {
    // The registration or encounter that the reader names. The salt follows from the request id
    // and a key of this node, so that whoever keeps the register can open the commitment later.
    const std::string registration = api::text_or(body, "registration", "");
    content.basis = {contracts::BasisKind::care,
                     contracts::id_cast<Hash>(crypto::commit(
                         crypto::domain::kSalted, services_.keys.salt_of("registration", id),
                         as_bytes(registration)))};
  } else if (const auto claim = claim_of_record(services_, content.record)) {
    content.basis = {contracts::BasisKind::claim, contracts::id_cast<Hash>(*claim)};
  } else if (const auto consent = consent_for(services_, content.record, content.purpose)) {
    content.basis = {contracts::BasisKind::consent, contracts::id_cast<Hash>(*consent)};
  }
  content.originator = {services_.self, call.member.member.id, contracts::SignedBy::institution};
  content.vault = services_.vault_member;
  TRY(const api::Written<contracts::RecordsRead> written, api::write_once(services_, content, id));
  json out = api::write_fields(written, watch.ms());
  out["outcome"] = "read";
  out["record"] = written.content.record.record.hex();
  out["version"] = written.content.record.version;
  if (written.repeated) {
    out["advice"] = kRepeatedAdvice;
    return out.dump();
  }
  // Recorded and certified: now, and not before, the vault opens.
  TRY(const crypto::Secret plain,
      services_.records.open(content.record, facts->version.commitment));
  return with_content(std::move(out), plain).dump();
}

Result<std::string> Api::request_record(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::clinician, ledger::Role::claims_adjuster}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  contracts::RecordsRequest content;
  TRY(content.record, read_ref(services_, call, body));
  TRY(content.purpose, read_purpose(body));
  if (const auto consent = consent_for(services_, content.record, content.purpose)) {
    content.basis.id = contracts::id_cast<Hash>(*consent);
  }
  content.basis.kind = contracts::BasisKind::consent;
  content.recipient = services_.vault_member;
  content.originator = {services_.self, call.member.member.id, contracts::SignedBy::institution};
  TRY(const RequestId id, api::request_id(body));
  TRY(const api::Written<contracts::RecordsRequest> written,
      api::write_once(services_, content, id));
  const ledger::Receipt& receipt = written.outcome.receipt;
  json out = api::write_fields(written, watch.ms());
  out["record"] = written.content.record.record.hex();
  out["version"] = written.content.record.version;
  if (const auto denied = contracts::find_event<contracts::Denied>(receipt)) {
    out["outcome"] = "denied";
    out["code"] = std::string(contracts::code_name(denied->code));
    return out.dump();
  }
  const auto granted = contracts::find_event<contracts::Granted>(receipt);
  if (!granted) return fail(Errc::internal, "the receipt has neither grant nor denial");
  out["outcome"] = "granted";
  out["grant"] = granted->grant.hex();
  out["stages_ms"] = {{"granted", watch.ms()}};
  if (written.repeated) {
    out["advice"] = kRepeatedAdvice;
    return out.dump();
  }
  if (!reading_.wait_received(granted->grant, kReceiveTimeoutMs)) {
    return fail(Errc::timed_out, "granted, but the custodian's vault has not delivered yet");
  }
  out["stages_ms"]["received"] = watch.ms();
  const auto facts = record_facts(services_.state(), content.record);
  if (!facts) return fail(Errc::internal, "a granted record is not on the chain");
  TRY(const crypto::Secret plain,
      services_.records.open(content.record, facts->version.commitment));
  return with_content(std::move(out), plain).dump();
}

Result<std::string> Api::list_records(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::clinician, ledger::Role::claims_adjuster,
                                      ledger::Role::data_officer, ledger::Role::compliance}));
  json records = json::array();
  for (const auto& ref : services_.records.list()) {
    const auto facts = record_facts(services_.state(), ref);
    if (!facts) continue;  // sealed, not registered
    records.push_back(
        {{"record", ref.record.hex()},
         {"version", ref.version},
         {"class", std::string(enum_name(facts->record.record_class))},
         {"level", static_cast<unsigned>(facts->version.level)},
         {"custodian", facts->record.custodian.hex()},
         {"custodian_name", institution_name(services_.state(), facts->record.custodian)},
         {"held_as", facts->record.custodian == services_.self ? "own" : "received"}});
  }
  return json{{"records", records}}.dump();
}

Result<std::string> Api::report_discharges(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::clinician, ledger::Role::data_officer}));
  TRY(const gateway::BaseCostItem base_cost_item, read_base_cost_item(call.http));
  TRY(const std::vector<DischargeOutcome> outcomes, desk_.report(call.http.body, base_cost_item));
  json discharges = json::array();
  for (const auto& outcome : outcomes) {
    json claims = json::array();
    for (const auto& claim : outcome.claims) {
      claims.push_back({{"claim", claim.claim.hex()},
                        {"insurer", claim.insurer.hex()},
                        {"insurer_name", institution_name(services_.state(), claim.insurer)}});
    }
    discharges.push_back(
        {{"encounter", outcome.encounter_number},
         {"outcome", outcome.outcome},
         {"code", outcome.code},
         {"record", outcome.payload.hex()},
         {"claims", claims},
         {"problems", outcome.problems},
         {"height", outcome.height.value},
         {"leaf", outcome.leaf},
         {"started_ms", outcome.started.value},
         {"stages_ms", {{"sealed", outcome.sealed_ms}, {"certified", outcome.certified_ms}}}});
  }
  return json{{"discharges", discharges}}.dump();
}

}  // namespace baolian::node
