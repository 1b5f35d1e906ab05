#include "tests/devicesim/support/owner.h"

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "tests/support/value.h"

namespace tallystick::test {

core::Bytes application_image(const core::Crypto& crypto, const core::EcPrivateKey& owner,
                              const PlannedApplication& plan) {
  const auto payload = pattern(plan.size, 1000 + plan.version);
  core::ApplicationHeader header;
  header.version = plan.version;
  header.floor = plan.floor;
  header.payload_length = payload.size();
  header.payload_digest = value(core::sha384(crypto, {payload}));
  header.name = plan.name;
  const auto raw = value(core::application_header(header));
  core::Writer out;
  out.bytes(raw).bytes(value(owner.sign(crypto, {raw}))).bytes(payload);
  return out.take();
}

PackagePlan application_plan(std::vector<core::Bytes> images, std::uint32_t package_version) {
  PackagePlan plan;
  plan.version = package_version;
  std::uint16_t number = 1;
  for (auto& image : images) {
    const auto address = (number - 1U) * 0x8000ULL;
    plan.assets.push_back(
        flash_asset(number, "application " + std::to_string(number), address, std::move(image)));
    ++number;
  }
  plan.assets.push_back(
      flash_asset(40, "settings", 0xF000, pattern(100, 7), core::AssetKind::kConfiguration));
  plan.assets.push_back(key_asset(41, "mac key", pattern(32, 8)));
  return plan;
}

core::Bytes debug_token(const core::Crypto& crypto, const core::EcPrivateKey& owner,
                        const core::DebugChallenge& challenge) {
  core::DebugToken token;
  token.challenge = challenge;
  token.oem_public_key = core::array_of<96>(owner.public_xy());
  token.signature = core::array_of<96>(value(owner.sign(crypto, {core::debug_message(challenge)})));
  return core::encode_debug_token(token);
}

}  // namespace tallystick::test
