/// The compact sparse Merkle tree in RAM. Its memory is what a node's people cost, so the lowest
/// subtrees are not nodes but buckets of a few leaves side by side, whose few inner hashes
/// are made again when one of them changes. Above them a node keeps the hashes of its children
/// beside the references, so that hashing a dirty node reads no sibling: at millions of keys a
/// cache miss costs as much as SHA-256 does. Recursion is at most 256 deep, the bits of kh.
///
/// The 16 subtrees below the top 4 bits are independent: each has its own arenas and may be changed
/// by a thread of its own.
#include "ledger/state_tree.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "core/prefetch.h"
#include "crypto/hash.h"
#include "ledger/merkle.h"
#include "ledger/sort_by_begin.h"

namespace baolian::ledger {
namespace {

constexpr unsigned kKeyBits = 256;
/// Measured at 1 M keys: 1 takes 168 bytes a key, 2 takes 116, 4 takes 90, 8 takes 78; up to 4
/// costs no time, 8 half a microsecond a key.
constexpr std::size_t kBucketLeavesMax = 4;
/// Neighbours become one bucket at half of that, so that a key that comes and goes moves nothing.
constexpr std::size_t kMergeLeavesMax = kBucketLeavesMax / 2;
constexpr unsigned kTopBits = 4;
constexpr std::size_t kSubtrees = std::size_t{1} << kTopBits;
/// Below this, threads cost more than they save.
constexpr std::size_t kParallelChangesMin = 4096;
constexpr std::size_t kPieceLeaves = 4096;

std::size_t subtree_of(const Hash& key_hash) { return key_hash.bytes[0] >> (8 - kTopBits); }

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

constexpr const char* kTooLong = "a state proof has at most 256 siblings";

/// The compact tree has no node above a lone leaf or above nothing at all, so that a path to either
/// has an empty sibling last nowhere.
Result<void> check_compact(const StateProof& proof) {
  if (!proof.siblings.empty() && proof.siblings.back().is_zero()) {
    return bad_proof("the last sibling of a state proof cannot be empty");
  }
  return ok();
}

/// From what stands where the path ends (`hash`) up to the root.
Result<void> climb(const Hash& root, const Hash& path, Hash hash, const StateProof& proof) {
  for (std::size_t i = proof.siblings.size(); i-- > 0;) {
    const Hash& sibling = proof.siblings[i];
    hash = bit_of(path, static_cast<unsigned>(i)) ? merkle_node_hash(sibling, hash)
                                                  : merkle_node_hash(hash, sibling);
  }
  if (hash != root) return bad_proof("the state proof does not lead to the state root");
  return ok();
}

}  // namespace

Result<void> check_state_proof(const Hash& root, BytesView key, const std::optional<Bytes>& value,
                               const StateProof& proof) {
  const std::size_t depth = proof.siblings.size();
  if (depth > kKeyBits) return bad_proof(kTooLong);
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
  TRY(check_compact(proof));
  return climb(root, key_hash, hash, proof);
}

namespace {

using Change = StateTree::Change;
using Changes = std::span<const Change>;

using Leaf = StateLeaf;
using Leaves = std::span<const Leaf>;

Hash hash_of(const Leaf& leaf) { return leaf_hash_of(leaf.key_hash, leaf.value_hash); }

/// How many of these ascending leaves or changes go left at this depth.
template <typename Item>
std::size_t split_at(std::span<const Item> items, unsigned depth) {
  ASSERT(depth < kKeyBits);
  const auto right = std::partition_point(items.begin(), items.end(), [depth](const Item& item) {
    return !bit_of(item.key_hash, depth);
  });
  return static_cast<std::size_t>(right - items.begin());
}

/// The hash of the subtree over these ascending leaves, whose keys agree in the first `depth` bits.
Hash subtree_hash(Leaves leaves, unsigned depth) {
  if (leaves.empty()) return Hash{};
  if (leaves.size() == 1) return hash_of(leaves.front());
  const std::size_t middle = split_at(leaves, depth);
  return merkle_node_hash(subtree_hash(leaves.first(middle), depth + 1),
                          subtree_hash(leaves.subspan(middle), depth + 1));
}

/// Slots of `stride` items each, by number; never moved, taken again when given back.
template <typename Item>
class Arena {
 public:
  explicit Arena(std::size_t stride) : stride_(stride) {}

  std::uint32_t take() {
    if (!free_.empty()) {
      const std::uint32_t slot = free_.back();
      free_.pop_back();
      return slot;
    }
    if (size_ % kChunkSlots == 0) {
      chunks_.push_back(std::make_unique<Item[]>(kChunkSlots * stride_));
    }
    return size_++;
  }
  void give_back(std::uint32_t slot) { free_.push_back(slot); }

  Item* at(std::uint32_t slot) {
    return chunks_[slot / kChunkSlots].get() + slot % kChunkSlots * stride_;
  }
  const Item* at(std::uint32_t slot) const {
    return chunks_[slot / kChunkSlots].get() + slot % kChunkSlots * stride_;
  }
  std::size_t memory_bytes() const {
    return chunks_.size() * (kChunkSlots * stride_ * sizeof(Item) + sizeof(void*)) +
           free_.capacity() * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t kChunkSlots = 64;
  std::size_t stride_;
  std::vector<std::unique_ptr<Item[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t size_ = 0;
};

/// What is looked for: everything whose kh begins with so many bits.
struct Sought {
  const Hash& path;
  unsigned bits;
};

/// One of the 16 subtrees.
class Subtree {
 public:
  Subtree() {
    for (std::size_t size = 1; size <= kBucketLeavesMax; ++size) buckets_.emplace_back(size);
  }

  /// Requires: it is empty; ascending leaves of this subtree's keys.
  void fill(Leaves leaves) {
    ASSERT(root_.ref == kEmpty);
    root_ = build(leaves, kTopBits);
    leaf_count_ = leaves.size();
  }
  /// Requires: ascending changes of this subtree's keys.
  void update(Changes changes) {
    expect(changes);
    root_ = apply(root_, changes, kTopBits);
  }
  const Hash& hash() const { return root_.hash; }
  std::size_t leaf_count() const { return leaf_count_; }
  /// The only leaf. Requires: leaf_count() == 1.
  const Leaf& only_leaf() const {
    ASSERT(leaf_count_ == 1 && is_bucket(root_.ref));
    return leaves_of(root_.ref).front();
  }
  void prove(const Sought& sought, StateProof& proof) const;

  std::size_t memory_bytes() const {
    std::size_t bytes = inners_.memory_bytes();
    for (const Arena<Leaf>& arena : buckets_) bytes += arena.memory_bytes();
    return bytes;
  }

 private:
  /// 0 = empty; with the top bit a bucket: then three bits for its leaves less one, and its slot in
  /// the arena of that size; else the slot of an inner node, plus one.
  using Ref = std::uint32_t;
  static constexpr Ref kEmpty = 0;
  static constexpr Ref kBucketBit = 0x80000000U;
  static constexpr unsigned kSizeShift = 28;
  static constexpr Ref kSlotMask = (Ref{1} << kSizeShift) - 1;

  struct Inner {
    std::array<Ref, 2> refs{};
    std::array<Hash, 2> hashes{};
  };
  struct Child {
    Ref ref = kEmpty;
    Hash hash;  ///< zeros when empty
  };

  static bool is_bucket(Ref ref) { return (ref & kBucketBit) != 0; }
  static std::size_t bucket_size(Ref ref) { return ((ref & ~kBucketBit) >> kSizeShift) + 1; }
  /// Leaves of a bucket or of nothing.
  Leaves leaves_of(Ref ref) const {
    if (ref == kEmpty) return {};
    const std::size_t size = bucket_size(ref);
    return {buckets_[size - 1].at(ref & kSlotMask), size};
  }

  Child new_bucket(Leaves leaves, const Hash& hash) {
    Arena<Leaf>& arena = buckets_[leaves.size() - 1];
    const std::uint32_t slot = arena.take();
    ASSERT(slot <= kSlotMask);
    std::copy(leaves.begin(), leaves.end(), arena.at(slot));
    return {.ref = kBucketBit | static_cast<Ref>(leaves.size() - 1) << kSizeShift | slot,
            .hash = hash};
  }
  void release(Ref ref) {
    if (ref == kEmpty) return;
    if (is_bucket(ref)) {
      buckets_[bucket_size(ref) - 1].give_back(ref & kSlotMask);
    } else {
      inners_.give_back(ref - 1);
    }
  }

  Child build(Leaves leaves, unsigned depth);
  Child join(Ref ref, const Child& left, const Child& right);
  void expect(Changes changes) const;
  bool merge(Leaves old, Changes changes);
  Child apply_to_bucket(const Child& at, Changes changes, unsigned depth);
  Child apply(const Child& at, Changes changes, unsigned depth);

  Arena<Inner> inners_{1};
  std::vector<Arena<Leaf>> buckets_;  ///< by number of leaves
  std::vector<Leaf> merged_;          ///< what merge() made; kept for its memory
  Child root_;
  std::size_t leaf_count_ = 0;
};

/// A subtree of new leaves.
Subtree::Child Subtree::build(Leaves leaves, unsigned depth) {
  if (leaves.empty()) return {};
  if (leaves.size() <= kBucketLeavesMax) return new_bucket(leaves, subtree_hash(leaves, depth));
  const std::size_t middle = split_at(leaves, depth);
  const Child left = build(leaves.first(middle), depth + 1);
  const Child right = build(leaves.subspan(middle), depth + 1);
  return join(kEmpty, left, right);
}

/// The node over two children, kept in `ref` (kEmpty: a new one), or one bucket of their few
/// leaves.
Subtree::Child Subtree::join(Ref ref, const Child& left, const Child& right) {
  const auto is_small = [](Ref child) { return child == kEmpty || is_bucket(child); };
  if (is_small(left.ref) && is_small(right.ref)) {
    const Leaves on_left = leaves_of(left.ref);
    const Leaves on_right = leaves_of(right.ref);
    const std::size_t count = on_left.size() + on_right.size();
    if (count <= kMergeLeavesMax) {
      release(ref);
      if (count <= 1) return on_left.empty() ? right : left;
      std::array<Leaf, kMergeLeavesMax> leaves;
      std::copy(on_right.begin(), on_right.end(),
                std::copy(on_left.begin(), on_left.end(), leaves.begin()));
      release(left.ref);
      release(right.ref);
      return new_bucket(Leaves(leaves).first(count), merkle_node_hash(left.hash, right.hash));
    }
  }
  if (ref == kEmpty) {
    ref = inners_.take() + 1;
    ASSERT(!is_bucket(ref));
  }
  *inners_.at(ref - 1) = {.refs = {left.ref, right.ref}, .hashes = {left.hash, right.hash}};
  return {.ref = ref, .hash = merkle_node_hash(left.hash, right.hash)};
}

/// Asks for the memory of all paths before the first is walked, level by level: a node's place is
/// known only when the one above it is here, but those of one level can be waited for together.
void Subtree::expect(Changes changes) const {
  struct Walker {
    const Hash* path;
    Ref at;
  };
  std::vector<Walker> walkers;
  walkers.reserve(changes.size());
  for (const Change& change : changes) walkers.push_back({&change.key_hash, root_.ref});
  const auto step = [this](Walker& walker, unsigned depth) {
    if (walker.at == kEmpty || is_bucket(walker.at)) return true;  // at the end
    walker.at = inners_.at(walker.at - 1)->refs[bit_of(*walker.path, depth) ? 1 : 0];
    if (walker.at == kEmpty) return true;
    if (is_bucket(walker.at)) {
      const Leaves leaves = leaves_of(walker.at);
      prefetch(leaves.data(), leaves.size_bytes());
    } else {
      prefetch(inners_.at(walker.at - 1), sizeof(Inner));
    }
    return false;
  };
  for (unsigned depth = kTopBits; !walkers.empty(); ++depth) {
    std::erase_if(walkers, [&](Walker& walker) { return step(walker, depth); });
  }
}

/// merged_ := `old` with the changes made. Returns: whether anything is different.
bool Subtree::merge(Leaves old, Changes changes) {
  merged_.clear();
  bool is_changed = false;
  auto next = old.begin();
  for (const Change& change : changes) {
    while (next != old.end() && next->key_hash < change.key_hash) merged_.push_back(*next++);
    const Leaf* present = next != old.end() && next->key_hash == change.key_hash ? &*next : nullptr;
    if (present != nullptr) ++next;
    if (change.value_hash) merged_.push_back({change.key_hash, *change.value_hash});
    is_changed = is_changed || (present == nullptr ? change.value_hash.has_value()
                                                   : change.value_hash != present->value_hash);
  }
  merged_.insert(merged_.end(), next, old.end());
  return is_changed;
}

Subtree::Child Subtree::apply_to_bucket(const Child& at, Changes changes, unsigned depth) {
  const Leaves old = leaves_of(at.ref);
  if (!merge(old, changes)) return at;
  leaf_count_ += merged_.size();
  leaf_count_ -= old.size();
  if (merged_.size() == old.size()) {
    std::copy(merged_.begin(), merged_.end(), buckets_[old.size() - 1].at(at.ref & kSlotMask));
    return {.ref = at.ref, .hash = subtree_hash(merged_, depth)};
  }
  release(at.ref);
  return build(merged_, depth);
}

/// Applies ascending changes to the subtree `at`. Requires: all begin with the subtree's path.
Subtree::Child Subtree::apply(const Child& at, Changes changes, unsigned depth) {
  if (changes.empty()) return at;
  if (at.ref == kEmpty || is_bucket(at.ref)) return apply_to_bucket(at, changes, depth);
  const std::size_t middle = split_at(changes, depth);
  const Inner node = *inners_.at(at.ref - 1);  // by value: below, the slot may be given back
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

/// Adds the path of what is sought within these leaves, which stand at `depth`.
void prove_in_leaves(Leaves leaves, unsigned depth, const Sought& sought, StateProof& proof) {
  for (; leaves.size() > 1 && depth < sought.bits; ++depth) {
    const std::size_t middle = split_at(leaves, depth);
    const Leaves left = leaves.first(middle);
    const Leaves right = leaves.subspan(middle);
    const bool goes_right = bit_of(sought.path, depth);
    proof.siblings.push_back(subtree_hash(goes_right ? left : right, depth + 1));
    leaves = goes_right ? right : left;
  }
  if (leaves.size() != 1) return;
  const Leaf& leaf = leaves.front();
  if (!shares_prefix(leaf.key_hash, sought.path, sought.bits)) {
    proof.other_leaf = StateProof::OtherLeaf{leaf.key_hash, leaf.value_hash};
  }
}

void Subtree::prove(const Sought& sought, StateProof& proof) const {
  Ref at = root_.ref;
  unsigned depth = kTopBits;
  for (; at != kEmpty && !is_bucket(at); ++depth) {
    if (depth == sought.bits) return;
    const Inner& node = *inners_.at(at - 1);
    const std::size_t side = bit_of(sought.path, depth) ? 1 : 0;
    proof.siblings.push_back(node.hashes[1 - side]);
    at = node.refs[side];
  }
  prove_in_leaves(leaves_of(at), depth, sought, proof);
}

}  // namespace

/// The 16 subtrees and the few nodes above them, as a heap: top[1] is the root, top[2 i] and
/// top[2 i + 1] are below top[i], top[16 + s] is subtree s.
struct StateTree::Nodes {
  explicit Nodes(unsigned wanted_threads) : threads(wanted_threads) {}

  void update(Changes changes) {
    std::array<Changes, kSubtrees> parts;
    auto from = changes.begin();
    for (std::size_t s = 0; s < kSubtrees; ++s) {
      const auto to = std::partition_point(from, changes.end(), [s](const Change& change) {
        return subtree_of(change.key_hash) <= s;
      });
      parts[s] = {from, to};
      from = to;
    }
    for_each_subtree(changes.size() >= kParallelChangesMin ? threads : 1,
                     [&](std::size_t s) { subtrees[s].update(parts[s]); });
    hash_top();
  }

  template <typename Work>
  static void for_each_subtree(unsigned threads, const Work& work) {
    std::atomic<std::size_t> next = 0;
    const auto take = [&] {
      for (std::size_t s = next++; s < kSubtrees; s = next++) work(s);
    };
    std::vector<std::thread> helpers;
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back(take);
    take();
    for (std::thread& helper : helpers) helper.join();
  }

  void hash_top() {
    for (std::size_t s = 0; s < kSubtrees; ++s) {
      top[kSubtrees + s] = {subtrees[s].hash(), subtrees[s].leaf_count()};
    }
    for (std::size_t i = kSubtrees - 1; i > 0; --i) {
      const Top& left = top[2 * i];
      const Top& right = top[2 * i + 1];
      top[i].leaf_count = left.leaf_count + right.leaf_count;
      if (top[i].leaf_count <= 1) {
        top[i].hash = left.leaf_count == 1 ? left.hash : right.hash;
      } else {
        top[i].hash = merkle_node_hash(left.hash, right.hash);
      }
    }
  }

  StateProof prove(const Sought& sought) const {
    StateProof proof;
    std::size_t at = 1;
    for (unsigned depth = 0; at < kSubtrees && top[at].leaf_count > 1; ++depth) {
      if (depth == sought.bits) return proof;
      at = 2 * at + (bit_of(sought.path, depth) ? 1 : 0);
      proof.siblings.push_back(top[at ^ 1].hash);
    }
    if (top[at].leaf_count == 0) return proof;
    if (at >= kSubtrees) {
      subtrees[at - kSubtrees].prove(sought, proof);
      return proof;
    }
    while (at < kSubtrees) at = 2 * at + (top[2 * at].leaf_count == 1 ? 0 : 1);
    prove_in_leaves({&subtrees[at - kSubtrees].only_leaf(), 1}, kTopBits, sought, proof);
    return proof;
  }

  struct Top {
    Hash hash;
    std::size_t leaf_count = 0;
  };
  std::array<Subtree, kSubtrees> subtrees;
  std::array<Top, 2 * kSubtrees> top;
  unsigned threads;
};

StateTree::StateTree(unsigned threads) : nodes_(std::make_unique<Nodes>(threads)) {}
StateTree::~StateTree() = default;
StateTree::StateTree(StateTree&&) noexcept = default;
StateTree& StateTree::operator=(StateTree&&) noexcept = default;

void StateTree::update(std::vector<Change> changes) {
  sort_by_begin(
      changes, [](const Change& change) { return first_bytes(change.key_hash.view()); },
      [](const Change& a, const Change& b) { return a.key_hash < b.key_hash; });
  for (std::size_t i = 1; i < changes.size(); ++i) {
    ASSERT(changes[i - 1].key_hash < changes[i].key_hash);
  }
  nodes_->update(changes);
}

void StateLeaves::add(const StateLeaf& leaf) {
  auto& pieces = pieces_[subtree_of(leaf.key_hash)];
  if (pieces.empty() || pieces.back().size() == kPieceLeaves) {
    pieces.emplace_back().reserve(kPieceLeaves);
  }
  pieces.back().push_back(leaf);
}

void StateLeaves::join(StateLeaves&& other) {
  for (std::size_t s = 0; s < kParts; ++s) {
    // The last piece may have room: whoever adds next looks only at the new last one.
    std::move(other.pieces_[s].begin(), other.pieces_[s].end(), std::back_inserter(pieces_[s]));
    other.pieces_[s].clear();
  }
}

void StateTree::build(StateLeaves leaves) {
  static_assert(StateLeaves::kParts == kSubtrees);
  Nodes::for_each_subtree(nodes_->threads, [&](std::size_t s) {
    std::vector<StateLeaf> all;
    std::size_t count = 0;
    for (const auto& piece : leaves.pieces_[s]) count += piece.size();
    all.reserve(count);
    for (auto& piece : leaves.pieces_[s]) {
      all.insert(all.end(), piece.begin(), piece.end());
      piece = {};
    }
    std::sort(all.begin(), all.end(),
              [](const StateLeaf& a, const StateLeaf& b) { return a.key_hash < b.key_hash; });
    for (std::size_t i = 1; i < all.size(); ++i) ASSERT(all[i - 1].key_hash < all[i].key_hash);
    nodes_->subtrees[s].fill(all);
  });
  nodes_->hash_top();
}

Hash StateTree::root() const { return nodes_->top[1].hash; }

std::size_t StateTree::leaf_count() const { return nodes_->top[1].leaf_count; }

std::size_t StateTree::memory_bytes() const {
  std::size_t bytes = 0;
  for (const Subtree& subtree : nodes_->subtrees) bytes += subtree.memory_bytes();
  return bytes;
}

StateProof StateTree::prove(BytesView key) const {
  const Hash key_hash = crypto::sha256(key);
  return nodes_->prove({key_hash, kKeyBits});
}

StateProof StateTree::prove_prefix(const Hash& prefix, unsigned bits) const {
  ASSERT(bits <= kKeyBits);
  return nodes_->prove({prefix, bits});
}

Result<void> check_prefix_proof(const Hash& root, const Hash& prefix, unsigned bits,
                                std::span<const StateLeaf> leaves, const StateProof& proof) {
  const std::size_t depth = proof.siblings.size();
  if (depth > bits) return bad_proof("the path is longer than the prefix");
  // Two leaves or more stand where the prefix ends, or below.
  if (leaves.size() > 1 && depth != bits) return bad_proof("the path ends above the prefix");
  Hash hash = subtree_hash(leaves, static_cast<unsigned>(depth));
  if (proof.other_leaf) {
    const StateLeaf other{proof.other_leaf->key_hash, proof.other_leaf->value_hash};
    if (!leaves.empty()) return bad_proof("a proof of leaves names no other leaf");
    if (shares_prefix(other.key_hash, prefix, bits)) {
      return bad_proof("the other leaf begins with the prefix");
    }
    if (!shares_prefix(other.key_hash, prefix, depth)) {
      return bad_proof("the other leaf does not stand on the prefix's path");
    }
    hash = hash_of(other);
  }
  if (leaves.size() <= 1) TRY(check_compact(proof));
  return climb(root, prefix, hash, proof);
}

}  // namespace baolian::ledger
