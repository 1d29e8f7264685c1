#include "node/config.h"

#include <filesystem>
#include <fstream>

#include "ledger/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

const std::string kInstitution(64, 'a');

const std::string kLeast =
    "institution = \"" + kInstitution +
    "\"\ndata_directory = \"data\"\ngenesis = \"../genesis.json\"\nkeystore = \"node.keystore\"\n";

Result<Config> parse(const std::string& text) { return parse_config(text, "/srv/node"); }

/// Requires that the text is refused with a message that names `part`.
void require_refused(const std::string& text, const std::string& part) {
  const auto config = parse(text);
  REQUIRE_FALSE(config.has_value());
  CHECK(config.error().code == Errc::config_invalid);
  CHECK_THAT(config.error().context, Catch::Contains(part));
}

TEST_CASE("the least configuration has the documented defaults", "[config]") {
  const auto config = parse(kLeast);
  REQUIRE(config.has_value());
  CHECK(config->name.empty());
  CHECK(config->institution.hex() == kInstitution);
  CHECK(config->data_directory == "/srv/node/data");
  CHECK(config->genesis_file == "/srv/genesis.json");
  CHECK(config->keystore_file == "/srv/node/node.keystore");
  CHECK(config->passphrase_file.empty());
  CHECK(config->mesh_listen == "127.0.0.1:0");
  CHECK(config->api_listen == "127.0.0.1:0");
  CHECK(config->log_level == "info");
  CHECK(config->log_json == 0);
  CHECK(config->store_flush_ms == 1000);
  CHECK(config->log_segment_mib == 64);
  CHECK(config->api_body_mib == 32);
  CHECK(config->retention_ms == 1095ULL * 24 * 3600 * 1000);
  CHECK(config->archive_span == 10'000);
}

TEST_CASE("the retention is a number with a unit, or for ever", "[config]") {
  const auto retention = [](const std::string& text) {
    const auto config = parse(kLeast + "retention = \"" + text + "\"\n");
    REQUIRE(config.has_value());
    return config->retention_ms;
  };
  CHECK(retention("3650d") == 3650ULL * 86'400'000);
  CHECK(retention("12h") == 12ULL * 3'600'000);
  CHECK(retention("30m") == 30ULL * 60'000);
  CHECK(retention("5s") == 5000);
  CHECK(retention("365000d") == 365'000ULL * 86'400'000);
  CHECK_FALSE(retention("forever").has_value());
  for (const char* bad : {"", "d", "5", "0d", "-1d", "5 d", "1.5d", "365001d", "99999999999999999d",
                          "5w", "forevers"}) {
    CAPTURE(bad);
    require_refused(kLeast + "retention = \"" + bad + "\"\n", "retention");
  }
  require_refused(kLeast + "retention = 1095\n", "retention");
  require_refused(kLeast + "archive_span = 0\n", "archive_span");
}

TEST_CASE("a peer may be dialled elsewhere than the genesis says", "[config]") {
  const std::string key(66, 'b');
  const auto config = parse(kLeast + "[peer_addresses]\n\"" + key + "\" = \"10.1.2.3:7100\"\n");
  REQUIRE(config.has_value());
  REQUIRE(config->peer_addresses.size() == 1);
  CHECK(config->peer_addresses.begin()->first.hex() == key);
  CHECK(config->peer_addresses.begin()->second == "10.1.2.3:7100");
  require_refused(kLeast + "peer_addresses = \"10.1.2.3:7100\"\n", "peer_addresses");
  require_refused(kLeast + "[peer_addresses]\nhospital = \"10.1.2.3:7100\"\n", "66 hexadecimal");
  require_refused(kLeast + "[peer_addresses]\n" + key + " = \"10.1.2.3\"\n", "host:port");
}

TEST_CASE("every option of the configuration is read", "[config]") {
  const auto config =
      parse("# a comment\nname = \"医院\"\ninstitution = \"" + kInstitution +
            "\"\ndata_directory = \"/var/lib/baolian\"\ngenesis = \"g.json\"\nkeystore = \"k\"\n"
            "passphrase_file = \"secret/p\"\nmesh_listen = \"0.0.0.0:7100\"\napi_listen = "
            "\"[::1]:7200\"\n"
            "log_level = \"debug\"\nlog_json = 1\nstore_flush_ms = 60000\nlog_segment_mib = 8\n"
            "api_body_mib = 256\n");
  REQUIRE(config.has_value());
  CHECK(config->name == "医院");
  CHECK(config->data_directory == "/var/lib/baolian");
  CHECK(config->genesis_file == "/srv/node/g.json");
  CHECK(config->keystore_file == "/srv/node/k");
  CHECK(config->passphrase_file == "/srv/node/secret/p");
  CHECK(config->mesh_listen == "0.0.0.0:7100");
  CHECK(config->api_listen == "[::1]:7200");
  CHECK(config->log_level == "debug");
  CHECK(config->log_json == 1);
  CHECK(config->store_flush_ms == 60'000);
  CHECK(config->log_segment_mib == 8);
  CHECK(config->api_body_mib == 256);
}

TEST_CASE("a missing option is named", "[config]") {
  for (const std::string& key :
       std::vector<std::string>{"institution", "data_directory", "genesis", "keystore"}) {
    const std::size_t from = kLeast.find(key + " =");
    std::string text = kLeast;
    text.erase(from, text.find('\n', from) - from);
    require_refused(text, "'" + key + "': is missing");
  }
  require_refused("", "is missing");
}

TEST_CASE("an unknown option is a mistake and is named", "[config]") {
  require_refused(kLeast + "mesh_lisen = \"127.0.0.1:1\"\n", "'mesh_lisen'");
  require_refused(kLeast + "[api]\nlisten = \"127.0.0.1:1\"\n", "'api'");
  require_refused(kLeast + "passphrase = \"secret\"\n", "'passphrase'");
}

TEST_CASE("a value of another type is named with its option", "[config]") {
  for (const std::string& key : std::vector<std::string>{"name", "passphrase_file", "mesh_listen",
                                                         "api_listen", "log_level"}) {
    for (const std::string& value :
         std::vector<std::string>{"1", "true", "[\"a\"]", "{a = 1}", "1979-05-27"}) {
      require_refused(kLeast + key + " = " + value + "\n", "'" + key + "': must be a text");
    }
  }
  for (const std::string& key :
       std::vector<std::string>{"log_json", "store_flush_ms", "log_segment_mib", "api_body_mib"}) {
    for (const std::string& value : std::vector<std::string>{"\"64\"", "true", "64.0", "[64]"}) {
      require_refused(kLeast + key + " = " + value + "\n", "'" + key + "': must be a whole number");
    }
  }
}

TEST_CASE("a number out of range is named with its range and itself", "[config]") {
  const std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> ranges = {
      {"log_json", 0, 1},
      {"store_flush_ms", 10, 60'000},
      {"log_segment_mib", 8, 1024},
      {"api_body_mib", 1, 256}};
  for (const auto& [key, low, high] : ranges) {
    const auto with = [&, name = key](std::int64_t value) {
      return kLeast + name + " = " + std::to_string(value) + "\n";
    };
    CHECK(parse(with(low)).has_value());
    CHECK(parse(with(high)).has_value());
    for (const std::int64_t bad : {low - 1, high + 1, INT64_MIN, INT64_MAX}) {
      require_refused(with(bad), "'" + key + "': must be " + std::to_string(low) + " to " +
                                     std::to_string(high) + ", not " + std::to_string(bad));
    }
  }
}

TEST_CASE("an institution id that is none is named", "[config]") {
  for (const std::string& id :
       {std::string("hospital-a"), std::string(63, 'a'), std::string(66, 'a'), std::string()}) {
    std::string text = kLeast;
    text.replace(text.find(kInstitution), kInstitution.size(), id);
    require_refused(text, "'institution'");
  }
  std::string zeros = kLeast;
  zeros.replace(zeros.find(kInstitution), kInstitution.size(), std::string(64, '0'));
  require_refused(zeros, "'institution'");
}

TEST_CASE("an address or log level that is none is named", "[config]") {
  for (const std::string& address : std::vector<std::string>{
           "", "127.0.0.1", ":7100", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
           "127.0.0.1:+1", "127.0.0.1:71x", "::1:7100", "[]:7100", "[::1:7100"}) {
    require_refused(kLeast + "mesh_listen = \"" + address + "\"\n", "'mesh_listen'");
    require_refused(kLeast + "api_listen = \"" + address + "\"\n", "'api_listen'");
  }
  for (const std::string& level : std::vector<std::string>{"", "INFO", "verbose", "warning"}) {
    require_refused(kLeast + "log_level = \"" + level + "\"\n", "'log_level'");
  }
}

TEST_CASE("text that is no TOML is refused with its line", "[config]") {
  require_refused("name = \"a\"\nname = \"b\"\n", "line 2");
  require_refused("name = \n", "line 1");
  require_refused("name \"a\"", "line 1");
  require_refused(std::string("name = \"\xFF\""), "line 1");
  require_refused("name = " + std::string(100'000, '['), "line 1");
}

TEST_CASE("host and port are taken apart", "[config]") {
  const auto named = parse_host_port("node-a.example:7100");
  REQUIRE(named.has_value());
  CHECK(named->host == "node-a.example");
  CHECK(named->port == 7100);
  const auto six = parse_host_port("[2001:db8::1]:0");
  REQUIRE(six.has_value());
  CHECK(six->host == "2001:db8::1");
  CHECK(six->port == 0);
}

TEST_CASE("a configuration file's relative paths begin at its directory", "[config]") {
  const ledger::test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/node.toml";
  std::ofstream(path) << kLeast;
  const auto config = load_config(path);
  REQUIRE(config.has_value());
  CHECK(config->data_directory == directory.path() + "/data");
  for (const std::string& unreadable : {directory.path() + "/none.toml", directory.path()}) {
    const auto none = load_config(unreadable);
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().code == Errc::io_failed);
  }
  std::ofstream(path) << std::string(1024 * 1024 + 1, '#');
  const auto large = load_config(path);
  REQUIRE_FALSE(large.has_value());
  CHECK(large.error().code == Errc::config_invalid);
}

}  // namespace
}  // namespace baolian::node
