#include "node/node.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>

#include "net/https_server.h"
#include "node/agents.h"
#include "node/api.h"
#include "node/genesis_file.h"
#include "node/log_setup.h"
#include "node/mesh_transport.h"
#include "node/outbox.h"
#include "node/pruner.h"
#include "node/replica.h"
#include "node/services.h"
#include "node/transaction_desk.h"

namespace baolian::node {
namespace {

constexpr std::size_t kApiThreads = 24;
/// Each waits for blocks and for the reporter most of its time.
constexpr std::size_t kAdjudicationThreads = 8;
/// A hundredth of the retention, within these.
constexpr std::uint64_t kPrunePollMinMs = 200;
constexpr std::uint64_t kPrunePollMaxMs = 60'000;

TimeMs wall_clock() {
  using namespace std::chrono;
  return {static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count())};
}

Result<MemberId> vault_member_of(const ledger::Genesis& genesis, const InstitutionId& self,
                                 const PublicKey& key) {
  for (const auto& institution : genesis.institutions) {
    if (institution.id != self) continue;
    for (const auto& member : institution.members) {
      if (member.signing_key == key) return member.id;
    }
  }
  return fail(Errc::config_invalid, "the vault key is no member of this institution");
}

}  // namespace

/// Members in the order in which they are made; destroyed in reverse.
struct Node::State {
  Config config;
  ledger::Genesis genesis;
  crypto::Keystore keystore;
  std::optional<NodeKeys> keys;
  std::shared_ptr<const crypto::Signer> consensus_signer;
  std::optional<vault::SubjectKeys> subjects;
  std::shared_ptr<const ledger::Archive> archive;
  std::unique_ptr<Replica> replica;
  std::unique_ptr<Pruner> pruner;  // none if blocks stay for ever
  std::optional<vault::RecordStore> records;
  std::optional<vault::ReleaseGate> gate;
  std::optional<ConsentForms> forms;
  std::unique_ptr<OpeningBook> book;
  std::unique_ptr<PublicContents> contents;
  std::optional<Recipients> recipients;
  std::unique_ptr<PeerMemory> memory;
  std::unique_ptr<Submitter> submitter;
  std::unique_ptr<MeshTransport> mesh;
  Retries retries;
  std::optional<Services> services;
  std::unique_ptr<AttestationDesk> attestation;
  std::optional<FileChannel> notice_channel;
  std::unique_ptr<NoticeDesk> notices;
  std::unique_ptr<DischargeDesk> desk;
  std::unique_ptr<ReleaseAgent> release;
  std::unique_ptr<ReadingAgent> reading;
  std::unique_ptr<EmbeddedPaymentService> payment_service;
  std::unique_ptr<PaymentDesk> payments;
  std::unique_ptr<AdjudicationDesk> adjudication;
  std::unique_ptr<CountersignDesk> countersign;
  std::unique_ptr<ContentExchange> content_exchange;
  std::unique_ptr<ClaimAgent> claims;
  std::unique_ptr<Agents> agents;
  std::unique_ptr<TransactionDesk> transactions;
  std::unique_ptr<Api> api;
  std::unique_ptr<net::HttpsServer> server;
  std::atomic<bool> failed{false};
  std::atomic<bool> joined_store{false};
  std::atomic<bool> stopped{false};

  Result<void> load_keys(const crypto::Secret& passphrase);
  Result<void> open_replica();
  Result<void> open_submitter();
  Result<void> open_mesh();
  Result<void> open_services();
  Result<void> open_books();
  void open_transactions();
  Result<void> open_claims();
  Result<void> open_api();
  void run();
  ReplicaStatus status() const;
};

Result<void> Node::State::load_keys(const crypto::Secret& passphrase) {
  TRY(genesis, load_genesis(config.genesis_file));
  TRY(keystore, crypto::Keystore::load(config.keystore_file, passphrase));
  TRY(NodeKeys loaded, NodeKeys::load(keystore, genesis, config.institution));
  keys.emplace(std::move(loaded));
  TRY(vault::SubjectKeys derivation, vault::SubjectKeys::load(keystore, genesis));
  subjects.emplace(std::move(derivation));
  TRY(const crypto::Secret* seed, keystore.require(key_name::kConsensus));
  consensus_signer = crypto::make_ed25519_signer(*seed);
  return ok();
}

Result<void> Node::State::open_replica() {
  archive = std::make_shared<const ledger::Archive>(
      config.data_directory + "/archive", ledger::chain_id_of(genesis), config.archive_span);
  Replica::Config replica_config;
  replica_config.archive = archive;
  replica_config.directory = config.data_directory;
  replica_config.genesis = genesis;
  replica_config.signer = consensus_signer;
  replica_config.log_segment_bytes = config.log_segment_mib * 1024 * 1024;
  replica_config.driver.flush_quiet_ms = config.store_flush_ms;
  replica_config.on_alarm = [this](const std::string& reason) {
    spdlog::error("consensus stopped: {}", reason);
    failed = true;
  };
  replica_config.on_joined = [this] { joined_store = true; };
  replica_config.on_snapshot_problem = [](const std::string& reason) {
    spdlog::warn("no snapshot was made: {}", reason);
  };
  replica_config.snapshot_heights = config.snapshot_heights;
  replica_config.snapshot_gap_ms = 1000ULL * config.snapshot_gap_s;
  replica_config.driver.snapshots.wants_snapshot = config.wants_snapshot;
  TRY(replica, Replica::open(std::move(replica_config)));
  if (!config.retention_ms) return ok();
  pruner = std::make_unique<Pruner>(
      Pruner::Config{
          .retention_ms = *config.retention_ms,
          .poll_ms = std::clamp(*config.retention_ms / 100, kPrunePollMinMs, kPrunePollMaxMs)},
      Pruner::Ports{replica->chain(), archive, [this](Height last) { replica->prune(last); },
                    [this](std::atomic<bool>& cancelled) { replica->reclaim(cancelled); }});
  return ok();
}

Result<void> Node::State::open_submitter() {
  TRY(std::unique_ptr<Outbox> outbox, Outbox::open(config.data_directory + "/outbox.log"));
  Submitter::Ports ports;
  ports.send = [this](Bytes bytes) -> Result<void> {
    replica->submit(std::move(bytes), [](const Result<TxHash>&) {});
    return ok();
  };
  ports.clock = wall_clock;
  Submitter::Config submitter_config;
  submitter_config.request_ids_kept_ms = config.request_ids_kept_ms;
  submitter = std::make_unique<Submitter>(submitter_config, std::move(ports), replica->chain(),
                                          std::move(outbox));
  return ok();
}

Result<void> Node::State::open_mesh() {
  TRY(memory, PeerMemory::open(config.data_directory + "/peers.bin"));
  TRY(const HostPort listen, parse_host_port(config.mesh_listen));
  MeshTransport::Config mesh_config{&genesis, &*keys, listen.host, listen.port,
                                    config.peer_addresses};
  TRY(mesh, MeshTransport::create(
                mesh_config, *replica, *memory,
                [this](const InstitutionId& from, Bytes message) {
                  agents->on_message(from, std::move(message));
                },
                [](const std::string& peer, const Error& error) {
                  spdlog::debug("mesh: {}: {}: {}", peer, errc_name(error.code), error.context);
                }));
  return ok();
}

Result<void> Node::State::open_services() {
  TRY(vault::RecordStore store, vault::RecordStore::open(config.data_directory + "/vault",
                                                         keys->key_encryption_key().clone(), 1));
  records.emplace(std::move(store));
  gate.emplace(*records, keys->vault_encryption());
  TRY(const MemberId vault_member,
      vault_member_of(genesis, config.institution, keys->member(key_name::kVault).public_key()));
  TRY(ConsentForms kept,
      ConsentForms::open(config.data_directory + "/consents", keys->key_encryption_key().clone()));
  forms.emplace(std::move(kept));
  TRY(open_books());
  services.emplace(Services{config, genesis, config.institution, vault_member, *keys, *subjects,
                            replica->chain(), *submitter, *records, *gate, *forms, *book,
                            *recipients, retries,
                            [this](const InstitutionId& to, Bytes bytes) {
                              mesh->send_to_institution(to, std::move(bytes));
                            },
                            wall_clock});
  attestation = std::make_unique<AttestationDesk>(*services);
  TRY(FileChannel channel, FileChannel::open(config.data_directory + "/notices"));
  notice_channel.emplace(std::move(channel));
  TRY(notices,
      NoticeDesk::open(config.data_directory, keys->key_encryption_key(), *notice_channel));
  TRY(desk, DischargeDesk::open(*services, *notices));
  release = std::make_unique<ReleaseAgent>(*services);
  reading = std::make_unique<ReadingAgent>(*services);
  open_transactions();
  return open_claims();
}

void Node::State::open_transactions() {
  TransactionDesk::Ports ports;
  ports.send = [this](Bytes bytes, std::function<void(Result<TxHash>)> done) {
    replica->submit(std::move(bytes), std::move(done));
  };
  ports.serves = [this](const PublicKey& key) {
    const auto member = member_of_key(services->state(), key);
    return member.has_value() && member->institution == services->self;
  };
  ports.now_ms = [] {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  };
  transactions = std::make_unique<TransactionDesk>(TransactionDesk::Config{}, std::move(ports),
                                                   replica->chain());
}

/// What the institution keeps sealed beside its records.
Result<void> Node::State::open_books() {
  const std::string& data = config.data_directory;
  TRY(book, OpeningBook::open(data + "/openings", keys->key_encryption_key().clone()));
  TRY(contents, PublicContents::open(data + "/contents"));
  TRY(Recipients opened,
      Recipients::open(data + "/recipients", keys->key_encryption_key().clone()));
  recipients.emplace(std::move(opened));
  return ok();
}

Result<void> Node::State::open_claims() {
  const std::string& data = config.data_directory;
  TRY(payment_service, EmbeddedPaymentService::open(data + "/payment-service", wall_clock));
  TRY(payments,
      PaymentDesk::open(
          data + "/payments", keys->key_encryption_key().clone(), *payment_service,
          [this](const PaymentOrder& order) { claims->post_payment(order); }, wall_clock));
  adjudication = std::make_unique<AdjudicationDesk>(*services, *book, *contents, *recipients,
                                                    kAdjudicationThreads);
  countersign = std::make_unique<CountersignDesk>(*services, *book);
  content_exchange = std::make_unique<ContentExchange>(*services, *contents);
  claims = std::make_unique<ClaimAgent>(
      *services, ClaimAgent::Desks{*adjudication, *payments, *notices, *book, *recipients});
  agents = std::make_unique<Agents>(
      *services, Agents::Parts{*desk, *release, *reading, *attestation, *claims, *countersign,
                               *adjudication, *content_exchange, *payments, *notices});
  return ok();
}

Result<void> Node::State::open_api() {
  TRY(const crypto::Secret* key, keystore.require(key_name::kHttps));
  TRY(const crypto::Secret* certificate, keystore.require(key_name::kHttpsCertificate));
  TRY(const HostPort listen, parse_host_port(config.api_listen));
  api = std::make_unique<Api>(
      *services, *desk, *reading, *attestation, *transactions,
      Api::ClaimParts{*adjudication, *payments, *contents}, [this] { return status(); },
      net::certificate_fingerprint(certificate->view()), kApiThreads);
  net::HttpsServerConfig server_config;
  server_config.listen_address = listen.host;
  server_config.listen_port = listen.port;
  server_config.identity.certificate_der = to_bytes(certificate->view());
  server_config.identity.private_key_der = key->clone();
  server_config.body_bytes_max = config.api_body_mib * 1024 * 1024;
  TRY(server, net::HttpsServer::start(std::move(server_config), api->handler()));
  return ok();
}

void Node::State::run() {
  replica->on_certified([this](Height height) {
    submitter->on_certified(height);
    transactions->on_certified(height);
    agents->on_certified(height);
  });
  const Height known_certified = replica->status().consensus.certified;  // the log's word
  replica->start(*mesh);
  mesh->start();
  submitter->start();
  transactions->start();
  agents->start(known_certified);
  agents->on_certified(replica->chain().certified_height());
  if (pruner) pruner->start();
}

ReplicaStatus Node::State::status() const {
  const Replica::Status now = replica->status();
  ReplicaStatus out;
  out.epoch = now.consensus.epoch;
  out.view = now.consensus.view.value;
  out.leader = now.consensus.leader;
  out.validator = replica->is_validator();
  out.primary = now.consensus.is_leader;
  out.stopped = now.consensus.stopped || failed;
  out.certified = now.consensus.certified;
  out.active = now.consensus.active;
  out.contradictions = now.evidence;
  out.transfer = now.transfer;
  out.log_syncs = now.log_syncs;
  out.probes = now.probes;
  out.pushes_refused = now.figures.pushes_refused;
  for (const auto& peer : mesh->peers()) out.peers.push_back({peer.institution, peer.connected});
  return out;
}

Node::Node(std::unique_ptr<State> state) : state_(std::move(state)) {}

Node::~Node() { stop(); }

Result<std::unique_ptr<Node>> Node::start(Config config, const crypto::Secret& passphrase) {
  auto state = std::make_unique<State>();
  set_up_log(config);
  state->config = std::move(config);
  std::error_code error;
  std::filesystem::create_directories(state->config.data_directory, error);
  if (error) return fail(Errc::io_failed, "cannot make the data directory: " + error.message());
  TRY(state->load_keys(passphrase));
  TRY(state->open_replica());
  TRY(state->open_submitter());
  TRY(state->open_mesh());
  TRY(state->open_services());
  state->run();
  std::unique_ptr<Node> out(new Node(std::move(state)));
  TRY(out->state_->open_api());
  const ledger::Chain& chain = out->state_->replica->chain();
  if (chain.base().value > 0) {
    spdlog::info("this chain began with a snapshot of block {}", chain.base().value);
  }
  spdlog::info("chain {} height {}, {}", chain.chain_id().hex().substr(0, 16), chain.height().value,
               out->state_->replica->is_validator() ? "validator" : "observer");
  spdlog::info("{}", crypto::trust_words(chain.epoch_at(chain.height().next())));
  return out;
}

void Node::stop() {
  if (state_ == nullptr || state_->stopped.exchange(true)) return;
  // From the outside in: first nobody can ask, then nothing acts, then the replica flushes.
  if (state_->server) state_->server->stop();
  if (state_->api) state_->api->stop();
  if (state_->adjudication) state_->adjudication->stop();
  if (state_->agents) state_->agents->stop();
  if (state_->pruner) state_->pruner->stop();
  if (state_->submitter) state_->submitter->stop();
  if (state_->transactions) state_->transactions->stop();
  if (state_->mesh) state_->mesh->stop();
  if (state_->replica) state_->replica->stop();
}

bool Node::has_failed() const { return state_->failed; }
bool Node::has_joined_store() const { return state_->joined_store; }

Node::Sync Node::sync() const {
  const Replica::Status now = state_->replica->status();
  Sync out;
  out.snapshot = now.transfer.height;
  out.chunks = now.transfer.chunks;
  out.chunks_total = ledger::kChunkCount;
  out.fetched_bytes = now.transfer.bytes;
  out.snapshot_bytes = now.transfer.bytes_total;
  out.sources = now.transfer.sources;
  out.executed = now.consensus.executed;
  out.highest_seen = now.consensus.highest_seen;
  for (const auto& peer : state_->mesh->peers()) out.connected_peers += peer.connected ? 1U : 0U;
  return out;
}
std::uint16_t Node::api_port() const { return state_->server->bound_port(); }
std::uint16_t Node::mesh_port() const { return state_->mesh->bound_port(); }

}  // namespace baolian::node
