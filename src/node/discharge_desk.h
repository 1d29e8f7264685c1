/// The hospital's desk for discharges: a FHIR bundle becomes sealed payloads and claims.report
/// operations; stays that could not be filed yet are kept and filed as soon as policy and consent
/// exist (architecture.md, "A discharge flows through it").
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "contracts/operations.h"
#include "gateway/fhir.h"
#include "node/notice_desk.h"
#include "node/services.h"

namespace baolian::node {

/// A stay that was reported and may have to be filed later. Kept sealed under the node's
/// key-encryption key: it names a person.
struct PendingStay {
  static constexpr std::string_view kTypeName = "PendingStay";
  Version<1> version;
  Tag32 encounter;
  std::string person;  ///< normalized id
  std::uint32_t admitted_day = 0;
  std::uint32_t discharged_day = 0;
  Salt list_salt;
  std::vector<contracts::RecordRef> records;
  /// Records of the list with the commitment that registers them, in the same order.
  std::vector<Commitment> record_commitments;

  static constexpr auto fields() {
    return field_list(field("version", &PendingStay::version, "format version"),
                      field("encounter", &PendingStay::encounter, "tag of the encounter"),
                      field("person", &PendingStay::person, at_most(128), "normalized person id"),
                      field("admitted_day", &PendingStay::admitted_day, "civil day"),
                      field("discharged_day", &PendingStay::discharged_day, "civil day"),
                      field("list_salt", &PendingStay::list_salt, "opens the record list"),
                      field("records", &PendingStay::records, set_of(64), "the record list"),
                      field("record_commitments", &PendingStay::record_commitments, at_most(64),
                            "of those records, same order"));
  }
};

struct ReportedClaim {
  ClaimId claim;
  InstitutionId insurer;
};

/// What became of one discharge.
struct DischargeOutcome {
  std::string encounter_number;
  std::string outcome;  ///< filed, invited (insured, no consent), unfiled (not insured), rejected
  std::string code;     ///< of a rejection
  RecordId payload;
  std::vector<ReportedClaim> claims;
  std::vector<std::string> problems;
  Height height;
  std::uint32_t leaf = 0;
  TimeMs started;                  ///< civil time at which the request came
  std::uint64_t sealed_ms = 0;     ///< since the request came
  std::uint64_t certified_ms = 0;  ///< since the request came
};

class DischargeDesk {
 public:
  /// Opens `<data>/pending`. Returns: Errc::io_failed; Errc::cannot_open and codec errors for a
  /// damaged file.
  /// The notices outlive the desk.
  static Result<std::unique_ptr<DischargeDesk>> open(const Services& services, NoticeDesk& notices);

  /// Reports every discharge of a bundle and waits for the receipts. Blocks for some block times;
  /// several threads may call. Returns: what gateway::read_discharges refuses; Errc::not_authorized
  /// if this node may not derive persons.
  Result<std::vector<DischargeOutcome>> report(std::string_view bundle,
                                               gateway::BaseCostItem base_cost_item);

  /// Policies or consents changed: files what can be filed now. Called by the agents' thread after
  /// a certified block.
  void on_consents_changed();
  std::size_t pending_count() const;

 private:
  struct Prepared;
  DischargeDesk(const Services& services, NoticeDesk& notices, vault::SealedDirectory files)
      : services_(services), notices_(notices), files_(std::move(files)) {}

  Result<Prepared> prepare(gateway::Discharge discharge);
  void settle(const Prepared& prepared, const OperationOutcome& reported, DischargeOutcome& result);
  Result<contracts::Disclosure> disclose(const PendingStay& stay) const;
  std::vector<contracts::Filing> find_filings(const std::string& person, std::uint16_t first_month,
                                              std::uint16_t last_month, bool& insured) const;
  std::vector<ledger::Operation> registrations(const PendingStay& stay) const;
  Result<void> keep(const PendingStay& stay);
  void forget(const Tag32& encounter);
  void file_later(const PendingStay& stay);
  void invite(const PendingStay& stay) const;
  Result<PendingStay> read_pending(const std::string& name) const;

  const Services& services_;
  NoticeDesk& notices_;
  vault::SealedDirectory files_;  // pending_, on disk
  mutable std::mutex mutex_;
  std::map<Tag32, PendingStay> pending_;
  std::map<Tag32, bool> filing_now_;
};

}  // namespace baolian::node
