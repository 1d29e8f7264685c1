/// A snapshot: the state of one height as 4,096 chunks that are verified alone (state_chunk.h), and
/// the head that says under which certified header they stand (consensus.md 1.8). Nothing of it
/// stands on the chain: whoever trusts the genesis can check it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/codec.h"
#include "core/result.h"
#include "crypto/certificate.h"
#include "crypto/signing.h"
#include "crypto/validator_set.h"
#include "ledger/genesis.h"
#include "ledger/header.h"
#include "ledger/merkle.h"
#include "ledger/state_tree.h"
#include "ledger/state_view.h"
#include "ledger/trail.h"

namespace baolian::ledger {

/// No certificate is further above its block: consensus signs every height of its window.
inline constexpr std::uint32_t kSnapshotLaterHeadersMax = 1024;

struct SnapshotHead {
  static constexpr std::string_view kTypeName = "SnapshotHead";
  Version<1> version;
  Header header;  ///< its state_root is what the chunks are checked against
  std::vector<Header> later_headers;
  crypto::ExecCertificate certificate;
  Frontier history;  ///< over the hashes of headers 0..height-1, so that the history can go on
  std::vector<TrailLink> trail;
  std::optional<crypto::EpochRecord> pending;

  friend bool operator==(const SnapshotHead&, const SnapshotHead&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &SnapshotHead::version, "format version"),
        field("header", &SnapshotHead::header, "header of the snapshot's height"),
        field(
            "later_headers", &SnapshotHead::later_headers, at_most(kSnapshotLaterHeadersMax),
            "headers of the following heights up to the certificate's; none if it is of this one"),
        field("certificate", &SnapshotHead::certificate,
              "ExecCert of the header, or of the last of later_headers"),
        field("history", &SnapshotHead::history,
              "frontier over the hashes of headers 0..height-1; gives history_root"),
        field("trail", &SnapshotHead::trail, at_most(kTrailLinksMax),
              "changes of validators since the genesis"),
        field("pending", &SnapshotHead::pending,
              "EPOCH record of the change that the header announces"));
  }
};

/// Everything that the head says follows from the genesis and signatures of a quorum.
/// Requires: a checked genesis. Returns: Errc::evidence_invalid, which says what does not; the
/// errors of crypto::check_certificate.
Result<void> check_snapshot_head(const SnapshotHead& head, const Genesis& genesis,
                                 const crypto::Verifier& verifier);

/// What Chain::cut() keeps of one moment between two blocks, from which the chunks are made in
/// peace. Holding it keeps old rows on the disk. Lives no longer than its chain.
struct SnapshotCut {
  Header header;
  Frontier history;                   ///< over headers 0..height-1
  std::vector<StateProof> proofs;     ///< of the chunks, by number
  std::unique_ptr<StateReader> rows;  ///< the state of that height
};

}  // namespace baolian::ledger
