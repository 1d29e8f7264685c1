/// The records of the measured state, the persons whose they are, and operations upon them. Every
/// id follows from a number and from the run, so that nothing has to be remembered and a network
/// can bear one run after the other.
#pragma once

#include <vector>

#include "bench/settings.h"
#include "contracts/types.h"
#include "core/prng.h"
#include "ledger/genesis.h"
#include "ledger/transaction.h"

namespace baolian::bench {

/// Records number 0, hospital_count(), 2 hospital_count() ... are those of hospital 0, and so on.
///
/// Threads: const functions are thread-safe.
class Records {
 public:
  /// Requires: a genesis whose hospitals each have a clinician and a vault.
  Records(const ledger::Genesis& genesis, const Settings& settings);

  std::size_t hospital_count() const { return hospitals_.size(); }
  /// All records, those that are only there among them.
  std::uint64_t record_count() const { return records_ + other_records_; }
  /// Each person consents to each hospital.
  std::uint64_t consent_count() const { return subjects_ * hospital_count(); }
  /// Whose records a hospital asks for.
  std::size_t custodian_for(std::size_t reader) const { return (reader + 1) % hospital_count(); }
  RecordId record(std::uint64_t number) const;
  /// One of a hospital's records that are read.
  std::uint64_t draw(std::size_t hospital, Prng& prng) const;

  /// records.register for the records first, first + hospital_count() ... of one hospital, at most
  /// `count`; empty at the end.
  std::vector<ledger::Operation> registrations(std::size_t hospital, std::uint64_t first,
                                               std::size_t count) const;
  /// consent.give number first, first + 1 ..., at most `count`; empty at the end.
  std::vector<ledger::Operation> consents(std::uint64_t first, std::size_t count) const;
  /// records.read of a hospital's own record by its clinician.
  ledger::Operation read(std::size_t hospital, std::uint64_t record, Prng& prng) const;
  /// records.request by a hospital for another's record, with the person's consent.
  ledger::Operation request(std::size_t reader, std::uint64_t record, Prng& prng) const;
  /// records.release by the hospital whose record it is.
  ledger::Operation release(const GrantId& grant, std::uint64_t record, Prng& prng) const;
  /// records.receive of what was released to this reader.
  ledger::Operation receive(std::size_t reader, const GrantId& grant, std::uint64_t record,
                            Prng& prng) const;

 private:
  /// Of a thing of this kind.
  template <typename Id>
  Id numbered(std::string_view what, std::uint64_t number) const;
  struct Hospital {
    InstitutionId id;
    MemberId doctor;
    MemberId vault;
  };
  std::uint64_t subject_of(std::uint64_t record) const { return record % subjects_; }
  ConsentId consent(std::uint64_t subject, std::size_t grantee) const;

  Hash run_;  ///< drawn
  std::vector<Hospital> hospitals_;
  std::uint64_t records_ = 0;
  std::uint64_t other_records_ = 0;
  std::uint64_t subjects_ = 0;
};

}  // namespace baolian::bench
