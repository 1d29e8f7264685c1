/// One node, wired: keys, chain, replica, mesh, vault, agents, API. Everything lives as long as
/// this object.
#pragma once

#include <memory>
#include <string>

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
  std::uint16_t api_port() const;
  std::uint16_t mesh_port() const;

 private:
  struct State;
  explicit Node(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baolian::node
