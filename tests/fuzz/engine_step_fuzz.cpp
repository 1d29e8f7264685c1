/// Engine::step() under any sequence of messages of F faulty validators, any order of delivery,
/// loss, durability and execution, and crashes of correct nodes. What must hold is asserted in
/// correct_nodes.h and witness.h.
///
/// The first bytes are the setting, then every action is one byte and its own choices. In one
/// setting of four a change of validators is fixed early, so that the epoch ends. One in eight ends
/// with the liveness phase: the liar falls silent, everybody else is up and connected, and a new
/// transaction must be executed and certified everywhere.
#include <cstdio>
#include <cstdlib>

#include "fuzz/correct_nodes.h"
#include "fuzz/input_bytes.h"
#include "fuzz/liar.h"

namespace baolian::fuzz {
namespace {

constexpr std::size_t kActionsMax = 400;
constexpr std::size_t kStepsMax = 30'000;
constexpr std::uint64_t kTickMs = 50;
constexpr std::uint64_t kLivenessMsMax = 300'000;

void pass(CorrectNodes& nodes, std::uint64_t milliseconds) {
  for (std::uint64_t t = 0; t < milliseconds; t += kTickMs) {
    nodes.tick(kTickMs);
    nodes.run();
  }
}

void admit_everywhere(CorrectNodes& nodes, std::uint64_t number) {
  const auto body = make_transaction(number, true);
  for (std::size_t i = 0; i + 1 < kValidators; ++i) nodes.admit(nodes.correct(i), body);
}

void act(CorrectNodes& nodes, Liar& liar, InputBytes& in, std::uint64_t& next_transaction) {
  constexpr std::array<std::uint64_t, 8> kTimes{10, 50, 100, 250, 500, 1000, 2000, 5000};
  switch (in.pick(32)) {
    case 0:
    case 1:
      return nodes.run();
    case 2:
      return nodes.tick(kTimes[in.pick(6)]);
    case 3:
      return pass(nodes, kTimes[in.pick(8)]);
    case 4:
      return nodes.deliver(in.byte());
    case 5:
      return nodes.drop(in.byte());
    case 6:
      nodes.persist_one(nodes.correct(in.byte()));
      return;
    case 7:
      nodes.execute_one(nodes.correct(in.byte()));
      return;
    case 8:
      nodes.answer_one(nodes.correct(in.byte()));
      return;
    case 9:
    case 10:
      admit_everywhere(nodes, ++next_transaction);
      return nodes.propose(1 + in.pick(4));
    case 11:
      return nodes.admit(nodes.correct(in.byte()), make_transaction(++next_transaction, true));
    case 12: {
      const ReplicaId i = nodes.correct(in.byte());
      return nodes.crash(i,
                         Height{nodes.node(i).height().value -
                                std::min<std::uint64_t>(in.pick(8), nodes.node(i).height().value)});
    }
    case 13:
      return nodes.start(nodes.correct(in.byte()));
    case 14:
      return nodes.flush(nodes.correct(in.byte()));
    case 15:
      return nodes.install_state(nodes.correct(in.byte()));
    case 16: {
      CorrectNode& node = nodes.node(nodes.correct(in.byte()));
      node.is_cut = !node.is_cut;
      return;
    }
    case 17:
      return nodes.hold(static_cast<std::uint16_t>(in.word() & 0x7FE));
    case 18:
      return nodes.heal();
    default:
      return liar.act(in);
  }
}

/// The transaction is executed and certified everywhere; where a change of validators is fixed, the
/// epoch has ended everywhere.
bool is_done(CorrectNodes& nodes, const TxHash& last) {
  bool is_ending = false;
  std::size_t ended = 0;
  for (std::size_t i = 0; i + 1 < kValidators; ++i) {
    const CorrectNode& node = nodes.node(nodes.correct(i));
    is_ending = is_ending || nodes.is_ending(node);
    ended += node.ended.has_value() ? 1U : 0U;
  }
  if (is_ending) return ended + 1 == kValidators;
  const Height height = nodes.node(nodes.correct(0)).height();
  for (std::size_t i = 0; i + 1 < kValidators; ++i) {
    const CorrectNode& node = nodes.node(nodes.correct(i));
    if (node.waiting.contains(last) || node.last.certified != height) return false;
    if (node.height() != height || !node.last.active) return false;
  }
  return true;
}

void check_liveness(CorrectNodes& nodes, std::uint64_t transaction) {
  nodes.heal();
  nodes.run();
  admit_everywhere(nodes, transaction);
  const TxHash last = transaction_hash(*make_transaction(transaction, true));
  for (std::uint64_t t = 0; t < kLivenessMsMax; t += kTickMs) {
    if (is_done(nodes, last)) return;
    pass(nodes, kTickMs);
    for (std::size_t i = 0; i < kValidators; ++i) {
      if (i != nodes.liar()) nodes.install_state(i);
    }
    nodes.propose(4);
  }
  violation("three correct nodes that hear each other do not make progress");
}

/// Sums over all inputs of this process.
consensus::ProbeCounts& probe_totals() {
  static consensus::ProbeCounts totals;
  static const bool prints =
      std::getenv("FUZZ_PROBES") != nullptr &&
      std::atexit([] {
        for (std::size_t i = 0;; ++i) {
          const auto probe = static_cast<consensus::Probe>(i);
          if (probe == consensus::Probe::kCount) return;
          std::printf("%s %llu\n", std::string(enum_name(probe)).c_str(),
                      static_cast<unsigned long long>(probe_totals()[probe]));
        }
      }) == 0;
  static_cast<void>(prints);
  return totals;
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian::fuzz;
  InputBytes in({data, size});
  const std::uint8_t setting = in.byte();
  // Validator 1 is always correct; who lies decides which views have a faulty primary.
  constexpr std::array<baolian::ValidatorIndex, 4> kLiars{0, 2, 3, 0};
  const std::uint16_t window = (setting & 4) != 0 ? 16 : 4;
  const baolian::Height change_at{setting / 64 == 3 ? 1ULL + in.pick(12) : 0ULL};
  CorrectNodes nodes(kLiars[setting % 4], window, static_cast<std::uint16_t>(window / 2),
                     change_at);
  Liar liar(nodes);
  std::uint64_t transactions = 0;
  for (std::size_t i = 0; i < kActionsMax && !in.is_empty() && nodes.steps() < kStepsMax; ++i) {
    act(nodes, liar, in, transactions);
  }
  if (setting / 8 % 8 == 7) check_liveness(nodes, transactions + 1);
  probe_totals().add(nodes.probes());
  return 0;
}
