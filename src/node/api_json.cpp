#include "node/api_json.h"

#include <chrono>

#include "contracts/codes.h"
#include "crypto/random.h"
#include "gateway/dates.h"

namespace baolian::node::api {

Result<json> body_object(const net::HttpRequest& request) {
  if (request.body.empty()) return json::object();
  json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return fail(Errc::bad_json, "the body must be a JSON object");
  return body;
}

Result<std::uint64_t> query_number(const net::HttpRequest& request, const char* name,
                                   std::uint64_t fallback) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  std::uint64_t out = 0;
  const char* end = found->second.data() + found->second.size();
  const auto parsed = std::from_chars(found->second.data(), end, out);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return bad_body(std::string("'") + name + "' must be a number");
  }
  return out;
}

Result<std::string> text(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return bad_body(std::string("'") + name + "' must be a text");
  }
  return found->get<std::string>();
}

std::string text_or(const json& object, const char* name, const std::string& fallback) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : fallback;
}

Result<std::uint64_t> number_or(const json& object, const char* name, std::uint64_t fallback,
                                std::uint64_t low, std::uint64_t high) {
  const auto found = object.find(name);
  if (found == object.end()) return fallback;
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() < low ||
      found->get<std::uint64_t>() > high) {
    return bad_body(std::string("'") + name + "' must be a number from " + std::to_string(low) +
                    " to " + std::to_string(high));
  }
  return found->get<std::uint64_t>();
}

Result<bool> flag_or(const json& object, const char* name, bool fallback) {
  const auto found = object.find(name);
  if (found == object.end()) return fallback;
  if (!found->is_boolean()) return bad_body(std::string("'") + name + "' must be true or false");
  return found->get<bool>();
}

Result<std::string> person(const json& object) {
  const auto found = object.find("person");
  if (found == object.end() || !found->is_object()) {
    return bad_body("'person' must be an object with 'value'");
  }
  TRY(const std::string value, text(*found, "value"));
  if (value.empty() || value.size() > 128) return bad_body("the person's number is unusable");
  return value;
}

Result<std::string> form_reference(const json& object) {
  std::string reference = text_or(object, "form", "");
  if (reference.size() > ConsentForm::kReferenceBytesMax) {
    return bad_body("'form' may have 128 bytes at most");
  }
  return reference;
}

Result<std::uint32_t> civil_day_or(const json& object, const char* name,
                                   std::optional<std::uint32_t> fallback) {
  const auto found = object.find(name);
  if (found == object.end() && fallback) return *fallback;
  TRY(const std::string date, text(object, name));
  auto time = gateway::parse_fhir_time(date, 0);
  if (!time || time->precision != gateway::Precision::day) {
    return bad_body(std::string("'") + name + "' must be a date such as 2026-11-22");
  }
  return static_cast<std::uint32_t>(time->at.value / 86'400'000);
}

Result<RequestId> request_id(const json& object) {
  const auto found = object.find("request_id");
  if (found == object.end()) return crypto::random_id<RequestId>();
  if (!found->is_string()) return bad_body("'request_id' must be 32 hexadecimal digits");
  return id_from<RequestId>(found->get<std::string>(), "'request_id'");
}

Result<OperationOutcome> send(const Services& services, ledger::Operation operation) {
  const RequestId id = operation.request_id;
  TRY(std::vector<OperationOutcome> outcomes,
      services.submitter.submit_and_wait(services.gateway_key(), {std::move(operation)}));
  if (outcomes.empty()) return fail(Errc::not_certified, "the outcome is not known yet");
  OperationOutcome outcome = std::move(outcomes.front());
  outcome.request_id = id;
  if (outcome.receipt.status != ledger::ReceiptStatus::applied) {
    return receipt_error(outcome.receipt);
  }
  return outcome;
}

Result<std::optional<Earlier>> find_earlier(const Services& services, const RequestId& id) {
  auto outcome = services.submitter.outcome_of(id);
  if (!outcome && outcome.error().code == Errc::not_found) return std::optional<Earlier>{};
  if (!outcome) return std::move(outcome).error();
  if (outcome->receipt.status != ledger::ReceiptStatus::applied) {
    return receipt_error(outcome->receipt);
  }
  TRY(const auto leaves, services.chain.read_leaves(outcome->height));
  if (outcome->leaf >= leaves.size()) return fail(Errc::not_found, "the block is not here");
  TRY(ledger::Operation operation, decode<ledger::Operation>(leaves[outcome->leaf].operation));
  return std::optional(Earlier{*std::move(outcome), std::move(operation)});
}

json to_sign(const Services& services, const ledger::Operation& operation) {
  json cosignatures = json::array();
  for (const auto& one : operation.cosignatures) cosignatures.push_back(to_hex(encode(one)));
  return {{"request_id", operation.request_id.hex()},
          {"to_sign",
           {{"kind", operation.kind},
            {"content", to_hex(operation.content)},
            {"institution", services.self.hex()},
            {"cosignatures", cosignatures}}}};
}

json write_fields(const OperationOutcome& outcome, std::uint64_t certified_ms) {
  return {{"request_id", outcome.request_id.hex()},
          {"tx_id", outcome.tx_id.hex()},
          {"height", outcome.height.value},
          {"leaf", outcome.leaf},
          {"block_time_ms", outcome.block_time.value},
          {"certified_ms", certified_ms},
          {"status", "applied"},
          {"code", "ok"}};
}

namespace {

std::uint64_t steady_us() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count());
}

}  // namespace

Stopwatch::Stopwatch() : start_us_(steady_us()) {}
std::uint64_t Stopwatch::ms() const { return (steady_us() - start_us_ + 500) / 1000; }

Result<void> require_role(const contracts::MemberState& member,
                          std::initializer_list<ledger::Role> roles) {
  for (const auto role : roles) {
    if (member.has(role)) return ok();
  }
  return fail(Errc::not_authorized,
              "your roles on the chain do not allow this; ask your "
              "security administrator");
}

}  // namespace baolian::node::api
