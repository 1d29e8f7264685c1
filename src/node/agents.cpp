#include "node/agents.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "contracts/events.h"
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

Agents::Agents(const Services& services, DischargeDesk& desk, ReleaseAgent& release,
               ReadingAgent& reading, AttestationDesk& attestation)
    : services_(services),
      desk_(desk),
      release_(release),
      reading_(reading),
      attestation_(attestation) {}

Agents::~Agents() { stop(); }

void Agents::start() {
  thread_ = std::thread([this] { run(); });
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
  const Height height = std::min(Height{behind}, release_.oldest_open());
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
  if (kind == kAttestReply) {
    attestation_.on_reply(from, message);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (messages_.size() >= kMessagesMax) return;  // its sender tries again
    messages_.emplace_back(from, std::move(message));
  }
  wake_.notify_one();
}

void Agents::run() {
  Height done = load_cursor();
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
    for (const auto& [from, message] : messages) {
      if (message.front() == kDeliveryPart) reading_.on_delivery_part(from, message);
      if (message.front() == kAttestRequest) attestation_.on_request(from, message);
    }
    reading_.work();
    services_.retries.run_due(services_.clock().value);
    if (std::chrono::steady_clock::now() >= next_resend) {
      release_.resend();
      next_resend = std::chrono::steady_clock::now() + kResendEvery;
    }
    lock.lock();
  }
  lock.unlock();
  save_cursor(done);
}

void Agents::process(Height height) {
  consents_changed_ = false;
  const auto leaves = services_.chain.leaves(height);
  for (std::uint32_t i = 0; i < leaves.size(); ++i) act_on(leaves[i], height, i);
  if (consents_changed_) desk_.on_consents_changed();
}

void Agents::act_on(const ledger::OperationLeaf& leaf, Height height, std::uint32_t index) {
  const auto receipt = decode<ledger::Receipt>(leaf.receipt);
  if (!receipt || receipt->status != ledger::ReceiptStatus::applied) return;
  for (const auto& event : receipt->events) {
    switch (static_cast<contracts::EventKind>(event.kind)) {
      case contracts::EventKind::granted:
        if (auto body = contracts::event_as<contracts::Granted>(event)) release_.on_granted(*body);
        break;
      case contracts::EventKind::released:
        if (auto body = contracts::event_as<contracts::Released>(event)) {
          release_.on_released(*body, height, index);
        }
        break;
      case contracts::EventKind::received:
        if (auto body = contracts::event_as<contracts::Received>(event)) {
          release_.on_received(*body);
          reading_.on_received(*body);
        }
        break;
      case contracts::EventKind::filed:
        if (auto body = contracts::event_as<contracts::Filed>(event)) reading_.on_filed(*body);
        break;
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

}  // namespace baolian::node
