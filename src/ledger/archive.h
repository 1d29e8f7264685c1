/// Archive files: blocks that left the store, one file for a fixed span of heights, the same bytes
/// on every node (docs/adr/0025). A file is head, frames of blocks, index, hash:
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 49 | canonical ArchiveHead |
/// | 49 | | frames (archive_frame.h), each with the canonical StoredBlocks of some heights |
/// | size - 36 - 48 n | 48 n | canonical ArchivedFrame of each frame |
/// | size - 36 | 4 | u32 n, how many frames |
/// | size - 32 | 32 | H("archive" || head || index || n) |
///
/// So the last 32 bytes name the whole content, and one block is found and checked by reading its
/// frame alone. Beside it stands ArchiveCertificate, which differs between nodes.
///
/// Nothing here ends the process on bad bytes.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "ledger/evidence_file.h"
#include "ledger/header.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// Heights of one file on a production network.
inline constexpr std::uint64_t kArchiveSpan = 10'000;
inline constexpr std::uint64_t kArchiveSpanMax = 1'000'000;
inline constexpr std::string_view kArchiveDomain = "archive";

/// Both ends belong to it. Requires: 0 < first <= last.
struct HeightSpan {
  Height first;
  Height last;

  std::uint64_t count() const { return last.value - first.value + 1; }
  bool contains(Height height) const { return first <= height && height <= last; }
  friend bool operator==(const HeightSpan&, const HeightSpan&) = default;
};

struct ArchiveHead {
  static constexpr std::string_view kTypeName = "ArchiveHead";
  static constexpr std::size_t kBytes = 49;
  Version<1> version;
  ChainId chain_id;
  Height first;
  Height last;

  friend bool operator==(const ArchiveHead&, const ArchiveHead&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ArchiveHead::version, "format version"),
                      field("chain_id", &ArchiveHead::chain_id, "H(canonical genesis)"),
                      field("first", &ArchiveHead::first, "lowest height, not 0"),
                      field("last", &ArchiveHead::last, "highest height"));
  }
};

/// One line of the index: a frame holds the blocks up to the next frame's first height.
struct ArchivedFrame {
  static constexpr std::string_view kTypeName = "ArchivedFrame";
  static constexpr std::size_t kBytes = 48;
  Height first;
  std::uint64_t offset = 0;
  Hash hash;

  friend bool operator==(const ArchivedFrame&, const ArchivedFrame&) = default;
  static constexpr auto fields() {
    return field_list(
        field("first", &ArchivedFrame::first, "height of its first block"),
        field("offset", &ArchivedFrame::offset, "where the frame begins in the file"),
        field("hash", &ArchivedFrame::hash, "SHA-256 of the frame's bytes, as they stand here"));
  }
};

/// What proves the last header of a file, and through parent_hash all below it.
struct ArchiveCertificate {
  static constexpr std::string_view kTypeName = "ArchiveCertificate";
  Version<1> version;
  std::vector<TrailLink> trail;
  std::vector<Header> later;
  crypto::ExecCertificate certificate;

  friend bool operator==(const ArchiveCertificate&, const ArchiveCertificate&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ArchiveCertificate::version, "format version"),
                      field("trail", &ArchiveCertificate::trail, at_most(4096),
                            "changes of validators since the genesis"),
                      field("later", &ArchiveCertificate::later, at_most(1024),
                            "headers above the file's last one, up to the certified one"),
                      field("certificate", &ArchiveCertificate::certificate,
                            "of the last of these, or of the file's last header"));
  }
};

/// "blocks-0000000001-0000010000": what both files are called, without the ending.
std::string archive_name(const HeightSpan& span);
/// nullopt for a name that is none of an archive's block files.
std::optional<HeightSpan> archive_span_of(std::string_view file_name);
inline constexpr std::string_view kArchiveBlocksEnding = ".blk";
inline constexpr std::string_view kArchiveCertificateEnding = ".cert";

/// The span of fixed boundaries in which a height lies. Requires: height above 0, span above 0.
HeightSpan span_around(Height height, std::uint64_t span);

/// One open file whose head and index hold. Threads: any may read.
class ArchiveFile {
 public:
  /// Reads head and index. Returns: Errc::not_found, Errc::io_failed; Errc::store_corrupt if head,
  /// index and last hash do not belong together (the place is named).
  static Result<ArchiveFile> open(const std::string& path);
  ~ArchiveFile();
  ArchiveFile(ArchiveFile&& other) noexcept;
  ArchiveFile& operator=(ArchiveFile&&) = delete;

  const ArchiveHead& head() const { return head_; }
  HeightSpan span() const { return {head_.first, head_.last}; }
  /// The last 32 bytes: equal on all nodes.
  const Hash& hash() const { return hash_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  /// Where the block's frame begins: for who names a damage. Requires: span().contains(height).
  std::uint64_t offset(Height height) const;
  /// The first height of the block's frame. Requires: as offset().
  Height frame_first(Height height) const;
  /// The bytes of one block. Requires: as offset(). Returns: Errc::io_failed; Errc::store_corrupt
  /// with the place if the frame does not have the hash of the index or does not hold the block.
  Result<Bytes> block_bytes(Height height) const;
  /// The same decoded; also Errc::store_corrupt if it is of another height.
  Result<StoredBlock> block(Height height) const;

 private:
  struct LastFrame;
  ArchiveFile();
  std::size_t frame_of(Height height) const;
  std::uint64_t end_of(std::size_t frame) const;
  Result<std::shared_ptr<const Bytes>> content(std::size_t frame) const;

  int descriptor_ = -1;
  ArchiveHead head_;
  Hash hash_;
  std::uint64_t size_bytes_ = 0;
  std::vector<ArchivedFrame> index_;
  std::unique_ptr<LastFrame> last_frame_;  ///< who reads in order unpacks each once
};

/// Writes archive files: blocks in order, whatever makes them.
class ArchiveWriter {
 public:
  /// Makes the file, or an empty one in its place. Returns: Errc::io_failed.
  static Result<ArchiveWriter> create(const std::string& path, const ArchiveHead& head);
  ~ArchiveWriter();
  ArchiveWriter(ArchiveWriter&& other) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) = delete;

  /// The next block. Returns: Errc::io_failed.
  Result<void> add(BytesView block);
  /// Index and hash; everything durable, but not the name (the directory). Requires: as many blocks
  /// as the head's span. Returns: the file's hash; Errc::io_failed.
  Result<Hash> finish();

 private:
  ArchiveWriter() = default;
  Result<void> close_frame();
  Result<void> write(BytesView bytes);

  int descriptor_ = -1;
  ArchiveHead head_;
  std::uint64_t size_bytes_ = 0;
  std::vector<ArchivedFrame> index_;
  Height next_;   ///< of the next block
  Bytes frame_;   ///< content of the frame that is open
  Bytes buffer_;  ///< of the file
};

/// The archive files of one node. Thread-safe. Files may come and go while it is used.
class Archive {
 public:
  /// `span`: heights of the files that this node writes; it names the file of a height that is not
  /// here. The directory need not exist. Requires: 0 < span <= kArchiveSpanMax.
  Archive(std::string directory, const ChainId& chain_id, std::uint64_t span);

  const std::string& directory() const { return directory_; }
  std::uint64_t span() const { return span_; }
  std::string path_of(const HeightSpan& span, std::string_view ending) const;
  /// The block files here, ascending, by their names. Returns: Errc::io_failed.
  Result<std::vector<HeightSpan>> spans() const;
  /// The span of the file here that holds the height, by the names.
  std::optional<HeightSpan> find(Height height) const;
  /// Returns: Errc::pruned with the file's name if it is not here; Errc::wrong_chain; the errors of
  /// ArchiveFile. The caller compares the block with headers that it trusts.
  Result<StoredBlock> block(Height height) const;

 private:
  Result<std::shared_ptr<const ArchiveFile>> file_of(Height height) const;

  const std::string directory_;
  const ChainId chain_id_;
  const std::uint64_t span_;
  mutable std::mutex mutex_;
  mutable std::list<std::shared_ptr<const ArchiveFile>> open_;  ///< newest use first, at most four
};

/// Reads `<name>.cert`. Returns: Errc::not_found, Errc::io_failed, codec errors.
Result<ArchiveCertificate> read_archive_certificate(const std::string& path);

}  // namespace baolian::ledger
