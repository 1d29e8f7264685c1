#include "node/verify_fixture.h"

#include "consensus/batch.h"
#include "contracts/operations.h"

namespace baolian::node::test {
namespace {

template <typename Id>
Id numbered(std::uint64_t seed) {
  return Id::from(
      BytesView(crypto::sha256(as_bytes(std::to_string(seed))).bytes).subspan(0, Id::kSize));
}

/// A gateway may state who reads; a clinician could only read as itself.
const sim::Sender& gateway() { return verify_world().senders[1]; }

}  // namespace

const sim::World& verify_world() {
  static const sim::World world = [] {
    sim::World made = sim::make_world(4, 1, 1);
    sim::plan_changes(made, {{Height{ChainMaker::kChangeHeight}, {0, 1, 2, 4}}});
    return made;
  }();
  return world;
}

ledger::Operation register_operation(const RecordId& record, const Commitment& commitment) {
  const sim::Sender& sender = gateway();
  contracts::RecordsRegister content;
  content.record = {record, 1};
  content.subject.value = numbered<Tag32>(5);
  content.commitment = commitment;
  content.vault = sender.vault;
  return contracts::make_operation(content, numbered<RequestId>(1));
}

ledger::Operation read_operation(const RecordId& record, std::uint64_t salt) {
  const sim::Sender& sender = gateway();
  contracts::RecordsRead content;
  content.record = {record, 1};
  content.basis = {contracts::BasisKind::care, numbered<Hash>(salt)};
  content.originator = {sender.institution, sender.member, contracts::SignedBy::institution};
  content.vault = sender.vault;
  return contracts::make_operation(content, numbered<RequestId>(salt));
}

ChainMaker::ChainMaker(std::unique_ptr<ledger::KeyValueStore> store)
    : record_(numbered<RecordId>(77)) {
  auto opened = ledger::Chain::open(std::move(store), verify_world().genesis,
                                    contracts::genesis_writes(verify_world().genesis));
  ASSERT(opened.has_value());
  chain_ = *std::move(opened);
  executor_.emplace(*chain_, crypto::toy_verifier(), verify_world().epoch_changes);
  nonce_ = 1 + chain_->height().value * 2;
}

SharedBytes ChainMaker::sign(std::vector<ledger::Operation> operations) {
  const auto& signer = *gateway().signer;
  ledger::TransactionBody body;
  body.chain_id = verify_world().chain_id;
  body.sender = signer.public_key();
  body.nonce = Nonce{nonce_++};
  body.expires_at = TimeMs{kNowMs + 300'000};
  body.operations = std::move(operations);
  return std::make_shared<const Bytes>(encode(ledger::sign_transaction(std::move(body), signer)));
}

SharedBytes ChainMaker::large_body() {
  ledger::Operation operation;
  operation.kind = 60'000;
  for (std::uint64_t i = 0; i < 2000; ++i) append(operation.content, numbered<Hash>(i).view());
  return sign({operation});
}

std::vector<SharedBytes> ChainMaker::bodies_at(std::uint64_t height) {
  if (height == 1) return {sign({register_operation(record_, numbered<Commitment>(9))})};
  if (height == kLargeHeight) return {large_body()};
  if (height == kTwiceHeight) return {first_reading_, sign({read_operation(record_, height)})};
  SharedBytes readings =
      sign({read_operation(record_, 3 * height), read_operation(record_, 3 * height + 1)});
  if (first_reading_ == nullptr) first_reading_ = readings;
  return {readings};
}

void ChainMaker::certify(const AppliedBlock& block) {
  const crypto::EpochRecord& epoch = chain_->epoch_at(block.height);
  crypto::ExecCertificate certificate;
  certificate.epoch = epoch.epoch;
  certificate.vote = {block.height, block.header_hash};
  for (const auto& signer : verify_world().node_signers) {
    const auto index = crypto::validator_index(epoch, signer->public_key());
    if (!index) continue;
    certificate.signatures.push_back(
        {*index, signer->sign_object(crypto::ObjectType::exec, verify_world().chain_id, epoch.epoch,
                                     crypto::sha256(encode(certificate.vote)))});
  }
  std::sort(certificate.signatures.begin(), certificate.signatures.end());
  certificate.signatures.resize(crypto::Quorum{epoch.validators.size()}.quorum());
  executor_->put_certificate(certificate);
}

void ChainMaker::grow_to(std::uint64_t last) {
  for (std::uint64_t height = chain_->height().value + 1; height <= last; ++height) {
    ExecuteRequest request;
    request.height = Height{height};
    if (height == kNullHeight) {
      request.digest = consensus::null_digest(verify_world().chain_id, Epoch{}, request.height);
    } else {
      consensus::Batch batch;
      batch.epoch = chain_->epoch_at(request.height).epoch;
      batch.height = request.height;
      batch.proposed_at = TimeMs{kNowMs + height};
      request.bodies = bodies_at(height);
      for (const auto& body : request.bodies) batch.transactions.push_back(ledger::tx_hash(*body));
      request.batch = std::make_shared<const Bytes>(encode(batch));
      request.digest = consensus::batch_digest(*request.batch);
    }
    const auto applied = executor_->execute(request);
    ASSERT(applied.has_value());
    // The next epoch begins with the certificate of the last block of this one.
    const auto next = chain_->epoch(chain_->epoch_at(request.height).epoch.next());
    const bool is_epoch_end = next && next->first_height == request.height.next();
    if (height % 3 == 0 || is_epoch_end) certify(*applied);
  }
  chain_->flush();
}

Audited audit(const ledger::KeyValueStore& store) {
  const auto& genesis = verify_world().genesis;
  const auto writes = contracts::genesis_writes(genesis);
  const auto batches = batch_reader(verify_world().chain_id);
  Audited out;
  const auto opened = ledger::audit_store_over(store);
  out.chain = ledger::audit_chain(*opened, {genesis, writes, batches, crypto::toy_verifier(), {}},
                                  out.report);
  return out;
}

std::string text_of(const ledger::AuditReport& report) {
  std::string out;
  for (const ledger::Finding& finding : report.findings()) {
    out += std::string(enum_name(finding.damage));
    if (finding.height) out += "@" + std::to_string(finding.height->value);
    out += " " + finding.place + ": " + finding.what + "\n";
  }
  return out;
}

bool has_finding(const ledger::AuditReport& report, ledger::Damage damage,
                 std::optional<std::uint64_t> height, const std::string& place) {
  for (const ledger::Finding& finding : report.findings()) {
    if (finding.damage != damage) continue;
    if (height && finding.height != Height{*height}) continue;
    if (finding.place.find(place) != std::string::npos) return true;
  }
  return false;
}

}  // namespace baolian::node::test
