#include "crypto/keystore.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/codec.h"
#include "crypto/random.h"

namespace baolian::crypto {

constexpr auto enum_names(Keystore::Cost) {
  return std::array<std::string_view, 3>{"", "moderate", "interactive"};
}

namespace {

constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kSecretBytesMax = 8192;
constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

/// The authenticated beginning of the file: all of it is associated data of the sealed entries.
struct KeystoreHeader {
  static constexpr std::string_view kTypeName = "KeystoreHeader";
  Version<1> version;
  Keystore::Cost cost = Keystore::Cost::moderate;
  FixedBytes<struct KeystoreSaltTag, crypto_pwhash_SALTBYTES> salt;
  FixedBytes<struct KeystoreNonceTag, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES> nonce;

  static constexpr auto fields() {
    return field_list(field("version", &KeystoreHeader::version, "format version"),
                      field("cost", &KeystoreHeader::cost, "cost of Argon2id"),
                      field("salt", &KeystoreHeader::salt, "salt of Argon2id"),
                      field("nonce", &KeystoreHeader::nonce, "nonce of XChaCha20-Poly1305"));
  }
};
constexpr std::size_t kHeaderBytes =
    2 + crypto_pwhash_SALTBYTES + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kFileBytesMax =
    kHeaderBytes + kTagBytes + 4 +
    Keystore::kEntriesMax * (4 + kNameBytesMax + 4 + kSecretBytesMax);

Result<void> check_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_' || c == '.' ||
           c == '-';
  };
  if (!name.empty() && name.size() <= kNameBytesMax &&
      std::all_of(name.begin(), name.end(), allowed)) {
    return ok();
  }
  return fail(Errc::bad_argument, "a keystore name is not 1..128 characters of a-z 0-9 / _ . -");
}

Result<void> check_secret_size(std::size_t size_bytes) {
  if (size_bytes >= 1 && size_bytes <= kSecretBytesMax) return ok();
  return fail(Errc::bad_argument, "a secret of a keystore is not 1..8192 bytes long");
}

Result<Secret> derive(const KeystoreHeader& header, const Secret& passphrase) {
  initialize();
  if (passphrase.empty()) return fail(Errc::bad_passphrase, "the keystore passphrase is empty");
  const bool moderate = header.cost == Keystore::Cost::moderate;
  Secret key(kKeyBytes);
  if (crypto_pwhash(key.mutable_view().data(), key.size(),
                    reinterpret_cast<const char*>(passphrase.view().data()), passphrase.size(),
                    header.salt.bytes.data(),
                    moderate ? crypto_pwhash_OPSLIMIT_MODERATE : crypto_pwhash_OPSLIMIT_INTERACTIVE,
                    moderate ? crypto_pwhash_MEMLIMIT_MODERATE : crypto_pwhash_MEMLIMIT_INTERACTIVE,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(Errc::busy, "not enough memory to derive the keystore key with Argon2id");
  }
  return key;
}

Result<KeystoreHeader> read_header(BytesView file) {
  KeystoreHeader header;
  Decoder decoder(file.first(std::min(file.size(), kHeaderBytes)));
  TRY(decoder.value(header));
  if (file.size() < kHeaderBytes + kTagBytes) {
    return fail(Errc::truncated, "the keystore file ends before its sealed entries do");
  }
  return header;
}

// The entries are written and read by hand instead of through the codec (whose bytes these are: a
// list of {text name, bytes secret}, strictly ascending by name), because the codec's buffers are
// plain memory that would keep copies of the secrets.

class SecretWriter {
 public:
  explicit SecretWriter(Secret& out) : rest_(out.mutable_view()) {}
  ~SecretWriter() { ASSERT(rest_.empty()); }

  void length(std::size_t size) {
    std::array<std::uint8_t, 4> raw{};
    for (std::size_t i = 0; i < raw.size(); ++i)
      raw[i] = static_cast<std::uint8_t>(size >> (8 * i));
    bytes(raw);
  }
  void bytes(BytesView more) {
    ASSERT(more.size() <= rest_.size());
    std::copy(more.begin(), more.end(), rest_.begin());
    rest_ = rest_.subspan(more.size());
  }

 private:
  std::span<std::uint8_t> rest_;
};

class SecretReader {
 public:
  explicit SecretReader(BytesView in) : rest_(in) {}

  bool at_end() const { return rest_.empty(); }
  Result<std::size_t> length() {
    TRY(const BytesView raw, take(4));
    std::size_t size = 0;
    for (std::size_t i = raw.size(); i-- > 0;) size = size << 8 | raw[i];
    return size;
  }
  Result<BytesView> bytes() {
    TRY(const std::size_t size, length());
    return take(size);
  }

 private:
  Result<BytesView> take(std::size_t size) {
    if (size > rest_.size()) return fail(Errc::truncated, "the keystore entries end too early");
    const BytesView out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }

  BytesView rest_;
};

Secret encode_entries(const std::vector<Keystore::Entry>& entries) {
  std::size_t size_bytes = 4;
  for (const auto& entry : entries) size_bytes += 8 + entry.name.size() + entry.secret.size();
  Secret out(size_bytes);
  SecretWriter writer(out);
  writer.length(entries.size());
  for (const auto& entry : entries) {
    writer.length(entry.name.size());
    writer.bytes(as_bytes(entry.name));
    writer.length(entry.secret.size());
    writer.bytes(entry.secret.view());
  }
  return out;
}

Error io_error(const char* what, const std::string& path) {
  return fail(Errc::io_failed, std::string(what) + " " + path + ": " + std::strerror(errno));
}

/// An open file that closes itself.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

bool write_all(int descriptor, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

Result<void> write_durably(const std::string& path, BytesView bytes) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return io_error("cannot create", path);
  // fchmod: whatever the umask says, the mode is exactly this.
  if (::fchmod(file.descriptor(), 0600) != 0 || !write_all(file.descriptor(), bytes) ||
      ::fsync(file.descriptor()) != 0) {
    return io_error("cannot write", path);
  }
  return ok();
}

/// Renames without ever replacing a file, also one that appears at this moment.
Result<void> rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return ok();
  if (errno == EEXIST) return fail(Errc::already_exists, "there is a keystore already: " + to);
  if (errno != EINVAL && errno != ENOSYS) return io_error("cannot rename to", to);
  // A file system without that flag: a hard link is refused just the same if the name is taken.
  if (::link(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) return fail(Errc::already_exists, "there is a keystore already: " + to);
    return io_error("cannot link to", to);
  }
  if (::unlink(from.c_str()) != 0) return io_error("cannot remove", from);
  return ok();
}

Result<void> sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || ::fsync(file.descriptor()) != 0) {
    return io_error("cannot sync the directory", directory);
  }
  return ok();
}

Result<Bytes> read_file(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return fail(Errc::not_found, "there is no keystore " + path);
    return io_error("cannot open", path);
  }
  Bytes out;
  std::array<std::uint8_t, 16 * 1024> chunk{};
  while (true) {
    const ssize_t count = ::read(file.descriptor(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("cannot read", path);
    if (count == 0) return out;
    append(out, BytesView(chunk).first(static_cast<std::size_t>(count)));
    if (out.size() > kFileBytesMax) {
      return fail(Errc::limit_exceeded, "larger than any keystore: " + path);
    }
  }
}

auto position_of(const std::vector<Keystore::Entry>& entries, std::string_view name) {
  return std::lower_bound(
      entries.begin(), entries.end(), name,
      [](const Keystore::Entry& entry, std::string_view wanted) { return entry.name < wanted; });
}

}  // namespace

Result<void> Keystore::add(std::string name, Secret secret) {
  TRY(check_name(name));
  TRY(check_secret_size(secret.size()));
  const auto at = position_of(entries_, name);
  if (at != entries_.end() && at->name == name) {
    return fail(Errc::already_exists, "the keystore has an entry of this name: " + name);
  }
  if (entries_.size() >= kEntriesMax) {
    return fail(Errc::limit_exceeded, "a keystore holds at most 1024 entries");
  }
  entries_.insert(at, Entry{.name = std::move(name), .secret = std::move(secret)});
  return ok();
}

const Secret* Keystore::find(std::string_view name) const {
  const auto at = position_of(entries_, name);
  return at != entries_.end() && at->name == name ? &at->secret : nullptr;
}

Result<const Secret*> Keystore::require(std::string_view name) const {
  const Secret* const secret = find(name);
  if (secret != nullptr) return secret;
  return fail(Errc::not_found, "the keystore has no entry " + std::string(name));
}

Result<Bytes> Keystore::seal(const Secret& passphrase, Cost cost) const {
  KeystoreHeader header;
  header.cost = cost;
  fill_random(header.salt.bytes);
  fill_random(header.nonce.bytes);
  TRY(const Secret key, derive(header, passphrase));
  const Secret plain = encode_entries(entries_);
  Bytes out = encode(header);
  ASSERT(out.size() == kHeaderBytes);
  out.resize(kHeaderBytes + plain.size() + kTagBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      out.data() + kHeaderBytes, nullptr, plain.view().data(), plain.size(), out.data(),
      kHeaderBytes, nullptr, header.nonce.bytes.data(), key.view().data());
  return out;
}

Result<Secret> Keystore::derive_key(BytesView file, const Secret& passphrase) {
  TRY(const KeystoreHeader header, read_header(file));
  return derive(header, passphrase);
}

Result<Keystore> Keystore::open_with_key(BytesView file, const Secret& key) {
  ASSERT(key.size() == kKeyBytes);
  TRY(const KeystoreHeader header, read_header(file));
  const BytesView sealed = file.subspan(kHeaderBytes);
  Secret plain(sealed.size() - kTagBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          plain.mutable_view().data(), nullptr, nullptr, sealed.data(), sealed.size(), file.data(),
          kHeaderBytes, header.nonce.bytes.data(), key.view().data()) != 0) {
    return fail(Errc::bad_passphrase, "wrong passphrase, or the keystore file was changed");
  }
  Keystore out;
  SecretReader reader(plain.view());
  TRY(const std::size_t count, reader.length());
  if (count > kEntriesMax) return fail(Errc::limit_exceeded, "more than 1024 keystore entries");
  for (std::size_t i = 0; i < count; ++i) {
    TRY(const BytesView name, reader.bytes());
    TRY(const BytesView secret, reader.bytes());
    TRY(check_secret_size(secret.size()));
    if (!out.entries_.empty() && !(out.entries_.back().name < as_text(name))) {
      return fail(Errc::not_canonical, "the keystore entries are not strictly ascending");
    }
    TRY(out.add(std::string(as_text(name)), Secret::copy_of(secret)));
  }
  if (!reader.at_end()) return fail(Errc::trailing_bytes, "bytes follow the keystore entries");
  return out;
}

Result<Keystore> Keystore::open(BytesView file, const Secret& passphrase) {
  TRY(const Secret key, derive_key(file, passphrase));
  return open_with_key(file, key);
}

Result<void> Keystore::save_new(const std::string& path, const Secret& passphrase,
                                Cost cost) const {
  TRY(const Bytes file, seal(passphrase, cost));
  std::array<std::uint8_t, 8> unique{};
  fill_random(unique);
  const std::string temporary = path + ".new-" + to_hex(unique);
  Result<void> outcome = write_durably(temporary, file);
  if (outcome.has_value()) outcome = rename_new(temporary, path);
  if (!outcome.has_value()) {
    ::unlink(temporary.c_str());
    return outcome;
  }
  return sync_directory_of(path);
}

Result<Keystore> Keystore::load(const std::string& path, const Secret& passphrase) {
  TRY(const Bytes file, read_file(path));
  return open(file, passphrase);
}

Result<Secret> read_passphrase(int file_descriptor) {
  constexpr std::size_t kPassphraseBytesMax = 1024;
  Secret buffer(kPassphraseBytesMax + 1);
  std::size_t size = 0;
  while (size < buffer.size()) {
    // One byte at a time: what follows the line break belongs to whoever reads next.
    const ssize_t count = ::read(file_descriptor, buffer.mutable_view().data() + size, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return fail(Errc::io_failed,
                  std::string("cannot read the passphrase: ") + std::strerror(errno));
    }
    if (count == 0 || buffer.view()[size] == '\n') break;
    ++size;
  }
  if (size == 0) return fail(Errc::bad_passphrase, "the passphrase is empty");
  if (size > kPassphraseBytesMax) {
    return fail(Errc::bad_passphrase, "the passphrase is longer than 1,024 bytes");
  }
  return Secret::copy_of(buffer.view().first(size));
}

}  // namespace baolian::crypto
