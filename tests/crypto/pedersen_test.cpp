#include "crypto/pedersen.h"

#include <limits>

#include "core/prng.h"
#include "crypto/hex.h"
#include "support/catch.h"

namespace baolian::crypto {
namespace {

using test::from_hex_digits;

constexpr std::uint64_t kAmountMax = std::numeric_limits<std::int64_t>::max();

/// L, the order of the group, little-endian.
constexpr const char* kGroupOrder =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
constexpr const char* kGoldenBlinding =
    "03fcae421b119b26bafd00b62f5b87e41fe5abef52055e4964b82fb213f59301";

Scalar small_scalar(std::uint8_t value) {
  Scalar out;
  out.bytes[0] = value;
  return out;
}

GroupElement committed(std::uint64_t v, const Scalar& r) { return pedersen_commit(v, r).value(); }

struct GoldenCommitment {
  std::uint64_t amount;
  const char* commitment;
};

}  // namespace

TEST_CASE("pedersen: the second generator is what the name hashes to", "[pedersen][golden]") {
  CHECK(pedersen_h().hex() == "c0e4824797b6a92ef0e1ea31ed3a94d4f9c58f85665dbfe2eca64173526d4a69");
  CHECK(is_group_element(pedersen_h()));
}

TEST_CASE("pedersen: golden commitments, v = 0 among them", "[pedersen][golden]") {
  // From an independent implementation of ristretto255 (RFC 9496).
  const GoldenCommitment golden[] = {
      {0, "0e95e1a7338fac33dca5da9ac116d7583bd82ee1dfde2308ff8a0d1ba5e63f48"},
      {1, "fe53a85690b13a6249d4433f553ecb14ab999b59bb071a9147d36971e5473560"},
      {311290, "5abc58155ed7d16f995ec9023e810bea2ca9a1dffdf5b7e222762017316d0b31"},
      {kAmountMax, "fe891efaa5da6dde9fee1ebae6677d4f1cd00a127d75eef3478adc9ea65cac65"}};
  const auto r = from_hex_digits<Scalar>(kGoldenBlinding);
  for (const GoldenCommitment& vector : golden) {
    CHECK(committed(vector.amount, r).hex() == vector.commitment);
  }
}

TEST_CASE("pedersen: sums of commitments are commitments to sums", "[pedersen]") {
  Prng random(7);
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t v1 = random.below(kAmountMax / 2);
    const std::uint64_t v2 = i % 5 == 0 ? 0 : random.below(kAmountMax / 2);
    const Scalar r1 = new_blinding();
    const Scalar r2 = new_blinding();
    const GroupElement sum = add(committed(v1, r1), committed(v2, r2)).value();
    CHECK(sum == committed(v1 + v2, add(r1, r2)));
    CHECK(subtract(sum, committed(v2, r2)).value() == committed(v1, r1));
    CHECK(subtract(add(r1, r2), r2) == r1);
    CHECK(sum != committed(v1 + v2 + 1, add(r1, r2)));
  }
}

TEST_CASE("pedersen: the identity is accepted on both sides and as a result", "[pedersen]") {
  const GroupElement identity;
  const GroupElement c = committed(5, new_blinding());
  CHECK(is_group_element(identity));
  CHECK(add(c, identity).value() == c);
  CHECK(add(identity, c).value() == c);
  CHECK(subtract(c, identity).value() == c);
  CHECK(subtract(c, c).value() == identity);
  CHECK(add(identity, identity).value() == identity);
  CHECK(subtract(identity, identity).value() == identity);
  CHECK(add(subtract(identity, c).value(), c).value() == identity);
}

TEST_CASE("pedersen: bytes that are no canonical element are refused on both sides", "[pedersen]") {
  const char* const bad[] = {// RFC 9496 A.2: not below p, negative, no square.
                             "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                             "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "0100000000000000000000000000000000000000000000000000000000000000",
                             "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                             "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
                             "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
                             // The identity with the bit that the field does not use.
                             "0000000000000000000000000000000000000000000000000000000000000080"};
  const GroupElement good = committed(1, new_blinding());
  for (const char* digits : bad) {
    INFO(digits);
    const auto element = from_hex_digits<GroupElement>(digits);
    CHECK_FALSE(is_group_element(element));
    for (const auto& outcome : {add(element, good), add(good, element), subtract(element, good),
                                subtract(good, element)}) {
      REQUIRE_FALSE(outcome.has_value());
      CHECK(outcome.error().code == Errc::bad_group_element);
    }
  }
}

TEST_CASE("pedersen: an element with bit 255 set is no second form of it", "[pedersen]") {
  const GroupElement good = committed(1, new_blinding());
  GroupElement second_form = good;
  second_form.bytes[31] |= 0x80;
  CHECK(is_group_element(good));
  CHECK_FALSE(is_group_element(second_form));
  CHECK(add(second_form, good).error().code == Errc::bad_group_element);
  CHECK(subtract(good, second_form).error().code == Errc::bad_group_element);
}

TEST_CASE("pedersen: v from 2^63 is refused", "[pedersen]") {
  for (const std::uint64_t v : {std::uint64_t{1} << 63, (std::uint64_t{1} << 63) + 1,
                                std::numeric_limits<std::uint64_t>::max()}) {
    const auto outcome = pedersen_commit(v, small_scalar(1));
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == Errc::limit_exceeded);
  }
  CHECK(pedersen_commit(kAmountMax, small_scalar(1)).has_value());
}

TEST_CASE("pedersen: blinding factors zero or from L are refused", "[pedersen]") {
  const auto order = from_hex_digits<Scalar>(kGroupOrder);
  Scalar below = order;
  below.bytes[0] -= 1;
  Scalar above = order;
  above.bytes[0] += 1;
  Scalar top_bit = small_scalar(1);
  top_bit.bytes[31] = 0x80;
  Scalar all_ones;
  all_ones.bytes.fill(0xFF);
  for (const Scalar& r : {Scalar{}, order, above, top_bit, all_ones}) {
    INFO(r.hex());
    for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{1}}) {
      const auto outcome = pedersen_commit(v, r);
      REQUIRE_FALSE(outcome.has_value());
      CHECK(outcome.error().code == Errc::bad_commitment);
    }
  }
  CHECK(pedersen_commit(1, below).has_value());
  // (L - 1)·H is the inverse of 1·H.
  CHECK(add(committed(0, below), pedersen_h()).value() == GroupElement{});
  CHECK(committed(0, small_scalar(1)) == pedersen_h());
}

TEST_CASE("pedersen: scalars add and subtract mod L", "[pedersen]") {
  auto largest = from_hex_digits<Scalar>(kGroupOrder);
  largest.bytes[0] -= 1;
  CHECK(add(largest, small_scalar(1)) == Scalar{});
  CHECK(add(largest, small_scalar(3)) == small_scalar(2));
  CHECK(subtract(Scalar{}, small_scalar(1)) == largest);
  CHECK(subtract(small_scalar(5), small_scalar(5)) == Scalar{});
}

TEST_CASE("pedersen: blinding factors are fresh and usable", "[pedersen]") {
  const Scalar first = new_blinding();
  CHECK(first != new_blinding());
  CHECK(pedersen_commit(0, first).has_value());
}

}  // namespace baolian::crypto
