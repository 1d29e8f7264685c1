#include "node/claims/claim_agent.h"

#include <spdlog/spdlog.h>

#include "contracts/operations.h"
#include "crypto/commitment.h"
#include "crypto/pedersen.h"
#include "crypto/random.h"

namespace baolian::node {
namespace {

using contracts::ClaimPhase;
using contracts::DecisionState;
using contracts::Outcome;
using contracts::Withheld;
namespace keys = contracts::keys;

constexpr std::size_t kPage = 1000;
constexpr std::uint64_t kSweepEveryMs = 30'000;
constexpr std::uint64_t kSweepTurnMs = 5'000;

std::optional<contracts::ClaimState> read_claim(const Services& services, const ClaimId& id) {
  return ledger::read_as<contracts::ClaimState>(services.state(), keys::claim(id));
}

std::optional<DecisionState> read_decision(const Services& services, const ClaimId& claim,
                                           std::uint16_t number) {
  return ledger::read_as<DecisionState>(services.state(), keys::decision(claim, number));
}

}  // namespace

Hash decision_id(const ClaimId& claim, std::uint16_t number) {
  const auto kind = static_cast<std::uint16_t>(contracts::OperationKind::claims_decide);
  return crypto::hash_in_domain(crypto::domain::kId, {encode(kind), claim.view(), encode(number)});
}

void ClaimAgent::start() {
  const Bytes prefix = keys::insurer_claims(services_.self);
  Bytes from;
  while (true) {
    const auto rows = services_.state().scan(prefix, from, kPage);
    for (const auto& row : rows) {
      const auto id = keys::last_id<ClaimId>(row.key);
      const auto claim = read_claim(services_, id);
      if (!claim) continue;
      if (claim->phase == ClaimPhase::opened) {
        request_supplements(id);
        desks_.adjudication.consider(id);
      }
      for (std::uint16_t n = 1; n < claim->next_decision; ++n) {
        settle(id, n);
        desks_.adjudication.send_openings(id,
                                          n);  // nothing, unless the reporter owes its signature
      }
    }
    if (rows.size() < kPage) return;
    from = rows.back().key;
    from.push_back(0);
  }
}

/// Institutions with validators take turns, so that they do not all sweep the same deadlines.
std::uint64_t ClaimAgent::sweep_delay_ms() const {
  std::uint64_t turn = 0;
  for (const auto& institution : services_.genesis.institutions) {
    if (institution.id == services_.self) break;
    ++turn;
  }
  return kSweepEveryMs + turn * kSweepTurnMs;
}

void ClaimAgent::work(TimeMs now) {
  if (now < next_sweep_) return;
  const bool is_first = next_sweep_ == TimeMs{};
  next_sweep_ = now + sweep_delay_ms();
  const auto& epoch = services_.genesis.epoch;
  if (is_first || !crypto::validator_index(epoch, services_.keys.consensus().public_key())) return;
  const TimeMs block_time = services_.chain.header(services_.chain.height())->timestamp;
  const Bytes prefix = keys::deadlines();
  const Bytes later = keys::deadlines_from(block_time);
  if (services_.state().scan({prefix, {}, later}, 1).empty()) return;
  const contracts::SystemSweep sweep{{}, block_time, contracts::kSweepMax};
  services_.submitter.submit(
      services_.agent_key(), {contracts::make_operation(sweep, crypto::random_id<RequestId>())},
      [](const Result<std::vector<OperationOutcome>>&) {});  // the next turn sees what is left
}

template <typename Id>
void ClaimAgent::notify(NoticeKind kind, const Id& of, std::uint32_t number) {
  const auto person = desks_.recipients.find(of);
  if (!person) return;  // whoever reported or opened it knows the person
  Notice notice;
  notice.id = notice_id(kind, contracts::id_cast<Hash>(of), number);
  notice.kind = kind;
  notice.recipient = *person;
  notice.text = notice_text(kind, institution_name(services_.state(), services_.self));
  if (const auto posted = desks_.notices.post(notice); !posted) {
    spdlog::warn("a notice waits: {}", errc_name(posted.error().code));
    services_.retries.later(services_.clock().value,
                            [this, kind, of, number] { notify(kind, of, number); });
  }
}

void ClaimAgent::on_filed(const contracts::Filed& event) {
  const auto encounter = ledger::read_as<contracts::EncounterState>(
      services_.state(), keys::encounter(event.encounter));
  if (!encounter || encounter->reporter != services_.self) return;
  notify(NoticeKind::filed, event.encounter, 1);
}

void ClaimAgent::on_released(const contracts::Released& event) {
  if (event.custodian != services_.self) return;
  const auto grant =
      ledger::read_as<contracts::GrantState>(services_.state(), keys::grant(event.grant));
  if (!grant || grant->basis.kind != contracts::BasisKind::claim) return;
  const auto claim = read_claim(services_, contracts::id_cast<ClaimId>(grant->basis.id));
  if (claim && claim->payload == event.record) notify(NoticeKind::released, claim->encounter, 1);
}

void ClaimAgent::on_opened(const contracts::ClaimOpened& event) {
  if (event.insurer == services_.self) desks_.adjudication.consider(event.claim);
}

void ClaimAgent::on_supplemented(const contracts::ClaimSupplemented& event) {
  if (event.insurer != services_.self) return;
  request_supplements(event.claim);
  desks_.adjudication.consider(event.claim);
}

void ClaimAgent::request_supplements(const ClaimId& id) {
  const auto claim = read_claim(services_, id);
  if (!claim || claim->phase != ClaimPhase::opened) return;
  const auto agent = member_of_key(services_.state(), services_.agent_key().public_key());
  if (!agent) return;
  for (const auto& record : claim->supplements) {
    if (services_.records.contains(record)) continue;
    contracts::RecordsRequest content;
    content.record = record;
    content.purpose = contracts::Purpose::hpaymt;
    content.basis = {contracts::BasisKind::claim, contracts::id_cast<Hash>(id)};
    content.mode = contracts::ReadMode::automatic;
    content.trigger = contracts::Trigger::claim_filed;
    content.recipient = services_.vault_member;
    content.originator = {services_.self, agent->member.id, contracts::SignedBy::member};
    submit_step(
        services_, {"request_supplement", contracts::id_cast<Hash>(record.record)},
        [&](const RequestId& request) { return contracts::make_operation(content, request); },
        [this, id] { request_supplements(id); });
  }
}

void ClaimAgent::on_received(const contracts::Received& event) {
  if (event.reader != services_.self || event.result != contracts::ReceiveResult::ok) return;
  const auto grant =
      ledger::read_as<contracts::GrantState>(services_.state(), keys::grant(event.grant));
  if (!grant || grant->basis.kind != contracts::BasisKind::claim) return;
  const auto id = contracts::id_cast<ClaimId>(grant->basis.id);
  const auto claim = read_claim(services_, id);
  // The payload's receipt opens the claim, and its event brings it to the desk.
  if (claim && claim->phase == ClaimPhase::opened && claim->payload != event.record) {
    desks_.adjudication.consider(id);
  }
}

void ClaimAgent::on_decided(const contracts::ClaimDecided& event) {
  if (event.insurer != services_.self) return;
  switch (event.outcome) {
    case Outcome::needs_paper:
      return notify(NoticeKind::needs_paper, event.claim, event.number);
    case Outcome::needs_person:
      return notify(NoticeKind::in_review, event.claim, event.number);
    case Outcome::payable:
      notify(NoticeKind::decided, event.claim, event.number);
      settle(event.claim, event.number);
      if (event.countersigning == contracts::Countersigning::uncountersigned) {
        desks_.adjudication.send_openings(event.claim, event.number);
      }
      return;
  }
}

void ClaimAgent::on_review_requested(const contracts::ReviewRequested& event) {
  if (event.insurer == services_.self) notify(NoticeKind::in_review, event.claim, 0x10000);
}

void ClaimAgent::settle(const ClaimId& claim, std::uint16_t number) {
  const auto decision = read_decision(services_, claim, number);
  if (!decision) return;
  const bool owes_payment = decision->paid_at == TimeMs{};
  const bool owes_explanation =
      decision->explain_due != TimeMs{} && decision->explained_at == TimeMs{};
  if (!owes_payment && !owes_explanation) return;
  const auto kept = desks_.book.find(decision->decision);
  if (!kept) {
    spdlog::error("claim {}: the openings of decision {} are not here: restore openings/",
                  claim.hex().substr(0, 12), number);
    return;
  }
  if (owes_explanation) post_explanation(claim, number, *kept);
  if (owes_payment) order_payment(claim, number, *kept);
}

void ClaimAgent::order_payment(const ClaimId& claim, std::uint16_t number,
                               const KeptDecision& kept) {
  std::uint64_t amount = 0;
  for (const auto& payout : kept.file.payouts) amount += payout.amount;
  if (amount == 0) return post_nothing_due(claim, number);
  const auto person = desks_.recipients.find(claim);
  if (!person) {
    spdlog::error("claim {}: the payee is not known: restore recipients/",
                  claim.hex().substr(0, 12));
    return;
  }
  PaymentOrder order;
  order.instruction.decision = decision_id(claim, number);
  order.instruction.payee = *person;
  order.instruction.amount = amount;
  order.instruction.currency = services_.genesis.currency;
  order.claim = claim;
  order.number = number;
  if (const auto ordered = desks_.payments.order(order); !ordered) {
    spdlog::warn("a payment waits: {}", errc_name(ordered.error().code));
    services_.retries.later(services_.clock().value,
                            [this, claim, number] { settle(claim, number); });
    return;
  }
  desks_.payments.work(services_.clock());
}

/// A payout of 0 is settled like any other, so that nobody learns that it is 0.
void ClaimAgent::post_nothing_due(const ClaimId& claim, std::uint16_t number) {
  const Hash id = decision_id(claim, number);
  const Salt salt = services_.keys.salt_of("nothing-due", RequestId::from(id.view().first(16)));
  submit_payment(claim, number,
                 crypto::commit(crypto::domain::kSalted, salt, as_bytes("nothing due")));
}

void ClaimAgent::post_payment(const PaymentOrder& order) {
  submit_payment(order.claim, order.number,
                 crypto::commit(crypto::domain::kSalted, order.reference_salt,
                                as_bytes(order.answer->reference)));
}

void ClaimAgent::submit_payment(const ClaimId& claim, std::uint16_t number,
                                const Commitment& reference) {
  const auto decision = read_decision(services_, claim, number);
  if (!decision) return;
  if (decision->paid_at != TimeMs{}) {
    (void)desks_.payments.posted(decision_id(claim, number));
    return;
  }
  contracts::ClaimsPay content;
  content.claim = claim;
  content.number = number;
  content.reference = reference;
  submit_step(
      services_, {"pay", decision_id(claim, number)},
      [&](const RequestId& id) { return contracts::make_operation(content, id); },
      [this, claim, number, reference] { submit_payment(claim, number, reference); });
}

void ClaimAgent::post_explanation(const ClaimId& claim, std::uint16_t number,
                                  const KeptDecision& kept) {
  const Hash id = decision_id(claim, number);
  const Salt salt = services_.keys.salt_of("explanation", RequestId::from(id.view().first(16)));
  contracts::ClaimsExplained content;
  content.claim = claim;
  content.number = number;
  content.explanation =
      crypto::commit(crypto::domain::kSalted, salt, as_bytes(kept.explanation_zh));
  submit_step(
      services_, {"explained", id},
      [&](const RequestId& request) { return contracts::make_operation(content, request); },
      [this, claim, number] { settle(claim, number); });
}

void ClaimAgent::on_paid(const contracts::ClaimPaid& event) {
  if (event.insurer != services_.self) return;
  (void)desks_.payments.posted(decision_id(event.claim, event.number));
  notify(NoticeKind::paid, event.claim, event.number);
}

}  // namespace baolian::node
