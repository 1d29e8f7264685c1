/// How an insurer decides: on what stands, with the hospital's signature, and as its strategy
/// tells.
#include <algorithm>

#include "contracts/parameters.h"
#include "contracts/state.h"
#include "crypto/commitment.h"
#include "crypto/hash.h"
#include "sim/claim_parties.h"

namespace baolian::sim {

using contracts::ClaimsDecide;
using contracts::Code;
using contracts::Countersigning;

namespace {

constexpr std::uint64_t kAskAgainMs = 250;
constexpr std::uint64_t kQueryAgainMs = 150;
/// So many questions without an answer before the insurer thinks of deciding alone.
constexpr std::uint64_t kAsksMax = 4;
constexpr std::uint64_t kWrongByMinor = 1000;

/// Another decision was there first, or time passed: the same number again, on what stands now.
bool is_overtaken(Code code) {
  return code == Code::stale_balance || code == Code::stale_total ||
         code == Code::stale_accumulator || code == Code::cosignature_expired ||
         code == Code::invoice_frozen;
}

std::string refused(std::string_view what, Code code) {
  return std::string(what) + ": " + std::string(contracts::code_name(code));
}

}  // namespace

void Insurer::open(ClaimWork& work) {
  if (plays(work, ClaimStrategy::overdue_decision)) {
    return park(work, ClaimStrategy::overdue_decision);
  }
  if (acts(work, ClaimStrategy::paid_early)) return pay_too_early(work);
  if (!may_decide(work) || work.query_at > scene_.events.now()) return;
  if (!prepare(work)) {
    work.query_at = scene_.events.now() + kQueryAgainMs;
    return;
  }
  work.stage = WorkStage::asking;
  ask(work);
}

/// One decision at a time on one policy's sums; a careless insurer does not wait.
bool Insurer::may_decide(const ClaimWork& work) const {
  if (waits_for_freeze(work)) return false;
  if (acts(work, ClaimStrategy::contended_policy)) return true;
  return std::none_of(works_.begin(), works_.end(), [&](const auto& entry) {
    const ClaimWork& other = entry.second;
    const bool decides =
        other.stage == WorkStage::asking || other.stage == WorkStage::holding ||
        (other.stage == WorkStage::submitting && other.attempt && other.number == 1);
    return other.claim != work.claim && other.policy == work.policy && decides && !other.is_parked;
  });
}

std::optional<std::vector<Opening>> Insurer::balances(ClaimWork& work,
                                                      const ledger::StateReader& state) {
  const bool probes = work.bill->strategy == ClaimStrategy::silent_hospital && !work.bill->probed &&
                      work.bill->culprit != index_;
  std::vector<Opening> out;
  bool complete = true;
  for (std::size_t i = 0; i < work.bill->tags.size(); ++i) {
    const contracts::BalanceOpening& first = work.bill->payload.openings.balances[i];
    const Opening reported{first.amount, first.blinding};
    const auto invoice = ledger::read_as<contracts::InvoiceState>(
        state, contracts::keys::invoice(work.bill->tags[i]));
    if (!invoice || (invoice->frozen && !probes)) return std::nullopt;
    if (probes || invoice->balance == committed(reported)) {
      out.push_back(reported);
    } else if (const auto told = told_.find(invoice->balance); told != told_.end()) {
      out.push_back(told->second);
    } else {
      complete = false;
      scene_.channel.send([this, balance = invoice->balance] {
        hospital_.on_balance_request(
            balance, [this](const Opening& opening) { told_[committed(opening)] = opening; });
      });
    }
  }
  if (!complete) return std::nullopt;
  return out;
}

std::optional<contracts::Accumulators> Insurer::accumulators(const ClaimWork& work,
                                                             const ledger::StateReader& state,
                                                             ClaimsDecide& content) const {
  contracts::Accumulators out;
  const auto total =
      ledger::read_as<contracts::PolicyTotal>(state, contracts::keys::policy_total(work.policy));
  content.total_before = total ? total->total : GroupElement{};
  const auto paid = book_.totals.find(content.total_before);
  if (!paid) return std::nullopt;
  out.total_paid = paid->amount;
  for (const std::uint16_t id :
       {contracts::group_accumulator(1), contracts::liability_accumulator(1)}) {
    const auto stands = ledger::read_as<contracts::AccumulatorState>(
        state, contracts::keys::accumulator(work.policy, id));
    contracts::AccumulatorLine line{id, stands ? stands->amount : Commitment{}, {}};
    content.accumulators.push_back(line);
    if (!stands) continue;
    const auto known = book_.accumulators.find(line.before);
    if (known == book_.accumulators.end()) return std::nullopt;
    out.values.push_back({id, known->second.amount});
  }
  return out;
}

/// Decides on what a node says now. False: the opening of a balance is missing, or it is frozen.
bool Insurer::prepare(ClaimWork& work) {
  const ledger::StateReader* state = scene_.state(prng_);
  if (state == nullptr) return false;
  const auto standing = balances(work, *state);
  if (!standing) return false;
  Attempt attempt;
  attempt.serial = next_serial_++;
  const auto kept = accumulators(work, *state, attempt.content);
  if (!kept) {
    scene_.checker.violation("a sum of a policy stands that its insurer cannot open");
    return false;
  }
  contracts::DecisionInput input{own_.product, {scene_.world.today - 30, scene_.world.today + 334},
                                 *kept,        work.bill->payload,
                                 {},           {},
                                 nullptr,      {}};
  for (const Opening& one : *standing) input.invoices.push_back({one.amount});
  const contracts::Decision decision = contracts::decide(input);
  if (decision.outcome != contracts::Outcome::payable) {
    scene_.checker.violation("the engine does not pay a sound bill");
    return false;
  }
  fill(work, decision, *standing, attempt);
  distort(work, attempt);
  attempt.ask_at = scene_.events.now();
  work.attempt = std::move(attempt);
  return true;
}

/// Openings are kept before anybody sees a commitment to them.
void Insurer::fill(ClaimWork& work, const contracts::Decision& decision,
                   const std::vector<Opening>& balances, Attempt& attempt) {
  ClaimsDecide& content = attempt.content;
  content.claim = work.claim;
  content.number = work.number;
  content.outcome = decision.outcome;
  content.withheld = decision.withheld;
  std::vector<std::pair<contracts::PayoutLine, Opening>> lines;
  Opening total = *book_.totals.find(content.total_before);
  for (std::size_t i = 0; i < balances.size(); ++i) {
    const Opening payout{decision.invoice_payouts[i], draw_blinding(prng_)};
    book_.payouts.keep(payout);
    total = total + payout;
    lines.push_back({{work.bill->tags[i], committed(payout), committed(balances[i])}, payout});
  }
  book_.totals.keep(total);
  std::sort(lines.begin(), lines.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [line, payout] : lines) {
    content.lines.push_back(line);
    attempt.payouts.push_back(payout);
  }
  for (contracts::AccumulatorLine& line : content.accumulators) {
    const contracts::AccumulatorAmount after{
        {}, work.policy, line.id, decision.after.value(line.id)};
    line.after = crypto::commit(crypto::domain::kAccumulator, draw_id<Salt>(prng_), encode(after));
    book_.accumulators[line.after] = after;
  }
  const Salt salt = draw_id<Salt>(prng_);
  content.decision = crypto::commit(crypto::domain::kDecision, salt, encode(decision));
  book_.decisions[content.decision] = {salt, decision};
  // Sealing takes fresh randomness and is tested elsewhere: here the salt stands for it.
  content.escrow = crypto::hash_in_domain(crypto::domain::kEscrow, {salt.view()});
}

/// What is wrong before the hospital sees it.
void Insurer::distort(ClaimWork& work, Attempt& attempt) {
  if (acts(work, ClaimStrategy::wrong_accumulator)) {
    // An amount that once stood is the best lie: it would fork the year.
    const auto old = old_accumulators_.find(work.policy);
    const bool has_old =
        old != old_accumulators_.end() && old->second != attempt.content.accumulators[0].before;
    attempt.content.accumulators[0].before = has_old ? old->second : draw_id<Commitment>(prng_);
  }
  if (acts(work, ClaimStrategy::skipped_number)) ++attempt.content.number;
  if (acts(work, ClaimStrategy::false_opening)) {
    Opening more = attempt.payouts[0];
    more.amount += kWrongByMinor;
    attempt.content.lines[0].payout = committed(more);
  }
}

// ------------------------------------------------------------------ the countersignature

void Insurer::ask(ClaimWork& work) {
  Attempt& attempt = *work.attempt;
  if (attempt.ask_at > scene_.events.now()) return;
  if (plays(work, ClaimStrategy::silent_hospital) && attempt.asked >= kAsksMax) {
    return decide_alone(work);
  }
  ++attempt.asked;
  attempt.ask_at = scene_.events.now() + kAskAgainMs;
  const SignatureRequest request{attempt.serial, own_.seat.institution, attempt.content,
                                 attempt.payouts};
  scene_.channel.send([this, request] {
    hospital_.on_signature_request(
        request, [this, claim = request.content.claim](
                     std::uint64_t serial, const std::optional<ledger::Cosignature>& signature) {
          on_answer(claim, serial, signature);
        });
  });
}

void Insurer::on_answer(const ClaimId& claim, std::uint64_t serial,
                        const std::optional<ledger::Cosignature>& signature) {
  ClaimWork& work = works_.at(claim);
  // What comes twice or late answers an attempt that is over.
  if (work.stage != WorkStage::asking || work.attempt->serial != serial) return;
  if (!signature) {
    if (!acts(work, ClaimStrategy::false_opening)) {
      return scene_.checker.violation("the hospital refused an honest decision");
    }
    scene_.fired(ClaimStrategy::false_opening);
    work.has_acted = true;
    work.stage = WorkStage::opened;
    return;
  }
  work.attempt->signature = signature;
  if (acts(work, ClaimStrategy::lost_answer) && !work.lost) {
    work.lost = std::move(work.attempt);  // nobody knows of it yet: it is asked for again
    work.attempt.reset();
    work.stage = WorkStage::opened;
    return;
  }
  hold_or_decide(work);
}

void Insurer::hold_or_decide(ClaimWork& work) {
  if (!barrier_is_open(work)) {
    work.stage = WorkStage::holding;
    return;
  }
  if (work.lost) return decide_twice(work);
  decide(work);
}

/// Signed decisions on one sum wait until both are there, so that they meet.
bool Insurer::barrier_is_open(ClaimWork& work) {
  if (acts(work, ClaimStrategy::contended_invoice)) {
    work.bill->signed_claims.insert(work.claim);
    return work.bill->signed_claims.size() == kInsurers;
  }
  if (acts(work, ClaimStrategy::contended_policy)) {
    auto& waiting = scene_.script.persons[work.bill->person].signed_claims[index_];
    waiting.insert(work.claim);
    return waiting.size() == 2;
  }
  return true;
}

// ------------------------------------------------------------------ the decision

void Insurer::submit_decision(ClaimWork& work, const Attempt& attempt, ClaimWire::Done done) {
  work.stage = WorkStage::submitting;
  std::vector<ledger::Cosignature> cosignatures;
  if (attempt.signature) cosignatures.push_back(*attempt.signature);
  wire_.submit(attempt.content, std::move(done), std::move(cosignatures));
}

void Insurer::decide(ClaimWork& work) {
  const auto forbidden = [&](const Attempt& attempt, ClaimStrategy strategy, Code expected) {
    submit_decision(work, attempt, [this, &work, strategy, expected](const Certified& entry) {
      on_forbidden(work, strategy, expected, entry);
    });
  };
  if (acts(work, ClaimStrategy::wrong_accumulator)) {
    return forbidden(*work.attempt, ClaimStrategy::wrong_accumulator, Code::stale_accumulator);
  }
  if (acts(work, ClaimStrategy::skipped_number)) {
    return forbidden(*work.attempt, ClaimStrategy::skipped_number, Code::decision_number_wrong);
  }
  if (acts(work, ClaimStrategy::changed_payout)) {
    Attempt changed = *work.attempt;
    Opening more = changed.payouts[0];
    more.amount += kWrongByMinor;
    changed.content.lines[0].payout = committed(more);
    return forbidden(changed, ClaimStrategy::changed_payout, Code::cosignature_invalid);
  }
  const bool probes = work.bill->strategy == ClaimStrategy::silent_hospital &&
                      work.bill->culprit != index_ && !work.bill->probed;
  if (probes) {
    return submit_decision(work, *work.attempt, [this, &work](const Certified& entry) {
      on_forbidden(work, ClaimStrategy::silent_hospital, Code::invoice_frozen, entry);
      if (entry.code() == Code::invoice_frozen) work.bill->probed = true;
    });
  }
  submit_decision(work, *work.attempt,
                  [this, &work](const Certified& entry) { on_decided(work, entry); });
}

/// The answer that was lost arrived after all: both decisions are signed, both are sent.
void Insurer::decide_twice(ClaimWork& work) {
  work.twins_open = 2;
  work.twins_applied = 0;
  const std::array<Attempt, 2> twins = {*work.lost, *work.attempt};
  const std::size_t first = prng_.below(2);
  for (const std::size_t i : {first, 1 - first}) {
    submit_decision(work, twins[i], [this, &work, twin = twins[i]](const Certified& entry) {
      on_twin(work, twin, entry);
    });
  }
}

void Insurer::on_twin(ClaimWork& work, const Attempt& attempt, const Certified& entry) {
  if (entry.applied()) {
    ++work.twins_applied;
    work.attempt = attempt;
  } else if (entry.code() != Code::claim_state && !is_overtaken(entry.code())) {
    return scene_.checker.violation(refused("one of two signed decisions", entry.code()));
  }
  if (--work.twins_open > 0) return;
  work.lost.reset();
  work.has_acted = true;
  if (work.twins_applied > 1) {
    return scene_.checker.violation("two decisions of one number were applied");
  }
  if (work.twins_applied == 0) {  // another insurer was there before both
    work.stage = WorkStage::opened;
    return;
  }
  scene_.fired(ClaimStrategy::lost_answer);
  accept(work);
}

void Insurer::decide_alone(ClaimWork& work) {
  const TimeMs silent_until =
      work.opened_at + contracts::parameter(scene_.world.world.genesis.epoch,
                                            contracts::ParameterId::countersign_silence_ms);
  work.attempt->content.countersigning = Countersigning::uncountersigned;
  if (!work.has_acted) {
    return submit_decision(work, *work.attempt, [this, &work, silent_until](const Certified& e) {
      on_forbidden(work, ClaimStrategy::silent_hospital, Code::uncountersigned_too_early, e);
      if (!work.has_acted) return;
      work.is_parked = true;
      work.wakes = silent_until + 1000;
    });
  }
  submit_decision(work, *work.attempt, [this, &work](const Certified& entry) {
    const auto flag = contracts::find_event<contracts::FlagRaised>(entry.receipt);
    const bool is_flagged = flag && flag->rule == contracts::FlagRule::silent_countersigner &&
                            flag->about == contracts::id_cast<Hash>(work.claim) &&
                            flag->raised_on == scene_.world.hospital.institution;
    if (entry.applied() && !is_flagged) {
      return scene_.checker.violation("a decision without countersignature raised no flag");
    }
    if (entry.applied()) scene_.fired(ClaimStrategy::silent_hospital);
    on_decided(work, entry);
  });
}

void Insurer::on_forbidden(ClaimWork& work, ClaimStrategy strategy, Code expected,
                           const Certified& entry) {
  work.stage = WorkStage::opened;
  if (entry.code() == expected) {
    work.has_acted = true;
    scene_.fired(strategy);
    return;
  }
  if (is_overtaken(entry.code())) return;  // judged by another rule first: once more
  scene_.checker.violation(
      refused(std::string(strategy_name(strategy)) + " was answered with", entry.code()));
}

void Insurer::on_decided(ClaimWork& work, const Certified& entry) {
  if (entry.applied()) return accept(work);
  if (!is_overtaken(entry.code())) {
    return scene_.checker.violation(refused("an honest decision was refused", entry.code()));
  }
  ++work.refusals;
  work.has_acted = work.has_acted || acts(work, ClaimStrategy::contended_invoice) ||
                   acts(work, ClaimStrategy::contended_policy);
  work.stage = WorkStage::opened;
}

void Insurer::accept(ClaimWork& work) {
  // Who lost the race has the same number now as at its first try.
  const ClaimStrategy strategy = work.bill->strategy;
  const bool raced =
      strategy == ClaimStrategy::contended_invoice || plays(work, ClaimStrategy::contended_policy);
  if (raced && work.refusals > 0) scene_.fired(strategy);
  if (work.attempt->content.number != work.number) {
    return scene_.checker.violation("a decision was applied under another number than the next");
  }
  ++work.number;
  const Commitment& before = work.attempt->content.accumulators[0].before;
  if (!before.is_zero()) old_accumulators_[work.policy] = before;
  work.stage = WorkStage::decided;
}

/// The whole signed operation once more, and its signature under another content.
void Insurer::replay(ClaimWork& work) {
  work.twins_open = 2;
  work.stage = WorkStage::submitting;
  const auto refuse_both = [this, &work](Code expected, const Certified& entry) {
    if (entry.code() != expected) {
      return scene_.checker.violation(refused("a replayed countersignature", entry.code()));
    }
    if (--work.twins_open > 0) return;
    work.has_acted = true;
    scene_.fired(ClaimStrategy::replayed_signature);
    work.stage = WorkStage::decided;
  };
  submit_decision(work, *work.attempt,
                  [refuse_both](const Certified& entry) { refuse_both(Code::claim_state, entry); });
  Attempt other = *work.attempt;
  other.content.number = work.number;
  submit_decision(work, other, [refuse_both](const Certified& entry) {
    refuse_both(Code::cosignature_invalid, entry);
  });
}

}  // namespace baolian::sim
