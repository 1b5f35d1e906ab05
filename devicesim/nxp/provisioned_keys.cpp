#include "devicesim/nxp/provisioned_keys.h"

#include <algorithm>
#include <array>

#include "core/base/reader.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;

namespace {

// OTFAD KEK, SB KEK, three PRINCE regions, user KEK, UDS: the numbers that NXP's tools send.
constexpr auto kTypes = std::to_array<std::uint32_t>({2, 3, 7, 8, 9, 11, 12});
static_assert(kTypes.size() <= ProvisionedKeys::kMostKeys);

Status check(std::uint32_t type, std::size_t size) {
  if (std::ranges::find(kTypes, type) == kTypes.end()) {
    return Error{ErrorCode::kInvalidArgument, "the key store has no key of this type"};
  }
  if (size < ProvisionedKeys::kLeastKey || size > ProvisionedKeys::kMostKey || size % 8 != 0) {
    return Error{ErrorCode::kInvalidArgument, "keys have 16 to 64 bytes, a multiple of 8"};
  }
  return {};
}

}  // namespace

Result<ProvisionedKeys> ProvisionedKeys::enroll(const core::Crypto& crypto) {
  ProvisionedKeys out;
  if (auto filled = crypto.random(out.activation_); !filled) return std::move(filled).error();
  return out;
}

Result<ProvisionedKeys> ProvisionedKeys::decode(core::ByteView bytes) {
  const Error malformed{ErrorCode::kMalformed, "this is no key store"};
  core::Reader in(bytes);
  ProvisionedKeys out;
  out.activation_ = in.array<16>();
  const std::size_t count = in.u8();
  if (count > kMostKeys) return malformed;
  for (std::size_t i = 0; i < count; ++i) {
    const auto type = in.u32();
    const auto key = in.lv();
    // Rising, so that a key store has one form.
    const bool rising = out.keys_.empty() || out.keys_.rbegin()->first < type;
    if (!in.ok() || !rising || !check(type, key.size())) return malformed;
    out.keys_.emplace(type, core::Secret::copy_of(key));
  }
  if (!in.done()) return malformed;
  return out;
}

core::WipedBytes ProvisionedKeys::encode() const {
  core::WipedWriter out;
  out.bytes(activation_).u8(static_cast<std::uint8_t>(keys_.size()));
  for (const auto& [type, key] : keys_) out.u32(type).lv(key.view());
  return out.take();
}

Status ProvisionedKeys::set(std::uint32_t type, core::ByteView key) {
  if (auto checked = check(type, key.size()); !checked) return checked;
  keys_.insert_or_assign(type, core::Secret::copy_of(key));
  return {};
}

Status ProvisionedKeys::make(const core::Crypto& crypto, std::uint32_t type, std::size_t size) {
  if (auto checked = check(type, size); !checked) return checked;
  auto key = crypto.random_secret(size);
  if (!key) return std::move(key).error();
  keys_.insert_or_assign(type, *std::move(key));
  return {};
}

core::ByteView ProvisionedKeys::key(std::uint32_t type) const {
  const auto found = keys_.find(type);
  return found == keys_.end() ? core::ByteView{} : found->second.view();
}

}  // namespace tallystick::device
