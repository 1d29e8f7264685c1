#include "node/outbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/assert.h"

namespace baolian::node {
namespace {

constexpr std::size_t kCompactionBytesMin = std::size_t{16} << 20;

/// Durable before visible: after a failed write or sync nobody knows what is on disk.
[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "baoliand: outbox: %s: %s; stopping\n", what, std::strerror(errno));
  std::abort();
}

Result<Bytes> read_all(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return fail(Errc::io_failed, "outbox: cannot be read");
  Bytes out(static_cast<std::size_t>(info.st_size));
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got =
        ::pread(fd, out.data() + filled, out.size() - filled, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(Errc::io_failed, "outbox: cannot be read");
    filled += static_cast<std::size_t>(got);
  }
  return out;
}

/// The name must be as durable as the records.
Result<void> sync_parent(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) return fail(Errc::io_failed, "outbox: its directory cannot be synced");
  return ok();
}

bool write_all(int fd, BytesView rest) {
  while (!rest.empty()) {
    const ssize_t written = ::write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

std::string temporary_of(const std::string& path) { return path + ".new"; }

/// What a crash left of a file that was to be written anew.
Result<void> sweep_temporary(const std::string& path) {
  if (::unlink(temporary_of(path).c_str()) == 0 || errno == ENOENT) return ok();
  return fail(Errc::io_failed, "outbox: an unfinished copy cannot be removed");
}

/// Puts a durable file of these bytes in the place of `path`, open at its end.
Result<int> write_anew(const std::string& path, BytesView bytes) {
  const std::string temporary = temporary_of(path);
  const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool whole = fd >= 0 && write_all(fd, bytes) && ::fsync(fd) == 0;
  if (!whole || ::rename(temporary.c_str(), path.c_str()) != 0) {
    if (fd >= 0) ::close(fd);
    ::unlink(temporary.c_str());
    return fail(Errc::io_failed, "outbox: it cannot be written anew");
  }
  // From here on the new file is the outbox: nothing may be appended to it before its name lasts.
  if (!sync_parent(path)) die("cannot sync its directory");
  return fd;
}

}  // namespace

Result<std::unique_ptr<Outbox>> Outbox::open(const std::string& path) {
  TRY(sweep_temporary(path));
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io_failed, "outbox: cannot be opened");
  std::unique_ptr<Outbox> out(new Outbox(path, fd));
  TRY(sync_parent(path));
  TRY(const Bytes file, read_all(fd));
  std::optional<Error> bad;
  const OutboxExtent extent = read_outbox(file, [&](std::size_t, Result<OutboxRecord> record) {
    if (!record) {
      bad = fail(Errc::log_corrupt, "outbox: a record does not decode; restore the file");
      return;
    }
    out->index(*record);
    if (!record->transaction.empty()) out->from_file_.push_back(*std::move(record));
  });
  if (bad) return *std::move(bad);
  if (extent.is_damaged) {
    return fail(Errc::log_corrupt,
                "outbox: a record in the middle of the file is damaged; restore the file. Without "
                "it this node could sign a nonce twice");
  }
  // Only the last append can be torn, and nothing of it was sent.
  const auto good = static_cast<off_t>(extent.whole_bytes);
  const bool is_torn = extent.whole_bytes < file.size();
  if (is_torn && (::ftruncate(fd, good) != 0 || ::fdatasync(fd) != 0)) {
    return fail(Errc::io_failed, "outbox: cannot be repaired");
  }
  if (::lseek(fd, good, SEEK_SET) < 0) return fail(Errc::io_failed, "outbox: cannot be used");
  out->size_bytes_ = extent.whole_bytes;
  return out;
}

Outbox::~Outbox() {
  if (fd_ >= 0) ::close(fd_);
}

void Outbox::index(const OutboxRecord& record) {
  const auto number = static_cast<std::uint32_t>(sent_.size());
  if (!record.request_ids.empty()) {
    sent_.push_back({record.tx_id, record.sender, record.nonce, record.expires_at});
  }
  for (std::size_t i = 0; i < record.request_ids.size(); ++i) {
    places_.emplace(record.request_ids[i], Place{number, static_cast<std::uint16_t>(i)});
  }
  Nonce& next = next_nonces_[record.sender];
  next = std::max(next, record.nonce.next());
}

void Outbox::append(const std::vector<OutboxRecord>& records) {
  Bytes out;
  for (const auto& record : records) {
    append_framed(out, record);
    index(record);
  }
  if (!write_all(fd_, out)) die("cannot write");
  if (::fdatasync(fd_) != 0) die("cannot sync");
  size_bytes_ += out.size();
}

std::optional<OutboxPlace> Outbox::find(const RequestId& request) const {
  const auto found = places_.find(request);
  if (found == places_.end()) return std::nullopt;
  const Sent& sent = sent_[found->second.sent];
  return OutboxPlace{sent.tx_id, sent.sender, sent.nonce, found->second.op_index, sent.expires_at};
}

std::vector<OutboxRecord> Outbox::take_unresolved() { return std::move(from_file_); }

Nonce Outbox::next_nonce(const PublicKey& sender) const {
  const auto found = next_nonces_.find(sender);
  return found == next_nonces_.end() ? Nonce{} : found->second;
}

bool Outbox::is_compaction_due() const {
  return size_bytes_ >= 2 * compact_bytes_ + kCompactionBytesMin;
}

Result<void> Outbox::compact(Limits limits) {
  ASSERT(limits.forgotten <= limits.settled);
  compact_bytes_ = size_bytes_;  // also if it fails: not again before the next growth
  TRY(const Bytes file, read_all(fd_));
  Outbox fresh(path_, -1);
  Bytes kept;
  bool all_decode = true;
  const OutboxExtent extent = read_outbox(file, [&](std::size_t, Result<OutboxRecord> record) {
    all_decode = all_decode && record.has_value();
    if (!record) return;
    if (record->expires_at < limits.settled) record->transaction.clear();
    if (record->expires_at < limits.forgotten) record->request_ids.clear();
    const bool is_newest = record->nonce.next() == next_nonce(record->sender);
    if (record->transaction.empty() && record->request_ids.empty() && !is_newest) return;
    append_framed(kept, *record);
    fresh.index(*record);
  });
  if (!all_decode || extent.whole_bytes != size_bytes_) {
    return fail(Errc::log_corrupt,
                "outbox: the file changed on the disk under this node; check it with `baolian "
                "audit verify-node`");
  }
  TRY(const int fd, write_anew(path_, kept));
  ::close(std::exchange(fd_, fd));
  size_bytes_ = kept.size();
  compact_bytes_ = kept.size();
  sent_ = std::move(fresh.sent_);
  places_ = std::move(fresh.places_);
  return ok();
}

}  // namespace baolian::node
