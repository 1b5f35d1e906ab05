#include "tests/faults/support/cheap_pins.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstring>
#include <vector>

#include "tests/faults/support/storage_tap.h"

using Derive = int (*)(EVP_KDF_CTX*, unsigned char*, size_t, const OSSL_PARAM*);

// Stands before libcrypto's.
extern "C" __attribute__((visibility("default"))) int EVP_KDF_derive(EVP_KDF_CTX* context,
                                                                     unsigned char* key,
                                                                     size_t size,
                                                                     const OSSL_PARAM* parameters) {
  static const auto real = reinterpret_cast<Derive>(dlsym(RTLD_NEXT, "EVP_KDF_derive"));
  const auto* const cost = OSSL_PARAM_locate_const(parameters, OSSL_KDF_PARAM_SCRYPT_N);
  if (cost == nullptr) return real(context, key, size, parameters);
  tallystick::test::StorageTap::mark(tallystick::test::kPinLookedAt);
  std::uint64_t cheap = 16;
  std::vector<OSSL_PARAM> changed;
  for (const auto* one = parameters; one->key != nullptr; ++one) {
    changed.push_back(one == cost ? OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cheap)
                                  : *one);
  }
  changed.push_back(OSSL_PARAM_construct_end());
  return real(context, key, size, changed.data());
}
