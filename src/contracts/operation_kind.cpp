#include "contracts/operation_kind.h"

#include <array>

namespace baolian::contracts {
namespace {

constexpr auto kAvailable = Availability::available;
constexpr auto kReserved = Availability::reserved;

constexpr std::array kKinds{
    KindEntry{OperationKind::membership_propose, "membership.propose", kReserved},
    KindEntry{OperationKind::membership_approve, "membership.approve", kReserved},
    KindEntry{OperationKind::membership_reject, "membership.reject", kReserved},
    KindEntry{OperationKind::membership_enrol_member, "membership.enrol_member", kReserved},
    KindEntry{OperationKind::membership_suspend_member, "membership.suspend_member", kReserved},
    KindEntry{OperationKind::membership_rotate_key, "membership.rotate_key", kReserved},
    KindEntry{OperationKind::consent_give, "consent.give", kAvailable},
    KindEntry{OperationKind::consent_confirm, "consent.confirm", kAvailable},
    KindEntry{OperationKind::consent_revoke, "consent.revoke", kAvailable},
    KindEntry{OperationKind::consent_register_key, "consent.register_key", kAvailable},
    KindEntry{OperationKind::records_register, "records.register", kAvailable},
    KindEntry{OperationKind::records_read, "records.read", kAvailable},
    KindEntry{OperationKind::records_request, "records.request", kAvailable},
    KindEntry{OperationKind::records_release, "records.release", kAvailable},
    KindEntry{OperationKind::records_receive, "records.receive", kAvailable},
    KindEntry{OperationKind::records_list, "records.list", kReserved},
    KindEntry{OperationKind::records_export, "records.export", kReserved},
    KindEntry{OperationKind::records_break_glass, "records.break_glass", kReserved},
    KindEntry{OperationKind::records_report, "records.report", kReserved},
    KindEntry{OperationKind::records_restrict, "records.restrict", kReserved},
    KindEntry{OperationKind::records_erase, "records.erase", kReserved},
    KindEntry{OperationKind::records_erase_receipt, "records.erase_receipt", kReserved},
    KindEntry{OperationKind::records_journal, "records.journal", kReserved},
    KindEntry{OperationKind::records_review, "records.review", kReserved},
    KindEntry{OperationKind::product_register, "product.register", kAvailable},
    KindEntry{OperationKind::policies_enrol, "policies.enrol", kAvailable},
    KindEntry{OperationKind::policies_lapse, "policies.lapse", kReserved},
    KindEntry{OperationKind::policies_refund, "policies.refund", kReserved},
    KindEntry{OperationKind::policies_endorse, "policies.endorse", kReserved},
    KindEntry{OperationKind::policies_rebase, "policies.rebase", kReserved},
    KindEntry{OperationKind::catalog_publish, "catalog.publish", kAvailable},
    KindEntry{OperationKind::claims_report, "claims.report", kAvailable},
    KindEntry{OperationKind::claims_file, "claims.file", kAvailable},
    KindEntry{OperationKind::claims_decide, "claims.decide", kAvailable},
    KindEntry{OperationKind::claims_supplement, "claims.supplement", kAvailable},
    KindEntry{OperationKind::claims_pay, "claims.pay", kAvailable},
    KindEntry{OperationKind::claims_withdraw, "claims.withdraw", kAvailable},
    KindEntry{OperationKind::claims_request_review, "claims.request_review", kAvailable},
    KindEntry{OperationKind::claims_undo, "claims.undo", kReserved},
    KindEntry{OperationKind::claims_reverse_invoice, "claims.reverse_invoice", kReserved},
    KindEntry{OperationKind::claims_amend_discharge, "claims.amend_discharge", kReserved},
    KindEntry{OperationKind::claims_late_countersign, "claims.late_countersign", kAvailable},
    KindEntry{OperationKind::claims_challenge, "claims.challenge", kReserved},
    KindEntry{OperationKind::claims_answer, "claims.answer", kReserved},
    KindEntry{OperationKind::claims_explained, "claims.explained", kAvailable},
    KindEntry{OperationKind::system_sweep, "system.sweep", kAvailable},
};

}  // namespace

std::span<const KindEntry> operation_kinds() { return kKinds; }

const KindEntry* find_kind(std::uint16_t kind) {
  for (const KindEntry& entry : kKinds) {
    if (static_cast<std::uint16_t>(entry.kind) == kind) return &entry;
  }
  return nullptr;
}

std::string_view kind_name(std::uint16_t kind) {
  const KindEntry* entry = find_kind(kind);
  return entry == nullptr ? std::string_view{} : entry->name;
}

std::optional<OperationKind> kind_from_name(std::string_view name) {
  for (const KindEntry& entry : kKinds) {
    if (entry.name == name) return entry.kind;
  }
  return std::nullopt;
}

}  // namespace baolian::contracts
