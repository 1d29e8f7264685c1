#include "node/agents.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "contracts/events.h"
#include "net/thread_name.h"
#include "node/claims/claim_messages.h"
#include "node/institution_messages.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

/// The saved cursor stays behind by this much: what was only queued when the process died is acted
/// on again.
constexpr std::uint64_t kReplayHeights = 64;
constexpr auto kResendEvery = std::chrono::milliseconds(500);
constexpr std::size_t kMessagesMax = 1'000;

}  // namespace

Agents::Agents(const Services& services, const Parts& parts) : services_(services), parts_(parts) {}

Agents::~Agents() { stop(); }

void Agents::start(Height known_certified) {
  thread_ = std::thread([this, known_certified] {
    net::name_thread("agents");
    run(known_certified);
  });
}

void Agents::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Height Agents::load_cursor() const {
  std::ifstream in(services_.config.data_directory + "/agents.cursor");
  std::uint64_t value = 0;
  return in >> value ? Height{value} : Height{0};
}

void Agents::save_cursor(Height done) const {
  const std::uint64_t behind = done.value > kReplayHeights ? done.value - kReplayHeights : 0;
  const Height height = std::min(Height{behind}, parts_.release.oldest_open());
  // One that is not written only means more heights to look at again.
  (void)vault::replace_file(services_.config.data_directory + "/agents.cursor",
                            as_bytes(std::to_string(height.value) + "\n"));
}

void Agents::on_certified(Height height) {
  {
    const std::lock_guard lock(mutex_);
    certified_ = height;
  }
  wake_.notify_one();
}

void Agents::on_message(const InstitutionId& from, Bytes message) {
  if (message.empty()) return;
  const std::uint8_t kind = message.front();
  // Answers go to who waits for them, on whatever thread; questions wait for the agents' own.
  if (kind == kAttestReply) return parts_.attestation.on_reply(from, message);
  if (kind == kCountersignReply) return parts_.adjudication.on_countersign_reply(from, message);
  if (kind == kBalanceReply) return parts_.adjudication.on_balance_reply(from, message);
  {
    const std::lock_guard lock(mutex_);
    if (messages_.size() >= kMessagesMax) return;  // its sender tries again
    messages_.emplace_back(from, std::move(message));
  }
  wake_.notify_one();
}

void Agents::run(Height known_certified) {
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return stopping_ || certified_ >= known_certified; });
    if (stopping_) return;
  }
  Height done = load_cursor();
  Height answered;
  parts_.contents.start();
  parts_.claims.start();
  auto next_resend = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kResendEvery,
                   [&] { return stopping_ || certified_ > done || !messages_.empty(); });
    if (stopping_) break;
    const Height target = certified_;
    std::deque<std::pair<InstitutionId, Bytes>> messages;
    messages.swap(messages_);
    lock.unlock();
    while (done < target) {
      ++done;
      process(done);
      if (done.value % kReplayHeights == 0) save_cursor(done);
    }
    if (target > answered) {
      parts_.countersign.on_certified(target);
      answered = target;
    }
    for (auto& [from, message] : messages) take_message(from, std::move(message));
    const TimeMs now = services_.clock();
    parts_.reading.work();
    parts_.payments.work(now);
    parts_.notices.work(now);
    parts_.contents.work(now);
    parts_.claims.work(now);
    services_.retries.run_due(now.value);
    if (std::chrono::steady_clock::now() >= next_resend) {
      parts_.release.resend();
      next_resend = std::chrono::steady_clock::now() + kResendEvery;
    }
    lock.lock();
  }
  lock.unlock();
  save_cursor(done);
}

void Agents::take_message(const InstitutionId& from, Bytes message) {
  switch (message.front()) {
    case kDeliveryPart:
      return parts_.reading.on_delivery_part(from, message);
    case kAttestRequest:
      return parts_.attestation.on_request(from, message);
    case kCountersignRequest:
      return parts_.countersign.on_countersign_request(from, std::move(message));
    case kBalanceRequest:
      return parts_.countersign.on_balance_request(from, std::move(message));
    case kContentRequest:
      return parts_.contents.on_request(from, message);
    case kContentReply:
      return parts_.contents.on_reply(message);
    default:
      return;
  }
}

void Agents::process(Height height) {
  consents_changed_ = false;
  if (const auto leaves = services_.chain.shared_leaves(height)) {
    for (std::uint32_t i = 0; i < leaves->size(); ++i) act_on((*leaves)[i], height, i);
  }
  if (consents_changed_) parts_.discharge.on_consents_changed();
}

void Agents::act_on(const ledger::OperationLeaf& leaf, Height height, std::uint32_t index) {
  const auto receipt = decode<ledger::Receipt>(leaf.receipt);
  if (!receipt || receipt->status != ledger::ReceiptStatus::applied) return;
  for (const auto& event : receipt->events) {
    act_on_reading(event, height, index);
    act_on_claim(event);
    switch (static_cast<contracts::EventKind>(event.kind)) {
      case contracts::EventKind::consent_given:
      case contracts::EventKind::consents_confirmed:
      case contracts::EventKind::enrolled:
      case contracts::EventKind::reported:
        consents_changed_ = true;
        break;
      default:
        break;
    }
  }
}

void Agents::act_on_reading(const ledger::Event& event, Height height, std::uint32_t index) {
  if (const auto granted = contracts::event_as<contracts::Granted>(event)) {
    parts_.release.on_granted(*granted);
  } else if (const auto released = contracts::event_as<contracts::Released>(event)) {
    parts_.release.on_released(*released, height, index);
    parts_.claims.on_released(*released);
  } else if (const auto received = contracts::event_as<contracts::Received>(event)) {
    parts_.release.on_received(*received);
    parts_.reading.on_received(*received);
    parts_.claims.on_received(*received);
  }
}

void Agents::act_on_claim(const ledger::Event& event) {
  if (const auto filed = contracts::event_as<contracts::Filed>(event)) {
    parts_.reading.on_filed(*filed);
    parts_.claims.on_filed(*filed);
  } else if (const auto opened = contracts::event_as<contracts::ClaimOpened>(event)) {
    parts_.claims.on_opened(*opened);
  } else if (const auto supplemented = contracts::event_as<contracts::ClaimSupplemented>(event)) {
    parts_.claims.on_supplemented(*supplemented);
  } else if (const auto decided = contracts::event_as<contracts::ClaimDecided>(event)) {
    parts_.claims.on_decided(*decided);
  } else if (const auto paid = contracts::event_as<contracts::ClaimPaid>(event)) {
    parts_.claims.on_paid(*paid);
  } else if (const auto review = contracts::event_as<contracts::ReviewRequested>(event)) {
    parts_.claims.on_review_requested(*review);
  } else if (const auto product = contracts::event_as<contracts::ProductRegistered>(event)) {
    parts_.contents.on_product(*product);
  } else if (const auto catalog = contracts::event_as<contracts::CatalogPublished>(event)) {
    parts_.contents.on_catalog(*catalog);
  }
}

}  // namespace baolian::node
