/// One engine alone: a validator (or observer) of a small network whose other members are played by
/// the test. Effects of the last step are kept, Persists become durable when the test says so.
#pragma once

#include <algorithm>

#include "consensus/network.h"
#include "support/catch.h"

namespace baolian::consensus::testing {

class Bench {
 public:
  static constexpr std::uint64_t kStepMs = 50;

  /// The engine is validator `self` of `validators`; kObserver for an observer.
  explicit Bench(ValidatorIndex self = 1, std::size_t validators = 4, std::uint16_t window = 16,
                 crypto::ConsensusKind kind = crypto::ConsensusKind::pbft)
      : epoch_(test_epoch(validators, kind)) {
    epoch_.log_window = window;
    config_.chain_id = test_chain();
    config_.epoch = epoch_;
    config_.self = self;
    config_.observer_count = 1;
    config_.verifier = &crypto::toy_verifier();
    if (self != kObserver) config_.signer = &test_signer(self);
    genesis_ = header_hash_of(test_header({0}, {}, {}));
    open({}, {0}, genesis_);
  }

  void open(std::vector<LogRecord> log, Height executed, Hash hash) {
    engine_ = make_engine(config_, test_header_reader(), std::move(log), executed, hash);
    tick(0);
  }

  const crypto::EpochRecord& epoch() const { return epoch_; }
  EngineConfig& config() { return config_; }
  Engine& engine() { return *engine_; }
  Status status() const { return engine_->status(); }
  TimeMs wall() const { return {kWallOffset + now_.value}; }
  Hash genesis() const { return genesis_; }
  Hash last_hash() const { return last_hash_; }  ///< header hash of the newest executed height

  Verdict step(Input input) {
    effects_.clear();
    const Verdict verdict = engine_->step(std::move(input), effects_);
    engine_->check_invariants();
    for (const Effect& effect : effects_) {
      if (const auto* persist = std::get_if<Persist>(&effect)) persists_.push_back(*persist);
      if (const auto* send = std::get_if<Send>(&effect)) all_sent_.push_back(*send);
      if (const auto* commit = std::get_if<Commit>(&effect)) executing_.push_back(*commit);
    }
    return verdict;
  }
  Verdict tick(std::uint64_t milliseconds) {
    now_ = now_ + milliseconds;
    return step(TickInput{now_, wall(), oldest_request_});
  }
  enum class Heartbeat : std::uint8_t { missing, heard };
  /// Time passes in steps that no timer takes for a gap; with or without the primary's STATUS.
  void pass(std::uint64_t milliseconds, Heartbeat heartbeat = Heartbeat::missing) {
    for (std::uint64_t t = 0; t < milliseconds; t += kStepMs) {
      if (heartbeat == Heartbeat::heard && t % (2 * kStepMs) == 0) hear_primary();
      tick(kStepMs);
    }
  }
  /// The primary says that it stands where this engine stands.
  void hear_primary() {
    const Status own = status();
    const auto primary = static_cast<ValidatorIndex>(own.view.value % epoch_.validators.size());
    if (primary == config_.self) return;
    consensus::StatusBody heard;
    heard.view = own.view;
    heard.active = true;
    heard.certified = own.certified;
    heard.executed = own.executed;
    REQUIRE(say_status(primary, heard) == RejectReason::none);
  }
  /// A transaction is admitted now and is the oldest from here on.
  void admit() { oldest_request_ = status().request_clock; }
  void forget_request() { oldest_request_.reset(); }
  RejectReason deliver(ReplicaId from, const SharedBytes& bytes) {
    Result<Unverified> read = read_envelope(from, bytes, epoch_);
    REQUIRE(read.has_value());
    const bool wanted = engine_->wants(*read);
    const MessageKind kind = read->envelope().kind;
    Result<Verified> verified =
        verify(*std::move(read), test_chain(), epoch_, crypto::toy_verifier());
    REQUIRE(verified.has_value());
    const Verdict verdict = step(DeliverInput{*std::move(verified)});
    CHECK(verdict.accepted == (verdict.reason == RejectReason::none));
    check_wanted(kind, wanted, verdict);
    return verdict.reason;
  }
  /// Makes the oldest Persist durable; what it then sends stays in sent().
  Verdict persist_one() {
    REQUIRE_FALSE(persists_.empty());
    Persist persist = persists_.front();
    persists_.erase(persists_.begin());
    log_.insert(log_.end(), persist.writes.begin(), persist.writes.end());
    sent_.insert(sent_.end(), persist.then_send.begin(), persist.then_send.end());
    all_sent_.insert(all_sent_.end(), persist.then_send.begin(), persist.then_send.end());
    return step(PersistedInput{persist.id});
  }
  void persist_all() {
    while (!persists_.empty()) persist_one();
  }

  /// 1.12: what the engine does not want it refuses, and does nothing; and of votes it wants none
  /// for whose refusal their signature says nothing.
  void check_wanted(MessageKind kind, bool wanted, const Verdict& verdict) const {
    if (!wanted) {
      CHECK_FALSE(verdict.accepted);
      CHECK(effects_.empty());
    }
    const bool is_vote =
        kind == MessageKind::prepare || kind == MessageKind::commit || kind == MessageKind::exec;
    const bool is_proof =
        verdict.reason == RejectReason::equivocation || verdict.reason == RejectReason::bad_content;
    if (is_vote && !verdict.accepted && !is_proof) CHECK_FALSE(wanted);
  }

  template <typename T>
  std::vector<T> effects() const {
    std::vector<T> out;
    for (const Effect& effect : effects_) {
      if (const auto* found = std::get_if<T>(&effect)) out.push_back(*found);
    }
    return out;
  }
  const std::vector<Persist>& pending() const { return persists_; }
  const std::vector<LogRecord>& log() const { return log_; }
  /// Heights that were given to execution, in all steps.
  const std::vector<Commit>& executing() const { return executing_; }
  void forget_sent() {
    sent_.clear();
    all_sent_.clear();
  }
  /// What is not durable yet is lost, as in a crash.
  void forget_pending() { persists_.clear(); }

  /// Messages of a kind that left by then_send of durable Persists.
  std::vector<Envelope> sent(MessageKind kind) const { return of_kind(sent_, kind); }
  /// Messages of a kind that the last step sent at once.
  std::vector<Envelope> sent_now(MessageKind kind) const { return of_kind(effects<Send>(), kind); }
  /// Messages of a kind that left in either way since forget_sent().
  std::vector<Envelope> all_sent(MessageKind kind) const { return of_kind(all_sent_, kind); }
  const std::vector<Send>& all_sends() const { return all_sent_; }
  /// Records of a type in Persists that are not durable yet.
  std::size_t pending_records(RecordType type) const {
    const std::vector<RecordType> types = pending_types();
    return static_cast<std::size_t>(std::count(types.begin(), types.end(), type));
  }
  /// Types of all records in Persists that are not durable yet, in the order of writing.
  std::vector<RecordType> pending_types() const {
    std::vector<RecordType> out;
    for (const Persist& persist : persists_) {
      for (const LogRecord& record : persist.writes) out.push_back(record.type);
    }
    return out;
  }

  // ---------------------------------------------------------------- the others' messages

  struct Proposal {
    crypto::Vote vote;
    Bytes batch;
    std::vector<SharedBytes> bodies;
  };
  /// A sound proposal of `view`'s primary with one transaction, told apart by `salt`.
  Proposal proposal(std::uint64_t height, std::uint64_t salt = 1, std::uint64_t view = 0,
                    std::size_t size_bytes = 16) const {
    Proposal out;
    Batch batch;
    batch.epoch = epoch_.epoch;
    batch.height = {height};
    batch.origin_view = {view};
    batch.proposer = static_cast<ValidatorIndex>(view % epoch_.validators.size());
    batch.proposed_at = wall();
    out.bodies.push_back(transaction(height * 1000 + salt, size_bytes));
    batch.transactions.push_back(hash_of(*out.bodies[0]));
    return seal(batch, std::move(out));
  }
  Proposal seal(const Batch& batch, Proposal out = {}) const {
    out.batch = encode(batch);
    out.vote = {batch.origin_view, batch.height, batch_digest(out.batch)};
    return out;
  }
  RejectReason propose(const Proposal& proposal, ValidatorIndex sender = 0) {
    return deliver(sender, pre_prepare_message(epoch_, sender, proposal.vote, proposal.batch));
  }
  Verdict give_bodies(const Proposal& proposal) {
    return step(BodiesInput{proposal.vote.digest, proposal.bodies});
  }
  RejectReason prepare(ValidatorIndex sender, const crypto::Vote& vote) {
    return deliver(sender, signed_message(epoch_, MessageKind::prepare, sender, encode(vote)));
  }
  RejectReason commit(ValidatorIndex sender, const crypto::Vote& vote) {
    return deliver(sender, signed_message(epoch_, MessageKind::commit, sender, encode(vote)));
  }
  RejectReason exec(ValidatorIndex sender, std::uint64_t height, const Hash& hash) {
    return deliver(sender, signed_message(epoch_, MessageKind::exec, sender,
                                          encode(crypto::ExecVote{{height}, hash})));
  }
  RejectReason say_status(ValidatorIndex sender, const consensus::StatusBody& status) {
    return deliver(sender, signed_message(epoch_, MessageKind::status, sender, encode(status)));
  }
  RejectReason reply(ReplicaId from, const consensus::Reply& reply) {
    return deliver(from, unsigned_message(epoch_, MessageKind::reply, from, encode(reply)));
  }
  RejectReason fetch(ReplicaId from, const consensus::Fetch& fetch) {
    const ValidatorIndex sender = from < epoch_.validators.size() ? from : kObserver;
    return deliver(from, unsigned_message(epoch_, MessageKind::fetch, sender, encode(fetch)));
  }
  static std::optional<consensus::Reply> as_reply(const Envelope& envelope) {
    auto decoded = decode<consensus::Reply>(envelope.body);
    REQUIRE(decoded.has_value());
    return *std::move(decoded);
  }

  // ---------------------------------------------------------------- whole steps of the protocol

  /// The validators but this one, ascending: a quorum less one of them makes, with this engine's
  /// own vote, a quorum.
  std::vector<ValidatorIndex> others() const {
    std::vector<ValidatorIndex> out;
    for (std::size_t i = 0; i < epoch_.validators.size(); ++i) {
      if (i != config_.self) out.push_back(static_cast<ValidatorIndex>(i));
    }
    return out;
  }
  std::size_t quorum() const {
    return crypto::Quorum{epoch_.validators.size()}.quorum(epoch_.consensus_kind);
  }
  std::vector<ValidatorIndex> others(std::size_t count) const {
    std::vector<ValidatorIndex> out = others();
    REQUIRE(out.size() >= count);
    out.resize(count);
    return out;
  }
  /// Height accepted here: pre-prepare, bodies, PP_ACCEPT durable. Proposed in the engine's view,
  /// whose primary is another validator.
  Proposal accept(std::uint64_t height, std::uint64_t salt = 1) {
    const std::uint64_t view = status().view.value;
    const Proposal out = proposal(height, salt, view);
    REQUIRE(propose(out, static_cast<ValidatorIndex>(view % epoch_.validators.size())) ==
            RejectReason::none);
    REQUIRE(give_bodies(out).accepted);
    persist_all();
    return out;
  }
  /// And prepared: PREPAREs of others, PREPARED durable.
  Proposal prepare_height(std::uint64_t height, std::uint64_t salt = 1) {
    const Proposal out = accept(height, salt);
    for (const ValidatorIndex other : others(quorum() - 1)) prepare(other, out.vote);
    persist_all();
    return out;
  }
  /// And committed, COMMITTED not durable yet. Not executed.
  Proposal commit_height(std::uint64_t height, std::uint64_t salt = 1) {
    const Proposal out = prepare_height(height, salt);
    for (const ValidatorIndex other : others(quorum() - 1)) commit(other, out.vote);
    return out;
  }
  Bytes header_of(std::uint64_t height, const Hash& digest) const {
    return test_header({height}, last_hash_, digest);
  }
  /// Execution gives the header of the test chain.
  Hash apply(std::uint64_t height, const Hash& digest) {
    const Bytes header = header_of(height, digest);
    const Hash hash = header_hash_of(header);
    REQUIRE(step(AppliedInput{{height}, header, hash}).accepted);
    last_hash_ = hash;
    return hash;
  }
  /// And executed and certified.
  Hash certify_height(std::uint64_t height) {
    const Proposal out = commit_height(height);
    persist_all();
    const Hash hash = apply(height, out.vote.digest);
    persist_all();
    for (const ValidatorIndex other : others(quorum() - 1)) exec(other, height, hash);
    persist_all();
    REQUIRE(status().certified == Height{height});
    return hash;
  }

 private:
  std::vector<Envelope> of_kind(const std::vector<Send>& sends, MessageKind kind) const {
    std::vector<Envelope> out;
    for (const Send& send : sends) {
      auto envelope = decode<Envelope>(*send.bytes);
      REQUIRE(envelope.has_value());
      if (envelope->kind == kind) out.push_back(*std::move(envelope));
    }
    return out;
  }

  crypto::EpochRecord epoch_;
  EngineConfig config_;
  std::unique_ptr<Engine> engine_;
  Effects effects_;
  std::vector<Persist> persists_;
  std::vector<LogRecord> log_;
  std::vector<Commit> executing_;
  std::vector<Send> sent_;
  std::vector<Send> all_sent_;
  std::optional<Tick> oldest_request_;
  Hash genesis_;
  Hash last_hash_ = header_hash_of(test_header({0}, {}, {}));
  Tick now_{1000};
};

}  // namespace baolian::consensus::testing
