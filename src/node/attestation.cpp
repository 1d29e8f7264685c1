#include "node/attestation.h"

#include <algorithm>
#include <chrono>

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
                                                 const std::vector<std::string>& persons,
                                                 std::uint64_t timeout_ms) {
  const auto attestor = find_attestor(services_.genesis, services_.self);
  if (!attestor) return fail(Errc::not_found, "no institution of this chain can attest");
  AttestEvidence evidence;
  evidence.persons = persons;
  AttestRequest request;
  request.request = crypto::random_id<RequestId>();
  request.kind = operation.kind;
  request.content = operation.content;
  TRY(request.evidence, crypto::seal(attestor->encryption_key, encode(evidence)));
  {
    const std::lock_guard lock(mutex_);
    waiting_[request.request] = {attestor->institution, std::nullopt};
  }
  services_.send(attestor->institution, encode(request));
  std::unique_lock lock(mutex_);
  const bool answered = arrived_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] {
    return waiting_[request.request].reply.has_value();
  });
  const auto reply = std::move(waiting_[request.request].reply);
  waiting_.erase(request.request);
  if (!answered) {
    return fail(Errc::timed_out, "the attestor's node did not answer; try again or enrol without");
  }
  if (!reply->cosignature)
    return fail(Errc::not_authorized, "the attestor refused: " + reply->reason);
  return *reply->cosignature;
}

void AttestationDesk::on_reply(const InstitutionId& from, BytesView message) {
  auto reply = decode<AttestReply>(message);
  if (!reply) return;
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(reply->request);
  if (found == waiting_.end() || found->second.attestor != from) return;
  found->second.reply = std::move(*reply);
  arrived_.notify_all();
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
  auto evidence = decode<AttestEvidence>(opened->view());
  if (!evidence) {
    reply.reason = "the evidence is malformed";
    return reply;
  }
  if (auto checked = check_subjects(from, request, *evidence); !checked) {
    reply.reason = checked.error().context;
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

Result<void> AttestationDesk::check_subjects(const InstitutionId& from,
                                             const AttestRequest& request,
                                             const AttestEvidence& evidence) const {
  ledger::Operation operation;
  operation.kind = request.kind;
  operation.content = request.content;
  std::vector<contracts::SubjectId> subjects;
  if (auto enrol = contracts::content_of<contracts::PoliciesEnrol>(operation)) {
    for (const auto& line : enrol->lines) subjects.push_back(line.subject);
  } else if (auto give = contracts::content_of<contracts::ConsentGive>(operation)) {
    subjects.push_back(give->terms.subject);
  } else {
    return fail(Errc::bad_argument, "only enrolments and consents are attested");
  }
  if (subjects.size() != evidence.persons.size()) {
    return fail(Errc::bad_argument, "the evidence names another number of persons");
  }
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const InstitutionId audience = subjects[i].audience;
    if (!audience.is_zero() && audience != from) {
      return fail(Errc::not_authorized, "a line is of another insurer's audience");
    }
    TRY(const contracts::SubjectId derived,
        services_.subjects.subject(audience, evidence.persons[i]));
    if (derived != subjects[i]) {
      return fail(Errc::bad_argument, "line " + std::to_string(i) + " is not the person named");
    }
  }
  return ok();
}

}  // namespace baolian::node
