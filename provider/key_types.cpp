#include "provider/key_types.h"

#include <algorithm>
#include <cstring>

#include "provider/context.h"

namespace tallystick::provider {

const KeyType* key_type(const char* name) {
  const auto found = std::find_if(kKeyTypes.begin(), kKeyTypes.end(), [name](const auto* type) {
    return std::strcmp(type->name, name) == 0;
  });
  return found == kKeyTypes.end() ? nullptr : *found;
}

bool libcrypto_has(const Context& context, const KeyType& type) {
  if (!offered(type)) return false;
  const Quietly quietly;
  return core::KeymgmtPtr(EVP_KEYMGMT_fetch(context.lib(), type.name, nullptr)) != nullptr;
}

}  // namespace tallystick::provider
