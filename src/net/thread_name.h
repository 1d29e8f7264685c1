/// What a thread is to the operating system: its name in tools (top -H, perf, /proc/PID/task), by
/// which one sees without a debugger where a node's time goes, and whom it gives way to.
#pragma once

#include <pthread.h>
#include <sys/resource.h>

namespace baolian::net {

/// Names the calling thread; at most 15 characters.
inline void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

/// The calling thread gives way to others: 0 (ordinary) to 19. Without effect where that is not
/// allowed.
inline void set_niceness(int niceness) { ::setpriority(PRIO_PROCESS, 0, niceness); }

}  // namespace baolian::net
