/// The key gate: a data key leaves a custodian's vault only on a release that is certified, and
/// reaches a reader's vault only as what was committed to (privacy.md, Release).
///
/// Custodian: prepare() makes the sealed wrap and stores it durably before the release operation
/// names its hash; deliver() hands out wrap and ciphertext only against the certified operation,
/// and always the same bytes. Reader: accept() checks the whole chain of hashes before a byte is
/// stored.
#pragma once

#include <cstdint>
#include <vector>

#include "contracts/operations.h"
#include "core/codec.h"
#include "crypto/certificate.h"
#include "crypto/sealed_box.h"
#include "ledger/header.h"
#include "ledger/transaction.h"
#include "vault/record_store.h"

namespace baolian::vault {

/// Headers between a block and the certificate that covers it: a height that was never certified
/// itself is certified by a later one, which it leads to by parent_hash.
inline constexpr std::uint32_t kLaterHeadersMax = 1024;

/// An operation in a certified block: everything that proves it to somebody who trusts the
/// validators' keys alone.
struct CertifiedOperation {
  static constexpr std::string_view kTypeName = "CertifiedOperation";
  Version<1> version;
  ledger::Header header;
  std::vector<ledger::Header> later;  ///< empty if the certificate is of `header` itself
  crypto::ExecCertificate certificate;
  ledger::OperationLeaf leaf;
  std::uint32_t leaf_index = 0;
  std::uint32_t leaf_count = 0;
  std::vector<Hash> path;

  static constexpr auto fields() {
    return field_list(
        field("version", &CertifiedOperation::version, "format version"),
        field("header", &CertifiedOperation::header, "header of the block"),
        field("later", &CertifiedOperation::later, at_most(kLaterHeadersMax),
              "headers of the next heights, up to the certified one; empty if it is that block"),
        field("certificate", &CertifiedOperation::certificate, "of the last of these headers"),
        field("leaf", &CertifiedOperation::leaf, "the operation with its receipt"),
        field("leaf_index", &CertifiedOperation::leaf_index, "position in operations_root"),
        field("leaf_count", &CertifiedOperation::leaf_count, "leaves of the block"),
        field("path", &CertifiedOperation::path, at_most(32), "inclusion path, RFC 9162"));
  }
};

/// What the gate trusts: the chain and the validators' keys.
struct TrustRoot {
  ChainId chain_id;
  const crypto::EpochRecord& epoch;
  const crypto::Verifier& verifier;
};

/// Certificate over the header, or over a later one that it leads to; leaf under its
/// operations_root. All headers are of the epoch of `trust`.
/// Returns: Errc::no_certified_release with the first thing that does not hold.
Result<void> check_certified(const CertifiedOperation& operation, const TrustRoot& trust);

/// What goes to the reader over the mesh.
struct Delivery {
  static constexpr std::string_view kTypeName = "Delivery";
  Version<1> version;
  CertifiedOperation release;
  Bytes sealed_wrap;
  Bytes ciphertext;

  static constexpr auto fields() {
    return field_list(field("version", &Delivery::version, "format version"),
                      field("release", &Delivery::release, "the certified release"),
                      field("sealed_wrap", &Delivery::sealed_wrap, at_most(1024),
                            "sealed box to the reader's vault"),
                      field("ciphertext", &Delivery::ciphertext,
                            at_most(kRecordBytesMax + 64 * 1024), "the sealed record"));
  }
};

/// A grant as the chain keeps it.
struct GrantFacts {
  GrantId grant;
  contracts::RecordRef record;
  Commitment commitment;    ///< of that version, as registered
  EncryptionKey recipient;  ///< key of the reader's vault at grant height
};

class ReleaseGate {
 public:
  /// Both outlive the gate.
  ReleaseGate(RecordStore& store, const crypto::EncryptionKeyPair& own_key)
      : store_(store), own_key_(own_key) {}

  struct Prepared {
    Hash wrap_hash;
    Hash ciphertext_hash;
  };
  /// Custodian: wraps the data key for the grant's recipient, durably, once; later calls give the
  /// same hashes. Returns: Errc::not_found if the record is not here, Errc::wrong_record_version if
  /// what is here is not what the chain has a commitment of, Errc::bad_public_key.
  Result<Prepared> prepare(const GrantFacts& grant);

  /// Custodian: hands out what prepare() made, against its certified release.
  /// Returns: Errc::no_certified_release if the operation is no certified and applied release of
  /// this very wrap and ciphertext; Errc::not_found if there is no wrap (received or expired);
  /// Errc::io_failed.
  Result<Delivery> deliver(const CertifiedOperation& release, const GrantFacts& grant,
                           const TrustRoot& trust) const;

  /// Custodian: whether prepare() made a wrap that is not forgotten.
  bool has_prepared(const GrantId& grant) const { return store_.has_outgoing(grant); }

  /// Reader: checks delivery against the grant and stores the copy.
  /// Returns: Errc::no_certified_release, Errc::cannot_open, Errc::bad_commitment,
  /// Errc::wrong_record_version: what arrived is not what was committed to (receive with result
  /// mismatch).
  Result<void> accept(const Delivery& delivery, const GrantFacts& grant, const TrustRoot& trust);

  /// Custodian: the wrap is received or expired. What could not be removed stays among
  /// RecordStore::outgoing_grants(), so a sweep over those forgets it again.
  void forget(const GrantId& grant) { static_cast<void>(store_.erase_outgoing(grant)); }

 private:
  RecordStore& store_;
  const crypto::EncryptionKeyPair& own_key_;
};

}  // namespace baolian::vault
