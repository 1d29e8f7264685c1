#include <algorithm>

#include "contracts/events.h"
#include "sim/claim_parties.h"

namespace baolian::sim {

using contracts::Code;

namespace {

constexpr std::uint64_t kSignatureHoldsMs = 5 * 60'000;

}  // namespace

Hospital::Hospital(ClaimScene& scene, OpeningBook book, Prng prng)
    : scene_(scene),
      seat_(scene.world.hospital),
      book_(std::move(book)),
      wire_(scene, seat_.agent, prng),
      reported_(scene.script.bills.size(), false) {
  for (Bill& bill : scene.script.bills) payloads_[bill.report.payload.record] = &bill;
}

void Hospital::step() {
  wire_.step();
  for (; read_ < scene_.feed.entries().size(); ++read_) read(scene_.feed.entries()[read_]);
  if (enrolled_ == kInsurers) report_due_bills();
}

bool Hospital::idle() const {
  return wire_.idle() && std::find(reported_.begin(), reported_.end(), false) == reported_.end();
}

void Hospital::report_due_bills() {
  for (std::size_t i = 0; i < reported_.size(); ++i) {
    const Bill& bill = scene_.script.bills[i];
    if (reported_[i] || bill.report_after_ms > scene_.events.now().value) continue;
    reported_[i] = true;
    wire_.submit(bill.report, [this](const Certified& entry) {
      const auto reported = contracts::find_event<contracts::Reported>(entry.receipt);
      if (!reported || reported->claims == 0) {
        scene_.checker.violation("a report was not filed: " +
                                 std::string(contracts::code_name(entry.code())));
      }
    });
  }
}

void Hospital::read(const Certified& entry) {
  if (!entry.applied() || entry.whole) return;
  if (contracts::find_event<contracts::Enrolled>(entry.receipt)) ++enrolled_;
  if (const auto filed = contracts::find_event<contracts::Filed>(entry.receipt)) {
    for (const contracts::FiledClaim& claim : filed->claims) {
      claims_[claim.claim] = scene_.script.find(filed->encounter);
      insurer_of_[claim.claim] = *scene_.world.insurer_index(claim.insurer);
    }
  }
  if (const auto granted = contracts::find_event<contracts::Granted>(entry.receipt)) {
    const Bill& bill = *payloads_.at(granted->record.record);
    const auto reader = scene_.world.insurer_index(granted->reader);
    if (!bill.plays(ClaimStrategy::overdue_release, *reader)) release(*granted, bill);
  }
  if (const auto late = contracts::find_event<contracts::LateCountersigned>(entry.receipt)) {
    claims_.at(late->claim)->freed = true;
  }
}

void Hospital::release(const contracts::Granted& granted, const Bill& bill) {
  contracts::RecordsRelease content;
  content.grant = granted.grant;
  content.commitment = bill.report.payload.commitment;
  content.wrap_hash = contracts::id_cast<Hash>(granted.grant);
  content.ciphertext_hash = content.wrap_hash;
  content.vault = seat_.vault;
  wire_.submit(content, [this](const Certified& entry) {
    // Too late is a matter of the network: the insurer asks again.
    if (!entry.applied() && entry.code() != Code::grant_expired &&
        entry.code() != Code::grant_unknown) {
      scene_.checker.violation("a release was refused: " +
                               std::string(contracts::code_name(entry.code())));
    }
  });
}

std::optional<std::vector<Opening>> Hospital::remainders(
    const contracts::ClaimsDecide& content, const std::vector<Opening>& payouts) const {
  if (payouts.size() != content.lines.size()) return std::nullopt;
  std::vector<Opening> out;
  for (std::size_t i = 0; i < payouts.size(); ++i) {
    const auto balance = book_.find(content.lines[i].balance_before);
    if (!balance || payouts[i].amount > balance->amount) return std::nullopt;
    const bool opens = committed(payouts[i]) == content.lines[i].payout;
    if (!opens && scene_.fault != SeededFault::blind_hospital) return std::nullopt;
    out.push_back(*balance - payouts[i]);
  }
  return out;
}

void Hospital::on_signature_request(const SignatureRequest& request, const Answer& answer) {
  const auto found = claims_.find(request.content.claim);
  if (found == claims_.end()) return;  // its node is behind: the insurer asks again
  const Bill& bill = *found->second;
  if (bill.plays(ClaimStrategy::silent_hospital, insurer_of_.at(request.content.claim))) return;
  const auto rest = remainders(request.content, request.payouts);
  if (!rest) {
    return scene_.channel.send([answer, serial = request.serial] { answer(serial, std::nullopt); });
  }
  // Kept before it is signed: whichever decision commits, its balance can be opened.
  for (const Opening& opening : *rest) book_.keep(opening);
  const auto signature = ledger::cosign(contracts::make_operation(request.content, RequestId{}),
                                        ledger::Capacity::countersigner, request.insurer, Nonce{},
                                        scene_.events.wall() + kSignatureHoldsMs,
                                        scene_.world.world.chain_id, *seat_.agent);
  scene_.trace("countersign", signature.signature.view());
  scene_.channel.send([answer, serial = request.serial, signature] { answer(serial, signature); });
}

void Hospital::on_balance_request(const GroupElement& balance,
                                  const std::function<void(const Opening&)>& answer) {
  if (const auto opening = book_.find(balance)) {
    scene_.channel.send([answer, opening = *opening] { answer(opening); });
  }
}

void Hospital::on_openings(const contracts::ClaimsDecide& content,
                           const std::vector<Opening>& payouts) {
  if (late_.contains(content.claim)) return;
  const auto rest = remainders(content, payouts);
  if (!rest) return scene_.checker.violation("the openings of a lone decision do not open it");
  for (const Opening& opening : *rest) book_.keep(opening);
  late_.insert(content.claim);
  const contracts::ClaimsLateCountersign late{{}, content.claim, content.number};
  wire_.submit(late, [this](const Certified& entry) {
    if (!entry.applied()) {
      scene_.checker.violation("a late countersignature was refused: " +
                               std::string(contracts::code_name(entry.code())));
    }
  });
}

// ------------------------------------------------------------------ the bureau

void Sweeper::begin() { sweep(TimeMs{scene_.events.wall().value - 1000}, true); }

/// Sweeps until nothing is left, and once more: the second time nothing is said.
void Sweeper::sweep(TimeMs up_to, bool again) {
  contracts::SystemSweep content;
  content.up_to = up_to;
  content.count_max = static_cast<std::uint16_t>(prng_.between(1, 6));
  wire_.submit(content, [this, up_to, again](const Certified& entry) {
    ++scene_.tally.sweeps;
    if (entry.code() == Code::sweep_ahead) return sweep(up_to, again);
    if (!entry.applied()) {
      return scene_.checker.violation("a sweep was refused: " +
                                      std::string(contracts::code_name(entry.code())));
    }
    const auto raised = contracts::find_event<contracts::AlarmsRaised>(entry.receipt);
    if (raised) {
      scene_.tally.alarms += raised->alarms.size();
      if (!again) scene_.checker.violation("a sweep said again what was said before");
      return sweep(up_to, true);
    }
    if (again) sweep(up_to, false);
  });
}

}  // namespace baolian::sim
