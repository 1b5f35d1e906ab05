#include "devicesim/fuses.h"

#include <string>

namespace tallystick::device {
namespace {

core::Error no_such_word(std::size_t index) {
  return {core::ErrorCode::kInvalidArgument, "fuse word " + std::to_string(index) +
                                                 " does not exist; there are " +
                                                 std::to_string(kFuseWords)};
}

}  // namespace

core::Result<std::uint32_t> Fuses::read(std::size_t index) const {
  if (index >= kFuseWords) return no_such_word(index);
  return words_[index];
}

core::Status Fuses::blow(std::size_t index, std::uint32_t bits) {
  if (index >= kFuseWords) return no_such_word(index);
  words_[index] |= bits;
  return {};
}

}  // namespace tallystick::device
