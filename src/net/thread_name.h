/// Names of threads as tools of the operating system show them (top -H, perf, /proc/PID/task):
/// where a node's time goes is then seen without a debugger.
#pragma once

#include <pthread.h>

namespace baolian::net {

/// Names the calling thread; at most 15 characters.
inline void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace baolian::net
