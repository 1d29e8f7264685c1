/// How this project's rows stand in RocksDB: for the store and for what checks it, nobody else.
#pragma once

#include <rocksdb/slice.h>

#include <array>

#include "core/bytes.h"
#include "ledger/store.h"

namespace baolian::ledger {

/// Column families in the order of Family.
inline constexpr std::array<const char*, kFamilyCount> kFamilyNames = {"blocks", "state", "index",
                                                                       "meta"};

/// An empty view may have no address, which Slice does not take.
inline rocksdb::Slice slice(BytesView bytes) {
  if (bytes.empty()) return {};
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline BytesView view(const rocksdb::Slice& bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

/// The smallest key above all that begin with `prefix`; empty if there is none (all 0xFF).
inline Bytes end_of(BytesView prefix) {
  Bytes end = to_bytes(prefix);
  while (!end.empty() && end.back() == 0xFF) end.pop_back();
  if (!end.empty()) ++end.back();
  return end;
}

}  // namespace baolian::ledger
