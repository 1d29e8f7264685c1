/// What POST /v1/transactions takes and answers (docs/api.md, Signed transactions): canonical
/// bytes, not JSON, for it serves systems that bring thousands of operations a second.
#pragma once

#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "ledger/transaction.h"

namespace baolian::node {

/// Transactions of one call. All of them together may hold no more than the node's HTTP body.
inline constexpr std::uint32_t kSignedTransactionsMax = 1000;

/// Transactions that members of the node's institution signed.
struct SignedTransactions {
  static constexpr std::string_view kTypeName = "SignedTransactions";
  Version<1> version;
  std::vector<Bytes> transactions;

  friend bool operator==(const SignedTransactions&, const SignedTransactions&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &SignedTransactions::version, "format version"),
                      field("transactions", &SignedTransactions::transactions,
                            list_of_bytes(kSignedTransactionsMax, ledger::kTransactionBytesMax),
                            "canonical transactions, in the order of their nonces"));
  }
};

/// What is known of a transaction when the call is answered.
enum class TransactionFate : std::uint8_t {
  certified = 1,  ///< executed in a certified block
  refused = 2,    ///< never admitted here: `code` says why, and it will not execute by this call
  open = 3        ///< no certificate in time: send the same bytes again, they execute once
};
constexpr auto enum_names(TransactionFate) {
  return std::array<std::string_view, 4>{"", "certified", "refused", "open"};
}

struct TransactionOutcome {
  static constexpr std::string_view kTypeName = "TransactionOutcome";
  TransactionFate fate{TransactionFate::open};
  std::uint16_t error = 0;         ///< refused: the number of an Errc; else 0
  Height height;                   ///< certified: of its block; else 0
  std::uint32_t leaf = 0;          ///< certified: of its first operation in that block
  TimeMs block_time;               ///< certified: of that block
  ledger::ReceiptStatus status{};  ///< certified: transaction_rejected, or applied
  /// Certified: the receipt's code of each operation, 0 if applied; one for a transaction that was
  /// rejected as a whole.
  std::vector<std::uint16_t> codes;

  friend bool operator==(const TransactionOutcome&, const TransactionOutcome&) = default;
  static constexpr auto fields() {
    return field_list(
        field("fate", &TransactionOutcome::fate, "what is known of it"),
        field("error", &TransactionOutcome::error, "refused: the number of the error; else 0"),
        field("height", &TransactionOutcome::height, "certified: of its block; else 0"),
        field("leaf", &TransactionOutcome::leaf, "certified: of its first operation there"),
        field("block_time", &TransactionOutcome::block_time, "certified: of that block, ms"),
        field("status", &TransactionOutcome::status,
              "certified: transaction_rejected if it was rejected as a whole, else applied"),
        field("codes", &TransactionOutcome::codes, at_most(ledger::kOperationsMax),
              "certified: the receipt's code of each operation, or the one of the whole"));
  }
};

/// In the order of the call.
struct TransactionOutcomes {
  static constexpr std::string_view kTypeName = "TransactionOutcomes";
  Version<1> version;
  std::vector<TransactionOutcome> outcomes;

  friend bool operator==(const TransactionOutcomes&, const TransactionOutcomes&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &TransactionOutcomes::version, "format version"),
                      field("outcomes", &TransactionOutcomes::outcomes,
                            at_most(kSignedTransactionsMax), "in the order of the call"));
  }
};

}  // namespace baolian::node
