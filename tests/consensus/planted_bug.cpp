/// In a build with BAOLIAN_SEEDED_BUGS the environment names the bug under test, so that one can
/// see which of the rules' tests notices it: BAOLIAN_BUG=choose_lowest_view baolian_consensus_test.
#include "core/seeded_bug.h"

#if defined(BAOLIAN_SEEDED_BUGS)
#include <cstdlib>

#include "support/catch.h"

namespace baolian::consensus::testing {
namespace {

const bool kPlanted = [] {
  const char* name = std::getenv("BAOLIAN_BUG");
  if (name == nullptr) return false;
  const std::optional<Bug> bug = find_bug(name);
  if (!bug.has_value()) std::abort();  // a run with a misspelt name would prove nothing
  active_bug() = *bug;
  return true;
}();

}  // namespace

TEST_CASE("the bug under test is planted", "[.][planted]") { REQUIRE(kPlanted); }

}  // namespace baolian::consensus::testing
#endif
