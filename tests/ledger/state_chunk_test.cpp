#include "ledger/state_chunk.h"

#include <map>

#include "crypto/hash.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

/// A state of many keys and its chunks.
struct World {
  explicit World(std::uint64_t count) {
    std::vector<StateTree::Change> changes;
    for (std::uint64_t i = 0; i < count; ++i) {
      StateRow row{to_bytes("policy/" + std::to_string(i)), to_bytes(std::to_string(i * 7))};
      const Hash key_hash = crypto::sha256(row.key);
      changes.push_back({key_hash, crypto::sha256(row.value)});
      rows[chunk_number(key_hash)][row.key] = row.value;
    }
    tree.update(std::move(changes));
  }

  StateChunk chunk(std::uint16_t number) {
    StateChunk out;
    out.height = {9};
    out.number = number;
    for (const auto& [key, value] : rows[number]) out.rows.push_back({key, value});
    out.proof = prove_chunk(tree, number);
    return out;
  }

  StateTree tree;
  std::map<std::uint16_t, std::map<Bytes, Bytes>> rows;
};

bool holds(const World& world, const StateChunk& chunk) {
  return check_state_chunk(world.tree.root(), chunk).has_value();
}

}  // namespace

TEST_CASE("state chunk: each of the 4,096 is verified alone, full, lone or empty",
          "[state_chunk]") {
  for (const std::uint64_t count : {0U, 1U, 40U, 9000U}) {
    World world(count);
    std::size_t rows = 0;
    for (std::uint16_t number = 0; number < kChunkCount; ++number) {
      const StateChunk chunk = world.chunk(number);
      REQUIRE(holds(world, chunk));
      REQUIRE(decode<StateChunk>(encode(chunk)).value() == chunk);
      rows += chunk.rows.size();
    }
    CHECK(rows == count);
  }
}

TEST_CASE("state chunk: a row left out, added, changed or in another order is refused",
          "[state_chunk]") {
  World world(9000);
  for (std::uint16_t number = 0; number < kChunkCount; number += 37) {
    const StateChunk chunk = world.chunk(number);
    for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
      StateChunk changed = chunk;
      changed.rows.erase(changed.rows.begin() + static_cast<std::ptrdiff_t>(i));
      REQUIRE_FALSE(holds(world, changed));
      changed = chunk;
      changed.rows[i].value.push_back(0);
      REQUIRE_FALSE(holds(world, changed));
      changed = chunk;
      changed.rows.push_back(chunk.rows[i]);
      REQUIRE_FALSE(holds(world, changed));
    }
    if (chunk.rows.size() > 1) {
      StateChunk swapped = chunk;
      std::swap(swapped.rows.front(), swapped.rows.back());
      REQUIRE_FALSE(holds(world, swapped));
    }
    // What is right elsewhere is wrong here; only two empty chunks may have one path.
    StateChunk other = world.chunk(static_cast<std::uint16_t>((number + 1) % kChunkCount));
    other.number = number;
    if (!chunk.rows.empty() || !other.rows.empty()) REQUIRE_FALSE(holds(world, other));
  }
  StateChunk none = world.chunk(0);
  none.number = kChunkCount;
  CHECK(check_state_chunk(world.tree.root(), none).error().code == Errc::bad_proof);
}

}  // namespace baolian::ledger
