/// A network of real nodes: laid out, started and ended by the bench, or running already; watched.
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

/// What the operating system says of a node's process, as far as it runs on this machine, and what
/// the node says itself.
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

/// A network of the bench's own has hospitals and insurers in turn, each with a node that votes;
/// then observers. The first insurer is the medical-insurance bureau and the regulator too.
///
/// Ownership: the processes that it started; they are ended with the object, and the directory is
///            removed unless settings.keep. Of a network that ran already: nothing.
class Cluster {
 public:
  /// With settings.jrt0193 the last observer is laid out and not started: the latecomer.
  /// Returns: errors of node::init_network; Errc::io_failed if a node does not come up.
  static Result<std::unique_ptr<Cluster>> start(const Settings& settings);
  /// The network whose files `baolian network init` wrote to settings.network, and whose nodes run.
  /// Returns: Errc::io_failed if there are no such files or a node does not answer; errors of the
  /// genesis and the profiles.
  static Result<std::unique_ptr<Cluster>> attach(const Settings& settings);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const std::string& directory() const { return directory_; }
  const ledger::Genesis& genesis() const { return genesis_; }
  /// In the order of the genesis.
  const std::vector<Party>& parties() const { return parties_; }
  /// Short names of the hospitals, in the order of the genesis.
  const std::vector<std::string>& hospitals() const { return hospitals_; }
  /// Of each hospital, with keys of their own; 0 if one has none.
  std::size_t departments() const { return departments_; }
  /// Who vouches for consents, for profile(); empty if there is no bureau.
  std::string attestor() const;
  /// From nothing to the last node that answers: keys, genesis, processes. 0 if others did it.
  double deployment_s() const { return deployment_s_; }
  std::string profile(const std::string& holder) const;
  Result<std::vector<NodeFigures>> figures();
  /// Resident memory of all nodes together.
  std::uint64_t rss_bytes() const;
  /// Starts the node that was held back, with an empty store. Requires: settings.jrt0193.
  Result<void> start_latecomer();
  /// Height of a node's newest block, its certificate included. Requires: it was started.
  Result<std::uint64_t> height_of(const std::string& name);
  const std::string& latecomer() const { return latecomer_; }
  /// Does settings.fault to its validator: ends it by SIGKILL, or slows its connections.
  void inflict();
  /// Ends the nodes, in good order.
  void stop();
  /// Starts all nodes and waits until they answer. Returns: Errc::io_failed if one does not.
  Result<void> run();
  /// Rewrites the stores of the stopped nodes without what is gone; bytes of all data directories.
  Result<std::uint64_t> compact() const;

 private:
  struct Process {
    std::string name;
    pid_t pid = -1;                                       ///< -1: not on this machine, or not found
    std::optional<cli::ApiClient> client = std::nullopt;  ///< of the compliance officer
  };
  Cluster() = default;
  Result<void> init(const Settings& settings);
  Result<void> read_network(const std::string& genesis_file);
  Result<void> find_names();
  Result<void> count_departments();
  Result<void> spawn(const std::string& name);
  Result<void> connect(Process& process) const;
  Result<void> wait_ready(const std::string& name) const;
  std::string data_directory(const std::string& name) const;
  Result<void> read_parties();
  Result<void> choose_victim();
  Result<void> route_through_delay_line();

  std::string directory_;
  std::string node_program_;
  bool keep_ = false;
  bool is_own_ = false;  ///< its processes are ours
  double deployment_s_ = 0;
  std::size_t departments_ = 0;
  std::string latecomer_;  ///< who is not started with the others; empty: nobody
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
