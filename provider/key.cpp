#include "provider/key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "provider/keymgmt.h"

namespace tallystick::provider {

KeyPtr same_key(const Key& key) {
  auto copy = std::make_unique<Key>();
  copy->context = key.context;
  copy->type = key.type;
  copy->pkey = shared(key.pkey.get());
  copy->parts = key.parts;
  copy->token = key.token;
  copy->asks_every_time = key.asks_every_time;
  return copy;
}

namespace {
constexpr std::size_t kReferenceSize = sizeof(void*);
}  // namespace

OSSL_PARAM KeyReference::param() {
  return OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &key_, kReferenceSize);
}

Key* KeyReference::take(const void* reference, std::size_t size) {
  if (reference == nullptr || size != kReferenceSize) return nullptr;
  // The core hands back what param() gave it.
  Key** place = static_cast<Key**>(const_cast<void*>(reference));
  return std::exchange(*place, nullptr);
}

std::string name_of(const Key& key) {
  return key.in_token() ? key.token->name() : std::string(key.type->name) + " key";
}

const KeyType* key_type(const char* name) {
  const auto found = std::find_if(kKeyTypes.begin(), kKeyTypes.end(), [name](const auto* type) {
    return std::strcmp(type->name, name) == 0;
  });
  return found == kKeyTypes.end() ? nullptr : *found;
}

}  // namespace tallystick::provider
