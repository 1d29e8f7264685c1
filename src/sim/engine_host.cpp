#include "sim/engine_host.h"

#include <algorithm>

#include "consensus/pbft/records.h"
#include "crypto/hash.h"

namespace baolian::sim {
namespace {

constexpr std::uint64_t kWallStartMs = 1'750'000'000'000;

/// A header of which the engine reads everything and nothing is executed.
struct BareHeader {
  static constexpr std::string_view kTypeName = "BareHeader";
  Height height;
  Hash parent;
  Hash batch_digest;

  static constexpr auto fields() {
    return field_list(field("height", &BareHeader::height, ""),
                      field("parent", &BareHeader::parent, ""),
                      field("batch_digest", &BareHeader::batch_digest, ""));
  }
};

Result<consensus::HeaderFacts> read_header(BytesView bytes) {
  TRY(const BareHeader header, decode<BareHeader>(bytes));
  return consensus::HeaderFacts{
      {}, header.height, crypto::sha256(bytes), header.batch_digest, header.parent};
}

}  // namespace

EngineKeys::EngineKeys(std::size_t validators) {
  chain.bytes[0] = 7;
  for (std::size_t i = 0; i < validators; ++i) signers.push_back(crypto::make_toy_signer(i + 1));
  std::sort(signers.begin(), signers.end(),
            [](const auto& a, const auto& b) { return a->public_key() < b->public_key(); });
  epoch.first_height = Height{1};
  for (const auto& signer : signers) epoch.validators.push_back(signer->public_key());
}

EngineHost::EngineHost(const EngineKeys& keys, ValidatorIndex id, bool is_copy, Around around)
    : keys_(keys), id_(id), around_(std::move(around)) {
  chain_.resize(1);
  chain_[0].header = encode(BareHeader{});
  chain_[0].header_hash = crypto::sha256(chain_[0].header);
  consensus::EngineConfig config;
  config.chain_id = keys.chain;
  config.epoch = keys.epoch;
  config.self = id;
  config.signer = keys.signers[id].get();
  config.verifier = &crypto::toy_verifier();
  config.stops_when_copied = !is_copy;
  config.timers = {.request_ms = 400,
                   .commit_ms = 300,
                   .new_view_ms = 300,
                   .heartbeat_ms = 250,
                   .timer_max_ms = 500};
  engine_ = consensus::make_pbft_engine(config, read_header, {}, {}, chain_[0].header_hash);
}

void EngineHost::tick(Tick now) {
  now_ = now;
  // Something always waits, so that a view in which nothing is executed ends.
  give(consensus::TickInput{now, TimeMs{kWallStartMs + now.value}, Tick{}});
}

void EngineHost::propose(const TxHash& hash, const consensus::SharedBytes& body) {
  give(consensus::ProposeInput{TimeMs{kWallStartMs + now_.value}, {hash}, {body}});
}

void EngineHost::deliver(consensus::ReplicaId from, const consensus::SharedBytes& bytes) {
  auto verified =
      consensus::verify_envelope(from, bytes, keys_.chain, keys_.epoch, crypto::toy_verifier());
  ASSERT(verified.has_value());  // every instance is correct code
  give(consensus::DeliverInput{*std::move(verified)});
}

void EngineHost::give(consensus::Input input) {
  inputs_.push_back(std::move(input));
  if (working_) return;
  working_ = true;
  consensus::Effects effects;
  while (!inputs_.empty()) {
    consensus::Input next = std::move(inputs_.front());
    inputs_.pop_front();
    effects.clear();
    static_cast<void>(engine_->step(std::move(next), effects));
    engine_->check_invariants();
    for (consensus::Effect& effect : effects) handle(effect);
  }
  working_ = false;
}

void EngineHost::handle(consensus::Effect& effect) {
  if (const auto* send = std::get_if<consensus::Send>(&effect)) return around_.send(*send);
  if (auto* persist = std::get_if<consensus::Persist>(&effect)) {
    for (const consensus::Send& send : persist->then_send) around_.send(send);
    inputs_.push_back(consensus::PersistedInput{persist->id});
  } else if (auto* need = std::get_if<consensus::NeedBodies>(&effect)) {
    consensus::BodiesInput bodies{need->digest, {}};
    for (const TxHash& hash : need->transactions) bodies.bodies.push_back(around_.find_body(hash));
    inputs_.push_back(std::move(bodies));
  } else if (auto* commit = std::get_if<consensus::Commit>(&effect)) {
    execute(*commit);
  } else if (auto* certified = std::get_if<consensus::Certified>(&effect)) {
    const Height height = certified->certificate.vote.height;
    if (height.value < chain_.size()) chain_[height.value].certificate = certified->certificate;
    around_.on_certified(certified->certificate);
  } else if (const auto* read = std::get_if<consensus::ReadBlocks>(&effect)) {
    inputs_.push_back(consensus::BlocksReadInput{read->peer, read_blocks(*read)});
  } else if (const auto* ban = std::get_if<consensus::BanPeer>(&effect)) {
    around_.on_ban(ban->peer, ban->reason);
  } else if (const auto* stop = std::get_if<consensus::Stop>(&effect)) {
    around_.on_stop(stop->reason);
  }
}

void EngineHost::execute(consensus::Commit& commit) {
  ASSERT(commit.height.value == chain_.size());
  Block block;
  block.header = encode(BareHeader{commit.height, chain_.back().header_hash, commit.digest});
  block.header_hash = crypto::sha256(block.header);
  block.batch = std::move(commit.batch);
  block.bodies = std::move(commit.bodies);
  inputs_.push_back(consensus::AppliedInput{commit.height, block.header, block.header_hash});
  around_.on_executed(commit.height, commit.digest);
  chain_.push_back(std::move(block));
}

/// The wanted block with its certificate, or with the headers that lead to the next one.
std::vector<consensus::SharedBytes> EngineHost::read_blocks(
    const consensus::ReadBlocks& wanted) const {
  std::vector<consensus::SharedBytes> out;
  for (std::size_t n = wanted.first.value; n < chain_.size() && out.size() < wanted.count_max;
       ++n) {
    std::vector<Bytes> later;
    std::size_t m = n;
    while (m < chain_.size() && !chain_[m].certificate.has_value()) ++m;
    if (m == chain_.size()) break;
    for (std::size_t i = n + 1; i <= m; ++i) later.push_back(chain_[i].header);
    out.push_back(std::make_shared<const Bytes>(consensus::encode_block(
        chain_[n].header, *chain_[m].certificate, chain_[n].batch, chain_[n].bodies, later)));
  }
  return out;
}

}  // namespace baolian::sim
