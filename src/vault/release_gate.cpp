#include "vault/release_gate.h"

#include "ledger/merkle.h"

namespace baolian::vault {
namespace {

Error refuse(std::string why) { return fail(Errc::no_certified_release, std::move(why)); }

Result<void> check_header(const ledger::Header& header, const Hash& validators,
                          const TrustRoot& trust) {
  if (header.chain_id != trust.chain_id) return refuse("the block is of another chain");
  if (header.epoch != trust.epoch.epoch || header.validators_hash != validators) {
    return refuse("the block names other validators");
  }
  return ok();
}

/// The release content of a certified and applied release operation.
Result<contracts::RecordsRelease> applied_release(const CertifiedOperation& certified,
                                                  const TrustRoot& trust) {
  TRY(check_certified(certified, trust));
  auto operation = decode<ledger::Operation>(certified.leaf.operation);
  auto receipt = decode<ledger::Receipt>(certified.leaf.receipt);
  if (!operation || !receipt) return refuse("the leaf holds no operation with a receipt");
  auto release = contracts::content_of<contracts::RecordsRelease>(*operation);
  if (!release) return refuse("the certified operation is not a release");
  if (receipt->status != ledger::ReceiptStatus::applied) {
    return refuse("the chain rejected the release");
  }
  return release;
}

}  // namespace

Result<void> check_certified(const CertifiedOperation& operation, const TrustRoot& trust) {
  const Hash validators = crypto::validators_hash(trust.epoch);
  TRY(check_header(operation.header, validators, trust));
  const ledger::Header* last = &operation.header;
  if (operation.later.size() > kLaterHeadersMax) return refuse("too many headers");
  for (const ledger::Header& next : operation.later) {
    TRY(check_header(next, validators, trust));
    if (next.height != last->height.next() || next.parent_hash != ledger::header_hash(*last)) {
      return refuse("the headers do not follow each other");
    }
    last = &next;
  }
  const auto& vote = operation.certificate.vote;
  if (vote.height != last->height || vote.header_hash != ledger::header_hash(*last)) {
    return refuse("the certificate is of another header");
  }
  auto certified =
      crypto::check_certificate(operation.certificate, trust.chain_id, trust.epoch, trust.verifier);
  if (!certified) return refuse("the block is not certified: " + certified.error().context);
  auto root =
      ledger::root_from_inclusion(ledger::merkle_leaf_hash(encode(operation.leaf)),
                                  operation.leaf_index, operation.leaf_count, operation.path);
  if (!root || *root != operation.header.operations_root) {
    return refuse("the operation is not in the certified block");
  }
  return ok();
}

Result<ReleaseGate::Prepared> ReleaseGate::prepare(const GrantFacts& grant) {
  TRY(const Bytes ciphertext, store_.ciphertext(grant.record));
  TRY(const crypto::Secret content, store_.wrap_content(grant.record));
  // What leaves must be what the chain has a commitment of: opening proves it before anybody else
  // is told.
  auto opened = open_record(grant.record, grant.commitment, ciphertext, content.view());
  if (!opened) {
    return fail(Errc::wrong_record_version,
                "the record here is not the one that was registered: " + opened.error().context);
  }
  TRY(const Bytes fresh, crypto::seal(grant.recipient, content.view()));
  TRY(const Bytes stored, store_.put_outgoing(grant.grant, fresh));
  return Prepared{delivery_hash(stored), crypto::sha256(ciphertext)};
}

Result<Delivery> ReleaseGate::deliver(const CertifiedOperation& release, const GrantFacts& grant,
                                      const TrustRoot& trust) const {
  TRY(const contracts::RecordsRelease content, applied_release(release, trust));
  if (content.grant != grant.grant) return refuse("the release is of another grant");
  auto wrap = store_.outgoing(grant.grant);
  if (!wrap && wrap.error().code == Errc::not_found) {
    return fail(Errc::not_found, "there is no wrap for this grant: it was received or has expired");
  }
  if (!wrap) return std::move(wrap).error();
  TRY(Bytes ciphertext, store_.ciphertext(grant.record));
  if (content.wrap_hash != delivery_hash(*wrap)) return refuse("the release names another wrap");
  if (content.ciphertext_hash != crypto::sha256(ciphertext) ||
      content.commitment != grant.commitment) {
    return refuse("the release names another record");
  }
  Delivery out;
  out.release = release;
  out.sealed_wrap = *std::move(wrap);
  out.ciphertext = std::move(ciphertext);
  return out;
}

Result<void> ReleaseGate::accept(const Delivery& delivery, const GrantFacts& grant,
                                 const TrustRoot& trust) {
  TRY(const contracts::RecordsRelease content, applied_release(delivery.release, trust));
  if (content.grant != grant.grant) return refuse("the release is of another grant");
  if (content.wrap_hash != delivery_hash(delivery.sealed_wrap) ||
      content.ciphertext_hash != crypto::sha256(delivery.ciphertext)) {
    return refuse("the release names other bytes");
  }
  if (content.commitment != grant.commitment) return refuse("the release names another record");
  TRY(const crypto::Secret wrap, crypto::open_sealed(own_key_, delivery.sealed_wrap));
  TRY(const crypto::Secret plaintext,
      open_record(grant.record, grant.commitment, delivery.ciphertext, wrap.view()));
  return store_.put_received(grant.record, delivery.ciphertext, wrap.view());
}

}  // namespace baolian::vault
