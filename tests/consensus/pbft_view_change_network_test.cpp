/// View changes among several engines (consensus.md 1.6): what dies, what is cut off, what
/// survives, and a crash of any node at every record of its log. The network checks I1, I4, I6 and
/// I13 all the while.
#include "consensus/network.h"
#include "consensus/pbft/records.h"
#include "support/catch.h"

namespace baolian::consensus::testing {
namespace {

/// Everything admitted is executed and certified by all who run, in one chain, without a stop.
void require_progress(Network& network, std::uint64_t milliseconds_max = 30'000) {
  const bool ended = network.pass_until(
      [&] { return network.all_executed() && network.all_level(); }, milliseconds_max);
  INFO(network.describe());
  REQUIRE(ended);
  for (std::size_t i = 0; i < network.size(); ++i) {
    CHECK(network.node(i).stops.empty());
    CHECK(network.node(i).bans.empty());
  }
}

/// Executes `transactions` of them in view 0.
void warm_up(Network& network, std::size_t transactions = 4) {
  network.start_all();
  network.admit(transactions);
  require_progress(network, 2000);
}

View view_of(Network& network, std::size_t i) { return network.node(i).status().view; }

std::uint64_t hits(Network& network, Probe probe) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < network.size(); ++i) {
    if (network.node(i).is_up) sum += network.node(i).engine->probes()[probe];
  }
  return sum;
}

/// True for a message of view 0 that carries a vote for `first` or a later height.
bool is_vote_of_view_0(const Message& message, std::uint64_t first) {
  const auto envelope = decode<Envelope>(*message.bytes);
  REQUIRE(envelope.has_value());
  if (envelope->kind != MessageKind::pre_prepare && envelope->kind != MessageKind::prepare &&
      envelope->kind != MessageKind::commit) {
    return false;
  }
  Decoder decoder(BytesView(envelope->body).first(consensus::kVoteBytes));
  crypto::Vote vote;
  REQUIRE(decoder.value(vote));
  return vote.view.value == 0 && vote.height.value >= first;
}

}  // namespace

// ------------------------------------------------------------------ dead primaries

TEST_CASE("pbft 1.6: when the primary dies the next one goes on", "[pbft][network]") {
  const std::size_t n = GENERATE(4U, 5U, 6U, 7U, 10U);
  CAPTURE(n);
  Network network(n);
  warm_up(network);
  const Height before = network.node(1).status().certified;
  network.kill(0);
  network.admit(6);
  require_progress(network, 4000);
  for (std::size_t i = 1; i < n; ++i) {
    CHECK(view_of(network, i) == View{1});
    CHECK(network.node(i).status().certified > before);
  }
  CHECK(network.node(1).status().is_leader);
}

TEST_CASE("pbft 1.6: an idle network notices the death of its primary by the heartbeat",
          "[pbft][network]") {
  Network network(4);
  warm_up(network);
  network.kill(0);
  network.pass(2500);
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(view_of(network, i) == View{1});
    CHECK(network.node(i).status().active);
  }
  CHECK(hits(network, Probe::suspected_heartbeat) > 0);
  // And then is quiet: one view change, not a series.
  network.pass(20'000);
  for (std::size_t i = 1; i < 4; ++i) CHECK(view_of(network, i) == View{1});
}

TEST_CASE("pbft 1.6: a network without faults never changes its view", "[pbft][network]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Prng random(seed);
    Network network(4);
    network.random = &random;
    network.start_all();
    for (int i = 0; i < 20; ++i) {
      network.admit(3);
      network.pass(300);
    }
    network.pass(10'000);
    require_progress(network, 1000);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(view_of(network, i) == View{0});
      CHECK(network.node(i).status().view_change == View{0});
    }
  }
}

TEST_CASE("pbft 1.6: with n = 7 two dead primaries in a row are passed", "[pbft][network]") {
  const bool at_once = GENERATE(true, false);
  CAPTURE(at_once);
  Network network(7);
  warm_up(network);
  network.kill(0);
  if (at_once) network.kill(1);
  network.admit(4);
  if (!at_once) {
    require_progress(network, 4000);
    network.kill(1);
    network.admit(4);
  }
  require_progress(network, 20'000);
  for (std::size_t i = 2; i < 7; ++i) CHECK(view_of(network, i) == View{2});
}

TEST_CASE("pbft 1.6: a new primary that dies while it opens its view is passed",
          "[pbft][network]") {
  // It dies before its k-th Persist after the death of the first.
  for (std::uint64_t k = 1; k <= 6; ++k) {
    CAPTURE(k);
    Network network(7);
    warm_up(network);
    network.kill(0);
    network.admit(3);
    std::uint64_t seen = 0;
    network.before_persist = [&](std::size_t i) {
      if (i == 1 && ++seen == k) network.kill(1);
    };
    require_progress(network, 30'000);
    network.pass(3000);
    require_progress(network, 30'000);
    CHECK_FALSE(network.node(1).is_up);
    for (std::size_t i = 2; i < 7; ++i) CHECK(view_of(network, i) >= View{2});
  }
}

TEST_CASE("pbft 1.6: with F + 1 dead nothing is certified, and nothing is lost when one is back",
          "[pbft][network]") {
  Network network(4);
  warm_up(network);
  const Height before = network.node(2).status().certified;
  network.crash(0);
  network.crash(1);
  network.admit(3);
  network.pass(30'000);
  CHECK(network.node(2).status().certified == before);
  CHECK(network.node(3).status().certified == before);
  network.start(1);
  require_progress(network, 60'000);
  network.start(0);
  require_progress(network, 60'000);
}

TEST_CASE("pbft 1.6: a primary that is back follows in the view of the others", "[pbft][network]") {
  Network network(4);
  warm_up(network);
  network.crash(0);
  network.admit(40);
  require_progress(network, 10'000);
  network.start(0);
  require_progress(network, 10'000);
  REQUIRE(network.pass_until([&] { return view_of(network, 0) == View{1}; }, 3000));
  CHECK(network.node(0).status().active);
  // Its vote is needed now.
  network.kill(2);
  network.admit(4);
  require_progress(network, 10'000);
}

// ------------------------------------------------------------------ what survives

TEST_CASE("pbft 1.6 V6: heights that were prepared but not committed survive the primary",
          "[pbft][network]") {
  Network network(4);
  warm_up(network);
  const std::uint64_t first = network.node(0).status().certified.value + 1;
  network.drop = [&](const Message& message, MessageKind kind) {
    return kind == MessageKind::commit && is_vote_of_view_0(message, first);
  };
  network.admit(6);
  network.pass(100);
  std::map<std::uint64_t, Hash> prepared;
  for (const LogRecord& record : network.node(2).log) {
    if (record.type != RecordType::prepared) continue;
    const auto decoded = decode<pbft::Prepared>(*record.body);
    REQUIRE(decoded.has_value());
    prepared[decoded->certificate.vote.height.value] = decoded->certificate.vote.digest;
  }
  REQUIRE(prepared.contains(first + 2));
  CHECK(network.node(2).height().value + 1 == first);
  network.kill(0);
  network.admit(2);
  require_progress(network, 10'000);
  for (std::uint64_t n = first; n <= first + 2; ++n) {
    for (std::size_t i = 1; i < 4; ++i) CHECK(network.node(i).store[n].digest == prepared[n]);
  }
  CHECK(hits(network, Probe::new_view_with_prepared) > 0);
}

TEST_CASE("pbft 1.6 V6: what only one has prepared survives if its VIEW-CHANGE is used, and agrees",
          "[pbft][network]") {
  // Validator `lucky` alone gets the PREPAREs.
  const std::size_t lucky = GENERATE(1U, 2U, 3U);
  CAPTURE(lucky);
  Network network(4);
  warm_up(network);
  const std::uint64_t first = network.node(0).status().certified.value + 1;
  network.drop = [&](const Message& message, MessageKind kind) {
    return kind == MessageKind::prepare && message.to != lucky && is_vote_of_view_0(message, first);
  };
  network.admit(2);
  network.pass(50);
  std::optional<Hash> digest;
  for (const LogRecord& record : network.node(lucky).log) {
    if (record.type != RecordType::prepared) continue;
    const auto decoded = decode<pbft::Prepared>(*record.body);
    if (decoded->certificate.vote.height.value == first) digest = decoded->certificate.vote.digest;
  }
  REQUIRE(digest.has_value());
  network.kill(0);
  require_progress(network, 10'000);
  // With one of four dead the three others are the quorum: it cannot be passed over.
  for (std::size_t i = 1; i < 4; ++i) CHECK(network.node(i).store[first].digest == *digest);
}

TEST_CASE("pbft 1.6 V6: a height that nobody prepared below one that was becomes a null batch",
          "[pbft][network]") {
  Network network(4);
  warm_up(network, 2);
  const std::uint64_t gap = network.node(0).status().certified.value + 1;
  network.drop = [&](const Message& message, MessageKind kind) {
    if (kind == MessageKind::commit) return is_vote_of_view_0(message, gap);
    return is_vote_of_view_0(message, gap) && !is_vote_of_view_0(message, gap + 1);
  };
  network.admit(4);
  network.pass(50);
  network.kill(0);
  require_progress(network, 10'000);
  const Hash null = null_digest(test_chain(), {0}, {gap});
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(network.node(i).store[gap].digest == null);
    CHECK(network.node(i).store[gap].batch == nullptr);
    CHECK(network.node(i).store[gap + 1].digest != null_digest(test_chain(), {0}, {gap + 1}));
  }
  CHECK(hits(network, Probe::new_view_with_null) > 0);
}

TEST_CASE("pbft 1.6 V8: a view change among nodes with different h goes on from the highest",
          "[pbft][network]") {
  Network network(4);
  warm_up(network);
  // Validator 3 hears nothing of many heights, more than the window.
  network.partition({{0, 1, 2}});
  network.admit(60);
  REQUIRE(network.pass_until([&] { return network.node(1).pool.empty(); }, 10'000));
  network.pass(500);
  const Height ahead = network.node(1).status().certified;
  REQUIRE(network.node(3).status().certified + 16 < ahead);
  network.heal();
  network.kill(0);
  network.admit(3);
  require_progress(network, 20'000);
  CHECK(network.node(3).status().certified > ahead);
}

TEST_CASE("pbft 1.6 V8: h that differs inside the window", "[pbft][network]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Prng loss(seed * 77);
    Network network(4);
    network.random = &random;
    warm_up(network);
    // EXECs are lost, so that everybody's h differs; then the primary dies.
    network.drop = [&](const Message&, MessageKind kind) {
      return (kind == MessageKind::exec || kind == MessageKind::reply) && loss.chance_percent(70);
    };
    network.admit(12);
    network.pass(200);
    network.kill(0);
    network.drop = nullptr;
    network.admit(2);
    require_progress(network, 20'000);
  }
}

TEST_CASE("pbft 1.6 V8: what is executed by some is executed by all after the view change",
          "[pbft][network]") {
  // Only one backup receives COMMITs: it has executed what the others have prepared.
  const std::size_t fast = GENERATE(1U, 2U, 3U);
  CAPTURE(fast);
  Network network(4);
  warm_up(network);
  const Height before = network.node(0).height();
  network.drop = [&](const Message& message, MessageKind kind) {
    // Nor may it tell the others what it has, until they have left the view.
    if (kind == MessageKind::reply) return network.node(message.to).status().active;
    return kind == MessageKind::commit && message.to != fast && is_vote_of_view_0(message, 1);
  };
  network.admit(6);
  network.pass(100);
  REQUIRE(network.node(fast).height() > before);
  const std::size_t other = fast == 1 ? 2 : 1;
  REQUIRE(network.node(other).height() == before);
  network.kill(0);
  REQUIRE(network.pass_until([&] { return view_of(network, other) == View{1}; }, 5000));
  network.drop = nullptr;
  require_progress(network, 20'000);
  CHECK(hits(network, Probe::new_view_with_prepared) > 0);
}

// ------------------------------------------------------------------ partitions

TEST_CASE("pbft 1.6: a partition that isolates the primary passes it; healed, it follows",
          "[pbft][network]") {
  Network network(4);
  warm_up(network);
  network.partition({{1, 2, 3}, {0}});
  network.admit(6);
  REQUIRE(network.pass_until([&] { return network.node(1).pool.empty(); }, 5000));
  CHECK(view_of(network, 1) == View{1});
  CHECK(view_of(network, 0) == View{0});
  const Height alone = network.node(0).status().certified;
  network.pass(5000);
  CHECK(network.node(0).status().certified == alone);  // a minority certifies nothing
  network.heal();
  require_progress(network, 10'000);
  CHECK(network.pass_until([&] { return view_of(network, 0) == View{1}; }, 3000));
}

TEST_CASE("pbft 1.6: two and two for a minute, then healed: the timers have not run away",
          "[pbft][network]") {
  Network network(4);
  warm_up(network);
  const Height before = network.node(0).status().certified;
  network.partition({{0, 1}, {2, 3}});
  network.admit(4);
  network.pass(60'000);
  for (std::size_t i = 0; i < 4; ++i) CHECK(network.node(i).status().certified == before);
  network.heal();
  require_progress(network, 45'000);  // no timer is above 20 s
}

TEST_CASE("pbft 1.6: a primary that hears all but is heard by none is passed", "[pbft][network]") {
  Network network(4);
  warm_up(network);
  network.drop = [](const Message& message, MessageKind) { return message.from == 0; };
  network.admit(4);
  REQUIRE(network.pass_until([&] { return network.node(1).pool.empty(); }, 6000));
  network.drop = nullptr;
  require_progress(network, 10'000);
}

TEST_CASE("pbft 1.6: a primary that hears none but is heard by all is passed", "[pbft][network]") {
  Network network(4);
  warm_up(network);
  network.drop = [](const Message& message, MessageKind) { return message.to == 0; };
  network.admit(4);
  network.pass(8000);
  // Three of four are a quorum: the deaf primary's proposals or the next primary's do it.
  CHECK(network.node(1).pool.empty());
  network.drop = nullptr;
  require_progress(network, 10'000);
}

TEST_CASE("pbft 1.6: one validator that suspects alone moves nobody and takes part",
          "[pbft][network]") {
  Network network(4);
  warm_up(network);
  // Validator 3 never hears the primary directly.
  network.drop = [](const Message& message, MessageKind) {
    return message.from == 0 && message.to == 3;
  };
  for (int i = 0; i < 10; ++i) {
    network.admit(2);
    network.pass(1000);
  }
  for (std::size_t i = 0; i < 4; ++i) CHECK(view_of(network, i) == View{0});
  CHECK(network.node(3).engine->probes()[Probe::suspected_heartbeat] > 0);
  require_progress(network, 2000);
}

TEST_CASE("pbft 1.6: a primary that leaves out one transaction is passed", "[pbft][network]") {
  Network network(4);
  warm_up(network);
  // The censored one counts as proposed at the primary, which goes on with all others.
  network.admit();
  Node& primary = network.node(0);
  REQUIRE(primary.pool.size() == 1);
  const TxHash censored = primary.pool.begin()->first;
  primary.pool.clear();
  for (int i = 0; i < 5; ++i) {
    network.admit();
    network.pass(500);
  }
  require_progress(network, 5000);
  CHECK(view_of(network, 1) == View{1});
  CHECK(hits(network, Probe::suspected_request) > 0);
  CHECK_FALSE(network.node(1).pool.contains(censored));
}

// ------------------------------------------------------------------ any order, loss

TEST_CASE("pbft 1.6: primaries die and come back in any order of delivery, with loss",
          "[pbft][network]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Prng random(seed);
    Prng loss(seed * 13);
    Network network(seed % 3 == 0 ? 7 : 4);
    network.random = &random;
    network.lack_percent = 10;
    const std::uint64_t percent = random.below(25);
    network.drop = [&](const Message&, MessageKind) { return loss.chance_percent(percent); };
    network.start_all();
    for (int round = 0; round < 6; ++round) {
      network.admit(3);
      network.pass(random.between(5, 120) * 10);
      View newest;
      for (std::size_t i = 0; i < network.size(); ++i) {
        if (network.node(i).is_up) newest = std::max(newest, view_of(network, i));
      }
      const auto victim = static_cast<std::size_t>(
          random.chance_percent(70) ? newest.value % network.size() : random.below(network.size()));
      if (random.chance_percent(50)) {
        Node& node = network.node(victim);
        node.flushed = node.height();
      }
      network.crash(victim);
      network.pass(random.between(1, 200) * 10);
      network.start(victim);
    }
    network.drop = nullptr;
    network.lack_percent = 0;
    network.admit(2);
    require_progress(network, 60'000);
  }
}

TEST_CASE("pbft 1.7: log cuts in the midst of view changes lose nothing", "[pbft][network]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    Prng random(seed + 500);
    Network network(4);
    network.random = &random;
    network.start_all();
    for (int round = 0; round < 12; ++round) {
      network.admit(2);
      const auto cut_off = static_cast<std::size_t>(random.below(4));
      std::vector<std::size_t> rest;
      for (std::size_t i = 0; i < 4; ++i) {
        if (i != cut_off) rest.push_back(i);
      }
      network.partition({rest, {cut_off}});
      network.pass(random.between(5, 120) * 10);
      const auto i = static_cast<std::size_t>(random.below(4));
      Node& node = network.node(i);
      network.flush(i, {random.between(node.flushed.value, node.height().value)});
      if (random.chance_percent(60)) {
        network.crash(i);
        network.start(i);
      }
    }
    network.heal();
    require_progress(network, 60'000);
  }
}

// ------------------------------------------------------------------ crash at every record

namespace {

enum class Survives : std::uint8_t {
  records,  ///< the log has the record, nothing that rides with it was sent
  sends,    ///< and what rides with the Persist has left
};

struct RecordCrash {
  std::size_t victim = 0;
  std::size_t at_record = 0;  ///< the last record that is durable when the node dies
  Survives survives = Survives::records;
  bool keeps_store = false;
  std::uint64_t down_ms = 0;
};

/// A run with a view change: some heights; the primary is cut off while heights are prepared but
/// not committed; the others go on in view 1; it comes back. Returns how many records the victim
/// wrote, and whether it crashed.
struct RunOutcome {
  std::size_t records = 0;
  bool crashed = false;
  bool view_changed = false;
  bool prepared_survived = false;
};
RunOutcome run_with_view_change(const std::optional<RecordCrash>& plan, Prng* random) {
  RunOutcome out;
  Network network(4);
  network.random = random;
  std::size_t written = 0;  // records of the victim, over both runs
  std::optional<std::uint64_t> restart_at;
  const auto crash = [&](std::size_t i) {
    Node& node = network.node(i);
    if (plan->keeps_store) node.flushed = node.height();
    network.crash(i);
    out.crashed = true;
    if (plan->down_ms == 0) {
      network.start(i);
    } else {
      restart_at = network.now().value + plan->down_ms;
    }
  };
  network.before_persist = [&](std::size_t i) {
    if (!plan.has_value() || i != plan->victim) return;
    Node& node = network.node(i);
    const std::vector<LogRecord>& writes = node.persisting.front().writes;
    if (!out.crashed && plan->survives == Survives::records &&
        written + writes.size() >= plan->at_record) {
      const auto survive = static_cast<std::ptrdiff_t>(plan->at_record - written);
      node.log.insert(node.log.end(), writes.begin(), writes.begin() + survive);
      written = plan->at_record;
      return crash(i);
    }
    written += writes.size();
  };
  const auto pass = [&](std::uint64_t milliseconds) {
    for (std::uint64_t t = 0; t < milliseconds; t += network.tick_ms) {
      network.pass(network.tick_ms);
      if (restart_at.has_value() && network.now().value >= *restart_at) {
        restart_at.reset();
        network.start(plan->victim);
      }
    }
  };
  network.after_sends = [&](std::size_t i) {
    if (!plan.has_value() || i != plan->victim || out.crashed) return;
    if (plan->survives == Survives::sends && written >= plan->at_record) crash(i);
  };
  network.start_all();
  network.admit(4);
  pass(100);
  const std::uint64_t first = network.node(3).height().value + 1;
  network.drop = [&](const Message& message, MessageKind kind) {
    return kind == MessageKind::commit && message.to != 0 && is_vote_of_view_0(message, first);
  };
  network.admit(4);
  pass(50);
  network.partition({{1, 2, 3}, {0}});
  network.admit(2);
  pass(2500);
  network.heal();
  pass(1000);
  network.admit(2);
  pass(200);
  if (restart_at.has_value()) {
    restart_at.reset();
    network.start(plan->victim);
  }
  require_progress(network, 60'000);
  for (std::size_t i = 0; i < 4; ++i) {
    out.view_changed = out.view_changed || view_of(network, i) >= View{1};
  }
  out.prepared_survived = hits(network, Probe::new_view_with_prepared) > 0;
  out.records = plan.has_value() ? written : 0;
  return out;
}

/// Crashes at every record of one node's log, until the run ends before the record is written.
std::size_t crash_at_every_record(RecordCrash plan, std::uint64_t seed) {
  for (plan.at_record = 1;; ++plan.at_record) {
    CAPTURE(plan.victim, plan.at_record, plan.keeps_store, plan.down_ms);
    CAPTURE(static_cast<int>(plan.survives));
    Prng random(seed + plan.at_record);
    const RunOutcome run = run_with_view_change(plan, seed == 0 ? nullptr : &random);
    CHECK(run.view_changed);
    if (!run.crashed) return plan.at_record - 1;
  }
}

}  // namespace

TEST_CASE("pbft 1.7: the run of the crash tests contains a view change with prepared heights",
          "[pbft][network]") {
  const RunOutcome run = run_with_view_change(std::nullopt, nullptr);
  CHECK(run.view_changed);
  CHECK(run.prepared_survived);
}

TEST_CASE(
    "pbft 1.7: a crash after any record of a run with a view change: no equivocation, "
    "progress",
    "[pbft][network][recovery]") {
  const std::size_t victim = GENERATE(0U, 1U, 2U, 3U);
  const auto survives = GENERATE(Survives::records, Survives::sends);
  const bool keeps_store = GENERATE(false, true);
  const std::size_t boundaries = crash_at_every_record({victim, 0, survives, keeps_store, 0}, 0);
  CAPTURE(victim, boundaries);
  // Six heights or more at several records each, and those of the view change.
  CHECK(boundaries >= 20);
}

TEST_CASE("pbft 1.7: the same with a second without the node, in any order of delivery",
          "[pbft][network][recovery]") {
  const std::size_t victim = GENERATE(0U, 1U, 2U, 3U);
  const std::size_t boundaries =
      crash_at_every_record({victim, 0, Survives::records, false, 1000}, 1000 * (victim + 1));
  CAPTURE(victim, boundaries);
  CHECK(boundaries >= 20);
}

}  // namespace baolian::consensus::testing
