/// One Raft engine alone: the other members are played by the test.
#pragma once

#include <initializer_list>

#include "consensus/bench.h"
#include "consensus/raft/messages.h"

namespace baolian::consensus::testing {

class RaftBench : public Bench {
 public:
  explicit RaftBench(ValidatorIndex self = 1, std::size_t validators = 3, std::uint16_t window = 16)
      : Bench(self, validators, window, crypto::ConsensusKind::raft) {}

  // ---------------------------------------------------------------- the others' messages

  RejectReason say(ReplicaId from, MessageKind kind, Bytes body) {
    return deliver(from, unsigned_message(epoch(), kind, from, std::move(body)));
  }
  /// An entry of `leader` in `term` with one transaction, told apart by `salt`.
  raft::Entry entry(std::uint64_t index, std::uint64_t term, ValidatorIndex leader = 0,
                    std::uint64_t salt = 1) const {
    raft::Entry out;
    Batch batch;
    batch.epoch = epoch().epoch;
    batch.height = {index};
    batch.origin_view = {term};
    batch.proposer = leader;
    batch.proposed_at = wall();
    const SharedBytes body = transaction(index * 1000 + term * 10 + salt);
    batch.transactions.push_back(hash_of(*body));
    out.bodies.push_back(*body);
    out.batch = encode(batch);
    out.vote = {{term}, {index}, batch_digest(out.batch)};
    return sign(std::move(out), leader);
  }
  raft::Entry null_entry(std::uint64_t index, std::uint64_t term, ValidatorIndex leader = 0) const {
    raft::Entry out;
    out.vote = {{term}, {index}, null_digest(test_chain(), epoch().epoch, {index})};
    return sign(std::move(out), leader);
  }
  raft::Entry sign(raft::Entry entry, ValidatorIndex leader) const {
    entry.leader = leader;
    entry.signature =
        test_signer(leader).sign_object(crypto::ObjectType::raft_entry, test_chain(), epoch().epoch,
                                        crypto::sha256(encode(entry.vote)));
    return entry;
  }
  struct Prev {
    std::uint64_t index = 0;
    std::uint64_t term = 0;
  };
  RejectReason append(ReplicaId from, std::uint64_t term, Prev prev,
                      std::vector<raft::Entry> entries, std::uint64_t commit = 0) {
    raft::AppendEntries out;
    out.term = {term};
    out.prev_index = {prev.index};
    out.prev_term = {prev.term};
    out.commit = {commit};
    out.request = ++request_;
    out.entries = std::move(entries);
    return say(from, MessageKind::append_entries, encode(out));
  }
  std::uint64_t request() const { return request_; }
  /// The driver has the bodies of these entries.
  void give(const std::vector<raft::Entry>& entries) {
    for (const raft::Entry& entry : entries) {
      std::vector<SharedBytes> bodies;
      for (const Bytes& body : entry.bodies) bodies.push_back(std::make_shared<const Bytes>(body));
      if (!bodies.empty()) step(BodiesInput{entry.vote.digest, std::move(bodies)});
    }
  }
  /// Entries that arrive and become durable here.
  void follow(ReplicaId from, std::uint64_t term, Prev prev,
              const std::vector<raft::Entry>& entries, std::uint64_t commit = 0) {
    REQUIRE(append(from, term, prev, entries, commit) == RejectReason::none);
    give(entries);
    persist_all();
  }
  RejectReason ask_vote(ReplicaId from, raft::RequestVote request) {
    return say(from, MessageKind::request_vote, encode(request));
  }
  static raft::RequestVote candidate(std::uint64_t term, std::uint64_t last_index = 0,
                                     std::uint64_t last_term = 0) {
    raft::RequestVote out;
    out.term = {term};
    out.last_index = {last_index};
    out.last_term = {last_term};
    return out;
  }
  RejectReason vote(ReplicaId from, std::uint64_t term, bool pre_vote = false,
                    bool granted = true) {
    return say(from, MessageKind::vote_reply, encode(raft::VoteReply{{term}, pre_vote, granted}));
  }
  RejectReason ack(ReplicaId from, std::uint64_t term, std::uint64_t index, std::uint64_t request) {
    return say(from, MessageKind::append_reply,
               encode(raft::AppendReply{{term}, request, true, {index}, {}}));
  }
  RejectReason refuse(ReplicaId from, std::uint64_t term, std::uint64_t index,
                      std::uint64_t request, std::uint64_t conflict_term = 0) {
    return say(from, MessageKind::append_reply,
               encode(raft::AppendReply{{term}, request, false, {index}, {conflict_term}}));
  }

  // ---------------------------------------------------------------- what the engine said

  template <typename Body>
  std::vector<Body> said(MessageKind kind) const {
    std::vector<Body> out;
    for (const Envelope& envelope : all_sent(kind)) {
      auto body = decode<Body>(envelope.body);
      REQUIRE(body.has_value());
      out.push_back(*std::move(body));
    }
    return out;
  }
  std::vector<raft::AppendReply> replies() const {
    return said<raft::AppendReply>(MessageKind::append_reply);
  }
  std::vector<raft::AppendEntries> appends() const {
    return said<raft::AppendEntries>(MessageKind::append_entries);
  }
  std::vector<raft::VoteReply> votes() const {
    return said<raft::VoteReply>(MessageKind::vote_reply);
  }
  std::size_t votes_granted() const {
    const auto all = votes();
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& v) { return v.granted; }));
  }
  std::vector<std::uint64_t> executing_heights() const {
    std::vector<std::uint64_t> out;
    for (const Commit& commit : executing()) out.push_back(commit.height.value);
    return out;
  }
  /// The newest request that the engine sent to a follower.
  std::uint64_t newest_request() const {
    std::uint64_t out = 0;
    for (const raft::AppendEntries& one : appends()) out = std::max(out, one.request);
    return out;
  }

  // ---------------------------------------------------------------- whole steps

  /// Time passes until the engine asks for pre-votes; returns the term that it asks for.
  std::uint64_t stand() {
    forget_sent();
    for (int i = 0; i < 100 && all_sent(MessageKind::request_vote).empty(); ++i) tick(20);
    const auto asked = said<raft::RequestVote>(MessageKind::request_vote);
    REQUIRE(asked.size() == 1);
    REQUIRE(asked[0].pre_vote);
    return asked[0].term.value;
  }
  /// Elected with the vote of validator `other`; its empty entry is not durable yet.
  std::uint64_t lead(ReplicaId other = 0) {
    const std::uint64_t term = stand();
    REQUIRE(vote(other, term, true) == RejectReason::none);
    persist_all();
    REQUIRE(vote(other, term) == RejectReason::none);
    REQUIRE(status().is_leader);
    return term;
  }
  /// And that entry is committed.
  std::uint64_t lead_ready(ReplicaId other = 0) {
    const std::uint64_t term = lead(other);
    persist_all();
    const std::uint64_t index = appends().back().entries.back().vote.height.value;
    REQUIRE(ack(other, term, index, newest_request()) == RejectReason::none);
    REQUIRE(engine().can_propose());
    return term;
  }
  void propose() {
    const SharedBytes body = transaction(++proposed_);
    REQUIRE(step(ProposeInput{wall(), {hash_of(*body)}, {body}}).accepted);
  }
  void restart() { open(log(), {0}, genesis()); }

 private:
  std::uint64_t request_ = 0;
  std::uint64_t proposed_ = 0;
};

}  // namespace baolian::consensus::testing
