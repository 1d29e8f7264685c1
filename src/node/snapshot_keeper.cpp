#include "node/snapshot_keeper.h"

#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>

#include "contracts/execute.h"
#include "core/assert.h"
#include "vault/durable_file.h"

namespace baolian::node {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSnapshotsKept = 2;
constexpr auto kCertificatePoll = std::chrono::milliseconds(20);
constexpr const char* kSnapshots = "snapshots";
constexpr const char* kMaking = "snapshots/making";
constexpr const char* kJoining = "store.joining";
constexpr const char* kJoined = "store.joined";

std::uint64_t steady_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

Error cannot(const std::string& action, const std::string& path, const std::error_code& error) {
  return fail(Errc::io_failed, "cannot " + action + " " + path + ": " + error.message());
}

Result<void> remove_all(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return cannot("remove", path, error);
  return ok();
}

Result<void> rename_durably(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return cannot("rename", from, error);
  return vault::sync_directory(fs::path(to).parent_path().string());
}

std::optional<Height> height_of(const std::string& name) {
  Height out;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), out.value);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return out;
}

}  // namespace

/// The old store moves away first: while there is none, the new one is taken at the next start.
Result<void> take_joined_store(const std::string& directory) {
  const std::string joined = directory + "/" + kJoined;
  const std::string store = directory + "/store";
  const std::string old = directory + "/store.old";
  if (!fs::exists(joined)) return remove_all(old);
  if (fs::exists(store)) {
    TRY(remove_all(old));
    TRY(rename_durably(store, old));
  }
  TRY(rename_durably(joined, store));
  return remove_all(old);
}

// ------------------------------------------------------------------ what is held

SnapshotKeeper::SnapshotKeeper(Config config, const ledger::Chain& chain, Answers answers)
    : config_(std::move(config)), chain_(chain), answers_(std::move(answers)) {}

Result<std::unique_ptr<SnapshotKeeper>> SnapshotKeeper::open(Config config,
                                                             const ledger::Chain& chain,
                                                             Answers answers) {
  std::unique_ptr<SnapshotKeeper> out(
      new SnapshotKeeper(std::move(config), chain, std::move(answers)));
  TRY(out->load());
  return out;
}

SnapshotKeeper::~SnapshotKeeper() { stop(); }

void SnapshotKeeper::stop() {
  stopped_ = true;
  making_queue_.close();
  moving_queue_.close();
}

Result<void> SnapshotKeeper::load() {
  TRY(vault::make_directory(path_of(kSnapshots)));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_of(kSnapshots), error)) {
    const auto height = height_of(entry.path().filename().string());
    auto file = height ? ledger::SnapshotFile::open(entry.path().string())
                       : Result<std::shared_ptr<const ledger::SnapshotFile>>(
                             fail(Errc::not_found, "not a snapshot"));
    const auto header = height ? chain_.header(*height) : std::nullopt;
    if (file && header == (*file)->head().header) {
      keep(*std::move(file));
    } else {
      TRY(remove_all(entry.path().string()));
    }
  }
  if (error) return cannot("read", path_of(kSnapshots), error);
  return ok();
}

void SnapshotKeeper::keep(std::shared_ptr<const ledger::SnapshotFile> file) {
  const SnapshotOffer offer{.version = {}, .head = file->head(), .size_bytes = file->size_bytes()};
  const Height height = file->head().header.height;
  const std::lock_guard hold(mutex_);
  kept_.insert_or_assign(height,
                         Kept{std::move(file), std::make_shared<const Bytes>(encode(offer))});
  while (kept_.size() > kSnapshotsKept) {
    // Who reads it still has it open. If it cannot be removed, the next start removes it.
    static_cast<void>(
        remove_all(path_of(kSnapshots) + "/" + std::to_string(kept_.begin()->first.value)));
    kept_.erase(kept_.begin());
  }
}

std::optional<SnapshotPort::Held> SnapshotKeeper::held(Height height) const {
  const std::lock_guard hold(mutex_);
  if (kept_.empty()) return std::nullopt;
  const auto found = height.value == 0 ? std::prev(kept_.end()) : kept_.find(height);
  if (found == kept_.end()) return std::nullopt;
  return Held{found->first, found->second.offer};
}

std::shared_ptr<const ledger::SnapshotFile> SnapshotKeeper::file_of(Height height) const {
  const std::lock_guard hold(mutex_);
  const auto found = kept_.find(height);
  return found == kept_.end() ? nullptr : found->second.file;
}

void SnapshotKeeper::read_chunk(ReplicaId peer, const FetchChunk& wanted) {
  moving_queue_.post([this, peer, wanted] {
    ChunkPart part{.version = {},
                   .height = wanted.height,
                   .number = wanted.number,
                   .offset = wanted.offset,
                   .total_bytes = 0,
                   .bytes = {}};
    const auto file = file_of(wanted.height);
    auto bytes = file == nullptr ? Result<Bytes>(fail(Errc::not_found, "no such snapshot here"))
                                 : file->read(wanted.number, wanted.offset, kPartBytesMax);
    if (bytes) {
      part.total_bytes = static_cast<std::uint32_t>(file->chunk_bytes(wanted.number));
      part.bytes = *std::move(bytes);
    }
    answers_.chunk_read(peer, std::make_shared<const Bytes>(encode(part)));
  });
}

// ------------------------------------------------------------------ making

void SnapshotKeeper::after_block() {
  const Height height = chain_.height();
  if (config_.heights == 0 || height.value == 0 || height.value % config_.heights != 0) return;
  const std::uint64_t now = steady_ms();
  if (made_at_ms_.has_value() && now - *made_at_ms_ < config_.gap_ms) return;
  begin_making();
}

void SnapshotKeeper::start() {
  if (config_.heights > 0 && chain_.base().value > 0 && !held(Height{})) begin_making();
}

void SnapshotKeeper::begin_making() {
  if (stopped_ || making_.exchange(true)) return;
  made_at_ms_ = steady_ms();
  auto cut = std::make_shared<ledger::SnapshotCut>(chain_.cut());
  making_queue_.post([this, cut = std::move(cut)] {
    const auto made = make(*cut);
    if (!made && made.error().code != Errc::closed) answers_.not_made(made.error());
    making_ = false;
  });
}

Result<void> SnapshotKeeper::make(const ledger::SnapshotCut& cut) {
  const std::string making = path_of(kMaking);
  TRY(std::vector<std::uint64_t> ends,
      ledger::write_chunks(cut, making, [this] { return stopped_.load(); }));
  TRY(ledger::SnapshotHead head, wait_for_head(cut));
  const std::string name = std::to_string(cut.header.height.value);
  TRY(auto file, ledger::SnapshotFile::complete(
                     making, path_of(kSnapshots) + "/" + name,
                     {.version = {}, .head = std::move(head), .ends = std::move(ends)}));
  keep(std::move(file));
  return ok();
}

/// The certificate comes a moment after the block; while the network stands still, never.
Result<ledger::SnapshotHead> SnapshotKeeper::wait_for_head(const ledger::SnapshotCut& cut) const {
  for (;;) {
    auto head = chain_.snapshot_head(cut);
    if (head || head.error().code != Errc::not_certified) return head;
    if (stopped_) return fail(Errc::closed, "the snapshot was given up");
    std::this_thread::sleep_for(kCertificatePoll);
  }
}

// ------------------------------------------------------------------ installing

void SnapshotKeeper::begin_install(const ledger::SnapshotHead& head) {
  moving_queue_.post([this, head] {
    if (auto begun = open_installer(head); !begun) return answers_.install_failed(begun.error());
    answers_.install_begun(installer_->stored());
  });
}

Result<void> SnapshotKeeper::open_installer(const ledger::SnapshotHead& head) {
  const std::string path = path_of(kJoining);
  installer_.reset();
  for (;;) {
    TRY(auto store, ledger::open_rocksdb_store(path));
    auto opened = ledger::SnapshotInstaller::open(std::move(store), chain_.genesis(), head);
    if (opened) {
      installer_.emplace(*std::move(opened));
      return ok();
    }
    if (opened.error().code != Errc::already_exists) return opened.error();
    TRY(remove_all(path));  // of another snapshot; its store is closed by now
  }
}

void SnapshotKeeper::store_chunk(std::uint16_t number, Bytes chunk) {
  moving_queue_.post([this, number, chunk = std::move(chunk)] {
    if (!installer_) return;
    answers_.chunk_stored(number, installer_->add(chunk));
  });
}

void SnapshotKeeper::finish_install() {
  moving_queue_.post([this] {
    if (auto done = install(); !done) return answers_.install_failed(done.error());
    answers_.installed();
  });
}

Result<void> SnapshotKeeper::install() {
  ASSERT(installer_.has_value());
  installer_->finish(contracts::genesis_writes(chain_.genesis()));
  installer_.reset();
  return rename_durably(path_of(kJoining), path_of(kJoined));
}

}  // namespace baolian::node
