#include "provider/mac_numbers.h"

#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>

#include "pkcs11/include/tallystick/pkcs11_v3.h"

namespace tallystick::provider {
namespace {

constexpr std::array kHmacs = {
    HmacNumbers{NID_sha1, CKM_SHA_1_HMAC, CKK_SHA_1_HMAC, CKP_PKCS5_PBKD2_HMAC_SHA1},
    HmacNumbers{NID_sha224, CKM_SHA224_HMAC, CKK_SHA224_HMAC, CKP_PKCS5_PBKD2_HMAC_SHA224},
    HmacNumbers{NID_sha256, CKM_SHA256_HMAC, CKK_SHA256_HMAC, CKP_PKCS5_PBKD2_HMAC_SHA256},
    HmacNumbers{NID_sha384, CKM_SHA384_HMAC, CKK_SHA384_HMAC, CKP_PKCS5_PBKD2_HMAC_SHA384},
    HmacNumbers{NID_sha512, CKM_SHA512_HMAC, CKK_SHA512_HMAC, CKP_PKCS5_PBKD2_HMAC_SHA512},
    HmacNumbers{NID_sha512_224, CKM_SHA512_224_HMAC, CKK_SHA512_224_HMAC,
                CKP_PKCS5_PBKD2_HMAC_SHA512_224},
    HmacNumbers{NID_sha512_256, CKM_SHA512_256_HMAC, CKK_SHA512_256_HMAC,
                CKP_PKCS5_PBKD2_HMAC_SHA512_256},
    HmacNumbers{NID_sha3_224, CKM_SHA3_224_HMAC, CKK_SHA3_224_HMAC, 0},
    HmacNumbers{NID_sha3_256, CKM_SHA3_256_HMAC, CKK_SHA3_256_HMAC, 0},
    HmacNumbers{NID_sha3_384, CKM_SHA3_384_HMAC, CKK_SHA3_384_HMAC, 0},
    HmacNumbers{NID_sha3_512, CKM_SHA3_512_HMAC, CKK_SHA3_512_HMAC, 0},
};

template <typename Matches>
const HmacNumbers* first(Matches matches) {
  const auto* found = std::find_if(kHmacs.begin(), kHmacs.end(), matches);
  return found == kHmacs.end() ? nullptr : found;
}

}  // namespace

const HmacNumbers* hmac_numbers(int digest) {
  return first([digest](const HmacNumbers& hmac) { return hmac.digest == digest; });
}

const HmacNumbers* hmac_of_key_type(CK_KEY_TYPE type) {
  return first([type](const HmacNumbers& hmac) { return hmac.key_type == type; });
}

}  // namespace tallystick::provider
