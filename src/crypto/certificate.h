/// Certificates: Q signatures of an epoch's validators over one object. Consensus makes them,
/// evidence checks them. A certificate is never hashed into a header: many certificates for one
/// object are equally valid.
#pragma once

#include "core/codec.h"
#include "crypto/signing.h"
#include "crypto/validator_set.h"

namespace baolian::crypto {

struct IndexedSignature {
  static constexpr std::string_view kTypeName = "IndexedSignature";
  ValidatorIndex validator = 0;
  Signature signature;

  friend auto operator<=>(const IndexedSignature& a, const IndexedSignature& b) {
    return a.validator <=> b.validator;  // strictly ascending = no signer twice
  }
  friend bool operator==(const IndexedSignature& a, const IndexedSignature& b) {
    return a.validator == b.validator && a.signature == b.signature;
  }
  static constexpr auto fields() {
    return field_list(
        field("validator", &IndexedSignature::validator, "position in the epoch's list of keys"),
        field("signature", &IndexedSignature::signature, "signature over the signed bytes"));
  }
};

/// Strictly ascending by validator.
using Signatures = std::vector<IndexedSignature>;

/// Body of PREPARE and COMMIT: the digest d for sequence number n in view v.
struct Vote {
  static constexpr std::string_view kTypeName = "Vote";
  View view;
  Height height;
  Hash digest;

  friend bool operator==(const Vote&, const Vote&) = default;
  static constexpr auto fields() {
    return field_list(field("view", &Vote::view, "view v"),
                      field("height", &Vote::height, "sequence number n = block height"),
                      field("digest", &Vote::digest, "batch digest d"));
  }
};

/// Body of EXEC, the PBFT checkpoint of every height: what execution gave.
struct ExecVote {
  static constexpr std::string_view kTypeName = "ExecVote";
  Height height;
  Hash header_hash;

  friend bool operator==(const ExecVote&, const ExecVote&) = default;
  static constexpr auto fields() {
    return field_list(
        field("height", &ExecVote::height, "block height"),
        field("header_hash", &ExecVote::header_hash, "H(\"header\" || canonical header)"));
  }
};

/// Q PREPAREs or COMMITs for the same (v, n, d).
struct VoteCertificate {
  static constexpr std::string_view kTypeName = "VoteCertificate";
  Epoch epoch;
  Vote vote;
  Signatures signatures;

  friend bool operator==(const VoteCertificate&, const VoteCertificate&) = default;
  static constexpr auto fields() {
    return field_list(field("epoch", &VoteCertificate::epoch, "epoch of the signers"),
                      field("vote", &VoteCertificate::vote, "what they signed"),
                      field("signatures", &VoteCertificate::signatures, set_of(127), "who signed"));
  }
};

/// ExecCert: Q EXECs for one height = stable checkpoint = receipt proof = client acknowledgement.
struct ExecCertificate {
  static constexpr std::string_view kTypeName = "ExecCertificate";
  Epoch epoch;
  ExecVote vote;
  Signatures signatures;

  friend bool operator==(const ExecCertificate&, const ExecCertificate&) = default;
  static constexpr auto fields() {
    return field_list(field("epoch", &ExecCertificate::epoch, "epoch of the signers"),
                      field("vote", &ExecCertificate::vote, "height and header hash"),
                      field("signatures", &ExecCertificate::signatures, set_of(127), "who signed"));
  }
};

/// Checks signers and signatures over `body_hash` for `type`: strictly ascending, every index a
/// validator, at least the quorum of the epoch's consensus kind, every signature valid. Returns:
/// Errc::bad_certificate with the reason.
Result<void> check_signatures(const Signatures& signatures, ObjectType type, const Hash& body_hash,
                              const ChainId& chain, const EpochRecord& epoch,
                              const Verifier& verifier);

/// Returns: Errc::bad_certificate; Errc::wrong_epoch if certificate and record name different
/// epochs.
Result<void> check_certificate(const ExecCertificate& certificate, const ChainId& chain,
                               const EpochRecord& epoch, const Verifier& verifier);
/// `type` is ObjectType::prepare or ObjectType::commit.
Result<void> check_certificate(const VoteCertificate& certificate, ObjectType type,
                               const ChainId& chain, const EpochRecord& epoch,
                               const Verifier& verifier);

}  // namespace baolian::crypto
