/// The pruner on chains that were really executed and certified, and verify-node on what it leaves.
#include "node/pruner.h"

#include <fstream>

#include "ledger/archive_write.h"
#include "ledger/audit/archive_check.h"
#include "ledger/chain_state.h"
#include "node/verify_fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

namespace fs = std::filesystem;
using ledger::Damage;
using test::ChainMaker;
using test::has_finding;
using test::text_of;
using test::verify_world;
namespace rows = ledger::chain_keys;

constexpr std::uint64_t kHeight = 270;
constexpr std::uint64_t kSpan = 50;

/// A chain of 270 blocks in memory with a change of validators at 40, an archive beside it and a
/// pruner whose clock is the blocks': a block a millisecond.
struct PrunedChain {
  std::shared_ptr<ledger::MemoryDisk> disk = std::make_shared<ledger::MemoryDisk>();
  test::TemporaryDirectory directory;
  ChainMaker maker{ledger::make_memory_store(disk)};
  std::shared_ptr<const ledger::Archive> archive = std::make_shared<const ledger::Archive>(
      directory.path.string() + "/archive", verify_world().chain_id, kSpan);
  std::optional<Pruner> pruner;

  explicit PrunedChain(std::uint64_t retention_ms = 100) {
    maker.grow_to(kHeight);
    maker.chain().use_archive(archive);
    pruner.emplace(
        Pruner::Config{
            .retention_ms = retention_ms, .poll_ms = 5, .verifier = &crypto::toy_verifier()},
        Pruner::Ports{maker.chain(), archive, [this](Height last) { maker.chain().prune(last); },
                      [this](std::atomic<bool>& cancelled) { maker.chain().reclaim(cancelled); }});
  }
  std::string path(std::uint64_t first,
                   std::string_view ending = ledger::kArchiveBlocksEnding) const {
    return archive->path_of({Height{first}, Height{first + kSpan - 1}}, ending);
  }
  void prune_all() {
    for (;;) {
      const auto done = pruner->prune_next();
      REQUIRE(done.has_value());
      if (!*done) return;
    }
  }
  ledger::AuditReport audit() const {
    const auto writes = contracts::genesis_writes(verify_world().genesis);
    const auto batches = batch_reader(verify_world().chain_id);
    const auto store = ledger::make_memory_store(disk);
    const auto opened = ledger::audit_store_over(*store);
    ledger::AuditReport report;
    ledger::audit_chain(*opened,
                        {verify_world().genesis, writes, batches, crypto::toy_verifier(),
                         ledger::TransactionSignatures::verified, archive.get()},
                        report);
    return report;
  }
  /// As `baolian archive verify` asks, of a file anywhere.
  static ledger::AuditReport check(const std::string& path) {
    const auto writes = contracts::genesis_writes(verify_world().genesis);
    const auto batches = batch_reader(verify_world().chain_id);
    ledger::AuditReport report;
    ledger::check_archive(path, {verify_world().genesis, writes, batches, crypto::toy_verifier()},
                          ledger::ArchiveProof::certificate, {}, report);
    return report;
  }
};

void flip(const std::string& file, std::uint64_t offset) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto place = static_cast<std::streamoff>(offset);
  stream.seekg(place);
  char byte = 0;
  REQUIRE(stream.get(byte));
  stream.seekp(place);
  stream.put(static_cast<char>(byte ^ 0x04));
  REQUIRE(stream.good());
}

TEST_CASE("pruner: whole spans older than the retention go, by block time, and none above",
          "[prune]") {
  PrunedChain made;
  // 270 - 150 >= 100, 270 - 200 < 100: spans 1-50, 51-100, 101-150 are old enough.
  CHECK(made.pruner->due() == ledger::HeightSpan{Height{1}, Height{50}});
  const auto done = made.pruner->prune_next();
  REQUIRE(done.has_value());
  REQUIRE(done->has_value());
  CHECK((*done)->span == ledger::HeightSpan{Height{1}, Height{50}});
  CHECK((*done)->hash == ledger::ArchiveFile::open(made.path(1))->hash());
  CHECK((*done)->size_bytes == fs::file_size(made.path(1)));
  made.prune_all();
  CHECK(made.maker.chain().first_block() == Height{151});
  CHECK(made.archive->spans()->size() == 3);
  CHECK_FALSE(made.pruner->due().has_value());
}

TEST_CASE("pruner: with no age asked for it still keeps what engines and peers may want",
          "[prune]") {
  PrunedChain made(0);
  made.prune_all();
  const std::uint64_t kept = 2ULL * verify_world().genesis.epoch.log_window + 32;
  CHECK(kept < kHeight - 200);
  CHECK(made.maker.chain().first_block() == Height{201});
  CHECK(made.maker.chain().block(Height{kHeight}).has_value());
}

TEST_CASE("pruner: a file that does not hold is no reason to forget anything", "[prune]") {
  PrunedChain made;
  REQUIRE(ledger::write_archive(made.maker.chain(), *made.archive, {Height{1}, Height{50}})
              .has_value());
  SECTION("a changed block") { flip(made.path(1), fs::file_size(made.path(1)) / 2); }
  SECTION("a changed certificate") {
    flip(made.path(1, ledger::kArchiveCertificateEnding),
         fs::file_size(made.path(1, ledger::kArchiveCertificateEnding)) - 5);
  }
  const auto done = made.pruner->prune_next();
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == Errc::store_corrupt);
  CHECK(made.maker.chain().first_block() == Height{1});
  CHECK(made.maker.chain().block(Height{20}).has_value());
  // Once it is out of the way, all is made anew.
  fs::remove_all(made.archive->directory());
  made.prune_all();
  CHECK(made.maker.chain().first_block() == Height{151});
}

TEST_CASE("pruner: on its thread, while blocks are executed and old ones are read", "[prune]") {
  PrunedChain made;
  const auto block = made.maker.chain().block(Height{20});
  made.pruner->start();
  std::uint64_t height = kHeight;
  while (made.maker.chain().first_block() < Height{251}) {
    REQUIRE(height < kHeight + 20'000);
    made.maker.grow_to(++height);
    REQUIRE(made.maker.chain().block(Height{20}) == block);
  }
  made.pruner->stop();
  CHECK(made.maker.chain().height() == Height{height});
  const auto report = made.audit();
  INFO(text_of(report));
  CHECK(report.damage_count() == 0);
}

TEST_CASE("verify-node: a pruned store with its archive is whole, and all of it was checked",
          "[prune][verify-node]") {
  PrunedChain made;
  const auto checks_of = [](const ledger::AuditReport& report) {
    std::map<std::string, std::uint64_t> out;
    for (const auto& check : report.checks()) out[check.name] = check.checked;
    return out;
  };
  const auto before = checks_of(made.audit());
  made.prune_all();
  const auto report = made.audit();
  INFO(text_of(report));
  CHECK(report.damage_count() == 0);
  CHECK(report.remarks().empty());
  auto after = checks_of(report);
  CHECK(after["archive files"] == 3);
  for (const auto& [name, count] : before) {
    CAPTURE(name);
    if (name == "rows that belong to nothing" || name == "marks and epochs") continue;
    CHECK(after[name] == count);
  }
  CHECK(PrunedChain::check(made.path(51)).damage_count() == 0);
}

TEST_CASE("verify-node: archives that were taken elsewhere are a remark, not a damage",
          "[prune][verify-node]") {
  PrunedChain made;
  made.prune_all();
  fs::remove(made.path(51));
  fs::remove(made.path(101, ledger::kArchiveCertificateEnding));
  const auto report = made.audit();
  INFO(text_of(report));
  CHECK(report.damage_count() == 0);
  REQUIRE(report.remarks().size() == 2);
  CHECK(report.remarks()[0].find("51 to 100") != std::string::npos);
  CHECK(report.remarks()[1].find("blocks-0000000101-0000000150.cert") != std::string::npos);
}

TEST_CASE("verify-node: one flipped bit anywhere in an archive file is found, with its place",
          "[prune][verify-node]") {
  PrunedChain made;
  made.prune_all();
  const auto file = ledger::ArchiveFile::open(made.path(51));
  REQUIRE(file.has_value());
  const std::string name = "archive/blocks-0000000051-0000000100";
  // A bit of a frame makes all its blocks unreadable: the first is named.
  const std::uint64_t size = fs::file_size(made.path(51));
  const std::uint64_t last_frame = file->frame_first(Height{100}).value;
  struct Place {
    std::uint64_t offset;
    std::uint64_t height;
  };
  std::vector<Place> places = {{3, 51},         {40, 51},        {size - 40, 51},
                               {size - 60, 51}, {size - 34, 51}, {size - 1, 51}};
  for (const std::uint64_t into : {0U, 1U, 4U, 5U, 300U}) {
    places.push_back({file->offset(Height{51}) + into, 51});
    places.push_back({file->offset(Height{100}) + into, last_frame});
  }
  for (const Place place : places) {
    CAPTURE(place.offset);
    flip(made.path(51), place.offset);
    const auto report = made.audit();
    const auto offline = PrunedChain::check(made.path(51));
    flip(made.path(51), place.offset);
    INFO(text_of(report));
    CHECK(report.first_bad_height() == Height{place.height});
    CHECK(has_finding(report, Damage::archive, place.height, name));
    INFO(text_of(offline));
    CHECK(has_finding(offline, Damage::archive, place.height, name));
  }
  const std::string certificate = made.path(51, ledger::kArchiveCertificateEnding);
  for (std::uint64_t offset = 0; offset < fs::file_size(certificate); offset += 97) {
    CAPTURE(offset);
    flip(certificate, offset);
    const auto report = made.audit();
    const auto offline = PrunedChain::check(made.path(51));
    flip(certificate, offset);
    CHECK(report.damage_count() == 1);
    CHECK(has_finding(report, Damage::archive, 100, name + ".cert"));
    CHECK(has_finding(offline, Damage::archive, 100, name + ".cert"));
  }
  CHECK(made.audit().damage_count() == 0);
}

TEST_CASE("verify-node: a mark of pruned heights that says more or less than the rows",
          "[prune][verify-node]") {
  PrunedChain made;
  made.prune_all();
  const auto store = ledger::make_memory_store(made.disk);
  const auto mark = [&](std::optional<Bytes> value) {
    store->apply({{ledger::Family::meta, rows::pruned(), std::move(value)}});
  };
  const auto height = [](std::uint64_t h) {
    return encode(ledger::HeightRow{.height = Height{h}});
  };
  SECTION("less") {
    mark(height(140));
    CHECK(has_finding(made.audit(), Damage::block, 141));
  }
  SECTION("more") {
    mark(height(152));
    CHECK(has_finding(made.audit(), Damage::stray_row));
  }
  SECTION("none") {
    mark(std::nullopt);
    CHECK(has_finding(made.audit(), Damage::block, 1));
  }
  SECTION("nonsense: the rows tell") {
    mark(Bytes{1, 2});
    const auto report = made.audit();
    INFO(text_of(report));
    CHECK(report.damage_count() == 1);
    CHECK(has_finding(report, Damage::mark));
  }
  SECTION("a block that came back") {
    const auto block = made.maker.chain().block(Height{60});
    store->apply({{ledger::Family::blocks, rows::block(Height{60}), encode(*block)}});
    CHECK(has_finding(made.audit(), Damage::stray_row));
  }
}

TEST_CASE("archive verify: a file of another chain, of other heights, without certificate",
          "[prune][archive]") {
  PrunedChain made;
  made.prune_all();
  const std::string copy = made.directory.path.string() + "/blocks-0000000001-0000000060.blk";
  fs::copy(made.path(1), copy);
  auto report = PrunedChain::check(copy);
  INFO(text_of(report));
  CHECK(has_finding(report, Damage::archive, 1, "blocks-0000000001-0000000060.blk"));
  CHECK(has_finding(report, Damage::archive, 50, "blocks-0000000001-0000000060.cert"));

  auto other = verify_world().genesis;
  other.name += "!";
  const auto writes = contracts::genesis_writes(other);
  const auto batches = batch_reader(ledger::chain_id_of(other));
  ledger::AuditReport strange;
  ledger::check_archive(made.path(1), {other, writes, batches, crypto::toy_verifier()},
                        ledger::ArchiveProof::certificate, {}, strange);
  CHECK(has_finding(strange, Damage::archive, 1));
}

}  // namespace
}  // namespace baolian::node
