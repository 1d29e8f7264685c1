#include "ledger/log_proof.h"

#include <algorithm>

namespace baolian::ledger {
namespace {

/// Entries before `from` and before `to`, of a list whose times do not decrease.
struct Bounds {
  std::size_t before_from = 0;
  std::size_t before_to = 0;
};

Bounds bounds_of(std::span<const LogEntry> entries, TimeMs from, TimeMs to) {
  const auto before = [&](TimeMs limit) {
    return static_cast<std::size_t>(
        std::count_if(entries.begin(), entries.end(),
                      [limit](const LogEntry& entry) { return entry.time < limit; }));
  };
  return {.before_from = before(from), .before_to = before(to)};
}

Result<void> check_empty_log(const Hash& state_root, const LogId& log,
                             const LogWindowProof& proof) {
  if (proof.first_index != 0 || !proof.entries.empty() || !proof.range.empty()) {
    return bad_proof("a log without entries has no window");
  }
  return check_state_proof(state_root, log_state_key(log), std::nullopt, proof.state);
}

Result<void> check_neighbours(TimeMs from, TimeMs to, const LogWindowProof& proof) {
  const auto& entries = proof.entries;
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].time < entries[i - 1].time) return bad_proof("the entries' times decrease");
  }
  const Bounds bounds = bounds_of(entries, from, to);
  const std::size_t after = entries.size() - bounds.before_to;
  if (bounds.before_from > 1 || after > 1) {
    return bad_proof("the window has more than one neighbour on a side");
  }
  if (bounds.before_from == 0 && proof.first_index != 0) {
    return bad_proof("the entry before the window is missing");
  }
  if (after == 0 && proof.first_index + entries.size() != proof.frontier.count) {
    return bad_proof("the entry after the window is missing");
  }
  return ok();
}

}  // namespace

Result<void> check_log_window(const Hash& state_root, TimeMs header_timestamp, const LogId& log,
                              TimeMs from, TimeMs to, const LogWindowProof& proof) {
  if (from > to) return fail(Errc::bad_argument, "a window begins before it ends");
  if (header_timestamp < to) {
    return bad_proof("the header is older than the window's end: entries could still be added");
  }
  const Frontier& frontier = proof.frontier;
  if (!frontier.is_well_formed()) return bad_proof("the frontier's peaks do not fit its count");
  if (frontier.count == 0) return check_empty_log(state_root, log, proof);
  TRY(check_state_proof(state_root, log_state_key(log), encode(frontier), proof.state));
  if (proof.entries.empty()) return bad_proof("the window of a log with entries has a neighbour");
  if (proof.first_index >= frontier.count ||
      proof.entries.size() > frontier.count - proof.first_index) {
    return bad_proof("the window ends beyond the log");
  }
  TRY(check_neighbours(from, to, proof));
  std::vector<Hash> leaf_hashes;
  leaf_hashes.reserve(proof.entries.size());
  for (const LogEntry& entry : proof.entries) {
    leaf_hashes.push_back(merkle_leaf_hash(encode(entry)));
  }
  TRY(const Hash root,
      root_from_range(proof.first_index, leaf_hashes, frontier.count, proof.range));
  if (root != frontier.root()) return bad_proof("the entries are not those of the log");
  return ok();
}

std::span<const LogEntry> entries_in_window(const LogWindowProof& proof, TimeMs from, TimeMs to) {
  const Bounds bounds = bounds_of(proof.entries, from, to);
  if (bounds.before_to <= bounds.before_from) return {};
  return std::span(proof.entries)
      .subspan(bounds.before_from, bounds.before_to - bounds.before_from);
}

std::uint64_t first_index_in_window(const LogWindowProof& proof, TimeMs from) {
  return proof.first_index + bounds_of(proof.entries, from, from).before_from;
}

}  // namespace baolian::ledger
