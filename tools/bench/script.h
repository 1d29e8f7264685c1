/// What a client that signs itself does, transaction after transaction. Other workloads:
/// api_work.h.
///
/// - readings: records.read of the hospital's own records.
/// - exchanged: readings of another hospital's records, requested, released and received in three
///   transactions of two institutions, each sent when the one before is certified. Counted once,
///   when received.
/// - mixed: 95 % readings, 5 % exchanged ones.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/records.h"
#include "ledger/transaction.h"

namespace baolian::bench {

/// A transaction to be sent.
struct Step {
  std::size_t hospital = 0;  ///< whose department signs and sends it
  std::vector<ledger::Operation> operations;
  bool is_last = true;  ///< of what belongs together: when it is certified, that is done
};

/// Ownership: a script refers to the records. Threads: one at a time.
class Script {
 public:
  virtual ~Script() = default;
  virtual Step next(Prng& prng) = 0;
  /// The newest step is certified under this id.
  virtual void certified(const TxId& /*tx_id*/) {}
};

bool is_workload(const std::string& name);
/// Whether the workload reads with consents.
bool needs_consents(const std::string& name);
/// For a client of one hospital. Requires: is_workload(name).
std::unique_ptr<Script> make_script(const std::string& name, const Records& records,
                                    std::size_t hospital, std::size_t ops_per_tx);

}  // namespace baolian::bench
