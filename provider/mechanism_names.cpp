#include "provider/mechanism_names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/bytes.h"
#include "pkcs11/include/tallystick/pkcs11_tallystick.h"
#include "pkcs11/include/tallystick/pkcs11_v3.h"

namespace tallystick::provider {
namespace {

struct Name {
  CK_MECHANISM_TYPE mechanism;
  std::string_view name;
};

constexpr std::array kNames = {
    Name{CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
    Name{CKM_RSA_PKCS, "CKM_RSA_PKCS"},
    Name{CKM_RSA_X_509, "CKM_RSA_X_509"},
    Name{CKM_RSA_PKCS_OAEP, "CKM_RSA_PKCS_OAEP"},
    Name{CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS"},
    Name{CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
    Name{CKM_EC_EDWARDS_KEY_PAIR_GEN, "CKM_EC_EDWARDS_KEY_PAIR_GEN"},
    Name{CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "CKM_EC_MONTGOMERY_KEY_PAIR_GEN"},
    Name{CKM_ECDSA, "CKM_ECDSA"},
    Name{CKM_ML_DSA, "CKM_ML_DSA"},
    Name{CKM_ML_DSA_KEY_PAIR_GEN, "CKM_ML_DSA_KEY_PAIR_GEN"},
    Name{CKM_SLH_DSA, "CKM_SLH_DSA"},
    Name{CKM_SLH_DSA_KEY_PAIR_GEN, "CKM_SLH_DSA_KEY_PAIR_GEN"},
    Name{CKM_ML_KEM, "CKM_ML_KEM"},
    Name{CKM_ML_KEM_KEY_PAIR_GEN, "CKM_ML_KEM_KEY_PAIR_GEN"},
    Name{CKM_EDDSA, "CKM_EDDSA"},
    Name{CKM_ECDH1_DERIVE, "CKM_ECDH1_DERIVE"},
    Name{CKM_SHA_1_HMAC, "CKM_SHA_1_HMAC"},
    Name{CKM_SHA224_HMAC, "CKM_SHA224_HMAC"},
    Name{CKM_SHA256_HMAC, "CKM_SHA256_HMAC"},
    Name{CKM_SHA384_HMAC, "CKM_SHA384_HMAC"},
    Name{CKM_SHA512_HMAC, "CKM_SHA512_HMAC"},
    Name{CKM_SHA512_224_HMAC, "CKM_SHA512_224_HMAC"},
    Name{CKM_SHA512_256_HMAC, "CKM_SHA512_256_HMAC"},
    Name{CKM_SHA3_224_HMAC, "CKM_SHA3_224_HMAC"},
    Name{CKM_SHA3_256_HMAC, "CKM_SHA3_256_HMAC"},
    Name{CKM_SHA3_384_HMAC, "CKM_SHA3_384_HMAC"},
    Name{CKM_SHA3_512_HMAC, "CKM_SHA3_512_HMAC"},
    Name{CKM_AES_CMAC, "CKM_AES_CMAC"},
    Name{CKM_AES_CBC, "CKM_AES_CBC"},
    Name{CKM_AES_CBC_PAD, "CKM_AES_CBC_PAD"},
    Name{CKM_AES_CTR, "CKM_AES_CTR"},
    Name{CKM_AES_GCM, "CKM_AES_GCM"},
    Name{CKM_AES_CCM, "CKM_AES_CCM"},
    Name{CKM_AES_KEY_GEN, "CKM_AES_KEY_GEN"},
    Name{CKM_GENERIC_SECRET_KEY_GEN, "CKM_GENERIC_SECRET_KEY_GEN"},
    Name{CKM_SHA_1, "CKM_SHA_1"},
    Name{CKM_SHA224, "CKM_SHA224"},
    Name{CKM_SHA256, "CKM_SHA256"},
    Name{CKM_SHA384, "CKM_SHA384"},
    Name{CKM_SHA512, "CKM_SHA512"},
    Name{CKM_SHA512_224, "CKM_SHA512_224"},
    Name{CKM_SHA512_256, "CKM_SHA512_256"},
    Name{CKM_SHA3_224, "CKM_SHA3_224"},
    Name{CKM_SHA3_256, "CKM_SHA3_256"},
    Name{CKM_SHA3_384, "CKM_SHA3_384"},
    Name{CKM_SHA3_512, "CKM_SHA3_512"},
    Name{CKM_HKDF_DERIVE, "CKM_HKDF_DERIVE"},
    Name{CKM_HKDF_DATA, "CKM_HKDF_DATA"},
    Name{CKM_SP800_108_COUNTER_KDF, "CKM_SP800_108_COUNTER_KDF"},
    Name{CKM_PKCS5_PBKD2, "CKM_PKCS5_PBKD2"},
    Name{CKM_TS_SEAL, "CKM_TS_SEAL"},
};

}  // namespace

std::string mechanism_name(CK_MECHANISM_TYPE mechanism) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [mechanism](const Name& name) {
    return name.mechanism == mechanism;
  });
  if (found != kNames.end()) return std::string(found->name);
  return "mechanism " + std::to_string(mechanism);
}

}  // namespace tallystick::provider
