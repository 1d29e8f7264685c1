/// `baolian archive`: files of blocks that left the nodes' stores, looked at and checked offline.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <functional>

#include "cli/commands.h"
#include "cli/output.h"
#include "contracts/codes.h"
#include "contracts/events.h"
#include "contracts/execute.h"
#include "contracts/operation_kind.h"
#include "gateway/table.h"
#include "ledger/archive.h"
#include "ledger/audit/archive_check.h"
#include "ledger/audit/block_check.h"
#include "ledger/block_leaves.h"
#include "ledger/genesis_json.h"
#include "ledger/json.h"
#include "node/verify_node.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

Result<ledger::Genesis> load_genesis(const std::string& path) {
  TRY(const std::string text, read_text_file(path, ledger::kGenesisJsonBytesMax));
  return ledger::genesis_from_json(text);
}

// ------------------------------------------------------------------ list

json describe(const ledger::ArchiveFile& file, const std::string& name) {
  json out = {{"file", name},
              {"first", file.span().first.value},
              {"last", file.span().last.value},
              {"bytes", file.size_bytes()},
              {"chain_id", file.head().chain_id.hex()},
              {"hash", file.hash().hex()}};
  const auto first = file.block(file.span().first);
  const auto last = file.block(file.span().last);
  out["from_ms"] = first ? json(first->header.timestamp.value) : json(nullptr);
  out["to_ms"] = last ? json(last->header.timestamp.value) : json(nullptr);
  return out;
}

Result<json> list(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (ledger::archive_span_of(name)) names.push_back(name);
  }
  if (error) return fail(Errc::io_failed, "cannot list " + directory + ": " + error.message());
  std::sort(names.begin(), names.end());
  json files = json::array();
  for (const std::string& name : names) {
    const auto file = ledger::ArchiveFile::open(directory + "/" + name);
    files.push_back(file ? describe(*file, name)
                         : json({{"file", name}, {"error", file.error().context}}));
  }
  return json{{"files", files}};
}

void print_list(const json& answer) {
  gateway::Table table({{"file"},
                        {"from"},
                        {"to"},
                        {"bytes", gateway::Align::right},
                        {"hash, the same on every node"}});
  for (const auto& file : answer["files"]) {
    if (file.contains("error")) {
      table.add_row({text_at(file, "file"), "", "", "", "DAMAGED: " + text_at(file, "error")});
      continue;
    }
    table.add_row({text_at(file, "file"), iso_time(number_at(file, "from_ms")),
                   iso_time(number_at(file, "to_ms")), std::to_string(number_at(file, "bytes")),
                   text_at(file, "hash")});
  }
  fmt::print("{}", table.text());
}

void add_list(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("list", "The archive files of a directory");
  command->footer(
      "The hash covers the whole content and is the same on every node: compare it with another\n"
      "institution's.\n\nExample:\n  baolian archive list demo-network/nodes/bureau/data/archive");
  auto directory = std::make_shared<std::string>();
  command->add_option("directory", *directory, "a node's archive directory, or a copy of it")
      ->required();
  command->callback([directory, &context] { show(context, list(*directory), print_list); });
}

// ------------------------------------------------------------------ verify

struct VerifyArguments {
  std::string file;
  std::string genesis;
  bool skip_signatures = false;
};

struct Verified {
  ledger::AuditReport report;
  std::optional<ledger::ArchiveAnswer> answer;
};

Result<Verified> verify(const VerifyArguments& arguments) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(arguments.file, error)) {
    return fail(Errc::not_found, "there is no file " + arguments.file);
  }
  TRY(const ledger::Genesis genesis, load_genesis(arguments.genesis));
  TRY(ledger::check_genesis(genesis));
  const auto writes = contracts::genesis_writes(genesis);
  const auto batches = node::batch_reader(ledger::chain_id_of(genesis));
  const ledger::ChainAuditConfig config{genesis, writes, batches, crypto::ed25519_verifier(),
                                        arguments.skip_signatures
                                            ? ledger::TransactionSignatures::skipped
                                            : ledger::TransactionSignatures::verified};
  Verified out;
  out.answer = ledger::check_archive(arguments.file, config, ledger::ArchiveProof::certificate, {},
                                     out.report);
  return out;
}

json to_json(const Verified& verified) {
  const ledger::AuditReport& report = verified.report;
  json findings = json::array();
  for (const auto& finding : report.findings()) {
    findings.push_back({{"height", finding.height ? json(finding.height->value) : json(nullptr)},
                        {"place", finding.place},
                        {"what", finding.what}});
  }
  const auto first_bad = report.first_bad_height();
  json out = {{"whole", report.damage_count() == 0},
              {"damages", report.damage_count()},
              {"first_bad_height", first_bad ? json(first_bad->value) : json(nullptr)},
              {"findings", findings}};
  if (!verified.answer) return out;
  const ledger::ArchiveAnswer& answer = *verified.answer;
  out.update({{"first", answer.span.first.value},
              {"last", answer.span.last.value},
              {"bytes", answer.size_bytes},
              {"hash", answer.hash.hex()},
              {"transactions", answer.transactions},
              {"operations", answer.operations},
              {"certified", answer.certified.value}});
  return out;
}

void print_verified(const json& answer) {
  for (const auto& finding : answer["findings"]) {
    fmt::print("FAIL height {} {}: {}\n", text_at(finding, "height"), text_at(finding, "place"),
               text_at(finding, "what"));
  }
  if (!answer.value("whole", false)) {
    fmt::print("NOT VERIFIED: {} found; first bad height {}\n", number_at(answer, "damages"),
               text_at(answer, "first_bad_height"));
    return;
  }
  fmt::print("heights     {} to {}\n", number_at(answer, "first"), number_at(answer, "last"));
  fmt::print("content     {} transactions, {} operations, {} bytes\n",
             number_at(answer, "transactions"), number_at(answer, "operations"),
             number_at(answer, "bytes"));
  fmt::print("hash        {}\n", text_at(answer, "hash"));
  fmt::print("proved by   the certificate of height {}, whose validators follow from the genesis\n",
             number_at(answer, "certified"));
  fmt::print("VERIFIED\n");
}

void add_verify(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("verify", "Check an archive file, offline");
  command->footer(
      "Needs the file, the .cert file beside it and the genesis. Checks every hash, the chain of\n"
      "headers, each block's batch, signatures and operations_root, and that validators that "
      "follow\n"
      "from the genesis certified the last header. Exit code 5 if anything does not hold.\n\n"
      "Example:\n  baolian archive verify blocks-0000000001-0000010000.blk --genesis genesis.json");
  auto arguments = std::make_shared<VerifyArguments>();
  command->add_option("file", arguments->file, "the .blk file")->required();
  command->add_option("--genesis", arguments->genesis, "genesis of the chain (JSON)")->required();
  command->add_flag("--skip-signatures", arguments->skip_signatures,
                    "do not verify each transaction's signature: the certified batch names its "
                    "hash all the same");
  command->callback([arguments, &context] {
    const auto verified = verify(*arguments);
    if (!verified) return context.failed(verified.error());
    if (verified->report.damage_count() > 0) context.exit = Exit::invalid;
    show(context, Result<json>(to_json(*verified)), print_verified);
  });
}

// ------------------------------------------------------------------ show

struct ShowArguments {
  std::string file;
  std::string genesis;
  std::uint64_t height = 0;
  std::string transaction;
  std::string id;
  std::string kind;
};

/// What is asked of each operation.
struct Wanted {
  std::optional<TxId> transaction;
  std::optional<Bytes> id;  ///< any id that operation or receipt names
  std::string kind;
};

using Names = std::map<PublicKey, std::string>;  ///< institutions by their members' keys

Names names_of(const ledger::Genesis& genesis) {
  Names out;
  for (const auto& institution : genesis.institutions) {
    for (const auto& member : institution.members) out[member.signing_key] = institution.name;
  }
  return out;
}

bool contains(BytesView bytes, BytesView part) {
  return std::search(bytes.begin(), bytes.end(), part.begin(), part.end()) != bytes.end();
}

std::string outcome_of(const ledger::OperationLeaf& leaf) {
  const auto receipt = decode<ledger::Receipt>(leaf.receipt);
  if (!receipt) return "unreadable";
  if (receipt->status != ledger::ReceiptStatus::applied) {
    return std::string(contracts::code_name(receipt->code));
  }
  std::string out;
  for (const auto& event : receipt->events) {
    if (!out.empty()) out += ", ";
    out += contracts::event_name(event.kind);
  }
  return out;
}

json operation_json(const ledger::Header& header, std::size_t index, const TxId& transaction,
                    const ledger::OperationLeaf& leaf, const Names& names) {
  const auto operation = decode<ledger::Operation>(leaf.operation);
  const auto name = names.find(leaf.sender);
  return {{"height", header.height.value},
          {"leaf", index},
          {"time_ms", header.timestamp.value},
          {"tx_id", transaction.hex()},
          {"sender", leaf.sender.hex()},
          {"institution_name", name != names.end() ? json(name->second) : json(nullptr)},
          {"operation", operation ? std::string(contracts::kind_name(operation->kind)) : "-"},
          {"request_id", operation ? json(operation->request_id.hex()) : json(nullptr)},
          {"content", operation ? json(to_hex(operation->content)) : json(nullptr)},
          {"outcome", outcome_of(leaf)},
          {"receipt", to_hex(leaf.receipt)}};
}

/// The operations of a block that are asked for.
Result<void> add_operations(const ledger::StoredBlock& block, const Wanted& wanted,
                            const Names& names, json& out) {
  TRY(const auto leaves, ledger::leaves_of_block(block));
  const auto transactions = ledger::transactions_of(block);
  std::size_t transaction = 0;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    while (transaction + 1 < transactions.size() && transactions[transaction + 1].first_leaf <= i) {
      ++transaction;
    }
    const TxId id = transactions[transaction].id;
    if (wanted.transaction && id != *wanted.transaction) continue;
    const bool names_id = !wanted.id || contains(leaves[i].operation, *wanted.id) ||
                          contains(leaves[i].receipt, *wanted.id);
    if (!names_id) continue;
    json one = operation_json(block.header, i, id, leaves[i], names);
    if (wanted.kind.empty() || one["operation"] == wanted.kind) out.push_back(std::move(one));
  }
  return ok();
}

Result<json> show_blocks(const ShowArguments& arguments) {
  TRY(const auto file, ledger::ArchiveFile::open(arguments.file));
  Names names;
  if (!arguments.genesis.empty()) {
    TRY(const ledger::Genesis genesis, load_genesis(arguments.genesis));
    if (ledger::chain_id_of(genesis) != file.head().chain_id) {
      return fail(Errc::wrong_chain, "the file is of another chain than this genesis");
    }
    names = names_of(genesis);
  }
  Wanted wanted{.transaction = {}, .id = {}, .kind = arguments.kind};
  if (!arguments.transaction.empty()) {
    auto id = TxId::from_hex_text(arguments.transaction);
    if (!id) return fail(Errc::bad_argument, "--transaction is 64 hexadecimal digits");
    wanted.transaction = *id;
  }
  if (!arguments.id.empty()) {
    TRY(wanted.id, from_hex(arguments.id));
    if (wanted.id->size() < RequestId::kSize) {
      return fail(Errc::bad_argument, "--id is a whole id: 32 or 64 hexadecimal digits");
    }
  }
  ledger::HeightSpan span = file.span();
  if (arguments.height != 0) span = {Height{arguments.height}, Height{arguments.height}};
  if (!file.span().contains(span.first)) {
    return fail(Errc::not_found, "this file holds heights " +
                                     std::to_string(file.span().first.value) + " to " +
                                     std::to_string(file.span().last.value));
  }
  json operations = json::array();
  json out = {{"first", span.first.value}, {"last", span.last.value}};
  for (Height height = span.first; height <= span.last; ++height) {
    TRY(const ledger::StoredBlock block, file.block(height));
    TRY(add_operations(block, wanted, names, operations));
    if (arguments.height != 0) {
      out["header"] = ledger::to_json_form(block.header);
      out["header_hash"] = ledger::header_hash(block.header).hex();
    }
  }
  out["operations"] = std::move(operations);
  return out;
}

void print_blocks(const json& answer) {
  if (answer.contains("header")) {
    fmt::print("header {}\n{}\n\n", text_at(answer, "header_hash"), answer["header"].dump(1));
  }
  gateway::Table table({{"time"},
                        {"height", gateway::Align::right},
                        {"leaf", gateway::Align::right},
                        {"operation"},
                        {"outcome"},
                        {"institution"}});
  for (const auto& one : answer["operations"]) {
    table.add_row({iso_time(number_at(one, "time_ms")), std::to_string(number_at(one, "height")),
                   std::to_string(number_at(one, "leaf")), text_at(one, "operation"),
                   text_at(one, "outcome"), text_at(one, "institution_name")});
  }
  fmt::print("{}{} operations in heights {} to {}\n", table.text(), answer["operations"].size(),
             number_at(answer, "first"), number_at(answer, "last"));
  fmt::print("what is shown was not verified: baolian archive verify does that\n");
}

void add_show(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("show", "Blocks and operations of an archive file, offline");
  command->footer(
      "--id finds every operation that names a record, claim, policy, institution, subject or\n"
      "request, in what was asked or in what came of it. It is a search, no proof that nothing is\n"
      "missing: `baolian audit log --prove` asks a node for that, also about archived times.\n\n"
      "Examples:\n"
      "  baolian archive show blocks-0000000001-0000010000.blk --height 17\n"
      "  baolian archive show FILE --transaction 5f0c… --genesis genesis.json\n"
      "  baolian --json archive show FILE --id RECORD --kind records.read");
  auto arguments = std::make_shared<ShowArguments>();
  command->add_option("file", arguments->file, "the .blk file")->required();
  command->add_option("--height", arguments->height, "one block, with its header");
  command->add_option("--transaction", arguments->transaction, "the operations of a transaction");
  command->add_option("--id", arguments->id, "operations that name this id (hexadecimal)");
  command->add_option("--kind", arguments->kind, "only operations of this kind");
  command->add_option("--genesis", arguments->genesis, "for the institutions' names");
  command->callback(
      [arguments, &context] { show(context, show_blocks(*arguments), print_blocks); });
}

}  // namespace

void add_archive_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("archive", "Files of old blocks: list, verify, show, offline");
  group->require_subcommand(1);
  add_list(*group, context);
  add_verify(*group, context);
  add_show(*group, context);
}

}  // namespace baolian::cli
