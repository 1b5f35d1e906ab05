// Locks that clang's thread-safety analysis understands: what a lock guards is written beside the
// member, and a function that touches it without the lock does not compile.
#pragma once

#include <mutex>
#include <shared_mutex>

// Attributes cannot be anything but macros.
#if defined(__clang__)
#define TS_ATTRIBUTE(x) __attribute__((x))
#else
#define TS_ATTRIBUTE(x)
#endif
#define TS_GUARDED_BY(x) TS_ATTRIBUTE(guarded_by(x))
#define TS_REQUIRES(...) TS_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define TS_REQUIRES_SHARED(...) TS_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))

namespace tallystick::token {

// All locks but those of logins and reloading are held for a microsecond or less. To be put to
// sleep and woken again costs several, so who finds one taken tries for about that long before it
// sleeps.
inline constexpr int kTriesBeforeSleep = 100;

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

template <typename Try>
bool taken_soon(Try take) {
  for (int i = 0; i < kTriesBeforeSleep; ++i) {
    if (take()) return true;
    relax();
  }
  return false;
}

class TS_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() TS_ATTRIBUTE(acquire_capability()) {
    if (!taken_soon([this] { return mutex_.try_lock(); })) mutex_.lock();
  }
  void unlock() TS_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class TS_ATTRIBUTE(capability("shared_mutex")) SharedMutex {
 public:
  void lock() TS_ATTRIBUTE(acquire_capability()) {
    if (!taken_soon([this] { return mutex_.try_lock(); })) mutex_.lock();
  }
  void unlock() TS_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  void lock_shared() TS_ATTRIBUTE(acquire_shared_capability()) {
    if (!taken_soon([this] { return mutex_.try_lock_shared(); })) mutex_.lock_shared();
  }
  void unlock_shared() TS_ATTRIBUTE(release_shared_capability()) { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class TS_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) TS_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() TS_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

class TS_ATTRIBUTE(scoped_lockable) WriteLock {
 public:
  explicit WriteLock(SharedMutex& mutex) TS_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;
  ~WriteLock() TS_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  SharedMutex& mutex_;
};

class TS_ATTRIBUTE(scoped_lockable) ReadLock {
 public:
  explicit ReadLock(SharedMutex& mutex) TS_ATTRIBUTE(acquire_shared_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;
  ~ReadLock() TS_ATTRIBUTE(release_generic_capability()) { mutex_.unlock_shared(); }

 private:
  SharedMutex& mutex_;
};

}  // namespace tallystick::token
