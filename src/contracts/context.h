/// What a rule of a native contract sees, and where it puts what it brings about. Internal to
/// contracts/.
#pragma once

#include <optional>
#include <vector>

#include "contracts/codes.h"
#include "contracts/events.h"
#include "contracts/execute.h"
#include "contracts/membership/roster.h"
#include "contracts/operations.h"
#include "contracts/parameters.h"
#include "contracts/state.h"
#include "ledger/log.h"

namespace baolian::contracts {

/// A cosigner whose signature, validity and capacity were checked.
struct Cosigner {
  ledger::Capacity capacity{};
  PublicKey key;
  MemberState member;
  InstitutionState institution;
};

/// One operation on its way. Writes go to an overlay that is dropped unless the rule answers
/// Code::applied; so do events and log appends.
/// Ownership: refers to block, operation and state; lives for one operation.
struct OperationContext {
  const BlockContext& block;
  const ledger::Operation& operation;
  TxId tx_id;
  std::uint16_t op_index = 0;
  PublicKey sender_key;
  const MemberState& sender;
  const InstitutionState& sender_institution;
  ledger::StateOverlay& state;
  Roster& roster;  ///< of the transaction
  std::vector<Cosigner> cosigners;
  /// Cosigners of capacity person: the signatures hold; whose keys they are, a rule must ask.
  std::vector<PublicKey> person_keys;

  std::vector<ledger::Event> events;
  std::vector<ledger::LogAppend> appends;

  TimeMs now() const { return block.time; }
  std::uint64_t parameter(ParameterId id) const { return contracts::parameter(block.epoch, id); }
  TimeMs after(ParameterId duration) const { return now() + parameter(duration); }

  template <typename Body>
  void emit(const Body& body) {
    events.push_back(make_event(body));
  }
  template <typename Tag>
  void log(ledger::LogKind kind, const FixedBytes<Tag, 32>& id, std::size_t line = 0) {
    appends.push_back({{kind, id_cast<Hash>(id)}, static_cast<std::uint16_t>(line)});
  }
  void log(ledger::LogKind kind, const SubjectId& subject, std::size_t line = 0) {
    log(kind, subject_log_id(subject), line);
  }
};

}  // namespace baolian::contracts
