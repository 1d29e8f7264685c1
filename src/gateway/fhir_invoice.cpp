#include "gateway/fhir_invoice.h"

#include <map>

#include "gateway/dates.h"
#include "gateway/money.h"

namespace baolian::gateway {
namespace {

constexpr std::string_view kInvoiceCodeSystem =
    "https://baolian.example/fhir/NamingSystem/invoice-code";
constexpr std::string_view kInvoiceNumberSystem =
    "https://baolian.example/fhir/NamingSystem/invoice-number";
constexpr std::string_view kPaymentExtension =
    "https://baolian.example/fhir/StructureDefinition/invoice-payment";
constexpr std::string_view kCatalogueExtension =
    "https://baolian.example/fhir/StructureDefinition/catalogue-class";
constexpr std::string_view kSelfPayExtension =
    "https://baolian.example/fhir/StructureDefinition/self-pay";

constexpr std::string_view kBaseCostSystem = "https://baolian.example/fhir/CodeSystem/added-item";
constexpr std::string_view kBaseCostCode = "BASE-COST";
constexpr std::string_view kBaseCostName =
    "base encounter cost, added by --base-cost-item (not in the source) "
    "就诊基础费用（按 --base-cost-item 添加，源文件中没有）";

// Faults of items that are counted, one problem each an invoice.
struct ItemFaults {
  std::int64_t self_pay_exceeds_amount = 0;
  std::int64_t quantity_unreadable = 0;
  std::int64_t other_encounters_named = 0;
  std::int64_t catalogue_class_unreadable = 0;
};

using CareTeam = std::map<std::string, std::string, std::less<>>;  // sequence -> who

Result<std::string> first_identifier(const JsonNode& resource, std::string_view place) {
  TRY(const auto identifiers, list_member(resource, "identifier", place));
  for (const JsonNode& identifier : identifiers) {
    TRY(std::string value, text_member(identifier, "value", kIdentifierBytesMax, place));
    if (!value.empty()) return value;
  }
  return std::string{};
}

Result<CareTeam> read_care_team(const Bundle& bundle, const BundleEntry& claim) {
  const std::string place = claim.place() + " careTeam";
  CareTeam out;
  TRY(const auto members, list_member(*claim.resource, "careTeam", place));
  for (const JsonNode& member : members) {
    TRY(const std::string sequence, number_member(member, "sequence", place));
    TRY(const JsonNode* provider, object_member(member, "provider", place));
    if (provider == nullptr) continue;
    TRY(const JsonNode* identifier, object_member(*provider, "identifier", place));
    std::string who;
    if (identifier != nullptr) {
      TRY(who, text_member(*identifier, "value", kIdentifierBytesMax, place));
    }
    const BundleEntry* practitioner = bundle.resolve(provider);
    if (who.empty() && practitioner != nullptr && practitioner->type == "Practitioner") {
      TRY(who, first_identifier(*practitioner->resource, practitioner->place()));
    }
    if (who.empty()) {
      TRY(who, text_member(*provider, "display", kIdentifierBytesMax, place));
    }
    out.emplace(sequence, std::move(who));
  }
  return out;
}

Result<void> read_numbers(const BundleEntry& claim, Invoice& invoice) {
  const std::string place = claim.place();
  TRY(const auto identifiers, list_member(*claim.resource, "identifier", place));
  for (const JsonNode& identifier : identifiers) {
    TRY(const std::string system, text_member(identifier, "system", kSystemBytesMax, place));
    TRY(std::string value, text_member(identifier, "value", kIdentifierBytesMax, place));
    if (system == kInvoiceCodeSystem && invoice.code.empty()) invoice.code = std::move(value);
    if (system == kInvoiceNumberSystem && invoice.number.empty()) invoice.number = std::move(value);
  }
  if (!invoice.number.empty()) return ok();
  invoice.code.clear();
  TRY(invoice.number, text_member(*claim.resource, "id", kIdentifierBytesMax, place));
  if (!invoice.number.empty()) return ok();
  return fail(Errc::fhir_invalid,
              place + ": neither an invoice number nor an id; give the Claim an identifier");
}

// The parts that the invoice-payment extension states; rest = total less those that are known.
Result<void> read_payment(StayContext& stay, const BundleEntry& claim, Invoice& invoice,
                          std::vector<Problem>& problems) {
  const std::string place = claim.place() + " invoice-payment";
  TRY(const JsonNode* payment, extension(*claim.resource, kPaymentExtension, place));
  const auto part = [&](std::string_view url) -> Result<std::optional<std::uint64_t>> {
    if (payment == nullptr) return std::optional<std::uint64_t>{};
    TRY(const JsonNode* node, extension(*payment, url, place));
    if (node == nullptr) return std::optional<std::uint64_t>{};
    TRY(const JsonNode* money, object_member(*node, "valueMoney", place));
    return stay.money.read(money, place);
  };
  TRY(invoice.basic_pool, part("basic-pool"));
  TRY(invoice.serious_illness, part("serious-illness"));
  TRY(invoice.aid, part("aid"));
  TRY(invoice.account, part("account"));
  TRY(invoice.cash, part("cash"));
  TRY(invoice.rest, part("rest"));
  if (!invoice.total) return ok();

  std::uint64_t known = invoice.rest.value_or(0);
  for (const auto& amount :
       {invoice.basic_pool, invoice.serious_illness, invoice.aid, invoice.account, invoice.cash}) {
    TRY(known, add_amounts(known, amount.value_or(0)));
  }
  const std::int64_t left =
      static_cast<std::int64_t>(*invoice.total) - static_cast<std::int64_t>(known);
  if (left < 0 || (left != 0 && invoice.rest)) {
    problems.push_back({ProblemCode::payment_parts_mismatch, left});
  } else if (!invoice.rest) {
    invoice.rest = static_cast<std::uint64_t>(left);
  }
  return ok();
}

Result<void> read_quantity(const JsonNode& node, std::string_view place, Item& item,
                           ItemFaults& faults) {
  TRY(const JsonNode* quantity, object_member(node, "quantity", place));
  if (quantity == nullptr) return ok();
  TRY(const std::string text, number_member(*quantity, "value", place));
  if (text.empty()) return ok();
  const Result<std::uint64_t> millionths = parse_amount(text, 6);
  // A comparator ("<") makes the number a bound, not a quantity.
  if (!millionths.has_value() || quantity->find("comparator") != nullptr) {
    ++faults.quantity_unreadable;
    return ok();
  }
  item.quantity_millionths = *millionths;
  return ok();
}

Result<void> read_item_extensions(StayContext& stay, const JsonNode& node, std::string_view place,
                                  Item& item, ItemFaults& faults) {
  TRY(const JsonNode* catalogue, extension(node, kCatalogueExtension, place));
  if (catalogue != nullptr) {
    TRY(const std::string code, text_member(*catalogue, "valueCode", kIdentifierBytesMax, place));
    const auto known = enum_from_name<CatalogueClass>(code);
    if (!known) ++faults.catalogue_class_unreadable;
    item.catalogue_class = known.value_or(CatalogueClass::unknown);
  }
  TRY(const JsonNode* self_pay, extension(node, kSelfPayExtension, place));
  if (self_pay == nullptr) return ok();
  TRY(const JsonNode* money, object_member(*self_pay, "valueMoney", place));
  TRY(item.self_pay, stay.money.read(money, place));
  if (item.self_pay && item.amount && *item.self_pay > *item.amount) {
    ++faults.self_pay_exceeds_amount;
  }
  return ok();
}

Result<void> read_item_day(const StayContext& stay, const JsonNode& node, std::string_view place,
                           Item& item) {
  TRY(std::string text, text_member(node, "servicedDate", 64, place));
  TRY(const JsonNode* period, object_member(node, "servicedPeriod", place));
  if (text.empty() && period != nullptr) {
    TRY(text, text_member(*period, "start", 64, place));
  }
  if (text.empty()) return ok();
  const Result<FhirTime> time = parse_fhir_time(text, stay.utc_offset_minutes);
  if (!time.has_value()) return error_at(place, time.error());
  TRY(item.day, civil_day(time->at, stay.utc_offset_minutes));
  return ok();
}

Result<void> count_other_encounters(const StayContext& stay, const JsonNode& node,
                                    std::string_view place, ItemFaults& faults) {
  TRY(const auto encounters, list_member(node, "encounter", place));
  for (const JsonNode& reference : encounters) {
    if (stay.bundle.resolve(&reference) == &stay.encounter) continue;
    ++faults.other_encounters_named;
    break;
  }
  return ok();
}

Result<std::string> prescriber_of(const JsonNode& node, const CareTeam& team,
                                  std::string_view place) {
  const JsonNode* sequences = node.find("careTeamSequence");
  if (sequences == nullptr) return std::string{};
  if (sequences->kind != JsonNode::Kind::list || sequences->items.empty() ||
      sequences->items.front().kind != JsonNode::Kind::number) {
    return fail(Errc::fhir_invalid,
                std::string(place) + ": careTeamSequence must be a list of numbers");
  }
  const auto member = team.find(sequences->items.front().text);
  return member == team.end() ? std::string{} : member->second;
}

Result<Item> read_item(StayContext& stay, const JsonNode& node, const CareTeam& team,
                       const std::string& place, ItemFaults& faults) {
  TRY(refuse_modifiers(node, place));
  Item item;
  TRY(const JsonNode* product, object_member(node, "productOrService", place));
  TRY(Coding coding, first_coding(product, place));
  item.code = std::move(coding.code);
  item.system = std::move(coding.system);
  TRY(item.name, concept_name(product, place));
  TRY(const JsonNode* net, object_member(node, "net", place));
  TRY(item.amount, stay.money.read(net, place));
  TRY(read_quantity(node, place, item, faults));
  TRY(read_item_extensions(stay, node, place, item, faults));
  TRY(read_item_day(stay, node, place, item));
  TRY(count_other_encounters(stay, node, place, faults));
  TRY(item.prescriber, prescriber_of(node, team, place));
  return item;
}

void say(ProblemCode code, std::int64_t detail, std::vector<Problem>& problems) {
  if (detail != 0) problems.push_back({code, detail});
}

// What the items of one invoice, which is not in the payload yet, lack of its total: a problem, or
// the one line that makes up for it.
// Returns: Errc::limit_exceeded if there is no room for the line.
Result<void> settle_difference(const StayContext& stay, std::string_view place,
                               std::int64_t difference, ClaimPayload& payload) {
  // More items than the total has no line of any name to explain it.
  if (difference <= 0 || stay.base_cost_item == BaseCostItem::leave_out) {
    say(ProblemCode::items_total_mismatch, difference, payload.problems);
    return ok();
  }
  if (payload.items.size() >= kItemsMax) {
    return fail(Errc::limit_exceeded, std::string(place) + ": no room for the base cost item; a " +
                                          "stay has at most " + std::to_string(kItemsMax) +
                                          " items");
  }
  Item item;
  item.invoice = static_cast<std::uint16_t>(payload.invoices.size());
  item.code = kBaseCostCode;
  item.system = kBaseCostSystem;
  item.name = kBaseCostName;
  item.amount = static_cast<std::uint64_t>(difference);
  payload.items.push_back(std::move(item));
  say(ProblemCode::base_cost_item_added, difference, payload.problems);
  return ok();
}

Result<void> read_items(StayContext& stay, const BundleEntry& claim, const Invoice& invoice,
                        ClaimPayload& payload) {
  TRY(const CareTeam team, read_care_team(stay.bundle, claim));
  TRY(const auto nodes, list_member(*claim.resource, "item", claim.place()));
  if (nodes.size() > kItemsMax - payload.items.size()) {
    return fail(Errc::limit_exceeded,
                claim.place() + ": a stay has at most " + std::to_string(kItemsMax) + " items");
  }
  ItemFaults faults;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string place = claim.place() + " item " + std::to_string(i);
    TRY(Item item, read_item(stay, nodes[i], team, place, faults));
    const Result<std::uint64_t> more = add_amounts(sum, item.amount.value_or(0));
    if (!more.has_value()) return error_at(place, more.error());
    sum = *more;
    item.invoice = static_cast<std::uint16_t>(payload.invoices.size());
    payload.items.push_back(std::move(item));
  }
  if (invoice.total) {
    const auto difference =
        static_cast<std::int64_t>(*invoice.total) - static_cast<std::int64_t>(sum);
    TRY(settle_difference(stay, claim.place(), difference, payload));
  }
  say(ProblemCode::self_pay_exceeds_amount, faults.self_pay_exceeds_amount, payload.problems);
  say(ProblemCode::quantity_unreadable, faults.quantity_unreadable, payload.problems);
  say(ProblemCode::other_encounters_named, faults.other_encounters_named, payload.problems);
  say(ProblemCode::catalogue_class_unreadable, faults.catalogue_class_unreadable, payload.problems);
  return ok();
}

}  // namespace

Error error_at(std::string_view place, Error error) {
  error.context = std::string(place) + ": " + error.context;
  return error;
}

Result<std::optional<std::uint64_t>> MoneyReader::read(const JsonNode* money,
                                                       std::string_view place) {
  if (money == nullptr) return std::optional<std::uint64_t>{};
  TRY(const std::string value, number_member(*money, "value", place));
  TRY(const std::string currency, text_member(*money, "currency", 64, place));
  if (value.empty()) return std::optional<std::uint64_t>{};
  if (currency_.empty()) {
    return fail(Errc::bad_amount, std::string(place) +
                                      ": an amount without a currency, and none is given; name "
                                      "the currency of the file");
  }
  if (currency.empty()) ++without_currency_;
  if (!currency.empty() && currency != currency_) {
    const std::string found = is_currency_code(currency) ? currency : "another currency";
    return fail(Errc::bad_amount, std::string(place) + ": an amount is in " + found +
                                      ", but amounts here are in " + currency_);
  }
  const Result<std::uint64_t> amount = parse_amount(value, minor_digits_);
  if (!amount.has_value()) return error_at(place, amount.error());
  return std::optional<std::uint64_t>(*amount);
}

Result<bool> is_institutional_claim(const BundleEntry& entry) {
  if (entry.type != "Claim") return false;
  const std::string place = entry.place();
  TRY(const std::string status, text_member(*entry.resource, "status", 64, place));
  TRY(const std::string use, text_member(*entry.resource, "use", 64, place));
  TRY(const JsonNode* type, object_member(*entry.resource, "type", place));
  TRY(const bool institutional, has_code(type, "institutional", place));
  return status == "active" && use == "claim" && institutional;
}

Result<std::string> stated_currency(const BundleEntry& claim) {
  const std::string place = claim.place();
  TRY(const JsonNode* total, object_member(*claim.resource, "total", place));
  if (total != nullptr) {
    TRY(std::string currency, text_member(*total, "currency", 64, place));
    if (!currency.empty()) return currency;
  }
  TRY(const auto items, list_member(*claim.resource, "item", place));
  for (const JsonNode& item : items) {
    TRY(const JsonNode* net, object_member(item, "net", place));
    if (net == nullptr) continue;
    TRY(std::string currency, text_member(*net, "currency", 64, place));
    if (!currency.empty()) return currency;
  }
  return std::string{};
}

Result<void> append_invoice(StayContext& stay, const BundleEntry& claim, ClaimPayload& payload) {
  const std::string place = claim.place();
  TRY(refuse_modifiers(*claim.resource, place));
  if (payload.invoices.size() >= kInvoicesMax) {
    return fail(Errc::limit_exceeded,
                place + ": a stay has at most " + std::to_string(kInvoicesMax) + " invoices");
  }
  Invoice invoice;
  TRY(read_numbers(claim, invoice));
  for (const Invoice& other : payload.invoices) {
    if (other.code == invoice.code && other.number == invoice.number) {
      return fail(Errc::fhir_invalid, place + ": an earlier Claim of the stay is the same invoice");
    }
  }
  TRY(const JsonNode* total, object_member(*claim.resource, "total", place));
  TRY(invoice.total, stay.money.read(total, place + " total"));
  if (!invoice.total) {
    payload.problems.push_back(
        {ProblemCode::invoice_without_total, static_cast<std::int64_t>(payload.invoices.size())});
  }
  TRY(read_payment(stay, claim, invoice, payload.problems));
  TRY(read_items(stay, claim, invoice, payload));
  payload.invoices.push_back(std::move(invoice));
  return ok();
}

}  // namespace baolian::gateway
