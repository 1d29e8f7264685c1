/// Archive files beside a store: the blocks that were pruned, and files whose blocks still stand in
/// the store too.
#include <algorithm>

#include "ledger/audit/archive_check.h"
#include "ledger/audit/chain_walk.h"

namespace baolian::ledger {
namespace {

std::string place_of(const HeightSpan& span, std::string_view ending) {
  return "archive/" + archive_name(span) + std::string(ending);
}

std::string heights(const HeightSpan& span) {
  return std::to_string(span.first.value) + " to " + std::to_string(span.last.value);
}

/// The certificate beside a file: nothing of the store depends on it, but who takes the file away
/// relies on it.
void check_certificate(ChainWalk& walk, const HeightSpan& span) {
  const std::string place = place_of(span, kArchiveCertificateEnding);
  const auto certificate =
      read_archive_certificate(walk.config.archive->path_of(span, kArchiveCertificateEnding));
  if (!certificate && certificate.error().code == Errc::not_found) {
    return walk.report.remark(place + " is not here: the file beside it proves nothing to others");
  }
  const auto found = [&](std::string what) {
    walk.report.found(Damage::archive, span.last, place, std::move(what));
  };
  if (!certificate) return found(certificate.error().context);
  const auto last = walk.store.read(Family::blocks, chain_keys::header(span.last));
  const auto header =
      last && *last ? decode<Header>(**last) : Result<Header>(fail(Errc::not_found, ""));
  if (!header) return;  // found where headers are checked
  if (const auto holds = check_archive_certificate(*certificate, *header, walk.config); !holds) {
    found(holds.error().context);
  }
}

/// Blocks that are in the file and in the store: the same bytes.
void compare_with_rows(ChainWalk& walk, const ArchiveFile& file) {
  const HeightSpan span = file.span();
  const std::string place = place_of(span, kArchiveBlocksEnding);
  for (Height height = std::max(span.first, walk.result.pruned.next()); height <= span.last;
       ++height) {
    if (height > walk.result.newest) {
      walk.report.found(Damage::archive, height, place, "the chain ends below");
      return;
    }
    const auto bytes = file.block_bytes(height);
    const auto row = walk.store.read(Family::blocks, chain_keys::block(height));
    if (!bytes) {
      walk.report.found(Damage::archive, height, place, bytes.error().context);
    } else if (row && *row && **row != *bytes) {
      walk.report.found(Damage::archive, height, place, "it is not the block of the store");
    }
    walk.report.advance();
  }
}

}  // namespace

std::optional<StoredBlock> ChainWalk::archived_block(Height height) {
  if (unreadable_ && unreadable_->contains(height)) return std::nullopt;
  if (!archive_file_ || !archive_file_->span().contains(height)) {
    archive_file_.reset();
    const auto span = config.archive != nullptr ? config.archive->find(height) : std::nullopt;
    if (!span) {
      if (!missing_) missing_ = HeightSpan{height, height};
      missing_->last = height;
      return std::nullopt;
    }
    auto opened = ArchiveFile::open(config.archive->path_of(*span, kArchiveBlocksEnding));
    const bool is_named_right =
        opened && opened->span() == *span && opened->head().chain_id == chain_id;
    if (!is_named_right) {
      report.found(Damage::archive, height, place_of(*span, kArchiveBlocksEnding),
                   opened ? "it is of another chain or of other heights than its name"
                          : opened.error().context);
      unreadable_ = span;
      return std::nullopt;
    }
    archive_file_.emplace(*std::move(opened));
  }
  auto block = archive_file_->block(height);
  if (block) return *std::move(block);
  report.found(Damage::archive, height, place_of(archive_file_->span(), kArchiveBlocksEnding),
               block.error().context);
  return std::nullopt;
}

std::optional<StoredBlock> ChainWalk::peek_block(Height height) const {
  const auto row = store.read(Family::blocks, chain_keys::block(height));
  if (row && *row) {
    auto block = decode<StoredBlock>(**row);
    if (block) return *std::move(block);
    return std::nullopt;
  }
  if (config.archive == nullptr || height.value == 0) return std::nullopt;
  auto block = config.archive->block(height);
  if (!block) return std::nullopt;
  return *std::move(block);
}

void ChainWalk::check_archives() {
  const auto spans =
      config.archive != nullptr ? config.archive->spans() : std::vector<HeightSpan>{};
  if (!missing_ && spans && spans->empty()) return;  // nothing was ever pruned
  report.begin("archive files", 0);
  if (missing_) {
    report.remark("blocks of heights " + heights(*missing_) +
                  " are pruned, and not all of their archive files are here: those blocks were "
                  "not checked");
  }
  if (!spans) {
    report.found(Damage::archive, std::nullopt, "archive/", spans.error().context);
    return;
  }
  for (const HeightSpan& span : *spans) {
    check_certificate(*this, span);
    report.advance();
    if (span.last <= result.pruned) continue;  // read as blocks above
    auto file = ArchiveFile::open(config.archive->path_of(span, kArchiveBlocksEnding));
    if (!file || file->span() != span || file->head().chain_id != chain_id) {
      report.found(
          Damage::archive, span.first, place_of(span, kArchiveBlocksEnding),
          file ? "it is of another chain or of other heights than its name" : file.error().context);
    } else {
      compare_with_rows(*this, *file);
    }
  }
}

}  // namespace baolian::ledger
