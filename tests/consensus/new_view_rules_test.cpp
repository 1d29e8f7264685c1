/// One test a rule of entering a view (consensus.md 1.6 V5-V8, V10, S4): what the new primary
/// sends, what O is, when a NEW-VIEW is believed, and what must be durable before the first vote.
#include "consensus/view_change_bench.h"

namespace baolian::consensus::testing {
namespace {

using Heartbeat = Bench::Heartbeat;
using Asked = ViewChangeBench::Asked;

/// View 1 is for the first to open and for the second to enter.
constexpr ValidatorIndex kPrimaryOf1 = 1;
constexpr ValidatorIndex kBackup = 2;

Hash null_at(std::uint64_t height) { return null_digest(test_chain(), {0}, {height}); }

/// VIEW-CHANGEs as F faulty and many correct replicas could send them: any h, any P above it. The
/// digest is a function of height and view, as quorums make it.
pbft::ViewChange random_view_change(const ViewChangeBench& bench, Prng& random,
                                    std::uint64_t view) {
  const std::uint64_t window = bench.epoch().log_window;
  const std::uint64_t h = random.below(5);
  pbft::ViewChange out = h == 0 ? ViewChangeBench::asks(view) : bench.asks_at(view, h);
  for (std::uint64_t n = h + 1; n <= h + window; ++n) {
    if (!random.chance_percent(n < h + 5 ? 50 : 5)) continue;
    const std::uint64_t prepared_in = random.below(view);
    out.prepared.push_back(bench.prepared(prepared_in, n, prepared_in / 2));
  }
  return out;
}

}  // namespace

// ------------------------------------------------------------------ V5

TEST_CASE("pbft 1.6 V5: the primary sends NEW-VIEW with Q VIEW-CHANGEs for its view",
          "[pbft][paper]") {
  ViewChangeBench bench(kPrimaryOf1);
  bench.leave();
  CHECK(bench.view_change(3, ViewChangeBench::asks(1)) == RejectReason::none);
  CHECK(bench.pending().empty());  // two of Q = 3, the own one included
  CHECK(bench.view_change(0, ViewChangeBench::asks(1)) == RejectReason::none);
  REQUIRE(bench.pending_records(RecordType::view_enter) == 1);
  CHECK(bench.all_sent(MessageKind::new_view).empty());  // not before VIEW_ENTER is durable
  CHECK(bench.status().view == View{0});
  CHECK_FALSE(bench.status().active);
  bench.persist_all();
  CHECK(bench.status().view == View{1});
  CHECK(bench.status().active);
  CHECK(bench.status().is_leader);
  CHECK(bench.hits(Probe::view_entered_as_primary) == 1);
  REQUIRE(bench.all_sent(MessageKind::new_view).size() == 1);
  const auto sent = bench.body_of<pbft::NewView>(bench.all_sent(MessageKind::new_view)[0]);
  CHECK(sent.view == View{1});
  REQUIRE(sent.view_changes.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::array<ValidatorIndex, 3> senders = {0, 1, 3};
    CHECK(sent.view_changes[i].sender == senders[i]);
    CHECK(sent.view_changes[i].message_hash == crypto::sha256(encode(ViewChangeBench::asks(1))));
  }
  CHECK(sent.proposals_hash == crypto::sha256(encode(pbft::Proposals{{1}, {0}, {}})));
  for (const Send& send : bench.all_sends()) {
    if (decode<Envelope>(*send.bytes)->kind != MessageKind::new_view) continue;
    CHECK_FALSE(send.to.has_value());
    CHECK(send.message_class == MessageClass::view_change);
  }
}

TEST_CASE("pbft 1.6 V5: VIEW-CHANGEs for later views are not exactly for this one",
          "[pbft][paper]") {
  ViewChangeBench bench(kPrimaryOf1, 7);
  bench.leave();
  for (const ValidatorIndex other : {ValidatorIndex{0}, ValidatorIndex{2}, ValidatorIndex{3}}) {
    CHECK(bench.view_change(other, ViewChangeBench::asks(1)) == RejectReason::none);
  }
  CHECK(bench.view_change(4, ViewChangeBench::asks(8)) == RejectReason::none);
  CHECK(bench.view_change(5, ViewChangeBench::asks(2)) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::view_enter) == 0);
  CHECK(bench.view_change(6, ViewChangeBench::asks(1)) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::view_enter) == 1);
}

TEST_CASE("pbft 1.6 V5: the own VIEW-CHANGE is one of the Q, others alone do not open a view",
          "[pbft][paper]") {
  ViewChangeBench bench(kPrimaryOf1, 7);
  // Q = 5 of 7. The first three (F+1) make it leave itself.
  for (const ValidatorIndex other : bench.others(5)) {
    CHECK(bench.view_change(other, ViewChangeBench::asks(1)) == RejectReason::none);
  }
  bench.persist_all();
  REQUIRE(bench.all_sent(MessageKind::new_view).size() == 1);
  const auto sent = bench.body_of<pbft::NewView>(bench.all_sent(MessageKind::new_view)[0]);
  REQUIRE(sent.view_changes.size() == 5);  // exactly Q, though six are held
  const bool own = std::any_of(sent.view_changes.begin(), sent.view_changes.end(),
                               [](const auto& r) { return r.sender == kPrimaryOf1; });
  CHECK(own);
  REQUIRE_FALSE(bench.all_sent(MessageKind::view_change).empty());
}

TEST_CASE("pbft 1.6 V5: only the primary of the view sends NEW-VIEW", "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  bench.leave();
  for (const ValidatorIndex other : bench.others()) {
    CHECK(bench.view_change(other, ViewChangeBench::asks(1)) == RejectReason::none);
  }
  bench.persist_all();
  bench.pass(500);
  bench.persist_all();
  CHECK(bench.all_sent(MessageKind::new_view).empty());
  CHECK(bench.status().view == View{0});
}

TEST_CASE("pbft 1.6 V5: a NEW-VIEW whose VIEW-CHANGEs are missing here fetches them by hash",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto special = ViewChangeBench::asks(1);
  special.prepared = {bench.prepared(0, 3)};
  const auto made = bench.new_view(
      1, {{0, special}, {1, ViewChangeBench::asks(1)}, {3, ViewChangeBench::asks(1)}});
  CHECK(bench.deliver(1, made.view_changes[1]) == RejectReason::none);
  // Validator 0 told this engine something else than the primary: the hash decides.
  CHECK(bench.view_change(0, ViewChangeBench::asks(1)) == RejectReason::none);
  bench.persist_all();
  bench.forget_sent();
  CHECK(bench.deliver(1, made.message) == RejectReason::none);
  CHECK(bench.pending_records(RecordType::view_enter) == 0);
  CHECK(bench.hits(Probe::new_view_waits) == 1);
  bench.pass(50);
  auto fetches = bench.fetches<consensus::FetchViewChange>();
  REQUIRE(fetches.size() == 2);
  for (const auto& [to, what] : fetches) {
    CHECK(to == ReplicaId{1});  // the sender of the NEW-VIEW first
    const auto& reference = made.body.view_changes[what.sender == 0 ? 0 : 2];
    CHECK(what.sender == reference.sender);
    CHECK(what.message_hash == reference.message_hash);
  }
  // Then others.
  bench.forget_sent();
  bench.pass(500);
  std::set<ReplicaId> asked;
  for (const auto& [to, what] : bench.fetches<consensus::FetchViewChange>()) {
    REQUIRE(to.has_value());
    asked.insert(*to);
  }
  CHECK(asked.size() >= 2);
  CHECK(bench.reply(3, {0, consensus::ReplyViewChange{*made.view_changes[2]}}) ==
        RejectReason::none);
  CHECK(bench.pending_records(RecordType::view_enter) == 0);
  CHECK(bench.reply(3, {0, consensus::ReplyViewChange{*made.view_changes[0]}}) ==
        RejectReason::none);
  CHECK(bench.pending_records(RecordType::view_enter) == 1);
  bench.persist_all();
  CHECK(bench.status().view == View{1});
}

TEST_CASE("pbft 1.6 V5: NEW-VIEW before its VIEW-CHANGEs and after them give the same",
          "[pbft][paper]") {
  const bool before = GENERATE(false, true);
  ViewChangeBench bench(kBackup);
  const auto made = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  if (before) CHECK(bench.deliver(1, made.message) == RejectReason::none);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(bench.deliver(made.body.view_changes[i].sender, made.view_changes[i]) ==
          RejectReason::none);
  }
  if (!before) CHECK(bench.deliver(1, made.message) == RejectReason::none);
  bench.persist_all();
  CHECK(bench.status().view == View{1});
  CHECK(bench.status().active);
}

// ------------------------------------------------------------------ V6

TEST_CASE("pbft 1.6 V6: O of the primary is the reference function of the VIEW-CHANGEs it names",
          "[pbft][paper][property]") {
  std::size_t with_nulls = 0;
  std::size_t with_prepared = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    const std::size_t n = seed % 3 == 0 ? 7 : 4;
    const std::uint64_t view = n * random.between(0, 2) + kPrimaryOf1;
    constexpr std::uint64_t kWindow = 8;
    ViewChangeBench bench(kPrimaryOf1, n, kWindow);
    std::map<Hash, pbft::ViewChange> by_hash;
    for (const ValidatorIndex other : bench.others(bench.quorum() - 1)) {
      const auto body = random_view_change(bench, random, view);
      by_hash[crypto::sha256(encode(body))] = body;
      REQUIRE(bench.view_change(other, body) == RejectReason::none);
    }
    bench.persist_all();
    const auto own = bench.own_view_change();
    by_hash[crypto::sha256(encode(own))] = own;
    REQUIRE(bench.all_sent(MessageKind::new_view).size() == 1);
    const auto sent = bench.body_of<pbft::NewView>(bench.all_sent(MessageKind::new_view)[0]);
    REQUIRE(sent.view_changes.size() == bench.quorum());
    std::vector<pbft::ViewChange> named;
    for (const auto& reference : sent.view_changes) {
      REQUIRE(by_hash.contains(reference.message_hash));
      named.push_back(by_hash[reference.message_hash]);
    }
    const auto expected = reference_proposals(bench.epoch(), {view}, named);
    CHECK(sent.proposals_hash == crypto::sha256(encode(expected)));
    CHECK(bench.status().certified == expected.checkpoint);
    // Null batches need nothing and are voted for at once, the others are fetched.
    const auto votes = bench.votes(MessageKind::prepare);
    bench.pass(50);
    std::map<std::uint64_t, Hash> fetched;
    for (const auto& [to, what] : bench.fetches<consensus::FetchBatch>()) {
      fetched[what.height.value] = what.digest;
    }
    std::size_t within = 0;
    for (std::size_t i = 0; i < expected.digests.size(); ++i) {
      const std::uint64_t height = expected.checkpoint.value + 1 + i;
      CAPTURE(height);
      const Hash& digest = expected.digests[i];
      within += height > kWindow ? 0 : 1;
      if (height > kWindow) {
        // 1.10: nothing is executed here, so a change of validators may begin above it.
        CHECK_FALSE(votes.contains(height));
        continue;
      }
      if (digest == null_at(height)) {
        ++with_nulls;
        REQUIRE(votes.contains(height));
        CHECK(votes.at(height) == crypto::Vote{{view}, {height}, digest});
      } else {
        ++with_prepared;
        CHECK_FALSE(votes.contains(height));
        REQUIRE(fetched.contains(height));
        CHECK(fetched[height] == digest);
      }
    }
    CHECK(votes.size() + fetched.size() == within);
  }
  CHECK(with_nulls > 100);
  CHECK(with_prepared > 100);
}

TEST_CASE("pbft 1.6 V6: a backup believes the reference function, and no other O",
          "[pbft][paper][property]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Prng random(seed + 10'000);
    const std::size_t n = seed % 3 == 0 ? 7 : 4;
    const std::uint64_t view = n * random.between(0, 2) + 1;
    ViewChangeBench bench(kBackup, n, 8);
    Asked asked;
    for (const ValidatorIndex other : bench.others(bench.quorum())) {
      asked[other] = random_view_change(bench, random, view);
    }
    auto made = bench.new_view(view, asked);
    auto wrong = made;
    auto proposals = made.proposals;
    const std::uint64_t how = random.below(4);
    if (how == 0 || proposals.digests.empty()) {
      proposals.digests.push_back(null_at(proposals.top().value + 1));
    } else if (how == 1) {
      proposals.digests.pop_back();
    } else if (how == 2) {
      proposals.digests[random.below(proposals.digests.size())].bytes[7] ^= 1;
    } else {
      ++proposals.checkpoint;
      proposals.digests.erase(proposals.digests.begin());
    }
    wrong.body.proposals_hash = crypto::sha256(encode(proposals));
    wrong.message = bench.sealed(wrong.body, 1);
    CHECK(bench.relay(wrong) == RejectReason::bad_digest);
    CHECK(bench.pending_records(RecordType::view_enter) == 0);
    CHECK(bench.relay(made) == RejectReason::none);
    CHECK(bench.pending_records(RecordType::view_enter) == 1);
    bench.persist_all();
    CHECK(bench.status().view == View{view});
    CHECK(bench.status().certified == made.proposals.checkpoint);
  }
}

TEST_CASE("pbft 1.6 V6: of several certificates for a height the highest view wins",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto low = ViewChangeBench::asks(5);
  auto high = ViewChangeBench::asks(5);
  auto middle = ViewChangeBench::asks(5);
  low.prepared = {bench.prepared(0, 1, 10), bench.prepared(4, 3, 14)};
  high.prepared = {bench.prepared(3, 1, 13), bench.prepared(0, 3, 10)};
  middle.prepared = {bench.prepared(2, 1, 12)};
  const auto made = bench.new_view(5, {{0, low}, {1, high}, {3, middle}});
  CHECK(made.proposals.digests ==
        std::vector<Hash>{bench.digest_at(1, 13), null_at(2), bench.digest_at(3, 14)});
  bench.enter(made);
  bench.pass(50);
  std::map<std::uint64_t, Hash> fetched;
  for (const auto& [to, what] : bench.fetches<consensus::FetchBatch>()) {
    fetched[what.height.value] = what.digest;
  }
  CHECK(fetched ==
        std::map<std::uint64_t, Hash>{{1, bench.digest_at(1, 13)}, {3, bench.digest_at(3, 14)}});
  const auto votes = bench.votes(MessageKind::prepare);
  REQUIRE(votes.size() == 1);
  CHECK(votes.at(2).digest == null_at(2));
  CHECK(bench.hits(Probe::new_view_with_null) > 0);
  CHECK(bench.hits(Probe::new_view_with_prepared) > 0);
}

TEST_CASE("pbft 1.6 V6: mins is the highest h, and nothing at or below it is in O",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto behind = ViewChangeBench::asks(1);
  behind.prepared = {bench.prepared(0, 1), bench.prepared(0, 3), bench.prepared(0, 5)};
  auto ahead = bench.asks_at(1, 5);
  const auto made = bench.new_view(1, {{0, behind}, {1, ahead}, {3, bench.asks_at(1, 4)}});
  CHECK(made.proposals.checkpoint == Height{5});
  CHECK(made.proposals.digests.empty());  // maxs = mins, never below
  bench.enter(made);
  CHECK(bench.status().certified == Height{5});
  bench.pass(100);
  CHECK(bench.votes(MessageKind::prepare).empty());
  CHECK(bench.fetches<consensus::FetchBatch>().empty());
  // The first fresh height is maxs + 1.
  CHECK(bench.propose(bench.proposal(5, 1, 1), 1) == RejectReason::outside_window);
  CHECK(bench.propose(bench.proposal(6, 1, 1), 1) == RejectReason::none);
}

TEST_CASE("pbft 1.6 V6: two certificates of one height and view with different digests halt",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto one = ViewChangeBench::asks(1);
  auto two = ViewChangeBench::asks(1);
  one.prepared = {bench.prepared(0, 2, 1)};
  two.prepared = {bench.prepared(0, 2, 2)};
  Asked asked = {{0, one}, {1, ViewChangeBench::asks(1)}, {3, one}};
  auto made = bench.new_view(1, asked);
  made.view_changes[2] = bench.view_change_message(3, two);
  made.body.view_changes[2].message_hash = crypto::sha256(encode(two));
  made.message = bench.sealed(made.body, 1);
  bench.relay(made);
  REQUIRE(bench.effects<Stop>().size() == 1);
  CHECK(bench.effects<Stop>()[0].kind == Stop::Kind::halt);
  CHECK(bench.status().stopped);
  // Nothing is voted; that it halted is remembered.
  REQUIRE(bench.effects<Persist>().size() == 1);
  REQUIRE(bench.effects<Persist>()[0].writes.size() == 1);
  CHECK(bench.effects<Persist>()[0].writes[0].type == RecordType::stopped);
  CHECK(bench.effects<Persist>()[0].then_send.empty());
}

// ------------------------------------------------------------------ V7

TEST_CASE("pbft 1.6 V7: a NEW-VIEW counts only from the primary of its view", "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto made = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  for (const ValidatorIndex forger : {ValidatorIndex{0}, ValidatorIndex{3}}) {
    CHECK(bench.deliver(forger, bench.sealed(made.body, forger)) == RejectReason::not_primary);
    auto forged = made;
    forged.message = bench.sealed(made.body, forger);
    CHECK(bench.relay(forged) == RejectReason::not_primary);
  }
  CHECK(bench.pending_records(RecordType::view_enter) == 0);
  CHECK(bench.relay(made) == RejectReason::none);
}

TEST_CASE("pbft 1.6 V7: a relayed NEW-VIEW that its primary did not sign is the bearer's fault",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto made = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  auto envelope = *decode<Envelope>(*made.message);
  envelope.signature.bytes[0] ^= 1;
  made.message = std::make_shared<const Bytes>(encode(envelope));
  CHECK(bench.relay(made, 3) != RejectReason::none);
  REQUIRE(bench.effects<BanPeer>().size() == 1);
  CHECK(bench.effects<BanPeer>()[0].peer == 3);
  CHECK(bench.pending_records(RecordType::view_enter) == 0);
}

TEST_CASE("pbft 1.6 V7: a NEW-VIEW rests on Q distinct senders, no more, no fewer",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto body = ViewChangeBench::asks(1);
  const auto refuse = [&](const MadeNewView& made) {
    CHECK(bench.relay(made) != RejectReason::none);
    bench.persist_all();
    CHECK(bench.status().view == View{0});
    CHECK(bench.logged<pbft::ViewEnter>(RecordType::view_enter).empty());
  };
  refuse(bench.new_view(1, {}));
  refuse(bench.new_view(1, {{0, body}, {3, body}}));
  // One sender with two VIEW-CHANGEs is one sender.
  auto twice = bench.new_view(1, {{0, body}, {3, body}});
  auto other = body;
  other.prepared = {bench.prepared(0, 1)};
  twice.body.view_changes.push_back({3, crypto::sha256(encode(other))});
  std::sort(twice.body.view_changes.begin(), twice.body.view_changes.end());
  twice.view_changes = {bench.view_change_message(0, body)};
  for (std::size_t i = 1; i < 3; ++i) {
    const bool first = twice.body.view_changes[i].message_hash == crypto::sha256(encode(body));
    twice.view_changes.push_back(bench.view_change_message(3, first ? body : other));
  }
  twice.body.proposals_hash =
      crypto::sha256(encode(reference_proposals(bench.epoch(), {1}, {body, body, other})));
  twice.message = bench.sealed(twice.body, 1);
  refuse(twice);
  // A sender that is no validator.
  auto stranger = bench.new_view(1, bench.all_ask(body));
  stranger.body.view_changes.back().sender = 4;
  stranger.message = bench.sealed(stranger.body, 1);
  refuse(stranger);
  // At n = 7 Q is 5: neither 4 nor 6.
  for (const std::size_t count : {std::size_t{4}, std::size_t{6}}) {
    ViewChangeBench seven(kBackup, 7);
    Asked asked;
    for (const ValidatorIndex sender : seven.others(count)) asked[sender] = body;
    CHECK(seven.relay(seven.new_view(1, asked)) != RejectReason::none);
    CHECK(seven.pending_records(RecordType::view_enter) == 0);
  }
}

TEST_CASE("pbft 1.6 V7: every VIEW-CHANGE of a NEW-VIEW is valid and exactly for its view",
          "[pbft][paper]") {
  const int how = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(how);
  ViewChangeBench bench(kBackup);
  Asked asked = bench.all_ask(ViewChangeBench::asks(5));
  if (how == 0) asked[3] = ViewChangeBench::asks(6);
  if (how == 1) asked[3] = ViewChangeBench::asks(1);
  if (how == 2) {  // a prepared certificate of a minority
    asked[3].prepared = {bench.prepared(0, 1)};
    asked[3].prepared[0].signatures.pop_back();
  }
  if (how == 3) {  // h without a certificate that proves it
    asked[3] = bench.asks_at(5, 9);
    asked[3].checkpoint->signatures[0].signature.bytes[0] ^= 1;
  }
  auto made = bench.new_view(5, asked);
  if (how == 4) {  // signed by another than the one it names
    made.view_changes[2] = bench.view_change_message(0, asked[3]);
  }
  CHECK(bench.relay(made) != RejectReason::none);
  bench.persist_all();
  CHECK(bench.status().view == View{0});
  CHECK(bench.status().certified == Height{0});
  CHECK(bench.logged<pbft::ViewEnter>(RecordType::view_enter).empty());
  CHECK(bench.hits(Probe::view_entered) == 0);
}

TEST_CASE("pbft 1.6 V7: a wrong hash of O is refused, and its primary suspected", "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  auto made = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  made.body.proposals_hash.bytes[0] ^= 1;
  made.message = bench.sealed(made.body, 1);
  bench.leave();
  for (std::size_t i = 0; i < 3; ++i) {
    bench.deliver(made.body.view_changes[i].sender, made.view_changes[i]);
  }
  CHECK(bench.deliver(1, made.message) == RejectReason::bad_digest);
  CHECK(bench.hits(Probe::new_view_refused) == 1);
  CHECK(bench.pending_records(RecordType::view_enter) == 0);
  bench.pass(50);
  bool suspected = false;
  for (const pbft::Suspect& suspect : bench.suspects()) {
    suspected = suspected || (suspect.view == View{1} &&
                              suspect.reason == pbft::SuspectReason::invalid_proposal);
  }
  CHECK(suspected);
}

TEST_CASE("pbft 1.6 V7: a NEW-VIEW below the own VIEW-CHANGE or at the present view is refused",
          "[pbft][paper]") {
  ViewChangeBench bench(3);
  for (const ValidatorIndex other : {ValidatorIndex{0}, ValidatorIndex{1}}) {
    bench.view_change(other, ViewChangeBench::asks(4));
  }
  bench.persist_all();
  REQUIRE(bench.status().view_change == View{4});
  for (const std::uint64_t view : {1U, 2U}) {
    CHECK(bench.relay(bench.new_view(view, bench.all_ask(ViewChangeBench::asks(view)))) ==
          RejectReason::not_wanted);
  }
  CHECK(bench.pending().empty());
  bench.enter(5);  // at or above the own one
  for (const std::uint64_t view : {1U, 4U, 5U}) {
    CHECK(bench.relay(bench.new_view(view, bench.all_ask(ViewChangeBench::asks(view)))) !=
          RejectReason::none);
  }
  CHECK(bench.pending().empty());
  CHECK(bench.status().view == View{5});
}

TEST_CASE("pbft 1.6 V7: a NEW-VIEW is entered by one who never asked for it", "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  REQUIRE(bench.status().active);
  bench.enter(1);
  bench.enter(5);  // and over several views at once
  CHECK(bench.all_sent(MessageKind::view_change).empty());
}

TEST_CASE("pbft 1.6 V7: the first accepted NEW-VIEW of a view is final, durable or not",
          "[pbft][paper]") {
  const bool durable = GENERATE(false, true);
  ViewChangeBench bench(kBackup);
  const auto first = bench.new_view(1, bench.all_ask(ViewChangeBench::asks(1)));
  auto prepared = ViewChangeBench::asks(1);
  prepared.prepared = {bench.prepared(0, 1)};
  const auto second = bench.new_view(1, bench.all_ask(prepared));
  REQUIRE(bench.relay(first) == RejectReason::none);
  if (durable) bench.persist_all();
  CHECK(bench.relay(second) != RejectReason::none);
  bench.persist_all();
  const auto entered = bench.logged<pbft::ViewEnter>(RecordType::view_enter);
  REQUIRE(entered.size() == 1);
  CHECK(entered[0].new_view == *first.message);
  CHECK(bench.status().view == View{1});
  bench.pass(200, Heartbeat::heard);
  CHECK(bench.fetches<consensus::FetchBatch>().empty());
}

TEST_CASE("pbft 1.6 V7: a batch of O is judged by its digest, not by clock, view or proposer",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto old = bench.proposal(1);  // view 0, proposer 0, and its time will be long past
  bench.tick(3'600'000);
  auto asked = bench.all_ask(ViewChangeBench::asks(5));
  asked[0].prepared = {bench.prepared(old.vote)};
  bench.enter(bench.new_view(5, asked));
  bench.pass(100, Heartbeat::heard);
  const auto fetches = bench.fetches<consensus::FetchBatch>();
  REQUIRE_FALSE(fetches.empty());
  CHECK(fetches[0].second.digest == old.vote.digest);
  CHECK(bench.reply(0, {0, consensus::ReplyBatch{{1}, old.batch}}) == RejectReason::none);
  CHECK(bench.hits(Probe::batch_fetched) == 1);
  REQUIRE(bench.effects<NeedBodies>().size() == 1);
  REQUIRE(bench.give_bodies(old).accepted);
  bench.persist_all();
  const auto votes = bench.votes(MessageKind::prepare);
  REQUIRE(votes.contains(1));
  CHECK(votes.at(1) == crypto::Vote{{5}, {1}, old.vote.digest});
}

TEST_CASE("pbft 1.6 V7: a batch of another digest is not taken for one of O", "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto right = bench.proposal(1);
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(right.vote)};
  bench.enter(bench.new_view(1, asked));
  bench.pass(100, Heartbeat::heard);
  const auto wrong = bench.proposal(1, 2);
  CHECK(bench.reply(0, {0, consensus::ReplyBatch{{1}, wrong.batch}}) != RejectReason::none);
  CHECK(bench.reply(0, {0, consensus::ReplyBatch{{1}, {}}}) != RejectReason::none);
  CHECK(bench.reply(0, {0, consensus::ReplyBatch{{1}, {1, 2, 3}}}) != RejectReason::none);
  CHECK(bench.reply(0, {0, consensus::ReplyBatch{{7}, right.batch}}) != RejectReason::none);
  CHECK(bench.effects<NeedBodies>().empty());
  CHECK(bench.reply(3, {0, consensus::ReplyBatch{{1}, right.batch}}) == RejectReason::none);
}

TEST_CASE("pbft 1.6 V7: O with another digest for a height that was executed here halts",
          "[pbft][paper]") {
  ViewChangeBench bench(kBackup);
  const auto done = bench.commit_height(1);
  bench.persist_all();
  bench.apply(1, done.vote.digest);
  bench.persist_all();
  auto asked = bench.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {bench.prepared(0, 1, 99)};
  bench.relay(bench.new_view(1, asked));
  bench.persist_all();
  CHECK(bench.status().stopped);
  CHECK(bench.votes(MessageKind::prepare).at(1).view == View{0});
  // Null for it is another digest too.
  ViewChangeBench null(kBackup);
  const auto first = null.commit_height(1);
  null.persist_all();
  null.apply(1, first.vote.digest);
  asked = null.all_ask(ViewChangeBench::asks(1));
  asked[0].prepared = {null.prepared(0, 2)};
  null.relay(null.new_view(1, asked));
  null.persist_all();
  CHECK(null.status().stopped);
}

}  // namespace baolian::consensus::testing
