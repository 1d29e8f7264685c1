/// A little chain with real Ed25519 keys and certificates for the tests of evidence and formats.
/// Everything follows from fixed seeds: the same files come out in every run.
#pragma once

#include <memory>
#include <vector>

#include "crypto/signing.h"
#include "ledger/chain.h"
#include "ledger/evidence.h"
#include "ledger/fixture.h"

namespace baolian::ledger::test {

inline constexpr std::uint64_t kCreatedMs = 1'700'000'000'000;
inline constexpr LogKind kReads = LogKind::reads_of_record;

/// make_genesis() with Ed25519 keys; `validators` are the signers in the order of the epoch's list.
struct SignedNetwork {
  Genesis genesis;
  std::vector<std::unique_ptr<crypto::Signer>> validators;
};
/// Four validators and an observer; under Raft all five vote, so that its majority (3) is not
/// PBFT's quorum (4).
SignedNetwork make_signed_network(crypto::ConsensusKind kind = crypto::ConsensusKind::pbft);

/// A deterministic Ed25519 signer.
std::unique_ptr<crypto::Signer> ed25519_signer(std::uint64_t seed);

/// EXEC signatures of the first `signers` validators over a header.
crypto::ExecCertificate certify(const SignedNetwork& network, const Header& header,
                                std::size_t signers);

/// The network with a chain in memory.
struct EvidenceChain {
  SignedNetwork network;
  std::unique_ptr<Chain> chain;

  explicit EvidenceChain(crypto::ConsensusKind kind = crypto::ConsensusKind::pbft);
  /// Appends a block with one operation for each of `entries`, all appended to `log`.
  Header append_block(const LogId& log, std::uint64_t time_ms, std::size_t entries);
  Header append_block(ExecutedBlock block);
  /// Certifies a height with `signers` signatures.
  void certify_height(Height height, std::size_t signers = 3);
  void certify_newest() { certify_height(chain->height()); }
};

/// Facts of a made-up contract: content as `note` stated by the sender, one fact for each of lines
/// 0 and 1, and a digest agreed. Pure, like every reader.
FactReader fake_reader();

}  // namespace baolian::ledger::test
