// A lock on a directory among processes, which ends with its holder, however that ends. It keeps
// honest programs from each other's way; where the file system has no such lock, there is none.
#pragma once

#include <string>

namespace tallystick::token {

class DirectoryLock {
 public:
  // Shared: beside others that are shared, and waits for one that is exclusive.
  explicit DirectoryLock(const std::string& path);
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

  // Gives up the shared lock and waits until nobody else has one.
  void make_exclusive();
  // Whether nobody has the directory locked: its maker is gone. False where that cannot be told.
  static bool is_abandoned(const std::string& path);

 private:
  void lock(int how) const;

  int fd_ = -1;
};

}  // namespace tallystick::token
