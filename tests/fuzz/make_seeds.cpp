/// Writes first inputs for the table-driven targets: one real encoding of every type and of every
/// alternative of its variants, so that fuzzing begins behind the first length check.
///
///   fuzz_make_seeds DIRECTORY      writes DIRECTORY/<target>/<type>[-alternative]
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "fuzz/decoders.h"

namespace baolian::fuzz {
namespace {

/// Fills values of any type with small, growing numbers: what must ascend ascends.
class Sampler {
 public:
  explicit Sampler(std::size_t alternative) : alternative_(alternative) {}

  template <typename T>
  T value(const Limits& limits = {}) {
    T out{};
    if constexpr (kIsVersion<T>) {
      return out;
    } else if constexpr (std::same_as<T, bool>) {
      return true;
    } else if constexpr (CodecInteger<T>) {
      return static_cast<T>(++next_ % 100);
    } else if constexpr (CodecEnum<T>) {
      const std::uint64_t first = is_enum_value<T>(1) ? 1 : 0;
      return static_cast<T>(is_enum_value<T>(alternative_) ? alternative_ : first);
    } else if constexpr (kIsFixedBytes<T>) {
      out.bytes.fill(static_cast<std::uint8_t>(++next_));
    } else if constexpr (kIsNumber<T>) {
      out.value = ++next_;
    } else if constexpr (std::same_as<T, Bytes> || std::same_as<T, std::string>) {
      const auto letter = static_cast<char>('a' + ++next_ % 26);
      out.assign(std::max<std::size_t>(limits.min, std::min<std::size_t>(limits.max, 3)),
                 static_cast<typename T::value_type>(letter));
    } else if constexpr (kIsVector<T>) {
      constexpr std::size_t kWanted = CodecEnum<typename T::value_type> ? 1 : 2;
      const std::size_t count = std::min<std::size_t>(limits.max, kWanted);
      for (std::size_t i = 0; i < count; ++i) {
        out.push_back(value<typename T::value_type>(at_most(limits.item_max)));
      }
    } else if constexpr (kIsOptional<T>) {
      out = value<typename T::value_type>(limits);
    } else if constexpr (kIsVariant<T>) {
      emplace<0>(out);
    } else {
      T::fields().apply([&](const auto&... f) { (fill(out.*(f.member), f.limits), ...); });
    }
    return out;
  }
  /// Alternatives of the largest variant that was filled.
  std::size_t alternatives() const { return alternatives_; }

 private:
  template <typename T>
  void fill(T& member, const Limits& limits) {
    member = value<T>(limits);
  }
  template <std::size_t I, typename V>
  void emplace(V& out) {
    alternatives_ = std::max(alternatives_, std::variant_size_v<V>);
    if (I == alternative_ % std::variant_size_v<V>) {
      out.template emplace<I>(value<std::variant_alternative_t<I, V>>());
    } else if constexpr (I + 1 < std::variant_size_v<V>) {
      emplace<I + 1>(out);
    }
  }

  std::size_t alternative_;
  std::size_t alternatives_ = 1;
  std::uint64_t next_ = 0;
};

struct Folder {
  std::filesystem::path path;
  std::size_t count = 0;
};

template <typename T>
void write_type(Folder& folder, std::uint8_t index) {
  std::size_t alternatives = 1;
  for (std::size_t i = 0; i < alternatives; ++i) {
    Sampler sampler(i);
    const T value = sampler.value<T>();
    alternatives = sampler.alternatives();
    const Bytes bytes = encode(value);
    ASSERT(decode<T>(bytes).has_value());
    const std::string suffix = i == 0 ? "" : "-" + std::to_string(i);
    std::ofstream out(folder.path / (std::string(T::kTypeName) + suffix), std::ios::binary);
    out.put(static_cast<char>(index));
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    ASSERT(out.good());
    ++folder.count;
  }
}

template <typename... Ts>
std::size_t write_table(const std::filesystem::path& path, TypeTable<Ts...> table) {
  std::filesystem::create_directories(path);
  Folder folder{path};
  (write_type<Ts>(folder, table.template index_of<Ts>()), ...);
  return folder.count;
}

}  // namespace
}  // namespace baolian::fuzz

int main(int argc, char** argv) {
  using namespace baolian::fuzz;
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  const std::filesystem::path root = argv[1];
  std::size_t count = 0;
  count += write_table(root / "consensus_messages", ConsensusMessages{});
  count += write_table(root / "log_records", LogRecords{});
  count += write_table(root / "node_messages", NodeMessages{});
  count += write_table(root / "ledger_objects", LedgerObjects{});
  std::printf("%zu inputs\n", count);
  return 0;
}
