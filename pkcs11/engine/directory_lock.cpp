#include "pkcs11/engine/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace tallystick::token {

DirectoryLock::DirectoryLock(const std::string& path)
    : fd_(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  lock(LOCK_SH);
}

DirectoryLock::~DirectoryLock() {
  // Said, since a child that was forked meanwhile has the same open file.
  lock(LOCK_UN);
  if (fd_ >= 0) (void)close(fd_);
}

void DirectoryLock::make_exclusive() { lock(LOCK_EX); }

bool DirectoryLock::is_abandoned(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  const bool free = flock(fd, LOCK_EX | LOCK_NB) == 0;
  (void)close(fd);
  return free;
}

void DirectoryLock::lock(int how) const {
  if (fd_ < 0) return;
  while (flock(fd_, how) != 0 && errno == EINTR) continue;
}

}  // namespace tallystick::token
