/// The state of block 0: institutions, members and rules, as genesis names them.
#include "contracts/execute.h"
#include "contracts/state.h"

namespace baolian::contracts {
namespace {

/// The state before block 0.
class EmptyState final : public ledger::StateReader {
 public:
  std::optional<Bytes> read(BytesView) const override { return std::nullopt; }
  std::vector<ledger::KeyValue> scan(const ledger::KeyRange&, std::size_t) const override {
    return {};
  }
};

void write_institution(ledger::StateOverlay& state, const ledger::Institution& institution) {
  state.write_as(keys::institution(institution.id),
                 InstitutionState{{}, institution.name, institution.kinds, institution.region});
  for (const ledger::Member& member : institution.members) {
    state.write_as(keys::member(member.signing_key), MemberState{{}, institution.id, member});
    state.write_as(keys::member_id(institution.id, member.id), MemberKey{{}, member.signing_key});
  }
}

}  // namespace

ledger::StateOverlay::Writes genesis_writes(const ledger::Genesis& genesis) {
  const EmptyState nothing;
  ledger::StateOverlay state(nothing);
  state.write_as(keys::epoch(genesis.epoch.epoch), genesis.epoch);
  state.write_as(keys::rules(),
                 ChainRules{{}, 1, genesis.utc_offset_minutes, genesis.attestor_kinds});
  for (const ledger::Institution& institution : genesis.institutions) {
    write_institution(state, institution);
  }
  return state.take_writes();
}

}  // namespace baolian::contracts
