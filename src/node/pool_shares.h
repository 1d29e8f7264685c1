/// How the room of the transaction pool is divided among the nodes that push into it (consensus.md
/// 1.9): whoever floods fills what is open to all, never the share that is kept for each other
/// node.
#pragma once

#include <cstdint>
#include <map>

#include "node/ports.h"

namespace baolian::node {

/// How much a set of transactions is.
struct PoolLoad {
  std::size_t transactions = 0;
  std::size_t operations = 0;
  std::size_t bytes = 0;

  static PoolLoad of(const CheckedTransaction& one) {
    return {1, one.operation_count(), one.bytes()->size()};
  }
  PoolLoad& operator+=(const PoolLoad& more);
  PoolLoad& operator-=(const PoolLoad& less);
  bool fits(const PoolLoad& bound) const {
    return transactions <= bound.transactions && operations <= bound.operations &&
           bytes <= bound.bytes;
  }
  friend bool operator==(const PoolLoad&, const PoolLoad&) = default;
};

/// Who brought a transaction: the number of the peer that pushed it, or kOwnOrigin. Each node
/// admits for its own institution and pushes, so this is the institution as far as a node can know
/// it without asking state; the name in a transaction could be anybody's.
using Origin = std::uint16_t;
inline constexpr Origin kOwnOrigin = 0xFFFF;

/// Of a bound, half is open to all; the other half is kept, in equal shares, for each origin. Who
/// has nothing waiting may bring one transaction, even if it is larger than a share.
///
/// Invariant:   an origin finds room for what stays below its share, whatever the others do.
/// Bounds:      the bound, and one transaction an origin more.
/// Ownership:   values. Threads: none - confined to the driver.
class PoolShares {
 public:
  /// Requires: origins >= 1, the nodes that may push, this one among them.
  explicit PoolShares(std::size_t origins) : origins_(origins) {}

  bool has_room(Origin origin, const PoolLoad& more, const PoolLoad& bound) const;
  void add(Origin origin, const PoolLoad& more);
  void remove(Origin origin, const PoolLoad& less);
  const PoolLoad& total() const { return total_; }
  PoolLoad load_of(Origin origin) const;

 private:
  std::size_t origins_;
  std::map<Origin, PoolLoad> loads_;
  PoolLoad total_;
};

}  // namespace baolian::node
