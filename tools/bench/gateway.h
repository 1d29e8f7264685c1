/// The workload `gateway`: single readings asked for as an application of a hospital asks for them,
/// one a request, signed and batched by the hospital's node. An operation is a reading.
///
/// Each request has an id of its own. One in a hundred is sent again after its answer, and must
/// give the same transaction, height and leaf, without another entry on the chain.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "bench/api_work.h"
#include "bench/caller.h"

namespace baolian::bench {

class Gateway final : public ApiWork {
 public:
  Gateway(const Settings& settings, std::vector<Holder> doctors)
      : settings_(settings), doctors_(std::move(doctors)), records_(doctors_.size()) {}

  /// Registers the records, of each hospital min(records / hospitals, 500): each has a file in the
  /// vault, which a reading opens.
  Result<std::uint64_t> prepare() override;
  Result<void> run_client(Crew& crew, std::size_t number, Tally& tally) override;
  /// `ops_per_tx_reached`: readings that one signature of a node covered.
  void describe(nlohmann::json& report, std::uint64_t from_us, std::uint64_t to_us) const override;

 private:
  Result<void> read_one(Crew& crew, Caller& caller, std::size_t hospital, std::uint64_t due_us,
                        Tally& tally);
  Result<void> repeat(Caller& caller, const std::string& target, const std::string& body,
                      const nlohmann::json& first);
  void note(const nlohmann::json& answer);

  const Settings& settings_;
  std::vector<Holder> doctors_;                    ///< one a hospital
  std::vector<std::vector<std::string>> records_;  ///< by hospital
  std::atomic<std::uint64_t> next_{0};
  mutable std::mutex mutex_;  ///< of what follows
  std::set<std::string> transactions_;
  std::uint64_t readings_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t repeated_same_ = 0;
};

}  // namespace baolian::bench
