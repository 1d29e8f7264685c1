#include <map>

#include "core/prng.h"
#include "ledger/state_view.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

/// The plain reader that overlays are compared with.
class MapState final : public StateReader {
 public:
  std::map<std::string, std::string> pairs;

  std::optional<Bytes> read(BytesView key) const override {
    const auto found = pairs.find(std::string(as_text(key)));
    if (found == pairs.end()) return std::nullopt;
    return to_bytes(found->second);
  }
  std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const override {
    std::vector<KeyValue> out;
    for (const auto& [key, value] : pairs) {
      if (out.size() == limit) break;
      const bool is_before = range.until.empty() || key < as_text(range.until);
      if (is_before && key.starts_with(as_text(range.prefix)) && key >= as_text(range.from)) {
        out.push_back({to_bytes(key), to_bytes(value)});
      }
    }
    return out;
  }
};

std::string text_of(const std::vector<KeyValue>& pairs) {
  std::string out;
  for (const KeyValue& pair : pairs) {
    out += std::string(as_text(pair.key)) + "=" + std::string(as_text(pair.value)) + " ";
  }
  return out;
}

std::string scan_text(const StateReader& state, std::string_view prefix, std::string_view from = "",
                      std::size_t limit = 100, std::string_view until = "") {
  return text_of(state.scan({as_bytes(prefix), as_bytes(from), as_bytes(until)}, limit));
}

}  // namespace

TEST_CASE("overlay: reads its own writes and erasures, else what is below", "[overlay]") {
  MapState below;
  below.pairs = {{"a", "1"}, {"b", "2"}};
  StateOverlay overlay(below);
  overlay.write(to_bytes("b"), to_bytes("3"));
  overlay.write(to_bytes("c"), to_bytes("4"));
  overlay.erase(to_bytes("a"));
  CHECK_FALSE(overlay.read(as_bytes("a")).has_value());
  CHECK(overlay.read(as_bytes("b")) == to_bytes("3"));
  CHECK(overlay.read(as_bytes("c")) == to_bytes("4"));
  CHECK_FALSE(overlay.read(as_bytes("d")).has_value());
  CHECK(below.pairs.at("b") == "2");
}

TEST_CASE("overlay: a scan merges writes, hides erasures, keeps order, prefix, start and limit",
          "[overlay]") {
  MapState below;
  below.pairs = {{"a/1", "x"}, {"p/1", "1"}, {"p/3", "3"}, {"p/5", "5"}, {"q/1", "y"}};
  StateOverlay overlay(below);
  overlay.write(to_bytes("p/2"), to_bytes("2"));
  overlay.write(to_bytes("p/5"), to_bytes("five"));
  overlay.write(to_bytes("p/6"), to_bytes("6"));
  overlay.write(to_bytes("o"), to_bytes("z"));
  overlay.erase(to_bytes("p/3"));
  overlay.erase(to_bytes("p/4"));
  CHECK(scan_text(overlay, "p/") == "p/1=1 p/2=2 p/5=five p/6=6 ");
  CHECK(scan_text(overlay, "p/", "p/2") == "p/2=2 p/5=five p/6=6 ");
  CHECK(scan_text(overlay, "p/", "p/21") == "p/5=five p/6=6 ");
  CHECK(scan_text(overlay, "p/", "a") == "p/1=1 p/2=2 p/5=five p/6=6 ");
  CHECK(scan_text(overlay, "p/", "q").empty());
  CHECK(scan_text(overlay, "p/", "", 3) == "p/1=1 p/2=2 p/5=five ");
  CHECK(scan_text(overlay, "p/", "", 0).empty());
  CHECK(scan_text(overlay, "p/", "", 9, "p/5") == "p/1=1 p/2=2 ");
  CHECK(scan_text(overlay, "p/", "p/2", 9, "p/6") == "p/2=2 p/5=five ");
  CHECK(scan_text(overlay, "p/", "p/2", 9, "p/2").empty());
  CHECK(scan_text(overlay, "p/", "", 9, "o").empty());
  CHECK(scan_text(overlay, "") == "a/1=x o=z p/1=1 p/2=2 p/5=five p/6=6 q/1=y ");
}

TEST_CASE("overlay: a scan passes over more erased keys than it asks for", "[overlay]") {
  MapState below;
  StateOverlay overlay(below);
  for (int i = 1000; i < 3000; ++i) {
    below.pairs["k/" + std::to_string(i)] = "v";
    if (i < 2990) overlay.erase(to_bytes("k/" + std::to_string(i)));
  }
  CHECK(scan_text(overlay, "k/", "", 2) == "k/2990=v k/2991=v ");
  CHECK(overlay.scan(as_bytes("k/"), {}, SIZE_MAX).size() == 10);
}

TEST_CASE("overlay: apply_to moves writes one level down, dropping it drops them", "[overlay]") {
  MapState below;
  below.pairs = {{"a", "1"}};
  StateOverlay block(below);
  block.write(to_bytes("b"), to_bytes("2"));
  {
    StateOverlay operation = StateOverlay::over(block);
    operation.erase(to_bytes("a"));
    operation.write(to_bytes("b"), to_bytes("9"));
    CHECK(scan_text(operation, "") == "b=9 ");
  }
  CHECK(scan_text(block, "") == "a=1 b=2 ");
  StateOverlay operation = StateOverlay::over(block);
  operation.erase(to_bytes("a"));
  operation.write(to_bytes("c"), to_bytes("3"));
  operation.move_to(block);
  CHECK(scan_text(block, "") == "b=2 c=3 ");
  CHECK(block.writes().size() == 3);
  CHECK_FALSE(block.writes().at(to_bytes("a")).has_value());
}

TEST_CASE("overlay: three levels equal one map under random writes and scans", "[overlay]") {
  Prng prng(11);
  MapState below;
  MapState expected;
  for (int i = 0; i < 600; ++i) below.pairs["k" + std::to_string(prng.below(900))] = "b";
  expected.pairs = below.pairs;
  StateOverlay lower(below);
  StateOverlay upper = StateOverlay::over(lower);
  for (int i = 0; i < 800; ++i) {
    StateOverlay& level = i < 400 ? lower : upper;
    const std::string key = "k" + std::to_string(prng.below(900));
    if (prng.chance_percent(50)) {
      level.erase(to_bytes(key));
      expected.pairs.erase(key);
    } else {
      const std::string value = std::to_string(i);
      level.write(to_bytes(key), to_bytes(value));
      expected.pairs[key] = value;
    }
  }
  for (int i = 0; i < 300; ++i) {
    const std::string prefix = prng.chance_percent(50) ? "k" : "k" + std::to_string(prng.below(9));
    const std::string from = prng.chance_percent(50) ? "" : "k" + std::to_string(prng.below(900));
    const std::size_t limit = prng.chance_percent(20) ? 5000 : prng.below(400);
    const std::string until = prng.chance_percent(50) ? "" : "k" + std::to_string(prng.below(900));
    REQUIRE(scan_text(upper, prefix, from, limit, until) ==
            scan_text(expected, prefix, from, limit, until));
  }
}

}  // namespace baolian::ledger
