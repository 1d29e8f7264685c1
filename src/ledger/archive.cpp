#include "ledger/archive.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/assert.h"

namespace baolian::ledger {
namespace {

constexpr std::string_view kNamePrefix = "blocks-";
constexpr std::size_t kOpenFilesMax = 4;
constexpr std::uint64_t kCertificateBytesMax = std::uint64_t{64} << 20;

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return out;
}

}  // namespace

std::string archive_name(const HeightSpan& span) {
  char text[64];
  std::snprintf(text, sizeof text, "blocks-%010llu-%010llu",
                static_cast<unsigned long long>(span.first.value),
                static_cast<unsigned long long>(span.last.value));
  return text;
}

std::optional<HeightSpan> archive_span_of(std::string_view file_name) {
  if (!file_name.starts_with(kNamePrefix) || !file_name.ends_with(kArchiveBlocksEnding)) {
    return std::nullopt;
  }
  const std::string_view numbers = file_name.substr(
      kNamePrefix.size(), file_name.size() - kNamePrefix.size() - kArchiveBlocksEnding.size());
  const std::size_t dash = numbers.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number_of(numbers.substr(0, dash));
  const auto last = number_of(numbers.substr(dash + 1));
  if (!first || !last || *first == 0 || *first > *last) return std::nullopt;
  const HeightSpan span{Height{*first}, Height{*last}};
  // One name for one span: 1 and 0000000001 are not two files.
  if (archive_name(span) + std::string(kArchiveBlocksEnding) != file_name) return std::nullopt;
  return span;
}

HeightSpan span_around(Height height, std::uint64_t span) {
  ASSERT(height.value > 0 && span > 0);
  const std::uint64_t number = (height.value - 1) / span;
  return {Height{number * span + 1}, Height{(number + 1) * span}};
}

Archive::Archive(std::string directory, const ChainId& chain_id, std::uint64_t span)
    : directory_(std::move(directory)), chain_id_(chain_id), span_(span) {
  ASSERT(span > 0 && span <= kArchiveSpanMax);
}

std::string Archive::path_of(const HeightSpan& span, std::string_view ending) const {
  return directory_ + "/" + archive_name(span) + std::string(ending);
}

Result<std::vector<HeightSpan>> Archive::spans() const {
  std::vector<HeightSpan> out;
  std::error_code error;
  if (!std::filesystem::exists(directory_, error)) return out;
  for (std::filesystem::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    if (const auto span = archive_span_of(entry->path().filename().string())) out.push_back(*span);
  }
  if (error) return fail(Errc::io_failed, "cannot list the archive: " + error.message());
  std::sort(out.begin(), out.end(),
            [](const HeightSpan& a, const HeightSpan& b) { return a.first < b.first; });
  return out;
}

std::optional<HeightSpan> Archive::find(Height height) const {
  if (height.value == 0) return std::nullopt;
  const HeightSpan likely = span_around(height, span_);
  std::error_code error;
  if (std::filesystem::exists(path_of(likely, kArchiveBlocksEnding), error)) return likely;
  const auto all = spans();  // a network may have begun with another span
  if (!all) return std::nullopt;
  for (const HeightSpan& span : *all) {
    if (span.contains(height)) return span;
  }
  return std::nullopt;
}

Result<std::shared_ptr<const ArchiveFile>> Archive::file_of(Height height) const {
  const std::lock_guard hold(mutex_);
  const auto span = find(height);
  for (auto file = open_.begin(); file != open_.end(); ++file) {
    if (!(*file)->span().contains(height)) continue;
    open_.splice(open_.begin(), open_, file);
    if (span == open_.front()->span()) return open_.front();
    open_.pop_front();  // the file was taken away
    break;
  }
  if (!span) {
    const std::string name = archive_name(span_around(height, span_));
    return fail(Errc::pruned, "block " + std::to_string(height.value) + " is pruned, see archive " +
                                  name +
                                  "; put that file into this node's archive directory or ask a "
                                  "node that keeps it");
  }
  auto opened = ArchiveFile::open(path_of(*span, kArchiveBlocksEnding));
  if (!opened) {
    return fail(opened.error().code,
                "archive " + archive_name(*span) + ", " + opened.error().context +
                    "; copy the file from another node, it is the same everywhere");
  }
  if (opened->head().chain_id != chain_id_ || opened->span() != *span) {
    return fail(Errc::wrong_chain, "archive " + archive_name(*span) +
                                       " is of another chain or of other heights than its name");
  }
  open_.push_front(std::make_shared<const ArchiveFile>(*std::move(opened)));
  if (open_.size() > kOpenFilesMax) open_.pop_back();
  return open_.front();
}

Result<StoredBlock> Archive::block(Height height) const {
  ASSERT(height.value > 0);
  TRY(const auto file, file_of(height));
  auto block = file->block(height);
  if (!block) {
    return fail(block.error().code, "archive " + archive_name(file->span()) + ", " +
                                        block.error().context +
                                        "; copy the file from another node, it is the same "
                                        "everywhere");
  }
  return block;
}

Result<ArchiveCertificate> read_archive_certificate(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(Errc::not_found, "the certificate file is not there");
  if (size > kCertificateBytesMax) {
    return fail(Errc::limit_exceeded, "the certificate file is above 64 MiB");
  }
  std::ifstream in(path, std::ios::binary);
  Bytes bytes(static_cast<std::size_t>(size));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in || in.gcount() != static_cast<std::streamsize>(bytes.size())) {
    return fail(Errc::io_failed, "the certificate file cannot be read");
  }
  return decode<ArchiveCertificate>(bytes);
}

}  // namespace baolian::ledger
