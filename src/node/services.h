/// What the institution's own parts share: agents, desks and API handlers. References only;
/// node.cpp owns everything and tears it down in reverse order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "contracts/state.h"
#include "crypto/signing.h"
#include "ledger/chain.h"
#include "ledger/genesis.h"
#include "node/claims/opening_book.h"
#include "node/config.h"
#include "node/consent_forms.h"
#include "node/node_keys.h"
#include "node/recipients.h"
#include "node/retries.h"
#include "node/submitter.h"
#include "vault/record_store.h"
#include "vault/release_gate.h"
#include "vault/subject_keys.h"

namespace baolian::node {

/// Sends a message to every node of an institution. Never blocks; what cannot be sent now is tried
/// again by its sender.
using SendToInstitution = std::function<void(const InstitutionId&, Bytes)>;

struct Services {
  const Config& config;
  const ledger::Genesis& genesis;
  InstitutionId self;
  MemberId vault_member;  ///< own member of role vault
  const NodeKeys& keys;
  const vault::SubjectKeys& subjects;
  const ledger::Chain& chain;
  Submitter& submitter;
  vault::RecordStore& records;
  vault::ReleaseGate& gate;
  const ConsentForms& forms;
  OpeningBook& book;
  const Recipients& recipients;
  Retries& retries;
  SendToInstitution send;
  std::function<TimeMs()> clock;

  const ledger::StateReader& state() const { return chain.state(); }
  vault::TrustRoot trust() const {
    return {chain.chain_id(), genesis.epoch, crypto::ed25519_verifier()};
  }
  const crypto::Signer& gateway_key() const { return keys.member(key_name::kGateway); }
  const crypto::Signer& agent_key() const { return keys.member(key_name::kAgent); }
};

/// A step that an agent owes once: its name and the grant or claim that it is of. Its request ids
/// follow from both, so that after a restart the outbox knows what was sent already.
struct AgentStep {
  std::string_view name;  ///< static text
  Hash of;
};

/// Sends the operation that `make` gives for a request id, signed by the agent key; nothing if the
/// step was sent before and has an outcome. `again` runs on the agents' thread after a pause if the
/// step was not sent, or its outcome is not known yet; it should look at the state and come back
/// here.
void submit_step(const Services& services, const AgentStep& step,
                 const std::function<ledger::Operation(const RequestId&)>& make,
                 std::function<void()> again);

/// The member whose key this is. nullopt if it is no member of the chain.
std::optional<contracts::MemberState> member_of_key(const ledger::StateReader& state,
                                                    const PublicKey& key);
/// To which key an institution's vault reads what is sealed; nullopt if it has none.
std::optional<EncryptionKey> vault_key_of(const ledger::Genesis& genesis, const InstitutionId& id);
/// The regulator's key for escrows; nullopt if no member of the chain has that role.
std::optional<EncryptionKey> escrow_key_of(const ledger::Genesis& genesis);
/// The public name of an institution, or its id's first digits.
std::string institution_name(const ledger::StateReader& state, const InstitutionId& id);

/// A record version as the chain keeps it.
struct RecordFacts {
  contracts::RecordState record;
  contracts::RecordVersion version;
};
std::optional<RecordFacts> record_facts(const ledger::StateReader& state,
                                        const contracts::RecordRef& record);

/// The grant and what it is of, ready for the gate; nullopt if the grant has ended.
struct GrantView {
  contracts::GrantState grant;
  vault::GrantFacts facts;
};
std::optional<GrantView> grant_view(const ledger::StateReader& state, const GrantId& id);

/// Consents of a subject, ascending by id.
std::vector<contracts::ConsentState> consents_of(const ledger::StateReader& state,
                                                 const contracts::SubjectId& subject);
/// Attested, not revoked, in its period.
bool is_effective(const contracts::ConsentState& consent, TimeMs block_time);
/// Active policies of a subject whose cover overlaps these civil days by months.
std::vector<contracts::PolicyState> policies_of(const ledger::StateReader& state,
                                                const contracts::SubjectId& subject,
                                                std::uint16_t first_month,
                                                std::uint16_t last_month);
/// Months since 1970-01 of a civil day.
std::uint16_t civil_month(std::uint32_t day);

/// An operation of a certified block with everything that proves it. Requires: the height is
/// certified here, itself or by a later one; then the certificate of that very height must be
/// stored.
Result<vault::CertifiedOperation> certified_operation(const ledger::Chain& chain, Height height,
                                                      std::uint32_t leaf);

/// "rejected: consent_revoked: sentence; advice" as an Error.
Error receipt_error(const ledger::Receipt& receipt);

}  // namespace baolian::node
