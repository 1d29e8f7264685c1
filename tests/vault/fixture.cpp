#include "vault/fixture.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "crypto/hash.h"
#include "ledger/merkle.h"

namespace baolian::vault::test {
namespace {

ledger::OperationLeaf leaf_of(const ledger::Operation& operation, std::uint16_t op_index,
                              ledger::ReceiptStatus status) {
  ledger::Receipt receipt;
  receipt.status = status;
  receipt.code = status == ledger::ReceiptStatus::applied ? 0 : 60;
  ledger::OperationLeaf leaf;
  leaf.tx_hash = numbered<TxHash>(1);
  leaf.op_index = op_index;
  leaf.sender = numbered<PublicKey>(2);
  leaf.operation = encode(operation);
  leaf.receipt = encode(receipt);
  return leaf;
}

ledger::Operation other_operation(std::uint64_t id) {
  ledger::Operation operation;
  operation.kind = 1;
  operation.request_id = numbered<RequestId>(id);
  return operation;
}

}  // namespace

crypto::Secret seed(std::uint8_t value) {
  return crypto::Secret::copy_of(Bytes(crypto::kDataKeyBytes, value));
}

contracts::RecordRef record_ref(std::uint64_t id, std::uint32_t version) {
  return {numbered<RecordId>(id), version};
}

Bytes file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  ASSERT(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, BytesView bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  const std::string_view text = as_text(bytes);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  ASSERT(out.good());
}

Validators::Validators(std::uint8_t first_seed, std::uint64_t chain)
    : chain_(numbered<ChainId>(chain)) {
  for (std::uint8_t i = 0; i < 4; ++i) {
    signers_.push_back(
        crypto::make_ed25519_signer(seed(static_cast<std::uint8_t>(first_seed + i))));
  }
  std::sort(signers_.begin(), signers_.end(),
            [](const auto& a, const auto& b) { return a->public_key() < b->public_key(); });
  for (const auto& signer : signers_) epoch_.validators.push_back(signer->public_key());
  epoch_.first_height = Height{1};
}

crypto::ExecCertificate Validators::sign(const ledger::Header& header, std::size_t count) const {
  crypto::ExecCertificate certificate;
  certificate.epoch = epoch_.epoch;
  certificate.vote = {header.height, ledger::header_hash(header)};
  const Hash body = crypto::sha256(encode(certificate.vote));
  for (std::size_t i = 0; i < count; ++i) {
    certificate.signatures.push_back(
        {static_cast<ValidatorIndex>(i),
         signers_[i]->sign_object(crypto::ObjectType::exec, chain_, epoch_.epoch, body)});
  }
  return certificate;
}

CertifiedOperation Validators::certify(const ledger::Operation& operation,
                                       const BlockPlan& plan) const {
  const std::vector<ledger::OperationLeaf> leaves = {
      leaf_of(other_operation(1), 0, ledger::ReceiptStatus::applied),
      leaf_of(operation, 1, plan.status),
      leaf_of(other_operation(2), 2, ledger::ReceiptStatus::applied)};
  std::vector<Hash> hashes;
  for (const auto& leaf : leaves) hashes.push_back(ledger::merkle_leaf_hash(encode(leaf)));

  CertifiedOperation out;
  out.header.chain_id = chain_;
  out.header.epoch = epoch_.epoch;
  out.header.height = Height{41};
  out.header.timestamp = TimeMs{1'700'000'000'000};
  out.header.operations_root = ledger::merkle_root(hashes);
  out.header.validators_hash = crypto::validators_hash(epoch_);
  ledger::Header last = out.header;
  for (std::size_t i = 0; i < plan.later_headers; ++i) {
    last.parent_hash = ledger::header_hash(last);
    ++last.height;
    last.operations_root = ledger::empty_merkle_root();
    out.later.push_back(last);
  }
  out.certificate = sign(last, plan.signatures);
  out.leaf = leaves[1];
  out.leaf_index = 1;
  out.leaf_count = 3;
  out.path = ledger::inclusion_path(hashes, 1);
  return out;
}

Vault::Vault(std::uint8_t value)
    : key_seed(value), key(crypto::make_encryption_key_pair(seed(value))) {
  restart();
}

void Vault::restart() {
  gate.reset();
  store.reset();
  auto opened = RecordStore::open(directory.path() + "/vault", seed(key_seed), 1);
  ASSERT(opened.has_value());
  store = std::make_unique<RecordStore>(*std::move(opened));
  gate = std::make_unique<ReleaseGate>(*store, key);
}

Release::Release() {
  auto made = seal_record(record_ref(5), plaintext);
  ASSERT(made.has_value());
  sealed = *std::move(made);
  const auto stored = custodian.store->put(sealed);
  ASSERT(stored.has_value());
  grant = {numbered<GrantId>(9), sealed.record, sealed.commitment, reader.key.public_key};
}

contracts::RecordsRelease Release::content(const ReleaseGate::Prepared& prepared) const {
  contracts::RecordsRelease release;
  release.grant = grant.grant;
  release.commitment = grant.commitment;
  release.wrap_hash = prepared.wrap_hash;
  release.ciphertext_hash = prepared.ciphertext_hash;
  release.vault = numbered<MemberId>(3);
  return release;
}

ledger::Operation Release::operation(const ReleaseGate::Prepared& prepared) const {
  return contracts::make_operation(content(prepared), numbered<RequestId>(4));
}

Delivery Release::deliver() {
  const auto prepared = custodian.gate->prepare(grant);
  ASSERT(prepared.has_value());
  auto out =
      custodian.gate->deliver(validators.certify(operation(*prepared)), grant, validators.trust());
  ASSERT(out.has_value());
  return *std::move(out);
}

Delivery Release::deliver_wrap(BytesView wrap_content, const Bytes& ciphertext) const {
  Delivery out;
  auto wrap = crypto::seal(grant.recipient, wrap_content);
  ASSERT(wrap.has_value());
  out.sealed_wrap = *std::move(wrap);
  out.ciphertext = ciphertext;
  out.release =
      validators.certify(operation({delivery_hash(out.sealed_wrap), crypto::sha256(ciphertext)}));
  return out;
}

}  // namespace baolian::vault::test
