#include "core/assert.h"

#include <cstdio>
#include <cstdlib>

namespace baolian::core {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "baolian: bug: ASSERT(%s) failed at %s:%d\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace baolian::core
