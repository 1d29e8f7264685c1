#include "node/pool_shares.h"

#include <algorithm>
#include <array>

#include "core/assert.h"

namespace baolian::node {

namespace {

constexpr std::array<std::size_t PoolLoad::*, 3> kParts{&PoolLoad::transactions,
                                                        &PoolLoad::operations, &PoolLoad::bytes};

std::size_t above(std::size_t load, std::size_t share) { return load > share ? load - share : 0; }

}  // namespace

PoolLoad& PoolLoad::operator+=(const PoolLoad& more) {
  for (const auto part : kParts) this->*part += more.*part;
  return *this;
}

PoolLoad& PoolLoad::operator-=(const PoolLoad& less) {
  for (const auto part : kParts) {
    ASSERT(this->*part >= less.*part);
    this->*part -= less.*part;
  }
  return *this;
}

bool PoolShares::has_room(Origin origin, const PoolLoad& more, const PoolLoad& bound) const {
  const auto own = loads_.find(origin);
  if (own == loads_.end()) return true;
  for (const auto part : kParts) {
    const std::size_t share = bound.*part / (2 * origins_);
    const std::size_t mine = own->second.*part;
    const std::size_t mine_after = mine + more.*part;
    if (mine_after <= share) continue;
    std::size_t open_taken = above(mine_after, share) - above(mine, share);
    for (const auto& [other, load] : loads_) open_taken += above(load.*part, share);
    if (open_taken > bound.*part - share * origins_) return false;
  }
  return true;
}

PoolLoad PoolShares::load_of(Origin origin) const {
  const auto at = loads_.find(origin);
  return at == loads_.end() ? PoolLoad{} : at->second;
}

void PoolShares::add(Origin origin, const PoolLoad& more) {
  loads_[origin] += more;
  total_ += more;
}

void PoolShares::remove(Origin origin, const PoolLoad& less) {
  const auto at = loads_.find(origin);
  ASSERT(at != loads_.end());
  at->second -= less;
  total_ -= less;
  if (at->second == PoolLoad{}) loads_.erase(at);
}

}  // namespace baolian::node
