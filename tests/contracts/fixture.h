/// A small chain for contract tests: two hospitals A and B, insurers X and Y, a pharmacy, a bureau
/// (regulator and medical insurance), all with their members, and blocks that execute operations
/// with real signatures where they are judged. Everything is derived from numbers: no randomness.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "contracts/codes.h"
#include "contracts/events.h"
#include "contracts/execute.h"
#include "contracts/operations.h"
#include "contracts/parameters.h"
#include "contracts/state.h"
#include "crypto/pedersen.h"
#include "crypto/random.h"
#include "ledger/chain.h"
#include "ledger/transaction.h"
#include "support/catch.h"

namespace baolian::contracts::test {

constexpr std::uint64_t kMinute = 60'000;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;
/// 2026-03-15T02:00Z = 10:00 in the chain's zone.
constexpr TimeMs kStart{1'773'540'000'000};
constexpr std::uint32_t kToday = 20'527;           ///< civil day of kStart
constexpr std::uint16_t kThisMonth = 56 * 12 + 2;  ///< 2026-03

/// An id filled from a number.
template <typename Id>
Id make_id(std::uint64_t n) {
  Id out;
  for (std::size_t i = 0; i < 8; ++i) {
    out.bytes[Id::kSize - 1 - i] = static_cast<std::uint8_t>(n >> (8 * i));
  }
  out.bytes[0] = 0xA5;
  return out;
}

/// A member with its key.
struct Actor {
  InstitutionId institution;
  MemberId member;
  std::shared_ptr<const crypto::Signer> signer;
  PublicKey key;
};

/// The outcome of one operation.
struct RunOutcome {
  ledger::Receipt receipt;
  std::vector<ledger::LogAppend> appends;
  ledger::OperationLeaf leaf;

  Code code() const { return static_cast<Code>(receipt.code); }
  bool applied() const { return receipt.status == ledger::ReceiptStatus::applied; }
  /// Of an applied request that was denied.
  Code denial() const;
  template <typename Body>
  std::optional<Body> event() const {
    return find_event<Body>(receipt);
  }
  /// How often the operation was appended to this log.
  std::size_t count(ledger::LogKind kind, const Hash& id) const;
  template <typename Tag>
  std::size_t count(ledger::LogKind kind, const FixedBytes<Tag, 32>& id) const {
    return count(kind, id_cast<Hash>(id));
  }
  std::size_t count(ledger::LogKind kind, const SubjectId& subject) const {
    return count(kind, subject_log_id(subject));
  }
};

/// Every code that any test reached, printed by the last test case.
std::set<Code>& reached_codes();

class World {
 public:
  World();
  /// Another genesis: `change` edits it before block 0 is written.
  template <typename Change>
  explicit World(Change change) {
    build_genesis();
    change(genesis_);
    start();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const Actor& actor(const std::string& name) const;
  InstitutionId institution(const std::string& name) const { return institutions_.at(name); }
  MemberId vault(const std::string& name) const { return actor(name + ".vault").member; }

  /// Executes one operation in a transaction and block of its own. `now` moves 1 s a block.
  template <typename Content>
  RunOutcome run(const std::string& sender, const Content& content,
                 std::initializer_list<ledger::Cosignature> cosignatures = {}) {
    ledger::Operation operation = make_operation(content, make_id<RequestId>(next_++));
    operation.cosignatures = cosignatures;
    return run_operation(sender, std::move(operation));
  }
  RunOutcome run_operation(const std::string& sender, ledger::Operation operation);
  /// Executes a transaction in a block of its own: the leaves with their receipts.
  std::vector<RunOutcome> run_body(const ledger::TransactionBody& body);
  /// A body by this sender with a fresh nonce and 5 minutes to live.
  ledger::TransactionBody body(const std::string& sender,
                               std::vector<ledger::Operation> operations);

  /// A cosignature over the operation with this content, as `sender` will send it.
  template <typename Content>
  ledger::Cosignature cosign(const std::string& cosigner, ledger::Capacity capacity,
                             const std::string& sender, const Content& content, Nonce nonce = {}) {
    return ledger::cosign(make_operation(content, RequestId{}), capacity, actor(sender).institution,
                          nonce, now + 5 * kMinute, chain_id_, *actor(cosigner).signer);
  }
  template <typename Content>
  RunOutcome run_with(const std::string& sender, const Content& content,
                      std::vector<ledger::Cosignature> cosignatures) {
    ledger::Operation operation = make_operation(content, make_id<RequestId>(next_++));
    operation.cosignatures = std::move(cosignatures);
    return run_operation(sender, std::move(operation));
  }
  template <typename Content>
  ledger::Cosignature attest(const std::string& sender, const Content& content) {
    return cosign("bureau.attestor", ledger::Capacity::attestor, sender, content);
  }

  void advance(std::uint64_t ms) { now = now + ms; }
  /// A block of `operations` reserved operations, which do nothing but count.
  void idle_block(std::size_t operations);

  const ledger::StateOverlay& state() const { return state_; }
  ledger::StateOverlay& state() { return state_; }
  const ledger::Genesis& genesis() const { return genesis_; }
  const ChainId& chain_id() const { return chain_id_; }
  /// The only validator of the genesis.
  const crypto::Signer& validator() const { return *validator_; }
  template <typename T>
  std::optional<T> read(const Bytes& key) const {
    return state_.read_as<T>(key);
  }

  std::uint64_t fresh() { return next_++; }

  TimeMs now = kStart;

 private:
  void build_genesis();
  void start();
  ledger::Institution make_institution(const std::string& name,
                                       std::vector<ledger::InstitutionKind> kinds);
  void add_member(ledger::Institution& institution, const std::string& name,
                  std::vector<ledger::Role> roles, ledger::MemberKind kind);
  BlockContext block() const;

  class Empty final : public ledger::StateReader {
   public:
    std::optional<Bytes> read(BytesView) const override { return std::nullopt; }
    std::vector<ledger::KeyValue> scan(const ledger::KeyRange&, std::size_t) const override {
      return {};
    }
  };

  std::uint64_t next_ = 1000;
  ledger::Genesis genesis_;
  std::shared_ptr<const crypto::Signer> validator_;
  ChainId chain_id_;
  std::map<std::string, InstitutionId> institutions_;
  std::map<std::string, Actor> actors_;
  Empty empty_;
  ledger::StateOverlay state_{empty_};
  Height height_{0};
  std::map<PublicKey, std::uint64_t> nonces_;
};

/// A key in the hand of a person, and what it signs.
struct PersonKey {
  PersonKey();
  /// The key of a number, the same in every run.
  explicit PersonKey(std::uint64_t n);
  PublicKey key() const { return signer->public_key(); }

  template <typename Content>
  ledger::Cosignature sign(const World& world, const std::string& sender,
                           const Content& content) const {
    return ledger::cosign(make_operation(content, RequestId{}), ledger::Capacity::person,
                          world.institution(sender), Nonce{}, world.now + kMinute, world.chain_id(),
                          *signer);
  }

  std::shared_ptr<const crypto::Signer> signer;
};

ConsentRegisterKey registration_of(const SubjectId& subject, const PersonKey& person);
/// Registers the key with the bureau's attestation.
void register_key(World& world, const SubjectId& subject, const PersonKey& person);

// ------------------------------------------------------------ contents that tests start from

/// SubjectId of person `n` for insurer `name`, or for care.
SubjectId subject_of(const World& world, const std::string& insurer, std::uint64_t n);
SubjectId care_subject(std::uint64_t n);

/// A standing consent of person n for a hospital of the care audience.
ConsentGive care_consent(World& world, std::uint64_t person, const std::string& grantee);
RecordsRegister record_of(World& world, std::uint64_t person, const std::string& custodian);
/// A doctor of `reader` asks under a consent.
RecordsRequest doctor_request(const World& world, const RecordRef& record, const ConsentId& consent,
                              const std::string& reader = "B");
RecordsRelease release_of(const World& world, const Granted& granted, const Commitment& commitment,
                          const std::string& custodian = "A");
RecordsReceive receive_of(const World& world, const Granted& granted, const Commitment& commitment,
                          const std::string& reader = "B");
RecordsRead read_of(const World& world, const RecordRef& record, const std::string& reader,
                    const Basis& basis, Purpose purpose = Purpose::treat,
                    const std::string& member = "doctor");

/// A product with content: its claims can be decided.
ProductRegister product_of(World& world, const std::string& insurer);
PoliciesEnrol enrolment(World& world, const ProductRegister& product, const std::string& insurer,
                        std::initializer_list<std::uint64_t> persons);

/// A discharge of hospital A in this month, without filings.
ClaimsReport report_of(World& world, const std::string& reporter = "A");
/// Adds a filing and the disclosure (no further records).
void add_filing(ClaimsReport& report, std::uint64_t person, const SubjectId& subject,
                const ConsentId& consent);
ClaimsFile file_of(const ClaimsReport& report, std::uint64_t person, const SubjectId& subject,
                   const ConsentId& consent);
RecordsRequest insurer_request(const World& world, const RecordRef& record, const ClaimId& claim,
                               const std::string& insurer = "X");

/// Person 1 insured at X with a consent that the bureau attests.
struct Insured {
  ProductRegister product;
  PoliciesEnrol enrolment;
  SubjectId subject;
  ConsentId consent;
  PolicyId policy;
};
Insured insure(World& world, std::uint64_t person, const std::string& insurer = "X");
Insured insure_under(World& world, const ProductRegister& product, std::uint64_t person,
                     const std::string& insurer);

/// A claim of an insured person, filed.
struct FiledCase {
  Insured insured;
  ClaimsReport report;
  ClaimId claim;
  RecordRef payload;
};
FiledCase file_case(World& world, std::uint64_t person, const std::string& insurer = "X");
/// Request, release, receive of the payload by the insurer.
void open_case(World& world, const FiledCase& filed, const std::string& insurer = "X");

/// The consent that a line creates: standing, given by the insured, from the block of the enrolment
/// on.
ConsentTerms consent_terms(const PoliciesEnrol& enrol, const EnrolLine& line,
                           const InstitutionId& insurer);

}  // namespace baolian::contracts::test
