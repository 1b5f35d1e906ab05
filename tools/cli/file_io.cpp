#include "tools/cli/file_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <random>

#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

namespace fs = std::filesystem;

const char* const kNothingWritten = "nothing was written under that name";

Failure too_large(const std::string& path, std::size_t limit) {
  return file_failure(path, "larger than " + std::to_string(limit) + " bytes",
                      "is it the file that was meant?");
}

ssize_t read_some(int fd, core::MutableByteView into) {
  ssize_t got = 0;
  do {
    got = ::read(fd, into.data(), into.size());
  } while (got < 0 && errno == EINTR);
  return got;
}

Outcome<FileHandle> open_for_reading(const std::string& path) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.open()) return from_errno(path, errno);
  return file;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Done write_all(int fd, core::ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return from_errno(path, errno, kNothingWritten);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

int FileHandle::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void FileHandle::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Outcome<core::Bytes> read_file(const std::string& path, std::size_t limit) {
  auto file = InputFile::open(path);
  if (!file) return std::move(file).error();
  if (file->size() > limit) return too_large(path, limit);
  core::Bytes bytes(static_cast<std::size_t>(file->size()));
  if (auto done = file->read_at(0, bytes); !done) return std::move(done).error();
  return bytes;
}

Outcome<core::Secret> read_secret_file(const std::string& path, std::size_t limit) {
  FileHandle opened;
  int fd = STDIN_FILENO;
  if (path != "-") {
    auto file = open_for_reading(path);
    if (!file) return std::move(file).error();
    opened = *std::move(file);
    fd = opened.get();
  }
  core::Secret secret(limit + 1);
  std::size_t used = 0;
  while (used < secret.size()) {
    const ssize_t got = read_some(fd, secret.span().subspan(used));
    if (got < 0) return from_errno(path, errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  if (used > limit) return too_large(path, limit);
  // A copy of the right size: the large one is wiped as it goes.
  return core::Secret::copy_of(secret.view().first(used));
}

Outcome<InputFile> InputFile::open(const std::string& path) {
  auto file = open_for_reading(path);
  if (!file) return std::move(file).error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return from_errno(path, errno);
  if (!S_ISREG(status.st_mode)) return file_failure(path, "not a regular file");
  return InputFile(*std::move(file), path, static_cast<std::uint64_t>(status.st_size));
}

Outcome<std::size_t> InputFile::read(core::MutableByteView into) {
  const ssize_t got = read_some(file_.get(), into);
  if (got < 0) return from_errno(path_, errno);
  return static_cast<std::size_t>(got);
}

Done InputFile::read_at(std::uint64_t offset, core::MutableByteView into) const {
  while (!into.empty()) {
    const ssize_t got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno(path_, errno);
    if (got == 0) return file_failure(path_, "ends too early");
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Outcome<AtomicFile> AtomicFile::create(const std::string& path, FileMode mode) {
  const std::string name = name_of(path);
  if (name.empty() || name == "." || name == "..") return file_failure(path, "not a file's name");
  const std::string folder = directory_of(path);
  FileHandle directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.open()) return from_errno(folder, errno, "make the directory first");
  struct stat there {};
  if (::fstatat(directory.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISREG(there.st_mode)) {
    return file_failure(path, "there is something of that name that is not a regular file");
  }
  const std::string temporary = ".tallystick-" + random_suffix();
  FileHandle file(::openat(directory.get(), temporary.c_str(),
                           O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           static_cast<mode_t>(mode)));
  if (!file.open()) return from_errno(path, errno);
  return AtomicFile(std::move(directory), std::move(file), path, name, temporary);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : directory_(std::move(other.directory_)),
      file_(std::move(other.file_)),
      path_(std::move(other.path_)),
      name_(std::move(other.name_)),
      temporary_(std::move(other.temporary_)) {
  other.temporary_.clear();
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlinkat(directory_.get(), temporary_.c_str(), 0);
}

Done AtomicFile::write(core::ByteView bytes) { return write_all(file_.get(), bytes, path_); }

Done AtomicFile::seek(std::uint64_t offset) {
  if (::lseek(file_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    return from_errno(path_, errno);
  }
  return {};
}

Done AtomicFile::write_at(std::uint64_t offset, core::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return from_errno(path_, errno, kNothingWritten);
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Done AtomicFile::sync() {
  if (::fsync(file_.get()) != 0) return from_errno(path_, errno, kNothingWritten);
  return {};
}

Done AtomicFile::commit() {
  if (auto done = sync(); !done) return done;
  if (::renameat(directory_.get(), temporary_.c_str(), directory_.get(), name_.c_str()) != 0) {
    return from_errno(path_, errno, kNothingWritten);
  }
  temporary_.clear();
  if (::fsync(directory_.get()) != 0) return from_errno(path_, errno);
  return {};
}

std::string random_suffix() {
  std::random_device device;
  std::array<std::uint8_t, 8> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(device() & 0xFFU);
  return core::to_hex(bytes);
}

Done write_file(const std::string& path, core::ByteView bytes, FileMode mode) {
  auto file = AtomicFile::create(path, mode);
  if (!file) return std::move(file).error();
  if (auto done = file->write(bytes); !done) return done;
  return file->commit();
}

Done write_files(const std::vector<FileToWrite>& files) {
  std::vector<AtomicFile> written;
  for (const FileToWrite& wanted : files) {
    auto file = AtomicFile::create(wanted.path);
    if (!file) return std::move(file).error();
    if (auto done = file->write(wanted.bytes); !done) return done;
    if (auto done = file->sync(); !done) return done;
    written.push_back(*std::move(file));
  }
  for (AtomicFile& file : written) {
    if (auto done = file.commit(); !done) return done;
  }
  return {};
}

Done write_text(const std::string& path, std::string_view text, FileMode mode) {
  return write_file(path, core::bytes_of(text), mode);
}

Done make_directory(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return {};
  const int error_number = errno;
  if (error_number == EEXIST && is_directory(path)) return {};
  return from_errno(path, error_number);
}

bool is_directory(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Outcome<std::vector<std::string>> files_in(const std::string& directory, std::string_view ending) {
  std::error_code error;
  std::vector<std::string> found;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    if (name.ends_with(ending) && name.front() != '.' && entry->is_regular_file(ignored)) {
      found.push_back(entry->path().string());
    }
  }
  if (error) return file_failure(directory, error.message());
  std::sort(found.begin(), found.end());
  return found;
}

Outcome<std::vector<std::string>> files_named(const std::vector<std::string>& paths,
                                              std::string_view ending) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!is_directory(path)) {
      files.push_back(path);
      continue;
    }
    auto inside = files_in(path, ending);
    if (!inside) return inside;
    files.insert(files.end(), inside->begin(), inside->end());
  }
  return files;
}

}  // namespace tallystick::cli
