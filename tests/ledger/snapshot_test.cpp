#include "ledger/snapshot.h"

#include <algorithm>
#include <fstream>
#include <numeric>

#include "core/prng.h"
#include "crypto/hash.h"
#include "ledger/evidence_fixture.h"
#include "ledger/log_proof.h"
#include "ledger/memory_store.h"
#include "ledger/snapshot_files.h"
#include "ledger/snapshot_installer.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

using test::BlockBuilder;
using test::TemporaryDirectory;

constexpr std::uint64_t kBlockMs = 1'000;
constexpr std::uint64_t kLogs = 3;
constexpr std::uint64_t kChangeHeight = 20;  // the block that fixes a change of validators
const auto kNever = [] { return false; };

LogId log_number(std::uint64_t n) { return test::log_of(test::kReads, n); }

std::uint64_t time_of(Height height) { return test::kCreatedMs + height.value * kBlockMs; }

/// The same validators in a new epoch.
crypto::EpochRecord changed_epoch(const Chain& chain, Height fixed_at) {
  crypto::EpochRecord next = chain.genesis().epoch;
  next.epoch = next.epoch.next();
  next.first_height = fixed_at + next.log_window + 1;
  return next;
}

/// The block that would come next: the same on every chain that stands at this height.
ExecutedBlock next_block(const Chain& chain) {
  const Height height = chain.height().next();
  Prng prng(height.value);
  BlockBuilder builder(chain, TimeMs{time_of(height)});
  for (std::uint64_t log = 1; log <= kLogs; ++log) {
    if (prng.chance_percent(60)) builder.append_to(log_number(log), builder.add_transaction(2), 1);
  }
  for (int i = 0; i < 20; ++i) {
    const std::string key = "key/" + std::to_string(prng.below(4000));
    if (prng.chance_percent(20)) {
      builder.erase(key);
    } else {
      builder.write(key, std::to_string(prng.next()));
    }
  }
  ExecutedBlock block = builder.take();
  if (height.value == kChangeHeight) block.next_epoch = changed_epoch(chain, height);
  return block;
}

/// A chain of signed blocks whose validators change (to the same ones) on the way.
struct Network : test::EvidenceChain {
  void grow(std::uint64_t blocks) {
    for (; blocks > 0; --blocks) {
      chain->append(next_block(*chain));
      certify_newest();
    }
  }
  SnapshotHead head() const { return chain->snapshot_head(chain->cut()).value(); }
  const Genesis& genesis() const { return network.genesis; }
  bool accepts(const SnapshotHead& head) const {
    return check_snapshot_head(head, genesis(), crypto::ed25519_verifier()).has_value();
  }
};

/// A snapshot of the newest height, through files.
std::shared_ptr<const SnapshotFile> make_files(const Chain& chain, const TemporaryDirectory& at) {
  const SnapshotCut cut = chain.cut();
  auto ends = write_chunks(cut, at.path() + "/making", kNever);
  INFO((ends ? "" : ends.error().context));
  REQUIRE(ends.has_value());
  auto file = SnapshotFile::complete(
      at.path() + "/making", at.path() + "/whole",
      {.version = {}, .head = chain.snapshot_head(cut).value(), .ends = *std::move(ends)});
  REQUIRE(file.has_value());
  return *std::move(file);
}

Bytes chunk_of(const SnapshotFile& file, std::uint16_t number) {
  return file.read(number, 0, kChunkBytesMax).value();
}

std::unique_ptr<Chain> open_chain(std::shared_ptr<MemoryDisk> disk, const Genesis& genesis) {
  auto chain = Chain::open(make_memory_store(std::move(disk)), genesis, test::genesis_writes());
  INFO((chain ? "" : chain.error().context));
  REQUIRE(chain.has_value());
  return *std::move(chain);
}

/// Another node: a chain made of the snapshot, its chunks in any order.
std::unique_ptr<Chain> join(const SnapshotFile& file, const Genesis& genesis) {
  const auto disk = std::make_shared<MemoryDisk>();
  auto installer = SnapshotInstaller::open(make_memory_store(disk), genesis, file.head());
  REQUIRE(installer.has_value());
  std::vector<std::uint16_t> order(kChunkCount);
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  Prng prng(5);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[prng.below(i)]);
  for (const std::uint16_t number : order) {
    const auto added = installer->add(chunk_of(file, number));
    INFO((added ? "" : added.error().context));
    REQUIRE(added.has_value());
  }
  installer->finish(test::genesis_writes());
  return open_chain(disk, genesis);
}

void check_same_proofs(const Chain& joined, const Chain& old) {
  Height at;
  for (std::uint64_t log = 1; log <= kLogs; ++log) {
    const std::uint64_t first = joined.first_log_index(log_number(log));
    const auto here = joined.log_entries(log_number(log), TimeMs{0}, TimeMs{UINT64_MAX}, 0, 10'000);
    REQUIRE(here.size() > 2);
    CHECK(here.front().index == first);
    // The second entry that is here has its left neighbour here.
    const TimeMs from = here[1].entry.time;
    const auto mine = joined.prove_log_window(log_number(log), from, TimeMs{UINT64_MAX}, at);
    const auto theirs = old.prove_log_window(log_number(log), from, TimeMs{UINT64_MAX}, at);
    REQUIRE(mine.has_value());
    CHECK(*mine == *theirs);
    const auto older = joined.prove_log_window(log_number(log), TimeMs{0}, from, at);
    REQUIRE_FALSE(older.has_value());
    CHECK(older.error().code == Errc::pruned);
  }
  const Height newest = joined.height();
  for (Height height = joined.base(); height < newest; ++height) {
    CHECK(joined.prove_history(height, newest).value() ==
          old.prove_history(height, newest).value());
    if (height == joined.base()) continue;
    CHECK(joined.prove_consistency(height, newest).value() ==
          old.prove_consistency(height, newest).value());
  }
  if (joined.base() == Height{1}) return;  // nothing of the genesis' path is missing
  const auto before = joined.prove_history(Height{0}, newest);
  REQUIRE_FALSE(before.has_value());
  CHECK(before.error().code == Errc::pruned);
}

}  // namespace

TEST_CASE("consensus.md 1.8: a chain that began with a snapshot goes on with the same headers",
          "[snapshot]") {
  for (const std::uint64_t height : {1U, 7U, 150U, 301U, 512U}) {
    Network old;
    old.grow(height);
    const TemporaryDirectory directory;
    const auto file = make_files(*old.chain, directory);
    REQUIRE(old.accepts(file->head()));
    const auto joined = join(*file, old.genesis());
    CHECK(joined->base() == Height{height});
    CHECK(joined->height() == Height{height});
    CHECK(joined->certified_height() == Height{height});
    CHECK(joined->header(Height{height}) == old.chain->header(Height{height}));
    CHECK(joined->epoch_at(Height{height + 1}) == old.chain->epoch_at(Height{height + 1}));
    CHECK_FALSE(joined->block(Height{height}).has_value());
    for (int i = 0; i < 300; ++i) {
      const Header mine = joined->append(next_block(*joined));
      joined->put_certificate(test::certify(old.network, mine, 3));
      old.grow(1);
      REQUIRE(mine == old.chain->header(mine.height));
    }
    check_same_proofs(*joined, *old.chain);
    // What it hands on is what the others would hand on.
    CHECK(joined->snapshot_head(joined->cut()).value() == old.head());
  }
}

TEST_CASE("snapshot: an interrupted installation goes on with the chunks that are durable",
          "[snapshot]") {
  Network old;
  old.grow(60);
  const TemporaryDirectory directory;
  const auto file = make_files(*old.chain, directory);
  const auto disk = std::make_shared<MemoryDisk>();
  std::size_t stored = 0;
  for (std::size_t round = 0; stored < kChunkCount; ++round) {
    REQUIRE(round < 20);
    auto installer = SnapshotInstaller::open(make_memory_store(disk), old.genesis(), file->head());
    REQUIRE(installer.has_value());
    REQUIRE(installer->stored().count() >= stored);
    for (std::uint16_t number = 0, added = 0; number < kChunkCount && added < 500; ++number) {
      if (installer->stored().test(number)) continue;
      REQUIRE(installer->add(chunk_of(*file, number)).has_value());
      ++added;
    }
    stored = installer->stored().count();
    if (stored == kChunkCount) {
      installer->finish(test::genesis_writes());
    } else {
      // The power goes: some of the newest chunks are lost, as whole ones.
      const std::size_t unflushed = disk->unflushed_batches();
      const std::size_t lost = std::min<std::size_t>(unflushed, 100);
      disk->power_cut(unflushed - lost);
      stored -= std::min(stored, lost);
    }
  }
  const auto joined = open_chain(disk, old.genesis());
  CHECK(joined->header(joined->height()) == old.chain->header(Height{60}));
}

TEST_CASE("snapshot: a chunk of another snapshot, changed or sent twice is refused", "[snapshot]") {
  Network old;
  old.grow(30);
  const TemporaryDirectory first_directory;
  const auto first = make_files(*old.chain, first_directory);
  old.grow(1);
  const TemporaryDirectory second_directory;
  const auto second = make_files(*old.chain, second_directory);
  auto installer =
      SnapshotInstaller::open(make_memory_store(), old.genesis(), first->head()).value();
  CHECK(installer.add(chunk_of(*second, 5)).error().code == Errc::bad_proof);
  for (std::uint16_t number = 0; number < 200; ++number) {
    Bytes chunk = chunk_of(*first, number);
    chunk[chunk.size() / 2] ^= 1;
    REQUIRE_FALSE(installer.add(chunk).has_value());
    REQUIRE(installer.stored().none());
  }
  CHECK(installer.add(chunk_of(*first, 5)).has_value());
  CHECK(installer.add(chunk_of(*first, 5)).error().code == Errc::already_exists);
}

TEST_CASE("snapshot: a store of another snapshot or of a chain is not written into", "[snapshot]") {
  Network old;
  old.grow(5);
  const SnapshotHead first = old.head();
  old.grow(1);
  const auto disk = std::make_shared<MemoryDisk>();
  REQUIRE(SnapshotInstaller::open(make_memory_store(disk), old.genesis(), first).has_value());
  CHECK(SnapshotInstaller::open(make_memory_store(disk), old.genesis(), old.head()).error().code ==
        Errc::already_exists);
  const auto chain_disk = std::make_shared<MemoryDisk>();
  open_chain(chain_disk, old.genesis());
  CHECK(SnapshotInstaller::open(make_memory_store(chain_disk), old.genesis(), first).error().code ==
        Errc::already_exists);
}

TEST_CASE("snapshot: a head is accepted only if all of it follows from the genesis", "[snapshot]") {
  Network old;
  old.grow(200);  // behind a change of validators
  const SnapshotHead head = old.head();
  REQUIRE(old.accepts(head));
  REQUIRE(head.trail.size() == 1);
  const auto refused = [&](const auto& change) {
    SnapshotHead changed = head;
    change(changed);
    return !old.accepts(changed);
  };
  CHECK(refused([](SnapshotHead& h) { h.header.state_root.bytes[3] ^= 1; }));
  CHECK(refused([](SnapshotHead& h) { h.certificate.signatures.pop_back(); }));
  CHECK(refused([](SnapshotHead& h) { h.certificate.signatures[1].signature.bytes[9] ^= 1; }));
  CHECK(refused([](SnapshotHead& h) { h.history.peaks.back().bytes[0] ^= 1; }));
  CHECK(refused([](SnapshotHead& h) { ++h.history.count; }));
  CHECK(refused([](SnapshotHead& h) { h.trail.clear(); }));
  CHECK(refused([](SnapshotHead& h) { h.trail.front().next.log_window += 1; }));
  CHECK(refused([&](SnapshotHead& h) { h.pending = h.trail.front().next; }));
  CHECK(refused([&](SnapshotHead& h) { h.later_headers = {h.header}; }));
  Network other;
  other.network.genesis.created.value += 1;
  CHECK_FALSE(other.accepts(head));
}

TEST_CASE("snapshot: a head may be certified by a later header, and brings a pending change",
          "[snapshot]") {
  Network old;
  old.grow(kChangeHeight - 1);
  const crypto::EpochRecord next = changed_epoch(*old.chain, Height{kChangeHeight});
  old.chain->append(next_block(*old.chain));
  const SnapshotCut cut = old.chain->cut();
  CHECK(old.chain->snapshot_head(cut).error().code == Errc::not_certified);
  for (int i = 0; i < 3; ++i) old.chain->append(next_block(*old.chain));
  old.certify_newest();
  const SnapshotHead head = old.chain->snapshot_head(cut).value();
  CHECK(head.later_headers.size() == 3);
  CHECK(head.pending == next);
  CHECK(old.accepts(head));
  SnapshotHead changed = head;
  std::swap(changed.later_headers[0], changed.later_headers[1]);
  CHECK_FALSE(old.accepts(changed));
  changed = head;
  changed.pending->log_window += 1;
  CHECK_FALSE(old.accepts(changed));
  changed = head;
  changed.pending.reset();
  CHECK_FALSE(old.accepts(changed));
}

TEST_CASE("snapshot files: what is not whole is not opened, and a stop leaves nothing whole",
          "[snapshot]") {
  Network old;
  old.grow(10);
  const TemporaryDirectory directory;
  CHECK(write_chunks(old.chain->cut(), directory.path() + "/making", [] { return true; })
            .error()
            .code == Errc::closed);
  CHECK_FALSE(SnapshotFile::open(directory.path() + "/making").has_value());
  const auto file = make_files(*old.chain, directory);
  CHECK(file->read(3, file->chunk_bytes(3) + 1, 10).error().code == Errc::bad_argument);
  CHECK(file->read(3, file->chunk_bytes(3), 10).value().empty());
  std::filesystem::resize_file(directory.path() + "/whole/chunks", file->size_bytes() - 1);
  CHECK(SnapshotFile::open(directory.path() + "/whole").error().code == Errc::store_corrupt);
}

}  // namespace baolian::ledger
