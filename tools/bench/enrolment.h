/// Insured persons: a product, and policies with consents under it, enrolled by the insurers' nodes
/// and attested by the medical-insurance bureau's.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "bench/api_work.h"
#include "bench/caller.h"

namespace baolian::bench {

/// An insurer with a product of its own.
struct Insurer {
  Holder adjuster;
  std::string product;
};

/// Those that another institution vouches for: a bureau that is an insurer too cannot attest its
/// own policies. Returns: Errc::bad_argument if there is no bureau or no such insurer.
Result<std::vector<Insurer>> load_insurers(const Cluster& cluster);
/// An illustrative product that pays a whole bill, up to 10,000.00 a policy year.
Result<void> publish_product(Insurer& insurer);

inline constexpr std::uint64_t kPersonNumbers = 1'000'000'000'000;

/// Persons of a run: numbers of nobody, region 999999. Runs on one network take different ones.
class Persons {
 public:
  /// `first`: below kPersonNumbers; numbers go round behind it.
  explicit Persons(std::uint64_t first) : first_(first) {}
  std::string number(std::uint64_t index) const;
  /// Body of POST /v1/policies for the persons first, first + 1 ..., under a new request id.
  nlohmann::json enrolment(const std::string& product, std::uint64_t first,
                           std::uint64_t count) const;

 private:
  std::uint64_t first_;
};

inline constexpr std::size_t kPersonsPerCallMax = 1000;

/// Enrols persons 0 to `count` - 1 at the insurers in turn, a thousand a call. Shows progress.
/// Returns: Errc::rejected if one call was; errors of the node.
Result<void> enrol_all(const std::vector<Insurer>& insurers, const Persons& persons,
                       std::uint64_t count);

/// The workload: each client enrols so many persons a call, the clients at the insurers in turn. An
/// operation is a person.
class Enrolment final : public ApiWork {
 public:
  Enrolment(const Settings& settings, std::vector<Insurer> insurers, Persons persons)
      : settings_(settings), insurers_(std::move(insurers)), persons_(persons) {}

  Result<std::uint64_t> prepare() override;
  Result<void> run_client(Crew& crew, std::size_t number, Tally& tally) override;
  void describe(nlohmann::json& report, std::uint64_t from_us, std::uint64_t to_us) const override;

 private:
  const Settings& settings_;
  std::vector<Insurer> insurers_;
  Persons persons_;
  std::atomic<std::uint64_t> next_person_{0};
};

}  // namespace baolian::bench
