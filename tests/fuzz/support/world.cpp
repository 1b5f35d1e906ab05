#include "tests/fuzz/support/world.h"

#include "core/crypto/mac.h"
#include "core/ts1/family_blob.h"
#include "core/ts1/package.h"
#include "tests/support/value.h"

namespace tallystick::fuzz {
namespace {

using test::value;

core::EcPrivateKey fixed_key(const core::Crypto& crypto, core::Curve curve, std::uint8_t byte) {
  return value(
      core::EcPrivateKey::from_scalar(crypto, curve, core::Bytes(core::field_size(curve), byte)));
}

core::Secret fixed_secret(std::uint8_t byte) {
  return core::Secret::copy_of(core::Bytes(core::kSecretSize, byte));
}

core::Family fixed_family(core::ByteView icm_public_key) {
  core::Family family;
  family.id = core::array_of<16>(core::bytes_of("family of fuzzer"));
  family.role = core::FamilyRole::kIcm;
  for (const std::uint8_t byte : {std::uint8_t{0xA1}, std::uint8_t{0xA2}, std::uint8_t{0xA3}})
    family.shares.push_back(fixed_secret(byte));
  family.k_oem_share = fixed_secret(0xA4);
  family.k_oem_master_share = fixed_secret(0xA5);
  family.icm_public_key = core::array_of<core::kIcmKeySize>(icm_public_key);
  return family;
}

core::Family as_role(const core::Family& family, core::FamilyRole role) {
  auto out = family.clone();
  out.role = role;
  if (role == core::FamilyRole::kPart) out.k_oem_master_share.reset();
  return out;
}

core::SoftwareHeader software_fields(const core::FamilyId& family_id) {
  return {test::kForAll, 3, family_id, "fuzzed software"};
}

core::Software all_permitted(const core::FamilyId& family_id) {
  const auto payload = value(core::Permissions::encode(test::all_permissions()));
  return {software_fields(family_id), value(core::Permissions::parse(payload))};
}

core::OemShare fixed_share(const core::Crypto& crypto, const core::FamilyId& family_id,
                           const core::EcPrivateKey& oem) {
  core::OemShare share;
  share.context.family_id = family_id;
  share.context.oem_id = value(core::key_id(crypto, oem.public_xy()));
  share.context.share_id = core::array_of<16>(core::bytes_of("share of fuzzer."));
  share.context.sw_floor = 1;
  share.role = core::HolderRole::kOem;
  core::ShareOrigin origin{fixed_secret(0xB1), fixed_secret(0xB2)};
  share.oem_share = value(core::derive_oem_share(crypto, share.context, origin.rnd_share.view(),
                                                 origin.oem_rnd_input.view()));
  share.origin = std::move(origin);
  return share;
}

constexpr core::Validity kAlways{1700000000, 0};

}  // namespace

World::World()
    : crypto_ptr(test::shared_crypto()),
      crypto(*crypto_ptr),
      icm(fixed_key(crypto, core::Curve::kP384, 0x11)),
      oem(fixed_key(crypto, core::Curve::kP384, 0x12)),
      token(fixed_key(crypto, core::Curve::kP256, 0x13)),
      part(fixed_key(crypto, core::Curve::kP256, 0x14)),
      token_id(value(core::key_id(crypto, token.public_xy()))),
      part_id(value(core::key_id(crypto, part.public_xy()))),
      fingerprint(value(core::icm_fingerprint(crypto, icm.public_xy()))),
      icm_family(fixed_family(icm.public_xy())),
      oem_family(as_role(icm_family, core::FamilyRole::kProvisioning)),
      part_family(as_role(icm_family, core::FamilyRole::kPart)),
      software(all_permitted(icm_family.id)),
      oem_device(crypto, oem_family, software),
      part_device(crypto, part_family, software),
      share(fixed_share(crypto, icm_family.id, oem)) {
  const auto master_key = value(oem_device.derive_master_key(share));
  k_auth = std::move(
      value(oem_device.derive_asset_key(master_key, core::Suite::kGcm, core::kLabelAuth)).value);
}

core::Bytes World::device_blob() const {
  core::DeviceBlobRequest request;
  request.job_id = core::array_of<16>(core::bytes_of("job of a fuzzer."));
  request.number = 1;
  request.limit = 10;
  request.oem_public_key = core::array_of<96>(oem.public_xy());
  const auto message = value(
      core::grant_message(crypto, share.context, request.job_id, request.limit, token.public_xy()));
  request.grant = core::array_of<96>(value(oem.sign(crypto, {message})));
  return value(
      oem_device.give_for_device(share, core::Suite::kGcm, request, token, part.public_key()));
}

core::Bytes World::software_image() const {
  const auto payload = value(core::Permissions::encode(test::all_permissions()));
  const auto header = value(core::software_header(crypto, software_fields(icm_family.id), payload));
  return value(core::assemble_software(header, value(icm.sign(crypto, {header})), payload));
}

core::Bytes World::certificate(core::DeviceKind kind, core::ByteView xy) const {
  const auto unsigned_part = value(
      core::device_certificate_to_sign(crypto, kind, xy, icm.public_xy(), "Fuzzed ICM", kAlways));
  return value(core::assemble_certificate(unsigned_part, value(icm.sign(crypto, {unsigned_part}))));
}

core::Bytes World::icm_certificate() const {
  const auto unsigned_part =
      value(core::icm_certificate_to_sign(crypto, icm.public_xy(), "Fuzzed ICM", kAlways));
  return value(core::assemble_certificate(unsigned_part, value(icm.sign(crypto, {unsigned_part}))));
}

core::Bytes World::family_blob(core::FamilyRole role, core::ByteView xy) const {
  const auto recipient = value(core::EcPublicKey::from_xy(crypto, core::Curve::kP256, xy));
  auto blob = value(core::seal_family_blob(crypto, icm_family, role, recipient));
  const auto signature = value(icm.sign(crypto, {blob}));
  blob.insert(blob.end(), signature.begin(), signature.end());
  return blob;
}

void World::sign_and_tag(core::MutableByteView head) const {
  const auto fields = head.size() - core::kPackageTrailerSize;
  std::ranges::copy(oem.public_xy(), head.begin() + static_cast<std::ptrdiff_t>(fields));
  const auto signature = value(oem.sign(crypto, {head.first(fields + 96)}));
  std::ranges::copy(signature, head.begin() + static_cast<std::ptrdiff_t>(fields + 96));
  const auto tag = value(core::cmac(crypto, k_auth.view(), {head.first(fields + 192)}));
  std::ranges::copy(tag, head.begin() + static_cast<std::ptrdiff_t>(fields + 192));
}

const World& world() {
  static const World one;
  return one;
}

}  // namespace tallystick::fuzz
