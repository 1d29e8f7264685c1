/// The workload `paid`: discharges reported to the hospitals' nodes, each followed until its claim
/// is paid. An operation is a claim.
///
/// A client has one claim under way. It asks the hospital's node for the claim's story with
/// min_height, which answers when a further block is certified there: a claim counts as paid when
/// the client has seen claim_paid on the certified chain.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <vector>

#include "bench/enrolment.h"

namespace baolian::bench {

class Claims final : public ApiWork {
 public:
  Claims(const Settings& settings, std::vector<Insurer> insurers, std::vector<Holder> registrars,
         Persons persons)
      : settings_(settings),
        insurers_(std::move(insurers)),
        registrars_(std::move(registrars)),
        persons_(persons) {}

  Result<std::uint64_t> prepare() override;
  Result<void> run_client(Crew& crew, std::size_t number, Tally& tally) override;
  /// `stages`: milliseconds from when the discharge was due to the block time of each step, which
  /// is the primary's clock as it proposes: the block's certificate is not in them.
  void describe(nlohmann::json& report, std::uint64_t from_us, std::uint64_t to_us) const override;

 private:
  enum Stage : std::size_t { filed, opened, decided, paid, kStages };
  struct Story {
    std::uint64_t due_us = 0;
    std::array<double, kStages> stage_ms{};
  };
  /// A claim that is followed.
  struct Followed {
    std::uint64_t due_us = 0;
    double due_ms = 0;  ///< the same by the civil clock
    std::string target;
    std::uint64_t height = 0;  ///< of the report
  };
  std::optional<Followed> report(Crew& crew, Caller& caller, std::uint64_t due_us, Tally& tally);
  bool follow(Crew& crew, Caller& caller, const Followed& claim, const std::string& node,
              Tally& tally);
  void note(const Followed& claim, const nlohmann::json& entries);

  const Settings& settings_;
  std::vector<Insurer> insurers_;
  std::vector<Holder> registrars_;
  Persons persons_;
  std::atomic<std::uint64_t> next_stay_{0};
  mutable std::mutex mutex_;
  std::vector<Story> stories_;
};

}  // namespace baolian::bench
