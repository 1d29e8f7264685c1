#include "gateway/money.h"

#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

namespace {
Errc refused(std::string_view text, unsigned digits = 2) {
  const auto amount = parse_amount(text, digits);
  REQUIRE_FALSE(amount.has_value());
  return amount.error().code;
}
}  // namespace

TEST_CASE("money: decimal texts become whole minor units exactly", "[gateway][money]") {
  CHECK(*parse_amount("0", 2) == 0);
  CHECK(*parse_amount("3255", 2) == 325500);
  CHECK(*parse_amount("3255.0", 2) == 325500);
  CHECK(*parse_amount("16022.33", 2) == 1602233);
  CHECK(*parse_amount("0.07", 2) == 7);
  CHECK(*parse_amount("75.000", 2) == 7500);
  CHECK(*parse_amount("1200", 0) == 1200);
  CHECK(*parse_amount("1.005", 3) == 1005);
  CHECK(*parse_amount("92233720368547758.07", 2) == kAmountMax);
}

TEST_CASE("money: every text of 0 to 2000 minor units reads back to itself", "[gateway][money]") {
  for (std::uint64_t minor = 0; minor <= 2000; ++minor) {
    REQUIRE(*parse_amount(format_money(minor, 4, {}), 4) == minor);
  }
}

TEST_CASE("money: what cannot be read exactly is refused, never rounded", "[gateway][money]") {
  for (const char* text : {"-1", "-0", "-0.0", "1e2", "1E-2", "1.005", "0.001", "", ".", ".5", "5.",
                           "1,000", "+1", " 1", "1 ", "0x10", "NaN", "1.2.3", "１"}) {
    INFO(text);
    CHECK(refused(text) == Errc::bad_amount);
  }
  CHECK(refused("92233720368547758.08") == Errc::bad_amount);
  CHECK(refused("9223372036854775808", 0) == Errc::bad_amount);
  CHECK(refused(std::string(400, '9')) == Errc::bad_amount);
  CHECK(refused("1.5", 0) == Errc::bad_amount);
}

TEST_CASE("money: an error never repeats the amount", "[gateway][money]") {
  CHECK(parse_amount("-987654", 2).error().context.find("987654") == std::string::npos);
}

TEST_CASE("money: sums stop at 2^63", "[gateway][money]") {
  CHECK(*add_amounts(kAmountMax - 1, 1) == kAmountMax);
  CHECK(add_amounts(kAmountMax, 1).error().code == Errc::bad_amount);
  CHECK(add_amounts(UINT64_MAX, UINT64_MAX).error().code == Errc::bad_amount);
}

TEST_CASE("money: on a screen it has groups of three and the currency", "[gateway][money]") {
  CHECK(format_money(311290, 2, "CNY") == "3,112.90 CNY");
  CHECK(format_money(0, 2, "CNY") == "0.00 CNY");
  CHECK(format_money(5, 2, "CNY") == "0.05 CNY");
  CHECK(format_money(99999, 2, "USD") == "999.99 USD");
  CHECK(format_money(100000, 2, "USD") == "1,000.00 USD");
  CHECK(format_money(1234567, 0, "JPY") == "1,234,567 JPY");
  CHECK(format_money(1500, 3, "KWD") == "1.500 KWD");
  CHECK(format_money(kAmountMax, 2, {}) == "92,233,720,368,547,758.07");
}

TEST_CASE("money: minor digits follow ISO 4217", "[gateway][money]") {
  CHECK(currency_minor_digits("CNY") == 2);
  CHECK(currency_minor_digits("JPY") == 0);
  CHECK(currency_minor_digits("KWD") == 3);
  CHECK(is_currency_code("USD"));
  CHECK_FALSE(is_currency_code("usd"));
  CHECK_FALSE(is_currency_code("US"));
  CHECK_FALSE(is_currency_code("USDT"));
}
