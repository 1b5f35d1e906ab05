// One-time fuses for the product's own use: 32 words whose bits only go from 0 to 1.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/result.h"

namespace tallystick::device {

constexpr std::size_t kFuseWords = 32;

class Fuses {
 public:
  Fuses() = default;
  explicit Fuses(const std::array<std::uint32_t, kFuseWords>& words) : words_(words) {}

  [[nodiscard]] const std::array<std::uint32_t, kFuseWords>& words() const { return words_; }
  // kInvalidArgument when there is no such word.
  [[nodiscard]] core::Result<std::uint32_t> read(std::size_t index) const;
  // Blows the bits that are set in `bits`; the others stay as they are.
  core::Status blow(std::size_t index, std::uint32_t bits);

 private:
  std::array<std::uint32_t, kFuseWords> words_{};
};

}  // namespace tallystick::device
