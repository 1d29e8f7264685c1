/// Parameters of the epoch that the native contracts obey: durations, limits, and the table of
/// declared weights. A parameter that an epoch record does not name has the default below.
///
/// | id | what | unit | default |
/// |---|---|---|---|
/// | 1..16 | ParameterId | ms or count | default_parameters() |
/// | 1000 + kind | weight of an operation of that kind | key writes | weights |
/// | 2000 + kind | and of each line | key writes | weights |
/// | 3000 + kind | and of each filing | key writes | weights |
#pragma once

#include <cstdint>
#include <vector>

#include "contracts/operation_kind.h"
#include "crypto/validator_set.h"
#include "ledger/transaction.h"

namespace baolian::contracts {

enum class ParameterId : std::uint16_t {
  transaction_expiry_max_ms = 1,  ///< 10 min: expires_at at most so far after block time
  grant_automatic_ms = 2,         ///< 120 s: time to release to a program
  grant_person_ms = 3,            ///< 15 min: time to release to a person
  release_end_ms = 4,             ///< 24 h: time to receive after a release
  filing_lapse_ms = 5,            ///< 730 d: time for claims.file after a report
  insurer_request_ms = 6,         ///< 24 h: filed, insurer requests
  hospital_release_ms = 7,        ///< 24 h: granted, hospital releases
  insurer_decide_ms = 8,          ///< 30 d: opened, insurer decides
  transaction_weight_max = 9,     ///< 12,500 key writes: a transaction's share of a block
  block_weight_max = 10,          ///< 50,000 key writes; kept by who proposes and votes
  person_paper_ms = 11,           ///< 60 d: waiting_paper, the person brings it
  insurer_review_ms = 12,         ///< 30 d: filed, a person of the insurer decides
  second_review_ms = 13,          ///< 15 d: review requested, two persons decide
  insurer_pay_ms = 14,            ///< 10 d: decided, the insurer pays
  insurer_explain_ms = 15,        ///< 3 d: decided, the insurer explains
  countersign_silence_ms = 16,    ///< 24 h: opened, uncountersigned decisions are allowed
};

/// Limits that formats.md fixes for every epoch.
inline constexpr std::size_t kPoliciesPerSubjectMax = 16;
inline constexpr std::size_t kClaimsPerConsentMax = 64;
/// Policies of a subject that a filing looks at, from the stay's first day on.
inline constexpr std::size_t kPoliciesScannedMax = 256;

/// The whole table, ascending by id: what a new genesis takes.
std::vector<crypto::Parameter> default_parameters();
/// The epoch's value, or the default.
std::uint64_t parameter(const crypto::EpochRecord& epoch, ParameterId id);

/// How many keys an operation may write, log entries included: from its kind and the number of its
/// lines alone, never from the state, so that a block can be limited before it is executed. An
/// operation whose content does not decode weighs 1.
std::uint64_t declared_weight(const crypto::EpochRecord& epoch, const ledger::Operation& operation);
/// The sum over the operations, and 1 for the sender's nonce window.
std::uint64_t declared_weight(const crypto::EpochRecord& epoch,
                              const ledger::TransactionBody& body);

}  // namespace baolian::contracts
