/// The durable outbox of signed transactions: bytes are on disk before they are sent, and only
/// those bytes are ever sent again (consensus.md 1.9). It answers a repeated request id with the
/// transaction it led to.
///
/// File: records {u32 length, u32 crc32c of the bytes, canonical OutboxRecord}, little-endian,
/// appended and fdatasynced by batch. A torn end (bytes behind which no whole record stands) is
/// dropped at start, for nothing of it was sent; anything else that does not decode is corruption,
/// because a record lost from the middle would let its nonce be signed a second time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian::node {

struct OutboxRecord {
  static constexpr std::string_view kTypeName = "OutboxRecord";
  Version<1> version;
  PublicKey sender;
  Nonce nonce;
  TxId tx_id;
  TimeMs expires_at;
  std::vector<RequestId> request_ids;  ///< of its operations, in order
  Bytes transaction;                   ///< canonical signed transaction

  static constexpr auto fields() {
    return std::make_tuple(field("version", &OutboxRecord::version, "format version"),
                           field("sender", &OutboxRecord::sender, "member key"),
                           field("nonce", &OutboxRecord::nonce, "of that key"),
                           field("tx_id", &OutboxRecord::tx_id, "H(body)"),
                           field("expires_at", &OutboxRecord::expires_at, "of the transaction, ms"),
                           field("request_ids", &OutboxRecord::request_ids, at_most(1000),
                                 "of its operations, in order"),
                           field("transaction", &OutboxRecord::transaction, at_most(256 * 1024),
                                 "canonical signed transaction"));
  }
};

/// Where an operation went.
struct OutboxPlace {
  TxId tx_id;
  std::uint16_t op_index = 0;
  TimeMs expires_at;  ///< of the transaction
};

/// Threads: one at a time (the submitter's).
class Outbox {
 public:
  /// Reads the file, or makes it. Returns: Errc::io_failed, Errc::log_corrupt.
  static Result<std::unique_ptr<Outbox>> open(const std::string& path);
  ~Outbox();

  /// Appends and makes durable; a write that fails ends the process. Requires: each transaction
  /// and its request ids are within the limits of OutboxRecord.
  void append(const std::vector<OutboxRecord>& records);
  /// The transaction of a request id, if it was sent from here.
  const OutboxPlace* find(const RequestId& request) const;
  /// Transactions of earlier runs whose outcome was not noted; the caller resends or forgets them.
  std::vector<OutboxRecord> take_unresolved();
  /// One above every nonce of this key that the file knows; 0 if none.
  Nonce next_nonce(const PublicKey& sender) const;

 private:
  explicit Outbox(int fd) : fd_(fd) {}
  void index(const OutboxRecord& record);

  int fd_ = -1;
  std::map<RequestId, OutboxPlace> places_;
  std::map<PublicKey, Nonce> next_nonces_;
  std::vector<OutboxRecord> from_file_;
};

}  // namespace baolian::node
