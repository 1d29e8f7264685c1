#include "node/snapshot_keeper.h"

#include <filesystem>
#include <fstream>

#include "ledger/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

namespace fs = std::filesystem;

/// A directory that says which store it is.
void put(const std::string& directory, const std::string& name, const std::string& content) {
  fs::create_directories(directory + "/" + name);
  std::ofstream(directory + "/" + name + "/CONTENT") << content;
}

std::string content_of(const std::string& directory, const std::string& name) {
  std::string out;
  std::ifstream(directory + "/" + name + "/CONTENT") >> out;
  return out;
}

}  // namespace

TEST_CASE("1.8: the joined store is taken after a crash at any point of the switch", "[snapshot]") {
  // Before it, between its two renames, after both, and with what an earlier switch left.
  const std::vector<std::vector<std::pair<std::string, std::string>>> moments = {
      {{"store", "before"}, {"store.joined", "new"}},
      {{"store.old", "before"}, {"store.joined", "new"}},
      {{"store", "new"}, {"store.old", "before"}},
      {{"store", "before"}, {"store.old", "older"}, {"store.joined", "new"}},
      {{"store.joined", "new"}},
  };
  for (const auto& directories : moments) {
    const ledger::test::TemporaryDirectory data;
    for (const auto& [name, content] : directories) put(data.path(), name, content);
    for (int start = 0; start < 2; ++start) {
      REQUIRE(take_joined_store(data.path()).has_value());
      CHECK(content_of(data.path(), "store") == "new");
      CHECK_FALSE(fs::exists(data.path() + "/store.joined"));
      CHECK_FALSE(fs::exists(data.path() + "/store.old"));
    }
  }
}

TEST_CASE("1.8: a store that is still being made is not taken", "[snapshot]") {
  const ledger::test::TemporaryDirectory data;
  put(data.path(), "store", "before");
  put(data.path(), "store.joining", "half");
  REQUIRE(take_joined_store(data.path()).has_value());
  CHECK(content_of(data.path(), "store") == "before");
  CHECK(content_of(data.path(), "store.joining") == "half");
}

}  // namespace baolian::node
