/// What Raft promises (consensus.md 3), read from messages and records: one vote a term (R2), one
/// leader a term, one entry an index and term, nothing acknowledged that the disk lacks (R1, R3),
/// nothing committed that a majority of disks lacks (R1) or that is of an older term (R4), nothing
/// sent again that was acknowledged (R5).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "consensus/engine.h"
#include "node/ports.h"
#include "sim/wire.h"

namespace baolian::sim {

/// Judges all nodes: under Raft none is Byzantine.
class RaftChecker {
 public:
  using Report = std::function<void(const std::string&)>;
  struct Membership {
    std::vector<node::ReplicaId> voters;
    Height base;  ///< last height of the epoch before, which is committed when the epoch begins
  };
  using MembershipOf = std::function<Membership(Epoch)>;
  RaftChecker(Report report, MembershipOf membership_of)
      : report_(std::move(report)), membership_of_(std::move(membership_of)) {}

  /// A message that its own sender sends, to one node or to all.
  void on_sent(node::ReplicaId from, std::optional<node::ReplicaId> to, const MessageView& message);
  /// A message reaches the engine of a node.
  void on_received(node::ReplicaId node, node::ReplicaId from, const MessageView& message);
  /// A record became durable in the part of the log that is of this epoch.
  void on_durable(node::ReplicaId node, Epoch epoch, consensus::RecordType type, BytesView body);
  /// The whole part of an epoch, as a start finds it. `certified`: h that the log says.
  void on_replayed(node::ReplicaId node, Epoch epoch, Height certified,
                   const std::vector<std::pair<consensus::RecordType, Bytes>>& records);

 private:
  /// What a node's log of one epoch surely holds.
  struct Log {
    View term;
    std::map<Height, View> entries;  ///< terms
    Height certified;
    View acked_term;  ///< newest acknowledgement, and how far it went
    Height acked;
    View voted_term;  ///< newest term in which a vote was sent
  };
  using Key = std::pair<node::ReplicaId, Epoch>;
  /// What a leader was told in its term, by follower.
  struct Led {
    View term;
    std::map<node::ReplicaId, Height> matched;
  };
  void on_append(node::ReplicaId from, std::optional<node::ReplicaId> to,
                 const MessageView& message);
  void judge_commit(node::ReplicaId from, Epoch epoch, View term, Height commit);
  void on_append_reply(node::ReplicaId from, const MessageView& message);
  void on_vote(node::ReplicaId from, const MessageView& message);
  void learn_vote(const Key& key, View term, ValidatorIndex candidate);
  void learn_entry(Epoch epoch, const crypto::Vote& vote);
  static void put(Log& log, Height index, View term);
  static void drop_from(Log& log, Height index);
  void on_block(Log& log, Epoch epoch, BytesView body);

  Report report_;
  MembershipOf membership_of_;
  std::map<Key, Log> logs_;
  std::map<Key, Led> led_;
  std::map<Epoch, Height> committed_;  ///< highest that any leader told
  std::map<std::tuple<Epoch, View>, node::ReplicaId> leaders_;
  std::map<std::tuple<node::ReplicaId, Epoch, View>, ValidatorIndex> votes_;
  std::map<std::tuple<Epoch, View, Height>, Hash> entries_;
};

}  // namespace baolian::sim
