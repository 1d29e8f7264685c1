// Properties of the codec over generated values and mutated bytes. rapidcheck prints the seed of
// every run, and with a failure the line RC_PARAMS=... that repeats it.
#include <rapidcheck.h>

#include <algorithm>

#include "core/codec_sample.h"
#include "support/catch.h"

namespace baolian::test {
namespace {

template <typename T>
T any_of() {
  return *rc::gen::arbitrary<T>();
}

std::size_t size_up_to(std::size_t max) { return *rc::gen::inRange<std::size_t>(0, max + 1); }

/// A text of at most `bytes_max` bytes with characters of one to four bytes.
std::string any_text(std::size_t bytes_max) {
  static const std::vector<std::string> kCharacters = {
      "a", "\x7F", std::string(1, '\0'), "\xC3\xA9", "\xE4\xBF\x9D", "\xF0\x9F\x94\x97"};
  std::string out;
  while (true) {
    const std::string next = *rc::gen::elementOf(kCharacters);
    if (out.size() + next.size() > bytes_max || size_up_to(5) == 0) return out;
    out += next;
  }
}

Point any_point() { return {.x = any_of<std::int32_t>(), .y = any_of<std::uint16_t>()}; }

Everything any_everything() {
  Everything out;
  out.u8 = any_of<std::uint8_t>();
  out.u16 = any_of<std::uint16_t>();
  out.u32 = any_of<std::uint32_t>();
  out.u64 = any_of<std::uint64_t>();
  out.i8 = any_of<std::int8_t>();
  out.i64 = any_of<std::int64_t>();
  out.flag = any_of<bool>();
  out.colour = *rc::gen::element(Colour::red, Colour::green, Colour::blue);
  out.wide = *rc::gen::element(Wide::first, Wide::second);
  for (auto& b : out.id.bytes) b = any_of<std::uint8_t>();
  out.height = Height{any_of<std::uint64_t>()};
  out.bytes = *rc::gen::container<Bytes>(1 + size_up_to(7), rc::gen::arbitrary<std::uint8_t>());
  out.text = any_text(12);
  out.point = any_point();
  for (std::size_t i = size_up_to(5); i > 0; --i) out.points.push_back(any_point());
  out.set = *rc::gen::container<std::vector<std::uint16_t>>(size_up_to(6),
                                                            rc::gen::arbitrary<std::uint16_t>());
  std::sort(out.set.begin(), out.set.end());
  out.set.erase(std::unique(out.set.begin(), out.set.end()), out.set.end());
  for (std::size_t i = size_up_to(4); i > 0; --i) out.texts.push_back(any_text(6));
  if (any_of<bool>()) out.number = any_of<std::uint32_t>();
  if (any_of<bool>()) {
    out.maybe_bytes = *rc::gen::container<Bytes>(size_up_to(4), rc::gen::arbitrary<std::uint8_t>());
  }
  switch (size_up_to(2)) {
    case 0:
      out.choice = any_point();
      break;
    case 1:
      out.choice = Label{any_text(16)};
      break;
    default:
      out.choice = any_of<std::uint64_t>();
  }
  return out;
}

/// Changes, removes, inserts or repeats a few bytes.
void mutate(Bytes& bytes) {
  if (bytes.empty()) return;
  const auto at = static_cast<std::ptrdiff_t>(size_up_to(bytes.size() - 1));
  const auto place = bytes.begin() + at;
  switch (size_up_to(4)) {
    case 0:
      *place = any_of<std::uint8_t>();
      break;
    case 1:
      // Small values are the ones that tags, lengths and enums take.
      *place = static_cast<std::uint8_t>(size_up_to(6));
      break;
    case 2:
      bytes.erase(place);
      break;
    case 3:
      bytes.insert(place, static_cast<std::uint8_t>(size_up_to(6)));
      break;
    default: {
      const auto length =
          static_cast<std::ptrdiff_t>(size_up_to(static_cast<std::size_t>(bytes.end() - place)));
      const Bytes repeated(place, place + length);
      bytes.insert(place, repeated.begin(), repeated.end());
    }
  }
}

}  // namespace

TEST_CASE("codec: decode(encode(x)) == x", "[codec][property]") {
  REQUIRE(rc::check("decode(encode(x)) == x", [] {
    const Everything value = any_everything();
    const auto decoded = decode<Everything>(encode(value));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded.value() == value);
  }));
}

TEST_CASE("codec: whatever bytes are accepted, encode gives them back", "[codec][property]") {
  std::size_t accepted = 0;
  std::size_t changed_and_accepted = 0;
  REQUIRE(rc::check("encode(decode(b)) == b", [&] {
    const Bytes original = encode(any_everything());
    for (int variation = 0; variation < 40; ++variation) {
      Bytes bytes = original;
      for (std::size_t i = 1 + size_up_to(2); i > 0; --i) mutate(bytes);
      const auto decoded = decode<Everything>(bytes);
      if (!decoded.has_value()) continue;
      ++accepted;
      if (bytes != original) ++changed_and_accepted;
      RC_ASSERT(encode(decoded.value()) == bytes);
    }
  }));
  // Otherwise the property would hold of nothing.
  CHECK(accepted > 100);
  CHECK(changed_and_accepted > 50);
}

TEST_CASE("codec: arbitrary bytes never do harm", "[codec][property]") {
  REQUIRE(rc::check("arbitrary bytes", [](Bytes bytes) {
    if (!bytes.empty()) bytes[0] = 3;
    const auto decoded = decode<Everything>(bytes);
    if (decoded.has_value()) RC_ASSERT(encode(decoded.value()) == bytes);
    const auto list = decode<std::optional<bool>>(bytes);
    if (list.has_value()) RC_ASSERT(encode(list.value()) == bytes);
  }));
}

}  // namespace baolian::test
