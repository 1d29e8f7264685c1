/// Says that the state has no row with a certain long prefix, without asking the store: most people
/// who are enrolled have no policy yet, and most persons who are asked for have no second consent.
#pragma once

#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace baolian::ledger {

/// A Bloom filter over the first kStatePrefixBytes of longer keys, which grows: each part is as
/// large as all before it together. What is erased stays known. Some 12 bits a prefix, one place of
/// memory a part; at most one answer in fifty is wrong, and then only by "may".
///
/// Threads: any number that only ask; else one.
class PrefixFilter {
 public:
  /// Made for so many prefixes; more make it larger.
  explicit PrefixFilter(std::size_t expected);

  /// The number that stands for a key's prefix. Requires: key.size() >= kStatePrefixBytes.
  static std::uint64_t hash(BytesView key);
  void add(std::uint64_t hash);
  /// False only if it was never added.
  bool may_have(std::uint64_t hash) const;

  std::size_t memory_bytes() const;

 private:
  struct Part {
    std::vector<std::uint64_t> words;
    std::size_t room = 0;  ///< prefixes that it is made for
    std::size_t count = 0;
  };
  void grow(std::size_t room);

  std::vector<Part> parts_;
};

}  // namespace baolian::ledger
