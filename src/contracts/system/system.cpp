#include "contracts/system/system.h"

#include <algorithm>

#include "contracts/claims/claims.h"
#include "contracts/membership/membership.h"

namespace baolian::contracts {
namespace {

using ledger::LogKind;
using ledger::Role;

/// Whether a node of the sender's institution votes in this epoch.
bool has_validator(const OperationContext& context) {
  const auto& all = context.block.genesis.institutions;
  const auto own = std::find_if(all.begin(), all.end(), [&](const ledger::Institution& one) {
    return one.id == context.sender.institution;
  });
  if (own == all.end()) return false;
  return std::any_of(own->nodes.begin(), own->nodes.end(), [&](const ledger::Node& node) {
    return crypto::validator_index(context.block.epoch, node.consensus_key).has_value();
  });
}

void emit_alarms(OperationContext& context, const std::vector<Alarm>& alarms) {
  for (std::size_t first = 0; first < alarms.size(); first += kAlarmsPerEvent) {
    const std::size_t end = std::min<std::size_t>(alarms.size(), first + kAlarmsPerEvent);
    AlarmsRaised event;
    event.alarms.assign(alarms.begin() + static_cast<std::ptrdiff_t>(first),
                        alarms.begin() + static_cast<std::ptrdiff_t>(end));
    context.emit(event);
  }
}

}  // namespace

InstitutionId debtor_of(const ClaimState& claim, DeadlineKind kind) {
  switch (kind) {
    case DeadlineKind::hospital_release:
      return claim.reporter;
    case DeadlineKind::person_paper:
    case DeadlineKind::none:
      return {};
    case DeadlineKind::insurer_request:
    case DeadlineKind::insurer_decide:
    case DeadlineKind::insurer_review:
    case DeadlineKind::insurer_pay:
    case DeadlineKind::insurer_explain:
      return claim.insurer();
  }
  return {};
}

Code sweep_deadlines(OperationContext& context, const SystemSweep& content) {
  const Code code = require_role(context, {Role::agent});
  if (code != Code::applied) return code;
  if (!has_validator(context)) return Code::not_a_validator;
  if (content.up_to > context.now()) return Code::sweep_ahead;
  if (content.count_max == 0 || content.count_max > kSweepMax) return Code::sweep_count;

  std::vector<Alarm> alarms;
  const Bytes prefix = keys::deadlines();
  const Bytes later = keys::deadlines_from(TimeMs{content.up_to.value + 1});
  for (const ledger::KeyValue& entry : context.state.scan({prefix, {}, later}, content.count_max)) {
    const auto due = keys::read_deadline(entry.key);
    ASSERT(due.has_value());
    const auto claim = find_claim(context.state, due->claim);
    ASSERT(claim.has_value());
    context.log(LogKind::alarms, Hash{}, alarms.size());
    context.log(LogKind::claim, due->claim, alarms.size());
    alarms.push_back({due->claim, due->kind, due->time, debtor_of(*claim, due->kind)});
    context.state.erase(entry.key);
  }
  emit_alarms(context, alarms);
  return Code::applied;
}

}  // namespace baolian::contracts
