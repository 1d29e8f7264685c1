/// The chain of chain_bench: a network of four hospitals with Ed25519 keys, and a maker of blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/prng.h"
#include "ledger/chain.h"
#include "node/executor.h"
#include "sim/world.h"

namespace baolian::bench {

inline constexpr std::uint64_t kReadingsPerBlock = 1'000;
inline constexpr std::uint64_t kPersons = 20'000;  ///< each with one record; person 0 has the most

/// Makes blocks of readings. One thread appends; const functions may be called by others.
class ChainMaker {
 public:
  /// The genesis of all these chains.
  static ledger::Genesis genesis();
  /// A new chain with all records registered, or the one that an earlier run left, in store/ of the
  /// directory.
  static Result<std::unique_ptr<ChainMaker>> open(const std::string& directory);

  ledger::Chain& chain() { return *chain_; }
  const ledger::Chain& chain() const { return *chain_; }
  std::uint64_t readings() const;
  /// Executes and certifies one block. Requires: count <= kReadingsPerBlock.
  void append_readings(std::uint64_t count);

  /// What is asked about later stands in blocks that are there now. The first `in_full_blocks`
  /// readings stand in blocks of kReadingsPerBlock.
  void remember_length(std::uint64_t in_full_blocks);
  std::uint64_t readings_before() const { return readings_before_; }

  ledger::LogId log_of_hospital() const;
  ledger::LogId log_of_person(std::uint64_t person) const;
  Bytes record_key(std::uint64_t person) const;
  std::vector<TxId> some_transactions(Prng& prng, std::size_t count) const;
  /// Time of a block with kReadingsPerBlock readings.
  TimeMs random_block_time(Prng& prng) const;

 private:
  ChainMaker();
  void append(std::vector<ledger::Operation> operations);
  void register_records();
  ledger::Operation reading(std::uint64_t person);

  sim::World world_;
  std::unique_ptr<ledger::Chain> chain_;
  std::unique_ptr<node::Executor> executor_;
  Prng prng_{1};
  Height first_readings_;  ///< height of the first block of readings
  Height last_full_;       ///< newest with kReadingsPerBlock readings
  std::uint64_t readings_before_ = 0;
};

}  // namespace baolian::bench
