#include "chain_bench_world.h"

#include <algorithm>

#include "consensus/batch.h"
#include "contracts/execute.h"
#include "contracts/operations.h"
#include "contracts/records/records.h"
#include "contracts/state_keys.h"
#include "crypto/hash.h"

namespace baolian::bench {
namespace {

constexpr std::uint64_t kBlockMs = 1'000;  // between blocks, so that each has a time of its own
constexpr std::size_t kGateway = 1;        // among the senders: of the first hospital

template <typename Id>
Id numbered(std::string_view what, std::uint64_t number) {
  const Hash hash = crypto::sha256(as_bytes(std::string(what) + std::to_string(number)));
  return Id::from(hash.view().subspan(0, Id::kSize));
}

std::shared_ptr<const crypto::Signer> make_signer(std::uint64_t number) {
  const Hash seed = numbered<Hash>("chain bench key ", number);
  return crypto::make_ed25519_signer(crypto::Secret::copy_of(seed.view()));
}

/// The simulator's world with keys that nobody can forge.
sim::World make_world() {
  sim::World world = sim::make_world(4, 0, 1);
  ledger::Genesis& genesis = world.genesis;
  genesis.signature_algorithm = static_cast<std::uint8_t>(crypto::Algorithm::ed25519);
  world.node_signers.clear();
  genesis.epoch.validators.clear();
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < genesis.institutions.size(); ++i) {
    ledger::Institution& institution = genesis.institutions[i];
    for (ledger::Member& member : institution.members) {
      const auto signer = make_signer(number++);
      member.signing_key = signer->public_key();
      if (member.kind == ledger::MemberKind::person) world.senders[2 * i].signer = signer;
      const bool is_gateway = member.roles.front() == ledger::Role::gateway;
      if (is_gateway) world.senders[2 * i + kGateway].signer = signer;
    }
    world.node_signers.push_back(make_signer(number++));
    institution.nodes.front().consensus_key = world.node_signers.back()->public_key();
  }
  std::sort(world.node_signers.begin(), world.node_signers.end(),
            [](const auto& a, const auto& b) { return a->public_key() < b->public_key(); });
  for (const auto& signer : world.node_signers) {
    genesis.epoch.validators.push_back(signer->public_key());
  }
  ASSERT(ledger::check_genesis(genesis).has_value());
  world.chain_id = ledger::chain_id_of(genesis);
  return world;
}

contracts::SubjectId person_of(std::uint64_t number) {
  contracts::SubjectId out;
  out.value = numbered<Tag32>("person ", number);
  return out;
}

contracts::RecordRef record_of(std::uint64_t person) {
  return {numbered<RecordId>("record ", person), 1};
}

}  // namespace

ChainMaker::ChainMaker() : world_(make_world()) {}

ledger::Genesis ChainMaker::genesis() { return make_world().genesis; }

Result<std::unique_ptr<ChainMaker>> ChainMaker::open(const std::string& directory) {
  std::unique_ptr<ChainMaker> out(new ChainMaker());
  const ledger::Genesis& genesis = out->world_.genesis;
  TRY(auto store, ledger::open_rocksdb_store(directory + "/store"));
  TRY(out->chain_,
      ledger::Chain::open(std::move(store), genesis, contracts::genesis_writes(genesis)));
  out->executor_ = std::make_unique<node::Executor>(*out->chain_, crypto::ed25519_verifier());
  out->prng_ = Prng(1 + out->chain_->height().value);
  out->first_readings_ = Height{kPersons / kReadingsPerBlock + 1};
  if (out->chain_->height().value == 0) out->register_records();
  if (out->chain_->height().next() < out->first_readings_) {
    return fail(Errc::store_corrupt, "an earlier run did not register all records; begin anew");
  }
  return out;
}

void ChainMaker::append(std::vector<ledger::Operation> operations) {
  const Height height = chain_->height().next();
  const crypto::Signer& sender = *world_.senders[kGateway].signer;
  const TimeMs now{world_.genesis.created.value + height.value * kBlockMs};
  ledger::TransactionBody body;
  body.chain_id = world_.chain_id;
  body.sender = sender.public_key();
  body.nonce = Nonce{height.value};
  body.expires_at = TimeMs{now.value + 60'000};
  body.operations = std::move(operations);
  node::ExecuteRequest request;
  request.height = height;
  request.bodies = {
      std::make_shared<const Bytes>(encode(ledger::sign_transaction(std::move(body), sender)))};
  consensus::Batch batch;
  batch.height = height;
  batch.proposed_at = now;
  batch.transactions = {ledger::tx_hash(*request.bodies.front())};
  request.batch = std::make_shared<const Bytes>(encode(batch));
  request.digest = consensus::batch_digest(*request.batch);
  const auto applied = executor_->execute(request);
  ASSERT(applied.has_value());
  crypto::ExecCertificate certificate;
  certificate.vote = {height, applied->header_hash};
  const std::size_t quorum = crypto::Quorum{world_.validator_count}.quorum();
  for (std::size_t i = 0; i < quorum; ++i) {
    certificate.signatures.push_back(
        {static_cast<ValidatorIndex>(i),
         world_.node_signers[i]->sign_object(crypto::ObjectType::exec, world_.chain_id, Epoch{},
                                             crypto::sha256(encode(certificate.vote)))});
  }
  executor_->put_certificate(certificate);
}

void ChainMaker::register_records() {
  const sim::Sender& sender = world_.senders[kGateway];
  for (std::uint64_t person = 0; person < kPersons;) {
    std::vector<ledger::Operation> operations;
    for (std::uint64_t i = 0; i < kReadingsPerBlock; ++i, ++person) {
      contracts::RecordsRegister content;
      content.record = record_of(person);
      content.subject = person_of(person);
      content.commitment = numbered<Commitment>("commitment ", person);
      content.vault = sender.vault;
      operations.push_back(contracts::make_operation(content, numbered<RequestId>("r", person)));
    }
    append(std::move(operations));
  }
}

ledger::Operation ChainMaker::reading(std::uint64_t person) {
  const sim::Sender& sender = world_.senders[kGateway];
  RequestId request;
  Hash encounter;
  for (std::uint8_t& byte : request.bytes) byte = static_cast<std::uint8_t>(prng_.next());
  for (std::uint8_t& byte : encounter.bytes) byte = static_cast<std::uint8_t>(prng_.next());
  contracts::RecordsRead content;
  content.record = record_of(person);
  content.basis = {contracts::BasisKind::care, encounter};
  content.originator = {sender.institution, sender.member, contracts::SignedBy::institution};
  content.vault = sender.vault;
  return contracts::make_operation(content, request);
}

void ChainMaker::append_readings(std::uint64_t count) {
  ASSERT(count > 0 && count <= kReadingsPerBlock);
  std::vector<ledger::Operation> operations;
  operations.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    operations.push_back(reading(i % 2 == 0 ? 0 : 1 + prng_.below(kPersons - 1)));
  }
  const std::uint64_t before = readings();
  append(std::move(operations));
  ASSERT(readings() == before + count);  // all are applied
}

std::uint64_t ChainMaker::readings() const { return chain_->log_frontier(log_of_hospital()).count; }

void ChainMaker::remember_length(std::uint64_t in_full_blocks) {
  readings_before_ = readings();
  ASSERT(in_full_blocks <= readings_before_);
  last_full_ = Height{first_readings_.value - 1 + in_full_blocks / kReadingsPerBlock};
}

ledger::LogId ChainMaker::log_of_hospital() const {
  const InstitutionId& id = world_.senders[kGateway].institution;
  return {ledger::LogKind::reads_by_institution, contracts::id_cast<Hash>(id)};
}

ledger::LogId ChainMaker::log_of_person(std::uint64_t person) const {
  return {ledger::LogKind::reads_of_subject, contracts::subject_log_id(person_of(person))};
}

Bytes ChainMaker::record_key(std::uint64_t person) const {
  return contracts::keys::record(record_of(person).record);
}

std::vector<TxId> ChainMaker::some_transactions(Prng& prng, std::size_t count) const {
  std::vector<TxId> out;
  while (out.size() < count) {
    const auto block = chain_->block(Height{1 + prng.below(last_full_.value)});
    ASSERT(block.has_value());
    out.push_back(ledger::tx_id_of_canonical(block->transactions.front()));
  }
  return out;
}

TimeMs ChainMaker::random_block_time(Prng& prng) const {
  const std::uint64_t blocks = last_full_.value - first_readings_.value;  // not the first
  return chain_->header(Height{first_readings_.value + 1 + prng.below(blocks - 1)})->timestamp;
}

}  // namespace baolian::bench
