/// Transactions: one signature over up to 1,000 operations, each with its own receipt (formats.md).
#pragma once

#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "crypto/signing.h"

namespace baolian::ledger {

inline constexpr std::uint32_t kOperationsMax = 1000;
inline constexpr std::uint32_t kTransactionBytesMax = 256 * 1024;
inline constexpr std::uint32_t kOperationContentBytesMax = 240 * 1024;
/// op_index of the one leaf of a transaction that was rejected as a whole.
inline constexpr std::uint16_t kWholeTransaction = 0xFFFF;

/// In which capacity a cosigner signs an operation.
enum class Capacity : std::uint8_t {
  originator = 0,
  attestor = 1,
  countersigner = 2,
  second_approver = 3,
  person = 4  ///< the insured person, with a key of his own that is no member's
};
constexpr auto enum_names(Capacity) {
  return std::array<std::string_view, 5>{"originator", "attestor", "countersigner",
                                         "second_approver", "person"};
}

/// A second signature over the whole content of one operation.
struct Cosignature {
  static constexpr std::string_view kTypeName = "Cosignature";
  Capacity capacity{};
  PublicKey key;
  Nonce nonce;       ///< nonce window of the key for originators; 0 otherwise
  TimeMs not_after;  ///< judged against block time
  Signature signature;

  friend bool operator==(const Cosignature&, const Cosignature&) = default;
  static constexpr auto fields() {
    return field_list(
        field("capacity", &Cosignature::capacity, "in which capacity the key signs"),
        field("key", &Cosignature::key, "algorithm byte and raw public key"),
        field("nonce", &Cosignature::nonce, "originator: nonce window of the key; else 0"),
        field("not_after", &Cosignature::not_after, "last block time at which it holds, ms"),
        field("signature", &Cosignature::signature, "over CosignBody, object type cosign"));
  }
};

/// What a cosignature signs under ObjectType::cosign, epoch 0.
struct CosignBody {
  static constexpr std::string_view kTypeName = "CosignBody";
  Capacity capacity{};
  PublicKey key;
  InstitutionId sender_institution;  ///< institution of the transaction's sender
  Nonce nonce;
  TimeMs not_after;
  Hash operation_hash;  ///< H("operation" || u16 kind || content)

  static constexpr auto fields() {
    return field_list(field("capacity", &CosignBody::capacity, "as in the cosignature"),
                      field("key", &CosignBody::key, "as in the cosignature"),
                      field("sender_institution", &CosignBody::sender_institution,
                            "institution of the transaction's sender"),
                      field("nonce", &CosignBody::nonce, "as in the cosignature"),
                      field("not_after", &CosignBody::not_after, "as in the cosignature"),
                      field("operation_hash", &CosignBody::operation_hash,
                            "H(\"operation\" || u16 kind || content)"));
  }
};

struct Operation {
  static constexpr std::string_view kTypeName = "Operation";
  std::uint16_t kind = 0;  ///< contracts/operations.h; an unknown kind is a rejected receipt
  RequestId request_id;    ///< random; for the institution's own idempotency
  Bytes content;           ///< canonical bytes of the kind's content type
  std::vector<Cosignature> cosignatures;

  friend bool operator==(const Operation&, const Operation&) = default;
  static constexpr auto fields() {
    return field_list(field("kind", &Operation::kind, "operation kind"),
                      field("request_id", &Operation::request_id,
                            "16 random bytes, never an institution's serial"),
                      field("content", &Operation::content, at_most(kOperationContentBytesMax),
                            "canonical content of the kind"),
                      field("cosignatures", &Operation::cosignatures, at_most(4),
                            "second signatures over the whole content"));
  }
};

struct TransactionBody {
  static constexpr std::string_view kTypeName = "TransactionBody";
  Version<1> version;
  ChainId chain_id;
  PublicKey sender;   ///< a member key, never a consensus or TLS key
  Nonce nonce;        ///< consensus.md 1.9: window of 1,024 per sender
  TimeMs expires_at;  ///< judged at execution: block time must not be after it
  std::vector<Operation> operations;

  friend bool operator==(const TransactionBody&, const TransactionBody&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &TransactionBody::version, "format version"),
                      field("chain_id", &TransactionBody::chain_id, "H(canonical genesis)"),
                      field("sender", &TransactionBody::sender, "member key that signs"),
                      field("nonce", &TransactionBody::nonce, "exactly once with the sender key"),
                      field("expires_at", &TransactionBody::expires_at,
                            "last block time at which it may execute, ms"),
                      field("operations", &TransactionBody::operations, between(1, kOperationsMax),
                            "independent operations"));
  }
};

struct Transaction {
  static constexpr std::string_view kTypeName = "Transaction";
  TransactionBody body;
  Signature signature;  ///< ObjectType::transaction, epoch 0, over H(body)

  friend bool operator==(const Transaction&, const Transaction&) = default;
  static constexpr auto fields() {
    return field_list(
        field("body", &Transaction::body, "what is signed"),
        field("signature", &Transaction::signature, "by body.sender, object type transaction"));
  }
};

/// H(body): serves replay protection and ids.
TxId tx_id(const TransactionBody& body);
/// The same from the canonical bytes of a whole transaction, of which the body is all but the
/// signature at the end. Requires: more bytes than a signature.
TxId tx_id_of_canonical(BytesView canonical_transaction);
/// H("tx" || canonical transaction): what batches list and caches are keyed by.
TxHash tx_hash(BytesView canonical_transaction);
/// H("operation" || u16 kind || content).
Hash operation_hash(const Operation& operation);

/// Signs a body. Requires: body.sender == signer.public_key().
Transaction sign_transaction(TransactionBody body, const crypto::Signer& signer);
/// Makes a cosignature over an operation that `sender_institution` will send.
Cosignature cosign(const Operation& operation, Capacity capacity,
                   const InstitutionId& sender_institution, Nonce nonce, TimeMs not_after,
                   const ChainId& chain, const crypto::Signer& signer);
/// True if the cosignature is by its key over this operation. The sender's institution is known at
/// execution only, so that is where this is called.
bool check_cosignature(const Operation& operation, const Cosignature& cosignature,
                       const InstitutionId& sender_institution, const ChainId& chain,
                       const crypto::Verifier& verifier);

/// Everything about a transaction that needs no state: canonical, sizes, chain, signature under the
/// key it carries. Returns: codec errors; Errc::wrong_chain; Errc::bad_signature;
/// Errc::limit_exceeded.
Result<Transaction> check_transaction(BytesView canonical_transaction, const ChainId& chain,
                                      const crypto::Verifier& verifier);

// ------------------------------------------------------------------ receipts

enum class ReceiptStatus : std::uint8_t { applied = 0, rejected = 1, transaction_rejected = 2 };
constexpr auto enum_names(ReceiptStatus) {
  return std::array<std::string_view, 3>{"applied", "rejected", "transaction_rejected"};
}

struct Event {
  static constexpr std::string_view kTypeName = "Event";
  std::uint16_t kind = 0;  ///< contracts/events.h
  Bytes body;              ///< canonical bytes of the kind's body type

  friend bool operator==(const Event&, const Event&) = default;
  static constexpr auto fields() {
    return field_list(field("kind", &Event::kind, "event kind"),
                      field("body", &Event::body, at_most(8192), "canonical body of the kind"));
  }
};

struct Receipt {
  static constexpr std::string_view kTypeName = "Receipt";
  Version<1> version;
  ReceiptStatus status{};
  std::uint16_t code = 0;  ///< 0 when applied; contracts/codes.h otherwise
  std::vector<Event> events;

  friend bool operator==(const Receipt&, const Receipt&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &Receipt::version, "format version"),
                      field("status", &Receipt::status, "what became of the operation"),
                      field("code", &Receipt::code, "0, or why it was rejected"),
                      field("events", &Receipt::events, at_most(32), "what happened, provable"));
  }
};

/// Leaf of operations_root: one path proves who asked what and what came of it.
struct OperationLeaf {
  static constexpr std::string_view kTypeName = "OperationLeaf";
  TxHash tx_hash;
  std::uint16_t op_index =
      0;  ///< position in its transaction; kWholeTransaction if that was rejected as a whole
  PublicKey sender;
  Bytes operation;  ///< canonical Operation; empty for kWholeTransaction
  Bytes receipt;    ///< canonical Receipt

  friend bool operator==(const OperationLeaf&, const OperationLeaf&) = default;
  static constexpr auto fields() {
    return field_list(field("tx_hash", &OperationLeaf::tx_hash, "hash of the signed transaction"),
                      field("op_index", &OperationLeaf::op_index,
                            "position in the transaction; 65535 = the whole transaction"),
                      field("sender", &OperationLeaf::sender, "key that signed"),
                      field("operation", &OperationLeaf::operation, at_most(kTransactionBytesMax),
                            "canonical operation or empty"),
                      field("receipt", &OperationLeaf::receipt,
                            at_most(kTransactionBytesMax + 8192 * 33), "canonical receipt"));
  }
};

}  // namespace baolian::ledger
