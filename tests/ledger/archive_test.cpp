/// Archive files and what a chain is without its oldest blocks.
#include "ledger/archive.h"

#include <atomic>
#include <fstream>

#include "core/prng.h"
#include "ledger/archive_write.h"
#include "ledger/chain_state.h"
#include "ledger/evidence.h"
#include "ledger/fixture.h"
#include "ledger/memory_store.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

constexpr std::uint64_t kSpan = 10;
constexpr std::uint64_t kTimeMs = 1'700'000'100'000;

LogId test_log() { return test::log_of(LogKind::reads_of_record, 5); }

std::unique_ptr<Chain> open_chain(std::unique_ptr<KeyValueStore> store) {
  auto chain = Chain::open(std::move(store), test::make_genesis(), test::genesis_writes());
  REQUIRE(chain.has_value());
  return std::move(*chain);
}

/// Certifies every second height, the newest included.
void grow(Chain& chain, std::uint64_t to) {
  for (std::uint64_t h = chain.height().value + 1; h <= to; ++h) {
    test::append_entries(chain, test_log(), {kTimeMs + h});
    if (h % 2 == to % 2) chain.put_certificate(test::certificate_of(*chain.header(Height{h})));
  }
  chain.flush();
}

HeightSpan span(std::uint64_t first, std::uint64_t last) { return {Height{first}, Height{last}}; }

Bytes file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return to_bytes(text);
}

void write_bytes(const std::string& path, BytesView bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

/// A chain of 25 blocks with an archive beside it.
struct ArchivedChain {
  test::TemporaryDirectory directory;
  std::unique_ptr<Chain> chain = open_chain(make_memory_store());
  std::shared_ptr<Archive> archive =
      std::make_shared<Archive>(directory.path() + "/archive", chain->chain_id(), kSpan);

  ArchivedChain() {
    grow(*chain, 25);
    chain->use_archive(archive);
  }
  std::string path(std::uint64_t first, std::string_view ending = kArchiveBlocksEnding) const {
    return archive->path_of(span(first, first + kSpan - 1), ending);
  }
};

}  // namespace

TEST_CASE("ledger.md archive: spans end at multiples, names tell them and nothing else does",
          "[archive]") {
  CHECK(span_around(Height{1}, 10) == span(1, 10));
  CHECK(span_around(Height{10}, 10) == span(1, 10));
  CHECK(span_around(Height{11}, 10) == span(11, 20));
  CHECK(archive_name(span(1, 10'000)) == "blocks-0000000001-0000010000");
  CHECK(archive_span_of("blocks-0000000001-0000010000.blk") == span(1, 10'000));
  const HeightSpan far = {Height{123456789012345}, Height{123456789012346}};
  CHECK(archive_span_of(archive_name(far) + ".blk") == far);
  for (const char* other : {"blocks-0000000001-0000010000.cert",
                            "blocks-0000000001-0000010000.blk.part", "blocks-1-10000.blk",
                            "blocks-0000000000-0000000009.blk", "blocks-0000000011-0000000010.blk",
                            "blocks-000000000a-0000000010.blk", "blocks-.blk", "", "other"}) {
    CAPTURE(other);
    CHECK_FALSE(archive_span_of(other).has_value());
  }
}

TEST_CASE("ledger.md archive: a file holds the blocks of its span, each found alone", "[archive]") {
  ArchivedChain made;
  const auto hash = write_archive(*made.chain, *made.archive, span(11, 20));
  REQUIRE(hash.has_value());
  const auto file = ArchiveFile::open(made.path(11));
  REQUIRE(file.has_value());
  CHECK(file->hash() == *hash);
  CHECK(file->head().chain_id == made.chain->chain_id());
  for (std::uint64_t h = 11; h <= 20; ++h) {
    CHECK(file->block(Height{h}).value() == *made.chain->block(Height{h}));
    CHECK(made.archive->block(Height{h}).value() == *made.chain->block(Height{h}));
  }
  CHECK(made.archive->spans().value() == std::vector<HeightSpan>{span(11, 20)});
  CHECK_FALSE(made.archive->find(Height{10}).has_value());
  // The last 32 bytes are the hash over head and index, as docs/formats.md says.
  const Bytes bytes = file_bytes(made.path(11));
  const std::size_t index = bytes.size() - 36 - ArchivedFrame::kBytes;  // these blocks: one frame
  const BytesView all = bytes;
  CHECK(crypto::sha256({as_bytes("archive"), all.first(ArchiveHead::kBytes),
                        all.subspan(index, ArchivedFrame::kBytes + 4)}) ==
        Hash::from(all.last(32)));
}

TEST_CASE("ledger.md archive: byte-identical on nodes with other certificates", "[archive]") {
  ArchivedChain one;
  test::TemporaryDirectory directory;
  const auto other = open_chain(make_memory_store());
  for (std::uint64_t h = 1; h <= 25; ++h) {
    test::append_entries(*other, test_log(), {kTimeMs + h});
    crypto::ExecCertificate certificate = test::certificate_of(*other->header(Height{h}));
    certificate.signatures.back().validator = 3;
    if (h % 5 == 0) other->put_certificate(certificate);
  }
  const Archive there(directory.path(), other->chain_id(), kSpan);
  const HeightSpan first = span(1, 10);
  CHECK(write_archive(*one.chain, *one.archive, first).value() ==
        write_archive(*other, there, first).value());
  CHECK(file_bytes(one.path(1)) == file_bytes(there.path_of(first, kArchiveBlocksEnding)));
  CHECK(file_bytes(one.path(1, kArchiveCertificateEnding)) !=
        file_bytes(there.path_of(first, kArchiveCertificateEnding)));
}

TEST_CASE("ledger.md archive: every flipped bit and every shorter file is noticed", "[archive]") {
  ArchivedChain made;
  REQUIRE(write_archive(*made.chain, *made.archive, span(1, 10)).has_value());
  const Bytes whole = file_bytes(made.path(1));
  Prng random(7);
  const auto is_whole = [&] {
    const auto file = ArchiveFile::open(made.path(1));
    if (!file) return false;
    for (std::uint64_t h = file->head().first.value; h <= file->head().last.value; ++h) {
      if (!file->block(Height{h})) return false;
    }
    return true;
  };
  REQUIRE(is_whole());
  for (std::size_t byte = 0; byte < whole.size(); byte += 1 + random.below(9)) {
    Bytes changed = whole;
    changed[byte] = static_cast<std::uint8_t>(changed[byte] ^ (1U << random.below(8)));
    write_bytes(made.path(1), changed);
    CAPTURE(byte);
    REQUIRE_FALSE(is_whole());
  }
  for (std::size_t size = 0; size < whole.size(); size += 1 + random.below(97)) {
    write_bytes(made.path(1), BytesView(whole).first(size));
    CAPTURE(size);
    REQUIRE_FALSE(is_whole());
  }
}

TEST_CASE("ledger.md prune: blocks go, everything that proves stays", "[archive][prune]") {
  const auto disk = std::make_shared<MemoryDisk>();
  ArchivedChain made;
  made.chain = open_chain(make_memory_store(disk));
  grow(*made.chain, 25);
  std::vector<std::vector<OperationLeaf>> leaves;
  for (std::uint64_t h = 0; h <= 25; ++h) leaves.push_back(made.chain->leaves(Height{h}));
  const auto header = made.chain->header(Height{4});
  const auto certificate = made.chain->certificate(Height{5});
  const TxId id = tx_id_of_canonical(made.chain->block(Height{4})->transactions.front());
  made.chain->prune(Height{20});

  CHECK(made.chain->first_block() == Height{21});
  CHECK(made.chain->height() == Height{25});
  CHECK(made.chain->header(Height{4}) == header);
  CHECK(made.chain->certificate(Height{5}) == certificate);
  CHECK(made.chain->find_transaction(id)->height == Height{4});
  CHECK(made.chain->block(Height{0}).has_value());
  CHECK(made.chain->block(Height{21}).has_value());
  CHECK_FALSE(made.chain->block(Height{20}).has_value());
  CHECK(made.chain->leaves(Height{4}).empty());
  CHECK(made.chain->log_entries(test_log(), {}, TimeMs{kTimeMs + 10}, 0, 100).size() == 9);
  Height at;
  CHECK(made.chain->prove_log_window(test_log(), {}, TimeMs{kTimeMs + 10}, at).has_value());
  CHECK(made.chain->prove_history(Height{4}, Height{25}).has_value());

  SECTION("without an archive the answer is an error with a name") {
    const auto error = made.chain->read_block(Height{4}).error();
    CHECK(error.code == Errc::pruned);
    CHECK(made.chain->read_leaves(Height{20}).error().code == Errc::pruned);
    CHECK(made.chain->prove_operation(Height{4}, 0).error().code == Errc::pruned);
    CHECK(made.chain->read_block(Height{26}).error().code == Errc::not_found);
    made.chain->use_archive(made.archive);
    CHECK(made.chain->read_block(Height{4}).error().context.find(
              "pruned, see archive blocks-0000000001-0000000010") != std::string::npos);
  }
  SECTION("the mark survives a restart, and the chain grows on") {
    made.chain.reset();
    made.chain = open_chain(make_memory_store(disk));
    CHECK(made.chain->first_block() == Height{21});
    grow(*made.chain, 30);
    made.chain->prune(Height{22});
    CHECK(made.chain->first_block() == Height{23});
  }
}

TEST_CASE("ledger.md prune: with the archive every question is answered as before",
          "[archive][prune]") {
  ArchivedChain made;
  std::vector<StoredBlock> blocks;
  for (std::uint64_t h = 0; h <= 25; ++h) blocks.push_back(*made.chain->block(Height{h}));
  const auto leaves = made.chain->leaves(Height{7});
  const auto path = made.chain->prove_operation(Height{7}, 0).value();
  for (const std::uint64_t first : {1U, 11U}) {
    REQUIRE(write_archive(*made.chain, *made.archive, span(first, first + 9)).has_value());
  }
  made.chain->prune(Height{20});
  std::atomic<bool> cancelled = false;
  made.chain->reclaim(cancelled);
  for (std::uint64_t h = 0; h <= 25; ++h) CHECK(made.chain->block(Height{h}) == blocks[h]);
  CHECK(made.chain->leaves(Height{7}) == leaves);
  CHECK(made.chain->prove_operation(Height{7}, 0).value() == path);

  SECTION("a file that is taken away is missed by its name, one that comes back is used") {
    const std::string elsewhere = made.directory.path() + "/elsewhere";
    std::filesystem::rename(made.path(1), elsewhere);
    CHECK(made.chain->read_block(Height{7}).error().code == Errc::pruned);
    CHECK(made.chain->read_block(Height{17}).has_value());
    std::filesystem::rename(elsewhere, made.path(1));
    CHECK(made.chain->read_block(Height{7}).value() == blocks[7]);
  }
  SECTION("a whole file of other blocks is not believed") {
    // Written as the format wants, but a receipt says something else.
    auto writer =
        ArchiveWriter::create(made.path(1), {{}, made.chain->chain_id(), Height{1}, Height{10}});
    REQUIRE(writer.has_value());
    for (std::uint64_t h = 1; h <= 10; ++h) {
      StoredBlock forged = blocks[h];
      if (h == 7) {
        forged.receipts.front() = encode(
            Receipt{.version = {}, .status = ReceiptStatus::applied, .code = 0, .events = {}});
      }
      if (h == 8) forged.header.timestamp.value += 1;
      if (h == 9) forged.receipts.pop_back();
      REQUIRE(writer->add(encode(forged)).has_value());
    }
    REQUIRE(writer->finish().has_value());
    // The open file and its last frame are remembered: whoever opens it anew reads the other one.
    made.chain->use_archive(
        std::make_shared<Archive>(made.archive->directory(), made.chain->chain_id(), kSpan));
    CHECK(made.chain->read_block(Height{6}).has_value());
    for (const std::uint64_t h : {7U, 8U, 9U}) {
      CAPTURE(h);
      CHECK(made.chain->read_block(Height{h}).error().code == Errc::store_corrupt);
      CHECK(made.chain->leaves(Height{h}).empty());
    }
  }
}

TEST_CASE("ledger.md prune: a power cut takes mark and rows back together", "[archive][prune]") {
  const auto disk = std::make_shared<MemoryDisk>();
  auto chain = open_chain(make_memory_store(disk));
  grow(*chain, 25);
  const auto store = make_memory_store(disk);
  // As Chain::prune() does it, without its flush.
  store->erase_range(
      Family::blocks, chain_keys::block(Height{1}), chain_keys::block(Height{11}),
      {{Family::meta, chain_keys::pruned(), encode(HeightRow{.height = Height{10}})}});
  CHECK_FALSE(store->read(Family::blocks, chain_keys::block(Height{10})).has_value());
  chain.reset();
  disk->power_cut(0);
  chain = open_chain(make_memory_store(disk));
  CHECK(chain->first_block() == Height{1});
  CHECK(chain->block(Height{10}).has_value());
}

TEST_CASE("ledger.md prune: the disk gets its space back, small and large blocks alike",
          "[archive][prune]") {
  const std::size_t value_bytes = GENERATE(std::size_t{1'500}, std::size_t{60'000});
  CAPTURE(value_bytes);
  test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/store";
  const auto size_of = [&] {
    std::uint64_t bytes = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(path)) {
      if (file.is_regular_file()) bytes += file.file_size();
    }
    return bytes;
  };
  Prng random(3);
  const std::uint64_t rows = 12'000'000 / value_bytes;
  const std::uint64_t last = rows - rows / 10;
  // In two runs: a blob file goes when everything in it is gone.
  for (const auto& [from, to] : {std::pair(std::uint64_t{1}, last), std::pair(last + 1, rows)}) {
    auto store = open_rocksdb_store(path).value();
    for (std::uint64_t h = from; h <= to; ++h) {
      Bytes value;
      while (value.size() < value_bytes) append_big_endian(value, random.next(), 8);
      store->apply({{Family::blocks, chain_keys::block(Height{h}), std::move(value)},
                    {Family::blocks, chain_keys::header(Height{h}), to_bytes("header")}});
    }
  }
  // Opening moves what is in the log into tables and blobs.
  auto store = open_rocksdb_store(path).value();
  REQUIRE(size_of() > 11'000'000);
  const Bytes first = chain_keys::block(Height{1});
  const Bytes end = chain_keys::block(Height{last + 1});
  const auto kept = store->read(Family::blocks, end);
  store->erase_range(Family::blocks, first, end, {});
  store->flush();
  std::atomic<bool> cancelled = false;
  store->reclaim(Family::blocks, first, end, cancelled);
  CHECK(store->read(Family::blocks, end) == kept);
  store.reset();
  CHECK(size_of() < 2'500'000);
  store = open_rocksdb_store(path).value();
  CHECK(store->read(Family::blocks, end) == kept);
  CHECK(store->read(Family::blocks, chain_keys::header(Height{5})) == to_bytes("header"));
  CHECK(store->scan(Family::blocks, as_bytes("b"), {}, 1).front().key == end);
}

TEST_CASE("ledger.md archive: no certificate, no file that others could believe", "[archive]") {
  ArchivedChain made;
  grow(*made.chain, 29);
  test::append_entries(*made.chain, test_log(), {kTimeMs + 30});
  CHECK(write_archive(*made.chain, *made.archive, span(21, 30)).error().code ==
        Errc::not_certified);
  made.chain->put_certificate(test::certificate_of(*made.chain->header(Height{30})));
  CHECK(write_archive(*made.chain, *made.archive, span(21, 30)).has_value());
}

TEST_CASE("ledger.md archive: what a crash left half-written is written again", "[archive]") {
  ArchivedChain made;
  const Hash hash = write_archive(*made.chain, *made.archive, span(1, 10)).value();
  const Bytes whole = file_bytes(made.path(1));
  write_bytes(made.path(1), BytesView(whole).first(whole.size() / 2));
  write_bytes(made.path(1, kArchiveCertificateEnding), as_bytes("half"));
  CHECK(write_archive(*made.chain, *made.archive, span(1, 10)).value() == hash);
  CHECK(file_bytes(made.path(1)) == whole);
  CHECK(read_archive_certificate(made.path(1, kArchiveCertificateEnding)).has_value());
}

}  // namespace baolian::ledger
