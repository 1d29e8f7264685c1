/// What `baolian discharge FILE --dry-run` prints: what a bundle would become, without any node.
/// Both forms hold personal data (an encounter number, codes, amounts): for the screen of whoever
/// holds the file, never for a log.
#pragma once

#include <string>
#include <vector>

#include "gateway/fhir.h"

namespace baolian::gateway {

/// {"discharges":[{"encounter","admitted","discharged","currency","total_minor",
/// "items":[{"code","amount_minor"}],"problems":[]}]}, in the order of the bundle, indented, with a
/// newline at the end. Times as the source wrote them; total_minor is the sum over the invoices and
/// null if one has no total; amount_minor is null if the item has no amount; problems are texts
/// such as "items_total_mismatch 7500".
std::string dry_run_json(const std::vector<Discharge>& discharges);

/// The same for people, with item names.
std::string dry_run_text(const std::vector<Discharge>& discharges, int utc_offset_minutes);

}  // namespace baolian::gateway
