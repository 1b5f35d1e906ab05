#include "devicesim/nxp/nxp_state.h"

#include "core/base/reader.h"
#include "devicesim/nxp/provisioned_keys.h"

namespace tallystick::device {

NxpState NxpState::clone() const {
  NxpState out;
  out.minimum_firmware_version = minimum_firmware_version;
  for (const auto& [place, loaded] : keys) {
    out.keys.emplace(place, LoadedKey{loaded.type, loaded.key.clone()});
  }
  out.key_store = key_store.clone();
  return out;
}

core::WipedBytes encode_nxp_state(const NxpState& state) {
  core::WipedWriter out;
  out.u32(state.minimum_firmware_version).u8(static_cast<std::uint8_t>(state.keys.size()));
  for (const auto& [place, loaded] : state.keys) {
    out.u32(place).u32(loaded.type).lv(loaded.key.view());
  }
  out.lv(state.key_store.view());
  return out.take();
}

core::Result<std::shared_ptr<const NxpState>> decode_nxp_state(core::ByteView bytes) {
  const core::Error damaged{core::ErrorCode::kStorage, "the part's state is damaged: loaded keys"};
  core::Reader in(bytes);
  auto out = std::make_shared<NxpState>();
  out->minimum_firmware_version = in.u32();
  const std::size_t count = in.u8();
  if (count > NxpState::kMostLoadedKeys) return damaged;
  for (std::size_t i = 0; i < count; ++i) {
    const auto place = in.u32();
    const auto type = in.u32();
    const auto key = in.lv();
    const bool rising = out->keys.empty() || out->keys.rbegin()->first < place;
    if (!in.ok() || !rising || (key.size() != 16 && key.size() != 32)) return damaged;
    out->keys.emplace(place, LoadedKey{type, core::Secret::copy_of(key)});
  }
  const auto store = in.lv();
  if (!in.done() || (!store.empty() && !ProvisionedKeys::decode(store))) return damaged;
  out->key_store = core::Secret::copy_of(store);
  return std::shared_ptr<const NxpState>(std::move(out));
}

}  // namespace tallystick::device
