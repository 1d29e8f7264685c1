/// A small valid bundle as text, with single places to change: tests say only what is wrong.
#pragma once

#include <string>
#include <string_view>

#include "support/catch.h"

namespace baolian::gateway {

/// Replaces the one place where `from` stands; the test fails if there is none or several.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(text.find(from, at + 1) == std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Two items, 30.00 and 70.50 CNY, total 100.50; entry 0 Patient, 1 Encounter, 2 Condition, 3
/// Claim.
inline std::string small_bundle() {
  return R"({"resourceType":"Bundle","type":"collection","entry":[
{"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","id":"p","identifier":[
  {"system":"https://hospital.example/mrn","value":"7"},
  {"system":"urn:oid:2.16.156.10011.1.3","value":"CANARY-ID-1"}]}},
{"fullUrl":"urn:uuid:e","resource":{"resourceType":"Encounter","id":"e","status":"finished",
  "class":{"code":"IMP"},"subject":{"reference":"urn:uuid:p"},
  "identifier":[{"value":"CANARY-STAY-1"}],
  "period":{"start":"2026-03-01T23:30:00Z","end":"2026-03-03T01:00:00Z"}}},
{"fullUrl":"urn:uuid:c","resource":{"resourceType":"Condition",
  "id":"c","subject":{"reference":"urn:uuid:p"},
  "encounter":{"reference":"urn:uuid:e"},
  "code":{"coding":[{"system":"icd","version":"1","code":"K35.8"}]}}},
{"fullUrl":"urn:uuid:b","resource":{"resourceType":"Claim","id":"b","status":"active","use":"claim",
  "type":{"coding":[{"code":"institutional"}]},"patient":{"reference":"urn:uuid:p"},
  "item":[
   {"sequence":1,"productOrService":{"coding":[{"system":"s","code":"i1"}],"text":"one"},
    "net":{"value":30,"currency":"CNY"},"encounter":[{"reference":"urn:uuid:e"}]},
   {"sequence":2,"productOrService":{"coding":[{"system":"s","code":"i2"}],"text":"two"},
    "net":{"value":70.50,"currency":"CNY"}}],
  "total":{"value":100.50,"currency":"CNY"}}}]})";
}

}  // namespace baolian::gateway
