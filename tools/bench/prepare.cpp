#include "bench/prepare.h"

#include <fmt/format.h>

#include "progress_bar.h"

namespace baolian::bench {
namespace {

constexpr std::size_t kOperationsPerTx = 500;
constexpr std::size_t kClients = 16;

using NextOperations = std::function<std::vector<ledger::Operation>(std::size_t hospital)>;

/// Transactions until there are no operations any more.
class ListScript final : public Script {
 public:
  ListScript(const NextOperations& next, std::size_t hospital) : next_(next), hospital_(hospital) {}
  Step next(Prng& /*prng*/) override {
    return {.hospital = hospital_, .operations = next_(hospital_), .is_last = true};
  }

 private:
  const NextOperations& next_;
  std::size_t hospital_;
};

Result<std::uint64_t> send_all(std::vector<std::unique_ptr<Department>>& departments,
                               const NextOperations& next, std::uint64_t total,
                               const std::string& what, std::uint64_t seed) {
  Drive drive(
      departments, /*tx_per_call=*/1,
      [&](std::size_t hospital) { return std::make_unique<ListScript>(next, hospital); }, seed);
  Crew crew({.clients = kClients});
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  TRY(const Tally tally, crew.run(drive, [&] {
    if (has_bar) bar.show(what, crew.certified(), total);
  }));
  if (has_bar) bar.clear();
  if (tally.applied != total) {
    return fail(Errc::internal,
                fmt::format("{}: {} of {}: {}", what, tally.applied, total, tally.problem));
  }
  return tally.applied;
}

}  // namespace

Result<std::uint64_t> prepare(const Settings& settings, const Cluster& cluster,
                              const Records& records,
                              std::vector<std::unique_ptr<Department>>& departments) {
  std::vector<std::atomic<std::uint64_t>> next_record(records.hospital_count());
  for (std::size_t i = 0; i < next_record.size(); ++i) next_record[i] = i;
  const std::uint64_t step = kOperationsPerTx * records.hospital_count();
  TRY(std::uint64_t operations, send_all(
                                    departments,
                                    [&](std::size_t hospital) {
                                      return records.registrations(
                                          hospital, next_record[hospital].fetch_add(step),
                                          kOperationsPerTx);
                                    },
                                    records.record_count(), "registering records", settings.seed));
  if (!needs_consents(settings.workload)) return operations;

  TRY(auto attestor, load_attestor(cluster));
  std::atomic<std::uint64_t> next_consent = 0;
  TRY(const std::uint64_t consents,
      send_all(
          attestor,
          [&](std::size_t) {
            return records.consents(next_consent.fetch_add(kOperationsPerTx), kOperationsPerTx);
          },
          records.consent_count(), "giving consents", settings.seed));
  return operations + consents;
}

}  // namespace baolian::bench
