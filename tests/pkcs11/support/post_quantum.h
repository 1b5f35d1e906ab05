// Keys of ML-KEM, ML-DSA and SLH-DSA as tests need them. Whether there are any depends on the
// libcrypto that runs, which is asked directly.
#pragma once

#include <span>

#include "tests/pkcs11/support/public_keys.h"

namespace tallystick::test {

struct PqCase {
  const char* name;  // libcrypto's: "ML-DSA-65"
  CK_KEY_TYPE key_type;
  CK_ULONG parameter_set;
  CK_MECHANISM_TYPE pair;
  CK_MECHANISM_TYPE use;
  std::size_t public_size;
  std::size_t private_size;
  std::size_t seed_size;
  std::size_t result_size;  // of a signature or a ciphertext
  unsigned strength;
};
std::span<const PqCase> pq_cases();
const PqCase& pq_case(const char* name);
// For the names of parametrised tests: only letters, digits and _.
std::string test_name(const PqCase& tested);

bool libcrypto_has(const std::string& name);
// Those of these sets that libcrypto has, for suites that are run for each of them. That the token
// has none of the others is tested once (PostQuantum).
std::vector<PqCase> pq_at_hand(const std::vector<std::string>& names);

KeyPair generate_pq(Session& session, const PqCase& tested, const Attributes& more_public = {},
                    const Attributes& more_private = {});
// Class, type and parameter set of an object for C_CreateObject.
Attributes pq_object(const PqCase& tested, CK_OBJECT_CLASS object_class);
// "pub", "priv" or "seed" of libcrypto's key.
core::Bytes pq_part(const EVP_PKEY* key, const char* name);

// CK_SIGN_ADDITIONAL_CONTEXT that owns its context.
class SignContext : public Mechanism {
 public:
  SignContext(CK_MECHANISM_TYPE type, CK_HEDGE_TYPE hedge, core::Bytes context = {});
  SignContext(const SignContext&) = delete;
  SignContext& operator=(const SignContext&) = delete;
  CK_SIGN_ADDITIONAL_CONTEXT& params() { return params_; }

 private:
  core::Bytes context_;
  CK_SIGN_ADDITIONAL_CONTEXT params_{};
};
// CK_HASH_SIGN_ADDITIONAL_CONTEXT for CKM_HASH_ML_DSA.
class HashSignContext : public Mechanism {
 public:
  HashSignContext(CK_MECHANISM_TYPE hash, CK_HEDGE_TYPE hedge, core::Bytes context = {});
  HashSignContext(const HashSignContext&) = delete;
  HashSignContext& operator=(const HashSignContext&) = delete;
  CK_HASH_SIGN_ADDITIONAL_CONTEXT& params() { return params_; }

 private:
  core::Bytes context_;
  CK_HASH_SIGN_ADDITIONAL_CONTEXT params_{};
};

// Calls with a mechanism that stays where it is.
Answer<core::Bytes> pq_sign(Session& session, Mechanism& mechanism, CK_OBJECT_HANDLE key,
                            core::Bytes data);
CK_RV pq_verify(Session& session, Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                core::Bytes signature);

struct Encapsulation {
  core::Bytes ciphertext;
  CK_OBJECT_HANDLE key = 0;
};
Answer<Encapsulation> encapsulate(const Module& module, const Session& session,
                                  CK_OBJECT_HANDLE key, Attributes wanted);
Answer<CK_OBJECT_HANDLE> decapsulate(const Module& module, const Session& session,
                                     CK_OBJECT_HANDLE key, core::Bytes ciphertext,
                                     Attributes wanted);

// What libcrypto signs and verifies by itself; `raw`: the message is encoded already.
struct PqScheme {
  core::Bytes context = {};
  bool raw = false;
};
core::Bytes libcrypto_pq_sign(EVP_PKEY* key, const PqScheme& scheme, const core::Bytes& message);
bool libcrypto_pq_verifies(EVP_PKEY* key, const PqScheme& scheme, const core::Bytes& message,
                           const core::Bytes& signature);

}  // namespace tallystick::test
