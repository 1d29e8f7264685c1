/// What the state keeps of institutions, members, and the transactions they sent.
#pragma once

#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "ledger/genesis.h"

namespace baolian::contracts {

/// What the chain's rules take from genesis beside the epoch record.
struct ChainRules {
  static constexpr std::string_view kTypeName = "ChainRules";
  Version<1> version;
  std::uint16_t contracts_version = 1;
  std::int16_t utc_offset_minutes = 0;
  std::vector<ledger::InstitutionKind> attestor_kinds;

  friend bool operator==(const ChainRules&, const ChainRules&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &ChainRules::version, "format version"),
                      field("contracts_version", &ChainRules::contracts_version,
                            "version of the native contracts"),
                      field("utc_offset_minutes", &ChainRules::utc_offset_minutes, "civil zone"),
                      field("attestor_kinds", &ChainRules::attestor_kinds, set_of(6),
                            "institutions whose attestors count"));
  }
};

struct InstitutionState {
  static constexpr std::string_view kTypeName = "InstitutionState";
  Version<1> version;
  std::string name;
  std::vector<ledger::InstitutionKind> kinds;
  std::string region;

  bool is(ledger::InstitutionKind kind) const;
  friend bool operator==(const InstitutionState&, const InstitutionState&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &InstitutionState::version, "format version"),
        field("name", &InstitutionState::name, between(1, 128), "public name"),
        field("kinds", &InstitutionState::kinds, Limits{.max = 6, .min = 1, .ascending = true},
              "what it is"),
        field("region", &InstitutionState::region, at_most(32), "administrative region"));
  }
};

struct MemberState {
  static constexpr std::string_view kTypeName = "MemberState";
  Version<1> version;
  InstitutionId institution;
  ledger::Member member;

  bool has(ledger::Role role) const;
  bool is_valid_at(TimeMs time) const {
    return member.valid_from <= time && time < member.valid_to;
  }
  friend bool operator==(const MemberState&, const MemberState&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &MemberState::version, "format version"),
                      field("institution", &MemberState::institution, "where it belongs"),
                      field("member", &MemberState::member, "as registered"));
  }
};

/// The signing key of a member, under the member's id.
struct MemberKey {
  static constexpr std::string_view kTypeName = "MemberKey";
  Version<1> version;
  PublicKey signing_key;

  friend bool operator==(const MemberKey&, const MemberKey&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &MemberKey::version, "format version"),
                      field("signing_key", &MemberKey::signing_key, "registered key"));
  }
};

/// Nonces of a key: the highest one, and which of the 1,024 up to it were used (consensus.md 1.9).
/// Bit i of `used` (byte i / 8, value 1 << i % 8) stands for highest - i.
struct NonceWindow {
  static constexpr std::string_view kTypeName = "NonceWindow";
  static constexpr std::uint64_t kWidth = 1024;
  Version<1> version;
  Nonce highest;
  FixedBytes<struct NonceBitsTag, kWidth / 8> used;

  enum class Answer : std::uint8_t { fresh, used, too_old };
  Answer ask(Nonce nonce) const;
  /// Marks a nonce. Requires: ask(nonce) == fresh.
  void use(Nonce nonce);

  friend bool operator==(const NonceWindow&, const NonceWindow&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &NonceWindow::version, "format version"),
        field("highest", &NonceWindow::highest, "highest nonce used"),
        field("used", &NonceWindow::used, "bit i (byte i / 8, 1 << i % 8): highest - i was used"));
  }
};

}  // namespace baolian::contracts
