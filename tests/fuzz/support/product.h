// A part in memory that was programmed: two applications, and keys for every use.
#pragma once

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "core/ts1/application.h"
#include "core/ts1/debug_access.h"
#include "tests/fuzz/support/package.h"
#include "tests/fuzz/support/parts.h"

namespace tallystick::fuzz {

inline core::Bytes application_image(std::uint32_t version, std::uint32_t floor) {
  const auto payload = test::pattern(3000, version);
  core::ApplicationHeader header;
  header.version = version;
  header.floor = floor;
  header.payload_length = payload.size();
  header.payload_digest = test::value(core::sha384(world().crypto, {payload}));
  header.name = "application";
  const auto raw = test::value(core::application_header(header));
  core::Writer out;
  out.bytes(raw).bytes(test::value(world().oem.sign(world().crypto, {raw}))).bytes(payload);
  return out.take();
}

// Secrets of the product by the flags that allow their use.
inline core::Bytes product_key() { return test::pattern(32, 77); }

inline core::Bytes product_package() {
  test::PackagePlan plan;
  plan.assets = {test::flash_asset(1, "one", 0, application_image(4, 0)),
                 test::flash_asset(2, "two", 0x2000, application_image(7, 5)),
                 test::flash_asset(3, "data", 0x4000, test::pattern(100, 1))};
  std::uint16_t number = 10;
  for (const auto flags : {core::kAssetSign, core::kAssetDecrypt, core::kAssetDerive,
                           core::kAssetUnwrap, std::uint8_t{0}}) {
    plan.assets.push_back(test::key_asset(number, "key " + std::to_string(number), product_key(),
                                          core::AssetKind::kSecretKey, flags));
    ++number;
  }
  const auto der = test::value(world().part.pkcs8());
  plan.assets.push_back(test::key_asset(number, "identity", {der.view().begin(), der.view().end()},
                                        core::AssetKind::kPrivateKey));
  return package(plan);
}

// The storage of such a part.
inline core::Bytes product_part() {
  const auto file = std::make_shared<core::Bytes>(ready_part());
  {
    const auto part = test::value(part_on(file));
    test::done(part->load_share_blob(
        test::value(world().oem_device.give_share(world().share, core::Suite::kGcm))));
    const auto whole = product_package();
    const auto installer = test::value(part->install_package(whole.size()));
    test::done(installer->update(whole));
    test::done(installer->finish());
  }
  return *file;
}

// What the owner signs; `spoilt` bits of its byte `at` are wrong.
inline core::Bytes debug_token(const core::DebugChallenge& challenge, std::size_t at,
                               std::uint8_t spoilt) {
  core::DebugToken token;
  token.challenge = challenge;
  token.oem_public_key = core::array_of<96>(world().oem.public_xy());
  token.signature = core::array_of<96>(
      test::value(world().oem.sign(world().crypto, {core::debug_message(challenge)})));
  auto bytes = core::encode_debug_token(token);
  bytes[at % bytes.size()] ^= spoilt;
  return bytes;
}

}  // namespace tallystick::fuzz
