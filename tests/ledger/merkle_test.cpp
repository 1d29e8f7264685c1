#include "ledger/merkle.h"

#include <bit>

#include "core/prng.h"
#include "crypto/hash.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

constexpr std::uint64_t kSizeMax = 40;

/// The reference tree of the certificate transparency tests.
const std::vector<std::string> kReferenceLeaves = {"",
                                                   "00",
                                                   "10",
                                                   "2021",
                                                   "3031",
                                                   "40414243",
                                                   "5051525354555657",
                                                   "606162636465666768696a6b6c6d6e6f"};

std::vector<Hash> reference_leaves() {
  std::vector<Hash> out;
  for (const std::string& leaf : kReferenceLeaves) {
    out.push_back(merkle_leaf_hash(from_hex(leaf).value()));
  }
  return out;
}

std::vector<Hash> numbered_leaves(std::uint64_t count) {
  std::vector<Hash> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    Bytes leaf;
    append_big_endian(leaf, i, 8);
    out.push_back(merkle_leaf_hash(leaf));
  }
  return out;
}

/// MTH of RFC 9162 2.1.1, word for word.
Hash naive_root(std::span<const Hash> leaves) {
  if (leaves.empty()) return crypto::sha256(BytesView{});
  if (leaves.size() == 1) return leaves.front();
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  const Bytes prefix = {0x01};
  const Hash left = naive_root(leaves.first(k));
  const Hash right = naive_root(leaves.subspan(k));
  return crypto::sha256({prefix, left.view(), right.view()});
}

/// PATH of RFC 9162 2.1.3.1, word for word.
std::vector<Hash> naive_path(std::span<const Hash> leaves, std::size_t index) {
  if (leaves.size() == 1) return {};
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  std::vector<Hash> path;
  if (index < k) {
    path = naive_path(leaves.first(k), index);
    path.push_back(naive_root(leaves.subspan(k)));
  } else {
    path = naive_path(leaves.subspan(k), index - k);
    path.push_back(naive_root(leaves.first(k)));
  }
  return path;
}

/// PROOF and SUBPROOF of RFC 9162 2.1.4.1, word for word.
std::vector<Hash> naive_subproof(std::size_t m, std::span<const Hash> leaves, bool b) {
  if (m == leaves.size()) {
    if (b) return {};
    return {naive_root(leaves)};
  }
  std::size_t k = 1;
  while (k * 2 < leaves.size()) k *= 2;
  std::vector<Hash> proof;
  if (m <= k) {
    proof = naive_subproof(m, leaves.first(k), b);
    proof.push_back(naive_root(leaves.subspan(k)));
  } else {
    proof = naive_subproof(m - k, leaves.subspan(k), false);
    proof.push_back(naive_root(leaves.first(k)));
  }
  return proof;
}

/// Gives only what a SubtreeSource may be asked for.
SubtreeSource source_of(const std::vector<Hash>& leaves) {
  return [&leaves](std::uint64_t first, std::uint64_t size) -> Result<Hash> {
    REQUIRE(std::has_single_bit(size));
    REQUIRE(first % size == 0);
    REQUIRE(first + size <= leaves.size());
    return naive_root(std::span(leaves).subspan(first, size));
  };
}

std::span<const Hash> first_of(const std::vector<Hash>& leaves, std::uint64_t count) {
  return std::span(leaves).first(count);
}

}  // namespace

TEST_CASE("rfc 9162 2.1.1: roots of the reference tree", "[merkle][paper]") {
  CHECK(empty_merkle_root().hex() ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const auto leaves = reference_leaves();
  CHECK(merkle_root(first_of(leaves, 1)).hex() ==
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  CHECK(merkle_root(first_of(leaves, 2)).hex() ==
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  CHECK(merkle_root(first_of(leaves, 3)).hex() ==
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
  CHECK(merkle_root(first_of(leaves, 8)).hex() ==
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST_CASE("merkle_root and Frontier::root equal the recursive definition", "[merkle]") {
  const auto leaves = numbered_leaves(300);
  Frontier frontier;
  for (std::uint64_t size = 0; size <= leaves.size(); ++size) {
    const Hash expected = naive_root(first_of(leaves, size));
    REQUIRE(merkle_root(first_of(leaves, size)) == expected);
    REQUIRE(frontier.root() == expected);
    REQUIRE(frontier.count == size);
    REQUIRE(frontier.is_well_formed());
    REQUIRE(decode<Frontier>(encode(frontier)).value() == frontier);
    if (size < leaves.size()) frontier.append(leaves[size]);
  }
}

TEST_CASE("a frontier reports every perfect subtree once, when it is complete", "[merkle]") {
  const auto leaves = numbered_leaves(70);
  Frontier frontier;
  std::size_t reported = 0;
  for (std::uint64_t i = 0; i < leaves.size(); ++i) {
    frontier.append(leaves[i], [&](unsigned level, std::uint64_t first, const Hash& root) {
      const std::uint64_t size = std::uint64_t{1} << level;
      REQUIRE(level > 0);
      REQUIRE(first + size == i + 1);
      REQUIRE(first % size == 0);
      REQUIRE(root == naive_root(std::span(leaves).subspan(first, size)));
      ++reported;
    });
  }
  CHECK(reported == 70 - std::popcount(70U));
}

TEST_CASE("rfc 9162 2.1.3: inclusion paths of all leaves of all sizes to 40", "[merkle][paper]") {
  const auto leaves = numbered_leaves(kSizeMax);
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    const auto tree = first_of(leaves, size);
    const Hash root = naive_root(tree);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto path = inclusion_path(tree, index);
      REQUIRE(path == naive_path(tree, index));
      REQUIRE(inclusion_proof(index, size, source_of(leaves)).value() == path);
      REQUIRE(root_from_inclusion(tree[index], index, size, path).value() == root);
      // Another index or a shorter or longer path gives another root or an error.
      if (index + 1 < size) {
        const auto moved = root_from_inclusion(tree[index], index + 1, size, path);
        REQUIRE((!moved || *moved != root));
      }
      if (!path.empty()) {
        REQUIRE(
            root_from_inclusion(tree[index], index, size, std::span(path).first(path.size() - 1))
                .error()
                .code == Errc::bad_proof);
      }
      auto longer = path;
      longer.push_back(root);
      REQUIRE(root_from_inclusion(tree[index], index, size, longer).error().code ==
              Errc::bad_proof);
    }
  }
  CHECK(root_from_inclusion(leaves[0], 5, 5, {}).error().code == Errc::bad_proof);
  CHECK(root_from_inclusion(leaves[0], 0, 0, {}).error().code == Errc::bad_proof);
}

TEST_CASE("range proofs of all ranges of all sizes to 40 lead to the root", "[merkle]") {
  const auto leaves = numbered_leaves(kSizeMax);
  const auto source = source_of(leaves);
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    const Hash root = naive_root(first_of(leaves, size));
    for (std::uint64_t first = 0; first < size; ++first) {
      for (std::uint64_t end = first + 1; end <= size; ++end) {
        const auto range = std::span(leaves).subspan(first, end - first);
        const auto proof = range_proof(first, end, size, source).value();
        REQUIRE(root_from_range(first, range, size, proof).value() == root);
        if (end - first == 1) {
          auto path = naive_path(first_of(leaves, size), first);
          REQUIRE(proof.size() == path.size());
        }
      }
    }
  }
}

TEST_CASE("a range proof of another shape or with another leaf fails", "[merkle]") {
  const auto leaves = numbered_leaves(29);
  const Hash root = naive_root(leaves);
  const auto proof = range_proof(5, 17, 29, source_of(leaves)).value();
  const std::vector<Hash> range(leaves.begin() + 5, leaves.begin() + 17);
  REQUIRE(root_from_range(5, range, 29, proof).value() == root);

  const auto leads_elsewhere = [&](std::uint64_t first, const std::vector<Hash>& changed,
                                   std::uint64_t size, const std::vector<Hash>& hashes) {
    const auto result = root_from_range(first, changed, size, hashes);
    return !result.has_value() || *result != root;
  };
  CHECK(leads_elsewhere(4, range, 29, proof));
  CHECK(leads_elsewhere(6, range, 29, proof));
  CHECK(leads_elsewhere(5, range, 64, proof));
  CHECK(leads_elsewhere(5, {range.begin(), range.end() - 1}, 29, proof));
  CHECK(leads_elsewhere(6, {range.begin() + 1, range.end()}, 29, proof));
  for (std::size_t i = 0; i < range.size(); ++i) {
    auto changed = range;
    changed[i].bytes[31] ^= 1;
    CHECK(leads_elsewhere(5, changed, 29, proof));
    changed = range;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(leads_elsewhere(5, changed, 29, proof));
    if (i > 0) {
      changed = range;
      std::swap(changed[i - 1], changed[i]);
      CHECK(leads_elsewhere(5, changed, 29, proof));
    }
  }
  for (std::size_t i = 0; i < proof.size(); ++i) {
    auto changed = proof;
    changed[i].bytes[0] ^= 0x80;
    CHECK(leads_elsewhere(5, range, 29, changed));
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(leads_elsewhere(5, range, 29, changed));
  }
  auto longer = proof;
  longer.push_back(root);
  CHECK(root_from_range(5, range, 29, longer).error().code == Errc::bad_proof);
  CHECK(root_from_range(29, range, 29, proof).error().code == Errc::bad_proof);
  CHECK(root_from_range(UINT64_MAX, range, 29, proof).error().code == Errc::bad_proof);
  CHECK(root_from_range(5, {}, 29, proof).error().code == Errc::bad_proof);
  CHECK(root_from_range(0, {}, 0, {}).value() == empty_merkle_root());
  CHECK(root_from_range(0, {}, 0, proof).error().code == Errc::bad_proof);
  CHECK(root_from_range(0, range, UINT64_MAX, proof).error().code == Errc::bad_proof);
  CHECK(range_proof(0, 0, 0, source_of(leaves)).value().empty());
}

TEST_CASE("rfc 9162 2.1.4: consistency of all pairs of sizes to 40", "[merkle][paper]") {
  const auto leaves = numbered_leaves(kSizeMax);
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    const Hash root = naive_root(first_of(leaves, size));
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      const Hash old_root = naive_root(first_of(leaves, old_size));
      const auto proof = consistency_proof(old_size, size, source_of(leaves)).value();
      REQUIRE(proof == naive_subproof(old_size, first_of(leaves, size), true));
      REQUIRE(check_consistency(old_size, old_root, size, root, proof).has_value());

      Hash other = old_root;
      other.bytes[7] ^= 4;
      REQUIRE_FALSE(check_consistency(old_size, other, size, root, proof).has_value());
      other = root;
      other.bytes[7] ^= 4;
      REQUIRE_FALSE(check_consistency(old_size, old_root, size, other, proof).has_value());
      for (std::size_t i = 0; i < proof.size(); ++i) {
        auto changed = proof;
        changed[i].bytes[1] ^= 1;
        REQUIRE_FALSE(check_consistency(old_size, old_root, size, root, changed).has_value());
        changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
        REQUIRE_FALSE(check_consistency(old_size, old_root, size, root, changed).has_value());
      }
      auto longer = proof;
      longer.push_back(root);
      REQUIRE_FALSE(check_consistency(old_size, old_root, size, root, longer).has_value());
    }
  }
  const Hash root = naive_root(leaves);
  CHECK(check_consistency(0, empty_merkle_root(), kSizeMax, root, {}).error().code ==
        Errc::bad_proof);
  CHECK(check_consistency(kSizeMax + 1, root, kSizeMax, root, {}).error().code == Errc::bad_proof);
}

TEST_CASE("an error of the subtree source reaches the caller", "[merkle]") {
  const SubtreeSource broken = [](std::uint64_t, std::uint64_t) -> Result<Hash> {
    return fail(Errc::store_corrupt, "gone");
  };
  CHECK(range_proof(3, 4, 9, broken).error().code == Errc::store_corrupt);
  CHECK(inclusion_proof(3, 9, broken).error().code == Errc::store_corrupt);
  CHECK(consistency_proof(3, 9, broken).error().code == Errc::store_corrupt);
}

}  // namespace baolian::ledger
