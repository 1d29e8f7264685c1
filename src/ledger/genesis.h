/// Genesis: what every node and verifier agrees on before block 0. chain_id = H(canonical genesis).
/// JSON is its human form.
#pragma once

#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "crypto/validator_set.h"

namespace baolian::ledger {

enum class InstitutionKind : std::uint8_t {
  hospital = 1,
  insurer = 2,
  pharmacy = 3,
  medical_insurance = 4,
  regulator = 5,
  operator_ = 6,
};
constexpr auto enum_names(InstitutionKind) {
  return std::array<std::string_view, 7>{
      "", "hospital", "insurer", "pharmacy", "medical_insurance", "regulator", "operator"};
}

enum class MemberKind : std::uint8_t { person = 0, system = 1 };
constexpr auto enum_names(MemberKind) {
  return std::array<std::string_view, 2>{"person", "system"};
}

enum class Role : std::uint8_t {
  system_admin = 1,
  security_admin = 2,
  audit_admin = 3,
  clinician = 4,
  claims_adjuster = 5,
  compliance = 6,
  gateway = 7,
  auditor = 8,
  data_officer = 9,
  lawful_access = 10,
  agent = 11,
  attestor = 12,
  vault = 13,
  escrow_reader = 14,
};
constexpr auto enum_names(Role) {
  return std::array<std::string_view, 15>{
      "",          "system_admin",    "security_admin", "audit_admin",
      "clinician", "claims_adjuster", "compliance",     "gateway",
      "auditor",   "data_officer",    "lawful_access",  "agent",
      "attestor",  "vault",           "escrow_reader"};
}

struct Member {
  static constexpr std::string_view kTypeName = "Member";
  MemberId id;
  MemberKind kind{};
  PublicKey signing_key;
  EncryptionKey encryption_key;
  std::vector<Role> roles;
  TimeMs valid_from;
  TimeMs valid_to;
  std::string software;  ///< systems: name and version; persons: empty
  MemberId responsible;  ///< systems: the person who answers for it; persons: zeros

  friend bool operator==(const Member&, const Member&) = default;
  static constexpr auto fields() {
    return field_list(
        field("id", &Member::id, "random; says nothing about the person"),
        field("kind", &Member::kind, "person or system"),
        field("signing_key", &Member::signing_key, "Ed25519"),
        field("encryption_key", &Member::encryption_key, "X25519"),
        field("roles", &Member::roles, set_of(16), "what the member may do"),
        field("valid_from", &Member::valid_from, "first block time, ms"),
        field("valid_to", &Member::valid_to, "block time from which it no longer holds, ms"),
        field("software", &Member::software, at_most(64), "systems: name and version"),
        field("responsible", &Member::responsible, "systems: the person who answers for it"));
  }
};

struct Node {
  static constexpr std::string_view kTypeName = "Node";
  PublicKey consensus_key;
  Hash tls_pin;         ///< SHA-256 of the TLS certificate's SubjectPublicKeyInfo
  std::string address;  ///< host:port of the peer mesh
  bool votes = false;   ///< validator or observer

  friend bool operator==(const Node&, const Node&) = default;
  static constexpr auto fields() {
    return field_list(
        field("consensus_key", &Node::consensus_key, "Ed25519; identifies the node"),
        field("tls_pin", &Node::tls_pin, "SHA-256 of the certificate's SubjectPublicKeyInfo"),
        field("address", &Node::address, at_most(255), "host:port of the peer mesh"),
        field("votes", &Node::votes, "validator (1) or observer (0)"));
  }
};

struct Institution {
  static constexpr std::string_view kTypeName = "Institution";
  InstitutionId id;
  std::string name;
  std::vector<InstitutionKind> kinds;
  std::string region;  ///< GB/T 2260 code or name
  std::vector<Member> members;
  std::vector<Node> nodes;

  friend bool operator==(const Institution&, const Institution&) = default;
  static constexpr auto fields() {
    return field_list(field("id", &Institution::id, "random"),
                      field("name", &Institution::name, between(1, 128), "public name"),
                      field("kinds", &Institution::kinds,
                            Limits{.max = 6, .min = 1, .ascending = true}, "what it is"),
                      field("region", &Institution::region, at_most(32), "administrative region"),
                      field("members", &Institution::members, at_most(1000), "persons and systems"),
                      field("nodes", &Institution::nodes, at_most(16), "its nodes"));
  }
};

/// H("keycheck" || audience or name || key) for one keyed-tag key: a node with a wrong key refuses
/// to start.
struct KeyCheck {
  static constexpr std::string_view kTypeName = "KeyCheck";
  InstitutionId audience;  ///< zeros = care
  Hash check;

  friend auto operator<=>(const KeyCheck&, const KeyCheck&) = default;
  static constexpr auto fields() {
    return field_list(field("audience", &KeyCheck::audience, "institution id; zeros = care"),
                      field("check", &KeyCheck::check, "H(\"keycheck\" || audience || key)"));
  }
};

struct Genesis {
  static constexpr std::string_view kTypeName = "Genesis";
  Version<1> version;
  std::string name;
  TimeMs created;
  std::int16_t utc_offset_minutes = 480;  ///< civil dates of the chain: +08:00
  std::string currency = "CNY";           ///< ISO 4217
  std::uint8_t minor_digits = 2;
  std::uint8_t hash_algorithm = 1;       ///< 1 = SHA-256
  std::uint8_t signature_algorithm = 1;  ///< 1 = Ed25519
  crypto::EpochRecord epoch;             ///< epoch 0, with all parameters
  std::uint8_t subject_id_scheme = 0;    ///< 0 = HMAC-SHA256 with key files
  std::vector<KeyCheck> subject_key_checks;
  Hash invoice_tag_check;
  Hash day_tag_check;
  std::vector<std::string> person_id_systems;
  std::vector<InstitutionKind> attestor_kinds;
  std::string second_generator;  ///< the constant H is hashed from (crypto::domain::kPedersenH)
  std::vector<Institution> institutions;

  friend bool operator==(const Genesis&, const Genesis&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &Genesis::version, "format version"),
        field("name", &Genesis::name, between(1, 128), "name of the chain"),
        field("created", &Genesis::created, "timestamp of block 0, ms"),
        field("utc_offset_minutes", &Genesis::utc_offset_minutes,
              "civil zone of the chain, a fixed offset"),
        field("currency", &Genesis::currency, between(3, 3), "ISO 4217 code"),
        field("minor_digits", &Genesis::minor_digits, "digits after the decimal point"),
        field("hash_algorithm", &Genesis::hash_algorithm, "1 = SHA-256"),
        field("signature_algorithm", &Genesis::signature_algorithm, "1 = Ed25519"),
        field("epoch", &Genesis::epoch, "EPOCH record of epoch 0"),
        field("subject_id_scheme", &Genesis::subject_id_scheme, "0 = HMAC-SHA256 with key files"),
        field("subject_key_checks", &Genesis::subject_key_checks, set_of(1000), "one per audience"),
        field("invoice_tag_check", &Genesis::invoice_tag_check,
              "check value of the invoice-tag key"),
        field("day_tag_check", &Genesis::day_tag_check, "check value of the day-tag key"),
        field("person_id_systems", &Genesis::person_id_systems, list_of_bytes(16, 256),
              "FHIR identifier systems that name a person"),
        field("attestor_kinds", &Genesis::attestor_kinds, set_of(6),
              "institutions whose attestors count"),
        field("second_generator", &Genesis::second_generator, between(1, 128),
              "constant of the Pedersen H"),
        field("institutions", &Genesis::institutions, between(1, 1000),
              "members, roles, keys, nodes"));
  }
};

/// H(canonical genesis).
ChainId chain_id_of(const Genesis& genesis);
/// The numbered list "A genesis is valid if" of docs/formats.md, section 4; the simulator's toy
/// keys pass too. Returns: Errc::genesis_invalid with what to correct.
Result<void> check_genesis(const Genesis& genesis);

}  // namespace baolian::ledger
