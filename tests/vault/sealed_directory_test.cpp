#include "vault/sealed_directory.h"

#include <algorithm>
#include <filesystem>

#include "crypto/secretstream.h"
#include "support/catch.h"
#include "vault/durable_file.h"
#include "vault/fixture.h"

namespace baolian::vault {
namespace {

namespace fs = std::filesystem;

const Bytes kText = to_bytes("a stay that waits for a consent");

crypto::Secret key_of(std::uint8_t fill) {
  return crypto::Secret::copy_of(Bytes(crypto::kDataKeyBytes, fill));
}

struct Place {
  test::TemporaryDirectory directory;
  std::string path = directory.path() + "/pending";
  SealedDirectory open(std::uint8_t key = 7, const std::string& purpose = "pending") const {
    return SealedDirectory::open(path, purpose, key_of(key)).value();
  }
};

TEST_CASE("what is put is there after a restart, and gone when erased", "[vault][sealed]") {
  const Place place;
  REQUIRE(place.open().put("b", kText).has_value());
  REQUIRE(place.open().put("a", to_bytes("one")).has_value());
  REQUIRE(place.open().put("a", to_bytes("two")).has_value());
  const auto again = place.open();
  CHECK(again.names().value() == std::vector<std::string>{"a", "b"});
  CHECK(to_bytes(again.get("a").value().view()) == to_bytes("two"));
  CHECK(to_bytes(again.get("b").value().view()) == kText);
  REQUIRE(again.erase("a").has_value());
  REQUIRE(again.erase("a").has_value());
  CHECK(again.get("a").error().code == Errc::not_found);
}

TEST_CASE("no file opens in the place of another, or under another key or purpose",
          "[vault][sealed]") {
  const Place place;
  const auto files = place.open();
  REQUIRE(files.put("a", kText).has_value());
  fs::copy_file(place.path + "/a.sealed", place.path + "/b.sealed");
  CHECK(files.get("b").error().code == Errc::cannot_open);
  CHECK(place.open(8).get("a").error().code == Errc::cannot_open);
  CHECK(place.open(7, "consents").get("a").error().code == Errc::cannot_open);
  const Bytes bytes = read_file(place.path + "/a.sealed").value();
  CHECK(std::search(bytes.begin(), bytes.end(), kText.begin(), kText.end()) == bytes.end());
}

TEST_CASE("what a crash left half-written is swept, and never read", "[vault][sealed]") {
  const Place place;
  REQUIRE(place.open().put("a", kText).has_value());
  fs::copy_file(place.path + "/a.sealed", place.path + "/b.sealed.new123.0");
  const auto files = place.open();
  CHECK(files.names().value() == std::vector<std::string>{"a"});
  CHECK_FALSE(fs::exists(place.path + "/b.sealed.new123.0"));
}

TEST_CASE("a directory that cannot be written is an error and changes nothing", "[vault][sealed]") {
  const Place place;
  const auto files = place.open();
  REQUIRE(files.put("a", kText).has_value());
  fs::create_directories(place.path + "/taken.sealed/inside");
  CHECK(files.put("taken", kText).error().code == Errc::io_failed);
  CHECK(create_file(place.path + "/a.sealed", kText).error().code == Errc::already_exists);
  CHECK(to_bytes(files.get("a").value().view()) == kText);
}

}  // namespace
}  // namespace baolian::vault
