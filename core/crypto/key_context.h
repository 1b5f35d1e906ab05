// Contexts in which keys are generated or put together from their parts.
//
// An algorithm is named here by its object identifier, never by its name: libcrypto looks a name up
// in its table of old key types first, and asks the engines of the whole process for it, whatever
// library context is given. With a PKCS#11 engine in the process, the context would then be the
// engine's and refuse keys that are not its own. The identifier is known to the providers alone.
#pragma once

#include <mutex>
#include <vector>

#include "core/crypto/handles.h"

namespace tallystick::core {

enum class KeyAlgorithm : std::uint8_t { kEc, kRsa, kEd25519, kEd448, kX25519, kX448 };

// The dotted identifier, for libcrypto's functions that take a name.
const char* provider_name(KeyAlgorithm algorithm);

// Null when libcrypto lacks the algorithm.
PkeyCtxPtr key_context(OSSL_LIB_CTX* lib, KeyAlgorithm algorithm);

// The same for algorithms that only newer releases of libcrypto have, by dotted identifier.
PkeyCtxPtr key_context(OSSL_LIB_CTX* lib, const char* identifier);
// Whether the libcrypto that runs has keys of the algorithm.
bool has_keys_of(OSSL_LIB_CTX* lib, const char* identifier);

// Generates keys on one curve. Setting a context up costs as much as a key, so contexts are kept
// and used again. Any number of threads may share it.
class EcKeyGenerator {
 public:
  // `nid` is libcrypto's number of the curve.
  EcKeyGenerator(OSSL_LIB_CTX* lib, int nid) : lib_(lib), nid_(nid) {}
  EcKeyGenerator(const EcKeyGenerator&) = delete;
  EcKeyGenerator& operator=(const EcKeyGenerator&) = delete;
  ~EcKeyGenerator() = default;

  [[nodiscard]] int nid() const { return nid_; }
  // A new key; null on failure.
  [[nodiscard]] PkeyPtr generate();

 private:
  [[nodiscard]] PkeyCtxPtr take();

  OSSL_LIB_CTX* const lib_;
  const int nid_;
  std::mutex mutex_;
  std::vector<PkeyCtxPtr> idle_;  // under mutex_
};

}  // namespace tallystick::core
