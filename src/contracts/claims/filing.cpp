#include "contracts/claims/filing.h"

#include <algorithm>

#include "contracts/calendar.h"
#include "contracts/claims/claims.h"
#include "contracts/consent/consent.h"
#include "contracts/membership/membership.h"
#include "crypto/commitment.h"

namespace baolian::contracts {
namespace {

using ledger::LogKind;

bool is_padded(std::size_t count) {
  return count == 4 || count == 8 || count == 16 || count == 32 || count == 64;
}

Code check_listed_records(const OperationContext& context, const EncounterState& encounter,
                          const Disclosure& disclosure) {
  for (const RecordRef& listed : disclosure.records) {
    const auto record = context.state.read_as<RecordState>(keys::record(listed.record));
    const bool is_theirs = record && record->custodian == encounter.reporter &&
                           context.state.read(keys::record_version(listed)).has_value();
    if (!is_theirs) return Code::listed_record_unknown;
    if (record->subject != disclosure.care_subject) return Code::listed_record_of_other_subject;
  }
  return Code::applied;
}

struct Match {
  PolicyId id;
  PolicyState policy;
};

struct Matches {
  std::vector<Match> policies;
  Code none = Code::no_policy_matches;  ///< why there is none
};

/// Every standing policy of the subject whose cover shares a month with the stay and that has no
/// claim for it yet.
Matches find_policies(const OperationContext& context, const Tag32& tag,
                      const EncounterState& encounter, const SubjectId& subject,
                      const ConsentState& consent) {
  Matches out;
  const std::uint32_t first_day = first_day_of_month(encounter.first_month);
  const auto entries =
      context.state.scan(keys::subject_policies(subject),
                         keys::subject_policies_from(subject, first_day), kPoliciesScannedMax + 1);
  if (entries.size() > kPoliciesScannedMax) {
    out.none = Code::too_many_policies;
    return out;
  }
  for (const ledger::KeyValue& entry : entries) {
    const auto id = keys::last_id<PolicyId>(entry.key);
    const auto policy = context.state.read_as<PolicyState>(keys::policy(id));
    ASSERT(policy.has_value());
    if (policy->phase != PolicyPhase::active) continue;
    if (civil_month(policy->from_day) > encounter.last_month) continue;
    if (context.state.read(keys::encounter_claim(tag, id))) {
      out.none = Code::already_filed;
      continue;
    }
    const auto product = context.state.read_as<ProductState>(
        keys::product(policy->product, policy->product_version));
    ASSERT(product.has_value());
    if (product->authorization == ClaimAuthorization::per_claim && !consent.terms.encounter) {
      out.none = Code::per_claim_consent_needed;
      continue;
    }
    out.policies.push_back({id, *policy});
  }
  if (out.policies.size() > kPoliciesPerSubjectMax) {
    out.policies.clear();
    out.none = Code::too_many_policies;
  }
  return out;
}

Code check_filing_consent(const OperationContext& context, const Tag32& tag,
                          const EncounterState& encounter, const Filing& filing,
                          const std::optional<ConsentState>& consent) {
  // Judged as for a reading of the payload: a claim that nobody may open helps no one.
  return check_consent(context, consent,
                       ConsentUse{.grantee = filing.subject.audience,
                                  .subject = filing.subject,
                                  .custodian = encounter.reporter,
                                  .purpose = Purpose::hpaymt,
                                  .record_class = RecordClass::bill,
                                  .level = encounter.payload.level,
                                  .mode = ReadMode::human,
                                  .encounter = tag});
}

ClaimState new_claim(const OperationContext& context, const Tag32& tag,
                     const EncounterState& encounter, const std::vector<RecordRef>& records,
                     const Filing& filing, const Match& match) {
  ClaimState claim;
  claim.policy = match.id;
  claim.product = match.policy.product;
  claim.product_version = match.policy.product_version;
  claim.subject = filing.subject;
  claim.reporter = encounter.reporter;
  claim.encounter = tag;
  claim.consent = filing.consent;
  claim.payload = {encounter.payload.record, encounter.payload.version};
  claim.records = records;
  claim.filed_at = context.now();
  return claim;
}

}  // namespace

Commitment commit_record_list(const Salt& salt, const std::vector<RecordRef>& records) {
  return crypto::commit(crypto::domain::kRecordList, salt, encode(RecordList{{}, records}));
}

Code check_disclosure(const OperationContext& context, const EncounterState& encounter,
                      const Disclosure& disclosure) {
  if (!is_padded(disclosure.day_tags.size())) return Code::day_tags_count;
  if (!disclosure.care_subject.is_care()) return Code::subject_audience_not_care;
  if (commit_record_list(disclosure.list_salt, disclosure.records) != encounter.record_list) {
    return Code::record_list_differs;
  }
  const bool is_first = !encounter.care_subject.has_value();
  const bool is_same = encounter.care_subject == disclosure.care_subject &&
                       encounter.day_tags == disclosure.day_tags;
  if (!is_first && !is_same) return Code::disclosure_differs;
  return check_listed_records(context, encounter, disclosure);
}

void accept_disclosure(OperationContext& context, EncounterState& encounter,
                       const Disclosure& disclosure) {
  encounter.care_subject = disclosure.care_subject;
  encounter.records = disclosure.records;
  encounter.day_tags = disclosure.day_tags;
  Bytes key = keys::record(encounter.payload.record);
  auto record = context.state.read_as<RecordState>(key);
  ASSERT(record.has_value());
  record->subject = disclosure.care_subject;
  context.state.write_as(std::move(key), *record);
}

Code file_for_insurer(OperationContext& context, const Tag32& tag, const EncounterState& encounter,
                      const std::vector<RecordRef>& records, const Filing& filing,
                      std::vector<FiledClaim>& filed) {
  const auto insurer = find_institution(context.state, filing.subject.audience);
  if (!insurer || !insurer->is(ledger::InstitutionKind::insurer)) return Code::insurer_unknown;
  const auto consent = find_consent(context.state, filing.consent);
  const Code code = check_filing_consent(context, tag, encounter, filing, consent);
  if (code != Code::applied) return code;
  const Matches matches = find_policies(context, tag, encounter, filing.subject, *consent);
  if (matches.policies.empty()) return matches.none;
  const Bytes prefix = keys::consent_claims(filing.consent);
  const std::size_t open = context.state.scan(prefix, prefix, kClaimsPerConsentMax).size();
  if (open + matches.policies.size() > kClaimsPerConsentMax) return Code::too_many_claims;

  for (const Match& match : matches.policies) {
    const auto kind = static_cast<OperationKind>(context.operation.kind);
    const auto line = static_cast<std::uint16_t>(filed.size());
    const auto id = id_cast<ClaimId>(contract_id(kind, context.tx_id, context.op_index, line));
    write_claim(context, id, new_claim(context, tag, encounter, records, filing, match),
                DeadlineKind::insurer_request, context.after(ParameterId::insurer_request_ms));
    context.state.write_as(keys::encounter_claim(tag, match.id), ClaimPointer{{}, id});
    context.state.write_as(keys::insurer_claim(filing.subject.audience, id), Marker{});
    context.state.write_as(keys::consent_claim(filing.consent, id), Marker{});
    context.log(LogKind::claim, id, line);
    context.log(LogKind::claims_of_insurer, filing.subject.audience, line);
    filed.push_back({id, match.id, filing.subject.audience});
  }
  return Code::applied;
}

void emit_filed(OperationContext& context, const Tag32& tag, const std::vector<FiledClaim>& filed) {
  for (std::size_t first = 0; first < filed.size(); first += kFiledClaimsPerEvent) {
    const std::size_t end = std::min<std::size_t>(filed.size(), first + kFiledClaimsPerEvent);
    Filed event{.version = {}, .encounter = tag, .claims = {}};
    event.claims.assign(filed.begin() + static_cast<std::ptrdiff_t>(first),
                        filed.begin() + static_cast<std::ptrdiff_t>(end));
    context.emit(event);
  }
}

}  // namespace baolian::contracts
