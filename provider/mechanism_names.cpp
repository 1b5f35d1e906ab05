#include "provider/mechanism_names.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/bytes.h"
#include "pkcs11/include/tallystick/pkcs11_v3.h"

namespace tallystick::provider {
namespace {

struct Name {
  CK_MECHANISM_TYPE mechanism;
  std::string_view name;
};

constexpr std::array kNames = {
    Name{CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
    Name{CKM_RSA_PKCS, "CKM_RSA_PKCS"},
    Name{CKM_RSA_X_509, "CKM_RSA_X_509"},
    Name{CKM_RSA_PKCS_OAEP, "CKM_RSA_PKCS_OAEP"},
    Name{CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS"},
    Name{CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
    Name{CKM_EC_EDWARDS_KEY_PAIR_GEN, "CKM_EC_EDWARDS_KEY_PAIR_GEN"},
    Name{CKM_EC_MONTGOMERY_KEY_PAIR_GEN, "CKM_EC_MONTGOMERY_KEY_PAIR_GEN"},
    Name{CKM_ECDSA, "CKM_ECDSA"},
    Name{CKM_EDDSA, "CKM_EDDSA"},
    Name{CKM_ECDH1_DERIVE, "CKM_ECDH1_DERIVE"},
};

}  // namespace

std::string mechanism_name(CK_MECHANISM_TYPE mechanism) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [mechanism](const Name& name) {
    return name.mechanism == mechanism;
  });
  if (found != kNames.end()) return std::string(found->name);
  return "mechanism " + std::to_string(mechanism);
}

}  // namespace tallystick::provider
