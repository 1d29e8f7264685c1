/// The block header: made by execution, signed in EXEC, chained by parent_hash. No view, no
/// certificate and nothing that depends on a signer stands in it.
#pragma once

#include "core/codec.h"
#include "core/ids.h"
#include "crypto/hash.h"
#include "crypto/validator_set.h"

namespace baolian::ledger {

struct Header {
  static constexpr std::string_view kTypeName = "Header";
  Version<1> version;
  ChainId chain_id;
  Epoch epoch;
  Height height;
  Hash parent_hash;           ///< header hash of height - 1; zeros for block 0
  Hash batch_digest;          ///< what consensus ordered; zeros for block 0
  TimeMs timestamp;           ///< effective block time; never decreases
  Hash operations_root;       ///< RFC 9162 tree over OperationLeaf
  Hash state_root;            ///< compact sparse Merkle tree after this block
  Hash history_root;          ///< RFC 9162 tree over header hashes 0..height-1
  Hash validators_hash;       ///< H(EPOCH) of this epoch
  Hash next_validators_hash;  ///< zeros unless a change is pending
  Height epoch_last_height;   ///< 0 unless a change is pending
  crypto::ConsensusKind consensus_kind = crypto::ConsensusKind::pbft;

  friend bool operator==(const Header&, const Header&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Header::version, "format version"),
        field("chain_id", &Header::chain_id, "H(canonical genesis)"),
        field("epoch", &Header::epoch, "epoch of its validators"),
        field("height", &Header::height, "block height; block 0 is the genesis"),
        field("parent_hash", &Header::parent_hash, "header hash of height - 1; zeros in block 0"),
        field("batch_digest", &Header::batch_digest, "what consensus ordered; zeros in block 0"),
        field("timestamp", &Header::timestamp,
              "block time, ms since 1970-01-01T00:00Z; never decreases"),
        field("operations_root", &Header::operations_root,
              "RFC 9162 root over the operation leaves"),
        field("state_root", &Header::state_root, "root of the sparse Merkle tree after this block"),
        field("history_root", &Header::history_root,
              "RFC 9162 root over header hashes 0..height-1"),
        field("validators_hash", &Header::validators_hash, "H(\"epoch\" || EPOCH record)"),
        field("next_validators_hash", &Header::next_validators_hash,
              "zeros unless a change is pending"),
        field("epoch_last_height", &Header::epoch_last_height, "0 unless a change is pending"),
        field("consensus_kind", &Header::consensus_kind, "trust model of the certificate"));
  }
};

/// H("header" || canonical header).
inline Hash header_hash(const Header& header) {
  return crypto::hash_in_domain(crypto::domain::kHeader, {encode(header)});
}

}  // namespace baolian::ledger
