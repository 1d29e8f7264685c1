#include "bench/readings.h"

#include <algorithm>

#include "contracts/operations.h"
#include "core/assert.h"
#include "crypto/hash.h"

namespace baolian::bench {
namespace {

template <typename Id>
Id numbered(std::string_view what, std::uint64_t number) {
  Bytes bytes = to_bytes(what);
  append_big_endian(bytes, number, 8);
  return Id::from(crypto::sha256(bytes).view().subspan(0, Id::kSize));
}

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

Readings::Readings(const ledger::Genesis& genesis, const Settings& settings)
    : records_(settings.records),
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

std::vector<ledger::Operation> Readings::registrations(std::size_t hospital, std::uint64_t first,
                                                       std::size_t count) const {
  std::vector<ledger::Operation> out;
  for (std::uint64_t record = first; record < record_count() && out.size() < count;
       record += hospital_count()) {
    contracts::RecordsRegister content;
    content.record = {numbered<RecordId>("record", record), 1};
    content.subject.value = numbered<Tag32>("person", record % subjects_);
    content.record_class = contracts::RecordClass::document;
    content.level = contracts::Level::three;
    content.commitment = numbered<Commitment>("commitment", record);
    content.vault = hospitals_[hospital].vault;
    out.push_back(contracts::make_operation(content, numbered<RequestId>("register", record)));
  }
  return out;
}

std::vector<ledger::Operation> Readings::readings(std::size_t hospital, std::size_t count,
                                                  Prng& prng) const {
  const Hospital& home = hospitals_[hospital];
  std::vector<ledger::Operation> out;
  out.reserve(count);
  const std::uint64_t own = records_ / hospital_count();
  for (std::size_t i = 0; i < count; ++i) {
    contracts::RecordsRead content;
    const std::uint64_t record = prng.below(own) * hospital_count() + hospital;
    content.record = {numbered<RecordId>("record", record), 1};
    content.basis = {contracts::BasisKind::care, random_id<Hash>(prng)};
    content.originator = {home.id, home.doctor, contracts::SignedBy::institution};
    content.vault = home.vault;
    out.push_back(contracts::make_operation(content, random_id<RequestId>(prng)));
  }
  return out;
}

}  // namespace baolian::bench
