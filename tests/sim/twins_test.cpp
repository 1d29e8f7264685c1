#include "sim/twins.h"

#include <algorithm>

#include "support/catch.h"

namespace baolian::sim {
namespace {

TEST_CASE("twins: lost votes break no agreement, with losses and without", "[sim]") {
  for (const bool draws_losses : {false, true}) {
    TwinsConfig config;
    config.draws_losses = draws_losses;
    for (std::uint64_t number = 1; number <= 60; ++number) {
      const TwinsReport report = play_twins(config, twins_scenario(config, number));
      INFO("scenario " << number << (draws_losses ? " with losses" : ""));
      CHECK(report.violation.value_or("").empty());
      CHECK(report.height > 0);
      CHECK(report.view > 0);
    }
  }
}

TEST_CASE("twins: losses are added to a scenario and change nothing else of it", "[sim]") {
  TwinsConfig plain;
  TwinsConfig lossy;
  lossy.draws_losses = true;
  const TwinsScenario without = twins_scenario(plain, 17);
  const TwinsScenario with = twins_scenario(lossy, 17);
  CHECK(without.twins == with.twins);
  CHECK(without.partitions == with.partitions);
  CHECK(without.losses.empty());
  REQUIRE(with.losses.size() == lossy.rounds);
  CHECK(with.losses == twins_scenario(lossy, 17).losses);
  CHECK(with.losses != twins_scenario(lossy, 18).losses);
  CHECK(play_twins(lossy, with).messages == play_twins(lossy, with).messages);
}

}  // namespace
}  // namespace baolian::sim
