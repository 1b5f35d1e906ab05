#include "devicesim/mboot/resource.h"

#include <algorithm>

#include "core/base/reader.h"
#include "core/ts1/text.h"

namespace tallystick::mboot {
namespace {

constexpr std::string_view kMagic = "TSID";
constexpr std::uint16_t kFormat = 1;
constexpr std::size_t kZeros = 7;
constexpr std::size_t kProductSize = 32;

}  // namespace

core::Bytes encode_identity(const Identity& identity) {
  core::Writer out;
  out.text(kMagic).u16(kFormat).u8(identity.life_cycle).u8(identity.flags);
  out.u32(identity.software_version).u32(identity.minimum_software_version);
  out.bytes(identity.part_id).bytes(identity.family_id).u8(identity.family_flags).zeros(kZeros);
  const auto product = std::string_view(identity.product).substr(0, kProductSize);
  out.text(product).zeros(kProductSize - product.size());
  return out.take();
}

std::optional<Identity> decode_identity(core::ByteView bytes) {
  core::Reader in(bytes);
  const auto magic = in.take(kMagic.size());
  const auto format = in.u16();
  Identity identity;
  identity.life_cycle = in.u8();
  identity.flags = in.u8();
  identity.software_version = in.u32();
  identity.minimum_software_version = in.u32();
  identity.part_id = in.array<32>();
  identity.family_id = in.array<16>();
  identity.family_flags = in.u8();
  const auto zeros = in.take(kZeros);
  const auto product = in.take(kProductSize);
  if (!in.done() || core::text_of(magic) != kMagic || format != kFormat || !core::all_zero(zeros)) {
    return std::nullopt;
  }
  auto name = core::name_from_field(product);
  if (!name) return std::nullopt;
  identity.product = *std::move(name);
  return identity;
}

}  // namespace tallystick::mboot
