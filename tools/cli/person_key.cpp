#include "cli/person_key.h"

#include <algorithm>

#include "contracts/operations.h"
#include "crypto/keystore.h"
#include "crypto/random.h"
#include "ledger/transaction.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

constexpr std::string_view kEntry = "person";
constexpr std::uint64_t kCosignatureLifeMs = 5 * 60 * 1000;

template <typename E>
bool same_names(const std::vector<E>& values, const json& names) {
  std::vector<std::string> left;
  for (const E value : values) left.emplace_back(enum_name(value));
  auto right = names.get<std::vector<std::string>>();
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  return left == right;
}

/// A person signs what he asked for and not what a node makes of it.
bool is_what_was_asked(const ledger::Operation& operation, const json& asked,
                       const PublicKey& own_key) {
  if (auto give = contracts::content_of<contracts::ConsentGive>(operation)) {
    const contracts::ConsentTerms& terms = give->terms;
    return terms.grantee.hex() == asked.value("grantee", "") &&
           same_names(terms.purposes, asked["purposes"]) &&
           same_names(terms.classes, asked["classes"]) &&
           static_cast<int>(terms.level_ceiling) == asked.value("level_max", 0);
  }
  if (auto revoke = contracts::content_of<contracts::ConsentRevoke>(operation)) {
    return revoke->consent.hex() == asked.value("consent", "");
  }
  auto registration = contracts::content_of<contracts::ConsentRegisterKey>(operation);
  return registration && registration->key == own_key;
}

}  // namespace

Result<PublicKey> new_person_key(const std::string& path, const std::string& passphrase_file) {
  TRY(const crypto::Secret passphrase, read_passphrase_file(passphrase_file));
  crypto::Secret seed = crypto::new_seed();
  const PublicKey key = crypto::make_ed25519_signer(seed)->public_key();
  crypto::Keystore keystore;
  TRY(keystore.add(std::string(kEntry), std::move(seed)));
  TRY(keystore.save_new(path, passphrase, crypto::Keystore::Cost::interactive));
  return key;
}

Result<PersonKey> PersonKey::load(const std::string& path, const std::string& passphrase_file) {
  TRY(const crypto::Secret passphrase, read_passphrase_file(passphrase_file));
  TRY(const crypto::Keystore keystore, crypto::Keystore::load(path, passphrase));
  TRY(const crypto::Secret* seed, keystore.require(kEntry));
  if (seed->size() != 32) return fail(Errc::config_invalid, "the person's key is no 32-byte seed");
  return PersonKey(crypto::make_ed25519_signer(*seed));
}

Result<json> PersonKey::sign_and_send(ApiClient& client, const Profile& profile, const json& asked,
                                      const json& prepared) const {
  if (!prepared.contains("to_sign")) return prepared;  // done before: the first outcome
  const json& wanted = prepared["to_sign"];
  ledger::Operation operation;
  operation.kind = wanted.value("kind", std::uint16_t{0});
  TRY(operation.content, from_hex(wanted.value("content", "")));
  TRY(const InstitutionId institution,
      InstitutionId::from_hex_text(wanted.value("institution", "")));
  if (!is_what_was_asked(operation, asked, public_key())) {
    return fail(Errc::bad_argument, "the node prepared something else than was asked; not signed");
  }
  const TimeMs not_after{now_ms().value + kCosignatureLifeMs};
  const ledger::Cosignature cosignature =
      ledger::cosign(operation, ledger::Capacity::person, institution, Nonce{}, not_after,
                     profile.chain_id, *signer_);
  json body = {{"request_id", prepared["request_id"]},
               {"kind", operation.kind},
               {"content", wanted["content"]},
               {"cosignatures", wanted["cosignatures"]}};
  body["cosignatures"].push_back(to_hex(encode(cosignature)));
  return client.request_json("POST", "/v1/operations", body);
}

}  // namespace baolian::cli
