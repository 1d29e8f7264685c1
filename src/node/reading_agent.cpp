#include "node/reading_agent.h"

#include <chrono>

#include "contracts/operations.h"
#include "node/institution_messages.h"

namespace baolian::node {

void ReadingAgent::on_filed(const contracts::Filed& event) {
  for (const auto& filed : event.claims) {
    if (filed.insurer == services_.self) request_payload(filed.claim);
  }
}

void ReadingAgent::request_payload(const ClaimId& id) {
  const auto claim =
      ledger::read_as<contracts::ClaimState>(services_.state(), contracts::keys::claim(id));
  if (!claim || claim->phase != contracts::ClaimPhase::filed) return;
  const auto agent = member_of_key(services_.state(), services_.agent_key().public_key());
  if (!agent) return;
  contracts::RecordsRequest content;
  content.record = claim->payload;
  content.purpose = contracts::Purpose::hpaymt;
  content.basis = {contracts::BasisKind::claim, contracts::id_cast<Hash>(id)};
  content.mode = contracts::ReadMode::automatic;
  content.trigger = contracts::Trigger::claim_filed;
  content.recipient = services_.vault_member;
  content.originator = {services_.self, agent->member.id, contracts::SignedBy::member};
  submit_step(
      services_, {"request", contracts::id_cast<Hash>(id)},
      [&](const RequestId& request) { return contracts::make_operation(content, request); },
      [this, id] { request_payload(id); });
}

void ReadingAgent::on_delivery_part(const InstitutionId& from, BytesView message) {
  auto part = decode<DeliveryPart>(message);
  if (!part || part->count == 0 || part->count > DeliveryPart::kPartsMax ||
      part->index >= part->count) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (finished_.contains(part->grant)) return;
  if (collecting_.size() >= kCollectingMax && !collecting_.contains(part->grant)) return;
  Collecting& open = collecting_[part->grant];
  if (open.count != part->count || open.from != from) open = {from, part->count, {}};
  open.parts[part->index] = std::move(part->bytes);
  if (open.parts.size() < open.count) return;
  Bytes whole;
  for (const auto& [index, bytes] : open.parts) append(whole, bytes);
  complete_.emplace_back(part->grant, std::move(whole));
  collecting_.erase(part->grant);
}

void ReadingAgent::work() {
  std::vector<std::pair<GrantId, Bytes>> complete;
  {
    const std::lock_guard lock(mutex_);
    complete.swap(complete_);
  }
  for (const auto& [grant, delivery] : complete) accept(grant, delivery);
}

void ReadingAgent::accept(const GrantId& grant, const Bytes& bytes) {
  const auto view = grant_view(services_.state(), grant);
  if (!view || view->grant.reader != services_.self ||
      view->grant.phase != contracts::GrantPhase::released) {
    return;  // ended, received before, or not executed here yet: it is sent again
  }
  auto delivery = decode<vault::Delivery>(bytes);
  if (!delivery) return;
  const auto accepted = services_.gate.accept(*delivery, view->facts, services_.trust());
  contracts::RecordsReceive content;
  content.grant = grant;
  content.vault = services_.vault_member;
  if (accepted) {
    content.commitment = view->facts.commitment;
    content.result = contracts::ReceiveResult::ok;
  } else if (accepted.error().code == Errc::bad_commitment ||
             accepted.error().code == Errc::cannot_open ||
             accepted.error().code == Errc::wrong_record_version) {
    content.result = contracts::ReceiveResult::mismatch;
  } else {
    return;  // a trouble of this node or of the proof says nothing about the custodian's record
  }
  // The custodian sends its delivery again until it is received: no step of our own to retry.
  submit_step(
      services_, {"receive", contracts::id_cast<Hash>(grant)},
      [&](const RequestId& id) { return contracts::make_operation(content, id); }, [] {});
}

void ReadingAgent::on_received(const contracts::Received& event) {
  if (event.reader != services_.self) return;
  const std::lock_guard lock(mutex_);
  if (finished_.size() >= kFinishedMax) finished_.clear();
  finished_[event.grant] = event.result;
  arrived_.notify_all();
}

bool ReadingAgent::wait_received(const GrantId& grant, std::uint64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  const bool known = arrived_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                       [&] { return finished_.contains(grant); });
  return known && finished_[grant] == contracts::ReceiveResult::ok;
}

}  // namespace baolian::node
