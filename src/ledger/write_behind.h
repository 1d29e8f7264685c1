/// A store that gathers what is applied in memory and writes it down together, in order of the keys
/// (docs/adr/0030-write-behind.md).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "ledger/store.h"
#include "ledger/write_layer.h"

namespace baolian::ledger {

/// What is not flushed is lost when the process ends, however it ends: who needs it keeps what it
/// was made from, as the consensus log does.
///
/// Memory:   what was applied since begin_flush() and what is being written. It wants to be flushed
///           when the first is a little above what gather_up_to() allows; an apply() after which
///           it has twice that flushes before it returns.
/// Threads:  any. apply() and begin_flush() else do not wait for the disk; finish_flush() does, and
///           others read and apply meanwhile.
class WriteBehindStore final : public KeyValueStore {
 public:
  static constexpr std::size_t kGatherBytes = std::size_t{72} << 20;

  explicit WriteBehindStore(std::unique_ptr<KeyValueStore> below,
                            std::size_t gather_bytes = kGatherBytes);

  std::optional<Bytes> read(Family family, BytesView key) const override;
  using KeyValueStore::scan;
  std::vector<KeyValue> scan(Family family, const KeyRange& range,
                             std::size_t limit) const override;
  void visit(Family family, BytesView first, BytesView end,
             const std::function<void(BytesView key, BytesView value)>& row) const override;
  std::vector<std::optional<Bytes>> read_many(Family family,
                                              const std::vector<Bytes>& keys) const override;
  std::vector<Bytes> split(Family family, std::size_t parts) const override;
  std::unique_ptr<StateReader> freeze_state() const override;
  void apply(const std::vector<StoreWrite>& batch) override;
  void apply_with_state(const std::vector<StoreWrite>& batch,
                        const StateOverlay::Writes& state) override;
  void clear(Family family) override;
  /// Requires: nobody applies rows of the range meanwhile.
  void erase_range(Family family, BytesView first, BytesView end,
                   const std::vector<StoreWrite>& batch) override;
  void reclaim(Family family, BytesView first, BytesView end,
               std::atomic<bool>& cancelled) override;
  void begin_flush() override;
  void finish_flush() override;
  void flush() override;
  std::size_t waiting_bytes() const override;
  bool wants_flush() const override;
  void gather_up_to(std::size_t bytes) override { gather_bytes_ = bytes; }

 private:
  using Layers = std::vector<std::shared_ptr<const WriteLayer>>;

  void freeze() const;
  Layers layers() const;
  bool is_empty() const;
  void write_down(const WriteLayer& layer);

  const std::unique_ptr<KeyValueStore> below_;
  std::atomic<std::size_t> gather_bytes_;
  std::mutex flushing_;
  /// Guards what follows; the layer `active_` is written under it and read under its shared side.
  mutable std::shared_mutex mutex_;
  // Freezing moves rows from one place to the other: no reader sees a difference.
  mutable std::shared_ptr<WriteLayer> active_;
  mutable Layers frozen_;  ///< oldest first: what flush() writes down
};

}  // namespace baolian::ledger
