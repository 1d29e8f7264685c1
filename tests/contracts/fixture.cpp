#include "contracts/fixture.h"

#include <algorithm>

#include "crypto/random.h"

namespace baolian::contracts::test {

using ledger::InstitutionKind;
using ledger::LogKind;
using ledger::MemberKind;
using ledger::Role;

std::set<Code>& reached_codes() {
  static std::set<Code> codes;
  return codes;
}

namespace {

void note(const ledger::Receipt& receipt) {
  reached_codes().insert(static_cast<Code>(receipt.code));
  for (const ledger::Event& event : receipt.events) {
    if (const auto denied = event_as<Denied>(event)) {
      reached_codes().insert(static_cast<Code>(denied->code));
    }
    if (const auto refused = event_as<NotFiled>(event)) {
      for (const auto& refusal : refused->filings) {
        reached_codes().insert(static_cast<Code>(refusal.code));
      }
    }
  }
}

std::vector<Purpose> all_purposes() { return {Purpose::treat, Purpose::hpaymt, Purpose::hoperat}; }
std::vector<RecordClass> all_classes() {
  return {RecordClass::administrative, RecordClass::bill, RecordClass::clinical_summary,
          RecordClass::document};
}

std::vector<Tag32> day_tags(std::uint64_t person) {
  std::vector<Tag32> tags;
  for (std::uint64_t i = 0; i < 4; ++i) tags.push_back(make_id<Tag32>(person * 100 + i));
  return tags;
}

std::shared_ptr<const crypto::Signer> signer_of(std::uint64_t n) {
  Bytes seed(32, 0);
  append_big_endian(seed, n, 8);
  seed.resize(40);
  return crypto::make_ed25519_signer(crypto::Secret::copy_of(BytesView(seed).last(32)));
}

const Salt kListSalt = make_id<Salt>(77);

}  // namespace

Code RunOutcome::denial() const {
  const auto denied = event<Denied>();
  return denied ? static_cast<Code>(denied->code) : Code::applied;
}

std::size_t RunOutcome::count(LogKind kind, const Hash& id) const {
  return static_cast<std::size_t>(
      std::count_if(appends.begin(), appends.end(), [&](const ledger::LogAppend& append) {
        return append.log.kind == kind && append.log.id == id;
      }));
}

World::World() {
  build_genesis();
  start();
}

const Actor& World::actor(const std::string& name) const { return actors_.at(name); }

void World::add_member(ledger::Institution& institution, const std::string& name,
                       std::vector<Role> roles, MemberKind kind) {
  const std::uint64_t n = next_++;
  Actor actor;
  actor.institution = institution.id;
  actor.member = make_id<MemberId>(n);
  actor.signer = signer_of(n);
  actor.key = actor.signer->public_key();
  ledger::Member member;
  member.id = actor.member;
  member.kind = kind;
  member.signing_key = actor.key;
  member.encryption_key = make_id<EncryptionKey>(n);
  member.encryption_key.bytes[0] = static_cast<std::uint8_t>(crypto::Algorithm::x25519);
  if (kind == MemberKind::system) {
    member.software = "test 1";
    member.responsible = institution.members.front().id;
  }
  member.roles = std::move(roles);
  member.valid_to = kStart + 400 * kDay;
  institution.members.push_back(member);
  actors_.emplace(name, std::move(actor));
}

ledger::Institution World::make_institution(const std::string& name,
                                            std::vector<InstitutionKind> kinds) {
  ledger::Institution institution;
  institution.id = make_id<InstitutionId>(next_++);
  institution.name = "Institution " + name;
  institution.kinds = std::move(kinds);
  institution.region = "330200";
  institutions_.emplace(name, institution.id);
  add_member(institution, name + ".doctor", {Role::clinician}, MemberKind::person);
  add_member(institution, name, {Role::gateway, Role::agent}, MemberKind::system);
  add_member(institution, name + ".vault", {Role::vault}, MemberKind::system);
  add_member(institution, name + ".adjuster", {Role::claims_adjuster}, MemberKind::person);
  add_member(institution, name + ".attestor", {Role::agent, Role::attestor}, MemberKind::system);
  add_member(institution, name + ".auditor", {Role::auditor}, MemberKind::person);
  add_member(institution, name + ".second", {Role::claims_adjuster}, MemberKind::person);
  return institution;
}

void World::build_genesis() {
  crypto::initialize();
  genesis_.name = "test chain";
  genesis_.second_generator = std::string(crypto::domain::kPedersenH);
  genesis_.created = kStart;
  genesis_.attestor_kinds = {InstitutionKind::hospital, InstitutionKind::medical_insurance};
  genesis_.epoch.parameters = default_parameters();
  genesis_.epoch.first_height = Height{1};
  validator_ = signer_of(1);
  genesis_.epoch.validators = {validator_->public_key()};
  genesis_.subject_key_checks.push_back({});
  genesis_.institutions.push_back(make_institution("A", {InstitutionKind::hospital}));
  genesis_.institutions.push_back(make_institution("B", {InstitutionKind::hospital}));
  genesis_.institutions.push_back(make_institution("X", {InstitutionKind::insurer}));
  genesis_.institutions.push_back(make_institution("Y", {InstitutionKind::insurer}));
  genesis_.institutions.push_back(make_institution("P", {InstitutionKind::pharmacy}));
  genesis_.institutions.push_back(
      make_institution("bureau", {InstitutionKind::medical_insurance, InstitutionKind::regulator}));
}

void World::start() {
  for (const ledger::Institution& institution : genesis_.institutions) {
    const auto& kinds = institution.kinds;
    if (std::find(kinds.begin(), kinds.end(), InstitutionKind::insurer) != kinds.end()) {
      genesis_.subject_key_checks.push_back({institution.id, {}});
    }
  }
  std::sort(genesis_.subject_key_checks.begin(), genesis_.subject_key_checks.end());
  genesis_.institutions.front().nodes = {
      {validator_->public_key(), make_id<Hash>(1), "localhost:1", true}};
  const auto valid = ledger::check_genesis(genesis_);
  INFO((valid ? std::string() : valid.error().context));
  REQUIRE(valid.has_value());
  chain_id_ = ledger::chain_id_of(genesis_);
  for (const auto& [key, value] : genesis_writes(genesis_)) state_.write(key, *value);
}

BlockContext World::block() const {
  return {genesis_, genesis_.epoch, chain_id_, height_, now, crypto::ed25519_verifier()};
}

ledger::TransactionBody World::body(const std::string& sender,
                                    std::vector<ledger::Operation> operations) {
  ledger::TransactionBody body;
  body.chain_id = chain_id_;
  body.sender = actor(sender).key;
  body.nonce = Nonce{++nonces_[body.sender]};
  body.expires_at = now + 5 * kMinute;
  body.operations = std::move(operations);
  return body;
}

std::vector<RunOutcome> World::run_body(const ledger::TransactionBody& body) {
  // The transaction's own signature is judged before execution, by ledger::check_transaction.
  const ledger::Transaction transaction{body, {}};
  const TxHash hash = ledger::tx_hash(encode(transaction));
  height_ = height_.next();
  ledger::ExecutedBlock out;
  execute_transaction(block(), transaction, hash, ledger::tx_id(body), state_, out);
  finish_block(block(), out.leaves.size(), state_);
  std::vector<RunOutcome> outcomes;
  for (std::size_t i = 0; i < out.leaves.size(); ++i) {
    RunOutcome outcome;
    outcome.leaf = out.leaves[i];
    const auto receipt = decode<ledger::Receipt>(out.leaves[i].receipt);
    REQUIRE(receipt.has_value());
    outcome.receipt = *receipt;
    for (const auto& append : out.appends) {
      if (append.leaf_index == i) outcome.appends.push_back(append.append);
    }
    note(outcome.receipt);
    outcomes.push_back(std::move(outcome));
  }
  advance(1000);
  return outcomes;
}

RunOutcome World::run_operation(const std::string& sender, ledger::Operation operation) {
  auto outcomes = run_body(body(sender, {std::move(operation)}));
  REQUIRE(outcomes.size() == 1);
  return outcomes.front();
}

void World::idle_block(std::size_t operations) {
  ledger::Operation nothing;
  nothing.kind = static_cast<std::uint16_t>(OperationKind::records_list);
  run_body(body("bureau", std::vector<ledger::Operation>(operations, nothing)));
}

PersonKey::PersonKey() : signer(crypto::make_ed25519_signer(crypto::new_seed())) {}
PersonKey::PersonKey(std::uint64_t n) : signer(signer_of(1'000'000 + n)) {}

ConsentRegisterKey registration_of(const SubjectId& subject, const PersonKey& person) {
  return {{}, subject, person.key(), make_id<Commitment>(1)};
}

void register_key(World& world, const SubjectId& subject, const PersonKey& person) {
  const auto content = registration_of(subject, person);
  REQUIRE(world.run("bureau.attestor", content, {person.sign(world, "bureau", content)}).applied());
}

SubjectId subject_of(const World& world, const std::string& insurer, std::uint64_t n) {
  const InstitutionId audience = world.institution(insurer);
  return {audience, make_id<Tag32>(n * 1000 + audience.bytes[31])};
}

SubjectId care_subject(std::uint64_t n) { return {{}, make_id<Tag32>(n)}; }

ConsentGive care_consent(World& world, std::uint64_t person, const std::string& grantee) {
  ConsentGive give;
  give.terms.id = make_id<ConsentId>(world.fresh());
  give.terms.subject = care_subject(person);
  give.terms.grantee = world.institution(grantee);
  give.terms.purposes = all_purposes();
  give.terms.classes = all_classes();
  give.terms.level_ceiling = Level::three;
  give.terms.to = world.now + 30 * kDay;
  give.terms.text_version = 1;
  return give;
}

RecordsRegister record_of(World& world, std::uint64_t person, const std::string& custodian) {
  RecordsRegister content;
  content.record = {make_id<RecordId>(world.fresh()), 1};
  content.subject = care_subject(person);
  content.record_class = RecordClass::clinical_summary;
  content.level = Level::two;
  content.commitment = make_id<Commitment>(world.fresh());
  content.vault = world.vault(custodian);
  return content;
}

RecordsRequest doctor_request(const World& world, const RecordRef& record, const ConsentId& consent,
                              const std::string& reader) {
  RecordsRequest request;
  request.record = record;
  request.purpose = Purpose::treat;
  request.basis = {BasisKind::consent, id_cast<Hash>(consent)};
  request.recipient = world.vault(reader);
  request.originator = {world.institution(reader), world.actor(reader + ".doctor").member,
                        SignedBy::member};
  return request;
}

RecordsRelease release_of(const World& world, const Granted& granted, const Commitment& commitment,
                          const std::string& custodian) {
  RecordsRelease release;
  release.grant = granted.grant;
  release.commitment = commitment;
  release.wrap_hash = make_id<Hash>(1);
  release.ciphertext_hash = make_id<Hash>(2);
  release.vault = world.vault(custodian);
  return release;
}

RecordsReceive receive_of(const World& world, const Granted& granted, const Commitment& commitment,
                          const std::string& reader) {
  RecordsReceive receive;
  receive.grant = granted.grant;
  receive.commitment = commitment;
  receive.vault = world.vault(reader);
  return receive;
}

RecordsRead read_of(const World& world, const RecordRef& record, const std::string& reader,
                    const Basis& basis, Purpose purpose, const std::string& member) {
  RecordsRead read;
  read.record = record;
  read.purpose = purpose;
  read.basis = basis;
  read.originator = {world.institution(reader), world.actor(reader + "." + member).member,
                     SignedBy::member};
  read.vault = world.vault(reader);
  return read;
}

ProductRegister product_of(World& world, const std::string& insurer) {
  ProductRegister product;
  product.product = make_id<ProductId>(world.fresh());
  product.insurer = world.institution(insurer);
  product.premium_sources = {PremiumSource::cash, PremiumSource::lineal_account};
  product.content = make_id<Hash>(world.fresh());
  product.from_day = kToday - 100;
  product.to_day = kToday + 300;
  return product;
}

PoliciesEnrol enrolment(World& world, const ProductRegister& product, const std::string& insurer,
                        std::initializer_list<std::uint64_t> persons) {
  PoliciesEnrol enrol;
  enrol.product = product.product;
  enrol.product_version = product.product_version;
  enrol.purposes = {Purpose::hpaymt};
  enrol.classes = all_classes();
  enrol.level_ceiling = Level::three;
  enrol.automatic = AutomaticReading::allowed;
  enrol.text_version = 1;
  for (const std::uint64_t person : persons) {
    EnrolLine line;
    line.evidence = make_id<Commitment>(world.fresh());
    line.subject = subject_of(world, insurer, person);
    line.from_day = kToday;
    line.to_day = kToday + 364;
    line.consent_to = kStart + 365 * kDay;
    enrol.lines.push_back(line);
  }
  return enrol;
}

ClaimsReport report_of(World& world, const std::string& reporter) {
  ClaimsReport report;
  report.encounter = make_id<Tag32>(world.fresh());
  report.payload.record = make_id<RecordId>(world.fresh());
  report.payload.level = Level::two;
  report.payload.commitment = make_id<Commitment>(world.fresh());
  report.invoices = {{make_id<Tag32>(world.fresh()), GroupElement{}}};
  report.first_month = kThisMonth;
  report.last_month = kThisMonth;
  report.record_list = commit_record_list(kListSalt, {});
  report.vault = world.vault(reporter);
  return report;
}

void add_filing(ClaimsReport& report, std::uint64_t person, const SubjectId& subject,
                const ConsentId& consent) {
  report.filings.push_back({subject, consent});
  std::sort(report.filings.begin(), report.filings.end());
  report.disclosure = Disclosure{care_subject(person), {}, kListSalt, day_tags(person)};
}

ClaimsFile file_of(const ClaimsReport& report, std::uint64_t person, const SubjectId& subject,
                   const ConsentId& consent) {
  return {{},
          report.encounter,
          {subject, consent},
          {care_subject(person), {}, kListSalt, day_tags(person)}};
}

RecordsRequest insurer_request(const World& world, const RecordRef& record, const ClaimId& claim,
                               const std::string& insurer) {
  RecordsRequest request;
  request.record = record;
  request.purpose = Purpose::hpaymt;
  request.basis = {BasisKind::claim, id_cast<Hash>(claim)};
  request.mode = ReadMode::automatic;
  request.trigger = Trigger::claim_filed;
  request.recipient = world.vault(insurer);
  request.originator = {world.institution(insurer), world.actor(insurer).member, SignedBy::member};
  return request;
}

Insured insure(World& world, std::uint64_t person, const std::string& insurer) {
  return insure_under(world, product_of(world, insurer), person, insurer);
}

Insured insure_under(World& world, const ProductRegister& product, std::uint64_t person,
                     const std::string& insurer) {
  Insured out;
  out.product = product;
  REQUIRE(world.run(insurer, out.product).applied());
  out.enrolment = enrolment(world, out.product, insurer, {person});
  const auto attestation = world.attest(insurer, out.enrolment);
  REQUIRE(world.run(insurer, out.enrolment, {attestation}).applied());
  out.subject = out.enrolment.lines[0].subject;
  out.consent = enrolment_consent(policy_id(out.enrolment.lines[0]));
  out.policy = policy_id(out.enrolment.lines[0]);
  return out;
}

FiledCase file_case(World& world, std::uint64_t person, const std::string& insurer) {
  FiledCase out;
  out.insured = insure(world, person, insurer);
  out.report = report_of(world);
  add_filing(out.report, person, out.insured.subject, out.insured.consent);
  const RunOutcome reported = world.run("A", out.report);
  REQUIRE(reported.applied());
  const auto filed = reported.event<Filed>();
  REQUIRE(filed.has_value());
  REQUIRE(filed->claims.size() == 1);
  out.claim = filed->claims[0].claim;
  out.payload = {out.report.payload.record, 1};
  return out;
}

void open_case(World& world, const FiledCase& filed, const std::string& insurer) {
  const RunOutcome answer =
      world.run(insurer, insurer_request(world, filed.payload, filed.claim, insurer));
  const auto granted = answer.event<Granted>();
  REQUIRE(granted.has_value());
  const Commitment& commitment = filed.report.payload.commitment;
  REQUIRE(world.run("A", release_of(world, *granted, commitment)).applied());
  REQUIRE(world.run(insurer, receive_of(world, *granted, commitment, insurer)).applied());
}

ConsentTerms consent_terms(const PoliciesEnrol& enrol, const EnrolLine& line,
                           const InstitutionId& insurer) {
  ConsentTerms terms;
  terms.id = enrolment_consent(policy_id(line));
  terms.subject = line.subject;
  terms.giver = Giver::self;
  terms.grantee = insurer;
  terms.purposes = enrol.purposes;
  terms.classes = enrol.classes;
  terms.level_ceiling = enrol.level_ceiling;
  terms.to = line.consent_to;
  terms.text_version = enrol.text_version;
  terms.evidence = line.evidence;
  terms.automatic = enrol.automatic;
  return terms;
}

}  // namespace baolian::contracts::test
