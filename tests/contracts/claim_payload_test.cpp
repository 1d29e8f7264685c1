#include "contracts/claims/amounts.h"
#include "contracts/claims/payload.h"
#include "core/codec_table.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::contracts;

namespace {

ClaimPayload full_payload() {
  ClaimPayload p;
  p.person = {"urn:oid:2.16.156.10011.1.3", "999999198806150011"};
  p.encounter_number = "ZY1";
  p.admitted = TimeMs{1};
  p.discharged = TimeMs{2};
  p.admitted_day = 20000;
  p.discharged_day = 20003;
  p.department = "普通外科";
  p.diagnoses = {{"icd", "K35.800", "2", DiagnosisRole::principal}};
  p.invoices = {{"33", "517", 325500, 100000, 5000, 500, 0, 220000, 0}};
  p.items = {{0, "i", "s", "名", 1'500'000, 14210, CatalogueClass::c, 14210, 20001, "D1"},
             {0, "", "", "", {}, {}, CatalogueClass::unknown, {}, {}, ""}};
  p.records = {{RecordId{}, 1}};
  p.problems = {{ProblemCode::items_total_mismatch, -7500}};
  p.openings.balances = {{220000, {}}};
  return p;
}

}  // namespace

TEST_CASE("claim payload: canonical bytes come back as the same value", "[contracts][payload]") {
  const ClaimPayload payload = full_payload();
  const Bytes bytes = encode(payload);
  const auto back = decode<ClaimPayload>(bytes);
  REQUIRE(back.has_value());
  CHECK(*back == payload);
  CHECK(encode(*back) == bytes);
  CHECK(bytes.front() == 1);
}

// The expected bytes were written from the format table, not by the encoder.
TEST_CASE("claim payload: the bytes of version 1 never change", "[contracts][payload][golden]") {
  ClaimPayload payload = full_payload();
  payload.items.pop_back();
  std::string expected;
  expected +=  // version
      "01";
  expected +=  // person
      "1a00000075726e3a6f69643a322e31362e3135362e31303031312e312e331200000039"
      "3939393939313938383036313530303131";
  expected +=  // encounter
      "030000005a5931";
  expected +=  // times
      "01000000000000000200000000000000";
  expected +=  // days
      "204e0000234e0000";
  expected +=  // department
      "0c000000e699aee9809ae5a496e7a791";
  expected +=  // diagnoses
      "0100000003000000696364070000004b33352e383030010000003201";
  expected +=  // invoices
      "0100000002000000333303000000353137017cf704000000000001a086010000000000"
      "01881300000000000001f40100000000000001000000000000000001605b0300000000"
      "00010000000000000000";
  expected +=  // items
      "0100000000000100000069010000007303000000e5908d0160e3160000000000018237"
      "0000000000000301823700000000000001214e0000020000004431";
  expected +=  // records
      "0100000000000000000000000000000000000000000000000000000000000000000000"
      "0001000000";
  expected +=  // problems
      "010000000100b4e2ffffffffffff";
  expected += std::string(192, '0');  // openings: subject
  expected += std::string(64, '0');   // list salt
  expected +=                         // balances
      "01000000605b0300000000000000000000000000000000000000000000000000000000"
      "000000000000000000";
  CHECK(to_hex(encode(payload)) == expected);
}

TEST_CASE("claim payload: every truncation and an added byte is refused", "[contracts][payload]") {
  Bytes bytes = encode(full_payload());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_FALSE(decode<ClaimPayload>(BytesView(bytes).first(size)).has_value());
  }
  bytes.push_back(0);
  CHECK(decode<ClaimPayload>(bytes).error().code == Errc::trailing_bytes);
}

TEST_CASE("claim payload: unknown stays different from zero", "[contracts][payload]") {
  ClaimPayload zero = full_payload();
  ClaimPayload unknown = zero;
  zero.items[1].amount = 0;
  CHECK(encode(zero) != encode(unknown));
}

TEST_CASE("claim payload: a version of the future is refused", "[contracts][payload]") {
  Bytes bytes = encode(full_payload());
  bytes[0] = 2;
  CHECK(decode<ClaimPayload>(bytes).error().code == Errc::unknown_version);
}

TEST_CASE("claim payload: the format table names every field", "[contracts][payload]") {
  const std::string table = format_table<ClaimPayload>();
  for (const char* name :
       {"person", "encounter_number", "admitted", "discharged", "admitted_day", "discharged_day",
        "department", "diagnoses", "invoices", "items", "records", "problems", "openings"}) {
    CHECK(table.find("| " + std::string(name) + " |") != std::string::npos);
  }
}

TEST_CASE("claim payload: B_0 is the total less pool, serious illness and aid, not the account",
          "[contracts][payload]") {
  Invoice invoice = full_payload().invoices[0];
  CHECK(*initial_balance(invoice) == 220000);
  invoice.account = 50000;
  CHECK(*initial_balance(invoice) == 220000);
  invoice.basic_pool.reset();
  CHECK(*initial_balance(invoice) == 320000);
  invoice.basic_pool = 325500;
  CHECK(initial_balance(invoice).error().code == Errc::bad_amount);
  invoice.basic_pool = kAmountMax;
  CHECK(initial_balance(invoice).error().code == Errc::bad_amount);
  invoice = {};
  CHECK(initial_balance(invoice).error().code == Errc::bad_amount);
}

TEST_CASE("claim payload: a reader refuses one that contradicts itself", "[contracts][payload]") {
  CHECK(check_payload(full_payload()).has_value());
  const auto refused = [](const auto& change) {
    ClaimPayload payload = full_payload();
    change(payload);
    const auto checked = check_payload(payload);
    REQUIRE_FALSE(checked.has_value());
    return checked.error().code;
  };
  CHECK(refused([](auto& p) { p.items[1].invoice = 1; }) == Errc::bad_argument);
  CHECK(refused([](auto& p) { p.items[1].amount = kAmountMax + 1; }) == Errc::bad_amount);
  CHECK(refused([](auto& p) { p.items[1].self_pay = UINT64_MAX; }) == Errc::bad_amount);
  CHECK(refused([](auto& p) { p.invoices[0].cash = kAmountMax + 1; }) == Errc::bad_amount);
  CHECK(refused([](auto& p) { p.openings.balances.clear(); }) == Errc::bad_argument);
  CHECK(refused([](auto& p) { p.openings.balances[0].amount -= 1; }) == Errc::bad_argument);
  CHECK(refused([](auto& p) { p.invoices[0].total.reset(); }) == Errc::bad_amount);
}

TEST_CASE("claim payload: a problem reads as code and number", "[contracts][payload]") {
  CHECK(problem_text({ProblemCode::items_total_mismatch, 7500}) == "items_total_mismatch 7500");
  CHECK(problem_text({ProblemCode::payment_parts_mismatch, -1}) == "payment_parts_mismatch -1");
}
