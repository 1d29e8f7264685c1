/// A part of the state at one height that is verified alone (consensus.md 1.8): all keys whose kh
/// begins with one 12-bit number, and where that subtree stands under state_root. 4,096 of them are
/// the whole state; no list of them is needed and nothing of them stands on the chain.
#pragma once

#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/state_tree.h"
#include "ledger/state_view.h"

namespace baolian::ledger {

inline constexpr unsigned kChunkBits = 12;
inline constexpr std::uint16_t kChunkCount = 1U << kChunkBits;
/// Of a chunk: 4,096 times this is the largest state that can be handed over.
inline constexpr std::uint32_t kChunkRowsMax = 1U << 20;

/// One key and its value.
struct StateRow {
  static constexpr std::string_view kTypeName = "StateRow";
  Bytes key;
  Bytes value;

  friend bool operator==(const StateRow&, const StateRow&) = default;
  static constexpr auto fields() {
    return field_list(
        field("key", &StateRow::key, at_most(kStateKeyBytesMax), "natural key"),
        field("value", &StateRow::value, at_most(kStateValueBytesMax), "canonical value"));
  }
};

struct StateChunk {
  static constexpr std::string_view kTypeName = "StateChunk";
  Version<1> version;
  Height height;             ///< of the header under whose state_root it stands
  std::uint16_t number = 0;  ///< the first 12 bits of every kh
  std::vector<StateRow> rows;
  StateProof proof;

  friend bool operator==(const StateChunk&, const StateChunk&) = default;
  static constexpr auto fields() {
    return field_list(field("version", &StateChunk::version, "format version"),
                      field("height", &StateChunk::height, "height of the state"),
                      field("number", &StateChunk::number, "first 12 bits of every kh, 0..4095"),
                      field("rows", &StateChunk::rows, at_most(kChunkRowsMax), "ascending by key"),
                      field("proof", &StateChunk::proof,
                            "12 siblings from the root down; fewer if the path ends earlier"));
  }
};

/// The chunk to which a key belongs.
std::uint16_t chunk_number(const Hash& key_hash);
/// The place of a chunk in a tree.
StateProof prove_chunk(const StateTree& tree, std::uint16_t number);

/// Are the rows all of the state under `state_root` that belongs to this chunk, and nothing else?
/// Returns: Errc::bad_proof, which says what is wrong.
Result<void> check_state_chunk(const Hash& state_root, const StateChunk& chunk);

}  // namespace baolian::ledger
