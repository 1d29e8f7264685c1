/// The words of the claim payload (contracts/claims/payload.h) that this folder speaks all the
/// time.
#pragma once

#include "contracts/claims/payload.h"

namespace baolian::gateway {

using contracts::CatalogueClass;
using contracts::ClaimPayload;
using contracts::Diagnosis;
using contracts::DiagnosisRole;
using contracts::Invoice;
using contracts::Item;
using contracts::kDiagnosesMax;
using contracts::kIdentifierBytesMax;
using contracts::kInvoicesMax;
using contracts::kItemsMax;
using contracts::kNameBytesMax;
using contracts::kProblemsMax;
using contracts::kSystemBytesMax;
using contracts::PersonId;
using contracts::Problem;
using contracts::problem_text;
using contracts::ProblemCode;

}  // namespace baolian::gateway
