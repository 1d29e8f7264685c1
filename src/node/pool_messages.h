/// Messages by which nodes spread transaction bodies (consensus.md 1.3, 1.9). They travel in the
/// class `transaction`, unsigned: TLS names the peer, and a body certifies itself.
///
/// The first byte tells them from consensus envelopes, whose first byte is the version 1: 0xC1
/// PUSH, 0xC2 FETCH, 0xC3 REPLY.
#pragma once

#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "ledger/transaction.h"

namespace baolian::node {

inline constexpr std::uint8_t kPushTransactions = 0xC1;
inline constexpr std::uint8_t kFetchTransactions = 0xC2;
inline constexpr std::uint8_t kReplyTransactions = 0xC3;

/// Bodies of one message: what fits beside the frame's limit of 4 MiB, with room to spare.
inline constexpr std::size_t kPoolMessageBytesMax = 1024 * 1024;
inline constexpr std::uint32_t kPoolMessageBodiesMax = 5000;
inline constexpr std::uint32_t kFetchHashesMax = 5000;

/// PUSH_TX: transactions that a node admitted.
struct PushTransactions {
  static constexpr std::string_view kTypeName = "PushTransactions";
  Version<kPushTransactions> version;
  std::vector<Bytes> transactions;

  static constexpr auto fields() {
    return field_list(field("version", &PushTransactions::version, "0xC1"),
                      field("transactions", &PushTransactions::transactions,
                            list_of_bytes(kPoolMessageBodiesMax, ledger::kTransactionBytesMax),
                            "canonical transactions"));
  }
};

/// FETCH_TX: bodies that a batch lists and the sender lacks.
struct FetchTransactions {
  static constexpr std::string_view kTypeName = "FetchTransactions";
  Version<kFetchTransactions> version;
  std::vector<TxHash> hashes;

  static constexpr auto fields() {
    return field_list(
        field("version", &FetchTransactions::version, "0xC2"),
        field("hashes", &FetchTransactions::hashes, at_most(kFetchHashesMax), "what is wanted"));
  }
};

/// TX_REPLY: those of the wanted bodies that the peer has, as far as one message holds them.
struct ReplyTransactions {
  static constexpr std::string_view kTypeName = "ReplyTransactions";
  Version<kReplyTransactions> version;
  std::vector<Bytes> transactions;

  static constexpr auto fields() {
    return field_list(field("version", &ReplyTransactions::version, "0xC3"),
                      field("transactions", &ReplyTransactions::transactions,
                            list_of_bytes(kPoolMessageBodiesMax, ledger::kTransactionBytesMax),
                            "canonical transactions"));
  }
};

}  // namespace baolian::node
