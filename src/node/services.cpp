#include "node/services.h"

#include <algorithm>
#include <chrono>

#include "contracts/codes.h"
#include "contracts/consent/consent.h"
#include "ledger/merkle.h"

namespace baolian::node {

using contracts::ConsentState;
using contracts::PolicyState;
namespace keys = contracts::keys;

namespace {

std::optional<EncryptionKey> key_of_role(const ledger::Institution& institution,
                                         ledger::Role role) {
  for (const auto& member : institution.members) {
    if (std::find(member.roles.begin(), member.roles.end(), role) != member.roles.end()) {
      return member.encryption_key;
    }
  }
  return std::nullopt;
}

/// An expired attempt can execute no more and is followed by another; a step that expired so often
/// waits for the next restart.
constexpr std::uint8_t kAttemptsMax = 32;

RequestId step_request_id(const AgentStep& step, std::uint8_t attempt) {
  const Hash hash = crypto::hash_in_domain(
      "step", {as_bytes(step.name), as_bytes("/"), step.of.view(), BytesView(&attempt, 1)});
  return RequestId::from(hash.view().first(RequestId::kSize));
}

/// The id under which the step is to be sent now; nullopt if it has an outcome or is still open.
/// `open` says which.
std::optional<RequestId> next_attempt(const Submitter& submitter, const AgentStep& step,
                                      bool& open) {
  open = false;
  for (std::uint8_t attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const RequestId id = step_request_id(step, attempt);
    const auto earlier = submitter.outcome_of(id);
    if (earlier) return std::nullopt;
    if (earlier.error().code == Errc::not_found) return id;
    if (earlier.error().code == Errc::timed_out) continue;
    open = earlier.error().code == Errc::not_certified;
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void submit_step(const Services& services, const AgentStep& step,
                 const std::function<ledger::Operation(const RequestId&)>& make,
                 std::function<void()> again) {
  bool open = false;
  const auto id = next_attempt(services.submitter, step, open);
  if (!id) {
    if (open) services.retries.later(services.clock().value, std::move(again));
    return;
  }
  services.submitter.submit(
      services.agent_key(), {make(*id)},
      [&services, again = std::move(again)](const Result<std::vector<OperationOutcome>>& outcomes) {
        if (!outcomes) services.retries.later(services.clock().value, again);
      });
}

std::optional<contracts::MemberState> member_of_key(const ledger::StateReader& state,
                                                    const PublicKey& key) {
  return ledger::read_as<contracts::MemberState>(state, keys::member(key));
}

std::optional<EncryptionKey> vault_key_of(const ledger::Genesis& genesis, const InstitutionId& id) {
  for (const auto& institution : genesis.institutions) {
    if (institution.id == id) return key_of_role(institution, ledger::Role::vault);
  }
  return std::nullopt;
}

std::optional<EncryptionKey> escrow_key_of(const ledger::Genesis& genesis) {
  for (const auto& institution : genesis.institutions) {
    if (const auto key = key_of_role(institution, ledger::Role::escrow_reader)) return key;
  }
  return std::nullopt;
}

std::string institution_name(const ledger::StateReader& state, const InstitutionId& id) {
  const auto found = ledger::read_as<contracts::InstitutionState>(state, keys::institution(id));
  return found ? found->name : id.hex().substr(0, 12);
}

std::optional<RecordFacts> record_facts(const ledger::StateReader& state,
                                        const contracts::RecordRef& record) {
  auto base = ledger::read_as<contracts::RecordState>(state, keys::record(record.record));
  auto version = ledger::read_as<contracts::RecordVersion>(state, keys::record_version(record));
  if (!base || !version) return std::nullopt;
  return RecordFacts{std::move(*base), std::move(*version)};
}

std::optional<GrantView> grant_view(const ledger::StateReader& state, const GrantId& id) {
  auto grant = ledger::read_as<contracts::GrantState>(state, keys::grant(id));
  if (!grant) return std::nullopt;
  const auto record = record_facts(state, grant->record);
  if (!record) return std::nullopt;
  GrantView out;
  out.facts = {id, grant->record, record->version.commitment, grant->recipient_key};
  out.grant = std::move(*grant);
  return out;
}

std::vector<ConsentState> consents_of(const ledger::StateReader& state,
                                      const contracts::SubjectId& subject) {
  constexpr std::size_t kConsentsShown = 1000;
  std::vector<ConsentState> out;
  const auto collect = [&](const Bytes& prefix) {
    for (const auto& row : state.scan(prefix, {}, kConsentsShown - out.size())) {
      auto consent = contracts::find_consent(state, keys::last_id<ConsentId>(row.key));
      if (consent) out.push_back(std::move(*consent));
    }
  };
  collect(keys::subject_consents(subject));
  // A policy's id is that of the consent that came with it.
  collect(keys::subject_policies(subject));
  std::stable_sort(out.begin(), out.end(), [](const ConsentState& a, const ConsentState& b) {
    return a.given_at < b.given_at;
  });
  return out;
}

bool is_effective(const ConsentState& consent, TimeMs block_time) {
  return consent.attestation != contracts::Attestation::grantee_attested &&
         consent.attested_at <= block_time && consent.revoked_at.value == 0 &&
         consent.terms.from <= block_time && block_time < consent.terms.to;
}

std::vector<PolicyState> policies_of(const ledger::StateReader& state,
                                     const contracts::SubjectId& subject, std::uint16_t first_month,
                                     std::uint16_t last_month) {
  constexpr std::size_t kPoliciesShown = 64;
  std::vector<PolicyState> out;
  for (const auto& row : state.scan(keys::subject_policies(subject), {}, kPoliciesShown)) {
    auto policy =
        ledger::read_as<PolicyState>(state, keys::policy(keys::last_id<PolicyId>(row.key)));
    if (!policy || policy->phase != contracts::PolicyPhase::active) continue;
    if (civil_month(policy->from_day) > last_month || civil_month(policy->to_day) < first_month) {
      continue;
    }
    out.push_back(std::move(*policy));
  }
  return out;
}

std::uint16_t civil_month(std::uint32_t day) {
  using namespace std::chrono;
  const year_month_day date{sys_days{days{static_cast<int>(day)}}};
  const int months = (static_cast<int>(date.year()) - 1970) * 12 +
                     static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  return static_cast<std::uint16_t>(months);
}

Result<vault::CertifiedOperation> certified_operation(const ledger::Chain& chain, Height height,
                                                      std::uint32_t leaf) {
  const auto header = chain.header(height);
  vault::CertifiedOperation out;
  auto certificate = chain.certificate(height);
  for (Height later = height; header && !certificate;) {
    ++later;
    const auto next = chain.header(later);
    if (!next || out.later.size() == vault::kLaterHeadersMax) break;
    out.later.push_back(*next);
    certificate = chain.certificate(later);
  }
  if (!header || !certificate) {
    return fail(Errc::not_certified, "the certificate of this height is not here yet");
  }
  TRY(const auto leaves, chain.read_leaves(height));
  if (leaf >= leaves.size()) return fail(Errc::not_found, "the block has no such operation");
  out.header = *header;
  out.certificate = *certificate;
  out.leaf = leaves[leaf];
  out.leaf_index = leaf;
  out.leaf_count = static_cast<std::uint32_t>(leaves.size());
  TRY(out.path, chain.prove_operation(height, leaf));
  return out;
}

Error receipt_error(const ledger::Receipt& receipt) {
  const auto* entry = contracts::find_code(receipt.code);
  if (entry == nullptr) return fail(Errc::rejected, "code " + std::to_string(receipt.code));
  return fail(Errc::rejected, std::string(entry->name) + ": " + std::string(entry->sentence) + " " +
                                  std::string(entry->advice));
}

}  // namespace baolian::node
