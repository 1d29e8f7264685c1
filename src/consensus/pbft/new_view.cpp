/// Entering a view: NEW-VIEW (consensus.md 1.6, V5-V8, V10). O never travels: every replica
/// computes it from the VIEW-CHANGEs that the NEW-VIEW names.
#include <algorithm>

#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {

// ------------------------------------------------------------------ V5: the new primary

/// Q VIEW-CHANGEs exactly for the view of which this replica is primary: NEW-VIEW.
void PbftEngine::make_new_view_if_possible() {
  const View view = changing_.sent;
  if (primary_of(view) != config_.self || view <= at_.view || changing_.entering.has_value())
    return;
  const SharedViewChange& own = changing_.held[config_.self];
  if (own == nullptr || own->message.new_view != view) return;
  const std::size_t needed = seeded_bug(Bug::new_view_with_fewer) ? quorum_ - 1 : quorum_;
  std::vector<SharedViewChange> chosen;
  // The own one is among them; of the others the first by index.
  std::size_t others = needed - 1;
  for (const SharedViewChange& held : changing_.held) {
    if (held == nullptr || held->message.new_view != view) continue;
    if (held->sender != config_.self && others == 0) continue;
    if (held->sender != config_.self) --others;
    chosen.push_back(held);
  }
  if (chosen.size() < needed) return;
  const ProposalsOutcome outcome =
      compute_proposals(config_.chain_id, config_.epoch.epoch, view, chosen);
  NewView body;
  body.view = view;
  for (const SharedViewChange& one : chosen) {
    body.view_changes.push_back({one->sender, one->message_hash});
  }
  body.proposals_hash = proposals_hash(outcome.proposals);
  const OwnMessage message =
      sign_message(MessageKind::new_view, crypto::ObjectType::new_view, encode(body));
  probes_.hit(Probe::view_entered_as_primary);
  enter_view(outcome, message.bytes, std::move(chosen));
}

// ------------------------------------------------------------------ V7: judging a NEW-VIEW

Verdict PbftEngine::on_new_view(const Verified& message) {
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  NewView body;
  const Verdict sound = judge_new_view(message, body);
  if (!sound.accepted) return sound;
  if (changing_.pending.has_value() && changing_.pending->message.view == body.view) {
    return Verdict::reject(RejectReason::duplicate);
  }
  PendingNewView pending;
  pending.bytes = message.bytes();
  pending.found.resize(body.view_changes.size());
  for (std::size_t i = 0; i < body.view_changes.size(); ++i) {
    const ViewChangeReference& reference = body.view_changes[i];
    const SharedViewChange& held = changing_.held[reference.sender];
    if (held != nullptr && held->message_hash == reference.message_hash) pending.found[i] = held;
  }
  pending.message = std::move(body);
  changing_.pending = std::move(pending);
  return try_pending_new_view();
}

/// What can be said of a NEW-VIEW before its VIEW-CHANGEs are here.
Verdict PbftEngine::judge_new_view(const Verified& message, NewView& body) {
  const Envelope& envelope = message.envelope();
  Result<NewView> decoded = decode<NewView>(envelope.body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  body = *std::move(decoded);
  if (body.view.value == 0 || body.view.value >= kViewLimit) {
    return malformed(message.from(), fail(Errc::bad_message, "NEW-VIEW of an impossible view"));
  }
  if (primary_of(body.view) != envelope.sender) {
    return Verdict::reject(RejectReason::not_primary);
  }
  if (body.view == at_.view) keep_if_second_new_view(envelope, changing_.entered.new_view);
  if (body.view <= at_.view) return Verdict::reject(RejectReason::stale_view);
  if (body.view < changing_.sent) return Verdict::reject(RejectReason::not_wanted);
  if (changing_.entering.has_value()) {
    if (body.view == changing_.entering->proposals.view) {
      keep_if_second_new_view(envelope, changing_.entering->new_view);
    }
    return Verdict::reject(RejectReason::duplicate);
  }
  if (changing_.pending.has_value() && body.view == changing_.pending->message.view) {
    keep_if_second_new_view(envelope, changing_.pending->bytes);
  }
  const std::size_t needed = seeded_bug(Bug::new_view_with_fewer) ? quorum_ - 1 : quorum_;
  bool is_sound = body.view_changes.size() == needed;
  for (std::size_t i = 0; i < body.view_changes.size(); ++i) {
    if (body.view_changes[i].sender >= validator_count()) is_sound = false;
    if (i > 0 && body.view_changes[i].sender <= body.view_changes[i - 1].sender) is_sound = false;
  }
  if (!is_sound) {
    suspect_primary_of(body.view);
    probes_.hit(Probe::new_view_refused);
    return malformed(message.from(),
                     fail(Errc::bad_message, "NEW-VIEW does not rest on Q distinct VIEW-CHANGEs"));
  }
  return Verdict::accept();
}

/// The primary of the awaited view lied: no need to wait for T0.
void PbftEngine::suspect_primary_of(View view) {
  if (view == view_in_question()) changing_.invalid = SuspectReason::invalid_proposal;
}

/// A VIEW-CHANGE came that the pending NEW-VIEW may name.
bool PbftEngine::fill_pending(const SharedViewChange& taken) {
  PendingNewView& pending = *changing_.pending;
  for (std::size_t i = 0; i < pending.found.size(); ++i) {
    const ViewChangeReference& reference = pending.message.view_changes[i];
    if (pending.found[i] != nullptr || reference.sender != taken->sender ||
        reference.message_hash != taken->message_hash) {
      continue;
    }
    pending.found[i] = taken;
    return true;
  }
  return false;
}

Verdict PbftEngine::try_pending_new_view() {
  PendingNewView& pending = *changing_.pending;
  const bool complete = std::all_of(pending.found.begin(), pending.found.end(),
                                    [](const SharedViewChange& one) { return one != nullptr; });
  if (!complete) {
    if (pending.attempts == 0) probes_.hit(Probe::new_view_waits);
    fetch_view_changes_if_due();
    return Verdict::accept();
  }
  PendingNewView ready = std::move(pending);
  changing_.pending.reset();
  return accept_new_view(ready.message, ready.bytes, std::move(ready.found));
}

/// V7, when all VIEW-CHANGEs are here and valid.
Verdict PbftEngine::accept_new_view(const NewView& body, const SharedBytes& bytes,
                                    std::vector<SharedViewChange> view_changes) {
  const auto is_for_it = [&](const SharedViewChange& one) {
    return one->message.new_view == body.view || seeded_bug(Bug::new_view_of_stale_changes);
  };
  if (!std::all_of(view_changes.begin(), view_changes.end(), is_for_it)) {
    suspect_primary_of(body.view);
    probes_.hit(Probe::new_view_refused);
    return Verdict::reject(RejectReason::bad_content);
  }
  const ProposalsOutcome outcome =
      compute_proposals(config_.chain_id, config_.epoch.epoch, body.view, view_changes);
  if (proposals_hash(outcome.proposals) != body.proposals_hash) {
    suspect_primary_of(body.view);
    probes_.hit(Probe::new_view_refused);
    return Verdict::reject(RejectReason::bad_digest);
  }
  enter_view(outcome, bytes, std::move(view_changes));
  return run_.stopped ? Verdict::reject(RejectReason::stopped) : Verdict::accept();
}

/// A NEW-VIEW with everything it rests on, passed on by anybody (V10).
Verdict PbftEngine::on_reply_new_view(ReplicaId from, ReplyNewView& reply) {
  const Result<Verified> verified = verify_passed_on(MessageKind::new_view, reply.envelope);
  if (!verified.has_value()) return malformed(from, verified.error());
  NewView body;
  const Verdict sound = judge_new_view(*verified, body);
  if (!sound.accepted) return sound;
  if (verified->envelope().sender == config_.self && looks_for_copies()) {
    stop(Stop::Kind::rolled_back, "a NEW-VIEW of this node came that its log does not know");
    return Verdict::reject(RejectReason::stopped);
  }
  if (reply.view_changes.size() != body.view_changes.size()) {
    return malformed(from, fail(Errc::bad_message, "a NEW-VIEW came without its VIEW-CHANGEs"));
  }
  std::vector<SharedViewChange> found;
  for (std::size_t i = 0; i < reply.view_changes.size(); ++i) {
    const Result<Verified> one = verify_passed_on(MessageKind::view_change, reply.view_changes[i]);
    if (!one.has_value()) return malformed(from, one.error());
    Result<SharedViewChange> checked = check_view_change(*one, Passage::passed_on);
    if (!checked.has_value()) return refused_view_change(from, checked.error());
    if ((*checked)->sender != body.view_changes[i].sender ||
        (*checked)->message_hash != body.view_changes[i].message_hash) {
      return malformed(from, fail(Errc::bad_message, "a NEW-VIEW came with other VIEW-CHANGEs"));
    }
    found.push_back(*std::move(checked));
  }
  if (changing_.pending.has_value() && changing_.pending->message.view <= body.view) {
    changing_.pending.reset();
  }
  return accept_new_view(body, verified->bytes(), std::move(found));
}

/// A VIEW-CHANGE, passed on by anybody (S5).
Verdict PbftEngine::on_reply_view_change(ReplicaId from, ReplyViewChange& reply) {
  const Result<Verified> verified = verify_passed_on(MessageKind::view_change, reply.envelope);
  if (!verified.has_value()) return malformed(from, verified.error());
  Result<SharedViewChange> checked = check_view_change(*verified, Passage::passed_on);
  if (!checked.has_value()) return refused_view_change(from, checked.error());
  if ((*checked)->sender == config_.self && !changing_.pending.has_value()) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  return take_view_change(*checked);
}

/// A message of this kind that another peer than its signer brought.
Result<Verified> PbftEngine::verify_passed_on(MessageKind kind, Bytes& bytes) const {
  TRY(const Envelope envelope, decode<Envelope>(bytes));
  if (envelope.kind != kind) return fail(Errc::bad_message, "another message is passed on");
  return verify_envelope(envelope.sender, std::make_shared<const Bytes>(std::move(bytes)),
                         config_.chain_id, config_.epoch, *config_.verifier);
}

// ------------------------------------------------------------------ V8: entering

/// EXECCERT(mins) and VIEW_ENTER go to the log; only when they are there the view is entered.
void PbftEngine::enter_view(const ProposalsOutcome& outcome, const SharedBytes& new_view,
                            std::vector<SharedViewChange> view_changes) {
  const Proposals& proposals = outcome.proposals;
  if (outcome.contradiction) {
    return stop(Stop::Kind::halt,
                "two certificates prepare different batches for one height and "
                "view: more than F validators are faulty");
  }
  for (std::size_t i = 0; i < proposals.digests.size(); ++i) {
    const Slot* slot = slots_.find(proposals.checkpoint + i + 1);
    if (slot == nullptr || !slot->is_decided() || slot->decision->digest == proposals.digests[i]) {
      continue;
    }
    return stop(Stop::Kind::halt, "a new view holds another batch than the one decided at height " +
                                      std::to_string(slot->height.value) +
                                      ": more than F validators are faulty");
  }
  if (proposals.checkpoint > at_.certified && outcome.checkpoint.has_value() &&
      !seeded_bug(Bug::vote_above_window_in_new_view)) {
    if (!knows_own_exec(*outcome.checkpoint)) {
      return stop(Stop::Kind::rolled_back,
                  "a certificate holds a signature of this node that its log does not know");
    }
    probes_.hit(Probe::new_view_above_h);
    auto certified = std::make_shared<CertifiedHeader>();
    certified->certificate = *outcome.checkpoint;
    take_certificate(std::move(certified));
  }
  at_.active = false;
  const View from = std::max(at_.view, changing_.sent);
  if (proposals.view > from && !seeded_bug(Bug::no_backoff)) {
    patience_.raise(proposals.view.value - from.value);
  }
  ViewEnter record;
  record.view = proposals.view;
  record.backoff = patience_.backoff();
  record.new_view = *new_view;
  for (const SharedViewChange& one : view_changes) record.view_changes.push_back(*one->bytes);
  stage_view_record(RecordType::view_enter, encode(record),
                    [this, view = proposals.view] { finish_entering(view); });
  if (primary_of(proposals.view) == config_.self) {
    if (seeded_bug(Bug::new_view_before_durable)) {
      send(std::nullopt, MessageClass::view_change, new_view);
    } else {
      out_.sends.push_back(Send{std::nullopt, MessageClass::view_change, new_view});
    }
  }
  changing_.entering = EnteringView{proposals, new_view, std::move(view_changes)};
}

/// VIEW_ENTER is durable: from here on the view is the present one.
void PbftEngine::finish_entering(View view) {
  if (!changing_.entering.has_value() || changing_.entering->proposals.view != view) return;
  EnteringView entering = *std::exchange(changing_.entering, std::nullopt);
  probes_.hit(Probe::view_entered);
  become_member_of(entering.proposals);
  changing_.entered =
      EnteredView{std::move(entering.new_view), std::move(entering.view_changes), {}};
  changing_.activated_at = patience_.request_clock();
  changing_.heartbeat_at = patience_.clock();
  changing_.invalid.reset();
  changing_.suspected_at.reset();
  changing_.left_because.reset();
  changing_.left_suspected_at.reset();
  changing_.waiting_since.reset();
  if (changing_.pending.has_value() && changing_.pending->message.view <= view) {
    changing_.pending.reset();
  }
  for (SharedViewChange& held : changing_.held) {
    if (held != nullptr && held->message.new_view <= view) held = nullptr;
  }
  if (at_.active) adopt_proposals(entering.proposals, at_.certified);
  announce_view(entering.proposals);
  changing_.entered.proposals = std::move(entering.proposals);
}

/// The position moves into the view; what was said in the old one is put away. P and contents stay.
void PbftEngine::become_member_of(const Proposals& proposals) {
  ASSERT(proposals.view > at_.view);
  const bool is_next = proposals.view == at_.view.next();
  at_.view = proposals.view;
  at_.active = is_validator() && changing_.sent <= at_.view;
  proposals_top_ = seeded_bug(Bug::fresh_inside_o) ? proposals.checkpoint : proposals.top();
  proposed_ = proposals_top_;
  // What was only proposed in the old view may never be seen again.
  at_.highest_seen = std::max({at_.certified, at_.certifying, at_.delivered, proposals.top()});
  for (auto& [height, slot] : slots_) slot.enter_view(is_next ? Votes::of_next_view : Votes::none);
}

/// O becomes the pre-prepares of the view: PP_ACCEPT and PREPARE for every n > h, also for what is
/// committed here (others need it). Neither clock nor pool is asked.
void PbftEngine::adopt_proposals(const Proposals& proposals, Height above) {
  for (std::size_t i = 0; i < proposals.digests.size() && !run_.stopped; ++i) {
    const Height height = proposals.checkpoint + i + 1;
    if (height <= std::max(above, at_.certified) || height > high_mark()) continue;
    const Hash& digest = proposals.digests[i];
    const bool is_null = digest == null_digest(config_.chain_id, config_.epoch.epoch, height);
    probes_.hit(is_null ? Probe::new_view_with_null : Probe::new_view_with_prepared);
    Slot& slot = slots_.at_or_new(height);
    if (slot.own_prepare.bytes != nullptr) continue;  // the log had it
    if (seeded_bug(Bug::judge_origin_in_new_view) && !is_null) continue;
    if (slot.is_decided()) probes_.hit(Probe::new_view_committed_prepared);
    note_seen(height);
    slot.proposal = Proposal{crypto::Vote{at_.view, height, digest}, Signature{},
                             Proposal::State::waiting_for_bodies};
    slot.proposed_at = patience_.request_clock();
    Content& content = slot.content_or_new(digest);
    if (is_null) content.complete = true;
    if (content.complete) {
      on_content(slot, digest);
    } else if (content.batch != nullptr) {
      need_bodies(slot, content, {});
    } else {
      fetch_batch(slot, content);
    }
  }
}

/// Heights of O that lay above the window when the view was entered.
void PbftEngine::on_window_moved(Height from) {
  if (is_validator() && at_.active) adopt_proposals(changing_.entered.proposals, from);
}

/// Tells the driver which transactions the view began with.
void PbftEngine::announce_view(const Proposals& proposals) {
  ViewEntered entered{at_.view, {}};
  for (std::size_t i = 0; i < proposals.digests.size(); ++i) {
    const Slot* slot = slots_.find(proposals.checkpoint + i + 1);
    const Content* content = slot == nullptr ? nullptr : slot->content(proposals.digests[i]);
    if (content == nullptr) continue;
    entered.proposed.insert(entered.proposed.end(), content->transactions.begin(),
                            content->transactions.end());
  }
  out_.effects->push_back(std::move(entered));
}

// ------------------------------------------------------------------ V10 and FETCH

/// Asks for the VIEW-CHANGEs that the pending NEW-VIEW names: its primary first, then all in turn.
void PbftEngine::fetch_view_changes_if_due() {
  if (!changing_.pending.has_value()) return;
  PendingNewView& pending = *changing_.pending;
  if (pending.attempts > 0 && patience_.clock() < pending.asked_at + kViewChangeFetchMs) return;
  const ReplicaId target = static_cast<ReplicaId>(
      (primary_of(pending.message.view) + pending.attempts) % validator_count());
  ++pending.attempts;
  pending.asked_at = patience_.clock();
  if (target == config_.self) return;
  for (std::size_t i = 0; i < pending.found.size(); ++i) {
    if (pending.found[i] != nullptr) continue;
    const ViewChangeReference& wanted = pending.message.view_changes[i];
    send(target, MessageClass::view_change,
         make_fetch(FetchViewChange{wanted.sender, wanted.message_hash}, run_.next_request++));
  }
}

Verdict PbftEngine::serve_view_change(ReplicaId to, const FetchViewChange& wanted) {
  if (wanted.sender >= validator_count()) return Verdict::reject(RejectReason::bad_content);
  Peer& peer = peers_[to];
  if (!peer.view_changes_at.has_value() || *peer.view_changes_at + kHelpGapMs <= run_.now) {
    peer.view_changes_at = run_.now;
    peer.view_changes_served = 0;
  }
  if (peer.view_changes_served >= validator_count()) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  const auto is_wanted = [&](const SharedViewChange& one) {
    return one != nullptr && one->sender == wanted.sender &&
           one->message_hash == wanted.message_hash;
  };
  SharedViewChange found;
  if (is_wanted(changing_.held[wanted.sender])) found = changing_.held[wanted.sender];
  for (const SharedViewChange& one : changing_.entered.view_changes) {
    if (is_wanted(one)) found = one;
  }
  if (changing_.entering.has_value()) {
    for (const SharedViewChange& one : changing_.entering->view_changes) {
      if (is_wanted(one)) found = one;
    }
  }
  if (found == nullptr) return Verdict::reject(RejectReason::not_wanted);
  ++peer.view_changes_served;
  send_reply(to, MessageClass::view_change, Reply{0, ReplyViewChange{*found->bytes}});
  return Verdict::accept();
}

/// S4: the NEW-VIEW of this view to a peer that has neither entered nor passed it.
void PbftEngine::relay_new_view(ReplicaId to, const StatusBody& status) {
  if (changing_.entered.new_view == nullptr || seeded_bug(Bug::no_relay)) return;
  if (status.view >= at_.view || status.view_change > at_.view) return;
  ReplyNewView reply;
  reply.envelope = *changing_.entered.new_view;
  for (const SharedViewChange& one : changing_.entered.view_changes) {
    reply.view_changes.push_back(*one->bytes);
  }
  probes_.hit(Probe::new_view_relayed);
  send_reply(to, MessageClass::view_change, Reply{0, std::move(reply)});
}

}  // namespace baolian::consensus::pbft
