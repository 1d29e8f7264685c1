/// Evidence that was published must verify for ever: tests/golden/v1/evidence (PBFT, four
/// validators) and evidence-raft (Raft, three signers of five) are never written anew once a
/// version is out (BAOLIAN_REWRITE=1 writes them before that).
#include "ledger/evidence.h"
#include "ledger/evidence_fixture.h"
#include "ledger/formats_doc.h"
#include "ledger/genesis_json.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::ledger;
using namespace baolian::ledger::test;

namespace {

struct Folder {
  std::string path;
  crypto::ConsensusKind kind;
};
const std::array kFolders = {Folder{"tests/golden/v1/evidence/", crypto::ConsensusKind::pbft},
                             Folder{"tests/golden/v1/evidence-raft/", crypto::ConsensusKind::raft}};
constexpr std::uint16_t kUnknownKind = 65000;

/// A block at t+`ms` with one transaction of `operations` operations of a kind that no contract
/// knows, each appended to the log.
void append_unknown(EvidenceChain& chain, const LogId& log, std::uint64_t ms,
                    std::size_t operations, ReceiptStatus status = ReceiptStatus::applied) {
  const auto sender = ed25519_signer(1001);
  TransactionBody body;
  body.chain_id = chain.chain->chain_id();
  body.sender = sender->public_key();
  body.nonce = Nonce{chain.chain->height().value};
  body.expires_at = TimeMs{kCreatedMs + 600'000};
  for (std::size_t i = 0; i < operations; ++i) {
    body.operations.push_back({.kind = kUnknownKind,
                               .request_id = numbered<RequestId>(i),
                               .content = to_bytes("golden " + std::to_string(i)),
                               .cosignatures = {}});
  }
  BlockBuilder builder(*chain.chain, TimeMs{kCreatedMs + ms});
  const std::uint32_t first =
      builder.add_copy(encode(sign_transaction(std::move(body), *sender)), status);
  if (status != ReceiptStatus::transaction_rejected) {
    for (std::uint32_t i = 0; i < operations; ++i) {
      builder.append_to(log, first + i, static_cast<std::uint16_t>(i));
    }
  }
  chain.append_block(builder.take());
}

std::map<std::string, std::string> make_files(crypto::ConsensusKind kind) {
  EvidenceChain chain(kind);
  const LogId log = log_of(kReads, 7);
  append_unknown(chain, log, 1000, 1);
  append_unknown(chain, log, 2000, 5);
  append_unknown(chain, log, 3000, 2, ReceiptStatus::rejected);
  append_unknown(chain, log, 4000, 2, ReceiptStatus::transaction_rejected);
  append_unknown(chain, log, 5000, 1);
  append_unknown(chain, log, 6000, 1);
  chain.certify_newest();
  const auto window = make_log_evidence(*chain.chain, log, TimeMs{kCreatedMs + 1500},
                                        TimeMs{kCreatedMs + 5000}, no_facts());
  const auto operation = make_operation_evidence(*chain.chain, Height{2}, 4, no_facts());
  const auto state = make_state_evidence(*chain.chain, as_bytes("claim/unknown"));
  REQUIRE(window.has_value());
  REQUIRE(operation.has_value());
  REQUIRE(state.has_value());
  return {{"genesis.json", genesis_to_json(chain.network.genesis)},
          {"log_window.json", *window},
          {"operation.json", *operation},
          {"state.json", *state}};
}

}  // namespace

TEST_CASE("golden v1: the evidence files verify with their genesis", "[golden][evidence]") {
  for (const Folder& folder : kFolders) {
    const auto made = make_files(folder.kind);
    if (should_rewrite()) {
      for (const auto& [name, text] : made) write_source_file(folder.path + name, text);
    }
    const auto genesis = genesis_from_json(read_source_file(folder.path + "genesis.json"));
    REQUIRE(genesis.has_value());
    CHECK(genesis->epoch.consensus_kind == folder.kind);
    for (const char* name : {"log_window.json", "operation.json", "state.json"}) {
      const Verification verification = verify_evidence(
          read_source_file(folder.path + name), *genesis, crypto::ed25519_verifier(), no_facts());
      INFO(folder.path << name << ": " << (verification.ok ? "" : verification.failure()->what));
      CHECK(verification.ok);
    }
  }
}

TEST_CASE("golden v1: this build still writes the same files", "[golden][evidence]") {
  for (const Folder& folder : kFolders) {
    for (const auto& [name, text] : make_files(folder.kind)) {
      INFO(folder.path << name);
      CHECK(read_source_file(folder.path + name) == text);
    }
  }
}
