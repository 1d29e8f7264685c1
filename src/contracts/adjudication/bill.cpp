#include "contracts/adjudication/bill.h"

#include <algorithm>

#include "contracts/adjudication/rules.h"

namespace baolian::contracts {
namespace {

bool sets_unknown_class(const ItemClass& set, const std::vector<BillItem>& items) {
  return set.catalogue_class != CatalogueClass::unknown && set.item < items.size() &&
         items[set.item].catalogue_class == CatalogueClass::unknown;
}

bool is_usable(const BillSupplement& supplement, const std::vector<BillItem>& items,
               std::size_t invoices) {
  if (items.size() + supplement.items.size() > kItemsMax) return false;
  for (std::size_t i = 0; i < supplement.item_classes.size(); ++i) {
    const ItemClass& set = supplement.item_classes[i];
    if (!sets_unknown_class(set, items)) return false;
    // A set is ordered by item, then class: the same item twice stands side by side.
    if (i > 0 && supplement.item_classes[i - 1].item >= set.item) return false;
  }
  return std::all_of(supplement.items.begin(), supplement.items.end(), [&](const Item& item) {
    return item.invoice < invoices && item.amount.has_value();
  });
}

}  // namespace

std::uint64_t Accumulators::value(std::uint16_t id) const {
  const auto found = std::lower_bound(
      values.begin(), values.end(), id,
      [](const AccumulatorValue& v, std::uint16_t wanted) { return v.id < wanted; });
  return found != values.end() && found->id == id ? found->amount : 0;
}

AssembledBill assemble(const DecisionInput& input) {
  AssembledBill out;
  out.items.reserve(input.payload.items.size());
  for (const Item& item : input.payload.items) out.items.push_back({&item, item.catalogue_class});
  for (std::size_t i = 0; i < input.supplements.size(); ++i) {
    const BillSupplement& supplement = input.supplements[i];
    const auto index = static_cast<std::uint32_t>(i);
    if (supplement.item_classes.empty() && supplement.items.empty()) {
      out.to_read.push_back(index);
    } else if (!is_usable(supplement, out.items, input.payload.invoices.size())) {
      out.unusable.push_back(index);
    } else {
      for (const ItemClass& set : supplement.item_classes) {
        out.items[set.item].catalogue_class = set.catalogue_class;
      }
      for (const Item& item : supplement.items) out.items.push_back({&item, item.catalogue_class});
    }
  }
  return out;
}

}  // namespace baolian::contracts
