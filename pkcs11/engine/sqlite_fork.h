// SQLite and fork. SQLite keeps, for the whole process, which files are open and which locks it
// holds on them. A child inherits these notes but not the locks, which the kernel keeps for the
// parent: a connection that the child opened beside them would work without locks, and its changes
// would be lost with the files that the parent takes away when it closes. Therefore a fork waits
// until no thread is inside SQLite, and the child closes what it inherited before it opens
// anything.
#pragma once

#include <sqlite3.h>

#include "pkcs11/engine/lock.h"

namespace tallystick::token {

// Around every use of a connection, from the first statement to the end of its transaction. May be
// held more than once by a thread.
class InSqlite {
 public:
  InSqlite();
  InSqlite(const InSqlite&) = delete;
  InSqlite& operator=(const InSqlite&) = delete;
  ~InSqlite();
};

// A connection's lock, inside SQLite.
class TS_ATTRIBUTE(scoped_lockable) ConnectionLock {
 public:
  explicit ConnectionLock(Mutex& mutex) TS_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ConnectionLock(const ConnectionLock&) = delete;
  ConnectionLock& operator=(const ConnectionLock&) = delete;
  ~ConnectionLock() TS_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  const InSqlite inside_;
  Mutex& mutex_;
};

// The connections that a child would inherit. Both inside InSqlite.
void remember_connection(sqlite3* connection);
void forget_connection(sqlite3* connection);

// In a child after fork: closes the parent's connections without a change to any file. Whoever had
// them must not use or close them any more.
void close_inherited_connections();

}  // namespace tallystick::token
