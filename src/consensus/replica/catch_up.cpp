/// FETCH and REPLY of certified blocks and certificates, for late nodes and observers (consensus.md
/// 1.5 N6, 1.6 S2, 1.8 "Near"). Everything here certifies itself: no sender is trusted, no
/// announced height is believed.
#include <algorithm>
#include <utility>

#include "consensus/replica/past_epoch.h"
#include "consensus/replica/replica_engine.h"

namespace baolian::consensus {
namespace {

constexpr std::uint64_t kBlockContentMs = 1000;

}  // namespace

Verdict ReplicaEngine::on_fetch(const Verified& message) {
  const Result<Fetch> decoded = decode<Fetch>(message.envelope().body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  if (const auto* bodies = std::get_if<FetchBodies>(&decoded->what)) {
    return serve_bodies(message.from(), *decoded, *bodies);
  }
  if (const auto* batch = std::get_if<FetchBatch>(&decoded->what)) {
    return serve_batch(message.from(), *batch);
  }
  const auto* blocks = std::get_if<FetchBlocks>(&decoded->what);
  if (blocks == nullptr) return on_protocol_fetch(message.from(), *decoded);
  if (blocks->first.value == 0) return Verdict::reject(RejectReason::bad_content);
  // One a peer: the newest question replaces an older one. serve_parked() answers it.
  peers_[message.from()].parked = Peer::ParkedFetch{decoded->request, blocks->first, run_.now};
  return Verdict::accept();
}

/// Answers FETCHes of blocks whose first height is now certified and executed here.
void ReplicaEngine::serve_parked() {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    if (!peer.parked.has_value()) continue;
    if (peer.parked->since + kParkedFetchMs < run_.now) {
      peer.parked.reset();
      continue;
    }
    if (peer.parked->first > low_mark() || peer.reading.has_value()) continue;
    if (peer.read_at.has_value() && run_.now < *peer.read_at + kReadGapMs) continue;
    peer.reading = std::exchange(peer.parked, std::nullopt);
    peer.read_at = run_.now;
    ReadBlocks read;
    read.peer = static_cast<ReplicaId>(i);
    read.epoch = config_.epoch.epoch;
    read.first = peer.reading->first;
    read.bytes_max = kReplyBytes;
    read.count_max = kReplyBlocksMax;
    out_.effects->push_back(read);
  }
}

Verdict ReplicaEngine::on_blocks_read(BlocksReadInput& input) {
  if (input.peer >= peers_.size() || !peers_[input.peer].reading.has_value()) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  Peer& peer = peers_[input.peer];
  const Peer::ParkedFetch read = *std::exchange(peer.reading, std::nullopt);
  if (input.blocks.empty()) {
    // The certificate is durable here but not in the store yet: ask it again.
    if (!peer.parked.has_value()) peer.parked = read;
    return Verdict::accept();
  }
  std::optional<ReplyBlocks> reply = fitting_blocks(input.blocks);
  if (!reply.has_value()) return Verdict::reject(RejectReason::bad_content);
  send_reply(input.peer, Reply{read.request, *std::move(reply)});
  return Verdict::accept();
}

void ReplicaEngine::send_reply(ReplicaId to, MessageClass message_class, Reply reply) {
  send(to, message_class, make_message(MessageKind::reply, encode(reply), Signature{}));
}

SharedBytes ReplicaEngine::make_fetch(decltype(Fetch::what) what, std::uint64_t request) const {
  return make_message(MessageKind::fetch, encode(Fetch{request, std::move(what)}), Signature{});
}

/// The highest height of which some peer says that it could serve the block. A lie costs one
/// unanswered FETCH.
Height ReplicaEngine::highest_served_elsewhere() const {
  Height out = at_.certified;
  for (const Peer& peer : peers_) {
    if (!peer.status.has_value()) continue;
    out = std::max(out, std::min(peer.status->certified, peer.status->executed));
  }
  return out;
}

Verdict ReplicaEngine::on_peer_ahead(const PeerAheadInput& input) {
  if (input.peer >= peers_.size()) return Verdict::reject(RejectReason::not_member);
  const bool was_ahead = std::exchange(peers_[input.peer].is_ahead, true);
  return was_ahead ? Verdict::reject(RejectReason::duplicate) : Verdict::accept();
}

bool ReplicaEngine::has_peer_ahead() const {
  return std::any_of(peers_.begin(), peers_.end(), [](const Peer& peer) { return peer.is_ahead; });
}

/// Whether the peer says, by STATUS or by being in a later epoch, that it has the block after the
/// last delivered one. Who does not vote hears no STATUS of most: any validator may have it.
bool ReplicaEngine::may_serve(ReplicaId id) const {
  const Peer& peer = peers_[id];
  if (peer.is_ahead) return true;
  if (id >= validator_count()) return false;
  if (!peer.status.has_value()) return !is_validator();
  return std::min(peer.status->certified, peer.status->executed) > at_.delivered;
}

/// The next peer from `first` on that may serve; any validator if there is none.
std::optional<ReplicaId> ReplicaEngine::next_source(ReplicaId first) const {
  std::optional<ReplicaId> any;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const auto id = static_cast<ReplicaId>((first + i) % peers_.size());
    if (id == config_.self) continue;
    if (may_serve(id)) return id;
    if (!any.has_value() && id < validator_count()) any = id;
  }
  return any;
}

/// 1.8: EXECCERT(s) is durable before the state of s is here.
Verdict ReplicaEngine::on_state_transfer(TransferInput& input) {
  fetch_.paused = input.under_way;
  fetch_.open = fetch_.open && !fetch_.paused;
  if (!input.certificate.has_value()) return Verdict::accept();
  const bool is_news = input.certificate->vote.height > at_.certifying;
  if (!is_news || input.certificate->epoch != config_.epoch.epoch) return Verdict::accept();
  if (!knows_own_exec(*input.certificate)) {
    stop(Stop::Kind::rolled_back,
         "a snapshot's certificate holds a signature of this node that its log does not know");
    return Verdict::reject(RejectReason::stopped);
  }
  auto certified = std::make_shared<CertifiedHeader>();
  certified->certificate = *std::move(input.certificate);
  certified->header = std::move(input.header);
  take_certificate(std::move(certified));
  return Verdict::accept();
}

void ReplicaEngine::fetch_blocks_if_due() {
  if (fetch_.paused) return;
  const bool follows = !is_validator();  // an observer always wants the next block
  if (!follows && !has_peer_ahead() && highest_served_elsewhere() <= at_.delivered) {
    fetch_.eager = false;
    fetch_.open = false;
    fetch_.behind_since.reset();
    return;
  }
  if (fetch_.open && run_.now < fetch_.sent_at + kBlocksTimeoutMs) return;
  if (at_.delivered >= at_.executed + keep_ahead() / 2) return;  // execution has enough to do
  if (fetch_.taken_through > at_.delivered && run_.now < fetch_.sent_at + kBlockContentMs) return;
  if (!fetch_.open && !fetch_.eager && !follows) {
    if (!fetch_.behind_since.has_value() || fetch_.behind_at != at_.delivered) {
      fetch_.behind_since = run_.now;
      fetch_.behind_at = at_.delivered;
    }
    if (run_.now < *fetch_.behind_since + kBehindMs) return;
  }
  const auto from = static_cast<ReplicaId>(fetch_.eager ? fetch_.source : fetch_.source + 1);
  const std::optional<ReplicaId> source = next_source(from);
  if (!source.has_value()) return;
  // A question that nobody answered in time keeps its number: a late answer is still good.
  if (!fetch_.open) fetch_.request = run_.next_request++;
  fetch_.eager = false;
  fetch_.open = true;
  fetch_.source = *source;
  fetch_.sent_at = run_.now;
  fetch_.taken_through = {};
  send(*source, MessageClass::sync, make_fetch(FetchBlocks{at_.delivered.next()}, fetch_.request));
}

Verdict ReplicaEngine::on_reply(const Verified& message) {
  Result<Reply> decoded = decode<Reply>(message.envelope().body);
  if (!decoded.has_value()) return malformed(message.from(), decoded.error());
  Reply& reply = *decoded;
  const ReplicaId from = message.from();
  if (auto* blocks = std::get_if<ReplyBlocks>(&reply.what)) {
    return on_reply_blocks(from, reply.request, *blocks);
  }
  if (auto* bodies = std::get_if<ReplyBodies>(&reply.what)) return on_reply_bodies(from, *bodies);
  if (!is_validator()) return Verdict::reject(RejectReason::not_wanted);
  if (auto* certificate = std::get_if<ReplyCertificate>(&reply.what)) {
    return on_reply_certificate(from, *certificate);
  }
  if (auto* batch = std::get_if<ReplyBatch>(&reply.what)) return on_reply_batch(from, *batch);
  return on_protocol_reply(from, reply);
}

Verdict ReplicaEngine::on_reply_blocks(ReplicaId from, std::uint64_t request, ReplyBlocks& reply) {
  if (!fetch_.open || request != fetch_.request) return Verdict::reject(RejectReason::not_wanted);
  fetch_.open = false;
  Height expected;
  for (const Bytes& bytes : reply.blocks) {
    Result<SyncBlock> block = decode<SyncBlock>(bytes);
    if (!block.has_value()) return malformed(from, block.error());
    const Result<HeaderFacts> facts = read_header_(block->header);
    if (!facts.has_value()) return malformed(from, facts.error());
    if (expected.value != 0 && facts->height != expected) {
      return malformed(from, fail(Errc::bad_message, "blocks are not consecutive"));
    }
    expected = facts->height.next();
    const bool is_news =
        facts->height > at_.delivered || block->certificate.vote.height > at_.certifying;
    if (!is_news || facts->height > at_.executed + keep_ahead()) continue;
    const Result<HeaderFacts> checked = check_block(*block);
    if (!checked.has_value()) {
      out_.effects->push_back(BanPeer{from, checked.error().context});
      return Verdict::reject(RejectReason::bad_certificate);
    }
    take_block(from, *block, *checked);
    if (run_.stopped) return Verdict::reject(RejectReason::stopped);
    fetch_.eager = true;
    fetch_.source = from;
  }
  return fetch_.eager ? Verdict::accept() : Verdict::reject(RejectReason::not_wanted);
}

/// Header, batch, chain of headers and certificate fit each other.
/// Returns: Errc::bad_message, bad_certificate, wrong_epoch, codec errors.
Result<HeaderFacts> ReplicaEngine::check_block(const SyncBlock& block) const {
  TRY(const HeaderFacts facts, read_header_(block.header));
  if (facts.epoch != config_.epoch.epoch || facts.height < config_.epoch.first_height) {
    return fail(Errc::wrong_epoch, "a block of another epoch");
  }
  TRY(const std::vector<TxHash> transactions,
      check_batch(block.batch, facts.height, facts.batch_digest));
  if (transactions.size() != block.bodies.size()) {
    return fail(Errc::bad_message, "the bodies of a block do not fit its batch");
  }
  if (facts.epoch_last_height.value != 0 && facts.height > facts.epoch_last_height) {
    return fail(Errc::bad_message, "a block above the last height of its epoch");
  }
  HeaderFacts last = facts;
  for (const Bytes& header : block.later_headers) {
    TRY(HeaderFacts later, read_header_(header));
    if (later.height != last.height.next() || later.parent_hash != last.header_hash ||
        later.epoch != facts.epoch) {
      return fail(Errc::bad_certificate, "later headers do not follow the block");
    }
    last = later;
  }
  if (block.certificate.vote != crypto::ExecVote{last.height, last.header_hash}) {
    return fail(Errc::bad_certificate, "the certificate of a block is of another header");
  }
  if (seeded_bug(Bug::block_unverified)) return facts;
  TRY(crypto::check_certificate(block.certificate, config_.chain_id, config_.epoch,
                                *config_.verifier));
  return facts;
}

/// A checked block: its certificate counts at once, its bodies when the driver has checked them.
void ReplicaEngine::take_block(ReplicaId from, SyncBlock& block, const HeaderFacts& facts) {
  if (!knows_own_exec(block.certificate)) {
    return stop(Stop::Kind::rolled_back,
                "a certificate holds a signature of this node that its "
                "log does not know");
  }
  probes_.hit(Probe::block_taken);
  fetch_.taken_through = facts.height;
  note_seen(facts.height);
  const bool is_done = facts.height <= at_.delivered;
  Slot* slot = slots_.find(facts.height);
  if (slot == nullptr && !is_done) slot = &slots_.at_or_new(facts.height);
  if (slot != nullptr) {
    slot->execution.certified_hash = facts.header_hash;
    if (!agrees_with_certificate(*slot)) return;
  }
  if (is_done || slot->is_decided_at_least(Decision::State::logged)) {
    if (slot != nullptr && slot->is_decided() && slot->decision->digest != facts.batch_digest) {
      return decide(*slot, facts.batch_digest, std::nullopt);  // halts
    }
    if (block.certificate.vote.height <= at_.certifying) return;
    auto certified = std::make_shared<CertifiedHeader>();
    certified->certificate = block.certificate;
    certified->header = block.later_headers.empty() ? block.header : block.later_headers.back();
    return take_certificate(std::move(certified));
  }
  before_certified_block(*slot, facts.batch_digest);
  slot->synced =
      SyncedBlock{std::move(block.header), block.certificate, std::move(block.later_headers)};
  Content& content = slot->content_or_new(facts.batch_digest);
  if (!content.complete) {
    Result<std::vector<TxHash>> transactions =
        check_batch(block.batch, facts.height, facts.batch_digest);
    ASSERT(transactions.has_value());  // check_block() saw it
    SharedBytes batch;
    if (!block.batch.empty()) batch = std::make_shared<const Bytes>(std::move(block.batch));
    add_batch(*slot, content, std::move(batch), *std::move(transactions), from);
  }
  const bool complete = content.complete;
  decide(*slot, facts.batch_digest, std::nullopt);
  if (run_.stopped || complete) return;
  need_bodies(*slot, *slot->content(facts.batch_digest), share_all(std::move(block.bodies)));
}

Verdict ReplicaEngine::on_reply_certificate(ReplicaId from, ReplyCertificate& reply) {
  const Height height = reply.certificate.vote.height;
  if (height <= at_.certifying || height <= at_.certified) {
    return Verdict::reject(RejectReason::not_wanted);
  }
  if (!reply.header.empty()) {
    const Result<HeaderFacts> facts = read_header_(reply.header);
    if (!facts.has_value()) return malformed(from, facts.error());
    if (facts->header_hash != reply.certificate.vote.header_hash || facts->height != height) {
      return malformed(from, fail(Errc::bad_message, "header and certificate do not fit"));
    }
  }
  const Result<void> checked = crypto::check_certificate(reply.certificate, config_.chain_id,
                                                         config_.epoch, *config_.verifier);
  if (!checked.has_value() && !seeded_bug(Bug::certificate_unverified)) {
    out_.effects->push_back(BanPeer{from, checked.error().context});
    return Verdict::reject(RejectReason::bad_certificate);
  }
  if (!knows_own_exec(reply.certificate)) {
    stop(Stop::Kind::rolled_back,
         "a certificate holds a signature of this node that its log does "
         "not know");
    return Verdict::reject(RejectReason::stopped);
  }
  auto certified = std::make_shared<CertifiedHeader>();
  certified->certificate = std::move(reply.certificate);
  certified->header = std::move(reply.header);
  take_certificate(std::move(certified));
  return Verdict::accept();
}

/// False if the certificate holds an own EXEC above h that the log does not know.
bool ReplicaEngine::knows_own_exec(const crypto::ExecCertificate& certificate) const {
  if (!looks_for_copies() || certificate.vote.height <= at_.certified) return true;
  if (!is_signed_by(certificate.signatures, config_.self)) return true;
  const Slot* slot = slots_.find(certificate.vote.height);
  return slot != nullptr && slot->execution.exec.bytes != nullptr &&
         slot->execution.header_hash == certificate.vote.header_hash;
}

}  // namespace baolian::consensus
