/// One flipped bit in a file of each kind is found and named.
#include <algorithm>
#include <fstream>

#include "contracts/records/state.h"
#include "contracts/state_keys.h"
#include "ledger/snapshot_files.h"
#include "node/log_store.h"
#include "node/outbox.h"
#include "node/verify_fixture.h"
#include "support/catch.h"
#include "vault/durable_file.h"
#include "vault/record_store.h"
#include "vault/sealed_directory.h"

namespace baolian::node {
namespace {

namespace fs = std::filesystem;
using ledger::AuditReport;
using ledger::Damage;
using test::ChainMaker;
using test::has_finding;
using test::text_of;

constexpr std::uint64_t kHeight = 60;

crypto::Secret key() { return crypto::Secret::copy_of(Bytes(32, 7)); }

consensus::LogRecord log_record(consensus::RecordType type, std::size_t size) {
  return {type, std::make_shared<const Bytes>(Bytes(size, 0x5A))};
}

/// The data directory of a node that was stopped: store, log, vault, books. Made once; each test
/// gives back what it changed.
class DataDirectory {
 public:
  DataDirectory() {
    const std::string root = directory_.path.string();
    make_store();
    make_log();
    auto records = vault::RecordStore::open(root + "/vault", key(), 1);
    REQUIRE(records.has_value());
    sealed_ = *vault::seal_record({record_, 1}, as_bytes("a discharge summary"));
    REQUIRE(records->put(sealed_).has_value());
    auto pending = vault::SealedDirectory::open(root + "/pending", "pending", key());
    REQUIRE(pending.has_value());
    REQUIRE(pending->put("stay-1", as_bytes("a stay")).has_value());
    make_snapshot();
    auto outbox = Outbox::open(root + "/outbox.log");
    REQUIRE(outbox.has_value());
    OutboxRecord record;
    record.transaction = Bytes(100, 3);
    (*outbox)->append({record, record});
  }

  std::string path() const { return directory_.path.string(); }

  AuditReport verify(std::optional<crypto::Secret> with_key = key()) const {
    VerifyNodeOptions options;
    options.data_directory = path();
    options.genesis = test::verify_world().genesis;
    options.key_encryption_key = std::move(with_key);
    options.verifier = &crypto::toy_verifier();
    AuditReport report;
    verify_node(options, report);
    return report;
  }

  /// The largest file of a folder with this ending.
  fs::path largest(const std::string& folder, const std::string& ending) const {
    fs::path found;
    std::uintmax_t size = 0;
    for (const auto& entry : fs::directory_iterator(directory_.path / folder)) {
      if (entry.path().extension() != ending || entry.file_size() < size) continue;
      found = entry.path();
      size = entry.file_size();
    }
    CAPTURE(folder, ending);
    REQUIRE_FALSE(found.empty());
    return found;
  }

  /// Verifies with one bit of a file flipped.
  AuditReport with_flipped(const fs::path& file, std::uint64_t offset) const {
    flip(file, offset);
    AuditReport report = verify();
    flip(file, offset);
    return report;
  }

 private:
  static void flip(const fs::path& file, std::uint64_t offset) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(stream.good());
    const auto place = static_cast<std::streamoff>(offset);
    stream.seekg(place);
    char byte = 0;
    REQUIRE(stream.get(byte));
    stream.seekp(place);
    stream.put(static_cast<char>(byte ^ 0x10));
    REQUIRE(stream.good());
  }

  /// Opened twice: the second time RocksDB moves what is in its log into tables and blobs.
  void make_store() {
    for (const std::uint64_t height : {kHeight - 20, kHeight}) {
      auto store = ledger::open_rocksdb_store(path() + "/store");
      REQUIRE(store.has_value());
      ChainMaker(*std::move(store)).grow_to(height);
    }
    REQUIRE(ledger::open_rocksdb_store(path() + "/store").has_value());
  }

  /// Of the newest height, as the node makes them. The chain's certificates stand at every third.
  void make_snapshot() {
    auto store = ledger::open_rocksdb_store(path() + "/store");
    REQUIRE(store.has_value());
    ChainMaker maker(*std::move(store));
    fs::create_directories(directory_.path / "snapshots");
    const ledger::SnapshotCut cut = maker.chain().cut();
    auto ends = ledger::write_chunks(cut, path() + "/snapshots/making", [] { return false; });
    REQUIRE(ends.has_value());
    const auto head = maker.chain().snapshot_head(cut);
    INFO((head ? "" : head.error().context));
    REQUIRE(head.has_value());
    REQUIRE(ledger::SnapshotFile::complete(path() + "/snapshots/making",
                                           path() + "/snapshots/" + std::to_string(kHeight),
                                           {.version = {}, .head = *head, .ends = *std::move(ends)})
                .has_value());
  }

  void make_log() {
    for (int run = 0; run < 2; ++run) {
      LogFile::Replayed replayed;
      auto log = LogFile::open({.directory = path() + "/log",
                                .segment_bytes = 64 * 1024,
                                .on_durable = [](PersistId) {}},
                               replayed);
      REQUIRE(log.has_value());
      (*log)->append(PersistId{1}, {log_record(consensus::RecordType::pp_accept, 300)});
    }
  }

  test::TemporaryDirectory directory_;
  RecordId record_ = RecordId::from(Bytes(32, 9));
  vault::SealedRecord sealed_;
};

const DataDirectory& data() {
  static const DataDirectory made;
  return made;
}

std::uint64_t middle_of(const fs::path& file) { return fs::file_size(file) / 2; }

std::string name_of(const fs::path& file) { return file.filename().string(); }

TEST_CASE("verify-node: a stopped node's whole directory has no damage", "[verify-node]") {
  const AuditReport report = data().verify();
  INFO(text_of(report));
  CHECK(report.damage_count() == 0);
  for (const auto& check : report.checks()) {
    if (check.name == "complete logs") continue;
    CAPTURE(check.name);
    CHECK(check.checked > 0);
  }
}

TEST_CASE("verify-node: it writes nothing", "[verify-node]") {
  const auto content = [] {
    std::vector<std::pair<std::string, Bytes>> files;
    for (const auto& entry : fs::recursive_directory_iterator(data().path())) {
      if (!entry.is_regular_file()) continue;
      files.emplace_back(entry.path().string(), *vault::read_file(entry.path().string()));
    }
    std::sort(files.begin(), files.end());
    return files;
  };
  const auto before = content();
  static_cast<void>(data().verify());
  CHECK(content() == before);
}

TEST_CASE("verify-node: one bit in a table of RocksDB names the file", "[verify-node]") {
  const fs::path file = data().largest("store", ".sst");
  const AuditReport report = data().with_flipped(file, middle_of(file));
  INFO(text_of(report));
  CHECK(has_finding(report, Damage::store_file, std::nullopt, name_of(file)));
}

TEST_CASE("verify-node: a bit at every 97th byte of a table ends nothing", "[verify-node]") {
  const fs::path file = data().largest("store", ".sst");
  std::size_t found = 0;
  std::size_t tried = 0;
  for (std::uint64_t offset = 0; offset < fs::file_size(file); offset += 97) {
    ++tried;
    if (data().with_flipped(file, offset).damage_count() > 0) ++found;
    if (tried == 40) break;
  }
  CHECK(found == tried);
}

TEST_CASE("verify-node: one bit in a table's footer still leaves an answer", "[verify-node]") {
  const fs::path file = data().largest("store", ".sst");
  const AuditReport report = data().with_flipped(file, fs::file_size(file) - 4);
  INFO(text_of(report));
  CHECK(has_finding(report, Damage::store_file));
}

TEST_CASE("verify-node: one bit in a blob of bodies names the block", "[verify-node]") {
  const fs::path file = data().largest("store", ".blob");
  const AuditReport report = data().with_flipped(file, middle_of(file));
  INFO(text_of(report));
  CHECK(has_finding(report, Damage::block, ChainMaker::kLargeHeight));
}

TEST_CASE("verify-node: a store that is cut off or gone is said and the rest is checked",
          "[verify-node]") {
  const std::string current = data().path() + "/store/CURRENT";
  const Bytes before = *vault::read_file(current);
  REQUIRE(vault::replace_file(current, as_bytes("MANIFEST-999999\n")).has_value());
  const AuditReport damaged = data().verify();
  REQUIRE(vault::remove_file(current).has_value());
  const AuditReport gone = data().verify();
  REQUIRE(vault::replace_file(current, before).has_value());
  for (const AuditReport* report : {&damaged, &gone}) {
    INFO(text_of(*report));
    CHECK(has_finding(*report, Damage::store_file));
    CHECK(report->checks().back().name == "other files");
  }
}

TEST_CASE("verify-node: one bit in a snapshot's chunk or head names it", "[verify-node]") {
  const fs::path snapshot = fs::path(data().path()) / "snapshots" / std::to_string(kHeight);
  const fs::path chunks = snapshot / "chunks";
  for (const std::uint64_t offset : {std::uint64_t{20}, middle_of(chunks)}) {
    const AuditReport report = data().with_flipped(chunks, offset);
    INFO(text_of(report));
    CHECK(has_finding(report, Damage::snapshot, kHeight, "/chunks, chunk "));
    CHECK(report.damage_count() == 1);
  }
  const AuditReport report = data().with_flipped(snapshot / "index", 80);  // in the header
  INFO(text_of(report));
  CHECK(has_finding(report, Damage::snapshot, {}, "/index"));
}

TEST_CASE("verify-node: one bit in the consensus log names segment and byte", "[verify-node]") {
  const fs::path file = data().largest("log", ".log");
  const auto offset = static_cast<std::uint64_t>(GENERATE(0, 10, 44, 50, 70));
  CAPTURE(offset);
  const AuditReport report = data().with_flipped(file, offset);
  INFO(text_of(report));
  CHECK(has_finding(report, Damage::consensus_log, std::nullopt, name_of(file)));
}

TEST_CASE("verify-node: an unfinished write at the log's end is a remark, not a damage",
          "[verify-node]") {
  const fs::path file = data().largest("log", ".log");
  const AuditReport report = data().with_flipped(file, fs::file_size(file) - 1000);
  INFO(text_of(report));
  CHECK(report.damage_count() == 0);
  REQUIRE(report.remarks().size() > data().verify().remarks().size());
}

TEST_CASE("verify-node: one bit in a sealed record or its key names the file", "[verify-node]") {
  const fs::path file = data().largest("vault/records", GENERATE(".sealed", ".key"));
  const AuditReport report = data().with_flipped(file, middle_of(file));
  INFO(text_of(report));
  CHECK(report.damage_count() == 1);
  CHECK(has_finding(report, Damage::record, std::nullopt, name_of(file)));
}

TEST_CASE("verify-node: without the key what is sealed is not opened, and that is said",
          "[verify-node]") {
  const AuditReport report = data().verify(std::nullopt);
  CHECK(report.damage_count() == 0);
  const auto& remarks = report.remarks();
  CHECK(std::any_of(remarks.begin(), remarks.end(), [](const std::string& remark) {
    return remark.find("passphrase") != std::string::npos;
  }));
}

TEST_CASE("verify-node: one bit in a sealed book or in the outbox names the file",
          "[verify-node]") {
  SECTION("sealed book") {
    const fs::path file = data().largest("pending", ".sealed");
    CHECK(has_finding(data().with_flipped(file, middle_of(file)), Damage::book, std::nullopt,
                      "pending/stay-1.sealed"));
  }
  SECTION("outbox") {
    const AuditReport report = data().with_flipped(data().path() + "/outbox.log", 40);
    INFO(text_of(report));
    CHECK(has_finding(report, Damage::book, std::nullopt, "outbox.log at byte 0"));
  }
}

TEST_CASE("verify-node: a running node is noticed", "[verify-node]") {
  LogFile::Replayed replayed;
  const auto log = LogFile::open({.directory = data().path() + "/log",
                                  .segment_bytes = 64 * 1024,
                                  .on_durable = [](PersistId) {}},
                                 replayed);
  REQUIRE(log.has_value());
  VerifyNodeOptions options;
  options.data_directory = data().path();
  options.genesis = test::verify_world().genesis;
  options.verifier = &crypto::toy_verifier();
  AuditReport report;
  CHECK(verify_node(options, report).node_runs);
  INFO(text_of(report));
  CHECK(report.damage_count() == 0);
}

TEST_CASE("verify-node: a checkpoint's JSON is read strictly", "[verify-node]") {
  CHECK_FALSE(checkpoint_from_json("{}").has_value());
  CHECK_FALSE(checkpoint_from_json("[").has_value());
  CHECK_FALSE(checkpoint_from_json(R"({"header":{},"certificate":{}})").has_value());
}

}  // namespace
}  // namespace baolian::node
