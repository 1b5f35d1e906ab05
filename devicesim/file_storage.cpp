#include "devicesim/file_storage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "devicesim/descriptor.h"
#include "devicesim/new_file.h"

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Status;

// Linux' lseek takes signed offsets.
constexpr std::uint64_t kLargestFile = (1ULL << 62U);

Status lock(const std::string& path, int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) {
    return Error{ErrorCode::kStorage, path + ": the part is in use by another process"};
  }
  return file_error(path, "cannot lock", errno);
}

}  // namespace

Error FileStorage::failed(const char* what) const { return file_error(path_, what, errno); }

core::Result<std::unique_ptr<Storage>> FileStorage::open(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0) return file_error(path, "cannot open", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return file_error(path, "cannot examine", errno);
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
  if (::access(path.c_str(), F_OK) == 0) return file_error(path, "cannot create", EEXIST);
  auto file = NewFile::create(path, FileMode::kPrivate);
  if (!file) return std::move(file).error();
  if (auto locked = lock(path, file->descriptor()); !locked) return locked.error();
  if (::ftruncate(file->descriptor(), static_cast<off_t>(size)) != 0) {
    return file_error(path, "cannot make room", errno);
  }
  std::unique_ptr<Storage> storage(new FileStorage(file->release(), path, size));
  if (auto filled = fill(*storage); !filled) return filled.error();
  if (auto placed = file->put_in_place(Existing::kKeep); !placed) return placed.error();
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
  return write_all(fd_, offset, data, path_);
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
