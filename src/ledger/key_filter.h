/// Says that the state has no row with a certain key, or with a certain long prefix, without asking
/// the store: whoever is enrolled is mostly new in everything.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"

namespace baolian::ledger {

/// A Bloom filter over the keys, and over the first kStatePrefixBytes of those that are as long,
/// which grows: the next part has seven times the room of all before it together, so that there are
/// few. What is erased stays known. Some 12 bits a key or prefix, one place of memory a part; at
/// most one answer in fifty is wrong, and then only by "may".
///
/// (The state tree knows all keys too, but a look at it touches a place of memory for each of its
/// levels: with nine million keys a third of the executor's time.)
///
/// Threads: any number that only ask; else one.
class KeyFilter {
 public:
  KeyFilter() { grow(0); }

  /// The numbers that stand for a key: of itself, and of its prefix if it is long enough.
  static std::uint64_t of_key(BytesView key);
  static std::optional<std::uint64_t> of_prefix(BytesView key);
  void add(std::uint64_t number);
  void add_key(BytesView key);
  /// Asks for the memory that add_key() or add() of the same will need (core/prefetch.h).
  void expect(std::uint64_t number) const;
  void expect_key(BytesView key) const;
  /// False only if it was never added.
  bool may_have(std::uint64_t number) const;

  std::size_t memory_bytes() const;

 private:
  struct Part {
    std::vector<std::uint64_t> words;
    std::size_t room = 0;  ///< numbers that it is made for
    std::size_t count = 0;
  };
  void grow(std::size_t room);

  std::vector<Part> parts_;
};

}  // namespace baolian::ledger
