/// State of the view change (consensus.md 1.6): what others said about leaving, what this replica
/// said, and the NEW-VIEW that it waits for or is entering.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "consensus/pbft/proposals.h"

namespace baolian::consensus::pbft {

inline constexpr std::uint64_t kSuspectRepeatMs = 250;     ///< V2: while the reason holds
inline constexpr std::uint64_t kSuspectLifeMs = 1000;      ///< V2: times 2^k
inline constexpr std::uint64_t kViewChangeResendMs = 500;  ///< V9
inline constexpr std::uint64_t kViewChangeFetchMs = 100;   ///< between FETCHes of what V5 names

/// How a VIEW-CHANGE came here.
enum class Passage : std::uint8_t { direct, passed_on };

/// The last SUSPECT of a validator. It counts for a while only: it must not be saved up (V2).
struct HeardSuspect {
  View view;
  Tick until;
};

/// A NEW-VIEW of which some VIEW-CHANGE is not here yet.
struct PendingNewView {
  NewView message;
  SharedBytes bytes;
  std::vector<SharedViewChange> found;  ///< by position of the reference; null while missing
  Tick asked_at;
  std::uint32_t attempts = 0;
};

/// A NEW-VIEW that was accepted: its VIEW_ENTER is on the way to the disk. Nothing is voted before
/// it is there (V8).
struct EnteringView {
  Proposals proposals;
  SharedBytes new_view;
  std::vector<SharedViewChange> view_changes;
};

/// The NEW-VIEW of the present view, for those who are behind (V10).
struct EnteredView {
  SharedBytes new_view;  ///< null in view 0
  std::vector<SharedViewChange> view_changes;
  Proposals proposals;  ///< O
};

/// Bounds:      one VIEW-CHANGE and one SUSPECT a validator, one NEW-VIEW pending.
/// Persistence: `sent` and `own` by VC_SENT, the entered view by VIEW_ENTER; the rest comes again.
struct ViewChanges {
  View sent;                           ///< view of the newest own VIEW-CHANGE; 0 = none
  SharedBytes own;                     ///< its bytes; resent as they are
  std::vector<SharedViewChange> held;  ///< V3: the highest of each validator; null = none
  std::vector<std::optional<HeardSuspect>> heard;
  std::optional<PendingNewView> pending;
  std::optional<EnteringView> entering;
  EnteredView entered;
  std::optional<Proposals> recovered;  ///< O of the entered view, until the first tick adopts it

  std::optional<Tick> resent_at;
  std::optional<Tick> waiting_since;     ///< V9: T0 runs since Q VIEW-CHANGEs are here
  std::optional<SuspectReason> invalid;  ///< the primary of the view in question lied
  std::optional<Tick> suspected_at;
  std::optional<SuspectReason> left_because;  ///< V2: goes on until a view is entered
  std::optional<Tick> left_suspected_at;
  Tick activated_at;  ///< request clock when the view was entered
  Tick heartbeat_at;  ///< clock when the primary was last heard

  /// Validators whose VIEW-CHANGE is for `view` or a higher one.
  std::size_t count_at_least(View view) const {
    std::size_t count = 0;
    for (const SharedViewChange& one : held) {
      if (one != nullptr && one->message.new_view >= view) ++count;
    }
    return count;
  }
};

/// Hashes of certificates that verified: the P entries of a VIEW-CHANGE come again with the next.
class VerifiedCertificates {
 public:
  bool contains(const Hash& hash) const { return hashes_.contains(hash); }
  void add(const Hash& hash) {
    if (hashes_.size() >= kMax) hashes_.clear();
    hashes_.insert(hash);
  }

 private:
  static constexpr std::size_t kMax = 8192;
  std::set<Hash> hashes_;
};

}  // namespace baolian::consensus::pbft
