#include "ledger/audit/audit_store.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kScanRows = 256;

class ScanningCursor final : public RowCursor {
 public:
  ScanningCursor(const KeyValueStore& store, Family family, BytesView prefix)
      : store_(store), family_(family), prefix_(to_bytes(prefix)), from_(prefix_) {}

  Result<bool> next() override {
    if (place_ + 1 < rows_.size()) {
      ++place_;
      return true;
    }
    if (is_last_) return false;
    rows_ = store_.scan(family_, prefix_, from_, kScanRows);
    is_last_ = rows_.size() < kScanRows;
    place_ = 0;
    if (rows_.empty()) return false;
    from_ = rows_.back().key;
    from_.push_back(0);
    return true;
  }
  void seek(BytesView key) override {
    from_ = to_bytes(key);
    rows_.clear();
    place_ = 0;
    is_last_ = false;
  }
  BytesView key() const override { return rows_[place_].key; }
  BytesView value() const override { return rows_[place_].value; }

 private:
  const KeyValueStore& store_;
  Family family_;
  Bytes prefix_;
  Bytes from_;
  std::vector<KeyValue> rows_;
  std::size_t place_ = 0;
  bool is_last_ = false;
};

class OverStore final : public AuditStore {
 public:
  explicit OverStore(const KeyValueStore& store) : store_(store) {}

  Result<std::optional<Bytes>> read(Family family, BytesView key) const override {
    return store_.read(family, key);
  }
  std::unique_ptr<RowCursor> rows(Family family, BytesView prefix) const override {
    return std::make_unique<ScanningCursor>(store_, family, prefix);
  }
  Result<std::optional<Bytes>> last_key(Family family, BytesView prefix) const override {
    std::optional<Bytes> last;
    const auto cursor = rows(family, prefix);
    for (;;) {
      TRY(const bool is_there, cursor->next());
      if (!is_there) return last;
      last = to_bytes(cursor->key());
    }
  }
  std::uint64_t estimated_rows(Family) const override { return 0; }
  std::vector<File> files() const override { return {}; }
  Result<void> check_file(const File&) const override { return ok(); }

 private:
  const KeyValueStore& store_;
};

}  // namespace

std::unique_ptr<AuditStore> audit_store_over(const KeyValueStore& store) {
  return std::make_unique<OverStore>(store);
}

}  // namespace baolian::ledger
