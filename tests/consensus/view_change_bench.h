/// A Bench that speaks the view change: SUSPECT, VIEW-CHANGE and NEW-VIEW of the others, and O of a
/// NEW-VIEW computed here once more, as plainly as the rule is written.
#pragma once

#include <map>

#include "consensus/bench.h"
#include "consensus/pbft/records.h"

namespace baolian::consensus::testing {

/// V6 word by word, without any of the engine's code. Requires: no two prepared entries of one
/// height and view with different digests.
inline pbft::Proposals reference_proposals(const crypto::EpochRecord& epoch, View view,
                                           const std::vector<pbft::ViewChange>& view_changes) {
  std::uint64_t mins = 0;
  for (const auto& vc : view_changes) mins = std::max(mins, vc.certified.value);
  std::uint64_t maxs = mins;
  std::map<std::uint64_t, std::map<std::uint64_t, Hash>> by_height_and_view;
  for (const auto& vc : view_changes) {
    for (const auto& entry : vc.prepared) {
      const crypto::Vote& vote = entry.vote;
      if (vote.height.value <= mins) continue;
      maxs = std::max(maxs, vote.height.value);
      const auto [at, is_new] =
          by_height_and_view[vote.height.value].emplace(vote.view.value, vote.digest);
      REQUIRE((is_new || at->second == vote.digest));
    }
  }
  pbft::Proposals out;
  out.view = view;
  out.checkpoint = {mins};
  for (std::uint64_t n = mins + 1; n <= maxs; ++n) {
    const auto found = by_height_and_view.find(n);
    out.digests.push_back(found == by_height_and_view.end()
                              ? null_digest(test_chain(), epoch.epoch, {n})
                              : found->second.rbegin()->second);
  }
  return out;
}

/// A NEW-VIEW with the VIEW-CHANGEs on which it rests.
struct MadeNewView {
  pbft::NewView body;
  pbft::Proposals proposals;
  SharedBytes message;
  std::vector<SharedBytes> view_changes;
};

class ViewChangeBench : public Bench {
 public:
  using Bench::Bench;
  using Asked = std::map<ValidatorIndex, pbft::ViewChange>;

  // ---------------------------------------------------------------- messages

  RejectReason suspect(ValidatorIndex sender, std::uint64_t view = 0) {
    const pbft::Suspect body{{view}, pbft::SuspectReason::no_heartbeat};
    return deliver(sender, signed_message(epoch(), MessageKind::suspect, sender, encode(body)));
  }
  SharedBytes view_change_message(ValidatorIndex sender, const pbft::ViewChange& body) const {
    return signed_message(epoch(), MessageKind::view_change, sender, encode(body));
  }
  RejectReason view_change(ValidatorIndex sender, const pbft::ViewChange& body) {
    return deliver(sender, view_change_message(sender, body));
  }
  /// VIEW-CHANGE of one that stands at the genesis and has prepared nothing.
  static pbft::ViewChange asks(std::uint64_t view) {
    pbft::ViewChange out;
    out.new_view = {view};
    return out;
  }
  /// ... of one whose newest certificate is of `height`.
  pbft::ViewChange asks_at(std::uint64_t view, std::uint64_t height,
                           const Hash& header_hash) const {
    pbft::ViewChange out = asks(view);
    out.certified = {height};
    out.checkpoint = exec_certificate(epoch(), {height}, header_hash, others(quorum()));
    return out;
  }
  pbft::ViewChange asks_at(std::uint64_t view, std::uint64_t height) const {
    return asks_at(view, height, hash_at(height));
  }
  /// Some header hash for a height that this engine has not executed.
  static Hash hash_at(std::uint64_t height) {
    return crypto::sha256(encode(TestHeader{Epoch{0}, {height}, {}, {}}));
  }
  /// Q PREPAREs, none of this engine.
  crypto::VoteCertificate prepared(const crypto::Vote& vote) const {
    return vote_certificate(epoch(), crypto::ObjectType::prepare, vote, others(quorum()));
  }
  crypto::VoteCertificate prepared(std::uint64_t view, std::uint64_t height,
                                   std::uint64_t salt = 1) const {
    return prepared({{view}, {height}, digest_at(height, salt)});
  }
  static Hash digest_at(std::uint64_t height, std::uint64_t salt = 1) {
    return crypto::sha256(encode(TestHeader{Epoch{salt}, {height}, {}, {}}));
  }

  // ---------------------------------------------------------------- NEW-VIEW

  ValidatorIndex primary_of(std::uint64_t view) const {
    return static_cast<ValidatorIndex>(view % epoch().validators.size());
  }
  SharedBytes sealed(const pbft::NewView& body, ValidatorIndex sender) const {
    return signed_message(epoch(), MessageKind::new_view, sender, encode(body));
  }
  MadeNewView new_view(std::uint64_t view, const Asked& asked) const {
    MadeNewView out;
    out.body.view = {view};
    std::vector<pbft::ViewChange> bodies;
    for (const auto& [sender, body] : asked) {
      out.body.view_changes.push_back({sender, crypto::sha256(encode(body))});
      out.view_changes.push_back(view_change_message(sender, body));
      bodies.push_back(body);
    }
    out.proposals = reference_proposals(epoch(), {view}, bodies);
    out.body.proposals_hash = crypto::sha256(encode(out.proposals));
    out.message = sealed(out.body, primary_of(view));
    return out;
  }
  /// The same VIEW-CHANGE of a quorum that does not need this engine.
  Asked all_ask(const pbft::ViewChange& body) const {
    Asked out;
    for (const ValidatorIndex other : others(quorum())) out[other] = body;
    return out;
  }
  /// NEW-VIEW and VIEW-CHANGEs in one REPLY, as V10 has it.
  RejectReason relay(const MadeNewView& made, ReplicaId from) {
    consensus::ReplyNewView reply;
    reply.envelope = *made.message;
    for (const SharedBytes& message : made.view_changes) reply.view_changes.push_back(*message);
    return Bench::reply(from, {0, std::move(reply)});
  }
  RejectReason relay(const MadeNewView& made) { return relay(made, others().front()); }
  /// The view is entered, with everything durable.
  void enter(const MadeNewView& made) {
    REQUIRE(relay(made) == RejectReason::none);
    persist_all();
    REQUIRE(status().view == made.body.view);
    REQUIRE(status().active);
  }
  void enter(std::uint64_t view) { enter(new_view(view, all_ask(asks(view)))); }

  // ---------------------------------------------------------------- the engine's own

  /// Others make the engine leave its view; VC_SENT stays pending.
  void suspects_of_weak() {
    const std::size_t weak = (epoch().validators.size() - 1) / 3 + 1;
    const std::uint64_t view = status().view.value;
    for (const ValidatorIndex other : others(weak)) {
      if (status().active) REQUIRE(suspect(other, view) == RejectReason::none);
    }
    REQUIRE_FALSE(status().active);
  }
  pbft::ViewChange leave() {
    suspects_of_weak();
    persist_all();
    REQUIRE_FALSE(status().active);
    return own_view_change();
  }
  pbft::ViewChange own_view_change() const {
    const auto all = all_sent(MessageKind::view_change);
    REQUIRE_FALSE(all.empty());
    return body_of<pbft::ViewChange>(all.back());
  }
  std::vector<pbft::Suspect> suspects() const {
    std::vector<pbft::Suspect> out;
    for (const Envelope& envelope : all_sent(MessageKind::suspect)) {
      out.push_back(body_of<pbft::Suspect>(envelope));
    }
    return out;
  }
  std::size_t suspects_of(std::uint64_t view) const {
    std::size_t count = 0;
    for (const pbft::Suspect& suspect : suspects()) count += suspect.view == View{view} ? 1U : 0U;
    return count;
  }
  std::size_t suspects_because(pbft::SuspectReason reason) const {
    std::size_t count = 0;
    for (const pbft::Suspect& suspect : suspects()) count += suspect.reason == reason ? 1U : 0U;
    return count;
  }
  /// Votes of a kind that left, by height.
  std::map<std::uint64_t, crypto::Vote> votes(MessageKind kind) const {
    std::map<std::uint64_t, crypto::Vote> out;
    for (const Envelope& envelope : all_sent(kind)) {
      const auto vote = body_of<crypto::Vote>(envelope);
      out[vote.height.value] = vote;
    }
    return out;
  }
  /// FETCHes of a kind that left, with whom they asked: none = everybody.
  template <typename What>
  std::vector<std::pair<std::optional<ReplicaId>, What>> fetches() const {
    return parts<consensus::Fetch, What>(MessageKind::fetch);
  }
  /// REPLYs of a kind that left.
  template <typename What>
  std::vector<std::pair<std::optional<ReplicaId>, What>> replies() const {
    return parts<consensus::Reply, What>(MessageKind::reply);
  }
  template <typename Body>
  static Body body_of(const Envelope& envelope) {
    auto decoded = decode<Body>(envelope.body);
    REQUIRE(decoded.has_value());
    return *std::move(decoded);
  }
  /// The bodies of the records of a type that are durable.
  template <typename Record>
  std::vector<Record> logged(RecordType type) const {
    return records<Record>(log(), type);
  }
  template <typename Record>
  std::vector<Record> pending_of(RecordType type) const {
    std::vector<LogRecord> all;
    for (const Persist& persist : pending()) {
      all.insert(all.end(), persist.writes.begin(), persist.writes.end());
    }
    return records<Record>(all, type);
  }
  std::uint64_t hits(Probe probe) { return engine().probes()[probe]; }
  /// The engine starts again from what is durable; the store stands where it stood.
  void restart() {
    const Height executed = status().executed;
    forget_pending();
    forget_sent();
    open(log(), executed, last_hash());
  }

 private:
  template <typename Whole, typename What>
  std::vector<std::pair<std::optional<ReplicaId>, What>> parts(MessageKind kind) const {
    std::vector<std::pair<std::optional<ReplicaId>, What>> out;
    for (const Send& send : all_sends()) {
      const auto envelope = decode<Envelope>(*send.bytes);
      REQUIRE(envelope.has_value());
      if (envelope->kind != kind) continue;
      const auto whole = body_of<Whole>(*envelope);
      if (const auto* what = std::get_if<What>(&whole.what)) out.emplace_back(send.to, *what);
    }
    return out;
  }
  template <typename Record>
  static std::vector<Record> records(const std::vector<LogRecord>& log, RecordType type) {
    std::vector<Record> out;
    for (const LogRecord& record : log) {
      if (record.type != type) continue;
      auto decoded = decode<Record>(*record.body);
      REQUIRE(decoded.has_value());
      out.push_back(*std::move(decoded));
    }
    return out;
  }
};

}  // namespace baolian::consensus::testing
