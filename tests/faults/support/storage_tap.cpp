// Not with the checks that <fcntl.h> and <unistd.h> put around the functions that are defined here.
#undef _FORTIFY_SOURCE
#include "tests/faults/support/storage_tap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace tallystick::test {
namespace {

std::string folder;
StoragePlan plan;
std::uint64_t counted = 0;
bool armed = false;
bool hit = false;
bool recording = false;
std::vector<StorageEvent> events;

bool counts(StorageCall call) {
  switch (plan.counted) {
    case Counted::kReads:
      return call == StorageCall::kRead;
    case Counted::kGrowth:
      return call == StorageCall::kCreate || call == StorageCall::kWrite ||
             call == StorageCall::kAllocate || call == StorageCall::kMakeDirectory;
    case Counted::kChanges:
      break;
  }
  return call != StorageCall::kRead;
}

bool watched(const std::string& path) {
  return !folder.empty() && path.compare(0, folder.size(), folder) == 0;
}

bool busy() { return armed || recording; }

// The path of an open file; empty when it is not one of the folder's, or was removed.
std::string path_of(int fd) {
  std::array<char, 32> link{};
  (void)std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  std::array<char, 4096> path{};
  const auto size = syscall(SYS_readlinkat, AT_FDCWD, link.data(), path.data(), path.size());
  if (size <= 0) return {};
  std::string out(path.data(), static_cast<std::size_t>(size));
  return watched(out) && !out.ends_with(" (deleted)") ? out : std::string();
}

enum class Verdict : std::uint8_t { kGoOn, kFail, kShort };

Verdict judge(StorageCall call) {
  if (!armed || !counts(call)) return Verdict::kGoOn;
  const auto number = counted++;
  if (number < plan.at || (number > plan.at && !plan.lasting)) return Verdict::kGoOn;
  const bool first = number == plan.at;
  if (plan.what == StoragePlan::What::kNothing) return Verdict::kGoOn;
  hit = true;
  if (plan.what == StoragePlan::What::kKill) (void)syscall(SYS_kill, getpid(), SIGKILL);
  if (plan.what == StoragePlan::What::kShortWrite && first) {
    return call == StorageCall::kWrite ? Verdict::kShort : Verdict::kGoOn;
  }
  errno = plan.error;
  return Verdict::kFail;
}

void note(StorageEvent event) {
  if (recording) events.push_back(std::move(event));
}

ssize_t write_to(int fd, const void* data, std::size_t size, std::optional<off_t> offset) {
  const auto path = busy() ? path_of(fd) : std::string();
  if (!path.empty()) {
    switch (judge(StorageCall::kWrite)) {
      case Verdict::kFail:
        return -1;
      case Verdict::kShort:
        size /= 2;
        break;
      case Verdict::kGoOn:
        break;
    }
  }
  const auto start = offset ? *offset : path.empty() ? 0 : lseek(fd, 0, SEEK_CUR);
  const auto done =
      offset ? syscall(SYS_pwrite64, fd, data, size, *offset) : syscall(SYS_write, fd, data, size);
  if (!path.empty() && done > 0) {
    const auto* const bytes = static_cast<const std::uint8_t*>(data);
    note({StorageCall::kWrite,
          path,
          {},
          static_cast<std::uint64_t>(start),
          {bytes, bytes + done},
          0});
  }
  return done;
}

ssize_t read_from(int fd, void* data, std::size_t size, std::optional<off_t> offset) {
  if (armed && plan.counted == Counted::kReads && !path_of(fd).empty() &&
      judge(StorageCall::kRead) != Verdict::kGoOn) {
    return -1;
  }
  return offset ? syscall(SYS_pread64, fd, data, size, *offset) : syscall(SYS_read, fd, data, size);
}

int sync(int fd, long number) {
  const auto path = busy() ? path_of(fd) : std::string();
  if (!path.empty() && judge(StorageCall::kSync) != Verdict::kGoOn) return -1;
  const auto done = static_cast<int>(syscall(number, fd));
  if (!path.empty() && done == 0) note({StorageCall::kSync, path, {}, 0, {}, 0});
  return done;
}

int truncate(int fd, off_t size) {
  const auto path = busy() ? path_of(fd) : std::string();
  if (!path.empty() && judge(StorageCall::kTruncate) != Verdict::kGoOn) return -1;
  const auto done = static_cast<int>(syscall(SYS_ftruncate, fd, size));
  if (!path.empty() && done == 0) {
    note({StorageCall::kTruncate, path, {}, 0, {}, static_cast<std::uint64_t>(size)});
  }
  return done;
}

int open_at(int directory, const char* path, int flags, unsigned mode) {
  const bool creates = busy() && (flags & O_CREAT) != 0 && watched(path) &&
                       syscall(SYS_faccessat, directory, path, F_OK) != 0;
  if (creates && judge(StorageCall::kCreate) != Verdict::kGoOn) return -1;
  const auto fd = static_cast<int>(syscall(SYS_openat, directory, path, flags, mode));
  if (creates && fd >= 0) note({StorageCall::kCreate, path, {}, 0, {}, 0});
  return fd;
}

// Calls with a name: `number` with its arguments does it. Without memory while nothing is watched.
template <typename... Arguments>
int by_name(StorageCall call, int directory, const char* name, const char* to, long number,
            Arguments... arguments) {
  if (!busy()) return static_cast<int>(syscall(number, arguments...));
  auto path = std::string(name);
  if (directory != AT_FDCWD && name[0] != '/') path = path_of(directory) + "/" + path;
  const bool ours = watched(path);
  if (ours && judge(call) != Verdict::kGoOn) return -1;
  const auto done = static_cast<int>(syscall(number, arguments...));
  if (ours && done == 0) note({call, path, to != nullptr ? to : "", 0, {}, 0});
  return done;
}

}  // namespace

void StorageTap::watch(const std::string& watched_folder) { folder = watched_folder; }

void StorageTap::arm(const StoragePlan& next) {
  plan = next;
  counted = 0;
  hit = false;
  armed = true;
}

std::uint64_t StorageTap::disarm() {
  armed = false;
  return counted;
}

bool StorageTap::struck() { return hit; }

void StorageTap::start_recording() {
  events.clear();
  recording = true;
}

void StorageTap::mark(const std::string& name) { note({StorageCall::kMark, name, {}, 0, {}, 0}); }

std::vector<StorageEvent> StorageTap::stop_recording() {
  recording = false;
  return std::move(events);
}

}  // namespace tallystick::test

using tallystick::test::StorageCall;
namespace tap = tallystick::test;

// What the C library declares with attributes of its own is defined here without them.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmissing-attributes"
#endif
#pragma GCC visibility push(default)
extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  return tap::write_to(fd, data, size, std::nullopt);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return tap::write_to(fd, data, size, offset);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return tap::write_to(fd, data, size, offset);
}
ssize_t read(int fd, void* data, size_t size) {
  return tap::read_from(fd, data, size, std::nullopt);
}
ssize_t pread(int fd, void* data, size_t size, off_t offset) {
  return tap::read_from(fd, data, size, offset);
}
ssize_t pread64(int fd, void* data, size_t size, off64_t offset) {
  return tap::read_from(fd, data, size, offset);
}
int fsync(int fd) { return tap::sync(fd, SYS_fsync); }
int fdatasync(int fd) { return tap::sync(fd, SYS_fdatasync); }
int ftruncate(int fd, off_t size) noexcept { return tap::truncate(fd, size); }
int ftruncate64(int fd, off64_t size) noexcept { return tap::truncate(fd, size); }
int fallocate(int fd, int mode, off_t offset, off_t size) {
  const auto path = tap::busy() ? tap::path_of(fd) : std::string();
  if (!path.empty() && tap::judge(StorageCall::kAllocate) != tap::Verdict::kGoOn) return -1;
  return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, size));
}
int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, unsigned) : 0U;
  va_end(more);
  return tap::open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, unsigned) : 0U;
  va_end(more);
  return tap::open_at(AT_FDCWD, path, flags, mode);
}
int unlink(const char* path) noexcept {
  return tap::by_name(StorageCall::kUnlink, AT_FDCWD, path, nullptr, SYS_unlink, path);
}
int unlinkat(int directory, const char* name, int flags) noexcept {
  return tap::by_name(StorageCall::kUnlink, directory, name, nullptr, SYS_unlinkat, directory, name,
                      flags);
}
int rmdir(const char* path) noexcept {
  return tap::by_name(StorageCall::kRemoveDirectory, AT_FDCWD, path, nullptr, SYS_rmdir, path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  return tap::by_name(StorageCall::kMakeDirectory, AT_FDCWD, path, nullptr, SYS_mkdir, path, mode);
}
int rename(const char* from, const char* to) noexcept {
  return tap::by_name(StorageCall::kRename, AT_FDCWD, from, to, SYS_rename, from, to);
}
int renameat2(int from_directory, const char* from, int to_directory, const char* to,
              unsigned flags) noexcept {
  return tap::by_name(StorageCall::kRename, from_directory, from, to, SYS_renameat2, from_directory,
                      from, to_directory, to, flags);
}
// The C library's own makes the directory without coming through here.
char* mkdtemp(char* pattern) noexcept {
  static unsigned made = 0;
  const auto size = std::strlen(pattern);
  for (unsigned tries = 0; tries < 1000; ++tries) {
    std::array<char, 16> suffix{};
    (void)std::snprintf(suffix.data(), suffix.size(), "%06u",
                        (static_cast<unsigned>(getpid()) * 7919U + ++made) % 1000000U);
    std::memcpy(pattern + size - 6, suffix.data(), 6);
    if (mkdir(pattern, 0700) == 0) return pattern;
    if (errno != EEXIST) return nullptr;
  }
  return nullptr;
}

}  // extern "C"
#pragma GCC visibility pop
#pragma GCC diagnostic pop
