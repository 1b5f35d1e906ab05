// Asymmetric keys as tests need them: templates and parameters of their mechanisms, and keys of
// plain libcrypto in its default context, to hold the token's results against.
#pragma once

#include <array>

#include "core/crypto/handles.h"
#include "tests/pkcs11/support/session.h"

namespace tallystick::test {

// For fixtures: ends the test when libcrypto did not do what it must.
void need(bool good, const char* what);

// A hash by its numbers and its name in libcrypto.
struct HashCase {
  const char* name;  // SHA256
  CK_MECHANISM_TYPE digest;
  CK_RSA_PKCS_MGF_TYPE mgf;
  CK_ULONG kdf;
  CK_MECHANISM_TYPE rsa_pkcs;
  CK_MECHANISM_TYPE rsa_pss;
  CK_MECHANISM_TYPE ecdsa;
  std::size_t size;
};
extern const std::array<HashCase, 9> kHashCases;
// By a name as vector files write it ("SHA-256", "SHA2-256"); nullptr for hashes that the token
// does not have.
const HashCase* hash_case(std::string name);

// ---- Parameters ----
Mechanism pss(CK_MECHANISM_TYPE type, CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf,
              CK_ULONG salt);

class Oaep : public Mechanism {
 public:
  Oaep(CK_MECHANISM_TYPE hash, CK_RSA_PKCS_MGF_TYPE mgf, core::Bytes label = {});
  Oaep(const Oaep&) = delete;
  Oaep& operator=(const Oaep&) = delete;
  CK_RSA_PKCS_OAEP_PARAMS& params() { return params_; }

 private:
  core::Bytes label_;
  CK_RSA_PKCS_OAEP_PARAMS params_{};
};

class Ecdh : public Mechanism {
 public:
  explicit Ecdh(core::Bytes peer, CK_ULONG kdf = CKD_NULL, core::Bytes shared_data = {},
                CK_MECHANISM_TYPE type = CKM_ECDH1_DERIVE);
  Ecdh(const Ecdh&) = delete;
  Ecdh& operator=(const Ecdh&) = delete;
  CK_ECDH1_DERIVE_PARAMS& params() { return params_; }

 private:
  core::Bytes peer_;
  core::Bytes shared_data_;
  CK_ECDH1_DERIVE_PARAMS params_{};
};

// A secret that tests may read, of ECDH.
Attributes readable_secret(CK_ULONG length = 0, CK_KEY_TYPE type = CKK_GENERIC_SECRET);

// DER of curve names: "P-256", "P-384", "P-521", "ED25519", "ED448", "X25519", "X448".
core::Bytes curve_params(const std::string& curve);
// A DER value of up to 255 bytes: its tag, its length and the bytes.
core::Bytes der(std::uint8_t tag, core::ByteView content);
inline core::Bytes octets(core::ByteView bytes) { return der(0x04, bytes); }
// A curve's name in PKCS#11, as CKA_EC_PARAMS.
inline core::Bytes curve_name(std::string_view name) { return der(0x13, core::bytes_of(name)); }

// ---- libcrypto's keys ----
using PkeyPtr = core::PkeyPtr;
// "RSA-2048", or the name of a curve. Made anew.
PkeyPtr libcrypto_key(const std::string& kind);
// One of 2048 bits that lives as long as the process.
EVP_PKEY* some_rsa_key();
// A number or the raw bytes of a key by libcrypto's name for it.
core::Bytes number_of(const EVP_PKEY* key, const char* name);
// The public half: 04 ‖ X ‖ Y, or the raw bytes.
core::Bytes point_of(const EVP_PKEY* key);
// Scalar or raw bytes.
core::Bytes private_value_of(const EVP_PKEY* key);
// A public or private key object's public half, from CKA_PUBLIC_KEY_INFO.
PkeyPtr public_key_of(const Session& session, CK_OBJECT_HANDLE key);
PkeyPtr from_pkcs8(core::ByteView der);
core::Bytes to_pkcs8(const EVP_PKEY* key);

// ---- Templates for C_CreateObject ----
Attributes public_key(const EVP_PKEY* key);
Attributes private_key(const EVP_PKEY* key);

// ---- Pairs of the token ----
KeyPair generate_rsa(Session& session, CK_ULONG bits = 2048, const Attributes& more_public = {},
                     const Attributes& more_private = {});
// On one of the curves of curve_params().
KeyPair generate_on(Session& session, const std::string& curve, const Attributes& more_public = {},
                    const Attributes& more_private = {});

// ---- libcrypto at work; null hash names where there is none ----
struct Scheme {
  const char* hash = nullptr;
  const char* mgf = nullptr;  // PSS or OAEP
  int padding = 0;            // RSA_*_PADDING
  int salt = 0;
  core::Bytes label = {};
};
bool verifies(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& message,
              const core::Bytes& signature);
core::Bytes signed_by(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& message);
// Throw where libcrypto refuses.
core::Bytes encrypted_to(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& data);
core::Bytes decrypted_by(EVP_PKEY* key, const Scheme& scheme, const core::Bytes& data);
core::Bytes agreed_with(EVP_PKEY* own, EVP_PKEY* peer);
// r ‖ s to the DER that libcrypto's ECDSA takes, and back; empty where it is not one DER signature.
core::Bytes ecdsa_der(core::ByteView raw);
core::Bytes ecdsa_raw(core::ByteView der, std::size_t half);

}  // namespace tallystick::test
