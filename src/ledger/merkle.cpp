/// RFC 9162 section 2.1. The proofs follow the RFC's recursive definitions; depth is at most 64,
/// the bits of a size.
#include "ledger/merkle.h"

#include <algorithm>
#include <bit>

#include "crypto/hash.h"

namespace baolian::ledger {
namespace {

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;

/// The largest power of two below `size`. Requires: size >= 2.
std::uint64_t split_of(std::uint64_t size) {
  ASSERT(size >= 2);
  return std::bit_floor(size - 1);
}

/// Root over leaves [first, first + size), where only the right edge of the tree may be imperfect:
/// bags the perfect subtrees from the right. Requires: size >= 1.
Result<Hash> subtree_root(std::uint64_t first, std::uint64_t size, const SubtreeSource& source) {
  if (std::has_single_bit(size)) return source(first, size);
  const std::uint64_t left_size = split_of(size);
  TRY(const Hash left, source(first, left_size));
  TRY(const Hash right, subtree_root(first + left_size, size - left_size, source));
  return merkle_node_hash(left, right);
}

/// Collects the subtrees outside of [first, end) below the node over [low, high).
class RangeProver {
 public:
  RangeProver(std::uint64_t first, std::uint64_t end, const SubtreeSource& source)
      : first_(first), end_(end), source_(source) {}

  Result<void> visit(std::uint64_t low, std::uint64_t high) {
    if (high <= first_ || low >= end_) {
      TRY(const Hash root, subtree_root(low, high - low, source_));
      proof_.push_back(root);
      return ok();
    }
    if (first_ <= low && high <= end_) return ok();
    const std::uint64_t middle = low + split_of(high - low);
    TRY(visit(low, middle));
    return visit(middle, high);
  }
  std::vector<Hash> take() { return std::move(proof_); }

 private:
  std::uint64_t first_;
  std::uint64_t end_;
  const SubtreeSource& source_;
  std::vector<Hash> proof_;
};

/// The same walk, consuming the proof.
class RangeChecker {
 public:
  RangeChecker(std::uint64_t first, std::span<const Hash> leaf_hashes, std::span<const Hash> proof)
      : first_(first), end_(first + leaf_hashes.size()), leaf_hashes_(leaf_hashes), rest_(proof) {}

  Result<Hash> visit(std::uint64_t low, std::uint64_t high) {
    if (high <= first_ || low >= end_) {
      if (rest_.empty()) return bad_proof("the range proof has too few hashes");
      const Hash root = rest_.front();
      rest_ = rest_.subspan(1);
      return root;
    }
    if (first_ <= low && high <= end_) {
      return merkle_root(leaf_hashes_.subspan(static_cast<std::size_t>(low - first_),
                                              static_cast<std::size_t>(high - low)));
    }
    const std::uint64_t middle = low + split_of(high - low);
    TRY(const Hash left, visit(low, middle));
    TRY(const Hash right, visit(middle, high));
    return merkle_node_hash(left, right);
  }
  bool is_used_up() const { return rest_.empty(); }

 private:
  std::uint64_t first_;
  std::uint64_t end_;
  std::span<const Hash> leaf_hashes_;
  std::span<const Hash> rest_;
};

/// Whether the old subtree's root is one the verifier has already.
enum class OldRoot : bool { not_known, known };

/// SUBPROOF of RFC 9162 2.1.4.1 over the subtree [low, low + size), of which the old tree has the
/// first `old_size` leaves.
Result<void> subproof(std::uint64_t old_size, std::uint64_t low, std::uint64_t size, OldRoot known,
                      const SubtreeSource& source, std::vector<Hash>& out) {
  if (old_size == size) {
    if (known == OldRoot::known) return ok();
    TRY(const Hash root, subtree_root(low, size, source));
    out.push_back(root);
    return ok();
  }
  const std::uint64_t left_size = split_of(size);
  if (old_size <= left_size) {
    TRY(subproof(old_size, low, left_size, known, source, out));
    TRY(const Hash right, subtree_root(low + left_size, size - left_size, source));
    out.push_back(right);
    return ok();
  }
  TRY(subproof(old_size - left_size, low + left_size, size - left_size, OldRoot::not_known, source,
               out));
  TRY(const Hash left, source(low, left_size));
  out.push_back(left);
  return ok();
}

}  // namespace

Error bad_proof(const char* what) { return fail(Errc::bad_proof, what); }

Hash empty_merkle_root() { return crypto::sha256(BytesView{}); }

Hash merkle_leaf_hash(BytesView leaf) { return crypto::sha256({{&kLeafPrefix, 1}, leaf}); }

Hash merkle_node_hash(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 1 + 2 * Hash::kSize> bytes;
  bytes[0] = kNodePrefix;
  std::copy(left.bytes.begin(), left.bytes.end(), bytes.begin() + 1);
  std::copy(right.bytes.begin(), right.bytes.end(), bytes.begin() + 1 + Hash::kSize);
  return crypto::sha256(bytes);
}

Hash merkle_root(std::span<const Hash> leaf_hashes) {
  if (leaf_hashes.empty()) return empty_merkle_root();
  // Pairs level by level; a last odd node moves up unchanged. That is the RFC's tree: every left
  // subtree is perfect.
  std::vector<Hash> level(leaf_hashes.begin(), leaf_hashes.end());
  while (level.size() > 1) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      level[out++] = i + 1 < level.size() ? merkle_node_hash(level[i], level[i + 1]) : level[i];
    }
    level.resize(out);
  }
  return level.front();
}

std::vector<Hash> inclusion_path(std::span<const Hash> leaf_hashes, std::uint64_t index) {
  ASSERT(index < leaf_hashes.size());
  std::vector<Hash> path;
  std::vector<Hash> level(leaf_hashes.begin(), leaf_hashes.end());
  auto position = static_cast<std::size_t>(index);
  while (level.size() > 1) {
    const std::size_t sibling = position ^ 1;
    if (sibling < level.size()) path.push_back(level[sibling]);
    std::size_t out = 0;
    for (std::size_t i = 0; i < level.size(); i += 2) {
      level[out++] = i + 1 < level.size() ? merkle_node_hash(level[i], level[i + 1]) : level[i];
    }
    level.resize(out);
    position /= 2;
  }
  return path;
}

Result<Hash> root_from_inclusion(const Hash& leaf_hash, std::uint64_t index, std::uint64_t size,
                                 std::span<const Hash> path) {
  if (index >= size) return bad_proof("the leaf's index is not below the size of the tree");
  // RFC 9162 2.1.3.2.
  std::uint64_t position = index;
  std::uint64_t last = size - 1;
  Hash root = leaf_hash;
  for (const Hash& sibling : path) {
    if (last == 0) return bad_proof("the inclusion path is too long");
    if ((position & 1) != 0 || position == last) {
      root = merkle_node_hash(sibling, root);
      while ((position & 1) == 0 && position != 0) {
        position >>= 1;
        last >>= 1;
      }
    } else {
      root = merkle_node_hash(root, sibling);
    }
    position >>= 1;
    last >>= 1;
  }
  if (last != 0) return bad_proof("the inclusion path is too short");
  return root;
}

void Frontier::append(const Hash& leaf_hash) {
  append(leaf_hash, [](unsigned, std::uint64_t, const Hash&) {});
}

void Frontier::append(const Hash& leaf_hash, const SubtreeSink& completed) {
  ASSERT(is_well_formed());
  ASSERT(count < UINT64_MAX);
  Hash root = leaf_hash;
  unsigned level = 0;
  for (std::uint64_t rest = count; (rest & 1) != 0; rest >>= 1) {
    root = merkle_node_hash(peaks.back(), root);
    peaks.pop_back();
    ++level;
    completed(level, (count >> level) << level, root);
  }
  peaks.push_back(root);
  ++count;
}

Hash Frontier::root() const {
  ASSERT(is_well_formed());
  if (peaks.empty()) return empty_merkle_root();
  Hash root = peaks.back();
  for (std::size_t i = peaks.size() - 1; i-- > 0;) root = merkle_node_hash(peaks[i], root);
  return root;
}

Result<std::vector<Hash>> range_proof(std::uint64_t first, std::uint64_t end, std::uint64_t size,
                                      const SubtreeSource& source) {
  if (size == 0) {
    ASSERT(first == 0 && end == 0);
    return std::vector<Hash>{};
  }
  ASSERT(first < end && end <= size);
  RangeProver prover(first, end, source);
  TRY(prover.visit(0, size));
  return prover.take();
}

Result<Hash> root_from_range(std::uint64_t first, std::span<const Hash> leaf_hashes,
                             std::uint64_t size, std::span<const Hash> proof) {
  if (size == 0) {
    if (first != 0 || !leaf_hashes.empty() || !proof.empty()) {
      return bad_proof("an empty tree has neither leaves nor a range proof");
    }
    return empty_merkle_root();
  }
  if (leaf_hashes.empty()) return bad_proof("a range proof needs at least one leaf");
  if (first >= size || leaf_hashes.size() > size - first) {
    return bad_proof("the range ends beyond the size of the tree");
  }
  RangeChecker checker(first, leaf_hashes, proof);
  TRY(const Hash root, checker.visit(0, size));
  if (!checker.is_used_up()) return bad_proof("the range proof has too many hashes");
  return root;
}

Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                          const SubtreeSource& source) {
  ASSERT(index < size);
  std::vector<Hash> path;
  std::uint64_t low = 0;
  std::uint64_t high = size;
  while (high - low > 1) {
    const std::uint64_t middle = low + split_of(high - low);
    if (index < middle) {
      TRY(const Hash right, subtree_root(middle, high - middle, source));
      path.push_back(right);
      high = middle;
    } else {
      TRY(const Hash left, source(low, middle - low));
      path.push_back(left);
      low = middle;
    }
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                            const SubtreeSource& source) {
  ASSERT(0 < old_size && old_size <= new_size);
  std::vector<Hash> proof;
  TRY(subproof(old_size, 0, new_size, OldRoot::known, source, proof));
  return proof;
}

Result<void> check_consistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t new_size,
                               const Hash& new_root, std::span<const Hash> proof) {
  if (old_size == 0 || old_size > new_size) {
    return bad_proof("a consistency proof is between sizes 0 < old <= new");
  }
  if (old_size == new_size) {
    if (!proof.empty()) return bad_proof("equal sizes need no consistency proof");
    if (old_root != new_root) return bad_proof("two roots of one size differ");
    return ok();
  }
  // RFC 9162 2.1.4.2. The path begins with the old root itself when that is a perfect subtree.
  std::vector<Hash> path;
  if (std::has_single_bit(old_size)) path.push_back(old_root);
  path.insert(path.end(), proof.begin(), proof.end());
  if (path.empty()) return bad_proof("the consistency proof is empty");
  std::uint64_t position = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((position & 1) != 0) {
    position >>= 1;
    last >>= 1;
  }
  Hash old_side = path.front();
  Hash new_side = path.front();
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (last == 0) return bad_proof("the consistency proof is too long");
    if ((position & 1) != 0 || position == last) {
      old_side = merkle_node_hash(path[i], old_side);
      new_side = merkle_node_hash(path[i], new_side);
      while ((position & 1) == 0 && position != 0) {
        position >>= 1;
        last >>= 1;
      }
    } else {
      new_side = merkle_node_hash(new_side, path[i]);
    }
    position >>= 1;
    last >>= 1;
  }
  if (last != 0) return bad_proof("the consistency proof is too short");
  if (old_side != old_root) return bad_proof("the proof does not lead to the old root");
  if (new_side != new_root) return bad_proof("the proof does not lead to the new root");
  return ok();
}

}  // namespace baolian::ledger
