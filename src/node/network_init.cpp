#include "node/network_init.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "contracts/parameters.h"
#include "crypto/pedersen.h"
#include "crypto/random.h"
#include "crypto/sealed_box.h"
#include "ledger/genesis_json.h"
#include "net/tls_identity.h"
#include "node/node_keys.h"
#include "vault/subject_keys.h"

namespace baolian::node {
namespace {

using ledger::InstitutionKind;
using ledger::Role;

/// A person whom the network starts with: gets a profile for the CLI.
struct PersonPlan {
  std::string_view slug;
  std::vector<Role> roles;
};

/// Everything made for one institution before it is written.
struct Draft {
  const InstitutionPlan* plan = nullptr;
  ledger::Institution institution;
  crypto::Keystore keystore;
  std::string mesh_address;
  std::string api_address;
  Hash api_fingerprint;
  /// Who gets a profile: a person, or a system outside of the node.
  struct Holder {
    std::string slug;
    MemberId id;
    crypto::Secret seed;
    crypto::Secret encryption_seed;
  };
  std::vector<Holder> holders;  ///< persons first
};

struct SharedKeys {
  std::vector<std::pair<InstitutionId, crypto::Secret>> subject_keys;  // zeros = care
  crypto::Secret invoice_tag;
  crypto::Secret day_tag;
};

bool has_kind(const ledger::Institution& institution, InstitutionKind kind) {
  return std::find(institution.kinds.begin(), institution.kinds.end(), kind) !=
         institution.kinds.end();
}

bool may_derive_everything(const ledger::Institution& institution) {
  return has_kind(institution, InstitutionKind::hospital) ||
         has_kind(institution, InstitutionKind::pharmacy) ||
         has_kind(institution, InstitutionKind::medical_insurance) ||
         has_kind(institution, InstitutionKind::regulator) ||
         has_kind(institution, InstitutionKind::operator_);
}

/// Ports for the plan's nodes: counted up from the base, or free ones of this host. Each socket
/// stays bound until all are taken, or the system could give one port twice.
class Ports {
 public:
  explicit Ports(std::uint16_t base) : next_(base) {}
  ~Ports() {
    for (const int fd : bound_) ::close(fd);
  }
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  Result<std::uint16_t> take() {
    if (next_ != 0) return next_++;
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) bound_.push_back(fd);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool found = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (!found) return fail(Errc::io_failed, "no free port; choose one with --base-port");
    return ntohs(address.sin_port);
  }

 private:
  std::uint16_t next_ = 0;
  std::vector<int> bound_;
};

/// A new file that has its mode from the first byte on: a passphrase is at no moment readable by
/// others.
Result<void> write_file(const std::string& path, std::string_view content, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fail(Errc::io_failed, "cannot create " + path);
  bool written = true;
  while (written && !content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    written = count > 0;
    if (written) content.remove_prefix(static_cast<std::size_t>(count));
  }
  written = ::fsync(fd) == 0 && written;
  ::close(fd);
  if (!written) return fail(Errc::io_failed, "cannot write " + path);
  return ok();
}

Result<crypto::Secret> add_seed(Draft& draft, std::string_view name) {
  crypto::Secret seed = crypto::new_seed();
  TRY(draft.keystore.add(std::string(name), seed.clone()));
  return seed;
}

PublicKey public_key_of(const crypto::Secret& seed) {
  return crypto::make_ed25519_signer(seed)->public_key();
}

void add_member(Draft& draft, ledger::MemberKind kind, const MemberId& id, const PublicKey& key,
                const EncryptionKey& encryption, std::vector<Role> roles) {
  ledger::Member member;
  member.id = id;
  member.kind = kind;
  member.signing_key = key;
  member.encryption_key = encryption;
  std::sort(roles.begin(), roles.end());
  member.roles = std::move(roles);
  member.valid_from = TimeMs{0};
  member.valid_to = TimeMs{253'402'300'799'000};  // 9999-12-31
  if (kind == ledger::MemberKind::system) {
    member.software = "baolian 0.1.0";
    member.responsible = draft.holders.front().id;
  }
  draft.institution.members.push_back(std::move(member));
}

void add_person(Draft& draft, const PersonPlan& plan) {
  crypto::Secret seed = crypto::new_seed();
  crypto::Secret encryption_seed = crypto::new_seed();
  const MemberId id = crypto::random_id<MemberId>();
  draft.holders.push_back({std::string(plan.slug), id, seed.clone(), encryption_seed.clone()});
  add_member(draft, ledger::MemberKind::person, id, public_key_of(seed),
             crypto::make_encryption_key_pair(encryption_seed).public_key, plan.roles);
}

std::vector<PersonPlan> persons_of(const ledger::Institution& institution) {
  std::vector<PersonPlan> out = {
      {"security", {Role::security_admin}},
      {"system", {Role::system_admin}},
      {"compliance", {Role::audit_admin, Role::compliance, Role::auditor}}};
  if (has_kind(institution, InstitutionKind::hospital)) {
    out.push_back({"doctor", {Role::clinician}});
    out.push_back({"registrar", {Role::data_officer}});
  }
  if (has_kind(institution, InstitutionKind::insurer)) {
    out.push_back({"adjuster", {Role::claims_adjuster}});
    // A requested review takes two persons.
    out.push_back({"reviewer", {Role::claims_adjuster}});
  }
  if (has_kind(institution, InstitutionKind::medical_insurance)) {
    out.push_back({"officer", {Role::data_officer, Role::attestor, Role::lawful_access}});
  }
  if (has_kind(institution, InstitutionKind::regulator)) {
    out.push_back({"auditor", {Role::auditor, Role::escrow_reader}});
  }
  return out;
}

Result<void> add_systems(Draft& draft) {
  struct SystemPlan {
    std::string_view entry;
    std::vector<Role> roles;
  };
  std::vector<SystemPlan> systems = {{key_name::kGateway, {Role::gateway}},
                                     {key_name::kAgent, {Role::agent}},
                                     {key_name::kVault, {Role::vault}}};
  if (has_kind(draft.institution, InstitutionKind::medical_insurance)) {
    systems.push_back({key_name::kAttestor, {Role::attestor}});
  }
  TRY(const crypto::Secret vault_seed, add_seed(draft, key_name::kVaultEncryption));
  const EncryptionKey vault_key = crypto::make_encryption_key_pair(vault_seed).public_key;
  for (const auto& system : systems) {
    TRY(const crypto::Secret seed, add_seed(draft, system.entry));
    // Systems of one node share the vault's encryption key: what is sealed to any of them reaches
    // it.
    add_member(draft, ledger::MemberKind::system, crypto::random_id<MemberId>(),
               public_key_of(seed), vault_key, system.roles);
  }
  return ok();
}

/// Systems of the institution beside its node.
void add_departments(Draft& draft) {
  for (std::size_t i = 1; i <= draft.plan->departments; ++i) {
    crypto::Secret seed = crypto::new_seed();
    crypto::Secret encryption_seed = crypto::new_seed();
    const MemberId id = crypto::random_id<MemberId>();
    add_member(draft, ledger::MemberKind::system, id, public_key_of(seed),
               crypto::make_encryption_key_pair(encryption_seed).public_key, {Role::gateway});
    draft.holders.push_back(
        {"department-" + std::to_string(i), id, std::move(seed), std::move(encryption_seed)});
  }
}

Result<void> add_node(Draft& draft, const NetworkPlan& plan, Ports& ports) {
  TRY(const crypto::Secret consensus, add_seed(draft, key_name::kConsensus));
  TRY(const crypto::Secret tls, add_seed(draft, key_name::kTls));
  TRY(const PublicKey tls_key, net::mesh_public_key(tls));
  TRY(const crypto::Secret https_key, net::new_https_key());
  TRY(const net::TlsIdentity https, net::https_identity(https_key, {plan.host, "localhost"}));
  TRY(draft.keystore.add(std::string(key_name::kHttps), https_key.clone()));
  TRY(draft.keystore.add(std::string(key_name::kHttpsCertificate),
                         crypto::Secret::copy_of(https.certificate_der)));
  draft.api_fingerprint = net::certificate_fingerprint(https.certificate_der);
  TRY(const std::uint16_t mesh_port, ports.take());
  TRY(const std::uint16_t api_port, ports.take());
  draft.mesh_address = plan.host + ":" + std::to_string(mesh_port);
  draft.api_address = plan.host + ":" + std::to_string(api_port);

  ledger::Node node;
  node.consensus_key = public_key_of(consensus);
  TRY(node.tls_pin, net::mesh_pin(tls_key));
  node.address = draft.mesh_address;
  node.votes = draft.plan->votes;
  draft.institution.nodes.push_back(std::move(node));
  return ok();
}

Result<Draft> draft_institution(const InstitutionPlan& institution, const NetworkPlan& plan,
                                Ports& ports) {
  Draft draft;
  draft.plan = &institution;
  draft.institution.id = crypto::random_id<InstitutionId>();
  draft.institution.name = institution.name;
  draft.institution.kinds = institution.kinds;
  std::sort(draft.institution.kinds.begin(), draft.institution.kinds.end());
  draft.institution.region = institution.region;
  for (const auto& person : persons_of(draft.institution)) add_person(draft, person);
  TRY(add_systems(draft));
  add_departments(draft);
  TRY(add_node(draft, plan, ports));
  TRY(add_seed(draft, key_name::kKeyEncryption));
  return draft;
}

SharedKeys make_shared_keys(const std::vector<Draft>& drafts) {
  SharedKeys keys;
  keys.subject_keys.emplace_back(InstitutionId{}, crypto::new_seed());
  for (const auto& draft : drafts) {
    if (has_kind(draft.institution, InstitutionKind::insurer)) {
      keys.subject_keys.emplace_back(draft.institution.id, crypto::new_seed());
    }
  }
  keys.invoice_tag = crypto::new_seed();
  keys.day_tag = crypto::new_seed();
  return keys;
}

Result<void> hand_out_keys(Draft& draft, const SharedKeys& keys) {
  const bool everything = may_derive_everything(draft.institution);
  for (const auto& [audience, key] : keys.subject_keys) {
    if (!everything && audience != draft.institution.id) continue;
    TRY(draft.keystore.add(std::string(key_name::kSubjectPrefix) + audience.hex(), key.clone()));
  }
  if (everything) {
    TRY(draft.keystore.add(std::string(key_name::kInvoiceTag), keys.invoice_tag.clone()));
    TRY(draft.keystore.add(std::string(key_name::kDayTag), keys.day_tag.clone()));
  }
  return ok();
}

std::uint64_t now_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

Result<ledger::Genesis> make_genesis(const NetworkPlan& plan, const std::vector<Draft>& drafts,
                                     const SharedKeys& keys) {
  ledger::Genesis genesis;
  genesis.name = plan.chain_name;
  genesis.created = TimeMs{now_ms()};
  genesis.utc_offset_minutes = plan.utc_offset_minutes;
  genesis.currency = plan.currency;
  genesis.minor_digits = plan.minor_digits;
  genesis.epoch.first_height = Height{1};
  genesis.epoch.consensus_kind = plan.consensus;
  genesis.epoch.parameters = contracts::default_parameters();
  for (const auto& draft : drafts) {
    genesis.institutions.push_back(draft.institution);
    for (const auto& node : draft.institution.nodes) {
      if (node.votes) genesis.epoch.validators.push_back(node.consensus_key);
    }
  }
  std::sort(genesis.epoch.validators.begin(), genesis.epoch.validators.end());
  for (const auto& [audience, key] : keys.subject_keys) {
    genesis.subject_key_checks.push_back({audience, vault::key_check(audience.view(), key)});
  }
  std::sort(genesis.subject_key_checks.begin(), genesis.subject_key_checks.end());
  genesis.invoice_tag_check = vault::key_check(as_bytes("invoice"), keys.invoice_tag);
  genesis.day_tag_check = vault::key_check(as_bytes("day"), keys.day_tag);
  genesis.person_id_systems = {"urn:oid:2.16.156.10011.1.3", "http://hl7.org/fhir/sid/us-ssn",
                               "https://github.com/synthetichealth/synthea"};
  genesis.attestor_kinds = {InstitutionKind::hospital, InstitutionKind::medical_insurance,
                            InstitutionKind::operator_};
  genesis.second_generator = std::string(crypto::domain::kPedersenH);
  TRY(ledger::check_genesis(genesis));
  return genesis;
}

std::string config_text(const Draft& draft) {
  return "# Configuration of one node; every option stands in docs/operations.md.\n"
         "name = \"" +
         draft.plan->slug +
         "\"\n"
         "institution = \"" +
         draft.institution.id.hex() +
         "\"\n"
         "data_directory = \"data\"\n"
         "genesis = \"../../genesis.json\"\n"
         "keystore = \"node.keystore\"\n"
         "passphrase_file = \"passphrase\"\n"
         "mesh_listen = \"" +
         draft.mesh_address +
         "\"\n"
         "api_listen = \"" +
         draft.api_address + "\"\n";
}

/// A random passphrase of 128 bits in a file of mode 0600. Real nodes take theirs from a systemd
/// credential.
Result<crypto::Secret> write_passphrase(const std::string& path) {
  FixedBytes<struct PassphraseTag, 16> raw;
  crypto::fill_random(raw.bytes);
  const std::string text = raw.hex();
  TRY(write_file(path, text + "\n", 0600));
  return crypto::Secret::copy_of(as_bytes(text));
}

Result<NodeFiles> write_node(const std::string& directory, const NetworkPlan& plan,
                             const Draft& draft) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(Errc::io_failed, "cannot make " + directory);
  TRY(const crypto::Secret passphrase, write_passphrase(directory + "/passphrase"));
  TRY(draft.keystore.save_new(directory + "/node.keystore", passphrase, plan.keystore_cost));
  TRY(write_file(directory + "/node.toml", config_text(draft), 0644));
  return NodeFiles{draft.plan->slug, draft.plan->name, directory + "/node.toml", draft.api_address,
                   draft.plan->votes};
}

Result<std::string> write_profile(const std::string& directory, const NetworkPlan& plan,
                                  const Draft& draft, const Draft::Holder& holder,
                                  const std::string& chain_id_hex) {
  const std::string base = directory + "/" + draft.plan->slug + "-" + holder.slug;
  TRY(const crypto::Secret passphrase, write_passphrase(base + ".passphrase"));
  crypto::Keystore keystore;
  TRY(keystore.add("member", holder.seed.clone()));
  TRY(keystore.add("encryption", holder.encryption_seed.clone()));
  TRY(keystore.save_new(base + ".keystore", passphrase, plan.keystore_cost));
  const auto file_name = [&](const char* suffix) {
    return draft.plan->slug + "-" + holder.slug + suffix;
  };
  const nlohmann::json profile = {{"version", 1},
                                  {"institution", draft.institution.id.hex()},
                                  {"institution_name", draft.institution.name},
                                  {"member", holder.id.hex()},
                                  {"api", "https://" + draft.api_address},
                                  {"fingerprint", draft.api_fingerprint.hex()},
                                  {"chain_id", chain_id_hex},
                                  {"genesis", "../genesis.json"},
                                  {"keystore", file_name(".keystore")},
                                  {"passphrase_file", file_name(".passphrase")}};
  TRY(write_file(base + ".json", profile.dump(1) + "\n", 0644));
  return base + ".json";
}

Result<void> check_plan(const NetworkPlan& plan) {
  std::error_code error;
  if (std::filesystem::exists(plan.directory, error) &&
      !std::filesystem::is_empty(plan.directory, error)) {
    return fail(Errc::already_exists,
                plan.directory + " holds something; name a new directory or empty it");
  }
  std::set<std::string> slugs;
  for (const auto& institution : plan.institutions) {
    const bool named = !institution.slug.empty() && institution.slug.size() <= 32 &&
                       institution.slug.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!named) return fail(Errc::bad_argument, "a short name is 1 to 32 of a-z, 0-9 and -");
    if (!slugs.insert(institution.slug).second) {
      return fail(Errc::bad_argument, "two institutions have the short name " + institution.slug);
    }
  }
  const std::size_t ports = 2 * plan.institutions.size();
  if (plan.base_port != 0 && plan.base_port + ports > 65'535) {
    return fail(Errc::bad_argument, "the ports from the base port on end above 65535");
  }
  const auto voting = std::count_if(plan.institutions.begin(), plan.institutions.end(),
                                    [](const auto& i) { return i.votes; });
  if (voting == 0) return fail(Errc::bad_argument, "at least one institution must vote");
  return ok();
}

}  // namespace

NetworkPlan demo_plan(std::string directory) {
  NetworkPlan plan;
  plan.directory = std::move(directory);
  plan.chain_name = "baolian demo";
  plan.keystore_cost = crypto::Keystore::Cost::interactive;
  plan.institutions = {
      {"hospital-a", "甬江第一医院", {InstitutionKind::hospital}, "330200", true},
      {"hospital-b", "明州中心医院", {InstitutionKind::hospital}, "330200", true},
      {"insurer-a", "东海人寿保险", {InstitutionKind::insurer}, "330200", true},
      {"insurer-b", "四明健康保险", {InstitutionKind::insurer}, "330200", true},
      {"bureau",
       "医疗保障局（观察节点）",
       {InstitutionKind::medical_insurance, InstitutionKind::regulator},
       "330200",
       false},
  };
  return plan;
}

Result<NetworkFiles> init_network(const NetworkPlan& plan) {
  TRY(check_plan(plan));
  std::vector<Draft> drafts;
  Ports ports(plan.base_port);
  for (const auto& institution : plan.institutions) {
    TRY(Draft draft, draft_institution(institution, plan, ports));
    drafts.push_back(std::move(draft));
  }
  const SharedKeys keys = make_shared_keys(drafts);
  for (auto& draft : drafts) TRY(hand_out_keys(draft, keys));
  TRY(const ledger::Genesis genesis, make_genesis(plan, drafts, keys));

  NetworkFiles out;
  out.chain_id_hex = ledger::chain_id_of(genesis).hex();
  out.epoch = genesis.epoch;
  std::error_code error;
  std::filesystem::create_directories(plan.directory + "/profiles", error);
  if (error) return fail(Errc::io_failed, "cannot make " + plan.directory);
  out.genesis_file = plan.directory + "/genesis.json";
  TRY(write_file(out.genesis_file, ledger::genesis_to_json(genesis), 0644));
  for (const auto& draft : drafts) {
    TRY(NodeFiles files, write_node(plan.directory + "/nodes/" + draft.plan->slug, plan, draft));
    out.nodes.push_back(std::move(files));
    for (const auto& holder : draft.holders) {
      TRY(std::string profile,
          write_profile(plan.directory + "/profiles", plan, draft, holder, out.chain_id_hex));
      out.profiles.push_back(std::move(profile));
    }
  }
  return out;
}

}  // namespace baolian::node
