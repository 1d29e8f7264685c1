/// Which term each index of the log has: of the entries in the log, and of those certified lately,
/// so that a leader can name the term before the first entry that it still holds.
///
/// Bounds:      forget_below() keeps it short. Ownership: values. Threads: engine-confined.
/// Invariants:  terms do not fall with rising index above the certified height.
#pragma once

#include <map>
#include <optional>

#include "core/ids.h"

namespace baolian::consensus::raft {

class EntryTerms {
 public:
  void set(Height index, View term) { terms_[index] = term; }
  void drop_between(Height first, Height last) {
    if (last < first) return;
    terms_.erase(terms_.lower_bound(first), terms_.upper_bound(last));
  }
  void forget_below(Height index) { terms_.erase(terms_.begin(), terms_.lower_bound(index)); }

  std::optional<View> of(Height index) const {
    const auto at = terms_.find(index);
    return at == terms_.end() ? std::nullopt : std::optional(at->second);
  }
  /// The highest index that has a term; 0 if there is none.
  Height last() const { return terms_.empty() ? Height{} : terms_.rbegin()->first; }
  /// The lowest index above `floor` from which on all entries up to `index` have its term (R5).
  Height first_of_term(Height index, Height floor) const {
    const std::optional<View> term = of(index);
    Height first = index;
    while (first.value > floor.value + 1 && of(Height{first.value - 1}) == term) {
      first = Height{first.value - 1};
    }
    return first;
  }
  /// The highest index of this term.
  std::optional<Height> last_of(View term) const {
    for (auto at = terms_.rbegin(); at != terms_.rend(); ++at) {
      if (at->second == term) return at->first;
    }
    return std::nullopt;
  }

 private:
  std::map<Height, View> terms_;
};

}  // namespace baolian::consensus::raft
