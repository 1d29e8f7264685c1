#include "ledger/state_tree.h"

#include <algorithm>
#include <map>

#include "core/prng.h"
#include "crypto/hash.h"
#include "ledger/merkle.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

using KeyValues = std::map<Bytes, Bytes>;

struct Leaf {
  Hash key_hash;
  Hash value_hash;
};

bool bit_of(const Hash& hash, std::size_t depth) {
  return (hash.bytes[depth / 8] >> (7 - depth % 8) & 1) != 0;
}

/// The definition of ledger.md, word for word.
Hash naive_root(const std::vector<Leaf>& leaves, std::size_t depth) {
  if (leaves.empty()) return Hash{};
  if (leaves.size() == 1) {
    const Bytes prefix = {0x00};
    return crypto::sha256({prefix, leaves[0].key_hash.view(), leaves[0].value_hash.view()});
  }
  std::vector<Leaf> left;
  std::vector<Leaf> right;
  for (const Leaf& leaf : leaves) (bit_of(leaf.key_hash, depth) ? right : left).push_back(leaf);
  const Bytes prefix = {0x01};
  return crypto::sha256(
      {prefix, naive_root(left, depth + 1).view(), naive_root(right, depth + 1).view()});
}

Hash naive_root(const KeyValues& state) {
  std::vector<Leaf> leaves;
  for (const auto& [key, value] : state) {
    leaves.push_back({crypto::sha256(key), crypto::sha256(value)});
  }
  return naive_root(leaves, 0);
}

StateTree::Change set(const Bytes& key, const Bytes& value) {
  return {crypto::sha256(key), crypto::sha256(value)};
}
StateTree::Change erase(const Bytes& key) { return {crypto::sha256(key), std::nullopt}; }

Bytes key_of(std::uint64_t number) { return to_bytes("key/" + std::to_string(number)); }

StateTree tree_of(const KeyValues& state) {
  StateTree tree;
  std::vector<StateTree::Change> changes;
  for (const auto& [key, value] : state) changes.push_back(set(key, value));
  tree.update(std::move(changes));
  return tree;
}

std::optional<Bytes> value_of(const KeyValues& state, const Bytes& key) {
  const auto found = state.find(key);
  if (found == state.end()) return std::nullopt;
  return found->second;
}

}  // namespace

TEST_CASE("state tree: the empty tree is 32 zero bytes and proves absence", "[state_tree]") {
  StateTree tree;
  CHECK(tree.root().is_zero());
  CHECK(tree.leaf_count() == 0);
  const auto proof = tree.prove(to_bytes("nothing"));
  CHECK(proof.siblings.empty());
  CHECK(check_state_proof(tree.root(), to_bytes("nothing"), std::nullopt, proof).has_value());
  CHECK_FALSE(check_state_proof(tree.root(), to_bytes("nothing"), Bytes{}, proof).has_value());
}

TEST_CASE("state tree: random inserts, overwrites and erasures equal the definition",
          "[state_tree]") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    Prng prng(seed);
    StateTree tree;
    KeyValues state;
    for (int round = 0; round < 60; ++round) {
      std::map<Bytes, std::optional<Bytes>> writes;
      const std::uint64_t count = prng.below(40);
      const bool erases_most = prng.chance_percent(30);
      for (std::uint64_t i = 0; i < count; ++i) {
        const Bytes key = key_of(prng.below(150));
        if (prng.chance_percent(erases_most ? 90 : 25)) {
          writes[key] = std::nullopt;
        } else {
          writes[key] = key_of(prng.below(1000));
        }
      }
      std::vector<StateTree::Change> changes;
      for (const auto& [key, value] : writes) {
        changes.push_back(value ? set(key, *value) : erase(key));
        if (value) {
          state[key] = *value;
        } else {
          state.erase(key);
        }
      }
      tree.update(std::move(changes));
      REQUIRE(tree.root() == naive_root(state));
      REQUIRE(tree.leaf_count() == state.size());
    }
    std::vector<StateTree::Change> changes;
    for (const auto& [key, value] : state) changes.push_back(erase(key));
    tree.update(std::move(changes));
    CHECK(tree.root().is_zero());
    CHECK(tree.leaf_count() == 0);
  }
}

TEST_CASE("state tree: the root does not depend on the history", "[state_tree]") {
  KeyValues state;
  for (std::uint64_t i = 0; i < 500; ++i) state[key_of(i)] = key_of(i * 7);
  const Hash expected = tree_of(state).root();

  StateTree one_by_one;
  for (const auto& [key, value] : state) one_by_one.update({set(key, value)});
  CHECK(one_by_one.root() == expected);

  StateTree detour;
  std::vector<StateTree::Change> changes;
  for (std::uint64_t i = 0; i < 1000; ++i) changes.push_back(set(key_of(i), to_bytes("old")));
  std::reverse(changes.begin(), changes.end());
  detour.update(std::move(changes));
  std::vector<StateTree::Change> back;
  for (std::uint64_t i = 500; i < 1000; ++i) back.push_back(erase(key_of(i)));
  for (const auto& [key, value] : state) back.push_back(set(key, value));
  detour.update(std::move(back));
  CHECK(detour.root() == expected);
}

TEST_CASE("state tree: threads change nothing, and what was erased is taken again",
          "[state_tree]") {
  // 10,000 changes a time are enough for threads.
  Prng prng(7);
  StateTree alone;
  StateTree shared(4);
  std::size_t memory_full = 0;
  for (int round = 0; round < 4; ++round) {
    std::vector<StateTree::Change> sets;
    std::vector<StateTree::Change> erasures;
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      sets.push_back(set(key_of(i), key_of(prng.next())));
      erasures.push_back(erase(key_of(i)));
    }
    alone.update(sets);
    shared.update(std::move(sets));
    REQUIRE(shared.root() == alone.root());
    REQUIRE(shared.leaf_count() == 10'000);
    if (round == 0) memory_full = shared.memory_bytes();
    CHECK(shared.memory_bytes() < memory_full + memory_full / 4);
    shared.update(erasures);
    alone.update(std::move(erasures));
    REQUIRE(shared.root().is_zero());
    REQUIRE(alone.root().is_zero());
  }
  CHECK(memory_full < 10'000 * 140);
}

TEST_CASE("state tree: made at once it is the tree that grew", "[state_tree]") {
  Prng prng(77);
  const auto random_hash = [&prng] {
    Hash out;
    for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(prng.next());
    return out;
  };
  for (const std::size_t count : {0UL, 1UL, 2UL, 5UL, 40UL, 9'000UL}) {
    for (const unsigned threads : {1U, 3U}) {
      INFO(count << " keys, " << threads << " threads");
      std::vector<StateTree::Change> changes;
      StateLeaves first;
      StateLeaves second;
      for (std::size_t i = 0; i < count; ++i) {
        StateLeaf leaf{random_hash(), random_hash()};
        // Some keys part from their neighbour late.
        if (i % 5 == 4) {
          std::copy_n(changes.back().key_hash.bytes.begin(), 20, leaf.key_hash.bytes.begin());
        }
        changes.push_back({leaf.key_hash, leaf.value_hash});
        (i % 3 == 0 ? first : second).add(leaf);
      }
      first.join(std::move(second));
      StateTree grown;
      grown.update(changes);
      StateTree made(threads);
      made.build(std::move(first));
      CHECK(made.root() == grown.root());
      CHECK(made.leaf_count() == count);
      // It goes on as the other does.
      std::vector<StateTree::Change> later;
      for (std::size_t i = 0; i < changes.size(); i += 2)
        later.push_back({changes[i].key_hash, {}});
      for (int i = 0; i < 50; ++i) later.push_back({random_hash(), random_hash()});
      grown.update(later);
      made.update(later);
      CHECK(made.root() == grown.root());
    }
  }
}

TEST_CASE("state tree: erasing what is absent and setting what is there change nothing",
          "[state_tree]") {
  KeyValues state;
  for (std::uint64_t i = 0; i < 100; ++i) state[key_of(i)] = key_of(i);
  StateTree tree = tree_of(state);
  const Hash root = tree.root();
  std::vector<StateTree::Change> changes;
  for (std::uint64_t i = 0; i < 100; ++i) {
    changes.push_back(erase(key_of(i + 100)));
    changes.push_back(set(key_of(i), key_of(i)));
  }
  tree.update(std::move(changes));
  CHECK(tree.root() == root);
  CHECK(tree.leaf_count() == 100);
  tree.update({});
  CHECK(tree.root() == root);
}

TEST_CASE("state tree: every key has a proof, of its value or of its absence", "[state_tree]") {
  KeyValues state;
  bool saw_other_leaf = false;
  bool saw_empty_place = false;
  for (std::uint64_t count = 0; count < 80; ++count) {
    const StateTree tree = tree_of(state);
    for (std::uint64_t i = 0; i < 100; ++i) {
      const Bytes key = key_of(i);
      const auto value = value_of(state, key);
      const StateProof proof = tree.prove(key);
      REQUIRE(check_state_proof(tree.root(), key, value, proof).has_value());
      REQUIRE(decode<StateProof>(encode(proof)).value() == proof);
      REQUIRE_FALSE(check_state_proof(tree.root(), key, to_bytes("no"), proof).has_value());
      if (value) {
        REQUIRE_FALSE(check_state_proof(tree.root(), key, std::nullopt, proof).has_value());
      } else if (count > 0) {
        (proof.other_leaf ? saw_other_leaf : saw_empty_place) = true;
      }
    }
    state[key_of(count)] = key_of(count + 1);
  }
  CHECK(saw_other_leaf);
  CHECK(saw_empty_place);
}

TEST_CASE("state tree: a changed proof does not verify", "[state_tree]") {
  KeyValues state;
  for (std::uint64_t i = 0; i < 64; ++i) state[key_of(i)] = key_of(i);
  const StateTree tree = tree_of(state);
  for (std::uint64_t i = 0; i < 128; ++i) {  // the second half is absent
    const Bytes key = key_of(i);
    const auto value = value_of(state, key);
    const StateProof proof = tree.prove(key);
    const auto fails = [&](const StateProof& changed) {
      return !check_state_proof(tree.root(), key, value, changed).has_value();
    };
    REQUIRE_FALSE(fails(proof));
    for (std::size_t s = 0; s < proof.siblings.size(); ++s) {
      StateProof changed = proof;
      changed.siblings[s].bytes[s % 32] ^= 1;
      REQUIRE(fails(changed));
      changed = proof;
      changed.siblings.erase(changed.siblings.begin() + static_cast<std::ptrdiff_t>(s));
      REQUIRE(fails(changed));
    }
    StateProof longer = proof;
    longer.siblings.push_back(Hash{});
    REQUIRE(fails(longer));
    StateProof other = proof;
    if (proof.other_leaf) {
      other.other_leaf->value_hash.bytes[3] ^= 1;
      REQUIRE(fails(other));
      other = proof;
      other.other_leaf.reset();
      REQUIRE(fails(other));
    } else {
      other.other_leaf =
          StateProof::OtherLeaf{crypto::sha256(key_of(1)), crypto::sha256(key_of(1))};
      REQUIRE(fails(other));
    }
  }
}

TEST_CASE("state tree: a leaf from elsewhere does not prove absence", "[state_tree]") {
  // The proof of another key's value, turned into a claim that this key is absent.
  KeyValues state;
  for (std::uint64_t i = 0; i < 64; ++i) state[key_of(i)] = key_of(i);
  const StateTree tree = tree_of(state);
  const Bytes present = key_of(5);
  for (std::uint64_t i = 0; i < 64; ++i) {
    StateProof forged = tree.prove(key_of(i));
    forged.other_leaf = StateProof::OtherLeaf{crypto::sha256(key_of(i)), crypto::sha256(key_of(i))};
    REQUIRE(check_state_proof(tree.root(), present, std::nullopt, forged).error().code ==
            Errc::bad_proof);
  }
}

TEST_CASE("state tree: a proof of a tree that is not compact or has a misplaced leaf is refused",
          "[state_tree]") {
  // Roots that no StateTree gives, so that only the rule under test can refuse the proof.
  const Bytes key = key_of(1);
  const Hash key_hash = crypto::sha256(key);
  const Hash value_hash = crypto::sha256(key_of(2));
  const auto hash_of_leaf = [](const Hash& kh, const Hash& vh) {
    return crypto::sha256({Bytes{0x00}, kh.view(), vh.view()});
  };
  const auto root_over = [&](const Hash& on_path, const Hash& sibling) {
    return bit_of(key_hash, 0) ? merkle_node_hash(sibling, on_path)
                               : merkle_node_hash(on_path, sibling);
  };
  StateProof above_lone_leaf;
  above_lone_leaf.siblings = {Hash{}};
  CHECK(check_state_proof(root_over(hash_of_leaf(key_hash, value_hash), Hash{}), key, key_of(2),
                          above_lone_leaf)
            .error()
            .code == Errc::bad_proof);

  const Hash sibling = crypto::sha256(to_bytes("sibling"));
  Hash elsewhere = key_hash;
  elsewhere.bytes[0] ^= 0x80;
  StateProof misplaced;
  misplaced.siblings = {sibling};
  misplaced.other_leaf = StateProof::OtherLeaf{elsewhere, value_hash};
  const Hash wrong_root = root_over(hash_of_leaf(elsewhere, value_hash), sibling);
  CHECK(check_state_proof(wrong_root, key, std::nullopt, misplaced).error().code ==
        Errc::bad_proof);
  // The same shape with a leaf that belongs on the path is right.
  Hash beside = key_hash;
  beside.bytes[31] ^= 1;
  misplaced.other_leaf->key_hash = beside;
  CHECK(check_state_proof(root_over(hash_of_leaf(beside, value_hash), sibling), key, std::nullopt,
                          misplaced)
            .has_value());
}

TEST_CASE("state tree: a proof longer than the key is refused", "[state_tree]") {
  StateProof proof;
  proof.siblings.assign(257, crypto::sha256(to_bytes("x")));
  CHECK(check_state_proof(Hash{}, to_bytes("k"), std::nullopt, proof).error().code ==
        Errc::bad_proof);
}

TEST_CASE("state tree: all keys under a prefix are proved, none can be left out or added",
          "[state_tree]") {
  constexpr unsigned kBits = 6;
  bool saw_empty = false;
  bool saw_other = false;
  bool saw_lone = false;
  for (const std::uint64_t count : {0U, 1U, 2U, 5U, 40U, 100U, 700U}) {
    KeyValues state;
    for (std::uint64_t i = 0; i < count; ++i) state[key_of(i)] = key_of(i * 3);
    const StateTree tree = tree_of(state);
    std::vector<std::vector<StateLeaf>> parts(1U << kBits);
    for (const auto& [key, value] : state) {
      const Hash key_hash = crypto::sha256(key);
      parts[key_hash.bytes[0] >> (8 - kBits)].push_back({key_hash, crypto::sha256(value)});
    }
    for (std::size_t number = 0; number < parts.size(); ++number) {
      std::vector<StateLeaf>& leaves = parts[number];
      std::sort(leaves.begin(), leaves.end(),
                [](const StateLeaf& a, const StateLeaf& b) { return a.key_hash < b.key_hash; });
      Hash prefix;
      prefix.bytes[0] = static_cast<std::uint8_t>(number << (8 - kBits));
      const StateProof proof = tree.prove_prefix(prefix, kBits);
      const auto check = [&](const std::vector<StateLeaf>& claimed, const StateProof& with) {
        return check_prefix_proof(tree.root(), prefix, kBits, claimed, with).has_value();
      };
      REQUIRE(check(leaves, proof));
      saw_empty = saw_empty || (leaves.empty() && !proof.other_leaf);
      saw_other = saw_other || proof.other_leaf.has_value();
      saw_lone = saw_lone || (leaves.size() == 1 && proof.siblings.size() < kBits);
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        std::vector<StateLeaf> fewer = leaves;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        REQUIRE_FALSE(check(fewer, proof));
        std::vector<StateLeaf> changed = leaves;
        changed[i].value_hash.bytes[7] ^= 1;
        REQUIRE_FALSE(check(changed, proof));
      }
      std::vector<StateLeaf> more = leaves;
      Hash added = prefix;
      added.bytes[31] = 1;
      more.insert(more.begin(), {added, added});
      REQUIRE_FALSE(check(more, proof));
      for (std::size_t i = 0; i < proof.siblings.size(); ++i) {
        StateProof changed = proof;
        changed.siblings[i].bytes[1] ^= 1;
        REQUIRE_FALSE(check(leaves, changed));
        changed = proof;
        changed.siblings.resize(i);
        REQUIRE_FALSE(check(leaves, changed));
      }
      StateProof longer = proof;
      longer.siblings.resize(kBits + 1);
      REQUIRE_FALSE(check(leaves, longer));
    }
  }
  CHECK(saw_empty);
  CHECK(saw_other);
  CHECK(saw_lone);
}

}  // namespace baolian::ledger
