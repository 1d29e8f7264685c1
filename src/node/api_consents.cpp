#include <algorithm>

#include "contracts/adjudication/product.h"
#include "contracts/consent/consent.h"
#include "contracts/events.h"
#include "contracts/operations.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "node/api.h"
#include "node/api_json.h"

namespace baolian::node {

using api::json;
using contracts::AutomaticReading;
using contracts::ConsentGive;
using contracts::ConsentRevoke;
using contracts::PoliciesEnrol;

namespace {

constexpr std::uint64_t kDayMs = 86'400'000;

/// Under which audience a consent of this grantee stands: insurers have one of their own.
InstitutionId audience_of(const ledger::StateReader& state, const InstitutionId& grantee) {
  const auto found =
      ledger::read_as<contracts::InstitutionState>(state, contracts::keys::institution(grantee));
  return found && found->is(ledger::InstitutionKind::insurer) ? grantee : InstitutionId{};
}

/// Block time at which a civil day begins in the chain's zone.
TimeMs day_start(std::uint32_t day, std::int16_t utc_offset_minutes) {
  const auto utc = static_cast<std::int64_t>(day) * static_cast<std::int64_t>(kDayMs) -
                   std::int64_t{utc_offset_minutes} * 60'000;
  return TimeMs{utc < 0 ? 0 : static_cast<std::uint64_t>(utc)};
}

std::uint32_t today(const Services& services) {
  const auto offset = std::int64_t{services.genesis.utc_offset_minutes} * 60'000;
  return static_cast<std::uint32_t>((static_cast<std::int64_t>(services.clock().value) + offset) /
                                    static_cast<std::int64_t>(kDayMs));
}

Result<contracts::ConsentTerms> read_terms(const Services& services, const json& body,
                                           const std::string& person) {
  contracts::ConsentTerms terms;
  terms.id = crypto::random_id<ConsentId>();
  TRY(const std::string grantee, api::text(body, "grantee"));
  TRY(terms.grantee, api::id_from<InstitutionId>(grantee, "'grantee'"));
  TRY(terms.subject,
      services.subjects.subject(audience_of(services.state(), terms.grantee), person));
  TRY(terms.purposes, api::enum_set<contracts::Purpose>(body, "purposes"));
  TRY(terms.classes, api::enum_set<contracts::RecordClass>(body, "classes"));
  TRY(const std::uint64_t level, api::number_or(body, "level_max", 3, 1, 5));
  terms.level_ceiling = static_cast<contracts::Level>(level);
  TRY(const std::uint32_t from, api::civil_day_or(body, "from", 0));
  TRY(const std::uint32_t to, api::civil_day_or(body, "to", today(services) + 365));
  const auto offset = services.genesis.utc_offset_minutes;
  terms.from = from == 0 ? TimeMs{0} : day_start(from, offset);
  terms.to = day_start(to + 1, offset);
  TRY(const bool automatic, api::flag_or(body, "automatic", true));
  terms.automatic = automatic ? AutomaticReading::allowed : AutomaticReading::refused;
  terms.text_version = 1;
  return terms;
}

const char* consent_state(const contracts::ConsentState& consent, TimeMs now) {
  if (consent.revoked_at.value != 0) return "revoked";
  if (consent.terms.to <= now) return "expired";
  return is_effective(consent, now) ? "effective" : "not_confirmed";
}

struct Enrolment {
  PoliciesEnrol content;
  KeptForms forms;
};

Result<contracts::EnrolLine> read_enrol_line(const Services& services, const json& line,
                                             const std::string& person) {
  contracts::EnrolLine out;
  TRY(out.subject, services.subjects.subject(services.self, person));
  TRY(out.from_day, api::civil_day_or(line, "from", std::nullopt));
  TRY(out.to_day, api::civil_day_or(line, "to", std::nullopt));
  const auto source =
      enum_from_name<contracts::PremiumSource>(api::text_or(line, "premium_source", "cash"));
  if (!source) return api::bad_body("'premium_source' is unknown");
  out.premium_source = *source;
  out.premium_class = api::text_or(line, "class", "adult") == "minor" ? 1 : 0;
  return out;
}

Result<Enrolment> read_enrolment(const Services& services, const json& body) {
  Enrolment out;
  TRY(const std::string product, api::text(body, "product"));
  TRY(out.content.product, api::id_from<ProductId>(product, "'product'"));
  TRY(const std::uint64_t version, api::number_or(body, "version", 1, 1, UINT32_MAX));
  out.content.product_version = static_cast<std::uint32_t>(version);
  TRY(out.content.purposes, api::enum_set<contracts::Purpose>(body, "purposes"));
  TRY(out.content.classes, api::enum_set<contracts::RecordClass>(body, "classes"));
  TRY(const std::uint64_t level, api::number_or(body, "level_max", 3, 1, 5));
  out.content.level_ceiling = static_cast<contracts::Level>(level);
  out.content.automatic = AutomaticReading::allowed;
  out.content.text_version = 1;
  const auto lines = body.find("lines");
  if (lines == body.end() || !lines->is_array() || lines->empty() || lines->size() > 1000) {
    return api::bad_body("'lines' must be a list of 1 to 1,000 persons");
  }
  for (const auto& item : *lines) {
    if (!item.is_object()) return api::bad_body("each of 'lines' must be an object");
    TRY(const std::string person, api::person(item));
    TRY(std::string reference, api::form_reference(item));
    TRY(contracts::EnrolLine line, read_enrol_line(services, item, person));
    TRY(const std::uint32_t until,
        api::civil_day_or(body, "consent_to", std::max(line.to_day, today(services)) + 730));
    line.consent_to = day_start(until, services.genesis.utc_offset_minutes);
    out.forms.forms.push_back(new_form(ConsentId{}, person, std::move(reference)));
    line.evidence = commitment_of(out.forms.forms.back());
    out.content.lines.push_back(line);
  }
  return out;
}

}  // namespace

Result<std::string> Api::publish_product(const json& body) {
  const api::Stopwatch watch;
  TRY(const RequestId id, api::request_id(body));
  TRY(const std::string encoded, api::text(body, "content_base64"));
  TRY(const Bytes bytes, crypto::base64_decode(encoded));
  TRY(const contracts::Product product, decode<contracts::Product>(bytes));
  TRY(contracts::check_product(product));
  if (product.currency != services_.genesis.currency ||
      product.minor_digits != services_.genesis.minor_digits) {
    return api::bad_body("the product is in another currency than the chain");
  }
  contracts::ProductRegister content;
  content.product = crypto::random_id<ProductId>();
  const std::string known = api::text_or(body, "product", "");
  if (!known.empty()) {
    TRY(content.product, api::id_from<ProductId>(known, "'product'"));
  }
  TRY(const std::uint64_t version, api::number_or(body, "version", 1, 1, UINT32_MAX));
  content.product_version = static_cast<std::uint32_t>(version);
  content.insurer = services_.self;
  // Whatever the chain must know of the product is what its content says.
  content.cover_basis = product.cover_basis;
  content.authorization = product.authorization;
  content.payer_rank = product.payer_rank;
  content.premium_sources = product.premium_sources;
  content.from_day = product.from_day;
  content.to_day = product.to_day;
  TRY(content.content, claims_.contents.put(bytes));
  TRY(const api::Written<contracts::ProductRegister> written,
      api::write_once(services_, content, id));
  json out = api::write_fields(written, watch.ms());
  out["product"] = written.content.product.hex();
  out["version"] = written.content.product_version;
  out["content"] = written.content.content.hex();
  return out.dump();
}

Result<std::string> Api::register_product(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::claims_adjuster, ledger::Role::data_officer}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  if (body.contains("content_base64")) return publish_product(body);
  contracts::ProductRegister content;
  content.product = crypto::random_id<ProductId>();
  content.insurer = services_.self;
  const auto basis =
      enum_from_name<contracts::CoverBasis>(api::text_or(body, "cover_basis", "discharge"));
  if (!basis) return api::bad_body("'cover_basis' must be admission, discharge or item_date");
  content.cover_basis = *basis;
  TRY(const bool per_claim, api::flag_or(body, "per_claim_authorization", false));
  content.authorization = per_claim ? contracts::ClaimAuthorization::per_claim
                                    : contracts::ClaimAuthorization::standing;
  TRY(const std::uint64_t rank, api::number_or(body, "payer_rank", 10, 0, 1000));
  content.payer_rank = static_cast<std::uint16_t>(rank);
  TRY(content.premium_sources, api::enum_set<contracts::PremiumSource>(body, "premium_sources"));
  TRY(content.from_day, api::civil_day_or(body, "from", std::nullopt));
  TRY(content.to_day, api::civil_day_or(body, "to", std::nullopt));
  TRY(const RequestId id, api::request_id(body));
  TRY(const api::Written<contracts::ProductRegister> written,
      api::write_once(services_, content, id));
  json out = api::write_fields(written, watch.ms());
  out["product"] = written.content.product.hex();
  return out.dump();
}

Result<std::string> Api::enrol(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::claims_adjuster, ledger::Role::data_officer}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId id, api::request_id(body));
  TRY(std::optional<api::Written<PoliciesEnrol>> written,
      api::written_before<PoliciesEnrol>(services_, id));
  if (!written) {
    TRY(const Enrolment enrolment, read_enrolment(services_, body));
    TRY(const bool attest, api::flag_or(body, "attest", true));
    TRY(services_.forms.keep(enrolment.forms));
    ledger::Operation operation = contracts::make_operation(enrolment.content, id);
    if (attest) {
      TRY(const ledger::Cosignature cosignature, attestation_.ask(operation, enrolment.forms));
      operation.cosignatures.push_back(cosignature);
    }
    TRY(OperationOutcome outcome, api::send(services_, std::move(operation)));
    written.emplace(std::move(outcome), enrolment.content, /*repeated=*/false);
  }
  json out = api::write_fields(*written, watch.ms());
  const auto enrolled = contracts::find_event<contracts::Enrolled>(written->outcome.receipt);
  out["attested"] = enrolled && enrolled->attestation != contracts::Attestation::grantee_attested;
  for (const auto& line : written->content.lines) {
    const PolicyId policy = contracts::policy_id(line);
    out["policies"].push_back(policy.hex());
    out["consents"].push_back(contracts::enrolment_consent(policy).hex());
  }
  return out.dump();
}

Result<std::string> Api::give_consent(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::data_officer, ledger::Role::clinician,
                                      ledger::Role::claims_adjuster}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId id, api::request_id(body));
  TRY(std::optional<api::Written<ConsentGive>> written,
      api::written_before<ConsentGive>(services_, id));
  if (!written) {
    TRY(const std::string person, api::person(body));
    TRY(std::string reference, api::form_reference(body));
    ConsentGive content;
    TRY(content.terms, read_terms(services_, body, person));
    KeptForms forms;
    forms.forms.push_back(new_form(content.terms.id, person, std::move(reference)));
    content.terms.evidence = commitment_of(forms.forms.front());
    TRY(services_.forms.keep(forms));
    ledger::Operation operation = contracts::make_operation(content, id);
    TRY(const bool person_signs, api::flag_or(body, "person_signs", false));
    if (person_signs) return api::to_sign(services_, operation).dump();
    TRY(const bool attest, api::flag_or(body, "attest", false));
    if (services_.keys.has_member(key_name::kAttestor) && content.terms.grantee != services_.self) {
      operation.cosignatures.push_back(AttestationDesk::own(services_, operation));
    } else if (attest) {
      TRY(const ledger::Cosignature cosignature, attestation_.ask(operation, forms));
      operation.cosignatures.push_back(cosignature);
    }
    TRY(OperationOutcome outcome, api::send(services_, std::move(operation)));
    written.emplace(std::move(outcome), content, /*repeated=*/false);
  }
  const auto given = contracts::find_event<contracts::ConsentGiven>(written->outcome.receipt);
  json out = api::write_fields(*written, watch.ms());
  out["consent"] = written->content.terms.id.hex();
  out["attestation"] = given && given->attestation != contracts::Attestation::grantee_attested
                           ? "attested"
                           : "grantee_attested";
  return out.dump();
}

Result<std::string> Api::revoke_consent(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::data_officer, ledger::Role::clinician,
                                      ledger::Role::claims_adjuster}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId id, api::request_id(body));
  TRY(std::optional<api::Written<ConsentRevoke>> written,
      api::written_before<ConsentRevoke>(services_, id));
  if (!written) {
    ConsentRevoke content;
    TRY(content.consent, api::id_from<ConsentId>(call.path[2], "the consent"));
    TRY(std::string reference, api::form_reference(body));
    KeptForms forms;
    forms.forms.push_back(new_form(content.consent, "", std::move(reference)));
    content.evidence = commitment_of(forms.forms.front());
    TRY(services_.forms.keep(forms));
    ledger::Operation operation = contracts::make_operation(content, id);
    TRY(const bool person_signs, api::flag_or(body, "person_signs", false));
    if (person_signs) return api::to_sign(services_, operation).dump();
    if (services_.keys.has_member(key_name::kAttestor)) {
      operation.cosignatures.push_back(AttestationDesk::own(services_, operation));
    }
    TRY(OperationOutcome outcome, api::send(services_, std::move(operation)));
    written.emplace(std::move(outcome), content, /*repeated=*/false);
  }
  return api::write_fields(*written, watch.ms()).dump();
}

Result<std::string> Api::consent_form(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::data_officer, ledger::Role::compliance}));
  TRY(const ConsentId id, api::id_from<ConsentId>(call.path[2], "the consent"));
  const auto consent = contracts::find_consent(services_.state(), id);
  if (!consent) return fail(Errc::not_found, "the chain knows no such consent");
  TRY(const KeptForm kept, services_.forms.find(consent->terms.evidence));
  return json{{"consent", id.hex()},
              {"person", kept.form.person},
              {"form", kept.form.reference},
              {"salt", kept.salt.hex()},
              {"canonical", to_hex(encode(kept.form))},
              {"commitment", consent->terms.evidence.hex()}}
      .dump();
}

Result<std::string> Api::query_consents(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::data_officer, ledger::Role::clinician,
                                      ledger::Role::claims_adjuster, ledger::Role::compliance}));
  TRY(const json body, api::body_object(call.http));
  TRY(const std::string person, api::person(body));
  const TimeMs now = services_.chain.header(services_.chain.height())->timestamp;
  json consents = json::array();
  for (const auto& audience : services_.subjects.audiences()) {
    TRY(const contracts::SubjectId subject, services_.subjects.subject(audience, person));
    for (const auto& consent : consents_of(services_.state(), subject)) {
      const auto& terms = consent.terms;
      consents.push_back({{"consent", terms.id.hex()},
                          {"grantee", terms.grantee.hex()},
                          {"grantee_name", institution_name(services_.state(), terms.grantee)},
                          {"purposes", api::enum_list(terms.purposes)},
                          {"classes", api::enum_list(terms.classes)},
                          {"level_max", static_cast<unsigned>(terms.level_ceiling)},
                          {"from_ms", terms.from.value},
                          {"to_ms", terms.to.value},
                          {"attestation", std::string(enum_name(consent.attestation))},
                          {"state", consent_state(consent, now)}});
    }
  }
  return json{{"consents", consents}}.dump();
}

}  // namespace baolian::node
