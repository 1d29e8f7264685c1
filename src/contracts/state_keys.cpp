#include "contracts/state_keys.h"

#include <initializer_list>

namespace baolian::contracts::keys {
namespace {

Bytes make(std::string_view prefix, std::initializer_list<BytesView> parts) {
  Bytes out = to_bytes(prefix);
  out.push_back('/');
  for (const BytesView part : parts) append(out, part);
  return out;
}

Bytes big_endian(std::uint64_t value, std::size_t size_bytes) {
  Bytes out;
  append_big_endian(out, value, size_bytes);
  return out;
}

}  // namespace

Bytes epoch(Epoch epoch) { return make("epoch", {big_endian(epoch.value, 8)}); }
Bytes rules() { return make("rules", {}); }
Bytes institution(const InstitutionId& id) { return make("institution", {id.view()}); }
Bytes members() { return to_bytes("member"); }
Bytes member(const PublicKey& signing_key) { return make("member", {signing_key.view()}); }
Bytes member_id(const InstitutionId& institution, const MemberId& member) {
  return make("member_id", {institution.view(), member.view()});
}
Bytes nonce(const PublicKey& signing_key) { return make("nonce", {signing_key.view()}); }
Bytes journal(const InstitutionId& institution, const MemberId& vault) {
  return make("journal", {institution.view(), vault.view()});
}

Bytes consent(const ConsentId& id) { return make("consent", {id.view()}); }
Bytes subject_consents(const SubjectId& subject) {
  return make("subject_consent", {subject.audience.view(), subject.value.view()});
}
Bytes subject_consent(const SubjectId& subject, const ConsentId& consent) {
  return make("subject_consent", {subject.audience.view(), subject.value.view(), consent.view()});
}
Bytes consent_claims(const ConsentId& consent) { return make("consent_claim", {consent.view()}); }
Bytes consent_claim(const ConsentId& consent, const ClaimId& claim) {
  return make("consent_claim", {consent.view(), claim.view()});
}

Bytes person_key(const SubjectId& subject) {
  return make("person_key", {subject.audience.view(), subject.value.view()});
}
Bytes person_key_used(const PublicKey& key) { return make("person_key_used", {key.view()}); }

Bytes record(const RecordId& id) { return make("record", {id.view()}); }
Bytes record_version(const RecordRef& record) {
  return make("record_version", {record.record.view(), big_endian(record.version, 4)});
}
Bytes holders(const RecordRef& record) {
  return make("holder", {record.record.view(), big_endian(record.version, 4)});
}
Bytes holder(const RecordRef& record, const InstitutionId& institution) {
  return make("holder", {record.record.view(), big_endian(record.version, 4), institution.view()});
}
Bytes grant(const GrantId& id) { return make("grant", {id.view()}); }
Bytes grant_ends() { return make("grant_end", {}); }
Bytes grant_ends_from(TimeMs end) { return make("grant_end", {big_endian(end.value, 8)}); }
Bytes grant_end(TimeMs end, const GrantId& id) {
  return make("grant_end", {big_endian(end.value, 8), id.view()});
}

Bytes product(const ProductId& id, std::uint32_t version) {
  return make("product", {id.view(), big_endian(version, 4)});
}
Bytes catalog(const CatalogId& id, std::uint32_t version) {
  return make("catalog", {id.view(), big_endian(version, 4)});
}
Bytes catalog_content(const Hash& content) { return make("catalog_content", {content.view()}); }
Bytes policy(const PolicyId& id) { return make("policy", {id.view()}); }
Bytes subject_policies(const SubjectId& subject) {
  return make("subject_policy", {subject.audience.view(), subject.value.view()});
}
Bytes subject_policies_from(const SubjectId& subject, std::uint32_t last_day) {
  return make("subject_policy",
              {subject.audience.view(), subject.value.view(), big_endian(last_day, 4)});
}
Bytes subject_policy(const SubjectId& subject, std::uint32_t last_day, const PolicyId& policy) {
  return make("subject_policy", {subject.audience.view(), subject.value.view(),
                                 big_endian(last_day, 4), policy.view()});
}

Bytes encounter(const Tag32& tag) { return make("encounter", {tag.view()}); }
Bytes invoice(const Tag32& tag) { return make("invoice", {tag.view()}); }
Bytes claims() { return make("claim", {}); }
Bytes claim(const ClaimId& id) { return make("claim", {id.view()}); }
Bytes encounter_claims(const Tag32& encounter) {
  return make("encounter_claim", {encounter.view()});
}
Bytes encounter_claim(const Tag32& encounter, const PolicyId& policy) {
  return make("encounter_claim", {encounter.view(), policy.view()});
}
Bytes insurer_claims(const InstitutionId& insurer) {
  return make("insurer_claim", {insurer.view()});
}
Bytes insurer_claim(const InstitutionId& insurer, const ClaimId& claim) {
  return make("insurer_claim", {insurer.view(), claim.view()});
}
Bytes deadlines() { return make("deadline", {}); }
Bytes deadlines_from(TimeMs due) { return make("deadline", {big_endian(due.value, 8)}); }
Bytes deadline(TimeMs due, const ClaimId& claim, DeadlineKind kind) {
  const std::uint8_t kind_byte = static_cast<std::uint8_t>(kind);
  return make("deadline", {big_endian(due.value, 8), claim.view(), BytesView(&kind_byte, 1)});
}

std::optional<Deadline> read_deadline(BytesView key) {
  const std::size_t prefix = deadlines().size();
  constexpr std::size_t kTimeSize = 8;
  if (key.size() != prefix + kTimeSize + ClaimId::kSize + 1) return std::nullopt;
  if (!is_enum_value<DeadlineKind>(key.back())) return std::nullopt;
  Deadline out;
  for (std::size_t i = 0; i < kTimeSize; ++i) {
    out.time.value = out.time.value << 8 | key[prefix + i];
  }
  out.claim = ClaimId::from(key.subspan(prefix + kTimeSize, ClaimId::kSize));
  out.kind = static_cast<DeadlineKind>(key.back());
  return out;
}

Bytes decision(const ClaimId& claim, std::uint16_t number) {
  return make("decision", {claim.view(), big_endian(number, 2)});
}
Bytes policy_total(const PolicyId& policy) { return make("policy_total", {policy.view()}); }
Bytes accumulators(const PolicyId& policy) { return make("accumulator", {policy.view()}); }
Bytes accumulator(const PolicyId& policy, std::uint16_t id) {
  return make("accumulator", {policy.view(), big_endian(id, 2)});
}

}  // namespace baolian::contracts::keys
