#include "tests/support/oem_desk.h"

#include <random>

#include "core/crypto/hash.h"
#include "tests/support/value.h"

namespace tallystick::test {
namespace {

constexpr std::string_view kRndInput = "an OEM's random input, 32 bytes!";

core::EcPrivateKey key_or_new(const core::Crypto& crypto, const core::EcPrivateKey* key) {
  if (key != nullptr) return *key;
  return value(core::EcPrivateKey::generate(crypto, core::Curve::kP384));
}

core::Software software_of(const World& world, std::uint32_t version) {
  const auto image = world.software(version);
  return value(core::verify_software(world.crypto(), image, world.icm_key().public_xy(),
                                     world.family().id, core::FamilyRole::kProvisioning, 0));
}

core::Bytes seal_with(const core::ProvisioningSoftware& device, const core::OemShare& share,
                      core::ByteView context, core::ByteView content) {
  const auto parsed = value(core::parse_asset_context(context));
  const auto master_key = value(device.derive_master_key(share));
  const auto key = value(device.derive_asset_key(
      master_key, parsed.header.suite, core::label_for(parsed.entry.kind, parsed.entry.name)));
  auto sealer = value(device.seal_asset(key, context));
  core::Bytes sealed;
  sealed.reserve(static_cast<std::size_t>(value(core::sealed_length(content.size()))));
  const core::ByteSink sink = [&sealed](core::ByteView piece) -> core::Status {
    sealed.insert(sealed.end(), piece.begin(), piece.end());
    return {};
  };
  done(sealer.stream.update(content, sink));
  done(sealer.stream.finish(sink));
  return sealed;
}

}  // namespace

core::Bytes pattern(std::size_t size, std::uint32_t seed) {
  std::minstd_rand generator(seed + 1);
  core::Bytes out(size);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(generator() >> 8U);
  return out;
}

PlannedAsset flash_asset(std::uint16_t number, const std::string& name, std::uint64_t address,
                         core::Bytes content, core::AssetKind kind, std::uint8_t flags,
                         std::uint32_t version) {
  PlannedAsset asset;
  asset.entry.asset_id = number;
  asset.entry.slot = number;
  asset.entry.kind = kind;
  asset.entry.flags = flags;
  asset.entry.address = address;
  asset.entry.name = name;
  asset.entry.asset_version = version;
  asset.content = std::move(content);
  return asset;
}

PlannedAsset key_asset(std::uint16_t number, const std::string& name, core::Bytes content,
                       core::AssetKind kind, std::uint8_t flags, std::uint32_t version) {
  return flash_asset(number, name, 0, std::move(content), kind, flags, version);
}

PackagePlan small_plan(std::uint32_t version, std::uint32_t seed) {
  using core::AssetKind;
  PackagePlan plan;
  plan.version = version;
  plan.assets.push_back(
      flash_asset(7, "firmware", 0, pattern(40000, seed), AssetKind::kData, 0, version));
  plan.assets.push_back(flash_asset(2, "settings", 0xA000, pattern(300, seed + 1),
                                    AssetKind::kConfiguration, 0, version));
  plan.assets.push_back(flash_asset(3, "device.crt", 0xB000, pattern(700, seed + 2),
                                    AssetKind::kCertificate, 0, version));
  plan.assets.push_back(flash_asset(4, "secret-table", 0xC000, pattern(500, seed + 3),
                                    AssetKind::kData, core::kAssetWriteOnly, version));
  plan.assets.push_back(flash_asset(5, "calibration", 0xD000, pattern(64, seed + 4),
                                    AssetKind::kFurther, 0, version));
  plan.assets.push_back(key_asset(6, "mac key", pattern(32, seed + 5), AssetKind::kSecretKey,
                                  core::kAssetSign, version));
  plan.assets.push_back(key_asset(1, "identity", pattern(121, seed + 6), AssetKind::kPrivateKey,
                                  core::kAssetSign, version));
  return plan;
}

core::Bytes package_from(const SealingDevice& device, const core::Crypto& crypto,
                         const core::EcPrivateKey& oem_key, const PackagePlan& plan) {
  core::PackageHeader header;
  header.suite = plan.suite;
  header.package_version = plan.version;
  header.context = device.context;
  header.created = plan.created;
  header.product = plan.product;
  std::vector<core::PackageEntry> entries;
  for (const auto& asset : plan.assets) {
    entries.push_back(asset.entry);
    entries.back().plaintext_length = asset.content.size();
  }
  auto builder = value(core::PackageBuilder::create(header, entries));
  core::Bytes body;
  body.reserve(static_cast<std::size_t>(builder.header().body_length));
  for (std::size_t i = 0; i < plan.assets.size(); ++i) {
    const auto sealed = device.seal(builder.seal_context(i), plan.assets[i].content);
    builder.set_digest(i, value(core::sha384(crypto, {sealed})));
    body.insert(body.end(), sealed.begin(), sealed.end());
  }
  builder.set_oem_public_key(oem_key.public_xy());
  builder.set_signature(value(oem_key.sign(crypto, {builder.head().signed_bytes()})));
  builder.set_tag(device.tag(builder.head().tagged_bytes()));
  auto file = builder.head().raw;
  file.insert(file.end(), body.begin(), body.end());
  return file;
}

OemDesk::OemDesk(const World& world, std::uint32_t sw_floor, const core::EcPrivateKey* oem_key)
    : world_(&world),
      oem_key_(key_or_new(world.crypto(), oem_key)),
      device_key_(value(core::EcPrivateKey::generate(world.crypto(), core::Curve::kP256))),
      family_(world.family_for(core::FamilyRole::kProvisioning)),
      software_(software_of(world, sw_floor)),
      device_(world.crypto(), family_, software_),
      share_(value(device_.make_share(value(core::key_id(world.crypto(), oem_key_.public_xy())),
                                      sw_floor, core::bytes_of(kRndInput)))) {}

core::Bytes OemDesk::share_blob(core::Suite suite) const {
  return value(device_.give_share(share_, suite));
}

core::Bytes OemDesk::master_blob(core::Suite suite) const {
  return value(device_.give_master(share_, suite));
}

core::Bytes OemDesk::device_blob(core::ByteView recipient, std::uint64_t number,
                                 std::uint64_t limit) const {
  const auto& crypto = world_->crypto();
  core::DeviceBlobRequest request;
  request.job_id = core::array_of<16>(core::bytes_of("job of the tests"));
  request.number = number;
  request.limit = limit;
  request.oem_public_key = core::array_of<96>(oem_key_.public_xy());
  const auto message = value(
      core::grant_message(crypto, share_.context, request.job_id, limit, device_key_.public_xy()));
  request.grant = core::array_of<96>(value(oem_key_.sign(crypto, {message})));
  const auto key = value(core::EcPublicKey::from_xy(crypto, core::Curve::kP256, recipient));
  return value(device_.give_for_device(share_, core::Suite::kGcm, request, device_key_, key));
}

core::Bytes OemDesk::package(const PackagePlan& plan) const {
  SealingDevice sealing;
  sealing.context = share_.context;
  sealing.seal = [this](core::ByteView context, core::ByteView content) {
    return seal_with(device_, share_, context, content);
  };
  sealing.tag = [this, &plan](core::ByteView tagged) {
    const auto master_key = value(device_.derive_master_key(share_));
    const auto k_auth = value(device_.derive_asset_key(master_key, plan.suite, core::kLabelAuth));
    return value(device_.tag_package(k_auth, tagged));
  };
  return package_from(sealing, world_->crypto(), oem_key_, plan);
}

core::Secret OemDesk::proof_key(core::Suite suite) const {
  const auto master_key = value(device_.derive_master_key(share_));
  auto key = value(device_.derive_asset_key(master_key, suite, core::kLabelProof));
  return std::move(key.value);
}

}  // namespace tallystick::test
