// Tables of functions as OpenSSL's core takes them.
#pragma once

#include <openssl/core.h>

#include <algorithm>
#include <vector>

namespace tallystick::provider {

// on<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, function): the compiler compares the function
// with the type that its number stands for.
template <typename Function>
OSSL_DISPATCH on(int number, Function* function) {
  return {number, reinterpret_cast<void (*)()>(function)};
}
inline OSSL_DISPATCH end_of_table() { return {0, nullptr}; }

// A table that is made at run time. Never freed: the core keeps it as long as it lives.
inline const OSSL_ALGORITHM* kept(const std::vector<OSSL_ALGORITHM>& algorithms) {
  // One more for the end, which is all zeros.
  auto* table = new OSSL_ALGORITHM[algorithms.size() + 1]();
  std::copy(algorithms.begin(), algorithms.end(), table);
  return table;
}

// What every algorithm of ours is found by.
inline constexpr const char* kProperties = "provider=tallystick";
// Operations with secret keys, and those without keys, can be left to others one by one: a query of
// "?provider=tallystick,tallystick.digest!=yes" takes all of ours but the digests.
inline constexpr const char* kMacProperties = "provider=tallystick,tallystick.mac=yes";
inline constexpr const char* kKdfProperties = "provider=tallystick,tallystick.kdf=yes";
inline constexpr const char* kCipherProperties = "provider=tallystick,tallystick.cipher=yes";
inline constexpr const char* kRandomProperties = "provider=tallystick,tallystick.random=yes";
inline constexpr const char* kDigestProperties = "provider=tallystick,tallystick.digest=yes";

}  // namespace tallystick::provider
