#include "sim/checker.h"

#include "consensus/batch.h"
#include "consensus/pbft/messages.h"
#include "consensus/pbft/records.h"
#include "core/codec.h"
#include "sim/wire.h"
#include "sim/world.h"
#include "support/catch.h"

namespace baolian::sim {
namespace {

using consensus::LogRecord;
using consensus::MessageKind;
using consensus::RecordType;
namespace pbft = consensus::pbft;

/// Four validators, of which the third is Byzantine, and a checker that watches them.
struct Watched {
  World world = make_world(4, 0, 5);
  Checker checker{world};
  static constexpr std::uint64_t kNowMs = 1'750'000'200'000;

  Watched() {
    checker.set_byzantine(2);
    checker.on_clock(0, TimeMs{kNowMs});
  }
  node::SharedBytes message(ValidatorIndex from, MessageKind kind, Bytes body) const {
    const Forge forge(world.chain_id, world.genesis.epoch.epoch, from, *world.node_signers[from]);
    return forge.message(kind, std::move(body));
  }
  /// The proposer shows a batch, and a correct node prepares it in view 0 at height 1.
  void propose_and_prepare(ValidatorIndex proposer, std::uint64_t at_ms) {
    consensus::Batch batch;
    batch.epoch = world.genesis.epoch.epoch;
    batch.height = Height{1};
    batch.proposer = proposer;
    batch.proposed_at = TimeMs{at_ms};
    pbft::PrePrepare proposal;
    proposal.batch = encode(batch);
    proposal.vote = {View{0}, Height{1}, consensus::batch_digest(proposal.batch)};
    checker.on_proposal(*message(proposer, MessageKind::pre_prepare, encode(proposal)));
    prepare(proposal.vote.digest);
  }
  void prepare(const Hash& digest) {
    const crypto::Vote vote{View{0}, Height{1}, digest};
    checker.on_sent(1, *message(1, MessageKind::prepare, encode(vote)), Height{});
  }
  void make_durable(RecordType type, Bytes body) {
    checker.on_durable(1, LogRecord{type, std::make_shared<const Bytes>(std::move(body))});
  }
  bool blames(std::string_view rule) const {
    const auto& found = checker.first_violation();
    return found.has_value() && found->starts_with(rule);
  }
};

TEST_CASE("checker N1: who prepares the batch of another than the primary is blamed", "[sim]") {
  Watched sound;
  sound.propose_and_prepare(0, Watched::kNowMs);
  CHECK_FALSE(sound.checker.first_violation().has_value());
  Watched usurped;
  usurped.propose_and_prepare(2, Watched::kNowMs);
  CHECK(usurped.blames("N1"));
}

TEST_CASE("checker N1: who prepares what nobody proposed is blamed, but for the null batch",
          "[sim]") {
  Watched null;
  null.prepare(
      consensus::null_digest(null.world.chain_id, null.world.genesis.epoch.epoch, Height{1}));
  CHECK_FALSE(null.checker.first_violation().has_value());
  Watched invented;
  invented.prepare(Hash{});
  CHECK(invented.blames("N1"));
}

TEST_CASE("checker 1.11: who prepares a time that no correct clock has shown is blamed", "[sim]") {
  Watched last_sound;
  last_sound.propose_and_prepare(0, Watched::kNowMs + 500);
  CHECK_FALSE(last_sound.checker.first_violation().has_value());
  Watched ahead;
  ahead.propose_and_prepare(0, Watched::kNowMs + 501);
  CHECK(ahead.blames("1.11"));
  Watched behind;
  behind.propose_and_prepare(0, Watched::kNowMs - 10'001);
  CHECK(behind.blames("1.11"));
}

TEST_CASE("checker V2, V5: what is said of a view waits for the disk", "[sim]") {
  pbft::ViewChange change;
  change.new_view = View{1};
  const auto say = [&](Watched& watched) {
    watched.checker.on_sent(1, *watched.message(1, MessageKind::view_change, encode(change)),
                            Height{});
  };
  Watched early;
  say(early);
  CHECK(early.blames("V2"));
  Watched late;
  late.make_durable(RecordType::vc_sent, encode(pbft::ViewChangeSent{View{1}, {}}));
  say(late);
  CHECK_FALSE(late.checker.first_violation().has_value());

  pbft::NewView view;
  view.view = View{1};
  late.checker.on_sent(1, *late.message(1, MessageKind::new_view, encode(view)), Height{});
  CHECK(late.blames("V5"));
}

TEST_CASE("checker V7: a view that is entered with too few VIEW-CHANGEs is noticed", "[sim]") {
  Watched watched;
  pbft::ViewEnter record;
  record.view = View{1};
  watched.make_durable(RecordType::view_enter, encode(record));
  CHECK(watched.blames("V7"));
}

TEST_CASE("checker 1.7: a SNAPSHOT that forgets what was sent above its h is noticed", "[sim]") {
  Watched watched;
  watched.propose_and_prepare(0, Watched::kNowMs);
  REQUIRE_FALSE(watched.checker.first_violation().has_value());
  watched.make_durable(RecordType::snapshot, encode(consensus::Snapshot{}));
  CHECK(watched.blames("I5"));
}

}  // namespace
}  // namespace baolian::sim
