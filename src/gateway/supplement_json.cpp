#include "gateway/supplement_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gateway/dates.h"
#include "gateway/payload.h"
#include "gateway/strict_object.h"
#include "ledger/field_limits.h"

namespace baolian::gateway {
namespace {

using contracts::BillSupplement;
using contracts::ItemClass;
using Json = nlohmann::ordered_json;

Result<ItemClass> read_item_class(StrictObject& object) {
  ItemClass out;
  TRY(const std::uint64_t index, object.whole("item", UINT16_MAX));
  out.item = static_cast<std::uint16_t>(index);
  TRY(out.catalogue_class, object.choice<CatalogueClass>("class"));
  TRY(object.finish());
  if (out.catalogue_class == CatalogueClass::unknown) {
    return fail(Errc::bad_argument, object.place("class") + " must be A, B or C");
  }
  return out;
}

Result<Item> read_line(StrictObject& object, unsigned minor_digits) {
  Item out;
  TRY(const std::uint64_t invoice, object.whole("invoice", UINT16_MAX));
  out.invoice = static_cast<std::uint16_t>(invoice);
  TRY(out.name, object.text("name"));
  TRY(out.code, object.text("code"));
  TRY(const std::uint64_t amount, object.amount("amount", minor_digits));
  out.amount = amount;
  TRY(out.catalogue_class, object.choice<CatalogueClass>("class"));
  if (object.has("system")) {
    TRY(out.system, object.text("system"));
  }
  if (object.has("day")) {
    TRY(const std::uint32_t day, object.date("day"));
    out.day = day;
  }
  TRY(object.finish());
  return out;
}

}  // namespace

Result<BillSupplement> read_supplement_json(std::string_view text, unsigned minor_digits) {
  JsonNode node;
  TRY(StrictObject object, parse_strict(text, kSupplementBytesMax, node));
  BillSupplement out;
  if (object.has("items")) {
    TRY(std::vector<StrictObject> items, object.objects("items"));
    for (StrictObject& one : items) {
      TRY(const ItemClass item, read_item_class(one));
      out.item_classes.push_back(item);
    }
  }
  if (object.has("lines")) {
    TRY(std::vector<StrictObject> lines, object.objects("lines"));
    for (StrictObject& one : lines) {
      TRY(Item line, read_line(one, minor_digits));
      out.items.push_back(std::move(line));
    }
  }
  if (object.has("note")) {
    TRY(out.note, object.text("note"));
  }
  TRY(object.finish());
  std::sort(out.item_classes.begin(), out.item_classes.end());
  const auto same_item = [](const ItemClass& a, const ItemClass& b) { return a.item == b.item; };
  if (std::adjacent_find(out.item_classes.begin(), out.item_classes.end(), same_item) !=
      out.item_classes.end()) {
    return fail(Errc::bad_argument, "items name the same item twice");
  }
  TRY(ledger::check_field_limits(out));
  return out;
}

std::string write_supplement_json(const BillSupplement& supplement, unsigned minor_digits) {
  Json out = {{"items", Json::array()}, {"lines", Json::array()}, {"note", supplement.note}};
  for (const ItemClass& one : supplement.item_classes) {
    out["items"].push_back({{"item", one.item}, {"class", enum_name(one.catalogue_class)}});
  }
  for (const Item& line : supplement.items) {
    Json one = {{"invoice", line.invoice},
                {"name", line.name},
                {"code", line.code},
                {"amount", decimal_text(line.amount.value_or(0), minor_digits, Zeros::kept)},
                {"class", enum_name(line.catalogue_class)}};
    if (!line.system.empty()) one["system"] = line.system;
    if (line.day) one["day"] = format_civil_day(*line.day);
    out["lines"].push_back(std::move(one));
  }
  return out.dump(1) + '\n';
}

}  // namespace baolian::gateway
