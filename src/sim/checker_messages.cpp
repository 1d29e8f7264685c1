// What correct nodes send: never two digests, nothing that no primary proposed, P complete,
// certificates whole.
#include <algorithm>

#include "consensus/batch.h"
#include "consensus/pbft/messages.h"
#include "core/codec.h"
#include "crypto/certificate.h"
#include "crypto/hash.h"
#include "sim/checker.h"
#include "sim/checker_words.h"

namespace baolian::sim {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

namespace {

/// Heights that a node may still be asked about; older ones are certified everywhere.
constexpr std::uint64_t kRememberedHeights = 256;

/// 1.11: a fresh proposal is at most so far ahead of, and behind, the clock of who accepts it.
constexpr std::uint64_t kDriftMsMax = 500;
constexpr std::uint64_t kProposalAgeMsMax = 10'000;

template <typename Entry>
void forget_below(std::map<Height, Entry>& entries, Height certified) {
  if (certified.value <= kRememberedHeights) return;
  entries.erase(entries.begin(), entries.lower_bound(Height{certified.value - kRememberedHeights}));
}

}  // namespace

std::size_t Checker::SlotHash::operator()(const Slot& slot) const {
  std::uint64_t out = slot.height * 0x9E3779B97F4A7C15ULL;
  out = (out ^ slot.view) * 0xFF51AFD7ED558CCDULL;
  out ^= (std::uint64_t{slot.from} << 8 | static_cast<std::uint64_t>(slot.kind)) + slot.epoch;
  return static_cast<std::size_t>(out ^ (out >> 29));
}

bool Checker::fill_slot(const Slot& slot, const Hash& digest) {
  const auto [held, is_new] = signed_.emplace(slot, digest);
  if (!is_new && held->second != digest) {
    violation("I4: " + name(slot.from) + " signed two different " +
              std::string(enum_name(slot.kind)) + at(Height{slot.height}) + in(View{slot.view}));
  }
  return is_new;
}

void Checker::on_received(node::ReplicaId node, node::ReplicaId from, BytesView bytes) {
  if (world_.genesis.epoch.consensus_kind != crypto::ConsensusKind::raft) return;
  if (const auto message = peek(bytes)) raft_.on_received(node, from, *message);
}

void Checker::on_sent(node::ReplicaId from, BytesView bytes, Height certified,
                      std::optional<node::ReplicaId> to) {
  const auto message = peek(bytes);
  if (!message) return;  // the pool's
  // A message of another validator that is only passed on is that one's matter.
  const bool is_own = node_of(message->epoch, message->sender) == from;
  if (is_own) raft_.on_sent(from, to, *message);
  switch (message->kind) {
    case MessageKind::pre_prepare:
    case MessageKind::prepare:
    case MessageKind::commit:
    case MessageKind::exec:
      if (is_own) on_vote(from, *message, certified);
      break;
    case MessageKind::view_change:
      if (is_own) on_view_change(from, *message);
      break;
    case MessageKind::new_view:
      if (is_own) on_new_view(from, *message);
      break;
    case MessageKind::reply:
      on_reply(from, *message);
      break;
    case MessageKind::suspect:
    case MessageKind::status:
    case MessageKind::fetch:
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_entries:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      break;
  }
}

void Checker::on_vote(node::ReplicaId from, const MessageView& message, Height certified) {
  const auto vote = peek_vote(message);
  if (!vote) return violation("I4: " + name(from) + " sent a vote that does not decode");
  const bool is_new =
      fill_slot({from, message.kind, message.epoch.value, vote->view.value, vote->height.value},
                vote->digest);
  if (!is_new) return;
  Sent& sent = sent_[{from, message.epoch}];
  if (message.kind == MessageKind::exec) {
    sent.execs[vote->height] = vote->digest;
    return forget_below(sent.execs, certified);
  }
  if (vote->view < sent.view_change) {
    violation("V2: " + name(from) + " voted" + in(vote->view) + " after it had left it" +
              at(vote->height));
  }
  if (vote->height.value > certified.value + world_.genesis.epoch.log_window) {
    violation("N1: " + name(from) + " voted above its window" + at(vote->height));
  }
  if (message.kind == MessageKind::pre_prepare) return learn_proposal(message);
  if (message.kind == MessageKind::prepare) judge_prepare(from, message.epoch, *vote);
  auto& votes = message.kind == MessageKind::prepare ? sent.prepares : sent.commits;
  VoteHead& last = votes[vote->height];
  if (vote->view >= last.view) last = *vote;
  forget_below(votes, certified);
}

void Checker::learn_proposal(const MessageView& message) {
  const auto vote = peek_vote(message);
  if (!vote || proposed_.contains(vote->digest)) return;
  const auto proposal = decode<pbft::PrePrepare>(message.body);
  if (!proposal) return;
  const auto batch = decode<consensus::Batch>(proposal->batch);
  if (!batch) return;
  proposed_.emplace(
      consensus::batch_digest(proposal->batch),
      Proposed{batch->height, batch->origin_view, batch->proposer, batch->proposed_at});
}

void Checker::on_proposal(BytesView bytes) {
  const auto message = peek(bytes);
  if (message && message->kind == MessageKind::pre_prepare) learn_proposal(*message);
}

void Checker::on_clock(node::ReplicaId node, TimeMs wall) {
  if (!is_correct(node)) return;
  earliest_clock_ = std::min(earliest_clock_, wall);
  latest_clock_ = std::max(latest_clock_, wall);
}

/// N1 and 1.11 for whoever prepares it, fresh or out of O: what was once prepared anywhere was
/// judged by the clock of a correct node, and none ever showed less or more than these two.
void Checker::judge_prepare(node::ReplicaId from, Epoch epoch, const VoteHead& vote) {
  const auto known = proposed_.find(vote.digest);
  if (known == proposed_.end()) {
    if (vote.digest != consensus::null_digest(world_.chain_id, epoch, vote.height)) {
      violation("N1: " + name(from) + " prepared what nobody proposed" + at(vote.height));
    }
    return;
  }
  const Proposed& batch = known->second;
  const std::string what = name(from) + " prepared what node " + std::to_string(batch.proposer) +
                           " proposed" + in(batch.origin_view);
  if (batch.proposer != batch.origin_view.value % record_of(epoch)->validators.size()) {
    violation("N1: " + what + ", who was not its primary" + at(vote.height));
  }
  if (batch.height != vote.height || batch.origin_view > vote.view) {
    violation("N1: " + what + " for another height or a later view" + at(vote.height));
  }
  if (batch.at.value > latest_clock_.value + kDriftMsMax ||
      batch.at.value + kProposalAgeMsMax < earliest_clock_.value) {
    violation("1.11: " + what + " at a time that no correct clock has shown" + at(vote.height));
  }
}

void Checker::on_view_change(node::ReplicaId from, const MessageView& message) {
  const auto change = decode<pbft::ViewChange>(message.body);
  if (!change) return violation("I13: " + name(from) + " sent a VIEW-CHANGE that does not decode");
  const bool is_new =
      fill_slot({from, message.kind, message.epoch.value, change->new_view.value, 0},
                crypto::sha256(message.body));
  Sent& sent = sent_[{from, message.epoch}];
  if (change->new_view < sent.view_change) {
    violation("I6: " + name(from) + " sent a VIEW-CHANGE" + in(change->new_view) +
              " after a higher one");
  }
  if (!is_new) return;
  sent.view_change = change->new_view;
  const Durable& durable = durable_[{from, message.epoch}];
  if (std::max(durable.entered, durable.view_change) < change->new_view) {
    violation("V2: " + name(from) + " sent VIEW-CHANGE" + in(change->new_view) +
              " before its disk held VC_SENT");
  }
  if (change->checkpoint) {
    check_certificate(from, *change->checkpoint);
    if (change->checkpoint->vote.height != change->certified) {
      violation("I14: " + name(from) + " sent a VIEW-CHANGE with the certificate of another h");
    }
  }
  std::map<Height, const crypto::Vote*> entries;
  for (const crypto::VoteCertificate& entry : change->prepared) {
    check_certificate(from, entry, crypto::ObjectType::prepare);
    entries[entry.vote.height] = &entry.vote;
  }
  for (auto commit = sent.commits.upper_bound(change->certified); commit != sent.commits.end();
       ++commit) {
    const auto entry = entries.find(commit->first);
    const bool held = entry != entries.end() && entry->second->view >= commit->second.view &&
                      (entry->second->view > commit->second.view ||
                       entry->second->digest == commit->second.digest);
    if (!held) {
      violation("I13: the VIEW-CHANGE" + in(change->new_view) + " of " + name(from) +
                " hides what it sent COMMIT for" + at(commit->first));
    }
  }
}

void Checker::on_new_view(node::ReplicaId from, const MessageView& message) {
  const auto view = decode<pbft::NewView>(message.body);
  if (!view) return violation("V5: " + name(from) + " sent a NEW-VIEW that does not decode");
  fill_slot({from, message.kind, message.epoch.value, view->view.value, 0},
            crypto::sha256(message.body));
  View& last = sent_[{from, message.epoch}].new_view;
  last = std::max(last, view->view);
  if (durable_[{from, message.epoch}].entered < view->view) {
    violation("V5: " + name(from) + " sent NEW-VIEW" + in(view->view) +
              " before its disk held VIEW_ENTER");
  }
  if (view->view_changes.size() < quorum(message.epoch)) {
    violation("V5: the NEW-VIEW of " + name(from) + " rests on too few VIEW-CHANGEs");
  }
}

void Checker::on_reply(node::ReplicaId from, const MessageView& message) {
  // Only what carries a bare certificate is worth decoding here; blocks are checked where they
  // arrive, by the certificates that their receivers store.
  constexpr std::size_t kTagAt = 8;
  if (message.body.size() <= kTagAt) return;
  const std::uint8_t tag = message.body[kTagAt];
  if (tag != 2 && tag != 3) return;
  const auto reply = decode<consensus::Reply>(message.body);
  if (!reply) return violation("I14: " + name(from) + " sent a REPLY that does not decode");
  if (const auto* held = std::get_if<consensus::ReplyCertificate>(&reply->what)) {
    check_certificate(from, held->certificate);
  }
  if (const auto* held = std::get_if<consensus::ReplyCommit>(&reply->what)) {
    check_certificate(from, held->certificate, crypto::ObjectType::commit);
  }
}

/// Why signatures are no quorum's; empty if they are. Counted here anew: the checker must not share
/// a mistake with the code that it judges.
std::string Checker::fault_of(const crypto::Signatures& signatures, crypto::ObjectType type,
                              Epoch epoch, BytesView body) const {
  const crypto::EpochRecord* known = record_of(epoch);
  if (known == nullptr) return "another epoch";
  const crypto::EpochRecord& record = *known;
  const std::size_t count = record.validators.size();
  if (signatures.size() < quorum(epoch)) return "too few signatures";
  const Hash body_hash = crypto::sha256(body);
  const crypto::IndexedSignature* last = nullptr;
  for (const crypto::IndexedSignature& one : signatures) {
    if (one.validator >= count) return "a signer that is no validator";
    if (last != nullptr && one.validator <= last->validator) return "signers not ascending";
    if (!crypto::toy_verifier().verify_object(record.validators[one.validator], type,
                                              world_.chain_id, epoch, body_hash, one.signature)) {
      return "a signature that does not verify";
    }
    last = &one;
  }
  return {};
}

void Checker::check_certificate(node::ReplicaId from, const crypto::VoteCertificate& certificate,
                                crypto::ObjectType type) {
  Bytes bytes = encode(certificate);
  bytes.push_back(static_cast<std::uint8_t>(type));
  if (!checked_.insert(crypto::sha256(bytes)).second) return;
  const std::string fault =
      fault_of(certificate.signatures, type, certificate.epoch, encode(certificate.vote));
  if (fault.empty()) return;
  violation("I14: " + name(from) + " shows a certificate" + at(certificate.vote.height) + " with " +
            fault);
}

void Checker::check_certificate(node::ReplicaId from, const crypto::ExecCertificate& certificate) {
  if (!checked_.insert(crypto::sha256(encode(certificate))).second) return;
  const std::string fault = fault_of(certificate.signatures, crypto::ObjectType::exec,
                                     certificate.epoch, encode(certificate.vote));
  if (fault.empty()) return;
  violation("I14: " + name(from) + " shows an ExecCert" + at(certificate.vote.height) + " with " +
            fault);
}

bool Checker::is_valid(const crypto::ExecCertificate& certificate) const {
  return fault_of(certificate.signatures, crypto::ObjectType::exec, certificate.epoch,
                  encode(certificate.vote))
      .empty();
}

}  // namespace baolian::sim
