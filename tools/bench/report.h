/// What a run showed, for people and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/cluster.h"
#include "bench/drive.h"
#include "bench/settings.h"

namespace baolian::bench {

/// Figures of the processes at one moment of the drive.
struct Reading {
  std::uint64_t at_us = 0;
  std::vector<NodeFigures> nodes;
};

/// Taken every few seconds.
struct Moment {
  std::uint64_t at_us = 0;
  std::uint64_t certified = 0;  ///< operations so far
  std::uint64_t rss_bytes = 0;  ///< of all nodes together
};

/// A run. Figures of the processes are taken at about both ends of the measured time, under load.
struct Measured {
  Tally tally;
  Tally background;           ///< readings beside the workload
  std::uint64_t from_us = 0;  ///< of the drive: the end of the warm-up
  std::uint64_t to_us = 0;
  Reading before;
  Reading after;
  std::size_t evidence_asked = 0;
  std::size_t evidence_held = 0;
  std::uint64_t prepared_operations = 0;
  double prepared_s = 0;
  std::vector<Moment> timeline;
};

/// Every setting, the machine and the figures. `ops_per_s`, `p50_ms` and `p99_ms` stand at the top.
nlohmann::json report(const Settings& settings, const Measured& measured);
void print_report(const nlohmann::json& report);

}  // namespace baolian::bench
