/// Cost of the state tree per key: rebuild at start, then blocks of updates at a given size.
/// Usage: baolian_state_tree_bench [keys] [keys per block] [blocks]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/prng.h"
#include "crypto/hash.h"
#include "ledger/state_tree.h"

namespace {

using namespace baolian;
using Clock = std::chrono::steady_clock;

Hash hash_of(std::uint64_t number) {
  Bytes bytes;
  append_big_endian(bytes, number, 8);
  return crypto::sha256(bytes);
}

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

std::uint64_t argument(int argc, char** argv, int index, std::uint64_t otherwise) {
  return index < argc ? std::strtoull(argv[index], nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t keys = argument(argc, argv, 1, 1'000'000);
  const std::uint64_t block_keys = argument(argc, argv, 2, 1'000);
  const std::uint64_t blocks = argument(argc, argv, 3, 500);

  std::vector<ledger::StateTree::Change> changes;
  changes.reserve(keys);
  for (std::uint64_t i = 0; i < keys; ++i) changes.push_back({hash_of(i), hash_of(i + 1)});
  ledger::StateTree tree;
  auto start = Clock::now();
  tree.update(std::move(changes));
  std::printf("build    %8.2f us per key (%llu keys)\n",
              microseconds_since(start) / static_cast<double>(keys),
              static_cast<unsigned long long>(tree.leaf_count()));

  // Random keys, one in ten new, so that leaves split too. Making the hashes is not measured here:
  // H(key) and H(value) are computed outside of the tree.
  Prng prng(1);
  double total_us = 0;
  std::uint64_t updated = 0;
  for (std::uint64_t b = 0; b < blocks; ++b) {
    std::vector<ledger::StateTree::Change> block;
    const std::uint64_t stride = keys / block_keys;
    for (std::uint64_t i = 0; i < block_keys; ++i) {
      const bool is_new = prng.chance_percent(10);
      const std::uint64_t key =
          is_new ? keys + b * block_keys + i : i * stride + prng.below(stride);
      block.push_back({hash_of(key), hash_of(prng.next())});
    }
    updated += block.size();
    start = Clock::now();
    tree.update(std::move(block));
    total_us += microseconds_since(start);
  }
  std::printf("update   %8.2f us per key (%llu blocks of %llu)\n",
              total_us / static_cast<double>(updated), static_cast<unsigned long long>(blocks),
              static_cast<unsigned long long>(block_keys));

  std::printf("memory   %8.1f bytes per key\n",
              static_cast<double>(tree.memory_bytes()) / static_cast<double>(tree.leaf_count()));

  constexpr std::uint64_t kProofs = 20'000;
  std::size_t siblings = 0;
  start = Clock::now();
  for (std::uint64_t i = 0; i < kProofs; ++i) {
    Bytes key;
    append_big_endian(key, prng.below(keys * 2), 8);
    siblings += tree.prove(key).siblings.size();
  }
  std::printf("prove    %8.2f us per proof, %.1f siblings on average\n",
              microseconds_since(start) / static_cast<double>(kProofs),
              static_cast<double>(siblings) / static_cast<double>(kProofs));

  // Keys that are not in the tree: what an absence proof of a random key costs its reader.
  std::vector<std::pair<Bytes, ledger::StateProof>> proofs;
  for (std::uint64_t i = 0; i < kProofs; ++i) {
    Bytes key;
    append_big_endian(key, keys * 4 + i, 8);
    ledger::StateProof proof = tree.prove(key);
    proofs.emplace_back(std::move(key), std::move(proof));
  }
  const Hash root = tree.root();
  std::uint64_t held = 0;
  start = Clock::now();
  for (const auto& [key, proof] : proofs) {
    held += ledger::check_state_proof(root, key, std::nullopt, proof).has_value() ? 1U : 0U;
  }
  std::printf("check    %8.2f us per proof, %llu of %llu hold\n",
              microseconds_since(start) / static_cast<double>(kProofs),
              static_cast<unsigned long long>(held), static_cast<unsigned long long>(kProofs));
  std::printf("root %s\n", root.hex().c_str());
  return 0;
}
