/// The consent contract: who may read what of whom for what, and who vouches that the person said
/// so.
#pragma once

#include "contracts/context.h"

namespace baolian::contracts {

Code give_consent(OperationContext& context, const ConsentGive& content);
Code confirm_consents(OperationContext& context, const ConsentConfirm& content);
Code revoke_consent(OperationContext& context, const ConsentRevoke& content);
Code register_person_key(OperationContext& context, const ConsentRegisterKey& content);

/// How the consents of this operation for this grantee are attested.
struct AttestedBy {
  Attestation attestation{Attestation::grantee_attested};
  InstitutionId institution;  ///< zeros but for an attestor
};
AttestedBy attestation_for(const OperationContext& context, const InstitutionId& grantee);

/// A reading, or a filing, that is to rest on a consent.
struct ConsentUse {
  InstitutionId grantee;
  SubjectId subject;
  InstitutionId custodian;
  Purpose purpose{Purpose::treat};
  RecordClass record_class{RecordClass::document};
  Level level{Level::one};
  ReadMode mode{ReadMode::human};
  std::optional<Tag32> encounter;  ///< known for filings and claims
};
/// Whether a consent carries this use at the block's time: applied, or why not.
Code check_consent(const OperationContext& context, const std::optional<ConsentState>& consent,
                   const ConsentUse& use);
/// A consent that was given by itself or came with a policy; nullopt if there is none of this id.
std::optional<ConsentState> find_consent(const ledger::StateReader& state, const ConsentId& id);

}  // namespace baolian::contracts
