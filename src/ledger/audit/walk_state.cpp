/// The state of a stored chain: its rows must give the newest header's state_root.
#include <algorithm>
#include <thread>

#include "ledger/audit/chain_walk.h"
#include "ledger/state_tree.h"

namespace baolian::ledger {
namespace {

/// Rows per update of the tree: bounds the memory beside the tree itself.
constexpr std::size_t kUpdateRows = std::size_t{1} << 18;

}  // namespace

void ChainWalk::check_state() {
  report.begin("state rows", store.estimated_rows(Family::state));
  StateTree tree(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<StateTree::Change> changes;
  const auto apply = [&] {
    tree.update(std::move(changes));
    changes.clear();
  };
  const bool was_read =
      visit_rows(*this, Family::state, {}, Damage::state, [&](BytesView key, BytesView value) {
        if (key.size() > kStateKeyBytesMax || value.size() > kStateValueBytesMax) {
          report.found(Damage::state, std::nullopt, "state row " + to_hex(key),
                       "it is larger than any contract can write");
        }
        changes.push_back({crypto::sha256(key), crypto::sha256(value)});
        if (changes.size() == kUpdateRows) apply();
        report.advance();
      });
  if (!was_read) return;
  apply();
  if (!newest_header) {
    report.remark("the state could not be compared: the newest header is damaged");
  } else if (tree.root() != newest_header->state_root) {
    report.found(Damage::state, newest_header->height, "state rows",
                 "they do not give the newest header's state_root: a key or value was changed, "
                 "added or lost");
  }
}

}  // namespace baolian::ledger
