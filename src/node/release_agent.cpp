#include "node/release_agent.h"

#include <algorithm>

#include "contracts/operations.h"
#include "node/institution_messages.h"

namespace baolian::node {
namespace {

constexpr std::uint64_t kResendAfterMs = 2'000;
constexpr std::uint64_t kSweepEveryMs = 60'000;

}  // namespace

void ReleaseAgent::on_granted(const contracts::Granted& event) {
  if (event.custodian != services_.self) return;
  const auto view = grant_view(services_.state(), event.grant);
  if (!view || view->grant.phase != contracts::GrantPhase::granted) return;
  const auto prepared = services_.gate.prepare(view->facts);
  if (!prepared) return;  // not in this vault: the deadline names the custodian
  contracts::RecordsRelease content;
  content.grant = event.grant;
  content.commitment = view->facts.commitment;
  content.wrap_hash = prepared->wrap_hash;
  content.ciphertext_hash = prepared->ciphertext_hash;
  content.vault = services_.vault_member;
  submit_step(
      services_, {"release", contracts::id_cast<Hash>(event.grant)},
      [&](const RequestId& id) { return contracts::make_operation(content, id); },
      [this, event] { on_granted(event); });
}

void ReleaseAgent::on_released(const contracts::Released& event, Height height,
                               std::uint32_t leaf) {
  if (event.custodian != services_.self) return;
  // Without a wrap another system of this institution released, and delivers.
  if (!services_.gate.has_prepared(event.grant)) return;
  released_[event.grant] = {height, leaf, 0};
  deliver(event.grant, height, leaf);
}

void ReleaseAgent::on_received(const contracts::Received& event) {
  if (released_.erase(event.grant) > 0) services_.gate.forget(event.grant);
}

void ReleaseAgent::deliver(const GrantId& grant, Height height, std::uint32_t leaf) {
  const auto view = grant_view(services_.state(), grant);
  auto release = certified_operation(services_.chain, height, leaf);
  if (!view || !release) return;  // tried again by resend()
  auto delivery = services_.gate.deliver(*release, view->facts, services_.trust());
  if (!delivery) return;
  const Bytes bytes = encode(*delivery);
  const std::size_t count =
      (bytes.size() + DeliveryPart::kPartBytesMax - 1) / DeliveryPart::kPartBytesMax;
  for (std::size_t i = 0; i < count; ++i) {
    DeliveryPart part;
    part.grant = grant;
    part.index = static_cast<std::uint16_t>(i);
    part.count = static_cast<std::uint16_t>(count);
    const std::size_t first = i * DeliveryPart::kPartBytesMax;
    const std::size_t size =
        std::min<std::size_t>(DeliveryPart::kPartBytesMax, bytes.size() - first);
    part.bytes = to_bytes(BytesView(bytes).subspan(first, size));
    services_.send(view->grant.reader, encode(part));
  }
  const auto place = released_.find(grant);
  if (place != released_.end()) place->second.sent_at_ms = services_.clock().value;
}

Height ReleaseAgent::oldest_open() const {
  Height oldest{UINT64_MAX};
  for (const auto& [grant, place] : released_) {
    oldest = std::min(oldest, Height{place.height.value - 1});
  }
  return oldest;
}

/// Wraps of grants that expired, or were received while this node was away.
void ReleaseAgent::sweep() {
  for (const auto& grant : services_.records.outgoing_grants()) {
    const auto view = grant_view(services_.state(), grant);
    const bool open = view && (view->grant.phase == contracts::GrantPhase::granted ||
                               view->grant.phase == contracts::GrantPhase::released);
    if (!open) services_.gate.forget(grant);
  }
}

void ReleaseAgent::resend() {
  const std::uint64_t now = services_.clock().value;
  // Not at once after a start: the chain may still be executing heights in which grants were made.
  if (swept_at_ms_ == 0) swept_at_ms_ = now;
  if (swept_at_ms_ + kSweepEveryMs < now) {
    swept_at_ms_ = now;
    sweep();
  }
  std::vector<std::pair<GrantId, Place>> due;
  for (auto it = released_.begin(); it != released_.end();) {
    const auto view = grant_view(services_.state(), it->first);
    const bool open = view && view->grant.phase == contracts::GrantPhase::released;
    if (!open) {
      services_.gate.forget(it->first);
      it = released_.erase(it);
      continue;
    }
    if (it->second.sent_at_ms + kResendAfterMs < now) due.emplace_back(it->first, it->second);
    ++it;
  }
  for (const auto& [grant, place] : due) deliver(grant, place.height, place.leaf);
}

}  // namespace baolian::node
