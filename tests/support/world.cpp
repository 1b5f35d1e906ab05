#include "tests/support/world.h"

#include <algorithm>

#include "core/ts1/family_blob.h"
#include "tests/support/value.h"

namespace tallystick::test {
namespace {

core::Family make_family(const core::Crypto& crypto, const WorldOptions& options,
                         core::ByteView icm_public_key) {
  core::FamilyId id{};
  done(crypto.random(id));
  return value(
      core::generate_family(crypto, id, options.flags, options.further_shares, icm_public_key));
}

}  // namespace

CryptoPtr shared_crypto() {
  static const CryptoPtr crypto = value(core::Crypto::create());
  return crypto;
}

core::Bytes random_bytes(std::size_t size) {
  core::Bytes out(size);
  done(shared_crypto()->random(out));
  return out;
}

core::PermissionRecord permit(core::Operation operation, std::uint32_t argument) {
  return {static_cast<std::uint16_t>(operation), argument};
}

core::PermissionRecord permit_move(unsigned from, unsigned to) {
  return permit(core::Operation::kMoveLifeCycle, from * 256 + to);
}

std::vector<core::PermissionRecord> all_permissions() {
  using core::Operation;
  return {permit(Operation::kMakeShares),
          permit(Operation::kRegenerate),
          permit(Operation::kGiveBlobs, 0xE),
          permit(Operation::kTakeBlobs, 0xE),
          permit(Operation::kSealAssets, 0x6),
          permit(Operation::kOpenAssets, 0x6),
          permit(Operation::kFurtherTypes),
          permit(Operation::kGenerate, 0x7F),
          permit(Operation::kInstall),
          permit(Operation::kProve),
          permit_move(0, 1),
          permit_move(1, 2),
          permit_move(2, 3),
          permit(Operation::kNxpCommands)};
}

std::vector<core::PermissionRecord> all_permissions_but(core::Operation operation) {
  auto records = all_permissions();
  std::erase_if(records, [operation](const auto& record) {
    return record.operation == static_cast<std::uint16_t>(operation);
  });
  return records;
}

World::World(const WorldOptions& options)
    : crypto_(shared_crypto()),
      icm_key_(value(core::EcPrivateKey::generate(*crypto_, core::Curve::kP384))),
      fingerprint_(value(core::icm_fingerprint(*crypto_, icm_key_.public_xy()))),
      family_(make_family(*crypto_, options, icm_key_.public_xy())) {}

core::Family World::family_for(core::FamilyRole role) const {
  auto family = family_.clone();
  family.role = role;
  const bool master = role == core::FamilyRole::kProvisioning || role == core::FamilyRole::kIcm ||
                      (role == core::FamilyRole::kPart && family.uniform());
  if (!master) family.k_oem_master_share.reset();
  return family;
}

core::Bytes World::software(std::uint32_t version, std::uint16_t role_mask,
                            const std::vector<core::PermissionRecord>& permissions,
                            const std::string& name) const {
  const auto payload = value(core::Permissions::encode(permissions));
  const core::SoftwareHeader fields{role_mask, version, family_.id, name};
  const auto header = value(core::software_header(*crypto_, fields, payload));
  const auto signature = value(icm_key_.sign(*crypto_, {header}));
  return value(core::assemble_software(header, signature, payload));
}

core::Bytes World::certificate(core::DeviceKind kind, core::ByteView device_key) const {
  constexpr std::int64_t kStart = 1700000000;
  const auto to_be_signed = value(core::device_certificate_to_sign(
      *crypto_, kind, device_key, icm_key_.public_xy(), "Test ICM", {kStart, 0}));
  const auto signature = value(icm_key_.sign(*crypto_, {to_be_signed}));
  return value(core::assemble_certificate(to_be_signed, signature));
}

core::Bytes World::icm_certificate() const {
  constexpr std::int64_t kStart = 1700000000;
  const auto to_be_signed =
      value(core::icm_certificate_to_sign(*crypto_, icm_key_.public_xy(), "Test ICM", {kStart, 0}));
  const auto signature = value(icm_key_.sign(*crypto_, {to_be_signed}));
  return value(core::assemble_certificate(to_be_signed, signature));
}

core::Bytes World::family_blob(core::FamilyRole role, core::ByteView device_key) const {
  const auto recipient =
      value(core::EcPublicKey::from_xy(*crypto_, core::Curve::kP256, device_key));
  auto blob = value(core::seal_family_blob(*crypto_, family_, role, recipient));
  const auto signature = value(icm_key_.sign(*crypto_, {blob}));
  blob.insert(blob.end(), signature.begin(), signature.end());
  return blob;
}

}  // namespace tallystick::test
