#include "ledger/genesis.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "crypto/hash.h"
#include "crypto/signing.h"
#include "ledger/field_limits.h"

namespace baolian::ledger {
namespace {

constexpr std::uint64_t kTimeMaxMs = 253402300799999;  // 9999-12-31T23:59:59.999Z
constexpr std::int16_t kUtcOffsetMinMinutes = -12 * 60;
constexpr std::int16_t kUtcOffsetMaxMinutes = 14 * 60;

Error invalid(std::string what) { return fail(Errc::genesis_invalid, std::move(what)); }

std::uint8_t algorithm_byte(crypto::Algorithm algorithm) {
  return static_cast<std::uint8_t>(algorithm);
}

bool has_role(const Member& member, Role role) {
  return std::find(member.roles.begin(), member.roles.end(), role) != member.roles.end();
}

bool has_kind(const Institution& institution, InstitutionKind kind) {
  return std::find(institution.kinds.begin(), institution.kinds.end(), kind) !=
         institution.kinds.end();
}

/// Names stand in the words of evidence: nothing in them may start a line or turn the direction of
/// what follows (U+2028..202E, U+2066..2069). Requires: UTF-8.
bool is_one_plain_line(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
    };
    if (byte(0) < 0x20 || byte(0) == 0x7F) return false;
    if (byte(0) == 0xC2 && byte(1) <= 0x9F) return false;  // U+0080..009F
    if (byte(0) != 0xE2) continue;
    if (byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE) return false;
    if (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9) return false;
  }
  return true;
}

/// host:port with a port of 1..65535, without leading zeros.
bool is_address(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view port = address.substr(colon + 1);
  if (port.starts_with('0')) return false;
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc{} && end == port.data() + port.size() && number != 0;
}

Result<void> check_chain_fields(const Genesis& genesis) {
  if (genesis.created.value == 0 || genesis.created.value > kTimeMaxMs) {
    return invalid("created must be a time in ms between 1970 and 9999");
  }
  if (genesis.utc_offset_minutes < kUtcOffsetMinMinutes ||
      genesis.utc_offset_minutes > kUtcOffsetMaxMinutes) {
    return invalid("utc_offset_minutes must be between -720 and 840");
  }
  const bool is_code = std::all_of(genesis.currency.begin(), genesis.currency.end(),
                                   [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!is_code) return invalid("currency must be three capital letters of ISO 4217");
  if (genesis.minor_digits > 4) return invalid("minor_digits must be at most 4");
  if (genesis.hash_algorithm != 1) return invalid("hash_algorithm must be 1 (SHA-256)");
  if (genesis.signature_algorithm != algorithm_byte(crypto::Algorithm::ed25519) &&
      genesis.signature_algorithm != algorithm_byte(crypto::Algorithm::toy)) {
    return invalid("signature_algorithm must be 1 (Ed25519)");
  }
  if (genesis.subject_id_scheme != 0) return invalid("subject_id_scheme must be 0 (key files)");
  if (genesis.second_generator != crypto::domain::kPedersenH) {
    return invalid("second_generator must be \"" + std::string(crypto::domain::kPedersenH) + "\"");
  }
  std::set<std::string_view> systems;
  for (const std::string& system : genesis.person_id_systems) {
    if (system.empty() || !systems.insert(system).second) {
      return invalid("person_id_systems must be non-empty and each named once");
    }
  }
  return ok();
}

/// Every text that people wrote into the genesis.
Result<void> check_texts(const Genesis& genesis) {
  bool is_plain = is_one_plain_line(genesis.name);
  const auto look = [&](std::string_view text) { is_plain = is_plain && is_one_plain_line(text); };
  for (const std::string& system : genesis.person_id_systems) look(system);
  for (const Institution& institution : genesis.institutions) {
    look(institution.name);
    look(institution.region);
    for (const Member& member : institution.members) look(member.software);
    for (const Node& node : institution.nodes) look(node.address);
  }
  if (is_plain) return ok();
  return invalid("a name or text has a control character or one that turns the writing direction");
}

Result<void> check_epoch(const Genesis& genesis) {
  const crypto::EpochRecord& epoch = genesis.epoch;
  if (epoch.epoch.value != 0) return invalid("the epoch record of a genesis is of epoch 0");
  if (epoch.first_height.value != 1) return invalid("epoch 0 begins at height 1");
  if (epoch.protocol_version != 1) {
    return invalid("protocol_version must be 1: this program knows no other");
  }
  if (epoch.log_window == 0) return invalid("log_window must be at least 1");
  if (epoch.in_flight_max == 0 || epoch.in_flight_max > epoch.log_window) {
    return invalid("in_flight_max must be between 1 and log_window");
  }
  for (std::size_t i = 1; i < epoch.parameters.size(); ++i) {
    if (epoch.parameters[i - 1].id == epoch.parameters[i].id) {
      return invalid("parameter " + std::to_string(epoch.parameters[i].id) + " is given twice");
    }
  }
  std::vector<PublicKey> voting;
  for (const Institution& institution : genesis.institutions) {
    for (const Node& node : institution.nodes) {
      if (node.votes) voting.push_back(node.consensus_key);
    }
  }
  std::sort(voting.begin(), voting.end());
  if (voting.empty()) return invalid("at least one node must vote");
  if (voting != epoch.validators) {
    return invalid(
        "validators of the epoch must be the consensus keys of the voting nodes, ascending");
  }
  return ok();
}

/// Administrators check each other (GB/T 22239): one member holds at most one of the three.
bool combines_administrators(const Member& member) {
  int held = 0;
  for (const Role role : {Role::system_admin, Role::security_admin, Role::audit_admin}) {
    if (has_role(member, role)) ++held;
  }
  return held > 1;
}

Result<void> check_member(const Institution& institution, const Member& member) {
  const std::string who = "member " + member.id.hex() + " ";
  if (member.encryption_key.bytes[0] != algorithm_byte(crypto::Algorithm::x25519)) {
    return invalid(who + "needs an encryption key of algorithm 2 (X25519)");
  }
  if (!(member.valid_from < member.valid_to)) {
    return invalid(who + "must be valid from before it is valid to");
  }
  if (combines_administrators(member)) {
    return invalid(who + "combines system, security and audit administration; use two members");
  }
  if (member.kind == MemberKind::person) {
    if (!member.software.empty() || !member.responsible.is_zero()) {
      return invalid(who + "is a person: software must be empty and responsible zeros");
    }
    return ok();
  }
  if (member.software.empty()) return invalid(who + "is a system: name its software");
  const bool has_responsible =
      std::any_of(institution.members.begin(), institution.members.end(), [&](const Member& other) {
        return other.kind == MemberKind::person && other.id == member.responsible;
      });
  if (!has_responsible) {
    return invalid(who + "is a system: responsible must be a person of the same institution");
  }
  return ok();
}

/// Everything in the network that must occur only once.
struct Seen {
  std::set<InstitutionId> institutions;
  std::set<MemberId> members;
  std::set<PublicKey> keys;  ///< of members and nodes: a sender is never a consensus key
  std::set<Hash> tls_pins;
};

Result<void> check_key(const Genesis& genesis, const PublicKey& key, const std::string& who,
                       Seen& seen) {
  if (key.bytes[0] != genesis.signature_algorithm) {
    return invalid(who + "has a signing key of another algorithm than signature_algorithm");
  }
  if (!seen.keys.insert(key).second) {
    return invalid(who + "has a signing key that another member or node has too");
  }
  return ok();
}

Result<void> check_node(const Genesis& genesis, const Institution& institution, const Node& node,
                        Seen& seen) {
  const std::string who = "a node of institution " + institution.id.hex() + " ";
  TRY(check_key(genesis, node.consensus_key, who, seen));
  if (node.tls_pin.is_zero() || !seen.tls_pins.insert(node.tls_pin).second) {
    return invalid(who + "needs a TLS pin of its own");
  }
  if (!is_address(node.address) && (node.votes || !node.address.empty())) {
    return invalid(who + "needs an address host:port (an observer may have none)");
  }
  return ok();
}

Result<void> check_institutions(const Genesis& genesis) {
  Seen seen;
  for (const Institution& institution : genesis.institutions) {
    if (institution.id.is_zero() || !seen.institutions.insert(institution.id).second) {
      return invalid("institution ids must be non-zero and unique (zeros mean care)");
    }
    for (const Member& member : institution.members) {
      if (member.id.is_zero() || !seen.members.insert(member.id).second) {
        return invalid("member ids must be non-zero and unique in the whole network");
      }
      TRY(check_key(genesis, member.signing_key, "member " + member.id.hex() + " ", seen));
      TRY(check_member(institution, member));
    }
    for (const Node& node : institution.nodes) TRY(check_node(genesis, institution, node, seen));
  }
  return ok();
}

Result<void> check_subject_keys(const Genesis& genesis) {
  std::set<InstitutionId> audiences;
  for (const KeyCheck& check : genesis.subject_key_checks) {
    if (!audiences.insert(check.audience).second) {
      return invalid("subject_key_checks names audience " + check.audience.hex() + " twice");
    }
  }
  if (audiences.count(InstitutionId{}) == 0) {
    return invalid("subject_key_checks lacks the care audience (zeros)");
  }
  std::set<InstitutionId> known = {InstitutionId{}};
  for (const Institution& institution : genesis.institutions) {
    known.insert(institution.id);
    if (has_kind(institution, InstitutionKind::insurer) && audiences.count(institution.id) == 0) {
      return invalid("subject_key_checks lacks insurer " + institution.id.hex());
    }
  }
  for (const InstitutionId& audience : audiences) {
    if (known.count(audience) == 0) {
      return invalid("subject_key_checks names audience " + audience.hex() +
                     ", which is no institution");
    }
  }
  return ok();
}

}  // namespace

ChainId chain_id_of(const Genesis& genesis) {
  return ChainId::from(crypto::sha256(encode(genesis)).view());
}

Result<void> check_genesis(const Genesis& genesis) {
  const auto limits = check_field_limits(genesis);
  if (!limits) return invalid("genesis: " + limits.error().context);
  TRY(check_chain_fields(genesis));
  TRY(check_texts(genesis));
  TRY(check_institutions(genesis));
  TRY(check_epoch(genesis));
  return check_subject_keys(genesis);
}

}  // namespace baolian::ledger
