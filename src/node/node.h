/// One node, wired: keys, chain, replica, mesh, vault, agents, API. Everything lives as long as
/// this object.
#pragma once

#include <memory>
#include <string>

#include "core/ids.h"
#include "core/result.h"
#include "crypto/secret.h"
#include "node/config.h"

namespace baolian::node {

class Node {
 public:
  /// Loads keystore and genesis, opens the chain, replays the consensus log, starts all threads and
  /// listens. Returns: Errc::config_invalid, genesis_invalid, bad_passphrase, log_corrupt,
  /// store_corrupt, connect_failed ... with what to correct.
  static Result<std::unique_ptr<Node>> start(Config config, const crypto::Secret& passphrase);
  ~Node();

  /// Graceful stop: no new requests, agents stop, the chain is flushed.
  void stop();
  /// True once the engine has stopped voting (diverged, halted, rolled back): the program should
  /// end with an error.
  bool has_failed() const;
  /// True once a snapshot of the other nodes is here as a new store: stop this node and start it
  /// again, which takes the new store.
  bool has_joined_store() const;

  /// How far this node is behind the others.
  struct Sync {
    Height snapshot;  ///< height of the snapshot that is being fetched; 0: none
    std::size_t chunks = 0;
    std::size_t chunks_total = 0;
    std::uint64_t fetched_bytes = 0;
    std::uint64_t snapshot_bytes = 0;  ///< as a peer says
    std::size_t sources = 0;           ///< peers that give chunks
    Height executed;
    Height highest_seen;
    std::size_t connected_peers = 0;
  };
  Sync sync() const;
  std::uint16_t api_port() const;
  std::uint16_t mesh_port() const;

 private:
  struct State;
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baolian::node
