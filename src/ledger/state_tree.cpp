/// The compact sparse Merkle tree in two arenas with 32-bit references. A node keeps the hashes of
/// its children beside the references, so that hashing a dirty node reads no sibling: at a million
/// keys, cache misses cost as much as SHA-256 does. Recursion is at most 256 deep, the bits of kh.
#include "ledger/state_tree.h"

#include <algorithm>

#include "crypto/hash.h"
#include "ledger/merkle.h"

namespace baolian::ledger {
namespace {

constexpr unsigned kKeyBits = 256;

bool bit_of(const Hash& key_hash, unsigned depth) {
  return ((key_hash.bytes[depth / 8] >> (7 - depth % 8)) & 1) != 0;
}

Hash leaf_hash_of(const Hash& key_hash, const Hash& value_hash) {
  std::array<std::uint8_t, 1 + 2 * Hash::kSize> bytes;
  bytes[0] = 0x00;
  std::copy(key_hash.bytes.begin(), key_hash.bytes.end(), bytes.begin() + 1);
  std::copy(value_hash.bytes.begin(), value_hash.bytes.end(), bytes.begin() + 1 + Hash::kSize);
  return crypto::sha256(bytes);
}

bool shares_prefix(const Hash& a, const Hash& b, std::size_t bits) {
  for (unsigned depth = 0; depth < bits; ++depth) {
    if (bit_of(a, depth) != bit_of(b, depth)) return false;
  }
  return true;
}

Error bad_proof(const char* what) { return fail(Errc::bad_proof, what); }

}  // namespace

Result<void> check_state_proof(const Hash& root, BytesView key, const std::optional<Bytes>& value,
                               const StateProof& proof) {
  const std::size_t depth = proof.siblings.size();
  if (depth > kKeyBits) return bad_proof("a state proof has at most 256 siblings");
  const Hash key_hash = crypto::sha256(key);
  Hash hash;  // zeros: nothing stands where the path ends
  if (value) {
    if (proof.other_leaf) return bad_proof("a proof of a value names no other leaf");
    hash = leaf_hash_of(key_hash, crypto::sha256(*value));
  } else if (proof.other_leaf) {
    if (proof.other_leaf->key_hash == key_hash) return bad_proof("the other leaf is the key's own");
    if (!shares_prefix(proof.other_leaf->key_hash, key_hash, depth)) {
      return bad_proof("the other leaf does not stand on the key's path");
    }
    hash = leaf_hash_of(proof.other_leaf->key_hash, proof.other_leaf->value_hash);
  }
  // The compact tree has no node above a lone leaf or above nothing at all.
  if (depth > 0 && proof.siblings.back().is_zero()) {
    return bad_proof("the last sibling of a state proof cannot be empty");
  }
  for (std::size_t i = depth; i-- > 0;) {
    const Hash& sibling = proof.siblings[i];
    hash = bit_of(key_hash, static_cast<unsigned>(i)) ? merkle_node_hash(sibling, hash)
                                                      : merkle_node_hash(hash, sibling);
  }
  if (hash != root) return bad_proof("the state proof does not lead to the state root");
  return ok();
}

struct StateTree::Nodes {
  /// 0 = empty; with the top bit: index into `leaves`; else index into `inners`.
  using Ref = std::uint32_t;
  static constexpr Ref kEmpty = 0;
  static constexpr Ref kLeafBit = 0x80000000U;
  using Changes = std::span<const Change>;

  struct Inner {
    std::array<Ref, 2> refs{};
    std::array<Hash, 2> hashes{};
  };
  struct Leaf {
    Hash key_hash;
    Hash value_hash;
  };
  struct Child {
    Ref ref = kEmpty;
    Hash hash;  ///< zeros when empty
  };

  static bool is_leaf(Ref ref) { return (ref & kLeafBit) != 0; }
  static std::size_t leaf_index(Ref ref) { return ref & ~kLeafBit; }

  Child new_leaf(const Change& change) {
    const Leaf leaf{.key_hash = change.key_hash, .value_hash = *change.value_hash};
    std::size_t index = leaves.size();
    if (free_leaves.empty()) {
      ASSERT(index < kLeafBit);
      leaves.push_back(leaf);
    } else {
      index = free_leaves.back();
      free_leaves.pop_back();
      leaves[index] = leaf;
    }
    ++leaf_count;
    return {.ref = static_cast<Ref>(index) | kLeafBit,
            .hash = leaf_hash_of(leaf.key_hash, leaf.value_hash)};
  }

  void release(Ref ref) {
    if (ref == kEmpty) return;
    if (is_leaf(ref)) {
      free_leaves.push_back(static_cast<Ref>(leaf_index(ref)));
      --leaf_count;
    } else {
      free_inners.push_back(ref);
    }
  }

  /// The node over two children, kept in `ref` (kEmpty: a new one); none where the tree is compact.
  Child join(Ref ref, const Child& left, const Child& right) {
    const bool collapses_right = left.ref == kEmpty && (right.ref == kEmpty || is_leaf(right.ref));
    const bool collapses_left = right.ref == kEmpty && is_leaf(left.ref);
    if (collapses_right || collapses_left) {
      release(ref);
      return collapses_right ? right : left;
    }
    if (ref == kEmpty) ref = new_inner();
    inners[ref] = {.refs = {left.ref, right.ref}, .hashes = {left.hash, right.hash}};
    return {.ref = ref, .hash = merkle_node_hash(left.hash, right.hash)};
  }

  Ref new_inner() {
    if (free_inners.empty()) {
      ASSERT(inners.size() < kLeafBit);
      inners.emplace_back();
      return static_cast<Ref>(inners.size() - 1);
    }
    const Ref ref = free_inners.back();
    free_inners.pop_back();
    return ref;
  }

  static std::size_t split_at(Changes changes, unsigned depth) {
    ASSERT(depth < kKeyBits);
    const auto right = std::partition_point(
        changes.begin(), changes.end(),
        [depth](const Change& change) { return !bit_of(change.key_hash, depth); });
    return static_cast<std::size_t>(right - changes.begin());
  }

  /// A subtree of new leaves. Requires: every change sets a value.
  Child build(Changes sets, unsigned depth) {
    if (sets.empty()) return {};
    if (sets.size() == 1) return new_leaf(sets.front());
    const std::size_t middle = split_at(sets, depth);
    const Child left = build(sets.first(middle), depth + 1);
    const Child right = build(sets.subspan(middle), depth + 1);
    return join(kEmpty, left, right);
  }

  Child apply_to_empty(Changes changes, unsigned depth) {
    if (changes.size() == 1) {
      return changes.front().value_hash ? new_leaf(changes.front()) : Child{};
    }
    std::vector<Change> sets;
    sets.reserve(changes.size());
    for (const Change& change : changes) {
      if (change.value_hash) sets.push_back(change);
    }
    return build(sets, depth);
  }

  Child apply_to_leaf(const Child& at, Changes changes, unsigned depth) {
    Leaf& leaf = leaves[leaf_index(at.ref)];
    if (changes.size() == 1) {
      const Change& change = changes.front();
      if (change.key_hash != leaf.key_hash && !change.value_hash) return at;
      if (change.key_hash == leaf.key_hash && change.value_hash) {
        if (leaf.value_hash == *change.value_hash) return at;
        leaf.value_hash = *change.value_hash;
        return {.ref = at.ref, .hash = leaf_hash_of(leaf.key_hash, leaf.value_hash)};
      }
    }
    std::vector<Change> sets;
    sets.reserve(changes.size() + 1);
    const Change old{.key_hash = leaf.key_hash, .value_hash = leaf.value_hash};
    bool is_old_placed = false;
    for (const Change& change : changes) {
      if (!is_old_placed && old.key_hash <= change.key_hash) {
        if (old.key_hash != change.key_hash) sets.push_back(old);
        is_old_placed = true;
      }
      if (change.value_hash) sets.push_back(change);
    }
    if (!is_old_placed) sets.push_back(old);
    release(at.ref);
    return build(sets, depth);
  }

  /// Applies ascending changes to the subtree `at`. Requires: all begin with the subtree's path.
  Child apply(const Child& at, Changes changes, unsigned depth) {
    if (changes.empty()) return at;
    if (at.ref == kEmpty) return apply_to_empty(changes, depth);
    if (is_leaf(at.ref)) return apply_to_leaf(at, changes, depth);
    const std::size_t middle = split_at(changes, depth);
    const Inner node = inners[at.ref];  // by value: the arena may grow below
    const Child old_left{.ref = node.refs[0], .hash = node.hashes[0]};
    const Child old_right{.ref = node.refs[1], .hash = node.hashes[1]};
    const Child left = apply(old_left, changes.first(middle), depth + 1);
    const Child right = apply(old_right, changes.subspan(middle), depth + 1);
    if (left.hash == old_left.hash && right.hash == old_right.hash && left.ref == old_left.ref &&
        right.ref == old_right.ref) {
      return at;
    }
    return join(at.ref, left, right);
  }

  std::vector<Inner> inners = std::vector<Inner>(1);  ///< index 0 would be kEmpty
  std::vector<Leaf> leaves;
  std::vector<Ref> free_inners;
  std::vector<Ref> free_leaves;
  Child root;
  std::size_t leaf_count = 0;
};

StateTree::StateTree() : nodes_(std::make_unique<Nodes>()) {}
StateTree::~StateTree() = default;
StateTree::StateTree(StateTree&&) noexcept = default;
StateTree& StateTree::operator=(StateTree&&) noexcept = default;

void StateTree::update(std::vector<Change> changes) {
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.key_hash < b.key_hash; });
  for (std::size_t i = 1; i < changes.size(); ++i) {
    ASSERT(changes[i - 1].key_hash < changes[i].key_hash);
  }
  nodes_->root = nodes_->apply(nodes_->root, changes, 0);
}

Hash StateTree::root() const { return nodes_->root.hash; }

std::size_t StateTree::leaf_count() const { return nodes_->leaf_count; }

StateProof StateTree::prove(BytesView key) const {
  const Hash key_hash = crypto::sha256(key);
  StateProof proof;
  Nodes::Ref at = nodes_->root.ref;
  for (unsigned depth = 0; at != Nodes::kEmpty && !Nodes::is_leaf(at); ++depth) {
    const Nodes::Inner& node = nodes_->inners[at];
    const std::size_t side = bit_of(key_hash, depth) ? 1 : 0;
    proof.siblings.push_back(node.hashes[1 - side]);
    at = node.refs[side];
  }
  if (at == Nodes::kEmpty) return proof;
  const Nodes::Leaf& leaf = nodes_->leaves[Nodes::leaf_index(at)];
  if (leaf.key_hash != key_hash) {
    proof.other_leaf = StateProof::OtherLeaf{leaf.key_hash, leaf.value_hash};
  }
  return proof;
}

}  // namespace baolian::ledger
