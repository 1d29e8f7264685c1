/// Twins (Bano, Sonnino, Chursin, Perelman, Li, Ching, Malkhi: "Twins: BFT Systems Made Robust",
/// OPODIS'21): a Byzantine validator is two instances of the correct engine with one key, each of
/// which believes to be the only one. Together they equivocate, forget and contradict themselves in
/// every way in which correct code can, which covers most of the attacks that are known.
///
/// A scenario is a set of at most F validators with twins and, for each of a number of rounds, a
/// partition of all instances into at most three groups. Scenarios are numbered, so a range of
/// numbers is a set of distinct ones, and a number repeats one.
///
/// With losses every round also draws, for each instance, which votes do not reach it, by kind and
/// by odd and even heights: what is prepared or committed by some only, and P with holes, come from
/// nothing else.
///
/// What it is not: whole nodes. Engines only, with a disk that syncs at once and an execution that
/// hashes the batch: thousands of times more scenarios in the same time. Safety is judged, liveness
/// is not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consensus/engine.h"

namespace baolian::sim {

/// What of a round does not reach an instance; bits of TwinsScenario::losses.
enum Loss : std::uint8_t {
  kLosesOddPrepares = 1,
  kLosesEvenPrepares = 2,
  kLosesCommits = 4,  ///< with the REPLYs, which may carry a CommitQC
  kIsMute = 8,        ///< nothing of its own reaches anybody
};

struct TwinsConfig {
  std::size_t validators = 4;
  std::size_t rounds = 5;
  std::uint64_t round_ms = 600;  ///< about one view each, with the short timers of these runs
  bool draws_losses = false;
};

struct TwinsScenario {
  std::uint64_t number = 0;
  std::vector<ValidatorIndex> twins;  ///< who is there twice; the second instances follow the first
                                      ///< `validators` ones in this order
  std::vector<std::vector<std::uint8_t>> partitions;  ///< group of each instance, by round
  std::vector<std::vector<std::uint8_t>> losses;      ///< Loss bits of each instance, by round
};

struct TwinsReport {
  std::optional<std::string> violation;
  std::uint64_t height = 0;  ///< highest that a correct instance executed
  std::uint64_t view = 0;    ///< highest that a correct instance entered
  std::uint64_t messages = 0;
  std::uint64_t evidence = 0;  ///< contradictions that correct instances found
};

/// How many scenarios there are.
std::uint64_t twins_scenarios(const TwinsConfig& config);
/// The scenario of this number; neighbouring numbers have little in common.
/// Requires: number < twins_scenarios(config).
TwinsScenario twins_scenario(const TwinsConfig& config, std::uint64_t number);
/// Plays it: agreement (I1), certificates (I1, I14), no correct instance stops (I16) or is banned.
TwinsReport play_twins(const TwinsConfig& config, const TwinsScenario& scenario);
/// One line for people.
std::string describe(const TwinsScenario& scenario);

}  // namespace baolian::sim
