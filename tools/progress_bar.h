/// The progress bar of the programs: one line on the terminal that is written over.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace baolian::tools {

class ProgressBar {
 public:
  /// Nothing is shown where standard error is no terminal, so that logs stay readable.
  static bool is_wanted() { return ::isatty(STDERR_FILENO) != 0; }

  /// `total` 0: not known.
  void show(std::string_view what, std::uint64_t done, std::uint64_t total,
            std::string_view beside = {}) {
    if (total == 0) {
      fmt::print(stderr, "\r{:<26} {:>12}  {}\033[K", what, done, beside);
    } else {
      const std::uint64_t shown = std::min(done, total);
      const std::uint64_t cells = shown * kCells / total;
      fmt::print(stderr, "\r{:<26} [{:=<{}}{:{}}] {:>3} %  {:>12}  {}\033[K", what, "", cells, "",
                 kCells - cells, shown * 100 / total, done, beside);
    }
    std::fflush(stderr);
  }
  void clear() { fmt::print(stderr, "\r\033[K"); }

 private:
  static constexpr std::uint64_t kCells = 24;
};

}  // namespace baolian::tools
