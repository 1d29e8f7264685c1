#include "vault/record_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "crypto/secretstream.h"

namespace baolian::vault {
namespace {

Error io_error(const char* what) {
  return fail(Errc::io_failed, std::string("vault: ") + what + ": " + std::strerror(errno));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<void> write_all(int fd, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_error("cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

Result<void> sync_directory(const std::string& directory) {
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return io_error("cannot sync a directory");
  return ok();
}

/// Part of every temporary name.
constexpr std::string_view kTemporaryMark = ".new";

Result<void> write_temporary(const std::string& path, BytesView bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) return io_error("cannot create a file");
  TRY(write_all(fd.get(), bytes));
  if (::fsync(fd.get()) != 0) return io_error("cannot sync a file");
  return ok();
}

/// Durable before visible: the name appears only with its whole content. link() keeps the first
/// file of a name.
Result<void> write_new_file(const std::string& directory, const std::string& path,
                            BytesView bytes) {
  static std::atomic<std::uint64_t> counter{0};
  const std::string temporary = path + std::string(kTemporaryMark) + std::to_string(::getpid()) +
                                "." + std::to_string(counter++);
  auto written = write_temporary(temporary, bytes);
  if (!written) {
    ::unlink(temporary.c_str());  // a full disk would keep the half-written file for ever
    return written;
  }
  const int linked = ::link(temporary.c_str(), path.c_str());
  const int link_error = errno;
  ::unlink(temporary.c_str());
  if (linked != 0 && link_error == EEXIST) {
    return fail(Errc::already_exists, "vault: this name is taken and stays as it is");
  }
  if (linked != 0) return io_error("cannot name a file");
  return sync_directory(directory);
}

Result<Bytes> read_file(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return fail(Errc::not_found, "vault: no such record here");
    return io_error("cannot open a file");
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return io_error("cannot look at a file");
  Bytes out(static_cast<std::size_t>(info.st_size));
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::read(fd.get(), out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return io_error("cannot read a file");
    filled += static_cast<std::size_t>(got);
  }
  return out;
}

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return io_error("cannot make a directory");
  }
  return ok();
}

/// Durable removal; a name that is not there is no error.
Result<void> remove_file(const std::string& directory, const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return ok();
    return io_error("cannot remove a file");
  }
  return sync_directory(directory);
}

/// The names in a directory.
Result<std::vector<std::string>> names_in(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return io_error("cannot list a directory");
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(directory)) out.emplace_back(entry->d_name);
  ::closedir(directory);
  return out;
}

/// Removes what a crash left half-written: a wrapped key in a forgotten temporary file would
/// outlive its erasure.
Result<void> sweep_temporaries(const std::string& directory) {
  TRY(const std::vector<std::string> names, names_in(directory));
  for (const auto& name : names) {
    if (name.find(kTemporaryMark) == std::string::npos) continue;
    TRY(remove_file(directory, directory + "/" + name));
  }
  return ok();
}

/// Names in a directory that end with `suffix`, without it, in no order.
std::vector<std::string> names_in(const std::string& path, std::string_view suffix) {
  std::vector<std::string> out;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return out;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name.ends_with(suffix)) out.emplace_back(name.substr(0, name.size() - suffix.size()));
  }
  ::closedir(directory);
  return out;
}

/// Key files: u16 epoch of the key-encryption key, then the secretstream; the record is its
/// associated data.
constexpr std::size_t kEpochBytes = 2;

}  // namespace

RecordStore::RecordStore(std::string directory, crypto::Secret key, std::uint16_t epoch)
    : directory_(std::move(directory)),
      key_encryption_key_(std::move(key)),
      epoch_(epoch),
      writing_(std::make_unique<std::mutex>()) {}

Result<RecordStore> RecordStore::open(std::string directory, crypto::Secret key_encryption_key,
                                      std::uint16_t epoch) {
  ASSERT(key_encryption_key.size() == crypto::kDataKeyBytes);
  TRY(make_directory(directory));
  TRY(make_directory(directory + "/records"));
  TRY(make_directory(directory + "/outgoing"));
  TRY(sync_directory(directory));
  TRY(sweep_temporaries(directory + "/records"));
  TRY(sweep_temporaries(directory + "/outgoing"));
  return RecordStore(std::move(directory), std::move(key_encryption_key), epoch);
}

std::string RecordStore::path_of(const contracts::RecordRef& record, const char* suffix) const {
  return directory_ + "/records/" + record.record.hex() + "." + std::to_string(record.version) +
         suffix;
}

std::string RecordStore::outgoing_path(const GrantId& grant) const {
  return directory_ + "/outgoing/" + grant.hex() + ".wrap";
}

Result<void> RecordStore::put_files(const contracts::RecordRef& record, BytesView ciphertext,
                                    BytesView wrap_content) {
  Bytes key_file;
  Encoder(key_file).integer(epoch_);
  append(key_file,
         crypto::encrypt_stream(key_encryption_key_, associated_data(record), wrap_content));
  const std::string directory = directory_ + "/records";
  // The ciphertext last: a record is there when its ciphertext is. So a key without ciphertext is
  // what a crash left behind, and makes way; only under the lock, or one writer would take away
  // the key of another whose ciphertext is just coming.
  TRY(remove_file(directory, path_of(record, ".key")));
  TRY(write_new_file(directory, path_of(record, ".key"), key_file));
  return write_new_file(directory, path_of(record, ".sealed"), ciphertext);
}

Result<void> RecordStore::put(const SealedRecord& record) {
  const std::lock_guard lock(*writing_);
  if (contains(record.record)) {
    return fail(Errc::already_exists, "vault: this record version is here and stays as it is");
  }
  return put_files(record.record, record.ciphertext, record.wrap_content.view());
}

Result<void> RecordStore::put_received(const contracts::RecordRef& record, BytesView ciphertext,
                                       BytesView wrap) {
  const std::lock_guard lock(*writing_);
  if (contains(record)) {
    const auto stored = this->ciphertext(record);
    const auto content = wrap_content(record);
    if (stored && content && crypto::equal_constant_time(*stored, ciphertext) &&
        crypto::equal_constant_time(content->view(), wrap)) {
      return ok();
    }
    // Whoever calls has checked the bytes against the commitment, and one commitment has one
    // ciphertext and one salt: what lies here is damaged, and would stay so for ever.
    TRY(remove_file(directory_ + "/records", path_of(record, ".sealed")));
  }
  return put_files(record, ciphertext, wrap);
}

bool RecordStore::contains(const contracts::RecordRef& record) const {
  return ::access(path_of(record, ".sealed").c_str(), F_OK) == 0;
}

std::vector<contracts::RecordRef> RecordStore::list() const {
  constexpr std::size_t kIdDigits = 64;
  std::vector<contracts::RecordRef> out;
  for (const std::string& name : names_in(directory_ + "/records", ".sealed")) {
    auto id = RecordId::from_hex_text(std::string_view(name).substr(0, kIdDigits));
    std::uint32_t version = 0;
    const char* digits = name.c_str() + std::min(name.size(), kIdDigits + 1);
    const auto parsed = std::from_chars(digits, name.c_str() + name.size(), version);
    if (id && parsed.ec == std::errc{}) out.push_back({*id, version});
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<Bytes> RecordStore::ciphertext(const contracts::RecordRef& record) const {
  return read_file(path_of(record, ".sealed"));
}

Result<crypto::Secret> RecordStore::wrap_content(const contracts::RecordRef& record) const {
  TRY(const Bytes file, read_file(path_of(record, ".key")));
  if (file.size() < kEpochBytes) return fail(Errc::vault_corrupt, "vault: a key file is cut short");
  std::uint16_t epoch = 0;
  Decoder decoder(file);
  TRY(decoder.integer(epoch));
  if (epoch != epoch_) {
    return fail(Errc::cannot_open, "vault: the key file belongs to another key epoch");
  }
  return crypto::decrypt_stream(key_encryption_key_, associated_data(record),
                                BytesView(file).subspan(kEpochBytes));
}

Result<crypto::Secret> RecordStore::open(const contracts::RecordRef& record,
                                         const Commitment& commitment) const {
  TRY(const Bytes sealed, ciphertext(record));
  TRY(const crypto::Secret content, wrap_content(record));
  return open_record(record, commitment, sealed, content.view());
}

Result<Bytes> RecordStore::put_outgoing(const GrantId& grant, BytesView sealed_wrap) {
  auto stored = write_new_file(directory_ + "/outgoing", outgoing_path(grant), sealed_wrap);
  if (!stored && stored.error().code != Errc::already_exists) return std::move(stored).error();
  return read_file(outgoing_path(grant));
}

Result<Bytes> RecordStore::outgoing(const GrantId& grant) const {
  return read_file(outgoing_path(grant));
}

Result<void> RecordStore::erase_outgoing(const GrantId& grant) {
  return remove_file(directory_ + "/outgoing", outgoing_path(grant));
}

std::vector<GrantId> RecordStore::outgoing_grants() const {
  constexpr std::string_view kSuffix = ".wrap";
  std::vector<GrantId> out;
  const auto names = names_in(directory_ + "/outgoing");
  if (!names) return out;
  for (const std::string_view name : *names) {
    if (!name.ends_with(kSuffix)) continue;
    if (auto id = GrantId::from_hex_text(name.substr(0, name.size() - kSuffix.size()))) {
      out.push_back(*id);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace baolian::vault
