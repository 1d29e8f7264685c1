#include "crypto/base64.h"

#include "support/catch.h"

namespace baolian::crypto {
namespace {

TEST_CASE("rfc 4648 section 10: test vectors of base64", "[base64]") {
  const std::vector<std::pair<std::string_view, std::string_view>> vectors = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(base64_encode(as_bytes(plain)) == text);
    const auto decoded = base64_decode(text);
    REQUIRE(decoded.has_value());
    CHECK(as_text(*decoded) == plain);
  }
}

TEST_CASE("every byte string survives base64", "[base64]") {
  Bytes bytes;
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string text = base64_encode(bytes);
    CHECK(text.size() == (size + 2) / 3 * 4);
    CHECK(base64_decode(text).value() == bytes);
    bytes.push_back(static_cast<std::uint8_t>(size * 7 + 251));
  }
  CHECK(base64_encode(Bytes{0xFB, 0xEF, 0xBE, 0xFF}) == "++++/w==");
}

TEST_CASE("rfc 4648 section 3: anything but canonical base64 is refused", "[base64]") {
  for (const std::string_view bad :
       {"Z",      "Zg",           "Zg=",   "Zg===",       "=",    "==",
        "====",   "Zg==Zg==",     "Zm9v=", "Zm8",    // padding
        "Zh==",   "Zm9=",         "Zn==",            // bits that are not zero behind the end
        "Zm9v\n", "Zm9v\r\nYmFy", " Zm9v", "Zm9v ",  // white space
        "Zm9-",   "Zm9_",         "Zm9*",  "Zm\xC3\xA9v", "Z===", "Zm=v"}) {
    const auto decoded = base64_decode(bad);
    REQUIRE_FALSE(decoded.has_value());
    CHECK(decoded.error().code == Errc::bad_argument);
  }
  CHECK_FALSE(base64_decode(std::string_view("Zm9v\0", 5)).has_value());
}

}  // namespace
}  // namespace baolian::crypto
