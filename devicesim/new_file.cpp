#include "devicesim/new_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Status;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_folder(const std::string& path) {
  const auto folder = folder_of(path);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error(folder, "cannot open the folder", errno);
  const bool synced = ::fsync(fd) == 0;
  const int code = errno;
  (void)::close(fd);
  if (!synced) return file_error(folder, "cannot sync the folder", code);
  return {};
}

// Renames without replacing; where the file system cannot, a link that must not exist does it.
Status rename_to_free_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EINVAL || errno == ENOSYS) {
    if (::link(from.c_str(), to.c_str()) == 0) {
      (void)::unlink(from.c_str());
      return {};
    }
  }
  return file_error(to, "cannot create", errno);
}

Status rename_over(const std::string& from, const std::string& to) {
  struct stat there {};
  if (::lstat(to.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return Error{ErrorCode::kStorage, to + ": what stands there is not a regular file"};
  }
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return file_error(to, "cannot replace", errno);
}

}  // namespace

Error file_error(const std::string& path, const char* what, int code) {
  return {ErrorCode::kStorage, path + ": " + what + ": " + std::generic_category().message(code)};
}

Status write_all(int fd, std::uint64_t offset, core::ByteView data, const std::string& path) {
  while (!data.empty()) {
    const auto count = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(path, "cannot write", errno);
    data = data.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

core::Result<NewFile> NewFile::create(const std::string& path, FileMode mode) {
  core::ByteArray<8> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    return file_error(path, "cannot create", errno);
  }
  auto temporary = path + "." + core::to_hex(random);
  const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        static_cast<mode_t>(mode));
  if (fd < 0) return file_error(path, "cannot create", errno);
  return NewFile(fd, path, std::move(temporary));
}

NewFile::NewFile(NewFile&& other) noexcept
    : fd_(other.fd_),
      owns_(std::exchange(other.owns_, false)),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})) {}

NewFile::~NewFile() {
  if (!temporary_.empty()) (void)::unlink(temporary_.c_str());
  if (owns_) (void)::close(fd_);
}

int NewFile::release() {
  owns_ = false;
  return fd_;
}

Status NewFile::put_in_place(Existing existing) {
  if (::fsync(fd_) != 0) return file_error(path_, "cannot sync", errno);
  auto renamed = existing == Existing::kReplace ? rename_over(temporary_, path_)
                                                : rename_to_free_name(temporary_, path_);
  if (!renamed) return renamed;
  temporary_.clear();
  return sync_folder(path_);
}

Status write_new_file(const std::string& path, core::ByteView content, FileMode mode,
                      Existing existing) {
  auto file = NewFile::create(path, mode);
  if (!file) return std::move(file).error();
  if (auto wrote = write_all(file->descriptor(), 0, content, path); !wrote) return wrote;
  return file->put_in_place(existing);
}

}  // namespace tallystick::device
