#include "crypto/certificate.h"

#include <string>

namespace baolian::crypto {
namespace {

Error bad(std::string why) { return fail(Errc::bad_certificate, "certificate: " + why); }

Result<void> check_epoch(Epoch certificate, const EpochRecord& record) {
  if (certificate == record.epoch) return ok();
  return fail(Errc::wrong_epoch, "certificate of epoch " + std::to_string(certificate.value) +
                                     " checked with the validators of epoch " +
                                     std::to_string(record.epoch.value));
}

/// What costs no signature check: enough signers, each a validator, none twice.
Result<void> check_signers(const Signatures& signatures, const EpochRecord& epoch) {
  const std::size_t count = epoch.validators.size();
  if (count == 0) return bad("the epoch has no validators");
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    const ValidatorIndex index = signatures[i].validator;
    if (i > 0 && signatures[i - 1].validator >= index) {
      return bad("signers are not strictly ascending");
    }
    if (index >= count) {
      return bad("signer " + std::to_string(index) + " is none of the " + std::to_string(count) +
                 " validators");
    }
  }
  const std::size_t needed = Quorum{count}.quorum(epoch.consensus_kind);
  if (signatures.size() < needed) {
    return bad(std::to_string(signatures.size()) + " signatures, needed are " +
               std::to_string(needed));
  }
  return ok();
}

}  // namespace

Result<void> check_signatures(const Signatures& signatures, ObjectType type, const Hash& body_hash,
                              const ChainId& chain, const EpochRecord& epoch,
                              const Verifier& verifier) {
  TRY(check_signers(signatures, epoch));
  const SignedBytes message = signed_bytes(type, chain, epoch.epoch, body_hash);
  for (const IndexedSignature& signature : signatures) {
    const PublicKey& key = epoch.validators[signature.validator];
    if (!verifier.verify(key, message, signature.signature)) {
      return bad("the signature of validator " + std::to_string(signature.validator) +
                 " is not valid");
    }
  }
  return ok();
}

Result<void> check_certificate(const ExecCertificate& certificate, const ChainId& chain,
                               const EpochRecord& epoch, const Verifier& verifier) {
  TRY(check_epoch(certificate.epoch, epoch));
  return check_signatures(certificate.signatures, ObjectType::exec,
                          sha256(encode(certificate.vote)), chain, epoch, verifier);
}

Result<void> check_certificate(const VoteCertificate& certificate, ObjectType type,
                               const ChainId& chain, const EpochRecord& epoch,
                               const Verifier& verifier) {
  ASSERT(type == ObjectType::prepare || type == ObjectType::commit);
  TRY(check_epoch(certificate.epoch, epoch));
  return check_signatures(certificate.signatures, type, sha256(encode(certificate.vote)), chain,
                          epoch, verifier);
}

}  // namespace baolian::crypto
