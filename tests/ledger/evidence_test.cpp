#include "ledger/evidence.h"

#include "core/prng.h"
#include "ledger/evidence_fixture.h"
#include "ledger/evidence_texts.h"
#include "ledger/genesis_json.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::ledger;
using namespace baolian::ledger::test;

namespace {

Verification verify(const EvidenceChain& chain, std::string_view file) {
  return verify_evidence(file, chain.network.genesis, crypto::ed25519_verifier(), fake_reader());
}

std::string failed_step(const EvidenceChain& chain, std::string_view file) {
  const Verification verification = verify(chain, file);
  CHECK_FALSE(verification.ok);
  return verification.failure() != nullptr ? verification.failure()->what : std::string("none");
}

const LogId kLog = log_of(kReads, 7);

/// Seven entries at t+10, 20, 20, 20, 30, 40, 50 in blocks 1..5, and block 6 at t+60.
struct SevenEntries : EvidenceChain {
  SevenEntries() {
    append_block(kLog, kCreatedMs + 10, 1);
    append_block(kLog, kCreatedMs + 20, 3);
    append_block(kLog, kCreatedMs + 30, 1);
    append_block(kLog, kCreatedMs + 40, 1);
    append_block(kLog, kCreatedMs + 50, 1);
    append_block(log_of(kReads, 8), kCreatedMs + 60, 1);
    certify_newest();
  }
  std::string window(std::uint64_t from, std::uint64_t to) const {
    auto file = make_log_evidence(*chain, kLog, TimeMs{kCreatedMs + from}, TimeMs{kCreatedMs + to},
                                  fake_reader());
    REQUIRE(file.has_value());
    return *file;
  }
  std::string operation(std::uint64_t height, std::uint32_t index) const {
    auto file = make_operation_evidence(*chain, Height{height}, index, fake_reader());
    REQUIRE(file.has_value());
    return *file;
  }
  std::string state(std::string_view key) const {
    auto file = make_state_evidence(*chain, as_bytes(key));
    REQUIRE(file.has_value());
    return *file;
  }
};

/// The file with its content changed and written canonically again, words and facts included.
template <typename Change>
std::string changed(const EvidenceChain& chain, const std::string& file, const Change& change) {
  auto evidence = parse_evidence(file);
  REQUIRE(evidence.has_value());
  change(*evidence);
  if (auto facts = collect_facts(*evidence, chain.network.genesis, fake_reader())) {
    evidence->facts = *facts;
    evidence->words = evidence_words(*evidence, chain.network.genesis);
    evidence->limits = evidence_limits(*evidence, chain.network.genesis);
  }
  return evidence_text(*evidence);
}

LogWindowProof& window_of(Evidence& evidence) {
  return std::get<LogWindowProofs>(evidence.proofs).window;
}
std::vector<OperationLeaf>& leaves_of(Evidence& evidence) {
  return std::get<LogWindowProofs>(evidence.proofs).leaves;
}

const std::string kWindowStep = "the window of the log is complete and in order";
const std::string kOperationsStep = "the operations are those that the entries name";
const std::string kCertificateStep = "the certificate has enough valid signatures";
const std::string kFactsStep = "the facts are those of the proved operations";
const std::string kWordsStep = "the words are those of the facts";
const std::string kCanonicalStep = "the file is in canonical form";
const std::string kReadStep = "the file is an evidence file of version 1";

void check_every_flip_fails(const EvidenceChain& chain, const std::string& file,
                            std::uint64_t seed) {
  REQUIRE(verify(chain, file).ok);
  Prng prng(seed);
  std::size_t passed = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string flipped = file;
    const auto at = static_cast<std::size_t>(prng.below(file.size()));
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << prng.below(8)));
    if (verify(chain, flipped).ok) ++passed;
  }
  CHECK(passed == 0);
}

}  // namespace

TEST_CASE("evidence: windows of every shape verify and name their entries", "[evidence]") {
  const SevenEntries chain;
  struct Case {
    std::uint64_t from, to;
    std::size_t first, count;
  };
  for (const Case& c :
       {Case{0, 60, 0, 7}, Case{10, 11, 0, 1}, Case{0, 10, 0, 0}, Case{20, 21, 1, 3},
        Case{21, 30, 0, 0}, Case{15, 31, 1, 4}, Case{50, 60, 6, 1}, Case{51, 60, 0, 0},
        Case{20, 20, 0, 0}, Case{20, 50, 1, 5}}) {
    const std::string file = chain.window(c.from, c.to);
    const Verification verification = verify(chain, file);
    INFO(c.from << ".." << c.to);
    REQUIRE(verification.ok);
    REQUIRE(verification.facts.size() == c.count);
    for (std::size_t i = 0; i < c.count; ++i) CHECK(verification.facts[i].entry == c.first + i);
    CHECK(verification.words.size() == 3 + c.count);
    CHECK(verification.question_text == verification.words.front().en);
    CHECK(verification.failure() == nullptr);
  }
}

TEST_CASE("evidence: a log without any entry is proved empty", "[evidence]") {
  const SevenEntries chain;
  const auto file = make_log_evidence(*chain.chain, log_of(LogKind::alarms, 0), TimeMs{0},
                                      TimeMs{kCreatedMs + 60}, fake_reader());
  REQUIRE(file.has_value());
  const Verification verification = verify(chain, *file);
  CHECK(verification.ok);
  CHECK(verification.facts.empty());
  CHECK(verification.words.back().text == 27);
  CHECK(verification.words.back().en.find(log_of(LogKind::alarms, 0).id.hex()) !=
        std::string::npos);
  // A log that exists and has nothing in the window is told apart.
  CHECK(verify(chain, chain.window(21, 30)).words.back().text == 21);
}

TEST_CASE("evidence: the limits of a person's log say that its id is a hash", "[evidence]") {
  const SevenEntries chain;
  const auto limits_of = [&](LogKind kind) {
    const auto file = make_log_evidence(*chain.chain, log_of(kind, 7), TimeMs{0},
                                        TimeMs{kCreatedMs + 60}, fake_reader());
    REQUIRE(file.has_value());
    std::vector<std::uint16_t> numbers;
    for (const Sentence& limit : verify(chain, *file).limits) numbers.push_back(limit.text);
    return numbers;
  };
  using Numbers = std::vector<std::uint16_t>;
  for (const LogKind kind :
       {LogKind::reads_of_subject, LogKind::denials_of_subject, LogKind::consents_of_subject}) {
    CHECK(limits_of(kind) == Numbers{60, 61, 62, 70, 65, 71, 66, 67, 68});
  }
  CHECK(limits_of(kReads) == Numbers{60, 61, 62, 65, 71, 66, 67, 68});
}

TEST_CASE("evidence: the words quote the chain's name and count the signers' institutions",
          "[evidence]") {
  SevenEntries chain;
  Evidence evidence = *parse_evidence(chain.state("member/a"));
  Genesis genesis = chain.network.genesis;
  genesis.name = "a\" (\\b";
  const auto sentence = [&] { return evidence_words(evidence, genesis)[1].en; };
  CHECK(sentence().find(R"(on chain "a\" (\\b" ()") != std::string::npos);
  const std::size_t signers = evidence.certificate.signatures.size();
  const auto ends_with = [&](std::size_t known, std::size_t institutions) {
    return sentence().ends_with(" Of these signers, " + std::to_string(known) + " are nodes of " +
                                std::to_string(institutions) +
                                " institutions of the genesis file.");
  };
  CHECK(ends_with(signers, 2));
  // All nodes of one institution: its own word only.
  std::move(genesis.institutions[0].nodes.begin(), genesis.institutions[0].nodes.end(),
            std::back_inserter(genesis.institutions[1].nodes));
  genesis.institutions[0].nodes.clear();
  CHECK(ends_with(signers, 1));
  genesis.institutions[1].nodes.clear();
  CHECK(ends_with(0, 0));
}

TEST_CASE("evidence: a leaf that contradicts itself is refused", "[evidence]") {
  const SevenEntries chain;
  Evidence evidence = *parse_evidence(chain.operation(2, 1));
  auto& leaf = std::get<OperationProofs>(evidence.proofs).leaf;
  const Bytes operation = leaf.operation;
  const auto is_refused = [&](std::uint16_t op_index, const Bytes& bytes, ReceiptStatus status,
                              std::uint16_t code) {
    leaf.op_index = op_index;
    leaf.operation = bytes;
    leaf.receipt = encode(Receipt{.version = {}, .status = status, .code = code, .events = {}});
    const auto facts = collect_facts(evidence, chain.network.genesis, no_facts());
    return !facts.has_value() && facts.error().code == Errc::evidence_invalid;
  };
  constexpr auto kApplied = ReceiptStatus::applied;
  constexpr auto kRejected = ReceiptStatus::rejected;
  constexpr auto kWhole = ReceiptStatus::transaction_rejected;
  CHECK_FALSE(is_refused(1, operation, kApplied, 0));
  CHECK_FALSE(is_refused(1, operation, kRejected, 5));
  CHECK_FALSE(is_refused(kWholeTransaction, {}, kWhole, 5));
  CHECK(is_refused(1, operation, kApplied, 5));
  CHECK(is_refused(1, operation, kRejected, 0));
  CHECK(is_refused(kWholeTransaction, {}, kWhole, 0));
  CHECK(is_refused(1, operation, kWhole, 5));
  CHECK(is_refused(1, {}, kApplied, 0));
  CHECK(is_refused(1, {}, kWhole, 5));
  CHECK(is_refused(kWholeTransaction, operation, kWhole, 5));
  CHECK(is_refused(kWholeTransaction, {}, kRejected, 5));
  CHECK(is_refused(kWholeTransaction, operation, kApplied, 0));
}

TEST_CASE("evidence: an entry removed, added, moved or changed does not verify", "[evidence]") {
  const SevenEntries chain;
  const std::string file = chain.window(15, 45);  // entries 1..5 with neighbours 0 and 6
  REQUIRE(verify(chain, file).ok);
  const auto changed_fails = [&](const auto& change) {
    return failed_step(chain, changed(chain, file, change));
  };
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(changed_fails([i](Evidence& e) {
            auto& entries = window_of(e).entries;
            entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
          }) == kWindowStep);
    CHECK(changed_fails([i](Evidence& e) {
            auto& entries = window_of(e).entries;
            const LogEntry twice = entries[i];
            entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(i), twice);
          }) == kWindowStep);
    CHECK(changed_fails([i](Evidence& e) { window_of(e).entries[i].operation += 1; }) ==
          kWindowStep);
    CHECK(changed_fails([i](Evidence& e) { ++window_of(e).entries[i].time; }) == kWindowStep);
    CHECK(changed_fails([i](Evidence& e) { window_of(e).entries[i].line = 3; }) == kWindowStep);
  }
  CHECK(changed_fails([](Evidence& e) {
          std::swap(window_of(e).entries[1], window_of(e).entries[2]);
        }) == kWindowStep);
  CHECK(changed_fails([](Evidence& e) {
          auto& window = window_of(e);
          window.entries.erase(window.entries.begin());
          window.first_index += 1;
        }) == kWindowStep);
  CHECK(changed_fails([](Evidence& e) {
          auto& window = window_of(e);
          window.frontier.count -= 1;
          window.frontier.peaks.pop_back();
          window.entries.pop_back();
        }) == kWindowStep);
  CHECK(changed_fails([](Evidence& e) {
          window_of(e) = LogWindowProof{};
          leaves_of(e).clear();
        }) == kWindowStep);
}

TEST_CASE("evidence: the operations are bound to their entries, each once and no other",
          "[evidence]") {
  const SevenEntries chain;
  const std::string file = chain.window(15, 45);
  const auto changed_fails = [&](const auto& change) {
    return failed_step(chain, changed(chain, file, change));
  };
  CHECK(changed_fails([](Evidence& e) { leaves_of(e).pop_back(); }) == kOperationsStep);
  CHECK(changed_fails([](Evidence& e) { leaves_of(e).push_back(leaves_of(e).back()); }) ==
        kOperationsStep);
  CHECK(changed_fails([](Evidence& e) { std::swap(leaves_of(e)[0], leaves_of(e)[1]); }) ==
        kOperationsStep);
  CHECK(changed_fails([](Evidence& e) { leaves_of(e)[0].sender.bytes[5] ^= 1; }) ==
        kOperationsStep);
  CHECK(changed_fails([](Evidence& e) { leaves_of(e)[0].operation.back() ^= 1; }) ==
        kOperationsStep);
}

TEST_CASE("evidence: a window reaching beyond the header's time is neither made nor believed",
          "[evidence]") {
  const SevenEntries chain;
  const auto refused =
      make_log_evidence(*chain.chain, kLog, TimeMs{0}, TimeMs{kCreatedMs + 61}, fake_reader());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::not_certified);
  const std::string stretched = changed(chain, chain.window(0, 60), [](Evidence& e) {
    std::get<LogWindowQuestion>(e.question).to = TimeMs{kCreatedMs + 61};
  });
  CHECK(failed_step(chain, stretched) == kWindowStep);
  const auto backwards = make_log_evidence(*chain.chain, kLog, TimeMs{5}, TimeMs{4}, fake_reader());
  REQUIRE_FALSE(backwards.has_value());
  CHECK(backwards.error().code == Errc::bad_argument);
}

TEST_CASE("evidence: lines of one batched operation share its leaf and show their own facts",
          "[evidence]") {
  EvidenceChain chain;
  BlockBuilder builder(*chain.chain, TimeMs{kCreatedMs + 1});
  const std::uint32_t leaf = builder.add_transaction(1);
  for (std::uint16_t line = 0; line < 3; ++line) builder.append_to(kLog, leaf, line);
  chain.append_block(builder.take());
  chain.append_block(kLog, kCreatedMs + 2, 0);
  chain.certify_newest();
  const auto file =
      make_log_evidence(*chain.chain, kLog, TimeMs{0}, TimeMs{kCreatedMs + 2}, fake_reader());
  REQUIRE(file.has_value());
  const Verification verification = verify(chain, *file);
  REQUIRE(verification.ok);
  REQUIRE(verification.facts.size() == 3);
  const auto values_of = [&](std::size_t group, std::string_view name) {
    std::string out;
    for (const Fact& fact : verification.facts[group].facts) {
      if (fact.name == name) out += fact.value + ";";
    }
    return out;
  };
  CHECK(values_of(0, "of_line") == "0;");
  CHECK(values_of(1, "of_line") == "1;");
  CHECK(values_of(2, "of_line").empty());
  CHECK(values_of(2, "line") == "2;");
  CHECK(parse_evidence(*file).has_value());
  auto parsed = parse_evidence(*file);
  CHECK(leaves_of(*parsed).size() == 1);
}

TEST_CASE("evidence: every operation of a block is proved, whatever its place", "[evidence]") {
  EvidenceChain chain;
  for (std::size_t operations = 1; operations <= 9; ++operations) {
    const Header header = chain.append_block(kLog, kCreatedMs + operations, operations);
    chain.certify_newest();
    for (std::uint32_t i = 0; i < operations; ++i) {
      const auto file = make_operation_evidence(*chain.chain, header.height, i, fake_reader());
      REQUIRE(file.has_value());
      const Verification verification = verify(chain, *file);
      REQUIRE(verification.ok);
      CHECK(std::get<OperationQuestion>(verification.question).op_index == i);
      REQUIRE(verification.facts.size() == 1);
      CHECK(verification.facts[0].facts.size() == 11);
    }
  }
  const auto missing = make_operation_evidence(*chain.chain, Height{3}, 3, fake_reader());
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Errc::not_found);
  CHECK_FALSE(make_operation_evidence(*chain.chain, Height{99}, 0, fake_reader()).has_value());
}

TEST_CASE("evidence: a rejected operation and a transaction rejected as a whole are said so",
          "[evidence]") {
  EvidenceChain chain;
  BlockBuilder builder(*chain.chain, TimeMs{kCreatedMs + 1});
  const std::uint32_t whole = builder.add_rejected_transaction();
  const Bytes transaction = builder.block().transactions.front();
  const std::uint32_t rejected = builder.add_copy(transaction, ReceiptStatus::rejected);
  chain.append_block(builder.take());
  chain.certify_newest();
  const auto text_of = [&](std::uint32_t leaf) {
    const auto file = make_operation_evidence(*chain.chain, Height{1}, leaf, fake_reader());
    REQUIRE(file.has_value());
    const Verification verification = verify(chain, *file);
    REQUIRE(verification.ok);
    return std::pair(verification.words[0].text, verification.words[2].text);
  };
  CHECK(text_of(whole) == std::pair<std::uint16_t, std::uint16_t>(3, 24));
  CHECK(text_of(rejected) == std::pair<std::uint16_t, std::uint16_t>(2, 23));
}

TEST_CASE("evidence: an operation is bound to its question, its path and its block", "[evidence]") {
  const SevenEntries chain;
  const std::string file = chain.operation(2, 1);
  const std::string step = "the operation is under the operations root";
  REQUIRE(verify(chain, file).ok);
  const auto changed_fails = [&](const auto& change) {
    return failed_step(chain, changed(chain, file, change));
  };
  const auto proofs = [](Evidence& e) -> OperationProofs& {
    return std::get<OperationProofs>(e.proofs);
  };
  CHECK(changed_fails([](Evidence& e) { std::get<OperationQuestion>(e.question).op_index = 2; }) ==
        step);
  CHECK(changed_fails([&](Evidence& e) { proofs(e).path[0].side = Side::right; }) == step);
  CHECK(changed_fails([&](Evidence& e) { proofs(e).path.pop_back(); }) == step);
  CHECK(changed_fails([&](Evidence& e) { proofs(e).path.push_back({}); }) == step);
  CHECK(changed_fails([&](Evidence& e) { proofs(e).leaf.receipt.back() ^= 1; }) == step);
  CHECK(changed_fails([&](Evidence& e) {
          proofs(e).leaf.op_index = 2;
          std::get<OperationQuestion>(e.question).op_index = 2;
        }) == step);
}

TEST_CASE("evidence: a state value and its absence are proved, another value is not",
          "[evidence]") {
  const SevenEntries chain;
  const std::string present = chain.state("member/a");
  const std::string absent = chain.state("member/c");
  const Verification verification = verify(chain, present);
  REQUIRE(verification.ok);
  CHECK(verification.words.back().text == 25);
  CHECK(verify(chain, absent).words.back().text == 26);
  const std::string step = "the value is under the state root";
  CHECK(failed_step(chain, changed(chain, present, [](Evidence& e) {
                      std::get<StateProofs>(e.proofs).value->push_back('!');
                    })) == step);
  CHECK(failed_step(chain, changed(chain, present, [](Evidence& e) {
                      std::get<StateProofs>(e.proofs).value.reset();
                    })) == step);
  CHECK(failed_step(chain, changed(chain, absent, [](Evidence& e) {
                      std::get<StateQuestion>(e.question).key = to_bytes("member/a");
                    })) == step);
  CHECK_FALSE(make_state_evidence(*chain.chain, {}).has_value());
  CHECK_FALSE(make_state_evidence(*chain.chain, Bytes(201, 'k')).has_value());
}

TEST_CASE("evidence: 1,000 bit flips in a log evidence all fail", "[evidence]") {
  const SevenEntries chain;
  check_every_flip_fails(chain, chain.window(15, 45), 1);
}

TEST_CASE("evidence: 1,000 bit flips in an operation evidence all fail", "[evidence]") {
  const SevenEntries chain;
  check_every_flip_fails(chain, chain.operation(2, 1), 2);
}

TEST_CASE("evidence: 1,000 bit flips in a state evidence all fail", "[evidence]") {
  const SevenEntries chain;
  check_every_flip_fails(chain, chain.state("member/a"), 3);
  check_every_flip_fails(chain, chain.state("member/c"), 4);
}

TEST_CASE("evidence: every bit of every tenth byte counts, also with a history proof",
          "[evidence]") {
  EvidenceChain chain;
  const Header header = chain.append_block(kLog, kCreatedMs + 1, 3);
  for (std::uint64_t i = 2; i < 7; ++i) chain.append_block(kLog, kCreatedMs + i, 1);
  chain.certify_newest();
  const auto file = make_operation_evidence(*chain.chain, header.height, 2, fake_reader());
  REQUIRE(file.has_value());
  REQUIRE(verify(chain, *file).ok);
  std::size_t passed = 0;
  for (std::size_t at = 0; at < file->size(); at += 10) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = *file;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      if (verify(chain, flipped).ok) ++passed;
    }
  }
  CHECK(passed == 0);
}

TEST_CASE("evidence: a cut, extended or differently laid out file fails", "[evidence]") {
  const SevenEntries chain;
  const std::string file = chain.state("member/a");
  for (std::size_t cut = 0; cut < file.size(); cut += 37) {
    CHECK_FALSE(verify(chain, std::string_view(file).substr(0, cut)).ok);
  }
  CHECK(failed_step(chain, file.substr(0, file.size() - 1)) == kCanonicalStep);
  CHECK(failed_step(chain, file + "\n") == kCanonicalStep);
  CHECK(failed_step(chain, " " + file) == kCanonicalStep);
  CHECK(failed_step(chain, file + "{}") == kReadStep);
  std::string wide = file;
  wide.insert(wide.find("\n \"") + 1, " ");
  CHECK(failed_step(chain, wide) == kCanonicalStep);
  std::string number = file;
  number.replace(number.find("\"texts\": 1"), 10, "\"texts\": 1.0");
  CHECK_FALSE(verify(chain, number).ok);
  std::string doubled = file;
  doubled.insert(doubled.find("\n \"texts\"") + 1, " \"texts\": 1,\n");
  CHECK(failed_step(chain, doubled) == kReadStep);
}

TEST_CASE("evidence: another genesis fails, by name or by keys", "[evidence]") {
  const SevenEntries chain;
  const std::string file = chain.window(0, 60);
  const std::string step = "the file is of the chain of this genesis";
  Genesis renamed = chain.network.genesis;
  renamed.name = "test network 2";
  const Verification other =
      verify_evidence(file, renamed, crypto::ed25519_verifier(), fake_reader());
  REQUIRE_FALSE(other.ok);
  CHECK(other.failure()->what == step);
  const Verification simulated =
      verify_evidence(file, make_genesis(), crypto::ed25519_verifier(), fake_reader());
  REQUIRE_FALSE(simulated.ok);
  CHECK(simulated.failure()->what == step);
  CHECK(simulated.failure()->detail.find("simulator") != std::string::npos);
  const Verification nothing =
      verify_evidence(file, Genesis{}, crypto::ed25519_verifier(), fake_reader());
  REQUIRE_FALSE(nothing.ok);
  CHECK(nothing.failure()->what == step);
  // The forger's own chain under the real chain's id: the validators are not those of the genesis.
  CHECK(failed_step(chain, changed(chain, file, [](Evidence& e) {
                      e.header.validators_hash.bytes[0] ^= 1;
                    })) == "the certified header is of this chain and epoch");
}

TEST_CASE("evidence: too few, foreign, repeated or misplaced signatures fail", "[evidence]") {
  const SevenEntries chain;
  const std::string file = chain.window(0, 60);
  const auto changed_fails = [&](const auto& change) {
    return failed_step(chain, changed(chain, file, change));
  };
  CHECK(changed_fails([](Evidence& e) { e.certificate.signatures.pop_back(); }) ==
        kCertificateStep);
  CHECK(changed_fails([](Evidence& e) { e.certificate.signatures.clear(); }) == kCertificateStep);
  CHECK(changed_fails([](Evidence& e) { e.certificate.signatures[2].validator = 3; }) ==
        kCertificateStep);
  CHECK(changed_fails([](Evidence& e) { e.certificate.signatures[2].validator = 200; }) ==
        kCertificateStep);
  CHECK(changed_fails([](Evidence& e) { e.certificate.vote.header_hash.bytes[0] ^= 1; }) ==
        kCertificateStep);
  CHECK(changed_fails([](Evidence& e) { e.certificate.signatures[1].signature.bytes[63] ^= 1; }) ==
        kCertificateStep);
  CHECK(changed_fails([&](Evidence& e) {
          e.header.timestamp = e.header.timestamp + 1;
          e.certificate = certify(chain.network, e.header, 2);
        }) == kCertificateStep);
  // A signer twice is not even a set.
  CHECK(changed_fails([](Evidence& e) {
          e.certificate.signatures[1] = e.certificate.signatures[0];
        }) == kReadStep);
}

TEST_CASE("evidence: false words above true proofs fail", "[evidence]") {
  const SevenEntries chain;
  const std::string file = chain.window(0, 60);
  const auto rewritten = [&](const auto& change) {
    auto evidence = parse_evidence(file);
    REQUIRE(evidence.has_value());
    change(*evidence);
    return failed_step(chain, evidence_text(*evidence));
  };
  CHECK(rewritten([](Evidence& e) { e.words[2].en = "Answer: exactly 6 entries."; }) == kWordsStep);
  CHECK(rewritten([](Evidence& e) { e.words[2].zh += "。"; }) == kWordsStep);
  CHECK(rewritten([](Evidence& e) { e.words.pop_back(); }) == kWordsStep);
  CHECK(rewritten([](Evidence& e) { e.words[0].text = 2; }) == kWordsStep);
  CHECK(rewritten([](Evidence& e) { e.limits.pop_back(); }) == kWordsStep);
  CHECK(rewritten([](Evidence& e) { e.facts[3].facts[2].value = "0"; }) == kFactsStep);
  CHECK(rewritten([](Evidence& e) {
          for (Fact& fact : e.facts[3].facts) {
            if (fact.label == Label::stated) fact.label = Label::enforced;
          }
        }) == kFactsStep);
  CHECK(rewritten([](Evidence& e) { e.facts[0].facts.pop_back(); }) == kFactsStep);
  CHECK(rewritten([](Evidence& e) { e.texts = 2; }) == kReadStep);
  // A question moved to where no entry stands between has true proofs, but not these words.
  CHECK(rewritten([](Evidence& e) { std::get<LogWindowQuestion>(e.question).from = TimeMs{1}; }) ==
        kWordsStep);
}

TEST_CASE("evidence: a reader of other facts does not verify the file", "[evidence]") {
  const SevenEntries chain;
  const Verification verification = verify_evidence(chain.window(0, 60), chain.network.genesis,
                                                    crypto::ed25519_verifier(), no_facts());
  REQUIRE_FALSE(verification.ok);
  CHECK(verification.failure()->what == kFactsStep);
}

TEST_CASE("evidence: a reader cannot put lines, control bytes or wrong names into a file",
          "[evidence]") {
  const SevenEntries chain;
  const auto make = [&](const Fact& fact) {
    const FactReader reader = [&](const OperationLeaf&) -> Result<std::vector<Fact>> {
      return std::vector<Fact>{fact};
    };
    return make_operation_evidence(*chain.chain, Height{6}, 0, reader);
  };
  CHECK(make({.name = "a", .value = "好", .label = Label::stated, .by = "b"}).has_value());
  for (const Fact& fact :
       {Fact{.name = "", .value = "v"}, Fact{.name = "A", .value = "v"},
        Fact{.name = "a", .value = "two\nlines"}, Fact{.name = "a", .value = "\x7f"},
        Fact{.name = "a", .value = "\xff"}, Fact{.name = "a", .value = std::string(2049, 'x')},
        Fact{.name = "a", .value = "v", .label = Label::stated, .by = "x\r"},
        Fact{.name = "a", .value = "v", .label = static_cast<Label>(0)}}) {
    const auto file = make(fact);
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().code == Errc::evidence_invalid);
  }
}

TEST_CASE("evidence: what somebody stated cannot look like further facts in the words",
          "[evidence]") {
  const SevenEntries chain;
  const FactReader reader = [](const OperationLeaf&) -> Result<std::vector<Fact>> {
    return std::vector<Fact>{{.name = "note",
                              .value = "x [enforced]; payout: \"1\\2\" [enforced]",
                              .label = Label::stated,
                              .by = "B]"}};
  };
  const auto file = make_operation_evidence(*chain.chain, Height{6}, 0, reader);
  REQUIRE(file.has_value());
  const std::string words = parse_evidence(*file)->words.back().en;
  const std::string tail =
      R"(note: "x [enforced]; payout: \"1\\2\" [enforced]" [stated by "B]", unchecked].)";
  CHECK(words.ends_with(tail));
}

TEST_CASE("evidence: a draft waits for its certificate or takes a later one", "[evidence]") {
  EvidenceChain chain;
  chain.append_block(kLog, kCreatedMs + 10, 2);
  const auto draft =
      draft_log_evidence(*chain.chain, kLog, TimeMs{0}, TimeMs{kCreatedMs + 10}, fake_reader());
  REQUIRE(draft.has_value());
  CHECK(draft->at() == Height{1});
  const auto early = finish_evidence(*chain.chain, *draft);
  REQUIRE_FALSE(early.has_value());
  CHECK(early.error().code == Errc::not_certified);
  for (std::uint64_t i = 2; i < 9; ++i) chain.append_block(kLog, kCreatedMs + 10 + i, 1);
  chain.certify_height(Height{7});
  const auto later = finish_evidence(*chain.chain, *draft);
  REQUIRE(later.has_value());
  const Verification verification = verify(chain, *later);
  REQUIRE(verification.ok);
  CHECK(verification.words[2].text == 12);
  chain.certify_height(Height{1});
  const auto own = finish_evidence(*chain.chain, *draft);
  REQUIRE(own.has_value());
  CHECK(verify(chain, *own).ok);
  CHECK_FALSE(parse_evidence(*own)->certified_header.has_value());
}

TEST_CASE("evidence: block 0 is proved through the history of a certified block", "[evidence]") {
  EvidenceChain chain;
  const auto draft = draft_state_evidence(*chain.chain, as_bytes("member/b"));
  REQUIRE(draft.has_value());
  chain.append_block(kLog, kCreatedMs + 5, 1);
  chain.certify_newest();
  const auto file = finish_evidence(*chain.chain, *draft);
  REQUIRE(file.has_value());
  CHECK(verify(chain, *file).ok);
}

TEST_CASE("evidence: the history links the proof's header at its own height only", "[evidence]") {
  EvidenceChain chain;
  chain.append_block(kLog, kCreatedMs + 1, 1);
  for (std::uint64_t i = 2; i < 6; ++i) chain.append_block(kLog, kCreatedMs + i, 1);
  chain.certify_newest();
  const auto file = make_operation_evidence(*chain.chain, Height{1}, 0, fake_reader());
  REQUIRE(file.has_value());
  const std::string step = "the proof's header belongs to the certified history";
  const auto changed_fails = [&](const auto& change) {
    return failed_step(chain, changed(chain, *file, change));
  };
  CHECK(changed_fails([](Evidence& e) { e.header.height = Height{2}; }) == step);
  CHECK(changed_fails([](Evidence& e) { e.header.height = Height{500}; }) == step);
  CHECK(changed_fails([](Evidence& e) { e.header.operations_root.bytes[0] ^= 1; }) == step);
  CHECK(changed_fails([](Evidence& e) { e.history.pop_back(); }) == step);
  CHECK(changed_fails([](Evidence& e) {
          e.header = *e.certified_header;
          e.certified_header.reset();
        }) == step);
  CHECK(changed_fails([](Evidence& e) {
          e.certified_header.reset();
          e.history.clear();
        }) == kCertificateStep);
}

TEST_CASE("evidence: under Raft a majority certifies, and the limits say what that is worth",
          "[evidence]") {
  const auto made = [](crypto::ConsensusKind kind, std::size_t signers) {
    EvidenceChain chain(kind);
    chain.append_block(log_of(kReads, 7), kCreatedMs + 1000, 2);
    chain.certify_height(chain.chain->height(), signers);
    const auto text = make_operation_evidence(*chain.chain, Height{1}, 0, fake_reader());
    REQUIRE(text.has_value());
    return std::pair{*text, chain.network.genesis};
  };
  const auto judged = [](const std::pair<std::string, Genesis>& file) {
    return verify_evidence(file.first, file.second, crypto::ed25519_verifier(), fake_reader());
  };
  const Verification three = judged(made(crypto::ConsensusKind::raft, 3));
  REQUIRE(three.ok);
  CHECK(judged(made(crypto::ConsensusKind::raft, 5)).ok);
  const Verification two = judged(made(crypto::ConsensusKind::raft, 2));
  REQUIRE_FALSE(two.ok);
  CHECK(two.failure()->what == kCertificateStep);

  const auto& words = three.words;
  const auto chain_words =
      std::find_if(words.begin(), words.end(), [](const Sentence& one) { return one.text == 11; });
  REQUIRE(chain_words != words.end());
  CHECK(chain_words->en.find("3 of 5 nodes attested") != std::string::npos);
  CHECK(chain_words->en.find("3, a majority, are needed") != std::string::npos);
  const auto& limits = three.limits;
  const auto limit = std::find_if(limits.begin(), limits.end(),
                                  [](const Sentence& one) { return one.text == 69; });
  REQUIRE(limit != limits.end());
  CHECK(limit->en.find("a dishonest leader or majority can lie") != std::string::npos);
  CHECK(std::none_of(limits.begin(), limits.end(),
                     [](const Sentence& one) { return one.text == 68; }));

  // The same file with a genesis that claims PBFT is of another chain; a header that claims it is
  // not of its epoch.
  auto [text, genesis] = made(crypto::ConsensusKind::raft, 5);
  genesis.epoch.consensus_kind = crypto::ConsensusKind::pbft;
  CHECK_FALSE(judged({text, genesis}).ok);
}

TEST_CASE("evidence: the trail of validators leads to the epoch of the certificate", "[evidence]") {
  // Two headers made by hand: the last of epoch 0, which names epoch 1, and one of epoch 1.
  SignedNetwork network = make_signed_network();
  const ChainId chain_id = chain_id_of(network.genesis);
  StateTree tree;
  const auto signer = ed25519_signer(5000);
  crypto::EpochRecord next = network.genesis.epoch;
  next.epoch = Epoch{1};
  next.first_height = Height{11};
  next.validators = {signer->public_key()};
  Header last;
  last.chain_id = chain_id;
  last.height = Height{10};
  last.epoch_last_height = Height{10};
  last.validators_hash = crypto::validators_hash(network.genesis.epoch);
  last.next_validators_hash = crypto::validators_hash(next);
  Header header = last;
  header.epoch = Epoch{1};
  header.height = Height{12};
  header.epoch_last_height = Height{0};
  header.validators_hash = last.next_validators_hash;
  header.next_validators_hash = Hash{};
  header.state_root = tree.root();
  SignedNetwork next_network{.genesis = network.genesis, .validators = {}};
  next_network.validators.push_back(ed25519_signer(5000));

  Evidence evidence;
  evidence.chain_id = chain_id;
  evidence.question = StateQuestion{.key = to_bytes("x")};
  evidence.proofs = StateProofs{.value = std::nullopt, .state = tree.prove(as_bytes("x"))};
  evidence.header = header;
  evidence.certificate = certify(next_network, header, 1);
  evidence.trail = {{.header = last, .certificate = certify(network, last, 3), .next = next}};
  const auto judge = [&](Evidence e) {
    e.words = evidence_words(e, network.genesis);
    e.limits = evidence_limits(e, network.genesis);
    const Verification v = verify_evidence(evidence_text(e), network.genesis,
                                           crypto::ed25519_verifier(), fake_reader());
    return v.ok ? std::string("ok") : v.failure()->what;
  };
  const std::string step = "the validators follow from the genesis";
  CHECK(judge(evidence) == "ok");
  const auto limits_of = [&](const Evidence& e) {
    std::vector<std::uint16_t> numbers;
    for (const Sentence& limit : evidence_limits(e, network.genesis)) numbers.push_back(limit.text);
    return numbers;
  };
  CHECK(limits_of(evidence).back() == 72);
  Evidence longer = evidence;
  longer.trail.push_back(longer.trail.front());
  longer.trail.back().next.consensus_kind = crypto::ConsensusKind::raft;
  CHECK(limits_of(longer).back() == 72);  // the last epoch's own kind is said by 69
  std::swap(longer.trail[0], longer.trail[1]);
  CHECK(limits_of(longer).back() == 73);
  const auto announce = [&](Evidence e, const crypto::EpochRecord& record) {
    e.trail[0].next = record;
    e.trail[0].header.next_validators_hash = crypto::validators_hash(record);
    e.trail[0].certificate = certify(network, e.trail[0].header, 3);
    return e;
  };
  crypto::EpochRecord toy = next;
  toy.validators.push_back(crypto::make_toy_signer(1)->public_key());
  CHECK(judge(announce(evidence, toy)) == step);
  Evidence half = evidence;  // an end without the validators that follow it
  half.trail[0].header.next_validators_hash = Hash{};
  half.trail[0].certificate = certify(network, half.trail[0].header, 3);
  CHECK(judge(half) == step);
  Evidence other_half = evidence;
  other_half.header.next_validators_hash = last.next_validators_hash;
  other_half.certificate = certify(next_network, other_half.header, 1);
  CHECK(judge(other_half) == "the certified header is of this chain and epoch");
  Evidence without = evidence;
  without.trail.clear();
  CHECK(judge(without) == "the certified header is of this chain and epoch");
  Evidence weak = evidence;
  weak.trail[0].certificate.signatures.pop_back();
  CHECK(judge(weak) == step);
  Evidence foreign = evidence;
  foreign.trail[0].next.validators = {ed25519_signer(5001)->public_key()};
  CHECK(judge(foreign) == step);
  Evidence early = evidence;
  early.trail[0].header.epoch_last_height = Height{20};
  early.trail[0].certificate = certify(network, early.trail[0].header, 3);
  CHECK(judge(early) == step);
  Evidence overtime = evidence;  // epoch 0's validators sign above their last height
  overtime.trail.clear();
  overtime.header = last;
  overtime.header.height = Height{11};
  overtime.certificate = certify(network, overtime.header, 4);
  CHECK(judge(overtime) == "the certified header is of this chain and epoch");
}

TEST_CASE("evidence: hostile inputs are refused without harm", "[evidence]") {
  const SevenEntries chain;
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
        std::string("{\"format\":\"baolian-evidence\"}"),
        std::string("{\"format\":1,\"version\":1}"), std::string(100'000, '['),
        std::string(100'000, '{'), std::string(1000, '\xff'), std::string("\"\\ud800\""),
        std::string(1'000'000, ' ')}) {
    CHECK(failed_step(chain, text) == kReadStep);
  }
  std::string deep = "{\"a\":";
  for (int i = 0; i < 60'000; ++i) deep += "[";
  CHECK(failed_step(chain, deep) == kReadStep);
}

TEST_CASE("evidence: civil times are those of the calendar", "[evidence]") {
  CHECK(civil_time(TimeMs{0}, 0) == "1970-01-01T00:00:00.000+00:00");
  CHECK(civil_time(TimeMs{0}, 480) == "1970-01-01T08:00:00.000+08:00");
  CHECK(civil_time(TimeMs{0}, -330) == "1969-12-31T18:30:00.000-05:30");
  CHECK(civil_time(TimeMs{951827696789}, 0) == "2000-02-29T12:34:56.789+00:00");
  CHECK(civil_time(TimeMs{1709164800000}, 0) == "2024-02-29T00:00:00.000+00:00");
  CHECK(civil_time(TimeMs{4107542400000}, 0) == "2100-03-01T00:00:00.000+00:00");
  CHECK(civil_time(TimeMs{253370764799999}, 480) == "9999-01-01T07:59:59.999+08:00");
  CHECK(civil_time(TimeMs{253370764800000}, 480) == "253370764800000 ms");
  CHECK(civil_time(TimeMs{UINT64_MAX}, 480) == "18446744073709551615 ms");
}

TEST_CASE("genesis: the JSON form leads back to the same chain id", "[evidence][json]") {
  const SignedNetwork network = make_signed_network();
  const std::string text = genesis_to_json(network.genesis);
  const auto back = genesis_from_json(text);
  REQUIRE(back.has_value());
  CHECK(*back == network.genesis);
  CHECK(chain_id_of(*back) == chain_id_of(network.genesis));
  std::string unknown = text;
  unknown.insert(unknown.find("\"currency\""), "\"colour\": 1, ");
  const auto refused = genesis_from_json(unknown);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().context.find("colour") != std::string::npos);
  CHECK_FALSE(genesis_from_json("\xEF\xBB\xBF" + text).has_value());
  const std::string kind = "\"consensus_kind\": \"pbft\"";
  const auto with_kind = [&](const std::string& name) {
    std::string other = text;
    other.replace(other.find(kind), kind.size(), "\"consensus_kind\": \"" + name + "\"");
    return other;
  };
  const auto raft = genesis_from_json(with_kind("raft"));
  REQUIRE(raft.has_value());
  CHECK(raft->epoch.consensus_kind == crypto::ConsensusKind::raft);
  CHECK(genesis_to_json(*raft) == with_kind("raft"));
  CHECK(chain_id_of(*raft) != chain_id_of(network.genesis));
  for (const char* name : {"", "Raft", "paxos"}) {
    const auto other = genesis_from_json(with_kind(name));
    REQUIRE_FALSE(other.has_value());
    CHECK(other.error().context.find("epoch.consensus_kind") != std::string::npos);
    CHECK(other.error().context.find("pbft, raft") != std::string::npos);
  }
  for (const char* zero : {"-0", "-0.0", "0.0", "00", "+0"}) {
    std::string odd = text;
    const std::string digits = "\"subject_id_scheme\": ";
    odd.replace(odd.find(digits) + digits.size(), 1, zero);
    CHECK_FALSE(genesis_from_json(odd).has_value());
  }
  std::string twice = text;
  twice.insert(twice.find("\"currency\""), "\"currency\": \"USD\", ");
  CHECK_FALSE(genesis_from_json(twice).has_value());
  std::string invalid = text;
  invalid.replace(invalid.find("\"CNY\""), 5, "\"cny\"");
  const auto judged = genesis_from_json(invalid);
  REQUIRE_FALSE(judged.has_value());
  CHECK(judged.error().code == Errc::genesis_invalid);
}
