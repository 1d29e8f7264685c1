/// What a network of version 1 left on its disks: every later build decodes it, executes it to the
/// same state and verifies its evidence. tests/golden/README.md says how the files came to be.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "consensus/batch.h"
#include "consensus/pbft/records.h"
#include "contracts/execute.h"
#include "contracts/facts.h"
#include "crypto/certificate.h"
#include "crypto/keystore.h"
#include "ledger/chain.h"
#include "ledger/evidence.h"
#include "ledger/genesis_json.h"
#include "node/executor.h"
#include "node/log_format.h"
#include "node/log_store.h"
#include "node/node_keys.h"
#include "support/catch.h"

namespace baolian {
namespace {

namespace fs = std::filesystem;
using consensus::RecordType;

const std::string kFolder = std::string(BAOLIAN_SOURCE_DIR) + "/tests/golden/v1/network/";

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  INFO(path);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Bytes read_bytes(const std::string& path) { return to_bytes(read_text(path)); }

const ledger::Genesis& genesis() {
  static const ledger::Genesis one =
      ledger::genesis_from_json(read_text(kFolder + "genesis.json")).value();
  return one;
}

struct GoldenBlock {
  Bytes block;        ///< canonical StoredBlock
  Bytes certificate;  ///< canonical ExecCertificate, or empty
};

/// blocks.txt: a line a height from 1: height, block, certificate or "-", in hex.
std::vector<GoldenBlock> read_blocks() {
  std::vector<GoldenBlock> out;
  std::istringstream lines(read_text(kFolder + "blocks.txt"));
  std::uint64_t height = 0;
  std::string block;
  std::string certificate;
  while (lines >> height >> block >> certificate) {
    REQUIRE(height == out.size() + 1);
    out.push_back(
        {from_hex(block).value(), certificate == "-" ? Bytes{} : from_hex(certificate).value()});
  }
  return out;
}

/// Writes blocks.txt from the store of a stopped node (tests/golden/make.py).
void write_blocks(const std::string& store_directory) {
  auto store = ledger::open_rocksdb_store(store_directory).value();
  const auto chain =
      ledger::Chain::open(std::move(store), genesis(), contracts::genesis_writes(genesis()))
          .value();
  std::ofstream out(kFolder + "blocks.txt");
  for (Height height{1}; height <= chain->certified_height(); ++height) {
    const auto block = chain->block(height);
    const auto certificate = chain->certificate(height);
    REQUIRE(block.has_value());
    out << height.value << " " << to_hex(encode(*block)) << " "
        << (certificate ? to_hex(encode(*certificate)) : "-") << "\n";
  }
}

node::ExecuteRequest request_of(const ledger::StoredBlock& block) {
  node::ExecuteRequest out;
  out.height = block.header.height;
  out.digest = block.header.batch_digest;
  if (!block.batch.empty()) out.batch = std::make_shared<const Bytes>(block.batch);
  for (const auto& body : block.transactions) {
    out.bodies.push_back(std::make_shared<const Bytes>(body));
  }
  return out;
}

template <typename Record>
bool reads_and_writes(BytesView body) {
  const auto record = decode<Record>(body);
  return record.has_value() && encode(*record) == to_bytes(body);
}

bool record_decodes(const consensus::LogRecord& record) {
  namespace pbft = consensus::pbft;
  const BytesView body = *record.body;
  switch (record.type) {
    case RecordType::boot:
      return reads_and_writes<node::BootRecord>(body);
    case RecordType::snapshot:
      return reads_and_writes<consensus::Snapshot>(body);
    case RecordType::pp_accept:
      return reads_and_writes<pbft::PpAccept>(body);
    case RecordType::prepared:
      return reads_and_writes<pbft::Prepared>(body);
    case RecordType::committed:
      return reads_and_writes<pbft::Committed>(body);
    case RecordType::exec_sent:
      return reads_and_writes<consensus::ExecSent>(body);
    case RecordType::exec_cert:
      return reads_and_writes<consensus::ExecCert>(body);
    default:
      return false;
  }
}

TEST_CASE("golden v1: made anew only when asked to", "[golden]") {
  const char* from = std::getenv("BAOLIAN_GOLDEN_STORE");
  if (from != nullptr) write_blocks(from);
  CHECK(fs::exists(kFolder + "blocks.txt"));
}

TEST_CASE("golden v1: blocks decode, and their certificates are of them", "[golden]") {
  const auto blocks = read_blocks();
  REQUIRE(blocks.size() > 30);
  const ChainId chain = ledger::chain_id_of(genesis());
  Hash parent =
      ledger::header_hash(ledger::genesis_header(genesis(), contracts::genesis_writes(genesis())));
  std::size_t certificates = 0;
  for (const auto& golden : blocks) {
    const auto block = decode<ledger::StoredBlock>(golden.block);
    REQUIRE(block.has_value());
    CHECK(encode(*block) == golden.block);
    CHECK(block->header.parent_hash == parent);
    parent = ledger::header_hash(block->header);
    if (golden.certificate.empty()) continue;
    ++certificates;
    const auto certificate = decode<crypto::ExecCertificate>(golden.certificate);
    REQUIRE(certificate.has_value());
    CHECK(certificate->vote.header_hash == parent);
    CHECK(
        crypto::check_certificate(*certificate, chain, genesis().epoch, crypto::ed25519_verifier())
            .has_value());
  }
  CHECK(certificates > 10);
  CHECK_FALSE(blocks.back().certificate.empty());
}

TEST_CASE("golden v1: executed again, every header is the same", "[golden]") {
  const auto chain = ledger::Chain::open(ledger::make_memory_store(), genesis(),
                                         contracts::genesis_writes(genesis()))
                         .value();
  node::Executor executor(*chain, crypto::ed25519_verifier());
  std::map<std::uint16_t, std::size_t> kinds;
  for (const auto& golden : read_blocks()) {
    const auto block = decode<ledger::StoredBlock>(golden.block).value();
    const auto applied = executor.execute(request_of(block));
    REQUIRE(applied.has_value());
    INFO("height " << block.header.height.value);
    REQUIRE(to_hex(applied->header) == to_hex(encode(block.header)));
    CHECK(encode(*chain->block(block.header.height)) == golden.block);
    for (const auto& leaf : chain->leaves(block.header.height)) {
      const auto operation = decode<ledger::Operation>(leaf.operation);
      if (operation) ++kinds[operation->kind];
    }
  }
  CHECK(kinds.size() >= 10);  // consents, records, products, policies, claims
}

TEST_CASE("golden v1: the log segment replays, every record decodes", "[golden]") {
  std::vector<Bytes> contents;
  std::vector<node::SegmentImage> images;
  for (const auto& file : fs::directory_iterator(kFolder + "log")) {
    const std::string name = file.path().filename().string();
    unsigned long long number = 0;
    unsigned long long id = 0;
    REQUIRE(std::sscanf(name.c_str(), "%10llu-%16llx.log", &number, &id) == 2);
    contents.push_back(read_bytes(file.path().string()));
    contents.back().resize((contents.back().size() + 63) / 64 * 64);
    images.push_back({number, id, {}});
  }
  REQUIRE(images.size() == 1);
  images[0].bytes = contents[0];
  const auto scan = node::scan_log(images);
  REQUIRE(scan.has_value());
  std::map<RecordType, std::size_t> types;
  for (const auto& record : scan->records) {
    INFO("record of type " << static_cast<int>(record.type));
    CHECK(record_decodes(record));
    ++types[record.type];
  }
  for (const auto type : {RecordType::boot, RecordType::pp_accept, RecordType::prepared,
                          RecordType::committed, RecordType::exec_sent, RecordType::exec_cert}) {
    INFO("type " << static_cast<int>(type));
    CHECK(types[type] > 0);
  }
}

TEST_CASE("golden v1: the keystore opens, and its keys are the genesis's", "[golden]") {
  const std::string text = read_text(kFolder + "passphrase");
  const auto passphrase =
      crypto::Secret::copy_of(as_bytes(std::string_view(text).substr(0, text.find('\n'))));
  const auto keystore = crypto::Keystore::load(kFolder + "node.keystore", passphrase);
  REQUIRE(keystore.has_value());
  std::size_t loaded = 0;
  for (const auto& institution : genesis().institutions) {
    if (node::NodeKeys::load(*keystore, genesis(), institution.id).has_value()) ++loaded;
  }
  CHECK(loaded == 1);
  const auto wrong = crypto::Secret::copy_of(as_bytes("not the passphrase"));
  CHECK(crypto::Keystore::load(kFolder + "node.keystore", wrong).error().code ==
        Errc::bad_passphrase);
}

TEST_CASE("golden v1: evidence of contract operations verifies", "[golden]") {
  for (const char* name : {"evidence-reads.json", "evidence-claims.json", "evidence-claim.json",
                           "evidence-payouts.json", "evidence-operation.json"}) {
    const auto verification = ledger::verify_evidence(
        read_text(kFolder + name), genesis(), crypto::ed25519_verifier(), contracts::fact_reader());
    INFO(name << ": " << (verification.ok ? "" : verification.failure()->what));
    CHECK(verification.ok);
  }
}

}  // namespace
}  // namespace baolian
