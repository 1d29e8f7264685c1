#include "gateway/product_json.h"

#include <nlohmann/json.hpp>

#include "gateway/dates.h"
#include "gateway/money.h"
#include "gateway/strict_object.h"
#include "ledger/field_limits.h"

namespace baolian::gateway {
namespace {

using contracts::BothLanguages;
using contracts::CodeRange;
using contracts::DeductibleGroup;
using contracts::Liability;
using contracts::Product;
using contracts::Provenance;
using contracts::Tier;
using Json = nlohmann::ordered_json;

// ---------------------------------------------------------------- reading

Result<BothLanguages> read_name(StrictObject object) {
  BothLanguages out;
  TRY(out.zh, object.text("zh"));
  TRY(out.en, object.text("en"));
  TRY(object.finish());
  return out;
}

Result<std::vector<CodeRange>> read_ranges(StrictObject& object, std::string_view key) {
  TRY(std::vector<StrictObject> list, object.objects(key));
  std::vector<CodeRange> out;
  for (StrictObject& one : list) {
    CodeRange range;
    TRY(range.system, one.text("system"));
    TRY(range.first, one.text("first"));
    TRY(range.last, one.text("last"));
    TRY(one.finish());
    out.push_back(std::move(range));
  }
  return out;
}

Result<DeductibleGroup> read_group(StrictObject& object, unsigned minor_digits) {
  DeductibleGroup out;
  TRY(const std::uint64_t id, object.whole("id", UINT16_MAX));
  out.id = static_cast<std::uint16_t>(id);
  TRY(out.amount, object.amount("amount", minor_digits));
  TRY(out.scope, object.choice<contracts::DeductibleScope>("scope"));
  TRY(std::vector<StrictObject> tiers, object.objects("tiers"));
  for (StrictObject& one : tiers) {
    Tier tier;
    TRY(tier.above, one.amount("above", minor_digits));
    TRY(tier.ratio, one.ratio("ratio"));
    TRY(one.finish());
    out.tiers.push_back(tier);
  }
  TRY(object.finish());
  return out;
}

Result<Liability> read_liability(StrictObject& object, unsigned minor_digits) {
  Liability out;
  TRY(const std::uint64_t id, object.whole("id", UINT16_MAX));
  out.id = static_cast<std::uint16_t>(id);
  TRY(StrictObject name, object.object("name"));
  TRY(out.name, read_name(std::move(name)));
  TRY(out.decider, object.choice<contracts::Decider>("decider"));
  TRY(out.base, object.choice<contracts::ExpenseBase>("base"));
  TRY(const std::uint64_t group, object.whole("group", UINT16_MAX));
  out.group = static_cast<std::uint16_t>(group);
  TRY(out.limit, object.amount("limit", minor_digits));
  TRY(out.covered, read_ranges(object, "covered"));
  TRY(out.not_covered, read_ranges(object, "not_covered"));
  TRY(object.finish());
  return out;
}

Result<std::vector<contracts::PremiumSource>> read_premium_sources(StrictObject& object) {
  TRY(const std::vector<std::string> names, object.texts("premium_sources"));
  std::vector<contracts::PremiumSource> out;
  for (const std::string& name : names) {
    const auto source = enum_from_name<contracts::PremiumSource>(name);
    if (!source) {
      return fail(Errc::bad_argument,
                  object.place("premium_sources") + " has a source that is not known");
    }
    out.push_back(*source);
  }
  return out;
}

Result<std::vector<Provenance>> read_provenance(StrictObject& object) {
  TRY(std::vector<StrictObject> list, object.objects("provenance"));
  std::vector<Provenance> out;
  for (StrictObject& one : list) {
    Provenance provenance;
    TRY(provenance.path, one.text("path"));
    TRY(provenance.kind, one.choice<contracts::ProvenanceKind>("kind"));
    TRY(provenance.source, one.text("source"));
    TRY(one.finish());
    out.push_back(std::move(provenance));
  }
  return out;
}

Result<void> read_frame(StrictObject& object, Product& out) {
  TRY(StrictObject name, object.object("name"));
  TRY(out.name, read_name(std::move(name)));
  TRY(out.currency, object.text("currency"));
  if (!is_currency_code(out.currency)) {
    return fail(Errc::bad_argument, "currency must be three capital letters (ISO 4217)");
  }
  TRY(const std::uint64_t digits, object.whole("minor_digits", 4));
  out.minor_digits = static_cast<std::uint8_t>(digits);
  TRY(out.cover_basis, object.choice<contracts::CoverBasis>("cover_basis"));
  TRY(out.authorization, object.choice<contracts::ClaimAuthorization>("authorization"));
  TRY(const std::uint64_t rank, object.whole("payer_rank", UINT16_MAX));
  out.payer_rank = static_cast<std::uint16_t>(rank);
  TRY(out.premium_sources, read_premium_sources(object));
  TRY(out.from_day, object.date("from"));
  TRY(out.to_day, object.date("to"));
  TRY(const std::uint64_t waiting, object.whole("waiting_days", UINT16_MAX));
  out.waiting_days = static_cast<std::uint16_t>(waiting);
  TRY(out.rounding, object.choice<contracts::Rounding>("rounding"));
  TRY(out.total_limit, object.amount("total_limit", out.minor_digits));
  return ok();
}

/// True if `path` is `above` or lies below it.
bool lies_under(std::string_view path, std::string_view above) {
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

Result<void> check_provenance(const Product& product) {
  const std::vector<ProductValue> values = product_values(product);
  for (const ProductValue& one : values) {
    if (one.provenance == nullptr) {
      return fail(Errc::bad_argument, "provenance: nothing says where " + one.path + " comes from");
    }
  }
  for (const Provenance& one : product.provenance) {
    const bool known = std::any_of(values.begin(), values.end(), [&](const ProductValue& value) {
      return lies_under(value.path, one.path);
    });
    if (!known) {
      return fail(Errc::bad_argument, "provenance: the product has no value " + one.path);
    }
  }
  return ok();
}

// ---------------------------------------------------------------- writing

Json name_json(const BothLanguages& name) { return {{"zh", name.zh}, {"en", name.en}}; }

Json ranges_json(const std::vector<CodeRange>& ranges) {
  Json out = Json::array();
  for (const CodeRange& range : ranges) {
    out.push_back({{"system", range.system}, {"first", range.first}, {"last", range.last}});
  }
  return out;
}

Json group_json(const DeductibleGroup& group, unsigned minor_digits) {
  Json tiers = Json::array();
  for (const Tier& tier : group.tiers) {
    tiers.push_back({{"above", decimal_text(tier.above, minor_digits, Zeros::kept)},
                     {"ratio", decimal_text(tier.ratio, kRatioDigits, Zeros::trimmed)}});
  }
  return {{"id", group.id},
          {"amount", decimal_text(group.amount, minor_digits, Zeros::kept)},
          {"scope", enum_name(group.scope)},
          {"tiers", tiers}};
}

Json liability_json(const Liability& liability, unsigned minor_digits) {
  return {{"id", liability.id},
          {"name", name_json(liability.name)},
          {"decider", enum_name(liability.decider)},
          {"base", enum_name(liability.base)},
          {"group", liability.group},
          {"limit", decimal_text(liability.limit, minor_digits, Zeros::kept)},
          {"covered", ranges_json(liability.covered)},
          {"not_covered", ranges_json(liability.not_covered)}};
}

// ---------------------------------------------------------------- values for people

std::string ranges_text(const std::vector<CodeRange>& ranges, const char* if_none) {
  std::string out;
  for (const CodeRange& range : ranges) {
    if (!out.empty()) out += ", ";
    out += range.first == range.last ? range.first : range.first + " to " + range.last;
    if (!range.system.empty()) out += " of " + range.system;
  }
  return out.empty() ? if_none : out;
}

std::string tiers_text(const Product& product, const DeductibleGroup& group) {
  std::string out;
  for (const Tier& tier : group.tiers) {
    if (!out.empty()) out += ", ";
    // Parts per million are ten-thousandths of a percent.
    out += decimal_text(tier.ratio, 4, Zeros::trimmed) + "% above " +
           format_money(tier.above, product.minor_digits, product.currency);
  }
  return out;
}

/// Collects values with their closest provenance.
class Values {
 public:
  explicit Values(const Product& product) : product_(product) {}

  void add(std::string path, std::string value) {
    const Provenance* closest = nullptr;
    for (const Provenance& one : product_.provenance) {
      if (!lies_under(path, one.path)) continue;
      if (closest == nullptr || closest->path.size() < one.path.size()) closest = &one;
    }
    out_.push_back({std::move(path), std::move(value), closest});
  }
  void money(std::string path, std::uint64_t minor) {
    add(std::move(path), format_money(minor, product_.minor_digits, product_.currency));
  }
  void liability(const Liability& one) {
    const std::string at = "liabilities/" + std::to_string(one.id) + '/';
    const bool engine = one.decider == contracts::Decider::engine;
    add(at + "decider", std::string(enum_name(one.decider)));
    add(at + "base", std::string(enum_name(one.base)));
    if (engine) add(at + "group", std::to_string(one.group));
    money(at + "limit", one.limit);
    add(at + "covered", ranges_text(one.covered, "every item"));
    add(at + "not_covered", ranges_text(one.not_covered, "none"));
  }
  std::vector<ProductValue> take() { return std::move(out_); }

 private:
  const Product& product_;
  std::vector<ProductValue> out_;
};

std::string premium_sources_text(const Product& product) {
  std::string out;
  for (const auto source : product.premium_sources) {
    out += (out.empty() ? "" : ", ") + std::string(enum_name(source));
  }
  return out;
}

}  // namespace

Result<Product> read_product_json(std::string_view text) {
  JsonNode node;
  TRY(StrictObject object, parse_strict(text, kProductBytesMax, node));
  Product out;
  TRY(read_frame(object, out));
  TRY(std::vector<StrictObject> groups, object.objects("groups"));
  for (StrictObject& one : groups) {
    TRY(DeductibleGroup group, read_group(one, out.minor_digits));
    out.groups.push_back(std::move(group));
  }
  TRY(std::vector<StrictObject> liabilities, object.objects("liabilities"));
  for (StrictObject& one : liabilities) {
    TRY(Liability liability, read_liability(one, out.minor_digits));
    out.liabilities.push_back(std::move(liability));
  }
  TRY(out.excluded_diagnoses, read_ranges(object, "excluded_diagnoses"));
  TRY(out.provenance, read_provenance(object));
  TRY(object.finish());
  TRY(ledger::check_field_limits(out));
  TRY(contracts::check_product(out));
  TRY(check_provenance(out));
  return out;
}

std::string write_product_json(const Product& product) {
  const unsigned digits = product.minor_digits;
  Json out = {{"name", name_json(product.name)},
              {"currency", product.currency},
              {"minor_digits", product.minor_digits},
              {"cover_basis", enum_name(product.cover_basis)},
              {"authorization", enum_name(product.authorization)},
              {"payer_rank", product.payer_rank}};
  out["premium_sources"] = Json::array();
  for (const auto source : product.premium_sources) {
    out["premium_sources"].push_back(enum_name(source));
  }
  out["from"] = format_civil_day(product.from_day);
  out["to"] = format_civil_day(product.to_day);
  out["waiting_days"] = product.waiting_days;
  out["rounding"] = enum_name(product.rounding);
  out["total_limit"] = decimal_text(product.total_limit, digits, Zeros::kept);
  out["groups"] = Json::array();
  for (const auto& group : product.groups) out["groups"].push_back(group_json(group, digits));
  out["liabilities"] = Json::array();
  for (const auto& liability : product.liabilities) {
    out["liabilities"].push_back(liability_json(liability, digits));
  }
  out["excluded_diagnoses"] = ranges_json(product.excluded_diagnoses);
  out["provenance"] = Json::array();
  for (const auto& one : product.provenance) {
    out["provenance"].push_back(
        {{"path", one.path}, {"kind", enum_name(one.kind)}, {"source", one.source}});
  }
  return out.dump(1) + '\n';
}

std::vector<ProductValue> product_values(const Product& product) {
  Values values(product);
  values.add("currency", product.currency);
  values.add("cover_basis", std::string(enum_name(product.cover_basis)));
  values.add("authorization", std::string(enum_name(product.authorization)));
  values.add("payer_rank", std::to_string(product.payer_rank));
  values.add("premium_sources", premium_sources_text(product));
  values.add("from", format_civil_day(product.from_day));
  values.add("to", format_civil_day(product.to_day));
  values.add("waiting_days", std::to_string(product.waiting_days));
  values.add("rounding", std::string(enum_name(product.rounding)));
  values.money("total_limit", product.total_limit);
  for (const DeductibleGroup& group : product.groups) {
    const std::string at = "groups/" + std::to_string(group.id) + '/';
    values.money(at + "amount", group.amount);
    values.add(at + "scope", std::string(enum_name(group.scope)));
    values.add(at + "tiers", tiers_text(product, group));
  }
  for (const Liability& liability : product.liabilities) values.liability(liability);
  values.add("excluded_diagnoses", ranges_text(product.excluded_diagnoses, "none"));
  return values.take();
}

}  // namespace baolian::gateway
