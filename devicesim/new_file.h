// NewFile: a file that appears under its name only when it is whole and durable. Until then, and
// after an error or a kill, what stood under the name before still stands.
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace tallystick::device {

enum class FileMode : unsigned { kPrivate = 0600, kPublic = 0644 };  // less what umask takes away
// What becomes of a file that has the name already. Only a regular file is ever replaced.
enum class Existing { kKeep, kReplace };

class NewFile {
 public:
  // An empty file beside `path`, open for reading and writing; kStorage says why not.
  static core::Result<NewFile> create(const std::string& path, FileMode mode);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  // Removes what was not put in place.
  ~NewFile();

  [[nodiscard]] int descriptor() const { return fd_; }
  // Makes the descriptor the caller's, who keeps it open until put_in_place() has returned.
  int release();

  core::Status put_in_place(Existing existing);

 private:
  NewFile(int fd, std::string path, std::string temporary)
      : fd_(fd), path_(std::move(path)), temporary_(std::move(temporary)) {}

  int fd_;
  bool owns_ = true;
  std::string path_;
  std::string temporary_;  // empty: put in place, or moved away
};

// A whole file at once.
core::Status write_new_file(const std::string& path, core::ByteView content, FileMode mode,
                            Existing existing);

// pwrite() and errno until all of `data` is written.
core::Status write_all(int fd, std::uint64_t offset, core::ByteView data, const std::string& path);

core::Error file_error(const std::string& path, const char* what, int code);

}  // namespace tallystick::device
