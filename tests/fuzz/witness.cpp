#include "fuzz/witness.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace baolian::fuzz {

namespace pbft = consensus::pbft;

void violation(const char* promise) {
  std::fprintf(stderr, "violation: %s\n", promise);
  std::abort();
}

bool is_traced() {
  static const bool traced = std::getenv("FUZZ_TRACE") != nullptr;
  return traced;
}

std::string described(BytesView bytes) {
  const auto envelope = decode<Envelope>(bytes);
  if (!envelope) return "malformed";
  std::string out = std::to_string(envelope->sender) + " " + std::string(enum_name(envelope->kind));
  const auto number = [&out](const char* name, std::uint64_t value) {
    out += std::string(" ") + name + "=" + std::to_string(value);
  };
  const BytesView body = envelope->body;
  const BytesView head = body.first(std::min(body.size(), consensus::kVoteBytes));
  if (envelope->kind <= MessageKind::commit) {
    if (const auto vote = decode<crypto::Vote>(head)) {
      number("v", vote->view.value);
      number("n", vote->height.value);
      out += " d=" + vote->digest.hex().substr(0, 6);
    }
  } else if (const auto suspect = decode<pbft::Suspect>(body)) {
    number("v", suspect->view.value);
  } else if (const auto leaving = decode<pbft::ViewChange>(body)) {
    number("v", leaving->new_view.value);
    number("h", leaving->certified.value);
    for (const auto& entry : leaving->prepared) {
      number("P.n", entry.vote.height.value);
      number("v", entry.vote.view.value);
    }
  } else if (const auto entering = decode<pbft::NewView>(body)) {
    number("v", entering->view.value);
    for (const auto& one : entering->view_changes) number("of", one.sender);
  } else if (const auto exec = decode<crypto::ExecVote>(body)) {
    number("n", exec->height.value);
  }
  return out;
}

void Witness::on_sent(ReplicaId from, const SharedBytes& bytes) {
  const auto envelope = decode<Envelope>(*bytes);
  ASSERT(envelope.has_value());
  ASSERT(envelope->sender == from);
  switch (envelope->kind) {
    case MessageKind::pre_prepare:
      keep(MessageKind::pre_prepare, bytes);
      [[fallthrough]];
    case MessageKind::prepare:
    case MessageKind::commit: {
      const auto vote =
          decode<crypto::Vote>(BytesView(envelope->body).first(consensus::kVoteBytes));
      ASSERT(vote.has_value());
      return on_vote(*envelope, *vote);
    }
    case MessageKind::exec:
      return on_exec(*envelope);
    case MessageKind::view_change:
      return on_view_change(*envelope, bytes);
    case MessageKind::new_view: {
      const auto body = decode<pbft::NewView>(envelope->body);
      ASSERT(body.has_value());
      const auto [at, is_new] =
          once_a_view_.emplace(std::tuple(envelope->sender, MessageKind::new_view, body->view),
                               crypto::sha256(envelope->body));
      ASSERT(is_new || at->second == crypto::sha256(envelope->body));
      return keep(MessageKind::new_view, bytes);
    }
    case MessageKind::suspect:
    case MessageKind::status:
    case MessageKind::fetch:
    case MessageKind::reply:
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_entries:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      return;
  }
}

void Witness::on_vote(const Envelope& envelope, const crypto::Vote& vote) {
  const auto [at, is_new] =
      signed_.emplace(VoteKey(envelope.sender, envelope.kind, vote.view, vote.height), vote.digest);
  ASSERT(is_new || at->second == vote.digest);
  if (is_new) ASSERT(vote.view >= left_[envelope.sender]);
  highest_view_ = std::max(highest_view_, vote.view);
  auto& signers = votes_[{envelope.kind, vote.view, vote.height, vote.digest}];
  if (signers.empty() && voted_.size() < 1000) voted_.push_back(vote);
  signers[envelope.sender] = envelope.signature;
}

void Witness::on_exec(const Envelope& envelope) {
  const auto vote = decode<crypto::ExecVote>(envelope.body);
  ASSERT(vote.has_value());
  const auto [at, is_new] =
      executed_.emplace(std::pair(envelope.sender, vote->height), vote->header_hash);
  ASSERT(is_new || at->second == vote->header_hash);
  execs_[{vote->height, vote->header_hash}][envelope.sender] = envelope.signature;
}

void Witness::on_view_change(const Envelope& envelope, const SharedBytes& bytes) {
  const auto body = decode<pbft::ViewChange>(envelope.body);
  ASSERT(body.has_value());
  const Hash hash = crypto::sha256(envelope.body);
  const auto [at, is_new] = once_a_view_.emplace(
      std::tuple(envelope.sender, MessageKind::view_change, body->new_view), hash);
  ASSERT(is_new || at->second == hash);
  if (!is_new) return;
  View& left = left_[envelope.sender];
  ASSERT(body->new_view > left);
  left = body->new_view;
  highest_view_ = std::max(highest_view_, left);
  for (const auto& [key, digest] : signed_) {
    const auto& [signer, kind, view, height] = key;
    if (signer != envelope.sender || kind != MessageKind::commit) continue;
    if (height <= body->certified) continue;
    auto entry = body->prepared.begin();
    while (entry != body->prepared.end() && entry->vote.height != height) ++entry;
    ASSERT(entry != body->prepared.end());
    ASSERT(entry->vote.view > view || (entry->vote.view == view && entry->vote.digest == digest));
  }
  keep(MessageKind::view_change, bytes);
}

void Witness::keep(MessageKind kind, const SharedBytes& bytes) {
  auto& kept = envelopes_[kind];
  if (kept.size() < 200) kept.push_back(bytes);
}

Signers Witness::votes(MessageKind kind, const crypto::Vote& vote) const {
  const auto at = votes_.find({kind, vote.view, vote.height, vote.digest});
  return at == votes_.end() ? Signers{} : at->second;
}

Signers Witness::execs(const crypto::ExecVote& vote) const {
  const auto at = execs_.find({vote.height, vote.header_hash});
  return at == execs_.end() ? Signers{} : at->second;
}

const std::vector<SharedBytes>& Witness::envelopes(MessageKind kind) const {
  static const std::vector<SharedBytes> none;
  const auto at = envelopes_.find(kind);
  return at == envelopes_.end() ? none : at->second;
}

}  // namespace baolian::fuzz
