#include "node/verify_node.h"

#include <filesystem>

#include "consensus/batch.h"
#include "contracts/execute.h"
#include "crypto/signing.h"
#include "ledger/archive.h"
#include "ledger/json.h"
#include "node/verify_parts.h"

namespace baolian::node {
namespace {

constexpr ledger::JsonBounds kCheckpointBounds{
    .bytes_max = 256 * 1024, .depth_max = 8, .values_max = 4096};

void verify_store_files(const ledger::OpenedForAudit& opened, ledger::AuditReport& report) {
  const auto files = opened.store->files();
  report.begin("files of the store", files.size());
  for (const std::string& damage : opened.damages) {
    report.found(ledger::Damage::store_file, std::nullopt, "store/",
                 damage + "; rows may be missing because of it");
  }
  for (const auto& file : files) {
    if (auto checked = opened.store->check_file(file); !checked) {
      const std::string name = std::filesystem::path(file.path).filename().string();
      report.found(ledger::Damage::store_file, std::nullopt, "store/" + name,
                   checked.error().context);
    }
    report.advance();
  }
}

}  // namespace

ledger::BatchReader batch_reader(const ChainId& chain_id) {
  return [chain_id](const ledger::Header& header, BytesView bytes) -> Result<ledger::BatchFacts> {
    ledger::BatchFacts facts;
    if (bytes.empty()) {
      facts.digest = consensus::null_digest(chain_id, header.epoch, header.height);
      return facts;
    }
    facts.digest = consensus::batch_digest(bytes);
    // Bytes that are not those of the digest are damaged: what they say is of no use then.
    if (facts.digest != header.batch_digest) return facts;
    TRY(consensus::Batch batch, decode<consensus::Batch>(bytes));
    if (batch.height != header.height) {
      return fail(Errc::bad_block, "the batch is of another height");
    }
    facts.proposed_at = batch.proposed_at;
    facts.transactions = std::move(batch.transactions);
    return facts;
  };
}

Result<ledger::Checkpoint> checkpoint_from_json(std::string_view text) {
  TRY(const ledger::Json json, ledger::parse_json_text(text, kCheckpointBounds));
  if (!json.is_object() || !json.contains("header") || !json.contains("certificate")) {
    return fail(Errc::bad_json,
                "a checkpoint is an object with header and certificate, as `baolian --json audit "
                "checkpoint` prints it");
  }
  ledger::Checkpoint out;
  TRY(out.header, ledger::from_json_form<ledger::Header>(json["header"]));
  TRY(out.certificate, ledger::from_json_form<crypto::ExecCertificate>(json["certificate"]));
  return out;
}

VerifyNodeAnswer verify_node(const VerifyNodeOptions& options, ledger::AuditReport& report) {
  const std::string& data = options.data_directory;
  VerifyNodeAnswer answer;
  answer.node_runs = log_is_in_use(data + "/log");
  if (answer.node_runs) {
    report.remark(
        "the node is running: this is a check of one moment, and a file that it removes "
        "meanwhile shows as unreadable; stop it and check again before you act");
  }
  const ledger::StateOverlay::Writes genesis_writes = contracts::genesis_writes(options.genesis);
  const ledger::BatchReader batches = batch_reader(ledger::chain_id_of(options.genesis));
  const crypto::Verifier& verifier =
      options.verifier != nullptr ? *options.verifier : crypto::ed25519_verifier();
  const ledger::Archive archive(data + "/archive", ledger::chain_id_of(options.genesis),
                                ledger::kArchiveSpan);
  const ledger::ChainAuditConfig config{options.genesis, genesis_writes,     batches,
                                        verifier,        options.signatures, &archive};

  auto opened = ledger::open_rocksdb_for_audit(data + "/store");
  if (opened) {
    verify_store_files(*opened, report);
    answer.chain = ledger::audit_chain(*opened->store, config, report);
    if (options.checkpoint) {
      answer.checkpoint = ledger::compare_checkpoint(*opened->store, config, *answer.chain,
                                                     *options.checkpoint, report);
    }
  } else {
    report.begin("files of the store", 0);
    report.found(ledger::Damage::store_file, std::nullopt, "store/", opened.error().context);
  }
  const auto own = [&](Height height) {
    return opened ? ledger::header_in(*opened->store, height) : std::nullopt;
  };
  verify_snapshots(data + "/snapshots", config, own, report);
  verify_log(data + "/log", answer.node_runs ? LogUse::in_use : LogUse::at_rest, report);
  const crypto::Secret* key = options.key_encryption_key ? &*options.key_encryption_key : nullptr;
  if (key == nullptr) {
    report.remark(
        "without the node's passphrase sealed files were not opened: their bytes are not "
        "checked");
  }
  verify_vault(data + "/vault", opened ? opened->store.get() : nullptr, key, report);
  verify_books(data, key, report);
  return answer;
}

}  // namespace baolian::node
