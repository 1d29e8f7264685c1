#include <algorithm>

#include "contracts/events.h"
#include "contracts/parameters.h"
#include "crypto/commitment.h"
#include "sim/claim_parties.h"

namespace baolian::sim {

using contracts::Code;

namespace {

constexpr std::uint64_t kYearMs = 365ULL * 86'400'000;
constexpr std::uint64_t kOpeningsAgainMs = 300;

}  // namespace

Insurer::Insurer(ClaimScene& scene, Hospital& hospital, std::size_t index, Prng prng)
    : scene_(scene),
      hospital_(hospital),
      index_(index),
      own_(scene.world.insurers[index]),
      prng_(prng),
      wire_(scene, own_.seat.agent, prng_.fork(1)) {}

void Insurer::start() {
  contracts::ProductRegister content;
  content.product = own_.product_id;
  content.insurer = own_.seat.institution;
  content.content = contracts::product_content_hash(own_.product);
  content.cover_basis = own_.product.cover_basis;
  content.authorization = own_.product.authorization;
  content.payer_rank = own_.product.payer_rank;
  content.premium_sources = own_.product.premium_sources;
  content.from_day = own_.product.from_day;
  content.to_day = own_.product.to_day;
  wire_.submit(content, [this](const Certified& entry) {
    if (!entry.applied()) return scene_.checker.violation("a product was refused");
    enrol();
  });
}

void Insurer::enrol() {
  using contracts::RecordClass;
  contracts::PoliciesEnrol content;
  content.product = own_.product_id;
  content.purposes = {contracts::Purpose::hpaymt};
  content.classes = {RecordClass::administrative, RecordClass::bill, RecordClass::clinical_summary,
                     RecordClass::document};
  content.level_ceiling = contracts::Level::three;
  content.automatic = contracts::AutomaticReading::allowed;
  content.text_version = 1;
  for (const InsuredPerson& person : scene_.script.persons) {
    const auto& cover = person.covers[index_];
    if (!cover) continue;
    contracts::EnrolLine line;
    line.subject = cover->subject;
    line.evidence = cover->evidence;
    line.from_day = scene_.world.today - 30;
    line.to_day = scene_.world.today + 334;
    line.consent_to = scene_.events.wall() + kYearMs;
    content.lines.push_back(line);
  }
  if (content.lines.empty()) {  // nobody came: a person who never falls ill
    contracts::EnrolLine line;
    line.subject = {own_.seat.institution, draw_id<Tag32>(prng_)};
    line.evidence = draw_id<Commitment>(prng_);
    line.from_day = scene_.world.today;
    line.to_day = scene_.world.today + 1;
    line.consent_to = scene_.events.wall() + kYearMs;
    content.lines.push_back(line);
  }
  const auto attested =
      ledger::cosign(contracts::make_operation(content, RequestId{}), ledger::Capacity::attestor,
                     own_.seat.institution, Nonce{}, scene_.events.wall() + 9 * 60'000,
                     scene_.world.world.chain_id, *scene_.world.bureau.attestor);
  wire_.submit(content,
               [this](const Certified& entry) {
                 if (!entry.applied()) scene_.checker.violation("an enrolment was refused");
               },
               {attested});
}

void Insurer::step() {
  wire_.step();
  for (; read_ < scene_.feed.entries().size(); ++read_) read(scene_.feed.entries()[read_]);
  for (auto& [id, work] : works_) advance(work);
}

bool Insurer::waits_for_freeze(const ClaimWork& work) const {
  return work.bill->strategy == ClaimStrategy::silent_hospital && work.bill->culprit != index_ &&
         !work.bill->alone;
}

bool Insurer::idle() const {
  if (!wire_.idle()) return false;
  const TimeMs now = scene_.events.wall();
  return std::all_of(works_.begin(), works_.end(), [&](const auto& entry) {
    const ClaimWork& work = entry.second;
    if (work.is_parked) return !work.wakes || *work.wakes > now;
    const bool all_told = !work.bill->alone || work.bill->freed;
    return (work.stage == WorkStage::ended && all_told) ||
           (work.stage == WorkStage::opened && waits_for_freeze(work));
  });
}

std::string Insurer::busy_text() const {
  std::string out = wire_.idle() ? "busy" : "busy sending";
  for (const auto& [id, work] : works_) {
    if (work.stage == WorkStage::ended || work.is_parked) continue;
    out += " " + std::string(strategy_name(work.bill->strategy)) + "@" +
           std::to_string(static_cast<int>(work.stage));
  }
  return out;
}

std::optional<TimeMs> Insurer::wakes() const {
  std::optional<TimeMs> out;
  for (const auto& [id, work] : works_) {
    if (work.is_parked && work.wakes && (!out || *work.wakes < *out)) out = work.wakes;
  }
  return out;
}

void Insurer::park(ClaimWork& work, ClaimStrategy strategy) {
  work.is_parked = true;
  scene_.fired(strategy);
}

void Insurer::read(const Certified& entry) {
  if (!entry.applied() || entry.whole) return;
  if (const auto filed = contracts::find_event<contracts::Filed>(entry.receipt)) file(*filed);
  if (const auto released = contracts::find_event<contracts::Released>(entry.receipt)) {
    for (auto& [id, work] : works_) {
      if (work.grant == released->grant && work.stage == WorkStage::granted) {
        work.stage = WorkStage::released;
      }
    }
  }
  if (const auto decided = contracts::find_event<contracts::ClaimDecided>(entry.receipt)) {
    const auto found = works_.find(decided->claim);
    if (found != works_.end() &&
        decided->countersigning == contracts::Countersigning::uncountersigned) {
      found->second.bill->alone = true;
    }
  }
}

void Insurer::file(const contracts::Filed& filed) {
  for (const contracts::FiledClaim& one : filed.claims) {
    if (one.insurer != own_.seat.institution) continue;
    ClaimWork work;
    work.claim = one.claim;
    work.bill = scene_.script.find(filed.encounter);
    work.policy = one.policy;
    works_.emplace(one.claim, std::move(work));
  }
}

void Insurer::advance(ClaimWork& work) {
  if (work.is_parked) {
    if (!work.wakes || scene_.events.wall() < *work.wakes) return;
    work.is_parked = false;
  }
  if (work.bill->alone && plays(work, ClaimStrategy::silent_hospital)) send_openings(work);
  switch (work.stage) {
    case WorkStage::filed:
      return request(work);
    case WorkStage::granted:
      // The key did not come in time: the grant is void, and the claim still to be read.
      if (scene_.events.wall() > work.grant_expires + 2000) work.stage = WorkStage::filed;
      return;
    case WorkStage::released:
      return receive(work);
    case WorkStage::opened:
      return open(work);
    case WorkStage::asking:
      return ask(work);
    case WorkStage::holding:
      return hold_or_decide(work);
    case WorkStage::decided:
      return pay(work);
    case WorkStage::paid:
      return explain(work);
    case WorkStage::submitting:
    case WorkStage::ended:
      return;
  }
}

void Insurer::request(ClaimWork& work) {
  if (plays(work, ClaimStrategy::overdue_request)) {
    return park(work, ClaimStrategy::overdue_request);
  }
  contracts::RecordsRequest content;
  content.record = {work.bill->report.payload.record, 1};
  content.purpose = contracts::Purpose::hpaymt;
  content.basis = {contracts::BasisKind::claim, contracts::id_cast<Hash>(work.claim)};
  content.mode = contracts::ReadMode::automatic;
  content.trigger = contracts::Trigger::claim_filed;
  content.recipient = own_.seat.vault;
  content.originator = {own_.seat.institution, own_.seat.agent_member, contracts::SignedBy::member};
  work.stage = WorkStage::submitting;
  wire_.submit(content, [this, &work](const Certified& entry) {
    const auto granted = contracts::find_event<contracts::Granted>(entry.receipt);
    if (!granted) return scene_.checker.violation("an insurer was denied the payload of its claim");
    work.grant = granted->grant;
    work.grant_expires = granted->expires_at;
    work.stage = WorkStage::granted;
    if (plays(work, ClaimStrategy::overdue_release)) park(work, ClaimStrategy::overdue_release);
  });
}

void Insurer::receive(ClaimWork& work) {
  contracts::RecordsReceive content;
  content.grant = work.grant;
  content.commitment = work.bill->report.payload.commitment;
  content.vault = own_.seat.vault;
  work.stage = WorkStage::submitting;
  wire_.submit(content, [this, &work](const Certified& entry) {
    if (!contracts::find_event<contracts::ClaimOpened>(entry.receipt)) {
      return scene_.checker.violation("a received payload did not open its claim: " +
                                      std::string(contracts::code_name(entry.code())));
    }
    work.opened_at = entry.time;
    work.stage = WorkStage::opened;
  });
}

// ------------------------------------------------------------------ payment and explanation

contracts::ClaimsPay Insurer::payment(const ClaimWork& work) {
  contracts::ClaimsPay content;
  content.claim = work.claim;
  content.number = static_cast<std::uint16_t>(work.number - 1);
  content.reference = crypto::commit(crypto::domain::kSalted, draw_id<Salt>(prng_), {});
  return content;
}

void Insurer::pay_too_early(ClaimWork& work) {
  contracts::ClaimsPay content = payment(work);
  content.number = work.number;
  work.stage = WorkStage::submitting;
  wire_.submit(content, [this, &work](const Certified& entry) {
    on_forbidden(work, ClaimStrategy::paid_early, Code::claim_state, entry);
  });
}

void Insurer::pay(ClaimWork& work) {
  if (plays(work, ClaimStrategy::overdue_payment)) {
    return park(work, ClaimStrategy::overdue_payment);
  }
  if (acts(work, ClaimStrategy::replayed_signature)) return replay(work);
  if (acts(work, ClaimStrategy::paid_twice)) return pay_twice(work);
  work.stage = WorkStage::submitting;
  wire_.submit(payment(work), [this, &work](const Certified& entry) {
    if (!entry.applied()) {
      return scene_.checker.violation("a payment was refused: " +
                                      std::string(contracts::code_name(entry.code())));
    }
    work.stage = WorkStage::paid;
  });
}

void Insurer::pay_twice(ClaimWork& work) {
  work.stage = WorkStage::submitting;
  work.twins_open = 2;
  work.twins_applied = 0;
  for (int i = 0; i < 2; ++i) {
    wire_.submit(payment(work), [this, &work](const Certified& entry) {
      if (entry.applied()) ++work.twins_applied;
      if (!entry.applied() && entry.code() != Code::decision_already_paid) {
        return scene_.checker.violation("a second payment was refused for another reason");
      }
      if (--work.twins_open > 0) return;
      if (work.twins_applied != 1) {
        return scene_.checker.violation("of two payments of one decision not exactly one counted");
      }
      work.has_acted = true;
      scene_.fired(ClaimStrategy::paid_twice);
      work.stage = WorkStage::paid;
    });
  }
}

void Insurer::explain(ClaimWork& work) {
  if (work.attempt->content.withheld == contracts::Withheld::none) {
    work.stage = WorkStage::ended;
    return;
  }
  if (plays(work, ClaimStrategy::overdue_explanation)) {
    return park(work, ClaimStrategy::overdue_explanation);
  }
  contracts::ClaimsExplained content;
  content.claim = work.claim;
  content.number = static_cast<std::uint16_t>(work.number - 1);
  content.explanation = crypto::commit(crypto::domain::kSalted, draw_id<Salt>(prng_), {});
  work.stage = WorkStage::submitting;
  wire_.submit(content, [this, &work](const Certified& entry) {
    if (!entry.applied()) return scene_.checker.violation("an explanation was refused");
    work.stage = WorkStage::ended;
  });
}

void Insurer::send_openings(ClaimWork& work) {
  const bool is_due = work.bill->probed && !work.bill->freed && work.attempt && work.number > 1 &&
                      work.query_at <= scene_.events.now();
  if (!is_due) return;
  work.query_at = scene_.events.now() + kOpeningsAgainMs;
  scene_.channel.send([this, content = work.attempt->content, payouts = work.attempt->payouts] {
    hospital_.on_openings(content, payouts);
  });
}

}  // namespace baolian::sim
