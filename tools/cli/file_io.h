// Files: read with a limit that is checked before anything is allocated, written whole or not at
// all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/secret.h"
#include "tools/cli/failure.h"

namespace tallystick::cli {

// A file descriptor that closes itself.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(other.release()) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() { close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  int release();
  void close();

 private:
  int fd_ = -1;
};

constexpr std::size_t kSmallFile = 64UL * 1024;

// The whole of a file of at most `limit` bytes.
Outcome<core::Bytes> read_file(const std::string& path, std::size_t limit = kSmallFile);
// The same for secrets; pipes are read too, "-" is standard input.
Outcome<core::Secret> read_secret_file(const std::string& path, std::size_t limit = kSmallFile);

// A regular file as a stream whose length is known.
class InputFile {
 public:
  static Outcome<InputFile> open(const std::string& path);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // The next bytes, 0 at the end.
  Outcome<std::size_t> read(core::MutableByteView into);
  // Exactly into.size() bytes from `offset`, without moving the stream.
  Done read_at(std::uint64_t offset, core::MutableByteView into) const;

 private:
  InputFile(FileHandle file, std::string path, std::uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), size_(size) {}
  FileHandle file_;
  std::string path_;
  std::uint64_t size_ = 0;
};

enum class FileMode : unsigned { kPublic = 0644, kPrivate = 0600 };

// A file that appears under its name only after commit(): written beside it, synced, renamed. Until
// then, and after an error or a kill, what stood under the name before still stands.
class AtomicFile {
 public:
  static Outcome<AtomicFile> create(const std::string& path, FileMode mode = FileMode::kPublic);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  Done write(core::ByteView bytes);
  Done write_at(std::uint64_t offset, core::ByteView bytes);
  // Continues writing at `offset`.
  Done seek(std::uint64_t offset);
  // Makes the bytes durable: after this a full disk cannot keep commit() from its work.
  Done sync();
  Done commit();

 private:
  AtomicFile(FileHandle directory, FileHandle file, std::string path, std::string name,
             std::string temporary)
      : directory_(std::move(directory)),
        file_(std::move(file)),
        path_(std::move(path)),
        name_(std::move(name)),
        temporary_(std::move(temporary)) {}

  FileHandle directory_;
  FileHandle file_;
  std::string path_;
  std::string name_;
  std::string temporary_;
};

// For the name of a temporary: sixteen random hexadecimal digits.
std::string random_suffix();

Done write_file(const std::string& path, core::ByteView bytes, FileMode mode = FileMode::kPublic);
struct FileToWrite {
  std::string path;
  core::ByteView bytes;
};
// Files that belong together: none appears before all are written and durable.
Done write_files(const std::vector<FileToWrite>& files);
Done write_text(const std::string& path, std::string_view text, FileMode mode = FileMode::kPublic);

// Makes a directory; one that is there already is as good.
Done make_directory(const std::string& path, unsigned mode = 0755);
[[nodiscard]] bool is_directory(const std::string& path);
[[nodiscard]] bool exists(const std::string& path);
// The regular files of a directory whose names end so, sorted, as paths.
Outcome<std::vector<std::string>> files_in(const std::string& directory, std::string_view ending);

// Files as they are named, and for a directory those in it whose names end so.
Outcome<std::vector<std::string>> files_named(const std::vector<std::string>& paths,
                                              std::string_view ending);

}  // namespace tallystick::cli
