#include "devicesim/immutable_memory.h"

#include "core/ts1/text.h"

namespace tallystick::device {

using core::Error;
using core::ErrorCode;

std::string_view key_source_name(KeySource source) {
  return source == KeySource::kPuf ? "puf" : "stored";
}

std::optional<KeySource> key_source_from(std::string_view name) {
  for (const auto source : {KeySource::kStored, KeySource::kPuf}) {
    if (name == key_source_name(source)) return source;
  }
  return std::nullopt;
}

core::Status check_manufacture(const Manufacture& manufacture) {
  if (core::all_zero(manufacture.icm_fingerprint)) {
    return Error{ErrorCode::kInvalidArgument, "a part needs the ICM's fingerprint"};
  }
  if (auto field = core::field_from_name(manufacture.product); !field) {
    return Error{ErrorCode::kInvalidArgument, "product: " + field.error().message};
  }
  if (manufacture.key == KeySource::kPuf) {
    if (auto model = puf::check_model(manufacture.sram); !model) return model;
  }
  return check_memory_map(manufacture.memory);
}

core::Status ImmutableMemory::fill(const core::Crypto& crypto, core::ByteView family_blob,
                                   const core::EcPrivateKey& device_key) {
  if (family_) {
    return Error{ErrorCode::kAlreadyPresent,
                 "the immutable memory was filled before and takes nothing more"};
  }
  auto family = core::open_family_blob(crypto, family_blob, manufacture_.icm_fingerprint,
                                       device_key, [](const core::FamilyId&) { return false; });
  if (!family) return std::move(family).error();
  if (family->role != core::FamilyRole::kPart) {
    return Error{ErrorCode::kInvalidArgument, "the family blob is for a token, not for a part", 1};
  }
  family_ = std::make_shared<const core::Family>(*std::move(family));
  return {};
}

}  // namespace tallystick::device
