/// One archive file: its reader and its writer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/assert.h"
#include "ledger/archive.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::uint64_t kBlockBytesMax = std::uint64_t{1} << 31;  // a length that is not one

std::string name_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Error io_error(const std::string& what) {
  return fail(Errc::io_failed, what + ": " + std::strerror(errno));
}

Error corrupt(std::uint64_t offset, const std::string& what) {
  return fail(Errc::store_corrupt, "at byte " + std::to_string(offset) + ": " + what);
}

Result<Bytes> read_at(int descriptor, std::uint64_t offset, std::size_t size) {
  Bytes out(size);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t count =
        ::pread(descriptor, out.data() + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("cannot read at byte " + std::to_string(offset + got));
    if (count == 0) return corrupt(offset + got, "the file ends here");
    got += static_cast<std::size_t>(count);
  }
  return out;
}

Hash hash_over(BytesView head, BytesView index) {
  return crypto::hash_in_domain(kArchiveDomain, {head, index});
}

/// The lines of the index; nothing if the offsets do not follow each other from head to index.
Result<std::vector<ArchivedBlock>> read_index(BytesView bytes, std::uint64_t place) {
  std::vector<ArchivedBlock> out;
  out.reserve(bytes.size() / ArchivedBlock::kBytes);
  std::uint64_t expected_from = ArchiveHead::kBytes;
  for (std::size_t at = 0; at < bytes.size(); at += ArchivedBlock::kBytes) {
    TRY(const auto line, decode<ArchivedBlock>(bytes.subspan(at, ArchivedBlock::kBytes)));
    const bool is_first = out.empty();
    const bool follows = is_first ? line.offset == expected_from : line.offset > expected_from;
    if (!follows || line.offset >= place) {
      return corrupt(place + at, "the index names a place that cannot be");
    }
    expected_from = line.offset;
    out.push_back(line);
  }
  return out;
}

}  // namespace

// ------------------------------------------------------------------ reading

Result<ArchiveFile> ArchiveFile::open(const std::string& path) {
  ArchiveFile out;
  out.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (out.descriptor_ < 0) {
    if (errno == ENOENT) return fail(Errc::not_found, name_of(path) + " is not there");
    return io_error("cannot open " + name_of(path));
  }
  struct stat about {};
  if (::fstat(out.descriptor_, &about) != 0) return io_error("cannot read " + name_of(path));
  out.size_bytes_ = static_cast<std::uint64_t>(about.st_size);
  if (out.size_bytes_ < ArchiveHead::kBytes + ArchivedBlock::kBytes + Hash::kSize) {
    return corrupt(out.size_bytes_, "the file is too short");
  }
  TRY(const Bytes head, read_at(out.descriptor_, 0, ArchiveHead::kBytes));
  auto decoded = decode<ArchiveHead>(head);
  if (!decoded) return corrupt(0, "the head does not decode: " + decoded.error().context);
  out.head_ = *decoded;
  const HeightSpan span = out.span();
  const bool is_span = span.first.value > 0 && span.first <= span.last &&
                       span.last.value - span.first.value < kArchiveSpanMax;
  if (!is_span) return corrupt(33, "the head names no span of heights");
  const std::uint64_t index_bytes = span.count() * ArchivedBlock::kBytes;
  if (out.size_bytes_ < ArchiveHead::kBytes + index_bytes + Hash::kSize) {
    return corrupt(out.size_bytes_, "the file is shorter than its index");
  }
  const std::uint64_t place = out.size_bytes_ - Hash::kSize - index_bytes;
  TRY(const Bytes index,
      read_at(out.descriptor_, place, static_cast<std::size_t>(index_bytes + Hash::kSize)));
  const BytesView lines = BytesView(index).first(static_cast<std::size_t>(index_bytes));
  out.hash_ = Hash::from(BytesView(index).subspan(lines.size()));
  if (hash_over(head, lines) != out.hash_) {
    return corrupt(place, "head, index and the hash behind them do not belong together");
  }
  TRY(out.index_, read_index(lines, place));
  return out;
}

ArchiveFile::~ArchiveFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ArchiveFile::ArchiveFile(ArchiveFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      head_(other.head_),
      hash_(other.hash_),
      size_bytes_(other.size_bytes_),
      index_(std::move(other.index_)) {}

std::uint64_t ArchiveFile::offset(Height height) const {
  ASSERT(span().contains(height));
  return index_[static_cast<std::size_t>(height.value - head_.first.value)].offset;
}

const Hash& ArchiveFile::block_hash(Height height) const {
  ASSERT(span().contains(height));
  return index_[static_cast<std::size_t>(height.value - head_.first.value)].hash;
}

std::uint64_t ArchiveFile::end_of(Height height) const {
  if (height != head_.last) return offset(height.next());
  return size_bytes_ - Hash::kSize - index_.size() * ArchivedBlock::kBytes;
}

Result<Bytes> ArchiveFile::block_bytes(Height height) const {
  const std::uint64_t from = offset(height);
  const std::uint64_t size = end_of(height) - from;
  if (size > kBlockBytesMax) return corrupt(from, "no block is that large");
  TRY(Bytes bytes, read_at(descriptor_, from, static_cast<std::size_t>(size)));
  if (crypto::sha256(bytes) != block_hash(height)) {
    return corrupt(from, "the block of height " + std::to_string(height.value) + " (" +
                             std::to_string(size) + " bytes) does not have the hash of the index");
  }
  return bytes;
}

Result<StoredBlock> ArchiveFile::block(Height height) const {
  TRY(const Bytes bytes, block_bytes(height));
  auto block = decode<StoredBlock>(bytes);
  if (!block) {
    return corrupt(offset(height), "the block does not decode: " + block.error().context);
  }
  if (block->header.height != height) {
    return corrupt(offset(height), "the block is of another height than its place");
  }
  return *std::move(block);
}

// ------------------------------------------------------------------ writing

Result<ArchiveWriter> ArchiveWriter::create(const std::string& path, const ArchiveHead& head) {
  ArchiveWriter out;
  out.head_ = head;
  out.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out.descriptor_ < 0) return io_error("cannot make " + name_of(path));
  TRY(out.write(encode(head)));
  return out;
}

ArchiveWriter::~ArchiveWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ArchiveWriter::ArchiveWriter(ArchiveWriter&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      head_(other.head_),
      size_bytes_(other.size_bytes_),
      index_(std::move(other.index_)),
      buffer_(std::move(other.buffer_)) {}

namespace {

Result<void> write_all(int descriptor, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("cannot write the archive file");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return ok();
}

}  // namespace

Result<void> ArchiveWriter::write(BytesView bytes) {
  size_bytes_ += bytes.size();
  append(buffer_, bytes);
  if (buffer_.size() < kBufferBytes) return ok();
  TRY(write_all(descriptor_, buffer_));
  buffer_.clear();
  return ok();
}

Result<void> ArchiveWriter::add(BytesView block) {
  ASSERT(!block.empty());
  index_.push_back({.offset = size_bytes_, .hash = crypto::sha256(block)});
  return write(block);
}

Result<Hash> ArchiveWriter::finish() {
  ASSERT(index_.size() == HeightSpan({head_.first, head_.last}).count());
  Bytes lines;
  lines.reserve(index_.size() * ArchivedBlock::kBytes);
  for (const ArchivedBlock& line : index_) append(lines, encode(line));
  const Hash hash = hash_over(encode(head_), lines);
  TRY(write(lines));
  TRY(write(hash.view()));
  TRY(write_all(descriptor_, buffer_));
  buffer_.clear();
  if (::fsync(descriptor_) != 0) return io_error("cannot sync the archive file");
  return hash;
}

}  // namespace baolian::ledger
