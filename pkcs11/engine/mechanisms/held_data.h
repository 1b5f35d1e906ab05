// Data that an operation in parts holds until it is whole; wiped when it goes.
#pragma once

#include <algorithm>
#include <memory>

#include "core/base/secret.h"

namespace tallystick::token {

class HeldData {
 public:
  // Holds at most `limit` bytes. They are set aside at the first one; the system gives the pages as
  // they fill.
  explicit HeldData(std::size_t limit) : limit_(limit) {}
  HeldData(const HeldData&) = delete;
  HeldData& operator=(const HeldData&) = delete;
  ~HeldData() { core::wipe(span()); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool has_room_for(std::size_t more) const { return more <= limit_ - size_; }
  // The caller has asked has_room_for().
  void add(core::ByteView more) {
    if (more.empty()) return;
    if (!bytes_) bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(limit_);
    std::ranges::copy(more, bytes_.get() + size_);
    size_ += more.size();
  }
  [[nodiscard]] core::MutableByteView span() { return {bytes_.get(), size_}; }

 private:
  std::size_t limit_;
  std::size_t size_ = 0;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

}  // namespace tallystick::token
