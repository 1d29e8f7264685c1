/// Every error code of the product that is not a contract's receipt code, in ranges a module. A
/// code is new only if a caller would react differently. The numbers are stable: the list only
/// grows. docs/error-codes.md says for each what to do.
#pragma once

#include <cstdint>
#include <string_view>

namespace baolian {

enum class Errc : std::uint16_t {
  // core 1-99
  internal = 1,
  bad_hex = 2,
  truncated = 3,       ///< the bytes end before the value does
  trailing_bytes = 4,  ///< bytes remain after the value
  limit_exceeded = 5,  ///< a length or number above its declared maximum
  not_canonical = 6,   ///< another encoding of the same value exists, or order is wrong
  unknown_version = 7,
  bad_utf8 = 8,
  bad_number = 9,
  bad_argument = 10,
  bad_json = 11,
  io_failed = 12,
  not_found = 13,
  already_exists = 14,
  busy = 15,
  timed_out = 16,
  unsupported = 17,

  // crypto 100-199
  bad_signature = 100,
  bad_public_key = 101,
  bad_certificate = 102,  ///< signatures unsorted, duplicate, too few, or invalid
  cannot_open = 103,      ///< sealed box, keystore or stream: wrong key or changed bytes
  bad_passphrase = 104,
  bad_commitment = 105,
  bad_group_element = 106,

  // consensus 200-299
  log_corrupt = 200,
  wrong_epoch = 201,
  bad_message = 202,

  // ledger 300-399
  bad_block = 300,
  bad_proof = 301,
  evidence_invalid = 302,
  store_corrupt = 303,
  wrong_chain = 304,
  pruned = 305,

  // net 400-499
  connect_failed = 400,
  tls_failed = 401,
  peer_unknown = 402,
  http_malformed = 403,
  http_status = 404,
  closed = 405,

  // vault 500-599
  no_certified_release = 500,
  release_expired = 501,
  release_replayed = 502,
  wrong_record_version = 503,
  vault_corrupt = 504,

  // gateway 600-699
  fhir_invalid = 600,
  fhir_no_person = 601,
  fhir_no_encounter = 602,
  fhir_too_large = 603,
  bad_amount = 604,

  // node 700-799
  config_invalid = 700,
  genesis_invalid = 701,
  not_authorized = 702,
  request_conflict = 703,  ///< the same request id with another content
  rejected = 704,          ///< the chain rejected the operation; the receipt says why
  not_certified = 705,  ///< no certificate in time; the outcome is unknown, ask again by request id
};

/// The code's name as it stands in API answers and docs, for example "bad_hex".
std::string_view errc_name(Errc code);

}  // namespace baolian
