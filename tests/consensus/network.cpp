#include "consensus/network.h"

#include "consensus/pbft/records.h"
#include "support/catch.h"

namespace baolian::consensus::testing {

Hash header_hash_of(BytesView header) {
  return crypto::hash_in_domain(crypto::domain::kHeader, {header});
}

Bytes test_header(Height height, const Hash& parent, const Hash& batch_digest) {
  return encode(TestHeader{Epoch{0}, height, parent, batch_digest});
}

HeaderReader test_header_reader() {
  return [](BytesView bytes) -> Result<HeaderFacts> {
    TRY(const TestHeader header, decode<TestHeader>(bytes));
    HeaderFacts facts;
    facts.epoch = header.epoch;
    facts.height = header.height;
    facts.header_hash = header_hash_of(bytes);
    facts.batch_digest = header.batch_digest;
    facts.parent_hash = header.parent;
    return facts;
  };
}

SharedBytes transaction(std::uint64_t number, std::size_t size_bytes) {
  Bytes out;
  append_big_endian(out, number, 8);
  out.resize(std::max<std::size_t>(size_bytes, 8), 0x5A);
  return std::make_shared<const Bytes>(std::move(out));
}

TxHash hash_of(const Bytes& transaction) {
  return TxHash::from(crypto::hash_in_domain(crypto::domain::kTransaction, {transaction}).view());
}

ChainId test_chain() {
  ChainId chain;
  chain.bytes.fill(0xC4);
  return chain;
}

const crypto::Signer& test_signer(std::size_t validator) {
  static std::vector<std::unique_ptr<crypto::Signer>> signers;
  while (signers.size() <= validator) {
    signers.push_back(crypto::make_toy_signer(signers.size() + 1));
  }
  return *signers[validator];
}

crypto::EpochRecord test_epoch(std::size_t validators, crypto::ConsensusKind kind) {
  crypto::EpochRecord epoch;
  epoch.consensus_kind = kind;
  epoch.first_height = {1};
  for (std::size_t i = 0; i < validators; ++i) {
    epoch.validators.push_back(test_signer(i).public_key());
  }
  return epoch;
}

SharedBytes unsigned_message(const crypto::EpochRecord& epoch, MessageKind kind,
                             ValidatorIndex sender, Bytes body) {
  Envelope envelope;
  envelope.kind = kind;
  envelope.epoch = epoch.epoch;
  envelope.sender = sender;
  envelope.body = std::move(body);
  return std::make_shared<const Bytes>(encode(envelope));
}

SharedBytes signed_message(const crypto::EpochRecord& epoch, MessageKind kind,
                           ValidatorIndex sender, Bytes body) {
  // MessageKind 1..8 are signed as ObjectType 3..10, in the same order.
  const auto type = static_cast<crypto::ObjectType>(static_cast<std::uint8_t>(kind) + 2);
  BytesView part = body;
  if (kind == MessageKind::pre_prepare) part = part.first(consensus::kVoteBytes);
  Envelope envelope;
  envelope.kind = kind;
  envelope.epoch = epoch.epoch;
  envelope.sender = sender;
  envelope.signature =
      test_signer(sender).sign_object(type, test_chain(), epoch.epoch, crypto::sha256(part));
  envelope.body = std::move(body);
  return std::make_shared<const Bytes>(encode(envelope));
}

SharedBytes pre_prepare_message(const crypto::EpochRecord& epoch, ValidatorIndex sender,
                                const crypto::Vote& vote, const Bytes& batch,
                                std::vector<Bytes> inline_bodies) {
  return signed_message(epoch, MessageKind::pre_prepare, sender,
                        encode(pbft::PrePrepare{vote, batch, std::move(inline_bodies)}));
}

crypto::ExecCertificate exec_certificate(const crypto::EpochRecord& epoch, Height height,
                                         const Hash& header_hash,
                                         const std::vector<ValidatorIndex>& signers) {
  crypto::ExecCertificate out;
  out.epoch = epoch.epoch;
  out.vote = {height, header_hash};
  const Hash hash = crypto::sha256(encode(out.vote));
  for (const ValidatorIndex signer : signers) {
    out.signatures.push_back(
        {signer, test_signer(signer).sign_object(crypto::ObjectType::exec, test_chain(),
                                                 epoch.epoch, hash)});
  }
  return out;
}

crypto::VoteCertificate vote_certificate(const crypto::EpochRecord& epoch, crypto::ObjectType type,
                                         const crypto::Vote& vote,
                                         const std::vector<ValidatorIndex>& signers) {
  crypto::VoteCertificate out;
  out.epoch = epoch.epoch;
  out.vote = vote;
  const Hash hash = crypto::sha256(encode(vote));
  for (const ValidatorIndex signer : signers) {
    out.signatures.push_back(
        {signer, test_signer(signer).sign_object(type, test_chain(), epoch.epoch, hash)});
  }
  return out;
}

// ------------------------------------------------------------------ network

Network::Network(std::size_t validators, std::size_t observers, std::uint16_t window,
                 std::uint16_t in_flight, crypto::ConsensusKind kind)
    : epoch_(test_epoch(validators, kind)), nodes_(validators + observers) {
  epoch_.log_window = window;
  epoch_.in_flight_max = in_flight;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    EngineConfig& config = nodes_[i].config;
    config.chain_id = test_chain();
    config.epoch = epoch_;
    config.observer_count = observers;
    config.verifier = &crypto::toy_verifier();
    if (i < validators) {
      config.self = static_cast<ValidatorIndex>(i);
      config.signer = &test_signer(i);
    }
    StoredBlock genesis;
    genesis.header = test_header({0}, {}, {});
    genesis.header_hash = header_hash_of(genesis.header);
    nodes_[i].store.push_back(std::move(genesis));
  }
}

void Network::start(std::size_t i) {
  Node& node = nodes_[i];
  REQUIRE_FALSE(node.is_up);
  REQUIRE_FALSE(node.is_killed);
  node.is_up = true;
  ++node.runs;
  node.config.seed = 1000 * i + node.runs;
  node.engine = make_engine(node.config, test_header_reader(), node.log, node.height(),
                            node.store.back().header_hash);
  // The pool is memory: it is filled again by those who push what waits.
  node.proposed.clear();
  for (const TxHash& hash : admitted_) node.pool[hash] = node.status().request_clock;
  for (const StoredBlock& block : node.store) forget_executed(node, block);
  tick(i);
}

void Network::tick(std::size_t i) {
  Node& node = nodes_[i];
  TickInput input{now_, {kWallOffset + now_.value}};
  for (const auto& [hash, stamp] : node.pool) {
    if (!input.oldest_request.has_value() || stamp < *input.oldest_request) {
      input.oldest_request = stamp;
    }
  }
  give(i, input);
}

void Network::admit(std::size_t count) {
  for (; count > 0; --count) {
    const SharedBytes body = transaction(next_transaction_++);
    const TxHash hash = hash_of(*body);
    transactions_[hash] = body;
    admitted_.insert(hash);
    for (Node& node : nodes_) {
      if (node.is_up) node.pool[hash] = node.status().request_clock;
    }
  }
}

bool Network::all_executed() const {
  for (const Node& node : nodes_) {
    if (node.is_up && !node.pool.empty()) return false;
  }
  return true;
}

/// The driver's part: what waits and is in no open batch goes into the next ones.
void Network::propose_admitted(std::size_t i) {
  Node& node = nodes_[i];
  while (node.engine->can_propose()) {
    ProposeInput input;
    input.proposed_at = {kWallOffset + now_.value};
    for (const auto& [hash, stamp] : node.pool) {
      if (input.transactions.size() == batch_size_max) break;
      if (node.proposed.contains(hash)) continue;
      input.transactions.push_back(hash);
      input.bodies.push_back(transactions_.at(hash));
    }
    if (input.transactions.empty()) return;
    node.proposed.insert(input.transactions.begin(), input.transactions.end());
    REQUIRE(give(i, std::move(input)).accepted);
  }
}

void Network::forget_executed(Node& node, const StoredBlock& block) {
  if (block.batch == nullptr || block.batch->empty()) return;
  const Result<Batch> batch = decode<Batch>(*block.batch);
  REQUIRE(batch.has_value());
  for (const TxHash& hash : batch->transactions) {
    node.pool.erase(hash);
    node.proposed.erase(hash);
  }
}

void Network::kill(std::size_t i) {
  crash(i);
  nodes_[i].is_killed = true;
}

void Network::partition(const std::vector<std::vector<std::size_t>>& groups) {
  group_of_.clear();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const std::size_t member : groups[g]) group_of_[member] = g;
  }
}

bool Network::separated(std::size_t from, std::size_t to) const {
  if (group_of_.empty()) return false;
  const auto a = group_of_.find(from);
  const auto b = group_of_.find(to);
  return a == group_of_.end() || b == group_of_.end() || a->second != b->second;
}

void Network::start_all() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
}

void Network::crash(std::size_t i) {
  Node& node = nodes_[i];
  node.is_up = false;
  node.engine.reset();
  node.persisting.clear();
  node.executing.clear();
  node.inputs.clear();
  node.store.resize(static_cast<std::size_t>(node.flushed.value) + 1);
  std::erase_if(wire_, [&](const Message& m) { return m.to == i; });
}

Verdict Network::give(std::size_t i, Input input) {
  Effects effects;
  const Verdict verdict = nodes_[i].engine->step(std::move(input), effects);
  nodes_[i].engine->check_invariants();
  const Status status = nodes_[i].status();
  REQUIRE(status.view >= nodes_[i].view_max);  // I6
  REQUIRE(status.certified >= nodes_[i].certified_max);
  nodes_[i].view_max = status.view;
  nodes_[i].certified_max = status.certified;
  interpret(i, std::move(effects));
  return verdict;
}

void Network::interpret(std::size_t i, Effects effects) {
  Node& node = nodes_[i];
  for (Effect& effect : effects) {
    if (auto* send = std::get_if<Send>(&effect)) {
      route(i, *send);
    } else if (auto* persist = std::get_if<Persist>(&effect)) {
      REQUIRE_FALSE(persist->writes.empty());
      node.persisting.push_back(std::move(*persist));
    } else if (auto* need = std::get_if<NeedBodies>(&effect)) {
      answer_bodies(node, *need);
    } else if (auto* commit = std::get_if<Commit>(&effect)) {
      const Height next =
          node.executing.empty() ? node.height().next() : node.executing.back().height.next();
      REQUIRE(commit->height == next);
      node.executing.push_back(std::move(*commit));
    } else if (auto* certified = std::get_if<Certified>(&effect)) {
      const Height height = certified->certificate.vote.height;
      REQUIRE(height <= node.height());
      StoredBlock& block = node.store[static_cast<std::size_t>(height.value)];
      REQUIRE(certified->certificate.vote.header_hash == block.header_hash);
      REQUIRE(crypto::check_certificate(certified->certificate, test_chain(), epoch_,
                                        crypto::toy_verifier()));
      node.certified.push_back(height);
      block.certificate = certified->certificate;
    } else if (auto* read = std::get_if<ReadBlocks>(&effect)) {
      answer_blocks(node, *read);
    } else if (auto* cut = std::get_if<CutLog>(&effect)) {
      // The snapshot follows what was issued before it, and replaces it; what is issued while those
      // Persists are reported comes after it.
      node.log.assign(1, cut->snapshot);
      for (std::size_t k = node.persisting.size(); k > 0; --k) {
        node.persisting.front().writes.clear();
        REQUIRE(finish_persist(node, i));
      }
      ++node.cuts;
    } else if (auto* ban = std::get_if<BanPeer>(&effect)) {
      node.bans.push_back(*ban);
    } else if (auto* entered = std::get_if<ViewEntered>(&effect)) {
      node.proposed = {entered->proposed.begin(), entered->proposed.end()};
    } else if (auto* stop = std::get_if<Stop>(&effect)) {
      node.stops.push_back(*stop);
    }
  }
}

void Network::route(std::size_t from, const Send& send) {
  watch(from, send);
  ++messages_sent;
  for (std::size_t to = 0; to < nodes_.size(); ++to) {
    if (to == from) continue;
    if (send.to.has_value() ? *send.to != to : to >= validators()) continue;
    wire_.push_back({static_cast<ReplicaId>(from), static_cast<ReplicaId>(to), send.bytes});
  }
}

void Network::watch(std::size_t from, const Send& send) {
  const Result<Envelope> envelope = decode<Envelope>(*send.bytes);
  REQUIRE(envelope.has_value());
  const MessageKind kind = envelope->kind;
  if (kind >= MessageKind::request_vote) return watch_raft(from, send.to, *envelope);
  std::tuple<ValidatorIndex, MessageKind, std::uint64_t, std::uint64_t> key;
  Hash digest;
  if (kind == MessageKind::exec) {
    const auto vote = decode<crypto::ExecVote>(envelope->body);
    REQUIRE(vote.has_value());
    key = {envelope->sender, kind, 0, vote->height.value};
    digest = vote->header_hash;
  } else if (kind == MessageKind::prepare || kind == MessageKind::commit ||
             kind == MessageKind::pre_prepare) {
    Decoder decoder(BytesView(envelope->body).first(consensus::kVoteBytes));
    crypto::Vote vote;
    REQUIRE(decoder.value(vote));
    key = {envelope->sender, kind, vote.view.value, vote.height.value};
    digest = vote.digest;
    if (kind == MessageKind::commit) watch_commit(envelope->sender, vote);
  } else if (kind == MessageKind::view_change) {
    const auto body = decode<pbft::ViewChange>(envelope->body);
    REQUIRE(body.has_value());
    key = {envelope->sender, kind, body->new_view.value, 0};
    digest = crypto::sha256(envelope->body);
    watch_view_change(*envelope);
  } else if (kind == MessageKind::new_view) {
    const auto body = decode<pbft::NewView>(envelope->body);
    REQUIRE(body.has_value());
    key = {envelope->sender, kind, body->view.value, 0};
    digest = crypto::sha256(envelope->body);
  } else {
    return;
  }
  REQUIRE(envelope->sender == from);
  const auto [at, is_new] = signed_.emplace(key, digest);
  REQUIRE((is_new || at->second == digest));  // I4
}

/// The records of the log, and of the snapshot with which it begins.
std::vector<LogRecord> Network::logged(std::size_t i) const {
  std::vector<LogRecord> records = nodes_[i].log;
  if (!records.empty() && records[0].type == RecordType::snapshot) {
    const auto snapshot = decode<consensus::Snapshot>(*records[0].body);
    REQUIRE(snapshot.has_value());
    for (const auto& entry : snapshot->entries) {
      records.push_back({entry.type, std::make_shared<const Bytes>(entry.body)});
    }
  }
  return records;
}

/// R1: the vote is in the log.
bool Network::has_vote_logged(std::size_t i, View term, ReplicaId candidate) const {
  for (const LogRecord& record : logged(i)) {
    if (record.type != RecordType::raft_term) continue;
    const auto body = decode<raft::TermRecord>(*record.body);
    REQUIRE(body.has_value());
    if (body->term == term && body->voted_for == candidate) return true;
  }
  return false;
}

void Network::watch_raft(std::size_t from, std::optional<ReplicaId> to, const Envelope& envelope) {
  REQUIRE(envelope.sender == from);
  if (envelope.kind == MessageKind::request_vote) {
    const auto body = decode<raft::RequestVote>(envelope.body);
    REQUIRE(body.has_value());
    if (body->pre_vote) return;  // a candidate votes for itself
    const auto [at, is_new] =
        votes_given_.emplace(std::pair(from, body->term), static_cast<ReplicaId>(from));
    REQUIRE((is_new || at->second == from));
    REQUIRE(has_vote_logged(from, body->term, static_cast<ReplicaId>(from)));
  } else if (envelope.kind == MessageKind::vote_reply) {
    const auto body = decode<raft::VoteReply>(envelope.body);
    REQUIRE(body.has_value());
    if (body->pre_vote || !body->granted) return;
    REQUIRE(to.has_value());
    const auto [at, is_new] = votes_given_.emplace(std::pair(from, body->term), *to);
    REQUIRE((is_new || at->second == *to));  // R2
    REQUIRE(has_vote_logged(from, body->term, *to));
  } else if (envelope.kind == MessageKind::append_entries) {
    const auto body = decode<raft::AppendEntries>(envelope.body);
    REQUIRE(body.has_value());
    const auto [at, is_new] = leaders_.emplace(body->term, from);
    REQUIRE((is_new || at->second == from));  // one leader a term
    for (const raft::Entry& entry : body->entries) {
      const auto [known, is_fresh] =
          entries_.emplace(std::pair(entry.vote.view, entry.vote.height), entry.vote.digest);
      REQUIRE((is_fresh || known->second == entry.vote.digest));
    }
  } else if (envelope.kind == MessageKind::append_reply) {
    const auto body = decode<raft::AppendReply>(envelope.body);
    REQUIRE(body.has_value());
    if (!body->matches || body->index <= nodes_[from].certified_max) return;
    bool is_logged = body->index <= nodes_[from].flushed;
    for (const LogRecord& record : logged(from)) {
      if (record.type != RecordType::raft_entry) continue;
      const auto entry = decode<raft::Entry>(*record.body);
      REQUIRE(entry.has_value());
      if (entry->vote.height == body->index) is_logged = true;
    }
    REQUIRE(is_logged);  // R1
  }
}

namespace {

/// P of `view_change` answers for a COMMIT of this height and view.
bool holds(const pbft::ViewChange& view_change, Height height, View view) {
  if (height <= view_change.certified) return true;
  for (const crypto::VoteCertificate& entry : view_change.prepared) {
    if (entry.vote.height == height && entry.vote.view >= view) return true;
  }
  return false;
}

}  // namespace

void Network::watch_commit(ValidatorIndex sender, const crypto::Vote& vote) {
  View& newest = commits_[sender][vote.height];
  newest = std::max(newest, vote.view);
  const auto left = view_changes_.find(sender);
  if (left == view_changes_.end() || left->second.new_view <= vote.view) return;
  REQUIRE(holds(left->second, vote.height, vote.view));  // I13, the other order
}

void Network::watch_view_change(const Envelope& envelope) {
  const auto body = decode<pbft::ViewChange>(envelope.body);
  REQUIRE(body.has_value());
  for (const auto& [height, view] : commits_[envelope.sender]) {
    if (view < body->new_view) REQUIRE(holds(*body, height, view));  // I13
  }
  pbft::ViewChange& newest = view_changes_[envelope.sender];
  if (newest.new_view < body->new_view) newest = *body;
}

void Network::answer_bodies(Node& node, const NeedBodies& need) {
  BodiesInput out;
  out.digest = need.digest;
  for (const TxHash& hash : need.transactions) {
    SharedBytes found;
    for (const SharedBytes& body : need.inline_bodies) {
      if (hash_of(*body) == hash) found = body;
    }
    const bool lacks = random != nullptr && random->chance_percent(lack_percent);
    if (found == nullptr && !lacks) {
      const auto at = transactions_.find(hash);
      if (at != transactions_.end()) found = at->second;
    }
    if (found == nullptr) return;  // not here: the engine fetches from peers
    out.bodies.push_back(found);
  }
  node.inputs.push_back(std::move(out));
}

void Network::answer_blocks(Node& node, const ReadBlocks& read) {
  BlocksReadInput out;
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
  node.inputs.push_back(std::move(out));
}

bool Network::finish_persist(Node& node, std::size_t i) {
  if (node.persisting.empty()) return false;
  if (before_persist) before_persist(i);
  if (!node.is_up || node.persisting.empty()) return true;  // the hook crashed it
  const std::uint64_t run = node.runs;
  Persist persist = std::move(node.persisting.front());
  node.persisting.pop_front();
  node.log.insert(node.log.end(), persist.writes.begin(), persist.writes.end());
  ++node.persists;
  for (const Send& send : persist.then_send) route(i, send);
  if (after_sends) after_sends(i);
  if (!node.is_up || node.runs != run) return true;  // the hook crashed it
  give(i, PersistedInput{persist.id});
  return true;
}

void Network::execute(Node& node) {
  const Commit commit = std::move(node.executing.front());
  node.executing.pop_front();
  REQUIRE(commit.height == node.height().next());
  const auto [at, is_new] = executed_.emplace(commit.height.value, commit.digest);
  REQUIRE((is_new || at->second == commit.digest));  // I1
  if (commit.batch == nullptr) {
    REQUIRE(commit.digest == null_digest(test_chain(), epoch_.epoch, commit.height));
  } else {
    REQUIRE(batch_digest(*commit.batch) == commit.digest);
    const Result<Batch> batch = decode<Batch>(*commit.batch);
    REQUIRE(batch.has_value());
    REQUIRE(batch->transactions.size() == commit.bodies.size());
    for (std::size_t t = 0; t < commit.bodies.size(); ++t) {
      REQUIRE(hash_of(*commit.bodies[t]) == batch->transactions[t]);
    }
  }
  StoredBlock block;
  Hash digest_in_header = commit.digest;
  if (node.bad_header_at == commit.height.value) digest_in_header.bytes[0] ^= 1;
  block.header = test_header(commit.height, node.store.back().header_hash, digest_in_header);
  block.header_hash = header_hash_of(block.header);
  block.digest = commit.digest;
  block.batch = commit.batch;
  block.bodies = commit.bodies;
  forget_executed(node, block);
  node.store.push_back(block);
  node.inputs.push_back(AppliedInput{commit.height, block.header, block.header_hash});
}

bool Network::work_of(std::size_t i) {
  Node& node = nodes_[i];
  if (!node.is_up) return false;
  if (!node.inputs.empty()) {
    Input input = std::move(node.inputs.front());
    node.inputs.pop_front();
    give(i, std::move(input));
    return true;
  }
  if (!node.executing.empty()) {
    execute(node);
    return true;
  }
  if (!hold_persistence) return finish_persist(node, i);
  return false;
}

bool Network::work() {
  const std::size_t first =
      random == nullptr ? 0 : static_cast<std::size_t>(random->below(nodes_.size() + 1));
  for (std::size_t k = 0; k <= nodes_.size(); ++k) {
    const std::size_t i = (first + k) % (nodes_.size() + 1);
    if (i < nodes_.size()) {
      if (work_of(i)) return true;
      continue;
    }
    if (wire_.empty()) continue;
    std::size_t pick = 0;
    if (random != nullptr) pick = static_cast<std::size_t>(random->below(wire_.size()));
    const Message message = wire_[pick];
    wire_.erase(wire_.begin() + static_cast<std::ptrdiff_t>(pick));
    const Result<Envelope> envelope = decode<Envelope>(*message.bytes);
    if (drop && envelope.has_value() && drop(message, envelope->kind)) return true;
    if (!nodes_[message.to].is_up || separated(message.from, message.to)) return true;
    Result<Unverified> read = read_envelope(message.from, message.bytes, epoch_);
    REQUIRE(read.has_value());
    const bool wanted = nodes_[message.to].engine->wants(*read);
    Result<Verified> verified =
        verify(*std::move(read), test_chain(), epoch_, crypto::toy_verifier());
    REQUIRE(verified.has_value());
    const Verdict verdict = give(message.to, DeliverInput{*std::move(verified)});
    if (verdict.accepted) REQUIRE(wanted);
    return true;
  }
  return false;
}

void Network::run(std::size_t steps_max) {
  for (std::size_t step = 0; step < steps_max; ++step) {
    if (!work()) return;
  }
  FAIL("the network does not come to rest");
}

void Network::pass(std::uint64_t milliseconds) {
  for (std::uint64_t t = 0; t < milliseconds; t += tick_ms) {
    now_ = now_ + tick_ms;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].is_up) tick(i);
      if (nodes_[i].is_up && proposes) propose_admitted(i);
    }
    run();
  }
}

bool Network::pass_until(const std::function<bool()>& done, std::uint64_t milliseconds_max) {
  for (std::uint64_t t = 0; t < milliseconds_max; t += tick_ms) {
    if (done()) return true;
    pass(tick_ms);
  }
  return done();
}

bool Network::propose(std::size_t count, std::size_t size_bytes) {
  for (std::size_t i = 0; i < validators(); ++i) {
    if (!nodes_[i].is_up || !nodes_[i].engine->can_propose()) continue;
    ProposeInput input;
    input.proposed_at = {kWallOffset + now_.value};
    for (std::size_t t = 0; t < count; ++t) {
      const SharedBytes body = transaction(next_transaction_++, size_bytes);
      transactions_[hash_of(*body)] = body;
      input.transactions.push_back(hash_of(*body));
      input.bodies.push_back(body);
    }
    REQUIRE(give(i, std::move(input)).accepted);
    return true;
  }
  return false;
}

std::optional<std::size_t> Network::leader() const {
  for (std::size_t i = 0; i < validators(); ++i) {
    if (nodes_[i].is_up && nodes_[i].engine->can_propose()) return i;
  }
  return std::nullopt;
}

void Network::inject(ReplicaId from, ReplicaId to, SharedBytes bytes) {
  wire_.push_back({from, to, std::move(bytes)});
}

Verdict Network::flush(std::size_t i, Height height) {
  Node& node = nodes_[i];
  REQUIRE(height <= node.height());
  node.flushed = height;
  return give(i, FlushedInput{height});
}

bool Network::all_at(Height height) {
  const Node* first = nullptr;
  for (const Node& node : nodes_) {
    if (!node.is_up) continue;
    const Status status = node.status();
    if (status.stopped || status.executed != height || status.certified != height) return false;
    if (node.height() != height) return false;
    if (first == nullptr) first = &node;
    if (node.store.back().header_hash != first->store.back().header_hash) return false;
  }
  return true;
}

bool Network::all_level() {
  for (const Node& node : nodes_) {
    if (node.is_up) return all_at(node.status().executed);
  }
  return true;
}

std::string Network::describe() const {
  std::string out;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    out += "node " + std::to_string(i);
    if (!node.is_up) {
      out += " down\n";
      continue;
    }
    const Status status = node.status();
    out += " view " + std::to_string(status.view.value) + (status.active ? " active" : "") +
           " vc " + std::to_string(status.view_change.value) + " h " +
           std::to_string(status.certified.value) + " exec " +
           std::to_string(status.executed.value) + " seen " +
           std::to_string(status.highest_seen.value) + " waiting " +
           std::to_string(node.pool.size()) + (status.stopped ? " stopped" : "") + "\n";
    for (const Stop& stop : node.stops) out += "  stop: " + stop.reason + "\n";
    for (const BanPeer& ban : node.bans) {
      out += "  bans " + std::to_string(ban.peer) + ": " + ban.reason + "\n";
    }
  }
  return out;
}

}  // namespace baolian::consensus::testing
