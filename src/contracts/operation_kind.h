/// The numbers of all operations. They are part of the format and only grow; a number that a later
/// issue will fill is named here already and refused with Code::kind_reserved.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace baolian::contracts {

enum class OperationKind : std::uint16_t {
  membership_propose = 10,
  membership_approve = 11,
  membership_reject = 12,
  membership_enrol_member = 13,
  membership_suspend_member = 14,
  membership_rotate_key = 15,

  consent_give = 101,
  consent_confirm = 102,
  consent_revoke = 103,
  consent_register_key = 104,

  records_register = 201,
  records_read = 202,
  records_request = 203,
  records_release = 204,
  records_receive = 205,
  records_list = 206,
  records_export = 207,
  records_break_glass = 208,
  records_report = 209,
  records_restrict = 210,
  records_erase = 211,
  records_erase_receipt = 212,
  records_journal = 213,
  records_review = 214,

  product_register = 301,
  policies_enrol = 311,
  policies_lapse = 312,
  policies_refund = 313,
  policies_endorse = 314,
  policies_rebase = 315,
  catalog_publish = 321,

  claims_report = 401,
  claims_file = 402,
  claims_decide = 403,
  claims_supplement = 404,
  claims_pay = 405,
  claims_withdraw = 406,
  claims_request_review = 407,
  claims_undo = 408,
  claims_reverse_invoice = 409,
  claims_amend_discharge = 410,
  claims_late_countersign = 411,
  claims_challenge = 412,
  claims_answer = 413,
  claims_explained = 414,

  system_sweep = 901,
};

/// Whether this build executes a kind or only keeps its number.
enum class Availability : std::uint8_t { available, reserved };

struct KindEntry {
  OperationKind kind;
  std::string_view name;  ///< as in docs/contracts.md, for example "consent.give"
  Availability availability;
};

/// Every kind, ascending by number.
std::span<const KindEntry> operation_kinds();
/// The entry of a number; nullptr for a number that means nothing.
const KindEntry* find_kind(std::uint16_t kind);
/// "consent.give"; empty for a number that means nothing.
std::string_view kind_name(std::uint16_t kind);
std::optional<OperationKind> kind_from_name(std::string_view name);

}  // namespace baolian::contracts
