#include "pkcs11/engine/sqlite_fork.h"

#include <pthread.h>

#include <mutex>
#include <set>

namespace tallystick::token {
namespace {

// A waiting fork goes before those that come later: else it would wait as long as threads are busy.
constexpr pthread_rwlock_t kForkFirst = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
pthread_rwlock_t gate = kForkFirst;
thread_local unsigned depth = 0;
// Of the forking thread: whether it has the gate.
bool gate_taken = false;
// Whether the connections are a parent's.
bool inherited = false;
// Whether a thread may have been inside SQLite when a parent forked: then they are left alone.
bool torn = false;

struct Connections {
  std::mutex mutex;
  std::set<sqlite3*> open;
};

// Left to the end of the process: applications call in from their exit handlers.
Connections& connections() {
  static auto* const all = new Connections;
  return *all;
}

void before_fork() {
  // A signal handler may fork in the middle of anything.
  gate_taken = depth == 0 && pthread_rwlock_wrlock(&gate) == 0;
}

void after_fork_in_parent() {
  if (gate_taken) (void)pthread_rwlock_unlock(&gate);
}

void after_fork_in_child() {
  inherited = true;
  torn = torn || !gate_taken;
  depth = 0;
  gate = kForkFirst;  // the threads that wait at it are not here
}

}  // namespace

InSqlite::InSqlite() {
  if (depth++ == 0) (void)pthread_rwlock_rdlock(&gate);
}

InSqlite::~InSqlite() {
  if (--depth == 0) (void)pthread_rwlock_unlock(&gate);
}

void remember_connection(sqlite3* connection) {
  static const int registered =
      pthread_atfork(&before_fork, &after_fork_in_parent, &after_fork_in_child);
  (void)registered;  // without memory for the handlers a fork is as it is without them
  auto& all = connections();
  const std::lock_guard lock(all.mutex);
  all.open.insert(connection);
}

void forget_connection(sqlite3* connection) {
  auto& all = connections();
  const std::lock_guard lock(all.mutex);
  all.open.erase(connection);
}

void close_inherited_connections() {
  if (!inherited || torn) return;
  inherited = false;
  auto& all = connections();
  const std::lock_guard lock(all.mutex);
  for (auto* const connection : all.open) {
    while (auto* const statement = sqlite3_next_stmt(connection, nullptr)) {
      (void)sqlite3_finalize(statement);
    }
    // The log belongs to those who still work with it.
    (void)sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    (void)sqlite3_close(connection);
  }
  all.open.clear();
}

}  // namespace tallystick::token
