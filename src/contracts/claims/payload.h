/// ClaimPayload v1: the sealed facts of one inpatient stay, as the parties to a claim exchange them
/// (docs/formats.md; how FHIR becomes this: docs/fhir-profile.md). Canonical codec, never FHIR
/// JSON. It is plaintext of a person: it exists in memory and inside a sealed record, nowhere else.
///
/// Amounts are whole minor units of the chain's currency, at most 2^63 - 1; an absent option means
/// "unknown", never zero. Civil days are counted from 1970-01-01 in the chain's fixed UTC offset.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contracts/types.h"
#include "core/codec.h"
#include "core/ids.h"
#include "crypto/pedersen.h"

namespace baolian::contracts {

inline constexpr std::uint32_t kSystemBytesMax = 256;      ///< identifier and code systems
inline constexpr std::uint32_t kIdentifierBytesMax = 128;  ///< numbers and codes
inline constexpr std::uint32_t kNameBytesMax = 1024;       ///< names of items and departments
inline constexpr std::uint32_t kInvoicesMax = 64;
inline constexpr std::uint32_t kItemsMax = 10'000;
inline constexpr std::uint32_t kDiagnosesMax = 256;
inline constexpr std::uint32_t kRecordsMax = 256;
inline constexpr std::uint32_t kProblemsMax = 512;

/// A number that names a person, under the system that issued it.
struct PersonId {
  static constexpr std::string_view kTypeName = "PersonId";
  std::string system;
  std::string value;  ///< as the source wrote it; vault/subject_keys.h normalizes it

  friend bool operator==(const PersonId&, const PersonId&) = default;
  static constexpr auto fields() {
    return field_list(field("system", &PersonId::system, between(1, kSystemBytesMax),
                            "identifier system, one of genesis person_id_systems"),
                      field("value", &PersonId::value, between(1, kIdentifierBytesMax),
                            "as the source wrote it"));
  }
};

enum class DiagnosisRole : std::uint8_t {
  unknown = 0,
  principal = 1,
  admission = 2,
  discharge = 3,
  chief_complaint = 4,
  comorbidity = 5,
  pre_operative = 6,
  post_operative = 7,
  billing = 8,
};
constexpr auto enum_names(DiagnosisRole) {
  return std::to_array<std::string_view>({"unknown", "principal", "admission", "discharge",
                                          "chief_complaint", "comorbidity", "pre_operative",
                                          "post_operative", "billing"});
}

/// One diagnosis in its original code; transcoding happens elsewhere and never replaces it.
struct Diagnosis {
  static constexpr std::string_view kTypeName = "Diagnosis";
  std::string system;
  std::string code;
  std::string version;
  DiagnosisRole role = DiagnosisRole::unknown;

  friend bool operator==(const Diagnosis&, const Diagnosis&) = default;
  static constexpr auto fields() {
    return field_list(
        field("system", &Diagnosis::system, at_most(kSystemBytesMax), "code system"),
        field("code", &Diagnosis::code, between(1, kIdentifierBytesMax), "original code"),
        field("version", &Diagnosis::version, at_most(kIdentifierBytesMax),
              "version of the code system, empty if not stated"),
        field("role", &Diagnosis::role, "what the diagnosis is for"));
  }
};

/// One invoice and who paid which part of it.
struct Invoice {
  static constexpr std::string_view kTypeName = "Invoice";
  std::string code;    ///< 票据代码; empty if the source has none
  std::string number;  ///< 票据号码
  std::optional<std::uint64_t> total;
  std::optional<std::uint64_t> basic_pool;       ///< 统筹
  std::optional<std::uint64_t> serious_illness;  ///< 大病
  std::optional<std::uint64_t> aid;              ///< 救助
  std::optional<std::uint64_t> account;          ///< 个人账户: counts as the person's own money
  std::optional<std::uint64_t> cash;
  std::optional<std::uint64_t> rest;

  friend bool operator==(const Invoice&, const Invoice&) = default;
  static constexpr auto fields() {
    return field_list(
        field("code", &Invoice::code, at_most(kIdentifierBytesMax), "invoice code, may be empty"),
        field("number", &Invoice::number, between(1, kIdentifierBytesMax), "invoice number"),
        field("total", &Invoice::total, "minor units"),
        field("basic_pool", &Invoice::basic_pool, "paid by basic insurance's pool"),
        field("serious_illness", &Invoice::serious_illness, "paid by serious-illness insurance"),
        field("aid", &Invoice::aid, "paid by medical aid"),
        field("account", &Invoice::account, "paid from the personal account"),
        field("cash", &Invoice::cash, "paid by the person"),
        field("rest", &Invoice::rest, "total less the parts above that are known"));
  }
};

/// Class of an item in the basic-insurance catalogue: A 甲, B 乙, C 丙 (outside).
enum class CatalogueClass : std::uint8_t { unknown = 0, a = 1, b = 2, c = 3 };
constexpr auto enum_names(CatalogueClass) {
  return std::to_array<std::string_view>({"unknown", "A", "B", "C"});
}

struct Item {
  static constexpr std::string_view kTypeName = "Item";
  std::uint16_t invoice = 0;  ///< index into ClaimPayload::invoices
  std::string code;
  std::string system;
  std::string name;
  std::optional<std::uint64_t> quantity_millionths;
  std::optional<std::uint64_t> amount;
  CatalogueClass catalogue_class = CatalogueClass::unknown;
  std::optional<std::uint64_t> self_pay;
  std::optional<std::uint32_t> day;
  std::string prescriber;

  friend bool operator==(const Item&, const Item&) = default;
  static constexpr auto fields() {
    return field_list(
        field("invoice", &Item::invoice, "index into invoices, from 0"),
        field("code", &Item::code, at_most(kIdentifierBytesMax), "may be empty"),
        field("system", &Item::system, at_most(kSystemBytesMax), "code system"),
        field("name", &Item::name, at_most(kNameBytesMax), "as printed"),
        field("quantity_millionths", &Item::quantity_millionths, "quantity times 1,000,000"),
        field("amount", &Item::amount, "minor units"),
        field("catalogue_class", &Item::catalogue_class, "basic-insurance catalogue"),
        field("self_pay", &Item::self_pay, "minor units outside the catalogue"),
        field("day", &Item::day, "civil date of the service"),
        field("prescriber", &Item::prescriber, at_most(kIdentifierBytesMax), "may be empty"));
  }
};

/// What does not add up in the source. It is said, never repaired. The numbers only grow.
enum class ProblemCode : std::uint16_t {
  items_total_mismatch = 1,
  invoice_without_total = 2,
  no_invoice = 3,
  payment_parts_mismatch = 4,
  self_pay_exceeds_amount = 5,
  discharged_before_admitted = 6,
  time_without_hours = 7,
  diagnosis_without_code = 8,
  quantity_unreadable = 9,
  other_encounters_named = 10,
  currency_absent = 11,
  catalogue_class_unreadable = 12,
  base_cost_item_added = 13,
};
constexpr auto enum_names(ProblemCode) {
  return std::to_array<std::string_view>(
      {"", "items_total_mismatch", "invoice_without_total", "no_invoice", "payment_parts_mismatch",
       "self_pay_exceeds_amount", "discharged_before_admitted", "time_without_hours",
       "diagnosis_without_code", "quantity_unreadable", "other_encounters_named", "currency_absent",
       "catalogue_class_unreadable", "base_cost_item_added"});
}

struct Problem {
  static constexpr std::string_view kTypeName = "Problem";
  ProblemCode code = ProblemCode::no_invoice;
  std::int64_t detail = 0;  ///< meaning by code: docs/fhir-profile.md, section 5

  friend bool operator==(const Problem&, const Problem&) = default;
  static constexpr auto fields() {
    return field_list(field("code", &Problem::code, "what does not add up"),
                      field("detail", &Problem::detail, "a number whose meaning the code says"));
  }
};

/// "items_total_mismatch 7500".
std::string problem_text(const Problem& problem);

/// Opens the report's commitment to the person's SubjectId of the care audience.
struct SubjectOpening {
  static constexpr std::string_view kTypeName = "SubjectOpening";
  SubjectId subject;
  Salt salt;

  friend bool operator==(const SubjectOpening&, const SubjectOpening&) = default;
  static constexpr auto fields() {
    return field_list(field("subject", &SubjectOpening::subject, "SubjectId(care)"),
                      field("salt", &SubjectOpening::salt, "salt of the commitment"));
  }
};

/// Opens one invoice's balance commitment C(amount, blinding).
struct BalanceOpening {
  static constexpr std::string_view kTypeName = "BalanceOpening";
  std::uint64_t amount = 0;
  crypto::Scalar blinding;

  friend bool operator==(const BalanceOpening&, const BalanceOpening&) = default;
  static constexpr auto fields() {
    return field_list(
        field("amount", &BalanceOpening::amount, "B_0 in minor units"),
        field("blinding", &BalanceOpening::blinding, "r, non-zero mod L, little-endian"));
  }
};

/// Opens every commitment that the report of this stay put on the chain.
struct ReportOpenings {
  static constexpr std::string_view kTypeName = "ReportOpenings";
  SubjectOpening subject;
  Salt record_list_salt;
  std::vector<BalanceOpening> balances;

  friend bool operator==(const ReportOpenings&, const ReportOpenings&) = default;
  static constexpr auto fields() {
    return field_list(
        field("subject", &ReportOpenings::subject, "commitment to the subject"),
        field("record_list_salt", &ReportOpenings::record_list_salt, "commitment to the list"),
        field("balances", &ReportOpenings::balances, at_most(kInvoicesMax),
              "one for each invoice, same order"));
  }
};

struct ClaimPayload {
  static constexpr std::string_view kTypeName = "ClaimPayload";
  Version<1> version;
  PersonId person;
  std::string encounter_number;
  TimeMs admitted;
  TimeMs discharged;
  std::uint32_t admitted_day = 0;
  std::uint32_t discharged_day = 0;
  std::string department;
  std::vector<Diagnosis> diagnoses;
  std::vector<Invoice> invoices;
  std::vector<Item> items;
  std::vector<RecordRef> records;  ///< the record list; filled by the node that reports
  std::vector<Problem> problems;
  ReportOpenings openings;  ///< filled by the node that reports

  friend bool operator==(const ClaimPayload&, const ClaimPayload&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimPayload::version, "format version"),
        field("person", &ClaimPayload::person, "whose stay it was"),
        field("encounter_number", &ClaimPayload::encounter_number, between(1, kIdentifierBytesMax),
              "the hospital's number of this one stay"),
        field("admitted", &ClaimPayload::admitted, "ms since 1970-01-01T00:00Z"),
        field("discharged", &ClaimPayload::discharged, "ms since 1970-01-01T00:00Z"),
        field("admitted_day", &ClaimPayload::admitted_day, "civil date, days since 1970-01-01"),
        field("discharged_day", &ClaimPayload::discharged_day, "civil date, days since 1970-01-01"),
        field("department", &ClaimPayload::department, at_most(kNameBytesMax), "may be empty"),
        field("diagnoses", &ClaimPayload::diagnoses, at_most(kDiagnosesMax), "principal first"),
        field("invoices", &ClaimPayload::invoices, at_most(kInvoicesMax), "one for each Claim"),
        field("items", &ClaimPayload::items, at_most(kItemsMax), "in invoice order"),
        field("records", &ClaimPayload::records, at_most(kRecordsMax), "the committed record list"),
        field("problems", &ClaimPayload::problems, at_most(kProblemsMax), "said, never repaired"),
        field("openings", &ClaimPayload::openings, "of the report's commitments"));
  }
};

/// B_0 of an invoice: total less basic pool, serious illness and aid; unknown parts count nothing.
/// Returns: Errc::bad_amount if the total is unknown or less than these parts.
Result<std::uint64_t> initial_balance(const Invoice& invoice);

/// Checks what a reader must know before using a decoded payload: items name existing invoices,
/// every amount is at most 2^63 - 1, and the balances opened are those of the invoices, in order.
/// Returns: Errc::bad_argument or Errc::bad_amount naming the rule, never a value.
Result<void> check_payload(const ClaimPayload& payload);

}  // namespace baolian::contracts
