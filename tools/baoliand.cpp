/// baoliand(8): one node. Thin: reads the configuration and the passphrase, starts the node, waits
/// for a signal. With --reindex: makes the index of a stopped node's chain again.
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
#include "node/genesis_file.h"
#include "node/node.h"
#include "node/reindex.h"
#include "node/version.h"

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

/// One line on the terminal that is written over; nothing where nobody looks.
void show_progress(Height done, Height newest) {
  constexpr std::uint64_t kCells = 24;
  constexpr std::uint64_t kEvery = 16;  // blocks between two pictures
  const bool is_due = done.value % kEvery == 0 || done == newest;
  if (!is_due || ::isatty(STDERR_FILENO) == 0) return;
  const auto cells = static_cast<int>(done.value * kCells / newest.value);
  std::fprintf(stderr, "\rexecuting blocks again [%.*s%*s] %3llu %%  %llu of %llu\033[K", cells,
               "========================", static_cast<int>(kCells) - cells, "",
               static_cast<unsigned long long>(done.value * 100 / newest.value),
               static_cast<unsigned long long>(done.value),
               static_cast<unsigned long long>(newest.value));
  if (done == newest) std::fputc('\n', stderr);
  std::fflush(stderr);
}

Result<void> reindex(const std::string& config_file) {
  const auto start = std::chrono::steady_clock::now();
  TRY(const node::Config config, node::load_config(config_file));
  TRY(const ledger::Genesis genesis, node::load_genesis(config.genesis_file));
  TRY(const Height newest, node::reindex_directory(config.data_directory, genesis, show_progress));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("the index is whole: heights 1 to %llu, %.1f s\n",
              static_cast<unsigned long long>(newest.value), elapsed.count());
  return ok();
}

Result<void> run(const std::string& config_file, int passphrase_fd, bool check_only) {
  TRY(node::Config config, node::load_config(config_file));
  if (check_only) {
    std::puts("configuration is valid");
    return ok();
  }
  TRY(const crypto::Secret passphrase, read_passphrase(config, passphrase_fd));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  TRY(const std::unique_ptr<node::Node> running, node::Node::start(std::move(config), passphrase));
  std::printf("ready: api port %u, mesh port %u\n", running->api_port(), running->mesh_port());
  std::fflush(stdout);
  const timespec poll{1, 0};
  while (::sigtimedwait(&signals, nullptr, &poll) < 0) {
    if (running->has_failed()) {
      return fail(Errc::internal, "the consensus engine has stopped; see the log");
    }
  }
  running->stop();
  return ok();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("baoliand: a node of a baolian network", "baoliand");
  app.footer(
      "Examples:\n  baoliand --config demo-network/nodes/hospital-a/node.toml\n"
      "  baoliand --config node.toml --check-config\n"
      "  baoliand --config node.toml --passphrase-fd 3 3< /run/credentials/passphrase\n"
      "  baoliand --reindex --config node.toml");
  app.set_version_flag("--version", baolian::node::version_text());
  std::string config_file;
  int passphrase_fd = -1;
  bool check_only = false;
  app.add_option("--config", config_file, "configuration (TOML)")->required();
  app.add_option("--passphrase-fd", passphrase_fd, "file descriptor to read the passphrase from");
  app.add_flag("--check-config", check_only, "check the configuration and exit");
  bool reindex_only = false;
  app.add_flag("--reindex", reindex_only,
               "make the index of the stopped node's chain again from its blocks, and exit: after "
               "an update that says so, or when audit verify-node finds index rows damaged");
  CLI11_PARSE(app, argc, argv);
  try {
    baolian::crypto::initialize();
    protect_process();
    const auto done =
        reindex_only ? reindex(config_file) : run(config_file, passphrase_fd, check_only);
    if (done) return 0;
    std::fprintf(stderr, "baoliand: %s: %s\n", std::string(errc_name(done.error().code)).c_str(),
                 done.error().context.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "baoliand: unexpected: %s\n", error.what());
  }
  return 1;
}
