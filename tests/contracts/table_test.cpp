/// Tables that documents and formats rest on: codes, kinds, facts; determinism; what was reached.
/// This file is the last of the program: its last test asks what all others reached.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "contracts/decision_fixture.h"
#include "contracts/facts.h"
#include "core/errc.h"
#include "ledger/evidence_texts.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;

namespace {

std::string read_document(const std::string& name) {
  std::ifstream in(std::string(BAOLIAN_SOURCE_DIR) + "/docs/" + name);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

using Outcomes = std::vector<RunOutcome>;

/// A stay from the papers over persons, payment and review to its end.
void long_case(World& world, Books& books, Outcomes& out, const Hash& map) {
  using ledger::Capacity;
  const PersonKey person(1);
  const Stay stay = books.open(11, {200'000, 50'000});
  out.push_back(world.run("X", books.waiting(stay, Outcome::needs_paper)));
  out.push_back(world.run("A", supplement_of(world, stay, 11)));
  out.push_back(world.run("X", books.waiting(stay, Outcome::needs_person)));
  Proposal first = books.propose(stay, {150'000, 0});
  first.content.map = map;
  first.content.withheld = Withheld::provisional;
  first.content.accumulators = {{1, {}, make_id<Commitment>(1)}, {2, {}, make_id<Commitment>(2)}};
  const auto reporter = world.cosign("A", Capacity::countersigner, "X.adjuster", first.content);
  out.push_back(world.run("X.adjuster", first.content, {reporter}));
  books.take_over(stay, first);
  out.push_back(world.run("X", pay_of(stay, 3)));
  out.push_back(world.run("X.adjuster", explained_of(stay, 3)));
  const auto key = registration_of(stay.insured.subject, person);
  out.push_back(world.run("bureau.attestor", key, {person.sign(world, "bureau", key)}));
  const auto review = review_of(stay);
  out.push_back(world.run("A", review, {person.sign(world, "A", review)}));
  out.push_back(books.send_by_persons(stay, books.propose(stay, {10'000})));
  out.push_back(world.run("bureau.attestor", withdraw_of(stay)));  // rejected
}

/// The reporter's silence, withdrawals and reviews on an attestor's word, and what is overdue.
void short_cases(World& world, Books& books, Outcomes& out) {
  const PersonKey person(2);
  const Stay silent = books.open(12);
  const Stay paid = books.open(13);
  const Stay withdrawn = books.file(14);
  const Stay by_key = books.open(15);
  const Stay papers = books.open(16);
  const Stay person_decides = books.open(17);
  const Stay requested = books.file(18);
  out.push_back(world.run("X", insurer_request(world, requested.payload, requested.claim)));
  books.file(19);
  books.open(20);
  out.push_back(world.run("X", books.waiting(papers, Outcome::needs_paper)));
  out.push_back(world.run("X", books.waiting(person_decides, Outcome::needs_person)));
  out.push_back(world.run("bureau.attestor", withdraw_of(withdrawn)));
  register_key(world, by_key.insured.subject, person);
  const auto withdraw = withdraw_of(by_key);
  out.push_back(world.run("X", withdraw, {person.sign(world, "X", withdraw)}));
  out.push_back(books.send(paid, books.propose(paid, {300'000})));
  out.push_back(world.run("X", pay_of(paid)));
  out.push_back(world.run("bureau.attestor", review_of(paid)));
  world.advance(kDay);
  Proposal alone = books.propose(silent, {1'000});
  alone.content.withheld = Withheld::declared;
  out.push_back(books.send_alone(silent, alone));
  out.push_back(world.run("A", late_of(silent)));
  world.advance(90 * kDay);
  out.push_back(world.run("A", SystemSweep{{}, world.now, 5}));
  out.push_back(world.run("A", SystemSweep{{}, world.now, kSweepMax}));
}

/// A morning of everything: the outcomes of a chain that ran all kinds of operations.
std::vector<RunOutcome> busy_morning(World& world) {
  std::vector<RunOutcome> out;
  const auto keep = [&](RunOutcome outcome) {
    out.push_back(std::move(outcome));
    return out.back();
  };
  const auto product = product_of(world, "X");
  keep(world.run("X", product));
  const auto enrol = enrolment(world, product, "X", {1, 2});
  keep(world.run("X", enrol, {world.attest("X", enrol)}));
  const auto made_up = enrolment(world, product, "X", {3});
  keep(world.run("X", made_up));
  const auto terms = consent_terms(made_up, made_up.lines[0], world.institution("X"));
  keep(world.run("bureau.attestor", ConsentConfirm{{}, {{terms.id, consent_hash(terms)}}}));
  auto record = record_of(world, 1, "A");
  keep(world.run("A", record));
  auto give = care_consent(world, 1, "B");
  give.terms.exceptions = {{world.institution("P"), std::nullopt, std::nullopt}};
  keep(world.run("A.attestor", give));
  auto scoped = care_consent(world, 1, "B");
  scoped.terms.encounter = make_id<Tag32>(4);
  keep(world.run("B", scoped, {world.attest("B", scoped)}));
  const auto granted =
      keep(world.run("B.doctor", doctor_request(world, record.record, give.terms.id)))
          .event<Granted>();
  keep(world.run("A", release_of(world, *granted, record.commitment)));
  keep(world.run("B", receive_of(world, *granted, record.commitment)));
  const auto mismatch =
      keep(world.run("B.doctor", doctor_request(world, record.record, give.terms.id)))
          .event<Granted>();
  keep(world.run("A", release_of(world, *mismatch, record.commitment)));
  auto receive = receive_of(world, *mismatch, {});
  receive.result = ReceiveResult::mismatch;
  keep(world.run("B", receive));
  keep(world.run("B.doctor", doctor_request(world, record.record, make_id<ConsentId>(1))));
  const Basis care{BasisKind::care, {}};
  keep(world.run("A.doctor", read_of(world, record.record, "A", care)));
  auto stated = read_of(world, record.record, "A", care);
  stated.originator.signed_by = SignedBy::institution;
  keep(world.run("A", stated));
  auto report = report_of(world);
  add_filing(report, 1, enrol.lines[0].subject, enrolment_consent(policy_id(enrol.lines[0])));
  add_filing(report, 1, enrol.lines[0].subject, make_id<ConsentId>(9));
  const auto filed = keep(world.run("A", report)).event<Filed>();
  const auto unfiled = report_of(world);
  keep(world.run("A", unfiled));
  keep(world.run("A", file_of(unfiled, 2, enrol.lines[1].subject,
                              enrolment_consent(policy_id(enrol.lines[1])))));
  const RecordRef payload{report.payload.record, 1};
  const auto by_claim =
      keep(world.run("X", insurer_request(world, payload, filed->claims[0].claim)))
          .event<Granted>();
  keep(world.run("A", release_of(world, *by_claim, report.payload.commitment)));
  keep(world.run("X", receive_of(world, *by_claim, report.payload.commitment, "X")));
  const Basis claim{BasisKind::claim, id_cast<Hash>(filed->claims[0].claim)};
  keep(world.run("X.adjuster", read_of(world, payload, "X", claim, Purpose::hpaymt, "adjuster")));
  const ConsentRevoke revoke{{}, enrolment_consent(policy_id(enrol.lines[1])), {}};
  keep(world.run("X", revoke, {world.attest("X", revoke)}));
  const ConsentRevoke plain{{}, give.terms.id, {}};
  keep(world.run("bureau.attestor", plain));
  keep(world.run("bureau.attestor", plain));  // rejected
  const CatalogPublish map{{}, make_id<CatalogId>(1), 1, make_id<Hash>(3)};
  keep(world.run("bureau", map));
  Books books(world);
  long_case(world, books, out, map.content);
  short_cases(world, books, out);
  return out;
}

}  // namespace

TEST_CASE("the same operations give the same bytes", "[execute][determinism]") {
  World first;
  World second;
  const auto a = busy_morning(first);
  const auto b = busy_morning(second);
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO(i);
    CHECK(a[i].leaf == b[i].leaf);
    REQUIRE(a[i].appends.size() == b[i].appends.size());
    for (std::size_t k = 0; k < a[i].appends.size(); ++k) {
      CHECK(a[i].appends[k].log == b[i].appends[k].log);
      CHECK(a[i].appends[k].line == b[i].appends[k].line);
    }
  }
  CHECK(first.state().writes() == second.state().writes());
}

TEST_CASE("every receipt and event decodes to itself", "[execute]") {
  World world;
  std::set<std::uint16_t> seen;
  for (const RunOutcome& outcome : busy_morning(world)) {
    const auto receipt = decode<ledger::Receipt>(outcome.leaf.receipt);
    REQUIRE(receipt.has_value());
    CHECK(encode(*receipt) == outcome.leaf.receipt);
    for (const ledger::Event& event : receipt->events) {
      CHECK_FALSE(event_name(event.kind).empty());
      seen.insert(event.kind);
    }
  }
  // Every kind of event is there.
  std::size_t kinds = 0;
  for (std::uint16_t kind = 0; kind < 1000; ++kind) kinds += event_name(kind).empty() ? 0U : 1U;
  CHECK(kinds == 27);
  CHECK(seen.size() == kinds);
}

TEST_CASE("facts: every applied operation gives facts of the table, in any label it may have",
          "[facts]") {
  World world;
  std::set<std::pair<std::uint16_t, std::string>> used;
  for (const RunOutcome& outcome : busy_morning(world)) {
    const auto facts = read_facts(outcome.leaf);
    REQUIRE(facts.has_value());
    REQUIRE_FALSE(facts->empty());
    const auto operation = decode<ledger::Operation>(outcome.leaf.operation);
    for (const ledger::Fact& fact : *facts) {
      INFO(fact.name);
      CHECK_FALSE(fact.value.empty());
      CHECK(fact.value.size() <= 2048);
      const bool needs_by =
          fact.label == ledger::Label::stated || fact.label == ledger::Label::agreed;
      CHECK(fact.by.empty() != needs_by);
      used.insert({operation->kind, fact.name + "/" + std::string(enum_name(fact.label))});
    }
  }
  // Rows that the morning does not reach: options that it did not take.
  std::size_t unused = 0;
  for (const FactRule& rule : fact_rules()) {
    const std::string name = std::string(rule.name) + "/" + std::string(enum_name(rule.label));
    if (used.contains({static_cast<std::uint16_t>(rule.kind), name})) continue;
    INFO(kind_name(static_cast<std::uint16_t>(rule.kind)) << " " << name);
    CHECK((rule.kind < OperationKind::catalog_publish || rule.name == "listed_record"));
    ++unused;
  }
  CHECK(unused < fact_rules().size() / 4);
}

TEST_CASE("facts: a reading says who, what, why, and how far each is to be trusted", "[facts]") {
  World world;
  const FiledCase filed = file_case(world, 1);
  const RunOutcome answer = world.run("X", insurer_request(world, filed.payload, filed.claim));
  const auto facts = read_facts(answer.leaf);
  REQUIRE(facts.has_value());
  const auto find = [&](const std::string& name) {
    const auto it = std::find_if(facts->begin(), facts->end(),
                                 [&](const ledger::Fact& fact) { return fact.name == name; });
    REQUIRE(it != facts->end());
    return *it;
  };
  CHECK(find("reading").value == "granted");
  CHECK(find("reader").value == world.institution("X").hex());
  CHECK(find("purpose").label == ledger::Label::stated);
  CHECK(find("purpose").value == "HPAYMT");
  CHECK(find("basis").label == ledger::Label::enforced);
  CHECK(find("basis").value == "claim");
  CHECK(find("basis_id").value == filed.claim.hex());
  CHECK(facts->front().name == "operation");
  CHECK(facts->front().value == "records.request");
  CHECK(find("release_until").value.ends_with("Z"));
  CHECK(find("attestation").value == "attestor");
}

TEST_CASE("facts: a rejected operation gives its code, a broken leaf an error", "[facts]") {
  World world;
  const RunOutcome outcome = world.run("A", ConsentRevoke{});
  const auto facts = read_facts(outcome.leaf);
  REQUIRE(facts.has_value());
  REQUIRE(facts->size() == 2);
  CHECK(facts->front().value == "consent.revoke");
  CHECK(facts->back().name == "code_name");
  CHECK(facts->back().value == "consent_unknown");
  const RunOutcome applied = world.run("A", record_of(world, 1, "A"));
  auto leaf = applied.leaf;
  leaf.operation.pop_back();
  CHECK(read_facts(leaf).error().code == Errc::evidence_invalid);
  leaf = applied.leaf;
  leaf.receipt.push_back(0);
  CHECK(read_facts(leaf).error().code == Errc::evidence_invalid);
  leaf = applied.leaf;
  leaf.receipt = encode(ledger::Receipt{});  // applied, without its event
  CHECK(read_facts(leaf).error().code == Errc::evidence_invalid);
}

TEST_CASE("facts: every applied operation gives its facts in the order of the table", "[facts]") {
  World world;
  std::set<std::uint16_t> kinds;
  for (const RunOutcome& outcome : busy_morning(world)) {
    if (!outcome.applied()) continue;
    const auto operation = decode<ledger::Operation>(outcome.leaf.operation);
    const auto facts = read_facts(outcome.leaf);
    REQUIRE(facts.has_value());
    kinds.insert(operation->kind);
    CHECK(facts->front().name == "operation");
    std::size_t at = 0;
    std::optional<std::uint16_t> line;
    for (std::size_t i = 1; i < facts->size(); ++i) {
      const ledger::Fact& fact = (*facts)[i];
      INFO(kind_name(operation->kind) << " " << fact.name);
      if (fact.line != line) at = 0;  // the rows of the next line begin
      line = fact.line;
      const auto rules = fact_rules();
      while (at < rules.size() && !(static_cast<std::uint16_t>(rules[at].kind) == operation->kind &&
                                    rules[at].name == fact.name && rules[at].label == fact.label)) {
        ++at;
      }
      REQUIRE(at < rules.size());
      CHECK(rules[at].by.empty() == fact.by.empty());
      CHECK((rules[at].when.find("line i") != std::string_view::npos) == fact.line.has_value());
    }
  }
  for (const KindEntry& entry : operation_kinds()) {
    if (entry.availability == Availability::reserved) continue;
    INFO(entry.name);
    CHECK(kinds.contains(static_cast<std::uint16_t>(entry.kind)));
  }
}

namespace {

/// A leaf with its facts, as tests/verifier/leaves.txt has them: a line `leaf`, then one a fact.
std::string facts_text(const ledger::OperationLeaf& leaf) {
  const auto facts = read_facts(leaf);
  REQUIRE(facts.has_value());
  std::string out = "leaf\t" + to_hex(encode(leaf)) + "\n";
  for (const ledger::Fact& fact : *facts) {
    out += "fact\t" + (fact.line ? std::to_string(*fact.line) : std::string("-")) + "\t" +
           std::string(enum_name(fact.label)) + "\t" + fact.name + "\t" + fact.value + "\t" +
           fact.by + "\n";
  }
  return out;
}

bool is_of_decisions(const RunOutcome& outcome) {
  const auto operation = decode<ledger::Operation>(outcome.leaf.operation);
  const auto kind = static_cast<OperationKind>(operation->kind);
  return kind >= OperationKind::catalog_publish && kind != OperationKind::claims_report &&
         kind != OperationKind::claims_file;
}

}  // namespace

// The second verifier gives the facts of the same leaves: two programs, one page. The file stays as
// it is while this test's chain changes; BAOLIAN_REWRITE=1 writes it anew.
TEST_CASE("facts: the leaves that the second verifier reads have these facts", "[facts]") {
  const std::string path = std::string(BAOLIAN_SOURCE_DIR) + "/tests/verifier/leaves.txt";
  if (std::getenv("BAOLIAN_REWRITE") != nullptr) {
    World world;
    std::ofstream out(path);
    for (const RunOutcome& outcome : busy_morning(world)) {
      if (is_of_decisions(outcome)) out << facts_text(outcome.leaf);
    }
  }
  std::ifstream in(path);
  std::string line;
  std::string file;
  std::string made;
  std::set<std::uint16_t> kinds;
  while (std::getline(in, line)) {
    file += line + "\n";
    if (!line.starts_with("leaf\t")) continue;
    const auto bytes = from_hex(line.substr(5));
    REQUIRE(bytes.has_value());
    const auto leaf = decode<ledger::OperationLeaf>(*bytes);
    REQUIRE(leaf.has_value());
    made += facts_text(*leaf);
    kinds.insert(decode<ledger::Operation>(leaf->operation)->kind);
  }
  CHECK(kinds.size() == 9);
  const bool is_same = made == file;
  CHECK(is_same);
}

TEST_CASE("facts: every name has words in English and Chinese", "[facts]") {
  const auto names = ledger::name_texts(ledger::kTextsVersion);
  const auto has_words = [&](std::string_view name) {
    return std::any_of(names.begin(), names.end(), [&](const auto& n) { return n.name == name; });
  };
  CHECK(has_words("operation"));
  CHECK(has_words("code_name"));
  for (const FactRule& rule : fact_rules()) {
    INFO(rule.name);
    CHECK(has_words(rule.name));
  }
  for (const KindEntry& entry : operation_kinds()) {
    if (entry.availability == Availability::reserved) continue;
    INFO(entry.name);
    CHECK(has_words("operation=" + std::string(entry.name)));
  }
}

TEST_CASE("facts: a batch shows each line its own person", "[facts]") {
  World world;
  const auto product = product_of(world, "X");
  REQUIRE(world.run("X", product).applied());
  const auto enrol = enrolment(world, product, "X", {1, 2});
  const auto facts = read_facts(world.run("X", enrol).leaf);
  REQUIRE(facts.has_value());
  for (const ledger::Fact& fact : *facts) {
    if (fact.name != "policy") continue;
    REQUIRE(fact.line.has_value());
    CHECK(fact.value == policy_id(enrol.lines[*fact.line]).hex());
  }
}

TEST_CASE("subjects of two audiences never share a log", "[logs]") {
  const SubjectId care = care_subject(1);
  const SubjectId insurer{make_id<InstitutionId>(1), care.value};
  CHECK(subject_log_id(care) != subject_log_id(insurer));
  CHECK(subject_log_id(care) != id_cast<Hash>(care.value));
}

TEST_CASE("ids made by contracts differ by kind, transaction, operation and line", "[ids]") {
  const TxId tx = make_id<TxId>(1);
  std::set<Hash> ids;
  for (const auto kind : {OperationKind::claims_report, OperationKind::claims_file}) {
    for (std::uint16_t op = 0; op < 3; ++op) {
      for (std::uint16_t line = 0; line < 3; ++line) ids.insert(contract_id(kind, tx, op, line));
    }
  }
  ids.insert(contract_id(OperationKind::claims_file, make_id<TxId>(2), 0, 0));
  CHECK(ids.size() == 19);
}

TEST_CASE("kinds: numbers ascend, names are found both ways", "[kinds]") {
  std::uint16_t before = 0;
  for (const KindEntry& entry : operation_kinds()) {
    CHECK(static_cast<std::uint16_t>(entry.kind) > before);
    before = static_cast<std::uint16_t>(entry.kind);
    CHECK(kind_from_name(entry.name) == entry.kind);
    CHECK(kind_name(before) == entry.name);
  }
  CHECK(kind_name(1).empty());
  CHECK_FALSE(kind_from_name("nothing").has_value());
}

TEST_CASE("every available operation has a row in docs/contracts.md", "[docs]") {
  const std::string text = read_document("contracts.md");
  for (const KindEntry& entry : operation_kinds()) {
    if (entry.availability == Availability::reserved) continue;
    INFO(entry.name);
    CHECK(text.find("| " + std::string(entry.name) + " | ") != std::string::npos);
  }
}

TEST_CASE("docs/error-codes.md has exactly the receipt codes of the source", "[docs][codes]") {
  const std::string text = read_document("error-codes.md");
  std::uint16_t before = 0;
  for (const CodeEntry& entry : codes()) {
    const auto number = static_cast<std::uint16_t>(entry.code);
    CHECK((number == 0 || number > before));
    before = number;
    const std::string row = "| " + std::to_string(number) + " | " + std::string(entry.name) +
                            " | " + std::string(entry.sentence) + " | " +
                            std::string(entry.advice) + " |\n";
    INFO(row);
    CHECK(text.find(row) != std::string::npos);
  }
  CHECK(find_code(9999) == nullptr);
}

TEST_CASE("docs/error-codes.md names every error of the programs", "[docs][codes]") {
  const std::string text = read_document("error-codes.md");
  for (std::uint16_t number = 1; number < 1000; ++number) {
    const std::string_view name = errc_name(static_cast<Errc>(number));
    if (name.empty() || name == "unknown") continue;
    INFO(name);
    CHECK(text.find("| " + std::to_string(number) + " | " + std::string(name) + " | ") !=
          std::string::npos);
  }
}

TEST_CASE("every code was reached by a test of this program", "[codes]") {
  // Alone, or filtered, this test has nothing to say.
  if (reached_codes().size() < 20) {
    WARN("run the whole program to check which codes are reached");
    return;
  }
  for (const CodeEntry& entry : codes()) {
    INFO(entry.name);
    CHECK(reached_codes().contains(entry.code));
  }
}
