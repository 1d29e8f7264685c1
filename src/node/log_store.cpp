#include "node/log_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "crypto/random.h"
#include "net/thread_name.h"
#include "node/log_format.h"

namespace baolian::node {

namespace {

namespace fs = std::filesystem;
using consensus::LogRecord;

[[noreturn]] void die(const char* what, const std::string& path) {
  std::fprintf(stderr,
               "consensus log: %s %s failed: %s; the process ends, as what is on the disk "
               "is unknown\n",
               what, path.c_str(), std::strerror(errno));
  std::abort();
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int value() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Segment {
  std::uint64_t number = 0;
  std::uint64_t id = 0;
  std::string path;
};

std::string segment_name(std::uint64_t number, std::uint64_t id) {
  char name[40];
  std::snprintf(name, sizeof name, "%010llu-%016llx.log", static_cast<unsigned long long>(number),
                static_cast<unsigned long long>(id));
  return name;
}

/// Number and id of a segment's file name; nothing for any other file.
std::optional<Segment> parse_segment_name(const fs::path& path) {
  const std::string name = path.filename().string();
  unsigned long long number = 0;
  unsigned long long id = 0;
  if (name.size() != 31 || std::sscanf(name.c_str(), "%10llu-%16llx.log", &number, &id) != 2) {
    return std::nullopt;
  }
  if (segment_name(number, id) != name) return std::nullopt;
  return Segment{number, id, path.string()};
}

void write_at(int fd, BytesView bytes, std::size_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) die("writing", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
}

void sync_directory(const std::string& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::fsync(fd.value()) != 0) die("fsync of directory", directory);
}

Result<Bytes> read_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd.is_open() || ::fstat(fd.value(), &status) != 0) {
    return fail(Errc::io_failed, "cannot read the log segment " + path);
  }
  Bytes bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd.value(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(Errc::io_failed, "cannot read the log segment " + path);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

struct AppendItem {
  PersistId id;
  std::vector<LogRecord> records;
};
using Item = std::variant<AppendItem, LogRecord>;

}  // namespace

/// The log thread's side: only its own members under the mutex are shared.
struct LogFile::State {
  Config config;
  std::atomic<std::uint64_t> syncs = 0;
  Descriptor lock;

  // Shared with the core thread, under the mutex.
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Item> queue;
  bool closing = false;

  // The log thread's own.
  std::vector<Segment> segments;  ///< the last one is written to
  Descriptor file;
  std::size_t file_bytes = 0;
  std::size_t offset = 0;
  std::uint64_t last_seq = 0;
  std::uint64_t synced_upto = 0;
  BootRecord boot;
  Bytes buffer;
  std::vector<PersistId> waiting;  ///< durable with the next sync
  std::thread thread;

  void open_segment(std::size_t content_bytes);
  void put(const LogRecord& record);
  void write_buffer();
  void sync();
  void carry_out(AppendItem item);
  void carry_out(const LogRecord& snapshot);
  void run();
  Result<void> replay(Replayed& replayed);
  void clean_tail(const LogScan& scan);
  Result<void> begin_run(Replayed& replayed);
  LogRecord boot_record() const;
  void remove_before(std::size_t index);
};

/// Makes the next segment and moves writing there. Everything before must be durable or the caller
/// must not promise otherwise: write_buffer() comes first.
void LogFile::State::open_segment(std::size_t content_bytes) {
  ASSERT(buffer.empty());
  Segment next;
  next.number = segments.empty() ? 1 : segments.back().number + 1;
  FixedBytes<struct SegmentIdTag, 8> id = crypto::random_id<FixedBytes<struct SegmentIdTag, 8>>();
  std::memcpy(&next.id, id.bytes.data(), sizeof next.id);
  next.path = config.directory + "/" + segment_name(next.number, next.id);
  const std::string temporary = next.path + ".new";
  file = Descriptor(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) die("creating", temporary);
  file_bytes = std::max(config.segment_bytes, content_bytes);
  const int allocated = ::posix_fallocate(file.value(), 0, static_cast<off_t>(file_bytes));
  if (allocated != 0) {
    errno = allocated;
    die("preallocating", temporary);
  }
  if (::fsync(file.value()) != 0) die("fsync of", temporary);
  if (::rename(temporary.c_str(), next.path.c_str()) != 0) die("renaming", temporary);
  sync_directory(config.directory);
  segments.push_back(next);
  offset = 0;
}

void LogFile::State::put(const LogRecord& record) {
  const std::size_t size = framed_size_bytes(record.body->size());
  if (segments.empty() || offset + buffer.size() + size > file_bytes) {
    write_buffer();
    // The records in the full segment come before those in the next one also on the disk.
    if (!segments.empty()) sync();
    open_segment(size);
  }
  append_frame(buffer, {++last_seq, segments.back().id, synced_upto}, record);
}

void LogFile::State::write_buffer() {
  if (buffer.empty()) return;
  write_at(file.value(), buffer, offset, segments.back().path);
  offset += buffer.size();
  buffer.clear();
}

void LogFile::State::sync() {
  if (!segments.empty() && ::fdatasync(file.value()) != 0) {
    die("fdatasync of", segments.back().path);
  }
  synced_upto = last_seq;
  ++syncs;
}

void LogFile::State::carry_out(AppendItem item) {
  for (const LogRecord& record : item.records) put(record);
  waiting.push_back(item.id);
}

void LogFile::State::carry_out(const LogRecord& snapshot) {
  write_buffer();
  sync();
  const LogRecord run = boot_record();
  open_segment(framed_size_bytes(snapshot.body->size()) + framed_size_bytes(run.body->size()));
  append_frame(buffer, {++last_seq, segments.back().id, synced_upto}, snapshot);
  append_frame(buffer, {++last_seq, segments.back().id, synced_upto}, run);
  write_buffer();
  sync();
  remove_before(segments.size() - 1);
}

/// Removes the segments before this index, oldest first: what a crash leaves begins with a
/// snapshot.
void LogFile::State::remove_before(std::size_t index) {
  if (index == 0) return;
  for (std::size_t i = 0; i < index; ++i) {
    if (::unlink(segments[i].path.c_str()) != 0) die("removing", segments[i].path);
  }
  segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(index));
  sync_directory(config.directory);
}

void LogFile::State::run() {
  for (;;) {
    std::deque<Item> work;
    {
      std::unique_lock hold(mutex);
      wake.wait(hold, [this] { return closing || !queue.empty(); });
      if (queue.empty()) return;
      work.swap(queue);
    }
    for (Item& item : work) {
      std::visit([this](auto&& one) { carry_out(std::move(one)); }, std::move(item));
    }
    write_buffer();
    sync();
    for (const PersistId id : waiting) config.on_durable(id);
    waiting.clear();
  }
}

Result<void> LogFile::State::replay(Replayed& replayed) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(config.directory, error)) {
    if (entry.path().extension() == ".new") {
      fs::remove(entry.path(), error);  // never held a record that counted
      continue;
    }
    if (auto segment = parse_segment_name(entry.path())) segments.push_back(std::move(*segment));
  }
  if (error) return fail(Errc::io_failed, "cannot list the log directory " + config.directory);
  std::sort(segments.begin(), segments.end(),
            [](const Segment& a, const Segment& b) { return a.number < b.number; });
  std::vector<Bytes> contents;
  std::vector<SegmentImage> images;
  // A gap in the numbers is no error by itself: removed files may come back in any order after a
  // crash. A gap in the records is, and scan_log finds it.
  for (std::size_t i = 0; i < segments.size(); ++i) {
    TRY(Bytes content, read_file(segments[i].path));
    contents.push_back(std::move(content));
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    images.push_back({segments[i].number, segments[i].id, contents[i]});
  }
  TRY(LogScan scan, scan_log(images));
  last_seq = synced_upto = scan.last_seq;
  replayed.records = std::move(scan.records);
  if (!segments.empty()) clean_tail(scan);
  return ok();
}

/// Ends the log where replay ended: later segments go, the rest of the last one becomes zeros.
void LogFile::State::clean_tail(const LogScan& scan) {
  for (std::size_t i = segments.size(); i-- > scan.end_segment + 1;) {
    if (::unlink(segments[i].path.c_str()) != 0) die("removing", segments[i].path);
  }
  segments.resize(scan.end_segment + 1);
  const std::string& path = segments.back().path;
  file = Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.value(), &status) != 0) die("opening", path);
  // A file cut short (copied by hand) is no place to go on writing; round down to a boundary.
  file_bytes = static_cast<std::size_t>(status.st_size) / kLogAlignmentBytes * kLogAlignmentBytes;
  offset = std::min(scan.end_offset, file_bytes);
  if (!scan.tail_is_clean) {
    const Bytes zeros(64 * 1024, 0);
    for (std::size_t at = offset; at < file_bytes; at += zeros.size()) {
      const std::size_t size = std::min(zeros.size(), file_bytes - at);
      write_at(file.value(), BytesView(zeros).subspan(0, size), at, path);
    }
  }
  if (::fsync(file.value()) != 0) die("fsync of", path);
  sync_directory(config.directory);
  remove_before(scan.first_segment);
}

LogRecord LogFile::State::boot_record() const {
  return {consensus::RecordType::boot, std::make_shared<const Bytes>(encode(boot))};
}

/// Takes the BOOT records out of what was replayed and makes the one of this run durable.
Result<void> LogFile::State::begin_run(Replayed& replayed) {
  std::vector<LogRecord> rest;
  for (LogRecord& record : replayed.records) {
    if (record.type != consensus::RecordType::boot) {
      rest.push_back(std::move(record));
      continue;
    }
    TRY(boot, decode<BootRecord>(*record.body));
  }
  replayed.records = std::move(rest);
  if (boot.boot_counter == 0) {
    if (!replayed.records.empty()) {
      return fail(Errc::log_corrupt,
                  "the consensus log has records but no BOOT; do not vote with this log");
    }
    const auto id = crypto::random_id<FixedBytes<struct IncarnationTag, 8>>();
    std::memcpy(&boot.incarnation, id.bytes.data(), sizeof boot.incarnation);
  }
  ++boot.boot_counter;
  put(boot_record());
  write_buffer();
  sync();
  replayed.boot = boot;
  return ok();
}

LogFile::LogFile(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->thread = std::thread([state = state_.get()] {
    net::name_thread("log");
    state->run();
  });
}

Result<std::unique_ptr<LogFile>> LogFile::open(Config config, Replayed& replayed) {
  ASSERT(config.on_durable != nullptr);
  auto state = std::make_unique<State>();
  state->config = std::move(config);
  const std::string& directory = state->config.directory;
  std::error_code error;
  const bool made = fs::create_directory(directory, error);
  if (error) return fail(Errc::io_failed, "cannot make the log directory " + directory);
  if (made) sync_directory(fs::path(directory).parent_path().string());
  state->lock =
      Descriptor(::open((directory + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!state->lock.is_open()) {
    return fail(Errc::io_failed, "cannot write in the log directory " + directory);
  }
  if (::flock(state->lock.value(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::already_exists,
                "another process uses the log directory " + directory + "; stop it first");
  }
  TRY(state->replay(replayed));
  TRY(state->begin_run(replayed));
  return std::unique_ptr<LogFile>(new LogFile(std::move(state)));
}

LogFile::~LogFile() {
  {
    const std::lock_guard hold(state_->mutex);
    state_->closing = true;
  }
  state_->wake.notify_one();
  state_->thread.join();
}

void LogFile::append(PersistId id, std::vector<LogRecord> records) {
  {
    const std::lock_guard hold(state_->mutex);
    state_->queue.emplace_back(AppendItem{id, std::move(records)});
  }
  state_->wake.notify_one();
}

void LogFile::cut(LogRecord snapshot) {
  ASSERT(snapshot.type == consensus::RecordType::snapshot && snapshot.body != nullptr);
  {
    const std::lock_guard hold(state_->mutex);
    state_->queue.emplace_back(std::move(snapshot));
  }
  state_->wake.notify_one();
}

std::uint64_t LogFile::sync_count() const { return state_->syncs; }

}  // namespace baolian::node
