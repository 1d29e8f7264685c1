/// What contracts see of the state: ordered natural keys, canonical values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/codec.h"

namespace baolian::ledger {

inline constexpr std::size_t kStateKeyBytesMax = 200;
inline constexpr std::size_t kStateValueBytesMax = 64 * 1024;

struct KeyValue {
  Bytes key;
  Bytes value;
};

/// Keys that begin with `prefix`, not below `from` (empty: from the start), below `until` (empty:
/// to the end). Where a queue is served in order of time `until` saves much: erased rows are passed
/// one by one, and behind the newest that is due nearly all may be erased.
struct KeyRange {
  BytesView prefix = {};
  BytesView from = {};
  BytesView until = {};

  /// The smallest key that may be in it.
  BytesView first() const;
  /// Whether a key not below first() is in it. If not, none above is.
  bool has(BytesView key) const;
};

/// Reading side. Implementations: the store at its one height, an overlay on another reader.
class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual std::optional<Bytes> read(BytesView key) const = 0;
  /// The rows of a range, ascending, at most `limit`.
  virtual std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const = 0;
  std::vector<KeyValue> scan(BytesView prefix, BytesView from, std::size_t limit) const {
    return scan(KeyRange{prefix, from, {}}, limit);
  }
};

/// The order of keys, byte by byte, for maps that are asked with views.
struct KeyOrder {
  using is_transparent = void;
  bool operator()(BytesView a, BytesView b) const;
};

/// Writes kept in memory over a reader. move_to() moves them one level down; dropping the overlay
/// drops them. One overlay a block, one above it for each operation. Not thread-safe; does not own
/// the reader below.
class StateOverlay final : public StateReader {
 public:
  explicit StateOverlay(const StateReader& below) : below_(below) {}
  /// An overlay on another overlay: `StateOverlay operation(block)` would be a copy, so copies are
  /// deleted and this is the way.
  static StateOverlay over(const StateReader& below) { return StateOverlay(below); }
  StateOverlay(const StateOverlay&) = delete;
  StateOverlay& operator=(const StateOverlay&) = delete;

  std::optional<Bytes> read(BytesView key) const override;
  using StateReader::scan;
  std::vector<KeyValue> scan(const KeyRange& range, std::size_t limit) const override;
  /// Requires: sizes within kStateKeyBytesMax and kStateValueBytesMax.
  void write(Bytes key, Bytes value);
  void erase(Bytes key);

  /// The value decoded; nullopt if absent. A stored value that does not decode is our bug.
  template <typename T>
  std::optional<T> read_as(BytesView key) const {
    const auto bytes = read(key);
    if (!bytes) return std::nullopt;
    auto value = decode<T>(*bytes);
    ASSERT(value.has_value());
    return std::move(*value);
  }
  template <typename T>
  void write_as(Bytes key, const T& value) {
    write(std::move(key), encode(value));
  }

  /// Key -> new value, nullopt = erased; ascending by key.
  using Writes = std::map<Bytes, std::optional<Bytes>, KeyOrder>;
  const Writes& writes() const { return writes_; }
  /// Hands the writes over. The overlay has none afterwards.
  Writes take_writes() { return std::move(writes_); }
  /// Makes its writes those of `lower`. The overlay has none afterwards.
  void move_to(StateOverlay& lower);

 private:
  const StateReader& below_;
  Writes writes_;
};

template <typename T>
std::optional<T> read_as(const StateReader& state, BytesView key) {
  const auto bytes = state.read(key);
  if (!bytes) return std::nullopt;
  auto value = decode<T>(*bytes);
  ASSERT(value.has_value());
  return std::move(*value);
}

}  // namespace baolian::ledger
