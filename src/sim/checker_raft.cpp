#include "sim/checker_raft.h"

#include <algorithm>

#include "consensus/raft/messages.h"
#include "consensus/records.h"
#include "core/codec.h"
#include "ledger/header.h"
#include "sim/checker_words.h"

namespace baolian::sim {

namespace raft = consensus::raft;
using consensus::MessageKind;
using consensus::RecordType;

namespace {

std::string at_index(Height height) { return " at index " + std::to_string(height.value); }
std::string in_term(View term) { return " in term " + std::to_string(term.value); }

}  // namespace

void RaftChecker::on_sent(node::ReplicaId from, std::optional<node::ReplicaId> to,
                          const MessageView& message) {
  if (message.kind == MessageKind::append_entries) return on_append(from, to, message);
  if (message.kind == MessageKind::append_reply) return on_append_reply(from, message);
  if (message.kind == MessageKind::vote_reply) return on_vote(from, message);
}

void RaftChecker::on_append(node::ReplicaId from, std::optional<node::ReplicaId> to,
                            const MessageView& message) {
  const auto append = decode<raft::AppendEntries>(message.body);
  if (!append) return report_("R3: " + name(from) + " sent entries that do not decode");
  const auto [leader, is_first] = leaders_.try_emplace({message.epoch, append->term}, from);
  if (!is_first && leader->second != from) {
    report_("R2: " + name(from) + " and " + name(leader->second) + " both lead" +
            in_term(append->term));
  }
  for (const raft::Entry& entry : append->entries) learn_entry(message.epoch, entry.vote);
  judge_commit(from, message.epoch, append->term, append->commit);
  const auto led = led_.find({from, message.epoch});
  if (!to.has_value() || led == led_.end() || led->second.term != append->term) return;
  const auto matched = led->second.matched.find(*to);
  if (matched != led->second.matched.end() && append->prev_index < matched->second) {
    report_("R5: " + name(from) + " sends " + name(*to) + " again what it acknowledged" +
            at_index(append->prev_index.next()));
  }
}

/// R1, R4: what no leader called committed before has an entry of this leader's term, and a
/// majority of disks holds it.
void RaftChecker::judge_commit(node::ReplicaId from, Epoch epoch, View term, Height commit) {
  Height& known = committed_[epoch];
  if (commit <= known) return;
  const Membership members = membership_of_(epoch);
  if (commit <= members.base) return;
  known = commit;
  if (!entries_.contains({epoch, term, commit})) {
    report_("R4: " + name(from) + " commits an entry of an older term" + in_term(term) +
            at_index(commit));
  }
  std::size_t held = 0;
  for (const node::ReplicaId one : members.voters) {
    const Log& log = logs_[{one, epoch}];
    const auto entry = log.entries.find(commit);
    const bool holds = entry != log.entries.end() && entry->second == term;
    if (holds || log.certified >= commit) ++held;
  }
  if (2 * held <= members.voters.size()) {
    report_("R1: " + name(from) + " commits what a majority of disks lacks" + at_index(commit));
  }
}

void RaftChecker::on_received(node::ReplicaId node, node::ReplicaId from,
                              const MessageView& message) {
  if (message.kind != MessageKind::append_reply) return;
  const auto reply = decode<raft::AppendReply>(message.body);
  if (!reply || !reply->matches) return;
  const auto leader = leaders_.find({message.epoch, reply->term});
  if (leader == leaders_.end() || leader->second != node) return;
  Led& led = led_[{node, message.epoch}];
  if (led.term < reply->term) led = Led{reply->term, {}};
  if (led.term != reply->term) return;
  Height& matched = led.matched[from];
  matched = std::max(matched, reply->index);
}

/// One digest for an index and term, wherever it stands.
void RaftChecker::learn_entry(Epoch epoch, const crypto::Vote& vote) {
  const auto [known, is_new] = entries_.try_emplace({epoch, vote.view, vote.height}, vote.digest);
  if (!is_new && known->second != vote.digest) {
    report_("R3: two entries" + at_index(vote.height) + in_term(vote.view));
  }
}

/// R1, R3: what is acknowledged is durable here, and was the leader's.
void RaftChecker::on_append_reply(node::ReplicaId from, const MessageView& message) {
  const auto reply = decode<raft::AppendReply>(message.body);
  if (!reply) return report_("R3: " + name(from) + " sent an answer that does not decode");
  if (!reply->matches) return;
  Log& log = logs_[{from, message.epoch}];
  if (log.term < reply->term) {
    report_("R1: " + name(from) + " answered" + in_term(reply->term) +
            " before its disk held the term");
  }
  if (reply->index > log.certified && !log.entries.contains(reply->index)) {
    report_("R1: " + name(from) + " acknowledged what its disk lacks" + at_index(reply->index));
  }
  for (auto own = log.entries.upper_bound(log.certified);
       own != log.entries.end() && own->first <= reply->index; ++own) {
    if (own->second > reply->term) {
      report_("R3: " + name(from) + " acknowledged an entry of a later term" +
              at_index(own->first));
    }
  }
  if (reply->term >= log.acked_term) {
    const bool same = reply->term == log.acked_term;
    log.acked = same ? std::max(log.acked, reply->index) : reply->index;
    log.acked_term = reply->term;
  }
}

void RaftChecker::on_vote(node::ReplicaId from, const MessageView& message) {
  const auto reply = decode<raft::VoteReply>(message.body);
  if (!reply) return report_("R2: " + name(from) + " sent a vote that does not decode");
  if (reply->pre_vote || !reply->granted) return;
  Log& log = logs_[{from, message.epoch}];
  if (!votes_.contains({from, message.epoch, reply->term})) {
    report_("R1: " + name(from) + " voted" + in_term(reply->term) +
            " before its disk held the vote");
  }
  log.voted_term = std::max(log.voted_term, reply->term);
}

/// R2: one vote a term, whatever was forgotten in between.
void RaftChecker::learn_vote(const Key& key, View term, ValidatorIndex candidate) {
  const auto [known, is_new] = votes_.try_emplace({key.first, key.second, term}, candidate);
  if (!is_new && known->second != candidate) {
    report_("R2: " + name(key.first) + " gave its vote twice" + in_term(term));
  }
}

/// What stood from here on is gone, as it must be: a later leader, or a quorum, said otherwise.
void RaftChecker::drop_from(Log& log, Height index) {
  log.entries.erase(log.entries.lower_bound(index), log.entries.end());
  if (log.acked >= index) log.acked = Height{index.value - 1};
}

/// An entry that replaces another drops all above: there the log was truncated. At or below h, and
/// at a free index, it stands for itself.
void RaftChecker::put(Log& log, Height index, View term) {
  const auto own = log.entries.find(index);
  const bool replaces = own != log.entries.end() && own->second != term;
  if (replaces && index > log.certified) {
    if (term > log.acked_term) drop_from(log, index);
    log.entries.erase(log.entries.lower_bound(index), log.entries.end());
  }
  log.entries[index] = term;
}

/// R2: a certified block drops an own entry that differs, and all above. At or below h only itself:
/// what stands above h was matched by certificate.
void RaftChecker::on_block(Log& log, Epoch epoch, BytesView body) {
  const auto block = decode<consensus::SyncBlock>(body);
  if (!block) return;
  const Height certified = log.certified;
  log.certified = std::max(log.certified, block->certificate.vote.height);
  const auto header = decode<ledger::Header>(block->header);
  if (!header) return;
  const auto own = log.entries.find(header->height);
  if (own == log.entries.end()) return;
  const auto known = entries_.find({epoch, own->second, own->first});
  if (known != entries_.end() && known->second == header->batch_digest) return;
  if (header->height <= certified) {
    log.entries.erase(own);
  } else {
    drop_from(log, header->height);
  }
}

void RaftChecker::on_durable(node::ReplicaId node, Epoch epoch, RecordType type, BytesView body) {
  const Key key{node, epoch};
  Log& log = logs_[key];
  if (type == RecordType::raft_term) {
    const auto record = decode<raft::TermRecord>(body);
    if (!record) return report_("R1: RAFT_TERM of " + name(node) + " is unreadable");
    log.term = record->term;
    if (record->voted_for) learn_vote(key, record->term, *record->voted_for);
  } else if (type == RecordType::raft_entry) {
    const auto record = decode<raft::Entry>(body);
    if (!record) return report_("R1: RAFT_ENTRY of " + name(node) + " is unreadable");
    learn_entry(epoch, record->vote);
    put(log, record->vote.height, record->vote.view);
  } else if (type == RecordType::exec_cert) {
    if (const auto record = decode<consensus::ExecCert>(body)) {
      log.certified = std::max(log.certified, record->certificate.vote.height);
    }
  } else if (type == RecordType::epoch) {
    if (const auto start = decode<consensus::EpochStart>(body)) {
      logs_[{node, start->epoch.epoch}].certified = start->certificate.vote.height;
    }
  } else if (type == RecordType::block) {
    on_block(log, epoch, body);
  }
}

void RaftChecker::on_replayed(node::ReplicaId node, Epoch epoch, Height certified,
                              const std::vector<std::pair<RecordType, Bytes>>& records) {
  const Key key{node, epoch};
  const Log before = logs_[key];
  Log& log = logs_[key];
  log = Log{};
  log.acked = before.acked;
  log.acked_term = before.acked_term;
  log.voted_term = before.voted_term;
  for (const auto& [type, body] : records) on_durable(node, epoch, type, body);
  log.certified = std::max(log.certified, certified);
  if (log.term < before.voted_term || log.term < before.acked_term) {
    report_("R1: " + name(node) + " forgot a term that it had answered in");
  }
  for (Height index = log.certified.next(); index <= log.acked; ++index) {
    const auto held = log.entries.find(index);
    if (held == log.entries.end()) {
      report_("R1: " + name(node) + " forgot what it had acknowledged" + at_index(index));
      return;
    }
  }
}

}  // namespace baolian::sim
