#include "fuzz/liar.h"

#include <algorithm>

namespace baolian::fuzz {

namespace pbft = consensus::pbft;

namespace {

constexpr std::size_t kQuorum = 3;
constexpr std::size_t kSentMax = 50;

/// MessageKind 1..8 are signed as ObjectType 3..10, in the same order.
crypto::ObjectType object_type(MessageKind kind) {
  return static_cast<crypto::ObjectType>(static_cast<std::uint8_t>(kind) + 2);
}

/// O of V6, written a second time: the highest view of P wins, null where nobody prepared.
pbft::Proposals proposals_of(View view, const std::vector<pbft::ViewChange>& view_changes) {
  pbft::Proposals out;
  out.view = view;
  for (const auto& one : view_changes) out.checkpoint = std::max(out.checkpoint, one.certified);
  std::map<Height, crypto::Vote> best;
  for (const auto& one : view_changes) {
    for (const auto& entry : one.prepared) {
      const crypto::Vote& vote = entry.vote;
      if (vote.height <= out.checkpoint) continue;
      const auto [at, is_new] = best.emplace(vote.height, vote);
      if (!is_new && at->second.view < vote.view) at->second = vote;
    }
  }
  if (best.empty()) return out;
  const Height top = best.rbegin()->first;
  for (Height n = out.checkpoint.next(); n <= top && out.digests.size() < 64; ++n) {
    const auto at = best.find(n);
    out.digests.push_back(at != best.end() ? at->second.digest
                                           : consensus::null_digest(fuzz_chain(), Epoch{0}, n));
  }
  return out;
}

}  // namespace

// ------------------------------------------------------------------ choices

View Liar::pick_view(InputBytes& in) const {
  const std::uint64_t highest = nodes_.witness().highest_view().value;
  switch (const std::size_t choice = in.pick(12)) {
    case 8:
      return {highest};
    case 9:
      return {highest + 1};
    case 10:
      return {consensus::kViewLimit - 1};
    case 11:
      return {in.flip() ? consensus::kViewLimit : UINT64_MAX};
    default:
      return {choice};
  }
}

Height Liar::pick_height(InputBytes& in) const {
  const std::uint64_t window = nodes_.epoch().log_window;
  const std::uint64_t base = nodes_.node(nodes_.correct(0)).last.certified.value;
  const std::size_t choice = in.pick(static_cast<std::size_t>(window) + 8);
  if (choice == 0) return {UINT64_MAX - in.pick(2)};
  if (choice == 1) return {0};
  return {std::max<std::uint64_t>(base + choice, 4) - 3};
}

/// What was proposed at this height, by anyone in any view; sometimes null or nonsense.
Hash Liar::pick_digest(InputBytes& in, Height height) {
  const auto& seen = nodes_.witness().envelopes(MessageKind::pre_prepare);
  for (; proposals_read_ < seen.size(); ++proposals_read_) {
    const auto envelope = decode<Envelope>(*seen[proposals_read_]);
    auto body = decode<pbft::PrePrepare>(envelope->body);
    if (body) batches_[body->vote.digest] = {body->vote, body->batch, body->inline_bodies};
  }
  const std::size_t choice = in.pick(16);
  if (choice == 15) return crypto::sha256(Bytes{in.byte()});
  if (choice == 14) return consensus::null_digest(fuzz_chain(), Epoch{0}, height);
  std::vector<Hash> known;
  for (const auto& [digest, batch] : batches_) {
    if (batch.vote.height == height) known.push_back(digest);
  }
  if (known.empty()) return consensus::null_digest(fuzz_chain(), Epoch{0}, height);
  return known[choice % known.size()];
}

crypto::Vote Liar::pick_vote(InputBytes& in) {
  const auto& voted = nodes_.witness().voted();
  const std::size_t choice = in.byte();
  // Even: what somebody voted for, counted from the newest.
  if (choice % 2 == 0 && !voted.empty()) return voted[voted.size() - 1 - choice / 2 % voted.size()];
  crypto::Vote out;
  out.view = pick_view(in);
  out.height = pick_height(in);
  out.digest = pick_digest(in, out.height);
  return out;
}

Liar::MadeBatch Liar::make_batch(InputBytes& in) {
  MadeBatch out;
  const View view = pick_view(in);
  consensus::Batch batch;
  batch.height = pick_height(in);
  batch.origin_view = view;
  batch.proposer = self_;
  batch.proposed_at = nodes_.wall();
  const std::size_t flavour = in.pick(16);
  const auto add = [&](std::uint64_t salt, bool is_valid) {
    const auto body = make_transaction(1'000'000 + batch.height.value % 1000 * 16 + salt, is_valid);
    batch.transactions.push_back(transaction_hash(*body));
    out.bodies.push_back(*body);
    if (transactions_.size() < kSentMax) transactions_.push_back(body);
  };
  if (flavour < 8) add(flavour % 4, true);
  if (flavour == 8) add(4, false);
  if (flavour == 9) batch.proposed_at = {nodes_.wall().value + 501};
  if (flavour == 10) batch.proposed_at = {nodes_.wall().value - 10'001};
  if (flavour == 11) batch.origin_view = {view.value + 4};
  if (flavour == 12) batch.proposer = nodes_.correct(in.byte());
  if (flavour == 13) batch.epoch = {1};
  if (flavour == 14) {
    add(1, true);
    batch.transactions.push_back(batch.transactions[0]);
  }
  out.batch = encode(batch);
  out.vote = {view, batch.height, consensus::batch_digest(out.batch)};
  if (batches_.size() < kSentMax) batches_[out.vote.digest] = out;
  return out;
}

crypto::Signatures Liar::pick_signatures(InputBytes& in, Signers signers, MessageKind kind,
                                         const Hash& body_hash) const {
  signers[self_] =
      fuzz_signer(self_).sign_object(object_type(kind), fuzz_chain(), Epoch{0}, body_hash);
  const std::size_t flavour = in.pick(8);
  if (flavour == 6) {  // forged: the own signature in the others' names
    for (ValidatorIndex i = 0; i < kValidators; ++i) signers.emplace(i, signers[self_]);
  }
  crypto::Signatures out;
  for (const auto& [signer, signature] : signers) out.push_back({signer, signature});
  if (flavour < 6 && out.size() > kQuorum) out.erase(out.begin() + (flavour % 4));
  if (flavour == 7) out.erase(out.begin());
  return out;
}

crypto::VoteCertificate Liar::pick_certificate(InputBytes& in, MessageKind kind,
                                               const crypto::Vote& vote) const {
  crypto::VoteCertificate out;
  out.vote = vote;
  out.signatures =
      pick_signatures(in, nodes_.witness().votes(kind, vote), kind, crypto::sha256(encode(vote)));
  return out;
}

/// For what some correct node executed at this height.
crypto::ExecCertificate Liar::pick_exec_certificate(InputBytes& in, Height height) const {
  crypto::ExecCertificate out;
  out.vote.height = height;
  for (std::size_t i = 0; i + 1 < kValidators; ++i) {
    const auto& store = nodes_.node(nodes_.correct(i)).store;
    if (height.value >= store.size()) continue;
    out.vote.header_hash = store[static_cast<std::size_t>(height.value)].header_hash;
  }
  if (in.pick(8) == 7) out.vote.header_hash.bytes[0] ^= 1;
  out.signatures = pick_signatures(in, nodes_.witness().execs(out.vote), MessageKind::exec,
                                   crypto::sha256(encode(out.vote)));
  return out;
}

/// An envelope of this kind, of a correct node or an own one; empty if there is none.
SharedBytes Liar::pick_envelope(InputBytes& in, MessageKind kind) const {
  const auto& seen = nodes_.witness().envelopes(kind);
  const auto own = sent_.find(kind);
  const std::size_t own_count = own == sent_.end() ? 0 : own->second.size();
  const std::size_t count = seen.size() + own_count;
  if (count == 0) return std::make_shared<const Bytes>();
  const std::size_t at = count - 1 - in.pick(256) % count;
  return at < seen.size() ? seen[at] : own->second[at - seen.size()];
}

const Bytes* Liar::batch_of(const Hash& digest) {
  const auto at = batches_.find(digest);
  return at == batches_.end() ? nullptr : &at->second.batch;
}

// ------------------------------------------------------------------ bodies

Bytes Liar::pre_prepare(InputBytes& in) {
  pbft::PrePrepare out;
  if (in.pick(4) == 3) {  // another's batch, or one of an older view
    out.vote = pick_vote(in);
    if (const Bytes* batch = batch_of(out.vote.digest)) out.batch = *batch;
    return encode(out);
  }
  MadeBatch made = make_batch(in);
  out.vote = made.vote;
  out.batch = std::move(made.batch);
  if (in.pick(4) != 3) out.inline_bodies = std::move(made.bodies);
  if (in.pick(16) == 15) out.vote.digest.bytes[0] ^= 1;
  return encode(out);
}

Bytes Liar::exec(InputBytes& in) const {
  crypto::ExecVote vote = pick_exec_certificate(in, pick_height(in)).vote;
  return encode(vote);
}

Bytes Liar::view_change(InputBytes& in) const {
  pbft::ViewChange out;
  out.new_view = pick_view(in);
  out.certified = pick_height(in);
  if (in.pick(2) == 0) out.certified = nodes_.node(nodes_.correct(in.byte())).last.certified;
  if (out.certified > Height{0} || in.pick(8) == 7) {
    out.checkpoint = pick_exec_certificate(in, out.certified);
  }
  std::map<Height, std::vector<crypto::Vote>> voted;
  for (const crypto::Vote& vote : nodes_.witness().voted()) voted[vote.height].push_back(vote);
  for (const auto& [height, votes] : voted) {
    if (height <= out.certified && in.pick(16) != 15) continue;
    const std::size_t choice = in.byte();
    if (choice % 4 == 3) continue;  // hidden
    const crypto::Vote& vote = votes[votes.size() - 1 - choice / 4 % votes.size()];
    out.prepared.push_back(pick_certificate(in, MessageKind::prepare, vote));
    if (out.prepared.size() == 64) break;
  }
  return encode(out);
}

Bytes Liar::new_view(InputBytes& in) const {
  pbft::NewView out;
  out.view = pick_view(in);
  // One VIEW-CHANGE a sender; which of the own ones is the input's choice.
  std::map<ValidatorIndex, std::pair<Hash, pbft::ViewChange>> found;
  const auto look = [&](const std::vector<SharedBytes>& envelopes, std::size_t skip) {
    for (const SharedBytes& bytes : envelopes) {
      const auto envelope = decode<Envelope>(*bytes);
      auto body = decode<pbft::ViewChange>(envelope->body);
      if (!body || body->new_view != out.view || (skip > 0 && skip-- > 0)) continue;
      found[envelope->sender] = {crypto::sha256(envelope->body), *std::move(body)};
    }
  };
  look(nodes_.witness().envelopes(MessageKind::view_change), 0);
  const auto own = sent_.find(MessageKind::view_change);
  if (own != sent_.end()) look(own->second, in.pick(4));
  if (found.size() > kQuorum && in.pick(8) != 7) {
    auto at = found.begin();
    std::advance(at, in.pick(4));
    found.erase(at);
  }
  std::vector<pbft::ViewChange> bodies;
  for (const auto& [sender, one] : found) {
    out.view_changes.push_back({sender, one.first});
    bodies.push_back(one.second);
  }
  pbft::Proposals proposals = proposals_of(out.view, bodies);
  const std::size_t flavour = in.pick(8);
  if (flavour == 5 && !proposals.digests.empty()) proposals.digests.pop_back();
  if (flavour == 6) proposals.digests.push_back(crypto::sha256(Bytes{1}));
  out.proposals_hash = crypto::sha256(encode(proposals));
  if (flavour == 7 && !out.view_changes.empty()) out.view_changes[0].message_hash.bytes[0] ^= 1;
  return encode(out);
}

Bytes Liar::status(InputBytes& in) const {
  consensus::StatusBody out;
  out.view = pick_view(in);
  out.active = in.flip();
  out.view_change = pick_view(in);
  out.certified = pick_height(in);
  out.executed = pick_height(in);
  const std::size_t count = in.pick(nodes_.epoch().log_window + 3U);
  for (std::size_t i = 0; i < count; ++i) {
    out.progress.push_back(static_cast<consensus::Progress>(in.pick(5)));
  }
  return encode(out);
}

Bytes Liar::fetch(InputBytes& in) {
  consensus::Fetch out;
  out.request = in.pick(8);
  const std::size_t choice = in.pick(4);
  if (choice == 0) out.what = consensus::FetchBlocks{pick_height(in)};
  const crypto::Vote vote = pick_vote(in);
  if (choice == 1) out.what = consensus::FetchBodies{vote.height, vote.digest};
  if (choice == 2) out.what = consensus::FetchBatch{vote.height, vote.digest};
  if (choice == 3) {
    const auto envelope = decode<Envelope>(*pick_envelope(in, MessageKind::view_change));
    consensus::FetchViewChange what;
    if (envelope) what = {envelope->sender, crypto::sha256(envelope->body)};
    if (in.pick(8) == 7) what.sender = in.byte();
    out.what = what;
  }
  return encode(out);
}

consensus::ReplyBlocks Liar::reply_blocks(InputBytes& in) const {
  consensus::ReplyBlocks out;
  const auto& store = nodes_.node(nodes_.correct(in.byte())).store;
  const std::size_t first = 1 + in.pick(16);
  const std::size_t count = 1 + in.pick(4);
  for (std::size_t n = first; n < store.size() && out.blocks.size() < count; ++n) {
    const StoredBlock& block = store[n];
    consensus::SyncBlock made;
    made.header = block.header;
    if (block.batch != nullptr) made.batch = *block.batch;
    for (const SharedBytes& body : block.bodies) made.bodies.push_back(*body);
    std::size_t m = n;
    const std::size_t later = in.pick(4);
    for (; m < n + later && m + 1 < store.size(); ++m) {
      made.later_headers.push_back(store[m + 1].header);
    }
    made.certificate = pick_exec_certificate(in, Height{m});
    switch (in.pick(16)) {
      case 12:
        made.header.back() ^= 1;
        break;
      case 13:
        made.bodies.clear();
        break;
      case 14:
        made.batch.clear();
        break;
      case 15:
        if (!made.bodies.empty()) made.bodies[0].back() ^= 1;
        break;
      default:
        break;
    }
    out.blocks.push_back(encode(made));
  }
  return out;
}

consensus::ReplyNewView Liar::reply_new_view(InputBytes& in) const {
  consensus::ReplyNewView out;
  out.envelope = *pick_envelope(in, MessageKind::new_view);
  const auto envelope = decode<Envelope>(out.envelope);
  if (!envelope) return out;
  const auto body = decode<pbft::NewView>(envelope->body);
  if (!body) return out;
  std::vector<SharedBytes> all = nodes_.witness().envelopes(MessageKind::view_change);
  const auto own = sent_.find(MessageKind::view_change);
  if (own != sent_.end()) all.insert(all.end(), own->second.begin(), own->second.end());
  for (const pbft::ViewChangeReference& wanted : body->view_changes) {
    for (const SharedBytes& one : all) {
      const auto decoded = decode<Envelope>(*one);
      if (crypto::sha256(decoded->body) != wanted.message_hash) continue;
      out.view_changes.push_back(*one);
      break;
    }
  }
  const std::size_t flavour = in.pick(8);
  if (flavour == 6 && !out.view_changes.empty()) out.view_changes.pop_back();
  if (flavour == 7 && out.view_changes.size() > 1)
    std::swap(out.view_changes[0], out.view_changes[1]);
  return out;
}

Bytes Liar::reply(InputBytes& in) {
  consensus::Reply out;
  out.request = in.pick(8);
  switch (in.pick(8)) {
    case 0:
      out.what = reply_blocks(in);
      break;
    case 1: {
      const crypto::Vote vote = pick_vote(in);
      consensus::ReplyBodies what{vote.digest, {}};
      const auto at = batches_.find(vote.digest);
      if (at != batches_.end()) what.bodies = at->second.bodies;
      if (in.pick(4) == 3) what.bodies.push_back(*make_transaction(in.byte(), in.flip()));
      out.what = std::move(what);
      break;
    }
    case 2: {
      const Height height = pick_height(in);
      const auto& store = nodes_.node(nodes_.correct(in.byte())).store;
      consensus::ReplyCertificate what;
      what.certificate = pick_exec_certificate(in, height);
      if (height.value < store.size() && in.pick(4) != 3) {
        what.header = store[static_cast<std::size_t>(height.value)].header;
      }
      out.what = std::move(what);
      break;
    }
    case 3: {
      const crypto::Vote vote = pick_vote(in);
      consensus::ReplyCommit what{pick_certificate(in, MessageKind::commit, vote), {}};
      if (const Bytes* batch = batch_of(vote.digest)) what.batch = *batch;
      if (in.pick(16) == 15) what.batch.clear();
      out.what = std::move(what);
      break;
    }
    case 4:
      out.what = consensus::ReplyPrePrepare{*pick_envelope(in, MessageKind::pre_prepare)};
      break;
    case 5: {
      const crypto::Vote vote = pick_vote(in);
      const Bytes* batch = batch_of(vote.digest);
      out.what = consensus::ReplyBatch{vote.height, batch == nullptr ? Bytes{} : *batch};
      break;
    }
    case 6:
      out.what = consensus::ReplyViewChange{*pick_envelope(in, MessageKind::view_change)};
      break;
    default:
      out.what = reply_new_view(in);
  }
  return encode(out);
}

/// The body of a correct node's message with some bytes changed, signed by the liar.
Bytes Liar::altered(InputBytes& in, MessageKind kind) const {
  const auto envelope = decode<Envelope>(*pick_envelope(in, kind));
  if (!envelope) return to_bytes(in.take(in.byte()));
  Bytes out = envelope->body;
  const std::size_t count = 1 + in.pick(3);
  for (std::size_t i = 0; i < count && !out.empty(); ++i) {
    out[in.word() % out.size()] ^= static_cast<std::uint8_t>(1 + in.pick(255));
  }
  return out;
}

// ------------------------------------------------------------------ sending

Signature Liar::sign(MessageKind kind, BytesView signed_part) const {
  return fuzz_signer(self_).sign_object(object_type(kind), fuzz_chain(), Epoch{0},
                                        crypto::sha256(signed_part));
}

void Liar::send(InputBytes& in, MessageKind kind, Bytes body) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.sender = self_;
  if (kind == MessageKind::pre_prepare) {
    if (body.size() < consensus::kVoteBytes) return;
    envelope.signature = sign(kind, BytesView(body).first(consensus::kVoteBytes));
  } else if (kind != MessageKind::fetch && kind != MessageKind::reply) {
    envelope.signature = sign(kind, body);
  }
  envelope.body = std::move(body);
  const auto bytes = std::make_shared<const Bytes>(encode(envelope));
  auto& kept = sent_[kind];
  if (kept.size() < kSentMax) kept.push_back(bytes);
  const std::size_t except = in.pick(8);  // 0 = all, else one bit a node
  for (std::size_t i = 0; i + 1 < kValidators; ++i) {
    if ((except >> i & 1U) == 0) nodes_.receive(nodes_.correct(i), bytes);
  }
}

void Liar::push_body(InputBytes& in) {
  if (transactions_.empty()) return;
  const SharedBytes& body = transactions_[in.byte() % transactions_.size()];
  nodes_.admit(nodes_.correct(in.byte()), body);
}

void Liar::act(InputBytes& in) {
  switch (in.pick(16)) {
    case 0:
      return send(in, MessageKind::pre_prepare, pre_prepare(in));
    case 1:
      return send(in, MessageKind::prepare, encode(pick_vote(in)));
    case 2:
      return send(in, MessageKind::commit, encode(pick_vote(in)));
    case 3:
      return send(in, MessageKind::exec, exec(in));
    case 4: {
      const pbft::Suspect body{pick_view(in), static_cast<pbft::SuspectReason>(1 + in.pick(4))};
      return send(in, MessageKind::suspect, encode(body));
    }
    case 5:
      return send(in, MessageKind::view_change, view_change(in));
    case 6:
      return send(in, MessageKind::new_view, new_view(in));
    case 7:
      return send(in, MessageKind::status, status(in));
    case 8:
      return send(in, MessageKind::fetch, fetch(in));
    case 9:
    case 10:
      return send(in, MessageKind::reply, reply(in));
    case 11:
      return push_body(in);
    case 12: {  // any body under a good signature
      const auto kind = static_cast<MessageKind>(1 + in.pick(10));
      return send(in, kind, to_bytes(in.take(in.byte())));
    }
    case 13: {
      constexpr std::array kinds{MessageKind::pre_prepare, MessageKind::view_change,
                                 MessageKind::new_view};
      const MessageKind kind = kinds[in.pick(kinds.size())];
      return send(in, kind, altered(in, kind));
    }
    default: {  // votes along with everybody
      const crypto::Vote vote = pick_vote(in);
      InputBytes all({});
      send(all, MessageKind::prepare, encode(vote));
      send(all, MessageKind::commit, encode(vote));
    }
  }
}

}  // namespace baolian::fuzz
