/// The worked examples of docs/formats.md: fixed inputs, bytes made by the code.
#include <algorithm>
#include <fstream>

#include "crypto/random.h"
#include "ledger/archive.h"
#include "ledger/chain.h"
#include "ledger/fixture.h"
#include "ledger/formats_doc.h"
#include "ledger/genesis_json.h"

namespace baolian::ledger::test {
namespace {

using Examples = std::map<std::string, std::string>;

/// first, first + 1, first + 2 ...
template <typename Id>
Id counting(std::uint8_t first) {
  Id id;
  for (std::size_t i = 0; i < Id::kSize; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(first + i);
  }
  return id;
}

std::unique_ptr<crypto::Signer> example_signer() {
  crypto::initialize();
  return crypto::make_ed25519_signer(crypto::Secret::copy_of(counting<Hash>(0).view()));
}

crypto::EpochRecord example_epoch() {
  crypto::EpochRecord record;
  record.first_height = Height{1};
  record.validators = {example_signer()->public_key()};
  return record;
}

Header example_header() {
  Header header;
  header.chain_id = counting<ChainId>(0x20);
  header.height = Height{7};
  header.timestamp = TimeMs{1700000000123};
  header.validators_hash = crypto::validators_hash(example_epoch());
  return header;
}

void add_signature(Examples& out) {
  const auto signer = example_signer();
  const Bytes vote =
      encode(crypto::ExecVote{.height = Height{7}, .header_hash = header_hash(example_header())});
  const ChainId chain = counting<ChainId>(0x20);
  const auto message =
      crypto::signed_bytes(crypto::ObjectType::exec, chain, Epoch{0}, crypto::sha256(vote));
  out["public-key"] = hex_lines(signer->public_key().view());
  out["exec-vote"] = hex_lines(vote);
  out["signed-bytes"] = hex_lines(message);
  out["signature"] = hex_lines(signer->sign(message).view());
  out["epoch-record"] = hex_lines(encode(example_epoch()));
  out["validators-hash"] = hex_lines(crypto::validators_hash(example_epoch()).view());
  out["header"] = hex_lines(encode(example_header()));
  out["header-hash"] = hex_lines(header_hash(example_header()).view());
}

void add_operation(Examples& out) {
  const Bytes operation = encode(Operation{.kind = 65000,
                                           .request_id = counting<RequestId>(0),
                                           .content = to_bytes("hi"),
                                           .cosignatures = {}});
  const Bytes receipt =
      encode(Receipt{.version = {}, .status = ReceiptStatus::applied, .code = 0, .events = {}});
  const Bytes leaf = encode(OperationLeaf{.tx_hash = counting<TxHash>(0x40),
                                          .op_index = 1,
                                          .sender = example_signer()->public_key(),
                                          .operation = operation,
                                          .receipt = receipt});
  out["operation"] = hex_lines(operation);
  out["receipt"] = hex_lines(receipt);
  out["operation-leaf"] = hex_lines(leaf);
  out["operation-leaf-hash"] = hex_lines(merkle_leaf_hash(leaf).view());
  const Bytes seen = encode(Receipt{.version = {},
                                    .status = ReceiptStatus::applied,
                                    .code = 0,
                                    .events = {{.kind = 204, .body = {1, 0x2A, 0x08, 7, 7}}}});
  const auto row = operation_row({.tx_hash = counting<TxHash>(0x40),
                                  .op_index = 1,
                                  .sender = example_signer()->public_key(),
                                  .operation = operation,
                                  .receipt = seen});
  ASSERT(row.has_value());
  out["operation-row"] = hex_lines(encode(*row));
}

void add_trees(Examples& out) {
  std::vector<Hash> leaves;
  Frontier frontier;
  for (std::uint8_t i = 0; i < 5; ++i) {
    leaves.push_back(merkle_leaf_hash({&i, 1}));
    frontier.append(leaves.back());
  }
  const SubtreeSource source = [&](std::uint64_t first, std::uint64_t size) -> Result<Hash> {
    return merkle_root(std::span(leaves).subspan(first, size));
  };
  const auto range = range_proof(1, 3, 5, source);
  ASSERT(range.has_value());
  Bytes joined;
  for (const Hash& hash : *range) append(joined, hash.view());
  out["merkle-root-5"] = hex_lines(merkle_root(leaves).view());
  out["range-proof-1-3-of-5"] = hex_lines(joined);
  out["frontier-5"] = hex_lines(encode(frontier));

  StateTree tree;
  std::vector<StateTree::Change> changes;
  const char* values = "123";
  for (const char key : {'a', 'b', 'c'}) {
    changes.push_back({.key_hash = crypto::sha256(as_bytes({&key, 1})),
                       .value_hash = crypto::sha256(as_bytes({values++, 1}))});
  }
  tree.update(std::move(changes));
  out["state-root-3"] = hex_lines(tree.root().view());
  out["state-proof-b"] = hex_lines(encode(tree.prove(as_bytes("b"))));
  out["state-proof-no-d"] = hex_lines(encode(tree.prove(as_bytes("d"))));
}

void add_archive(Examples& out) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/blocks-0000000007-0000000007.blk";
  const Header header = example_header();
  const StoredBlock block{
      .version = {}, .header = header, .batch = {}, .transactions = {}, .receipts = {}};
  auto writer = ArchiveWriter::create(
      path,
      {.version = {}, .chain_id = header.chain_id, .first = header.height, .last = header.height});
  ASSERT(writer.has_value() && writer->add(encode(block)) && writer->finish());
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  out["archive-file"] = hex_lines(as_bytes(bytes));
}

}  // namespace

std::map<std::string, std::string> format_examples() {
  Examples out;
  out["log-entry"] = hex_lines(encode(LogEntry{.time = TimeMs{1700000000123},
                                               .height = Height{7},
                                               .operation = 2,
                                               .line = 0,
                                               .leaf_hash = counting<Hash>(0)}));
  out["log-state-key"] =
      hex_lines(log_state_key({.kind = LogKind::reads_of_record, .id = counting<Hash>(0)}));
  add_signature(out);
  add_operation(out);
  add_trees(out);
  add_archive(out);
  if (const auto genesis =
          genesis_from_json(read_source_file("tests/golden/v1/evidence/genesis.json"))) {
    out["golden-chain-id"] = hex_lines(chain_id_of(*genesis).view());
  }
  return out;
}

}  // namespace baolian::ledger::test
