#include "node/discharge_desk.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <future>

#include "contracts/codes.h"
#include "contracts/events.h"
#include "crypto/commitment.h"
#include "crypto/pedersen.h"
#include "crypto/random.h"
#include "vault/envelope.h"

namespace baolian::node {
namespace {

using contracts::Filing;
using contracts::RecordRef;

constexpr auto kPayloadLevel = contracts::Level::three;

class Stopwatch {
 public:
  std::uint64_t ms() const {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(
        duration_cast<milliseconds>(steady_clock::now() - start_).count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

gateway::FhirOptions fhir_options(const ledger::Genesis& genesis,
                                  gateway::BaseCostItem base_cost_item) {
  gateway::FhirOptions out;
  out.person_id_systems = genesis.person_id_systems;
  out.currency = genesis.currency;
  out.minor_digits = genesis.minor_digits;
  out.utc_offset_minutes = genesis.utc_offset_minutes;
  out.base_cost_item = base_cost_item;
  return out;
}

/// What cannot become a report at all; everything else is reported with its problems said.
Result<void> check_reportable(const contracts::ClaimPayload& payload) {
  if (payload.invoices.empty()) {
    return fail(Errc::fhir_invalid,
                "a discharge has no invoice; nothing of the bundle is reported");
  }
  if (payload.discharged_day < payload.admitted_day) {
    return fail(
        Errc::fhir_invalid,
        "a stay ends before it begins; correct the dates, nothing of the bundle is reported");
  }
  return ok();
}

Result<std::vector<contracts::InvoiceLine>> invoice_lines(const Services& services,
                                                          contracts::ClaimPayload& payload) {
  std::vector<contracts::InvoiceLine> lines;
  SumOpenings balances;
  for (const auto& invoice : payload.invoices) {
    // A bill whose total is unknown or inconsistent is reported with nothing payable; its problems
    // say why.
    auto balance = contracts::initial_balance(invoice);
    const contracts::BalanceOpening opening{balance ? *balance : 0, crypto::new_blinding()};
    TRY(const GroupElement commitment, crypto::pedersen_commit(opening.amount, opening.blinding));
    lines.push_back({services.subjects.invoice_tag(invoice.code, invoice.number), commitment});
    balances.sums.push_back({commitment, opening});
    payload.openings.balances.push_back(opening);
  }
  std::sort(lines.begin(), lines.end());
  // Whoever countersigns payouts later must know what they are paid from.
  TRY(services.book.keep(balances));
  return lines;
}

}  // namespace

/// One discharge, sealed and ready to be sent.
struct DischargeDesk::Prepared {
  PendingStay stay;
  contracts::ClaimsReport report;
  std::vector<ledger::Operation> operations;  // registrations, then the report
  bool insured = false;
  std::vector<std::string> problems;
  std::string encounter_number;
};

Result<std::unique_ptr<DischargeDesk>> DischargeDesk::open(const Services& services,
                                                           NoticeDesk& notices) {
  const std::string& data = services.config.data_directory;
  TRY(vault::SealedDirectory files,
      vault::SealedDirectory::open(data + "/pending", "pending",
                                   services.keys.key_encryption_key().clone()));
  std::unique_ptr<DischargeDesk> desk(new DischargeDesk(services, notices, std::move(files)));
  TRY(const std::vector<std::string> names, desk->files_.names());
  for (const auto& name : names) {
    // Whole or not there: one that does not open was damaged, and with it a person's claim.
    auto stay = desk->read_pending(name);
    if (!stay) {
      return fail(stay.error().code, "the waiting stay pending/" + name +
                                         ".sealed cannot be read; restore it, or remove it and "
                                         "file that claim by hand");
    }
    desk->pending_.emplace(stay->encounter, std::move(*stay));
  }
  return desk;
}

Result<PendingStay> DischargeDesk::read_pending(const std::string& name) const {
  TRY(const crypto::Secret plain, files_.get(name));
  return decode<PendingStay>(plain.view());
}

Result<void> DischargeDesk::keep(const PendingStay& stay) {
  Bytes plain = encode(stay);
  auto kept = files_.put(stay.encounter.hex(), plain);
  crypto::wipe(plain);
  TRY(std::move(kept));
  const std::lock_guard lock(mutex_);
  pending_.insert_or_assign(stay.encounter, stay);
  return ok();
}

void DischargeDesk::forget(const Tag32& encounter) {
  // A file that stays behind is found again at the next start, and finds its claim filed.
  (void)files_.erase(encounter.hex());
  const std::lock_guard lock(mutex_);
  pending_.erase(encounter);
}

std::size_t DischargeDesk::pending_count() const {
  const std::lock_guard lock(mutex_);
  return pending_.size();
}

std::vector<Filing> DischargeDesk::find_filings(const std::string& person,
                                                std::uint16_t first_month, std::uint16_t last_month,
                                                bool& insured) const {
  const ledger::StateReader& state = services_.state();
  const auto now = services_.chain.header(services_.chain.height())->timestamp;
  std::vector<Filing> out;
  for (const auto& audience : services_.subjects.audiences()) {
    if (audience.is_zero()) continue;
    auto subject = services_.subjects.subject(audience, person);
    if (!subject || policies_of(state, *subject, first_month, last_month).empty()) continue;
    insured = true;
    for (const auto& consent : consents_of(state, *subject)) {
      const auto& terms = consent.terms;
      const bool covers = is_effective(consent, now) && terms.grantee == audience &&
                          !terms.encounter &&
                          std::binary_search(terms.purposes.begin(), terms.purposes.end(),
                                             contracts::Purpose::hpaymt) &&
                          std::binary_search(terms.classes.begin(), terms.classes.end(),
                                             contracts::RecordClass::bill) &&
                          terms.level_ceiling >= kPayloadLevel;
      if (!covers) continue;
      out.push_back({*subject, terms.id});
      break;
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<contracts::Disclosure> DischargeDesk::disclose(const PendingStay& stay) const {
  contracts::Disclosure out;
  TRY(out.care_subject, services_.subjects.subject(InstitutionId{}, stay.person));
  out.records = stay.records;
  out.list_salt = stay.list_salt;
  out.day_tags = services_.subjects.day_tags(stay.person, stay.admitted_day, stay.discharged_day);
  return out;
}

std::vector<ledger::Operation> DischargeDesk::registrations(const PendingStay& stay) const {
  std::vector<ledger::Operation> out;
  auto subject = services_.subjects.subject(InstitutionId{}, stay.person);
  if (!subject) return out;
  for (std::size_t i = 0; i < stay.records.size(); ++i) {
    if (record_facts(services_.state(), stay.records[i])) continue;  // registered before
    contracts::RecordsRegister content;
    content.record = stay.records[i];
    content.subject = *subject;
    content.record_class = contracts::RecordClass::document;
    content.level = kPayloadLevel;
    content.commitment = stay.record_commitments[i];
    content.vault = services_.vault_member;
    out.push_back(contracts::make_operation(content, crypto::random_id<RequestId>()));
  }
  return out;
}

Result<DischargeDesk::Prepared> DischargeDesk::prepare(gateway::Discharge discharge) {
  contracts::ClaimPayload& payload = discharge.payload;
  Prepared out;
  out.encounter_number = payload.encounter_number;
  for (const auto& problem : payload.problems)
    out.problems.push_back(contracts::problem_text(problem));

  // The source bundle is a record of its own; the payload is another, registered by the report.
  const RecordRef bundle{crypto::random_id<RecordId>(), 1};
  TRY(const vault::SealedRecord sealed_bundle,
      vault::seal_record(bundle, as_bytes(discharge.source_bundle)));
  TRY(services_.records.put(sealed_bundle));

  out.stay.encounter = services_.subjects.encounter_tag(services_.self, payload.encounter_number);
  out.stay.person = vault::normalize_person_id(payload.person.value);
  out.stay.admitted_day = payload.admitted_day;
  out.stay.discharged_day = payload.discharged_day;
  out.stay.list_salt = crypto::new_salt();
  out.stay.records = {bundle};
  out.stay.record_commitments = {sealed_bundle.commitment};

  contracts::ClaimsReport& report = out.report;
  report.encounter = out.stay.encounter;
  report.first_month = civil_month(out.stay.admitted_day);
  report.last_month = civil_month(out.stay.discharged_day);
  TRY(report.invoices, invoice_lines(services_, payload));
  TRY(const contracts::SubjectId care,
      services_.subjects.subject(InstitutionId{}, payload.person.value));
  payload.openings.subject = {care, crypto::new_salt()};
  payload.openings.record_list_salt = out.stay.list_salt;
  payload.records = out.stay.records;
  report.subject_commitment =
      crypto::commit(crypto::domain::kSubject, payload.openings.subject.salt, encode(care));
  report.record_list = contracts::commit_record_list(out.stay.list_salt, out.stay.records);

  Bytes plain = encode(payload);
  const RecordRef payload_record{crypto::random_id<RecordId>(), 1};
  auto sealed = vault::seal_record(payload_record, plain);
  crypto::wipe(plain);
  if (!sealed) return std::move(sealed).error();
  TRY(services_.records.put(*sealed));
  report.payload = {payload_record.record, 1, kPayloadLevel, sealed->commitment};
  report.vault = services_.vault_member;

  report.filings =
      find_filings(out.stay.person, report.first_month, report.last_month, out.insured);
  if (!report.filings.empty()) {
    TRY(report.disclosure, disclose(out.stay));
    out.operations = registrations(out.stay);
  }
  out.operations.push_back(contracts::make_operation(report, crypto::random_id<RequestId>()));
  TRY(keep(out.stay));
  TRY(services_.recipients.keep(out.stay.encounter, out.stay.person));
  return out;
}

Result<std::vector<DischargeOutcome>> DischargeDesk::report(std::string_view bundle,
                                                            gateway::BaseCostItem base_cost_item) {
  const Stopwatch watch;
  const TimeMs started = services_.clock();
  if (!services_.subjects.can_tag()) {
    return fail(Errc::not_authorized, "this node may not report discharges: it has no tag keys");
  }
  TRY(std::vector<gateway::Discharge> discharges,
      gateway::read_discharges(bundle, fhir_options(services_.genesis, base_cost_item)));
  struct Open {
    Prepared prepared;
    DischargeOutcome outcome;
    std::future<Result<std::vector<OperationOutcome>>> answer;
  };
  std::vector<Open> open;
  for (const auto& discharge : discharges) {
    TRY(check_reportable(discharge.payload));
  }
  for (auto& discharge : discharges) {
    TRY(Prepared prepared, prepare(std::move(discharge)));
    Open next{std::move(prepared), {}, {}};
    next.outcome.sealed_ms = watch.ms();
    open.push_back(std::move(next));
  }
  for (auto& next : open) {
    auto promise = std::make_shared<std::promise<Result<std::vector<OperationOutcome>>>>();
    next.answer = promise->get_future();
    services_.submitter.submit(
        services_.gateway_key(), next.prepared.operations,
        [promise](Result<std::vector<OperationOutcome>> r) { promise->set_value(std::move(r)); });
  }
  std::vector<DischargeOutcome> out;
  for (auto& next : open) {
    TRY(const std::vector<OperationOutcome> outcomes, next.answer.get());
    next.outcome.started = started;
    next.outcome.certified_ms = watch.ms();
    settle(next.prepared, outcomes.back(), next.outcome);
    out.push_back(std::move(next.outcome));
  }
  return out;
}

void DischargeDesk::settle(const Prepared& prepared, const OperationOutcome& reported,
                           DischargeOutcome& result) {
  result.encounter_number = prepared.encounter_number;
  result.payload = prepared.report.payload.record;
  result.problems = prepared.problems;
  result.height = reported.height;
  result.leaf = reported.leaf;
  if (reported.receipt.status != ledger::ReceiptStatus::applied) {
    result.outcome = "rejected";
    result.code = std::string(contracts::code_name(reported.receipt.code));
    forget(prepared.stay.encounter);
    return;
  }
  for (const auto& event : reported.receipt.events) {
    if (const auto filed = contracts::event_as<contracts::Filed>(event)) {
      for (const auto& claim : filed->claims) result.claims.push_back({claim.claim, claim.insurer});
    }
  }
  if (!result.claims.empty()) {
    result.outcome = "filed";
    forget(prepared.stay.encounter);
  } else {
    result.outcome = prepared.insured ? "invited" : "unfiled";
    if (prepared.insured) invite(prepared.stay);
  }
}

void DischargeDesk::invite(const PendingStay& stay) const {
  Notice notice;
  notice.id = notice_id(NoticeKind::invited, contracts::id_cast<Hash>(stay.encounter), 1);
  notice.kind = NoticeKind::invited;
  notice.recipient = stay.person;
  notice.text = notice_text(notice.kind, institution_name(services_.state(), services_.self));
  if (auto posted = notices_.post(notice); !posted) {
    spdlog::warn("an invitation was not posted: {}", errc_name(posted.error().code));
  }
}

void DischargeDesk::on_consents_changed() {
  std::vector<PendingStay> stays;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [tag, stay] : pending_) {
      if (!filing_now_[tag]) stays.push_back(stay);
    }
  }
  for (const auto& stay : stays) file_later(stay);
}

void DischargeDesk::file_later(const PendingStay& stay) {
  const auto encounter = ledger::read_as<contracts::EncounterState>(
      services_.state(), contracts::keys::encounter(stay.encounter));
  if (!encounter || encounter->reporter != services_.self) return;  // not reported yet
  if (encounter->claims > 0) return forget(stay.encounter);         // filed before a restart
  bool insured = false;
  const auto filings = find_filings(stay.person, civil_month(stay.admitted_day),
                                    civil_month(stay.discharged_day), insured);
  if (filings.empty()) return;
  auto disclosure = disclose(stay);
  if (!disclosure) return;
  std::vector<ledger::Operation> operations = registrations(stay);
  for (const auto& filing : filings) {
    contracts::ClaimsFile content;
    content.encounter = stay.encounter;
    content.filing = filing;
    content.disclosure = *disclosure;
    operations.push_back(contracts::make_operation(content, crypto::random_id<RequestId>()));
  }
  {
    const std::lock_guard lock(mutex_);
    filing_now_[stay.encounter] = true;
  }
  services_.submitter.submit(
      services_.gateway_key(), std::move(operations),
      [this, tag = stay.encounter](const Result<std::vector<OperationOutcome>>& outcomes) {
        const bool filed =
            outcomes && outcomes->back().receipt.status == ledger::ReceiptStatus::applied;
        if (filed) forget(tag);
        {
          const std::lock_guard lock(mutex_);
          filing_now_.erase(tag);
        }
        if (!outcomes) {
          services_.retries.later(services_.clock().value, [this] { on_consents_changed(); });
        }
      });
}

}  // namespace baolian::node
