#include "crypto/keystore.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/prng.h"
#include "crypto/hex.h"
#include "crypto/random.h"
#include "support/catch.h"

namespace baolian::crypto {
namespace {

using test::hex;

constexpr std::size_t kHeaderBytes = 42;

Secret secret_text(std::string_view text) { return Secret::copy_of(as_bytes(text)); }

Keystore example() {
  Keystore keys;
  REQUIRE(keys.add("tls", secret_text("tls key")).has_value());
  REQUIRE(keys.add("consensus", secret_text("consensus seed")).has_value());
  REQUIRE(keys.add("member/gateway-1", Secret::copy_of(Bytes(8192, 7))).has_value());
  return keys;
}

bool equal(const Keystore& a, const Keystore& b) {
  return std::equal(a.entries().begin(), a.entries().end(), b.entries().begin(), b.entries().end(),
                    [](const Keystore::Entry& x, const Keystore::Entry& y) {
                      return x.name == y.name &&
                             equal_constant_time(x.secret.view(), y.secret.view());
                    });
}

/// An empty directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baolian-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::size_t file_count() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::string path_;
};

/// The reading end of a pipe into which `text` was written.
class Pipe {
 public:
  explicit Pipe(std::string_view text) {
    REQUIRE(::pipe(ends_.data()) == 0);
    REQUIRE(::write(ends_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(ends_[1]);
  }
  ~Pipe() { ::close(ends_[0]); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int reading_end() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
};

Errc code_of(const Result<Keystore>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error().code;
}

}  // namespace

TEST_CASE("keystore: entries are found by name and kept in order", "[keystore]") {
  const Keystore keys = example();
  REQUIRE(keys.entries().size() == 3);
  CHECK(keys.entries()[0].name == "consensus");
  CHECK(keys.entries()[1].name == "member/gateway-1");
  CHECK(keys.entries()[2].name == "tls");
  REQUIRE(keys.find("tls") != nullptr);
  CHECK(as_text(keys.find("tls")->view()) == "tls key");
  CHECK(keys.find("tl") == nullptr);
  CHECK(keys.find("zzz") == nullptr);
  CHECK(keys.require("tls").value() == keys.find("tls"));
  CHECK(keys.require("https").error().code == Errc::not_found);
}

TEST_CASE("keystore: bad names, sizes and repetitions are refused", "[keystore]") {
  Keystore keys;
  for (const std::string& name :
       {std::string(), std::string("A"), std::string("a b"), std::string("a\n"),
        std::string("\xC3\xA9"), std::string(129, 'a'), std::string("a\0b", 3)}) {
    CHECK(keys.add(name, secret_text("x")).error().code == Errc::bad_argument);
  }
  CHECK(keys.add("a", Secret()).error().code == Errc::bad_argument);
  CHECK(keys.add("a", Secret(8193)).error().code == Errc::bad_argument);
  CHECK(keys.add(std::string(128, 'a'), secret_text("x")).has_value());
  CHECK(keys.add("az09/_.-", secret_text("x")).has_value());
  CHECK(keys.add("az09/_.-", secret_text("y")).error().code == Errc::already_exists);
  CHECK(as_text(keys.find("az09/_.-")->view()) == "x");
  for (std::size_t i = keys.entries().size(); i < Keystore::kEntriesMax; ++i) {
    REQUIRE(keys.add("k" + std::to_string(i), secret_text("x")).has_value());
  }
  CHECK(keys.add("one-more", secret_text("x")).error().code == Errc::limit_exceeded);
}

TEST_CASE("keystore: round trip in memory, also of an empty one", "[keystore]") {
  const Secret passphrase = secret_text("correct horse");
  for (const bool empty : {true, false}) {
    const Keystore keys = empty ? Keystore() : example();
    const Bytes file = keys.seal(passphrase, Keystore::Cost::interactive).value();
    CHECK(file[0] == 1);
    CHECK(file[1] == 2);
    CHECK(equal(Keystore::open(file, passphrase).value(), keys));
    const Bytes again = keys.seal(passphrase, Keystore::Cost::interactive).value();
    CHECK(BytesView(again).subspan(2, 40).size() == 40);
    CHECK_FALSE(std::equal(file.begin() + 2, file.begin() + 18, again.begin() + 2));    // salt
    CHECK_FALSE(std::equal(file.begin() + 18, file.begin() + 42, again.begin() + 18));  // nonce
  }
}

TEST_CASE("keystore: the moderate cost round trips and is marked", "[keystore]") {
  const Secret passphrase = secret_text("correct horse");
  const Bytes file = example().seal(passphrase, Keystore::Cost::moderate).value();
  CHECK(file[1] == 1);
  CHECK(equal(Keystore::open(file, passphrase).value(), example()));
}

TEST_CASE("keystore: a stored file opens for ever", "[keystore][golden]") {
  const Bytes file =
      hex("01023333333333333333333333333333333344444444444444444444444444444444444444444444"
          "4444e47cf2e2a926cc2d7d872b28bab5d08bcac90a68f4bb093117ea45b83a8661483d3dcb3649a7"
          "7e77debd79a8d41b8ebea300259a114b26d0d1ddd9e4122f36fe0dea863e3d2c4b00cde827dec647"
          "bb73f7f988d26c8f6aecdd7a4d24581ccb29a9ac67fadad4ecaae868277ebc199c5fbe67");
  const Keystore keys = Keystore::open(file, secret_text("correct horse")).value();
  REQUIRE(keys.entries().size() == 2);
  CHECK(to_hex(keys.require("consensus").value()->view()) ==
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  CHECK(to_hex(keys.require("kek/1").value()->view()) ==
        "5555555555555555555555555555555555555555555555555555555555555555");
}

TEST_CASE("keystore: a wrong or empty passphrase does not open", "[keystore]") {
  const Bytes file = example().seal(secret_text("right"), Keystore::Cost::interactive).value();
  CHECK(code_of(Keystore::open(file, secret_text("wrong"))) == Errc::bad_passphrase);
  CHECK(code_of(Keystore::open(file, secret_text("right "))) == Errc::bad_passphrase);
  CHECK(code_of(Keystore::open(file, Secret())) == Errc::bad_passphrase);
  CHECK(example().seal(Secret(), Keystore::Cost::interactive).error().code == Errc::bad_passphrase);
}

TEST_CASE("keystore: every flipped bit of the header is refused", "[keystore]") {
  const Secret passphrase = secret_text("right");
  Bytes file = example().seal(passphrase, Keystore::Cost::interactive).value();
  // The key is kept, so that each flip meets the authenticator itself and not only a key that a
  // changed salt would have made.
  const Secret key = Keystore::derive_key(file, passphrase).value();
  REQUIRE(Keystore::open_with_key(file, key).has_value());
  for (std::size_t bit = 0; bit < kHeaderBytes * 8; ++bit) {
    INFO("bit " << bit);
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    file[bit / 8] ^= mask;
    const Errc expected = bit < 8    ? Errc::unknown_version
                          : bit < 16 ? Errc::not_canonical
                                     : Errc::bad_passphrase;
    CHECK(code_of(Keystore::open_with_key(file, key)) == expected);
    const bool derives = bit >= 16;
    if (!derives || bit % 64 == 16) CHECK(code_of(Keystore::open(file, passphrase)) == expected);
    file[bit / 8] ^= mask;
  }
  file[1] = 1;  // the other cost, which no single flip makes
  CHECK(code_of(Keystore::open_with_key(file, key)) == Errc::bad_passphrase);
}

TEST_CASE("keystore: random flips of the body are refused", "[keystore]") {
  const Secret passphrase = secret_text("right");
  Bytes file = example().seal(passphrase, Keystore::Cost::interactive).value();
  const Secret key = Keystore::derive_key(file, passphrase).value();
  Prng random(99);
  for (int i = 0; i < 500; ++i) {
    const std::size_t at =
        kHeaderBytes + static_cast<std::size_t>(random.below(file.size() - kHeaderBytes));
    const auto mask = static_cast<std::uint8_t>(1U << random.below(8));
    file[at] ^= mask;
    CHECK(code_of(Keystore::open_with_key(file, key)) == Errc::bad_passphrase);
    file[at] ^= mask;
  }
  CHECK(equal(Keystore::open_with_key(file, key).value(), example()));
}

TEST_CASE("keystore: cut and extended files are refused", "[keystore]") {
  const Secret passphrase = secret_text("right");
  Bytes file = Keystore().seal(passphrase, Keystore::Cost::interactive).value();
  const Secret key = Keystore::derive_key(file, passphrase).value();
  for (std::size_t size = 0; size < file.size(); ++size) {
    INFO(size);
    const Errc expected = size < kHeaderBytes + 16 ? Errc::truncated : Errc::bad_passphrase;
    CHECK(code_of(Keystore::open_with_key(BytesView(file).first(size), key)) == expected);
  }
  file.push_back(0);
  CHECK(code_of(Keystore::open_with_key(file, key)) == Errc::bad_passphrase);
}

TEST_CASE("keystore: entries that are authentic but not canonical are refused", "[keystore]") {
  const Bytes header =
      hex("010233333333333333333333333333333333444444444444444444444444444444444444444444444444");
  const Secret key = Secret::copy_of(Bytes(32, 0x66));
  const auto opened = [&](std::string_view entries) {
    const Bytes plain = hex(entries);
    Bytes file = header;
    file.resize(header.size() + plain.size() + 16);
    crypto_aead_xchacha20poly1305_ietf_encrypt(file.data() + header.size(), nullptr, plain.data(),
                                               plain.size(), header.data(), header.size(), nullptr,
                                               header.data() + 18, key.view().data());
    return Keystore::open_with_key(file, key);
  };
  const std::string a =
      "0100000061"
      "0100000007";  // name "a", secret 07
  const std::string b =
      "0100000062"
      "0100000007";
  CHECK(opened("00000000").has_value());
  CHECK(opened("02000000" + a + b).value().entries().size() == 2);
  CHECK(code_of(opened("02000000" + b + a)) == Errc::not_canonical);
  CHECK(code_of(opened("02000000" + a + a)) == Errc::not_canonical);
  CHECK(code_of(opened("01000000" + a + b)) == Errc::trailing_bytes);
  CHECK(code_of(opened("02000000" + a)) == Errc::truncated);
  CHECK(code_of(opened("000000")) == Errc::truncated);
  CHECK(code_of(opened("01000000"
                       "0100000061"
                       "ffffffff07")) == Errc::truncated);
  CHECK(code_of(opened("01000000"
                       "ffffffff61"
                       "0100000007")) == Errc::truncated);
  CHECK(code_of(opened("01000000"
                       "0100000041"
                       "0100000007")) == Errc::bad_argument);
  CHECK(code_of(opened("01000000"
                       "00000000"
                       "0100000007")) == Errc::bad_argument);
  CHECK(code_of(opened("01000000"
                       "0100000061"
                       "00000000")) == Errc::bad_argument);
  CHECK(code_of(opened("01040000" + a)) == Errc::limit_exceeded);
}

TEST_CASE("keystore: saved with mode 0600 whatever the umask, alone in its directory",
          "[keystore]") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("keys");
  const Secret passphrase = secret_text("right");
  const ::mode_t before = ::umask(0);
  const auto saved = example().save_new(path, passphrase, Keystore::Cost::interactive);
  ::umask(before);
  REQUIRE(saved.has_value());
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(directory.file_count() == 1);
  CHECK(equal(Keystore::load(path, passphrase).value(), example()));
  CHECK(code_of(Keystore::load(path, secret_text("wrong"))) == Errc::bad_passphrase);
}

TEST_CASE("keystore: an existing file is never replaced", "[keystore]") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("keys");
  { std::ofstream(path) << "somebody's file"; }
  const auto outcome = example().save_new(path, secret_text("right"), Keystore::Cost::interactive);
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == Errc::already_exists);
  std::string content;
  std::getline(std::ifstream(path), content);
  CHECK(content == "somebody's file");
  CHECK(directory.file_count() == 1);
}

TEST_CASE("keystore: files that are missing, elsewhere or too large are named as such",
          "[keystore]") {
  const TemporaryDirectory directory;
  CHECK(code_of(Keystore::load(directory.file("none"), secret_text("x"))) == Errc::not_found);
  CHECK(code_of(Keystore::load(directory.file(""), secret_text("x"))) == Errc::io_failed);
  CHECK(Keystore()
            .save_new(directory.file("no/such/keys"), secret_text("x"), Keystore::Cost::interactive)
            .error()
            .code == Errc::io_failed);
  const std::string large = directory.file("large");
  { std::ofstream{large}; }
  REQUIRE(::truncate(large.c_str(), 64 * 1024 * 1024) == 0);
  CHECK(code_of(Keystore::load(large, secret_text("x"))) == Errc::limit_exceeded);
}

TEST_CASE("passphrase: read up to the end or the line break", "[keystore]") {
  CHECK(as_text(read_passphrase(Pipe("no line break").reading_end()).value().view()) ==
        "no line break");
  const Pipe two("first\nsecond\n");
  CHECK(as_text(read_passphrase(two.reading_end()).value().view()) == "first");
  CHECK(as_text(read_passphrase(two.reading_end()).value().view()) == "second");
  const std::string longest(1024, 'p');
  CHECK(as_text(read_passphrase(Pipe(longest).reading_end()).value().view()) == longest);
  CHECK(as_text(read_passphrase(Pipe(longest + "\n").reading_end()).value().view()) == longest);
}

TEST_CASE("passphrase: empty, too long and unreadable are refused", "[keystore]") {
  CHECK(read_passphrase(Pipe("").reading_end()).error().code == Errc::bad_passphrase);
  CHECK(read_passphrase(Pipe("\nx").reading_end()).error().code == Errc::bad_passphrase);
  CHECK(read_passphrase(Pipe(std::string(1025, 'p')).reading_end()).error().code ==
        Errc::bad_passphrase);
  CHECK(read_passphrase(-1).error().code == Errc::io_failed);
}

}  // namespace baolian::crypto
