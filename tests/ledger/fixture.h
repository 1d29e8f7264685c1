/// Genesis, keys, blocks and directories for the tests of src/ledger.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "crypto/signing.h"
#include "ledger/chain.h"

namespace baolian::ledger::test {

/// A directory that is removed with its content.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// A value whose bytes all follow from `seed`.
template <typename Id>
Id numbered(std::uint64_t seed) {
  Id id;
  for (std::size_t i = 0; i < Id::kSize; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>((seed >> (8 * (i % 8))) ^ (i * 37));
  }
  return id;
}

/// Two institutions, four voting nodes and an observer, all with toy keys: passes check_genesis().
Genesis make_genesis();

/// State of the genesis as contracts would write it.
StateOverlay::Writes genesis_writes();

/// Signs transactions with `operations` operations, nonce counting up, and gives the leaves that
/// execution would give.
class BlockBuilder {
 public:
  BlockBuilder(const Chain& chain, TimeMs timestamp);
  /// One transaction of applied operations. Returns: the index of its first leaf.
  std::uint32_t add_transaction(std::size_t operations);
  /// One transaction rejected as a whole.
  std::uint32_t add_rejected_transaction();
  /// The same bytes once more, as executed.
  std::uint32_t add_copy(const Bytes& transaction, ReceiptStatus status);
  void append_to(const LogId& log, std::uint32_t leaf_index, std::uint16_t line = 0);
  void write(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  ExecutedBlock take() { return std::move(block_); }
  const ExecutedBlock& block() const { return block_; }

 private:
  Bytes signed_transaction(std::size_t operations) const;

  ChainId chain_id_;
  ExecutedBlock block_;
};

/// Appends one block with one operation appended to `log` per given time; the times do not
/// decrease. Blocks of equal times stay separate.
void append_entries(Chain& chain, const LogId& log, const std::vector<std::uint64_t>& times_ms);

/// A certificate in form only: Chain does not judge signatures.
crypto::ExecCertificate certificate_of(const Header& header);

inline LogId log_of(LogKind kind, std::uint64_t id) { return {kind, numbered<Hash>(id)}; }

}  // namespace baolian::ledger::test
