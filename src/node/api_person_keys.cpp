// A person's own key: its registration, and operations that the person's device cosigned.
#include <algorithm>

#include "contracts/events.h"
#include "contracts/operations.h"
#include "crypto/random.h"
#include "node/api.h"
#include "node/api_json.h"

namespace baolian::node {

using api::json;
using contracts::ConsentRegisterKey;

namespace {

/// "care", or the id of an insurer.
Result<InstitutionId> read_audience(const json& body) {
  const std::string audience = api::text_or(body, "audience", "care");
  if (audience == "care") return InstitutionId{};
  return api::id_from<InstitutionId>(audience, "'audience'");
}

/// Only what a person may cosign; everything else has an endpoint of its own, with its checks.
bool may_be_cosigned(std::uint64_t kind) {
  using Kind = contracts::OperationKind;
  const auto known = static_cast<Kind>(kind);
  return known == Kind::consent_give || known == Kind::consent_confirm ||
         known == Kind::consent_revoke || known == Kind::consent_register_key;
}

Result<ledger::Operation> read_operation(const json& body, const RequestId& id) {
  TRY(const std::uint64_t kind, api::number_or(body, "kind", 0, 1, UINT16_MAX));
  if (!may_be_cosigned(kind)) return api::bad_body("'kind' is none that a person cosigns");
  ledger::Operation out;
  out.kind = static_cast<std::uint16_t>(kind);
  out.request_id = id;
  TRY(const std::string content, api::text(body, "content"));
  TRY(out.content, from_hex(content));
  const auto list = body.find("cosignatures");
  if (list == body.end() || !list->is_array() || list->empty() || list->size() > 4) {
    return api::bad_body("'cosignatures' must be a list of 1 to 4");
  }
  for (const auto& one : *list) {
    if (!one.is_string()) return api::bad_body("each of 'cosignatures' must be hexadecimal");
    TRY(const Bytes bytes, from_hex(one.get<std::string>()));
    TRY(ledger::Cosignature cosignature, decode<ledger::Cosignature>(bytes));
    out.cosignatures.push_back(cosignature);
  }
  const bool by_person =
      std::any_of(out.cosignatures.begin(), out.cosignatures.end(),
                  [](const auto& one) { return one.capacity == ledger::Capacity::person; });
  if (!by_person) return api::bad_body("'cosignatures' must hold the person's own");
  return out;
}

}  // namespace

Result<std::string> Api::register_person_key(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::data_officer, ledger::Role::clinician,
                                      ledger::Role::claims_adjuster}));
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId id, api::request_id(body));
  TRY(const std::string person, api::person(body));
  TRY(const InstitutionId audience, read_audience(body));
  TRY(std::string reference, api::form_reference(body));
  ConsentRegisterKey content;
  TRY(content.subject, services_.subjects.subject(audience, person));
  TRY(const std::string key, api::text(body, "key"));
  TRY(content.key, api::id_from<PublicKey>(key, "'key'"));
  KeptForms forms;
  forms.forms.push_back(new_form(ConsentId{}, person, std::move(reference)));
  content.evidence = commitment_of(forms.forms.front());
  TRY(services_.forms.keep(forms));
  ledger::Operation operation = contracts::make_operation(content, id);
  if (services_.keys.has_member(key_name::kAttestor)) {
    operation.cosignatures.push_back(AttestationDesk::own(services_, operation));
  } else {
    TRY(const ledger::Cosignature cosignature, attestation_.ask(operation, forms));
    operation.cosignatures.push_back(cosignature);
  }
  return api::to_sign(services_, operation).dump();
}

Result<std::string> Api::send_cosigned(const ApiCall& call) {
  TRY(api::require_role(call.member, {ledger::Role::data_officer, ledger::Role::clinician,
                                      ledger::Role::claims_adjuster}));
  const api::Stopwatch watch;
  TRY(const json body, api::body_object(call.http));
  TRY(const RequestId id, api::request_id(body));
  TRY(ledger::Operation operation, read_operation(body, id));
  TRY(std::optional<api::Earlier> earlier, api::find_earlier(services_, id));
  const bool repeated = earlier.has_value();
  if (repeated && earlier->operation.kind != operation.kind) {
    return fail(Errc::already_exists, "this request id was used for another kind of operation");
  }
  if (!repeated) {
    TRY(OperationOutcome outcome, api::send(services_, std::move(operation)));
    earlier.emplace(std::move(outcome), ledger::Operation{});
  }
  const OperationOutcome& outcome = earlier->outcome;
  json out = api::write_fields(outcome, watch.ms());
  if (repeated) out["repeated"] = true;
  if (const auto given = contracts::find_event<contracts::ConsentGiven>(outcome.receipt)) {
    out["consent"] = given->consent.hex();
    out["attestation"] = std::string(enum_name(given->attestation));
  }
  return out.dump();
}

}  // namespace baolian::node
