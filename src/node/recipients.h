/// Who a claim or a stay is of, for notices and payments: a person id by claim or encounter, sealed
/// under the node's key-encryption key. The chain knows pseudonyms only.
#pragma once

#include <string>

#include "vault/sealed_directory.h"

namespace baolian::node {

/// Threads: safe for concurrent use.
class Recipients {
 public:
  /// Returns: Errc::io_failed.
  static Result<Recipients> open(const std::string& directory, crypto::Secret key) {
    TRY(vault::SealedDirectory files,
        vault::SealedDirectory::open(directory, "recipients", std::move(key)));
    return Recipients(std::move(files));
  }

  /// Durably. Returns: Errc::io_failed.
  template <typename Id>
  Result<void> keep(const Id& of, const std::string& person) const {
    if (files_.get(of.hex())) return ok();
    return files_.put(of.hex(), as_bytes(person));
  }
  /// Returns: Errc::not_found, Errc::cannot_open, Errc::io_failed.
  template <typename Id>
  Result<std::string> find(const Id& of) const {
    TRY(const crypto::Secret plain, files_.get(of.hex()));
    return std::string(plain.view().begin(), plain.view().end());
  }

 private:
  explicit Recipients(vault::SealedDirectory files) : files_(std::move(files)) {}
  vault::SealedDirectory files_;
};

}  // namespace baolian::node
