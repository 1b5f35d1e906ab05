#include "pkcs11/engine/device_key.h"

#include <array>

#include "core/crypto/curve_oids.h"
#include "core/crypto/hash.h"
#include "pkcs11/engine/keys/ec_key.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kNonceSize = 32;

void common(Draft& draft, core::ByteView device_id, core::ByteView nonce,
            std::span<const CK_ULONG> allowed) {
  draft.managed = true;
  draft.immutable = true;
  draft.attributes.set_flag(CKA_TOKEN, true)
      .set_flag(CKA_MODIFIABLE, false)
      .set_flag(CKA_COPYABLE, false)
      .set_flag(CKA_DESTROYABLE, false)
      .set_flag(CKA_LOCAL, true)
      .set_flag(CKA_DERIVE, false)
      .set_number(CKA_KEY_GEN_MECHANISM, CKM_EC_KEY_PAIR_GEN)
      .set_text(CKA_LABEL, kDeviceLabel)
      .set(CKA_ID, device_id)
      .set(CKA_TS_DEVICE_ID, device_id)
      .set(CKA_TS_NONCE, nonce)
      .set_numbers(CKA_ALLOWED_MECHANISMS, allowed);
}

}  // namespace

Outcome<core::Bytes> make_nonce(const core::Crypto& crypto) {
  core::Bytes nonce(kNonceSize);
  if (auto filled = crypto.random(nonce); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  return nonce;
}

Outcome<std::pair<Draft, Draft>> make_device_key(const core::Crypto& crypto) {
  auto curve = find_curve(core::kP256Oid);
  if (!curve) return std::move(curve).error();
  auto key = generate_ec_key(crypto, **curve);
  if (!key) return std::move(key).error();
  auto point = ec_point(key->get());
  if (!point) return std::move(point).error();
  auto device_id = core::sha256(crypto, {core::ByteView(*point).subspan(1)});
  if (!device_id) return from_core(device_id.error(), CKR_FUNCTION_FAILED);
  auto nonce = make_nonce(crypto);
  if (!nonce) return std::move(nonce).error();
  auto public_half = ec_public_draft(*key);
  if (!public_half) return std::move(public_half).error();
  auto private_half = ec_private_draft(*key);
  if (!private_half) return std::move(private_half).error();

  constexpr std::array<CK_ULONG, 1> kVerifies = {CKM_ECDSA_SHA256};
  common(*public_half, *device_id, *nonce, kVerifies);
  for (const auto unused : {CKA_ENCRYPT, CKA_WRAP, CKA_VERIFY_RECOVER, CKA_TRUSTED, CKA_PRIVATE}) {
    public_half->attributes.set_flag(unused, false);
  }
  public_half->attributes.set_flag(CKA_VERIFY, true);

  // Signs whole messages, and opens what was sealed for this token inside two mechanisms.
  constexpr std::array<CK_ULONG, 3> kOpens = {CKM_ECDSA_SHA256, CKM_TS_FAMILY_WRAP,
                                              CKM_TS_SHARE_FOR_DEVICE};
  common(*private_half, *device_id, *nonce, kOpens);
  for (const auto yes : {CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
                         CKA_SIGN, CKA_UNWRAP}) {
    private_half->attributes.set_flag(yes, true);
  }
  for (const auto no : {CKA_EXTRACTABLE, CKA_DECRYPT, CKA_SIGN_RECOVER, CKA_WRAP_WITH_TRUSTED,
                        CKA_ALWAYS_AUTHENTICATE}) {
    private_half->attributes.set_flag(no, false);
  }
  return std::pair(*std::move(public_half), *std::move(private_half));
}

}  // namespace tallystick::token
