/// The durable outbox of signed transactions: bytes are on disk before they are sent, and only
/// those bytes are ever sent again (consensus.md 1.9). It answers a repeated request id with the
/// transaction it led to.
///
/// Appended and fdatasynced by batch (outbox_record.h). A torn end (bytes behind which no whole
/// record stands) is dropped at start, for nothing of it was sent; anything else that does not
/// decode is corruption, because a record lost from the middle would let its nonce be signed a
/// second time.
///
/// The file is written anew, without what nobody needs any more, when compact() is called: a
/// transaction that can execute no more is never sent again, and request ids are answered for a
/// span of time that the caller chooses. The newest record of every key stays for its nonce.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/outbox_record.h"

namespace baolian::node {

/// Where an operation went.
struct OutboxPlace {
  TxId tx_id;
  PublicKey sender;
  Nonce nonce;
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
  /// The transaction of a request id, if it was sent from here and is not forgotten.
  std::optional<OutboxPlace> find(const RequestId& request) const;
  /// Transactions of earlier runs whose outcome was not noted; the caller resends or forgets them.
  std::vector<OutboxRecord> take_unresolved();
  /// One above every nonce of this key that the file knows; 0 if none.
  Nonce next_nonce(const PublicKey& sender) const;

  /// What may go: the bytes of transactions that expired before `settled`, and the request ids of
  /// those that expired before `forgotten` (not above `settled`).
  struct Limits {
    TimeMs settled;
    TimeMs forgotten;
  };
  /// The file has grown so far since compact() that calling it again is worth its writing: by as
  /// much as it had, and by 16 MiB. All that was there at the start counts as growth.
  bool is_compaction_due() const;
  /// Writes the file anew. After a power cut either the old or the new one is there.
  /// Returns: Errc::io_failed; Errc::log_corrupt if the disk does not give back what was written.
  /// Then the old file goes on, untouched.
  Result<void> compact(Limits limits);

 private:
  /// A transaction, for all of its request ids.
  struct Sent {
    TxId tx_id;
    PublicKey sender;
    Nonce nonce;
    TimeMs expires_at;
  };
  struct Place {
    std::uint32_t sent = 0;  ///< index in sent_
    std::uint16_t op_index = 0;
  };
  Outbox(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  void index(const OutboxRecord& record);

  std::string path_;
  int fd_ = -1;
  std::size_t size_bytes_ = 0;
  std::size_t compact_bytes_ = 0;  ///< when compact() was called last
  std::deque<Sent> sent_;
  std::map<RequestId, Place> places_;
  std::map<PublicKey, Nonce> next_nonces_;
  std::vector<OutboxRecord> from_file_;
};

}  // namespace baolian::node
