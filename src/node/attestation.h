/// Attestation over the mesh (formats.md, Consent and attestation): an insurer's node asks the
/// bureau's for a cosignature over a whole enrolment; the bureau's node answers by policy.
///
/// Policy of this build: the sealed evidence holds the form of every line, opens its commitment,
/// and the pseudonym that the attestor derives itself for the form's person and the insurer is the
/// one in the line. The attestor keeps the forms. That the person agreed is then stated by it.
#pragma once

#include <string>
#include <vector>

#include "contracts/operations.h"
#include "node/asking.h"
#include "node/institution_messages.h"
#include "node/services.h"

namespace baolian::node {

class AttestationDesk {
 public:
  static constexpr std::uint64_t kAskTimeoutMs = 10'000;

  explicit AttestationDesk(const Services& services) : services_(services) {}

  /// Asks the first institution that has an attestor and is not this one. Waits.
  /// Returns: Errc::not_found if there is none, Errc::timed_out after `timeout_ms`,
  /// Errc::not_authorized with its reason.
  Result<ledger::Cosignature> ask(const ledger::Operation& operation, const KeptForms& forms,
                                  std::uint64_t timeout_ms = kAskTimeoutMs);

  /// This institution's own attestation: it saw the person. Requires: the node has an attestor key.
  static ledger::Cosignature own(const Services& services, const ledger::Operation& operation);

  /// An AttestRequest from a node of `from`: checks and answers it, if this node has an attestor
  /// key.
  void on_request(const InstitutionId& from, BytesView message);
  void on_reply(const InstitutionId& from, BytesView message);

 private:
  AttestReply judge(const InstitutionId& from, const AttestRequest& request) const;
  Result<void> check_forms(const InstitutionId& from, const AttestRequest& request,
                           const KeptForms& evidence) const;

  const Services& services_;
  Asking<AttestReply> asking_;
};

}  // namespace baolian::node
