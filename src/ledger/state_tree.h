/// state_root: a compact binary sparse Merkle tree over the whole state (ledger.md). kh = H(key);
/// leaf = H(0x00 || kh || H(value)); node = H(0x01 || left || right); empty = 32 zero bytes; a
/// subtree with one leaf is that leaf. The root is a pure function of the set of keys and values.
/// Kept in RAM, rebuilt at start.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian::ledger {

/// Proof that a key has a value, or is absent, under a root. Bits of kh are walked from the most
/// significant of byte 0.
struct StateProof {
  static constexpr std::string_view kTypeName = "StateProof";
  /// Sibling hashes from the root down to where the path ends; an empty sibling is zeros.
  std::vector<Hash> siblings;
  /// Absence only: the leaf that stands where the key would be (its kh, H(value)); nothing if the
  /// place is empty.
  struct OtherLeaf {
    static constexpr std::string_view kTypeName = "OtherLeaf";
    Hash key_hash;
    Hash value_hash;
    friend bool operator==(const OtherLeaf&, const OtherLeaf&) = default;
    static constexpr auto fields() {
      return field_list(field("key_hash", &OtherLeaf::key_hash, "kh of the leaf that is there"),
                        field("value_hash", &OtherLeaf::value_hash, "H(value) of that leaf"));
    }
  };
  std::optional<OtherLeaf> other_leaf;

  friend bool operator==(const StateProof&, const StateProof&) = default;
  static constexpr auto fields() {
    return field_list(
        field("siblings", &StateProof::siblings, at_most(256), "from the root down"),
        field("other_leaf", &StateProof::other_leaf, "absence: the leaf found instead"));
  }
};

/// Returns: Errc::bad_proof unless `key` has `value` (nullopt: is absent) under `root`.
Result<void> check_state_proof(const Hash& root, BytesView key, const std::optional<Bytes>& value,
                               const StateProof& proof);

struct StateLeaf {
  Hash key_hash;    ///< kh
  Hash value_hash;  ///< H(value)
};
/// Returns: Errc::bad_proof unless the leaves are all that stands under `root` with a kh that
/// begins with the first `bits` bits of `prefix`. Requires: strictly ascending leaves that begin
/// so.
Result<void> check_prefix_proof(const Hash& root, const Hash& prefix, unsigned bits,
                                std::span<const StateLeaf> leaves, const StateProof& proof);

/// The leaves of a whole state, gathered in no order, of which a tree is made at once. 64 bytes a
/// leaf, in pieces that are given back while the tree grows.
class StateLeaves {
 public:
  void add(const StateLeaf& leaf);
  /// Takes what another gathered.
  void join(StateLeaves&& other);

 private:
  friend class StateTree;
  static constexpr std::size_t kParts = 16;  ///< by the top bits of kh
  std::array<std::vector<std::vector<StateLeaf>>, kParts> pieces_;
};

class StateTree {
 public:
  /// Changes of the top 4 bits' subtrees are made by up to `threads` threads when they are many.
  /// The root never depends on it.
  explicit StateTree(unsigned threads = 1);
  ~StateTree();
  StateTree(StateTree&&) noexcept;
  StateTree& operator=(StateTree&&) noexcept;

  /// One change: H(key) and the new H(value), nullopt = erase. Erasing what is absent changes
  /// nothing.
  struct Change {
    Hash key_hash;
    std::optional<Hash> value_hash;
  };
  /// Applies a block's changes in one pass; each dirty node is hashed once. `changes` may be in any
  /// order, one per key.
  void update(std::vector<Change> changes);
  /// Makes the tree of these leaves; each node is hashed once, where many updates hash most of them
  /// many times. Requires: the tree is empty, no key stands twice.
  void build(StateLeaves leaves);
  Hash root() const;
  std::size_t leaf_count() const;
  /// Bytes held for nodes, used and free. Without what the allocator adds.
  std::size_t memory_bytes() const;
  StateProof prove(BytesView key) const;
  /// Where the subtree of all keys stands whose kh begins with the first `bits` bits of `prefix`:
  /// its siblings from the root down, `bits` of them unless the path ends earlier, at nothing or at
  /// a lone leaf. If that leaf does not begin so, it is the other leaf: the subtree is empty.
  /// Requires: bits <= 256.
  StateProof prove_prefix(const Hash& prefix, unsigned bits) const;

 private:
  struct Nodes;
  std::unique_ptr<Nodes> nodes_;
};

}  // namespace baolian::ledger
