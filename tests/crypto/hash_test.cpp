#include "crypto/hash.h"

#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "core/prng.h"
#include "crypto/commitment.h"
#include "support/catch.h"

namespace baolian::crypto {
namespace {

const std::vector<std::string_view> kDomains = {
    domain::kTransaction, domain::kBatch,         domain::kNullBatch,   domain::kHeader,
    domain::kId,          domain::kEpoch,         domain::kOperation,   domain::kRecord,
    domain::kSubject,     domain::kRecordList,    domain::kPolicy,      domain::kConsent,
    domain::kSalted,      domain::kPublicContent, domain::kWrap,        domain::kKeyCheck,
    domain::kPedersenH,   domain::kSubjectLog,    domain::kAccumulator, domain::kDecision,
    domain::kEscrow};

}  // namespace

TEST_CASE("SHA-256 gives the values of FIPS 180-4", "[hash]") {
  CHECK(sha256(as_bytes("")).hex() ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256(as_bytes("abc")).hex() ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).hex() ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(as_bytes(std::string(1'000'000, 'a'))).hex() ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 of parts is SHA-256 of their concatenation, at every division", "[hash]") {
  const std::string text = "a text that is longer than the sixty-four bytes of one SHA-256 block";
  const BytesView whole = as_bytes(text);
  const Hash expected = sha256(whole);
  Sha256 incremental;
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CHECK(sha256({whole.first(cut), whole.subspan(cut)}) == expected);
    // The same object serves again after finish().
    CHECK(incremental.update(whole.first(cut)).update(whole.subspan(cut)).finish() == expected);
  }
  CHECK(incremental.finish() == sha256(BytesView{}));
}

TEST_CASE("whole-message hashes may run beside an unfinished incremental one", "[hash]") {
  Sha256 outer;
  outer.update(as_bytes("a"));
  CHECK(sha256(as_bytes("something else")) == sha256(as_bytes("something else")));
  CHECK(outer.update(as_bytes("bc")).finish() == sha256(as_bytes("abc")));
}

TEST_CASE("threads hash independently", "[hash]") {
  const Hash expected = sha256(as_bytes("abc"));
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&count, &expected] {
      for (int i = 0; i < 2000; ++i) {
        if (sha256({as_bytes("a"), as_bytes("bc")}) != expected) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("a domain hash is SHA-256 of the constant followed by the parts", "[hash]") {
  CHECK(hash_in_domain(domain::kTransaction, {as_bytes("ab"), as_bytes("c")}).hex() ==
        "d85e3cdebd8444f558272978382bc4c78823a2a6369ad8924b66533742d2b855");
  CHECK(hash_in_domain(domain::kTransaction, {as_bytes("abc")}) == sha256(as_bytes("txabc")));
}

TEST_CASE("the list of domain constants in this test is complete", "[hash]") {
  std::ifstream header(BAOLIAN_SOURCE_DIR "/src/crypto/hash.h");
  const std::string text(std::istreambuf_iterator<char>(header), {});
  const std::size_t begin = text.find("namespace domain {");
  const std::size_t end = text.find("}  // namespace domain");
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  std::size_t declared = 0;
  constexpr std::string_view kDeclaration = "inline constexpr std::string_view k";
  for (std::size_t at = text.find(kDeclaration, begin); at < end;
       at = text.find(kDeclaration, at + 1)) {
    ++declared;
  }
  CHECK(declared == kDomains.size());
}

TEST_CASE("no domain constant is the beginning of another", "[hash]") {
  for (std::size_t i = 0; i < kDomains.size(); ++i) {
    REQUIRE_FALSE(kDomains[i].empty());
    for (std::size_t j = 0; j < kDomains.size(); ++j) {
      if (i == j) continue;
      INFO(kDomains[i] << " and " << kDomains[j]);
      CHECK_FALSE(kDomains[j].starts_with(kDomains[i]));
    }
  }
}

TEST_CASE("HMAC-SHA256 gives the values of RFC 4231", "[hash]") {
  CHECK(hmac_sha256(Bytes(20, 0x0b), {as_bytes("Hi There")}).hex() ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hmac_sha256(as_bytes("Jefe"), {as_bytes("what do ya want "), as_bytes("for nothing?")})
            .hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_sha256(Bytes(131, 0xaa),
                    {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")})
            .hex() == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("CRC-32C gives the check values of RFC 3720 B.4", "[hash]") {
  CHECK(crc32c(as_bytes("123456789")) == 0xE3069283U);
  CHECK(crc32c({}) == 0U);
  CHECK(crc32c(Bytes(32, 0x00)) == 0x8A9136AAU);
  CHECK(crc32c(Bytes(32, 0xFF)) == 0x62A8AB43U);
  CHECK(crc32c_portable(as_bytes("123456789"), 0) == 0xE3069283U);
}

TEST_CASE("CRC-32C by instruction and by tables agree, and continue across a cut", "[hash]") {
  Prng random(20240501);
  for (std::size_t size = 0; size < 200; ++size) {
    Bytes bytes(size);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random.next());
    const std::uint32_t whole = crc32c(bytes);
    CHECK(crc32c_portable(bytes) == whole);
    const std::size_t cut = static_cast<std::size_t>(random.below(size + 1));
    const BytesView view = bytes;
    CHECK(crc32c(view.subspan(cut), crc32c(view.first(cut))) == whole);
    CHECK(crc32c_portable(view.subspan(cut), crc32c_portable(view.first(cut))) == whole);
  }
}

TEST_CASE("a commitment hashes domain, salt and value", "[commitment]") {
  Salt salt;
  salt.bytes.fill(0x22);
  CHECK(commit(domain::kSalted, salt, as_bytes("value")).hex() ==
        "35c455b6d27220179c30fe23f1935432bc3426579300f9ba9ba0242f5d34e4eb");
  CHECK(commit(domain::kSubject, salt, as_bytes("value")) !=
        commit(domain::kSalted, salt, as_bytes("value")));
  salt.bytes[31] ^= 1;
  CHECK(commit(domain::kSalted, salt, as_bytes("value")).hex() !=
        "35c455b6d27220179c30fe23f1935432bc3426579300f9ba9ba0242f5d34e4eb");
}

TEST_CASE("salts are fresh", "[commitment]") {
  const Salt first = new_salt();
  CHECK_FALSE(first.is_zero());
  CHECK(new_salt() != first);
}

}  // namespace baolian::crypto
