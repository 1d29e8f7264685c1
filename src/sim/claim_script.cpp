#include "sim/claim_script.h"

#include <algorithm>
#include <string>

#include "contracts/calendar.h"
#include "crypto/commitment.h"

namespace baolian::sim {
namespace {

using contracts::ClaimPayload;
using contracts::ClaimPhase;

bool needs_both_insurers(ClaimStrategy strategy) {
  return strategy == ClaimStrategy::contended_invoice || strategy == ClaimStrategy::silent_hospital;
}

class Author {
 public:
  Author(const ClaimWorld& world, OpeningBook& hospital, Prng prng)
      : world_(world), hospital_(hospital), prng_(prng) {}

  void person(ClaimScript& script, ClaimStrategy strategy) {
    InsuredPerson person;
    person.care = {{}, draw_id<Tag32>(prng_)};
    const std::size_t first = prng_.below(kInsurers);
    const bool both = needs_both_insurers(strategy) || prng_.chance_percent(50);
    for (std::size_t i = 0; i < kInsurers; ++i) {
      if (i != first && !both) continue;
      person.covers[i] = {{world_.insurers[i].seat.institution, draw_id<Tag32>(prng_)},
                          draw_id<Commitment>(prng_)};
    }
    script.persons.push_back(person);
    const std::size_t index = script.persons.size() - 1;
    const std::size_t bills = prng_.between(2, 3);
    const std::size_t played = prng_.below(bills - 1);
    for (std::size_t n = 0; n < bills; ++n) {
      const bool plays =
          n == played || (strategy == ClaimStrategy::contended_policy && n == played + 1);
      Bill bill = make_bill(index, person);
      if (plays) bill.strategy = strategy;
      bill.culprit = first;
      bill.report_after_ms = n * 700 + prng_.below(1500);
      script.bills.push_back(std::move(bill));
    }
  }

 private:
  contracts::Invoice make_invoice(ClaimPayload& payload) {
    contracts::Invoice invoice;
    const auto index = static_cast<std::uint16_t>(payload.invoices.size());
    invoice.code = "S";
    invoice.number = draw_id<RequestId>(prng_).hex();
    invoice.total = 0;
    const std::uint64_t items = prng_.between(1, 3);
    for (std::uint64_t i = 0; i < items; ++i) {
      contracts::Item item;
      item.invoice = index;
      item.name = "item";
      item.amount = prng_.between(1, 90'000);
      item.catalogue_class = contracts::CatalogueClass::a;
      *invoice.total += *item.amount;
      payload.items.push_back(std::move(item));
    }
    invoice.basic_pool = prng_.below(*invoice.total / 2 + 1);
    return invoice;
  }

  ClaimPayload make_payload(const InsuredPerson& person) {
    ClaimPayload payload;
    payload.person = {"urn:sim:person", draw_id<RequestId>(prng_).hex()};
    payload.encounter_number = draw_id<RequestId>(prng_).hex();
    payload.admitted_day = world_.today - 3;
    payload.discharged_day = world_.today - 1;
    payload.admitted = TimeMs{std::uint64_t{payload.admitted_day} * 86'400'000};
    payload.discharged = TimeMs{std::uint64_t{payload.discharged_day} * 86'400'000};
    const std::uint64_t invoices = prng_.between(1, 2);
    for (std::uint64_t i = 0; i < invoices; ++i) payload.invoices.push_back(make_invoice(payload));
    payload.openings.subject = {person.care, draw_id<Salt>(prng_)};
    payload.openings.record_list_salt = draw_id<Salt>(prng_);
    for (const contracts::Invoice& invoice : payload.invoices) {
      const auto amount = contracts::initial_balance(invoice);
      ASSERT(amount.has_value());
      payload.openings.balances.push_back({*amount, draw_blinding(prng_)});
    }
    return payload;
  }

  Bill make_bill(std::size_t index, const InsuredPerson& person) {
    Bill bill;
    bill.person = index;
    bill.payload = make_payload(person);
    contracts::ClaimsReport& report = bill.report;
    report.encounter = draw_id<Tag32>(prng_);
    report.payload.record = draw_id<RecordId>(prng_);
    report.payload.level = contracts::Level::two;
    report.payload.commitment =
        crypto::commit(crypto::domain::kRecord, draw_id<Salt>(prng_), encode(bill.payload));
    for (const contracts::BalanceOpening& balance : bill.payload.openings.balances) {
      bill.tags.push_back(draw_id<Tag32>(prng_));
      const Opening opening{balance.amount, balance.blinding};
      report.invoices.push_back({bill.tags.back(), hospital_.keep(opening)});
    }
    std::sort(report.invoices.begin(), report.invoices.end());
    report.first_month =
        static_cast<std::uint16_t>(contracts::civil_month(bill.payload.admitted_day));
    report.last_month =
        static_cast<std::uint16_t>(contracts::civil_month(bill.payload.discharged_day));
    const contracts::SubjectOpening& subject = bill.payload.openings.subject;
    report.subject_commitment =
        crypto::commit(crypto::domain::kSubject, subject.salt, encode(subject.subject));
    const Salt& list_salt = bill.payload.openings.record_list_salt;
    report.record_list = contracts::commit_record_list(list_salt, {});
    for (const auto& cover : person.covers) {
      if (cover) report.filings.push_back({cover->subject, cover->consent()});
    }
    std::sort(report.filings.begin(), report.filings.end());
    contracts::Disclosure disclosure{person.care, {}, list_salt, {}};
    for (int i = 0; i < 4; ++i) disclosure.day_tags.push_back(draw_id<Tag32>(prng_));
    std::sort(disclosure.day_tags.begin(), disclosure.day_tags.end());
    report.disclosure = std::move(disclosure);
    report.vault = world_.hospital.vault;
    return bill;
  }

  const ClaimWorld& world_;
  OpeningBook& hospital_;
  Prng prng_;
};

}  // namespace

std::string_view strategy_name(ClaimStrategy strategy) {
  static constexpr std::array<std::string_view, kClaimStrategies> kNames = {"honest",
                                                                            "wrong_accumulator",
                                                                            "false_opening",
                                                                            "changed_payout",
                                                                            "contended_invoice",
                                                                            "contended_policy",
                                                                            "replayed_signature",
                                                                            "lost_answer",
                                                                            "skipped_number",
                                                                            "paid_twice",
                                                                            "paid_early",
                                                                            "silent_hospital",
                                                                            "overdue_request",
                                                                            "overdue_release",
                                                                            "overdue_decision",
                                                                            "overdue_payment",
                                                                            "overdue_explanation"};
  return kNames[static_cast<std::size_t>(strategy)];
}

std::optional<ClaimStrategy> find_strategy(std::string_view name) {
  for (std::size_t i = 0; i < kClaimStrategies; ++i) {
    const auto strategy = static_cast<ClaimStrategy>(i);
    if (strategy_name(strategy) == name) return strategy;
  }
  return std::nullopt;
}

Bill* ClaimScript::find(const Tag32& encounter) {
  const auto found = std::find_if(bills.begin(), bills.end(), [&](const Bill& bill) {
    return bill.report.encounter == encounter;
  });
  return found == bills.end() ? nullptr : &*found;
}

ClaimScript draw_script(const ClaimWorld& world, std::size_t persons,
                        std::optional<ClaimStrategy> only, OpeningBook& hospital, Prng prng) {
  ClaimScript script;
  Prng casting = prng.fork(1);
  Author author(world, hospital, prng.fork(2));
  for (std::size_t i = 0; i < persons; ++i) {
    author.person(script,
                  only.value_or(static_cast<ClaimStrategy>(casting.below(kClaimStrategies))));
  }
  return script;
}

ClaimPhase expected_end(const Bill& bill, std::size_t insurer) {
  if (bill.culprit != insurer) return ClaimPhase::closed;
  switch (bill.strategy) {
    case ClaimStrategy::overdue_request:
    case ClaimStrategy::overdue_release:
      return ClaimPhase::filed;
    case ClaimStrategy::overdue_decision:
      return ClaimPhase::opened;
    case ClaimStrategy::overdue_payment:
      return ClaimPhase::decided;
    default:
      return ClaimPhase::closed;  // refused or resolved, and then as honest parties do
  }
}

}  // namespace baolian::sim
