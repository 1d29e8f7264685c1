#include "node/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace baolian::node {

namespace {

Error io_error(const char* what, const std::string& path) {
  return fail(Errc::io_failed, std::string(what) + " " + path + ": " + std::strerror(errno));
}

/// Closes what it holds.
struct File {
  int fd;
  ~File() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

Result<Bytes> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status {};
  if (file.fd < 0 || ::fstat(file.fd, &status) != 0) return io_error("cannot read", path);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > bytes_max) return fail(Errc::limit_exceeded, path + " is larger than it may be");
  Bytes bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.fd, bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return io_error("cannot read", path);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<void> replace_file(const std::string& path, BytesView content) {
  const std::string temporary = path + ".new";
  {
    const File file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (file.fd < 0) return io_error("cannot write", temporary);
    while (!content.empty()) {
      const ssize_t written = ::write(file.fd, content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return io_error("cannot write", temporary);
      content = content.subspan(static_cast<std::size_t>(written));
    }
    if (::fsync(file.fd) != 0) return io_error("cannot fsync", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return io_error("cannot rename", temporary);
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  const File parent{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (parent.fd < 0 || ::fsync(parent.fd) != 0) return io_error("cannot fsync", directory);
  return ok();
}

}  // namespace baolian::node
