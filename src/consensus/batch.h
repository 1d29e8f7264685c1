/// What is ordered: a list of transaction hashes with a proposer's time (consensus.md 1.3).
#pragma once

#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "crypto/hash.h"

namespace baolian::consensus {

inline constexpr std::uint32_t kBatchTransactionsMax = 5000;
inline constexpr std::uint32_t kBatchBodyBytesMax = 2 * 1024 * 1024;

/// The batch of one height. No parent hash: slots are ordered in parallel, the hash chain is made
/// at execution. origin_view and proposer are frozen content: a batch that returns through NEW-VIEW
/// keeps them.
struct Batch {
  static constexpr std::string_view kTypeName = "Batch";
  Version<1> version;
  Epoch epoch;
  Height height;
  View origin_view;
  ValidatorIndex proposer = 0;
  TimeMs proposed_at;
  std::vector<TxHash> transactions;

  friend bool operator==(const Batch&, const Batch&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Batch::version, "format version"),
        field("epoch", &Batch::epoch, "epoch in which it is ordered"),
        field("height", &Batch::height, "sequence number n = block height"),
        field("origin_view", &Batch::origin_view, "view of the first proposal; frozen"),
        field("proposer", &Batch::proposer, "validator index of the first proposer; frozen"),
        field("proposed_at", &Batch::proposed_at, "proposer's time, ms"),
        field("transactions", &Batch::transactions, at_most(kBatchTransactionsMax),
              "transaction hashes in order"));
  }
};

/// d = H("batch" || canonical batch).
inline Hash batch_digest(BytesView canonical_batch) {
  return crypto::hash_in_domain(crypto::domain::kBatch, {canonical_batch});
}
/// NULL(n) = H("null" || chain_id || u64 epoch || u64 n): an empty block that view change puts
/// where nothing was prepared.
Hash null_digest(const ChainId& chain, Epoch epoch, Height height);

}  // namespace baolian::consensus
