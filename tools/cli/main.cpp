/// baolian(1): the command line of hospitals, insurers, auditors. Thin: every command speaks to the
/// API of the profile's node, or works on files alone (network init, discharge --dry-run, verify).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"
#include "crypto/random.h"
#include "node/version.h"

int main(int argc, char** argv) {
  baolian::crypto::initialize();
  baolian::cli::Context context;
  CLI::App app("baolian: health-insurance claims and data-access auditing on a permissioned chain",
               "baolian");
  app.footer(
      "Exit codes: 0 done, 1 failed, 2 usage, 3 refused by the chain or the node, 4 node not\n"
      "reachable, 5 evidence does not verify or a node's data is damaged, 6 whole but behind the\n"
      "checkpoint. Every command has --help with examples.");
  app.set_version_flag("--version", baolian::node::version_text());
  app.add_option("--profile", context.profile_path, "who asks which node (JSON, by network init)")
      ->envname("BAOLIAN_PROFILE");
  app.add_flag("--json", context.json, "answers as JSON for programs");
  app.add_option("--timeout-ms", context.timeout_ms, "how long to wait for an answer");
  app.require_subcommand(1);
  app.fallthrough();

  baolian::cli::add_network_commands(app, context);
  baolian::cli::add_node_commands(app, context);
  baolian::cli::add_consent_commands(app, context);
  baolian::cli::add_record_commands(app, context);
  baolian::cli::add_policy_commands(app, context);
  baolian::cli::add_discharge_command(app, context);
  baolian::cli::add_claim_commands(app, context);
  baolian::cli::add_payment_commands(app, context);
  baolian::cli::add_catalog_commands(app, context);
  baolian::cli::add_audit_commands(app, context);
  baolian::cli::add_verify_command(app, context);
  baolian::cli::add_archive_commands(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(baolian::cli::Exit::usage);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "baolian: unexpected: %s\n", error.what());
    return static_cast<int>(baolian::cli::Exit::failed);
  }
  return static_cast<int>(context.exit);
}
