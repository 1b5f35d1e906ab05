// libcrypto's own operation of a kind on a key's public part: it takes and gives the parameters of
// an operation whose last step is a token's, and it does all of it for keys of libcrypto's own.
#pragma once

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <optional>
#include <string>

#include "provider/key.h"

namespace tallystick::provider {

class Operation {
 public:
  using Init = int (*)(EVP_PKEY_CTX*, const OSSL_PARAM[]);

  Operation() = default;
  Done begin(const Key& key, Init init, const OSSL_PARAM params[]);
  explicit operator bool() const { return context_ != nullptr; }
  [[nodiscard]] EVP_PKEY_CTX* get() const { return context_.get(); }
  [[nodiscard]] Outcome<Operation> duplicate() const;

  // The digest that a parameter names; NID_undef where it names none.
  [[nodiscard]] int digest(const char* parameter, OSSL_LIB_CTX* lib) const;

 private:
  core::PkeyCtxPtr context_;
};

// As the core asks for parameters, before an operation has begun, too.
int get_operation_params(EVP_PKEY_CTX* operation, OSSL_PARAM params[]);
int set_operation_params(EVP_PKEY_CTX* operation, const OSSL_PARAM params[]);
const OSSL_PARAM* gettable_operation_params(EVP_PKEY_CTX* operation);
const OSSL_PARAM* settable_operation_params(EVP_PKEY_CTX* operation);
// The same as functions of the core's tables, of an Own that tells its operation by parameters().
template <typename Own>
struct ParamsOf {
  static EVP_PKEY_CTX* operation(void* own) {
    return own == nullptr ? nullptr : static_cast<Own*>(own)->parameters();
  }
  static int get(void* own, OSSL_PARAM params[]) {
    return get_operation_params(operation(own), params);
  }
  static int set(void* own, const OSSL_PARAM params[]) {
    return set_operation_params(operation(own), params);
  }
  static const OSSL_PARAM* gettable(void* own, void* /*provider_context*/) {
    return gettable_operation_params(operation(own));
  }
  static const OSSL_PARAM* settable(void* own, void* /*provider_context*/) {
    return settable_operation_params(operation(own));
  }
};

// A parameter that is a number, as one: by their names libcrypto does not tell all of them. Its own
// getters crash at the padding of TLS, and take a length of salt that they have no word for as
// none.
std::optional<int> number_of(EVP_PKEY_CTX* operation, const char* parameter);

// The number of the digest that an operation of libcrypto names under `parameter`.
int digest_of(EVP_PKEY_CTX* operation, const char* parameter, OSSL_LIB_CTX* lib);

}  // namespace tallystick::provider
