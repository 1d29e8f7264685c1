/// Validators with real keys, certified releases, sealed records and vaults for the tests of
/// src/vault.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crypto/secretstream.h"
#include "crypto/signing.h"
#include "ledger/fixture.h"
#include "vault/release_gate.h"

namespace baolian::vault::test {

using ledger::test::numbered;
using ledger::test::TemporaryDirectory;

crypto::Secret seed(std::uint8_t value);
contracts::RecordRef record_ref(std::uint64_t id, std::uint32_t version = 1);
Bytes file_bytes(const std::string& path);
void write_file(const std::string& path, BytesView bytes);

/// What a made block is to look like; the defaults are right in everything.
struct BlockPlan {
  ledger::ReceiptStatus status = ledger::ReceiptStatus::applied;
  std::size_t signatures = 3;  ///< quorum of four
  std::size_t later_headers = 0;
};

/// Four validators of one epoch, and blocks that they certify.
class Validators {
 public:
  explicit Validators(std::uint8_t first_seed = 1, std::uint64_t chain = 7);

  TrustRoot trust() const { return {chain_, epoch_, crypto::ed25519_verifier()}; }
  const crypto::EpochRecord& epoch() const { return epoch_; }
  /// A block of three operations whose second is `operation`, certified.
  CertifiedOperation certify(const ledger::Operation& operation, const BlockPlan& plan = {}) const;
  /// Signs `header` by the first `count` validators.
  crypto::ExecCertificate sign(const ledger::Header& header, std::size_t count) const;

 private:
  ChainId chain_;
  crypto::EpochRecord epoch_;
  std::vector<std::unique_ptr<crypto::Signer>> signers_;
};

/// One institution's vault.
struct Vault {
  explicit Vault(std::uint8_t key_seed);
  /// The process starts again on the same files.
  void restart();

  TemporaryDirectory directory;
  std::uint8_t key_seed;
  crypto::EncryptionKeyPair key;
  std::unique_ptr<RecordStore> store;
  std::unique_ptr<ReleaseGate> gate;
};

/// A custodian with one sealed record, a reader, and the grant between them.
struct Release {
  Release();
  contracts::RecordsRelease content(const ReleaseGate::Prepared& prepared) const;
  ledger::Operation operation(const ReleaseGate::Prepared& prepared) const;
  /// prepare(), certified release, deliver(). Requires: all of it succeeds.
  Delivery deliver();
  /// The delivery that a dishonest custodian makes: this wrap content, sealed to the reader and
  /// named by a certified release.
  Delivery deliver_wrap(BytesView wrap_content, const Bytes& ciphertext) const;

  Validators validators;
  Vault custodian{11};
  Vault reader{22};
  Bytes plaintext = to_bytes("discharge summary of a person");
  SealedRecord sealed;
  GrantFacts grant;
};

}  // namespace baolian::vault::test
