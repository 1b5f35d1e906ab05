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

class TS_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() TS_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() TS_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class TS_ATTRIBUTE(capability("shared_mutex")) SharedMutex {
 public:
  void lock() TS_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() TS_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  void lock_shared() TS_ATTRIBUTE(acquire_shared_capability()) { mutex_.lock_shared(); }
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
