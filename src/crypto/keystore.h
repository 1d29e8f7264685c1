/// The node's secrets in one file: Argon2id (moderate, one derivation a start) makes the key,
/// XChaCha20-Poly1305 seals the entries with the header as associated data. Mode 0600, written to a
/// temporary name, fsynced, renamed. Layout: docs/formats.md, Keystore.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "crypto/secret.h"

namespace baolian::crypto {

/// Named secrets: "consensus", "tls", "https", "member/…", "subject-key/…", "kek/1".
class Keystore {
 public:
  struct Entry {
    std::string name;  ///< 1..128 bytes of [a-z0-9/_.-]
    Secret secret;     ///< 1..8192 bytes
  };

  /// Argon2id cost. `moderate` is for real keystores (256 MiB, 3 passes); `interactive` for tests
  /// and demos of many nodes on one machine (64 MiB, 2 passes). The cost is in the authenticated
  /// header.
  enum class Cost : std::uint8_t { moderate = 1, interactive = 2 };

  static constexpr std::size_t kEntriesMax = 1024;

  Keystore() = default;

  /// Returns: Errc::bad_argument for a bad name or size, Errc::already_exists, Errc::limit_exceeded
  /// above kEntriesMax.
  Result<void> add(std::string name, Secret secret);
  /// The secret, or nullptr. Valid until the keystore changes.
  const Secret* find(std::string_view name) const;
  /// Like find. Returns: Errc::not_found.
  Result<const Secret*> require(std::string_view name) const;
  const std::vector<Entry>& entries() const { return entries_; }

  /// The file's bytes. The salt and nonce are fresh. Returns: Errc::bad_passphrase if it is empty,
  /// Errc::busy if there is not enough memory for the derivation.
  Result<Bytes> seal(const Secret& passphrase, Cost cost) const;
  /// Returns: Errc::bad_passphrase (wrong passphrase or changed bytes: the two cannot be told
  /// apart), truncated, unknown_version and the other codec errors for a malformed file.
  static Result<Keystore> open(BytesView file, const Secret& passphrase);

  /// The two steps of open: the slow derivation with the file's salt and cost, then the rest, so
  /// that a program that opens a file again keeps the key and not the passphrase. Errors as open.
  static Result<Secret> derive_key(BytesView file, const Secret& passphrase);
  static Result<Keystore> open_with_key(BytesView file, const Secret& key);

  /// Returns: Errc::io_failed, Errc::already_exists if the file is there (it stays as it was).
  Result<void> save_new(const std::string& path, const Secret& passphrase, Cost cost) const;
  /// Returns: Errc::not_found, Errc::io_failed, and the errors of open.
  static Result<Keystore> load(const std::string& path, const Secret& passphrase);

 private:
  std::vector<Entry> entries_;  // ascending by name
};

/// Reads a passphrase from a file descriptor up to its end or a line break; never from argv or the
/// environment. Returns: Errc::io_failed; Errc::bad_passphrase if empty or above 1,024 bytes.
Result<Secret> read_passphrase(int file_descriptor);

}  // namespace baolian::crypto
