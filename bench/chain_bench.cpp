/// Questions to a long chain while it grows: lookups, pages of logs, evidence for windows.
///
/// The chain is made offline, without a network: real transactions (Ed25519, 1,000 readings each),
/// executed by node::Executor as a node does after consensus, every block with a certificate by a
/// quorum of the validators' keys. It stays in the directory, so that a second run only measures.
/// One hospital makes every reading: its own log holds them all. Half of them are of one person,
/// the others are spread at random over 20,000 persons.
///
/// Usage: baolian_chain_bench DIRECTORY [readings] [committed readings per second while measuring]
///        baolian_chain_bench DIRECTORY reindex    makes the index of that chain again, and
///        compares
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

#include "chain_bench_world.h"
#include "core/prng.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "node/log_page.h"
#include "node/reindex.h"

namespace {

using namespace baolian;
using bench::ChainMaker;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kLiveBlocksPerSecond = 20;
constexpr std::size_t kSamples = 2000;
constexpr std::size_t kWarmUp = 100;

unsigned long long number(std::uint64_t value) { return value; }

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::uint64_t argument(int argc, char** argv, int index, std::uint64_t otherwise) {
  return index < argc ? std::strtoull(argv[index], nullptr, 10) : otherwise;
}

std::uint64_t directory_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    std::error_code gone;
    const auto size = file.is_regular_file(gone) ? file.file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

void show_bar(const char* what, std::uint64_t done, std::uint64_t total, double elapsed_s) {
  constexpr std::uint64_t kCells = 30;
  const auto cells = static_cast<int>(done * kCells / total);
  std::fprintf(stderr, "\r[%.*s%*s] %3llu %%  %llu %s, %.0f/s, %.0f s\033[K", cells,
               "==============================", static_cast<int>(kCells) - cells, "",
               number(done * 100 / total), number(done), what,
               static_cast<double>(done) / elapsed_s, elapsed_s);
  if (done == total) std::fputc('\n', stderr);
}

void grow(ChainMaker& maker, std::uint64_t readings) {
  const std::uint64_t before = maker.readings();
  if (before >= readings) return;
  const auto start = Clock::now();
  while (maker.readings() < readings) {
    maker.append_readings(std::min(readings - maker.readings(), bench::kReadingsPerBlock));
    const bool is_due = maker.chain().height().value % 20 == 0 || maker.readings() == readings;
    if (is_due) maker.chain().flush();
    if (is_due) {
      show_bar("readings", maker.readings() - before, readings - before, seconds_since(start));
    }
  }
  std::printf("made %llu readings in %.0f s\n", number(readings - before), seconds_since(start));
}

/// Blocks at a steady pace on a thread of its own, until it is destroyed.
class Committing {
 public:
  Committing(ChainMaker& maker, std::uint64_t readings_per_second)
      : thread_([this, &maker, readings_per_second] { run(maker, readings_per_second); }) {}
  ~Committing() {
    done_ = true;
    thread_.join();
  }
  std::uint64_t blocks() const { return blocks_; }

 private:
  void run(ChainMaker& maker, std::uint64_t readings_per_second) {
    const auto each = std::chrono::microseconds(1'000'000 / kLiveBlocksPerSecond);
    const std::uint64_t readings = std::clamp<std::uint64_t>(
        readings_per_second / kLiveBlocksPerSecond, 1, bench::kReadingsPerBlock);
    for (auto due = Clock::now(); !done_; due += each) {
      std::this_thread::sleep_until(due);
      maker.append_readings(readings);
      if (++blocks_ % kLiveBlocksPerSecond == 0) maker.chain().flush();
    }
  }

  std::atomic<bool> done_ = false;
  std::atomic<std::uint64_t> blocks_ = 0;
  std::thread thread_;
};

/// Times `question` and prints a line: p50, p99, max in ms.
void measure(const char* name, std::size_t samples, const std::function<void()>& question) {
  for (std::size_t i = 0; i < kWarmUp; ++i) question();
  std::vector<double> times_ms;
  times_ms.reserve(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const auto start = Clock::now();
    question();
    times_ms.push_back(seconds_since(start) * 1e3);
  }
  std::sort(times_ms.begin(), times_ms.end());
  std::printf("%-58s p50 %8.3f  p99 %8.3f  max %8.3f ms\n", name, times_ms[samples / 2],
              times_ms[samples * 99 / 100], times_ms.back());
  std::fflush(stdout);
}

/// Ends the measurement: an answer that is wrong has no time.
void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::exit(1);
}

void measure_points(const ChainMaker& maker, Prng& prng) {
  const ledger::Chain& chain = maker.chain();
  const std::vector<TxId> ids = maker.some_transactions(prng, 500);
  measure("transaction by its id", kSamples, [&] {
    require(chain.find_transaction(ids[prng.below(ids.size())]).has_value(), "transaction");
  });
  measure("value of a state key", kSamples, [&] {
    const Bytes key = maker.record_key(prng.below(bench::kPersons));
    require(chain.read_state(key).has_value(), "state key");
  });
  const ledger::LogId all = maker.log_of_hospital();
  measure("one entry by its position in the log of all", kSamples, [&] {
    const std::uint64_t at = prng.below(maker.readings_before());
    const auto found = chain.log_entries(all, TimeMs{}, TimeMs{UINT64_MAX}, at, 1);
    require(found.size() == 1 && found.front().index == at, "entry");
  });
}

void measure_pages(const ChainMaker& maker, Prng& prng) {
  const ledger::Chain& chain = maker.chain();
  const auto page = [&](const ledger::LogId& log, std::uint64_t after, std::size_t limit) {
    const std::string text =
        node::log_page_json(chain, {.log = log, .after = after, .limit = limit});
    require(text.find("\"outcome\":\"record_read\"") != std::string::npos, "page");
  };
  measure("first page (100) of a person's log, entries far apart", kSamples,
          [&] { page(maker.log_of_person(1 + prng.below(bench::kPersons - 1)), 0, 100); });
  const ledger::LogId long_log = maker.log_of_person(0);
  const std::uint64_t count = chain.log_frontier(long_log).count;
  measure("first page (100) of the long log of one person", kSamples,
          [&] { page(long_log, 0, 100); });
  measure("page (1,000) at a random place of that log", kSamples / 4,
          [&] { page(long_log, prng.below(count - 1000), 1000); });
  measure("page (all, about 250) of a person's log, entries far apart", kSamples / 4,
          [&] { page(maker.log_of_person(1 + prng.below(bench::kPersons - 1)), 0, 1000); });
}

void measure_windows(const ChainMaker& maker, Prng& prng) {
  const ledger::Chain& chain = maker.chain();
  const ledger::LogId all = maker.log_of_hospital();
  std::size_t beyond_max = 0;
  std::size_t state_max = 0;
  measure("prove a window of 1,000 entries in the log of all", kSamples / 2, [&] {
    const TimeMs from = maker.random_block_time(prng);
    Height at;
    const auto proof = chain.prove_log_window(all, from, TimeMs{from.value + 1}, at);
    require(proof.has_value() && proof->entries.size() == bench::kReadingsPerBlock + 2, "window");
    std::size_t entries = 0;
    for (const auto& entry : proof->entries) entries += encode(entry).size();
    beyond_max = std::max(beyond_max, encode(*proof).size() - entries);
    state_max = std::max(state_max, encode(proof->state).size());
  });
  std::printf(
      "bytes of such a proof beyond its entries: at most %zu (%zu of them the proof of "
      "the frontier)\n",
      beyond_max, state_max);
}

/// H over all index rows in order.
Hash hash_of_index(const std::string& directory) {
  const auto store = ledger::open_rocksdb_store(directory + "/store");
  require(store.has_value(), "the store opens");
  crypto::Sha256 hash;
  Bytes from;
  for (;;) {
    const auto rows = (*store)->scan(ledger::Family::index, {}, from, 10'000);
    for (const auto& row : rows) {
      hash.update(row.key);
      hash.update(row.value);
    }
    if (rows.empty()) return hash.finish();
    from = rows.back().key;
    from.push_back(0);
  }
}

int reindex(const std::string& directory) {
  const Hash before = hash_of_index(directory);
  const auto start = Clock::now();
  const auto done = node::reindex_directory(
      directory, bench::ChainMaker::genesis(), [start](Height height, Height newest) {
        const bool is_due = height.value % 20 == 0 || height == newest;
        if (is_due) show_bar("blocks", height.value, newest.value, seconds_since(start));
      });
  if (!done) {
    std::fprintf(stderr, "%s\n", done.error().context.c_str());
    return 1;
  }
  std::printf("index of %llu blocks made again in %.0f s\n", number(done->value),
              seconds_since(start));
  require(hash_of_index(directory) == before, "index rows are byte for byte as before");
  std::puts("every index row is byte for byte as before");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  crypto::initialize();
  if (argc < 2) {
    std::fputs(
        "usage: baolian_chain_bench DIRECTORY [readings] [readings per second]\n"
        "       baolian_chain_bench DIRECTORY reindex\n",
        stderr);
    return 2;
  }
  const std::string directory = argv[1];
  if (argc > 2 && std::string_view(argv[2]) == "reindex") return reindex(directory);
  const std::uint64_t readings = argument(argc, argv, 2, 10'000'000);
  const std::uint64_t rate = argument(argc, argv, 3, 2'000);
  const auto start = Clock::now();
  auto opened = ChainMaker::open(directory);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().context.c_str());
    return 1;
  }
  ChainMaker& maker = **opened;
  std::printf("opened in %.1f s: height %llu, %llu readings\n", seconds_since(start),
              number(maker.chain().height().value), number(maker.readings()));
  std::puts("the chain is made offline: executor and certificates of a node, no network");
  grow(maker, readings);
  std::printf(
      "on disk: %.2f GB, %.0f bytes a reading\n",
      static_cast<double>(directory_bytes(directory)) / 1e9,
      static_cast<double>(directory_bytes(directory)) / static_cast<double>(maker.readings()));
  std::printf("measured while %llu blocks/s with %llu readings/s are executed and certified\n",
              number(kLiveBlocksPerSecond), number(rate));
  maker.remember_length(readings);
  Prng prng(7);
  Committing committing(maker, rate);
  measure_points(maker, prng);
  measure_pages(maker, prng);
  measure_windows(maker, prng);
  std::printf("blocks committed meanwhile: %llu\n", number(committing.blocks()));
  return 0;
}
