/// baoliand(8): one node. Thin: reads the configuration and the passphrase, starts the node, waits
/// for a signal.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "crypto/keystore.h"
#include "crypto/random.h"
#include "node/node.h"
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
      "  baoliand --config node.toml --passphrase-fd 3 3< /run/credentials/passphrase");
  app.set_version_flag("--version", baolian::node::version_text());
  std::string config_file;
  int passphrase_fd = -1;
  bool check_only = false;
  app.add_option("--config", config_file, "configuration (TOML)")->required();
  app.add_option("--passphrase-fd", passphrase_fd, "file descriptor to read the passphrase from");
  app.add_flag("--check-config", check_only, "check the configuration and exit");
  CLI11_PARSE(app, argc, argv);
  try {
    baolian::crypto::initialize();
    protect_process();
    const auto done = run(config_file, passphrase_fd, check_only);
    if (done) return 0;
    std::fprintf(stderr, "baoliand: %s: %s\n", std::string(errc_name(done.error().code)).c_str(),
                 done.error().context.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "baoliand: unexpected: %s\n", error.what());
  }
  return 1;
}
