#include "contracts/adjudication/product.h"

#include <algorithm>

#include "contracts/adjudication/payout.h"
#include "crypto/hash.h"

namespace baolian::contracts {
namespace {

Error bad(std::string what) { return fail(Errc::bad_argument, "product: " + std::move(what)); }

std::string group_text(const DeductibleGroup& group) {
  return "deductible group " + std::to_string(group.id);
}

Result<void> check_group(const DeductibleGroup& group) {
  if (group.amount > kExpenseMax) return bad(group_text(group) + ": the deductible is too large");
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < group.tiers.size(); ++i) {
    const Tier& tier = group.tiers[i];
    if (tier.ratio == 0 || tier.ratio > kPartsPerMillion) {
      return bad(group_text(group) + ": a tier pays nothing or more than everything");
    }
    if (tier.above < group.amount) {
      return bad(group_text(group) + ": a tier begins below the deductible");
    }
    if (i > 0 && tier.above <= before) {
      return bad(group_text(group) + ": two tiers begin at the same expense");
    }
    if (tier.above > kExpenseMax) return bad(group_text(group) + ": a tier begins too high");
    before = tier.above;
  }
  return ok();
}

Result<void> check_groups(const Product& product) {
  std::uint16_t expected = 1;
  for (const auto& group : product.groups) {
    if (group.id != expected++) return bad("deductible groups are numbered 1, 2, 3 ...");
    TRY(check_group(group));
  }
  return ok();
}

Result<void> check_range(const CodeRange& range) {
  const auto highest = std::string_view(range.first).substr(0, range.last.size());
  if (highest > range.last) {
    return bad("the code range " + range.first + " to " + range.last + " is empty");
  }
  return ok();
}

Result<void> check_liabilities(const Product& product) {
  std::uint16_t expected = 1;
  std::uint64_t limits = 0;
  std::size_t accumulators = product.groups.size();
  for (const auto& liability : product.liabilities) {
    const std::string name = "liability " + std::to_string(liability.id);
    if (liability.id != expected++) return bad("liabilities are numbered 1, 2, 3 ...");
    if (liability.limit == 0 || liability.limit > kExpenseMax) {
      return bad(name + ": the limit must be above 0");
    }
    if (liability.limit > product.total_limit) {
      return bad(name + ": its limit is above the total limit");
    }
    limits += liability.limit;
    const bool decides = liability.decider == Decider::engine;
    if (decides && product.find_group(liability.group) == nullptr) {
      return bad(name + ": there is no such deductible group");
    }
    for (const auto& range : liability.not_covered) TRY(check_range(range));
    for (const auto& range : liability.covered) TRY(check_range(range));
    if (decides) ++accumulators;
  }
  if (accumulators > kAccumulatorsMax) {
    return bad("deductible groups and liabilities of the engine are more than 16 together");
  }
  // A total that no sum of payouts can reach is a slip of the pen.
  if (product.total_limit > limits) return bad("the total limit is above the sum of the limits");
  return ok();
}

}  // namespace

bool CodeRange::contains(std::string_view code_system, std::string_view code) const {
  if (!system.empty() && system != code_system) return false;
  return code >= first && code.substr(0, last.size()) <= last;
}

bool Liability::takes_code(std::string_view system, std::string_view code) const {
  const auto holds = [&](const CodeRange& range) { return range.contains(system, code); };
  if (std::any_of(not_covered.begin(), not_covered.end(), holds)) return false;
  return covered.empty() || std::any_of(covered.begin(), covered.end(), holds);
}

const DeductibleGroup* Product::find_group(std::uint16_t id) const {
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const DeductibleGroup& group) { return group.id == id; });
  return found == groups.end() ? nullptr : &*found;
}

Result<void> check_product(const Product& product) {
  if (product.to_day < product.from_day) return bad("the last day is before the first");
  if (product.total_limit == 0 || product.total_limit > kExpenseMax) {
    return bad("the total limit must be above 0");
  }
  TRY(check_groups(product));
  TRY(check_liabilities(product));
  for (const auto& range : product.excluded_diagnoses) TRY(check_range(range));
  return ok();
}

Hash product_content_hash(const Product& product) {
  return crypto::hash_in_domain(crypto::domain::kPublicContent, {encode(product)});
}

bool is_order_free(const Product& product) {
  const bool yearly =
      std::all_of(product.groups.begin(), product.groups.end(), [](const DeductibleGroup& group) {
        return group.scope == DeductibleScope::policy_year || group.amount == 0;
      });
  // What a first liability pays of an invoice depends on the bills before, and a second one gets
  // only what remains of it.
  return yearly && product.liabilities.size() == 1 &&
         product.liabilities.front().decider == Decider::engine &&
         product.liabilities.front().limit == product.total_limit;
}

}  // namespace baolian::contracts
