#include "core/crypto/key_context.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

namespace tallystick::core {

const char* provider_name(KeyAlgorithm algorithm) {
  switch (algorithm) {
    case KeyAlgorithm::kEc:
      return "1.2.840.10045.2.1";
    case KeyAlgorithm::kRsa:
      return "1.2.840.113549.1.1.1";
    case KeyAlgorithm::kEd25519:
      return "1.3.101.112";
    case KeyAlgorithm::kEd448:
      return "1.3.101.113";
    case KeyAlgorithm::kX25519:
      return "1.3.101.110";
    case KeyAlgorithm::kX448:
      return "1.3.101.111";
  }
  return "";
}

PkeyCtxPtr key_context(OSSL_LIB_CTX* lib, KeyAlgorithm algorithm) {
  return key_context(lib, provider_name(algorithm));
}

PkeyCtxPtr key_context(OSSL_LIB_CTX* lib, const char* identifier) {
  return PkeyCtxPtr(EVP_PKEY_CTX_new_from_name(lib, identifier, nullptr));
}

bool has_keys_of(OSSL_LIB_CTX* lib, const char* identifier) {
  // That there are none is no error to be found in the queue later.
  (void)ERR_set_mark();
  const KeymgmtPtr found(EVP_KEYMGMT_fetch(lib, identifier, nullptr));
  (void)ERR_pop_to_mark();
  return found != nullptr;
}

PkeyCtxPtr EcKeyGenerator::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto context = std::move(idle_.back());
      idle_.pop_back();
      return context;
    }
  }
  auto context = key_context(lib_, KeyAlgorithm::kEc);
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_group_name(context.get(), OBJ_nid2sn(nid_)) != 1) {
    return nullptr;
  }
  return context;
}

PkeyPtr EcKeyGenerator::generate() {
  auto context = take();
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_generate(context.get(), &key) != 1) return nullptr;
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(context));
  return PkeyPtr(key);
}

}  // namespace tallystick::core
