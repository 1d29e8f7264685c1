#include "gateway/fhir_diagnosis.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace baolian::gateway {
namespace {

using RoleName = std::pair<std::string_view, DiagnosisRole>;

// http://terminology.hl7.org/CodeSystem/diagnosis-role, in Encounter.diagnosis.use.
constexpr std::array<RoleName, 7> kEncounterUses{{{"DD", DiagnosisRole::discharge},
                                                  {"AD", DiagnosisRole::admission},
                                                  {"CC", DiagnosisRole::chief_complaint},
                                                  {"CM", DiagnosisRole::comorbidity},
                                                  {"pre-op", DiagnosisRole::pre_operative},
                                                  {"post-op", DiagnosisRole::post_operative},
                                                  {"billing", DiagnosisRole::billing}}};

// http://terminology.hl7.org/CodeSystem/ex-diagnosistype, in Claim.diagnosis.type.
constexpr std::array<RoleName, 3> kClaimTypes{{{"principal", DiagnosisRole::principal},
                                               {"admitting", DiagnosisRole::admission},
                                               {"discharge", DiagnosisRole::discharge}}};

constexpr std::uint32_t kNoRank = UINT32_MAX;

// Gathers diagnoses in the order in which they are offered.
class DiagnosisList {
 public:
  DiagnosisList(const Bundle& bundle, ClaimPayload& payload) : bundle_(bundle), payload_(payload) {}

  /// The Condition that a reference names; one that cannot be found counts as without code.
  Result<void> add_reference(const JsonNode* reference, DiagnosisRole role) {
    const BundleEntry* condition = bundle_.resolve(reference);
    if (condition != nullptr && condition->type == "Condition") return add(*condition, role);
    ++without_code_;
    return ok();
  }

  Result<void> add(const BundleEntry& condition, DiagnosisRole role) {
    const std::string place = condition.place();
    TRY(refuse_modifiers(*condition.resource, place));
    TRY(const JsonNode* status, object_member(*condition.resource, "verificationStatus", place));
    TRY(const bool refuted, has_code(status, "refuted", place));
    TRY(const bool mistaken, has_code(status, "entered-in-error", place));
    if (refuted || mistaken) return ok();
    const bool seen_before = !conditions_.insert(&condition).second;
    TRY(const JsonNode* code, object_member(*condition.resource, "code", place));
    TRY(const Coding coding, first_coding(code, place));
    // The same Condition may be named by the Encounter, by itself and by a Claim.
    if (coding.code.empty() && seen_before) return ok();
    return add(coding, role, place);
  }

  Result<void> add(const Coding& coding, DiagnosisRole role, const std::string& place) {
    if (coding.code.empty()) {
      ++without_code_;
      return ok();
    }
    for (Diagnosis& known : payload_.diagnoses) {
      if (known.system != coding.system || known.code != coding.code ||
          known.version != coding.version) {
        continue;
      }
      // A later source may know the role; billing alone says nothing about a known Condition.
      if (known.role == DiagnosisRole::unknown && role != DiagnosisRole::billing) known.role = role;
      return ok();
    }
    if (payload_.diagnoses.size() >= kDiagnosesMax) {
      return fail(Errc::limit_exceeded,
                  place + ": a stay has at most " + std::to_string(kDiagnosesMax) + " diagnoses");
    }
    payload_.diagnoses.push_back({coding.system, coding.code, coding.version, role});
    return ok();
  }

  std::int64_t without_code() const { return without_code_; }
  const std::set<const BundleEntry*>& conditions() const { return conditions_; }

 private:
  const Bundle& bundle_;
  ClaimPayload& payload_;
  std::set<const BundleEntry*> conditions_;
  std::int64_t without_code_ = 0;
};

template <std::size_t N>
Result<DiagnosisRole> role_of(const JsonNode* concept_node, const std::array<RoleName, N>& names,
                              DiagnosisRole otherwise, std::string_view place) {
  for (const auto& [code, role] : names) {
    TRY(const bool found, has_code(concept_node, code, place));
    if (found) return role;
  }
  return otherwise;
}

Result<std::uint32_t> rank_of(const JsonNode& node, const std::string& place) {
  TRY(const std::string text, number_member(node, "rank", place));
  if (text.empty()) return kNoRank;
  std::uint32_t rank = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, rank);
  if (read.ec == std::errc{} && read.ptr == end && rank > 0) return rank;
  return fail(Errc::fhir_invalid, place + ": rank must be a positive integer");
}

Result<void> add_encounter_diagnoses(const BundleEntry& encounter, DiagnosisList& list) {
  const std::string place = encounter.place() + " diagnosis";
  struct Ranked {
    std::uint32_t rank;
    const JsonNode* condition;
    DiagnosisRole role;
  };
  std::vector<Ranked> ranked;
  TRY(const auto nodes, list_member(*encounter.resource, "diagnosis", place));
  for (const JsonNode& node : nodes) {
    TRY(const std::uint32_t rank, rank_of(node, place));
    TRY(const JsonNode* condition, object_member(node, "condition", place));
    TRY(const JsonNode* use, object_member(node, "use", place));
    TRY(DiagnosisRole role, role_of(use, kEncounterUses, DiagnosisRole::unknown, place));
    if (role == DiagnosisRole::discharge && rank == 1) role = DiagnosisRole::principal;
    ranked.push_back({rank, condition, role});
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  for (const Ranked& r : ranked) TRY(list.add_reference(r.condition, r.role));
  return ok();
}

Result<void> add_claim_diagnoses(const BundleEntry& claim, DiagnosisList& list) {
  const std::string place = claim.place() + " diagnosis";
  TRY(const auto nodes, list_member(*claim.resource, "diagnosis", place));
  for (const JsonNode& node : nodes) {
    DiagnosisRole role = DiagnosisRole::billing;
    TRY(const auto types, list_member(node, "type", place));
    for (const JsonNode& type : types) {
      TRY(role, role_of(&type, kClaimTypes, role, place));
    }
    TRY(const JsonNode* reference, object_member(node, "diagnosisReference", place));
    TRY(const JsonNode* code, object_member(node, "diagnosisCodeableConcept", place));
    if (reference != nullptr) {
      TRY(list.add_reference(reference, role));
    } else {
      TRY(const Coding coding, first_coding(code, place));
      TRY(list.add(coding, role, place));
    }
  }
  return ok();
}

}  // namespace

Result<std::set<const BundleEntry*>> append_diagnoses(const Bundle& bundle,
                                                      const BundleEntry& encounter,
                                                      const std::set<const BundleEntry*>& named_by,
                                                      const std::vector<const BundleEntry*>& claims,
                                                      ClaimPayload& payload) {
  DiagnosisList list(bundle, payload);
  TRY(add_encounter_diagnoses(encounter, list));
  for (const BundleEntry* entry : named_by) {
    if (entry->type != "Condition") continue;
    TRY(list.add(*entry, DiagnosisRole::unknown));
  }
  for (const BundleEntry* claim : claims) TRY(add_claim_diagnoses(*claim, list));
  if (list.without_code() > 0) {
    payload.problems.push_back({ProblemCode::diagnosis_without_code, list.without_code()});
  }
  return list.conditions();
}

}  // namespace baolian::gateway
