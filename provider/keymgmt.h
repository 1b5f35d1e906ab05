// Key management: what the core does with a key of any type. One implementation for all types,
// since libcrypto's own keys do the work that needs no secret; the types differ in names only.
#pragma once

#include <array>

#include "provider/key.h"

namespace tallystick::provider {

inline constexpr KeyType kRsa{"RSA", "RSA:rsaEncryption:1.2.840.113549.1.1.1", "RSA", nullptr};
inline constexpr KeyType kRsaPss{"RSA-PSS", "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "RSA",
                                 nullptr};
inline constexpr KeyType kEc{"EC", "EC:id-ecPublicKey:1.2.840.10045.2.1", "ECDSA", "ECDH"};
inline constexpr KeyType kEd25519{"ED25519", "ED25519:1.3.101.112", "ED25519", nullptr};
inline constexpr KeyType kEd448{"ED448", "ED448:1.3.101.113", "ED448", nullptr};
inline constexpr KeyType kX25519{"X25519", "X25519:1.3.101.110", nullptr, "X25519"};
inline constexpr KeyType kX448{"X448", "X448:1.3.101.111", nullptr, "X448"};
inline constexpr std::array kKeyTypes = {&kRsa,   &kRsaPss, &kEc,  &kEd25519,
                                         &kEd448, &kX25519, &kX448};

const OSSL_ALGORITHM* keymgmt_algorithms();

// Generation (keymgmt_gen.cpp).
void* generation_init(Context& context, const KeyType& type, int selection,
                      const OSSL_PARAM params[]);
int generation_set_template(void* generation, void* key);
int generation_set_params(void* generation, const OSSL_PARAM params[]);
const OSSL_PARAM* generation_settable(void* generation, void* provider_context);
void* generate(void* generation, OSSL_CALLBACK* progress, void* argument);
void generation_cleanup(void* generation);

}  // namespace tallystick::provider
