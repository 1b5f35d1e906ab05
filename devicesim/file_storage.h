// A part's file: mode 0600, no following of links, locked against a second process while it is
// open. Room that was never written takes no place on disk.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "devicesim/storage.h"

namespace tallystick::device {

class FileStorage : public Storage {
 public:
  // An existing file; kStorage says why not, also when another process (or another object in this
  // one) has it open.
  static core::Result<std::unique_ptr<Storage>> open(const std::string& path);
  // A new file of `size` zero bytes that `fill` writes its first contents into. It appears under
  // its name only when it is complete and durable; a file that is there already is never touched.
  static core::Result<std::unique_ptr<Storage>> create(
      const std::string& path, std::uint64_t size,
      const std::function<core::Status(Storage&)>& fill);

  FileStorage(const FileStorage&) = delete;
  FileStorage& operator=(const FileStorage&) = delete;
  ~FileStorage() override;

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  core::Status read(std::uint64_t offset, core::MutableByteView out) override;
  core::Status write(std::uint64_t offset, core::ByteView data) override;
  core::Status sync() override;
  core::Result<std::uint64_t> next_data(std::uint64_t from, std::uint64_t end) override;
  void release(std::uint64_t offset, std::uint64_t length) override;

 private:
  FileStorage(int fd, std::string path, std::uint64_t size)
      : fd_(fd), path_(std::move(path)), size_(size) {}
  [[nodiscard]] core::Error failed(const char* what) const;

  int fd_;
  std::string path_;
  std::uint64_t size_;
};

}  // namespace tallystick::device
