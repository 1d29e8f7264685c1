#include "bench/records.h"

#include <algorithm>

#include "contracts/operations.h"
#include "core/assert.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace baolian::bench {
namespace {

constexpr TimeMs kEndOfTime{253'402'300'799'000};  // 9999-12-31

template <typename Id>
Id random_id(Prng& prng) {
  Id out;
  for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(prng.next());
  return out;
}

bool has_role(const ledger::Member& member, ledger::Role role) {
  return std::find(member.roles.begin(), member.roles.end(), role) != member.roles.end();
}

MemberId member_with(const ledger::Institution& institution, ledger::Role role) {
  for (const ledger::Member& member : institution.members) {
    if (has_role(member, role)) return member.id;
  }
  ASSERT(false);
  return {};
}

}  // namespace

Records::Records(const ledger::Genesis& genesis, const Settings& settings)
    : run_(crypto::random_id<Hash>()),
      records_(settings.records),
      other_records_(settings.other_records),
      subjects_(settings.subjects) {
  for (const ledger::Institution& institution : genesis.institutions) {
    const auto& kinds = institution.kinds;
    if (std::find(kinds.begin(), kinds.end(), ledger::InstitutionKind::hospital) == kinds.end()) {
      continue;
    }
    hospitals_.push_back({institution.id, member_with(institution, ledger::Role::clinician),
                          member_with(institution, ledger::Role::vault)});
  }
  ASSERT(!hospitals_.empty());
}

template <typename Id>
Id Records::numbered(std::string_view what, std::uint64_t number) const {
  Bytes bytes(run_.bytes.begin(), run_.bytes.end());
  append(bytes, as_bytes(what));
  append_big_endian(bytes, number, 8);
  return Id::from(crypto::sha256(bytes).view().subspan(0, Id::kSize));
}

RecordId Records::record(std::uint64_t number) const {
  return numbered<RecordId>("record", number);
}

std::vector<ledger::Operation> Records::registrations(std::size_t hospital, std::uint64_t first,
                                                      std::size_t count) const {
  std::vector<ledger::Operation> out;
  for (std::uint64_t record = first; record < record_count() && out.size() < count;
       record += hospital_count()) {
    contracts::RecordsRegister content;
    content.record = {this->record(record), 1};
    content.subject.value = numbered<Tag32>("person", subject_of(record));
    content.record_class = contracts::RecordClass::document;
    content.level = contracts::Level::three;
    content.commitment = numbered<Commitment>("commitment", record);
    content.vault = hospitals_[hospital].vault;
    out.push_back(contracts::make_operation(content, numbered<RequestId>("register", record)));
  }
  return out;
}

std::uint64_t Records::draw(std::size_t hospital, Prng& prng) const {
  return prng.below(records_ / hospital_count()) * hospital_count() + hospital;
}

ConsentId Records::consent(std::uint64_t subject, std::size_t grantee) const {
  return numbered<ConsentId>("consent", subject * hospital_count() + grantee);
}

std::vector<ledger::Operation> Records::consents(std::uint64_t first, std::size_t count) const {
  std::vector<ledger::Operation> out;
  for (std::uint64_t number = first; number < consent_count() && out.size() < count; ++number) {
    const std::uint64_t subject = number / hospital_count();
    const std::size_t grantee = number % hospital_count();
    contracts::ConsentGive content;
    content.terms.id = consent(subject, grantee);
    content.terms.subject.value = numbered<Tag32>("person", subject);
    content.terms.grantee = hospitals_[grantee].id;
    content.terms.purposes = {contracts::Purpose::treat};
    content.terms.classes = {contracts::RecordClass::document};
    content.terms.level_ceiling = contracts::Level::three;
    content.terms.to = kEndOfTime;
    content.terms.text_version = 1;
    content.terms.evidence = numbered<Commitment>("evidence", number);
    out.push_back(contracts::make_operation(content, numbered<RequestId>("consent", number)));
  }
  return out;
}

ledger::Operation Records::read(std::size_t hospital, std::uint64_t record, Prng& prng) const {
  const Hospital& home = hospitals_[hospital];
  contracts::RecordsRead content;
  content.record = {this->record(record), 1};
  content.basis = {contracts::BasisKind::care, random_id<Hash>(prng)};
  content.originator = {home.id, home.doctor, contracts::SignedBy::institution};
  content.vault = home.vault;
  return contracts::make_operation(content, random_id<RequestId>(prng));
}

ledger::Operation Records::request(std::size_t reader, std::uint64_t record, Prng& prng) const {
  const Hospital& home = hospitals_[reader];
  contracts::RecordsRequest content;
  content.record = {this->record(record), 1};
  content.basis = {contracts::BasisKind::consent,
                   contracts::id_cast<Hash>(consent(subject_of(record), reader))};
  content.recipient = home.vault;
  content.originator = {home.id, home.doctor, contracts::SignedBy::institution};
  return contracts::make_operation(content, random_id<RequestId>(prng));
}

ledger::Operation Records::release(const GrantId& grant, std::uint64_t record, Prng& prng) const {
  contracts::RecordsRelease content;
  content.grant = grant;
  content.commitment = numbered<Commitment>("commitment", record);
  content.wrap_hash = random_id<Hash>(prng);
  content.ciphertext_hash = random_id<Hash>(prng);
  content.vault = hospitals_[record % hospital_count()].vault;
  return contracts::make_operation(content, random_id<RequestId>(prng));
}

ledger::Operation Records::receive(std::size_t reader, const GrantId& grant, std::uint64_t record,
                                   Prng& prng) const {
  contracts::RecordsReceive content;
  content.grant = grant;
  content.commitment = numbered<Commitment>("commitment", record);
  content.vault = hospitals_[reader].vault;
  return contracts::make_operation(content, random_id<RequestId>(prng));
}

}  // namespace baolian::bench
