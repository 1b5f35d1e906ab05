#include "core/sb3/share.h"

#include "core/base/reader.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_wrap.h"
#include "core/crypto/mac.h"
#include "core/ts1/derive.h"

namespace tallystick::core::sb3 {
namespace {

constexpr std::string_view kProfile = "TSDH";
constexpr ByteArray<8> kShareHeader = {'T', 'S', 'D', 'H', 1, 1, 0, 0};

Bytes context_of(const FamilyId& family_id) {
  Writer out;
  out.text(kProfile).u8(1).bytes(family_id);
  return out.take();
}

Result<Secret> kdf(const Crypto& crypto, ByteView key, std::string_view label, ByteView context,
                   std::size_t size = kSecretSize) {
  return counter_kdf(crypto, Hash::kSha256, key, bytes_of(label), context, size);
}

Result<Secret> share_wrapping_key(const Crypto& crypto, const Family& family) {
  return kdf(crypto, family.k_oem_share.view(), "TSDH/SHARE", context_of(family.id));
}

}  // namespace

Result<Secret> derive_share(const Crypto& crypto, const Family& family,
                            const ByteArray<kShareNonceSize>& nonce, ByteView seed) {
  if (seed.size() != kSeedSize || !family.k_oem_master_share) {
    return Error{ErrorCode::kInvalidArgument,
                 "OEM_SHARE is made of a seed of 16 bytes and of K_OEM_MASTER_SHARE", 0};
  }
  const auto context = context_of(family.id);
  Writer bound;
  bound.bytes(context).bytes(nonce);
  const auto rnd_share = kdf(crypto, family.k_oem_master_share->view(), "TSDH/RND", bound.view());
  if (!rnd_share) return rnd_share.error();
  const ByteArray<1> separator{0};
  const auto length = be32(static_cast<std::uint32_t>(seed.size()));
  return hmac_secret(crypto, Hash::kSha256, rnd_share->view(),
                     {bytes_of("TSDH/F"), separator, context, length, seed});
}

Result<EncShare> seal_share(const Crypto& crypto, const Family& family, ByteView oem_share) {
  if (oem_share.size() != kSecretSize) {
    return Error{ErrorCode::kInvalidArgument, "OEM_SHARE has 32 bytes", 0};
  }
  const auto key = share_wrapping_key(crypto, family);
  if (!key) return key.error();
  Secret plain(kShareHeader.size() + kSecretSize);
  std::copy(kShareHeader.begin(), kShareHeader.end(), plain.span().begin());
  std::copy(oem_share.begin(), oem_share.end(), plain.span().begin() + kShareHeader.size());
  const auto wrapped = wrap_key(crypto, key->view(), plain.view());
  if (!wrapped) return wrapped.error();
  return array_of<kEncShareSize>(*wrapped);
}

Result<Secret> open_share(const Crypto& crypto, const Family& family, const EncShare& sealed) {
  const auto key = share_wrapping_key(crypto, family);
  if (!key) return key.error();
  const auto plain = unwrap_key(crypto, key->view(), sealed);
  if (!plain) return plain.error();
  if (!equal_in_constant_time(plain->view().first(kShareHeader.size()), kShareHeader)) {
    return Error{ErrorCode::kOpenFailed, "a wrapped key does not open", 0};
  }
  return Secret::copy_of(plain->view().subspan(kShareHeader.size()));
}

Result<ShareKeys> ShareKeys::create(const Crypto& crypto, const Family& family,
                                    ByteView oem_share) {
  auto context = context_of(family.id);
  auto master_key = combine_shares(crypto, kProfile, context, family.shares, oem_share);
  if (!master_key) return std::move(master_key).error();
  return ShareKeys(crypto, std::move(context), *std::move(master_key));
}

Result<Secret> ShareKeys::derive(std::string_view label, std::size_t size) const {
  return kdf(*crypto_, master_key_.view(), label, context_, size);
}

Result<EcPrivateKey> ShareKeys::derive_ec(std::string_view label, Curve curve) const {
  // 128 bits more than the order, as generated assets have it.
  const auto value = derive(label, field_size(curve) + 16);
  if (!value) return value.error();
  const auto scalar = ec_scalar_from(*crypto_, curve, value->view());
  if (!scalar) return scalar.error();
  return EcPrivateKey::from_scalar(*crypto_, curve, scalar->view());
}

Result<EcPrivateKey> ShareKeys::signing_key(Curve curve) const {
  return derive_ec(curve == Curve::kP256 ? "TSDH/ISK" : "TSDH/ISK-384", curve);
}
Result<EcPrivateKey> ShareKeys::certificate_key() const {
  return derive_ec("TSDH/CERT", Curve::kP256);
}
Result<Secret> ShareKeys::part_common_key() const { return derive("TSDH/PCK", kSecretSize); }
Result<Secret> ShareKeys::blob_key() const { return derive("TSDH/BLOB", kSecretSize); }
Result<Secret> ShareKeys::store_key() const { return derive("TSDH/STORE", kSecretSize); }

Result<ByteArray<32>> ShareKeys::owner() const {
  const auto key = certificate_key();
  if (!key) return key.error();
  const ByteArray<1> separator{0};
  return sha256(*crypto_, {bytes_of("TSDH/OWNER"), separator, context_, key->public_xy()});
}

}  // namespace tallystick::core::sb3
