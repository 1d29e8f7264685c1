/// Bodies of Raft's messages and log records (consensus.md 3). The envelopes carry no signature:
/// TLS names the peer, and under the crash model a peer does not lie. Every entry carries the
/// signature of the leader that made it (R13): ObjectType::raft_entry over its Vote, whose view is
/// the term and whose height is the index.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "consensus/engine.h"
#include "consensus/messages.h"

namespace baolian::consensus::raft {

inline constexpr std::uint32_t kAppendEntriesMax = 64;  ///< entries of one AppendEntries
inline constexpr std::size_t kRequestVoteBytesMax = 16 * 1024;

/// An entry of the log, on the wire and as the body of RAFT_ENTRY. On the wire it has the bodies
/// that receivers may lack, in the log all of them.
struct Entry {
  static constexpr std::string_view kTypeName = "RaftEntry";
  crypto::Vote vote;
  ValidatorIndex leader = 0;
  Signature signature;
  Bytes batch;
  std::vector<Bytes> bodies;

  static constexpr auto fields() {
    return field_list(
        field("vote", &Entry::vote, "term, index and batch digest; all that is signed"),
        field("leader", &Entry::leader, "validator index of the leader of that term"),
        field("signature", &Entry::signature, "the leader's, as raft_entry over the vote"),
        field("batch", &Entry::batch, at_most(kBatchBytesMax),
              "canonical batch; empty for the null batch with which a term begins"),
        field("bodies", &Entry::bodies, list_of_bytes(kBatchTransactionsMax, kBodyBytesMax),
              "on the wire: transactions that receivers may lack; in the log: all, in order"));
  }
};

/// RequestVote (5.2, 5.4.1), with the certificate for which R2 asks.
struct RequestVote {
  static constexpr std::string_view kTypeName = "RaftRequestVote";
  View term;
  bool pre_vote = false;
  bool transfer = false;
  Height last_index;
  View last_term;
  Height certified;
  std::optional<crypto::ExecCertificate> checkpoint;

  static constexpr auto fields() {
    return field_list(
        field("term", &RequestVote::term, "term of the election; of a pre-vote: the one to come"),
        field("pre_vote", &RequestVote::pre_vote, "asks what the answer would be; changes nothing"),
        field("transfer", &RequestVote::transfer, "the leader itself asked for this election"),
        field("last_index", &RequestVote::last_index, "last index of the candidate's log"),
        field("last_term", &RequestVote::last_term, "its term; 0 = not known any more"),
        field("certified", &RequestVote::certified, "h: newest certified height of the candidate"),
        field("checkpoint", &RequestVote::checkpoint, "ExecCert(h); none at an epoch's start"));
  }
};

struct VoteReply {
  static constexpr std::string_view kTypeName = "RaftVoteReply";
  View term;
  bool pre_vote = false;
  bool granted = false;

  static constexpr auto fields() {
    return field_list(
        field("term", &VoteReply::term, "the voter's term; of a granted pre-vote: the asked one"),
        field("pre_vote", &VoteReply::pre_vote, "answers a pre-vote"),
        field("granted", &VoteReply::granted, "the candidate has this voter's vote"));
  }
};

/// AppendEntries (5.3); without entries the leader's heartbeat.
struct AppendEntries {
  static constexpr std::string_view kTypeName = "RaftAppendEntries";
  View term;
  Height prev_index;
  View prev_term;
  Height commit;
  std::uint64_t request = 0;
  std::vector<Entry> entries;

  static constexpr auto fields() {
    return field_list(
        field("term", &AppendEntries::term, "the leader's term"),
        field("prev_index", &AppendEntries::prev_index, "index before the first entry"),
        field("prev_term", &AppendEntries::prev_term, "its term; 0 = not known any more"),
        field("commit", &AppendEntries::commit, "the leader's commit index"),
        field("request", &AppendEntries::request, "number of this message, repeated in the reply"),
        field("entries", &AppendEntries::entries, at_most(kAppendEntriesMax),
              "consecutive entries from prev_index + 1"));
  }
};

struct AppendReply {
  static constexpr std::string_view kTypeName = "RaftAppendReply";
  View term;
  std::uint64_t request = 0;
  bool matches = false;
  Height index;
  View conflict_term;

  static constexpr auto fields() {
    return field_list(
        field("term", &AppendReply::term, "the follower's term"),
        field("request", &AppendReply::request, "number of the AppendEntries answered"),
        field("matches", &AppendReply::matches, "the entry at prev_index is the leader's"),
        field("index", &AppendReply::index,
              "matches: up to here the leader's entries are durable here; else the first index of "
              "conflict_term, or the one after the last"),
        field("conflict_term", &AppendReply::conflict_term,
              "term of the other entry at prev_index; 0 = there is none"));
  }
};

/// The leader hands over: the receiver begins an election at once (thesis 3.10).
struct TimeoutNow {
  static constexpr std::string_view kTypeName = "RaftTimeoutNow";
  View term;

  static constexpr auto fields() {
    return field_list(field("term", &TimeoutNow::term, "the leader's term"));
  }
};

/// RAFT_TERM: the newest one counts.
struct TermRecord {
  static constexpr std::string_view kTypeName = "RaftTerm";
  View term;
  std::optional<ValidatorIndex> voted_for;

  static constexpr auto fields() {
    return field_list(
        field("term", &TermRecord::term, "current term"),
        field("voted_for", &TermRecord::voted_for, "who has the own vote of this term"));
  }
};

/// The canonical Entry and AppendEntries, made without copying batch and bodies into the struct
/// first. A null `batch` is the null batch. `entries` are canonical.
Bytes encode_entry(const crypto::Vote& vote, ValidatorIndex leader, const Signature& signature,
                   const SharedBytes& batch, std::span<const SharedBytes> bodies);
Bytes encode_append(const AppendEntries& head, const std::vector<Bytes>& entries);

}  // namespace baolian::consensus::raft
