/// The workload *readings*: members of hospitals read records that their own vault holds. Records
/// are drawn evenly; each reading is one operation with an encounter and a request id of its own.
#pragma once

#include <vector>

#include "bench/settings.h"
#include "core/prng.h"
#include "ledger/genesis.h"
#include "ledger/transaction.h"

namespace baolian::bench {

/// Threads: const functions are thread-safe.
class Readings {
 public:
  /// Requires: a genesis whose hospitals each have a clinician and a vault.
  Readings(const ledger::Genesis& genesis, const Settings& settings);

  std::size_t hospital_count() const { return hospitals_.size(); }
  /// All records, those that are only there among them.
  std::uint64_t record_count() const { return records_ + other_records_; }
  /// records.register for the records first, first + hospital_count() ... of one hospital, at most
  /// `count`; empty at the end.
  std::vector<ledger::Operation> registrations(std::size_t hospital, std::uint64_t first,
                                               std::size_t count) const;
  std::vector<ledger::Operation> readings(std::size_t hospital, std::size_t count,
                                          Prng& prng) const;

 private:
  struct Hospital {
    InstitutionId id;
    MemberId doctor;
    MemberId vault;
  };
  std::vector<Hospital> hospitals_;
  std::uint64_t records_ = 0;
  std::uint64_t other_records_ = 0;
  std::uint64_t subjects_ = 0;
};

}  // namespace baolian::bench
