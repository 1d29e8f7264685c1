#include "fuzz/correct_nodes.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "consensus/pbft/records.h"

namespace baolian::fuzz {

namespace pbft = consensus::pbft;

namespace {

constexpr std::size_t kWireMax = 4000;
constexpr std::size_t kRunMax = 20'000;

struct FuzzHeader {
  [[maybe_unused]] static constexpr std::string_view kTypeName = "FuzzHeader";
  Epoch epoch;
  Height height;
  Height epoch_last;
  Hash parent;
  Hash batch_digest;
  static constexpr auto fields() {
    return field_list(
        field("epoch", &FuzzHeader::epoch, ""), field("height", &FuzzHeader::height, ""),
        field("epoch_last", &FuzzHeader::epoch_last, ""), field("parent", &FuzzHeader::parent, ""),
        field("batch_digest", &FuzzHeader::batch_digest, ""));
  }
};

}  // namespace

ChainId fuzz_chain() {
  ChainId chain;
  chain.bytes.fill(0xC4);
  return chain;
}

const crypto::Signer& fuzz_signer(std::size_t validator) {
  static const auto signers = [] {
    std::array<std::unique_ptr<crypto::Signer>, kValidators> out;
    for (std::size_t i = 0; i < kValidators; ++i) out[i] = crypto::make_toy_signer(i + 1);
    return out;
  }();
  return *signers[validator];
}

Hash fuzz_header_hash(BytesView header) {
  return crypto::hash_in_domain(crypto::domain::kHeader, {header});
}

Bytes fuzz_header(Height height, const Hash& parent, const Hash& batch_digest, Height epoch_last) {
  return encode(FuzzHeader{Epoch{0}, height, epoch_last, parent, batch_digest});
}

consensus::HeaderReader fuzz_header_reader() {
  return [](BytesView bytes) -> Result<consensus::HeaderFacts> {
    TRY(const FuzzHeader header, decode<FuzzHeader>(bytes));
    consensus::HeaderFacts facts;
    facts.epoch = header.epoch;
    facts.height = header.height;
    facts.header_hash = fuzz_header_hash(bytes);
    facts.batch_digest = header.batch_digest;
    facts.parent_hash = header.parent;
    facts.epoch_last_height = header.epoch_last;
    return facts;
  };
}

SharedBytes make_transaction(std::uint64_t number, bool is_valid) {
  Bytes out;
  append_big_endian(out, number, 8);
  out.push_back(is_valid ? 1 : 0);
  return std::make_shared<const Bytes>(std::move(out));
}

TxHash transaction_hash(const Bytes& body) {
  return TxHash::from(crypto::hash_in_domain(crypto::domain::kTransaction, {body}).view());
}

CorrectNodes::CorrectNodes(ValidatorIndex liar, std::uint16_t window, std::uint16_t in_flight,
                           Height change_at)
    : liar_(liar), change_at_(change_at) {
  epoch_.first_height = {1};
  epoch_.log_window = window;
  epoch_.in_flight_max = in_flight;
  for (std::size_t i = 0; i < kValidators; ++i) {
    epoch_.validators.push_back(fuzz_signer(i).public_key());
  }
  StoredBlock genesis;
  genesis.header = fuzz_header({0}, {}, {});
  genesis.header_hash = fuzz_header_hash(genesis.header);
  for (std::size_t i = 0; i < kValidators; ++i) {
    if (i == liar) continue;
    consensus::EngineConfig& config = nodes_[i].config;
    config.chain_id = fuzz_chain();
    config.epoch = epoch_;
    config.self = static_cast<ValidatorIndex>(i);
    config.signer = &fuzz_signer(i);
    config.verifier = &crypto::toy_verifier();
    nodes_[i].store.push_back(genesis);
    start(i);
  }
}

std::optional<Height> CorrectNodes::epoch_last() const {
  if (change_at_ == Height{}) return std::nullopt;
  return change_at_ + epoch_.log_window;
}

ReplicaId CorrectNodes::correct(std::size_t choice) const {
  const std::size_t at = choice % (kValidators - 1);
  return static_cast<ReplicaId>(at < liar_ ? at : at + 1);
}

consensus::ProbeCounts CorrectNodes::probes() const {
  consensus::ProbeCounts out = ended_probes_;
  for (const CorrectNode& node : nodes_) {
    if (node.engine != nullptr) out.add(node.engine->probes());
  }
  return out;
}

crypto::EpochRecord CorrectNodes::next_epoch() const {
  crypto::EpochRecord next = epoch_;
  next.epoch = epoch_.epoch.next();
  next.first_height = epoch_last()->next();
  return next;
}

// ------------------------------------------------------------------ one node

void CorrectNodes::start(std::size_t i) {
  CorrectNode& node = nodes_[i];
  if (node.engine != nullptr || node.ended.has_value()) return;
  node.config.next_epoch.reset();
  if (is_ending(node)) node.config.next_epoch = next_epoch();
  node.engine = make_pbft_engine(node.config, fuzz_header_reader(), node.log, node.height(),
                                 node.store.back().header_hash);
  node.last = node.engine->status();
  give(i, consensus::TickInput{now_, wall(), std::nullopt});
}

void CorrectNodes::crash(std::size_t i, Height kept) {
  CorrectNode& node = nodes_[i];
  if (node.engine == nullptr) return;
  if (is_traced()) std::fprintf(stderr, "           node %zu crashes\n", i);
  ended_probes_.add(node.engine->probes());
  node.engine.reset();
  node.persisting.clear();
  node.executing.clear();
  node.inputs.clear();
  node.wanted.clear();
  node.waiting.clear();
  node.in_slot.clear();
  node.bodies.clear();  // the pool is in memory; accepted batches are in the log
  kept = std::max(kept, node.flushed);
  if (kept < node.height()) node.store.resize(static_cast<std::size_t>(kept.value) + 1);
  std::erase_if(wire_, [i](const WireMessage& message) { return message.to == i; });
}

consensus::Verdict CorrectNodes::give(std::size_t i, consensus::Input input) {
  CorrectNode& node = nodes_[i];
  ++steps_;
  trace(i, input);
  Effects effects;
  const consensus::Verdict verdict = node.engine->step(std::move(input), effects);
  ASSERT(verdict.accepted == (verdict.reason == consensus::RejectReason::none));
  check_after(i);
  interpret(i, std::move(effects));
  return verdict;
}

void CorrectNodes::trace(std::size_t i, const consensus::Input& input) const {
  if (!is_traced()) return;
  constexpr std::array<const char*, 10> kNames{
      "tick",      "deliver", "propose", "bodies", "bad bodies",
      "persisted", "applied", "flushed", "state",  "blocks were read"};
  const auto* delivery = std::get_if<consensus::DeliverInput>(&input);
  const std::string what = delivery == nullptr ? "" : " " + described(*delivery->message.bytes());
  std::fprintf(stderr, "%6llu ms  node %zu: %s%s\n", static_cast<unsigned long long>(now_.value), i,
               kNames[input.index()], what.c_str());
}

void CorrectNodes::check_after(std::size_t i) {
  CorrectNode& node = nodes_[i];
  node.engine->check_invariants();
  const consensus::Status now = node.engine->status();
  ASSERT(!now.stopped);
  ASSERT(now.view >= node.last.view);
  ASSERT(now.view_change >= node.last.view_change);
  ASSERT(now.certified >= node.last.certified);
  ASSERT(now.executed >= node.last.executed);
  node.last = now;
  for (const consensus::Evidence& evidence : node.engine->evidence()) {
    ASSERT(evidence.signer == liar_);
    ASSERT(evidence.first_body != evidence.second_body);
    const PublicKey& key = epoch_.validators[liar_];
    const crypto::Verifier& verifier = crypto::toy_verifier();
    ASSERT(verifier.verify_object(key, evidence.type, fuzz_chain(), evidence.epoch,
                                  crypto::sha256(evidence.first_body), evidence.first_signature));
    ASSERT(verifier.verify_object(key, evidence.type, fuzz_chain(), evidence.epoch,
                                  crypto::sha256(evidence.second_body), evidence.second_signature));
  }
}

void CorrectNodes::interpret(std::size_t i, Effects effects) {
  for (consensus::Effect& effect : effects) {
    std::visit([&](auto& one) { this->handle(i, one); }, effect);
  }
}

void CorrectNodes::handle(std::size_t i, const consensus::Send& send) {
  ASSERT(send.bytes != nullptr);
  ASSERT(!send.to.has_value() || (*send.to < kValidators && *send.to != i));
  if (is_traced()) {
    std::fprintf(stderr, "           node %zu sends to %s: %s\n", i,
                 send.to.has_value() ? std::to_string(*send.to).c_str() : "all",
                 described(*send.bytes).c_str());
  }
  witness_.on_sent(static_cast<ReplicaId>(i), send.bytes);
  const auto kind = static_cast<MessageKind>((*send.bytes)[1]);
  for (ReplicaId to = 0; to < kValidators; ++to) {
    if (to == i || to == liar_ || (send.to.has_value() && *send.to != to)) continue;
    if (wire_.size() >= kWireMax) wire_.pop_front();
    wire_.push_back({static_cast<ReplicaId>(i), to, kind, send.bytes});
  }
}

void CorrectNodes::handle(std::size_t i, consensus::Persist& persist) {
  ASSERT(!persist.writes.empty());
  nodes_[i].persisting.push_back(std::move(persist));
}

void CorrectNodes::handle(std::size_t i, const consensus::NeedBodies& need) {
  if (!is_up(i)) return;  // the epoch ended with an effect before this one
  nodes_[i].wanted[need.digest] = need.transactions;
  for (const SharedBytes& body : need.inline_bodies) learn(i, body);
  finish_wanted(i);
}

void CorrectNodes::learn(std::size_t i, const SharedBytes& body) {
  nodes_[i].bodies.emplace(transaction_hash(*body), body);
}

/// Answers for every wanted batch of which all bodies are here, or one is invalid.
void CorrectNodes::finish_wanted(std::size_t i) {
  CorrectNode& node = nodes_[i];
  for (auto at = node.wanted.begin(); at != node.wanted.end();) {
    consensus::BodiesInput answer{at->first, {}};
    bool is_valid = true;
    for (const TxHash& hash : at->second) {
      const auto body = node.bodies.find(hash);
      if (body == node.bodies.end()) continue;
      is_valid = is_valid && body->second->size() == 9 && body->second->back() == 1;
      answer.bodies.push_back(body->second);
    }
    if (!is_valid) {
      node.inputs.push_back(consensus::BadBodiesInput{at->first});
    } else if (answer.bodies.size() == at->second.size()) {
      for (const TxHash& hash : at->second) {
        node.waiting.emplace(hash, node.engine->status().request_clock);
        node.in_slot.insert(hash);
      }
      node.inputs.push_back(std::move(answer));
    } else {
      ++at;
      continue;
    }
    at = node.wanted.erase(at);
  }
}

void CorrectNodes::handle(std::size_t i, consensus::Commit& commit) {
  CorrectNode& node = nodes_[i];
  const Height next =
      node.executing.empty() ? node.height().next() : node.executing.back().height.next();
  ASSERT(commit.height == next);
  ASSERT(!epoch_last().has_value() || commit.height <= *epoch_last());
  const auto [at, is_new] = decided_.emplace(commit.height, commit.digest);
  ASSERT(is_new || at->second == commit.digest);
  if (commit.batch == nullptr) {
    ASSERT(commit.digest == consensus::null_digest(fuzz_chain(), epoch_.epoch, commit.height));
    ASSERT(commit.bodies.empty());
  } else {
    ASSERT(consensus::batch_digest(*commit.batch) == commit.digest);
    const auto batch = decode<consensus::Batch>(*commit.batch);
    ASSERT(batch.has_value() && batch->height == commit.height);
    ASSERT(batch->transactions.size() == commit.bodies.size());
    for (std::size_t k = 0; k < commit.bodies.size(); ++k) {
      ASSERT(transaction_hash(*commit.bodies[k]) == batch->transactions[k]);
      ASSERT(commit.bodies[k]->back() == 1);
    }
  }
  node.executing.push_back(std::move(commit));
}

void CorrectNodes::handle(std::size_t i, const consensus::Certified& certified) {
  CorrectNode& node = nodes_[i];
  const crypto::ExecCertificate& certificate = certified.certificate;
  ASSERT(certificate.vote.height <= node.height());
  StoredBlock& block = node.store[static_cast<std::size_t>(certificate.vote.height.value)];
  ASSERT(block.header_hash == certificate.vote.header_hash);
  ASSERT(crypto::check_certificate(certificate, fuzz_chain(), epoch_, crypto::toy_verifier()));
  block.certificate = certificate;
}

consensus::BlocksReadInput CorrectNodes::blocks_read(const CorrectNode& node,
                                                     const consensus::ReadBlocks& read) const {
  consensus::BlocksReadInput out;
  out.peer = read.peer;
  for (std::uint64_t n = read.first.value; n < node.store.size(); ++n) {
    if (out.blocks.size() == read.count_max) break;
    const StoredBlock& block = node.store[static_cast<std::size_t>(n)];
    std::vector<Bytes> later;
    std::size_t m = static_cast<std::size_t>(n);
    while (m < node.store.size() && !node.store[m].certificate.has_value()) {
      if (++m < node.store.size()) later.push_back(node.store[m].header);
    }
    if (m == node.store.size()) break;
    out.blocks.push_back(std::make_shared<const Bytes>(consensus::encode_block(
        block.header, *node.store[m].certificate, block.batch, block.bodies, later)));
  }
  return out;
}

void CorrectNodes::handle(std::size_t i, const consensus::ReadBlocks& read) {
  nodes_[i].inputs.push_back(blocks_read(nodes_[i], read));
}

void CorrectNodes::handle(std::size_t i, const consensus::CutLog& cut) {
  // The snapshot follows what was issued before it, and replaces it; what is issued while those
  // Persists are reported comes after it.
  CorrectNode& node = nodes_[i];
  node.log.assign(1, cut.snapshot);
  for (std::size_t k = node.persisting.size(); k > 0; --k) {
    node.persisting.front().writes.clear();
    persist_one(i);
  }
}

void CorrectNodes::handle(std::size_t, const consensus::BanPeer& ban) {
  if (ban.peer != liar_) violation(("no correct node is banned: " + ban.reason).c_str());
}

void CorrectNodes::handle(std::size_t i, const consensus::ViewEntered& entered) {
  nodes_[i].in_slot = {entered.proposed.begin(), entered.proposed.end()};
}

/// The last effect of this engine.
void CorrectNodes::handle(std::size_t i, const consensus::EpochEnded& ended) {
  CorrectNode& node = nodes_[i];
  ASSERT(epoch_last().has_value() && node.height() == *epoch_last());
  ASSERT(ended.next.epoch == next_epoch());
  ASSERT(ended.next.header == node.store.back().header);
  ASSERT(ended.next.certificate.vote.height == *epoch_last());
  ASSERT(crypto::check_certificate(ended.next.certificate, fuzz_chain(), epoch_,
                                   crypto::toy_verifier()));
  node.store.back().certificate = ended.next.certificate;
  crash(i, node.height());
  node.ended.emplace(epoch_, static_cast<ValidatorIndex>(i), ended.next);
}

/// What a node that is done with the epoch answers to one that is not.
void CorrectNodes::serve_past(std::size_t i, Effects effects) {
  for (std::size_t k = 0; k < effects.size(); ++k) {  // blocks that are read add a REPLY
    if (const auto* read = std::get_if<consensus::ReadBlocks>(&effects[k])) {
      const consensus::BlocksReadInput blocks = blocks_read(nodes_[i], *read);
      nodes_[i].ended->on_blocks_read(blocks, effects);
    } else {
      const auto* send = std::get_if<consensus::Send>(&effects[k]);
      ASSERT(send != nullptr && send->to.has_value());
      const consensus::Send copy = *send;
      handle(i, copy);
    }
  }
}

/// A message that is read, but of which nobody knows who signed it. False: it is not signed.
bool CorrectNodes::give_message(std::size_t i, ReplicaId from, const SharedBytes& bytes) {
  auto read = consensus::read_envelope(from, bytes, epoch_);
  if (!read.has_value()) return false;
  const bool wanted = !is_up(i) || nodes_[i].engine->wants(*read);
  auto verified = consensus::verify(*std::move(read), fuzz_chain(), epoch_, crypto::toy_verifier());
  if (!verified.has_value()) return false;
  // 1.12: what is not wanted is given all the same, to see that it would have been refused.
  give_verified(i, *std::move(verified), wanted);
  return true;
}

void CorrectNodes::give_verified(std::size_t i, consensus::Verified message, bool wanted) {
  if (is_up(i)) {
    const consensus::Verdict verdict = give(i, consensus::DeliverInput{std::move(message)});
    ASSERT(wanted || !verdict.accepted);
    return;
  }
  Effects effects;
  static_cast<void>(nodes_[i].ended->on_message(message, now_, effects));
  serve_past(i, std::move(effects));
}

void CorrectNodes::handle(std::size_t, const consensus::Stop& stop) {
  violation(("a correct node never stops: " + stop.reason).c_str());
}

// ------------------------------------------------------------------ what the fuzzer may do

void CorrectNodes::tick(std::uint64_t milliseconds) {
  now_ = now_ + milliseconds;
  for (std::size_t i = 0; i < kValidators; ++i) {
    if (!is_up(i)) continue;
    std::optional<Tick> oldest;
    for (const auto& [hash, stamp] : nodes_[i].waiting) {
      if (!oldest.has_value() || stamp < *oldest) oldest = stamp;
    }
    give(i, consensus::TickInput{now_, wall(), oldest});
  }
}

bool CorrectNodes::answer_one(std::size_t i) {
  CorrectNode& node = nodes_[i];
  if (!is_up(i) || node.inputs.empty()) return false;
  consensus::Input input = std::move(node.inputs.front());
  node.inputs.pop_front();
  give(i, std::move(input));
  return true;
}

bool CorrectNodes::execute_one(std::size_t i) {
  CorrectNode& node = nodes_[i];
  if (!is_up(i) || node.executing.empty()) return false;
  consensus::Commit commit = std::move(node.executing.front());
  node.executing.pop_front();
  StoredBlock block;
  const bool is_ending = change_at_ != Height{} && commit.height >= change_at_;
  block.header = fuzz_header(commit.height, node.store.back().header_hash, commit.digest,
                             is_ending ? *epoch_last() : Height{});
  block.header_hash = fuzz_header_hash(block.header);
  block.digest = commit.digest;
  block.batch = commit.batch;
  block.bodies = commit.bodies;
  for (const SharedBytes& body : commit.bodies) node.waiting.erase(transaction_hash(*body));
  consensus::AppliedInput applied{commit.height, block.header, block.header_hash};
  if (commit.height == change_at_) applied.next_epoch = next_epoch();
  node.inputs.push_back(std::move(applied));
  node.store.push_back(std::move(block));
  return true;
}

bool CorrectNodes::persist_one(std::size_t i) {
  CorrectNode& node = nodes_[i];
  if (!is_up(i) || node.persisting.empty()) return false;
  consensus::Persist persist = std::move(node.persisting.front());
  node.persisting.pop_front();
  node.log.insert(node.log.end(), persist.writes.begin(), persist.writes.end());
  for (const consensus::Send& send : persist.then_send) handle(i, send);
  give(i, consensus::PersistedInput{persist.id});
  return true;
}

void CorrectNodes::deliver(const WireMessage& message) {
  const CorrectNode& to = nodes_[message.to];
  const bool hears = to.engine != nullptr || to.ended.has_value();
  if (!hears || to.is_cut || nodes_[message.from].is_cut) return;
  ASSERT(give_message(message.to, message.from, message.bytes));
}

void CorrectNodes::deliver(std::size_t choice) {
  if (wire_.empty()) return;
  const auto at = wire_.begin() + static_cast<std::ptrdiff_t>(choice % wire_.size());
  const WireMessage message = *at;
  wire_.erase(at);
  deliver(message);
}

void CorrectNodes::drop(std::size_t choice) {
  if (wire_.empty()) return;
  wire_.erase(wire_.begin() + static_cast<std::ptrdiff_t>(choice % wire_.size()));
}

bool CorrectNodes::deliver_next() {
  for (auto at = wire_.begin(); at != wire_.end(); ++at) {
    if ((unsigned{held_} >> static_cast<unsigned>(at->kind) & 1U) != 0) continue;
    const WireMessage message = *at;
    wire_.erase(at);
    deliver(message);
    return true;
  }
  return false;
}

void CorrectNodes::run() {
  for (std::size_t round = 0; round < kRunMax; ++round) {
    bool worked = false;
    for (std::size_t i = 0; i < kValidators; ++i) {
      while (answer_one(i) || execute_one(i) || persist_one(i)) worked = true;
    }
    if (!deliver_next() && !worked) return;
  }
  violation("correct nodes never come to rest without time passing");
}

void CorrectNodes::propose(std::size_t transactions_max) {
  for (std::size_t i = 0; i < kValidators; ++i) {
    CorrectNode& node = nodes_[i];
    if (!is_up(i) || !node.engine->can_propose()) continue;
    consensus::ProposeInput input;
    input.proposed_at = wall();
    for (const auto& [hash, stamp] : node.waiting) {
      if (input.transactions.size() == transactions_max) break;
      const auto body = node.bodies.find(hash);
      if (body == node.bodies.end() || !node.in_slot.insert(hash).second) continue;
      input.transactions.push_back(hash);
      input.bodies.push_back(body->second);
    }
    give(i, std::move(input));
  }
}

void CorrectNodes::flush(std::size_t i) {
  CorrectNode& node = nodes_[i];
  if (!is_up(i)) return;
  // What counts is a height whose certificate, or that of a later height, is in the store (N6).
  for (std::size_t n = node.store.size(); n-- > node.flushed.value + 1;) {
    if (!node.store[n].certificate.has_value()) continue;
    node.flushed = {n};
    give(i, consensus::FlushedInput{node.flushed});
    return;
  }
}

/// Brings the state of another node at its newest certified height, as a snapshot does: h moves
/// first, then the node begins anew on that state.
void CorrectNodes::install_state(std::size_t i) {
  CorrectNode& node = nodes_[i];
  if (!is_up(i)) return;
  for (std::size_t k = 0; k < kValidators; ++k) {
    if (k == i || k == liar_) continue;
    const auto& from = nodes_[k].store;
    std::size_t height = from.size();
    while (height > 0 && !from[height - 1].certificate.has_value()) --height;
    if (height == 0 || Height{height - 1} <= node.height()) continue;
    const StoredBlock& newest = from[height - 1];
    give(i, consensus::TransferInput{true, newest.certificate, newest.header});
    if (!is_up(i)) return;
    node.store.assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(height));
    node.flushed = Height{height - 1};
    crash(i, node.flushed);
    return start(i);
  }
}

void CorrectNodes::admit(std::size_t i, const SharedBytes& body) {
  if (!is_up(i) || body->back() != 1) return;
  learn(i, body);
  nodes_[i].waiting.emplace(transaction_hash(*body), nodes_[i].engine->status().request_clock);
  finish_wanted(i);
}

void CorrectNodes::receive(std::size_t i, const SharedBytes& bytes) {
  if ((!is_up(i) && !nodes_[i].ended.has_value()) || nodes_[i].is_cut) return;
  static_cast<void>(give_message(i, liar_, bytes));
}

void CorrectNodes::heal() {
  held_ = 0;
  for (std::size_t i = 0; i < kValidators; ++i) {
    nodes_[i].is_cut = false;
    if (i != liar_) start(i);
  }
}

}  // namespace baolian::fuzz
