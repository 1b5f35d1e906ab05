// The debug port of a part (section 12 of docs/formats.md). The life cycle closes it with the first
// package; the owner's token opens it again, for good, after everything in the part was erased.
// That stands in 64 one-time fuses of its own, coded like the life cycle.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace tallystick::device {

// Tokens whose signature a part looks at in its life.
constexpr std::uint8_t kDebugTries = 5;

enum class Return : std::uint8_t {
  kNone = 0,     // the part is in use: the life cycle decides over the port
  kErasing = 1,  // a token was good; what is left of the contents is being erased
  kOpen = 2,     // erased, the port open
  kDamaged = 255,
};

class ReturnFuses {
 public:
  ReturnFuses() = default;
  explicit ReturnFuses(std::uint64_t bits) : bits_(bits) {}

  [[nodiscard]] std::uint64_t bits() const { return bits_; }
  // Anything that is not exactly one of the three codes is damage.
  [[nodiscard]] Return state() const;
  // kLifeCycle unless `to` comes after the present state.
  core::Status advance(Return to);

 private:
  std::uint64_t bits_ = 0;
};

struct DebugRecord {
  ReturnFuses fuses;
  std::uint8_t tries = 0;  // spent; only rises
  // Of the challenge that waits for its token.
  std::optional<core::ByteArray<32>> nonce;
  // X ‖ Y of the device key that the part had; from kErasing on.
  std::optional<core::ByteArray<64>> former_key;
};

}  // namespace tallystick::device
