#include "ledger/state_chunk.h"

#include <algorithm>

#include "crypto/hash.h"

namespace baolian::ledger {
namespace {

/// The chunk's number as the first bits of a kh.
Hash prefix_of(std::uint16_t number) {
  Hash prefix;
  prefix.bytes[0] = static_cast<std::uint8_t>(number >> (kChunkBits - 8));
  prefix.bytes[1] = static_cast<std::uint8_t>(number << (16 - kChunkBits));
  return prefix;
}

Error bad_chunk(const StateChunk& chunk, const char* what) {
  return fail(Errc::bad_proof, "state chunk " + std::to_string(chunk.number) + " of height " +
                                   std::to_string(chunk.height.value) + ": " + what);
}

}  // namespace

std::uint16_t chunk_number(const Hash& key_hash) {
  const unsigned first_two = static_cast<unsigned>(key_hash.bytes[0]) << 8 | key_hash.bytes[1];
  return static_cast<std::uint16_t>(first_two >> (16 - kChunkBits));
}

StateProof prove_chunk(const StateTree& tree, std::uint16_t number) {
  ASSERT(number < kChunkCount);
  return tree.prove_prefix(prefix_of(number), kChunkBits);
}

Result<void> check_state_chunk(const Hash& state_root, const StateChunk& chunk) {
  if (chunk.number >= kChunkCount) return bad_chunk(chunk, "there is no such chunk");
  std::vector<StateLeaf> leaves;
  leaves.reserve(chunk.rows.size());
  for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
    const StateRow& row = chunk.rows[i];
    if (i > 0 && !(chunk.rows[i - 1].key < row.key)) {
      return bad_chunk(chunk, "its keys are not strictly ascending");
    }
    leaves.push_back({crypto::sha256(row.key), crypto::sha256(row.value)});
    if (chunk_number(leaves.back().key_hash) != chunk.number) {
      return bad_chunk(chunk, "a key belongs to another chunk");
    }
  }
  std::sort(leaves.begin(), leaves.end(),
            [](const StateLeaf& a, const StateLeaf& b) { return a.key_hash < b.key_hash; });
  auto proved =
      check_prefix_proof(state_root, prefix_of(chunk.number), kChunkBits, leaves, chunk.proof);
  if (!proved) return bad_chunk(chunk, proved.error().context.c_str());
  return ok();
}

}  // namespace baolian::ledger
