// Input that must be refused: with the right code, and without repeating anything of a person.
#include <cstdio>
#include <fstream>

#include "core/prng.h"
#include "gateway/bundle_text.h"
#include "gateway/fhir.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::gateway;

namespace {

Error refused(const std::string& text, const FhirOptions& options = {}) {
  const auto discharges = read_discharges(text, options);
  REQUIRE_FALSE(discharges.has_value());
  const Error error = discharges.error();
  INFO(error.context);
  CHECK(error.context.find("CANARY") == std::string::npos);
  CHECK(error.context.size() < 400);
  return error;
}

}  // namespace

TEST_CASE("fhir input: every truncation of a bundle is an error", "[gateway][fhir][input]") {
  const std::string text = small_bundle();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto discharges = read_discharges(std::string_view(text).substr(0, size), {});
    REQUIRE_FALSE(discharges.has_value());
    REQUIRE(discharges.error().code == Errc::bad_json);
  }
}

TEST_CASE("fhir input: what is no bundle is refused", "[gateway][fhir][input]") {
  CHECK(refused("[]").code == Errc::fhir_invalid);
  CHECK(refused("17").code == Errc::fhir_invalid);
  CHECK(refused("{}").code == Errc::fhir_invalid);
  CHECK(refused(R"({"resourceType":"Patient"})").code == Errc::fhir_invalid);
  CHECK(refused(R"({"resourceType":["Bundle"]})").code == Errc::fhir_invalid);
  CHECK(refused(R"({"resourceType":"Bundle"})").code == Errc::fhir_no_encounter);
  CHECK(refused(R"({"resourceType":"Bundle","entry":{}})").code == Errc::fhir_invalid);
  CHECK(refused(R"({"resourceType":"Bundle","entry":[1]})").code == Errc::fhir_invalid);
  CHECK(refused(R"({"resourceType":"Bundle","entry":[{"resource":[]}]})").code ==
        Errc::fhir_invalid);
  CHECK(refused(R"({"resourceType":"Bundle","entry":[{"resource":{}}]})").code ==
        Errc::fhir_invalid);
  CHECK(refused(R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"CANARY 1"}}]})")
            .code == Errc::fhir_invalid);
}

TEST_CASE("fhir input: size is judged before anything is parsed", "[gateway][fhir][input]") {
  CHECK(refused(std::string(50'000'000, 'x')).code == Errc::fhir_too_large);
  CHECK(refused(std::string(50'000'000, '{')).code == Errc::fhir_too_large);
  CHECK(refused(std::string(16'000'000, '[')).code == Errc::limit_exceeded);
  const std::string text = small_bundle();
  CHECK(read_discharges(text, {.bytes_max = text.size()}).has_value());
  CHECK(refused(text, {.bytes_max = text.size() - 1}).code == Errc::fhir_too_large);
}

TEST_CASE("fhir input: amounts that cannot be read exactly refuse the whole file",
          "[gateway][fhir][input]") {
  for (const char* value :
       {"-70.50", "70.505", "7.05e1", "92233720368547758.08", "99999999999999999999999"}) {
    INFO(value);
    const Error error = refused(with(small_bundle(), "70.50", value));
    CHECK(error.code == Errc::bad_amount);
    CHECK(error.context.find("entry 3 (Claim) item 1") != std::string::npos);
    CHECK(error.context.find(value) == std::string::npos);
    CHECK(refused(with(small_bundle(), "100.50", value)).code == Errc::bad_amount);
  }
  // Two amounts that are legal one by one.
  std::string sum = with(small_bundle(), "70.50", "92233720368547758.07");
  CHECK(refused(sum).code == Errc::bad_amount);
}

TEST_CASE("fhir input: elements of the wrong type are named by place", "[gateway][fhir][input]") {
  const struct {
    const char* from;
    const char* to;
    const char* place;
  } cases[] = {
      {R"("value":70.50)", R"("value":"70.50")", "entry 3 (Claim) item 1"},
      {R"("total":{"value":100.50,"currency":"CNY"})", R"("total":100.50)", "entry 3 (Claim)"},
      {R"("status":"finished")", R"("status":1)", "entry 1 (Encounter)"},
      {R"("class":{"code":"IMP"})", R"("class":"IMP")", "entry 1 (Encounter)"},
      {R"("value":"CANARY-STAY-1")", R"("value":1)", "entry 1 (Encounter)"},
      {R"("value":"CANARY-ID-1")", R"("value":{})", "entry 0 (Patient)"},
      {R"("start":"2026-03-01T23:30:00Z")", R"("start":20260301)", "entry 1 (Encounter) period"},
      {R"("start":"2026-03-01T23:30:00Z")", R"("start":"CANARY")", "entry 1 (Encounter) period"},
      {R"("end":"2026-03-03T01:00:00Z")", R"("x":"")", "entry 1 (Encounter) period"},
      {R"("sequence":2)", R"("quantity":2)", "entry 3 (Claim) item 1"},
      {R"("sequence":2)", R"("servicedDate":"CANARY")", "entry 3 (Claim) item 1"},
      {R"("sequence":2)", R"("careTeamSequence":2)", "entry 3 (Claim) item 1"},
      {R"("sequence":2)", R"("modifierExtension":[])", "entry 3 (Claim) item 1"},
      {R"("id":"e")", R"("id":"e","implicitRules":"x")", "entry 1 (Encounter)"},
      {R"("id":"c")", R"("id":"c","modifierExtension":[])", "entry 2 (Condition)"},
      {R"("id":"p")", R"("id":"p","modifierExtension":[])", "entry 0 (Patient)"},
      {R"("id":"c")", R"("id":"c","verificationStatus":"x")", "entry 2 (Condition)"},
  };
  for (const auto& c : cases) {
    INFO(c.from << " -> " << c.to);
    const Error error = refused(with(small_bundle(), c.from, c.to));
    CHECK(error.code == Errc::fhir_invalid);
    CHECK(error.context.find(c.place) != std::string::npos);
  }
}

TEST_CASE("fhir input: too long texts are refused, not cut", "[gateway][fhir][input]") {
  const std::string longer(200, 'x');
  CHECK(refused(with(small_bundle(), "CANARY-STAY-1", longer)).code == Errc::limit_exceeded);
  CHECK(refused(with(small_bundle(), "CANARY-ID-1", longer)).code == Errc::limit_exceeded);
  CHECK(refused(
            with(small_bundle(), R"("text":"one")", R"("text":")" + std::string(2000, 'x') + "\""))
            .code == Errc::limit_exceeded);
}

TEST_CASE("fhir input: more items, invoices or diagnoses than declared are refused",
          "[gateway][fhir][input]") {
  std::string items = R"("item":[)";
  for (std::uint32_t i = 0; i < kItemsMax; ++i) items += "{},";
  CHECK(refused(with(small_bundle(), R"("item":[)", items)).code == Errc::limit_exceeded);
  // Exactly as many as may be, all but two empty: no room for a line that the option would add.
  std::string full = R"("item":[)";
  for (std::uint32_t i = 0; i < kItemsMax - 2; ++i) full += "{},";
  const std::string brimful =
      with(with(small_bundle(), R"("item":[)", full), R"("value":70.50)", R"("value":70)");
  CHECK(read_discharges(brimful, {}).has_value());
  CHECK(read_discharges(brimful, {.base_cost_item = BaseCostItem::add}).error().code ==
        Errc::limit_exceeded);
  std::string diagnoses = R"("diagnosis":[)";
  for (std::uint32_t i = 0; i <= kDiagnosesMax; ++i) {
    if (i > 0) diagnoses += ',';
    diagnoses +=
        R"({"diagnosisCodeableConcept":{"coding":[{"code":"d)" + std::to_string(i) + R"("}]}})";
  }
  CHECK(refused(with(small_bundle(), R"("item":[)", diagnoses + R"(],"item":[)")).code ==
        Errc::limit_exceeded);
}

TEST_CASE("fhir input: a resource that all stays share is not copied without bound",
          "[gateway][fhir][input]") {
  std::string text = R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient",)"
                     R"("id":"p","identifier":[{"system":"s","value":"1"}],"photo":")" +
                     std::string(20'000, 'x') + "\"}}";
  for (int i = 0; i < 100; ++i) {
    text += R"(,{"resource":{"resourceType":"Encounter","id":")" + std::to_string(i) +
            R"(","status":"finished","class":{"code":"IMP"},"subject":{"reference":"Patient/p"},)"
            R"("period":{"start":"2026-04-01","end":"2026-04-02"}}})";
  }
  text += "]}";
  const FhirOptions tight{.person_id_systems = {"s"}, .bytes_max = text.size()};
  CHECK(refused(text, tight).code == Errc::limit_exceeded);
  CHECK(read_discharges(text, {.person_id_systems = {"s"}})->size() == 100);
}

TEST_CASE("fhir input: persons are never mixed up", "[gateway][fhir][input]") {
  const std::string other =
      R"(,{"fullUrl":"urn:uuid:q","resource":{"resourceType":"Patient","id":"q",)"
      R"("identifier":[]}}]})";
  std::string two = small_bundle();
  two.replace(two.size() - 2, 2, other);
  CHECK(read_discharges(two, {}).has_value());
  // The bill, or a condition of the stay, is another patient's.
  CHECK(refused(with(two, R"("patient":{"reference":"urn:uuid:p"})",
                     R"("patient":{"reference":"urn:uuid:q"})"))
            .code == Errc::fhir_invalid);
  CHECK(refused(with(two, R"("patient":{"reference":"urn:uuid:p"})", R"("x":1)")).code ==
        Errc::fhir_invalid);
  CHECK(refused(with(two, R"("id":"c","subject":{"reference":"urn:uuid:p"})",
                     R"("id":"c","subject":{"reference":"urn:uuid:q"})"))
            .code == Errc::fhir_invalid);
  // The stay names nobody, or somebody who is not there.
  const std::string subject = R"("subject":{"reference":"urn:uuid:p"},
  "identifier")";
  CHECK(refused(with(two, subject, R"("identifier")")).code == Errc::fhir_no_person);
  CHECK(read_discharges(with(small_bundle(), subject, R"("identifier")"), {}).has_value());
  CHECK(refused(with(two, subject, R"("subject":{"reference":"urn:uuid:z"},"identifier")")).code ==
        Errc::fhir_no_person);
  CHECK(refused(with(two, subject, R"("subject":{"reference":"urn:uuid:b"},"identifier")")).code ==
        Errc::fhir_no_person);
}

TEST_CASE("fhir input: ambiguous bundles are refused", "[gateway][fhir][input]") {
  CHECK(refused(with(small_bundle(), R"({"fullUrl":"urn:uuid:c")", R"({"fullUrl":"urn:uuid:e")"))
            .code == Errc::fhir_invalid);
  // The same key twice: which total is it?
  CHECK(refused(
            with(small_bundle(), R"("total":)", R"("total":{"value":1,"currency":"CNY"},"total":)"))
            .code == Errc::bad_json);
  // One invoice for two stays.
  std::string two = small_bundle();
  two.replace(two.size() - 2, 2,
              R"(,{"fullUrl":"urn:uuid:e2","resource":{"resourceType":"Encounter","id":"e2",)"
              R"("status":"finished","class":{"code":"IMP"},"subject":{"reference":"urn:uuid:p"},)"
              R"("period":{"start":"2026-04-01T00:00:00Z","end":"2026-04-02T00:00:00Z"}}}]})");
  const auto separate = read_discharges(two, {});
  REQUIRE(separate.has_value());
  CHECK(separate->size() == 2);
  const auto shared = with(two, R"("sequence":2)", R"("encounter":[{"reference":"urn:uuid:e2"}])");
  CHECK(refused(shared).context.find("entry 3 (Claim)") != std::string::npos);
}

TEST_CASE("fhir input: options that make no sense are refused", "[gateway][fhir][input]") {
  CHECK(refused(small_bundle(), {.currency = "yuan"}).code == Errc::bad_argument);
  CHECK(refused(small_bundle(), {.minor_digits = 30}).code == Errc::bad_argument);
  CHECK(refused(small_bundle(), {.utc_offset_minutes = 9000}).code == Errc::bad_argument);
  CHECK(refused(small_bundle(), {.person_id_systems = {""}}).code == Errc::bad_argument);
}

TEST_CASE("fhir input: 20,000 bundles with random bytes changed never end the process",
          "[gateway][fhir][input]") {
  Prng prng(42);
  const std::string text = small_bundle();
  std::size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = text;
    const std::uint64_t count = 1 + prng.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      char& c = changed[prng.below(changed.size())];
      c = prng.below(2) == 0 ? text[prng.below(text.size())] : static_cast<char>(prng.below(256));
    }
    const auto discharges = read_discharges(changed, {});
    if (!discharges.has_value()) continue;
    ++read;
    // Whatever was accepted keeps its declared limits: encoding would end the process otherwise.
    for (const Discharge& d : *discharges) {
      REQUIRE(decode<ClaimPayload>(encode(d.payload)).has_value());
    }
  }
  CHECK(read > 100);
}

TEST_CASE("fhir input: a file that is absent, a folder or too large is refused",
          "[gateway][fhir][input]") {
  CHECK(read_bundle_file("no/such/file.json").error().code == Errc::not_found);
  CHECK_FALSE(read_bundle_file(BAOLIAN_BINARY_DIR).has_value());
  const std::string path = BAOLIAN_BINARY_DIR "/gateway_test_bundle.json";
  std::ofstream(path, std::ios::binary) << small_bundle();
  CHECK(*read_bundle_file(path) == small_bundle());
  CHECK(read_bundle_file(path, small_bundle().size()).has_value());
  CHECK(read_bundle_file(path, small_bundle().size() - 1).error().code == Errc::fhir_too_large);
  std::remove(path.c_str());
}
