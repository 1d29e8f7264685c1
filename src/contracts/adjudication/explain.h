/// A decision in plain words, rule by rule, for the person whose claim it is. Rendered from the
/// decision, never kept: the texts may change, the decision does not.
#pragma once

#include <string>
#include <string_view>

#include "contracts/adjudication/decision.h"

namespace baolian::contracts {

enum class Language : std::uint8_t { zh = 1, en = 2 };

/// Lines of UTF-8, each ended by a newline: what it comes to, why something waits or is withheld,
/// then rule by rule what was looked at. Amounts as "3,112.90 CNY", in Chinese "3,112.90 元" for
/// CNY. Names no person; it has amounts, item names and diagnosis codes, so it is for the claimant
/// and whoever may read the bill, never for a log. Requires: `decision` came of this product and
/// payload.
std::string explain(const Product& product, const ClaimPayload& payload, const Decision& decision,
                    Language language, std::string_view person_said = {});

/// The outcome in a few words, without amounts: "papers are missing", "需要补充材料".
std::string outcome_text(Outcome outcome, Language language);

/// One reason as a sentence without a final full stop.
std::string reason_text(const Product& product, const ClaimPayload& payload,
                        const DecisionReason& reason, Language language);

/// "3,112.90 CNY"; in Chinese "3,112.90 元" for CNY.
std::string money_text(const Product& product, std::uint64_t minor, Language language);

}  // namespace baolian::contracts
