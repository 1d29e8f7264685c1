#include "bench/enrolment.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "crypto/base64.h"
#include "crypto/random.h"
#include "gateway/product_json.h"
#include "progress_bar.h"

namespace baolian::bench {
namespace {

using nlohmann::json;

constexpr auto kAgainAfter = std::chrono::milliseconds(50);
/// What has no outcome after this has failed.
constexpr std::uint64_t kGiveUpUs = 120'000'000;

constexpr std::string_view kProduct = R"({
  "name": {"zh": "压测示例产品", "en": "Illustrative product of the load generator"},
  "currency": "CNY", "minor_digits": 2, "cover_basis": "discharge", "authorization": "standing",
  "payer_rank": 10, "premium_sources": ["cash"], "from": "2026-01-01", "to": "2026-12-31",
  "waiting_days": 0, "rounding": "half_up", "total_limit": "10000.00",
  "groups": [{"id": 1, "amount": "0.00", "scope": "policy_year",
              "tiers": [{"above": "0.00", "ratio": "1"}]}],
  "liabilities": [{"id": 1, "name": {"zh": "住院医疗费用", "en": "inpatient expenses"},
                   "decider": "engine", "base": "whole_bill", "group": 1, "limit": "10000.00",
                   "covered": [], "not_covered": []}],
  "excluded_diagnoses": [],
  "provenance": [
    {"path": "currency", "kind": "assumed", "source": "of the load generator"},
    {"path": "cover_basis", "kind": "assumed", "source": "of the load generator"},
    {"path": "authorization", "kind": "assumed", "source": "of the load generator"},
    {"path": "payer_rank", "kind": "assumed", "source": "of the load generator"},
    {"path": "premium_sources", "kind": "assumed", "source": "of the load generator"},
    {"path": "from", "kind": "assumed", "source": "of the load generator"},
    {"path": "to", "kind": "assumed", "source": "of the load generator"},
    {"path": "waiting_days", "kind": "assumed", "source": "of the load generator"},
    {"path": "rounding", "kind": "assumed", "source": "of the load generator"},
    {"path": "total_limit", "kind": "assumed", "source": "of the load generator"},
    {"path": "groups", "kind": "assumed", "source": "of the load generator"},
    {"path": "liabilities", "kind": "assumed", "source": "of the load generator"},
    {"path": "excluded_diagnoses", "kind": "assumed", "source": "of the load generator"}
  ]
})";

}  // namespace

Result<std::vector<Insurer>> load_insurers(const Cluster& cluster) {
  std::vector<Insurer> out;
  const auto& parties = cluster.parties();
  for (const Party& party : parties) {
    const bool is_attested = std::any_of(parties.begin(), parties.end(), [&](const Party& other) {
      return other.is_bureau && other.id != party.id;
    });
    if (!party.is_insurer || !is_attested) continue;
    TRY(Holder adjuster, load_holder(cluster, party.node, "adjuster"));
    out.push_back({std::move(adjuster), {}});
  }
  if (out.empty()) {
    return fail(Errc::bad_argument,
                "no insurer whose policies another institution can attest: the network needs a "
                "medical-insurance bureau and an insurer beside it; --validators 4 has both");
  }
  return out;
}

Result<void> publish_product(Insurer& insurer) {
  TRY(const contracts::Product product, gateway::read_product_json(kProduct));
  const json body = {{"content_base64", crypto::base64_encode(encode(product))},
                     {"version", 1},
                     {"request_id", crypto::random_id<RequestId>().hex()}};
  Caller caller(insurer.adjuster);
  TRY(const json answer, caller.require("POST", "/v1/products", body));
  insurer.product = answer.value("product", "");
  return ok();
}

std::string Persons::number(std::uint64_t index) const {
  return fmt::format("999999{:012}", (first_ + index) % kPersonNumbers);
}

json Persons::enrolment(const std::string& product, std::uint64_t first,
                        std::uint64_t count) const {
  json lines = json::array();
  for (std::uint64_t i = first; i < first + count; ++i) {
    lines.push_back({{"person", {{"value", number(i)}}},
                     {"class", "adult"},
                     {"from", "2026-01-01"},
                     {"to", "2026-12-31"},
                     {"premium_source", "cash"}});
  }
  return {{"product", product},
          {"version", 1},
          {"purposes", {"HPAYMT"}},
          {"classes", {"bill", "clinical_summary", "document"}},
          {"level_max", 3},
          {"attest", true},
          {"lines", std::move(lines)},
          {"request_id", crypto::random_id<RequestId>().hex()}};
}

Result<void> enrol_all(const std::vector<Insurer>& insurers, const Persons& persons,
                       std::uint64_t count) {
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  std::vector<Caller> callers;
  for (const Insurer& insurer : insurers) callers.emplace_back(insurer.adjuster);
  // Call by call to one insurer after the other: person i stands at insurer i / 1,000 modulo count.
  for (std::uint64_t first = 0; first < count; first += kPersonsPerCallMax) {
    const std::uint64_t some = std::min<std::uint64_t>(kPersonsPerCallMax, count - first);
    const std::size_t at = first / kPersonsPerCallMax % insurers.size();
    TRY(const json answer,
        callers[at].require("POST", "/v1/policies",
                            persons.enrolment(insurers[at].product, first, some)));
    if (!answer.value("attested", false) || answer["policies"].size() != some) {
      return fail(Errc::rejected, "persons could not be enrolled: " + answer.dump());
    }
    if (has_bar) bar.show("enrolling persons", first + some, count);
  }
  if (has_bar) bar.clear();
  return ok();
}

Result<std::uint64_t> Enrolment::prepare() {
  for (Insurer& insurer : insurers_) TRY(publish_product(insurer));
  return insurers_.size();
}

Result<void> Enrolment::run_client(Crew& crew, std::size_t number, Tally& tally) {
  const Insurer& insurer = insurers_[number % insurers_.size()];
  Caller caller(insurer.adjuster);
  const std::uint64_t count = settings_.persons_per_call;
  while (const auto due_us = crew.next_due_us()) {
    const std::string body =
        persons_.enrolment(insurer.product, next_person_.fetch_add(count), count).dump();
    while (true) {
      const auto answer = caller.request("POST", "/v1/policies", body);
      if (answer && answer->is_ok()) {
        const bool is_whole = answer->body.value("attested", false) &&
                              answer->body.value("policies", json::array()).size() == count;
        if (!is_whole) return fail(Errc::rejected, "not attested: " + answer->body.dump());
        tally.applied += count;
        tally.samples.push_back({*due_us, crew.elapsed_us(), static_cast<std::uint32_t>(count)});
        tally.places.push_back({insurer.adjuster.node, Height{answer->body["height"]},
                                answer->body["leaf"].get<std::uint32_t>()});
        crew.count(count);
        break;
      }
      tally.problem = answer ? answer->problem() : answer.error().context;
      if (answer && !answer->is_busy()) {
        ++tally.dropped;
        break;
      }
      ++(answer ? tally.busy : tally.sent_again);
      if (crew.elapsed_us() > *due_us + kGiveUpUs) return fail(Errc::timed_out, tally.problem);
      std::this_thread::sleep_for(kAgainAfter);
    }
  }
  return ok();
}

void Enrolment::describe(json& report, std::uint64_t, std::uint64_t) const {
  report["insurers"] = insurers_.size();
}

}  // namespace baolian::bench
