/// `baolian audit verify-node`: checks a node's data directory, prints what was checked and what is
/// wrong. Reads files only; no node is asked.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <set>

#include "cli/commands.h"
#include "cli/output.h"
#include "crypto/keystore.h"
#include "gateway/table.h"
#include "ledger/genesis_json.h"
#include "node/config.h"
#include "node/node_keys.h"
#include "node/verify_node.h"
#include "progress_bar.h"

namespace baolian::cli {
namespace {

using ledger::AuditReport;
using ledger::Damage;
using nlohmann::json;

constexpr std::size_t kCheckpointFileMax = std::size_t{1} << 20;

struct VerifyNodeArguments {
  std::string config;
  std::string passphrase_file;
  std::string checkpoint;
  bool skip_signatures = false;
};

std::optional<std::string> passphrase_file_of(const VerifyNodeArguments& arguments,
                                              const node::Config& config) {
  if (!arguments.passphrase_file.empty()) return arguments.passphrase_file;
  if (!config.passphrase_file.empty()) return config.passphrase_file;
  return std::nullopt;
}

/// The node's key-encryption key, where a passphrase is at hand. A keystore that does not open is a
/// finding and not the end.
Result<std::optional<crypto::Secret>> load_key(const VerifyNodeArguments& arguments,
                                               const node::Config& config, AuditReport& report) {
  const auto file = passphrase_file_of(arguments, config);
  if (!file) return std::optional<crypto::Secret>();
  TRY(const crypto::Secret passphrase, read_passphrase_file(*file));
  report.begin("keystore", 1);
  const auto keystore = crypto::Keystore::load(config.keystore_file, passphrase);
  if (!keystore) {
    report.found(Damage::book, std::nullopt, "keystore", keystore.error().context);
    return std::optional<crypto::Secret>();
  }
  report.advance();
  TRY(const crypto::Secret* key, keystore->require(node::key_name::kKeyEncryption));
  return std::optional<crypto::Secret>(key->clone());
}

struct Verified {
  AuditReport report;
  node::VerifyNodeAnswer answer;
  std::uint64_t elapsed_ms = 0;
};

Result<Verified> verify(const VerifyNodeArguments& arguments, AuditReport::Progress progress) {
  const auto start = std::chrono::steady_clock::now();
  TRY(const node::Config config, node::load_config(arguments.config));
  TRY(const std::string genesis_text,
      read_text_file(config.genesis_file, ledger::kGenesisJsonBytesMax));
  node::VerifyNodeOptions options;
  options.data_directory = config.data_directory;
  TRY(options.genesis, ledger::genesis_from_json(genesis_text));
  if (arguments.skip_signatures) options.signatures = ledger::TransactionSignatures::skipped;
  if (!arguments.checkpoint.empty()) {
    TRY(const std::string text, read_text_file(arguments.checkpoint, kCheckpointFileMax));
    TRY(options.checkpoint, node::checkpoint_from_json(text));
  }
  Verified out{AuditReport(std::move(progress)), {}, 0};
  TRY(options.key_encryption_key, load_key(arguments, config, out.report));
  out.answer = node::verify_node(options, out.report);
  using std::chrono::milliseconds;
  const auto elapsed = std::chrono::steady_clock::now() - start;
  out.elapsed_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(elapsed).count());
  return out;
}

bool is_behind(const Verified& verified) {
  return verified.answer.checkpoint == ledger::CheckpointAnswer::behind;
}

json height_or_null(const std::optional<Height>& height) {
  return height ? json(height->value) : json(nullptr);
}

json checkpoint_json(const std::optional<ledger::CheckpointAnswer>& answer) {
  if (!answer) return nullptr;
  switch (*answer) {
    case ledger::CheckpointAnswer::same:
      return "same";
    case ledger::CheckpointAnswer::behind:
      return "behind";
    case ledger::CheckpointAnswer::differs:
      return "differs";
  }
  return nullptr;
}

json to_json(const Verified& verified) {
  const AuditReport& report = verified.report;
  json checks = json::array();
  for (const auto& check : report.checks()) {
    checks.push_back(
        {{"name", check.name}, {"checked", check.checked}, {"damages", check.damages}});
  }
  json findings = json::array();
  for (const auto& finding : report.findings()) {
    findings.push_back({{"kind", std::string(enum_name(finding.damage))},
                        {"height", height_or_null(finding.height)},
                        {"place", finding.place},
                        {"what", finding.what},
                        {"remedy", std::string(remedy_of(finding.damage))}});
  }
  const auto& chain = verified.answer.chain;
  return {{"whole", report.damage_count() == 0},
          {"damages", report.damage_count()},
          {"first_bad_height", height_or_null(report.first_bad_height())},
          {"newest_height", chain ? json(chain->newest.value) : json(nullptr)},
          {"certified_height", chain ? json(chain->certified.value) : json(nullptr)},
          {"node_runs", verified.answer.node_runs},
          {"checkpoint", checkpoint_json(verified.answer.checkpoint)},
          {"checks", checks},
          {"findings", findings},
          {"remarks", report.remarks()},
          {"elapsed_ms", verified.elapsed_ms}};
}

void print_findings(const AuditReport& report) {
  gateway::Table table({{"kind"}, {"height", gateway::Align::right}, {"where"}, {"what is wrong"}});
  std::set<std::string_view> remedies;
  for (const auto& finding : report.findings()) {
    table.add_row({std::string(enum_name(finding.damage)),
                   finding.height ? std::to_string(finding.height->value) : "", finding.place,
                   finding.what});
    remedies.insert(remedy_of(finding.damage));
  }
  fmt::print("\n{}", table.text());
  if (report.findings().size() < report.damage_count()) {
    fmt::print("... and {} more\n", report.damage_count() - report.findings().size());
  }
  fmt::print("\nWhat to do:\n");
  for (const std::string_view remedy : remedies) fmt::print("- {}\n", remedy);
}

void print_verdict(const Verified& verified) {
  const AuditReport& report = verified.report;
  const auto& chain = verified.answer.chain;
  if (report.damage_count() > 0) {
    const ledger::Finding& first = *report.first();
    const std::string where = first.height ? fmt::format("first bad height {}", first.height->value)
                                           : std::string("no height is concerned");
    fmt::print("DAMAGED: {} found; {}: {} ({})\n", report.damage_count(), where, first.place,
               enum_name(first.damage));
  } else if (chain) {
    fmt::print("WHOLE: heights 0 to {}, certified up to {}, {:.1f} s\n", chain->newest.value,
               chain->certified.value, static_cast<double>(verified.elapsed_ms) / 1000);
  }
  if (verified.answer.checkpoint == ledger::CheckpointAnswer::same) {
    fmt::print("SAME as the checkpoint\n");
  } else if (is_behind(verified)) {
    fmt::print("BEHIND: the checkpoint is above the newest height here\n");
  }
}

void print_people(const Verified& verified) {
  const AuditReport& report = verified.report;
  gateway::Table table(
      {{"check"}, {"checked", gateway::Align::right}, {"damaged", gateway::Align::right}});
  for (const auto& check : report.checks()) {
    table.add_row({check.name, std::to_string(check.checked), std::to_string(check.damages)});
  }
  fmt::print("{}", table.text());
  if (!report.findings().empty()) print_findings(report);
  if (!report.remarks().empty()) fmt::print("\n");
  for (const std::string& remark : report.remarks()) fmt::print("note: {}\n", remark);
  fmt::print("\n");
  print_verdict(verified);
}

void run_verify_node(Context& context, const VerifyNodeArguments& arguments) {
  const bool has_bar = !context.json && tools::ProgressBar::is_wanted();
  tools::ProgressBar bar;
  AuditReport::Progress progress;
  if (has_bar) {
    progress = [&bar](std::string_view check, std::uint64_t done, std::uint64_t total) {
      bar.show(check, done, total);
    };
  }
  const auto verified = verify(arguments, std::move(progress));
  if (has_bar) bar.clear();
  if (!verified) return context.failed(verified.error());
  if (verified->report.damage_count() > 0) {
    context.exit = Exit::invalid;
  } else if (is_behind(*verified)) {
    context.exit = Exit::behind;
  }
  if (context.json) {
    fmt::print("{}\n", to_json(*verified).dump(1));
  } else {
    print_people(*verified);
  }
}

}  // namespace

void add_verify_node_command(CLI::App& audit_group, Context& context) {
  auto* command =
      audit_group.add_subcommand("verify-node", "Check everything in a node's data directory");
  command->footer(
      "Reads files only and writes none; best with the node stopped. Checks every block, body,\n"
      "receipt and certificate, epochs, history, state, complete logs, index, RocksDB's files,\n"
      "the consensus log, sealed records and books. Names the first bad height.\n"
      "Exit code 0: whole; 5: something is damaged, or differs from the checkpoint; 6: whole, but\n"
      "the checkpoint is above the newest height here; 1: it could not be checked.\n\n"
      "Examples:\n"
      "  baolian audit verify-node --config demo-network/nodes/bureau/node.toml\n"
      "  baolian --json audit checkpoint > checkpoint.json   # asked of another institution\n"
      "  baolian audit verify-node --config node.toml --checkpoint checkpoint.json");
  auto arguments = std::make_shared<VerifyNodeArguments>();
  command->add_option("--config", arguments->config, "the node's configuration (TOML)")->required();
  command->add_option("--passphrase-file", arguments->passphrase_file,
                      "opens the keystore; default: the configuration's. Without one, sealed files "
                      "are not opened");
  command->add_option("--checkpoint", arguments->checkpoint,
                      "another node's `baolian --json audit checkpoint`");
  command->add_flag("--skip-signatures", arguments->skip_signatures,
                    "do not verify each transaction's signature again: the certified batch names "
                    "its hash all the same");
  command->callback([arguments, &context] { run_verify_node(context, *arguments); });
}

}  // namespace baolian::cli
