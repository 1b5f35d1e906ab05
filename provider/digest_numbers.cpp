#include "provider/digest_numbers.h"

#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>

#include "pkcs11/include/tallystick/pkcs11_v3.h"

namespace tallystick::provider {
namespace {

constexpr std::array kDigests = {
    DigestNumbers{NID_sha1, CKM_SHA_1, CKG_MGF1_SHA1},
    DigestNumbers{NID_sha224, CKM_SHA224, CKG_MGF1_SHA224},
    DigestNumbers{NID_sha256, CKM_SHA256, CKG_MGF1_SHA256},
    DigestNumbers{NID_sha384, CKM_SHA384, CKG_MGF1_SHA384},
    DigestNumbers{NID_sha512, CKM_SHA512, CKG_MGF1_SHA512},
    DigestNumbers{NID_sha3_224, CKM_SHA3_224, CKG_MGF1_SHA3_224},
    DigestNumbers{NID_sha3_256, CKM_SHA3_256, CKG_MGF1_SHA3_256},
    DigestNumbers{NID_sha3_384, CKM_SHA3_384, CKG_MGF1_SHA3_384},
    DigestNumbers{NID_sha3_512, CKM_SHA3_512, CKG_MGF1_SHA3_512},
};

}  // namespace

const DigestNumbers* digest_numbers(int nid) {
  const auto* found = std::find_if(kDigests.begin(), kDigests.end(),
                                   [nid](const auto& digest) { return digest.nid == nid; });
  return found == kDigests.end() ? nullptr : found;
}

}  // namespace tallystick::provider
