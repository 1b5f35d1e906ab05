// Tables of functions as OpenSSL's core takes them.
#pragma once

#include <openssl/core.h>

namespace tallystick::provider {

// on<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, function): the compiler compares the function
// with the type that its number stands for.
template <typename Function>
OSSL_DISPATCH on(int number, Function* function) {
  return {number, reinterpret_cast<void (*)()>(function)};
}
inline OSSL_DISPATCH end_of_table() { return {0, nullptr}; }

// What every algorithm of ours is found by.
inline constexpr const char* kProperties = "provider=tallystick";

}  // namespace tallystick::provider
