/// One archive file: its reader and its writer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "core/assert.h"
#include "ledger/archive.h"
#include "ledger/archive_frame.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::uint64_t kFrameBytesMax = std::uint64_t{1} << 31;  // a length that is not one
constexpr std::size_t kCountBytes = 4;
constexpr std::size_t kTailBytes = kCountBytes + Hash::kSize;

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

std::uint32_t u32_at(BytesView bytes, std::size_t at) {
  std::uint32_t out = 0;
  const auto read = Decoder(bytes.subspan(at, kCountBytes)).integer(out);
  ASSERT(read.has_value());
  return out;
}

void append_u32(Bytes& out, std::size_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

/// `index` with the count behind it.
Hash hash_over(BytesView head, BytesView index) {
  return crypto::hash_in_domain(kArchiveDomain, {head, index});
}

/// The lines of the index; frames follow each other in heights and bytes.
Result<std::vector<ArchivedFrame>> read_index(BytesView bytes, std::uint64_t place,
                                              const ArchiveHead& head) {
  std::vector<ArchivedFrame> out;
  out.reserve(bytes.size() / ArchivedFrame::kBytes);
  for (std::size_t at = 0; at < bytes.size(); at += ArchivedFrame::kBytes) {
    TRY(const auto line, decode<ArchivedFrame>(bytes.subspan(at, ArchivedFrame::kBytes)));
    const bool is_next = out.empty()
                             ? line.offset == ArchiveHead::kBytes && line.first == head.first
                             : line.offset > out.back().offset && line.first > out.back().first;
    if (!is_next || line.offset >= place || line.first > head.last) {
      return corrupt(place + at, "the index names a frame that cannot be");
    }
    out.push_back(line);
  }
  return out;
}

}  // namespace

// ------------------------------------------------------------------ reading

struct ArchiveFile::LastFrame {
  std::mutex mutex;
  std::size_t frame = 0;
  std::shared_ptr<const Bytes> content;
};

ArchiveFile::ArchiveFile() : last_frame_(std::make_unique<LastFrame>()) {}

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
  if (out.size_bytes_ < ArchiveHead::kBytes + ArchivedFrame::kBytes + kTailBytes) {
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
  const std::uint64_t tail = out.size_bytes_ - kTailBytes;
  TRY(const Bytes count_bytes, read_at(out.descriptor_, tail, kCountBytes));
  const std::uint64_t count = u32_at(count_bytes, 0);
  const std::uint64_t index_bytes = count * ArchivedFrame::kBytes;
  if (count == 0 || count > span.count() || ArchiveHead::kBytes + index_bytes >= tail) {
    return corrupt(tail, "the count of frames cannot be");
  }
  const std::uint64_t place = tail - index_bytes;
  TRY(const Bytes rest,
      read_at(out.descriptor_, place, static_cast<std::size_t>(index_bytes + kTailBytes)));
  const auto lines_bytes = static_cast<std::size_t>(index_bytes);
  out.hash_ = Hash::from(BytesView(rest).last(Hash::kSize));
  if (hash_over(head, BytesView(rest).first(lines_bytes + kCountBytes)) != out.hash_) {
    return corrupt(place, "head, index and the hash behind them do not belong together");
  }
  TRY(out.index_, read_index(BytesView(rest).first(lines_bytes), place, out.head_));
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
      index_(std::move(other.index_)),
      last_frame_(std::move(other.last_frame_)) {}

std::size_t ArchiveFile::frame_of(Height height) const {
  ASSERT(span().contains(height) && !index_.empty());
  const auto above =
      std::upper_bound(index_.begin(), index_.end(), height,
                       [](Height wanted, const ArchivedFrame& one) { return wanted < one.first; });
  return static_cast<std::size_t>(above - index_.begin()) - 1;
}

std::uint64_t ArchiveFile::offset(Height height) const { return index_[frame_of(height)].offset; }
Height ArchiveFile::frame_first(Height height) const { return index_[frame_of(height)].first; }

std::uint64_t ArchiveFile::end_of(std::size_t frame) const {
  if (frame + 1 < index_.size()) return index_[frame + 1].offset;
  return size_bytes_ - kTailBytes - index_.size() * ArchivedFrame::kBytes;
}

Result<std::shared_ptr<const Bytes>> ArchiveFile::content(std::size_t frame) const {
  const std::lock_guard hold(last_frame_->mutex);
  if (last_frame_->content && last_frame_->frame == frame) return last_frame_->content;
  const ArchivedFrame& line = index_[frame];
  const std::uint64_t size = end_of(frame) - line.offset;
  if (size > kFrameBytesMax) return corrupt(line.offset, "no frame is that large");
  TRY(const Bytes packed, read_at(descriptor_, line.offset, static_cast<std::size_t>(size)));
  if (crypto::sha256(packed) != line.hash) {
    return corrupt(line.offset, "the frame of " + std::to_string(size) + " bytes from height " +
                                    std::to_string(line.first.value) +
                                    " on does not have the hash of the index");
  }
  auto content = unpack_frame(packed);
  if (!content) return corrupt(line.offset, content.error().context);
  last_frame_->frame = frame;
  last_frame_->content = std::make_shared<const Bytes>(*std::move(content));
  return last_frame_->content;
}

Result<Bytes> ArchiveFile::block_bytes(Height height) const {
  const std::size_t frame = frame_of(height);
  TRY(const std::shared_ptr<const Bytes> all, content(frame));
  BytesView rest = *all;
  for (Height at = index_[frame].first;; ++at) {
    const std::size_t size = rest.size() < kCountBytes ? rest.size() : u32_at(rest, 0);
    if (rest.size() < kCountBytes || size > rest.size() - kCountBytes) {
      return corrupt(index_[frame].offset,
                     "the frame does not hold the block of height " + std::to_string(at.value));
    }
    rest = rest.subspan(kCountBytes);
    if (at == height) return to_bytes(rest.first(size));
    rest = rest.subspan(size);
  }
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
  out.next_ = head.first;
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
      next_(other.next_),
      frame_(std::move(other.frame_)),
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
  ASSERT(!block.empty() && next_ <= head_.last);
  if (frame_.empty()) index_.push_back({.first = next_, .offset = size_bytes_, .hash = {}});
  append_u32(frame_, block.size());
  append(frame_, block);
  ++next_;
  return frame_.size() < kFrameContentBytes ? ok() : close_frame();
}

Result<void> ArchiveWriter::close_frame() {
  const Bytes packed = pack_frame(frame_);
  index_.back().hash = crypto::sha256(packed);
  frame_.clear();
  return write(packed);
}

Result<Hash> ArchiveWriter::finish() {
  ASSERT(next_ == head_.last.next());
  if (!frame_.empty()) TRY(close_frame());
  Bytes index;
  index.reserve(index_.size() * ArchivedFrame::kBytes + kCountBytes);
  for (const ArchivedFrame& line : index_) append(index, encode(line));
  append_u32(index, index_.size());
  const Hash hash = hash_over(encode(head_), index);
  TRY(write(index));
  TRY(write(hash.view()));
  TRY(write_all(descriptor_, buffer_));
  buffer_.clear();
  if (::fsync(descriptor_) != 0) return io_error("cannot sync the archive file");
  return hash;
}

}  // namespace baolian::ledger
