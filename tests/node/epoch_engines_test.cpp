/// Which engine runs after a restart (consensus.md 1.10), where the store stands below what the log
/// still knows.
#include "node/epoch_engines.h"

#include "consensus/messages.h"
#include "consensus/records.h"
#include "node/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

constexpr ReplicaId kSelf = 1;
constexpr std::uint64_t kFirstOfNext = 40;

const sim::World& world() {
  static const sim::World one = sim::make_world(4, 0, 1);
  return one;
}

EpochEngines::Config config() {
  EpochEngines::Config out;
  out.engine.chain_id = world().chain_id;
  out.engine.verifier = &crypto::toy_verifier();
  out.nodes = world().genesis.epoch.validators;
  out.self = kSelf;
  out.signer = world().node_signers[kSelf].get();
  return out;
}

/// How epoch `number` began, `kFirstOfNext` heights after the one before.
consensus::EpochStart start_of(std::uint64_t number) {
  consensus::EpochStart out;
  out.epoch = world().genesis.epoch;
  out.epoch.epoch = Epoch{number};
  out.epoch.first_height = Height{number * kFirstOfNext};
  out.certificate.epoch = Epoch{number - 1};
  out.certificate.vote.height = Height{number * kFirstOfNext - 1};
  for (ValidatorIndex i = 0; i < 3; ++i) out.certificate.signatures.push_back({i, Signature{}});
  return out;
}

consensus::LogRecord snapshot_of(std::uint64_t number, std::uint64_t voted_view) {
  consensus::Snapshot out;
  out.epoch = start_of(number);
  out.voted_view = View{voted_view};
  return {consensus::RecordType::snapshot, std::make_shared<const Bytes>(encode(out))};
}

/// A store that holds nothing but the genesis.
EpochEngines::Recovered lost_store(std::vector<consensus::LogRecord> log) {
  EpochEngines::Recovered out;
  out.log = std::move(log);
  out.epochs = {world().genesis.epoch};
  return out;
}

/// What the first two ticks make an engine send.
std::vector<consensus::Send> sends_of(consensus::Engine& engine) {
  std::vector<consensus::Send> out;
  for (const std::uint64_t now : {1000ULL, 3000ULL}) {
    consensus::Effects effects;
    static_cast<void>(engine.step(consensus::TickInput{Tick{now}, TimeMs{now}, {}}, effects));
    for (const consensus::Effect& effect : effects) {
      if (const auto* send = std::get_if<consensus::Send>(&effect)) out.push_back(*send);
      CHECK_FALSE(std::holds_alternative<consensus::Persist>(effect));
    }
  }
  return out;
}

/// STATUS of a validator of epoch 0 whose newest certified height is this one.
SharedBytes status_message(ValidatorIndex sender, std::uint64_t certified) {
  consensus::StatusBody body;
  body.active = true;
  body.certified = Height{certified};
  body.executed = Height{certified};
  const Bytes encoded = encode(body);
  const Signature signature = world().node_signers[sender]->sign_object(
      crypto::ObjectType::status, world().chain_id, Epoch{0}, crypto::sha256(encoded));
  return consensus::make_envelope(consensus::MessageKind::status, Epoch{0}, sender, encoded,
                                  signature);
}

std::vector<consensus::Send> answers_to(consensus::Engine& engine, const SharedBytes& message) {
  const auto from = decode<consensus::Envelope>(*message).value().sender;
  auto verified = consensus::verify_envelope(from, message, world().chain_id, world().genesis.epoch,
                                             crypto::toy_verifier());
  REQUIRE(verified.has_value());
  consensus::Effects effects;
  static_cast<void>(engine.step(consensus::DeliverInput{*std::move(verified)}, effects));
  std::vector<consensus::Send> out;
  for (const consensus::Effect& effect : effects) {
    if (const auto* send = std::get_if<consensus::Send>(&effect)) out.push_back(*send);
  }
  return out;
}

}  // namespace

TEST_CASE("epochs: of an epoch that the log has cut away a node signs nothing", "[node][epoch]") {
  auto engines = EpochEngines::recover(config(), lost_store({snapshot_of(2, 7)}));
  REQUIRE(engines.has_value());
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    INFO("epoch " << epoch);
    CHECK(engines->epoch().epoch == Epoch{epoch});
    CHECK(engines->engine().status().silent);
    CHECK_FALSE(engines->engine().can_propose());
    CHECK(engines->is_replaying());
    CHECK_FALSE(engines->take_opening().has_value());
    for (const consensus::Send& send : sends_of(engines->engine())) {
      const auto envelope = decode<consensus::Envelope>(*send.bytes);
      REQUIRE(envelope.has_value());
      CHECK(envelope->kind == consensus::MessageKind::fetch);
      CHECK(envelope->sender == kSelf);  // peers know it as a validator of that epoch
    }
    REQUIRE(engines->begin(start_of(epoch + 1)).has_value());
  }
  CHECK(engines->epoch().epoch == Epoch{2});
  CHECK_FALSE(engines->engine().status().silent);
  CHECK_FALSE(engines->is_replaying());
  CHECK(engines->engine().status().voted_view == View{7});
}

TEST_CASE("epochs: in an epoch that its log has left a node signs nothing more", "[node][epoch]") {
  // The store was lost, the log holds all of epoch 0 and the beginning of epoch 1: what a timer
  // would have the node say in epoch 0 could not be written where epoch 0 is read again.
  consensus::Snapshot of_genesis;
  of_genesis.voted_view = View{3};
  const consensus::LogRecord held{consensus::RecordType::snapshot,
                                  std::make_shared<const Bytes>(encode(of_genesis))};
  const consensus::LogRecord left{consensus::RecordType::epoch,
                                  std::make_shared<const Bytes>(encode(start_of(1)))};
  auto engines = EpochEngines::recover(config(), lost_store({held, left}));
  REQUIRE(engines.has_value());
  CHECK(engines->epoch().epoch == Epoch{0});
  CHECK(engines->is_replaying());
  CHECK(engines->engine().status().silent);
  CHECK_FALSE(engines->engine().can_propose());
  REQUIRE(engines->begin(start_of(1)).has_value());
  CHECK_FALSE(engines->is_replaying());
  CHECK_FALSE(engines->engine().status().silent);
}

TEST_CASE("epochs: of an epoch that its log has left a node still says how it ended",
          "[node][epoch]") {
  const consensus::LogRecord left{consensus::RecordType::epoch,
                                  std::make_shared<const Bytes>(encode(start_of(1)))};
  auto engines = EpochEngines::recover(config(), lost_store({left}));
  REQUIRE(engines.has_value());
  REQUIRE(engines->engine().status().silent);
  CHECK(engines->engine().status().certified == Height{kFirstOfNext - 1});
  static_cast<void>(sends_of(engines->engine()));  // the first ticks

  const auto answers = answers_to(engines->engine(), status_message(0, kFirstOfNext - 5));
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].to == ReplicaId{0});
  const auto envelope = decode<consensus::Envelope>(*answers[0].bytes);
  REQUIRE(envelope.has_value());
  const auto reply = decode<consensus::Reply>(envelope->body);
  REQUIRE(reply.has_value());
  const auto* certificate = std::get_if<consensus::ReplyCertificate>(&reply->what);
  REQUIRE(certificate != nullptr);
  CHECK(certificate->certificate.vote.height == Height{kFirstOfNext - 1});
  // Who knows it is told nothing.
  CHECK(answers_to(engines->engine(), status_message(2, kFirstOfNext - 1)).empty());
}

TEST_CASE("epochs: the end of the epoch before is known by the log alone", "[node][epoch]") {
  // The store has the last block of epoch 0, but lost the certificate.
  EpochEngines::Recovered recovered = lost_store({snapshot_of(1, 2)});
  recovered.epochs.push_back(start_of(1).epoch);
  recovered.executed = Height{kFirstOfNext - 1};
  auto engines = EpochEngines::recover(config(), std::move(recovered));
  REQUIRE(engines.has_value());
  CHECK(engines->epoch().epoch == Epoch{1});
  CHECK(engines->past(Epoch{0}) != nullptr);
  CHECK(engines->past(Epoch{1}) == nullptr);
}

TEST_CASE("epochs: a log that begins with the genesis leaves no epoch in silence",
          "[node][epoch]") {
  auto engines = EpochEngines::recover(config(), lost_store({}));
  REQUIRE(engines.has_value());
  CHECK_FALSE(engines->engine().status().silent);
  REQUIRE(engines->begin(start_of(1)).has_value());
  CHECK_FALSE(engines->engine().status().silent);
  const auto opening = engines->take_opening();
  REQUIRE(opening.has_value());
  CHECK(opening->type == consensus::RecordType::epoch);
}

TEST_CASE("epochs: a log of another epoch than the chain made is refused", "[node][epoch]") {
  auto engines = EpochEngines::recover(config(), lost_store({snapshot_of(1, 3)}));
  REQUIRE(engines.has_value());
  consensus::EpochStart other = start_of(1);
  other.epoch.first_height = Height{kFirstOfNext + 1};
  const auto begun = engines->begin(other);
  REQUIRE_FALSE(begun.has_value());
  CHECK(begun.error().code == Errc::log_corrupt);
}

TEST_CASE("epochs: a store in an epoch of which neither it nor the log has the beginning",
          "[node][epoch]") {
  EpochEngines::Recovered recovered = lost_store({snapshot_of(3, 3)});
  for (std::uint64_t epoch = 1; epoch <= 2; ++epoch)
    recovered.epochs.push_back(start_of(epoch).epoch);
  recovered.executed = Height{2 * kFirstOfNext + 5};
  const auto engines = EpochEngines::recover(config(), std::move(recovered));
  REQUIRE_FALSE(engines.has_value());
  CHECK(engines.error().code == Errc::log_corrupt);
}

}  // namespace baolian::node
