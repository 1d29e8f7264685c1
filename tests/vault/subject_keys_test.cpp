#include "vault/subject_keys.h"

#include <algorithm>
#include <set>

#include "crypto/hash.h"
#include "support/catch.h"
#include "vault/fixture.h"

namespace baolian::vault {
namespace {

using test::numbered;
using test::seed;

constexpr std::string_view kPerson = "11010519491231002X";
const InstitutionId kCare{};
const auto kInsurerA = numbered<InstitutionId>(1);
const auto kInsurerB = numbered<InstitutionId>(2);

ledger::Genesis genesis() {
  ledger::Genesis out;
  out.subject_key_checks = {{kCare, key_check(kCare.view(), seed(1))},
                            {kInsurerA, key_check(kInsurerA.view(), seed(2))},
                            {kInsurerB, key_check(kInsurerB.view(), seed(3))}};
  out.invoice_tag_check = key_check(as_bytes("invoice"), seed(4));
  out.day_tag_check = key_check(as_bytes("day"), seed(5));
  return out;
}

/// The keystore of a hospital, except that entry `name` holds `secret`.
crypto::Keystore keystore(std::string_view name = {}, crypto::Secret secret = {}) {
  crypto::Keystore out;
  const std::vector<std::pair<std::string, std::uint8_t>> entries = {
      {"subject/" + kCare.hex(), 1},
      {"subject/" + kInsurerA.hex(), 2},
      {"subject/" + kInsurerB.hex(), 3},
      {"tag/invoice", 4},
      {"tag/day", 5}};
  for (const auto& [entry, value] : entries) {
    REQUIRE(out.add(entry, entry == name ? secret.clone() : seed(value)).has_value());
  }
  return out;
}

SubjectKeys hospital() { return SubjectKeys::load(keystore(), genesis()).value(); }

TEST_CASE("a person has another pseudonym for every audience, and always the same",
          "[vault][subject]") {
  const SubjectKeys keys = hospital();
  std::set<Tag32> values;
  for (const auto& audience : {kCare, kInsurerA, kInsurerB}) {
    const auto subject = keys.subject(audience, kPerson);
    REQUIRE(subject.has_value());
    CHECK(subject->audience == audience);
    CHECK(keys.subject(audience, kPerson).value() == *subject);
    values.insert(subject->value);
  }
  CHECK(values.size() == 3);
  CHECK(keys.subject(kCare, "110105194912310038").value() != keys.subject(kCare, kPerson).value());
  CHECK(keys.subject(kCare, kPerson).value().is_care());
}

TEST_CASE("privacy.md: a SubjectId is the HMAC of the normalized id under the audience's key",
          "[vault][subject]") {
  const auto subject = hospital().subject(kInsurerA, "110105 19491231-002x").value();
  const Hash expected =
      crypto::hmac_sha256(seed(2).view(), {as_bytes("subject11010519491231002X")});
  CHECK(subject.value == Tag32::from(expected.view()));
}

TEST_CASE("an insurer derives its own persons and no others", "[vault][subject]") {
  crypto::Keystore own;
  REQUIRE(own.add("subject/" + kInsurerA.hex(), seed(2)).has_value());
  const auto keys = SubjectKeys::load(own, genesis());
  REQUIRE(keys.has_value());
  CHECK(keys->audiences() == std::vector<InstitutionId>{kInsurerA});
  CHECK(keys->can_derive(kInsurerA));
  CHECK_FALSE(keys->can_derive(kCare));
  CHECK_FALSE(keys->can_tag());
  const auto care = keys->subject(kCare, kPerson);
  REQUIRE_FALSE(care.has_value());
  CHECK(care.error().code == Errc::not_authorized);
  CHECK(care.error().context.find(kPerson) == std::string::npos);
}

TEST_CASE("a key that is not the one of genesis is refused and named", "[vault][subject]") {
  const std::vector<std::string> names = {"subject/" + kCare.hex(), "subject/" + kInsurerA.hex(),
                                          "tag/invoice", "tag/day"};
  for (const auto& name : names) {
    for (const std::size_t size : {31U, 32U, 33U}) {
      const auto keys =
          SubjectKeys::load(keystore(name, crypto::Secret::copy_of(Bytes(size, 99))), genesis());
      REQUIRE_FALSE(keys.has_value());
      CHECK(keys.error().code == Errc::config_invalid);
      CHECK(keys.error().context.find(name) != std::string::npos);
    }
  }
}

TEST_CASE("a key of an audience that genesis does not know is refused", "[vault][subject]") {
  for (const std::string& name : {"subject/" + numbered<InstitutionId>(9).hex(),
                                  std::string("subject/00"), std::string("subject/x")}) {
    crypto::Keystore store;
    REQUIRE(store.add(name, seed(1)).has_value());
    const auto keys = SubjectKeys::load(store, genesis());
    REQUIRE_FALSE(keys.has_value());
    CHECK(keys.error().code == Errc::config_invalid);
  }
  // Two audiences' keys swapped are two wrong keys.
  crypto::Keystore swapped;
  REQUIRE(swapped.add("subject/" + kInsurerA.hex(), seed(3)).has_value());
  CHECK_FALSE(SubjectKeys::load(swapped, genesis()).has_value());
}

TEST_CASE("one person id has one normal form however it is typed", "[vault][subject]") {
  for (const std::string_view typed :
       {"11010519491231002X", "11010519491231002x", " 110105 19491231 002x ",
        "110105-19491231-002X", "110105.19491231.002X", "\t11010519491231002X\r\n",
        "１１０１０５１９４９１２３１００２Ｘ", "１１０１０５１９４９１２３１００２ｘ",
        "110105　19491231　002X",
        "110105\xC2\xA0"
        "19491231002X"}) {
    CHECK(normalize_person_id(typed) == kPerson);
  }
  CHECK(normalize_person_id("李-1") == "李1");
  CHECK(normalize_person_id("\xEF\xBC") == "\xEF\xBC");
  CHECK(normalize_person_id("！～") == "!~");
}

TEST_CASE("an id of nothing but separators names nobody", "[vault][subject]") {
  for (const std::string_view empty : {"", " ", "-.-", "　"}) {
    const auto subject = hospital().subject(kCare, empty);
    REQUIRE_FALSE(subject.has_value());
    CHECK(subject.error().code == Errc::bad_argument);
  }
}

TEST_CASE("encounter and invoice tags depend on every part", "[vault][subject]") {
  const SubjectKeys keys = hospital();
  CHECK(keys.encounter_tag(kInsurerA, "E1") == keys.encounter_tag(kInsurerA, "E1"));
  const std::set<Tag32> tags = {
      keys.encounter_tag(kInsurerA, "E1"), keys.encounter_tag(kInsurerB, "E1"),
      keys.encounter_tag(kInsurerA, "E2"), keys.invoice_tag("1234", "5678"),
      keys.invoice_tag("123", "45678"),    keys.invoice_tag("", "12345678"),
      keys.invoice_tag("12345678", "")};
  CHECK(tags.size() == 7);
}

/// The tag of one day, from a stay of that day alone: the one tag that two lists share.
std::set<Tag32> common(const std::vector<Tag32>& a, const std::vector<Tag32>& b) {
  std::set<Tag32> out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
  return out;
}

TEST_CASE("formats.md: day tags are padded to 4, 8, 16, 32 or 64 and ascend", "[vault][subject]") {
  const SubjectKeys keys = hospital();
  const std::vector<std::pair<std::uint32_t, std::size_t>> expected = {
      {1, 4},   {2, 4},   {4, 4},   {5, 8},   {8, 8},   {9, 16},   {16, 16},     {17, 32},
      {32, 32}, {33, 64}, {63, 64}, {64, 64}, {65, 64}, {200, 64}, {100'000, 64}};
  for (const auto& [days, count] : expected) {
    const auto tags = keys.day_tags(kPerson, 20'000, 20'000 + days - 1);
    CHECK(tags.size() == count);
    CHECK(std::is_sorted(tags.begin(), tags.end()));
    CHECK(std::adjacent_find(tags.begin(), tags.end()) == tags.end());
    // All that two lists of one stay share are its days; the padding is random.
    const auto again = keys.day_tags(kPerson, 20'000, 20'000 + days - 1);
    CHECK(common(tags, again).size() == std::min<std::size_t>(days, 64));
  }
}

TEST_CASE("two stays of one person share a tag for each day they share", "[vault][subject]") {
  const SubjectKeys keys = hospital();
  const auto stay = keys.day_tags(kPerson, 100, 109);
  CHECK(common(stay, keys.day_tags(kPerson, 109, 120)).size() == 1);
  CHECK(common(stay, keys.day_tags(kPerson, 105, 120)).size() == 5);
  CHECK(common(stay, keys.day_tags(kPerson, 110, 120)).empty());
  CHECK(common(stay, keys.day_tags("110105194912310038", 100, 109)).empty());
  CHECK(common(stay, keys.day_tags("11010519491231002x", 100, 109)).size() == 10);
}

TEST_CASE("of a long stay the first and the last 32 days are tagged", "[vault][subject]") {
  const SubjectKeys keys = hospital();
  const auto stay = keys.day_tags(kPerson, 1'000, 1'099);
  CHECK(common(stay, keys.day_tags(kPerson, 1'000, 1'031)).size() == 32);
  CHECK(common(stay, keys.day_tags(kPerson, 1'068, 1'099)).size() == 32);
  CHECK(common(stay, keys.day_tags(kPerson, 1'032, 1'067)).empty());
  // At the end of the day numbers nothing wraps around.
  const auto last = keys.day_tags(kPerson, UINT32_MAX - 2, UINT32_MAX);
  CHECK(last.size() == 4);
  CHECK(common(last, keys.day_tags(kPerson, 0, 3)).empty());
}

}  // namespace
}  // namespace baolian::vault
