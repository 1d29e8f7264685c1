/// The durable outbox of notices to persons: a notice is on disk before it is delivered, is tried
/// until the channel gives a receipt, and is remembered by that receipt, so that a replay of blocks
/// tells nobody anything twice.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "node/backoff.h"
#include "node/notice_channel.h"
#include "vault/sealed_directory.h"

namespace baolian::node {

/// The id of what happened: the same after every restart. `about` is the claim or encounter,
/// `number` counts what can happen to it more than once (decisions, payload versions).
Hash notice_id(NoticeKind kind, const Hash& about, std::uint32_t number);

struct NoticeReceipt {
  static constexpr std::string_view kTypeName = "NoticeReceipt";
  Version<1> version;
  Hash notice;
  NoticeKind kind = NoticeKind::filed;
  std::string receipt;  ///< the channel's
  TimeMs delivered_at;  ///< by the node's clock

  static constexpr auto fields() {
    return field_list(
        field("version", &NoticeReceipt::version, "format version"),
        field("notice", &NoticeReceipt::notice, "id of the notice"),
        field("kind", &NoticeReceipt::kind, "what happened"),
        field("receipt", &NoticeReceipt::receipt, at_most(NoticeChannel::kReceiptBytesMax),
              "what the channel said"),
        field("delivered_at", &NoticeReceipt::delivered_at, "by the node's clock, ms"));
  }
};

/// Files <id>.sealed in notice-outbox/ (waiting) and notice-receipts/ (delivered).
///
/// Invariant: a notice leaves the outbox only after its receipt is durable.
/// Threads:   work() by one thread, which calls the channel without a lock held; the rest from any.
class NoticeDesk {
 public:
  struct Config {
    Backoff backoff{};                    ///< after a delivery that failed
    std::size_t deliveries_at_once = 16;  ///< of one work(): the channel may block
  };

  /// Both directories are made in `data_directory`, which is there. The channel outlives the desk.
  /// Requires: a key of 32 bytes. Returns: Errc::io_failed; Errc::cannot_open and codec errors for
  /// a damaged waiting notice, naming its file.
  static Result<std::unique_ptr<NoticeDesk>> open(const std::string& data_directory,
                                                  const crypto::Secret& key, NoticeChannel& channel,
                                                  const Config& config);
  static Result<std::unique_ptr<NoticeDesk>> open(const std::string& data_directory,
                                                  const crypto::Secret& key,
                                                  NoticeChannel& channel) {
    return open(data_directory, key, channel, Config{});
  }

  /// Durable when it returns; delivered by a later work(). One that waits, or was delivered, with
  /// this id stays as it is. Returns: Errc::bad_argument for an empty or too long recipient or
  /// text, or no UTF-8; Errc::io_failed.
  Result<void> post(const Notice& notice);

  /// Delivers what is due.
  void work(TimeMs now);

  std::size_t open_count() const;
  /// Of everything delivered, ascending by notice; reads every file. Returns: Errc::io_failed,
  /// Errc::cannot_open and codec errors for one that cannot be read.
  Result<std::vector<NoticeReceipt>> receipts() const;
  /// Returns: Errc::not_found if it was not delivered; otherwise as receipts().
  Result<NoticeReceipt> receipt(const Hash& notice) const;

 private:
  struct Waiting {
    Notice notice;
    std::uint32_t attempts = 0;  ///< of this run
    TimeMs next_attempt;         ///< zero: at once
  };

  NoticeDesk(vault::SealedDirectory outbox, vault::SealedDirectory receipts, NoticeChannel& channel,
             const Config& config);
  Result<void> load();
  Result<Notice> read_waiting(const std::string& name) const;
  std::vector<Notice> take_due(TimeMs now);
  Result<void> deliver(const Notice& notice, TimeMs now);

  const vault::SealedDirectory outbox_;
  const vault::SealedDirectory receipts_;
  NoticeChannel& channel_;
  const Config config_;
  mutable std::mutex mutex_;
  std::map<Hash, Waiting> waiting_;
  std::set<Hash> delivered_;
};

}  // namespace baolian::node
