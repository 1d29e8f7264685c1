#include "ledger/evidence_fixture.h"

#include <algorithm>

#include "crypto/random.h"

namespace baolian::ledger::test {
namespace {

crypto::Secret seed_of(std::uint64_t seed) {
  return crypto::Secret::copy_of(numbered<Hash>(seed).view());
}

}  // namespace

std::unique_ptr<crypto::Signer> ed25519_signer(std::uint64_t seed) {
  crypto::initialize();
  return crypto::make_ed25519_signer(seed_of(seed));
}

SignedNetwork make_signed_network(crypto::ConsensusKind kind) {
  SignedNetwork network{.genesis = make_genesis(), .validators = {}};
  Genesis& genesis = network.genesis;
  genesis.signature_algorithm = static_cast<std::uint8_t>(crypto::Algorithm::ed25519);
  genesis.epoch.validators.clear();
  genesis.epoch.consensus_kind = kind;
  if (kind == crypto::ConsensusKind::raft) genesis.institutions[1].nodes.back().votes = true;
  std::uint64_t seed = 1000;
  for (Institution& institution : genesis.institutions) {
    for (Member& member : institution.members) {
      member.signing_key = ed25519_signer(++seed)->public_key();
    }
    for (Node& node : institution.nodes) {
      auto signer = ed25519_signer(++seed);
      node.consensus_key = signer->public_key();
      if (node.votes) network.validators.push_back(std::move(signer));
    }
  }
  std::sort(network.validators.begin(), network.validators.end(),
            [](const auto& a, const auto& b) { return a->public_key() < b->public_key(); });
  for (const auto& signer : network.validators) {
    genesis.epoch.validators.push_back(signer->public_key());
  }
  return network;
}

crypto::ExecCertificate certify(const SignedNetwork& network, const Header& header,
                                std::size_t signers) {
  crypto::ExecCertificate certificate;
  certificate.epoch = header.epoch;
  certificate.vote = {.height = header.height, .header_hash = header_hash(header)};
  const Hash body = crypto::sha256(encode(certificate.vote));
  for (std::size_t i = 0; i < signers; ++i) {
    certificate.signatures.push_back(
        {.validator = static_cast<ValidatorIndex>(i),
         .signature = network.validators[i]->sign_object(crypto::ObjectType::exec, header.chain_id,
                                                         header.epoch, body)});
  }
  return certificate;
}

EvidenceChain::EvidenceChain(crypto::ConsensusKind kind) : network(make_signed_network(kind)) {
  auto opened = Chain::open(make_memory_store(), network.genesis, genesis_writes());
  ASSERT(opened.has_value());
  chain = std::move(*opened);
}

Header EvidenceChain::append_block(const LogId& log, std::uint64_t time_ms, std::size_t entries) {
  BlockBuilder builder(*chain, TimeMs{time_ms});
  if (entries > 0) {
    const std::uint32_t first = builder.add_transaction(entries);
    for (std::uint32_t i = 0; i < entries; ++i) builder.append_to(log, first + i);
  }
  return append_block(builder.take());
}

Header EvidenceChain::append_block(ExecutedBlock block) { return chain->append(std::move(block)); }

void EvidenceChain::certify_height(Height height, std::size_t signers) {
  const auto header = chain->header(height);
  ASSERT(header.has_value());
  chain->put_certificate(certify(network, *header, signers));
}

FactReader fake_reader() {
  return [](const OperationLeaf& leaf) -> Result<std::vector<Fact>> {
    std::vector<Fact> facts;
    if (leaf.operation.empty()) return facts;
    TRY(const Operation operation, decode<Operation>(leaf.operation));
    facts.push_back({.name = "note",
                     .value = std::string(as_text(operation.content)),
                     .label = Label::stated,
                     .by = leaf.sender.hex()});
    for (std::uint16_t line = 0; line < 2; ++line) {
      facts.push_back({.name = "of_line",
                       .value = std::to_string(line),
                       .label = Label::recomputed,
                       .by = {},
                       .line = line});
    }
    facts.push_back({.name = "digest",
                     .value = crypto::sha256(operation.content).hex(),
                     .label = Label::agreed,
                     .by = "甲医院, insurer {quoted} \"B\""});
    return facts;
  };
}

}  // namespace baolian::ledger::test
