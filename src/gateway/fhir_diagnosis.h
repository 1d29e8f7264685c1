/// The diagnoses of a stay (docs/fhir-profile.md, section 4). Internal to gateway.
#pragma once

#include <set>
#include <vector>

#include "core/result.h"
#include "gateway/fhir_bundle.h"
#include "gateway/payload.h"

namespace baolian::gateway {

/// Appends the stay's diagnoses, each (system, code, version) once, and the problem
/// diagnosis_without_code. `named_by` are the entries that name the encounter, `claims` its
/// invoices.
/// Returns: the Conditions used; Errc::fhir_invalid, limit_exceeded (kDiagnosesMax, text lengths).
Result<std::set<const BundleEntry*>> append_diagnoses(const Bundle& bundle,
                                                      const BundleEntry& encounter,
                                                      const std::set<const BundleEntry*>& named_by,
                                                      const std::vector<const BundleEntry*>& claims,
                                                      ClaimPayload& payload);

}  // namespace baolian::gateway
