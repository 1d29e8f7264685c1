#include "bench/api_work.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/claims.h"
#include "bench/enrolment.h"
#include "bench/gateway.h"
#include "core/assert.h"
#include "crypto/random.h"

namespace baolian::bench {
namespace {

constexpr std::string_view kPaid = "paid";
constexpr std::string_view kEnrolment = "enrolment";
constexpr std::string_view kGateway = "gateway";

Result<std::vector<Holder>> load_hospitals(const Cluster& cluster, const std::string& role) {
  std::vector<Holder> out;
  for (const std::string& hospital : cluster.hospitals()) {
    TRY(Holder holder, load_holder(cluster, hospital, role));
    out.push_back(std::move(holder));
  }
  if (out.empty()) return fail(Errc::bad_argument, "the network has no hospital");
  return out;
}

std::uint64_t any_person() {
  const auto bytes = crypto::random_id<RequestId>().bytes;
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = out << 8 | bytes[i];
  return out % kPersonNumbers;
}

}  // namespace

bool is_api_workload(const std::string& name) {
  return name == kPaid || name == kEnrolment || name == kGateway;
}

Result<std::unique_ptr<ApiWork>> make_api_work(const Settings& settings, const Cluster& cluster) {
  if (settings.workload == kGateway) {
    TRY(std::vector<Holder> doctors, load_hospitals(cluster, "doctor"));
    return std::unique_ptr<ApiWork>(std::make_unique<Gateway>(settings, std::move(doctors)));
  }
  // A network that ran before may know the persons of a run with the same seed.
  const Persons persons(settings.network.empty() ? settings.seed : any_person());
  TRY(std::vector<Insurer> insurers, load_insurers(cluster));
  if (settings.workload == kEnrolment) {
    return std::unique_ptr<ApiWork>(
        std::make_unique<Enrolment>(settings, std::move(insurers), persons));
  }
  ASSERT(settings.workload == kPaid);
  const bool has_regulator = std::any_of(cluster.parties().begin(), cluster.parties().end(),
                                         [](const Party& party) { return party.is_regulator; });
  if (!has_regulator) {
    return fail(Errc::bad_argument, "paid: the network has no regulator, who holds the escrow key");
  }
  TRY(std::vector<Holder> registrars, load_hospitals(cluster, "registrar"));
  return std::unique_ptr<ApiWork>(
      std::make_unique<Claims>(settings, std::move(insurers), std::move(registrars), persons));
}

double percentile_ms(std::vector<double> values_ms, double percent) {
  if (values_ms.empty()) return 0;
  std::sort(values_ms.begin(), values_ms.end());
  const double rank = std::ceil(percent / 100 * static_cast<double>(values_ms.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return std::round(values_ms[index] * 10) / 10;
}

}  // namespace baolian::bench
