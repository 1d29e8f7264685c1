/// Batches and their bodies: asked for, checked, served (consensus.md 1.3, 1.5 N2). And the cells
/// of votes (N8, N9).
#include <algorithm>

#include "consensus/replica/replica_engine.h"

namespace baolian::consensus {
namespace {

constexpr std::uint64_t kBodiesAnswerGapMs = 20;
constexpr std::uint64_t kBatchAnswerGapMs = 1;

}  // namespace

void ReplicaEngine::add_batch(Slot& slot, Content& content, SharedBytes batch,
                              std::vector<TxHash> transactions, ReplicaId source) {
  ASSERT(slot.content(content.digest) == &content);
  if (content.batch != nullptr) return;
  content.batch = std::move(batch);
  content.transactions = std::move(transactions);
  content.source = source;
}

void ReplicaEngine::need_bodies(const Slot& slot, Content& content,
                                std::vector<SharedBytes> inline_bodies) {
  ASSERT(!content.complete);
  content.asked_at = run_.now;
  if (content.transactions.empty()) {
    content.complete = true;
    const Hash digest = content.digest;
    return on_content(*slots_.find(slot.height), digest);
  }
  out_.effects->push_back(NeedBodies{content.digest, slot.height, content.transactions,
                                     content.source, std::move(inline_bodies)});
}

Verdict ReplicaEngine::on_bodies(BodiesInput& input) {
  Slot* slot = slots_.with_content(input.digest);
  if (slot == nullptr) return Verdict::reject(RejectReason::not_wanted);
  Content& content = *slot->content(input.digest);
  if (content.complete) return Verdict::reject(RejectReason::duplicate);
  if (input.bodies.size() != content.transactions.size()) {
    return Verdict::reject(RejectReason::bad_content);
  }
  if (total_size_bytes(input.bodies) > kBatchBodyBytesMax) {
    return on_bad_bodies(BadBodiesInput{input.digest});
  }
  content.bodies = std::move(input.bodies);
  content.complete = true;
  on_content(*slot, input.digest);
  return Verdict::accept();
}

/// One cell a validator; the first vote stays, a second that differs is evidence (N8).
Verdict ReplicaEngine::store_vote(VoteTable& table, const Envelope& envelope,
                                  crypto::ObjectType type, const Hash& digest, const Bytes& body) {
  const VoteTable::Outcome outcome =
      table.store(envelope.sender, validator_count(), digest, envelope.signature);
  if (outcome == VoteTable::Outcome::stored) return Verdict::accept();
  if (outcome == VoteTable::Outcome::duplicate) return Verdict::reject(RejectReason::duplicate);
  const VoteTable::Vote& first = *table.vote_of(envelope.sender);
  Bytes first_body = body;  // both bodies end with the 32 bytes in which they differ
  std::copy(first.digest.bytes.begin(), first.digest.bytes.end(),
            first_body.end() - static_cast<std::ptrdiff_t>(Hash::kSize));
  keep_evidence(Evidence{type, envelope.epoch, envelope.sender, std::move(first_body), body,
                         first.signature, envelope.signature});
  return Verdict::reject(RejectReason::equivocation);
}

/// Batch and bodies of `digest` are complete: go on with whatever waited for them.
void ReplicaEngine::on_content(Slot& slot, const Hash& digest) {
  const Content* content = slot.content(digest);
  ASSERT(content != nullptr && content->complete);
  on_complete_content(slot, digest);
  if (slot.is_decided() && slot.decision->digest == digest) log_decision(slot);
}

Verdict ReplicaEngine::on_bad_bodies(const BadBodiesInput& input) {
  Slot* slot = slots_.with_content(input.digest);
  if (slot == nullptr) return Verdict::reject(RejectReason::not_wanted);
  const Content& content = *slot->content(input.digest);
  if (content.complete) return Verdict::reject(RejectReason::duplicate);
  // A quorum has seen valid bodies: ours were forged on the way, and are fetched again.
  if (slot->is_decided() && slot->decision->digest == input.digest) {
    return Verdict::reject(RejectReason::already_decided);
  }
  if (!on_impossible_content(*slot, input.digest)) {
    return Verdict::reject(RejectReason::already_decided);
  }
  std::erase_if(slot->contents, [&](const Content& c) { return c.digest == input.digest; });
  return Verdict::accept();
}

Verdict ReplicaEngine::serve_bodies(ReplicaId to, const Fetch& fetch, const FetchBodies& what) {
  Peer& peer = peers_[to];
  if (peer.bodies_at.has_value() && run_.now < *peer.bodies_at + kBodiesAnswerGapMs) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  const Slot* slot = slots_.find(what.height);
  const Content* content = slot == nullptr ? nullptr : slot->content(what.digest);
  if (content == nullptr || !content->complete) return Verdict::reject(RejectReason::not_wanted);
  peer.bodies_at = run_.now;
  ReplyBodies reply;
  reply.digest = what.digest;
  reply.bodies.reserve(content->bodies.size());
  for (const SharedBytes& body : content->bodies) reply.bodies.push_back(*body);
  send_reply(to, Reply{fetch.request, std::move(reply)});
  return Verdict::accept();
}

Verdict ReplicaEngine::serve_batch(ReplicaId to, const FetchBatch& what) {
  Peer& peer = peers_[to];
  if (peer.batches_at.has_value() && run_.now < *peer.batches_at + kBatchAnswerGapMs) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  const Slot* slot = slots_.find(what.height);
  const Content* content = slot == nullptr ? nullptr : slot->content(what.digest);
  if (content == nullptr || content->batch == nullptr) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  peer.batches_at = run_.now;
  send_reply(to, Reply{0, ReplyBatch{what.height, *content->batch}});
  return Verdict::accept();
}

/// N2: bodies that the driver did not find are fetched from the primary first, then from those who
/// sent a PREPARE.
void ReplicaEngine::fetch_bodies_if_due() {
  for (auto& [height, slot] : slots_) {
    for (Content& content : slot.contents) {
      if (content.complete || run_.now < content.asked_at + kBodiesRetryMs) continue;
      if (content.batch == nullptr) {
        fetch_batch(slot, content);
        continue;
      }
      content.asked_at = run_.now;
      const std::optional<ReplicaId> source = bodies_source(slot, content);
      ++content.attempts;
      if (!source.has_value()) continue;
      send(*source, MessageClass::sync,
           make_fetch(FetchBodies{height, content.digest}, run_.next_request++));
    }
  }
}

/// A batch of O that is not known here: whoever prepared it has it, so all are asked in turn.
void ReplicaEngine::fetch_batch(const Slot& slot, Content& content) {
  content.asked_at = run_.now;
  const bool is_first = content.attempts == 0;
  ++content.attempts;
  const SharedBytes fetch =
      make_fetch(FetchBatch{slot.height, content.digest}, run_.next_request++);
  if (is_first) return send(std::nullopt, MessageClass::sync, fetch);
  const auto target = static_cast<ReplicaId>((config_.self + content.attempts) % validator_count());
  if (target != config_.self) send(target, MessageClass::sync, fetch);
}

std::optional<ReplicaId> ReplicaEngine::bodies_source(const Slot& slot,
                                                      const Content& content) const {
  if (content.attempts == 0 && content.source != config_.self &&
      content.source < validator_count()) {
    return content.source;
  }
  std::vector<ReplicaId> holders;
  std::vector<ReplicaId> others;
  for (std::size_t i = 0; i < validator_count(); ++i) {
    const auto index = static_cast<ValidatorIndex>(i);
    if (index == config_.self) continue;
    const VoteTable::Vote* vote = slot.prepares[0].vote_of(index);
    (vote != nullptr && vote->digest == content.digest ? holders : others).push_back(index);
  }
  holders.insert(holders.end(), others.begin(), others.end());
  if (holders.empty()) return std::nullopt;
  return holders[content.attempts % holders.size()];
}

Verdict ReplicaEngine::on_reply_batch(ReplicaId from, ReplyBatch& reply) {
  Slot* slot = slots_.find(reply.height);
  const Hash digest = batch_digest(reply.batch);
  Content* content = slot == nullptr ? nullptr : slot->content(digest);
  if (content == nullptr || content->complete || content->batch != nullptr) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  Result<std::vector<TxHash>> transactions = check_batch(reply.batch, reply.height, digest);
  // A quorum prepared this digest, so its content is sound; a batch that is not has no such digest.
  if (!transactions.has_value()) return malformed(from, transactions.error());
  probes_.hit(Probe::batch_fetched);
  content->attempts = 0;
  add_batch(*slot, *content, std::make_shared<const Bytes>(std::move(reply.batch)),
            *std::move(transactions), from);
  need_bodies(*slot, *content, {});
  return Verdict::accept();
}

Verdict ReplicaEngine::on_reply_bodies(ReplicaId from, ReplyBodies& reply) {
  Slot* slot = slots_.with_content(reply.digest);
  if (slot == nullptr) return Verdict::reject(RejectReason::not_wanted);
  Content& content = *slot->content(reply.digest);
  // Bodies of a batch that is not known here yet (it came with O) were not asked for.
  if (content.complete || content.attempts == 0 || content.batch == nullptr) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  if (reply.bodies.size() != content.transactions.size()) {
    return malformed(from, fail(Errc::bad_message, "bodies do not fit the batch"));
  }
  probes_.hit(Probe::bodies_fetched);
  // The driver checks them against the hashes; one answer serves one question.
  need_bodies(*slot, content, share_all(std::move(reply.bodies)));
  return Verdict::accept();
}

/// The transactions of a batch that has this digest and belongs to this height.
Result<std::vector<TxHash>> ReplicaEngine::check_batch(BytesView bytes, Height height,
                                                       const Hash& digest) const {
  if (bytes.empty()) {
    if (digest == null_digest(config_.chain_id, config_.epoch.epoch, height)) {
      return std::vector<TxHash>{};
    }
    return fail(Errc::bad_message, "a batch is missing");
  }
  if (batch_digest(bytes) != digest) return fail(Errc::bad_message, "a batch has another digest");
  TRY(Batch batch, decode<Batch>(bytes));
  if (batch.epoch != config_.epoch.epoch || batch.height != height) {
    return fail(Errc::bad_message, "a batch belongs to another height");
  }
  return std::move(batch.transactions);
}

}  // namespace baolian::consensus
