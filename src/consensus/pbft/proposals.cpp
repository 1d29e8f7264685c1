#include "consensus/pbft/proposals.h"

#include <map>

#include "core/assert.h"
#include "core/seeded_bug.h"

namespace baolian::consensus::pbft {
namespace {

/// The prepared digest of the highest view, by height.
using Chosen = std::map<Height, crypto::Vote>;

/// False if the entry contradicts one of the same height and view.
bool choose(Chosen& chosen, const crypto::Vote& vote) {
  const auto [at, is_new] = chosen.emplace(vote.height, vote);
  if (is_new) return true;
  crypto::Vote& best = at->second;
  if (best.view == vote.view) return best.digest == vote.digest;
  const bool wins =
      seeded_bug(Bug::choose_lowest_view) ? vote.view < best.view : vote.view > best.view;
  if (wins) best = vote;
  return true;
}

}  // namespace

ProposalsOutcome compute_proposals(const ChainId& chain, Epoch epoch, View view,
                                   std::span<const SharedViewChange> view_changes) {
  ASSERT(!view_changes.empty());
  ProposalsOutcome out;
  out.proposals.view = view;
  for (const SharedViewChange& held : view_changes) {
    ASSERT(held->message.new_view == view || seeded_bug(Bug::new_view_of_stale_changes));
    if (held->message.certified < out.proposals.checkpoint) continue;
    out.proposals.checkpoint = held->message.certified;
    out.checkpoint = held->message.checkpoint;
  }
  Chosen chosen;
  for (const SharedViewChange& held : view_changes) {
    for (const crypto::VoteCertificate& entry : held->message.prepared) {
      if (entry.vote.height <= out.proposals.checkpoint) continue;
      if (!choose(chosen, entry.vote)) out.contradiction = true;
    }
  }
  if (seeded_bug(Bug::choose_null_always)) {
    for (auto& [height, vote] : chosen) vote.digest = null_digest(chain, epoch, height);
  }
  if (chosen.empty()) return out;
  const Height top = chosen.rbegin()->first;
  for (Height height = out.proposals.checkpoint.next(); height <= top; ++height) {
    const auto found = chosen.find(height);
    if (found == chosen.end() && seeded_bug(Bug::ignore_heights_above_gap)) break;
    if (found == chosen.end() && seeded_bug(Bug::close_gaps_in_o)) continue;
    out.proposals.digests.push_back(found == chosen.end() ? null_digest(chain, epoch, height)
                                                          : found->second.digest);
  }
  return out;
}

Hash proposals_hash(const Proposals& proposals) { return crypto::sha256(encode(proposals)); }

}  // namespace baolian::consensus::pbft
