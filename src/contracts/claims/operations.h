/// Operations of the claims contract: report and file (contracts.md, claims; formats.md, report and
/// file). decide, pay and the rest keep their numbers until their issue.
#pragma once

#include <optional>
#include <vector>

#include "contracts/operation_kind.h"
#include "contracts/types.h"

namespace baolian::contracts {

enum class ReportKind : std::uint8_t {
  inpatient_discharge = 1,
  special_outpatient = 2,
  pharmacy_sale = 3,
  therapy_course = 4,
};
constexpr auto enum_names(ReportKind) {
  return std::array<std::string_view, 5>{"", "inpatient_discharge", "special_outpatient",
                                         "pharmacy_sale", "therapy_course"};
}

/// The sealed bill: a record of class bill that the report itself registers.
struct PayloadRef {
  static constexpr std::string_view kTypeName = "PayloadRef";
  RecordId record;  ///< 32 random bytes, first use wins
  std::uint32_t version = 1;
  Level level{Level::one};
  Commitment commitment;  ///< privacy.md, Envelopes

  friend bool operator==(const PayloadRef&, const PayloadRef&) = default;
  static constexpr auto fields() {
    return field_list(
        field("record", &PayloadRef::record, "32 random bytes; first use wins"),
        field("version", &PayloadRef::version, "1 in a report"),
        field("level", &PayloadRef::level, "confidentiality, 1..5"),
        field("commitment", &PayloadRef::commitment, "salted commitment to the sealed payload"));
  }
};

struct InvoiceLine {
  static constexpr std::string_view kTypeName = "InvoiceLine";
  Tag32 tag;             ///< keyed tag of (code || number)
  GroupElement balance;  ///< B_0 = C(what insurers may still pay, r); opening in the payload

  friend auto operator<=>(const InvoiceLine&, const InvoiceLine&) = default;
  static constexpr auto fields() {
    return field_list(
        field("tag", &InvoiceLine::tag, "keyed tag of the invoice"),
        field("balance", &InvoiceLine::balance, "Pedersen commitment to what remains payable"));
  }
};

/// For whom a claim is wanted: the insurer is subject.audience.
struct Filing {
  static constexpr std::string_view kTypeName = "Filing";
  SubjectId subject;  ///< SubjectId(insurer)
  ConsentId consent;

  friend auto operator<=>(const Filing&, const Filing&) = default;
  static constexpr auto fields() {
    return field_list(field("subject", &Filing::subject, "the person, audience = the insurer"),
                      field("consent", &Filing::consent, "consent to which the filing refers"));
  }
};

/// The canonical value under the commitment to the record list.
struct RecordList {
  static constexpr std::string_view kTypeName = "RecordList";
  Version<1> version;
  std::vector<RecordRef> records;

  friend bool operator==(const RecordList&, const RecordList&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &RecordList::version, "format version"),
        field("records", &RecordList::records, set_of(64), "records of the stay, ascending"));
  }
};

/// What a filing shows beyond the report: only where something is filed.
struct Disclosure {
  static constexpr std::string_view kTypeName = "Disclosure";
  SubjectId care_subject;          ///< SubjectId(care): the payload's subject from now on
  std::vector<RecordRef> records;  ///< without the payload; registered by the reporter
  Salt list_salt;                  ///< opens the commitment to the record list
  std::vector<Tag32> day_tags;     ///< ascending, padded with random tags to 4, 8, 16, 32 or 64

  friend bool operator==(const Disclosure&, const Disclosure&) = default;
  static constexpr auto fields() {
    return field_list(
        field("care_subject", &Disclosure::care_subject, "the person, audience care"),
        field("records", &Disclosure::records, set_of(64), "records of the stay, ascending"),
        field("list_salt", &Disclosure::list_salt, "opens the report's record_list"),
        field("day_tags", &Disclosure::day_tags, Limits{.max = 64, .min = 4, .ascending = true},
              "keyed tags of the days of the stay, padded to 4, 8, 16, 32 or 64"));
  }
};

/// claims.report, by a hospital or pharmacy.
struct ClaimsReport {
  static constexpr std::string_view kTypeName = "ClaimsReport";
  static constexpr OperationKind kKind = OperationKind::claims_report;
  Version<1> version;
  ReportKind kind{ReportKind::inpatient_discharge};
  Tag32 encounter;  ///< keyed tag of (institution || encounter number)
  PayloadRef payload;
  std::vector<InvoiceLine> invoices;     ///< ascending
  std::uint16_t first_month = 0;         ///< civil month of admission, months since 1970-01
  std::uint16_t last_month = 0;          ///< civil month of discharge
  Commitment subject_commitment;         ///< commit("subject", salt, normalized person id)
  Commitment record_list;                ///< commit("list", salt, canonical RecordList)
  std::vector<Filing> filings;           ///< ascending
  std::optional<Disclosure> disclosure;  ///< present exactly when there is a filing
  MemberId vault;
  Journal journal;

  friend bool operator==(const ClaimsReport&, const ClaimsReport&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimsReport::version, "format version"),
        field("kind", &ClaimsReport::kind, "what happened"),
        field("encounter", &ClaimsReport::encounter, "keyed tag of the encounter"),
        field("payload", &ClaimsReport::payload, "the sealed bill"),
        field("invoices", &ClaimsReport::invoices, Limits{.max = 64, .min = 1, .ascending = true},
              "its invoices"),
        field("first_month", &ClaimsReport::first_month,
              "civil month of admission, months since 1970-01"),
        field("last_month", &ClaimsReport::last_month, "civil month of discharge"),
        field("subject_commitment", &ClaimsReport::subject_commitment,
              "salted commitment to the person"),
        field("record_list", &ClaimsReport::record_list,
              "salted commitment to the list of records"),
        field("filings", &ClaimsReport::filings, set_of(32), "for whom claims are wanted"),
        field("disclosure", &ClaimsReport::disclosure, "present exactly when there is a filing"),
        field("vault", &ClaimsReport::vault, "vault that keeps the payload"),
        field("journal", &ClaimsReport::journal, "of that vault"));
  }
};

/// claims.file, by the reporter, when policy or consent came after the report.
struct ClaimsFile {
  static constexpr std::string_view kTypeName = "ClaimsFile";
  static constexpr OperationKind kKind = OperationKind::claims_file;
  Version<1> version;
  Tag32 encounter;
  Filing filing;
  Disclosure disclosure;

  friend bool operator==(const ClaimsFile&, const ClaimsFile&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimsFile::version, "format version"),
        field("encounter", &ClaimsFile::encounter, "of an earlier report by the same reporter"),
        field("filing", &ClaimsFile::filing, "for whom a claim is wanted"),
        field("disclosure", &ClaimsFile::disclosure, "what a filing shows"));
  }
};

/// commit("list", salt, canonical RecordList): the value of ClaimsReport::record_list.
Commitment commit_record_list(const Salt& salt, const std::vector<RecordRef>& records);

}  // namespace baolian::contracts
