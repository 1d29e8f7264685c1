/// Cost of a state row on its way to the disk: blocks of new rows, flushed now and then, with what
/// RocksDB does in the background, until nothing is left to do.
/// Usage: baolian_store_bench DIRECTORY [rows] [rows per block] [blocks per flush]
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/prng.h"
#include "ledger/store.h"

namespace {

using namespace baolian;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kKeyBytes = 40;
constexpr std::size_t kValueBytes = 160;

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::uint64_t argument(int argc, char** argv, int index, std::uint64_t otherwise) {
  return index < argc ? std::strtoull(argv[index], nullptr, 10) : otherwise;
}

Bytes random_bytes(Prng& prng, std::size_t count) {
  Bytes out;
  while (out.size() < count) append_big_endian(out, prng.next(), 8);
  return out;
}

std::uint64_t directory_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (file.is_regular_file()) bytes += file.file_size();
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: baolian_store_bench DIRECTORY [rows] [rows per block] [blocks per flush]\n",
               stderr);
    return 2;
  }
  const std::string directory = argv[1];
  const std::uint64_t rows = argument(argc, argv, 2, 4'000'000);
  const std::uint64_t block_rows = argument(argc, argv, 3, 5'000);
  const std::uint64_t flush_blocks = argument(argc, argv, 4, 8);
  auto store = ledger::open_rocksdb_store(directory);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().context.c_str());
    return 1;
  }
  Prng prng(1);
  double write_s = 0;
  const double cpu_before = cpu_seconds();
  const auto start = Clock::now();
  for (std::uint64_t written = 0; written < rows; written += block_rows) {
    std::vector<ledger::StoreWrite> block;
    for (std::uint64_t i = 0; i < block_rows; ++i) {
      block.push_back(
          {ledger::Family::state, random_bytes(prng, kKeyBytes), random_bytes(prng, kValueBytes)});
    }
    const auto began = Clock::now();
    (*store)->apply(std::move(block));
    if (written / block_rows % flush_blocks == 0) (*store)->flush();
    write_s += std::chrono::duration<double>(Clock::now() - began).count();
  }
  const double total_s = std::chrono::duration<double>(Clock::now() - start).count();
  const auto per_row = [rows](double seconds) { return seconds * 1e6 / static_cast<double>(rows); };
  std::printf("writer   %6.2f us a row (of %llu rows, blocks of %llu, a flush every %llu)\n",
              per_row(write_s), static_cast<unsigned long long>(rows),
              static_cast<unsigned long long>(block_rows),
              static_cast<unsigned long long>(flush_blocks));
  std::printf("process  %6.2f us of CPU a row, %.1f s in all\n",
              per_row(cpu_seconds() - cpu_before), total_s);
  const auto read_start = Clock::now();
  constexpr int kReads = 20'000;
  for (int i = 0; i < kReads; ++i) {
    (*store)->read(ledger::Family::state, random_bytes(prng, kKeyBytes));
  }
  std::printf(
      "absent   %6.2f us a read\n",
      std::chrono::duration<double, std::micro>(Clock::now() - read_start).count() / kReads);
  std::printf("disk     %6.0f bytes a row of %zu\n",
              static_cast<double>(directory_bytes(directory)) / static_cast<double>(rows),
              kKeyBytes + kValueBytes);
  return 0;
}
