/// The sentences of reasons, and how amounts are written.
#include <array>

#include "contracts/adjudication/explain.h"
#include "contracts/adjudication/explain_words.h"

namespace baolian::contracts {
namespace {

/// What `{}` in the sentence of a reason stands for.
enum class Subject : std::uint8_t { nothing, invoice, item, diagnosis, liability, supplement };

struct ReasonWords {
  ReasonCode code;
  Subject subject;
  Words words;
};

constexpr auto kReasonWords = std::to_array<ReasonWords>({
    {ReasonCode::invoice_without_total,
     Subject::invoice,
     {"票据 {} 没有合计金额", "invoice {} has no total"}},
    {ReasonCode::payment_parts_mismatch,
     Subject::invoice,
     {"票据 {} 的统筹、大病、救助、账户、现金等支付构成与合计金额不符",
      "the payments stated on invoice {} do not give its total"}},
    {ReasonCode::items_total_mismatch,
     Subject::invoice,
     {"票据 {} 的费用明细之和与合计金额不符，请补充缺少的明细",
      "the items of invoice {} do not give its total; bring the lines that are missing"}},
    {ReasonCode::item_without_amount,
     Subject::item,
     {"费用明细“{}”没有金额", "the item {} has no amount"}},
    {ReasonCode::class_unknown,
     Subject::item,
     {"费用明细“{}”未注明甲、乙、丙类", "it is not stated of which catalogue class {} is"}},
    {ReasonCode::diagnosis_ambiguous,
     Subject::diagnosis,
     {"诊断编码 {} 对应多个可能的编码，须由人工确认",
      "the diagnosis code {} can mean several codes; a person decides which"}},
    {ReasonCode::diagnosis_excluded,
     Subject::diagnosis,
     {"诊断编码 {} 可能属于除外责任，须由人工判断",
      "the diagnosis code {} may be excluded; a person decides"}},
    {ReasonCode::diagnosis_unmapped,
     Subject::diagnosis,
     {"诊断编码 {} 没有对照编码，无法与除外责任比较，须由人工判断",
      "the diagnosis code {} has no counterpart to compare with what is excluded; a person "
      "decides"}},
    {ReasonCode::liability_by_person,
     Subject::liability,
     {"可能涉及责任“{}”，该责任由人工核定", "{} may apply, and a person decides on it"}},
    {ReasonCode::supplement_unusable,
     Subject::supplement,
     {"第 {} 份补充材料与账单对不上，须由人工查看",
      "supplement {} does not fit the bill; a person looks at it"}},
    {ReasonCode::amount_too_large,
     Subject::nothing,
     {"账单金额超出程序可计算的范围", "an amount is beyond what the program computes"}},
    {ReasonCode::supplement_to_read,
     Subject::supplement,
     {"第 {} 份补充材料为纸质影像，须由人工阅读", "supplement {} is a paper that a person reads"}},
    {ReasonCode::outside_cover,
     Subject::nothing,
     {"就医日期全部或部分不在保障期间内", "the dates lie wholly or partly outside of the cover"}},
    {ReasonCode::in_waiting_period,
     Subject::nothing,
     {"就医日期全部或部分在等待期内", "the dates lie wholly or partly in the waiting period"}},
    {ReasonCode::dates_reversed,
     Subject::nothing,
     {"出院日期早于入院日期，请医院更正",
      "the stay ends before it begins; the hospital corrects it"}},
    {ReasonCode::declined_by_person,
     Subject::nothing,
     {"经工作人员审核决定不予赔付", "a member of the insurer's staff declined it"}},
});

std::string subject_text(const Product& product, const ClaimPayload& payload,
                         const ReasonWords& words, std::uint32_t detail, Language language) {
  const bool zh = language == Language::zh;
  switch (words.subject) {
    case Subject::nothing:
      return "";
    case Subject::invoice:
      return detail < payload.invoices.size() ? payload.invoices[detail].number : "-";
    case Subject::item:
      if (detail >= payload.items.size()) return zh ? "补充的明细" : "a line that was added";
      return payload.items[detail].name.empty() ? payload.items[detail].code
                                                : payload.items[detail].name;
    case Subject::diagnosis:
      return detail < payload.diagnoses.size() ? payload.diagnoses[detail].code : "-";
    case Subject::liability:
      for (const Liability& liability : product.liabilities) {
        if (liability.id == detail) return zh ? liability.name.zh : liability.name.en;
      }
      return "-";
    case Subject::supplement:
      return std::to_string(std::uint64_t{detail} + 1);
  }
  return "-";
}

}  // namespace

std::string money_text(const Product& product, std::uint64_t minor, Language language) {
  std::string digits = std::to_string(minor);
  const std::size_t after_point = product.minor_digits;
  if (digits.size() <= after_point) digits.insert(0, after_point + 1 - digits.size(), '0');
  const std::size_t whole = digits.size() - after_point;
  std::string out;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  if (after_point > 0) out += '.' + digits.substr(whole);
  const bool yuan = language == Language::zh && product.currency == "CNY";
  return out + ' ' + (yuan ? std::string("元") : product.currency);
}

std::string outcome_text(Outcome outcome, Language language) {
  const bool zh = language == Language::zh;
  switch (outcome) {
    case Outcome::payable:
      return zh ? "已决定" : "decided";
    case Outcome::needs_paper:
      return zh ? "需要补充材料" : "papers are missing";
    case Outcome::needs_person:
      return zh ? "由人工审核" : "a person decides";
  }
  return "";
}

std::string reason_text(const Product& product, const ClaimPayload& payload,
                        const DecisionReason& reason, Language language) {
  for (const ReasonWords& words : kReasonWords) {
    if (words.code != reason.code) continue;
    return filled(language == Language::zh ? words.words.zh : words.words.en,
                  {subject_text(product, payload, words, reason.detail, language)});
  }
  return std::string(enum_name(reason.code));
}

std::string filled(std::string_view pattern, std::initializer_list<std::string> values) {
  std::string out;
  for (const std::string& value : values) {
    const std::size_t gap = pattern.find("{}");
    if (gap == std::string_view::npos) break;
    out += pattern.substr(0, gap);
    // Names come from a bill: none of them begins a line of its own.
    for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    pattern.remove_prefix(gap + 2);
  }
  return out += pattern;
}

}  // namespace baolian::contracts
