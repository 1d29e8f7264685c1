#include "node/mesh_transport.h"

#include <algorithm>

#include "crypto/random.h"
#include "node/config.h"
#include "node/institution_messages.h"

namespace baolian::node {
namespace {

net::MessageClass mesh_class(MessageClass message_class) {
  switch (message_class) {
    case MessageClass::vote:
      return net::MessageClass::votes;
    case MessageClass::view_change:
      return net::MessageClass::view_change;
    case MessageClass::proposal:
      return net::MessageClass::proposal;
    case MessageClass::sync:
      return net::MessageClass::sync;
    case MessageClass::transaction:
      return net::MessageClass::transactions;
  }
  return net::MessageClass::sync;
}

MessageClass replica_class(net::MessageClass message_class) {
  switch (message_class) {
    case net::MessageClass::votes:
      return MessageClass::vote;
    case net::MessageClass::view_change:
      return MessageClass::view_change;
    case net::MessageClass::proposal:
      return MessageClass::proposal;
    case net::MessageClass::sync:
      return MessageClass::sync;
    case net::MessageClass::transactions:
      return MessageClass::transaction;
  }
  return MessageClass::sync;
}

Result<net::PeerConfig> peer_config(ReplicaId id, const ledger::Node& node,
                                    const std::map<PublicKey, std::string>& elsewhere) {
  const auto moved = elsewhere.find(node.consensus_key);
  TRY(const HostPort address,
      parse_host_port(moved == elsewhere.end() ? node.address : moved->second));
  net::PeerConfig peer;
  peer.index = id;
  peer.host = address.host;
  peer.port = address.port;
  peer.tls_pin = node.tls_pin;
  peer.consensus_key = node.consensus_key;
  peer.kind = node.votes ? net::PeerKind::validator : net::PeerKind::observer;
  return peer;
}

/// Whether a peer votes in the epoch that runs.
PeerMemory::Role role_of(const PublicKey& key, const ledger::Chain& chain) {
  const auto& voters = chain.epoch_at(chain.height().next()).validators;
  return std::binary_search(voters.begin(), voters.end(), key) ? PeerMemory::Role::votes
                                                               : PeerMemory::Role::observes;
}

}  // namespace

Result<std::unique_ptr<MeshTransport>> MeshTransport::create(Config config, Replica& replica,
                                                             PeerMemory& memory,
                                                             OnInstitutionMessage on_message,
                                                             OnProblem on_problem) {
  const ledger::Genesis& genesis = *config.genesis;
  const std::vector<PublicKey> keys = replica_keys(genesis);
  for (const auto& [key, where] : config.addresses) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return fail(Errc::config_invalid,
                  "configuration, 'peer_addresses': " + key.hex() +
                      " is the consensus key of no node; take it from genesis.json");
    }
  }
  std::unique_ptr<MeshTransport> out(new MeshTransport(replica.self()));
  out->known_.resize(keys.size());
  out->process_ = crypto::random_id<net::ProcessId>();
  net::MeshConfig mesh;
  mesh.chain_id = ledger::chain_id_of(genesis);
  mesh.kind = replica.is_validator() ? net::PeerKind::validator : net::PeerKind::observer;
  mesh.listen_address = config.listen_host;
  mesh.listen_port = config.listen_port;
  TRY(mesh.identity, net::mesh_identity(config.keys->tls_seed()));
  mesh.jitter_seed = out->process_.bytes[0] + 256ULL * out->process_.bytes[1];
  for (const auto& institution : genesis.institutions) {
    for (const auto& node : institution.nodes) {
      const auto at = std::find(keys.begin(), keys.end(), node.consensus_key);
      ASSERT(at != keys.end());
      const auto id = static_cast<ReplicaId>(at - keys.begin());
      out->known_[id] = {institution.id, institution.name};
      if (id == replica.self()) continue;
      TRY(net::PeerConfig peer, peer_config(id, node, config.addresses));
      mesh.peers.push_back(std::move(peer));
    }
  }
  TRY(out->mesh_,
      net::PeerMesh::create(
          std::move(mesh), config.keys->consensus(), crypto::ed25519_verifier(),
          out->callbacks(config, replica, memory, std::move(on_message), std::move(on_problem))));
  return out;
}

net::MeshCallbacks MeshTransport::callbacks(const Config&, Replica& replica, PeerMemory& memory,
                                            OnInstitutionMessage on_message, OnProblem on_problem) {
  net::MeshCallbacks out;
  out.local_run = [this, &replica] {
    const BootRecord boot = replica.boot();
    const auto status = replica.status().consensus;
    return net::LocalRun{boot.incarnation,
                         boot.boot_counter,
                         process_,
                         {status.epoch, status.voted_view, status.voted_height}};
  };
  out.judge_hello = [&replica, &memory](net::PeerIndex, const net::Hello& hello) {
    return memory.judge(hello, role_of(hello.node, replica.chain()));
  };
  out.on_frame = [this, &replica, on_message](net::PeerIndex peer, net::MessageClass message_class,
                                              Bytes bytes) {
    if (!bytes.empty() && bytes.front() >= kDeliveryPart) {
      if (peer < known_.size()) on_message(known_[peer].institution, std::move(bytes));
      return;
    }
    replica.receive(peer, replica_class(message_class),
                    std::make_shared<const Bytes>(std::move(bytes)));
  };
  out.on_problem = [this, on_problem](std::optional<net::PeerIndex> peer, const Error& error) {
    on_problem(peer && *peer < known_.size() ? known_[*peer].name : "unknown key", error);
  };
  return out;
}

MeshTransport::~MeshTransport() { stop(); }
void MeshTransport::start() { mesh_->start(); }
void MeshTransport::stop() {
  if (mesh_) mesh_->stop();
}
std::uint16_t MeshTransport::bound_port() const { return mesh_->bound_port(); }

void MeshTransport::send(ReplicaId to, MessageClass message_class, SharedBytes bytes) {
  static_cast<void>(mesh_->send(to, mesh_class(message_class), std::move(bytes)));
}

void MeshTransport::send_to_validators(MessageClass message_class, SharedBytes bytes) {
  static_cast<void>(mesh_->broadcast(mesh_class(message_class), bytes));
}

void MeshTransport::ban(ReplicaId peer, std::string) {
  mesh_->disconnect(peer, net::DisconnectReason::malformed);
}

void MeshTransport::send_to_institution(const InstitutionId& institution, Bytes bytes) {
  const auto frame = std::make_shared<const Bytes>(std::move(bytes));
  for (std::size_t id = 0; id < known_.size(); ++id) {
    if (id == self_ || known_[id].institution != institution) continue;
    static_cast<void>(mesh_->send(static_cast<net::PeerIndex>(id), net::MessageClass::sync, frame));
  }
}

std::vector<MeshTransport::Peer> MeshTransport::peers() const {
  const std::vector<net::PeerIndex> connected = mesh_->connected();
  std::vector<Peer> out;
  for (std::size_t id = 0; id < known_.size(); ++id) {
    if (id == self_) continue;
    const bool is_connected =
        std::binary_search(connected.begin(), connected.end(), static_cast<net::PeerIndex>(id));
    out.push_back({static_cast<ReplicaId>(id), known_[id].name, is_connected});
  }
  return out;
}

}  // namespace baolian::node
