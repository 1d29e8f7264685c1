#include "node/compact.h"

#include <array>
#include <atomic>
#include <filesystem>

#include "ledger/store.h"

namespace baolian::node {
namespace {

namespace fs = std::filesystem;
using ledger::Family;

constexpr std::array<Family, 4> kFamilies = {Family::blocks, Family::state, Family::index,
                                             Family::meta};

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t out = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::uintmax_t size = at->is_regular_file(error) ? at->file_size(error) : 0;
    if (!error) out += size;
  }
  return out;
}

}  // namespace

Result<Compaction> compact_directory(const std::string& data_directory,
                                     const CompactProgress& progress) {
  const std::string directory = data_directory + "/store";
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return fail(Errc::not_found, "there is no chain store in " + data_directory);
  }
  Compaction out;
  out.bytes_before = bytes_below(directory);
  {
    TRY(const auto store, ledger::open_rocksdb_store(directory, ledger::Packing::dense));
    std::atomic<bool> cancelled = false;
    for (std::size_t i = 0; i < kFamilies.size(); ++i) {
      if (progress) progress(i, kFamilies.size());
      store->reclaim(kFamilies[i], {}, {}, cancelled);
    }
    if (progress) progress(kFamilies.size(), kFamilies.size());
  }
  out.bytes_after = bytes_below(directory);
  return out;
}

}  // namespace baolian::node
