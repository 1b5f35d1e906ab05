#include "core/ts1/context.h"

#include "core/base/reader.h"

namespace tallystick::core {

Result<Suite> suite_from(std::uint8_t number) {
  if (number == 1) return Suite::kGcm;
  if (number == 2) return Suite::kCcm;
  return Error{ErrorCode::kMalformed, "unknown suite", 0};
}

ByteArray<Context::kSize> Context::encode() const {
  Writer out;
  out.text("TS1").u8(1).bytes(family_id).bytes(oem_id).bytes(share_id).u32(sw_floor);
  return array_of<kSize>(out.view());
}

}  // namespace tallystick::core
