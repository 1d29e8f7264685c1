#include "bench/claims.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "crypto/random.h"

namespace baolian::bench {
namespace {

using nlohmann::json;

constexpr auto kAgainAfter = std::chrono::milliseconds(20);
/// A claim that is not paid after this counts as dropped.
constexpr std::uint64_t kGiveUpUs = 60'000'000;

/// A finished stay with one invoice.
json stay(const std::string& person, const std::string& number) {
  const json reference = {{"reference", "urn:uuid:p"}};
  const json amount = {{"value", 100.25}, {"currency", "CNY"}};
  const json patient = {
      {"resourceType", "Patient"},
      {"id", "p"},
      {"identifier", {{{"system", "urn:oid:2.16.156.10011.1.3"}, {"value", person}}}}};
  const json encounter = {
      {"resourceType", "Encounter"},
      {"id", "e"},
      {"status", "finished"},
      {"class", {{"code", "IMP"}}},
      {"subject", reference},
      {"identifier", {{{"value", number}}}},
      {"period", {{"start", "2026-03-01T08:00:00+08:00"}, {"end", "2026-03-05T10:00:00+08:00"}}}};
  const json invoice = {{"resourceType", "Claim"},
                        {"id", "invoice-" + number},
                        {"status", "active"},
                        {"use", "claim"},
                        {"type", {{"coding", {{{"code", "institutional"}}}}}},
                        {"patient", reference},
                        {"total", amount},
                        {"item",
                         {{{"sequence", 1},
                           {"encounter", {{{"reference", "urn:uuid:e"}}}},
                           {"productOrService", {{"text", "bed"}}},
                           {"net", amount}}}}};
  return {{"resourceType", "Bundle"},
          {"type", "collection"},
          {"entry",
           {{{"fullUrl", "urn:uuid:p"}, {"resource", patient}},
            {{"fullUrl", "urn:uuid:e"}, {"resource", encounter}},
            {{"fullUrl", "urn:uuid:c"}, {"resource", invoice}}}}};
}

/// The entry of the story in which this event stands; null if there is none yet.
const json* entry_with(const json& entries, std::string_view event) {
  for (const json& entry : entries) {
    if (entry.value("event", "").find(event) != std::string::npos) return &entry;
  }
  return nullptr;
}

}  // namespace

Result<std::uint64_t> Claims::prepare() {
  for (Insurer& insurer : insurers_) TRY(publish_product(insurer));
  TRY(enrol_all(insurers_, persons_, settings_.subjects));
  return settings_.subjects;
}

/// Reports a stay never reported before; none if no claim was filed.
std::optional<Claims::Followed> Claims::report(Crew& crew, Caller& caller, std::uint64_t due_us,
                                               Tally& tally) {
  const std::uint64_t number = next_stay_++;
  const std::string body =
      stay(persons_.number(number % settings_.subjects), crypto::random_id<RequestId>().hex())
          .dump();
  const double late_ms = static_cast<double>(crew.elapsed_us() - due_us) / 1000;
  Followed out{.due_us = due_us,
               .due_ms = static_cast<double>(cli::now_ms().value) - late_ms,
               .target = {},
               .height = 0};
  while (true) {
    const auto answer = caller.request("POST", "/v1/discharges", body, "application/fhir+json");
    if (answer && answer->is_ok()) {
      const json& discharge = answer->body["discharges"].at(0);
      if (discharge.value("outcome", "") == "filed") {
        out.target = discharge["claims"].at(0)["claim"].get<std::string>();
        out.height = discharge["height"].get<std::uint64_t>();
        return out;
      }
      ++tally.rejected;
      tally.problem = discharge.dump();
      return std::nullopt;
    }
    tally.problem = answer ? answer->problem() : answer.error().context;
    if (answer && !answer->is_busy()) {
      ++tally.dropped;
      return std::nullopt;
    }
    ++(answer ? tally.busy : tally.sent_again);
    if (crew.elapsed_us() > due_us + kGiveUpUs) {
      ++tally.dropped;
      return std::nullopt;
    }
    std::this_thread::sleep_for(kAgainAfter);
  }
}

void Claims::note(const Followed& claim, const json& entries) {
  Story story{.due_us = claim.due_us};
  constexpr std::array<std::string_view, kStages> kEvents = {"filed", "opened", "claim_decided",
                                                             "claim_paid"};
  for (std::size_t i = 0; i < kStages; ++i) {
    const json* entry = entry_with(entries, kEvents[i]);
    if (entry != nullptr) story.stage_ms[i] = (*entry)["time_ms"].get<double>() - claim.due_ms;
  }
  const std::lock_guard lock(mutex_);
  stories_.push_back(story);
}

/// False if the claim was not paid in time.
bool Claims::follow(Crew& crew, Caller& caller, const Followed& claim, const std::string& node,
                    Tally& tally) {
  std::uint64_t certified = claim.height;  // of the node, at least
  while (crew.elapsed_us() < claim.due_us + kGiveUpUs) {
    const auto answer = caller.request(
        "GET", fmt::format("/v1/claims/{}/timeline?min_height={}", claim.target, certified));
    if (!answer || !answer->is_ok()) {
      tally.problem = answer ? answer->problem() : answer.error().context;
      std::this_thread::sleep_for(kAgainAfter);
      continue;
    }
    const json& entries = answer->body["entries"];
    const json* end = entry_with(entries, "claim_paid");
    const std::uint64_t paid_at = end == nullptr ? 0 : (*end)["height"].get<std::uint64_t>();
    if (end != nullptr && paid_at <= certified) {
      ++tally.applied;
      tally.samples.push_back({claim.due_us, crew.elapsed_us(), 1});
      tally.places.push_back({node, Height{paid_at}, (*end)["leaf"].get<std::uint32_t>()});
      note(claim, entries);
      return true;
    }
    certified = end != nullptr ? paid_at : certified + 1;
  }
  return false;
}

Result<void> Claims::run_client(Crew& crew, std::size_t number, Tally& tally) {
  const Holder& registrar = registrars_[number % registrars_.size()];
  Caller caller(registrar);
  while (const auto due_us = crew.next_due_us()) {
    const auto claim = report(crew, caller, *due_us, tally);
    if (!claim) continue;
    if (follow(crew, caller, *claim, registrar.node, tally)) {
      crew.count(1);
    } else {
      ++tally.dropped;
      tally.problem = "a claim was not paid within 60 s: " + claim->target;
    }
  }
  return ok();
}

void Claims::describe(json& report, std::uint64_t from_us, std::uint64_t to_us) const {
  constexpr std::array<const char*, kStages> kNames = {"filed", "opened", "decided", "paid"};
  json stages = json::array();
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < kStages; ++i) {
    std::vector<double> values;
    for (const Story& story : stories_) {
      if (story.due_us >= from_us && story.due_us < to_us) values.push_back(story.stage_ms[i]);
    }
    stages.push_back({{"stage", kNames[i]},
                      {"p50_ms", percentile_ms(values, 50)},
                      {"p99_ms", percentile_ms(values, 99)}});
  }
  report["stages"] = std::move(stages);
}

}  // namespace baolian::bench
