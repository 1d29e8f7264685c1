#include "ledger/memory_store.h"

#include <algorithm>

namespace baolian::ledger {

std::size_t MemoryDisk::unflushed_batches() const {
  const std::scoped_lock lock(mutex_);
  return undo_.size();
}

StoreWrite MemoryDisk::exchange(const StoreWrite& write) {
  Rows& rows = families_[static_cast<std::size_t>(write.family)];
  StoreWrite inverse{.family = write.family, .key = write.key, .value = std::nullopt};
  const auto found = rows.find(write.key);
  if (found != rows.end()) inverse.value = std::move(found->second);
  if (write.value) {
    rows.insert_or_assign(write.key, *write.value);
  } else if (found != rows.end()) {
    rows.erase(found);
  }
  return inverse;
}

void MemoryDisk::power_cut(std::size_t surviving_batches) {
  const std::scoped_lock lock(mutex_);
  while (undo_.size() > surviving_batches) {
    auto& batch = undo_.back();
    for (std::size_t i = batch.size(); i-- > 0;) exchange(batch[i]);
    undo_.pop_back();
  }
  undo_.clear();
}

namespace {

std::vector<KeyValue> scan_rows(const std::map<Bytes, Bytes, KeyOrder>& rows, const KeyRange& range,
                                std::size_t limit) {
  std::vector<KeyValue> out;
  auto row = rows.lower_bound(range.first());
  for (; row != rows.end() && out.size() < limit && range.has(row->first); ++row) {
    out.push_back({row->first, row->second});
  }
  return out;
}

/// A copy: what is kept in memory is small.
class FrozenRows final : public StateReader {
 public:
  explicit FrozenRows(std::map<Bytes, Bytes, KeyOrder> rows) : rows_(std::move(rows)) {}

  std::optional<Bytes> read(BytesView key) const override {
    const auto found = rows_.find(key);
    if (found == rows_.end()) return std::nullopt;
    return found->second;
  }
  std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const override {
    return scan_rows(rows_, range, limit);
  }

 private:
  std::map<Bytes, Bytes, KeyOrder> rows_;
};

}  // namespace

class MemoryStore final : public KeyValueStore {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

  std::optional<Bytes> read(Family family, BytesView key) const override {
    const std::scoped_lock lock(disk_->mutex_);
    const auto& rows = disk_->families_[static_cast<std::size_t>(family)];
    const auto found = rows.find(key);
    if (found == rows.end()) return std::nullopt;
    return found->second;
  }

  std::vector<KeyValue> scan(Family family, const KeyRange& range,
                             std::size_t limit) const override {
    const std::scoped_lock lock(disk_->mutex_);
    const auto& rows = disk_->families_[static_cast<std::size_t>(family)];
    return scan_rows(rows, range, limit);
  }

  std::unique_ptr<StateReader> freeze_state() const override {
    const std::scoped_lock lock(disk_->mutex_);
    return std::make_unique<FrozenRows>(disk_->families_[static_cast<std::size_t>(Family::state)]);
  }

  void apply(const std::vector<StoreWrite>& batch) override {
    const std::scoped_lock lock(disk_->mutex_);
    auto& undo = disk_->undo_.emplace_back();
    undo.reserve(batch.size());
    for (const StoreWrite& write : batch) undo.push_back(disk_->exchange(write));
  }

  void flush() override {
    const std::scoped_lock lock(disk_->mutex_);
    disk_->undo_.clear();
  }

 private:
  std::shared_ptr<MemoryDisk> disk_;
};

std::unique_ptr<KeyValueStore> make_memory_store(std::shared_ptr<MemoryDisk> disk) {
  return std::make_unique<MemoryStore>(std::move(disk));
}

std::unique_ptr<KeyValueStore> make_memory_store() {
  return make_memory_store(std::make_shared<MemoryDisk>());
}

}  // namespace baolian::ledger
