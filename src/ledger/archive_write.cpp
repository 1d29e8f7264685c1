#include "ledger/archive_write.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "ledger/covering_certificate.h"

namespace baolian::ledger {
namespace {

constexpr std::string_view kUnfinishedEnding = ".part";

Error write_error(const std::string& what) {
  return fail(Errc::io_failed, what + ": " + std::strerror(errno));
}

/// fsync of a file or directory by its path.
Result<void> sync_path(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return write_error("cannot open what was written to the archive");
  const int synced = ::fsync(descriptor);
  ::close(descriptor);
  return synced == 0 ? ok() : Result<void>(write_error("cannot sync the archive"));
}

Result<void> make_directory(const std::string& path) {
  std::error_code error;
  if (std::filesystem::create_directories(path, error)) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  if (error) return fail(Errc::io_failed, "cannot make the archive directory: " + error.message());
  return ok();
}

Result<void> give_name(const std::string& unfinished, const std::string& path) {
  if (std::rename(unfinished.c_str(), path.c_str()) == 0) return ok();
  return write_error("cannot name an archive file");
}

Result<Hash> write_blocks(const Chain& chain, const HeightSpan& span, const std::string& path) {
  const std::string unfinished = path + std::string(kUnfinishedEnding);
  TRY(ArchiveWriter writer,
      ArchiveWriter::create(
          unfinished,
          {.version = {}, .chain_id = chain.chain_id(), .first = span.first, .last = span.last}));
  for (Height height = span.first; height <= span.last; ++height) {
    TRY(const StoredBlock block, chain.read_block(height));
    TRY(writer.add(encode(block)));
  }
  TRY(const Hash hash, writer.finish());
  TRY(give_name(unfinished, path));
  return hash;
}

Result<void> write_certificate(const Chain& chain, const HeightSpan& span,
                               const std::string& path) {
  TRY(const ArchiveCertificate certificate, make_archive_certificate(chain, span.last));
  const std::string unfinished = path + std::string(kUnfinishedEnding);
  const Bytes bytes = encode(certificate);
  std::FILE* file = std::fopen(unfinished.c_str(), "wb");
  if (file == nullptr) return write_error("cannot make the archive's certificate file");
  const bool is_written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const bool is_closed = std::fclose(file) == 0;
  if (!is_written || !is_closed) return write_error("cannot write the archive's certificate file");
  TRY(sync_path(unfinished, O_RDONLY));
  return give_name(unfinished, path);
}

}  // namespace

Result<ArchiveCertificate> make_archive_certificate(const Chain& chain, Height last) {
  ArchiveCertificate out;
  TRY(CoveringCertificate covering, covering_certificate(chain, last));
  out.later = std::move(covering.later);
  out.certificate = std::move(covering.certificate);
  TRY(out.trail, chain.trail(out.certificate.epoch));
  return out;
}

Result<Hash> write_archive(const Chain& chain, const Archive& archive, const HeightSpan& span) {
  TRY(make_directory(archive.directory()));
  const std::string path = archive.path_of(span, kArchiveBlocksEnding);
  const auto present = ArchiveFile::open(path);
  Hash hash;
  if (present && present->span() == span && present->head().chain_id == chain.chain_id()) {
    hash = present->hash();
  } else {
    TRY(hash, write_blocks(chain, span, path));
  }
  const std::string certificate = archive.path_of(span, kArchiveCertificateEnding);
  if (!read_archive_certificate(certificate)) TRY(write_certificate(chain, span, certificate));
  TRY(sync_path(archive.directory(), O_RDONLY | O_DIRECTORY));
  return hash;
}

}  // namespace baolian::ledger
