// What is in the seed token, for those who make it and those who use it.
#pragma once

#include <array>
#include <string_view>

#include <p11-kit/pkcs11.h>

namespace tallystick::fuzz {

inline constexpr std::string_view kUserPin = "fuzzed user";
inline constexpr std::string_view kSoPin = "fuzzed SO";

struct SeedKey {
  std::string_view label;
  CK_OBJECT_CLASS object_class;
};
// Inputs name objects by their place in this list: append only.
inline constexpr auto kSeedKeys = std::to_array<SeedKey>({
    {"aes-cipher", CKO_SECRET_KEY},     {"aes-16", CKO_SECRET_KEY},
    {"aes-mac", CKO_SECRET_KEY},        {"aes-wrap", CKO_SECRET_KEY},
    {"aes-derive", CKO_SECRET_KEY},     {"generic-mac", CKO_SECRET_KEY},
    {"generic-derive", CKO_SECRET_KEY}, {"hkdf", CKO_SECRET_KEY},
    {"readable", CKO_SECRET_KEY},       {"rsa-sign", CKO_PRIVATE_KEY},
    {"rsa-sign", CKO_PUBLIC_KEY},       {"rsa-cipher", CKO_PRIVATE_KEY},
    {"rsa-cipher", CKO_PUBLIC_KEY},     {"rsa-wrap", CKO_PRIVATE_KEY},
    {"rsa-wrap", CKO_PUBLIC_KEY},       {"p256-sign", CKO_PRIVATE_KEY},
    {"p256-sign", CKO_PUBLIC_KEY},      {"p256-derive", CKO_PRIVATE_KEY},
    {"p384-sign", CKO_PRIVATE_KEY},     {"p384-sign", CKO_PUBLIC_KEY},
    {"p521-sign", CKO_PRIVATE_KEY},     {"p521-sign", CKO_PUBLIC_KEY},
    {"p521-derive", CKO_PRIVATE_KEY},   {"ed25519", CKO_PRIVATE_KEY},
    {"ed25519", CKO_PUBLIC_KEY},        {"ed448", CKO_PRIVATE_KEY},
    {"ed448", CKO_PUBLIC_KEY},          {"x25519", CKO_PRIVATE_KEY},
    {"x448", CKO_PRIVATE_KEY},          {"p256-readable", CKO_PRIVATE_KEY},
    {"device", CKO_PRIVATE_KEY},        {"device", CKO_PUBLIC_KEY},
    {"family", CKO_SECRET_KEY},         {"share-oem", CKO_SECRET_KEY},
    {"share-target", CKO_SECRET_KEY},   {"master-oem", CKO_SECRET_KEY},
    {"master-target", CKO_SECRET_KEY},  {"enck-oem", CKO_SECRET_KEY},
    {"encd-oem", CKO_SECRET_KEY},       {"auth-oem", CKO_SECRET_KEY},
    {"proof-oem", CKO_SECRET_KEY},      {"further-oem", CKO_SECRET_KEY},
    {"enck-target", CKO_SECRET_KEY},    {"encd-target", CKO_SECRET_KEY},
    {"auth-target", CKO_SECRET_KEY},    {"part", CKO_PUBLIC_KEY},
    {"certificate", CKO_CERTIFICATE},   {"data", CKO_DATA},
});

}  // namespace tallystick::fuzz
