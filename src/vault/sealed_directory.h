/// A directory of small sealed files: what an institution must keep beside its records and nobody
/// else may read (stays that wait for a consent, forms of consents).
///
/// Each file is NAME.sealed: a secretstream under the node's key-encryption key with purpose ‖ "/"
/// ‖ NAME as associated data, so that no file can stand in the place of another. Durable when
/// put() returns (durable_file.h). Threads: safe for concurrent use on different names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/secret.h"

namespace baolian::vault {

class SealedDirectory {
 public:
  /// Makes the directory in a parent that is there and removes what a crash left half-written.
  /// Requires: a key of 32 bytes. Returns: Errc::io_failed.
  static Result<SealedDirectory> open(std::string directory, std::string purpose,
                                      crypto::Secret key_encryption_key);

  /// In the place of what was there. Requires: a name of [0-9a-z.-]. Returns: Errc::io_failed.
  Result<void> put(std::string_view name, BytesView plain) const;
  /// Returns: Errc::not_found, Errc::cannot_open for changed bytes or another key, Errc::io_failed.
  Result<crypto::Secret> get(std::string_view name) const;
  /// None there is no error. Returns: Errc::io_failed.
  Result<void> erase(std::string_view name) const;
  /// Ascending. Returns: Errc::io_failed.
  Result<std::vector<std::string>> names() const;

 private:
  SealedDirectory(std::string directory, std::string purpose, crypto::Secret key)
      : directory_(std::move(directory)), purpose_(std::move(purpose)), key_(std::move(key)) {}
  std::string path_of(std::string_view name) const;
  std::string associated_data(std::string_view name) const;

  std::string directory_;
  std::string purpose_;
  crypto::Secret key_;
};

}  // namespace baolian::vault
