/// docs/formats.md and the code say the same. After a wanted change of a format:
/// BAOLIAN_REWRITE=1 baolian_formats_doc_test writes tables, examples and golden evidence anew.
#include "ledger/formats_doc.h"

#include <filesystem>
#include <fstream>
#include <regex>

#include "ledger/archive.h"
#include "ledger/chain.h"
#include "ledger/evidence.h"
#include "ledger/fixture.h"
#include "support/catch.h"

using namespace baolian;
using namespace baolian::ledger;
using namespace baolian::ledger::test;

namespace {

template <typename T>
T decoded(const FormatsDocument& document, const std::string& name) {
  const Bytes bytes = document.bytes(name);
  auto value = decode<T>(bytes);
  INFO(name);
  REQUIRE(value.has_value());
  CHECK(encode(*value) == bytes);
  return std::move(*value);
}

Hash hash_in(const FormatsDocument& document, const std::string& name) {
  const Bytes bytes = document.bytes(name);
  REQUIRE(bytes.size() == Hash::kSize);
  return Hash::from(bytes);
}

void compare(const std::map<std::string, std::string>& document,
             const std::map<std::string, std::string>& code) {
  for (const auto& [name, content] : code) {
    INFO(name << ": missing in docs/formats.md, or other than the code says");
    const auto found = document.find(name);
    REQUIRE(found != document.end());
    CHECK(found->second == content);
  }
  for (const auto& [name, content] : document) {
    INFO(name << ": in docs/formats.md, but the code has no such block");
    CHECK(code.contains(name));
  }
}

}  // namespace

TEST_CASE("formats.md: every table and example is what the code says", "[formats]") {
  FormatsDocument document = FormatsDocument::load();
  if (should_rewrite()) {
    FormatsDocument::save(document.filled(format_tables(), format_examples()));
    document = FormatsDocument::load();
  }
  CHECK(document.repeated().empty());
  compare(document.tables(), format_tables());
  compare(document.hex_blocks(), format_examples());
}

TEST_CASE("formats.md: every declared type of crypto, consensus and ledger has its table",
          "[formats]") {
  const FormatsDocument document = FormatsDocument::load();
  const std::regex declaration("kTypeName = \"(\\w+)\"");
  std::size_t types = 0;
  for (const char* folder : {"crypto", "consensus", "ledger"}) {
    const auto root = std::filesystem::path(BAOLIAN_SOURCE_DIR) / "src" / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".h") continue;
      const std::string text = read_source_file(
          std::filesystem::relative(entry.path(), BAOLIAN_SOURCE_DIR).generic_string());
      for (std::sregex_iterator it(text.begin(), text.end(), declaration), end; it != end; ++it) {
        INFO((*it)[1].str() << " of " << entry.path().filename());
        CHECK(document.tables().contains((*it)[1].str()));
        ++types;
      }
    }
  }
  CHECK(types > 60);
}

TEST_CASE("formats.md: the examples decode, hash, sign and prove as the text says", "[formats]") {
  const FormatsDocument document = FormatsDocument::load();
  const auto entry = decoded<LogEntry>(document, "log-entry");
  CHECK(entry.time == TimeMs{1700000000123});
  CHECK(entry.operation == 2);

  const auto header = decoded<Header>(document, "header");
  const auto epoch = decoded<crypto::EpochRecord>(document, "epoch-record");
  const auto vote = decoded<crypto::ExecVote>(document, "exec-vote");
  CHECK(header_hash(header) == hash_in(document, "header-hash"));
  CHECK(vote.header_hash == hash_in(document, "header-hash"));
  CHECK(vote.height == header.height);
  CHECK(header.validators_hash == hash_in(document, "validators-hash"));
  CHECK(crypto::validators_hash(epoch) == hash_in(document, "validators-hash"));
  REQUIRE(epoch.validators.size() == 1);
  CHECK(to_bytes(epoch.validators[0].view()) == document.bytes("public-key"));

  const Bytes message = document.bytes("signed-bytes");
  REQUIRE(message.size() == crypto::kSignedBytes);
  CHECK(Hash::from(BytesView(message).subspan(49, 32)) == crypto::sha256(encode(vote)));
  CHECK(crypto::ed25519_verifier().verify(epoch.validators[0], message,
                                          Signature::from(document.bytes("signature"))));

  const auto leaf = decoded<OperationLeaf>(document, "operation-leaf");
  CHECK(leaf.operation == document.bytes("operation"));
  CHECK(leaf.receipt == document.bytes("receipt"));
  CHECK(decoded<Operation>(document, "operation").kind == 65000);
  CHECK(decoded<Receipt>(document, "receipt").status == ReceiptStatus::applied);
  CHECK(merkle_leaf_hash(encode(leaf)) == hash_in(document, "operation-leaf-hash"));

  const auto frontier = decoded<Frontier>(document, "frontier-5");
  CHECK(frontier.root() == hash_in(document, "merkle-root-5"));
  const std::uint8_t one = 1;
  const std::uint8_t two = 2;
  const std::vector<Hash> range = {merkle_leaf_hash({&one, 1}), merkle_leaf_hash({&two, 1})};
  std::vector<Hash> proof;
  const Bytes joined = document.bytes("range-proof-1-3-of-5");
  for (std::size_t at = 0; at + 32 <= joined.size(); at += 32) {
    proof.push_back(Hash::from(BytesView(joined).subspan(at, 32)));
  }
  const auto root = root_from_range(1, range, 5, proof);
  REQUIRE(root.has_value());
  CHECK(*root == frontier.root());

  const Hash state_root = hash_in(document, "state-root-3");
  CHECK(check_state_proof(state_root, as_bytes("b"), to_bytes("2"),
                          decoded<StateProof>(document, "state-proof-b"))
            .has_value());
  CHECK(check_state_proof(state_root, as_bytes("d"), std::nullopt,
                          decoded<StateProof>(document, "state-proof-no-d"))
            .has_value());
  CHECK(document.bytes("log-state-key").size() == 38);
}

TEST_CASE("formats.md: the archive file opens and holds the header of section 7",
          "[formats][archive]") {
  const FormatsDocument document = FormatsDocument::load();
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/blocks-0000000007-0000000007.blk";
  const Bytes bytes = document.bytes("archive-file");
  std::ofstream(path, std::ios::binary) << as_text(bytes);
  const auto file = ArchiveFile::open(path);
  REQUIRE(file.has_value());
  CHECK(file->span() == HeightSpan{Height{7}, Height{7}});
  CHECK(file->offset(Height{7}) == ArchiveHead::kBytes);
  CHECK(file->block(Height{7}).value().header == decoded<Header>(document, "header"));
  CHECK(Hash::from(BytesView(bytes).last(32)) == file->hash());
}
