/// The store's RocksDB opened to be checked (ledger/audit/audit_store.h): read only, errors are
/// answers. Apart from store_rocksdb.cpp because they share no more than rocksdb_rows.h: every
/// option that reading needs stands in the files themselves.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "ledger/audit/audit_store.h"
#include "ledger/rocksdb_rows.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kBlockCacheBytes = std::size_t{64} << 20;
constexpr std::size_t kReadAheadBytes = std::size_t{2} << 20;

Error error_of(const rocksdb::Status& status, const std::string& what) {
  const bool is_bad = status.IsCorruption();
  return fail(is_bad ? Errc::store_corrupt : Errc::io_failed, what + ": " + status.ToString());
}

/// RocksDB writes its own log beside the data, also when it only reads; a check must not write.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options audit_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::Options options;
  options.info_log = std::make_shared<SilentLogger>();
  options.create_if_missing = false;
  options.paranoid_checks = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::ReadOptions read_options() {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.total_order_seek = true;
  return options;
}

class RocksdbCursor final : public RowCursor {
 public:
  RocksdbCursor(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family, BytesView prefix)
      : prefix_(to_bytes(prefix)), end_(end_of(prefix)), upper_bound_(slice(end_)) {
    rocksdb::ReadOptions options = read_options();
    options.readahead_size = kReadAheadBytes;
    options.fill_cache = false;
    if (!end_.empty()) options.iterate_upper_bound = &upper_bound_;
    rows_.reset(database.NewIterator(options, family));
    from_ = prefix_;
  }

  Result<bool> next() override {
    if (from_) {
      rows_->Seek(slice(*from_));
      from_.reset();
    } else if (rows_->Valid()) {
      rows_->Next();
    }
    if (rows_->Valid()) return true;
    if (!rows_->status().ok()) return error_of(rows_->status(), "rows cannot be read");
    return false;
  }
  void seek(BytesView key) override { from_ = to_bytes(key); }
  BytesView key() const override { return view(rows_->key()); }
  BytesView value() const override { return view(rows_->value()); }

 private:
  Bytes prefix_;
  Bytes end_;
  rocksdb::Slice upper_bound_;
  std::optional<Bytes> from_;
  std::unique_ptr<rocksdb::Iterator> rows_;
};

class RocksdbAuditStore final : public AuditStore {
 public:
  using Handles = std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount>;

  RocksdbAuditStore(std::unique_ptr<rocksdb::DB> database, const Handles& handles)
      : database_(std::move(database)), handles_(handles) {}
  ~RocksdbAuditStore() override {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      static_cast<void>(database_->DestroyColumnFamilyHandle(handle));
    }
    static_cast<void>(database_->Close());
  }

  Result<std::optional<Bytes>> read(Family family, BytesView key) const override {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status =
        database_->Get(read_options(), handle(family), slice(key), &value);
    if (status.IsNotFound()) return std::optional<Bytes>();
    if (!status.ok()) return error_of(status, "a row cannot be read");
    return std::optional<Bytes>(to_bytes(view(value)));
  }

  std::unique_ptr<RowCursor> rows(Family family, BytesView prefix) const override {
    return std::make_unique<RocksdbCursor>(*database_, handle(family), prefix);
  }

  Result<std::optional<Bytes>> last_key(Family family, BytesView prefix) const override {
    const Bytes end = end_of(prefix);
    const std::unique_ptr<rocksdb::Iterator> row(
        database_->NewIterator(read_options(), handle(family)));
    if (end.empty()) {
      row->SeekToLast();
    } else {
      row->SeekForPrev(slice(end));
      if (row->Valid() && row->key() == slice(end)) row->Prev();
    }
    if (!row->status().ok()) return error_of(row->status(), "the last row cannot be read");
    if (!row->Valid() || !row->key().starts_with(slice(prefix))) return std::optional<Bytes>();
    return std::optional<Bytes>(to_bytes(view(row->key())));
  }

  std::uint64_t estimated_rows(Family family) const override {
    std::uint64_t rows = 0;
    database_->GetIntProperty(handle(family), "rocksdb.estimate-num-keys", &rows);
    return rows;
  }

  std::vector<File> files() const override {
    std::vector<rocksdb::LiveFileMetaData> live;
    database_->GetLiveFilesMetaData(&live);
    std::vector<File> out;
    for (const rocksdb::LiveFileMetaData& file : live) {
      out.push_back({file.db_path + file.name, file.size});
    }
    return out;
  }

  Result<void> check_file(const File& file) const override {
    rocksdb::SstFileReader reader(audit_options(nullptr));
    rocksdb::Status status = reader.Open(file.path);
    if (status.ok()) {
      rocksdb::ReadOptions options = read_options();
      options.readahead_size = kReadAheadBytes;
      status = reader.VerifyChecksum(options);
    }
    if (!status.ok()) return error_of(status, "it does not have its checksums");
    return ok();
  }

 private:
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  std::unique_ptr<rocksdb::DB> database_;
  Handles handles_;
};

/// How much is demanded of the files that say what belongs to the store. The first that succeeds
/// is taken; what the ones before it said is damage.
enum class Demand : std::uint8_t {
  all,             ///< every file of it, every record of RocksDB's log but a torn last one
  log_to_damage,   ///< RocksDB's log up to its first bad record
  files_may_miss,  ///< also without table files that cannot be opened
};

rocksdb::Status open_with(Demand demand, const std::string& directory,
                          std::unique_ptr<AuditStore>& store) {
  const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  const rocksdb::Options options = audit_options(cache);
  rocksdb::DBOptions database(options);
  // All files are held open from the start: a node beside us may remove them while we read.
  database.max_open_files = demand == Demand::files_may_miss ? 256 : -1;
  database.paranoid_checks = demand != Demand::files_may_miss;
  database.wal_recovery_mode = demand == Demand::all
                                   ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                                   : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions(options)}};
  for (const char* name : kFamilyNames) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions(options));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(database, directory, families, &opened, &raw);
  if (!status.ok()) return status;
  std::unique_ptr<rocksdb::DB> owned(raw);
  ASSERT(opened.size() == kFamilyCount + 1);
  static_cast<void>(owned->DestroyColumnFamilyHandle(opened.front()));
  RocksdbAuditStore::Handles handles{};
  std::copy(opened.begin() + 1, opened.end(), handles.begin());
  store = std::make_unique<RocksdbAuditStore>(std::move(owned), handles);
  return status;
}

}  // namespace

Result<OpenedForAudit> open_rocksdb_for_audit(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::exists(directory + "/CURRENT", error)) {
    return fail(Errc::not_found, "there is no chain store in " + directory);
  }
  OpenedForAudit out;
  rocksdb::Status status;
  for (const Demand demand : {Demand::all, Demand::log_to_damage, Demand::files_may_miss}) {
    status = open_with(demand, directory, out.store);
    if (status.ok()) return out;
    const std::string words = status.ToString();
    if (out.damages.empty() || out.damages.back() != words) out.damages.push_back(words);
  }
  return error_of(status, "cannot open the chain store in " + directory);
}

}  // namespace baolian::ledger
