/// Events of claims from the decision to the end, and of deadlines that passed.
#pragma once

#include <vector>

#include "contracts/claims/decision_operations.h"
#include "contracts/event_kind.h"
#include "contracts/state_keys.h"
#include "contracts/types.h"

namespace baolian::contracts {

struct ClaimDecided {
  static constexpr std::string_view kTypeName = "ClaimDecided";
  static constexpr EventKind kKind = EventKind::claim_decided;
  Version<1> version;
  ClaimId claim;
  InstitutionId insurer;
  InstitutionId reporter;
  std::uint16_t number = 0;
  Outcome outcome{Outcome::needs_person};
  Withheld withheld{Withheld::none};
  Countersigning countersigning{Countersigning::countersigned};
  std::uint16_t persons = 0;  ///< adjusters who signed
  TimeMs due;                 ///< of what is owed next: paper, review or payment

  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimDecided::version, "format version"),
        field("claim", &ClaimDecided::claim, "claim"),
        field("insurer", &ClaimDecided::insurer, "who decided"),
        field("reporter", &ClaimDecided::reporter, "hospital or pharmacy"),
        field("number", &ClaimDecided::number, "number of the decision"),
        field("outcome", &ClaimDecided::outcome, "what it comes to"),
        field("withheld", &ClaimDecided::withheld, "whether less than the bill is paid, and how"),
        field("countersigning", &ClaimDecided::countersigning, "whether the reporter signed"),
        field("persons", &ClaimDecided::persons, "adjusters who signed"),
        field("due", &ClaimDecided::due, "of paper, review or payment, by outcome, ms"));
  }
};

struct ClaimSupplemented {
  static constexpr std::string_view kTypeName = "ClaimSupplemented";
  static constexpr EventKind kKind = EventKind::claim_supplemented;
  Version<1> version;
  ClaimId claim;
  InstitutionId insurer;
  InstitutionId brought_by;
  TimeMs due;  ///< when the insurer's decision is due now

  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimSupplemented::version, "format version"),
        field("claim", &ClaimSupplemented::claim, "claim"),
        field("insurer", &ClaimSupplemented::insurer, "who decides again"),
        field("brought_by", &ClaimSupplemented::brought_by, "institution that brought it"),
        field("due", &ClaimSupplemented::due, "when the decision is due now, ms"));
  }
};

struct ClaimPaid {
  static constexpr std::string_view kTypeName = "ClaimPaid";
  static constexpr EventKind kKind = EventKind::claim_paid;
  Version<1> version;
  ClaimId claim;
  InstitutionId insurer;
  std::uint16_t number = 0;
  bool closed = false;  ///< nothing is owed any more

  static constexpr auto fields() {
    return field_list(field("version", &ClaimPaid::version, "format version"),
                      field("claim", &ClaimPaid::claim, "claim"),
                      field("insurer", &ClaimPaid::insurer, "who paid"),
                      field("number", &ClaimPaid::number, "number of the decision"),
                      field("closed", &ClaimPaid::closed, "whether the claim is closed now"));
  }
};

struct ClaimWithdrawn {
  static constexpr std::string_view kTypeName = "ClaimWithdrawn";
  static constexpr EventKind kKind = EventKind::claim_withdrawn;
  Version<1> version;
  ClaimId claim;
  InstitutionId insurer;
  InstitutionId attested_by;  ///< zeros: the person's own key

  static constexpr auto fields() {
    return field_list(
        field("version", &ClaimWithdrawn::version, "format version"),
        field("claim", &ClaimWithdrawn::claim, "claim"),
        field("insurer", &ClaimWithdrawn::insurer, "its insurer"),
        field("attested_by", &ClaimWithdrawn::attested_by, "attesting institution or zeros"));
  }
};

struct ReviewRequested {
  static constexpr std::string_view kTypeName = "ReviewRequested";
  static constexpr EventKind kKind = EventKind::review_requested;
  Version<1> version;
  ClaimId claim;
  InstitutionId insurer;
  InstitutionId attested_by;  ///< zeros: the person's own key
  TimeMs due;

  static constexpr auto fields() {
    return field_list(
        field("version", &ReviewRequested::version, "format version"),
        field("claim", &ReviewRequested::claim, "claim"),
        field("insurer", &ReviewRequested::insurer, "whose two persons review"),
        field("attested_by", &ReviewRequested::attested_by, "attesting institution or zeros"),
        field("due", &ReviewRequested::due, "when the review is due, ms"));
  }
};

struct ClaimExplained {
  static constexpr std::string_view kTypeName = "ClaimExplained";
  static constexpr EventKind kKind = EventKind::claim_explained;
  Version<1> version;
  ClaimId claim;
  InstitutionId insurer;
  std::uint16_t number = 0;
  bool closed = false;  ///< nothing is owed any more

  static constexpr auto fields() {
    return field_list(field("version", &ClaimExplained::version, "format version"),
                      field("claim", &ClaimExplained::claim, "claim"),
                      field("insurer", &ClaimExplained::insurer, "who explained"),
                      field("number", &ClaimExplained::number, "number of the decision"),
                      field("closed", &ClaimExplained::closed, "whether the claim is closed now"));
  }
};

struct LateCountersigned {
  static constexpr std::string_view kTypeName = "LateCountersigned";
  static constexpr EventKind kKind = EventKind::late_countersigned;
  Version<1> version;
  ClaimId claim;
  InstitutionId reporter;
  std::uint16_t number = 0;

  static constexpr auto fields() {
    return field_list(field("version", &LateCountersigned::version, "format version"),
                      field("claim", &LateCountersigned::claim, "claim"),
                      field("reporter", &LateCountersigned::reporter, "who signed now"),
                      field("number", &LateCountersigned::number, "number of the decision"));
  }
};

/// A deadline that passed.
struct Alarm {
  static constexpr std::string_view kTypeName = "Alarm";
  ClaimId claim;
  DeadlineKind kind{DeadlineKind::none};
  TimeMs due;
  InstitutionId debtor;  ///< zeros: the insured person

  friend bool operator==(const Alarm&, const Alarm&) = default;
  static constexpr auto fields() {
    return field_list(field("claim", &Alarm::claim, "claim"),
                      field("kind", &Alarm::kind, "what was owed"),
                      field("due", &Alarm::due, "until when, ms"),
                      field("debtor", &Alarm::debtor, "who owes it; zeros = the person"));
  }
};

inline constexpr std::uint32_t kAlarmsPerEvent = 64;

/// What a sweep found; several events if there are more than 64.
struct AlarmsRaised {
  static constexpr std::string_view kTypeName = "AlarmsRaised";
  static constexpr EventKind kKind = EventKind::alarms_raised;
  Version<1> version;
  std::vector<Alarm> alarms;

  static constexpr auto fields() {
    return field_list(
        field("version", &AlarmsRaised::version, "format version"),
        field("alarms", &AlarmsRaised::alarms, between(1, kAlarmsPerEvent), "in order of time"));
  }
};

}  // namespace baolian::contracts
