/// The invariants of testing.md that the simulator checks: I1 agreement, I3 executed once, I4 never
/// two digests, I5 what was certified stays, I6 monotone, I12 real-time order, I16 nobody stops,
/// I18 observers behind certificates. (I7 and I17 are judged at the end, in simulation.cpp.)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "consensus/engine.h"
#include "ledger/chain.h"
#include "node/ports.h"
#include "sim/world.h"

namespace baolian::sim {

/// Sees everything that the nodes do. All nodes of this simulator are correct, so one bad sight is
/// a violation. The first one is kept.
class Checker {
 public:
  explicit Checker(const World& world) : world_(world) {}

  void on_sent(node::ReplicaId from, BytesView bytes);
  void on_executed(node::ReplicaId node, const ledger::Chain& chain, Height height);
  void on_certified(const crypto::ExecCertificate& certificate);
  void on_status(node::ReplicaId node, const consensus::Status& status);
  void on_stopped(node::ReplicaId node, const std::string& reason);
  void on_banned(node::ReplicaId by, node::ReplicaId peer, const std::string& reason);
  /// A node came back: what it executed above `executed` may be executed again; nothing else may go
  /// back.
  void on_restarted(node::ReplicaId node, Height executed);
  /// A client sent a transaction for the first time.
  void on_submitted(const TxId& id);

  void violation(const std::string& what) {
    if (!violation_) violation_ = what;
  }
  const std::optional<std::string>& first_violation() const { return violation_; }

  Height certified_height() const {
    return certified_.empty() ? Height{} : certified_.rbegin()->first;
  }
  Height executed_height() const { return blocks_.empty() ? Height{} : blocks_.rbegin()->first; }
  std::optional<Hash> certified_header(Height height) const;
  /// Height in which a transaction was executed (not: rejected as a whole), if any block has it.
  std::optional<Height> executed_at(const TxId& id) const;
  /// The transaction is in a certified block, executed or rejected.
  bool is_settled(const TxId& id) const;
  std::size_t executed_count() const { return executed_.size(); }
  std::size_t rejected_count() const { return rejected_; }
  std::size_t applied_operations() const { return applied_operations_; }

 private:
  struct Block {
    Hash batch_digest;
    Hash header_hash;
  };
  struct NodeView {
    View view;
    Height certified;
    Height executed;
  };
  void learn_block(const ledger::Chain& chain, Height height);

  const World& world_;
  std::optional<std::string> violation_;
  std::map<Height, Block> blocks_;
  std::map<Height, Hash> certified_;
  std::map<TxId, Height> executed_;
  std::map<TxId, Height> seen_in_;          // lowest height with the transaction in any form
  std::map<TxId, Height> submitted_after_;  // certified height when it was first sent
  std::map<std::tuple<node::ReplicaId, std::uint64_t, consensus::MessageKind, View, Height>, Hash>
      signed_;
  std::map<node::ReplicaId, NodeView> nodes_;
  std::size_t rejected_ = 0;
  std::size_t applied_operations_ = 0;
};

}  // namespace baolian::sim
