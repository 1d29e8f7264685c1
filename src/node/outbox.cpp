#include "node/outbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "crypto/hash.h"

namespace baolian::node {
namespace {

constexpr std::size_t kFrameBytes = 8;
constexpr std::uint32_t kRecordBytesMax = 512 * 1024;

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

std::uint32_t u32_at(BytesView bytes) {
  std::uint32_t out = 0;
  const auto read = Decoder(bytes).integer(out);
  ASSERT(read.has_value());
  return out;
}

/// The bytes of the whole record at the front; empty if there is none. An empty record is none: a
/// power cut may leave zeros, and zero bytes have the checksum zero.
BytesView whole_record(BytesView rest) {
  if (rest.size() < kFrameBytes) return {};
  const std::uint32_t length = u32_at(rest);
  if (length == 0 || length > kRecordBytesMax || rest.size() - kFrameBytes < length) return {};
  const BytesView body = rest.subspan(kFrameBytes, length);
  return crypto::crc32c(body) == u32_at(rest.subspan(4)) ? body : BytesView{};
}

/// True if a whole record stands anywhere in these bytes: then what is in front of it is damaged
/// and not torn.
bool holds_record(BytesView rest) {
  for (; rest.size() > kFrameBytes; rest = rest.subspan(1)) {
    const bool may_begin = rest[kFrameBytes] == Version<1>::kValue;  // spares most checksums
    if (!may_begin) continue;
    const BytesView body = whole_record(rest);
    if (!body.empty() && decode<OutboxRecord>(body).has_value()) return true;
  }
  return false;
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

}  // namespace

Result<std::unique_ptr<Outbox>> Outbox::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io_failed, "outbox: cannot be opened");
  std::unique_ptr<Outbox> out(new Outbox(fd));
  TRY(sync_parent(path));
  TRY(const Bytes file, read_all(fd));
  BytesView rest = file;
  for (BytesView body = whole_record(rest); !body.empty(); body = whole_record(rest)) {
    auto record = decode<OutboxRecord>(body);
    if (!record) {
      return fail(Errc::log_corrupt, "outbox: a record does not decode; restore the file");
    }
    out->index(*record);
    out->from_file_.push_back(*std::move(record));
    rest = rest.subspan(kFrameBytes + body.size());
  }
  if (!rest.empty() && holds_record(rest.subspan(1))) {
    return fail(Errc::log_corrupt,
                "outbox: a record in the middle of the file is damaged; restore the file. Without "
                "it this node could sign a nonce twice");
  }
  // Only the last append can be torn, and nothing of it was sent.
  const auto good = static_cast<off_t>(file.size() - rest.size());
  if (!rest.empty() && (::ftruncate(fd, good) != 0 || ::fdatasync(fd) != 0)) {
    return fail(Errc::io_failed, "outbox: cannot be repaired");
  }
  if (::lseek(fd, good, SEEK_SET) < 0) return fail(Errc::io_failed, "outbox: cannot be used");
  return out;
}

Outbox::~Outbox() {
  if (fd_ >= 0) ::close(fd_);
}

void Outbox::index(const OutboxRecord& record) {
  for (std::size_t i = 0; i < record.request_ids.size(); ++i) {
    places_.emplace(record.request_ids[i],
                    OutboxPlace{record.tx_id, static_cast<std::uint16_t>(i), record.expires_at});
  }
  Nonce& next = next_nonces_[record.sender];
  next = std::max(next, record.nonce.next());
}

void Outbox::append(const std::vector<OutboxRecord>& records) {
  Bytes out;
  for (const auto& record : records) {
    const Bytes body = encode(record);
    Encoder encoder(out);
    encoder.integer(static_cast<std::uint32_t>(body.size()));
    encoder.integer(crypto::crc32c(body));
    encoder.raw(body);
    index(record);
  }
  BytesView rest = out;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) die("cannot write");
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  if (::fdatasync(fd_) != 0) die("cannot sync");
}

const OutboxPlace* Outbox::find(const RequestId& request) const {
  const auto found = places_.find(request);
  return found == places_.end() ? nullptr : &found->second;
}

std::vector<OutboxRecord> Outbox::take_unresolved() { return std::move(from_file_); }

Nonce Outbox::next_nonce(const PublicKey& sender) const {
  const auto found = next_nonces_.find(sender);
  return found == next_nonces_.end() ? Nonce{} : found->second;
}

}  // namespace baolian::node
