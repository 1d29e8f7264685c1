/// FHIR R4 in: a bundle becomes one Discharge for each finished inpatient Encounter. The mapping is
/// docs/fhir-profile.md; section numbers in fhir*.cpp are that page's.
///
/// All functions are pure and safe from any thread. Errors name the entry of the bundle by its
/// index and never repeat a value of it. An error means that nothing of the file is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "gateway/payload.h"

namespace baolian::gateway {

inline constexpr std::size_t kBundleBytesMax = std::size_t{16} << 20;

/// Person identifier systems where there is no genesis to say them (a dry run).
std::vector<std::string> default_person_id_systems();

/// What becomes of the difference between an invoice's total and the sum of its items.
enum class BaseCostItem : std::uint8_t {
  leave_out,  ///< nothing: it is said (items_total_mismatch)
  /// One labelled line for the encounter's base cost, which some generators put into the total only
  /// (docs/fhir-profile.md, section 3): the person who reports says that this is what it is.
  add,
};

/// How a chain reads FHIR: its genesis, except bytes_max and base_cost_item.
struct FhirOptions {
  std::vector<std::string> person_id_systems = default_person_id_systems();
  /// ISO 4217; empty = the first currency that an invoice of the file states.
  std::string currency = "CNY";
  unsigned minor_digits = 2;     ///< of `currency`; with an empty currency ISO 4217's, not this
  int utc_offset_minutes = 480;  ///< the chain's civil zone
  std::size_t bytes_max = kBundleBytesMax;
  BaseCostItem base_cost_item = BaseCostItem::leave_out;
};

/// One inpatient stay that has ended.
struct Discharge {
  ClaimPayload payload;       ///< without record list and openings, which the report makes
  std::string source_bundle;  ///< FHIR Bundle of this stay's resources only, bytes as received
  std::string currency;       ///< ISO 4217; empty only if the file states no amount at all
  unsigned minor_digits = 2;
  std::string admitted_text;  ///< Encounter.period as the source wrote it
  std::string discharged_text;
};

/// Reads every discharge of a bundle, in the order of the bundle; at least one.
/// Returns: Errc::fhir_too_large above bytes_max, before anything is parsed; bad_json,
/// limit_exceeded for a text that is no JSON or beyond a declared limit; fhir_invalid for wrong
/// resource types, element types, times and references; fhir_no_person; fhir_no_encounter;
/// bad_amount for amounts that cannot be read exactly or are in another currency; bad_argument for
/// options that make no sense.
Result<std::vector<Discharge>> read_discharges(std::string_view json_text,
                                               const FhirOptions& options);

/// Reads a whole file, but not one of more than bytes_max bytes.
/// Returns: Errc::not_found, io_failed, fhir_too_large.
Result<std::string> read_bundle_file(const std::string& path,
                                     std::size_t bytes_max = kBundleBytesMax);

}  // namespace baolian::gateway
