#include "devicesim/file_storage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Status;

// Linux' lseek takes signed offsets.
constexpr std::uint64_t kLargestFile = (1ULL << 62U);

Error storage_error(const std::string& path, const char* what, int code) {
  return {ErrorCode::kStorage, path + ": " + what + ": " + std::generic_category().message(code)};
}

// A descriptor until it is handed on.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) (void)::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Removes the unfinished file unless it was renamed.
class Unfinished {
 public:
  explicit Unfinished(std::string path) : path_(std::move(path)) {}
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    if (!path_.empty()) (void)::unlink(path_.c_str());
  }
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

Status lock(const std::string& path, int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) {
    return Error{ErrorCode::kStorage, path + ": the part is in use by another process"};
  }
  return storage_error(path, "cannot lock", errno);
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_folder(const std::string& path) {
  const auto folder = folder_of(path);
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return storage_error(folder, "cannot open the folder", errno);
  if (::fsync(fd.get()) != 0) return storage_error(folder, "cannot sync the folder", errno);
  return {};
}

// Renames without replacing; where the file system cannot, a link that must not exist does it.
Status put_in_place(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EINVAL || errno == ENOSYS) {
    if (::link(from.c_str(), to.c_str()) == 0) {
      (void)::unlink(from.c_str());
      return {};
    }
  }
  return storage_error(to, "cannot create", errno);
}

}  // namespace

Error FileStorage::failed(const char* what) const { return storage_error(path_, what, errno); }

core::Result<std::unique_ptr<Storage>> FileStorage::open(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0) return storage_error(path, "cannot open", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return storage_error(path, "cannot examine", errno);
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kStorage, path + ": not a regular file"};
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{ErrorCode::kStorage, path + ": others may use the file; its mode must be 0600"};
  }
  if (auto locked = lock(path, fd.get()); !locked) return locked.error();
  return std::unique_ptr<Storage>(
      new FileStorage(fd.release(), path, static_cast<std::uint64_t>(info.st_size)));
}

core::Result<std::unique_ptr<Storage>> FileStorage::create(
    const std::string& path, std::uint64_t size, const std::function<Status(Storage&)>& fill) {
  if (size > kLargestFile) return Error{ErrorCode::kInvalidArgument, "the part is too large"};
  if (::access(path.c_str(), F_OK) == 0) return storage_error(path, "cannot create", EEXIST);
  std::string temporary = path + ".XXXXXX";
  Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (fd.get() < 0) return storage_error(path, "cannot create", errno);
  Unfinished unfinished(temporary);
  if (auto locked = lock(temporary, fd.get()); !locked) return locked.error();
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return storage_error(path, "cannot make room", errno);
  }
  const int raw = fd.get();
  std::unique_ptr<Storage> storage(new FileStorage(fd.release(), path, size));
  if (auto filled = fill(*storage); !filled) return filled.error();
  if (::fsync(raw) != 0) return storage_error(path, "cannot sync", errno);
  if (auto placed = put_in_place(temporary, path); !placed) return placed.error();
  unfinished.keep();
  if (auto synced = sync_folder(path); !synced) return synced.error();
  return storage;
}

FileStorage::~FileStorage() { (void)::close(fd_); }

Status FileStorage::read(std::uint64_t offset, core::MutableByteView out) {
  while (!out.empty()) {
    const auto count = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("cannot read");
    if (count == 0) return Error{ErrorCode::kStorage, path_ + ": the file is cut short"};
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Status FileStorage::write(std::uint64_t offset, core::ByteView data) {
  while (!data.empty()) {
    const auto count = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("cannot write");
    data = data.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Status FileStorage::sync() {
  if (::fdatasync(fd_) != 0) return failed("cannot sync");
  return {};
}

core::Result<std::uint64_t> FileStorage::next_data(std::uint64_t from, std::uint64_t end) {
  const auto at = ::lseek(fd_, static_cast<off_t>(from), SEEK_DATA);
  if (at < 0 && errno == ENXIO) return end;
  // A file system that keeps no account of holes: everything may be data.
  if (at < 0 && errno == EINVAL) return from;
  if (at < 0) return failed("cannot seek");
  return std::min(static_cast<std::uint64_t>(at), end);
}

void FileStorage::release(std::uint64_t offset, std::uint64_t length) {
  (void)::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(length));
}

}  // namespace tallystick::device
