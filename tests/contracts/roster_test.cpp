#include "contracts/membership/roster.h"

#include "contracts/membership/membership.h"
#include "contracts/state_keys.h"
#include "fixture.h"

namespace baolian::contracts {
namespace {

/// Counts what is asked of it. It holds no rows of its own.
class CountingReader final : public ledger::StateReader {
 public:
  explicit CountingReader(const ledger::StateReader& below) : below_(below) {}
  std::optional<Bytes> read(BytesView key) const override {
    ++reads_;
    return below_.read(key);
  }
  std::vector<ledger::KeyValue> scan(const ledger::KeyRange& range,
                                     std::size_t limit) const override {
    return below_.scan(range, limit);
  }
  int reads() const { return reads_; }

 private:
  const ledger::StateReader& below_;
  mutable int reads_ = 0;
};

class NothingBelow final : public ledger::StateReader {
 public:
  std::optional<Bytes> read(BytesView) const override { return std::nullopt; }
  std::vector<ledger::KeyValue> scan(const ledger::KeyRange&, std::size_t) const override {
    return {};
  }
};

const InstitutionId kHome = test::make_id<InstitutionId>(1);
const MemberId kDoctor = test::make_id<MemberId>(2);
const MemberId kStranger = test::make_id<MemberId>(3);

MemberState doctor(std::uint64_t valid_to) {
  MemberState out;
  out.institution = kHome;
  out.member.id = kDoctor;
  out.member.valid_to = TimeMs{valid_to};
  return out;
}

/// A state with one member.
struct OneDoctor {
  const NothingBelow nothing;
  ledger::StateOverlay state{nothing};
  const PublicKey key = test::make_id<PublicKey>(9);
  const CountingReader counted{state};

  OneDoctor() {
    state.write_as(keys::member(key), doctor(1));
    state.write_as(keys::member_id(kHome, kDoctor), MemberKey{{}, key});
  }
};

TEST_CASE("roster: a member is read once, also one that is not there", "[contracts]") {
  const OneDoctor home;
  const CountingReader& counted = home.counted;

  Roster roster;
  const MemberState* const found = roster.find(counted, kHome, kDoctor);
  REQUIRE(found != nullptr);
  CHECK(found->member.valid_to == TimeMs{1});
  CHECK(roster.find(counted, kHome, kStranger) == nullptr);
  const int reads = counted.reads();
  CHECK(roster.find(counted, kHome, kDoctor) == found);
  CHECK(roster.find(counted, kHome, kStranger) == nullptr);
  CHECK(counted.reads() == reads);
}

TEST_CASE("roster: what an operation writes of members is seen by the next one", "[contracts]") {
  OneDoctor home;
  ledger::StateOverlay& state = home.state;
  const PublicKey& key = home.key;
  const CountingReader& counted = home.counted;
  Roster roster;
  REQUIRE(roster.find(counted, kHome, kDoctor) != nullptr);
  const int reads = counted.reads();

  auto other = ledger::StateOverlay::over(state);
  other.write(keys::nonce(key), {1});
  other.write(keys::institution(kHome), {1});
  roster.follow(other.writes());
  REQUIRE(roster.find(counted, kHome, kDoctor) != nullptr);
  CHECK(counted.reads() == reads);

  auto change = ledger::StateOverlay::over(state);
  change.write_as(keys::member(key), doctor(2));
  roster.follow(change.writes());
  change.move_to(state);
  REQUIRE(roster.find(counted, kHome, kDoctor) != nullptr);
  CHECK(roster.find(counted, kHome, kDoctor)->member.valid_to == TimeMs{2});

  auto newcomer = ledger::StateOverlay::over(state);
  newcomer.write_as(keys::member_id(kHome, kStranger), MemberKey{{}, key});
  roster.follow(newcomer.writes());
  newcomer.move_to(state);
  CHECK(roster.find(counted, kHome, kStranger) != nullptr);
}

}  // namespace
}  // namespace baolian::contracts
