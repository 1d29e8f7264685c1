/// Between the replica and the peer mesh: ReplicaIds are the mesh's peer indexes, classes map one
/// to one, and messages between institutions (institution_messages.h) are told apart by their first
/// byte.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "ledger/genesis.h"
#include "net/peer_mesh.h"
#include "node/node_keys.h"
#include "node/peer_memory.h"
#include "node/replica.h"

namespace baolian::node {

class MeshTransport final : public Transport {
 public:
  struct Config {
    const ledger::Genesis* genesis = nullptr;  ///< outlives the transport
    const NodeKeys* keys = nullptr;
    std::string listen_host;
    std::uint16_t listen_port = 0;
    std::map<PublicKey, std::string> addresses = {};  ///< Config::peer_addresses
  };
  using OnInstitutionMessage = std::function<void(const InstitutionId&, Bytes)>;
  using OnProblem = std::function<void(const std::string& peer, const Error&)>;

  /// Listens; start() connects. Returns: Errc::config_invalid for an address of an unknown node.
  /// The replica, memory and config's pointers outlive the transport.
  static Result<std::unique_ptr<MeshTransport>> create(Config config, Replica& replica,
                                                       PeerMemory& memory,
                                                       OnInstitutionMessage on_message,
                                                       OnProblem on_problem);
  ~MeshTransport() override;

  void start();
  void stop();
  std::uint16_t bound_port() const;

  void send(ReplicaId to, MessageClass message_class, SharedBytes bytes) override;
  void send_to_validators(MessageClass message_class, SharedBytes bytes) override;
  void ban(ReplicaId peer, std::string reason) override;
  /// To every node of an institution.
  void send_to_institution(const InstitutionId& institution, Bytes bytes);

  struct Peer {
    ReplicaId id = 0;
    std::string institution;
    bool connected = false;
  };
  std::vector<Peer> peers() const;

 private:
  struct Known {
    InstitutionId institution;
    std::string name;
  };
  explicit MeshTransport(ReplicaId self) : self_(self) {}
  net::MeshCallbacks callbacks(const Config& config, Replica& replica, PeerMemory& memory,
                               OnInstitutionMessage on_message, OnProblem on_problem);

  ReplicaId self_ = 0;
  std::vector<Known> known_;  // by ReplicaId
  net::ProcessId process_;
  std::unique_ptr<net::PeerMesh> mesh_;
};

}  // namespace baolian::node
