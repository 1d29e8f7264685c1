#include "contracts/events.h"

namespace baolian::contracts {

std::string_view event_name(std::uint16_t kind) {
  switch (static_cast<EventKind>(kind)) {
    case EventKind::consent_given:
      return "consent_given";
    case EventKind::consents_confirmed:
      return "consents_confirmed";
    case EventKind::consent_revoked:
      return "consent_revoked";
    case EventKind::person_key_registered:
      return "person_key_registered";
    case EventKind::record_registered:
      return "record_registered";
    case EventKind::record_read:
      return "record_read";
    case EventKind::granted:
      return "granted";
    case EventKind::denied:
      return "denied";
    case EventKind::released:
      return "released";
    case EventKind::received:
      return "received";
    case EventKind::product_registered:
      return "product_registered";
    case EventKind::enrolled:
      return "enrolled";
    case EventKind::reported:
      return "reported";
    case EventKind::filed:
      return "filed";
    case EventKind::not_filed:
      return "not_filed";
    case EventKind::opened:
      return "opened";
    case EventKind::claims_withdrawn:
      return "claims_withdrawn";
    case EventKind::flag_raised:
      return "flag_raised";
    case EventKind::claim_decided:
      return "claim_decided";
    case EventKind::claim_supplemented:
      return "claim_supplemented";
    case EventKind::claim_paid:
      return "claim_paid";
    case EventKind::claim_withdrawn:
      return "claim_withdrawn";
    case EventKind::review_requested:
      return "review_requested";
    case EventKind::claim_explained:
      return "claim_explained";
    case EventKind::late_countersigned:
      return "late_countersigned";
    case EventKind::alarms_raised:
      return "alarms_raised";
    case EventKind::catalog_published:
      return "catalog_published";
  }
  return {};
}

}  // namespace baolian::contracts
