/// Recovery of the engine from any row of well-framed log records: a real log of a run with a view
/// change and a cut, of which records are lost, doubled, swapped and changed, or records made of
/// the input's bytes. No file may lead into an assertion. An engine that cannot read its log says
/// so with a Stop and never votes.
#include "fuzz/correct_nodes.h"
#include "fuzz/input_bytes.h"

namespace baolian::fuzz {
namespace {

using consensus::LogRecord;
using consensus::RecordType;

constexpr ValidatorIndex kSelf = 1;

struct Recovered {
  std::vector<LogRecord> log;
  std::vector<StoredBlock> store;
};

/// What validator 1 has on disk at some moment of a run whose first primary falls silent.
const std::vector<Recovered>& recorded() {
  static const std::vector<Recovered> moments = [] {
    std::vector<Recovered> out;
    CorrectNodes nodes(3, 4, 2);
    const auto take = [&] { out.push_back({nodes.node(kSelf).log, nodes.node(kSelf).store}); };
    for (std::uint64_t step = 1; step <= 12; ++step) {
      const auto body = make_transaction(step, true);
      for (std::size_t i = 0; i < 3; ++i) nodes.admit(i, body);
      nodes.propose(2);
      if (step == 3) nodes.hold(1U << static_cast<unsigned>(MessageKind::commit));
      if (step == 5) nodes.hold(0);
      if (step == 7) nodes.flush(kSelf);
      if (step % 2 == 0) nodes.run();
      // At step 5 the primary falls behind in silence: the others leave its view.
      if (step == 5) nodes.node(0).is_cut = true;
      for (int t = 0; t < (step == 5 ? 100 : 2); ++t) {
        nodes.tick(50);
        nodes.run();
        if (t % 10 == 0) take();
      }
      if (step == 9) nodes.node(0).is_cut = false;
      take();
    }
    return out;
  }();
  return moments;
}

RecordType pick_type(InputBytes& in) {
  return static_cast<RecordType>(1 + in.pick(enum_names(RecordType{}).size() - 1));
}

void change(InputBytes& in, std::vector<LogRecord>& log) {
  const auto at = log.begin() + static_cast<std::ptrdiff_t>(in.pick(log.size()));
  switch (in.pick(6)) {
    case 0:
      log.erase(at);
      break;
    case 1:
      log.insert(at, log[in.pick(log.size())]);
      break;
    case 2:
      std::swap(*at, log[in.pick(log.size())]);
      break;
    case 3:
      at->type = pick_type(in);
      break;
    case 4: {
      Bytes body = to_bytes(in.take(in.byte()));
      const auto type = pick_type(in);
      *at = {type, std::make_shared<const Bytes>(std::move(body))};
      break;
    }
    default: {
      Bytes body = *at->body;
      const std::size_t count = 1 + in.pick(4);
      for (std::size_t i = 0; i < count && !body.empty(); ++i) {
        body[in.word() % body.size()] ^= static_cast<std::uint8_t>(1 + in.pick(255));
      }
      at->body = std::make_shared<const Bytes>(std::move(body));
    }
  }
}

bool is_vote(const consensus::Send& send) {
  const auto kind = static_cast<MessageKind>((*send.bytes)[1]);
  return kind <= MessageKind::new_view;
}

void run_engine(const consensus::EngineConfig& config, const Recovered& from) {
  const auto engine =
      make_pbft_engine(config, fuzz_header_reader(), from.log, Height{from.store.size() - 1},
                       from.store.back().header_hash);
  bool stopped = false;
  for (std::uint64_t now = 1'000'000; now < 1'003'000; now += 500) {
    consensus::Effects effects;
    std::vector<PersistId> durable;
    static_cast<void>(engine->step(
        consensus::TickInput{Tick{now}, TimeMs{kWallOffset + now}, std::nullopt}, effects));
    engine->check_invariants();
    for (const consensus::Effect& effect : effects) {
      if (std::holds_alternative<consensus::Stop>(effect)) stopped = true;
      const auto* send = std::get_if<consensus::Send>(&effect);
      if (send != nullptr && stopped) ASSERT(!is_vote(*send));
      if (const auto* persist = std::get_if<consensus::Persist>(&effect)) {
        ASSERT(!stopped);
        durable.push_back(persist->id);
      }
    }
    for (const PersistId id : durable) {
      effects.clear();
      static_cast<void>(engine->step(consensus::PersistedInput{id}, effects));
      engine->check_invariants();
      for (const consensus::Effect& effect : effects) {
        stopped = stopped || std::holds_alternative<consensus::Stop>(effect);
      }
    }
  }
  ASSERT(engine->status().stopped == stopped);
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian::fuzz;
  InputBytes in({data, size});
  Recovered from = recorded()[in.pick(recorded().size())];
  // The store may stand anywhere; a shorter one than the log says is a lost disk.
  from.store.resize(1 + in.pick(from.store.size()));
  const std::size_t changes = in.pick(8);
  for (std::size_t i = 0; i < changes && !from.log.empty(); ++i) change(in, from.log);
  CorrectNodes nodes(3, 4, 2);
  run_engine(nodes.node(kSelf).config, from);
  return 0;
}
