#include "ledger/snapshot_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "crypto/hash.h"

namespace baolian::ledger {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kParts = 64;
constexpr unsigned kChunksPerPart = kChunkCount / kParts;
constexpr std::size_t kScanRows = 4096;
constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
constexpr std::string_view kChunksName = "/chunks";
constexpr std::string_view kIndexName = "/index";

Error failed(const std::string& action, const std::string& path) {
  return fail(Errc::io_failed, action + " " + path + ": " + std::strerror(errno));
}

/// A file that is written from its beginning to its end.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr) return failed("cannot make", path);
    std::setvbuf(file, nullptr, _IOFBF, kBufferBytes);
    return OutputFile(path, file);
  }
  OutputFile(OutputFile&& other) noexcept
      : path_(std::move(other.path_)), file_(std::exchange(other.file_, nullptr)) {}
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile() {
    if (file_ != nullptr) std::fclose(file_);
  }

  Result<void> write(BytesView bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return ok();
    return failed("cannot write", path_);
  }
  Result<void> flush() {
    if (std::fflush(file_) == 0) return ok();
    return failed("cannot write", path_);
  }
  Result<void> sync() {
    TRY(flush());
    if (::fdatasync(::fileno(file_)) == 0) return ok();
    return failed("cannot sync", path_);
  }

 private:
  OutputFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::FILE* file_;
};

Result<Bytes> read_whole(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return fail(Errc::io_failed, "cannot read " + path + ": " + error.message());
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return failed("cannot read", path);
  Bytes out(static_cast<std::size_t>(size));
  const bool is_whole = std::fread(out.data(), 1, out.size(), file) == out.size();
  std::fclose(file);
  if (!is_whole) return failed("cannot read", path);
  return out;
}

Result<void> sync_directory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return failed("cannot open", path);
  const bool is_synced = ::fsync(directory) == 0;
  ::close(directory);
  if (!is_synced) return failed("cannot sync", path);
  return ok();
}

std::string part_path(const std::string& directory, unsigned part) {
  return directory + "/part-" + std::to_string(part);
}

/// Rows on their way from the pass over the state to the chunks: number of the chunk, sizes, key
/// and value.
struct SpilledRow {
  std::uint16_t chunk = 0;
  std::uint32_t key_size = 0;
  std::uint32_t value_size = 0;
};

Result<void> spill(const StateReader& rows, const std::string& directory,
                   const std::function<bool()>& is_stopped) {
  std::vector<OutputFile> parts;
  for (unsigned part = 0; part < kParts; ++part) {
    TRY(OutputFile file, OutputFile::create(part_path(directory, part)));
    parts.push_back(std::move(file));
  }
  Bytes from;
  for (bool is_last = false; !is_last;) {
    if (is_stopped()) return fail(Errc::closed, "the snapshot was given up");
    const auto page = rows.scan({}, from, kScanRows);
    is_last = page.size() < kScanRows;
    for (const KeyValue& row : page) {
      const SpilledRow spilled{chunk_number(crypto::sha256(row.key)),
                               static_cast<std::uint32_t>(row.key.size()),
                               static_cast<std::uint32_t>(row.value.size())};
      std::array<std::uint8_t, sizeof spilled> head{};
      std::memcpy(head.data(), &spilled, sizeof spilled);
      OutputFile& part = parts[spilled.chunk / kChunksPerPart];
      TRY(part.write(head));
      TRY(part.write(row.key));
      TRY(part.write(row.value));
    }
    if (!is_last) {
      from = page.back().key;
      from.push_back(0);
    }
  }
  for (OutputFile& part : parts) TRY(part.flush());
  return ok();
}

/// The chunks of one part; rows came in the order of their keys, so each chunk has them so.
Result<std::vector<StateChunk>> gather(const std::string& path, unsigned part) {
  TRY(const Bytes bytes, read_whole(path));
  std::vector<StateChunk> chunks(kChunksPerPart);
  std::size_t at = 0;
  while (at < bytes.size()) {
    SpilledRow row;
    if (bytes.size() - at < sizeof row) return failed("cut short:", path);
    std::memcpy(&row, bytes.data() + at, sizeof row);
    at += sizeof row;
    const std::size_t size = std::size_t{row.key_size} + row.value_size;
    const unsigned index = row.chunk - part * kChunksPerPart;
    if (bytes.size() - at < size || index >= kChunksPerPart) return failed("cut short:", path);
    const auto key = BytesView(bytes).subspan(at, row.key_size);
    const auto value = BytesView(bytes).subspan(at + row.key_size, row.value_size);
    chunks[index].rows.push_back({to_bytes(key), to_bytes(value)});
    at += size;
  }
  return chunks;
}

}  // namespace

Result<std::vector<std::uint64_t>> write_chunks(const SnapshotCut& cut,
                                                const std::string& directory,
                                                const std::function<bool()>& is_stopped) {
  ASSERT(cut.proofs.size() == kChunkCount);
  std::error_code error;
  fs::remove_all(directory, error);
  fs::create_directories(directory, error);
  if (error) return fail(Errc::io_failed, "cannot make " + directory + ": " + error.message());
  TRY(spill(*cut.rows, directory, is_stopped));
  TRY(OutputFile out, OutputFile::create(directory + std::string(kChunksName)));
  std::vector<std::uint64_t> ends;
  std::uint64_t end = 0;
  for (unsigned part = 0; part < kParts; ++part) {
    if (is_stopped()) return fail(Errc::closed, "the snapshot was given up");
    TRY(std::vector<StateChunk> chunks, gather(part_path(directory, part), part));
    fs::remove(part_path(directory, part), error);
    for (StateChunk& chunk : chunks) {
      chunk.height = cut.header.height;
      chunk.number = static_cast<std::uint16_t>(ends.size());
      chunk.proof = cut.proofs[chunk.number];
      const Bytes bytes = encode(chunk);
      TRY(out.write(bytes));
      end += bytes.size();
      ends.push_back(end);
    }
  }
  TRY(out.sync());
  return ends;
}

Result<std::shared_ptr<const SnapshotFile>> SnapshotFile::complete(const std::string& directory,
                                                                   const std::string& whole,
                                                                   SnapshotIndex index) {
  TRY(OutputFile file, OutputFile::create(directory + std::string(kIndexName)));
  TRY(file.write(encode(index)));
  TRY(file.sync());
  TRY(sync_directory(directory));
  std::error_code error;
  fs::rename(directory, whole, error);
  if (error) return fail(Errc::io_failed, "cannot name " + whole + ": " + error.message());
  TRY(sync_directory(fs::path(whole).parent_path().string()));
  return open(whole);
}

Result<std::shared_ptr<const SnapshotFile>> SnapshotFile::open(const std::string& directory) {
  TRY(const Bytes bytes, read_whole(directory + std::string(kIndexName)));
  TRY(SnapshotIndex index, decode<SnapshotIndex>(bytes));
  const std::string path = directory + std::string(kChunksName);
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || index.ends.size() != kChunkCount || size != index.ends.back() ||
      !std::is_sorted(index.ends.begin(), index.ends.end())) {
    return fail(Errc::store_corrupt, "the snapshot in " + directory +
                                         " is not whole; remove it, another one will be made");
  }
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed("cannot open", path);
  return std::shared_ptr<const SnapshotFile>(new SnapshotFile(file, std::move(index)));
}

SnapshotFile::~SnapshotFile() { ::close(file_); }

std::uint64_t SnapshotFile::chunk_bytes(std::uint16_t number) const {
  ASSERT(number < kChunkCount);
  return index_.ends[number] - (number == 0 ? 0 : index_.ends[number - 1U]);
}

Result<Bytes> SnapshotFile::read(std::uint16_t number, std::uint64_t offset,
                                 std::size_t bytes_max) const {
  const std::uint64_t size = chunk_bytes(number);
  if (offset > size) return fail(Errc::bad_argument, "an offset behind the end of the chunk");
  Bytes out(static_cast<std::size_t>(std::min<std::uint64_t>(bytes_max, size - offset)));
  const std::uint64_t begin = index_.ends[number] - size + offset;
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(file_, out.data() + done, out.size() - done, static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(Errc::io_failed, "cannot read a chunk of the snapshot");
    done += static_cast<std::size_t>(got);
  }
  return out;
}

}  // namespace baolian::ledger
