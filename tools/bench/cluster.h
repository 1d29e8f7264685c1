/// A network of real nodes on this machine: laid out, started, watched, ended.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/delay_line.h"
#include "bench/settings.h"
#include "cli/client.h"
#include "ledger/genesis.h"

namespace baolian::bench {

/// What the operating system says of a node's process.
struct NodeFigures {
  std::string name;
  double cpu_s = 0;                                 ///< user and system since the start
  std::map<std::string, double> thread_cpu_s = {};  ///< the same by the threads' names
  std::uint64_t rss_bytes = 0;
  std::uint64_t rss_max_bytes = 0;
  std::uint64_t disk_bytes = 0;  ///< of the files in the data directory
  std::uint64_t log_syncs = 0;   ///< fdatasyncs of the consensus log since the start
  std::uint64_t view = 0;        ///< of the consensus
  /// Microseconds of processor time of the executor, by stage.
  std::map<std::string, std::uint64_t> executor_us = {};
};

/// An institution of the network, which has one node.
struct Party {
  std::string node;  ///< short name: of the node's folder and the profiles
  InstitutionId id;
  bool is_hospital = false;
  bool is_insurer = false;
  bool is_bureau = false;     ///< medical insurance: vouches for consents
  bool is_regulator = false;  ///< holds the key of escrow, without which no claim is decided
};

/// Hospitals and insurers in turn, each with a node that votes; then observers. The first insurer
/// is the medical-insurance bureau and the regulator too.
///
/// Ownership: the processes; they are ended with the object, and the directory is removed unless
///            settings.keep.
class Cluster {
 public:
  /// Returns: errors of node::init_network; Errc::io_failed if a node does not come up.
  static Result<std::unique_ptr<Cluster>> start(const Settings& settings);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const std::string& directory() const { return directory_; }
  const ledger::Genesis& genesis() const { return genesis_; }
  /// In the order of the genesis.
  const std::vector<Party>& parties() const { return parties_; }
  /// Short names of the hospitals, in the order of the genesis.
  const std::vector<std::string>& hospitals() const { return hospitals_; }
  std::size_t departments() const { return kDepartments; }
  /// Who vouches for consents, for profile(). Requires: an insurer.
  std::string attestor() const { return "insurer-1-officer"; }
  std::string profile(const std::string& holder) const;
  Result<std::vector<NodeFigures>> figures();
  /// Resident memory of all nodes together.
  std::uint64_t rss_bytes() const;
  /// Does settings.fault to its validator: ends it by SIGKILL, or slows its connections.
  void inflict();
  /// Ends the nodes, in good order.
  void stop();
  /// Starts all nodes and waits until they answer. Returns: Errc::io_failed if one does not.
  Result<void> run();
  /// Rewrites the stores of the stopped nodes without what is gone; bytes of all data directories.
  Result<std::uint64_t> compact() const;

 private:
  static constexpr std::size_t kDepartments = 4;
  struct Process {
    std::string name;
    pid_t pid = -1;
    std::optional<cli::ApiClient> client = std::nullopt;  ///< of the compliance officer
  };
  Cluster() = default;
  Result<void> init(const Settings& settings);
  Result<void> spawn(const std::string& name);
  Result<void> wait_ready(const std::string& name) const;
  std::string data_directory(const std::string& name) const;
  Result<void> read_parties();
  Result<void> choose_victim();
  Result<void> route_through_delay_line();

  std::string directory_;
  std::string node_program_;
  bool keep_ = false;
  ledger::Genesis genesis_;
  std::vector<std::string> names_;
  std::vector<Party> parties_;
  std::vector<std::string> hospitals_;
  std::vector<Process> processes_;
  Fault fault_ = Fault::none;
  std::uint32_t delay_ms_ = 0;
  std::string victim_;  ///< who suffers the fault
  std::optional<DelayLine> delay_line_;
};

}  // namespace baolian::bench
