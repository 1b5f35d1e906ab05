// Public keys: from the attributes of a token's objects to libcrypto's own, in the provider's
// private context. Everything that needs no secret is done with these.
#pragma once

#include <array>
#include <optional>

#include "core/crypto/handles.h"
#include "provider/session.h"

namespace tallystick::provider {

// An RSA key that may do nothing else is an RSA-PSS key: PKCS#11 has no key type of its own for it.
inline constexpr std::array<CK_MECHANISM_TYPE, 6> kPssMechanisms = {
    CKM_RSA_PKCS_PSS,        CKM_SHA1_RSA_PKCS_PSS,   CKM_SHA224_RSA_PKCS_PSS,
    CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA512_RSA_PKCS_PSS};

struct PublicKey {
  // The name of its key management, one of kKeyTypes (key_types.h).
  const char* type = nullptr;
  core::PkeyPtr pkey;
};

// The public key of an object: of its own attributes, or of the token's public key object or
// certificate with the same id.
Outcome<PublicKey> public_key_of(OSSL_LIB_CTX* lib, Session& session, ObjectHandle object);

// The type of a key that is libcrypto's own; null where it is none of ours.
const char* type_of(const EVP_PKEY* pkey);

}  // namespace tallystick::provider
