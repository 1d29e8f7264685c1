#include "node/attestation.h"

#include <algorithm>

#include "crypto/random.h"
#include "crypto/sealed_box.h"

namespace baolian::node {
namespace {

constexpr std::uint64_t kCosignatureLifeMs = 5 * 60 * 1000;

/// The attestor institution's vault key: where evidence is sealed to.
struct Attestor {
  InstitutionId institution;
  EncryptionKey encryption_key;
};

/// What a line of the operation must have in common with its form.
struct AttestedLine {
  contracts::SubjectId subject;
  ConsentId consent;
  Commitment evidence;
};

bool has_role(const ledger::Member& member, ledger::Role role) {
  return std::find(member.roles.begin(), member.roles.end(), role) != member.roles.end();
}

std::optional<Attestor> find_attestor(const ledger::Genesis& genesis, const InstitutionId& except) {
  for (const auto& institution : genesis.institutions) {
    if (institution.id == except) continue;
    const bool counts =
        std::any_of(institution.kinds.begin(), institution.kinds.end(), [&](auto kind) {
          return std::find(genesis.attestor_kinds.begin(), genesis.attestor_kinds.end(), kind) !=
                 genesis.attestor_kinds.end();
        });
    if (!counts) continue;
    for (const auto& member : institution.members) {
      if (member.kind == ledger::MemberKind::system && has_role(member, ledger::Role::attestor)) {
        return Attestor{institution.id, member.encryption_key};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Result<ledger::Cosignature> AttestationDesk::ask(const ledger::Operation& operation,
                                                 const KeptForms& forms, std::uint64_t timeout_ms) {
  const auto attestor = find_attestor(services_.genesis, services_.self);
  if (!attestor) return fail(Errc::not_found, "no institution of this chain can attest");
  AttestRequest request;
  request.request = crypto::random_id<RequestId>();
  request.kind = operation.kind;
  request.content = operation.content;
  TRY(request.evidence, crypto::seal(attestor->encryption_key, encode(forms)));
  asking_.expect(request.request, attestor->institution);
  services_.send(attestor->institution, encode(request));
  const auto reply = asking_.wait(request.request, timeout_ms);
  if (!reply) {
    return fail(Errc::timed_out, "the attestor's node did not answer; try again or enrol without");
  }
  if (!reply->cosignature)
    return fail(Errc::not_authorized, "the attestor refused: " + reply->reason);
  return *reply->cosignature;
}

ledger::Cosignature AttestationDesk::own(const Services& services,
                                         const ledger::Operation& operation) {
  const TimeMs not_after{services.clock().value + kCosignatureLifeMs};
  return ledger::cosign(operation, ledger::Capacity::attestor, services.self, Nonce{}, not_after,
                        services.chain.chain_id(), services.keys.member(key_name::kAttestor));
}

void AttestationDesk::on_reply(const InstitutionId& from, BytesView message) {
  auto reply = decode<AttestReply>(message);
  if (!reply) return;
  asking_.answer(from, std::move(*reply));
}

void AttestationDesk::on_request(const InstitutionId& from, BytesView message) {
  auto request = decode<AttestRequest>(message);
  if (!request) return;
  services_.send(from, encode(judge(from, *request)));
}

AttestReply AttestationDesk::judge(const InstitutionId& from, const AttestRequest& request) const {
  AttestReply reply;
  reply.request = request.request;
  if (!services_.keys.has_member(key_name::kAttestor)) {
    reply.reason = "this node has no attestor";
    return reply;
  }
  auto opened = crypto::open_sealed(services_.keys.vault_encryption(), request.evidence);
  if (!opened) {
    reply.reason = "the evidence is not sealed to this attestor";
    return reply;
  }
  auto evidence = decode<KeptForms>(opened->view());
  if (!evidence) {
    reply.reason = "the evidence is malformed";
    return reply;
  }
  if (auto checked = check_forms(from, request, *evidence); !checked) {
    reply.reason = checked.error().context;
    return reply;
  }
  if (auto kept = services_.forms.keep(*evidence); !kept) {
    reply.reason = "the attestor cannot keep the forms now; try again later";
    return reply;
  }
  ledger::Operation operation;
  operation.kind = request.kind;
  operation.content = request.content;
  const TimeMs not_after{services_.clock().value + kCosignatureLifeMs};
  reply.cosignature =
      ledger::cosign(operation, ledger::Capacity::attestor, from, Nonce{}, not_after,
                     services_.chain.chain_id(), services_.keys.member(key_name::kAttestor));
  return reply;
}

Result<void> AttestationDesk::check_forms(const InstitutionId& from, const AttestRequest& request,
                                          const KeptForms& evidence) const {
  ledger::Operation operation;
  operation.kind = request.kind;
  operation.content = request.content;
  std::vector<AttestedLine> lines;
  if (auto enrol = contracts::content_of<contracts::PoliciesEnrol>(operation)) {
    for (const auto& line : enrol->lines) {
      lines.push_back({line.subject, ConsentId{}, line.evidence});
    }
  } else if (auto give = contracts::content_of<contracts::ConsentGive>(operation)) {
    lines.push_back({give->terms.subject, give->terms.id, give->terms.evidence});
  } else if (auto own = contracts::content_of<contracts::ConsentRegisterKey>(operation)) {
    lines.push_back({own->subject, ConsentId{}, own->evidence});
  } else {
    return fail(Errc::bad_argument, "only enrolments, consents and persons' keys are attested");
  }
  if (lines.empty() || lines.size() != evidence.forms.size()) {
    return fail(Errc::bad_argument, "the evidence has another number of forms");
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const KeptForm& kept = evidence.forms[i];
    const InstitutionId audience = lines[i].subject.audience;
    if (!audience.is_zero() && audience != from) {
      return fail(Errc::not_authorized, "a line is of another insurer's audience");
    }
    if (kept.form.consent != lines[i].consent || commitment_of(kept) != lines[i].evidence) {
      return fail(Errc::bad_argument,
                  "the form of line " + std::to_string(i) + " is not the one committed to");
    }
    TRY(const contracts::SubjectId derived, services_.subjects.subject(audience, kept.form.person));
    if (derived != lines[i].subject) {
      return fail(Errc::bad_argument, "line " + std::to_string(i) + " is not the person named");
    }
  }
  return ok();
}

}  // namespace baolian::node
