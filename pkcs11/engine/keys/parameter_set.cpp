#include "pkcs11/engine/keys/parameter_set.h"

#include <algorithm>
#include <array>

namespace tallystick::token {
namespace {

constexpr auto kSets = std::to_array<ParameterSet>({
    {CKK_ML_KEM, CKP_ML_KEM_512, "2.16.840.1.101.3.4.4.1", 800, 1632, 64, 768, 128},
    {CKK_ML_KEM, CKP_ML_KEM_768, "2.16.840.1.101.3.4.4.2", 1184, 2400, 64, 1088, 192},
    {CKK_ML_KEM, CKP_ML_KEM_1024, "2.16.840.1.101.3.4.4.3", 1568, 3168, 64, 1568, 256},
    {CKK_ML_DSA, CKP_ML_DSA_44, "2.16.840.1.101.3.4.3.17", 1312, 2560, 32, 2420, 128},
    {CKK_ML_DSA, CKP_ML_DSA_65, "2.16.840.1.101.3.4.3.18", 1952, 4032, 32, 3309, 192},
    {CKK_ML_DSA, CKP_ML_DSA_87, "2.16.840.1.101.3.4.3.19", 2592, 4896, 32, 4627, 256},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHA2_128S, "2.16.840.1.101.3.4.3.20", 32, 64, 0, 7856, 128},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHA2_128F, "2.16.840.1.101.3.4.3.21", 32, 64, 0, 17088, 128},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHA2_192S, "2.16.840.1.101.3.4.3.22", 48, 96, 0, 16224, 192},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHA2_192F, "2.16.840.1.101.3.4.3.23", 48, 96, 0, 35664, 192},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHA2_256S, "2.16.840.1.101.3.4.3.24", 64, 128, 0, 29792, 256},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHA2_256F, "2.16.840.1.101.3.4.3.25", 64, 128, 0, 49856, 256},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_128S, "2.16.840.1.101.3.4.3.26", 32, 64, 0, 7856, 128},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_128F, "2.16.840.1.101.3.4.3.27", 32, 64, 0, 17088, 128},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_192S, "2.16.840.1.101.3.4.3.28", 48, 96, 0, 16224, 192},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_192F, "2.16.840.1.101.3.4.3.29", 48, 96, 0, 35664, 192},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_256S, "2.16.840.1.101.3.4.3.30", 64, 128, 0, 29792, 256},
    {CKK_SLH_DSA, CKP_SLH_DSA_SHAKE_256F, "2.16.840.1.101.3.4.3.31", 64, 128, 0, 49856, 256},
});

}  // namespace

std::span<const ParameterSet> parameter_sets() { return kSets; }

bool has_parameter_set(CK_KEY_TYPE key_type) {
  return std::ranges::find(kSets, key_type, &ParameterSet::key_type) != kSets.end();
}

Outcome<const ParameterSet*> find_parameter_set(CK_KEY_TYPE key_type, CK_ULONG number) {
  for (const auto& set : kSets) {
    if (set.key_type == key_type && set.number == number) return &set;
  }
  return fault(CKR_PARAMETER_SET_NOT_SUPPORTED, "not a parameter set of this key type");
}

bool offers_type(const core::Crypto& crypto, CK_KEY_TYPE key_type) {
  return std::ranges::all_of(kSets, [&](const ParameterSet& set) {
    return set.key_type != key_type || core::has_keys_of(crypto.lib(), set.identifier);
  });
}

}  // namespace tallystick::token
