#include "ledger/snapshot.h"

#include <string>

namespace baolian::ledger {
namespace {

Error invalid(std::string what) {
  return fail(Errc::evidence_invalid, "snapshot: " + std::move(what));
}

/// The change that the header announces is the one that the head brings, or neither has one.
Result<void> check_pending(const SnapshotHead& head, const crypto::EpochRecord& epoch) {
  const bool is_announced = head.header.epoch_last_height.value != 0;
  if (is_announced != head.pending.has_value()) {
    return invalid("it brings another change of validators than its header announces");
  }
  if (!is_announced) return ok();
  const bool fits = head.pending->epoch == epoch.epoch.next() &&
                    head.pending->first_height == head.header.epoch_last_height.next() &&
                    crypto::validators_hash(*head.pending) == head.header.next_validators_hash;
  if (!fits) return invalid("its pending change of validators is not the announced one");
  return ok();
}

}  // namespace

Result<void> check_snapshot_head(const SnapshotHead& head, const Genesis& genesis,
                                 const crypto::Verifier& verifier) {
  const ChainId chain = chain_id_of(genesis);
  TRY(const crypto::EpochRecord epoch, follow_trail(genesis, chain, head.trail, verifier));
  if (head.header.height.value == 0) return invalid("its height is that of the genesis");
  Header last = head.header;
  TRY(check_header(last, chain, epoch));
  for (const Header& later : head.later_headers) {
    if (later.height != last.height.next() || later.parent_hash != header_hash(last)) {
      return invalid("the later headers do not follow its header");
    }
    TRY(check_header(later, chain, epoch));
    last = later;
  }
  TRY(check_certified(last, head.certificate, chain, epoch, verifier));
  TRY(check_pending(head, epoch));
  const bool bags = head.history.is_well_formed() &&
                    head.history.count == head.header.height.value &&
                    head.history.root() == head.header.history_root;
  if (!bags) return invalid("the history's peaks do not give the header's history_root");
  return ok();
}

}  // namespace baolian::ledger
