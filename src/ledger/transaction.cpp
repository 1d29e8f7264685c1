#include "ledger/transaction.h"

#include <array>

#include "crypto/hash.h"

namespace baolian::ledger {
namespace {

Hash cosign_body_hash(const Operation& operation, const Cosignature& cosignature,
                      const InstitutionId& sender_institution) {
  const CosignBody body{.capacity = cosignature.capacity,
                        .key = cosignature.key,
                        .sender_institution = sender_institution,
                        .nonce = cosignature.nonce,
                        .not_after = cosignature.not_after,
                        .operation_hash = operation_hash(operation)};
  return crypto::sha256(encode(body));
}

/// H(body) is both the tx_id and the hash under the signature.
Hash hash_of(const TxId& id) { return Hash::from(id.view()); }

bool is_signing_algorithm(const PublicKey& key) {
  // The simulator's algorithm passes here; the production verifier refuses its keys.
  const auto algorithm = static_cast<crypto::Algorithm>(key.bytes[0]);
  return algorithm == crypto::Algorithm::ed25519 || algorithm == crypto::Algorithm::toy;
}

}  // namespace

TxId tx_id(const TransactionBody& body) { return TxId::from(crypto::sha256(encode(body)).view()); }

TxId tx_id_of_canonical(BytesView canonical_transaction) {
  ASSERT(canonical_transaction.size() > Signature::kSize);
  const BytesView body =
      canonical_transaction.first(canonical_transaction.size() - Signature::kSize);
  return TxId::from(crypto::sha256(body).view());
}

TxHash tx_hash(BytesView canonical_transaction) {
  return TxHash::from(
      crypto::hash_in_domain(crypto::domain::kTransaction, {canonical_transaction}).view());
}

Hash operation_hash(const Operation& operation) {
  const std::array<std::uint8_t, 2> kind = {static_cast<std::uint8_t>(operation.kind & 0xFF),
                                            static_cast<std::uint8_t>(operation.kind >> 8)};
  return crypto::hash_in_domain(crypto::domain::kOperation, {kind, operation.content});
}

Transaction sign_transaction(TransactionBody body, const crypto::Signer& signer) {
  ASSERT(body.sender == signer.public_key());
  Transaction transaction{.body = std::move(body), .signature = {}};
  const Hash body_hash = hash_of(tx_id(transaction.body));
  transaction.signature = signer.sign_object(crypto::ObjectType::transaction,
                                             transaction.body.chain_id, Epoch{0}, body_hash);
  return transaction;
}

Cosignature cosign(const Operation& operation, Capacity capacity,
                   const InstitutionId& sender_institution, Nonce nonce, TimeMs not_after,
                   const ChainId& chain, const crypto::Signer& signer) {
  ASSERT(capacity == Capacity::originator || nonce.value == 0);
  Cosignature cosignature{.capacity = capacity,
                          .key = signer.public_key(),
                          .nonce = nonce,
                          .not_after = not_after,
                          .signature = {}};
  cosignature.signature =
      signer.sign_object(crypto::ObjectType::cosign, chain, Epoch{0},
                         cosign_body_hash(operation, cosignature, sender_institution));
  return cosignature;
}

bool check_cosignature(const Operation& operation, const Cosignature& cosignature,
                       const InstitutionId& sender_institution, const ChainId& chain,
                       const crypto::Verifier& verifier) {
  return verifier.verify_object(cosignature.key, crypto::ObjectType::cosign, chain, Epoch{0},
                                cosign_body_hash(operation, cosignature, sender_institution),
                                cosignature.signature);
}

Result<Transaction> check_transaction(BytesView canonical_transaction, const ChainId& chain,
                                      const crypto::Verifier& verifier) {
  if (canonical_transaction.size() > kTransactionBytesMax) {
    return fail(Errc::limit_exceeded, "a transaction has at most " +
                                          std::to_string(kTransactionBytesMax) +
                                          " bytes; send the operations in several transactions");
  }
  TRY(Transaction transaction, decode<Transaction>(canonical_transaction));
  if (transaction.body.chain_id != chain) {
    return fail(Errc::wrong_chain,
                "the transaction names another chain; sign it for the chain id of this node");
  }
  if (!is_signing_algorithm(transaction.body.sender)) {
    return fail(Errc::bad_signature, "the sender's key is of an algorithm that cannot sign");
  }
  // Strict decoding makes the given bytes the canonical ones, so the body need not be encoded
  // again.
  const Hash body_hash = hash_of(tx_id_of_canonical(canonical_transaction));
  if (!verifier.verify_object(transaction.body.sender, crypto::ObjectType::transaction, chain,
                              Epoch{0}, body_hash, transaction.signature)) {
    return fail(Errc::bad_signature,
                "the transaction's signature is not by the sender key it carries");
  }
  return transaction;
}

}  // namespace baolian::ledger
