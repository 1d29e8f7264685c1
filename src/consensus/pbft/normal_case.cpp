/// Normal case, first half: proposals and votes (consensus.md 1.5, N1-N4, N8, N9).
#include <algorithm>

#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {
namespace {

/// Transactions in order until `bytes_max` is reached: those a receiver may not have yet.
std::vector<SharedBytes> inline_part(const std::vector<SharedBytes>& bodies,
                                     std::size_t bytes_max) {
  std::vector<SharedBytes> out;
  std::size_t size = 0;
  for (const SharedBytes& body : bodies) {
    size += body->size();
    if (size > bytes_max) break;
    out.push_back(body);
  }
  return out;
}

}  // namespace

// ------------------------------------------------------------------ the primary

Verdict PbftEngine::on_propose(ProposeInput& input) {
  if (!at_.active) return Verdict::reject(RejectReason::inactive);
  if (!is_primary()) return Verdict::reject(RejectReason::not_primary);
  if (!can_propose()) return Verdict::reject(RejectReason::outside_window);
  if (input.transactions.size() > kBatchTransactionsMax ||
      input.transactions.size() != input.bodies.size() ||
      total_size_bytes(input.bodies) > kBatchBodyBytesMax) {
    return Verdict::reject(RejectReason::bad_content);
  }
  const Height height = std::max({proposed_, at_.certified, at_.delivered, proposals_top_}).next();
  Batch batch;
  batch.epoch = config_.epoch.epoch;
  batch.height = height;
  batch.origin_view = at_.view;
  batch.proposer = config_.self;
  batch.proposed_at = input.proposed_at;
  batch.transactions = std::move(input.transactions);
  auto bytes = std::make_shared<const Bytes>(encode(batch));
  const crypto::Vote vote{at_.view, height, batch_digest(*bytes)};

  Slot& slot = slots_.at_or_new(height);
  // A slot of the window that the primary itself has not proposed can hold no proposal of its view.
  ASSERT(!slot.proposal.has_value() && slot.own_prepare.bytes == nullptr);
  proposed_ = height;
  note_seen(height);
  slot.proposed_at = patience_.request_clock();
  Proposal proposal{vote, {}, Proposal::State::waiting_for_bodies};
  proposal.signature =
      config_.signer->sign_object(crypto::ObjectType::pre_prepare, config_.chain_id,
                                  config_.epoch.epoch, crypto::sha256(encode(vote)));
  slot.proposal = proposal;
  Content& content = slot.content_or_new(vote.digest);
  add_batch(slot, content, std::move(bytes), std::move(batch.transactions), config_.self);
  content.bodies = std::move(input.bodies);
  content.complete = true;
  // The PRE-PREPARE leaves with the own PREPARE, when the log holds it: a primary that crashed in
  // between must not propose something else for the same (v, n).
  Bytes body = encode_pre_prepare(vote, content.batch,
                                  inline_part(content.bodies, config_.inline_body_bytes_max));
  accept(slot, content,
         Send{std::nullopt, MessageClass::proposal,
              make_message(MessageKind::pre_prepare, std::move(body), proposal.signature)});
  return Verdict::accept();
}

// ------------------------------------------------------------------ N1

Verdict PbftEngine::on_pre_prepare(const Verified& message) {
  const Envelope& envelope = message.envelope();
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  Decoder head(BytesView(envelope.body).first(kVoteBytes));
  crypto::Vote vote;
  ASSERT(head.value(vote).has_value());  // read_envelope saw that many bytes
  const Verdict wanted = judge_proposal(vote, envelope.sender);
  if (!wanted.accepted) return wanted;
  Slot& slot = slots_.at_or_new(vote.height);
  const Verdict free = judge_slot(slot, vote, envelope);
  if (!free.accepted) return free;
  Result<PrePrepare> decoded = decode<PrePrepare>(envelope.body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  Batch batch;
  const Verdict sound = judge_batch(vote, envelope.sender, decoded->batch, batch);
  if (!sound.accepted) {
    // Judged once, at first arrival (1.11): a copy that comes later changes nothing.
    if (sound.reason == RejectReason::bad_time) {
      slot.refused = vote.digest;  // late words are no lie
    } else {
      changing_.invalid = SuspectReason::invalid_proposal;
    }
    return sound;
  }
  slot.proposal = Proposal{vote, envelope.signature, Proposal::State::waiting_for_bodies};
  slot.proposed_at = patience_.request_clock();
  changing_.heartbeat_at = patience_.clock();
  note_seen(vote.height);
  Content& content = slot.content_or_new(vote.digest);
  if (content.complete) {
    on_content(slot, vote.digest);
    return Verdict::accept();
  }
  add_batch(slot, content, std::make_shared<const Bytes>(std::move(decoded->batch)),
            std::move(batch.transactions), message.from());
  if (seeded_bug(Bug::prepare_without_bodies)) {
    const OwnMessage early =
        sign_message(MessageKind::prepare, crypto::ObjectType::prepare, encode(vote));
    send(std::nullopt, MessageClass::vote, early.bytes);
  }
  need_bodies(slot, content, share_all(std::move(decoded->inline_bodies)));
  return Verdict::accept();
}

/// What can be said of a pre-prepare from its vote alone.
Verdict PbftEngine::judge_proposal(const crypto::Vote& vote, ValidatorIndex sender) const {
  if (vote.view < at_.view) return Verdict::reject(RejectReason::stale_view);
  if (vote.view > at_.view) return Verdict::reject(RejectReason::future_view);
  if (!at_.active) return Verdict::reject(RejectReason::inactive);
  if ((sender != primary_of(vote.view) && !seeded_bug(Bug::accept_from_anyone)) ||
      sender == config_.self) {
    return Verdict::reject(RejectReason::not_primary);
  }
  const bool is_above = vote.height > high_mark() && !seeded_bug(Bug::accept_above_window);
  if (vote.height <= at_.certified || is_above || vote.height > high_mark() + kLogWindowMax) {
    return Verdict::reject(RejectReason::outside_window);
  }
  if (vote.height <= proposals_top_) return Verdict::reject(RejectReason::not_wanted);
  return Verdict::accept();
}

/// Whether the slot is free for this digest.
Verdict PbftEngine::judge_slot(Slot& slot, const crypto::Vote& vote, const Envelope& envelope) {
  if (slot.proposal.has_value()) {
    if (slot.proposal->vote.digest == vote.digest) return Verdict::reject(RejectReason::duplicate);
    if (seeded_bug(Bug::accept_second_digest)) {
      slot.own_prepare = {};
      return Verdict::accept();
    }
    keep_evidence(Evidence{crypto::ObjectType::pre_prepare, envelope.epoch, envelope.sender,
                           encode(slot.proposal->vote), encode(vote), slot.proposal->signature,
                           envelope.signature});
    changing_.invalid = SuspectReason::invalid_proposal;
    return Verdict::reject(RejectReason::equivocation);
  }
  if (slot.refused == vote.digest) return Verdict::reject(RejectReason::duplicate);
  if (slot.is_decided() && slot.decision->digest != vote.digest) {
    return Verdict::reject(RejectReason::already_decided);
  }
  // Executed before a restart and not in the log: with which digest is not known here.
  if (!slot.is_decided() && vote.height <= at_.executed) {
    return Verdict::reject(RejectReason::already_decided);
  }
  return Verdict::accept();
}

/// The batch of a fresh proposal: digest, content, time. No state, no pool is asked (1.3).
Verdict PbftEngine::judge_batch(const crypto::Vote& vote, ValidatorIndex sender, BytesView bytes,
                                Batch& batch) const {
  if (batch_digest(bytes) != vote.digest && !seeded_bug(Bug::trust_carried_digest)) {
    return Verdict::reject(RejectReason::bad_digest);
  }
  Result<Batch> decoded = decode<Batch>(bytes);
  if (!decoded.has_value()) return Verdict::reject(RejectReason::bad_content);
  batch = *std::move(decoded);
  if (batch.epoch != config_.epoch.epoch || batch.height != vote.height ||
      batch.origin_view != vote.view || batch.proposer != sender) {
    return Verdict::reject(RejectReason::bad_content);
  }
  const std::uint64_t proposed = batch.proposed_at.value;
  const std::uint64_t wall = run_.wall.value;
  const bool ahead = proposed > wall && proposed - wall > config_.drift_max_ms;
  const bool behind = proposed < wall && wall - proposed > config_.proposal_age_max_ms;
  if ((ahead || behind) && !seeded_bug(Bug::proposer_time_unbounded))
    return Verdict::reject(RejectReason::bad_time);
  return Verdict::accept();
}

/// Batch and bodies of a proposal are complete: N2.
void PbftEngine::on_complete_content(Slot& slot, const Hash& digest) {
  const bool waits = slot.proposal.has_value() && slot.proposal->vote.digest == digest &&
                     slot.proposal->state == Proposal::State::waiting_for_bodies;
  const bool may_vote = at_.active && slot.height > at_.certified && slot.height <= high_mark();
  if (waits && may_vote && slot.proposal->vote.view == at_.view) {
    accept(slot, *slot.content(digest), std::nullopt);
  }
}

/// A proposal whose bodies are invalid for every correct replica: its primary lied.
bool PbftEngine::on_impossible_content(Slot& slot, const Hash& digest) {
  if (!slot.proposal.has_value() || slot.proposal->vote.digest != digest) return true;
  // In O it was prepared by a quorum, which has seen valid bodies.
  if (slot.proposal->signature.is_zero()) return false;
  slot.proposal.reset();
  slot.refused = digest;
  if (at_.active) changing_.invalid = SuspectReason::invalid_proposal;
  return true;
}

// ------------------------------------------------------------------ N2

/// PP_ACCEPT with batch and bodies; when it is durable the PREPARE leaves and counts.
void PbftEngine::accept(Slot& slot, const Content& content, std::optional<Send> pre_prepare) {
  ASSERT(slot.proposal.has_value() && slot.proposal->vote.digest == content.digest);
  ASSERT(slot.own_prepare.bytes == nullptr && content.complete && is_validator());
  ASSERT(slot.height > at_.certified && slot.height <= high_mark());
  const crypto::Vote& vote = slot.proposal->vote;
  slot.own_prepare = sign_message(MessageKind::prepare, crypto::ObjectType::prepare, encode(vote));
  slot.proposal->state = Proposal::State::logging;
  slot.voted_view = at_.view;
  if (seeded_bug(Bug::prepare_before_durable)) {
    if (pre_prepare.has_value()) out_.effects->push_back(*pre_prepare);
    send(std::nullopt, MessageClass::vote, slot.own_prepare.bytes);
  }
  stage(RecordType::pp_accept,
        encode_pp_accept(vote, slot.proposal->signature, *slot.own_prepare.bytes, content.batch,
                         content.bodies),
        slot.height,
        [this, height = slot.height, view = vote.view] { on_accept_durable(height, view); });
  slot.content(content.digest)->logged = true;
  if (pre_prepare.has_value()) out_.sends.push_back(*std::move(pre_prepare));
  out_.sends.push_back(Send{std::nullopt, MessageClass::vote, slot.own_prepare.bytes});
}

void PbftEngine::on_accept_durable(Height height, View view) {
  Slot* slot = slots_.find(height);
  if (slot == nullptr || slot->own_prepare.bytes == nullptr || view != at_.view) return;
  ASSERT(slot->proposal.has_value() && slot->proposal->vote.view == view);
  slot->proposal->state = Proposal::State::durable;
  count_own(slot->own_prepare, slot->prepares[0], slot->proposal->vote.digest, view, height);
  check_prepared(*slot);
}

// ------------------------------------------------------------------ votes

/// What can be said of a vote whoever signed it. COMMITs count until the height is executed (N4),
/// PREPAREs only where a vote may still follow.
Verdict PbftEngine::judge_vote(MessageKind kind, const crypto::Vote& vote) const {
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  if (vote.view < at_.view) return Verdict::reject(RejectReason::stale_view);
  if (vote.view > at_.view.next()) return Verdict::reject(RejectReason::future_view);
  const Height low = kind == MessageKind::prepare ? at_.certified : low_mark();
  const bool forgotten = vote.height <= at_.certified && vote.height > at_.executed + keep_ahead();
  if (vote.height <= low || vote.height > high_mark() || forgotten) {
    return Verdict::reject(RejectReason::outside_window);
  }
  return Verdict::accept();
}

/// Which of a slot's tables holds votes of this view.
std::size_t PbftEngine::table_of(View view) const {
  return view == at_.view || seeded_bug(Bug::mix_votes_of_views) ? 0 : 1;
}

Verdict PbftEngine::on_vote(const Verified& message) {
  const Envelope& envelope = message.envelope();
  const Result<crypto::Vote> decoded = decode<crypto::Vote>(envelope.body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  const crypto::Vote& vote = *decoded;
  const Verdict wanted = judge_vote(envelope.kind, vote);
  if (!wanted.accepted) return wanted;
  const bool is_prepare = envelope.kind == MessageKind::prepare;
  Slot& slot = slots_.at_or_new(vote.height);
  const std::size_t table = table_of(vote.view);
  VoteTable& votes = is_prepare ? slot.prepares[table] : slot.commits[table];
  const auto type = is_prepare ? crypto::ObjectType::prepare : crypto::ObjectType::commit;
  const Verdict stored = store_vote(votes, envelope, type, vote.digest, encode(vote));
  if (!stored.accepted) return stored;
  if (is_prepare) {
    check_prepared(slot);
  } else {
    check_committed(slot);
  }
  return stored;
}

// ------------------------------------------------------------------ before the signature (1.12)

bool PbftEngine::wants_message(const Envelope& envelope) const {
  if (envelope.kind == MessageKind::pre_prepare) return wants_pre_prepare(envelope);
  if (envelope.kind == MessageKind::prepare || envelope.kind == MessageKind::commit) {
    return wants_vote(envelope);
  }
  return true;
}

/// Another digest than the one that is here is wanted: it proves that the primary contradicts
/// itself (N8).
bool PbftEngine::wants_pre_prepare(const Envelope& envelope) const {
  if (!is_validator()) return false;
  Decoder head(BytesView(envelope.body).first(kVoteBytes));
  crypto::Vote vote;
  ASSERT(head.value(vote).has_value());  // read_envelope saw that many bytes
  if (!judge_proposal(vote, envelope.sender).accepted) return false;
  const Slot* slot = slots_.find(vote.height);
  return slot == nullptr || !slot->proposal.has_value() ||
         slot->proposal->vote.digest != vote.digest;
}

bool PbftEngine::wants_vote(const Envelope& envelope) const {
  const Result<crypto::Vote> vote = decode<crypto::Vote>(envelope.body);
  if (!vote.has_value()) return true;  // its signer is to blame, if it is signed
  if (!judge_vote(envelope.kind, *vote).accepted) return false;
  const Slot* slot = slots_.find(vote->height);
  if (slot == nullptr) return true;
  const auto& tables = envelope.kind == MessageKind::prepare ? slot->prepares : slot->commits;
  return !tables[table_of(vote->view)].holds(envelope.sender, vote->digest);
}

/// N3: Q PREPAREs for the accepted digest, batch and bodies durable here: PREPARED, then COMMIT.
void PbftEngine::check_prepared(Slot& slot) {
  if (!at_.active || !slot.proposal.has_value()) return;
  const Proposal& proposal = *slot.proposal;
  if (proposal.state != Proposal::State::durable || proposal.vote.view != at_.view) return;
  if (slot.own_commit.bytes != nullptr) return;
  if (slot.height <= at_.certified || slot.height > high_mark()) return;
  const std::size_t needed = seeded_bug(Bug::commit_on_weak_prepare) ? weak_quorum() : quorum_;
  if (slot.prepares[0].count(proposal.vote.digest) < needed) return;
  crypto::VoteCertificate certificate;
  certificate.epoch = config_.epoch.epoch;
  certificate.vote = proposal.vote;
  certificate.signatures = slot.prepares[0].certificate(proposal.vote.digest, needed);
  slot.own_commit =
      sign_message(MessageKind::commit, crypto::ObjectType::commit, encode(proposal.vote));
  Prepared record;
  record.certificate = certificate;
  record.commit = *slot.own_commit.bytes;
  if (seeded_bug(Bug::commit_before_durable)) {
    send(std::nullopt, MessageClass::vote, slot.own_commit.bytes);
  }
  if (!slot.prepared.has_value() || !seeded_bug(Bug::keep_first_prepared)) {
    slot.prepared = certificate;
  }
  stage(RecordType::prepared, encode(record), slot.height,
        [this, height = slot.height, view = at_.view] { on_prepared_durable(height, view); });
  out_.sends.push_back(Send{std::nullopt, MessageClass::vote, slot.own_commit.bytes});
  if (seeded_bug(Bug::execute_on_prepared)) {
    const Hash digest = certificate.vote.digest;
    decide(slot, digest, std::move(certificate));
  }
}

void PbftEngine::on_prepared_durable(Height height, View view) {
  Slot* slot = slots_.find(height);
  if (slot == nullptr || slot->own_commit.bytes == nullptr || view != at_.view) return;
  ASSERT(slot->is_prepared_in(view));
  count_own(slot->own_commit, slot->commits[0], slot->prepared->vote.digest, view, height);
  check_committed(*slot);
}

/// N4: Q COMMITs for the same (v, n, d), in whatever view.
void PbftEngine::check_committed(Slot& slot) {
  for (std::size_t table = 0; table < slot.commits.size(); ++table) {
    const std::optional<Hash> digest = slot.commits[table].digest_with(quorum_);
    if (!digest.has_value()) continue;
    if (slot.is_decided() && slot.decision->digest == *digest) continue;
    crypto::VoteCertificate certificate;
    certificate.epoch = config_.epoch.epoch;
    certificate.vote = {at_.view + table, slot.height, *digest};
    certificate.signatures = slot.commits[table].certificate(*digest, quorum_);
    if (!at_.active) probes_.hit(Probe::commit_in_view_change);
    decide(slot, *digest, std::move(certificate));
    return;
  }
}

/// COMMITTED, together with batch and bodies unless a PP_ACCEPT holds them.
Decision::State PbftEngine::log_votes(Slot& slot, Content& content) {
  ASSERT(slot.decision->certificate.has_value());
  const std::vector<SharedBytes> none;
  stage(RecordType::committed,
        encode_committed(*slot.decision->certificate, content.logged ? nullptr : content.batch,
                         content.logged ? none : content.bodies),
        slot.height, [this, height = slot.height] { on_decision_durable(height, nullptr); });
  content.logged = true;
  return Decision::State::logged;
}

}  // namespace baolian::consensus::pbft
