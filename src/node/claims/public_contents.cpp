#include "node/claims/public_contents.h"

#include <filesystem>

#include "crypto/hash.h"
#include "vault/durable_file.h"

namespace baolian::node {

Hash public_hash(BytesView bytes) {
  return crypto::hash_in_domain(crypto::domain::kPublicContent, {bytes});
}

Result<std::unique_ptr<PublicContents>> PublicContents::open(const std::string& directory) {
  TRY(vault::make_directory(directory));
  TRY(vault::sweep_temporaries(directory));
  return std::unique_ptr<PublicContents>(new PublicContents(directory));
}

std::string PublicContents::path_of(const Hash& content) const {
  return directory_ + "/" + content.hex() + ".content";
}

Result<Hash> PublicContents::put(BytesView bytes) {
  const Hash hash = public_hash(bytes);
  if (contains(hash)) return hash;
  auto written = vault::create_file(path_of(hash), bytes);
  if (!written && written.error().code != Errc::already_exists) return std::move(written).error();
  return hash;
}

bool PublicContents::contains(const Hash& content) const {
  std::error_code error;
  return std::filesystem::exists(path_of(content), error);
}

Result<Bytes> PublicContents::bytes(const Hash& content) const {
  TRY(Bytes bytes, vault::read_file(path_of(content)));
  if (public_hash(bytes) != content) {
    return fail(Errc::vault_corrupt,
                "a file of contents/ is not what its name says; remove it, "
                "it is fetched again");
  }
  return bytes;
}

Result<contracts::Product> PublicContents::product(const Hash& content) const {
  TRY(const Bytes raw, bytes(content));
  TRY(contracts::Product product, decode<contracts::Product>(raw));
  TRY(contracts::check_product(product));
  return product;
}

Result<contracts::CodeMap> PublicContents::code_map(const Hash& content) const {
  TRY(const Bytes raw, bytes(content));
  TRY(contracts::CodeMap map, decode<contracts::CodeMap>(raw));
  TRY(contracts::check_code_map(map));
  return map;
}

}  // namespace baolian::node
