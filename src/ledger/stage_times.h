/// Where the time of the thread that executes blocks goes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace baolian::ledger {

/// What is done for a block, in this order; `execute` after the `decode` of each transaction.
enum class Stage : std::uint8_t {
  decode,   ///< batch and bodies: hashed and decoded
  execute,  ///< contracts: rows of the state read, rules, receipts
  leaves,   ///< operations and receipts encoded and hashed, the operations root
  index,    ///< rows of transactions and operations
  logs,     ///< entries and frontiers of the complete logs
  tree,     ///< keys and values hashed, the state tree
  store,    ///< all rows to the store's memory
  memory,   ///< rows and leaves that are kept for the next blocks
};
inline constexpr std::size_t kStageCount = 8;
constexpr auto enum_names(Stage) {
  return std::array<std::string_view, kStageCount>{"decode", "execute", "leaves", "index",
                                                   "logs",   "tree",    "store",  "memory"};
}

/// Processor time of one thread, a few clock readings a block. Threads: begin() and end() that one;
/// spent_ns() any.
class StageTimes {
 public:
  /// A block is taken up.
  void begin() { since_ns_ = thread_ns(); }
  /// What the thread did since begin() or the last end() belongs to this stage.
  void end(Stage stage);
  /// Nanoseconds since the start of the process.
  std::uint64_t spent_ns(Stage stage) const {
    return spent_ns_[static_cast<std::size_t>(stage)].load(std::memory_order_relaxed);
  }

 private:
  static std::uint64_t thread_ns();

  std::uint64_t since_ns_ = 0;
  std::array<std::atomic<std::uint64_t>, kStageCount> spent_ns_{};
};

}  // namespace baolian::ledger
