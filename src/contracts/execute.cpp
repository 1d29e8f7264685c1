#include "contracts/execute.h"

#include <algorithm>

#include "contracts/catalog/catalog.h"
#include "contracts/claims/claims.h"
#include "contracts/consent/consent.h"
#include "contracts/context.h"
#include "contracts/membership/membership.h"
#include "contracts/policies/policies.h"
#include "contracts/products/products.h"
#include "contracts/records/records.h"
#include "contracts/system/system.h"
#include "core/seeded_bug.h"

namespace baolian::contracts {
namespace {

using ledger::ReceiptStatus;
using ledger::Role;
using ledger::Transaction;

constexpr std::size_t kEventsMax = 32;

/// Who sends a transaction that may execute.
struct Sender {
  MemberState member;
  InstitutionState institution;
};

/// Sender, expiry and weight of a transaction, without touching the state.
Code check_sender(const BlockContext& block, const ledger::TransactionBody& body,
                  const std::optional<MemberState>& member) {
  if (!member) return Code::sender_unknown;
  if (!member->is_valid_at(block.time)) return Code::sender_not_valid;
  const bool is_person = member->member.kind == ledger::MemberKind::person;
  if (!is_person && !member->has(Role::gateway) && !member->has(Role::agent)) {
    return Code::sender_role;
  }
  if (body.expires_at < block.time) return Code::transaction_expired;
  const std::uint64_t ahead = body.expires_at.value - block.time.value;
  if (ahead > parameter(block.epoch, ParameterId::transaction_expiry_max_ms)) {
    return Code::expiry_too_far;
  }
  const std::uint64_t share = parameter(block.epoch, ParameterId::transaction_weight_max);
  return declared_weight(block.epoch, body) <= share ? Code::applied : Code::transaction_too_heavy;
}

Code use_nonce(const ledger::TransactionBody& body, ledger::StateOverlay& state) {
  Bytes key = keys::nonce(body.sender);
  auto window = state.read_as<NonceWindow>(key).value_or(NonceWindow{});
  switch (window.ask(body.nonce)) {
    case NonceWindow::Answer::used:
      if (seeded_bug(Bug::skip_nonce_check)) break;
      return Code::nonce_used;
    case NonceWindow::Answer::too_old:
      return Code::nonce_too_old;
    case NonceWindow::Answer::fresh:
      break;
  }
  window.use(body.nonce);
  state.write_as(std::move(key), window);
  return Code::applied;
}

template <typename Content>
Code decode_and_run(OperationContext& context, Code (*rule)(OperationContext&, const Content&)) {
  const auto content = decode<Content>(context.operation.content);
  if (!content) return Code::content_malformed;
  const Code code = check_cosignatures(context);
  if (code != Code::applied) return code;
  return rule(context, *content);
}

Code dispatch(OperationContext& context) {
  switch (static_cast<OperationKind>(context.operation.kind)) {
    case OperationKind::consent_give:
      return decode_and_run<ConsentGive>(context, give_consent);
    case OperationKind::consent_confirm:
      return decode_and_run<ConsentConfirm>(context, confirm_consents);
    case OperationKind::consent_revoke:
      return decode_and_run<ConsentRevoke>(context, revoke_consent);
    case OperationKind::consent_register_key:
      return decode_and_run<ConsentRegisterKey>(context, register_person_key);
    case OperationKind::records_register:
      return decode_and_run<RecordsRegister>(context, register_record);
    case OperationKind::records_read:
      return decode_and_run<RecordsRead>(context, read_record);
    case OperationKind::records_request:
      return decode_and_run<RecordsRequest>(context, request_record);
    case OperationKind::records_release:
      return decode_and_run<RecordsRelease>(context, release_record);
    case OperationKind::records_receive:
      return decode_and_run<RecordsReceive>(context, receive_record);
    case OperationKind::product_register:
      return decode_and_run<ProductRegister>(context, register_product);
    case OperationKind::policies_enrol:
      return decode_and_run<PoliciesEnrol>(context, enrol_policies);
    case OperationKind::claims_report:
      return decode_and_run<ClaimsReport>(context, report_encounter);
    case OperationKind::claims_file:
      return decode_and_run<ClaimsFile>(context, file_claims);
    case OperationKind::claims_decide:
      return decode_and_run<ClaimsDecide>(context, decide_claim);
    case OperationKind::claims_supplement:
      return decode_and_run<ClaimsSupplement>(context, supplement_claim);
    case OperationKind::claims_withdraw:
      return decode_and_run<ClaimsWithdraw>(context, withdraw_claim);
    case OperationKind::claims_pay:
      return decode_and_run<ClaimsPay>(context, pay_claim);
    case OperationKind::claims_explained:
      return decode_and_run<ClaimsExplained>(context, explain_claim);
    case OperationKind::claims_request_review:
      return decode_and_run<ClaimsRequestReview>(context, request_review);
    case OperationKind::claims_late_countersign:
      return decode_and_run<ClaimsLateCountersign>(context, countersign_late);
    case OperationKind::catalog_publish:
      return decode_and_run<CatalogPublish>(context, publish_catalog);
    case OperationKind::system_sweep:
      return decode_and_run<SystemSweep>(context, sweep_deadlines);
    default:
      return find_kind(context.operation.kind) == nullptr ? Code::kind_unknown
                                                          : Code::kind_reserved;
  }
}

void add_leaf(ledger::ExecutedBlock& out, const TxHash& tx_hash, std::uint16_t op_index,
              const PublicKey& sender, Bytes operation, const ledger::Receipt& receipt) {
  out.leaves.push_back({tx_hash, op_index, sender, std::move(operation), encode(receipt)});
}

/// Executes one operation over its own overlay; moves its writes to `state` if it is applied.
void execute_operation(const BlockContext& block, const ledger::TransactionBody& body,
                       const TxId& tx_id, const TxHash& tx_hash, std::uint16_t op_index,
                       const Sender& sender, Roster& roster, ledger::StateOverlay& state,
                       ledger::ExecutedBlock& out) {
  const ledger::Operation& operation = body.operations[op_index];
  ledger::StateOverlay own(static_cast<const ledger::StateReader&>(state));
  OperationContext context{.block = block,
                           .operation = operation,
                           .tx_id = tx_id,
                           .op_index = op_index,
                           .sender_key = body.sender,
                           .sender = sender.member,
                           .sender_institution = sender.institution,
                           .state = own,
                           .roster = roster,
                           .cosigners = {},
                           .person_keys = {},
                           .events = {},
                           .appends = {}};
  Code code = dispatch(context);
  const std::uint64_t written = own.writes().size() + context.appends.size();
  if (code == Code::applied && written > declared_weight(block.epoch, operation)) {
    code = Code::weight_exceeded;
  }
  ledger::Receipt receipt;
  if (code == Code::applied) {
    ASSERT(context.events.size() <= kEventsMax);
    receipt.events = std::move(context.events);
    roster.follow(own.writes());
    own.move_to(state);
    const auto leaf = static_cast<std::uint32_t>(out.leaves.size());
    for (const ledger::LogAppend& append : context.appends) out.appends.push_back({leaf, append});
  } else {
    receipt.status = ReceiptStatus::rejected;
    receipt.code = static_cast<std::uint16_t>(code);
  }
  add_leaf(out, tx_hash, op_index, body.sender, encode(operation), receipt);
}

}  // namespace

Hash contract_id(OperationKind kind, const TxId& tx_id, std::uint16_t op_index,
                 std::uint16_t line) {
  return crypto::hash_in_domain(
      crypto::domain::kId,
      {encode(static_cast<std::uint16_t>(kind)), tx_id.view(), encode(op_index), encode(line)});
}

Hash subject_log_id(const SubjectId& subject) {
  return crypto::hash_in_domain(crypto::domain::kSubjectLog, {encode(subject)});
}

void execute_transaction(const BlockContext& block, const Transaction& transaction,
                         const TxHash& tx_hash, const TxId& tx_id, ledger::StateOverlay& state,
                         ledger::ExecutedBlock& out) {
  const ledger::TransactionBody& body = transaction.body;
  auto member = find_member(state, body.sender);
  Code code = check_sender(block, body, member);
  if (code == Code::applied) code = use_nonce(body, state);
  if (code != Code::applied) {
    ledger::Receipt receipt;
    receipt.status = ReceiptStatus::transaction_rejected;
    receipt.code = static_cast<std::uint16_t>(code);
    add_leaf(out, tx_hash, ledger::kWholeTransaction, body.sender, {}, receipt);
    return;
  }
  auto institution = find_institution(state, member->institution);
  ASSERT(institution.has_value());
  const Sender sender{std::move(*member), std::move(*institution)};
  Roster roster;
  for (std::size_t i = 0; i < body.operations.size(); ++i) {
    execute_operation(block, body, tx_id, tx_hash, static_cast<std::uint16_t>(i), sender, roster,
                      state, out);
  }
}

void finish_block(const BlockContext& block, std::size_t operation_count,
                  ledger::StateOverlay& state) {
  const Bytes prefix = keys::grant_ends();
  const Bytes now = keys::grant_ends_from(block.time);
  const auto ends = state.scan({prefix, {}, now}, operation_count * 2);
  for (const ledger::KeyValue& end : ends) {
    state.erase(end.key);
    state.erase(keys::grant(keys::last_id<GrantId>(end.key)));
  }
}

}  // namespace baolian::contracts
