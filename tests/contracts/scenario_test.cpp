/// Discharge to opened, and every reading, through the ledger: roots, logs, evidence.
#include "contracts/facts.h"
#include "contracts/fixture.h"
#include "ledger/evidence.h"
#include "ledger/memory_store.h"

using namespace baolian;
using namespace baolian::contracts;
using namespace baolian::contracts::test;
using ledger::LogKind;

namespace {

/// A chain in memory that takes what a World executed, one block an outcome, certified by one
/// validator.
class Ledger {
 public:
  explicit Ledger(const World& world) : genesis_(world.genesis()), validator_(world.validator()) {
    auto opened =
        ledger::Chain::open(ledger::make_memory_store(), genesis_, genesis_writes(genesis_));
    REQUIRE(opened.has_value());
    chain_ = std::move(*opened);
  }

  void append(const RunOutcome& outcome, TimeMs time) {
    ledger::ExecutedBlock block;
    block.height = chain_->height().next();
    block.timestamp = time;
    // Chain::append keeps bodies beside receipts; the body of this leaf is made again from it.
    ledger::Transaction transaction;
    transaction.body.chain_id = chain_->chain_id();
    transaction.body.sender = outcome.leaf.sender;
    transaction.body.nonce = Nonce{block.height.value};
    transaction.body.operations = {*decode<ledger::Operation>(outcome.leaf.operation)};
    const Bytes bytes = encode(transaction);
    block.transactions = {bytes};
    auto leaf = outcome.leaf;
    leaf.tx_hash = ledger::tx_hash(bytes);
    block.leaves = {leaf};
    for (const auto& append : outcome.appends) block.appends.push_back({0, append});
    certify(chain_->append(std::move(block)));
  }

  Result<std::string> prove(const ledger::LogId& log, TimeMs from, TimeMs to) const {
    return ledger::make_log_evidence(*chain_, log, from, to, fact_reader());
  }
  ledger::Verification verify(const std::string& file) const {
    return ledger::verify_evidence(file, genesis_, crypto::ed25519_verifier(), fact_reader());
  }

 private:
  void certify(const ledger::Header& header) {
    crypto::ExecCertificate certificate;
    certificate.epoch = header.epoch;
    certificate.vote = {.height = header.height, .header_hash = ledger::header_hash(header)};
    const Hash body = crypto::sha256(encode(certificate.vote));
    certificate.signatures = {{.validator = 0,
                               .signature = validator_.sign_object(
                                   crypto::ObjectType::exec, header.chain_id, header.epoch, body)}};
    chain_->put_certificate(certificate);
  }

  ledger::Genesis genesis_;
  const crypto::Signer& validator_;
  std::unique_ptr<ledger::Chain> chain_;
};

bool has_fact(const ledger::FactGroup& group, const std::string& name, const std::string& value) {
  return std::any_of(group.facts.begin(), group.facts.end(), [&](const ledger::Fact& fact) {
    return fact.name == name && fact.value == value;
  });
}

}  // namespace

TEST_CASE("the reading log of a payload is complete, proved and told in words", "[evidence]") {
  World world;
  Ledger ledger(world);
  const auto take = [&](const RunOutcome& outcome) {
    REQUIRE(outcome.applied());
    ledger.append(outcome, TimeMs{world.now.value - 1000});
    return outcome;
  };
  const TimeMs from = world.now;
  const Insured insured = insure(world, 1);
  auto report = report_of(world);
  add_filing(report, 1, insured.subject, insured.consent);
  const auto filed = take(world.run("A", report)).event<Filed>();
  REQUIRE(filed.has_value());
  const ClaimId claim = filed->claims[0].claim;
  const RecordRef payload{report.payload.record, 1};
  const Commitment& commitment = report.payload.commitment;
  const auto granted =
      take(world.run("X", insurer_request(world, payload, claim))).event<Granted>();
  take(world.run("A", release_of(world, *granted, commitment)));
  take(world.run("X", receive_of(world, *granted, commitment, "X")));
  const Basis basis{BasisKind::claim, id_cast<Hash>(claim)};
  for (int i = 0; i < 2; ++i) {
    take(world.run("X.adjuster", read_of(world, payload, "X", basis, Purpose::hpaymt, "adjuster")));
  }
  take(world.run("B.doctor", doctor_request(world, payload, insured.consent)));  // denied
  const TimeMs to{world.now.value - 1000};

  const auto file =
      ledger.prove({LogKind::reads_of_record, id_cast<Hash>(payload.record)}, from, to);
  REQUIRE(file.has_value());
  const auto verified = ledger.verify(*file);
  INFO((verified.failure() == nullptr ? std::string() : verified.failure()->detail));
  REQUIRE(verified.ok);
  REQUIRE(verified.facts.size() == 5);
  const char* steps[] = {"granted", "released", "received", "local", "local"};
  for (std::size_t i = 0; i < 5; ++i) CHECK(has_fact(verified.facts[i], "reading", steps[i]));
  CHECK(has_fact(verified.facts[2], "claim_opened", claim.hex()));

  const auto story = ledger.prove({LogKind::claim, id_cast<Hash>(claim)}, from, to);
  REQUIRE(story.has_value());
  const auto told = ledger.verify(*story);
  REQUIRE(told.ok);
  REQUIRE(told.facts.size() == 6);
  CHECK(has_fact(told.facts[0], "claim_filed", claim.hex()));

  const auto denials = ledger.prove(
      {LogKind::denials_by_institution, id_cast<Hash>(world.institution("B"))}, from, to + 1);
  // The newest block is at the end of the window: its millisecond is not over.
  CHECK_FALSE(denials.has_value());

  std::string changed = *file;
  const std::size_t at = changed.find("granted");
  REQUIRE(at != std::string::npos);
  changed[at] = 'G';
  CHECK_FALSE(ledger.verify(changed).ok);
}
