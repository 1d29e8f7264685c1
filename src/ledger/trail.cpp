#include "ledger/trail.h"

#include <algorithm>

namespace baolian::ledger {
namespace {

Error invalid_trail(std::string what) { return fail(Errc::evidence_invalid, std::move(what)); }

/// Keys of a record that a trail leads to: of the algorithm of the chain's genesis.
bool has_keys_of(const crypto::EpochRecord& record, std::uint8_t algorithm) {
  return std::all_of(record.validators.begin(), record.validators.end(),
                     [&](const PublicKey& key) { return key.bytes[0] == algorithm; });
}

}  // namespace

std::string block_name(const Header& header) {
  return "block " + std::to_string(header.height.value);
}

Result<void> check_header(const Header& header, const ChainId& chain,
                          const crypto::EpochRecord& epoch) {
  if (header.chain_id != chain) return invalid_trail(block_name(header) + " is of another chain");
  if (header.epoch != epoch.epoch)
    return invalid_trail(block_name(header) + " is of another epoch than its validators");
  if (header.height < epoch.first_height)
    return invalid_trail(block_name(header) + " is below its epoch");
  if (header.epoch_last_height.value != 0 && header.height > header.epoch_last_height) {
    return invalid_trail(block_name(header) + " is above the last height of its epoch");
  }
  if ((header.epoch_last_height.value != 0) == header.next_validators_hash.is_zero()) {
    return invalid_trail(block_name(header) + " announces the end of its epoch only in part");
  }
  if (header.consensus_kind != epoch.consensus_kind) {
    return invalid_trail(block_name(header) + " names another kind of consensus than its epoch");
  }
  if (header.validators_hash != crypto::validators_hash(epoch)) {
    return invalid_trail(block_name(header) + " names other validators than those of its epoch");
  }
  return ok();
}

Result<void> check_certified(const Header& header, const crypto::ExecCertificate& certificate,
                             const ChainId& chain, const crypto::EpochRecord& epoch,
                             const crypto::Verifier& verifier) {
  if (certificate.vote.height != header.height ||
      certificate.vote.header_hash != header_hash(header)) {
    return invalid_trail("the certificate is of another block than " + block_name(header));
  }
  return crypto::check_certificate(certificate, chain, epoch, verifier);
}

Result<crypto::EpochRecord> follow_trail(const Genesis& genesis, const ChainId& chain,
                                         const std::vector<TrailLink>& trail,
                                         const crypto::Verifier& verifier) {
  crypto::EpochRecord epoch = genesis.epoch;
  for (const TrailLink& link : trail) {
    TRY(check_header(link.header, chain, epoch));
    if (link.header.height != link.header.epoch_last_height) {
      return invalid_trail("a trail link is not the last header of its epoch");
    }
    TRY(check_certified(link.header, link.certificate, chain, epoch, verifier));
    const bool is_next = link.next.epoch == epoch.epoch.next() &&
                         link.next.first_height == link.header.height.next() &&
                         crypto::validators_hash(link.next) == link.header.next_validators_hash;
    if (!is_next) return invalid_trail("a trail link does not name the next epoch");
    if (!has_keys_of(link.next, genesis.signature_algorithm)) {
      return invalid_trail("a trail link names a validator's key of another algorithm");
    }
    epoch = link.next;
  }
  return epoch;
}

}  // namespace baolian::ledger
