#include "contracts/facts_writer.h"

namespace baolian::contracts {
namespace {

void write_enforced_basis(FactWriter& facts, const Basis& basis) {
  facts.enforced("basis", name_text(basis.kind));
  facts.enforced("basis_id", basis.id.hex());
}

void write_stated_basis(FactWriter& facts, const Basis& basis, const InstitutionId& reader) {
  facts.stated("basis", name_text(basis.kind), institution_text(reader));
  facts.stated("basis_id", basis.id.hex(), institution_text(reader));
}

/// Fields that local readings and requests share.
template <typename Content>
void write_reader(FactWriter& facts, const Content& content) {
  const std::string reader = institution_text(content.originator.institution);
  facts.enforced("record", record_text(content.record));
  facts.enforced("reader", content.originator.institution.hex());
  if (content.originator.signed_by == SignedBy::member) {
    facts.enforced("member", content.originator.member.hex());
    facts.enforced("mode", name_text(content.mode));
  } else {
    // The mode was checked against the member, who is only stated.
    facts.stated("member", content.originator.member.hex(), reader);
    facts.stated("mode", name_text(content.mode), reader);
  }
  facts.stated("purpose", name_text(content.purpose), reader);
  facts.stated("trigger", name_text(content.trigger), reader);
}

void write_subject(FactWriter& facts, const std::optional<SubjectId>& subject,
                   const InstitutionId& custodian) {
  if (subject) facts.stated("subject", subject_text(*subject), institution_text(custodian));
}

Result<void> write_register(FactWriter& facts) {
  TRY(const RecordsRegister content, fact_content<RecordsRegister>(facts));
  TRY(const RecordRegistered event, fact_event<RecordRegistered>(facts));
  const std::string by = institution_text(event.custodian);
  facts.enforced("record", record_text(event.record));
  facts.enforced("custodian", event.custodian.hex());
  facts.stated("subject", subject_text(content.subject), by);
  facts.stated("class", name_text(content.record_class), by);
  facts.stated("level", name_text(content.level), by);
  facts.stated("commitment", content.commitment.hex(), by);
  return ok();
}

Result<void> write_read(FactWriter& facts) {
  TRY(const RecordsRead content, fact_content<RecordsRead>(facts));
  TRY(const RecordWasRead event, fact_event<RecordWasRead>(facts));
  facts.enforced("reading", "local");
  write_reader(facts, content);
  facts.enforced("custodian", event.custodian.hex());
  write_subject(facts, event.subject, event.custodian);
  if (content.basis.kind == BasisKind::care) {
    write_stated_basis(facts, content.basis, event.reader);
  } else {
    write_enforced_basis(facts, content.basis);
  }
  return ok();
}

Result<void> write_granted(FactWriter& facts, const RecordsRequest& content, const Granted& event) {
  facts.enforced("reading", "granted");
  facts.enforced("grant", event.grant.hex());
  write_reader(facts, content);
  facts.enforced("custodian", event.custodian.hex());
  write_subject(facts, event.subject, event.custodian);
  write_enforced_basis(facts, content.basis);
  facts.enforced("consent", event.consent.hex());
  facts.enforced("attestation", name_text(event.attestation));
  facts.enforced("release_until", time_text(event.expires_at));
  for (const InstitutionId& intermediary : content.via) {
    facts.stated("via", intermediary.hex(), institution_text(event.reader));
  }
  return ok();
}

Result<void> write_request(FactWriter& facts) {
  TRY(const RecordsRequest content, fact_content<RecordsRequest>(facts));
  if (const auto granted = find_event<Granted>(facts.receipt())) {
    return write_granted(facts, content, *granted);
  }
  TRY(const Denied event, fact_event<Denied>(facts));
  facts.enforced("reading", "denied");
  facts.enforced("denied_because", code_text(event.code));
  write_reader(facts, content);
  // What the custodian registered; the event of a denial does not name which custodian.
  if (event.subject) facts.stated("subject", subject_text(*event.subject), "custodian");
  write_stated_basis(facts, content.basis, event.reader);
  return ok();
}

Result<void> write_release(FactWriter& facts) {
  TRY(const RecordsRelease content, fact_content<RecordsRelease>(facts));
  TRY(const Released event, fact_event<Released>(facts));
  const std::string by = institution_text(event.custodian);
  facts.enforced("reading", "released");
  facts.enforced("grant", event.grant.hex());
  facts.enforced("record", record_text(event.record));
  facts.enforced("reader", event.reader.hex());
  facts.enforced("custodian", event.custodian.hex());
  facts.enforced("commitment", content.commitment.hex());
  facts.stated("wrap_hash", content.wrap_hash.hex(), by);
  facts.stated("ciphertext_hash", content.ciphertext_hash.hex(), by);
  facts.enforced("receive_until", time_text(event.ends_at));
  return ok();
}

Result<void> write_receive(FactWriter& facts) {
  TRY(const RecordsReceive content, fact_content<RecordsReceive>(facts));
  TRY(const Received event, fact_event<Received>(facts));
  facts.enforced("reading", "received");
  facts.enforced("grant", event.grant.hex());
  facts.enforced("record", record_text(event.record));
  facts.enforced("reader", event.reader.hex());
  facts.enforced("custodian", event.custodian.hex());
  if (event.result == ReceiveResult::ok) {
    facts.agreed("commitment", content.commitment.hex(),
                 institution_text(event.custodian) + " and " + institution_text(event.reader));
  } else {
    facts.stated("mismatch", content.commitment.hex(), institution_text(event.reader));
  }
  if (const auto opened = find_event<ClaimOpened>(facts.receipt())) {
    facts.enforced("claim_opened", opened->claim.hex());
    facts.enforced("insurer", opened->insurer.hex());
    facts.enforced("decision_due", time_text(opened->due));
  }
  return ok();
}

}  // namespace

Result<void> write_records_facts(OperationKind kind, FactWriter& facts) {
  switch (kind) {
    case OperationKind::records_register:
      return write_register(facts);
    case OperationKind::records_read:
      return write_read(facts);
    case OperationKind::records_request:
      return write_request(facts);
    case OperationKind::records_release:
      return write_release(facts);
    default:
      return write_receive(facts);
  }
}

}  // namespace baolian::contracts
