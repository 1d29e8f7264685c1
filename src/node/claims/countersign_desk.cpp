#include "node/claims/countersign_desk.h"

#include <spdlog/spdlog.h>

#include "contracts/operations.h"
#include "crypto/pedersen.h"
#include "crypto/sealed_box.h"

namespace baolian::node {
namespace {

using contracts::ClaimsDecide;
using contracts::Countersigning;
namespace keys = contracts::keys;

constexpr std::uint64_t kCosignatureLifeMs = 5 * 60 * 1000;

ledger::Operation operation_of(Bytes content) {
  ledger::Operation out;
  out.kind = static_cast<std::uint16_t>(ClaimsDecide::kKind);
  out.content = std::move(content);
  return out;
}

}  // namespace

void CountersignDesk::wait_for(const InstitutionId& from, Height height, Bytes message) {
  if (early_.size() >= kEarlyMax) early_.pop_front();  // whoever asked asks again
  early_.push_back({from, height, std::move(message)});
}

void CountersignDesk::on_certified(Height height) {
  std::deque<Early> early;
  early.swap(early_);
  for (Early& one : early) {
    if (one.height > height) {
      early_.push_back(std::move(one));
    } else if (one.message.front() == kCountersignRequest) {
      on_countersign_request(one.from, std::move(one.message));
    } else {
      on_balance_request(one.from, std::move(one.message));
    }
  }
}

void CountersignDesk::on_countersign_request(const InstitutionId& from, Bytes message) {
  const auto request = decode<CountersignRequest>(message);
  if (!request) return;
  if (request->height > services_.chain.certified_height()) {
    return wait_for(from, request->height, std::move(message));
  }
  CountersignReply reply;
  reply.request = request->request;
  auto cosignature = judge(from, *request);
  if (cosignature) {
    reply.cosignature = *cosignature;
  } else {
    reply.reason = cosignature.error().context;
    spdlog::info("countersignature refused: {}", reply.reason);
  }
  services_.send(from, encode(reply));
}

Result<void> CountersignDesk::check_claim(const InstitutionId& from,
                                          const ClaimsDecide& content) const {
  const auto claim =
      ledger::read_as<contracts::ClaimState>(services_.state(), keys::claim(content.claim));
  if (!claim || claim->reporter != services_.self || claim->insurer() != from) {
    return fail(Errc::not_authorized, "the claim is not one of ours for that insurer");
  }
  if (content.outcome != contracts::Outcome::payable) {
    return fail(Errc::bad_argument, "only payable decisions are countersigned");
  }
  if (content.payload_version != claim->payload.version) {
    return fail(Errc::bad_argument, "stale_payload: there is a newer version of the bill");
  }
  return ok();
}

Result<void> CountersignDesk::check_line(const contracts::PayoutLine& line,
                                         const BalanceOpening& payout,
                                         std::vector<BalanceOpening>& after) const {
  if (!line.invoice) return fail(Errc::bad_argument, "a line names no invoice");
  const auto before = book_.sum(line.balance_before);
  if (!before) return fail(Errc::bad_argument, "stale_balance: that balance is not known here");
  TRY(const GroupElement committed, crypto::pedersen_commit(payout.amount, payout.blinding));
  if (committed != line.payout) {
    return fail(Errc::bad_commitment, "a payout does not open as it was said to");
  }
  if (payout.amount > before->amount) {
    return fail(Errc::bad_amount, "a payout is above what remains of its invoice");
  }
  after.push_back(
      {before->amount - payout.amount, crypto::subtract(before->blinding, payout.blinding)});
  return ok();
}

Result<ledger::Cosignature> CountersignDesk::judge(const InstitutionId& from,
                                                   const CountersignRequest& request) {
  TRY(const crypto::Secret opened,
      crypto::open_sealed(services_.keys.vault_encryption(), request.sealed));
  TRY(const CountersignBody body, decode<CountersignBody>(opened.view()));
  TRY(const ClaimsDecide content, decode<ClaimsDecide>(body.content));
  TRY(check_claim(from, content));
  if (content.lines.empty() || body.payouts.size() != content.lines.size()) {
    return fail(Errc::bad_argument, "the payouts opened are not those of the lines");
  }
  if (escrow_hash(body.escrow) != content.escrow) {
    return fail(Errc::bad_argument, "the escrow is not the one that the decision names");
  }
  KeptDecision kept;
  kept.file.content = body.content;
  kept.file.payouts = body.payouts;
  kept.escrow = body.escrow;
  for (std::size_t i = 0; i < content.lines.size(); ++i) {
    TRY(check_line(content.lines[i], body.payouts[i], kept.file.balances));
  }
  if (content.countersigning == Countersigning::countersigned) {
    for (const auto& line : content.lines) {
      const auto invoice =
          ledger::read_as<contracts::InvoiceState>(services_.state(), keys::invoice(*line.invoice));
      if (!invoice || invoice->balance != line.balance_before ||
          (invoice->frozen && invoice->frozen->claim != content.claim)) {
        return fail(Errc::bad_argument, "stale_balance: the invoice's balance has changed");
      }
    }
  }
  TRY(book_.keep(kept));
  if (content.countersigning == Countersigning::uncountersigned) {
    countersign_late(content);
    return fail(Errc::already_exists, "countersigned late, by an operation of its own");
  }
  const TimeMs not_after{services_.clock().value + kCosignatureLifeMs};
  return ledger::cosign(operation_of(body.content), ledger::Capacity::countersigner, from, Nonce{},
                        not_after, services_.chain.chain_id(), services_.agent_key());
}

void CountersignDesk::countersign_late(const ClaimsDecide& content) {
  const auto decision = ledger::read_as<contracts::DecisionState>(
      services_.state(), keys::decision(content.claim, content.number));
  const bool owes = decision && decision->decision == content.decision &&
                    decision->countersigning == Countersigning::uncountersigned;
  if (!owes) return;
  const contracts::ClaimsLateCountersign late{{}, content.claim, content.number};
  submit_step(
      services_, {"late_countersign", contracts::id_cast<Hash>(content.decision)},
      [&](const RequestId& id) { return contracts::make_operation(late, id); },
      [this, content] { countersign_late(content); });
}

void CountersignDesk::on_balance_request(const InstitutionId& from, Bytes message) {
  const auto request = decode<BalanceRequest>(message);
  if (!request) return;
  if (request->height > services_.chain.certified_height()) {
    return wait_for(from, request->height, std::move(message));
  }
  BalanceReply reply;
  reply.request = request->request;
  auto sealed = open_balances(from, request->claim);
  if (sealed) {
    reply.sealed = std::move(*sealed);
  } else {
    reply.reason = sealed.error().context;
  }
  services_.send(from, encode(reply));
}

Result<Bytes> CountersignDesk::open_balances(const InstitutionId& from,
                                             const ClaimId& claim) const {
  const auto state = ledger::read_as<contracts::ClaimState>(services_.state(), keys::claim(claim));
  const bool may_ask = state && state->reporter == services_.self && state->insurer() == from &&
                       contracts::is_decidable(state->phase);
  if (!may_ask) return fail(Errc::not_authorized, "the claim is not open for that insurer");
  const auto encounter = ledger::read_as<contracts::EncounterState>(
      services_.state(), keys::encounter(state->encounter));
  if (!encounter) return fail(Errc::not_found, "the encounter is not on the chain");
  SumOpenings out;
  for (const Tag32& tag : encounter->invoices) {
    const auto invoice =
        ledger::read_as<contracts::InvoiceState>(services_.state(), keys::invoice(tag));
    const auto opening = invoice ? book_.sum(invoice->balance) : std::nullopt;
    if (!opening) return fail(Errc::not_found, "a balance is held by an uncountersigned decision");
    out.sums.push_back({invoice->balance, *opening});
  }
  const auto vault = vault_key_of(services_.genesis, from);
  if (!vault) return fail(Errc::not_found, "that insurer has no vault");
  return crypto::seal(*vault, encode(out));
}

}  // namespace baolian::node
