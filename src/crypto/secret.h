/// Secret bytes in guarded, locked memory (sodium_malloc), wiped when released.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/bytes.h"

namespace baolian::crypto {

/// Owns `size_bytes` secret bytes. Movable, not copyable; never printed, never in core dumps.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size_bytes);
  /// Copies `bytes`; wiping the source stays with the caller (see wipe).
  static Secret copy_of(BytesView bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret clone() const { return copy_of(view()); }
  bool empty() const { return size_bytes_ == 0; }
  std::size_t size() const { return size_bytes_; }
  std::span<std::uint8_t> mutable_view() { return {data_, size_bytes_}; }
  BytesView view() const { return {data_, size_bytes_}; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

/// Overwrites memory in a way that the compiler keeps.
void wipe(std::span<std::uint8_t> bytes);

/// Comparison in constant time.
bool equal_constant_time(BytesView a, BytesView b);

}  // namespace baolian::crypto
