/// Memory that is asked for before it is needed.
#pragma once

#include <cstddef>

namespace baolian {

/// How many places of memory to ask for at once before the first is used: enough that the waits for
/// them fall together, few enough that they are still in the nearest cache then.
inline constexpr std::size_t kPrefetchGroup = 32;

/// Asks for `bytes` of memory from `from`: who then does something else finds them in the cache.
/// Worth it only where many places of more memory than the caches hold are needed, one by one.
inline void prefetch(const void* from, std::size_t bytes) {
  constexpr std::size_t kLineBytes = 64;
  const char* const first = static_cast<const char*>(from);
  for (std::size_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(first + at);
  if (bytes > 0) __builtin_prefetch(first + bytes - 1);  // may begin another line
}

}  // namespace baolian
