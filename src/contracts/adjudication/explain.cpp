#include "contracts/adjudication/explain.h"

#include <algorithm>

#include "contracts/adjudication/explain_words.h"
#include "contracts/calendar.h"

namespace baolian::contracts {
namespace {

/// Renders one decision. Lives for one call.
class Explanation {
 public:
  Explanation(const Product& product, const ClaimPayload& payload, const Decision& decision,
              Language language, std::string_view person_said)
      : product_(product),
        payload_(payload),
        decision_(decision),
        language_(language),
        person_said_(person_said) {}

  std::string text() {
    summary();
    reasons();
    if (!person_said_.empty()) {
      line({"工作人员的说明：{}", "The person who decided says: {}"}, {std::string(person_said_)});
    }
    rule_1();
    rule_2();
    if (!decision_.lines.empty()) {
      line({"第3、4条 逐张票据、逐项责任计算：", "Rules 3 and 4, invoice by invoice:"}, {});
      for (const DecisionLine& one : decision_.lines) payout_line(one);
      year_line();
    }
    rules_10_and_11();
    route();
    return std::move(out_);
  }

 private:
  std::string pick(const Words& words) const {
    return std::string(language_ == Language::zh ? words.zh : words.en);
  }
  void line(const Words& words, std::initializer_list<std::string> values) {
    out_ += filled(pick(words), values);
    out_ += '\n';
  }
  std::string money(std::uint64_t minor) const { return money_text(product_, minor, language_); }
  std::string name(const BothLanguages& both) const {
    return language_ == Language::zh ? both.zh : both.en;
  }
  std::string number_of(std::size_t invoice) const {
    return invoice < payload_.invoices.size() ? payload_.invoices[invoice].number : "-";
  }

  void summary() {
    line({"产品：{}", "Product: {}"}, {name(product_.name)});
    line({"结论：{}", "Outcome: {}"}, {outcome_text(decision_.outcome, language_)});
    if (decision_.outcome != Outcome::payable) {
      line({"账单合计 {}，目前尚未决定赔付金额。", "The bill is {}; nothing is decided of it yet."},
           {money(decision_.billed)});
      return;
    }
    line({"账单合计 {}，赔付 {}。", "Of the bill of {}, {} is paid."},
         {money(decision_.billed), money(decision_.payable)});
    if (decision_.withheld == Withheld::none || decision_.billed <= decision_.payable) return;
    const bool declared = decision_.withheld == Withheld::declared;
    line(declared
             ? Words{"未赔付的 {} "
                     "属于产品条款写明的扣减（免赔额、分段比例、限额、责任范围或票据余额）"
                     "，为最终结果。",
                     "The remaining {} is withheld by what the product declares (deductible, "
                     "tiers, limits, what it covers, what remains of the invoice). This is final."}
             : Words{"其余 {} 暂不赔付，尚非最终结果，原因如下。",
                     "The remaining {} is withheld provisionally, for the reasons below."},
         {money(decision_.billed - decision_.payable)});
  }

  void reasons() {
    if (decision_.reasons.empty()) return;
    line({"原因：", "Reasons:"}, {});
    constexpr std::size_t kShown = 20;
    for (std::size_t i = 0; i < std::min(kShown, decision_.reasons.size()); ++i) {
      line({"  - {}。", "  - {}."},
           {reason_text(product_, payload_, decision_.reasons[i], language_)});
    }
    if (decision_.reasons.size() > kShown) {
      line({"  - 以及另外 {} 项。", "  - and {} more."},
           {std::to_string(decision_.reasons.size() - kShown)});
    }
  }

  std::int64_t input(const TraceStep& step, std::string_view wanted) const {
    for (const TraceInput& one : step.inputs) {
      if (one.name == wanted) return one.value;
    }
    return -1;
  }

  void rule_1() {
    for (const TraceStep& step : decision_.trace) {
      const std::int64_t total = input(step, "total");
      if (step.rule != 1 || total < 0) continue;
      const auto invoice = static_cast<std::size_t>(input(step, "invoice"));
      const auto items = static_cast<std::uint64_t>(input(step, "items"));
      line(step.result == TraceResult::passed
               ? Words{"第1条 票据 {}：明细合计 {}，与票据金额 {} 一致。",
                       "Rule 1, invoice {}: its items are {} and give its total of {}."}
               : Words{"第1条 票据 {}：明细合计 {}，票据金额 {}，账目不平或支付构成不符。",
                       "Rule 1, invoice {}: its items are {}, its total is {}; items or payments "
                       "do not add up."},
           {number_of(invoice), money(items), money(static_cast<std::uint64_t>(total))});
    }
  }

  void rule_2() {
    for (const TraceStep& step : decision_.trace) {
      if (step.rule != 2) continue;
      const auto day = [&](std::string_view of) {
        return civil_date_text(static_cast<std::uint32_t>(input(step, of)));
      };
      line({"第2条 住院 {} 至 {}；保障期间 {} 至 {}，等待期 {} 天：{}。",
            "Rule 2: the stay was from {} to {}; cover is from {} to {}, waiting period {} days: "
            "{}."},
           {day("admitted_day"), day("discharged_day"), day("cover_from_day"), day("cover_to_day"),
            std::to_string(input(step, "waiting_days")),
            pick(step.result == TraceResult::passed
                     ? Words{"符合", "in order"}
                     : Words{"全部或部分不在保障内", "not or not wholly covered"})});
    }
  }

  std::string tiers_text(const DeductibleGroup& group) const {
    std::string out;
    for (const Tier& tier : group.tiers) {
      if (!out.empty()) out += pick({"，", "; "});
      std::string percent = std::to_string(tier.ratio / 10'000);
      if (tier.ratio % 10'000 != 0) {
        std::string rest = std::to_string(10'000 + tier.ratio % 10'000).substr(1);
        rest.erase(rest.find_last_not_of('0') + 1);
        percent += '.' + rest;
      }
      out += filled(pick({"{} 以上部分 {}%", "above {}, {}%"}), {money(tier.above), percent});
    }
    return out;
  }

  void payout_line(const DecisionLine& one) {
    const auto found =
        std::find_if(product_.liabilities.begin(), product_.liabilities.end(),
                     [&](const Liability& liability) { return liability.id == one.liability; });
    if (found == product_.liabilities.end()) return;
    line({"  票据 {}，责任“{}”：责任范围内费用 {}。", "  Invoice {}, {}: {} of it is covered."},
         {number_of(one.invoice), name(found->name), money(one.eligible)});
    const std::uint64_t grown = one.expense_after - one.expense_before;
    if (grown < one.eligible) {
      line({"    基本医保等已支付或其他赔付后，票据余额只允许计入 {}。",
            "    After basic insurance and earlier payers, {} of it remains to be counted."},
           {money(grown)});
    }
    const DeductibleGroup* group = product_.find_group(found->group);
    if (group == nullptr) return;
    const bool yearly = group->scope == DeductibleScope::policy_year;
    line(yearly ? Words{"    本保单年度累计费用由 {} 增至 {}；年免赔额 {}；赔付比例：{}。",
                        "    The expense of the policy year grows from {} to {}; deductible of "
                        "the year {}; paid: {}."}
                : Words{"    本次理赔累计费用由 {} 增至 {}；每次免赔额 {}；赔付比例：{}。",
                        "    The expense of this claim grows from {} to {}; deductible of a claim "
                        "{}; paid: {}."},
         {money(one.expense_before), money(one.expense_after), money(group->amount),
          tiers_text(*group)});
    line({"    按累计口径应付 {}。", "    By that, {} is due."}, {money(one.by_tiers)});
    if (one.paid < one.by_tiers) {
      line({"    责任年限额 {}、总限额 {} 或票据余额所限，实付 {}。",
            "    Cut by the limit of {}, the total limit of {} or what remains of the invoice: {} "
            "is paid."},
           {money(found->limit), money(product_.total_limit), money(one.paid)});
    }
  }

  void year_line() {
    line({"  本保单已赔付由 {} 增至 {}，总限额 {}。",
          "  Paid under this policy: {} before, {} now; the total limit is {}."},
         {money(decision_.before.total_paid), money(decision_.after.total_paid),
          money(product_.total_limit)});
  }

  void rules_10_and_11() {
    std::size_t looked = 0;
    std::size_t doubts = 0;
    for (const TraceStep& step : decision_.trace) {
      if (step.rule != 10 && step.rule != 11) continue;
      ++looked;
      if (step.result != TraceResult::passed) ++doubts;
    }
    if (looked == 0) return;
    line(doubts == 0 ? Words{"第10、11条 诊断编码与除外责任：未见疑问。",
                             "Rules 10 and 11, diagnoses and exclusions: no doubts."}
                     : Words{"第10、11条 诊断编码与除外责任：{} 处须由人工判断。",
                             "Rules 10 and 11, diagnoses and exclusions: {} for a person."},
         {std::to_string(doubts)});
  }

  /// What the claimant can do now.
  void route() {
    if (decision_.outcome == Outcome::needs_paper) {
      line({"请通过任一成员机构补充上述材料；补充前期限不计。",
            "Bring what is missing through any member institution; the time limit stands still "
            "until then."},
           {});
    } else if (decision_.outcome == Outcome::needs_person) {
      line({"将由保险公司工作人员审核，程序不会自行拒赔。",
            "A member of the insurer's staff decides; no program refuses your claim."},
           {});
    } else if (decision_.withheld == Withheld::provisional) {
      line({"您有权要求说明，并要求人工复核；复核只会增加、不会减少赔付。",
            "You may ask for an explanation and for a review by people; a review can only add."},
           {});
    }
  }

  const Product& product_;
  const ClaimPayload& payload_;
  const Decision& decision_;
  Language language_;
  std::string_view person_said_;
  std::string out_;
};

}  // namespace

std::string explain(const Product& product, const ClaimPayload& payload, const Decision& decision,
                    Language language, std::string_view person_said) {
  return Explanation(product, payload, decision, language, person_said).text();
}

}  // namespace baolian::contracts
