// Packages of the world's OEM.
#pragma once

#include "tests/fuzz/support/world.h"
#include "tests/support/oem_desk.h"
#include "tests/support/value.h"

namespace tallystick::fuzz {

inline core::Bytes seal_asset(core::ByteView context, core::ByteView content) {
  const auto& of = world();
  const auto asset = test::value(core::parse_asset_context(context));
  const auto master = test::value(of.oem_device.derive_master_key(of.share));
  const auto key = test::value(of.oem_device.derive_asset_key(
      master, asset.header.suite, core::label_for(asset.entry.kind, asset.entry.name)));
  auto sealer = test::value(of.oem_device.seal_asset(key, context));
  core::Bytes sealed;
  const core::ByteSink sink = [&sealed](core::ByteView piece) -> core::Status {
    sealed.insert(sealed.end(), piece.begin(), piece.end());
    return {};
  };
  test::done(sealer.stream.update(content, sink));
  test::done(sealer.stream.finish(sink));
  return sealed;
}

inline core::Bytes package(const test::PackagePlan& plan) {
  const auto& of = world();
  test::SealingDevice device;
  device.context = of.share.context;
  device.seal = seal_asset;
  device.tag = [&of, &plan](core::ByteView tagged) {
    const auto master = test::value(of.oem_device.derive_master_key(of.share));
    const auto k_auth =
        test::value(of.oem_device.derive_asset_key(master, plan.suite, core::kLabelAuth));
    return test::value(of.oem_device.tag_package(k_auth, tagged));
  };
  return test::package_from(device, of.crypto, of.oem, plan);
}

}  // namespace tallystick::fuzz
