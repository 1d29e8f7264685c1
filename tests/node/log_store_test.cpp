#include "node/log_store.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "crypto/random.h"
#include "node/log_format.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

namespace fs = std::filesystem;
using consensus::LogRecord;
using consensus::RecordType;

/// A directory that goes away with the test.
struct TemporaryDirectory {
  fs::path path;
  TemporaryDirectory() {
    crypto::initialize();
    path = fs::temp_directory_path() / ("baolian-log-" + crypto::random_id<RequestId>().hex());
    fs::create_directory(path);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

LogRecord record(RecordType type, std::string_view text) {
  return {type, std::make_shared<const Bytes>(to_bytes(text))};
}

/// Waits for the log thread without sleeping.
class Durable {
 public:
  void report(PersistId id) {
    const std::lock_guard hold(mutex_);
    ids_.push_back(id.value);
    changed_.notify_all();
  }
  void wait_for(std::uint64_t id) {
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [&] { return !ids_.empty() && ids_.back() >= id; });
  }
  std::vector<std::uint64_t> ids() {
    const std::lock_guard hold(mutex_);
    return ids_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> ids_;
};

struct Opened {
  Durable durable;
  LogFile::Replayed replayed;
  std::unique_ptr<LogFile> log;

  explicit Opened(const fs::path& directory, std::size_t segment_bytes = 4096) {
    auto result = LogFile::open({.directory = directory.string(),
                                 .segment_bytes = segment_bytes,
                                 .on_durable = [this](PersistId id) { durable.report(id); }},
                                replayed);
    REQUIRE(result.has_value());
    log = *std::move(result);
  }
};

std::vector<fs::path> segments_in(const fs::path& directory) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".log") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST_CASE("log file: what was reported durable is replayed in order", "[log]") {
  TemporaryDirectory directory;
  {
    Opened opened(directory.path / "log");
    CHECK(opened.replayed.records.empty());
    for (std::uint64_t id = 1; id <= 50; ++id) {
      opened.log->append(PersistId{id}, {record(RecordType::pp_accept, "a" + std::to_string(id)),
                                         record(RecordType::prepared, "b")});
    }
    opened.durable.wait_for(50);
    const auto ids = opened.durable.ids();
    REQUIRE(ids.size() == 50);
    CHECK(std::is_sorted(ids.begin(), ids.end()));
  }
  Opened again(directory.path / "log");
  REQUIRE(again.replayed.records.size() == 100);
  CHECK(*again.replayed.records[98].body == to_bytes("a50"));
  CHECK(again.replayed.records[99].type == RecordType::prepared);
  CHECK(segments_in(directory.path / "log").size() > 1);  // continued over full segments
}

TEST_CASE("log file: an append without records is still answered", "[log]") {
  TemporaryDirectory directory;
  Opened opened(directory.path / "log");
  opened.log->append(PersistId{1}, {});
  opened.durable.wait_for(1);
}

TEST_CASE("log file: a cut leaves the snapshot and what came after", "[log]") {
  TemporaryDirectory directory;
  {
    Opened opened(directory.path / "log");
    for (std::uint64_t id = 1; id <= 200; ++id) {
      opened.log->append(PersistId{id}, {record(RecordType::pp_accept, "old")});
    }
    opened.log->cut(record(RecordType::snapshot, "all that matters"));
    opened.log->append(PersistId{201}, {record(RecordType::committed, "new")});
    opened.durable.wait_for(201);
    CHECK(segments_in(directory.path / "log").size() == 1);
  }
  Opened again(directory.path / "log");
  REQUIRE(again.replayed.records.size() == 2);
  CHECK(again.replayed.records[0].type == RecordType::snapshot);
  CHECK(*again.replayed.records[1].body == to_bytes("new"));
}

TEST_CASE("log file: incarnation stays, the boot counter grows, also over a cut", "[log]") {
  TemporaryDirectory directory;
  BootRecord first;
  {
    Opened opened(directory.path / "log");
    first = opened.replayed.boot;
    CHECK(first.boot_counter == 1);
    CHECK(first.incarnation != 0);
    opened.log->cut(record(RecordType::snapshot, "s"));
  }
  Opened again(directory.path / "log");
  CHECK(again.replayed.boot.incarnation == first.incarnation);
  CHECK(again.replayed.boot.boot_counter == 2);
  CHECK(again.replayed.records.size() == 1);
}

TEST_CASE("log file: a record larger than a segment gets one of its own", "[log]") {
  TemporaryDirectory directory;
  const std::string large(20'000, 'x');
  {
    Opened opened(directory.path / "log");
    opened.log->append(PersistId{1}, {record(RecordType::pp_accept, "small")});
    opened.log->append(PersistId{2}, {record(RecordType::pp_accept, large)});
    opened.log->append(PersistId{3}, {record(RecordType::prepared, "small")});
    opened.durable.wait_for(3);
  }
  Opened again(directory.path / "log");
  REQUIRE(again.replayed.records.size() == 3);
  CHECK(again.replayed.records[1].body->size() == large.size());
}

TEST_CASE("log file: a torn tail is zeroed before the next record", "[log]") {
  TemporaryDirectory directory;
  {
    Opened opened(directory.path / "log");
    opened.log->append(PersistId{1}, {record(RecordType::pp_accept, "kept")});
    opened.durable.wait_for(1);
    opened.log->append(PersistId{2}, {record(RecordType::pp_accept, "torn")});
    opened.durable.wait_for(2);
  }
  const fs::path segment = segments_in(directory.path / "log").front();
  {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(128 + 45);  // the third record: BOOT, kept, torn
    file.put('!');
  }
  {
    Opened opened(directory.path / "log");
    REQUIRE(opened.replayed.records.size() == 1);
    opened.log->append(PersistId{3}, {record(RecordType::prepared, "after")});
    opened.durable.wait_for(3);
  }
  Opened again(directory.path / "log");
  REQUIRE(again.replayed.records.size() == 2);
  CHECK(*again.replayed.records[1].body == to_bytes("after"));
}

TEST_CASE("log file: a damaged durable record refuses to open", "[log]") {
  TemporaryDirectory directory;
  {
    Opened opened(directory.path / "log");
    for (std::uint64_t id = 1; id <= 3; ++id) {
      opened.log->append(PersistId{id}, {record(RecordType::pp_accept, "record")});
      opened.durable.wait_for(id);
    }
  }
  {
    std::fstream file(segments_in(directory.path / "log").front(),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(64 + 45);
    file.put('!');
  }
  LogFile::Replayed replayed;
  const auto result = LogFile::open(
      {.directory = (directory.path / "log").string(), .on_durable = [](PersistId) {}}, replayed);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Errc::log_corrupt);
}

TEST_CASE("log file: a second process is refused", "[log]") {
  TemporaryDirectory directory;
  Opened opened(directory.path / "log");
  LogFile::Replayed replayed;
  const auto second = LogFile::open(
      {.directory = (directory.path / "log").string(), .on_durable = [](PersistId) {}}, replayed);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Errc::already_exists);
}

}  // namespace
}  // namespace baolian::node
