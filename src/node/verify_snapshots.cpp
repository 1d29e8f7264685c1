/// The part of verify_node() for snapshots/: what a node hands to others that join.
#include <algorithm>
#include <filesystem>
#include <vector>

#include "ledger/snapshot_files.h"
#include "node/verify_parts.h"

namespace baolian::node {
namespace {

namespace fs = std::filesystem;
using ledger::AuditReport;
using ledger::Damage;

/// Whole snapshots are named by their height; what is being made has another name.
std::vector<std::string> names_of_snapshots(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool is_number =
        std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// "snapshots/0000000200/chunks, chunk 17"
class Place {
 public:
  explicit Place(const std::string& name) : directory_("snapshots/" + name) {}
  std::string index() const { return directory_ + "/index"; }
  std::string chunk(std::uint16_t number) const {
    return directory_ + "/chunks, chunk " + std::to_string(number);
  }

 private:
  std::string directory_;
};

Result<void> check_chunk(const ledger::SnapshotFile& file, std::uint16_t number) {
  TRY(const Bytes bytes, file.read(number, 0, ledger::kChunkBytesMax));
  TRY(const auto chunk, decode<ledger::StateChunk>(bytes));
  const ledger::Header& header = file.head().header;
  if (chunk.number != number || chunk.height != header.height) {
    return fail(Errc::bad_proof, "it is another chunk");
  }
  return ledger::check_state_chunk(header.state_root, chunk);
}

void check_snapshot(const std::string& directory, const std::string& name,
                    const ledger::ChainAuditConfig& config, const ledger::OwnHeaders& own,
                    AuditReport& report) {
  const Place place(name);
  const auto file = ledger::SnapshotFile::open(directory + "/" + name);
  if (!file) {
    return report.found(Damage::snapshot, std::nullopt, place.index(), file.error().context);
  }
  const ledger::SnapshotHead& head = (*file)->head();
  const Height height = head.header.height;
  if (const auto holds = ledger::check_snapshot_head(head, config.genesis, config.verifier);
      !holds) {
    report.found(Damage::snapshot, height, place.index(), holds.error().context);
  }
  const auto header = own(height);
  if (header && *header != head.header) {
    report.found(Damage::snapshot, height, place.index(),
                 "it stands under another header than the chain has");
  }
  for (std::uint16_t number = 0; number < ledger::kChunkCount; ++number) {
    if (const auto holds = check_chunk(**file, number); !holds) {
      report.found(Damage::snapshot, height, place.chunk(number), holds.error().context);
    }
    report.advance();
  }
}

}  // namespace

void verify_snapshots(const std::string& directory, const ledger::ChainAuditConfig& config,
                      const ledger::OwnHeaders& own, AuditReport& report) {
  const std::vector<std::string> names = names_of_snapshots(directory);
  report.begin("snapshots, chunks", names.size() * ledger::kChunkCount);
  for (const std::string& name : names) check_snapshot(directory, name, config, own, report);
}

}  // namespace baolian::node
