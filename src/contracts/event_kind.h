/// The numbers of events. They are part of the format and only grow.
#pragma once

#include <cstdint>

namespace baolian::contracts {

enum class EventKind : std::uint16_t {
  consent_given = 101,
  consents_confirmed = 102,
  consent_revoked = 103,
  person_key_registered = 104,

  record_registered = 201,
  record_read = 202,
  granted = 203,
  denied = 204,
  released = 205,
  received = 206,

  product_registered = 301,
  enrolled = 311,
  catalog_published = 321,

  reported = 401,
  filed = 402,
  not_filed = 403,
  opened = 404,
  claims_withdrawn = 405,
  claim_decided = 406,
  claim_supplemented = 407,
  claim_paid = 408,
  claim_withdrawn = 409,
  review_requested = 410,
  claim_explained = 411,
  late_countersigned = 412,

  flag_raised = 901,
  alarms_raised = 902,
};

}  // namespace baolian::contracts
