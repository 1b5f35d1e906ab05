#include "provider/epoch.h"

#include <pthread.h>

#include <atomic>
#include <cstdlib>

namespace tallystick::provider {
namespace {

std::atomic<std::uint64_t> epoch{1};
std::atomic<bool> exits{false};

// The lists' lock is held over a fork, so that no child inherits it locked by a thread it has not.
void before_fork() { lists_lock().lock(); }
void after_fork_in_parent() { lists_lock().unlock(); }
void after_fork_in_child() {
  epoch.fetch_add(1);
  lists_lock().unlock();
}

}  // namespace

void watch_forks() {
  // Handlers of atexit() run in the reverse order of their registration, so this one runs before
  // libcrypto's own, which tears down the providers that are still loaded.
  static const int watching = [] {
    const int result = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return result + std::atexit([] { exits.store(true); });
  }();
  static_cast<void>(watching);
}

std::uint64_t process_epoch() { return epoch.load(); }

std::mutex& lists_lock() {
  // Never destroyed: threads may still run when the process exits.
  static auto* lock = new std::mutex;
  return *lock;
}

bool process_exits() { return exits.load(); }

}  // namespace tallystick::provider
