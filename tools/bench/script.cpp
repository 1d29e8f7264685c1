#include "bench/script.h"

#include "contracts/operations.h"
#include "core/assert.h"

namespace baolian::bench {
namespace {

constexpr std::string_view kReadings = "readings";
constexpr std::string_view kExchanged = "exchanged";
constexpr std::string_view kMixed = "mixed";
constexpr std::uint64_t kMixedExchangedPercent = 5;

class ReadingScript final : public Script {
 public:
  ReadingScript(const Records& records, std::size_t hospital, std::size_t count)
      : records_(records), hospital_(hospital), count_(count) {}

  Step next(Prng& prng) override {
    Step step{.hospital = hospital_, .operations = {}, .is_last = true};
    step.operations.reserve(count_);
    for (std::size_t i = 0; i < count_; ++i) {
      step.operations.push_back(records_.read(hospital_, records_.draw(hospital_, prng), prng));
    }
    return step;
  }

 private:
  const Records& records_;
  std::size_t hospital_;
  std::size_t count_;
};

class ExchangeScript final : public Script {
 public:
  ExchangeScript(const Records& records, std::size_t reader, std::size_t count)
      : records_(records),
        reader_(reader),
        custodian_(records.custodian_for(reader)),
        drawn_(count) {}

  Step next(Prng& prng) override {
    Step step{.hospital = stage_ == Stage::release ? custodian_ : reader_,
              .operations = {},
              .is_last = stage_ == Stage::receive};
    step.operations.reserve(drawn_.size());
    for (Drawn& one : drawn_) step.operations.push_back(operation(one, prng));
    return step;
  }

  void certified(const TxId& tx_id) override {
    if (stage_ == Stage::request) {
      for (std::size_t i = 0; i < drawn_.size(); ++i) {
        drawn_[i].grant = contracts::id_cast<GrantId>(contracts::contract_id(
            contracts::OperationKind::records_request, tx_id, static_cast<std::uint16_t>(i), 0));
      }
    }
    stage_ = stage_ == Stage::request   ? Stage::release
             : stage_ == Stage::release ? Stage::receive
                                        : Stage::request;
  }

 private:
  enum class Stage : std::uint8_t { request, release, receive };
  struct Drawn {
    std::uint64_t record = 0;
    GrantId grant;
  };

  ledger::Operation operation(Drawn& one, Prng& prng) const {
    switch (stage_) {
      case Stage::request:
        one.record = records_.draw(custodian_, prng);
        return records_.request(reader_, one.record, prng);
      case Stage::release:
        return records_.release(one.grant, one.record, prng);
      case Stage::receive:
        return records_.receive(reader_, one.grant, one.record, prng);
    }
    ASSERT(false);
    return {};
  }

  const Records& records_;
  std::size_t reader_;
  std::size_t custodian_;
  std::vector<Drawn> drawn_;
  Stage stage_ = Stage::request;
};

/// Draws anew after each reading, or whole exchange.
class MixedScript final : public Script {
 public:
  MixedScript(const Records& records, std::size_t hospital, std::size_t count)
      : reading_(records, hospital, count), exchange_(records, hospital, count) {}

  Step next(Prng& prng) override {
    if (!is_exchanging_) is_exchanging_ = prng.below(100) < kMixedExchangedPercent;
    Step step = is_exchanging_ ? exchange_.next(prng) : reading_.next(prng);
    is_last_ = step.is_last;
    return step;
  }

  void certified(const TxId& tx_id) override {
    if (!is_exchanging_) return;
    exchange_.certified(tx_id);
    if (is_last_) is_exchanging_ = false;
  }

 private:
  ReadingScript reading_;
  ExchangeScript exchange_;
  bool is_exchanging_ = false;
  bool is_last_ = true;
};

}  // namespace

bool is_workload(const std::string& name) {
  return name == kReadings || name == kExchanged || name == kMixed;
}

bool needs_consents(const std::string& name) { return name == kExchanged || name == kMixed; }

std::unique_ptr<Script> make_script(const std::string& name, const Records& records,
                                    std::size_t hospital, std::size_t ops_per_tx) {
  if (name == kExchanged) return std::make_unique<ExchangeScript>(records, hospital, ops_per_tx);
  if (name == kMixed) return std::make_unique<MixedScript>(records, hospital, ops_per_tx);
  ASSERT(name == kReadings);
  return std::make_unique<ReadingScript>(records, hospital, ops_per_tx);
}

}  // namespace baolian::bench
