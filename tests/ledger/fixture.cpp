#include "ledger/fixture.h"

#include <stdlib.h>

#include <algorithm>

namespace baolian::ledger::test {
namespace {

constexpr std::uint64_t kCreatedMs = 1'700'000'000'000;
constexpr std::uint16_t kUnknownCode = 60'007;

PublicKey toy_key(std::uint64_t seed) { return crypto::make_toy_signer(seed)->public_key(); }

Member make_person(std::uint64_t seed) {
  Member member;
  member.id = numbered<MemberId>(seed);
  member.kind = MemberKind::person;
  member.signing_key = toy_key(seed);
  member.encryption_key = numbered<EncryptionKey>(seed);
  member.encryption_key.bytes[0] = 2;
  member.roles = {Role::clinician};
  member.valid_from = {kCreatedMs};
  member.valid_to = {kCreatedMs * 2};
  return member;
}

Member make_system(std::uint64_t seed, const Member& responsible) {
  Member member = make_person(seed);
  member.kind = MemberKind::system;
  member.roles = {Role::gateway, Role::agent};
  member.software = "baoliand 0.1";
  member.responsible = responsible.id;
  return member;
}

Node make_node(std::uint64_t seed, bool votes) {
  Node node;
  node.consensus_key = toy_key(seed);
  node.tls_pin = numbered<Hash>(seed);
  node.address = "127.0.0.1:" + std::to_string(7000 + seed);
  node.votes = votes;
  return node;
}

Institution make_institution(std::uint64_t seed, InstitutionKind kind) {
  Institution institution;
  institution.id = numbered<InstitutionId>(seed);
  institution.name = "institution " + std::to_string(seed);
  institution.kinds = {kind};
  institution.region = "330200";
  institution.members.push_back(make_person(seed + 1));
  institution.members.push_back(make_system(seed + 2, institution.members.front()));
  institution.nodes = {make_node(seed + 3, true), make_node(seed + 4, true)};
  return institution;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "baolian-test-XXXXXX").string();
  ASSERT(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Genesis make_genesis() {
  Genesis genesis;
  genesis.name = "test network";
  genesis.created = {kCreatedMs};
  genesis.signature_algorithm = static_cast<std::uint8_t>(crypto::Algorithm::toy);
  genesis.second_generator = crypto::domain::kPedersenH;
  genesis.institutions = {make_institution(100, InstitutionKind::hospital),
                          make_institution(200, InstitutionKind::insurer)};
  genesis.institutions[1].nodes.push_back(make_node(300, false));
  for (const Institution& institution : genesis.institutions) {
    for (const Node& node : institution.nodes) {
      if (node.votes) genesis.epoch.validators.push_back(node.consensus_key);
    }
  }
  std::sort(genesis.epoch.validators.begin(), genesis.epoch.validators.end());
  genesis.epoch.first_height = {1};
  genesis.subject_key_checks = {{InstitutionId{}, numbered<Hash>(1)},
                                {genesis.institutions[1].id, numbered<Hash>(2)}};
  genesis.person_id_systems = {"urn:oid:1.2.156.112605.1"};
  genesis.attestor_kinds = {InstitutionKind::medical_insurance};
  return genesis;
}

StateOverlay::Writes genesis_writes() {
  return {{to_bytes("member/a"), to_bytes("one")}, {to_bytes("member/b"), to_bytes("two")}};
}

BlockBuilder::BlockBuilder(const Chain& chain, TimeMs timestamp) : chain_id_(chain.chain_id()) {
  block_.height = chain.height().next();
  block_.batch_digest = numbered<Hash>(block_.height.value);
  block_.timestamp = timestamp;
  block_.batch = to_bytes("batch " + std::to_string(block_.height.value));
}

Bytes BlockBuilder::signed_transaction(std::size_t operations) const {
  const auto signer = crypto::make_toy_signer(101);
  TransactionBody body;
  body.chain_id = chain_id_;
  body.sender = signer->public_key();
  body.nonce = {block_.height.value << 20 | block_.transactions.size()};
  body.expires_at = {block_.timestamp.value + 600'000};
  for (std::size_t i = 0; i < operations; ++i) {
    body.operations.push_back({.kind = static_cast<std::uint16_t>(i + 1),
                               .request_id = numbered<RequestId>(i),
                               .content = to_bytes("content " + std::to_string(i)),
                               .cosignatures = {}});
  }
  return encode(sign_transaction(std::move(body), *signer));
}

std::uint32_t BlockBuilder::add_transaction(std::size_t operations) {
  return add_copy(signed_transaction(operations), ReceiptStatus::applied);
}

std::uint32_t BlockBuilder::add_rejected_transaction() {
  return add_copy(signed_transaction(2), ReceiptStatus::transaction_rejected);
}

std::uint32_t BlockBuilder::add_copy(const Bytes& transaction, ReceiptStatus status) {
  const auto first = static_cast<std::uint32_t>(block_.leaves.size());
  const Transaction decoded = decode<Transaction>(transaction).value();
  block_.transactions.push_back(transaction);
  OperationLeaf leaf;
  leaf.tx_hash = tx_hash(transaction);
  leaf.sender = decoded.body.sender;
  if (status == ReceiptStatus::transaction_rejected) {
    leaf.op_index = kWholeTransaction;
    leaf.receipt = encode(Receipt{.version = {}, .status = status, .code = 7, .events = {}});
    block_.leaves.push_back(leaf);
    return first;
  }
  for (std::size_t i = 0; i < decoded.body.operations.size(); ++i) {
    leaf.op_index = static_cast<std::uint16_t>(i);
    leaf.operation = encode(decoded.body.operations[i]);
    leaf.receipt =
        encode(Receipt{.version = {},
                       .status = status,
                       // A rejection has a code; no contract knows this one.
                       .code = status == ReceiptStatus::applied ? std::uint16_t{0} : kUnknownCode,
                       .events = {{.kind = 1, .body = to_bytes("event")}}});
    block_.leaves.push_back(leaf);
  }
  return first;
}

void BlockBuilder::append_to(const LogId& log, std::uint32_t leaf_index, std::uint16_t line) {
  block_.appends.push_back({.leaf_index = leaf_index, .append = {.log = log, .line = line}});
}

void BlockBuilder::write(std::string_view key, std::string_view value) {
  block_.writes.insert_or_assign(to_bytes(key), to_bytes(value));
}

void BlockBuilder::erase(std::string_view key) {
  block_.writes.insert_or_assign(to_bytes(key), std::nullopt);
}

void append_entries(Chain& chain, const LogId& log, const std::vector<std::uint64_t>& times_ms) {
  for (const std::uint64_t time_ms : times_ms) {
    BlockBuilder builder(chain, TimeMs{time_ms});
    builder.append_to(log, builder.add_transaction(1));
    chain.append(builder.take());
  }
}

crypto::ExecCertificate certificate_of(const Header& header) {
  crypto::ExecCertificate certificate;
  certificate.epoch = header.epoch;
  certificate.vote = {.height = header.height, .header_hash = header_hash(header)};
  for (ValidatorIndex i = 0; i < 3; ++i) {
    certificate.signatures.push_back({.validator = i, .signature = numbered<Signature>(i)});
  }
  return certificate;
}

}  // namespace baolian::ledger::test
