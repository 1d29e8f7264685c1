/// Who votes in an epoch, how many must agree, and what an epoch fixes (consensus.md 1.2, 1.10).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/seeded_bug.h"

namespace baolian::crypto {

enum class ConsensusKind : std::uint8_t { pbft = 1, raft = 2 };
constexpr auto enum_names(ConsensusKind) {
  return std::array<std::string_view, 3>{"", "pbft", "raft"};
}

/// One numbered parameter of the chain (docs/formats.md, Parameters). The numbers only grow.
struct Parameter {
  static constexpr std::string_view kTypeName = "Parameter";
  std::uint16_t id = 0;
  std::uint64_t value = 0;

  friend auto operator<=>(const Parameter&, const Parameter&) = default;
  static constexpr auto fields() {
    return field_list(field("id", &Parameter::id, "number of the parameter"),
                      field("value", &Parameter::value, "its value, in the parameter's unit"));
  }
};

/// EPOCH: everything that decides validity of messages and blocks of an epoch. validators_hash =
/// H("epoch" || canonical).
struct EpochRecord {
  static constexpr std::string_view kTypeName = "EpochRecord";
  Version<1> version;
  Epoch epoch;
  Height first_height;              ///< first height ordered in this epoch (1 for epoch 0)
  std::uint16_t log_window = 16;    ///< L: heights above h that may be voted on
  std::uint16_t in_flight_max = 8;  ///< W: proposals the primary keeps open
  std::uint16_t protocol_version = 1;
  ConsensusKind consensus_kind = ConsensusKind::pbft;
  std::vector<Parameter> parameters;  ///< ascending by id
  std::vector<PublicKey> validators;  ///< ascending; 1..127; the position is the ValidatorIndex

  friend bool operator==(const EpochRecord&, const EpochRecord&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &EpochRecord::version, "format version"),
        field("epoch", &EpochRecord::epoch, "number of the epoch, from 0"),
        field("first_height", &EpochRecord::first_height, "first height of the epoch"),
        field("log_window", &EpochRecord::log_window, "L: heights above h that may be voted on"),
        field("in_flight_max", &EpochRecord::in_flight_max, "W: proposals the primary keeps open"),
        field("protocol_version", &EpochRecord::protocol_version,
              "a program that lacks it refuses to start"),
        field("consensus_kind", &EpochRecord::consensus_kind, "trust model of the certificates"),
        field("parameters", &EpochRecord::parameters, set_of(256), "deadlines, limits, weights"),
        field("validators", &EpochRecord::validators,
              Limits{.max = 127, .min = 1, .ascending = true},
              "consensus keys; the position is the validator index"));
  }
};

/// validators_hash of the header.
Hash validators_hash(const EpochRecord& record);

/// Quorum arithmetic for n validators that all count one. Never "2f+1": with n = 6 that is unsafe.
struct Quorum {
  std::size_t validator_count = 0;

  std::size_t faulty_max() const { return (validator_count - 1) / 3; }
  /// Q: two quorums share a correct validator. Under Raft (crash faults only) a majority.
  std::size_t quorum(ConsensusKind kind = ConsensusKind::pbft) const {
    if (kind == ConsensusKind::raft) return validator_count / 2 + 1;
    if (seeded_bug(Bug::quorum_two_f_plus_one)) return 2 * faulty_max() + 1;
    if (seeded_bug(Bug::quorum_one_less)) return (validator_count + faulty_max()) / 2;
    return (validator_count + faulty_max()) / 2 + 1;
  }
  /// F + 1: at least one of them is correct.
  std::size_t weak_quorum() const { return faulty_max() + 1; }
  /// Validators that may be away while the others go on. PBFT counts liars among them.
  std::size_t crashed_max(ConsensusKind kind) const {
    return kind == ConsensusKind::raft ? (validator_count - 1) / 2 : faulty_max();
  }
  /// Validators that may lie, the leader too. Under Raft none.
  std::size_t lying_max(ConsensusKind kind) const {
    return kind == ConsensusKind::raft ? 0 : faulty_max();
  }
};

/// The trust model of an epoch in one sentence, for operators: how many must agree, how many may
/// crash, how many may lie. Requires: at least one validator.
std::string trust_words(const EpochRecord& record);

/// The index of a key in the epoch's ascending list.
std::optional<ValidatorIndex> validator_index(const EpochRecord& record, const PublicKey& key);

}  // namespace baolian::crypto
