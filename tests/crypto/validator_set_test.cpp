#include "crypto/validator_set.h"

#include <array>

#include "crypto/hash.h"
#include "crypto/hex.h"
#include "support/catch.h"

namespace baolian::crypto {
namespace {

PublicKey key_of(std::uint8_t fill) {
  PublicKey key;
  key.bytes.fill(fill);
  key.bytes[0] = 1;
  return key;
}

EpochRecord golden_record() {
  EpochRecord record;
  record.epoch = Epoch{3};
  record.first_height = Height{100};
  record.parameters = {{.id = 1, .value = 5}, {.id = 2, .value = 600}};
  record.validators = {key_of(0x41), key_of(0x42)};
  return record;
}

constexpr const char* kGoldenRecord =
    "01"
    "0300000000000000"
    "6400000000000000"
    "1000"
    "0800"
    "0100"
    "01"
    "02000000"
    "01000500000000000000"
    "02005802000000000000"
    "02000000"
    "014141414141414141414141414141414141414141414141414141414141414141"
    "014242424242424242424242424242424242424242424242424242424242424242";

}  // namespace

TEST_CASE("quorum 1.2: two quorums share a correct validator, and the correct alone make one",
          "[quorum]") {
  for (std::size_t n = 1; n <= 1000; ++n) {
    const Quorum quorum{n};
    const std::size_t f = quorum.faulty_max();
    INFO("n = " << n);
    CHECK(3 * f + 1 <= n);
    CHECK(n <= 3 * f + 3);
    CHECK(2 * quorum.quorum() - n >= f + 1);
    CHECK(n - f >= quorum.quorum());
    CHECK(quorum.weak_quorum() == f + 1);
    CHECK(quorum.quorum() >= quorum.weak_quorum());
    // The smallest that is safe: one less would let two quorums share only faulty ones.
    CHECK((n == 1 || 2 * (quorum.quorum() - 1) < n + f + 1));
  }
}

TEST_CASE("quorum 1.2: the table of the design", "[quorum]") {
  struct Row {
    std::size_t n, f, q;
  };
  for (const Row row : {Row{1, 0, 1}, Row{2, 0, 2}, Row{3, 0, 2}, Row{4, 1, 3}, Row{5, 1, 4},
                        Row{6, 1, 4}, Row{7, 2, 5}, Row{10, 3, 7}, Row{31, 10, 21}}) {
    INFO("n = " << row.n);
    CHECK(Quorum{row.n}.faulty_max() == row.f);
    CHECK(Quorum{row.n}.quorum() == row.q);
    CHECK(Quorum{row.n}.quorum(ConsensusKind::pbft) == row.q);
  }
}

TEST_CASE("quorum: Raft needs a majority", "[quorum]") {
  for (std::size_t n = 1; n <= 1000; ++n) {
    const std::size_t majority = Quorum{n}.quorum(ConsensusKind::raft);
    CHECK(2 * majority > n);
    CHECK(2 * (majority - 1) <= n);
  }
}

TEST_CASE("quorum: what a kind bears, and what it says of itself", "[quorum]") {
  struct Row {
    ConsensusKind kind;
    std::size_t n, crashed, lying;
    std::string words;
  };
  const std::string lie =
      "none may lie: a dishonest leader can certify two histories, a dishonest majority anything";
  const std::vector<Row> rows = {
      {ConsensusKind::pbft, 1, 0, 0, "PBFT: 1 of 1 validators must agree; none may crash or lie"},
      {ConsensusKind::pbft, 3, 0, 0, "PBFT: 2 of 3 validators must agree; none may crash or lie"},
      {ConsensusKind::pbft, 4, 1, 1,
       "PBFT: 3 of 4 validators must agree; up to 1 may crash or lie"},
      {ConsensusKind::pbft, 7, 2, 2,
       "PBFT: 5 of 7 validators must agree; up to 2 may crash or lie"},
      {ConsensusKind::raft, 1, 0, 0, "Raft: 1 of 1 validators must agree; none may crash, " + lie},
      {ConsensusKind::raft, 2, 0, 0, "Raft: 2 of 2 validators must agree; none may crash, " + lie},
      {ConsensusKind::raft, 3, 1, 0,
       "Raft: 2 of 3 validators must agree; up to 1 may crash, " + lie},
      {ConsensusKind::raft, 4, 1, 0,
       "Raft: 3 of 4 validators must agree; up to 1 may crash, " + lie},
      {ConsensusKind::raft, 5, 2, 0,
       "Raft: 3 of 5 validators must agree; up to 2 may crash, " + lie},
  };
  for (const Row& row : rows) {
    EpochRecord record = golden_record();
    record.consensus_kind = row.kind;
    record.validators.assign(row.n, PublicKey{});
    INFO(row.words);
    CHECK(Quorum{row.n}.crashed_max(row.kind) == row.crashed);
    CHECK(Quorum{row.n}.lying_max(row.kind) == row.lying);
    CHECK(trust_words(record) == row.words);
  }
  for (std::size_t n = 1; n <= 127; ++n) {
    const Quorum quorum{n};
    for (const ConsensusKind kind : {ConsensusKind::pbft, ConsensusKind::raft}) {
      CHECK(n - quorum.crashed_max(kind) >= quorum.quorum(kind));
    }
  }
}

TEST_CASE("epoch record: golden bytes and validators_hash", "[validator_set][golden]") {
  const EpochRecord record = golden_record();
  CHECK(to_hex(encode(record)) == kGoldenRecord);
  CHECK(decode<EpochRecord>(test::hex(kGoldenRecord)).value() == record);
  CHECK(validators_hash(record).hex() ==
        "c3faabcccba92c89756b9187d2b018733b545b73d8cb31eab54545d536f1b14e");
}

TEST_CASE("epoch record: unsorted, repeated, missing and too many validators do not decode",
          "[validator_set]") {
  const Bytes golden = test::hex(kGoldenRecord);
  const std::size_t list_at = golden.size() - 2 * PublicKey::kSize - 4;
  const auto with_validators = [&](std::uint8_t count, const Bytes& keys) {
    Bytes out(golden.begin(), golden.begin() + static_cast<std::ptrdiff_t>(list_at));
    append(out, std::array<std::uint8_t, 4>{count, 0, 0, 0});
    append(out, keys);
    return decode<EpochRecord>(out);
  };
  Bytes ascending;
  for (std::uint8_t i = 0; i < 128; ++i) append(ascending, key_of(i).view());
  Bytes descending;
  append(descending, key_of(2).view());
  append(descending, key_of(1).view());
  Bytes twice;
  append(twice, key_of(2).view());
  append(twice, key_of(2).view());
  const Bytes largest(ascending.begin(), ascending.end() - PublicKey::kSize);
  CHECK(with_validators(127, largest).has_value());
  CHECK(with_validators(128, ascending).error().code == Errc::limit_exceeded);
  CHECK(with_validators(0, {}).error().code == Errc::limit_exceeded);
  CHECK(with_validators(2, descending).error().code == Errc::not_canonical);
  CHECK(with_validators(2, twice).error().code == Errc::not_canonical);
}

TEST_CASE("validator_index finds every key and no other", "[validator_set]") {
  EpochRecord record = golden_record();
  record.validators = {key_of(2), key_of(4), key_of(6)};
  for (std::uint8_t i = 0; i < 3; ++i) {
    CHECK(validator_index(record, key_of(static_cast<std::uint8_t>(2 * i + 2))) ==
          ValidatorIndex{i});
  }
  for (const std::uint8_t stranger : Bytes{1, 3, 5, 7}) {
    CHECK(validator_index(record, key_of(stranger)) == std::nullopt);
  }
  record.validators.clear();
  CHECK(validator_index(record, key_of(2)) == std::nullopt);
}

}  // namespace baolian::crypto
