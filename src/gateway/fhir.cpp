#include "gateway/fhir.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>

#include "gateway/dates.h"
#include "gateway/fhir_bundle.h"
#include "gateway/fhir_diagnosis.h"
#include "gateway/fhir_invoice.h"
#include "gateway/money.h"

namespace baolian::gateway {
namespace {

constexpr std::size_t kDischargesMax = 1000;
constexpr std::size_t kTimeBytesMax = 64;
// Source records of one file in all, as a multiple of bytes_max: a large resource that every stay
// names would otherwise be copied a thousand times.
constexpr std::size_t kSourceFactorMax = 16;

// An inpatient stay with what names it, all in the order of the bundle.
struct Stay {
  const BundleEntry* encounter = nullptr;
  std::vector<const BundleEntry*> claims;
  std::set<const BundleEntry*> named_by;
};

Result<void> check_options(const FhirOptions& options) {
  if (!options.currency.empty() && !is_currency_code(options.currency)) {
    return fail(Errc::bad_argument, "the currency must be three capital letters, such as CNY");
  }
  if (options.minor_digits > kMinorDigitsMax) {
    return fail(Errc::bad_argument, "the currency has too many minor digits");
  }
  if (options.utc_offset_minutes < -14 * 60 || options.utc_offset_minutes > 14 * 60) {
    return fail(Errc::bad_argument, "the UTC offset must be within 14 hours");
  }
  for (const std::string& system : options.person_id_systems) {
    if (system.empty() || system.size() > kSystemBytesMax) {
      return fail(Errc::bad_argument, "a person identifier system is empty or too long");
    }
  }
  return ok();
}

Result<bool> is_finished_inpatient(const BundleEntry& entry) {
  if (entry.type != "Encounter") return false;
  const std::string place = entry.place();
  TRY(const std::string status, text_member(*entry.resource, "status", 64, place));
  TRY(const JsonNode* encounter_class, object_member(*entry.resource, "class", place));
  if (encounter_class == nullptr) return false;
  TRY(const std::string code, text_member(*encounter_class, "code", 64, place));
  return status == "finished" && code == "IMP";
}

// Every encounter that a resource names by `encounter` or `item[].encounter`. Tolerant: of most
// resource types we know nothing else.
std::set<const BundleEntry*> encounters_named(const Bundle& bundle, const BundleEntry& entry) {
  std::set<const BundleEntry*> out;
  const auto add = [&](const JsonNode& owner) {
    const JsonNode* encounter = owner.find("encounter");
    if (encounter == nullptr) return;
    out.insert(bundle.resolve(encounter));
    for (const JsonNode& reference : encounter->items) out.insert(bundle.resolve(&reference));
  };
  add(*entry.resource);
  if (const JsonNode* items = entry.resource->find("item")) {
    for (const JsonNode& item : items->items) add(item);
  }
  out.erase(nullptr);
  return out;
}

Result<std::vector<Stay>> find_stays(const Bundle& bundle) {
  std::vector<Stay> stays;
  std::map<const BundleEntry*, std::size_t> stay_of;
  for (const BundleEntry& entry : bundle.entries()) {
    TRY(const bool inpatient, is_finished_inpatient(entry));
    if (!inpatient) continue;
    stay_of.emplace(&entry, stays.size());
    stays.push_back({.encounter = &entry, .claims = {}, .named_by = {}});
  }
  if (stays.empty()) {
    return fail(Errc::fhir_no_encounter,
                "the bundle has no Encounter of class IMP with status finished; nobody was "
                "discharged");
  }
  if (stays.size() > kDischargesMax) {
    return fail(Errc::limit_exceeded,
                "a bundle has at most " + std::to_string(kDischargesMax) + " discharges; split it");
  }
  for (const BundleEntry& entry : bundle.entries()) {
    TRY(const bool invoice, is_institutional_claim(entry));
    std::size_t stays_named = 0;
    for (const BundleEntry* encounter : encounters_named(bundle, entry)) {
      const auto found = stay_of.find(encounter);
      if (found == stay_of.end()) continue;
      Stay& stay = stays[found->second];
      stay.named_by.insert(&entry);
      if (!invoice) continue;
      stay.claims.push_back(&entry);
      ++stays_named;
    }
    if (stays_named > 1) {
      return fail(Errc::fhir_invalid,
                  entry.place() + ": an invoice belongs to one inpatient stay; its items name " +
                      std::to_string(stays_named));
    }
  }
  return stays;
}

// The Patient of a stay (section 2).
Result<const BundleEntry*> patient_of(const Bundle& bundle, const BundleEntry& encounter) {
  TRY(const JsonNode* subject, object_member(*encounter.resource, "subject", encounter.place()));
  const BundleEntry* found = bundle.resolve(subject);
  if (subject == nullptr) {
    for (const BundleEntry& entry : bundle.entries()) {
      if (entry.type != "Patient") continue;
      if (found != nullptr) {
        return fail(Errc::fhir_no_person,
                    encounter.place() + ": no subject, and the bundle has several Patients");
      }
      found = &entry;
    }
  }
  if (found == nullptr || found->type != "Patient") {
    return fail(Errc::fhir_no_person,
                encounter.place() + ": the subject is no Patient of the bundle; send it along");
  }
  return found;
}

Result<PersonId> read_person(const BundleEntry& patient, const std::vector<std::string>& systems) {
  const std::string place = patient.place();
  TRY(refuse_modifiers(*patient.resource, place));
  TRY(const auto identifiers, list_member(*patient.resource, "identifier", place));
  for (const JsonNode& identifier : identifiers) {
    TRY(std::string system, text_member(identifier, "system", kSystemBytesMax, place));
    if (std::find(systems.begin(), systems.end(), system) == systems.end()) continue;
    TRY(std::string value, text_member(identifier, "value", kIdentifierBytesMax, place));
    // Nothing but separators would leave every such person with one and the same pseudonym.
    if (value.find_first_not_of(" -.") == std::string::npos) continue;
    return PersonId{std::move(system), std::move(value)};
  }
  return fail(Errc::fhir_no_person,
              place +
                  ": no identifier of a system that names persons on this chain (genesis "
                  "person_id_systems)");
}

Result<void> read_period(const BundleEntry& encounter, const FhirOptions& options,
                         Discharge& discharge) {
  const std::string place = encounter.place() + " period";
  ClaimPayload& payload = discharge.payload;
  TRY(const JsonNode* period, object_member(*encounter.resource, "period", place));
  if (period == nullptr) return fail(Errc::fhir_invalid, place + " is missing");
  TRY(discharge.admitted_text, text_member(*period, "start", kTimeBytesMax, place));
  TRY(discharge.discharged_text, text_member(*period, "end", kTimeBytesMax, place));
  std::int64_t bare_dates = 0;
  const auto read = [&](const std::string& text, TimeMs& at, CivilDay& day) -> Result<void> {
    if (text.empty()) {
      return fail(Errc::fhir_invalid, place + ": a finished stay has a start and an end");
    }
    const Result<FhirTime> time = parse_fhir_time(text, options.utc_offset_minutes);
    if (!time.has_value()) return error_at(place, time.error());
    if (time->precision == Precision::day) ++bare_dates;
    at = time->at;
    TRY(day, civil_day(at, options.utc_offset_minutes));
    return ok();
  };
  TRY(read(discharge.admitted_text, payload.admitted, payload.admitted_day));
  TRY(read(discharge.discharged_text, payload.discharged, payload.discharged_day));
  if (bare_dates > 0) payload.problems.push_back({ProblemCode::time_without_hours, bare_dates});
  if (payload.discharged < payload.admitted) {
    payload.problems.push_back(
        {ProblemCode::discharged_before_admitted,
         static_cast<std::int64_t>(payload.admitted.value - payload.discharged.value)});
  }
  return ok();
}

Result<std::string> encounter_number(const BundleEntry& encounter) {
  const std::string place = encounter.place();
  TRY(const auto identifiers, list_member(*encounter.resource, "identifier", place));
  for (const JsonNode& identifier : identifiers) {
    TRY(std::string value, text_member(identifier, "value", kIdentifierBytesMax, place));
    if (!value.empty()) return value;
  }
  TRY(std::string id, text_member(*encounter.resource, "id", kIdentifierBytesMax, place));
  if (!id.empty()) return id;
  return fail(Errc::fhir_invalid, place + ": neither an identifier nor an id names the stay");
}

Result<std::string> department_of(const BundleEntry& encounter) {
  const std::string place = encounter.place();
  TRY(const JsonNode* service, object_member(*encounter.resource, "serviceType", place));
  TRY(std::string name, concept_name(service, place));
  if (!name.empty()) return name;
  TRY(const auto types, list_member(*encounter.resource, "type", place));
  if (types.empty()) return std::string{};
  return concept_name(&types.front(), place);
}

Result<void> check_patient(const Bundle& bundle, const BundleEntry& claim,
                           const BundleEntry& patient) {
  TRY(const JsonNode* reference, object_member(*claim.resource, "patient", claim.place()));
  if (bundle.resolve(reference) == &patient) return ok();
  return fail(Errc::fhir_invalid, claim.place() + ": its patient is not the person of the stay");
}

// The entries that make up the source record (section 6).
// Returns: Errc::fhir_invalid if one of them is about another Patient of the bundle.
Result<std::vector<const BundleEntry*>> source_entries(const Bundle& bundle,
                                                       const BundleEntry& patient,
                                                       std::set<const BundleEntry*> entries) {
  for (const BundleEntry* entry : entries) {
    for (const std::string_view key : {"subject", "patient"}) {
      const BundleEntry* about = bundle.resolve(entry->resource->find(key));
      if (about == nullptr || about->type != "Patient" || about == &patient) continue;
      return fail(Errc::fhir_invalid,
                  entry->place() + ": it belongs to the stay but is about another Patient");
    }
  }
  entries.insert(&patient);
  // Entries lie in one array: pointers in a set ascend in the order of the bundle.
  return std::vector<const BundleEntry*>(entries.begin(), entries.end());
}

Result<Discharge> read_stay(const Bundle& bundle, const Stay& stay, const FhirOptions& options,
                            std::string_view source) {
  const BundleEntry& encounter = *stay.encounter;
  TRY(refuse_modifiers(*encounter.resource, encounter.place()));
  Discharge discharge;
  ClaimPayload& payload = discharge.payload;
  TRY(const BundleEntry* patient, patient_of(bundle, encounter));
  TRY(payload.person, read_person(*patient, options.person_id_systems));
  TRY(payload.encounter_number, encounter_number(encounter));
  TRY(read_period(encounter, options, discharge));
  TRY(payload.department, department_of(encounter));

  StayContext context{bundle, encounter, options.utc_offset_minutes, options.base_cost_item,
                      MoneyReader(options.currency, options.minor_digits)};
  for (const BundleEntry* claim : stay.claims) {
    TRY(check_patient(bundle, *claim, *patient));
    TRY(append_invoice(context, *claim, payload));
  }
  if (stay.claims.empty()) payload.problems.push_back({ProblemCode::no_invoice, 0});
  if (context.money.without_currency() > 0) {
    payload.problems.push_back({ProblemCode::currency_absent, context.money.without_currency()});
  }
  TRY(std::set<const BundleEntry*> sources,
      append_diagnoses(bundle, encounter, stay.named_by, stay.claims, payload));
  // The table of problems is the order in which they are said, invoice by invoice.
  std::stable_sort(payload.problems.begin(), payload.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.code < b.code; });

  sources.insert(stay.named_by.begin(), stay.named_by.end());
  sources.insert(&encounter);
  TRY(const auto entries, source_entries(bundle, *patient, std::move(sources)));
  discharge.source_bundle = Bundle::extract(entries, source);
  discharge.currency = options.currency;
  discharge.minor_digits = options.minor_digits;
  return discharge;
}

// The options with the file's own currency where none was asked for.
Result<FhirOptions> with_currency(const FhirOptions& options, const std::vector<Stay>& stays) {
  FhirOptions out = options;
  if (!out.currency.empty()) return out;
  for (const Stay& stay : stays) {
    for (const BundleEntry* claim : stay.claims) {
      TRY(const std::string currency, stated_currency(*claim));
      if (currency.empty()) continue;
      if (!is_currency_code(currency)) {
        return fail(Errc::bad_amount, claim->place() + ": the currency is no ISO 4217 code");
      }
      out.currency = currency;
      out.minor_digits = currency_minor_digits(currency);
      return out;
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> default_person_id_systems() {
  return {"urn:oid:2.16.156.10011.1.3", "http://hl7.org/fhir/sid/us-ssn",
          "https://github.com/synthetichealth/synthea"};
}

Result<std::vector<Discharge>> read_discharges(std::string_view json_text,
                                               const FhirOptions& options) {
  TRY(check_options(options));
  if (json_text.size() > std::min(options.bytes_max, std::size_t{UINT32_MAX})) {
    return fail(Errc::fhir_too_large, "the bundle has " + std::to_string(json_text.size()) +
                                          " bytes; at most " + std::to_string(options.bytes_max) +
                                          " are read; split it");
  }
  TRY(const Bundle bundle, Bundle::parse(json_text));
  TRY(const std::vector<Stay> stays, find_stays(bundle));
  TRY(const FhirOptions effective, with_currency(options, stays));
  std::vector<Discharge> out;
  out.reserve(stays.size());
  std::size_t source_bytes = 0;
  for (const Stay& stay : stays) {
    TRY(Discharge discharge, read_stay(bundle, stay, effective, json_text));
    source_bytes += discharge.source_bundle.size();
    if (source_bytes / kSourceFactorMax > options.bytes_max) {
      return fail(Errc::limit_exceeded,
                  "the stays of the bundle share too much for one source record each; split it");
    }
    out.push_back(std::move(discharge));
  }
  return out;
}

Result<std::string> read_bundle_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::not_found, "the bundle file cannot be opened");
  // Not by the size that the file system states: a pipe has none, and a file may grow.
  std::string text;
  std::array<char, 1 << 16> chunk;
  while (text.size() <= bytes_max && file.good()) {
    file.read(chunk.data(), chunk.size());
    text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return fail(Errc::io_failed, "the bundle file cannot be read");
  if (text.size() > bytes_max) {
    return fail(Errc::fhir_too_large,
                "the bundle file has more than " + std::to_string(bytes_max) + " bytes; split it");
  }
  return text;
}

}  // namespace baolian::gateway
