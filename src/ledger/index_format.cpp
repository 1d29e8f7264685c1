#include "ledger/index_format.h"

#include "ledger/chain_state.h"

namespace baolian::ledger {

StoreWrite index_mark_row(bool is_whole) {
  return {Family::meta, chain_keys::index_mark(),
          encode(IndexMark{.format = kIndexFormat, .is_whole = is_whole})};
}

Result<void> check_index_mark(const KeyValueStore& store) {
  constexpr const char* kRemedy = "; stop the node and run baoliand --reindex --config FILE";
  const auto bytes = store.read(Family::meta, chain_keys::index_mark());
  const auto mark = bytes ? decode<IndexMark>(*bytes) : Result<IndexMark>(IndexMark{.format = 1});
  if (!mark) {
    return fail(Errc::store_corrupt,
                std::string("the mark of the index's format does not decode") + kRemedy);
  }
  if (mark->format != kIndexFormat) {
    return fail(Errc::store_corrupt,
                "the index rows of this store are of format " + std::to_string(mark->format) +
                    ", this program needs format " + std::to_string(kIndexFormat) + kRemedy);
  }
  if (!mark->is_whole) {
    return fail(Errc::store_corrupt,
                std::string("a rebuild of the index was interrupted") + kRemedy + " again");
  }
  return ok();
}

}  // namespace baolian::ledger
