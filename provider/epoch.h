// Which process this is: the number changes in a forked child. Sessions and handles of the parent
// are not the child's, and locks that another thread of the parent held stay locked in it.
#pragma once

#include <cstdint>
#include <mutex>

namespace tallystick::provider {

// Begins to count; called once a process, more often is harmless.
void watch_forks();
std::uint64_t process_epoch();

// The one lock for the short lists (modules, tokens, idle sessions). No call of a module and none
// of libcrypto is made under it, and a fork waits for it, so that a child always finds it free.
std::mutex& lists_lock();

// True from the process's exit on: then modules are left alone.
bool process_exits();

}  // namespace tallystick::provider
