/// One institutional Claim becomes one invoice with its items (docs/fhir-profile.md, section 3).
/// Internal to gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "gateway/fhir.h"
#include "gateway/fhir_bundle.h"
#include "gateway/payload.h"

namespace baolian::gateway {

/// Reads Money elements in the one currency of the file.
class MoneyReader {
 public:
  MoneyReader(std::string currency, unsigned minor_digits)
      : currency_(std::move(currency)), minor_digits_(minor_digits) {}

  /// Returns: the amount; unknown if `money` is null or has no value. Errc::bad_amount for a number
  /// that cannot be read exactly or another currency, fhir_invalid for another shape.
  Result<std::optional<std::uint64_t>> read(const JsonNode* money, std::string_view place);

  /// How many amounts so far had no currency and were taken in ours.
  std::int64_t without_currency() const { return without_currency_; }

 private:
  std::string currency_;
  unsigned minor_digits_;
  std::int64_t without_currency_ = 0;
};

/// What all invoices of one stay share.
struct StayContext {
  const Bundle& bundle;
  const BundleEntry& encounter;
  int utc_offset_minutes;
  BaseCostItem base_cost_item;
  MoneyReader money;
};

/// True for a Claim that is a bill of a stay: active, use claim, type institutional.
Result<bool> is_institutional_claim(const BundleEntry& entry);

/// The currency that the Claim states first: of its total, else of an item; empty if none.
Result<std::string> stated_currency(const BundleEntry& claim);

/// Appends the Claim's invoice, its items and its problems to the payload.
/// Returns: Errc::fhir_invalid, bad_amount, limit_exceeded (kInvoicesMax, kItemsMax, text lengths).
Result<void> append_invoice(StayContext& stay, const BundleEntry& claim, ClaimPayload& payload);

/// `error` with the place in front of its sentence.
Error error_at(std::string_view place, Error error);

}  // namespace baolian::gateway
