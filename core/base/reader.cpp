#include "core/base/reader.h"

namespace tallystick::core {

ByteView Reader::take(std::size_t count) {
  if (!ok_ || count > rest_.size()) {
    ok_ = false;
    return {};
  }
  const auto out = rest_.first(count);
  rest_ = rest_.subspan(count);
  return out;
}

std::uint64_t Reader::integer(std::size_t width) {
  std::uint64_t value = 0;
  for (const auto byte : take(width)) value = value << 8U | byte;
  return value;
}

template <typename Buffer>
BasicWriter<Buffer>& BasicWriter<Buffer>::bytes(ByteView view) {
  out_.insert(out_.end(), view.begin(), view.end());
  return *this;
}

template <typename Buffer>
BasicWriter<Buffer>& BasicWriter<Buffer>::zeros(std::size_t count) {
  out_.insert(out_.end(), count, 0);
  return *this;
}

template <typename Buffer>
BasicWriter<Buffer>& BasicWriter<Buffer>::lv(ByteView view) {
  return u32(static_cast<std::uint32_t>(view.size())).bytes(view);
}

template <typename Buffer>
BasicWriter<Buffer>& BasicWriter<Buffer>::integer(std::uint64_t value, std::size_t width) {
  for (std::size_t i = width; i > 0; --i) {
    out_.push_back(static_cast<std::uint8_t>(value >> (8U * (i - 1))));
  }
  return *this;
}

template class BasicWriter<Bytes>;
template class BasicWriter<WipedBytes>;

ByteArray<4> be32(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value >> 24U), static_cast<std::uint8_t>(value >> 16U),
          static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
}

ByteArray<8> be64(std::uint64_t value) {
  ByteArray<8> out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (56U - 8U * i));
  return out;
}

}  // namespace tallystick::core
