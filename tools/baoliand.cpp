/// baoliand(8): one node. Thin: reads the configuration and the passphrase, starts the node, waits
/// for a signal. With --reindex: makes the index of a stopped node's chain again; with --compact:
/// rewrites its store.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "crypto/keystore.h"
#include "crypto/random.h"
#include "node/compact.h"
#include "node/genesis_file.h"
#include "node/node.h"
#include "node/reindex.h"
#include "node/version.h"
#include "progress_bar.h"

namespace {

using namespace baolian;

Result<crypto::Secret> read_passphrase(const node::Config& config, int passphrase_fd) {
  if (passphrase_fd >= 0) return crypto::read_passphrase(passphrase_fd);
  if (config.passphrase_file.empty()) {
    return fail(Errc::config_invalid,
                "no passphrase: set passphrase_file in the configuration or use --passphrase-fd");
  }
  std::FILE* file = std::fopen(config.passphrase_file.c_str(), "rb");
  if (file == nullptr) return fail(Errc::io_failed, "cannot open the passphrase file");
  auto passphrase = crypto::read_passphrase(::fileno(file));
  std::fclose(file);
  return passphrase;
}

/// Keys must not reach a core dump or a debugger of another user.
void protect_process() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

struct Options {
  std::string config_file;
  int passphrase_fd = -1;
  bool check_only = false;
  bool join = false;
  bool reindex = false;
  bool compact = false;
};

/// Bounds the writing to the terminal: a picture every so many blocks.
constexpr std::uint64_t kBlocksPerPicture = 16;

Result<void> reindex(const std::string& config_file) {
  const auto start = std::chrono::steady_clock::now();
  TRY(const node::Config config, node::load_config(config_file));
  TRY(const ledger::Genesis genesis, node::load_genesis(config.genesis_file));
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  TRY(const Height newest,
      node::reindex_directory(config.data_directory, genesis, [&](Height done, Height last) {
        const bool is_due = done.value % kBlocksPerPicture == 0 || done == last;
        if (has_bar && is_due) bar.show("executing blocks again", done.value, last.value);
      }));
  if (has_bar) bar.clear();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("the index is whole: heights 1 to %llu, %.1f s\n",
              static_cast<unsigned long long>(newest.value), elapsed.count());
  return ok();
}

Result<void> compact(const std::string& config_file) {
  const auto start = std::chrono::steady_clock::now();
  TRY(const node::Config config, node::load_config(config_file));
  tools::ProgressBar bar;
  const bool has_bar = tools::ProgressBar::is_wanted();
  TRY(const node::Compaction done,
      node::compact_directory(config.data_directory, [&](std::size_t part, std::size_t parts) {
        if (has_bar) bar.show("rewriting the store", part, parts);
      }));
  if (has_bar) bar.clear();
  constexpr double kMib = 1024.0 * 1024.0;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("the store has %.1f MiB, it had %.1f MiB; %.1f s\n",
              static_cast<double>(done.bytes_after) / kMib,
              static_cast<double>(done.bytes_before) / kMib, elapsed.count());
  return ok();
}

/// Tells on the terminal how far a joining node is: the snapshot, then the blocks above it.
class JoinReport {
 public:
  /// Ends itself when nothing is behind any more for some seconds.
  void show(const node::Node::Sync& sync) {
    if (ended_) return;
    if (sync.snapshot.value > 0) {
      show_snapshot(sync);
    } else if (sync.executed < sync.highest_seen) {
      quiet_ = 0;
      if (has_bar_) bar_.show("blocks", sync.executed.value, sync.highest_seen.value);
    } else if (sync.connected_peers > 0 && sync.executed.value > 0 && ++quiet_ >= kQuietRounds) {
      ended_ = true;
      if (has_bar_) bar_.clear();
      std::printf("joined: block %llu\n", static_cast<unsigned long long>(sync.executed.value));
      std::fflush(stdout);
    }
  }

 private:
  static constexpr int kQuietRounds = 10;

  void show_snapshot(const node::Node::Sync& sync) {
    quiet_ = 0;
    const auto beside = fmt::format("{} of {} MiB, {} peers", sync.fetched_bytes >> 20,
                                    sync.snapshot_bytes >> 20, sync.sources);
    if (has_bar_) {
      bar_.show(fmt::format("snapshot of block {}", sync.snapshot.value), sync.chunks,
                sync.chunks_total, beside);
    }
  }

  tools::ProgressBar bar_;
  bool has_bar_ = tools::ProgressBar::is_wanted();
  bool ended_ = false;
  int quiet_ = 0;
};

enum class Ending : std::uint8_t { signal, joined_store };

Result<Ending> run_node(const node::Config& config, const crypto::Secret& passphrase,
                        const sigset_t& signals, JoinReport* report) {
  TRY(const std::unique_ptr<node::Node> running, node::Node::start(config, passphrase));
  std::printf("ready: api port %u, mesh port %u\n", running->api_port(), running->mesh_port());
  std::fflush(stdout);
  const timespec poll{0, 500'000'000};
  while (::sigtimedwait(&signals, nullptr, &poll) < 0) {
    if (running->has_failed()) {
      return fail(Errc::internal, "the consensus engine has stopped; see the log");
    }
    if (report != nullptr) report->show(running->sync());
    if (running->has_joined_store()) {
      running->stop();
      return Ending::joined_store;
    }
  }
  running->stop();
  return Ending::signal;
}

Result<void> run(const Options& options) {
  TRY(node::Config config, node::load_config(options.config_file));
  if (options.check_only) {
    std::puts("configuration is valid");
    return ok();
  }
  TRY(const crypto::Secret passphrase, read_passphrase(config, options.passphrase_fd));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  config.wants_snapshot = options.join;
  JoinReport report;
  for (;;) {
    TRY(const Ending ending,
        run_node(config, passphrase, signals, options.join ? &report : nullptr));
    if (ending == Ending::signal) return ok();
    // The store of the snapshot is taken when the node starts; one snapshot is enough.
    config.wants_snapshot = false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("baoliand: a node of a baolian network", "baoliand");
  app.footer(
      "Examples:\n  baoliand --config demo-network/nodes/hospital-a/node.toml\n"
      "  baoliand --config node.toml --check-config\n"
      "  baoliand --config node.toml --join\n"
      "  baoliand --config node.toml --passphrase-fd 3 3< /run/credentials/passphrase\n"
      "  baoliand --config node.toml --reindex\n"
      "  baoliand --config node.toml --compact");
  app.set_version_flag("--version", baolian::node::version_text());
  Options options;
  app.add_option("--config", options.config_file, "configuration (TOML)")->required();
  app.add_option("--passphrase-fd", options.passphrase_fd,
                 "file descriptor to read the passphrase from");
  app.add_flag("--check-config", options.check_only, "check the configuration and exit");
  app.add_flag("--reindex", options.reindex,
               "make the index of the stopped node's chain again from its blocks, and exit: after "
               "an update that says so, or when audit verify-node finds index rows damaged");
  app.add_flag("--compact", options.compact,
               "rewrite the stopped node's store without what is erased or loosely packed, and "
               "exit");
  app.add_flag("--join", options.join,
               "get the state from the other nodes' newest snapshot, then the blocks above it, and "
               "show how far it is");
  CLI11_PARSE(app, argc, argv);
  try {
    baolian::crypto::initialize();
    protect_process();
    const auto done = options.reindex   ? reindex(options.config_file)
                      : options.compact ? compact(options.config_file)
                                        : run(options);
    if (done) return 0;
    std::fprintf(stderr, "baoliand: %s: %s\n", std::string(errc_name(done.error().code)).c_str(),
                 done.error().context.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "baoliand: unexpected: %s\n", error.what());
  }
  return 1;
}
