#include "node/claims/case_file.h"

#include "contracts/operations.h"
#include "crypto/random.h"

namespace baolian::node {
namespace {

using contracts::ClaimPayload;
using contracts::RecordRef;
namespace keys = contracts::keys;

constexpr std::size_t kCatalogScanMax = 1000;

template <typename T>
Result<T> require(const Services& services, const Bytes& key, const char* what) {
  auto value = ledger::read_as<T>(services.state(), key);
  if (!value) return fail(Errc::not_found, std::string(what) + " is not on the chain");
  return std::move(*value);
}

contracts::RecordsRead reading_of(const Services& services, const ClaimId& claim,
                                  const MemberId& agent, const RecordRef& record) {
  contracts::RecordsRead content;
  content.record = record;
  content.purpose = contracts::Purpose::hpaymt;
  content.basis = {contracts::BasisKind::claim, contracts::id_cast<Hash>(claim)};
  content.mode = contracts::ReadMode::automatic;
  content.trigger = contracts::Trigger::claim_filed;
  content.originator = {services.self, agent, contracts::SignedBy::member};
  content.vault = services.vault_member;
  return content;
}

/// Records the reading of all of them in one transaction, then opens them.
Result<std::vector<crypto::Secret>> open_recorded(const Services& services, const ClaimId& claim,
                                                  const std::vector<RecordRef>& records) {
  const auto agent = member_of_key(services.state(), services.agent_key().public_key());
  if (!agent) return fail(Errc::not_authorized, "the agent's key is no member of the chain");
  std::vector<ledger::Operation> operations;
  for (const RecordRef& record : records) {
    if (!services.records.contains(record)) {
      return fail(Errc::not_found, "a record of the claim has not been received yet");
    }
    operations.push_back(contracts::make_operation(
        reading_of(services, claim, agent->member.id, record), crypto::random_id<RequestId>()));
  }
  TRY(const std::vector<OperationOutcome> outcomes,
      services.submitter.submit_and_wait(services.agent_key(), std::move(operations)));
  std::vector<crypto::Secret> out;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (outcomes[i].receipt.status != ledger::ReceiptStatus::applied) {
      return receipt_error(outcomes[i].receipt);
    }
    const auto facts = record_facts(services.state(), records[i]);
    if (!facts) return fail(Errc::not_found, "a record of the claim is not on the chain");
    TRY(crypto::Secret plain, services.records.open(records[i], facts->version.commitment));
    out.push_back(std::move(plain));
  }
  return out;
}

/// A supplement that is no BillSupplement is a paper for people: it brings no facts.
contracts::BillSupplement read_supplement(const crypto::Secret& plain) {
  auto supplement = decode<contracts::BillSupplement>(plain.view());
  return supplement ? std::move(*supplement) : contracts::BillSupplement{};
}

Result<void> add_public(const Services& services, const PublicContents& contents, CaseFile& file) {
  TRY(const contracts::ProductState product,
      require<contracts::ProductState>(
          services, keys::product(file.claim.product, file.claim.product_version), "the product"));
  if (product.content.is_zero()) {
    return fail(Errc::not_authorized, "the product has no content: its claims are not decided");
  }
  TRY(file.product, contents.product(product.content));
  file.map_hash = newest_map(services, contents);
  if (!file.map_hash.is_zero()) {
    TRY(file.map, contents.code_map(file.map_hash));
  }
  return ok();
}

Result<void> add_invoices(const Services& services, CaseFile& file) {
  for (const Tag32& tag : file.encounter.invoices) {
    TRY(const contracts::InvoiceState invoice,
        require<contracts::InvoiceState>(services, keys::invoice(tag), "an invoice"));
    file.reported.push_back({tag, invoice.reported});
  }
  return ok();
}

Result<void> check_against_chain(const Services& services, CaseFile& file) {
  contracts::ReportOnChain report;
  report.subject_commitment = file.encounter.subject_commitment;
  report.record_list = file.encounter.record_list;
  report.first_month = file.encounter.first_month;
  report.last_month = file.encounter.last_month;
  report.care_subject = file.encounter.care_subject;
  report.insured = file.claim.subject;
  TRY(report.insured_derived, services.subjects.subject(services.self, file.payload.person.value));
  report.invoices = file.reported;
  file.differences = contracts::compare_report(report, file.payload);
  return ok();
}

}  // namespace

contracts::DecisionInput CaseFile::input(std::vector<contracts::InvoiceStanding> standings,
                                         contracts::Accumulators accumulators,
                                         std::optional<contracts::Ruling> ruling) const {
  return {product,
          policy,
          std::move(accumulators),
          payload,
          supplements,
          std::move(standings),
          map ? &*map : nullptr,
          std::move(ruling)};
}

Hash newest_map(const Services& services, const PublicContents& contents) {
  const Bytes prefix = to_bytes("catalog/");
  std::optional<contracts::CatalogState> newest;
  for (const auto& row : services.state().scan(prefix, prefix, kCatalogScanMax)) {
    auto state = decode<contracts::CatalogState>(row.value);
    if (!state || !contents.contains(state->content)) continue;
    if (!newest || newest->published_at <= state->published_at) newest = std::move(*state);
  }
  return newest ? newest->content : Hash{};
}

Result<CaseFile> open_case(const Services& services, const PublicContents& contents,
                           const ClaimId& id) {
  CaseFile file;
  file.id = id;
  file.height = services.chain.height();
  TRY(file.claim, require<contracts::ClaimState>(services, keys::claim(id), "the claim"));
  TRY(file.encounter, require<contracts::EncounterState>(
                          services, keys::encounter(file.claim.encounter), "the encounter"));
  TRY(const contracts::PolicyState policy,
      require<contracts::PolicyState>(services, keys::policy(file.claim.policy), "the policy"));
  file.policy = {policy.from_day, policy.to_day};
  TRY(add_public(services, contents, file));
  TRY(add_invoices(services, file));

  std::vector<RecordRef> records = {file.claim.payload};
  records.insert(records.end(), file.claim.supplements.begin(), file.claim.supplements.end());
  TRY(const std::vector<crypto::Secret> plain, open_recorded(services, id, records));
  TRY(file.payload, decode<ClaimPayload>(plain.front().view()));
  for (std::size_t i = 1; i < plain.size(); ++i) {
    file.supplements.push_back(read_supplement(plain[i]));
  }
  TRY(check_against_chain(services, file));
  return file;
}

}  // namespace baolian::node
