#include "node/consent_forms.h"

#include "contracts/types.h"
#include "crypto/hash.h"
#include "ledger/fixture.h"
#include "node/log_setup.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

struct Desk {
  ledger::test::TemporaryDirectory directory;
  ConsentForms open() const {
    return ConsentForms::open(directory.path() + "/consents", crypto::Secret::copy_of(Bytes(32, 9)))
        .value();
  }
};

KeptForm form_of(std::uint8_t consent, const std::string& person) {
  ConsentId id;
  id.bytes.fill(consent);
  return new_form(id, person, "纸质-2026-001");
}

TEST_CASE("forms: every line of an operation is found by its commitment after a restart",
          "[forms]") {
  const Desk desk;
  KeptForms enrolment;
  enrolment.forms = {form_of(1, "999999198001010018"), form_of(2, "999999198001010026")};
  KeptForms single;
  single.forms = {form_of(3, "999999198001010034")};
  REQUIRE(desk.open().keep(enrolment).has_value());
  REQUIRE(desk.open().keep(single).has_value());
  const auto forms = desk.open();
  for (const auto& kept : {enrolment.forms[0], enrolment.forms[1], single.forms[0]}) {
    const auto found = forms.find(commitment_of(kept));
    REQUIRE(found.has_value());
    CHECK(found->form.person == kept.form.person);
    CHECK(found->form.reference == "纸质-2026-001");
    CHECK(found->salt == kept.salt);
  }
  CHECK(forms.find(Commitment{}).error().code == Errc::not_found);
}

TEST_CASE("forms: the commitment covers person, paper and consent, under a salt of its own",
          "[forms]") {
  const KeptForm kept = form_of(1, "999999198001010018");
  CHECK(commitment_of(kept) == contracts::id_cast<Commitment>(crypto::hash_in_domain(
                                   "salted", {kept.salt.view(), encode(kept.form)})));
  KeptForm other = kept;
  other.form.person = "999999198001010026";
  CHECK(commitment_of(other) != commitment_of(kept));
  other = kept;
  other.form.reference = "";
  CHECK(commitment_of(other) != commitment_of(kept));
  CHECK(form_of(1, "999999198001010018").salt != kept.salt);
}

TEST_CASE("log: a message cannot end its JSON line", "[forms]") {
  CHECK(json_escaped("a \"quote\"\nand \\") == R"(a \"quote\"\nand \\)");
  CHECK(json_escaped("保链") == "保链");
  CHECK(json_escaped("\xff").find('\xff') == std::string::npos);
}

}  // namespace
}  // namespace baolian::node
