/// ASSERT: for our own bugs only. It is on in every build, prints the expression and its place, and
/// ends the process. It is never reachable from a peer, a client, a file or a configuration: those
/// get an Error (core/result.h).
#pragma once

namespace baolian::core {

/// Prints `expression` with its place to stderr and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace baolian::core

#define ASSERT(condition)                                                \
  do {                                                                   \
    if (!(condition)) [[unlikely]] {                                     \
      ::baolian::core::assertion_failed(#condition, __FILE__, __LINE__); \
    }                                                                    \
  } while (false)
