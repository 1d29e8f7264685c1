/// JSON in and out of API handlers: strict members with clear errors. For api*.cpp only.
#pragma once

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "contracts/operations.h"
#include "contracts/types.h"
#include "node/api.h"
#include "node/services.h"

namespace baolian::node::api {

using nlohmann::json;

inline Error bad_body(const std::string& what) { return fail(Errc::bad_argument, what); }

/// The body as a JSON object; an empty body is an empty object.
Result<json> body_object(const net::HttpRequest& request);

/// A number of the query part of the target; `fallback` if it is not there.
Result<std::uint64_t> query_number(const net::HttpRequest& request, const char* name,
                                   std::uint64_t fallback);

/// Members. Errc::bad_argument names the member and what it must be.
Result<std::string> text(const json& object, const char* name);
std::string text_or(const json& object, const char* name, const std::string& fallback);
Result<std::uint64_t> number_or(const json& object, const char* name, std::uint64_t fallback,
                                std::uint64_t low, std::uint64_t high);
Result<bool> flag_or(const json& object, const char* name, bool fallback);
/// The person's number of {"person": {"value": ...}}.
Result<std::string> person(const json& object);
/// The number of the paper, scan or recording that the desk took down.
Result<std::string> form_reference(const json& object);
/// "2026-11-22" as days since 1970-01-01.
Result<std::uint32_t> civil_day_or(const json& object, const char* name,
                                   std::optional<std::uint32_t> fallback);
/// The request id given, or a fresh one.
Result<RequestId> request_id(const json& object);

template <typename Id>
Result<Id> id_from(const std::string& hex, const char* what) {
  auto id = Id::from_hex_text(hex);
  if (!id) return bad_body(std::string(what) + " must be hexadecimal digits of an id");
  return *id;
}

/// A list of enum names as an ascending set.
template <typename E>
Result<std::vector<E>> enum_set(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array() || found->empty()) {
    return bad_body(std::string("'") + name + "' must be a list of names");
  }
  std::vector<E> out;
  for (const auto& item : *found) {
    const auto value = item.is_string() ? enum_from_name<E>(item.get<std::string>()) : std::nullopt;
    if (!value) return bad_body(std::string("'") + name + "' holds an unknown name");
    out.push_back(*value);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

template <typename E>
json enum_list(const std::vector<E>& values) {
  json out = json::array();
  for (const E value : values) out.push_back(std::string(enum_name(value)));
  return out;
}

/// A certified, applied operation of this node, and what the chain holds of it.
template <typename Content>
struct Written {
  OperationOutcome outcome;
  Content content;
  bool repeated = false;  ///< the request id was used before: this is what it did then
};

/// Sends one operation signed by the gateway key and waits for the certified receipt, which must be
/// applied. Returns also: Errc::already_exists if the request id was used before.
Result<OperationOutcome> send(const Services& services, ledger::Operation operation);

/// The outcome and canonical operation of a request id that was used before; nullopt for a new one.
/// Returns: Errc::not_certified while it is open, and the receipt's error if it was rejected.
struct Earlier {
  OperationOutcome outcome;
  ledger::Operation operation;
};
Result<std::optional<Earlier>> find_earlier(const Services& services, const RequestId& id);

/// What was written under this request id before, or nullopt: ask this before anything is prepared
/// that a second time would repeat. Returns: Errc::already_exists for an operation of another kind,
/// and the errors of find_earlier.
template <typename Content>
Result<std::optional<Written<Content>>> written_before(const Services& services,
                                                       const RequestId& id) {
  TRY(std::optional<Earlier> earlier, find_earlier(services, id));
  if (!earlier) return std::optional<Written<Content>>{};
  auto content = contracts::content_of<Content>(earlier->operation);
  if (!content) {
    return fail(Errc::already_exists, "this request id was used for another kind of operation");
  }
  return std::optional(
      Written<Content>{std::move(earlier->outcome), *std::move(content), /*repeated=*/true});
}

/// Writes the content, or answers what its request id wrote before.
template <typename Content>
Result<Written<Content>> write_once(const Services& services, const Content& content,
                                    const RequestId& id) {
  TRY(std::optional<Written<Content>> before, written_before<Content>(services, id));
  if (before) return *std::move(before);
  TRY(OperationOutcome outcome, send(services, contracts::make_operation(content, id)));
  return Written<Content>{std::move(outcome), content, /*repeated=*/false};
}

/// The common fields of the answer to a write.
json write_fields(const OperationOutcome& outcome, std::uint64_t certified_ms);
template <typename Content>
json write_fields(const Written<Content>& written, std::uint64_t certified_ms) {
  json out = write_fields(written.outcome, certified_ms);
  if (written.repeated) out["repeated"] = true;
  return out;
}

/// An operation that a person's device is to cosign: {"request_id", "to_sign": {"kind", "content",
/// "institution", "cosignatures"}}. Nothing was sent; POST /v1/operations takes it back.
json to_sign(const Services& services, const ledger::Operation& operation);

/// Milliseconds since construction.
class Stopwatch {
 public:
  Stopwatch();
  std::uint64_t ms() const;

 private:
  std::uint64_t start_us_;
};

/// Errc::not_authorized unless the member has one of the roles.
Result<void> require_role(const contracts::MemberState& member,
                          std::initializer_list<ledger::Role> roles);

}  // namespace baolian::node::api
