#include "ledger/audit/report.h"

#include "core/assert.h"

namespace baolian::ledger {
namespace {

constexpr std::uint64_t kProgressEach = 256;  // things between two words about progress

constexpr std::string_view kReindex =
    "Stop the node, keep a copy of store/ for the inquiry and run baoliand --reindex --config "
    "FILE: "
    "the index is made again from the blocks.";
constexpr std::string_view kRebuildStore =
    "Stop the node, keep store/ for the inquiry, move it away and start: it is built again from "
    "log and peers.";

}  // namespace

std::string_view remedy_of(Damage damage) {
  switch (damage) {
    case Damage::log_entry:
    case Damage::log_subtree:
    case Damage::index:
      return kReindex;
    case Damage::consensus_log:
      return "Keep log/ for the inquiry and do not vote with it: the validator needs a new key.";
    case Damage::record:
      return "Restore the file from the backup of vault/; a received copy can be asked for again.";
    case Damage::book:
      return "Restore the file from the node's backup (docs/operations.md, What lies in the data "
             "directory).";
    case Damage::archive:
      return "Copy the file from another node and compare its hash (`baolian archive list`): block "
             "files are the same everywhere, a certificate file of any node will do.";
    case Damage::snapshot:
      return "Remove that directory of snapshots/: the node makes a new one at the next height, "
             "and "
             "nobody who fetches from it believes a damaged chunk.";
    case Damage::checkpoint:
      return "Compare with a third institution: one of the two nodes shows a history that the "
             "validators did not certify, or more than F of them signed twice.";
    default:
      return kRebuildStore;
  }
}

void AuditReport::begin(std::string name, std::uint64_t total) {
  checks_.push_back({.name = std::move(name)});
  total_ = total;
  if (progress_) progress_(checks_.back().name, 0, total_);
}

void AuditReport::advance(std::uint64_t count) {
  ASSERT(!checks_.empty());
  AuditCheck& check = checks_.back();
  const std::uint64_t before = check.checked;
  check.checked += count;
  const bool is_due = before / kProgressEach != check.checked / kProgressEach;
  if (progress_ && (is_due || check.checked == total_)) {
    progress_(check.name, check.checked, total_);
  }
}

void AuditReport::found(Damage damage, std::optional<Height> height, std::string place,
                        std::string what) {
  ASSERT(!checks_.empty());
  ++damage_count_;
  Finding finding{damage, height, std::move(place), std::move(what)};
  const bool is_lower = height && (!first_bad_ || *height < *first_bad_);
  if (is_lower) first_bad_ = height;
  if (is_lower || !first_) first_ = finding;
  if (checks_.back().damages++ < kKeptEach) findings_.push_back(std::move(finding));
}

void AuditReport::remark(std::string words) { remarks_.push_back(std::move(words)); }

const Finding* AuditReport::first() const { return first_ ? &*first_ : nullptr; }

}  // namespace baolian::ledger
