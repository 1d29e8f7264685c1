#include "vault/durable_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace baolian::vault {
namespace {

Error io_error(const char* what, const std::string& path) {
  return fail(Errc::io_failed,
              std::string(what).append(" ").append(path).append(": ").append(std::strerror(errno)));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Part of every temporary name.
constexpr std::string_view kTemporaryMark = ".new";

std::string temporary_name(const std::string& path) {
  static std::atomic<std::uint64_t> counter{0};
  return path + std::string(kTemporaryMark) + std::to_string(::getpid()) + "." +
         std::to_string(counter++);
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<void> write_all(int fd, BytesView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_error("cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

Result<void> fill_temporary(const std::string& path, BytesView bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) return io_error("cannot create", path);
  TRY(write_all(fd.get(), bytes, path));
  if (::fsync(fd.get()) != 0) return io_error("cannot sync", path);
  return ok();
}

/// The name of a new durable file. A full disk would otherwise keep the half-written one for ever.
Result<std::string> write_temporary(const std::string& path, BytesView bytes) {
  std::string temporary = temporary_name(path);
  if (auto written = fill_temporary(temporary, bytes); !written) {
    ::unlink(temporary.c_str());
    return std::move(written).error();
  }
  return temporary;
}

}  // namespace

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return io_error("cannot make the directory", path);
  }
  return ok();
}

Result<void> sync_directory(const std::string& directory) {
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) {
    return io_error("cannot sync the directory", directory);
  }
  return ok();
}

Result<std::vector<std::string>> names_in(const std::string& directory, std::string_view suffix) {
  DIR* open = ::opendir(directory.c_str());
  if (open == nullptr) return io_error("cannot list", directory);
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || !name.ends_with(suffix)) continue;
    out.emplace_back(name.substr(0, name.size() - suffix.size()));
  }
  ::closedir(open);
  std::sort(out.begin(), out.end());
  return out;
}

Result<void> sweep_temporaries(const std::string& directory) {
  TRY(const std::vector<std::string> names, names_in(directory, ""));
  for (const auto& name : names) {
    if (name.find(kTemporaryMark) == std::string::npos) continue;
    TRY(remove_file(directory + "/" + name));
  }
  return ok();
}

Result<void> create_file(const std::string& path, BytesView bytes) {
  TRY(const std::string temporary, write_temporary(path, bytes));
  // link() keeps the first file of a name, where rename() would replace it.
  const int linked = ::link(temporary.c_str(), path.c_str());
  const int link_error = errno;
  ::unlink(temporary.c_str());
  if (linked != 0 && link_error == EEXIST) {
    return fail(Errc::already_exists, "this name is taken and stays as it is: " + path);
  }
  if (linked != 0) {
    errno = link_error;
    return io_error("cannot name", path);
  }
  return sync_directory(directory_of(path));
}

Result<void> replace_file(const std::string& path, BytesView bytes) {
  TRY(const std::string temporary, write_temporary(path, bytes));
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    auto error = io_error("cannot name", path);
    ::unlink(temporary.c_str());
    return error;
  }
  return sync_directory(directory_of(path));
}

Result<Bytes> read_file(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return fail(Errc::not_found, "there is no file " + path);
    return io_error("cannot open", path);
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return io_error("cannot look at", path);
  Bytes out(static_cast<std::size_t>(info.st_size));
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = ::read(fd.get(), out.data() + filled, out.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return io_error("cannot read", path);
    filled += static_cast<std::size_t>(got);
  }
  return out;
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return ok();
    return io_error("cannot remove", path);
  }
  return sync_directory(directory_of(path));
}

}  // namespace baolian::vault
