#include "core/ts1/family.h"

#include "core/base/reader.h"
#include "core/crypto/hash.h"

namespace tallystick::core {
namespace {

constexpr std::string_view kImportMagic = "TSFM";
constexpr std::size_t kImportFixed = 4 + 2 + 1 + 1 + 16 + 2 * kSecretSize + kIcmKeySize;

bool valid_flags(std::uint8_t flags) {
  return flags == 0 || flags == kFamilyUniform || flags == kFamilyCounted;
}

Error malformed(const char* what) { return {ErrorCode::kMalformed, what, 0}; }

}  // namespace

Family Family::clone() const {
  Family copy;
  copy.id = id;
  copy.flags = flags;
  copy.role = role;
  copy.shares.reserve(shares.size());
  for (const auto& share : shares) copy.shares.push_back(share.clone());
  copy.k_oem_share = k_oem_share.clone();
  if (k_oem_master_share) copy.k_oem_master_share = k_oem_master_share->clone();
  copy.icm_public_key = icm_public_key;
  return copy;
}

Result<ByteArray<32>> icm_fingerprint(const Crypto& crypto, ByteView icm_public_key) {
  return sha256(crypto, {icm_public_key});
}

Result<Family> generate_family(const Crypto& crypto, const FamilyId& id, std::uint8_t flags,
                               std::uint8_t further_shares, ByteView icm_public_key) {
  if (!valid_flags(flags) || further_shares > kMostShares - kLeastShares) {
    return Error{ErrorCode::kInvalidArgument, "family flags or number of further shares", 0};
  }
  if (auto key = EcPublicKey::from_xy(crypto, Curve::kP384, icm_public_key); !key) {
    return std::move(key).error();
  }
  Family family;
  family.id = id;
  family.flags = flags;
  family.role = FamilyRole::kIcm;
  family.icm_public_key = array_of<kIcmKeySize>(icm_public_key);
  for (std::size_t i = 0; i < kLeastShares + further_shares; ++i) {
    auto share = crypto.random_secret(kSecretSize);
    if (!share) return std::move(share).error();
    family.shares.push_back(*std::move(share));
  }
  auto k_oem_share = crypto.random_secret(kSecretSize);
  auto k_oem_master_share = crypto.random_secret(kSecretSize);
  if (!k_oem_share) return std::move(k_oem_share).error();
  if (!k_oem_master_share) return std::move(k_oem_master_share).error();
  family.k_oem_share = *std::move(k_oem_share);
  family.k_oem_master_share = *std::move(k_oem_master_share);
  return family;
}

Result<Family> parse_family_import(const Crypto& crypto, ByteView value) {
  Reader in(value);
  const auto magic = in.take(kImportMagic.size());
  const auto version = in.u16();
  const auto flags = in.u8();
  const auto count = in.u8();
  if (!in.ok() || text_of(magic) != kImportMagic || version != 1 || !valid_flags(flags) ||
      count < kLeastShares || count > kMostShares ||
      value.size() != kImportFixed + count * kSecretSize) {
    return malformed("not a family import of version 1");
  }
  Family family;
  family.flags = flags;
  family.role = FamilyRole::kIcm;
  family.id = in.array<16>();
  for (std::size_t i = 0; i < count; ++i) {
    family.shares.push_back(Secret::copy_of(in.take(kSecretSize)));
  }
  family.k_oem_share = Secret::copy_of(in.take(kSecretSize));
  family.k_oem_master_share = Secret::copy_of(in.take(kSecretSize));
  family.icm_public_key = in.array<kIcmKeySize>();
  if (auto key = EcPublicKey::from_xy(crypto, Curve::kP384, family.icm_public_key); !key) {
    return std::move(key).error();
  }
  return family;
}

Secret encode_family_import(const Family& family) {
  Secret out(kImportFixed + family.shares.size() * kSecretSize);
  std::size_t at = 0;
  const auto put = [&out, &at](ByteView part) {
    for (const auto byte : part) out.span()[at++] = byte;
  };
  put(bytes_of(kImportMagic));
  put(ByteArray<4>{0, 1, family.flags, static_cast<std::uint8_t>(family.shares.size())});
  put(family.id);
  for (const auto& share : family.shares) put(share.view());
  put(family.k_oem_share.view());
  if (family.k_oem_master_share) put(family.k_oem_master_share->view());
  put(family.icm_public_key);
  return out;
}

}  // namespace tallystick::core
