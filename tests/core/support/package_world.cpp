#include "tests/core/support/package_world.h"

#include "core/crypto/hash.h"
#include "core/crypto/mac.h"

namespace tallystick::core::testing {
namespace {

Bytes sealed_asset(const ProvisioningSoftware& device, const AssetKey& key, ByteView context,
                   ByteView data) {
  auto sealer = must(device.seal_asset(key, context));
  Bytes out;
  const ByteSink sink = [&out](ByteView piece) -> Status {
    out.insert(out.end(), piece.begin(), piece.end());
    return {};
  };
  must(sealer.stream.update(data, sink));
  must(sealer.stream.finish(sink));
  return out;
}

}  // namespace

Asset asset(std::uint16_t id, AssetKind kind, Bytes data, std::string name, std::uint8_t flags,
            std::uint64_t address) {
  Asset out;
  out.entry.asset_id = id;
  out.entry.kind = kind;
  out.entry.flags = flags;
  out.entry.slot = id;
  out.entry.address = address;
  out.entry.plaintext_length = data.size();
  out.entry.name = std::move(name);
  out.entry.asset_version = 1;
  out.data = std::move(data);
  return out;
}

std::vector<Asset> four_assets() {
  return {asset(1, AssetKind::kData, random_bytes(4 * kChunkSize + 1000), "firmware", 0, 0x10000),
          asset(2, AssetKind::kConfiguration, random_bytes(300), "configuration", 0, 0x90000),
          asset(3, AssetKind::kSecretKey, random_bytes(32), "key", kAssetWriteOnly | kAssetDecrypt),
          asset(4, AssetKind::kPrivateKey, random_bytes(138), "identity",
                kAssetWriteOnly | kAssetSign)};
}

AssetKey auth_key(const World& world, const OemShare& share, Suite suite) {
  return must(world.oem_device.derive_asset_key(must(world.oem_device.derive_master_key(share)),
                                                suite, kLabelAuth));
}

Bytes make_package(const World& world, const OemShare& share, const std::vector<Asset>& assets,
                   Suite suite, std::uint32_t version, const std::string& product) {
  PackageHeader header;
  header.suite = suite;
  header.package_version = version;
  header.context = share.context;
  header.created = 1'790'000'000;
  header.product = product;
  std::vector<PackageEntry> entries;
  for (const auto& one : assets) entries.push_back(one.entry);
  auto builder = must(PackageBuilder::create(header, entries));
  const auto master = must(world.oem_device.derive_master_key(share));
  Bytes body;
  for (std::size_t i = 0; i < assets.size(); ++i) {
    const auto key = must(world.oem_device.derive_asset_key(
        master, suite, label_for(assets[i].entry.kind, assets[i].entry.name)));
    const auto sealed =
        sealed_asset(world.oem_device, key, builder.seal_context(i), assets[i].data);
    builder.set_digest(i, must(sha384(crypto(), {sealed})));
    body.insert(body.end(), sealed.begin(), sealed.end());
  }
  builder.set_oem_public_key(world.oem.key.public_xy());
  builder.set_signature(world.oem.sign({builder.head().signed_bytes()}));
  const auto tag = must(
      world.oem_device.tag_package(auth_key(world, share, suite), builder.head().tagged_bytes()));
  builder.set_tag(tag);
  return concatenated({builder.head().raw, body});
}

Bytes signed_and_tagged(const World& world, const OemShare& share, Suite suite,
                        ByteView header_and_entries) {
  auto head = concatenated({header_and_entries, world.oem.key.public_xy()});
  const auto signature = world.oem.sign({head});
  head.insert(head.end(), signature.begin(), signature.end());
  const auto tag = must(cmac(crypto(), auth_key(world, share, suite).value.view(), {head}));
  head.insert(head.end(), tag.begin(), tag.end());
  return head;
}

Bytes changed_by_oem(const World& world, const OemShare& share, Suite suite, ByteView package,
                     const std::function<void(Bytes&)>& change) {
  const std::size_t covered = kPackageHeaderSize + package[7] * kPackageEntrySize;
  auto front = to_bytes(package.first(covered));
  change(front);
  return concatenated({signed_and_tagged(world, share, suite, front),
                       package.subspan(covered + kPackageTrailerSize)});
}

}  // namespace tallystick::core::testing
