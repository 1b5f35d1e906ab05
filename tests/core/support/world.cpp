#include "tests/core/support/world.h"

#include "core/certificate/device_certificate.h"

namespace tallystick::core::testing {

const Crypto& crypto() {
  static const auto* const instance = new std::shared_ptr<const Crypto>(must(Crypto::create()));
  return **instance;
}

Bytes random_bytes(std::size_t size) {
  Bytes out(size);
  must(crypto().random(out));
  return out;
}

Bytes concatenated(std::initializer_list<ByteView> parts) {
  Bytes out;
  for (const auto part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

std::vector<Secret> clones(const std::vector<Secret>& secrets) {
  std::vector<Secret> out;
  for (const auto& secret : secrets) out.push_back(secret.clone());
  return out;
}

Bytes Signer::sign(std::initializer_list<ByteView> message) const {
  return must(key.sign(crypto(), message));
}

Signer make_signer(Curve curve) {
  auto key = must(EcPrivateKey::generate(crypto(), curve));
  const auto id = must(key_id(crypto(), key.public_xy()));
  return {std::move(key), id};
}

Family make_family(const Signer& icm, std::uint8_t flags, std::uint8_t further_shares) {
  return must(
      generate_family(crypto(), random_array<16>(), flags, further_shares, icm.key.public_xy()));
}

Family as_role(const Family& icm_family, FamilyRole role) {
  auto out = icm_family.clone();
  out.role = role;
  const bool without_master =
      role == FamilyRole::kStation || (role == FamilyRole::kPart && !icm_family.uniform());
  if (without_master) out.k_oem_master_share.reset();
  return out;
}

std::vector<PermissionRecord> every_permission() {
  return {{1, 0},    {2, 0}, {3, 0x0E}, {4, 0x0E}, {5, 0x06},   {6, 0x06},   {7, 0},
          {8, 0x7F}, {9, 0}, {10, 0},   {11, 1},   {11, 0x102}, {11, 0x103}, {12, 0}};
}

std::vector<PermissionRecord> permissions_without(Operation operation, std::uint32_t mask) {
  std::vector<PermissionRecord> out;
  for (auto record : every_permission()) {
    if (record.operation == static_cast<std::uint16_t>(operation)) {
      record.argument &= ~mask;
      if (record.argument == 0) continue;
    }
    out.push_back(record);
  }
  return out;
}

Software software_with(const std::vector<PermissionRecord>& records, const FamilyId& family,
                       std::uint32_t version) {
  Software out;
  out.header = {0x1C, version, family, "test software"};
  out.permissions = must(Permissions::parse(must(Permissions::encode(records))));
  return out;
}

World::World(std::uint8_t flags, std::uint32_t version)
    : icm(make_signer()),
      oem(make_signer()),
      icm_family(make_family(icm, flags)),
      oem_family(as_role(icm_family, FamilyRole::kProvisioning)),
      part_family(as_role(icm_family, FamilyRole::kPart)),
      software(software_with(every_permission(), icm_family.id, version)),
      oem_device(crypto(), oem_family, software),
      part(crypto(), part_family, software),
      token_key(make_signer(Curve::kP256)),
      part_key(make_signer(Curve::kP256)) {}

OemShare World::make_share(std::uint32_t sw_floor) const {
  return must(oem_device.make_share(oem.id, sw_floor, random_bytes(32)));
}

DeviceBlobRequest World::request(const Context& context, const Signer& minter, std::uint64_t number,
                                 std::uint64_t limit) const {
  DeviceBlobRequest out;
  out.job_id = random_array<16>();
  out.number = number;
  out.limit = limit;
  out.oem_public_key = oem.xy96();
  const auto message =
      must(grant_message(crypto(), context, out.job_id, limit, minter.key.public_xy()));
  out.grant = array_of<96>(oem.sign({message}));
  return out;
}

}  // namespace tallystick::core::testing
