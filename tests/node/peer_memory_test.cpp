#include "node/peer_memory.h"

#include <fstream>

#include "node/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using test::TemporaryDirectory;
using Role = PeerMemory::Role;

net::Hello hello_of(std::uint8_t node, std::uint64_t incarnation, std::uint64_t boot_counter,
                    std::uint8_t process) {
  net::Hello hello;
  hello.node.bytes[0] = node;
  hello.incarnation = incarnation;
  hello.boot_counter = boot_counter;
  hello.process_id.bytes[0] = process;
  return hello;
}

TEST_CASE(
    "consensus 1.7: a validator with a lost, copied or rolled-back disk is refused, also after "
    "a restart of the one who remembers",
    "[mesh]") {
  TemporaryDirectory directory;
  const std::string path = (directory.path / "peers").string();
  const bool reopen = GENERATE(false, true);
  auto memory = PeerMemory::open(path);
  REQUIRE(memory.has_value());
  CHECK((*memory)->judge(hello_of(1, 7, 3, 1), Role::votes).has_value());
  CHECK((*memory)
            ->judge(hello_of(1, 7, 3, 1), Role::votes)
            .has_value());  // the same run connects again
  CHECK((*memory)->judge(hello_of(2, 9, 1, 5), Role::votes).has_value());
  if (reopen) {
    memory = PeerMemory::open(path);
    REQUIRE(memory.has_value());
  }
  for (const net::Hello& bad : {hello_of(1, 8, 4, 2),     // another incarnation
                                hello_of(1, 7, 2, 2),     // the counter went back
                                hello_of(1, 7, 3, 2)}) {  // a second process of one run
    const auto refused = (*memory)->judge(bad, Role::votes);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::peer_unknown);
  }
  CHECK((*memory)->judge(hello_of(1, 7, 4, 2), Role::votes).has_value());
}

TEST_CASE("consensus 1.7: a validator whose last vote went back is refused", "[mesh]") {
  TemporaryDirectory directory;
  const std::string path = (directory.path / "peers").string();
  auto memory = PeerMemory::open(path);
  REQUIRE(memory.has_value());
  const auto voted = [](std::uint64_t boot, std::uint64_t epoch, std::uint64_t view,
                        std::uint64_t height) {
    net::Hello hello = hello_of(1, 7, boot, static_cast<std::uint8_t>(boot));
    hello.last_vote = {{epoch}, {view}, {height}};
    return hello;
  };
  REQUIRE((*memory)->judge(voted(3, 1, 2, 50), Role::votes).has_value());
  memory = PeerMemory::open(path);
  REQUIRE(memory.has_value());
  CHECK_FALSE((*memory)->judge(voted(4, 1, 1, 60), Role::votes).has_value());
  CHECK_FALSE((*memory)->judge(voted(4, 1, 3, 49), Role::votes).has_value());
  CHECK_FALSE((*memory)->judge(voted(4, 0, 9, 90), Role::votes).has_value());
  CHECK((*memory)->judge(voted(3, 1, 2, 51), Role::votes).has_value());
  CHECK((*memory)->judge(voted(4, 1, 2, 51), Role::votes).has_value());
  CHECK_FALSE((*memory)->judge(voted(5, 1, 2, 50), Role::votes).has_value());
  // Views and heights begin again with an epoch.
  CHECK((*memory)->judge(voted(5, 2, 0, 0), Role::votes).has_value());
}

TEST_CASE(
    "consensus 1.7, 1.10: an observer may begin anew; from the epoch in which it votes it may not",
    "[mesh]") {
  TemporaryDirectory directory;
  const std::string path = (directory.path / "peers").string();
  auto memory = PeerMemory::open(path);
  REQUIRE(memory.has_value());
  CHECK((*memory)->judge(hello_of(1, 7, 3, 1), Role::observes).has_value());
  CHECK((*memory)->judge(hello_of(1, 8, 1, 2), Role::observes).has_value());
  memory = PeerMemory::open(path);
  REQUIRE(memory.has_value());
  // It is validator now: what it was as an observer is what it must still be.
  CHECK_FALSE((*memory)->judge(hello_of(1, 9, 1, 3), Role::votes).has_value());
  CHECK_FALSE((*memory)->judge(hello_of(1, 8, 1, 3), Role::votes).has_value());
  CHECK((*memory)->judge(hello_of(1, 8, 2, 3), Role::votes).has_value());
}

TEST_CASE("node: a damaged memory of peers is an error, not an empty memory", "[mesh]") {
  TemporaryDirectory directory;
  const std::string path = (directory.path / "peers").string();
  std::ofstream(path) << "damaged";
  CHECK_FALSE(PeerMemory::open(path).has_value());
}

}  // namespace
}  // namespace baolian::node
