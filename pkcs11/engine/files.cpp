#include "pkcs11/engine/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "pkcs11/engine/directory_lock.h"

namespace tallystick::token {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) (void)close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Fault failed(const std::string& path, const char* what) {
  std::array<char, 128> text{};
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT;
  return fault(full             ? CKR_DEVICE_MEMORY
               : code == ENOMEM ? CKR_HOST_MEMORY
                                : CKR_DEVICE_ERROR,
               path + ": " + what + " (" + strerror_r(code, text.data(), text.size()) + ")");
}

// The user's own and nobody else's to read or write.
Outcome<void> check_owner(const std::string& path, const struct stat& status, mode_t forbidden) {
  if (status.st_uid != geteuid())
    return fault(CKR_DEVICE_ERROR, path + ": belongs to another user");
  if ((status.st_mode & forbidden) != 0) {
    return fault(CKR_DEVICE_ERROR, path + ": others may use it; its mode is too open");
  }
  return {};
}

Outcome<void> sync_directory(const std::string& path) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Who may make something in a directory need not be allowed to read it; then nobody can sync it.
  if (!fd.ok() && errno == EACCES) return {};
  if (!fd.ok() || fsync(fd.get()) != 0) return failed(path, "does not sync");
  return {};
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string from_environment(const char* name) {
  const char* const value = secure_getenv(name);
  return value != nullptr && value[0] == '/' ? std::string(value) : std::string();
}

// The folder that a variable of the XDG base directories names, or its usual place under home.
Outcome<std::string> user_directory(const char* variable, std::string_view usual) {
  if (auto named = from_environment(variable); !named.empty()) return named;
  if (auto home = from_environment("HOME"); !home.empty()) return home.append(usual);
  std::array<char, 4096> space{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (getpwuid_r(geteuid(), &entry, space.data(), space.size(), &found) != 0 || found == nullptr ||
      entry.pw_dir == nullptr) {
    return fault(CKR_DEVICE_ERROR, "no home directory: set TALLYSTICK_HOME");
  }
  return std::string(entry.pw_dir).append(usual);
}

// All of an open file into a buffer of its size.
Outcome<void> read_all(const FileDescriptor& fd, const std::string& path,
                       core::MutableByteView out) {
  while (!out.empty()) {
    const auto got = read(fd.get(), out.data(), out.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed(path, "cannot be read");
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

constexpr std::string_view kScratch = "/.new-";

void remove_abandoned(const std::string& parent) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(parent.c_str()), &closedir);
  if (!directory) return;
  while (const auto* const entry = readdir(directory.get())) {
    const auto path = parent + "/" + entry->d_name;
    if (path.starts_with(parent + std::string(kScratch)) && DirectoryLock::is_abandoned(path)) {
      remove_directory(path);
    }
  }
}

// The status of a regular file of at most `cap` bytes.
Outcome<struct stat> small_file(const FileDescriptor& fd, const std::string& path,
                                std::size_t cap) {
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return failed(path, "cannot be read");
  if (!S_ISREG(status.st_mode) || status.st_size < 0 ||
      static_cast<std::size_t>(status.st_size) > cap) {
    return fault(CKR_DEVICE_ERROR, path + ": is not a small plain file");
  }
  return status;
}

}  // namespace

Outcome<std::string> home_directory(const std::string& configured) {
  if (const char* const given = secure_getenv("TALLYSTICK_HOME"); given != nullptr && *given != 0) {
    return std::string(given);
  }
  if (!configured.empty()) return configured;
  auto data = user_directory("XDG_DATA_HOME", "/.local/share");
  if (!data) return std::move(data).error();
  return *data + "/tallystick";
}

Outcome<std::string> config_directory() { return user_directory("XDG_CONFIG_HOME", "/.config"); }

std::optional<std::string> real_directory(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  struct stat status {};
  if (!real || stat(real.get(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
  return std::string(real.get());
}

Outcome<std::string> make_directory(const std::string& path) {
  for (auto end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto part = path.substr(0, end);
    if (!part.empty()) {
      if (mkdir(part.c_str(), kDirectoryMode) == 0) {
        // What is later said to be durable must not stand in a folder that is not.
        if (auto synced = sync_directory(parent_of(part)); !synced) {
          (void)rmdir(part.c_str());
          return std::move(synced).error();
        }
      } else if (errno != EEXIST) {
        return failed(part, "cannot be made");
      }
    }
    if (end == std::string::npos) break;
  }
  auto real = own_directory(path);
  if (!real) return std::move(real).error();
  if (!*real) return fault(CKR_DEVICE_ERROR, path + ": is not a directory");
  return **std::move(real);
}

Outcome<std::optional<std::string>> own_directory(const std::string& path) {
  errno = 0;
  auto real = real_directory(path);
  if (!real) {
    // What may be there and cannot be looked at is not taken for nothing.
    if (errno == EACCES) return failed(path, "cannot be looked at");
    return std::optional<std::string>();
  }
  struct stat status {};
  if (stat(real->c_str(), &status) != 0) return failed(path, "cannot be read");
  if (auto owned = check_owner(path, status, S_IWGRP | S_IWOTH); !owned) {
    return std::move(owned).error();
  }
  return real;
}

Outcome<std::string> absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  const std::unique_ptr<char, decltype(&std::free)> here(getcwd(nullptr, 0), &std::free);
  if (!here) return failed(path, "has no working directory to start from");
  return std::string(here.get()) + "/" + path;
}

Outcome<void> write_new_file(const std::string& path, core::ByteView bytes) {
  const FileDescriptor fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!fd.ok()) return failed(path, "cannot be made");
  if (fchmod(fd.get(), kFileMode) != 0) return failed(path, "cannot be made private");
  while (!bytes.empty()) {
    const auto written = write(fd.get(), bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return failed(path, "cannot be written");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (fsync(fd.get()) != 0) return failed(path, "does not sync");
  return {};
}

Outcome<bool> check_private_file(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return failed(path, "cannot be read");
  }
  if (!S_ISREG(status.st_mode)) return fault(CKR_DEVICE_ERROR, path + ": is not a plain file");
  if (auto owned = check_owner(path, status, S_IRWXG | S_IRWXO); !owned) {
    return std::move(owned).error();
  }
  return true;
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino};
}

Outcome<core::Secret> read_small_file(const std::string& path, std::size_t cap) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) return failed(path, "cannot be opened");
  auto status = small_file(fd, path, cap);
  if (!status) return std::move(status).error();
  if (auto owned = check_owner(path, *status, S_IRWXG | S_IRWXO); !owned) {
    return std::move(owned).error();
  }
  core::Secret out(static_cast<std::size_t>(status->st_size));
  if (auto done = read_all(fd, path, out.span()); !done) return std::move(done).error();
  return out;
}

Outcome<std::optional<core::Bytes>> read_trusted_file(const std::string& path, std::size_t cap) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<core::Bytes>();
    return failed(path, "cannot be opened");
  }
  auto status = small_file(fd, path, cap);
  if (!status) return std::move(status).error();
  if (status->st_uid != 0) {
    if (auto owned = check_owner(path, *status, S_IWGRP | S_IWOTH); !owned) {
      return std::move(owned).error();
    }
  } else if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fault(CKR_DEVICE_ERROR, path + ": others may use it; its mode is too open");
  }
  core::Bytes out(static_cast<std::size_t>(status->st_size));
  if (auto done = read_all(fd, path, out); !done) return std::move(done).error();
  return std::optional<core::Bytes>(std::move(out));
}

Outcome<std::string> make_scratch_directory(const std::string& parent) {
  remove_abandoned(parent);
  std::string pattern = parent + std::string(kScratch) + "XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return failed(parent, "cannot be written to");
  return pattern;
}

Outcome<bool> publish_directory(const std::string& from, const std::string& to) {
  if (auto synced = sync_directory(from); !synced) return std::move(synced).error();
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST || errno == ENOTEMPTY) return false;
    return failed(to, "cannot be made");
  }
  if (auto synced = sync_directory(parent_of(to)); !synced) {
    // Nobody can say whether it would be there after a power cut: it is taken back.
    (void)renameat2(AT_FDCWD, to.c_str(), AT_FDCWD, from.c_str(), RENAME_NOREPLACE);
    return std::move(synced).error();
  }
  return true;
}

void remove_directory(const std::string& path) {
  if (DIR* const directory = opendir(path.c_str()); directory != nullptr) {
    while (const auto* const entry = readdir(directory)) {
      // The two entries that are directories stay: unlink refuses them.
      (void)unlinkat(dirfd(directory), entry->d_name, 0);
    }
    (void)closedir(directory);
  }
  (void)rmdir(path.c_str());
}

Outcome<std::vector<CK_ULONG>> numbered_entries(const std::string& path) {
  constexpr CK_ULONG kLargest = 1'000'000;
  std::vector<CK_ULONG> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), &closedir);
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return numbers;
    return failed(path, "cannot be read");
  }
  while (true) {
    errno = 0;
    const auto* const entry = readdir(directory.get());
    if (entry == nullptr && errno != 0) return failed(path, "cannot be read");
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    CK_ULONG number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size() && number <= kLargest &&
        std::to_string(number) == name) {
      numbers.push_back(number);
    }
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace tallystick::token
