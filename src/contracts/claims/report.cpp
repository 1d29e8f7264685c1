/// claims.report and claims.file.
#include <algorithm>

#include "contracts/claims/claims.h"
#include "contracts/claims/filing.h"
#include "contracts/membership/membership.h"
#include "contracts/records/records.h"
#include "crypto/pedersen.h"

namespace baolian::contracts {
namespace {

using ledger::InstitutionKind;
using ledger::LogKind;
using ledger::Role;

Code check_reporter(const OperationContext& context) {
  const Code code = require_role(context, {Role::gateway, Role::agent});
  if (code != Code::applied) return code;
  return require_kind(context, {InstitutionKind::hospital, InstitutionKind::pharmacy});
}

Code check_report_kind(const OperationContext& context, ReportKind kind) {
  const bool is_sale = kind == ReportKind::pharmacy_sale;
  const auto needed = is_sale ? InstitutionKind::pharmacy : InstitutionKind::hospital;
  return context.sender_institution.is(needed) ? Code::applied : Code::report_kind_not_allowed;
}

Code check_form(const ClaimsReport& content) {
  if (content.first_month > content.last_month) return Code::months_reversed;
  if (content.payload.version != 1) return Code::payload_version_wrong;
  if (!content.filings.empty() && !content.disclosure) return Code::disclosure_missing;
  if (content.filings.empty() && content.disclosure) return Code::disclosure_without_filing;
  for (std::size_t i = 0; i < content.invoices.size(); ++i) {
    if (i > 0 && content.invoices[i].tag == content.invoices[i - 1].tag) {
      return Code::duplicate_in_operation;
    }
    if (!crypto::is_group_element(content.invoices[i].balance)) return Code::balance_not_an_element;
  }
  return Code::applied;
}

Code check_unreported(const OperationContext& context, const ClaimsReport& content) {
  if (context.state.read(keys::encounter(content.encounter))) {
    return Code::encounter_already_reported;
  }
  const bool seen = std::any_of(content.invoices.begin(), content.invoices.end(),
                                [&](const InvoiceLine& invoice) {
                                  return context.state.read(keys::invoice(invoice.tag)).has_value();
                                });
  return seen ? Code::invoice_already_reported : Code::applied;
}

EncounterState new_encounter(const OperationContext& context, const ClaimsReport& content) {
  EncounterState encounter;
  encounter.kind = content.kind;
  encounter.reporter = context.sender.institution;
  encounter.reported_at = context.now();
  encounter.lapses_at = context.after(ParameterId::filing_lapse_ms);
  encounter.payload = content.payload;
  for (const InvoiceLine& invoice : content.invoices) encounter.invoices.push_back(invoice.tag);
  encounter.first_month = content.first_month;
  encounter.last_month = content.last_month;
  encounter.subject_commitment = content.subject_commitment;
  encounter.record_list = content.record_list;
  return encounter;
}

/// Files what can be filed and says what cannot.
void file_all(OperationContext& context, const ClaimsReport& content, EncounterState& encounter) {
  if (content.filings.empty()) return;
  std::vector<FiledClaim> filed;
  NotFiled refused{.version = {}, .encounter = content.encounter, .filings = {}};
  for (std::size_t i = 0; i < content.filings.size(); ++i) {
    const Filing& filing = content.filings[i];
    const Code code = file_for_insurer(context, content.encounter, encounter,
                                       content.disclosure->records, filing, filed);
    if (code == Code::applied) continue;
    refused.filings.push_back(
        {static_cast<std::uint16_t>(i), filing.subject.audience, static_cast<std::uint16_t>(code)});
  }
  if (!filed.empty()) accept_disclosure(context, encounter, *content.disclosure);
  encounter.claims = static_cast<std::uint32_t>(filed.size());
  emit_filed(context, content.encounter, filed);
  if (!refused.filings.empty()) context.emit(refused);
}

}  // namespace

Code report_encounter(OperationContext& context, const ClaimsReport& content) {
  Code code = check_reporter(context);
  if (code != Code::applied) return code;
  code = check_report_kind(context, content.kind);
  if (code != Code::applied) return code;
  code = check_form(content);
  if (code != Code::applied) return code;
  code = check_vault(context, context.sender.institution, content.vault, content.journal);
  if (code != Code::applied) return code;
  code = check_unreported(context, content);
  if (code != Code::applied) return code;

  EncounterState encounter = new_encounter(context, content);
  code = register_payload(context, content.payload);
  if (code != Code::applied) return code;
  if (content.disclosure) {
    code = check_disclosure(context, encounter, *content.disclosure);
    if (code != Code::applied) return code;
  }
  for (const InvoiceLine& invoice : content.invoices) {
    context.state.write_as(
        keys::invoice(invoice.tag),
        InvoiceState{{}, content.encounter, invoice.balance, invoice.balance, std::nullopt});
  }
  context.log(LogKind::reports_of_institution, context.sender.institution);
  file_all(context, content, encounter);
  context.state.write_as(keys::encounter(content.encounter), encounter);
  context.emit(Reported{.version = {},
                        .encounter = content.encounter,
                        .reporter = encounter.reporter,
                        .claims = encounter.claims,
                        .lapses_at = encounter.lapses_at});
  return Code::applied;
}

Code file_claims(OperationContext& context, const ClaimsFile& content) {
  Code code = check_reporter(context);
  if (code != Code::applied) return code;
  Bytes key = keys::encounter(content.encounter);
  auto encounter = context.state.read_as<EncounterState>(key);
  if (!encounter) return Code::encounter_unknown;
  if (encounter->reporter != context.sender.institution) return Code::not_the_reporter;
  if (context.now() > encounter->lapses_at) return Code::filing_lapsed;
  code = check_disclosure(context, *encounter, content.disclosure);
  if (code != Code::applied) return code;
  std::vector<FiledClaim> filed;
  code = file_for_insurer(context, content.encounter, *encounter, content.disclosure.records,
                          content.filing, filed);
  if (code != Code::applied) return code;
  accept_disclosure(context, *encounter, content.disclosure);
  encounter->claims += static_cast<std::uint32_t>(filed.size());
  context.state.write_as(std::move(key), *encounter);
  context.log(LogKind::reports_of_institution, context.sender.institution);
  emit_filed(context, content.encounter, filed);
  return Code::applied;
}

}  // namespace baolian::contracts
