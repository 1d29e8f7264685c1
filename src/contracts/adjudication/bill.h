/// What the engine decides on: the opened bill with what was added to it, what stands open of its
/// invoices, and what the insurer keeps of the policy year. All plain values: whoever opens the
/// commitments fills them in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contracts/claims/payload.h"
#include "contracts/types.h"

namespace baolian::contracts {

/// A class that was unknown in the payload.
struct ItemClass {
  static constexpr std::string_view kTypeName = "ItemClass";
  std::uint16_t item = 0;
  CatalogueClass catalogue_class = CatalogueClass::unknown;

  friend auto operator<=>(const ItemClass&, const ItemClass&) = default;
  static constexpr auto fields() {
    return field_list(
        field(
            "item", &ItemClass::item,
            "index into the payload's items, from 0; on from them, lines that earlier supplements "
            "added"),
        field("catalogue_class", &ItemClass::catalogue_class, "what it is"));
  }
};

/// What a supplement brings, as its record contains it: facts that the bill lacked. It adds, it
/// never changes what the payload says: that would be an amendment of the discharge.
struct BillSupplement {
  static constexpr std::string_view kTypeName = "BillSupplement";
  Version<1> version;
  std::vector<ItemClass> item_classes;  ///< only of items whose class is unknown
  std::vector<Item> items;              ///< lines that the bill's total has and its list lacks
  std::string note;                     ///< for the person who reads it

  friend bool operator==(const BillSupplement&, const BillSupplement&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &BillSupplement::version, "format version"),
        field("item_classes", &BillSupplement::item_classes, set_of(kItemsMax),
              "classes of items that had none, ascending"),
        field("items", &BillSupplement::items, at_most(kItemsMax), "lines that were missing"),
        field("note", &BillSupplement::note, at_most(kNameBytesMax), "for people"));
  }
};

/// What the chain says of one of the payload's invoices now.
struct InvoiceStanding {
  static constexpr std::string_view kTypeName = "InvoiceStanding";
  std::uint64_t balance = 0;  ///< what insurers may still pay, opened

  friend bool operator==(const InvoiceStanding&, const InvoiceStanding&) = default;
  static constexpr auto fields() {
    return field_list(
        field("balance", &InvoiceStanding::balance, "what insurers may still pay, minor units"));
  }
};

/// One amount that runs through the policy year.
struct AccumulatorValue {
  static constexpr std::string_view kTypeName = "AccumulatorValue";
  std::uint16_t id = 0;
  std::uint64_t amount = 0;

  friend auto operator<=>(const AccumulatorValue&, const AccumulatorValue&) = default;
  static constexpr auto fields() {
    return field_list(field("id", &AccumulatorValue::id, "which one"),
                      field("amount", &AccumulatorValue::amount, "minor units"));
  }
};

/// Ids of accumulators: eligible expense by deductible group, and payout by liability.
constexpr std::uint16_t group_accumulator(std::uint16_t group) { return group; }
constexpr std::uint16_t liability_accumulator(std::uint16_t liability) {
  return static_cast<std::uint16_t>(0x8000U | liability);
}

/// What was paid and counted under a policy before this decision.
struct Accumulators {
  static constexpr std::string_view kTypeName = "Accumulators";
  std::uint64_t total_paid = 0;
  std::vector<AccumulatorValue> values;  ///< ascending; absent = 0

  friend bool operator==(const Accumulators&, const Accumulators&) = default;
  static constexpr auto fields() {
    return field_list(
        field("total_paid", &Accumulators::total_paid, "under this policy, minor units"),
        field("values", &Accumulators::values, set_of(64), "others; absent = 0"));
  }
  std::uint64_t value(std::uint16_t id) const;
};

/// The policy as the chain has it.
struct PolicyFacts {
  static constexpr std::string_view kTypeName = "PolicyFacts";
  std::uint32_t from_day = 0;
  std::uint32_t to_day = 0;

  friend bool operator==(const PolicyFacts&, const PolicyFacts&) = default;
  static constexpr auto fields() {
    return field_list(field("from_day", &PolicyFacts::from_day, "first civil day of cover"),
                      field("to_day", &PolicyFacts::to_day, "last civil day of cover"));
  }
};

/// How chain and payload can differ (rule 0). The numbers only grow.
enum class ReportDifference : std::uint8_t {
  subject_commitment = 1,  ///< the payload does not open the report's commitment to the person
  care_subject = 2,        ///< the person disclosed is not the one in the payload
  insured = 3,             ///< the payload's person is not the insured of the claim
  record_list = 4,         ///< the payload's list does not open the report's
  months = 5,              ///< the stay lies in other months
  invoices = 6,            ///< other invoices or balances than were reported
};
constexpr auto enum_names(ReportDifference) {
  return std::array<std::string_view, 7>{
      "", "subject_commitment", "care_subject", "insured", "record_list", "months", "invoices"};
}

/// What a person of the insurer rules on a bill that the engine gave to people.
enum class Verdict : std::uint8_t {
  accept = 1,   ///< the doubts are settled in the person's favour: decide by the product
  decline = 2,  ///< nothing is payable for this bill; provisional, and reviewable
};
constexpr auto enum_names(Verdict) {
  return std::array<std::string_view, 3>{"", "accept", "decline"};
}

struct Ruling {
  static constexpr std::string_view kTypeName = "Ruling";
  Verdict verdict{Verdict::accept};
  std::string reason;  ///< in words, for the explanation; no name

  friend bool operator==(const Ruling&, const Ruling&) = default;
  static constexpr auto fields() {
    return field_list(field("verdict", &Ruling::verdict, "what the person rules"),
                      field("reason", &Ruling::reason, between(1, 1024), "in words"));
  }
};

}  // namespace baolian::contracts
