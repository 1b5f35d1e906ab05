#include "provider/key.h"

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

std::string name_of(const Key& key) {
  return key.in_token() ? key.token->name() : std::string(key.type->name) + " key";
}

}  // namespace tallystick::provider
