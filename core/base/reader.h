// Reader and Writer: the big-endian integers and fixed fields of the profile. The reader never
// reads past its view; after the first short read it stays failed and gives zeros, so that a
// layout is read in one go and asked once whether all of it was there.
#pragma once

#include <cstdint>

#include "core/base/secret.h"

namespace tallystick::core {

class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t u64() { return integer(8); }

  // The next `count` bytes as a view into the input; empty when they are not there.
  ByteView take(std::size_t count);
  template <std::size_t N>
  ByteArray<N> array() {
    const auto bytes = take(N);
    return bytes.size() == N ? array_of<N>(bytes) : ByteArray<N>{};
  }
  // lv(x): u32 length, then that many bytes.
  ByteView lv() { return take(u32()); }

  [[nodiscard]] ByteView rest() const { return rest_; }
  // False once anything was read that was not there.
  [[nodiscard]] bool ok() const { return ok_; }
  // Everything was there and nothing is left.
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  std::uint64_t integer(std::size_t width);

  ByteView rest_;
  bool ok_ = true;
};

// Appends to a vector.
template <typename Buffer>
class BasicWriter {
 public:
  BasicWriter& u8(std::uint8_t value) { return integer(value, 1); }
  BasicWriter& u16(std::uint16_t value) { return integer(value, 2); }
  BasicWriter& u32(std::uint32_t value) { return integer(value, 4); }
  BasicWriter& u64(std::uint64_t value) { return integer(value, 8); }
  BasicWriter& bytes(ByteView view);
  BasicWriter& text(std::string_view view) { return bytes(bytes_of(view)); }
  // `count` zero bytes.
  BasicWriter& zeros(std::size_t count);
  BasicWriter& lv(ByteView view);

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] ByteView view() const { return out_; }
  Buffer take() { return std::move(out_); }

 private:
  BasicWriter& integer(std::uint64_t value, std::size_t width);

  Buffer out_;
};
// For public bytes, and for what may be private.
using Writer = BasicWriter<Bytes>;
using WipedWriter = BasicWriter<WipedBytes>;

// The big-endian encoding of an integer, for inputs that are put together from parts.
ByteArray<4> be32(std::uint32_t value);
ByteArray<8> be64(std::uint64_t value);

}  // namespace tallystick::core
