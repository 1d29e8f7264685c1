/// Lays out a whole network on disk: genesis, one keystore and configuration a node, one profile a
/// person. For demonstrations, tests and the first start of a consortium on one machine; each
/// institution of a real one makes its own keys and hands over public parts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "crypto/keystore.h"
#include "crypto/validator_set.h"
#include "ledger/genesis.h"

namespace baolian::node {

struct InstitutionPlan {
  std::string slug;  ///< folder name: 1..32 of [a-z0-9-]
  std::string name;  ///< public name
  std::vector<ledger::InstitutionKind> kinds;
  std::string region = "330200";  ///< GB/T 2260
  bool votes = true;
  /// Systems with a gateway key of their own, which sign operations themselves
  /// (transaction_desk.h): profiles `<slug>-department-1` and on.
  std::size_t departments = 0;
};

struct NetworkPlan {
  std::string directory;  ///< must not exist or be empty
  std::string chain_name = "baolian";
  std::string currency = "CNY";
  std::uint8_t minor_digits = 2;
  std::int16_t utc_offset_minutes = 480;
  std::string host = "127.0.0.1";
  std::uint16_t base_port = 0;  ///< 0: take free ports
  crypto::ConsensusKind consensus = crypto::ConsensusKind::pbft;
  crypto::Keystore::Cost keystore_cost = crypto::Keystore::Cost::moderate;
  std::vector<InstitutionPlan> institutions;
};

/// Two hospitals, two insurers, and an observer that is regulator and medical-insurance bureau.
NetworkPlan demo_plan(std::string directory);

struct NodeFiles {
  std::string slug;
  std::string name;
  std::string config_file;
  std::string api_address;
  bool votes = false;
};
struct NetworkFiles {
  std::string genesis_file;
  std::string chain_id_hex;
  crypto::EpochRecord epoch;  ///< of the genesis
  std::vector<NodeFiles> nodes;
  std::vector<std::string> profiles;
};

/// Writes everything; files with secrets have mode 0600 and are protected by a random passphrase in
/// a file beside them. Returns: Errc::already_exists if the directory holds anything,
/// Errc::bad_argument for an unusable plan, Errc::io_failed.
Result<NetworkFiles> init_network(const NetworkPlan& plan);

}  // namespace baolian::node
