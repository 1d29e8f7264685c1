#include "node/outbox.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "ledger/fixture.h"
#include "support/catch.h"

namespace baolian::node {
namespace {

using ledger::test::numbered;
using ledger::test::TemporaryDirectory;

OutboxRecord record(std::uint64_t id, std::uint64_t nonce, std::size_t operations = 2) {
  OutboxRecord out;
  out.sender = numbered<PublicKey>(1);
  out.nonce = Nonce{nonce};
  out.tx_id = numbered<TxId>(id);
  out.expires_at = TimeMs{1000 + id};
  for (std::size_t i = 0; i < operations; ++i) {
    out.request_ids.push_back(numbered<RequestId>(id * 100 + i));
  }
  out.transaction = Bytes(50 + id, static_cast<std::uint8_t>(id));
  return out;
}

class OutboxFile {
 public:
  std::string path() const { return directory_.path() + "/outbox"; }
  std::unique_ptr<Outbox> open() const { return Outbox::open(path()).value(); }
  /// Appends records one by one; the sizes of the file after each.
  std::vector<std::size_t> fill(std::uint64_t count) const {
    const auto outbox = open();
    std::vector<std::size_t> sizes;
    for (std::uint64_t i = 1; i <= count; ++i) {
      outbox->append({record(i, i)});
      sizes.push_back(bytes().size());
    }
    return sizes;
  }
  Bytes bytes() const {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void replace(const Bytes& bytes) const {
    std::ofstream out(path(), std::ios::binary | std::ios::trunc);
    out << as_text(bytes);
  }
  /// The record ids that an opening finds.
  std::vector<TxId> ids() const {
    std::vector<TxId> out;
    for (const auto& found : open()->take_unresolved()) out.push_back(found.tx_id);
    return out;
  }

 private:
  TemporaryDirectory directory_;
};

std::vector<TxId> first_ids(std::uint64_t count) {
  std::vector<TxId> out;
  for (std::uint64_t i = 1; i <= count; ++i) out.push_back(numbered<TxId>(i));
  return out;
}

TEST_CASE("an outbox knows after reopening what was appended", "[outbox]") {
  const OutboxFile file;
  {
    const auto outbox = file.open();
    CHECK(outbox->take_unresolved().empty());
    CHECK(outbox->next_nonce(numbered<PublicKey>(1)) == Nonce{0});
    outbox->append({record(1, 7), record(2, 5)});
    outbox->append({record(3, 6)});
    CHECK(outbox->take_unresolved().empty());  // of earlier runs only
  }
  const auto outbox = file.open();
  const auto unresolved = outbox->take_unresolved();
  REQUIRE(unresolved.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    CHECK(encode(unresolved[i]) == encode(record(i + 1, unresolved[i].nonce.value)));
  }
  CHECK(outbox->next_nonce(numbered<PublicKey>(1)) == Nonce{8});
  CHECK(outbox->next_nonce(numbered<PublicKey>(2)) == Nonce{0});
}

TEST_CASE("consensus 1.9: an outbox finds the transaction of a request id", "[outbox]") {
  const OutboxFile file;
  file.open()->append({record(1, 1), record(2, 2, 3)});
  const auto outbox = file.open();
  const std::optional<OutboxPlace> place = outbox->find(numbered<RequestId>(202));
  REQUIRE(place.has_value());
  CHECK(place->tx_id == numbered<TxId>(2));
  CHECK(place->op_index == 2);
  CHECK(place->expires_at == TimeMs{1002});
  CHECK(place->sender == numbered<PublicKey>(1));
  CHECK(place->nonce == Nonce{2});
  CHECK_FALSE(outbox->find(numbered<RequestId>(203)).has_value());
}

TEST_CASE("an outbox torn at any byte loses its last record alone", "[outbox]") {
  const OutboxFile file;
  const auto sizes = file.fill(3);
  const Bytes whole = file.bytes();
  for (std::size_t size = sizes[1]; size < sizes[2]; ++size) {
    file.replace(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    CHECK(file.ids() == first_ids(2));
    CHECK(file.bytes().size() == sizes[1]);
  }
  // And goes on behind it.
  file.open()->append({record(9, 9)});
  CHECK(file.ids() == std::vector<TxId>{numbered<TxId>(1), numbered<TxId>(2), numbered<TxId>(9)});
}

TEST_CASE("an end of zeros or of nonsense is torn, not corrupt", "[outbox]") {
  const OutboxFile file;
  const auto sizes = file.fill(2);
  const Bytes whole = file.bytes();
  for (const std::uint8_t filler : Bytes{0x00, 0x01, 0xFF}) {
    Bytes longer = whole;
    longer.resize(whole.size() + 5000, filler);
    file.replace(longer);
    CHECK(file.ids() == first_ids(2));
    CHECK(file.bytes().size() == sizes[1]);
  }
  // The last record's pages were never written.
  Bytes zeroed = whole;
  std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(sizes[0]), zeroed.end(), 0);
  file.replace(zeroed);
  CHECK(file.ids() == first_ids(1));
}

TEST_CASE("a damaged record in the middle is corruption: its nonce must not be signed again",
          "[outbox]") {
  const OutboxFile file;
  const auto sizes = file.fill(3);
  const Bytes whole = file.bytes();
  for (std::size_t i = 0; i < sizes[1]; ++i) {
    Bytes changed = whole;
    changed[i] ^= 0x40;
    file.replace(changed);
    const auto opened = Outbox::open(file.path());
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Errc::log_corrupt);
    REQUIRE(file.bytes() == changed);  // nothing is cut off
  }
  file.replace(whole);
  CHECK(file.ids() == first_ids(3));
}

TEST_CASE("the first transaction of a request id stays its place", "[outbox]") {
  const OutboxFile file;
  OutboxRecord second = record(2, 2);
  second.request_ids = record(1, 1).request_ids;
  file.open()->append({record(1, 1), second});
  CHECK(file.open()->find(numbered<RequestId>(100))->tx_id == numbered<TxId>(1));
}

TEST_CASE("an outbox written anew keeps what is open, answers what is young, forgets the rest",
          "[outbox]") {
  const OutboxFile file;
  const auto outbox = file.open();
  for (std::uint64_t i = 1; i <= 30; ++i) outbox->append({record(i, i)});  // expires at 1000 + i
  const std::size_t before = file.bytes().size();
  REQUIRE(outbox->compact({.settled = TimeMs{1021}, .forgotten = TimeMs{1011}}).has_value());
  CHECK(file.bytes().size() < before);
  outbox->append({record(31, 31)});  // behind what was kept, in the new file
  const auto check = [](const Outbox& one) {
    CHECK_FALSE(one.find(numbered<RequestId>(1000)).has_value());  // forgotten
    for (std::uint64_t i = 11; i <= 31; ++i) {
      const auto place = one.find(numbered<RequestId>(i * 100 + 1));
      REQUIRE(place.has_value());
      CHECK(place->tx_id == numbered<TxId>(i));
      CHECK(place->op_index == 1);
      CHECK(place->nonce == Nonce{i});
      CHECK(place->expires_at == TimeMs{1000 + i});
    }
    CHECK(one.next_nonce(numbered<PublicKey>(1)) == Nonce{32});
  };
  check(*outbox);
  const auto opened = file.open();
  check(*opened);
  const auto unresolved = opened->take_unresolved();
  REQUIRE(unresolved.size() == 11);  // what had not expired: 21 to 31
  for (std::size_t i = 0; i < unresolved.size(); ++i) {
    CHECK(encode(unresolved[i]) == encode(record(21 + i, 21 + i)));
  }
}

TEST_CASE("an outbox written anew never forgets the newest nonce of a key", "[outbox]") {
  const OutboxFile file;
  const auto outbox = file.open();
  outbox->append({record(1, 7), record(2, 9), record(3, 8)});
  REQUIRE(outbox->compact({.settled = TimeMs{9000}, .forgotten = TimeMs{9000}}).has_value());
  CHECK_FALSE(outbox->find(numbered<RequestId>(200)).has_value());
  const auto opened = file.open();
  CHECK(opened->next_nonce(numbered<PublicKey>(1)) == Nonce{10});
  CHECK(opened->take_unresolved().empty());
}

TEST_CASE("an outbox that was damaged on the disk meanwhile is not written anew", "[outbox]") {
  const OutboxFile file;
  const auto outbox = file.open();
  for (std::uint64_t i = 1; i <= 3; ++i) outbox->append({record(i, i)});
  const Bytes whole = file.bytes();
  for (const std::size_t place : {std::size_t{20}, whole.size() / 2, whole.size() - 5}) {
    Bytes changed = whole;
    changed[place] ^= 0x40;
    file.replace(changed);
    const auto done = outbox->compact({.settled = TimeMs{9000}, .forgotten = TimeMs{9000}});
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == Errc::log_corrupt);
    CHECK(file.bytes() == changed);
    CHECK(outbox->find(numbered<RequestId>(300)).has_value());  // and it goes on
  }
}

TEST_CASE("an unfinished copy of an outbox is swept away at the next start", "[outbox]") {
  const OutboxFile file;
  file.fill(3);
  const Bytes whole = file.bytes();
  std::ofstream(file.path() + ".new", std::ios::binary) << as_text(whole).substr(0, 20);
  CHECK(file.ids() == first_ids(3));
  CHECK_FALSE(std::ifstream(file.path() + ".new").good());
}

TEST_CASE("an outbox asks to be written anew when it has grown by as much as it was", "[outbox]") {
  const OutboxFile file;
  const auto outbox = file.open();
  OutboxRecord large = record(1, 1);
  large.transaction = Bytes(200'000, 0x5A);
  CHECK_FALSE(outbox->is_compaction_due());
  for (int i = 0; i < 100; ++i) outbox->append({large});
  CHECK(outbox->is_compaction_due());
  REQUIRE(outbox->compact({.settled = TimeMs{9000}, .forgotten = TimeMs{}}).has_value());
  CHECK_FALSE(outbox->is_compaction_due());
  CHECK(outbox->find(numbered<RequestId>(100)).has_value());
}

TEST_CASE("an outbox that cannot be opened says so", "[outbox]") {
  const TemporaryDirectory directory;
  for (const std::string& path : {directory.path() + "/none/outbox", directory.path()}) {
    const auto opened = Outbox::open(path);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == Errc::io_failed);
  }
}

}  // namespace
}  // namespace baolian::node
