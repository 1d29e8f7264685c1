#include "node/snapshot_exchange.h"

#include <algorithm>
#include <utility>

#include "core/assert.h"
#include "ledger/snapshot_files.h"

namespace baolian::node {

namespace {

constexpr std::uint64_t kOfferGapMs = 1'000;    ///< between two offers to one peer, or of one
constexpr std::uint64_t kChooseMs = 1'000;      ///< offers of others are waited for
constexpr std::uint64_t kAskAgainMs = 1'000;    ///< while nobody holds what is fetched
constexpr std::uint64_t kLookAgainMs = 200;     ///< who was told to join: links come up one by one
constexpr std::uint64_t kLookMs = 15'000;       ///< then it fetches blocks like everybody
constexpr std::uint64_t kStandStillMs = 5'000;  ///< without a block, though others are ahead
constexpr std::uint64_t kPartTimeoutMs = 5'000;
constexpr std::uint64_t kGiveUpMs = 60'000;  ///< without a part: peers hold newer ones by now
/// Without a part and without anybody who holds it: what is stored stays for another try.
constexpr std::uint64_t kNobodyMs = 10'000;
constexpr std::size_t kMissesMax = 3;
constexpr std::size_t kCandidatesMax = 8;
constexpr std::size_t kChunksPerSource = 4;
constexpr std::size_t kChunksUnderWay = 16;  ///< fetched and not stored yet: bounds the memory
constexpr std::size_t kReadingMax = 2 * kChunksPerSource;

bool is_due(const std::optional<Tick>& last, Tick now, std::uint64_t gap_ms) {
  return !last.has_value() || *last + gap_ms <= now;
}

}  // namespace

SnapshotExchange::SnapshotExchange(const Config& config, Transport& transport, SnapshotPort& port,
                                   std::size_t nodes, ReplicaId self)
    : config_(config), transport_(transport), port_(port), self_(self), peers_(nodes) {}

// ------------------------------------------------------------------ both sides

void SnapshotExchange::on_message(ReplicaId from, BytesView bytes) {
  ASSERT(!bytes.empty() && from < peers_.size());
  switch (bytes.front()) {
    case kSnapshotOffer:
      return on_offer(from, bytes);
    case kSnapshotQuery:
      return on_query(from, bytes);
    case kFetchChunk:
      return on_fetch(from, bytes);
    case kChunkPart:
      return on_part(from, bytes);
    default:
      return refuse(from, "unknown snapshot message");
  }
}

void SnapshotExchange::refuse(ReplicaId from, const std::string& why) {
  const bool is_known = std::exchange(peers_[from].lied, true);
  drop_source(from);
  if (!is_known) transport_.ban(from, why);
}

void SnapshotExchange::on_tick(Tick now, Height executed) {
  now_ = now;
  if (executed != executed_ || executed_at_ == Tick{}) executed_at_ = now;
  executed_ = executed;
  switch (phase_) {
    case Phase::idle:
      return look_for_one();
    case Phase::choosing:
      if (choosing_since_ + kChooseMs <= now_) choose();
      return;
    case Phase::fetching:
      drop_late();
      if (moved_at_ + (sources_.empty() ? kNobodyMs : kGiveUpMs) <= now_) return give_up();
      if (sources_.empty() && is_due(asked_all_at_, now_, kAskAgainMs)) {
        for (Peer& peer : peers_) peer.misses = 0;
        ask_all(target());
      }
      return fetch_more();
    case Phase::beginning:
    case Phase::staged:
      return;
  }
}

/// Who was told to join asks everybody, and fetches no blocks before somebody offers a snapshot or
/// nobody does.
void SnapshotExchange::look_for_one() {
  if (!config_.wants_snapshot) return;
  if (!looking_since_.has_value()) {
    looking_since_ = now_;
    input_ = consensus::TransferInput{.under_way = true};
  }
  if (*looking_since_ + kLookMs <= now_) {
    config_.wants_snapshot = false;
    input_ = consensus::TransferInput{.under_way = false};
    return;
  }
  if (is_due(asked_all_at_, now_, kLookAgainMs)) ask_all(Height{});
}

// ------------------------------------------------------------------ serving

void SnapshotExchange::offer(ReplicaId to, Height height) {
  Peer& peer = peers_[to];
  if (!is_due(peer.offered_at, now_, kOfferGapMs)) return;
  const auto held = port_.held(height);
  if (!held.has_value()) return;
  peer.offered_at = now_;
  transport_.send(to, MessageClass::sync, held->offer);
}

/// S2: who is far behind gets an offer beside the blocks.
void SnapshotExchange::on_blocks_wanted(ReplicaId peer, Height first) {
  ASSERT(peer < peers_.size());
  const auto held = port_.held(Height{});
  if (held.has_value() && held->height > first) offer(peer, Height{});
}

void SnapshotExchange::on_query(ReplicaId from, BytesView bytes) {
  const auto query = decode<SnapshotQuery>(bytes);
  if (!query) return refuse(from, query.error().context);
  offer(from, query->height);
}

void SnapshotExchange::on_fetch(ReplicaId from, BytesView bytes) {
  const auto wanted = decode<FetchChunk>(bytes);
  if (!wanted) return refuse(from, wanted.error().context);
  if (wanted->number >= ledger::kChunkCount) return refuse(from, "a chunk that no state has");
  if (peers_[from].reading >= kReadingMax) return;
  ++peers_[from].reading;
  port_.read_chunk(from, *wanted);
}

void SnapshotExchange::on_chunk_read(ReplicaId peer, SharedBytes part) {
  ASSERT(peer < peers_.size() && peers_[peer].reading > 0);
  --peers_[peer].reading;
  transport_.send(peer, MessageClass::sync, std::move(part));
}

// ------------------------------------------------------------------ choosing

bool SnapshotExchange::is_worth_it(Height height) const {
  const bool stands_still = executed_at_ + kStandStillMs <= now_;
  return height > executed_ + (config_.wants_snapshot || stands_still ? 0 : config_.far_heights);
}

void SnapshotExchange::ask_all(Height height) {
  asked_all_at_ = now_;
  const auto query =
      std::make_shared<const Bytes>(encode(SnapshotQuery{.version = {}, .height = height}));
  for (std::size_t id = 0; id < peers_.size(); ++id) {
    const auto peer = static_cast<ReplicaId>(id);
    if (peer != self_) transport_.send(peer, MessageClass::sync, query);
  }
}

void SnapshotExchange::on_offer(ReplicaId from, BytesView bytes) {
  Peer& peer = peers_[from];
  if (peer.lied || phase_ == Phase::beginning || phase_ == Phase::staged) return;
  if (!is_due(peer.judged_at, now_, kOfferGapMs / 2)) return;
  auto offered = decode<SnapshotOffer>(bytes);
  if (!offered) return refuse(from, offered.error().context);
  const Height height = offered->head.header.height;
  const Hash hash = ledger::header_hash(offered->head.header);
  if (phase_ == Phase::fetching) {
    // The same header: whatever else its head says, the chunks are checked against ours.
    if (hash == head_hash_ && peer.misses < kMissesMax) sources_.insert(from);
    return fetch_more();
  }
  if (!is_worth_it(height)) return;
  const auto known = candidates_.find(hash);
  if (known != candidates_.end()) {
    known->second.peers.insert(from);
    return;
  }
  if (candidates_.size() >= kCandidatesMax) return;
  peer.judged_at = now_;
  const auto checked =
      ledger::check_snapshot_head(offered->head, *config_.genesis, *config_.verifier);
  if (!checked) return refuse(from, checked.error().context);
  candidates_.emplace(hash, Candidate{std::move(offered->head), offered->size_bytes, {from}});
  if (phase_ == Phase::choosing) return;
  phase_ = Phase::choosing;
  choosing_since_ = now_;
  ask_all(Height{});
}

/// The one that most peers hold: then one liar among them matters least.
void SnapshotExchange::choose() {
  const auto is_less = [](const auto& a, const auto& b) {
    if (a.second.peers.size() != b.second.peers.size()) {
      return a.second.peers.size() < b.second.peers.size();
    }
    return a.second.head.header.height < b.second.head.header.height;
  };
  std::erase_if(candidates_,
                [this](const auto& one) { return !is_worth_it(one.second.head.header.height); });
  const auto best = std::max_element(candidates_.begin(), candidates_.end(), is_less);
  if (best == candidates_.end()) {
    phase_ = Phase::idle;
    return;
  }
  head_hash_ = best->first;
  head_ = std::move(best->second.head);
  size_bytes_ = best->second.size_bytes;
  sources_ = std::move(best->second.peers);
  candidates_.clear();
  for (Peer& peer : peers_) peer.misses = 0;
  const ledger::Header& certified =
      head_->later_headers.empty() ? head_->header : head_->later_headers.back();
  input_ = consensus::TransferInput{true, head_->certificate, encode(certified)};
  phase_ = Phase::beginning;
  port_.begin_install(*head_);
}

void SnapshotExchange::give_up() {
  phase_ = Phase::idle;
  head_.reset();
  sources_.clear();
  fetching_.clear();
  storing_.clear();
  input_ = consensus::TransferInput{};
}

// ------------------------------------------------------------------ fetching

void SnapshotExchange::on_install_begun(const ledger::SnapshotInstaller::Chunks& stored) {
  ASSERT(phase_ == Phase::beginning);
  phase_ = Phase::fetching;
  stored_ = stored.count();
  fetched_bytes_ = 0;
  moved_at_ = now_;
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    chunks_[i] = stored.test(i) ? ChunkState::stored : ChunkState::wanted;
  }
  finish_if_whole();
  fetch_more();
}

void SnapshotExchange::fetch_more() {
  if (phase_ != Phase::fetching) return;
  std::map<ReplicaId, std::size_t> busy;
  for (const auto& [number, fetching] : fetching_) ++busy[fetching.source];
  std::size_t next = 0;
  for (bool is_found = true; is_found;) {
    is_found = false;
    for (const ReplicaId source : sources_) {
      if (fetching_.size() + storing_.size() >= kChunksUnderWay) return;
      if (busy[source] >= kChunksPerSource) continue;
      while (next < chunks_.size() && chunks_[next] != ChunkState::wanted) ++next;
      if (next == chunks_.size()) return;
      chunks_[next] = ChunkState::fetching;
      ++busy[source];
      is_found = true;
      const auto number = static_cast<std::uint16_t>(next);
      ask(number, fetching_[number] = Fetching{source, {}, now_});
    }
  }
}

void SnapshotExchange::ask(std::uint16_t number, Fetching& fetching) {
  fetching.asked_at = now_;
  const FetchChunk wanted{.version = {},
                          .height = target(),
                          .number = number,
                          .offset = static_cast<std::uint32_t>(fetching.bytes.size())};
  transport_.send(fetching.source, MessageClass::sync,
                  std::make_shared<const Bytes>(encode(wanted)));
}

void SnapshotExchange::on_part(ReplicaId from, BytesView bytes) {
  auto part = decode<ChunkPart>(bytes);
  if (!part) return refuse(from, part.error().context);
  const auto found = fetching_.find(part->number);
  // An answer that came too late, or that nobody asked for.
  if (phase_ != Phase::fetching || found == fetching_.end() || found->second.source != from ||
      part->height != target() || part->offset != found->second.bytes.size()) {
    return;
  }
  if (part->total_bytes == 0) return drop_source(from);
  Fetching& fetching = found->second;
  const std::size_t end = std::size_t{part->offset} + part->bytes.size();
  if (part->total_bytes > ledger::kChunkBytesMax || part->bytes.empty() ||
      end > part->total_bytes) {
    return refuse(from, "a part that does not fit its chunk");
  }
  moved_at_ = now_;
  peers_[from].misses = 0;
  fetched_bytes_ += part->bytes.size();
  append(fetching.bytes, part->bytes);
  if (end < part->total_bytes) return ask(part->number, fetching);
  Bytes chunk = std::move(fetching.bytes);
  fetching_.erase(found);
  chunks_[part->number] = ChunkState::storing;
  storing_.emplace(part->number, from);
  port_.store_chunk(part->number, std::move(chunk));
  fetch_more();
}

void SnapshotExchange::on_chunk_stored(std::uint16_t number, const Result<void>& result) {
  const auto found = storing_.find(number);
  if (phase_ != Phase::fetching || found == storing_.end()) return;
  const ReplicaId source = found->second;
  storing_.erase(found);
  if (result.has_value()) {
    chunks_[number] = ChunkState::stored;
    ++stored_;
  } else {
    chunks_[number] = ChunkState::wanted;
    refuse(source, result.error().context);
  }
  finish_if_whole();
  fetch_more();
}

void SnapshotExchange::finish_if_whole() {
  if (phase_ != Phase::fetching || stored_ < chunks_.size()) return;
  if (executed_ >= target()) return give_up();  // blocks were quicker
  phase_ = Phase::staged;
  port_.finish_install();
}

/// What was on its way from there is asked of others.
void SnapshotExchange::drop_source(ReplicaId peer) {
  sources_.erase(peer);
  for (auto& [hash, candidate] : candidates_) candidate.peers.erase(peer);
  std::erase_if(candidates_, [](const auto& one) { return one.second.peers.empty(); });
  std::erase_if(fetching_, [&](const auto& one) {
    if (one.second.source != peer) return false;
    chunks_[one.first] = ChunkState::wanted;
    return true;
  });
}

void SnapshotExchange::drop_late() {
  std::set<ReplicaId> late;
  std::erase_if(fetching_, [&](const auto& one) {
    if (now_ < one.second.asked_at + kPartTimeoutMs) return false;
    chunks_[one.first] = ChunkState::wanted;
    late.insert(one.second.source);
    return true;
  });
  for (const ReplicaId peer : late) {
    if (++peers_[peer].misses >= kMissesMax) drop_source(peer);
  }
}

std::optional<consensus::TransferInput> SnapshotExchange::take_input() {
  return std::exchange(input_, std::nullopt);
}

SnapshotProgress SnapshotExchange::progress() const {
  if (!head_.has_value()) return {};
  return {.height = target(),
          .chunks = stored_,
          .bytes = fetched_bytes_,
          .bytes_total = size_bytes_,
          .sources = sources_.size(),
          .is_staged = phase_ == Phase::staged};
}

}  // namespace baolian::node
