#include "tools/cli/programming/workbench.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace tallystick::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".unfinished-";

// The bench, locked; nothing while another run has it, or when it is gone.
FileHandle locked(const std::string& bench) {
  FileHandle handle(::open(bench.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!handle.open() || ::flock(handle.get(), LOCK_EX | LOCK_NB) != 0 ||
      ::fstat(handle.get(), &status) != 0 || status.st_nlink == 0) {
    return {};
  }
  return handle;
}

void clear(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> left;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kPrefix)) {
      left.push_back(entry->path().string());
    }
  }
  for (const std::string& bench : left) {
    const FileHandle dead = locked(bench);
    // What cannot be removed is no reason not to work.
    if (dead.open()) fs::remove_all(bench, error);
  }
}

// Renames without replacing; where the file system cannot, a link that must not exist does it.
int move_without_replacing(int from, int to, const char* name) {
  if (::renameat2(from, name, to, name, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (::linkat(from, name, to, name, 0) != 0) return errno;
  return ::unlinkat(from, name, 0) == 0 ? 0 : errno;
}

}  // namespace

Outcome<Workbench> Workbench::open(const std::string& directory) {
  FileHandle place(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!place.open()) return from_errno(directory, errno);
  clear(directory);
  // Another run may clear the bench away before it is locked: then once more.
  for (int tries = 0; tries < 10; ++tries) {
    const std::string bench = directory + "/" + std::string(kPrefix) + random_suffix();
    if (::mkdir(bench.c_str(), 0700) != 0) return from_errno(directory, errno);
    FileHandle lock = locked(bench);
    if (lock.open()) return Workbench(directory, std::move(place), bench, std::move(lock));
  }
  return file_failure(directory, "no directory for unfinished files could be made in it");
}

Workbench::Workbench(Workbench&& other) noexcept
    : directory_(std::move(other.directory_)),
      place_(std::move(other.place_)),
      bench_(std::move(other.bench_)),
      lock_(std::move(other.lock_)) {
  other.bench_.clear();
}

Workbench::~Workbench() {
  std::error_code ignored;
  if (!bench_.empty()) fs::remove_all(bench_, ignored);
}

Done Workbench::deliver(const std::string& name) const {
  const std::string path = directory_ + "/" + name;
  const int error = move_without_replacing(lock_.get(), place_.get(), name.c_str());
  if (error == EEXIST) {
    return file_failure(path, "it is there already and was not written over",
                        "does another run work in this directory?");
  }
  if (error != 0) return from_errno(path, error);
  if (::fsync(place_.get()) != 0) return from_errno(path, errno);
  return {};
}

}  // namespace tallystick::cli
