/// docs/contracts.md, claims: one test a rule.
#include "contracts/decision_fixture.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::LogKind;

namespace {

/// The code with which filing `index` of a report was not filed.
Code refusal(const RunOutcome& outcome, std::size_t index = 0) {
  REQUIRE(outcome.applied());
  const auto event = outcome.event<NotFiled>();
  REQUIRE(event.has_value());
  REQUIRE(index < event->filings.size());
  return static_cast<Code>(event->filings[index].code);
}

}  // namespace

TEST_CASE("report: a person nobody insures leaves no trace in clear", "[claims][report]") {
  World world;
  const auto report = report_of(world);
  const RunOutcome outcome = world.run("A", report);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<Reported>()->claims == 0);
  CHECK_FALSE(outcome.event<Filed>().has_value());
  CHECK(outcome.appends.size() == 1);
  CHECK(outcome.count(LogKind::reports_of_institution, world.institution("A")) == 1);
  const auto encounter = world.read<EncounterState>(keys::encounter(report.encounter));
  REQUIRE(encounter.has_value());
  CHECK_FALSE(encounter->care_subject.has_value());
  CHECK(encounter->records.empty());
  CHECK(encounter->day_tags.empty());
  CHECK_FALSE(world.read<RecordState>(keys::record(report.payload.record))->subject.has_value());
  CHECK(deadline_count(world) == 0);
}

TEST_CASE("report: a policy and an attested consent file a claim", "[claims][report]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  const auto claim = world.read<ClaimState>(keys::claim(filed.claim));
  REQUIRE(claim.has_value());
  CHECK(claim->phase == ClaimPhase::filed);
  CHECK(claim->insurer() == world.institution("X"));
  CHECK(claim->reporter == world.institution("A"));
  CHECK(claim->policy == filed.insured.policy);
  CHECK(claim->consent == filed.insured.consent);
  CHECK(claim->payload == filed.payload);
  CHECK(claim->due_kind == DeadlineKind::insurer_request);
  CHECK(claim->due == claim->filed_at + kDay);
  CHECK(world.read<Marker>(keys::deadline(claim->due, filed.claim, claim->due_kind)).has_value());
  CHECK(world.read<ClaimPointer>(keys::encounter_claim(filed.report.encounter, claim->policy))
            ->claim == filed.claim);
  CHECK(world.read<RecordState>(keys::record(filed.payload.record))->subject == care_subject(1));
  const auto invoice = world.read<InvoiceState>(keys::invoice(filed.report.invoices[0].tag));
  REQUIRE(invoice.has_value());
  CHECK(invoice->encounter == filed.report.encounter);
}

TEST_CASE("report: logs of reporter, claim and insurer", "[claims][report]") {
  World world;
  const Insured insured = insure(world, 1);
  auto report = report_of(world);
  add_filing(report, 1, insured.subject, insured.consent);
  const RunOutcome outcome = world.run("A", report);
  const auto filed = outcome.event<Filed>();
  REQUIRE(filed.has_value());
  CHECK(outcome.appends.size() == 3);
  CHECK(outcome.count(LogKind::claim, filed->claims[0].claim) == 1);
  CHECK(outcome.count(LogKind::claims_of_insurer, world.institution("X")) == 1);
  CHECK(outcome.count(LogKind::reports_of_institution, world.institution("A")) == 1);
}

TEST_CASE("report: a stranger enrolled with a made-up consent gets nothing filed or released",
          "[claims][report]") {
  World world;
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  const auto enrol = enrolment(world, product, "X", {1});
  REQUIRE(world.run("X", enrol).applied());  // nobody else vouches
  auto report = report_of(world);
  add_filing(report, 1, enrol.lines[0].subject, enrolment_consent(policy_id(enrol.lines[0])));
  const RunOutcome outcome = world.run("A", report);
  CHECK(refusal(outcome) == Code::consent_not_attested);
  CHECK(outcome.event<Reported>()->claims == 0);
  // The insurer tries to read anyway: there is no claim, and its consent is not of care.
  auto request = insurer_request(world, {report.payload.record, 1}, make_id<ClaimId>(1));
  CHECK(world.run("X", request).denial() == Code::claim_unknown);
  request.basis = {BasisKind::consent, id_cast<Hash>(enrolment_consent(policy_id(enrol.lines[0])))};
  CHECK(world.run("X", request).denial() == Code::consent_of_other_subject);
  // Even if it enrols the record's subject under the care audience.
  auto self_made = care_consent(world, 1, "X");
  CHECK(world.run("X", self_made).code() == Code::audience_wrong);
}

TEST_CASE("report: then the consent is confirmed, and file files", "[claims][file]") {
  World world;
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  const auto enrol = enrolment(world, product, "X", {1});
  REQUIRE(world.run("X", enrol).applied());
  const auto& line = enrol.lines[0];
  const auto report = report_of(world);
  REQUIRE(world.run("A", report).applied());
  const auto file = file_of(report, 1, line.subject, enrolment_consent(policy_id(line)));
  CHECK(world.run("A", file).code() == Code::consent_not_attested);
  const auto terms = consent_terms(enrol, line, world.institution("X"));
  REQUIRE(world
              .run("bureau.attestor",
                   ConsentConfirm{{}, {{enrolment_consent(policy_id(line)), consent_hash(terms)}}})
              .applied());
  const RunOutcome filed = world.run("A", file);
  REQUIRE(filed.applied());
  REQUIRE(filed.event<Filed>().has_value());
  CHECK(filed.appends.size() == 3);
  const auto encounter = world.read<EncounterState>(keys::encounter(report.encounter));
  CHECK(encounter->claims == 1);
  CHECK(encounter->care_subject == care_subject(1));
  CHECK(world.run("A", file).code() == Code::already_filed);
}

TEST_CASE("report: one claim for every matching policy, of every insurer", "[claims][report]") {
  World world;
  const Insured x = insure(world, 1, "X");
  auto second = enrolment(world, x.product, "X", {1});
  REQUIRE(world.run("X", second).applied());  // its own consent is (c), the filing names another
  const Insured y = insure(world, 1, "Y");
  auto report = report_of(world);
  add_filing(report, 1, x.subject, x.consent);
  add_filing(report, 1, y.subject, y.consent);
  const RunOutcome outcome = world.run("A", report);
  REQUIRE(outcome.applied());
  const auto filed = outcome.event<Filed>();
  REQUIRE(filed.has_value());
  CHECK(filed->claims.size() == 3);
  CHECK(outcome.event<Reported>()->claims == 3);
  std::set<ClaimId> ids;
  for (const auto& claim : filed->claims) ids.insert(claim.claim);
  CHECK(ids.size() == 3);
  CHECK(outcome.count(LogKind::claims_of_insurer, world.institution("X")) == 2);
  CHECK(outcome.count(LogKind::claims_of_insurer, world.institution("Y")) == 1);
}

TEST_CASE("report: cover and stay are compared by civil months", "[claims][report]") {
  World world;
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  auto enrol = enrolment(world, product, "X", {1});
  enrol.lines[0].from_day = kToday;     // 2026-03-15
  enrol.lines[0].to_day = kToday + 20;  // 2026-04-04
  REQUIRE(world.run("X", enrol, {world.attest("X", enrol)}).applied());
  const auto months = [&](int first, int last) {
    auto report = report_of(world);
    report.first_month = static_cast<std::uint16_t>(kThisMonth + first);
    report.last_month = static_cast<std::uint16_t>(kThisMonth + last);
    add_filing(report, 1, enrol.lines[0].subject, enrolment_consent(policy_id(enrol.lines[0])));
    const RunOutcome outcome = world.run("A", report);
    return outcome.event<Filed>() ? Code::applied : refusal(outcome);
  };
  CHECK(months(-1, -1) == Code::no_policy_matches);
  CHECK(months(-1, 0) == Code::applied);
  CHECK(months(0, 0) == Code::applied);
  CHECK(months(1, 1) == Code::applied);
  CHECK(months(1, 3) == Code::applied);
  CHECK(months(2, 2) == Code::no_policy_matches);
  CHECK(months(-12, 12) == Code::applied);
}

TEST_CASE("report: a consent that does not carry the payload files nothing", "[claims][report]") {
  World world;
  const Insured insured = insure(world, 1);
  const auto with = [&](auto change) {
    ConsentGive give;
    give.terms =
        consent_terms(insured.enrolment, insured.enrolment.lines[0], world.institution("X"));
    give.terms.id = make_id<ConsentId>(world.fresh());
    change(give.terms);
    REQUIRE(world.run("bureau.attestor", give).applied());
    auto report = report_of(world);
    add_filing(report, 1, insured.subject, give.terms.id);
    const RunOutcome outcome = world.run("A", report);
    return outcome.event<Filed>() ? Code::applied : refusal(outcome);
  };
  CHECK(with([](ConsentTerms&) {}) == Code::applied);
  CHECK(with([](ConsentTerms& t) { t.purposes = {Purpose::treat}; }) ==
        Code::purpose_not_consented);
  CHECK(with([](ConsentTerms& t) { t.classes = {RecordClass::document}; }) ==
        Code::class_not_consented);
  CHECK(with([](ConsentTerms& t) { t.level_ceiling = Level::one; }) == Code::level_not_consented);
  CHECK(with([](ConsentTerms& t) { t.encounter = make_id<Tag32>(1); }) ==
        Code::consent_of_other_encounter);
  CHECK(with([&](ConsentTerms& t) { t.subject = subject_of(world, "X", 2); }) ==
        Code::consent_of_other_subject);
  CHECK(with([&](ConsentTerms& t) {
          t.exceptions = {{world.institution("A"), std::nullopt, std::nullopt}};
        }) == Code::consent_excepted);
  auto report = report_of(world);
  add_filing(report, 1, insured.subject, make_id<ConsentId>(1));
  CHECK(refusal(world.run("A", report)) == Code::consent_unknown);
}

TEST_CASE("report: a filing names an insurer and its own consent", "[claims][report]") {
  World world;
  const Insured insured = insure(world, 1);
  auto report = report_of(world);
  add_filing(report, 1, care_subject(1), insured.consent);
  CHECK(refusal(world.run("A", report)) == Code::insurer_unknown);
  report = report_of(world);
  add_filing(report, 1, {world.institution("B"), make_id<Tag32>(1)}, insured.consent);
  CHECK(refusal(world.run("A", report)) == Code::insurer_unknown);
  report = report_of(world);
  add_filing(report, 1, subject_of(world, "Y", 1), insured.consent);
  CHECK(refusal(world.run("A", report)) == Code::consent_of_other_grantee);
}

TEST_CASE("report: a product with consent per claim needs one for this encounter",
          "[claims][report]") {
  World world;
  auto product = product_of(world, "X");
  product.authorization = ClaimAuthorization::per_claim;
  REQUIRE(world.run("X", product).applied());
  const auto enrol = enrolment(world, product, "X", {1});
  REQUIRE(world.run("X", enrol, {world.attest("X", enrol)}).applied());
  auto report = report_of(world);
  const auto& line = enrol.lines[0];
  REQUIRE(world.run("A", report).applied());
  CHECK(
      world.run("A", file_of(report, 1, line.subject, enrolment_consent(policy_id(line)))).code() ==
      Code::per_claim_consent_needed);
  ConsentGive give;
  give.terms = consent_terms(enrol, line, world.institution("X"));
  give.terms.id = make_id<ConsentId>(world.fresh());
  give.terms.encounter = report.encounter;
  REQUIRE(world.run("A.attestor", give).applied());
  const RunOutcome filed = world.run("A", file_of(report, 1, line.subject, give.terms.id));
  REQUIRE(filed.applied());
  // The insurer reads under that consent, although it is for one encounter.
  const auto claim = filed.event<Filed>()->claims[0].claim;
  CHECK(world.run("X", insurer_request(world, {report.payload.record, 1}, claim))
            .event<Granted>()
            .has_value());
}

TEST_CASE("report: the same encounter, invoice or payload id is refused", "[claims][report]") {
  World world;
  const auto report = report_of(world);
  REQUIRE(world.run("A", report).applied());
  auto again = report_of(world);
  again.encounter = report.encounter;
  CHECK(world.run("A", again).code() == Code::encounter_already_reported);
  again = report_of(world);
  again.invoices = report.invoices;
  CHECK(world.run("A", again).code() == Code::invoice_already_reported);
  again = report_of(world, "B");
  again.invoices.push_back(report.invoices[0]);
  std::sort(again.invoices.begin(), again.invoices.end());
  CHECK(world.run("B", again).code() == Code::invoice_already_reported);
  again = report_of(world);
  again.payload.record = report.payload.record;
  CHECK(world.run("A", again).code() == Code::record_exists);
  CHECK_FALSE(world.read<EncounterState>(keys::encounter(again.encounter)).has_value());
}

TEST_CASE("report: form", "[claims][report]") {
  World world;
  const Insured insured = insure(world, 1);
  const auto refused = [&](auto change) {
    auto report = report_of(world);
    change(report);
    return world.run("A", report).code();
  };
  CHECK(refused([](ClaimsReport& r) {
          r.first_month = static_cast<std::uint16_t>(r.last_month + 1);
        }) == Code::months_reversed);
  CHECK(refused([](ClaimsReport& r) { r.payload.version = 2; }) == Code::payload_version_wrong);
  CHECK(refused([](ClaimsReport& r) { r.invoices[0].balance.bytes.fill(0xFF); }) ==
        Code::balance_not_an_element);
  CHECK(refused([](ClaimsReport& r) {
          auto twin = r.invoices[0];
          crypto::Scalar one;
          one.bytes[0] = 1;
          twin.balance = *crypto::pedersen_commit(5, one);
          r.invoices.push_back(twin);
        }) == Code::duplicate_in_operation);
  CHECK(refused([&](ClaimsReport& r) {
          r.filings = {{insured.subject, insured.consent}};
        }) == Code::disclosure_missing);
  CHECK(refused([&](ClaimsReport& r) {
          add_filing(r, 1, insured.subject, insured.consent);
          r.filings.clear();
        }) == Code::disclosure_without_filing);
  const auto filing = [&](auto change) {
    return refused([&](ClaimsReport& r) {
      add_filing(r, 1, insured.subject, insured.consent);
      change(*r.disclosure);
    });
  };
  CHECK(filing([](Disclosure& d) { d.list_salt.bytes[0] ^= 1; }) == Code::record_list_differs);
  CHECK(filing([](Disclosure& d) {
          d.records = {{make_id<RecordId>(1), 1}};
        }) == Code::record_list_differs);
  CHECK(filing([](Disclosure& d) { d.day_tags.push_back(make_id<Tag32>(99'999'999)); }) ==
        Code::day_tags_count);
  CHECK(filing([&](Disclosure& d) { d.care_subject = insured.subject; }) ==
        Code::subject_audience_not_care);
  CHECK(refused([&](ClaimsReport& r) { r.vault = world.vault("B"); }) == Code::vault_unknown);
  CHECK(refused([](ClaimsReport& r) { r.journal.count = 1; }) == Code::journal_mismatch);
}

TEST_CASE("report: day tags are padded to 4, 8, 16, 32 or 64, ascending", "[claims][report]") {
  World world;
  const Insured insured = insure(world, 1);
  for (std::uint64_t count = 1; count <= 65; ++count) {
    auto report = report_of(world);
    add_filing(report, 1, insured.subject, insured.consent);
    auto& tags = report.disclosure->day_tags;
    tags.clear();
    for (std::uint64_t i = 0; i < count; ++i) tags.push_back(make_id<Tag32>(i));
    const bool padded = count == 4 || count == 8 || count == 16 || count == 32 || count == 64;
    if (count < 4 || count > 64) {
      // No encoder of ours makes such a list.
      CHECK_FALSE(padded);
      continue;
    }
    const Code code = world.run("A", report).code();
    CHECK(code == (padded ? Code::applied : Code::day_tags_count));
    std::swap(tags[0], tags[1]);
    auto operation = make_operation(report, RequestId{});
    CHECK(world.run_operation("A", operation).code() == Code::content_malformed);
  }
}

TEST_CASE("report: listed records are the reporter's and of that subject", "[claims][report]") {
  World world;
  const Insured insured = insure(world, 1);
  const auto own = record_of(world, 1, "A");
  const auto of_other = record_of(world, 2, "A");
  const auto at_other = record_of(world, 1, "B");
  REQUIRE(world.run("A", own).applied());
  REQUIRE(world.run("A", of_other).applied());
  REQUIRE(world.run("B", at_other).applied());
  const auto with = [&](const RecordRef& record) {
    auto report = report_of(world);
    add_filing(report, 1, insured.subject, insured.consent);
    report.disclosure->records = {record};
    report.record_list = commit_record_list(report.disclosure->list_salt, {record});
    return world.run("A", report);
  };
  CHECK(with(of_other.record).code() == Code::listed_record_of_other_subject);
  CHECK(with(at_other.record).code() == Code::listed_record_unknown);
  CHECK(with({own.record.record, 2}).code() == Code::listed_record_unknown);
  CHECK(with({make_id<RecordId>(1), 1}).code() == Code::listed_record_unknown);
  const RunOutcome outcome = with(own.record);
  REQUIRE(outcome.event<Filed>().has_value());
  const auto claim = outcome.event<Filed>()->claims[0].claim;
  CHECK(world.read<ClaimState>(keys::claim(claim))->records == std::vector{own.record});
  // The insurer may have the listed record, and no other.
  CHECK(world.run("X", insurer_request(world, own.record, claim)).event<Granted>().has_value());
  CHECK(world.run("X", insurer_request(world, of_other.record, claim)).denial() ==
        Code::record_not_in_claim);
}

TEST_CASE("report: hospitals report stays, pharmacies sales", "[claims][report]") {
  World world;
  auto sale = report_of(world);
  sale.kind = ReportKind::pharmacy_sale;
  CHECK(world.run("A", sale).code() == Code::report_kind_not_allowed);
  auto at_pharmacy = report_of(world, "P");
  CHECK(world.run("P", at_pharmacy).code() == Code::report_kind_not_allowed);
  at_pharmacy.kind = ReportKind::pharmacy_sale;
  CHECK(world.run("P", at_pharmacy).applied());
  CHECK(world.run("X", report_of(world, "X")).code() == Code::institution_kind_not_allowed);
  CHECK(world.run("A.doctor", report_of(world)).code() == Code::role_not_allowed);
}

TEST_CASE("report: more than 16 matching policies are not filed in part", "[claims][report]") {
  World world;
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  // 16 covers of a few days each, one group after the other in the same month.
  std::vector<EnrolLine> lines;
  for (int group = 0; group < 2; ++group) {
    for (int i = 0; i < 16; ++i) {
      auto enrol = enrolment(world, product, "X", {1});
      enrol.lines[0].to_day = kToday + static_cast<std::uint32_t>(group) * 4;
      enrol.lines[0].from_day = enrol.lines[0].to_day;
      REQUIRE(world.run("X", enrol, {world.attest("X", enrol)}).applied());
      lines.push_back(enrol.lines[0]);
    }
    world.now = kStart + 2 * kDay;
  }
  auto report = report_of(world);
  add_filing(report, 1, lines[0].subject, enrolment_consent(policy_id(lines[0])));
  CHECK(refusal(world.run("A", report)) == Code::too_many_policies);
}

TEST_CASE("a consent carries at most 64 filed claims", "[claims][report][weight]") {
  World world;
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  PoliciesEnrol first = enrolment(world, product, "X", {1});
  REQUIRE(world.run("X", first, {world.attest("X", first)}).applied());
  for (int i = 1; i < 16; ++i) {
    REQUIRE(world.run("X", enrolment(world, product, "X", {1})).applied());
  }
  const auto file_one = [&] {
    auto report = report_of(world);
    add_filing(report, 1, first.lines[0].subject, enrolment_consent(policy_id(first.lines[0])));
    return world.run("A", report);
  };
  for (int i = 0; i < 4; ++i) {
    const RunOutcome outcome = file_one();
    REQUIRE(outcome.event<Reported>()->claims == 16);
  }
  CHECK(refusal(file_one()) == Code::too_many_claims);
  // The largest revocation keeps its declared weight, and every claim is in its log.
  const ConsentRevoke revoke{{}, enrolment_consent(policy_id(first.lines[0])), {}};
  const RunOutcome outcome = world.run("bureau.attestor", revoke);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<ClaimsWithdrawn>()->claims.size() == 64);
  CHECK(outcome.appends.size() == 65);
  CHECK(deadline_count(world) == 0);
}

TEST_CASE("the largest report keeps weight and events", "[claims][report][weight]") {
  // 32 insurers, 16 policies each.
  World world([](ledger::Genesis& genesis) {
    ledger::Institution insurer = genesis.institutions[2];
    for (std::uint64_t i = 0; i < 31; ++i) {
      auto twin = insurer;
      twin.id = make_id<InstitutionId>(5'000 + i);
      twin.members.clear();
      genesis.institutions.push_back(twin);
    }
  });
  auto report = report_of(world);
  for (std::uint64_t i = 0; i < 32; ++i) {
    const InstitutionId insurer =
        i == 31 ? world.institution("X") : make_id<InstitutionId>(5'000 + i);
    const SubjectId subject{insurer, make_id<Tag32>(i)};
    ConsentState consent;
    consent.terms.id = make_id<ConsentId>(9'000 + i);
    consent.terms.subject = subject;
    consent.terms.grantee = insurer;
    consent.terms.purposes = {Purpose::hpaymt};
    consent.terms.classes = {RecordClass::bill};
    consent.terms.level_ceiling = Level::five;
    consent.terms.to = kStart + 365 * kDay;
    consent.attestation = Attestation::attestor;
    world.state().write_as(keys::consent(consent.terms.id), consent);
    const ProductId product = make_id<ProductId>(i);
    ProductState state;
    state.insurer = insurer;
    state.premium_sources = {PremiumSource::cash};
    world.state().write_as(keys::product(product, 1), state);
    for (std::uint64_t p = 0; p < 16; ++p) {
      const auto policy = make_id<PolicyId>(i * 100 + p);
      PolicyState value;
      value.subject = subject;
      value.consent.purposes = {Purpose::hpaymt};
      value.consent.classes = {RecordClass::bill};
      value.product = product;
      value.product_version = 1;
      value.from_day = kToday;
      value.to_day = kToday + 10;
      world.state().write_as(keys::policy(policy), value);
      world.state().write_as(keys::subject_policy(subject, value.to_day, policy), Marker{});
    }
    add_filing(report, 1, subject, consent.terms.id);
  }
  report.invoices.clear();
  for (std::uint64_t i = 0; i < 64; ++i) report.invoices.push_back({make_id<Tag32>(i), {}});
  const RunOutcome outcome = world.run("A", report);
  REQUIRE(outcome.applied());
  CHECK(outcome.event<Reported>()->claims == 512);
  CHECK(outcome.receipt.events.size() == 10);
  std::size_t claims = 0;
  for (const auto& event : outcome.receipt.events) {
    CHECK(event.body.size() <= 8192);
    if (const auto filed = event_as<Filed>(event)) claims += filed->claims.size();
  }
  CHECK(claims == 512);
}

// ------------------------------------------------------------------ file

TEST_CASE("file: by the reporter, within two years, with the list that was committed to",
          "[claims][file]") {
  World world;
  const Insured insured = insure(world, 1);
  const auto report = report_of(world);
  const auto file = file_of(report, 1, insured.subject, insured.consent);
  CHECK(world.run("A", file).code() == Code::encounter_unknown);
  REQUIRE(world.run("A", report).applied());
  CHECK(world.run("B", file).code() == Code::not_the_reporter);
  auto wrong = file;
  wrong.disclosure.list_salt.bytes[0] ^= 1;
  CHECK(world.run("A", wrong).code() == Code::record_list_differs);
  wrong = file;
  wrong.filing.consent = make_id<ConsentId>(4);
  CHECK(world.run("A", wrong).code() == Code::consent_unknown);
  REQUIRE(world.run("A", file).applied());

  // A second filing, for another insurer, shows the same person and days.
  const Insured other = insure(world, 1, "Y");
  auto second = file_of(report, 1, other.subject, other.consent);
  second.disclosure.care_subject = care_subject(2);
  CHECK(world.run("A", second).code() == Code::disclosure_differs);
  second = file_of(report, 1, other.subject, other.consent);
  second.disclosure.day_tags[3] = make_id<Tag32>(1'000'000);
  CHECK(world.run("A", second).code() == Code::disclosure_differs);
  second = file_of(report, 1, other.subject, other.consent);
  CHECK(world.run("A", second).applied());
  CHECK(world.read<EncounterState>(keys::encounter(report.encounter))->claims == 2);
}

TEST_CASE("file: lapses two years after the report", "[claims][file]") {
  World world([](ledger::Genesis& genesis) {
    for (auto& institution : genesis.institutions) {
      for (auto& member : institution.members) member.valid_to = kStart + 1000 * kDay;
    }
  });
  const Insured insured = insure(world, 1);
  const auto report = report_of(world);
  const TimeMs reported_at = world.now;
  REQUIRE(world.run("A", report).applied());
  const auto file = file_of(report, 1, insured.subject, insured.consent);
  world.now = reported_at + (730 * kDay + 1);
  CHECK(world.run("A", file).code() == Code::filing_lapsed);
  world.now = reported_at + 730 * kDay;
  CHECK(world.run("A", file).code() == Code::consent_not_in_period);
}

// ------------------------------------------------------------------ from filed to opened

TEST_CASE("receive of the payload opens the claim in the same operation", "[claims][states]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  const TimeMs requested_at = world.now;
  const RunOutcome answer = world.run("X", insurer_request(world, filed.payload, filed.claim));
  const auto granted = answer.event<Granted>();
  REQUIRE(granted.has_value());
  CHECK(granted->consent == filed.insured.consent);
  CHECK(answer.count(LogKind::claim, filed.claim) == 1);
  CHECK(answer.count(LogKind::reads_of_subject, care_subject(1)) == 1);
  auto claim = world.read<ClaimState>(keys::claim(filed.claim));
  CHECK(claim->due_kind == DeadlineKind::hospital_release);
  CHECK(claim->due == requested_at + kDay);
  CHECK(deadline_count(world) == 1);

  const Commitment& commitment = filed.report.payload.commitment;
  const RunOutcome released = world.run("A", release_of(world, *granted, commitment));
  REQUIRE(released.applied());
  CHECK(released.count(LogKind::claim, filed.claim) == 1);
  const TimeMs received_at = world.now;
  const RunOutcome received = world.run("X", receive_of(world, *granted, commitment, "X"));
  REQUIRE(received.applied());
  CHECK(received.event<ClaimOpened>()->claim == filed.claim);
  CHECK(received.count(LogKind::claim, filed.claim) == 1);
  claim = world.read<ClaimState>(keys::claim(filed.claim));
  CHECK(claim->phase == ClaimPhase::opened);
  CHECK(claim->due_kind == DeadlineKind::insurer_decide);
  CHECK(claim->due == received_at + 30 * kDay);
  CHECK(deadline_count(world) == 1);
  CHECK_FALSE(world.read<Marker>(keys::consent_claim(claim->consent, filed.claim)).has_value());
}

TEST_CASE("the insurer's adjuster opens the received copy twice: two more entries",
          "[claims][read]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  const Basis basis{BasisKind::claim, id_cast<Hash>(filed.claim)};
  const auto read = [&] {
    return world.run("X.adjuster",
                     read_of(world, filed.payload, "X", basis, Purpose::hpaymt, "adjuster"));
  };
  CHECK(read().code() == Code::not_a_holder);
  open_case(world, filed);
  for (int i = 0; i < 2; ++i) {
    const RunOutcome outcome = read();
    REQUIRE(outcome.applied());
    CHECK(outcome.count(LogKind::reads_of_record, filed.payload.record) == 1);
    CHECK(outcome.count(LogKind::reads_of_subject, care_subject(1)) == 1);
    CHECK(outcome.count(LogKind::claim, filed.claim) == 1);
  }
  CHECK(world.run("X.doctor", read_of(world, filed.payload, "X", basis, Purpose::treat)).code() ==
        Code::purpose_not_allowed);
}

TEST_CASE("the reporter reads its bill for the countersignature by the claim", "[claims][read]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  const Basis basis{BasisKind::claim, id_cast<Hash>(filed.claim)};
  CHECK(
      world
          .run("A.adjuster", read_of(world, filed.payload, "A", basis, Purpose::hpaymt, "adjuster"))
          .applied());
  // Another claim's insurer holds nothing of it.
  const FiledCase other = file_case(world, 2, "Y");
  open_case(world, other, "Y");
  CHECK(
      world
          .run("Y.adjuster", read_of(world, other.payload, "Y", basis, Purpose::hpaymt, "adjuster"))
          .code() == Code::not_the_claims_insurer);
  const Basis by_other{BasisKind::claim, id_cast<Hash>(other.claim)};
  CHECK(world
            .run("A.adjuster",
                 read_of(world, filed.payload, "A", by_other, Purpose::hpaymt, "adjuster"))
            .code() == Code::record_not_in_claim);
}

TEST_CASE("insurers read by their own claim only", "[claims][request]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  CHECK(world.run("Y", insurer_request(world, filed.payload, filed.claim, "Y")).denial() ==
        Code::not_the_claims_insurer);
  auto request = insurer_request(world, filed.payload, filed.claim);
  request.purpose = Purpose::treat;
  CHECK(world.run("X", request).denial() == Code::purpose_not_allowed);
  const RunOutcome denied = world.run("X", request);
  CHECK(denied.count(LogKind::claim, filed.claim) == 1);
  CHECK(world.run("Y", insurer_request(world, filed.payload, filed.claim, "Y"))
            .count(LogKind::claim, filed.claim) == 0);
}

TEST_CASE("a program of the insurer needs a consent that allows programs", "[claims][request]") {
  World world;
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  auto enrol = enrolment(world, product, "X", {1});
  enrol.automatic = AutomaticReading::refused;
  REQUIRE(world.run("X", enrol, {world.attest("X", enrol)}).applied());
  auto report = report_of(world);
  add_filing(report, 1, enrol.lines[0].subject, enrolment_consent(policy_id(enrol.lines[0])));
  const auto filed = world.run("A", report).event<Filed>();
  REQUIRE(filed.has_value());
  auto request = insurer_request(world, {report.payload.record, 1}, filed->claims[0].claim);
  CHECK(world.run("X", request).denial() == Code::automatic_not_consented);
  request.mode = ReadMode::human;
  request.originator.member = world.actor("X.adjuster").member;
  CHECK(world.run("X.adjuster", request).event<Granted>().has_value());
}

TEST_CASE("two claims of one stay are opened each by its own receipt", "[claims][states]") {
  World world;
  const Insured insured = insure(world, 1);
  REQUIRE(world.run("X", enrolment(world, insured.product, "X", {1})).applied());
  auto report = report_of(world);
  add_filing(report, 1, insured.subject, insured.consent);
  const auto filed = world.run("A", report).event<Filed>();
  REQUIRE(filed->claims.size() == 2);
  FiledCase first{insured, report, filed->claims[0].claim, {report.payload.record, 1}};
  open_case(world, first);
  CHECK(phase_of(world, filed->claims[0].claim) == ClaimPhase::opened);
  CHECK(phase_of(world, filed->claims[1].claim) == ClaimPhase::filed);
}

TEST_CASE("a listed record received first opens nothing; a mismatch opens nothing",
          "[claims][states]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  const auto granted =
      world.run("X", insurer_request(world, filed.payload, filed.claim)).event<Granted>();
  REQUIRE(world.run("A", release_of(world, *granted, filed.report.payload.commitment)).applied());
  auto receive = receive_of(world, *granted, {}, "X");
  receive.result = ReceiveResult::mismatch;
  REQUIRE(world.run("X", receive).applied());
  CHECK(phase_of(world, filed.claim) == ClaimPhase::filed);
  CHECK(world.read<ClaimState>(keys::claim(filed.claim))->flags == 2);
  open_case(world, filed);  // asks again
  CHECK(phase_of(world, filed.claim) == ClaimPhase::opened);
}

// ------------------------------------------------------------------ revocation

TEST_CASE("revocation withdraws filed claims and leaves opened ones", "[claims][states]") {
  World world;
  const FiledCase opened = file_case(world, 1);
  open_case(world, opened);
  auto report = report_of(world);
  add_filing(report, 1, opened.insured.subject, opened.insured.consent);
  const auto filed = world.run("A", report).event<Filed>();
  REQUIRE(filed.has_value());
  const RunOutcome outcome =
      world.run("bureau.attestor", ConsentRevoke{{}, opened.insured.consent, {}});
  REQUIRE(outcome.applied());
  REQUIRE(outcome.event<ClaimsWithdrawn>().has_value());
  CHECK(outcome.event<ClaimsWithdrawn>()->claims.size() == 1);
  CHECK(outcome.count(LogKind::claim, filed->claims[0].claim) == 1);
  CHECK(outcome.count(LogKind::claim, opened.claim) == 0);
  CHECK(phase_of(world, filed->claims[0].claim) == ClaimPhase::withdrawn);
  CHECK(phase_of(world, opened.claim) == ClaimPhase::opened);
  CHECK(deadline_count(world) == 1);
  // No further reading of anything under it.
  CHECK(world.run("X", insurer_request(world, opened.payload, opened.claim)).denial() ==
        Code::consent_revoked);
}

TEST_CASE("revocation between grant and release, and between release and receive",
          "[claims][states]") {
  World world;
  const FiledCase early = file_case(world, 1);
  const FiledCase late = file_case(world, 2);
  const auto first =
      world.run("X", insurer_request(world, early.payload, early.claim)).event<Granted>();
  const auto second =
      world.run("X", insurer_request(world, late.payload, late.claim)).event<Granted>();
  REQUIRE(world.run("A", release_of(world, *second, late.report.payload.commitment)).applied());
  for (const FiledCase* filed : {&early, &late}) {
    REQUIRE(world.run("bureau.attestor", ConsentRevoke{{}, filed->insured.consent, {}}).applied());
  }
  CHECK(world.run("A", release_of(world, *first, early.report.payload.commitment)).code() ==
        Code::claim_state);
  const RunOutcome received =
      world.run("X", receive_of(world, *second, late.report.payload.commitment, "X"));
  CHECK(received.applied());
  CHECK_FALSE(received.event<ClaimOpened>().has_value());
  CHECK(phase_of(world, late.claim) == ClaimPhase::withdrawn);
  // It holds a copy that it may not open.
  const Basis basis{BasisKind::claim, id_cast<Hash>(late.claim)};
  CHECK(
      world.run("X.adjuster", read_of(world, late.payload, "X", basis, Purpose::hpaymt, "adjuster"))
          .code() == Code::claim_state);
}
