// What must be on the disk: everything that a node sent, found again in the records of its log.
#include <algorithm>

#include "consensus/pbft/records.h"
#include "core/codec.h"
#include "sim/checker.h"
#include "sim/checker_words.h"

namespace baolian::sim {

namespace pbft = consensus::pbft;
using consensus::RecordType;

void Checker::collect_snapshot(HeldByEpoch& held, Epoch& epoch, BytesView body) {
  const auto snapshot = decode<consensus::Snapshot>(body);
  if (!snapshot) return;
  if (snapshot->epoch) epoch = snapshot->epoch->epoch.epoch;
  if (snapshot->certified) {
    Height& certified = held[epoch].certified;
    certified = std::max(certified, snapshot->certified->certificate.vote.height);
  }
  for (const consensus::SnapshotEntry& entry : snapshot->entries) {
    if (entry.type != RecordType::snapshot) collect(held, epoch, entry.type, entry.body);
  }
}

/// `epoch` is that of the records so far; EPOCH and SNAPSHOT move it.
void Checker::collect(HeldByEpoch& all, Epoch& epoch, RecordType type, BytesView body) {
  Held& held = all[epoch];
  switch (type) {
    case RecordType::snapshot:
      return collect_snapshot(all, epoch, body);
    case RecordType::view_enter:
      if (const auto record = decode<pbft::ViewEnter>(body)) {
        held.entered = std::max(held.entered, record->view);
      }
      return;
    case RecordType::pp_accept:
      if (const auto record = decode<pbft::PpAccept>(body)) {
        View& view = held.accepted[record->vote.height];
        view = std::max(view, record->vote.view);
      }
      return;
    case RecordType::prepared:
      if (const auto record = decode<pbft::Prepared>(body)) {
        const crypto::Vote& vote = record->certificate.vote;
        View& view = held.prepared[vote.height];
        view = std::max(view, vote.view);
      }
      return;
    case RecordType::exec_sent:
      if (const auto record = decode<consensus::ExecSent>(body)) {
        held.execs[record->vote.height] = record->vote.header_hash;
      }
      return;
    case RecordType::vc_sent:
      if (const auto record = decode<pbft::ViewChangeSent>(body)) {
        held.view_change = std::max(held.view_change, record->new_view);
      }
      return;
    case RecordType::exec_cert:
      if (const auto record = decode<consensus::ExecCert>(body)) {
        held.certified = std::max(held.certified, record->certificate.vote.height);
      }
      return;
    case RecordType::block:
      if (const auto record = decode<consensus::SyncBlock>(body)) {
        held.certified = std::max(held.certified, record->certificate.vote.height);
      }
      return;
    case RecordType::epoch:
      if (const auto record = decode<consensus::EpochStart>(body)) {
        held.certified = std::max(held.certified, record->certificate.vote.height);
        epoch = record->epoch.epoch;
        all[epoch].certified = record->certificate.vote.height;
      }
      return;
    case RecordType::contradiction:
    case RecordType::stopped:
    case RecordType::boot:
    case RecordType::committed:
    case RecordType::raft_term:
    case RecordType::raft_entry:
      return;
  }
}

void Checker::compare(node::ReplicaId node, const Sent& sent, const Held& held) {
  const auto missing = [&](const char* what, Height height, View view) {
    violation("I5: node " + std::to_string(node) + " had sent " + what + at(height) + in(view) +
              ", and its disk does not know");
  };
  const auto holds = [](const std::map<Height, View>& records, const VoteHead& vote) {
    const auto record = records.find(vote.height);
    return record != records.end() && record->second >= vote.view;
  };
  for (auto one = sent.prepares.upper_bound(held.certified); one != sent.prepares.end(); ++one) {
    if (held.entered <= one->second.view && !holds(held.accepted, one->second)) {
      missing("PREPARE", one->first, one->second.view);
    }
  }
  for (auto one = sent.commits.upper_bound(held.certified); one != sent.commits.end(); ++one) {
    if (!holds(held.prepared, one->second)) missing("COMMIT", one->first, one->second.view);
  }
  for (auto one = sent.execs.upper_bound(held.certified); one != sent.execs.end(); ++one) {
    const auto record = held.execs.find(one->first);
    if (record == held.execs.end() || record->second != one->second) {
      missing("EXEC", one->first, View{});
    }
  }
  if (std::max(held.entered, held.view_change) < sent.view_change) {
    missing("VIEW-CHANGE", Height{}, sent.view_change);
  }
  if (held.entered < sent.new_view) missing("NEW-VIEW", Height{}, sent.new_view);
}

void Checker::on_replayed(node::ReplicaId node, const std::vector<consensus::LogRecord>& records) {
  if (!is_correct(node)) return;
  HeldByEpoch held;
  Epoch epoch;
  for (const consensus::LogRecord& record : records) {
    collect(held, epoch, record.type, *record.body);
  }
  writes_in_[node] = epoch;
  replay_raft(node, records, held);
  for (const auto& [of, one] : held) {
    durable_[{node, of}] = {one.certified, one.entered, one.view_change};
  }
  for (const auto& [of, sent] : sent_) {
    // An epoch of which the log holds the next is over: every height of it is certified.
    if (of.first != node || of.second < epoch) continue;
    compare(node, sent, held[of.second]);
  }
}

/// V4, V7, V8: what a correct node enters a view with. Certificates are counted anew here.
void Checker::judge_view_enter(node::ReplicaId node, Epoch epoch, BytesView body) {
  const auto record = decode<pbft::ViewEnter>(body);
  if (!record)
    return violation("V8: VIEW_ENTER of node " + std::to_string(node) + " is unreadable");
  const std::string who = "node " + std::to_string(node) + " entered a view";
  std::set<ValidatorIndex> senders;
  for (const Bytes& bytes : record->view_changes) {
    const auto message = peek(bytes);
    if (!message) return violation("V7: " + who + " with what is no message" + in(record->view));
    const auto change = decode<pbft::ViewChange>(message->body);
    if (!change) return violation("V7: " + who + " with what is no VIEW-CHANGE" + in(record->view));
    senders.insert(message->sender);
    if (change->new_view != record->view) {
      violation("V7: " + who + " with a VIEW-CHANGE for another one" + in(record->view));
    }
    if (change->certified > durable_[{node, epoch}].certified) {
      violation("V8: " + who + " before its disk held EXECCERT(mins)" + at(change->certified));
    }
    if (change->checkpoint) check_certificate(node, *change->checkpoint);
    for (const crypto::VoteCertificate& entry : change->prepared) {
      check_certificate(node, entry, crypto::ObjectType::prepare);
    }
  }
  if (senders.size() < quorum(epoch)) violation("V7: " + who + " with too few VIEW-CHANGEs");
}

/// Raft's records by epoch, those inside a SNAPSHOT too.
void Checker::replay_raft(node::ReplicaId node, const std::vector<consensus::LogRecord>& records,
                          const HeldByEpoch& held) {
  std::map<Epoch, std::vector<std::pair<RecordType, Bytes>>> parts;
  Epoch epoch;
  for (const consensus::LogRecord& record : records) {
    if (record.type == RecordType::epoch) {
      if (const auto start = decode<consensus::EpochStart>(*record.body)) {
        epoch = start->epoch.epoch;
      }
    } else if (record.type == RecordType::snapshot) {
      const auto snapshot = decode<consensus::Snapshot>(*record.body);
      if (!snapshot) continue;
      if (snapshot->epoch) epoch = snapshot->epoch->epoch.epoch;
      for (const consensus::SnapshotEntry& entry : snapshot->entries) {
        parts[epoch].emplace_back(entry.type, entry.body);
      }
    } else {
      parts[epoch].emplace_back(record.type, *record.body);
    }
  }
  for (const auto& [of, part] : parts) {
    const crypto::EpochRecord* known = record_of(of);
    if (known == nullptr || known->consensus_kind != crypto::ConsensusKind::raft) continue;
    if (of == epoch) raft_.on_replayed(node, of, held.at(of).certified, part);
  }
}

void Checker::on_durable(node::ReplicaId node, const consensus::LogRecord& record) {
  if (!is_correct(node)) return;
  raft_.on_durable(node, writes_in_[node], record.type, *record.body);
  switch (record.type) {
    case RecordType::snapshot:
    case RecordType::view_enter:
    case RecordType::vc_sent:
    case RecordType::exec_cert:
    case RecordType::block:
    case RecordType::epoch:
      break;
    default:
      return;  // votes are compared when the node starts again, and at a SNAPSHOT
  }
  HeldByEpoch held;
  Epoch& epoch = writes_in_[node];
  collect(held, epoch, record.type, *record.body);
  for (const auto& [of, one] : held) {
    Durable& durable = durable_[{node, of}];
    durable.certified = std::max(durable.certified, one.certified);
    durable.entered = std::max(durable.entered, one.entered);
    durable.view_change = std::max(durable.view_change, one.view_change);
  }
  if (record.type == RecordType::view_enter) judge_view_enter(node, epoch, *record.body);
  // What follows a SNAPSHOT in the log is not written yet, so nothing that rides on it was sent.
  const auto sent = sent_.find({node, epoch});
  if (record.type == RecordType::snapshot && sent != sent_.end()) {
    compare(node, sent->second, held[epoch]);
  }
}

}  // namespace baolian::sim
