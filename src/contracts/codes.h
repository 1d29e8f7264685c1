/// Why an operation was rejected or a request denied. The numbers stand in receipts, so they only
/// grow. docs/error-codes.md prints this table; a test holds the two together.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace baolian::contracts {

enum class Code : std::uint16_t {
  applied = 0,

  // a transaction as a whole: no effect at all
  sender_unknown = 1,
  sender_not_valid = 2,
  sender_role = 3,
  transaction_expired = 4,
  expiry_too_far = 5,
  nonce_used = 6,
  nonce_too_old = 7,
  transaction_too_heavy = 8,

  // any operation
  kind_unknown = 20,
  kind_reserved = 21,
  content_malformed = 22,
  weight_exceeded = 23,

  // cosignatures
  cosignature_invalid = 30,
  cosignature_expired = 31,
  cosigner_unknown = 32,
  cosigner_not_valid = 33,
  cosigner_not_attestor = 34,
  cosigner_is_grantee = 35,
  cosignature_nonce = 36,
  cosignature_unexpected = 37,
  cosignature_duplicate = 38,
  originator_nonce_used = 39,
  originator_nonce_too_old = 40,
  person_key_not_registered = 41,
  person_key_not_proved = 42,
  person_key_taken = 43,
  cosigner_role = 44,
  person_not_attested = 45,

  // authority
  role_not_allowed = 50,
  institution_kind_not_allowed = 51,
  not_your_institution = 52,
  vault_unknown = 53,
  journal_mismatch = 54,
  originator_unknown = 55,
  originator_not_bound = 56,
  mode_contradicts_originator = 57,
  originator_role = 58,
  sender_not_among_via = 59,

  // consent
  consent_exists = 100,
  consent_unknown = 101,
  grantee_unknown = 102,
  audience_wrong = 103,
  consent_period_empty = 104,
  exception_empty = 105,
  consent_hash_differs = 106,
  consent_already_attested = 107,
  consent_revoked = 108,
  not_an_attestor = 109,
  attestor_is_grantee = 110,
  revocation_not_allowed = 111,
  consent_of_other_grantee = 112,
  consent_of_other_subject = 113,
  consent_not_attested = 114,
  consent_not_in_period = 115,
  purpose_not_consented = 116,
  class_not_consented = 117,
  level_not_consented = 118,
  automatic_not_consented = 119,
  consent_excepted = 120,
  consent_of_other_encounter = 121,
  subject_audience_not_care = 122,

  // records and grants
  record_exists = 200,
  record_unknown = 201,
  record_version_unknown = 202,
  record_version_not_next = 203,
  record_subject_differs = 204,
  record_class_differs = 205,
  not_a_holder = 206,
  basis_not_allowed = 207,
  basis_reserved = 208,
  own_record = 209,
  purpose_not_allowed = 210,
  grant_unknown = 220,
  grant_expired = 221,
  grant_already_released = 222,
  grant_not_released = 223,
  grant_already_received = 224,
  grant_ended = 225,
  not_the_custodian = 226,
  not_the_reader = 227,
  commitment_differs = 228,
  mismatch_without_difference = 229,
  reader_no_longer_member = 230,
  recipient_differs = 231,

  // products and policies
  product_exists = 300,
  product_unknown = 301,
  product_version_not_next = 302,
  product_validity_empty = 303,
  product_not_yours = 304,
  policy_exists = 310,
  cover_period_empty = 311,
  cover_outside_validity = 312,
  premium_source_not_allowed = 313,
  bureau_attestation_needed = 314,
  too_many_policies = 315,
  duplicate_in_operation = 316,

  // catalogue and system
  catalog_exists = 320,
  catalog_version_not_next = 321,
  catalog_empty = 322,
  not_a_validator = 330,
  sweep_ahead = 331,
  sweep_count = 332,

  // claims
  encounter_already_reported = 400,
  invoice_already_reported = 401,
  report_kind_not_allowed = 402,
  months_reversed = 403,
  balance_not_an_element = 404,
  payload_version_wrong = 405,
  disclosure_missing = 406,
  disclosure_without_filing = 407,
  record_list_differs = 408,
  listed_record_unknown = 409,
  listed_record_of_other_subject = 410,
  day_tags_count = 411,
  encounter_unknown = 412,
  not_the_reporter = 413,
  filing_lapsed = 414,
  no_policy_matches = 415,
  already_filed = 416,
  per_claim_consent_needed = 417,
  too_many_claims = 418,
  disclosure_differs = 419,
  insurer_unknown = 420,
  claim_unknown = 430,
  not_the_claims_insurer = 431,
  record_not_in_claim = 432,
  claim_state = 433,

  // decisions and what follows
  decision_number_wrong = 440,
  stale_payload = 441,
  stale_balance = 442,
  stale_total = 443,
  stale_accumulator = 444,
  product_version_differs = 445,
  product_without_content = 446,
  map_unknown = 447,
  decision_form = 448,
  fixed_benefit_reserved = 449,
  invoice_not_in_claim = 450,
  invoice_frozen = 451,
  payout_not_an_element = 452,
  countersignature_missing = 453,
  countersigner_not_reporter = 454,
  uncountersigned_too_early = 455,
  persons_needed = 456,
  outcome_not_allowed = 457,
  decision_unknown = 460,
  decision_already_paid = 461,
  payee_reserved = 462,
  nothing_to_explain = 463,
  not_uncountersigned = 464,
  too_many_records = 465,
  payable_already_decided = 466,
};

struct CodeEntry {
  Code code;
  std::string_view name;      ///< as in API answers, for example "consent_revoked"
  std::string_view sentence;  ///< what was wrong
  std::string_view advice;    ///< what the sender can do
};

/// Every code, ascending by number.
std::span<const CodeEntry> codes();
/// The entry of a number; nullptr for a number that means nothing.
const CodeEntry* find_code(std::uint16_t code);
/// "consent_revoked"; empty for a number that means nothing.
std::string_view code_name(std::uint16_t code);
inline std::string_view code_name(Code code) { return code_name(static_cast<std::uint16_t>(code)); }

}  // namespace baolian::contracts
