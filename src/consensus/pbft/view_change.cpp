/// Leaving a view: SUSPECT and VIEW-CHANGE (consensus.md 1.6, V1-V4, V9).
#include "consensus/pbft/view_change.h"

#include <algorithm>
#include <functional>

#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {

// ------------------------------------------------------------------ V1: reasons

/// The view that would be left: the present one, or the one for which a NEW-VIEW is awaited.
View PbftEngine::view_in_question() const { return at_.active ? at_.view : changing_.sent; }

/// V1: only EXECs are missing, and the primary is not to blame for them.
bool PbftEngine::window_is_committed() const {
  for (Height n = at_.certified.next(); n <= high_mark(); ++n) {
    const Slot* slot = slots_.find(n);
    if (slot == nullptr || !slot->is_decided_at_least(Decision::State::logged)) return false;
  }
  return true;
}

/// 1.10: a change of validators is pending, and the heights up to it are due even if nobody wants
/// anything.
bool PbftEngine::drains() const {
  return epoch_last().has_value() && at_.certified < *epoch_last();
}

std::optional<SuspectReason> PbftEngine::reason_to_suspect() const {
  if (seeded_bug(Bug::suspect_never)) return std::nullopt;
  if (changing_.invalid.has_value()) return changing_.invalid;
  const auto is_over = [](Tick now, Tick since, std::uint64_t ms) { return now >= since + ms; };
  const EngineConfig::Timers& timers = config_.timers;
  if (!at_.active) {
    if (changing_.sent <= at_.view || changing_.entering.has_value()) return std::nullopt;
    const bool late =
        changing_.waiting_since.has_value() &&
        is_over(patience_.clock(), *changing_.waiting_since, scaled_ms(timers.new_view_ms));
    return late ? std::optional(SuspectReason::no_new_view) : std::nullopt;
  }
  if (!is_primary() &&
      is_over(patience_.clock(), changing_.heartbeat_at, scaled_ms(timers.heartbeat_ms))) {
    return SuspectReason::no_heartbeat;
  }
  const Tick now = patience_.request_clock();
  if (run_.oldest_request.has_value()) {
    Tick since = std::max(*run_.oldest_request, changing_.activated_at);
    if (seeded_bug(Bug::suspect_after_any_progress)) since = std::max(since, executed_at_);
    if (is_over(now, since, scaled_ms(timers.request_ms)))
      return SuspectReason::request_not_executed;
  }
  for (const auto& [height, slot] : slots_) {
    if (height <= at_.certified || height > high_mark() || !slot.proposal.has_value()) continue;
    if (slot.is_decided()) continue;
    if (is_over(now, slot.proposed_at, scaled_ms(timers.commit_ms)))
      return SuspectReason::height_not_committed;
  }
  if (drains() && drains_since_.has_value() &&
      is_over(now, std::max(*drains_since_, changing_.activated_at), scaled_ms(timers.commit_ms))) {
    return SuspectReason::height_not_committed;
  }
  return std::nullopt;
}

void PbftEngine::note_suspicion(SuspectReason reason) {
  switch (reason) {
    case SuspectReason::request_not_executed:
      return probes_.hit(Probe::suspected_request);
    case SuspectReason::height_not_committed:
      return probes_.hit(Probe::suspected_commit);
    case SuspectReason::invalid_proposal:
      return probes_.hit(Probe::suspected_invalid);
    case SuspectReason::no_heartbeat:
      return probes_.hit(Probe::suspected_heartbeat);
    case SuspectReason::no_new_view:
      return probes_.hit(Probe::suspected_new_view);
  }
}

/// SUSPECT(v) goes on after v is left: others may still need it to leave.
void PbftEngine::suspect_left_view_if_due() {
  if (at_.active || !changing_.left_because.has_value()) return;
  const bool is_first = !changing_.left_suspected_at.has_value();
  if (!is_first && patience_.clock() < *changing_.left_suspected_at + kSuspectRepeatMs) return;
  changing_.left_suspected_at = patience_.clock();
  const OwnMessage message = sign_message(MessageKind::suspect, crypto::ObjectType::suspect,
                                          encode(Suspect{at_.view, *changing_.left_because}));
  send(std::nullopt, MessageClass::view_change, message.bytes);
}

/// SUSPECT, still participating; again every 250 ms while the reason holds.
void PbftEngine::suspect_if_due() {
  if (!is_validator()) return;
  suspect_left_view_if_due();
  const std::optional<SuspectReason> reason = reason_to_suspect();
  if (!reason.has_value()) {
    changing_.suspected_at.reset();
    return;
  }
  const bool is_first = !changing_.suspected_at.has_value();
  if (!is_first && patience_.clock() < *changing_.suspected_at + kSuspectRepeatMs) return;
  if (is_first) note_suspicion(*reason);
  changing_.suspected_at = patience_.clock();
  const OwnMessage message = sign_message(MessageKind::suspect, crypto::ObjectType::suspect,
                                          encode(Suspect{view_in_question(), *reason}));
  send(std::nullopt, MessageClass::view_change, message.bytes);
  check_suspects();
}

// ------------------------------------------------------------------ V2, V3: leaving

Verdict PbftEngine::on_suspect(const Verified& message) {
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  const Result<Suspect> decoded = decode<Suspect>(message.envelope().body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  if (decoded->view.value >= kViewLimit) {
    return malformed(message.from(), fail(Errc::bad_message, "SUSPECT of an impossible view"));
  }
  if (decoded->view < view_in_question()) return Verdict::reject(RejectReason::stale_view);
  const Tick until = patience_.clock() + scaled_ms(kSuspectLifeMs);
  changing_.heard[message.from()] = HeardSuspect{decoded->view, until};
  check_suspects();
  return Verdict::accept();
}

/// V2: weak SUSPECTs of the view in question, counting each VIEW-CHANGE for a higher one.
void PbftEngine::check_suspects() {
  if (changing_.entering.has_value()) return;
  const View view = view_in_question();
  std::size_t count = changing_.suspected_at.has_value() ? 1 : 0;
  for (std::size_t i = 0; i < validator_count(); ++i) {
    if (i == config_.self) continue;
    const std::optional<HeardSuspect>& heard = changing_.heard[i];
    const bool suspects =
        heard.has_value() && heard->view == view && patience_.clock() < heard->until;
    const SharedViewChange& held = changing_.held[i];
    if (suspects || (held != nullptr && held->message.new_view > view)) ++count;
  }
  if (count < weak_quorum()) return;
  probes_.hit(Probe::left_by_suspects);
  leave_view(view.next());
}

/// V3: the highest view to which at least F+1 validators want to go. One message moves nobody.
void PbftEngine::check_view_changes() {
  std::vector<View> views;
  for (const SharedViewChange& one : changing_.held) {
    if (one != nullptr) views.push_back(one->message.new_view);
  }
  std::size_t needed = weak_quorum();
  if (seeded_bug(Bug::follow_one_view_change)) needed = 1;
  if (views.size() >= needed) {
    std::sort(views.begin(), views.end(), std::greater<>());
    const View target = views[needed - 1];
    if (target > changing_.sent && target > at_.view && !changing_.entering.has_value()) {
      probes_.hit(Probe::left_by_view_changes);
      return leave_view(target);
    }
  }
  check_suspects();
}

/// Stops voting in the present view and asks for `target`: VC_SENT, then VIEW-CHANGE.
void PbftEngine::leave_view(View target) {
  const View from = std::max(at_.view, changing_.sent);
  ASSERT(is_validator() && target > from && target.value < kViewLimit + 1);
  if (at_.active && changing_.suspected_at.has_value()) {
    changing_.left_because = reason_to_suspect();
    changing_.left_suspected_at = changing_.suspected_at;
  }
  at_.active = seeded_bug(Bug::vote_after_leaving) && at_.active;
  changing_.sent = target;
  changing_.resent_at.reset();  // nothing is sent again before it is durable
  changing_.waiting_since.reset();
  changing_.suspected_at.reset();
  changing_.invalid.reset();
  if (changing_.pending.has_value() && changing_.pending->message.view < target) {
    changing_.pending.reset();
  }
  if (!seeded_bug(Bug::no_backoff)) patience_.raise(target.value - from.value);

  ViewChange body;
  body.new_view = target;
  body.certified = at_.certified;
  if (newest_certificate_ != nullptr) body.checkpoint = newest_certificate_->certificate;
  for (const auto& [height, slot] : slots_) {
    if (height <= at_.certified || !slot.prepared.has_value()) continue;
    if (seeded_bug(Bug::drop_prepared_on_execution) && height <= at_.executed) continue;
    // Not high_mark(): a store that was lost took the knowledge of pending changes with it (1.10),
    // and what was prepared with that knowledge stays prepared.
    ASSERT(height <= at_.certified + config_.epoch.log_window);
    body.prepared.push_back(*slot.prepared);
  }
  Bytes encoded = encode(body);
  const Hash message_hash = crypto::sha256(encoded);
  const OwnMessage message =
      sign_message(MessageKind::view_change, crypto::ObjectType::view_change, std::move(encoded));
  changing_.own = message.bytes;
  const auto held = std::make_shared<const HeldViewChange>(
      HeldViewChange{config_.self, std::move(body), message_hash, message.bytes});
  ViewChangeSent record;
  record.new_view = target;
  record.message = *message.bytes;
  if (seeded_bug(Bug::leave_without_persist)) {
    send(std::nullopt, MessageClass::view_change, message.bytes);
    return on_view_change_durable(held);
  }
  stage_view_record(RecordType::vc_sent, encode(record),
                    [this, held] { on_view_change_durable(held); });
  out_.sends.push_back(Send{std::nullopt, MessageClass::view_change, message.bytes});
}

/// The own VIEW-CHANGE is durable: it counts, and is sent again until a NEW-VIEW comes (V9).
void PbftEngine::on_view_change_durable(const SharedViewChange& own) {
  if (own->message.new_view != changing_.sent) return;
  at_.voted_view = std::max(at_.voted_view, changing_.sent);
  changing_.held[config_.self] = own;
  changing_.resent_at = patience_.clock();
  on_view_changes();
}

void PbftEngine::resend_view_change_if_due() {
  if (at_.active || changing_.own == nullptr || !changing_.resent_at.has_value()) return;
  if (changing_.sent <= at_.view || seeded_bug(Bug::no_retransmission)) return;
  if (patience_.clock() < *changing_.resent_at + kViewChangeResendMs) return;
  changing_.resent_at = patience_.clock();
  send(std::nullopt, MessageClass::view_change, changing_.own);
}

// ------------------------------------------------------------------ V4: taking VIEW-CHANGEs

Verdict PbftEngine::on_view_change(const Verified& message) {
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  Result<SharedViewChange> checked = check_view_change(message, Passage::direct);
  if (!checked.has_value()) return refused_view_change(message.from(), checked.error());
  return take_view_change(*checked);
}

/// A bad certificate or an impossible content is never sent by a correct node, nor passed on by
/// one.
Verdict PbftEngine::refused_view_change(ReplicaId from, const Error& error) {
  if (run_.stopped) return Verdict::reject(RejectReason::stopped);
  if (error.code == Errc::already_exists) return Verdict::reject(RejectReason::duplicate);
  if (error.code == Errc::not_found) return Verdict::reject(RejectReason::stale_view);
  out_.effects->push_back(BanPeer{from, error.context});
  return Verdict::reject(error.code == Errc::bad_certificate || error.code == Errc::wrong_epoch
                             ? RejectReason::bad_certificate
                             : RejectReason::bad_content);
}

/// Keeps the highest of each validator (V3), and completes a NEW-VIEW that waits for it.
Verdict PbftEngine::take_view_change(const SharedViewChange& taken) {
  SharedViewChange& held = changing_.held[taken->sender];
  bool is_wanted = false;
  if (changing_.pending.has_value()) is_wanted = fill_pending(taken);
  const bool is_higher = held == nullptr || held->message.new_view < taken->message.new_view;
  if (is_higher) held = taken;
  if (!is_higher && !is_wanted) return Verdict::reject(RejectReason::duplicate);
  if (is_wanted) static_cast<void>(try_pending_new_view());
  if (!run_.stopped && is_higher) on_view_changes();
  return Verdict::accept();
}

/// Q VIEW-CHANGEs for the awaited view or higher ones: T0 runs (V9). And V3, V5.
void PbftEngine::on_view_changes() {
  check_view_changes();
  if (at_.active || changing_.entering.has_value() || changing_.sent <= at_.view) return;
  if (!changing_.waiting_since.has_value() && changing_.count_at_least(changing_.sent) >= quorum_) {
    changing_.waiting_since = patience_.clock();
  }
  make_new_view_if_possible();
}

/// V4. Returns: Errc::already_exists if exactly this one is here, Errc::not_found if it is of a
/// view that was entered or passed, Errc::bad_message, bad_certificate, wrong_epoch, codec errors.
Result<SharedViewChange> PbftEngine::check_view_change(const Verified& message, Passage passage) {
  const Envelope& envelope = message.envelope();
  const Hash message_hash = crypto::sha256(envelope.body);
  const SharedViewChange& held = changing_.held[envelope.sender];
  if (held != nullptr && held->message_hash == message_hash) {
    if (passage == Passage::direct) return fail(Errc::already_exists, "the same VIEW-CHANGE again");
    return held;
  }
  TRY(ViewChange body, decode<ViewChange>(envelope.body));
  if (body.new_view.value == 0 || body.new_view.value >= kViewLimit) {
    return fail(Errc::bad_message, "VIEW-CHANGE to an impossible view");
  }
  if (body.new_view <= at_.view && !seeded_bug(Bug::new_view_of_stale_changes)) {
    return fail(Errc::not_found, "VIEW-CHANGE to a view of the past");
  }
  if (held != nullptr && passage == Passage::direct && body.new_view < held->message.new_view) {
    return fail(Errc::not_found, "VIEW-CHANGE older than another of its sender");
  }
  if (!seeded_bug(Bug::view_change_unverified)) TRY(check_prepared_entries(body));
  if (envelope.sender == config_.self && body.new_view > changing_.sent && looks_for_copies()) {
    stop(Stop::Kind::rolled_back, "a VIEW-CHANGE of this node came that its log does not know");
    return fail(Errc::internal, "rolled back");
  }
  return std::make_shared<const HeldViewChange>(
      HeldViewChange{envelope.sender, std::move(body), message_hash, message.bytes()});
}

Result<void> PbftEngine::check_prepared_entries(const ViewChange& body) {
  const Height base = {config_.epoch.first_height.value - 1};
  if (body.certified < base || body.certified.value >= kViewLimit) {
    return fail(Errc::bad_message, "VIEW-CHANGE from an impossible height");
  }
  if (body.checkpoint.has_value() != (body.certified > base)) {
    return fail(Errc::bad_message, "VIEW-CHANGE with the wrong kind of checkpoint");
  }
  if (body.checkpoint.has_value()) {
    if (body.checkpoint->vote.height != body.certified) {
      return fail(Errc::bad_message, "the checkpoint of a VIEW-CHANGE is of another height");
    }
    TRY(verify_once(*body.checkpoint));
  }
  Height last = body.certified;
  for (const crypto::VoteCertificate& entry : body.prepared) {
    if (entry.vote.height <= last ||
        entry.vote.height > body.certified + config_.epoch.log_window ||
        entry.vote.height > epoch_last().value_or(entry.vote.height)) {
      return fail(Errc::bad_message, "P of a VIEW-CHANGE is not ascending inside the window");
    }
    if (entry.vote.view >= body.new_view) {
      return fail(Errc::bad_message, "P of a VIEW-CHANGE holds a view that is not older");
    }
    last = entry.vote.height;
    TRY(verify_once(entry));
    if (!knows_own_prepare(entry)) {
      stop(Stop::Kind::rolled_back,
           "a certificate holds a PREPARE of this node that its log does not know");
      return fail(Errc::internal, "rolled back");
    }
  }
  return ok();
}

Result<void> PbftEngine::verify_once(const crypto::ExecCertificate& certificate) {
  const Hash hash = crypto::sha256(encode(certificate));
  if (verified_.contains(hash)) return ok();
  TRY(crypto::check_certificate(certificate, config_.chain_id, config_.epoch, *config_.verifier));
  verified_.add(hash);
  return ok();
}

Result<void> PbftEngine::verify_once(const crypto::VoteCertificate& certificate) {
  const Hash hash = crypto::sha256(encode(certificate));
  if (verified_.contains(hash)) return ok();
  TRY(crypto::check_certificate(certificate, crypto::ObjectType::prepare, config_.chain_id,
                                config_.epoch, *config_.verifier));
  verified_.add(hash);
  return ok();
}

}  // namespace baolian::consensus::pbft
