#include "vault/record_store.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "crypto/secretstream.h"
#include "vault/durable_file.h"

namespace baolian::vault {
namespace {

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
  // The ciphertext last: a record is there when its ciphertext is. So a key without ciphertext is
  // what a crash left behind, and makes way; only under the lock, or one writer would take away
  // the key of another whose ciphertext is just coming.
  TRY(remove_file(path_of(record, ".key")));
  TRY(create_file(path_of(record, ".key"), key_file));
  return create_file(path_of(record, ".sealed"), ciphertext);
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
    TRY(remove_file(path_of(record, ".sealed")));
  }
  return put_files(record, ciphertext, wrap);
}

bool RecordStore::contains(const contracts::RecordRef& record) const {
  return ::access(path_of(record, ".sealed").c_str(), F_OK) == 0;
}

std::vector<contracts::RecordRef> RecordStore::list() const {
  constexpr std::size_t kIdDigits = 64;
  std::vector<contracts::RecordRef> out;
  const auto names = names_in(directory_ + "/records", ".sealed");
  if (!names) return out;
  for (const std::string& name : *names) {
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
  auto stored = create_file(outgoing_path(grant), sealed_wrap);
  if (!stored && stored.error().code != Errc::already_exists) return std::move(stored).error();
  return read_file(outgoing_path(grant));
}

Result<Bytes> RecordStore::outgoing(const GrantId& grant) const {
  return read_file(outgoing_path(grant));
}

bool RecordStore::has_outgoing(const GrantId& grant) const {
  std::error_code error;
  return std::filesystem::exists(outgoing_path(grant), error) || error;
}

Result<void> RecordStore::erase_outgoing(const GrantId& grant) {
  return remove_file(outgoing_path(grant));
}

std::vector<GrantId> RecordStore::outgoing_grants() const {
  std::vector<GrantId> out;
  const auto names = names_in(directory_ + "/outgoing", ".wrap");
  if (!names) return out;
  for (const std::string& name : *names) {
    if (auto id = GrantId::from_hex_text(name)) out.push_back(*id);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace baolian::vault
