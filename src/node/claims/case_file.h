/// An opened claim as its insurer sees it: everything that the engine needs, from the chain's
/// state, the vault and the opening book. Opening it is a recorded reading.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "contracts/adjudication/decision.h"
#include "contracts/adjudication/report_check.h"
#include "node/claims/opening_book.h"
#include "node/claims/public_contents.h"
#include "node/services.h"

namespace baolian::node {

struct CaseFile {
  ClaimId id;
  contracts::ClaimState claim;
  contracts::EncounterState encounter;
  contracts::PolicyFacts policy;
  contracts::Product product;
  Hash map_hash;  ///< zeros: none
  std::optional<contracts::CodeMap> map;
  contracts::ClaimPayload payload;
  std::vector<contracts::BillSupplement> supplements;
  std::vector<contracts::InvoiceLine> reported;  ///< tags with their first balances
  std::vector<contracts::ReportDifference> differences;
  Height height;  ///< whose state was read

  contracts::DecisionInput input(std::vector<contracts::InvoiceStanding> standings,
                                 contracts::Accumulators accumulators,
                                 std::optional<contracts::Ruling> ruling) const;
};

/// Reads the claim's payload and supplements, each recorded and certified before it is opened.
/// Waits for some block times; not on the thread that reports heights.
/// Returns: Errc::not_found if a supplement or a public content is not here yet;
/// Errc::not_authorized if the product has no content; the errors of the vault and of the
/// submitter.
Result<CaseFile> open_case(const Services& services, const PublicContents& contents,
                           const ClaimId& id);

/// The newest published code map whose content is here; zeros if there is none.
Hash newest_map(const Services& services, const PublicContents& contents);

}  // namespace baolian::node
