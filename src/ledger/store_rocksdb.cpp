/// RocksDB behind KeyValueStore: the only file that includes it. Its own write-ahead log is on, so
/// that one WriteBatch over several column families is atomic across a crash; flush() syncs that
/// log. After a power cut an unsynced tail is lost as whole batches (point-in-time recovery); the
/// consensus log executes those heights again.
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <system_error>

#include "ledger/rocksdb_rows.h"
#include "ledger/store.h"

namespace baolian::ledger {
namespace {

constexpr std::size_t kBlockCacheBytes = std::size_t{96} << 20;
constexpr std::size_t kWriteBuffersBytes = std::size_t{192} << 20;  // all families together
constexpr std::size_t kWriteBufferBytes = std::size_t{24} << 20;
/// Keys of the state come in no order: the more of them go down together, the fewer times the level
/// below is written again.
constexpr std::size_t kStateWriteBufferBytes = std::size_t{64} << 20;
constexpr std::uint64_t kLogBytesMax = std::uint64_t{192} << 20;
constexpr std::uint64_t kBlobBytesMin = 4096;
constexpr int kOpenFilesMax = 512;
/// Files of rows that came down one after the other, before some are merged.
constexpr int kSortedRunsMax = 16;
/// So many, and writing is slowed down until some are merged; so many, and it waits. Merging takes
/// what blocks leave of the processor, so it may come late.
constexpr int kSortedRunsSlow = 32;
constexpr int kSortedRunsStop = 48;
/// Niceness of merging beside blocks: on a machine without a free moment it still gets a tenth of
/// what each of them gets.
constexpr int kMergeNiceness = 10;
/// Bytes above the oldest run, in percent of it, before everything is merged.
constexpr unsigned kYoungPercentMax = 100;
constexpr std::size_t kIndexPartBytes = 4096;
constexpr int kZstdLevel = 1;
constexpr std::uint32_t kDictionaryBytes = 16 * 1024;  ///< of a file
constexpr std::uint32_t kDictionaryTrainBytes = 16 * kDictionaryBytes;
constexpr std::size_t kVisitReadaheadBytes = std::size_t{1} << 20;
/// What a row takes in a batch beside key and value, at most.
constexpr std::size_t kBatchRowBytes = 16;
/// Fewer bytes than this go to the log: files of their own would be small and many.
constexpr std::size_t kFileBytesMin = std::size_t{1} << 20;

/// A store that cannot read or write ends the process: the restart path recovers, going on would
/// not.
void require(const rocksdb::Status& status, const char* action) {
  if (status.ok()) [[likely]]
    return;
  std::fprintf(stderr, "chain store: %s failed: %s; the node stops\n", action,
               status.ToString().c_str());
  std::abort();
}

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  // Rows that went through the log before others of their batch are flushed all or none.
  options.atomic_flush = true;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.db_write_buffer_size = kWriteBuffersBytes;
  options.max_total_wal_size = kLogBytesMax;
  options.max_open_files = kOpenFilesMax;
  options.max_background_jobs = 2;
  options.bytes_per_sync = std::uint64_t{1} << 20;
  options.keep_log_file_num = 2;
  options.max_log_file_size = std::size_t{4} << 20;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  return options;
}

/// Rows are full of ids that many rows share: a dictionary and zstd take a third less than LZ4.
void pack_densely(rocksdb::ColumnFamilyOptions& options) {
  options.bottommost_compression = rocksdb::kZSTD;
  options.bottommost_compression_opts.enabled = true;
  options.bottommost_compression_opts.level = kZstdLevel;
  options.bottommost_compression_opts.max_dict_bytes = kDictionaryBytes;
  options.bottommost_compression_opts.zstd_max_train_bytes = kDictionaryTrainBytes;
}

rocksdb::ColumnFamilyOptions family_options(Family family, Packing packing,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.format_version = 5;
  // Rows are asked for at random: a whole filter of a file is a megabyte and more, and a part of
  // the cache that holds a few of them loses one with each look at another. In parts each lookup
  // needs a few kilobytes.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.metadata_block_size = kIndexPartBytes;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = family == Family::state ? kStateWriteBufferBytes : kWriteBufferBytes;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kLZ4Compression;
  const bool is_rewritten = family == Family::state || family == Family::index;
  if (!is_rewritten || packing == Packing::dense) pack_densely(options);
  if (is_rewritten) {
    // Runs of a size are merged with each other. By levels each of the small ones would be merged
    // with all that there is.
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.level0_file_num_compaction_trigger = kSortedRunsMax;
    options.level0_slowdown_writes_trigger = kSortedRunsSlow;
    options.level0_stop_writes_trigger = kSortedRunsStop;
    options.compaction_options_universal.max_size_amplification_percent = kYoungPercentMax;
  }
  if (family == Family::state) {
    options.prefix_extractor.reset(rocksdb::NewCappedPrefixTransform(kStatePrefixBytes));
    // The filter in memory (key_filter.h) says what is not there: whoever comes down to the oldest
    // run finds it.
    options.optimize_filters_for_hits = true;
  }
  if (family == Family::blocks) {
    options.enable_blob_files = true;
    options.min_blob_size = kBlobBytesMin;
    options.blob_compression_type = rocksdb::kLZ4Compression;
  }
  return options;
}

/// All nodes merge the same rows at about the same time, for seconds: blocks go first. The pool has
/// one thread (max_background_jobs).
void merge_behind_blocks() {
  rocksdb::Env::Default()->Schedule([](void*) { ::setpriority(PRIO_PROCESS, 0, kMergeNiceness); },
                                    nullptr, rocksdb::Env::Priority::LOW);
}

/// Rows on their way into a family. RocksDB leaves files alone whose names are not its own.
std::string gathered_file(const std::string& directory, const char* family) {
  return directory + "/" + family + ".gathered";
}

std::size_t row_bytes(const RowView& row) {
  return row.key.size() + (row.value ? row.value->size() : 0) + kBatchRowBytes;
}

std::optional<Bytes> read_row(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family,
                              const rocksdb::ReadOptions& options, BytesView key) {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = database.Get(options, family, slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  require(status, "read");
  return to_bytes(view(value));
}

std::vector<KeyValue> scan_rows(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family,
                                rocksdb::ReadOptions options, const KeyRange& range,
                                std::size_t limit) {
  std::vector<KeyValue> out;
  if (limit == 0) return out;
  const Bytes end = end_of(range.prefix);
  const bool ends_before = !range.until.empty() && (end.empty() || KeyOrder()(range.until, end));
  const rocksdb::Slice upper_bound = slice(ends_before ? range.until : end);
  if (!upper_bound.empty()) options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> row(database.NewIterator(options, family));
  for (row->Seek(slice(range.first())); row->Valid(); row->Next()) {
    if (!range.has(view(row->key()))) break;
    out.push_back({to_bytes(view(row->key())), to_bytes(view(row->value()))});
    if (out.size() == limit) break;
  }
  require(row->status(), "scan");
  return out;
}

/// The state of one moment. Who reads all of it must not push out of the cache what blocks need.
class FrozenState final : public StateReader {
 public:
  FrozenState(rocksdb::DB& database, rocksdb::ColumnFamilyHandle* family)
      : database_(database), family_(family) {
    options_.snapshot = database_.GetSnapshot();
    options_.fill_cache = false;
    options_.total_order_seek = true;
  }
  ~FrozenState() override { database_.ReleaseSnapshot(options_.snapshot); }
  FrozenState(const FrozenState&) = delete;
  FrozenState& operator=(const FrozenState&) = delete;

  std::optional<Bytes> read(BytesView key) const override {
    return read_row(database_, family_, options_, key);
  }
  std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const override {
    return scan_rows(database_, family_, options_, range, limit);
  }

 private:
  rocksdb::DB& database_;
  rocksdb::ColumnFamilyHandle* family_;
  rocksdb::ReadOptions options_;
};

class RocksdbStore final : public KeyValueStore {
 public:
  using Handles = std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount>;

  RocksdbStore(std::unique_ptr<rocksdb::DB> database, const Handles& handles)
      : database_(std::move(database)), handles_(handles) {}
  ~RocksdbStore() override {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) {
      database_->DestroyColumnFamilyHandle(handle);
    }
    const rocksdb::Status status = database_->Close();
    if (!status.ok()) {
      std::fprintf(stderr, "chain store: close failed: %s\n", status.ToString().c_str());
    }
  }

  std::optional<Bytes> read(Family family, BytesView key) const override {
    return read_row(*database_, handle(family), rocksdb::ReadOptions(), key);
  }

  std::vector<KeyValue> scan(Family family, const KeyRange& range,
                             std::size_t limit) const override {
    const bool has_bloom = family == Family::state && range.prefix.size() >= kStatePrefixBytes;
    rocksdb::ReadOptions options;
    options.prefix_same_as_start = has_bloom;
    options.total_order_seek = !has_bloom;
    return scan_rows(*database_, handle(family), options, range, limit);
  }

  void visit(Family family, BytesView first, BytesView end,
             const std::function<void(BytesView key, BytesView value)>& row) const override {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    options.fill_cache = false;  // what is read once must not push out what blocks need
    options.readahead_size = kVisitReadaheadBytes;
    const rocksdb::Slice upper_bound = slice(end);
    if (!end.empty()) options.iterate_upper_bound = &upper_bound;
    const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(options, handle(family)));
    for (at->Seek(slice(first)); at->Valid(); at->Next()) row(view(at->key()), view(at->value()));
    require(at->status(), "scan");
  }

  std::unique_ptr<StateReader> freeze_state() const override {
    return std::make_unique<FrozenState>(*database_, handle(Family::state));
  }

  std::vector<std::optional<Bytes>> read_many(Family family,
                                              const std::vector<Bytes>& keys) const override {
    // One after the other as slices: RocksDB looks at each file and block once for neighbours.
    std::vector<rocksdb::Slice> slices;
    slices.reserve(keys.size());
    for (const Bytes& key : keys) slices.push_back(slice(key));
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    const bool is_sorted = std::is_sorted(keys.begin(), keys.end());
    database_->MultiGet(rocksdb::ReadOptions(), handle(family), keys.size(), slices.data(),
                        values.data(), statuses.data(), is_sorted);
    std::vector<std::optional<Bytes>> out(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) continue;
      require(statuses[i], "read");
      out[i] = to_bytes(view(values[i]));
    }
    return out;
  }

  /// By the files' first keys, each weighed with its file's size.
  std::vector<Bytes> split(Family family, std::size_t parts) const override {
    rocksdb::ColumnFamilyMetaData meta;
    database_->GetColumnFamilyMetaData(handle(family), &meta);
    std::vector<std::pair<std::string, std::uint64_t>> files;
    std::uint64_t total = 0;
    for (const rocksdb::LevelMetaData& level : meta.levels) {
      for (const rocksdb::SstFileMetaData& file : level.files) {
        files.emplace_back(file.smallestkey, file.size);
        total += file.size;
      }
    }
    std::sort(files.begin(), files.end());
    std::vector<Bytes> out;
    std::uint64_t passed = 0;
    for (const auto& [key, size] : files) {
      if (passed * parts >= total * (out.size() + 1)) out.push_back(to_bytes(key));
      passed += size;
    }
    return out;
  }

  void apply(const std::vector<StoreWrite>& batch) override {
    rocksdb::WriteBatch writes;
    write(batch, writes);
  }

  void apply_with_state(const std::vector<StoreWrite>& batch,
                        const StateOverlay::Writes& state) override {
    std::size_t size = 0;
    for (const auto& [key, value] : state) size += row_bytes({Family::state, key, value});
    for (const StoreWrite& write : batch) size += row_bytes({write.family, write.key, write.value});
    rocksdb::WriteBatch writes(size);
    for (const auto& [key, value] : state) put(Family::state, key, value, writes);
    write(batch, writes);
  }

  /// Bodies go through a memtable, for only there RocksDB makes blobs; all other rows become files
  /// at once, which RocksDB takes together or not at all. Bodies first: what a crash leaves of them
  /// stands above the newest height, which is among the others (store.h).
  void apply_and_flush(std::vector<RowView> rows) override {
    std::size_t size = 0;
    for (const RowView& row : rows) size += row_bytes(row);
    if (size < kFileBytesMin) {
      write_rows(rows, rocksdb::WriteOptions());
      return flush();
    }
    std::array<std::span<const RowView>, kFamilyCount> by_family;
    auto from = rows.begin();
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
      const auto to = std::find_if(from, rows.end(), [i](const RowView& row) {
        return static_cast<std::size_t>(row.family) > i;
      });
      by_family[i] = {from, to};
      from = to;
    }
    static_assert(static_cast<std::size_t>(Family::blocks) == 0);
    flush_past_log(by_family[0]);
    take_as_files(by_family);
  }

  void erase_range(Family family, BytesView first, BytesView end,
                   const std::vector<StoreWrite>& batch) override {
    rocksdb::WriteBatch writes;
    require(writes.DeleteRange(handle(family), slice(first), slice(end)), "write batch");
    write(batch, writes);
  }

  /// Blob files were filled in the order of writing: of rows erased from the front whole files fall
  /// away. Collecting blobs here would copy living ones out of files that die soon anyway.
  void reclaim(Family family, BytesView first, BytesView end,
               std::atomic<bool>& cancelled) override {
    rocksdb::CompactRangeOptions options;
    options.canceled = &cancelled;
    options.exclusive_manual_compaction = false;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    const rocksdb::Slice from = slice(first);
    const rocksdb::Slice to = slice(end);
    const auto status = database_->CompactRange(
        options, handle(family), first.empty() ? nullptr : &from, end.empty() ? nullptr : &to);
    if (!status.IsIncomplete()) require(status, "compaction");  // incomplete: cancelled
  }

  /// Whole files first, which costs nothing; a range tombstone for the rest, and a compaction that
  /// takes both away.
  void clear(Family family) override {
    rocksdb::ColumnFamilyHandle* const all = handle(family);
    require(rocksdb::DeleteFilesInRange(database_.get(), all, nullptr, nullptr), "clear");
    const std::string last = last_key(family);
    if (last.empty()) return;
    require(database_->DeleteRange(rocksdb::WriteOptions(), all, rocksdb::Slice(), last), "clear");
    require(database_->Delete(rocksdb::WriteOptions(), all, last), "clear");
    require(database_->CompactRange(rocksdb::CompactRangeOptions(), all, nullptr, nullptr),
            "clear");
  }

  void flush() override { require(database_->FlushWAL(true), "sync"); }

 private:
  void write_rows(std::span<const RowView> rows, const rocksdb::WriteOptions& options) {
    std::size_t size = 0;
    for (const RowView& row : rows) size += row_bytes(row);
    rocksdb::WriteBatch writes(size);
    for (const RowView& row : rows) put(row.family, row.key, row.value, writes);
    require(database_->Write(options, &writes), "write");
  }

  /// In one batch, because RocksDB may turn to files between two.
  void flush_past_log(std::span<const RowView> rows) {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    write_rows(rows, options);
    const std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
    require(database_->Flush(rocksdb::FlushOptions(), all), "flush");
  }

  /// All families but the blocks.
  void take_as_files(const std::array<std::span<const RowView>, kFamilyCount>& by_family) {
    std::vector<rocksdb::IngestExternalFileArg> files;
    for (std::size_t i = 1; i < kFamilyCount; ++i) {
      if (by_family[i].empty()) continue;
      rocksdb::IngestExternalFileArg& file = files.emplace_back();
      file.column_family = handles_[i];
      file.external_files = {gathered_file(database_->GetName(), kFamilyNames[i])};
      file.options.move_files = true;
      file.options.write_global_seqno = false;
      write_file(file.external_files.front(), handles_[i], by_family[i]);
    }
    if (!files.empty()) require(database_->IngestExternalFiles(files), "taking files");
  }

  void write_file(const std::string& path, rocksdb::ColumnFamilyHandle* family,
                  std::span<const RowView> rows) {
    // Rows of the newest blocks are asked for soon: they stay in the page cache.
    constexpr bool kLeavesPageCache = false;
    rocksdb::SstFileWriter file(rocksdb::EnvOptions(), database_->GetOptions(family), family,
                                kLeavesPageCache);
    require(file.Open(path), "file");
    for (const RowView& row : rows) {
      require(row.value ? file.Put(slice(row.key), slice(*row.value)) : file.Delete(slice(row.key)),
              "file");
    }
    require(file.Finish(), "file");
  }

  /// Rows go down in the order of their keys: RocksDB looks for the place of each from that of the
  /// one before, and rows of many people come in no order of their own.
  void write(const std::vector<StoreWrite>& batch, rocksdb::WriteBatch& writes) {
    std::vector<const StoreWrite*> rows;
    rows.reserve(batch.size());
    for (const StoreWrite& write : batch) rows.push_back(&write);
    std::stable_sort(rows.begin(), rows.end(), [](const StoreWrite* a, const StoreWrite* b) {
      return a->family != b->family ? a->family < b->family : KeyOrder{}(a->key, b->key);
    });
    for (const StoreWrite* row : rows) put(row->family, row->key, row->value, writes);
    require(database_->Write(rocksdb::WriteOptions(), &writes), "write");
  }

  void put(Family family, BytesView key, const std::optional<BytesView>& value,
           rocksdb::WriteBatch& writes) {
    require(value ? writes.Put(handle(family), slice(key), slice(*value))
                  : writes.Delete(handle(family), slice(key)),
            "write batch");
  }

  /// Empty if the family is.
  std::string last_key(Family family) const {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    const std::unique_ptr<rocksdb::Iterator> row(database_->NewIterator(options, handle(family)));
    row->SeekToLast();
    require(row->status(), "scan");
    return row->Valid() ? row->key().ToString() : std::string();
  }

  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[static_cast<std::size_t>(family)];
  }

  std::unique_ptr<rocksdb::DB> database_;
  Handles handles_;
};

Error open_failed(const rocksdb::Status& status, const std::string& directory) {
  const Errc code = status.IsCorruption() ? Errc::store_corrupt : Errc::io_failed;
  return fail(code, "cannot open the chain store in " + directory + ": " + status.ToString());
}

}  // namespace

Result<std::unique_ptr<KeyValueStore>> open_rocksdb_store(const std::string& directory,
                                                          Packing packing) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return fail(Errc::io_failed, "cannot make the directory " + directory + ": " + error.message());
  }
  for (const char* family : kFamilyNames) {  // what a crash left of apply_and_flush()
    std::filesystem::remove(gathered_file(directory, family), error);
  }
  const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  // RocksDB wants its default family opened too; nothing is written there.
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions()}};
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    families.emplace_back(kFamilyNames[i], family_options(static_cast<Family>(i), packing, cache));
  }
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options(), directory, families, &opened, &raw);
  if (!status.ok()) return open_failed(status, directory);
  std::unique_ptr<rocksdb::DB> database(raw);
  ASSERT(opened.size() == kFamilyCount + 1);
  database->DestroyColumnFamilyHandle(opened.front());
  if (packing == Packing::fast) merge_behind_blocks();
  RocksdbStore::Handles handles{};
  std::copy(opened.begin() + 1, opened.end(), handles.begin());
  return std::unique_ptr<KeyValueStore>(
      std::make_unique<RocksdbStore>(std::move(database), handles));
}

}  // namespace baolian::ledger
