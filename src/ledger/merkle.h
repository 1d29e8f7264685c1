/// The append-only Merkle tree of RFC 9162 section 2.1: leaf = H(0x00 || bytes), node = H(0x01 ||
/// left || right), split at the largest power of two below the size. One implementation serves
/// operations_root, history_root and every complete log.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian::ledger {

/// Errc::bad_proof: why a proof of this tree, of the state's or of a log does not hold.
Error bad_proof(const char* what);

/// Root of the empty tree: SHA-256 of nothing (RFC 9162 2.1.1).
Hash empty_merkle_root();
Hash merkle_leaf_hash(BytesView leaf);
Hash merkle_node_hash(const Hash& left, const Hash& right);

/// Root over leaf hashes, in order.
Hash merkle_root(std::span<const Hash> leaf_hashes);

/// Sibling hashes from the leaf up (RFC 9162 2.1.3.1). Requires: index < leaf_hashes.size().
std::vector<Hash> inclusion_path(std::span<const Hash> leaf_hashes, std::uint64_t index);
/// The root that this leaf and path lead to.
/// Returns: Errc::bad_proof if index >= size or the path has another length.
Result<Hash> root_from_inclusion(const Hash& leaf_hash, std::uint64_t index, std::uint64_t size,
                                 std::span<const Hash> path);

/// The frontier of a growing tree: its count and the roots of its perfect subtrees, from the
/// largest. At most 64 hashes.
struct Frontier {
  static constexpr std::string_view kTypeName = "Frontier";
  std::uint64_t count = 0;
  std::vector<Hash> peaks;

  friend bool operator==(const Frontier&, const Frontier&) = default;
  static constexpr auto fields() {
    return field_list(
        field("count", &Frontier::count, "number of leaves"),
        field("peaks", &Frontier::peaks, at_most(64),
              "roots of the perfect subtrees, largest first; one per set bit of count"));
  }

  /// Appends a leaf hash: amortised one node hash.
  void append(const Hash& leaf_hash);
  /// Called with every perfect subtree of two or more leaves that an append completes: its root is
  /// over leaves [first, first + 2^level).
  using SubtreeSink = std::function<void(unsigned level, std::uint64_t first, const Hash& root)>;
  void append(const Hash& leaf_hash, const SubtreeSink& completed);
  /// The tree's root: the peaks bagged from the right.
  Hash root() const;
  /// True if there is one peak per set bit of count. A decoded frontier must be checked.
  bool is_well_formed() const {
    return peaks.size() == static_cast<std::size_t>(__builtin_popcountll(count));
  }
};

/// Where hashes of perfect subtrees come from: `subtree(first, size)` is the root over leaves
/// [first, first + size), size a power of two and first a multiple of it.
using SubtreeSource = std::function<Result<Hash>(std::uint64_t first, std::uint64_t size)>;

/// The hashes that, with the leaves [first, end), give the root of a tree of `size` leaves: roots
/// of the maximal subtrees outside of the range, in left-to-right order. Imperfect right-edge
/// subtrees are composed from perfect ones. Requires: first < end <= size, or first == end == size
/// == 0.
Result<std::vector<Hash>> range_proof(std::uint64_t first, std::uint64_t end, std::uint64_t size,
                                      const SubtreeSource& source);
/// The root that these consecutive leaf hashes and the proof lead to.
/// Returns: Errc::bad_proof for a proof of another shape.
Result<Hash> root_from_range(std::uint64_t first, std::span<const Hash> leaf_hashes,
                             std::uint64_t size, std::span<const Hash> proof);

/// inclusion_path for a tree that is not in memory: sibling hashes of leaf `index` from the leaf
/// up. Requires: index < size.
Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                          const SubtreeSource& source);

/// Consistency between two sizes of one tree (RFC 9162 2.1.4). Requires: 0 < old_size <= new_size.
Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                            const SubtreeSource& source);
/// Returns: Errc::bad_proof if the new root does not extend the old one, or a size is not in
/// 0 < old_size <= new_size.
Result<void> check_consistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size,
                               const Hash& new_root, std::span<const Hash> proof);

}  // namespace baolian::ledger
