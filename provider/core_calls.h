// What libcrypto gives a provider to call: its settings and the caller's error queue.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <string>

#include "provider/failure.h"

namespace tallystick::provider {

class CoreCalls {
 public:
  CoreCalls(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in);

  // A key of the provider's section in openssl.cnf; empty where it is not set.
  [[nodiscard]] std::string setting(const char* name) const;
  // Puts a failure on the calling thread's error queue.
  void raise(const Failure& failure) const;

 private:
  void put(int reason, const char* format, ...) const;

  const OSSL_CORE_HANDLE* core_;
  OSSL_FUNC_core_get_params_fn* get_params_ = nullptr;
  OSSL_FUNC_core_new_error_fn* new_error_ = nullptr;
  OSSL_FUNC_core_set_error_debug_fn* set_error_debug_ = nullptr;
  OSSL_FUNC_core_vset_error_fn* vset_error_ = nullptr;
};

}  // namespace tallystick::provider
