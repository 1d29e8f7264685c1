#include "vault/record_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "support/catch.h"
#include "vault/fixture.h"

namespace baolian::vault {
namespace {

using test::file_bytes;
using test::numbered;
using test::record_ref;
using test::Vault;
using test::write_file;

const Bytes kText = to_bytes("operation report");

SealedRecord sealed_record(std::uint64_t id) { return seal_record(record_ref(id), kText).value(); }

std::string file_of(const Vault& vault, const contracts::RecordRef& record, const char* suffix) {
  return vault.directory.path() + "/vault/records/" + record.record.hex() + "." +
         std::to_string(record.version) + suffix;
}

template <typename T>
Errc error_of(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code;
}

TEST_CASE("a stored record opens, also after a restart", "[vault][store]") {
  Vault vault(11);
  const auto sealed = sealed_record(1);
  CHECK_FALSE(vault.store->contains(sealed.record));
  CHECK(error_of(vault.store->open(sealed.record, sealed.commitment)) == Errc::not_found);
  REQUIRE(vault.store->put(sealed).has_value());
  vault.restart();
  REQUIRE(vault.store->contains(sealed.record));
  CHECK(vault.store->ciphertext(sealed.record).value() == sealed.ciphertext);
  CHECK(to_bytes(vault.store->open(sealed.record, sealed.commitment).value().view()) == kText);
}

TEST_CASE("a record put twice stays as it was", "[vault][store]") {
  Vault vault(11);
  const auto first = sealed_record(1);
  REQUIRE(vault.store->put(first).has_value());
  CHECK(error_of(vault.store->put(sealed_record(1))) == Errc::already_exists);
  CHECK(vault.store->open(first.record, first.commitment).has_value());
}

TEST_CASE("files of the vault are the owner's alone", "[vault][store]") {
  Vault vault(11);
  const auto sealed = sealed_record(1);
  REQUIRE(vault.store->put(sealed).has_value());
  REQUIRE(vault.store->put_outgoing(numbered<GrantId>(1), kText).has_value());
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(vault.directory.path() + "/vault")) {
    const auto mode = entry.status().permissions() & std::filesystem::perms::all;
    const bool directory = entry.is_directory();
    CHECK(mode == static_cast<std::filesystem::perms>(directory ? 0700 : 0600));
    files += directory ? 0 : 1;
  }
  CHECK(files == 3);
}

TEST_CASE("neither text, data key nor salt stands in any file", "[vault][store]") {
  Vault vault(11);
  const auto sealed = sealed_record(1);
  const auto content = decode<WrapContent>(sealed.wrap_content.view()).value();
  REQUIRE(vault.store->put(sealed).has_value());
  for (const char* suffix : {".key", ".sealed"}) {
    const Bytes file = file_bytes(file_of(vault, sealed.record, suffix));
    for (const BytesView secret : {BytesView(kText), content.data_key.view(), content.salt.view(),
                                   content.plaintext_hash.view()}) {
      CHECK(std::search(file.begin(), file.end(), secret.begin(), secret.end()) == file.end());
    }
  }
}

TEST_CASE("a crash between key file and ciphertext leaves no record, and the put is repeated",
          "[vault][store]") {
  Vault vault(11);
  const auto lost = sealed_record(1);
  REQUIRE(vault.store->put(lost).has_value());
  std::filesystem::remove(file_of(vault, lost.record, ".sealed"));
  vault.restart();
  CHECK_FALSE(vault.store->contains(lost.record));
  CHECK(error_of(vault.store->open(lost.record, lost.commitment)) == Errc::not_found);
  // Sealed anew, under another key: the orphan makes way.
  const auto again = sealed_record(1);
  REQUIRE(vault.store->put(again).has_value());
  CHECK(vault.store->open(again.record, again.commitment).has_value());
}

TEST_CASE("a crash before a file had its name leaves nothing", "[vault][store]") {
  Vault vault(11);
  const auto sealed = sealed_record(1);
  const std::string half = file_of(vault, sealed.record, ".key.new1.0");
  const std::string half_wrap = vault.directory.path() + "/vault/outgoing/a.wrap.new1.1";
  write_file(half, kText);
  write_file(half_wrap, kText);
  vault.restart();
  CHECK_FALSE(std::filesystem::exists(half));
  CHECK_FALSE(std::filesystem::exists(half_wrap));
  CHECK(vault.store->put(sealed).has_value());
}

TEST_CASE("every changed byte of a record's files is found", "[vault][store]") {
  Vault vault(11);
  const auto sealed = sealed_record(1);
  REQUIRE(vault.store->put(sealed).has_value());
  for (const char* suffix : {".key", ".sealed"}) {
    const std::string path = file_of(vault, sealed.record, suffix);
    const Bytes file = file_bytes(path);
    for (std::size_t i = 0; i < file.size(); ++i) {
      Bytes changed = file;
      changed[i] ^= 0x10;
      write_file(path, changed);
      CHECK_FALSE(vault.store->open(sealed.record, sealed.commitment).has_value());
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, file.size() - 1}) {
      write_file(path, BytesView(file).first(size));
      CHECK_FALSE(vault.store->open(sealed.record, sealed.commitment).has_value());
    }
    write_file(path, file);
  }
  CHECK(vault.store->open(sealed.record, sealed.commitment).has_value());
}

TEST_CASE("a key file of another record or version does not serve", "[vault][store]") {
  Vault vault(11);
  const auto first = sealed_record(1);
  const auto second = seal_record(record_ref(1, 2), kText).value();
  REQUIRE(vault.store->put(first).has_value());
  REQUIRE(vault.store->put(second).has_value());
  std::filesystem::copy_file(file_of(vault, first.record, ".key"),
                             file_of(vault, second.record, ".key"),
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(error_of(vault.store->wrap_content(second.record)) == Errc::cannot_open);
}

TEST_CASE("another key-encryption key or epoch opens nothing", "[vault][store]") {
  Vault vault(11);
  const auto sealed = sealed_record(1);
  REQUIRE(vault.store->put(sealed).has_value());
  const std::string directory = vault.directory.path() + "/vault";
  auto other_key = RecordStore::open(directory, test::seed(12), 1);
  REQUIRE(other_key.has_value());
  CHECK(error_of(other_key->wrap_content(sealed.record)) == Errc::cannot_open);
  auto other_epoch = RecordStore::open(directory, test::seed(11), 2);
  REQUIRE(other_epoch.has_value());
  CHECK(error_of(other_epoch->wrap_content(sealed.record)) == Errc::cannot_open);
}

TEST_CASE("a received copy stays, and a damaged one is replaced", "[vault][store]") {
  Vault vault(22);
  const auto sealed = sealed_record(1);
  const auto put = [&] {
    return vault.store->put_received(sealed.record, sealed.ciphertext, sealed.wrap_content.view());
  };
  REQUIRE(put().has_value());
  const Bytes key_file = file_bytes(file_of(vault, sealed.record, ".key"));
  REQUIRE(put().has_value());
  CHECK(file_bytes(file_of(vault, sealed.record, ".key")) == key_file);
  for (const char* suffix : {".key", ".sealed"}) {
    const std::string path = file_of(vault, sealed.record, suffix);
    Bytes damaged = file_bytes(path);
    damaged.back() ^= 1;
    write_file(path, damaged);
    REQUIRE_FALSE(vault.store->open(sealed.record, sealed.commitment).has_value());
    REQUIRE(put().has_value());
    CHECK(vault.store->open(sealed.record, sealed.commitment).has_value());
  }
  std::filesystem::remove(file_of(vault, sealed.record, ".sealed"));
  REQUIRE(put().has_value());
  CHECK(vault.store->open(sealed.record, sealed.commitment).has_value());
}

TEST_CASE("of many writers of one record one wins, with its own key and ciphertext",
          "[vault][store]") {
  Vault vault(11);
  for (std::uint64_t round = 0; round < 10; ++round) {
    std::vector<SealedRecord> sealed;
    for (int i = 0; i < 8; ++i) sealed.push_back(sealed_record(round));
    std::vector<int> stored(sealed.size(), 0);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      threads.emplace_back([&, i] { stored[i] = vault.store->put(sealed[i]).has_value() ? 1 : 0; });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(std::count(stored.begin(), stored.end(), 1) == 1);
    const auto winner =
        static_cast<std::size_t>(std::find(stored.begin(), stored.end(), 1) - stored.begin());
    CHECK(vault.store->open(record_ref(round), sealed[winner].commitment).has_value());
  }
}

TEST_CASE("the first wrap of a grant stays until it is erased", "[vault][store]") {
  Vault vault(11);
  const auto a = numbered<GrantId>(1);
  const auto b = numbered<GrantId>(2);
  CHECK(error_of(vault.store->outgoing(a)) == Errc::not_found);
  CHECK(vault.store->put_outgoing(a, to_bytes("first")).value() == to_bytes("first"));
  CHECK(vault.store->put_outgoing(a, to_bytes("second")).value() == to_bytes("first"));
  REQUIRE(vault.store->put_outgoing(b, to_bytes("other")).has_value());
  vault.restart();
  CHECK(vault.store->outgoing(a).value() == to_bytes("first"));
  CHECK(vault.store->outgoing_grants() == std::vector<GrantId>{std::min(a, b), std::max(a, b)});
  REQUIRE(vault.store->erase_outgoing(a).has_value());
  REQUIRE(vault.store->erase_outgoing(a).has_value());
  CHECK(vault.store->outgoing_grants() == std::vector<GrantId>{b});
}

TEST_CASE("a store cannot be made where there is no directory for it", "[vault][store]") {
  const test::TemporaryDirectory directory;
  CHECK(error_of(RecordStore::open(directory.path() + "/none/vault", test::seed(1), 1)) ==
        Errc::io_failed);
}

}  // namespace
}  // namespace baolian::vault
