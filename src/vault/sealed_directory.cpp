#include "vault/sealed_directory.h"

#include "core/assert.h"
#include "crypto/secretstream.h"
#include "vault/durable_file.h"

namespace baolian::vault {
namespace {

constexpr std::string_view kSuffix = ".sealed";

}  // namespace

Result<SealedDirectory> SealedDirectory::open(std::string directory, std::string purpose,
                                              crypto::Secret key_encryption_key) {
  ASSERT(key_encryption_key.size() == crypto::kDataKeyBytes);
  TRY(make_directory(directory));
  TRY(sync_directory(directory + "/.."));
  TRY(sweep_temporaries(directory));
  return SealedDirectory(std::move(directory), std::move(purpose), std::move(key_encryption_key));
}

std::string SealedDirectory::path_of(std::string_view name) const {
  return std::string(directory_).append("/").append(name).append(kSuffix);
}

std::string SealedDirectory::associated_data(std::string_view name) const {
  return std::string(purpose_).append("/").append(name);
}

Result<void> SealedDirectory::put(std::string_view name, BytesView plain) const {
  return replace_file(path_of(name),
                      crypto::encrypt_stream(key_, as_bytes(associated_data(name)), plain));
}

Result<crypto::Secret> SealedDirectory::get(std::string_view name) const {
  TRY(const Bytes sealed, read_file(path_of(name)));
  return crypto::decrypt_stream(key_, as_bytes(associated_data(name)), sealed);
}

Result<void> SealedDirectory::erase(std::string_view name) const {
  return remove_file(path_of(name));
}

Result<std::vector<std::string>> SealedDirectory::names() const {
  return names_in(directory_, kSuffix);
}

}  // namespace baolian::vault
