/// What peers pass on: CommitQCs and PRE-PREPAREs (consensus.md 1.5 N4, 1.6 S3). Everything here
/// certifies itself: no bearer is trusted.
#include "consensus/pbft/engine.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {

Verdict PbftEngine::on_protocol_reply(ReplicaId from, Reply& reply) {
  if (auto* commit = std::get_if<ReplyCommit>(&reply.what)) return on_reply_commit(from, *commit);
  if (auto* proposal = std::get_if<ReplyPrePrepare>(&reply.what)) {
    return on_reply_pre_prepare(from, *proposal);
  }
  if (auto* one = std::get_if<ReplyViewChange>(&reply.what)) {
    return on_reply_view_change(from, *one);
  }
  auto* new_view = std::get_if<ReplyNewView>(&reply.what);
  ASSERT(new_view != nullptr);
  return on_reply_new_view(from, *new_view);
}

Verdict PbftEngine::on_protocol_fetch(ReplicaId from, const Fetch& fetch) {
  const auto* view_change = std::get_if<FetchViewChange>(&fetch.what);
  ASSERT(view_change != nullptr);
  return serve_view_change(from, *view_change);
}

Verdict PbftEngine::on_reply_commit(ReplicaId from, ReplyCommit& reply) {
  const crypto::Vote& vote = reply.certificate.vote;
  if (vote.height <= low_mark() || vote.height > high_mark() ||
      (vote.height <= at_.certified && vote.height > at_.executed + keep_ahead())) {
    return Verdict::reject(RejectReason::outside_window);
  }
  const Slot* known = slots_.find(vote.height);
  if (known != nullptr && known->is_decided_at_least(Decision::State::logged)) {
    return Verdict::reject(RejectReason::already_decided);
  }
  Result<std::vector<TxHash>> transactions = check_batch(reply.batch, vote.height, vote.digest);
  if (!transactions.has_value()) return malformed(from, transactions.error());
  const Result<void> checked =
      crypto::check_certificate(reply.certificate, crypto::ObjectType::commit, config_.chain_id,
                                config_.epoch, *config_.verifier);
  if (!checked.has_value() && !seeded_bug(Bug::commit_certificate_unverified)) {
    out_.effects->push_back(BanPeer{from, checked.error().context});
    return Verdict::reject(RejectReason::bad_certificate);
  }
  if (!knows_own_commit(reply.certificate)) {
    stop(Stop::Kind::rolled_back,
         "a certificate holds a COMMIT of this node that its log does "
         "not know");
    return Verdict::reject(RejectReason::stopped);
  }
  Slot& slot = slots_.at_or_new(vote.height);
  Content& content = slot.content_or_new(vote.digest);
  const bool complete = content.complete;
  SharedBytes batch;
  if (!reply.batch.empty()) batch = std::make_shared<const Bytes>(std::move(reply.batch));
  const bool is_asked = content.batch != nullptr;
  if (!complete) add_batch(slot, content, std::move(batch), *std::move(transactions), from);
  const Hash digest = vote.digest;
  probes_.hit(Probe::commit_certificate_taken);
  decide(slot, digest, reply.certificate);
  if (!run_.stopped && !complete && !is_asked) need_bodies(slot, *slot.content(digest), {});
  return Verdict::accept();
}

Verdict PbftEngine::on_reply_pre_prepare(ReplicaId from, ReplyPrePrepare& reply) {
  Result<Envelope> envelope = decode<Envelope>(reply.envelope);
  if (!envelope.has_value()) return malformed(from, envelope.error());
  if (envelope->kind != MessageKind::pre_prepare || envelope->sender == config_.self) {
    return Verdict::reject(RejectReason::bad_content);
  }
  // Cheap questions before the signature: most of these are copies of what is here.
  const Result<PrePrepare> body = decode<PrePrepare>(envelope->body);
  if (!body.has_value()) return malformed(from, body.error());
  const Verdict wanted = judge_proposal(body->vote, envelope->sender);
  if (!wanted.accepted) return wanted;
  const Slot* slot = slots_.find(body->vote.height);
  if (slot != nullptr && slot->proposal.has_value() &&
      slot->proposal->vote.digest == body->vote.digest) {
    return Verdict::reject(RejectReason::duplicate);
  }
  if (batch_digest(body->batch) != body->vote.digest) {
    // The signature does not cover the batch: it is the bearer who changed it.
    return malformed(from, fail(Errc::bad_message, "a passed-on batch has another digest"));
  }
  Result<Verified> verified =
      verify_envelope(envelope->sender, std::make_shared<const Bytes>(std::move(reply.envelope)),
                      config_.chain_id, config_.epoch, *config_.verifier);
  if (!verified.has_value()) return malformed(from, verified.error());
  return on_pre_prepare(*verified);
}

// ------------------------------------------------------------------ rolled back (1.7)

/// False if the certificate holds an own PREPARE above h in a view above every record of the
/// height.
bool PbftEngine::knows_own_prepare(const crypto::VoteCertificate& certificate) const {
  if (!looks_for_copies() || certificate.vote.height <= at_.certified) return true;
  if (!is_signed_by(certificate.signatures, config_.self)) return true;
  const Slot* slot = slots_.find(certificate.vote.height);
  return slot != nullptr && slot->voted_view.has_value() &&
         *slot->voted_view >= certificate.vote.view;
}

/// False if the certificate holds an own COMMIT above h in a view above every record of the height.
bool PbftEngine::knows_own_commit(const crypto::VoteCertificate& certificate) const {
  if (!looks_for_copies() || certificate.vote.height <= at_.certified) return true;
  if (!is_signed_by(certificate.signatures, config_.self)) return true;
  const Slot* slot = slots_.find(certificate.vote.height);
  return slot != nullptr && slot->prepared.has_value() &&
         slot->prepared->vote.view >= certificate.vote.view;
}

}  // namespace baolian::consensus::pbft
