#include <algorithm>
#include <chrono>

#include "contracts/facts.h"
#include "ledger/evidence.h"
#include "node/api.h"
#include "node/api_json.h"
#include "node/log_page.h"

namespace baolian::node {

using api::json;

namespace {

constexpr std::size_t kPageMax = 1000;
constexpr auto kCertificateWait = std::chrono::seconds(20);
constexpr auto kCertificatePoll = std::chrono::milliseconds(5);

Result<ledger::LogId> query_log(const net::HttpRequest& request) {
  const auto kind = request.query.find("kind");
  const auto id = request.query.find("id");
  if (kind == request.query.end() || id == request.query.end()) {
    return api::bad_body("'kind' and 'id' name the list");
  }
  const auto known = enum_from_name<ledger::LogKind>(kind->second);
  if (!known) return api::bad_body("'kind' is no kind of list; see docs/formats.md");
  ledger::LogId out;
  out.kind = *known;
  TRY(out.id, api::id_from<Hash>(id->second, "'id'"));
  return out;
}

json claim_json(const ledger::StateReader& state, const ClaimId& id,
                const contracts::ClaimState& claim) {
  return {{"claim", id.hex()},
          {"state", std::string(enum_name(claim.phase))},
          {"insurer", claim.insurer().hex()},
          {"insurer_name", institution_name(state, claim.insurer())},
          {"reporter", claim.reporter.hex()},
          {"reporter_name", institution_name(state, claim.reporter)},
          {"policy", claim.policy.hex()},
          {"product", claim.product.hex()},
          {"consent", claim.consent.hex()},
          {"encounter", claim.encounter.hex()},
          {"filed_ms", claim.filed_at.value},
          {"due", std::string(enum_name(claim.due_kind))},
          {"due_ms", claim.due.value},
          {"record", claim.payload.record.hex()},
          {"version", claim.payload.version}};
}

/// May this institution see the claim: its parties, and regulators and bureaus.
bool may_see(const Services& services, const contracts::ClaimState& claim) {
  if (claim.insurer() == services.self || claim.reporter == services.self) return true;
  const auto own = ledger::read_as<contracts::InstitutionState>(
      services.state(), contracts::keys::institution(services.self));
  return own && (own->is(ledger::InstitutionKind::regulator) ||
                 own->is(ledger::InstitutionKind::medical_insurance));
}

/// Finishes a draft as soon as its height is certified here.
Result<std::string> finish_when_certified(const ledger::Chain& chain,
                                          const ledger::EvidenceDraft& draft) {
  const auto deadline = std::chrono::steady_clock::now() + kCertificateWait;
  while (chain.certified_height() < draft.at()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::not_certified, "the newest block is not certified here yet; ask again");
    }
    std::this_thread::sleep_for(kCertificatePoll);
  }
  return ledger::finish_evidence(chain, draft);
}

}  // namespace

Result<std::string> Api::list_claims(const ApiCall& call) {
  TRY(const std::uint64_t limit, api::query_number(call.http, "limit", kPageMax));
  const auto wanted = call.http.query.find("state");
  const auto after = call.http.query.find("after");
  Bytes from;
  const Bytes prefix = contracts::keys::claims();
  if (after != call.http.query.end()) {
    TRY(const ClaimId id, api::id_from<ClaimId>(after->second, "'after'"));
    from = contracts::keys::claim(id);
    from.push_back(0);
  }
  json claims = json::array();
  json next = nullptr;
  while (claims.size() < std::min<std::uint64_t>(limit, kPageMax)) {
    const auto rows = services_.state().scan(prefix, from, kPageMax);
    for (const auto& row : rows) {
      from = row.key;
      from.push_back(0);
      const auto claim = decode<contracts::ClaimState>(row.value);
      if (!claim || !may_see(services_, *claim)) continue;
      if (wanted != call.http.query.end() && wanted->second != enum_name(claim->phase)) continue;
      const auto id = contracts::keys::last_id<ClaimId>(row.key);
      claims.push_back(claim_json(services_.state(), id, *claim));
      if (claims.size() >= limit) {
        next = id.hex();
        break;
      }
    }
    if (rows.size() < kPageMax) break;
  }
  std::sort(claims.begin(), claims.end(), [](const json& a, const json& b) {
    return a["filed_ms"].get<std::uint64_t>() < b["filed_ms"].get<std::uint64_t>();
  });
  return json{{"claims", claims}, {"next", next}}.dump();
}

Result<std::string> Api::show_claim(const ApiCall& call) {
  TRY(const ClaimId id, api::id_from<ClaimId>(call.path[2], "the claim"));
  const auto claim =
      ledger::read_as<contracts::ClaimState>(services_.state(), contracts::keys::claim(id));
  if (!claim || !may_see(services_, *claim)) return fail(Errc::not_found, "no such claim here");
  return claim_json(services_.state(), id, *claim).dump();
}

Result<std::string> Api::claim_timeline(const ApiCall& call) {
  TRY(const ClaimId id, api::id_from<ClaimId>(call.path[2], "the claim"));
  const auto claim =
      ledger::read_as<contracts::ClaimState>(services_.state(), contracts::keys::claim(id));
  if (!claim || !may_see(services_, *claim)) return fail(Errc::not_found, "no such claim here");
  const ledger::LogId log{ledger::LogKind::claim, contracts::id_cast<Hash>(id)};
  const auto found = services_.chain.log_entries(log, TimeMs{0}, TimeMs{UINT64_MAX}, 0, kPageMax);
  const auto views = views_of(services_.chain, found);
  json entries = json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const ledger::LogEntry& entry = found[i].entry;
    entries.push_back({{"time_ms", entry.time.value},
                       {"height", entry.height.value},
                       {"leaf", entry.operation},
                       {"operation", views[i].operation},
                       {"event", views[i].outcome},
                       {"institution_name", views[i].institution}});
  }
  return json{{"claim", id.hex()},
              {"first_index_here", services_.chain.first_log_index(log)},
              {"entries", entries}}
      .dump();
}

Result<std::string> Api::audit_log(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::auditor, ledger::Role::compliance,
                                      ledger::Role::audit_admin, ledger::Role::data_officer}));
  TRY(const ledger::LogId log, query_log(call.http));
  TRY(const std::uint64_t from, api::query_number(call.http, "from_ms", 0));
  TRY(const std::uint64_t to, api::query_number(call.http, "to_ms", UINT64_MAX));
  TRY(const std::uint64_t after, api::query_number(call.http, "after", 0));
  TRY(const std::uint64_t limit, api::query_number(call.http, "limit", kPageMax));
  const auto page = static_cast<std::size_t>(std::min<std::uint64_t>(limit, kPageMax));
  return log_page_json(
      services_.chain,
      {.log = log, .from = TimeMs{from}, .to = TimeMs{to}, .after = after, .limit = page});
}

Result<std::string> Api::audit_evidence(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::auditor, ledger::Role::compliance,
                                      ledger::Role::audit_admin, ledger::Role::data_officer}));
  const auto reader = contracts::fact_reader();
  if (call.http.query.contains("height")) {
    TRY(const std::uint64_t height, api::query_number(call.http, "height", 0));
    TRY(const std::uint64_t leaf, api::query_number(call.http, "leaf", 0));
    TRY(const ledger::EvidenceDraft draft,
        ledger::draft_operation_evidence(services_.chain, Height{height},
                                         static_cast<std::uint32_t>(leaf), reader));
    return finish_when_certified(services_.chain, draft);
  }
  TRY(const ledger::LogId log, query_log(call.http));
  TRY(const std::uint64_t from, api::query_number(call.http, "from_ms", 0));
  TRY(std::uint64_t to, api::query_number(call.http, "to_ms", UINT64_MAX));
  // A window can be proved complete only up to the newest block: what is asked beyond is cut to it.
  const TimeMs newest = services_.chain.header(services_.chain.height())->timestamp;
  to = std::min(to, newest.value);
  TRY(const ledger::EvidenceDraft draft,
      ledger::draft_log_evidence(services_.chain, log, TimeMs{from}, TimeMs{to}, reader));
  return finish_when_certified(services_.chain, draft);
}

}  // namespace baolian::node
