#include "node/notice_desk.h"

#include <spdlog/spdlog.h>

#include "crypto/hash.h"

namespace baolian::node {
namespace {

/// No domain of crypto/hash.h begins like this. The id never leaves the node.
constexpr std::string_view kNoticeDomain = "notice";

bool is_text_within(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && is_utf8(text);
}

}  // namespace

Hash notice_id(NoticeKind kind, const Hash& about, std::uint32_t number) {
  Bytes what;
  Encoder encoder(what);
  encoder.value(kind);
  encoder.value(about);
  encoder.value(number);
  return crypto::hash_in_domain(kNoticeDomain, {what});
}

NoticeDesk::NoticeDesk(vault::SealedDirectory outbox, vault::SealedDirectory receipts,
                       NoticeChannel& channel, const Config& config)
    : outbox_(std::move(outbox)),
      receipts_(std::move(receipts)),
      channel_(channel),
      config_(config) {}

Result<std::unique_ptr<NoticeDesk>> NoticeDesk::open(const std::string& data_directory,
                                                     const crypto::Secret& key,
                                                     NoticeChannel& channel, const Config& config) {
  TRY(vault::SealedDirectory outbox, vault::SealedDirectory::open(data_directory + "/notice-outbox",
                                                                  "notice-outbox", key.clone()));
  TRY(vault::SealedDirectory receipts,
      vault::SealedDirectory::open(data_directory + "/notice-receipts", "notice-receipts",
                                   key.clone()));
  std::unique_ptr<NoticeDesk> desk(
      new NoticeDesk(std::move(outbox), std::move(receipts), channel, config));
  TRY(desk->load());
  return desk;
}

Result<void> NoticeDesk::load() {
  TRY(const std::vector<std::string> delivered, receipts_.names());
  for (const auto& name : delivered) {
    TRY(const Hash id, Hash::from_hex_text(name));
    delivered_.insert(id);
  }
  TRY(const std::vector<std::string> names, outbox_.names());
  for (const auto& name : names) {
    TRY(const Hash id, Hash::from_hex_text(name));
    if (delivered_.contains(id)) {  // a crash between receipt and removal
      TRY(outbox_.erase(name));
      continue;
    }
    auto notice = read_waiting(name);
    if (!notice || notice->id != id) {
      return fail(notice ? Errc::not_canonical : notice.error().code,
                  "the waiting notice notice-outbox/" + name +
                      ".sealed cannot be read; restore it, or remove it and tell the person by "
                      "hand");
    }
    waiting_.emplace(id, Waiting{*std::move(notice), 0, {}});
  }
  return ok();
}

Result<Notice> NoticeDesk::read_waiting(const std::string& name) const {
  TRY(const crypto::Secret plain, outbox_.get(name));
  return decode<Notice>(plain.view());
}

Result<void> NoticeDesk::post(const Notice& notice) {
  if (!is_text_within(notice.recipient, Notice::kRecipientBytesMax) ||
      !is_text_within(notice.text, Notice::kTextBytesMax)) {
    return fail(Errc::bad_argument,
                "a notice needs a recipient of 1 to 128 and a text of 1 to 4096 bytes of UTF-8");
  }
  const std::lock_guard lock(mutex_);
  if (delivered_.contains(notice.id) || waiting_.contains(notice.id)) return ok();
  Bytes plain = encode(notice);
  auto kept = outbox_.put(notice.id.hex(), plain);
  crypto::wipe(plain);
  TRY(std::move(kept));
  waiting_.emplace(notice.id, Waiting{notice, 0, {}});
  return ok();
}

std::vector<Notice> NoticeDesk::take_due(TimeMs now) {
  std::vector<Notice> out;
  const std::lock_guard lock(mutex_);
  for (auto& [id, waiting] : waiting_) {
    if (out.size() >= config_.deliveries_at_once) break;
    if (!Backoff::is_due(waiting.next_attempt.value, now.value, config_.backoff.max_ms)) continue;
    ++waiting.attempts;
    waiting.next_attempt = now + config_.backoff.pause_ms(waiting.attempts);
    out.push_back(waiting.notice);
  }
  return out;
}

void NoticeDesk::work(TimeMs now) {
  for (const auto& notice : take_due(now)) {
    if (auto delivered = deliver(notice, now); !delivered) {
      // The sentence may be a channel's own: only the code is certain to name nobody.
      spdlog::warn("notice {} ({}) was not delivered: {}; tried again", notice.id.hex(),
                   enum_name(notice.kind), errc_name(delivered.error().code));
    }
  }
}

Result<void> NoticeDesk::deliver(const Notice& notice, TimeMs now) {
  NoticeReceipt receipt;
  TRY(receipt.receipt, channel_.deliver(notice));
  if (!is_text_within(receipt.receipt, NoticeChannel::kReceiptBytesMax)) {
    receipt.receipt = "delivered";  // sent again for want of a better receipt would be worse
  }
  receipt.notice = notice.id;
  receipt.kind = notice.kind;
  receipt.delivered_at = now;
  TRY(receipts_.put(notice.id.hex(), encode(receipt)));
  const std::lock_guard lock(mutex_);
  delivered_.insert(notice.id);
  waiting_.erase(notice.id);
  (void)outbox_.erase(notice.id.hex());  // one that stays behind is removed at the next start
  return ok();
}

std::size_t NoticeDesk::open_count() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

Result<NoticeReceipt> NoticeDesk::receipt(const Hash& notice) const {
  TRY(const crypto::Secret plain, receipts_.get(notice.hex()));
  return decode<NoticeReceipt>(plain.view());
}

Result<std::vector<NoticeReceipt>> NoticeDesk::receipts() const {
  std::vector<Hash> ids;
  {
    const std::lock_guard lock(mutex_);
    ids.assign(delivered_.begin(), delivered_.end());
  }
  std::vector<NoticeReceipt> out;
  for (const auto& id : ids) {
    TRY(NoticeReceipt found, receipt(id));
    out.push_back(std::move(found));
  }
  return out;
}

}  // namespace baolian::node
