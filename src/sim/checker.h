/// The invariants of testing.md that the simulator checks after every step: I1 agreement, I3
/// executed once, I4 never two digests (nor two view changes), I5 what was certified stays and what
/// was sent is on the disk, I6 monotone, I12 real-time order, I13 P holds what was committed, I14
/// certificates, I15 bounds, I16 nobody stops, I18 observers behind certificates; and that a
/// correct node prepares only what a primary proposed (N1) at a time that could be (1.11). (I7 and
/// I17 are judged at the end, in simulation.cpp.)
///
/// It reads messages, records and headers itself and asks no engine: an engine that forgets cannot
/// talk the checker into forgetting too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "consensus/engine.h"
#include "ledger/chain.h"
#include "node/ports.h"
#include "sim/checker_raft.h"
#include "sim/wire.h"
#include "sim/world.h"

namespace baolian::sim {

/// Sees everything that the nodes do. Correct nodes are judged, Byzantine ones are not: whatever
/// they do must harm no correct one. The first violation is kept.
class Checker {
 public:
  explicit Checker(const World& world);

  /// A correct node executed the block that fixes the next epoch.
  void on_epoch(node::ReplicaId node, const crypto::EpochRecord& next);
  Epoch newest_epoch() const { return epochs_.rbegin()->first; }

  /// Declares a replica Byzantine for the whole run.
  void set_byzantine(node::ReplicaId id) { byzantine_.insert(id); }
  bool is_correct(node::ReplicaId id) const { return !byzantine_.contains(id); }

  /// A correct node sends a message, to one node or to all. `certified` is its h at this moment.
  void on_sent(node::ReplicaId from, BytesView bytes, Height certified,
               std::optional<node::ReplicaId> to = {});
  /// A message reaches the driver of a correct node.
  void on_received(node::ReplicaId node, node::ReplicaId from, BytesView bytes);
  /// Anybody sends a message: what a batch says about itself is remembered from its PRE-PREPARE.
  void on_proposal(BytesView bytes);
  /// The civil clock of a node, before it judges anything by it.
  void on_clock(node::ReplicaId node, TimeMs wall);
  void on_executed(node::ReplicaId node, const ledger::Chain& chain, Height height);
  void on_certified(node::ReplicaId node, const crypto::ExecCertificate& certificate);
  void on_status(node::ReplicaId node, const consensus::Status& status);
  void on_stopped(node::ReplicaId node, const std::string& reason);
  void on_banned(node::ReplicaId by, node::ReplicaId peer, const std::string& reason);
  /// What a node holds against others. Against a correct one it is a violation, as is evidence that
  /// proves nothing.
  void on_evidence(node::ReplicaId node, const std::vector<consensus::Evidence>& evidence);
  /// A node came back: what it executed above `executed` may be executed again; nothing else may go
  /// back.
  void on_restarted(node::ReplicaId node, Height executed);
  /// The records that a node finds on its disk at a start: whatever it sent before must be there.
  void on_replayed(node::ReplicaId node, const std::vector<consensus::LogRecord>& records);
  /// A record is on the disk for good. With a SNAPSHOT all older records are gone.
  void on_durable(node::ReplicaId node, const consensus::LogRecord& record);
  void on_bounds(node::ReplicaId node, std::size_t pool_bytes, std::size_t log_bytes);
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
  View highest_view() const { return highest_view_; }
  std::uint64_t bans() const { return bans_; }  ///< of Byzantine nodes by correct ones
  std::uint64_t evidence_count() const { return evidence_; }

 private:
  struct Block {
    Hash batch_digest;
    Hash header_hash;
  };
  /// What a node said of itself in one epoch.
  struct NodeView {
    View view;
    Height certified;
    std::size_t evidence = 0;
  };
  using NodeEpoch = std::pair<node::ReplicaId, Epoch>;
  /// A slot that one signature of a kind may fill once.
  struct Slot {
    node::ReplicaId from = 0;
    consensus::MessageKind kind{};
    std::uint64_t epoch = 0;
    std::uint64_t view = 0;
    std::uint64_t height = 0;
    friend bool operator==(const Slot&, const Slot&) = default;
  };
  struct SlotHash {
    std::size_t operator()(const Slot& slot) const;
  };
  /// What a node has sent and must never forget.
  struct Sent {
    std::map<Height, VoteHead> prepares;  ///< of the highest view
    std::map<Height, VoteHead> commits;
    std::map<Height, Hash> execs;
    View view_change;
    View new_view;
  };
  /// What a log holds, as far as Sent asks for it.
  struct Held {
    Height certified;
    View entered;
    View view_change;
    std::map<Height, View> accepted;
    std::map<Height, View> prepared;
    std::map<Height, Hash> execs;
  };

  /// What a batch says about itself.
  struct Proposed {
    Height height;
    View origin_view;
    ValidatorIndex proposer = 0;
    TimeMs at;
  };
  /// What the log of a node surely holds while it runs.
  struct Durable {
    Height certified;
    View entered;
    View view_change;
  };

  void learn_block(const ledger::Chain& chain, Height height);
  void on_vote(node::ReplicaId from, const MessageView& message, Height certified);
  void learn_proposal(const MessageView& message);
  void judge_prepare(node::ReplicaId from, Epoch epoch, const VoteHead& vote);
  void on_view_change(node::ReplicaId from, const MessageView& message);
  void on_new_view(node::ReplicaId from, const MessageView& message);
  void on_reply(node::ReplicaId from, const MessageView& message);
  /// True if the slot was free; a violation if it holds another digest.
  bool fill_slot(const Slot& slot, const Hash& digest);
  /// Null if no correct node has executed the block that fixes the epoch.
  const crypto::EpochRecord* record_of(Epoch epoch) const;
  std::size_t quorum(Epoch epoch) const;
  RaftChecker::Membership membership(Epoch epoch) const;
  /// The node that is this validator in this epoch.
  std::optional<node::ReplicaId> node_of(Epoch epoch, ValidatorIndex validator) const;
  std::string fault_of(const crypto::Signatures& signatures, crypto::ObjectType type, Epoch epoch,
                       BytesView body) const;
  void check_certificate(node::ReplicaId from, const crypto::VoteCertificate& certificate,
                         crypto::ObjectType type);
  void check_certificate(node::ReplicaId from, const crypto::ExecCertificate& certificate);
  bool is_valid(const crypto::ExecCertificate& certificate) const;
  using HeldByEpoch = std::map<Epoch, Held>;
  static void collect(HeldByEpoch& held, Epoch& epoch, consensus::RecordType type, BytesView body);
  static void collect_snapshot(HeldByEpoch& held, Epoch& epoch, BytesView body);
  void replay_raft(node::ReplicaId node, const std::vector<consensus::LogRecord>& records,
                   const HeldByEpoch& held);
  void judge_view_enter(node::ReplicaId node, Epoch epoch, BytesView body);
  void compare(node::ReplicaId node, const Sent& sent, const Held& held);

  const World& world_;
  std::set<node::ReplicaId> byzantine_;
  std::optional<std::string> violation_;
  std::map<Height, Block> blocks_;
  std::map<Height, Hash> certified_;
  std::unordered_map<TxId, Height, FixedBytesHash> executed_;
  std::unordered_map<TxId, Height, FixedBytesHash> seen_in_;  // lowest height with it in any form
  std::unordered_map<TxId, Height, FixedBytesHash> submitted_after_;  // certified height then
  std::unordered_map<Slot, Hash, SlotHash> signed_;
  std::unordered_set<Hash, FixedBytesHash> checked_;  // certificates seen in messages
  std::map<NodeEpoch, Sent> sent_;
  std::map<NodeEpoch, NodeView> nodes_;
  std::map<node::ReplicaId, Height> executed_by_;
  std::map<Epoch, crypto::EpochRecord> epochs_;
  std::map<NodeEpoch, Durable> durable_;
  RaftChecker raft_{[this](const std::string& what) { violation(what); },
                    [this](Epoch epoch) { return membership(epoch); }};
  std::map<node::ReplicaId, Epoch> writes_in_;  ///< epoch of the records that a node writes now
  std::unordered_map<Hash, Proposed, FixedBytesHash> proposed_;  // by digest
  TimeMs earliest_clock_{UINT64_MAX};  // of all clocks of correct nodes, ever
  TimeMs latest_clock_;
  View highest_view_;
  std::size_t rejected_ = 0;
  std::size_t applied_operations_ = 0;
  std::uint64_t bans_ = 0;
  std::uint64_t evidence_ = 0;
};

}  // namespace baolian::sim
