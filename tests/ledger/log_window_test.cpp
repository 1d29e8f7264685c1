#include <algorithm>

#include "core/prng.h"
#include "ledger/chain.h"
#include "ledger/fixture.h"
#include "ledger/log_proof.h"
#include "ledger/operation_index.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

const LogId kLog = test::log_of(LogKind::reads_of_subject, 5);
const LogId kOtherLog = test::log_of(LogKind::claim, 5);

constexpr std::uint64_t kBase = 1'700'000'001'000;
TimeMs at(std::uint64_t offset_ms) { return {kBase + offset_ms}; }

std::unique_ptr<Chain> open_chain() {
  return std::move(
      Chain::open(make_memory_store(), test::make_genesis(), test::genesis_writes()).value());
}

/// One block per time (offsets from kBase), each with one entry in kLog.
std::unique_ptr<Chain> chain_with(const std::vector<std::uint64_t>& offsets_ms) {
  auto chain = open_chain();
  std::vector<std::uint64_t> times;
  for (const std::uint64_t offset : offsets_ms) times.push_back(kBase + offset);
  test::append_entries(*chain, kLog, times);
  return chain;
}

void append_empty_block(Chain& chain, TimeMs time) {
  chain.append(test::BlockBuilder(chain, time).take());
}

struct Proved {
  Header header;
  LogWindowProof proof;
};

Proved prove(const Chain& chain, TimeMs from, TimeMs to, const LogId& log = kLog) {
  Height height;
  auto proof = chain.prove_log_window(log, from, to, height);
  REQUIRE(proof.has_value());
  return {*chain.header(height), std::move(*proof)};
}

bool verifies(const Proved& proved, TimeMs from, TimeMs to, const LogId& log = kLog) {
  return check_log_window(proved.header.state_root, proved.header.timestamp, log, from, to,
                          proved.proof)
      .has_value();
}

std::vector<std::uint64_t> offsets_in(const Proved& proved, TimeMs from, TimeMs to) {
  std::vector<std::uint64_t> out;
  for (const LogEntry& entry : entries_in_window(proved.proof, from, to)) {
    out.push_back(entry.time.value - kBase);
  }
  return out;
}

using Offsets = std::vector<std::uint64_t>;

/// Blocks with so many entries each, in kLog and, every third, in another log.
std::unique_ptr<Chain> chain_of_runs(const std::vector<std::uint32_t>& entries_of_blocks) {
  auto chain = open_chain();
  std::uint64_t time = kBase;
  for (const std::uint32_t entries : entries_of_blocks) {
    test::BlockBuilder builder(*chain, TimeMs{++time});
    for (std::uint32_t done = 0; done < entries;) {
      const std::uint32_t count = std::min<std::uint32_t>(entries - done, 50);
      const std::uint32_t first = builder.add_transaction(count);
      for (std::uint32_t i = 0; i < count; ++i, ++done) {
        builder.append_to(kLog, first + i);
        if (done % 3 == 0) builder.append_to(test::log_of(LogKind::alarms, 7), first + i);
      }
    }
    chain->append(builder.take());
  }
  return chain;
}

TEST_CASE("log window: blocks of many entries are listed and proved from any position", "[log]") {
  const std::vector<std::uint32_t> blocks = {1, 63, 64, 65, 130, 2, 1, 300};
  const auto chain = chain_of_runs(blocks);
  std::vector<LogEntry> all;
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    const auto leaves = chain->leaves(Height{block + 1});
    for (std::uint32_t i = 0; i < blocks[block]; ++i) {
      all.push_back({.time = TimeMs{kBase + block + 1},
                     .height = Height{block + 1},
                     .operation = i,
                     .line = 0,
                     .leaf_hash = merkle_leaf_hash(encode(leaves[i]))});
    }
  }
  for (std::size_t from = 0; from < all.size(); from += 7) {
    for (const std::size_t limit : {1U, 63U, 64U, 65U, 1000U}) {
      const auto page = chain->log_entries(kLog, TimeMs{}, TimeMs{UINT64_MAX}, from, limit);
      REQUIRE(page.size() == std::min(limit, all.size() - from));
      for (std::size_t i = 0; i < page.size(); ++i) {
        REQUIRE(page[i] == PositionedEntry{.index = from + i, .entry = all[from + i]});
      }
      const auto rows = chain->operations_of(page);
      for (std::size_t i = 0; i < page.size(); ++i) {
        const auto leaf = chain->shared_leaves(page[i].entry.height)->at(page[i].entry.operation);
        REQUIRE(rows[i] == operation_row(leaf).value());
      }
    }
  }
  for (std::uint64_t from = 0; from <= blocks.size(); ++from) {
    for (std::uint64_t to = from; to <= blocks.size(); ++to) {
      const Proved proved = prove(*chain, at(from), at(to));
      CHECK(verifies(proved, at(from), at(to)));
    }
  }
  const LogId other = test::log_of(LogKind::alarms, 7);
  CHECK(verifies(prove(*chain, at(0), at(8), other), at(0), at(8), other));
}

}  // namespace

TEST_CASE("log window: half-open, with both neighbours where there are any", "[log]") {
  const auto chain = chain_with({10, 20, 20, 30, 40});
  append_empty_block(*chain, at(100));
  struct Case {
    std::uint64_t from, to, first_index;
    Offsets handed_over, inside;
  };
  const std::vector<Case> cases = {
      {0, 100, 0, {10, 20, 20, 30, 40}, {10, 20, 20, 30, 40}},  // no neighbour on either side
      {10, 41, 0, {10, 20, 20, 30, 40}, {10, 20, 20, 30, 40}},
      {10, 40, 0, {10, 20, 20, 30, 40}, {10, 20, 20, 30}},  // the entry at `to` is the neighbour
      {11, 40, 0, {10, 20, 20, 30, 40}, {20, 20, 30}},
      {20, 30, 0, {10, 20, 20, 30}, {20, 20}},
      {21, 30, 2, {20, 30}, {}},  // empty, between two entries
      {20, 20, 0, {10, 20}, {}},
      {0, 10, 0, {10}, {}},    // empty, before the first
      {41, 100, 4, {40}, {}},  // empty, after the last
      {30, 100, 2, {20, 30, 40}, {30, 40}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.from, c.to);
    const Proved proved = prove(*chain, at(c.from), at(c.to));
    CHECK(verifies(proved, at(c.from), at(c.to)));
    CHECK(proved.proof.first_index == c.first_index);
    CHECK(offsets_in(proved, at(c.from), at(c.to)) == c.inside);
    Offsets handed_over;
    for (const LogEntry& e : proved.proof.entries) handed_over.push_back(e.time.value - kBase);
    CHECK(handed_over == c.handed_over);
    const auto listed = chain->log_entries(kLog, at(c.from), at(c.to), 0, 100);
    REQUIRE(listed.size() == c.inside.size());
    for (std::size_t i = 0; i < listed.size(); ++i) {
      CHECK(listed[i].entry.time == at(c.inside[i]));
      CHECK(listed[i].index == first_index_in_window(proved.proof, at(c.from)) + i);
    }
    CHECK(decode<LogWindowProof>(encode(proved.proof)).value() == proved.proof);
  }
}

TEST_CASE("log window: a log without entries is proved empty by absence", "[log]") {
  const auto chain = chain_with({10, 20});
  append_empty_block(*chain, at(100));
  const Proved proved = prove(*chain, at(0), at(50), kOtherLog);
  CHECK(proved.proof.frontier == Frontier{});
  CHECK(verifies(proved, at(0), at(50), kOtherLog));
  CHECK_FALSE(verifies(proved, at(0), at(50), kLog));
  Proved forged = prove(*chain, at(0), at(50));
  forged.proof.frontier = {};
  forged.proof.entries.clear();
  forged.proof.range.clear();
  CHECK_FALSE(verifies(forged, at(0), at(50)));
}

TEST_CASE("log window: an entry leads to its operation in the block", "[log]") {
  const auto chain = open_chain();
  test::BlockBuilder builder(*chain, at(1));
  builder.add_transaction(2);
  const std::uint32_t second = builder.add_transaction(3);
  builder.append_to(kLog, second + 1, 7);
  builder.append_to(kOtherLog, second + 1);
  builder.append_to(kLog, second + 2, 8);
  const auto leaves = builder.block().leaves;
  const Header header = chain->append(builder.take());
  const auto entries = chain->log_entries(kLog, at(0), at(2), 0, 10);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].entry.line == 7);
  CHECK(entries[1].entry.line == 8);
  CHECK(entries[0].entry.operation == 3);
  CHECK(entries[0].entry.height == Height{1});
  for (const auto& [index, entry] : entries) {
    CHECK(entry.leaf_hash == merkle_leaf_hash(encode(leaves[entry.operation])));
    const auto path = chain->prove_operation(entry.height, entry.operation).value();
    CHECK(root_from_inclusion(entry.leaf_hash, entry.operation, leaves.size(), path).value() ==
          header.operations_root);
  }
  CHECK(chain->log_frontier(kLog).count == 2);
  CHECK(chain->log_frontier(kOtherLog).count == 1);
}

TEST_CASE("log window: entries are listed from an index and up to a limit", "[log]") {
  const auto chain = chain_with({10, 20, 30, 40, 50});
  CHECK(chain->log_entries(kLog, at(0), at(100), 2, 2).size() == 2);
  CHECK(chain->log_entries(kLog, at(0), at(100), 2, 2).front().index == 2);
  CHECK(chain->log_entries(kLog, at(0), at(100), 5, 10).empty());
  CHECK(chain->log_entries(kLog, at(0), at(100), 99, 10).empty());
  CHECK(chain->log_entries(kLog, at(25), at(45), 0, 10).size() == 2);
  CHECK(chain->log_entries(kLog, at(0), at(100), 0, 0).empty());
  CHECK(chain->log_entries(kOtherLog, at(0), at(100), 0, 10).empty());
}

TEST_CASE("log window: a header older than the window's end does not close it", "[log]") {
  const auto chain = chain_with({10, 20});
  CHECK(verifies(prove(*chain, at(0), at(20)), at(0), at(20)));
  // The block at 20 may be followed by another at 20: the window up to 21 is still open.
  const Proved open = prove(*chain, at(0), at(21));
  CHECK(check_log_window(open.header.state_root, open.header.timestamp, kLog, at(0), at(21),
                         open.proof)
            .error()
            .code == Errc::bad_proof);
  test::append_entries(*chain, kLog, {kBase + 20, kBase + 21});
  const Proved closed = prove(*chain, at(0), at(21));
  CHECK(verifies(closed, at(0), at(21)));
  CHECK(offsets_in(closed, at(0), at(21)) == Offsets{10, 20, 20});
}

TEST_CASE("log window: one entry removed, added, moved or changed does not verify", "[log]") {
  const auto chain = chain_with({10, 20, 30, 30, 40, 50, 60, 70});
  append_empty_block(*chain, at(100));
  for (const auto& [from, to] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {25, 55}, {0, 55}, {25, 100}, {0, 100}}) {
    CAPTURE(from, to);
    const Proved good = prove(*chain, at(from), at(to));
    REQUIRE(verifies(good, at(from), at(to)));
    const auto fails = [&](const LogWindowProof& proof) {
      return !verifies({good.header, proof}, at(from), at(to));
    };
    for (std::size_t i = 0; i < good.proof.entries.size(); ++i) {
      const auto place = static_cast<std::ptrdiff_t>(i);
      LogWindowProof removed = good.proof;
      removed.entries.erase(removed.entries.begin() + place);
      CHECK(fails(removed));
      ++removed.first_index;
      CHECK(fails(removed));
      LogWindowProof added = good.proof;
      added.entries.insert(added.entries.begin() + place, added.entries[i]);
      CHECK(fails(added));
      for (std::size_t j = i + 1; j < good.proof.entries.size(); ++j) {
        LogWindowProof moved = good.proof;
        std::swap(moved.entries[i], moved.entries[j]);
        CHECK(fails(moved));
      }
      for (int what = 0; what < 5; ++what) {
        LogWindowProof changed = good.proof;
        LogEntry& entry = changed.entries[i];
        if (what == 0) ++entry.time.value;
        if (what == 1) ++entry.height.value;
        if (what == 2) ++entry.operation;
        if (what == 3) ++entry.line;
        if (what == 4) entry.leaf_hash.bytes[0] ^= 1;
        CHECK(fails(changed));
      }
    }
    LogWindowProof shifted = good.proof;
    ++shifted.first_index;
    CHECK(fails(shifted));
  }
}

TEST_CASE("log window: a narrower range with a right proof of its own is not complete", "[log]") {
  // The cheat has every hash it wants: it proves fewer entries honestly, for the wide question.
  const auto chain = chain_with({10, 20, 30, 40, 50, 60});
  append_empty_block(*chain, at(100));
  CHECK_FALSE(verifies(prove(*chain, at(30), at(100)), at(0), at(100)));
  CHECK_FALSE(verifies(prove(*chain, at(0), at(40)), at(0), at(100)));
  CHECK_FALSE(verifies(prove(*chain, at(30), at(40)), at(25), at(55)));
  CHECK_FALSE(verifies(prove(*chain, at(0), at(100)), at(30), at(40)));  // surplus entries
  // The neighbours dropped from both ends, with the range proof that then fits.
  const Proved inner = prove(*chain, at(30), at(51));
  LogWindowProof bare = inner.proof;
  bare.entries = {inner.proof.entries.begin() + 1, inner.proof.entries.end() - 1};
  bare.first_index = inner.proof.first_index + 1;
  const std::vector<LogEntry> all = prove(*chain, at(0), at(100)).proof.entries;
  std::vector<Hash> hashes;
  for (const LogEntry& entry : all) hashes.push_back(merkle_leaf_hash(encode(entry)));
  const SubtreeSource source = [&](std::uint64_t first, std::uint64_t size) -> Result<Hash> {
    return merkle_root(std::span(hashes).subspan(first, size));
  };
  bare.range = range_proof(2, 5, 6, source).value();
  REQUIRE(bare.entries.size() == 3);
  CHECK_FALSE(verifies({inner.header, bare}, at(30), at(51)));
  bare.entries.insert(bare.entries.begin(), all[1]);
  bare.first_index = 1;
  bare.range = range_proof(1, 5, 6, source).value();
  CHECK_FALSE(verifies({inner.header, bare}, at(30), at(51)));  // only the right one is missing
  bare.entries.push_back(all[5]);
  bare.range = range_proof(1, 6, 6, source).value();
  CHECK(verifies({inner.header, bare}, at(30), at(51)));
}

TEST_CASE("log window: an older frontier or another log's proof does not verify", "[log]") {
  const auto chain = chain_with({10, 20, 30});
  append_empty_block(*chain, at(100));
  const Proved old = prove(*chain, at(0), at(100));
  REQUIRE(verifies(old, at(0), at(100)));
  CHECK_FALSE(verifies(old, at(0), at(100), kOtherLog));
  test::append_entries(*chain, kLog, {kBase + 100});
  append_empty_block(*chain, at(200));
  // Old entries under the new root: the truncated log does not pass as the new one.
  CHECK_FALSE(verifies({*chain->header(chain->height()), old.proof}, at(0), at(100)));
  CHECK(verifies(old, at(0), at(100)));  // and stays true under its own header

  Proved broken = prove(*chain, at(0), at(100));
  broken.proof.frontier.peaks.pop_back();
  CHECK_FALSE(verifies(broken, at(0), at(100)));
  broken = prove(*chain, at(0), at(100));
  broken.proof.frontier.count = UINT64_MAX;
  CHECK_FALSE(verifies(broken, at(0), at(100)));
}

TEST_CASE("log window: every flipped bit of a proof fails", "[log]") {
  std::vector<std::uint64_t> times;
  for (std::uint64_t i = 0; i < 40; ++i) times.push_back(i / 3 * 10);
  const auto chain = chain_with(times);
  append_empty_block(*chain, at(1000));
  const Proved good = prove(*chain, at(35), at(85));
  REQUIRE(verifies(good, at(35), at(85)));
  const Bytes canonical = encode(good.proof);
  for (std::size_t bit = 0; bit < canonical.size() * 8; ++bit) {
    Bytes changed = canonical;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const auto proof = decode<LogWindowProof>(changed);
    if (proof && verifies({good.header, *proof}, at(35), at(85)))
      FAIL("bit " << bit << " verifies");
  }
}

TEST_CASE("log window: windows of a log beyond the stored subtrees are proved", "[log]") {
  const auto chain = open_chain();
  std::uint64_t time = kBase;
  constexpr std::size_t kEntries = 1700;  // six subtrees of 256 and a rest
  for (std::size_t i = 0; i < kEntries;) {
    test::BlockBuilder builder(*chain, TimeMs{time});
    const std::uint32_t leaf = builder.add_transaction(50);
    for (std::uint32_t k = 0; k < 50; ++k, ++i) builder.append_to(kLog, leaf + k);
    chain->append(builder.take());
    time += 10;
  }
  append_empty_block(*chain, TimeMs{time});
  Prng prng(9);
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t from = prng.below(340);
    const std::uint64_t to = from + prng.below(341 - from);
    CAPTURE(from, to);
    const Proved proved = prove(*chain, at(from), at(to));
    REQUIRE(verifies(proved, at(from), at(to)));
    REQUIRE(chain->log_entries(kLog, at(from), at(to), 0, SIZE_MAX).size() ==
            entries_in_window(proved.proof, at(from), at(to)).size());
  }
  CHECK(chain->log_frontier(kLog).count == kEntries);
  Height height;
  CHECK(chain->prove_log_window(kLog, at(2), at(1), height).error().code == Errc::bad_argument);
}

}  // namespace baolian::ledger
