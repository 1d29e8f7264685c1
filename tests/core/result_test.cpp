#include "core/result.h"

#include <memory>
#include <set>
#include <string>

#include "support/catch.h"

namespace baolian {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Errc::bad_number, "odd");
  return value / 2;
}

Result<int> quarter(int value) {
  TRY(const int first, half(value));
  TRY(const int second, half(first));
  return second;
}

Result<void> check_even(int value, int& calls_after) {
  TRY(half(value));
  ++calls_after;
  return ok();
}

Result<std::string> describe(int value) {
  int ignored = 0;
  TRY(check_even(value, ignored));
  return std::string("even");
}

Result<std::unique_ptr<int>> boxed(int value) {
  TRY(auto box, Result<std::unique_ptr<int>>(std::make_unique<int>(value)));
  return box;
}

}  // namespace

TEST_CASE("result: holds a value or an error", "[result]") {
  const Result<int> good = half(8);
  REQUIRE(good.has_value());
  CHECK(static_cast<bool>(good));
  CHECK(*good == 4);
  const Result<int> bad = half(7);
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error() == Error{Errc::bad_number, "odd"});
}

TEST_CASE("result: TRY unwraps, and hands on the first error with code and context", "[result]") {
  CHECK(quarter(8).value() == 2);
  CHECK(quarter(7).error().code == Errc::bad_number);
  CHECK(quarter(6).error().context == "odd");
  CHECK(describe(2).value() == "even");
  CHECK(describe(3).error().code == Errc::bad_number);
}

TEST_CASE("result: TRY without a target stops at an error", "[result]") {
  int calls_after = 0;
  CHECK(check_even(2, calls_after).has_value());
  CHECK(calls_after == 1);
  CHECK(check_even(3, calls_after).error().context == "odd");
  CHECK(calls_after == 1);
}

TEST_CASE("result: carries values that only move", "[result]") {
  CHECK(*boxed(5).value() == 5);
  auto result = boxed(6);
  const std::unique_ptr<int> taken = std::move(result).value();
  CHECK(*taken == 6);
  CHECK(*boxed(7)->get() == 7);
}

TEST_CASE("errc: every code has a name of its own", "[result]") {
  std::set<std::string_view> names;
  int count = 0;
  for (int code = 0; code < 1000; ++code) {
    const std::string_view name = errc_name(static_cast<Errc>(code));
    if (name == "unknown") continue;
    names.insert(name);
    ++count;
  }
  CHECK(count > 50);
  CHECK(names.size() == static_cast<std::size_t>(count));
  CHECK(errc_name(Errc::bad_hex) == "bad_hex");
  CHECK(errc_name(static_cast<Errc>(999)) == "unknown");
}

}  // namespace baolian
