/// A chain with everything that verify_node() looks at, for its tests: records and readings, a
/// log above 256 entries, a change of validators, a transaction that was executed twice, a null
/// block, heights without a certificate.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/audit/chain_audit.h"
#include "ledger/memory_store.h"
#include "node/executor.h"
#include "node/fixture.h"
#include "node/verify_node.h"

namespace baolian::node::test {

/// Makes blocks on a chain over the given store.
class ChainMaker {
 public:
  static constexpr std::uint64_t kChangeHeight = 40;
  static constexpr std::uint64_t kNullHeight = 7;
  static constexpr std::uint64_t kLargeHeight = 9;  ///< its block is above what a blob needs
  static constexpr std::uint64_t kTwiceHeight = 12;

  explicit ChainMaker(std::unique_ptr<ledger::KeyValueStore> store);
  /// Executes from the present height to this one; certifies every third and the last of an epoch.
  void grow_to(std::uint64_t height);
  ledger::Chain& chain() { return *chain_; }
  const RecordId& record() const { return record_; }

 private:
  SharedBytes sign(std::vector<ledger::Operation> operations);
  SharedBytes large_body();
  std::vector<SharedBytes> bodies_at(std::uint64_t height);
  void certify(const AppliedBlock& block);

  std::unique_ptr<ledger::Chain> chain_;
  std::optional<Executor> executor_;
  RecordId record_;
  std::uint64_t nonce_ = 1;
  SharedBytes first_reading_;
};

/// The world of all these chains.
const sim::World& verify_world();
/// A reading or a registration by a gateway of the world.
ledger::Operation register_operation(const RecordId& record, const Commitment& commitment);
ledger::Operation read_operation(const RecordId& record, std::uint64_t salt);

/// Audits a store in memory.
struct Audited {
  ledger::AuditReport report;
  ledger::ChainAuditResult chain;
};
Audited audit(const ledger::KeyValueStore& store);

/// "index@17 transaction row 0a…: it is missing", a line each, for what a test prints.
std::string text_of(const ledger::AuditReport& report);
/// Is there a finding of this kind, of this height if one is given, and of a place that contains
/// `place`?
bool has_finding(const ledger::AuditReport& report, ledger::Damage damage,
                 std::optional<std::uint64_t> height = {}, const std::string& place = "");

}  // namespace baolian::node::test
