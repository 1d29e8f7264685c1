/// Public contents that the chain names by hash: products and code maps. Kept as they are, one file
/// each, under `<data>/contents`; asked of other nodes where they are missing. A wrong answer has
/// another hash and is not taken.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "contracts/adjudication/code_map.h"
#include "contracts/adjudication/product.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian::node {

/// H("public" || bytes).
Hash public_hash(BytesView bytes);

/// Threads: safe for concurrent use.
class PublicContents {
 public:
  /// Returns: Errc::io_failed.
  static Result<std::unique_ptr<PublicContents>> open(const std::string& directory);

  /// Durably; gives back its hash. The same content again is no error. Returns: Errc::io_failed.
  Result<Hash> put(BytesView bytes);
  bool contains(const Hash& content) const;
  /// Returns: Errc::not_found; Errc::vault_corrupt if the file is not what its name says.
  Result<Bytes> bytes(const Hash& content) const;
  /// Decoded and checked. Returns: as bytes(); Errc::bad_argument for content that is no product.
  Result<contracts::Product> product(const Hash& content) const;
  Result<contracts::CodeMap> code_map(const Hash& content) const;

 private:
  explicit PublicContents(std::string directory) : directory_(std::move(directory)) {}
  std::string path_of(const Hash& content) const;

  std::string directory_;
};

}  // namespace baolian::node
