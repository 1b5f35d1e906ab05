#include "pkcs11/engine/object.h"

#include <cstring>

#include "pkcs11/engine/attribute_table.h"
#include "pkcs11/engine/keys/key_pair.h"

namespace tallystick::token {

std::shared_ptr<const Object> Object::make(const ObjectId& id, std::uint64_t generation,
                                           Draft draft) {
  return std::shared_ptr<const Object>(new Object(id, generation, std::move(draft)));
}

Object::Object(const ObjectId& id, std::uint64_t generation, Draft draft)
    : id_(id),
      generation_(generation),
      attributes_(std::move(draft.attributes)),
      value_(std::move(draft.value)),
      managed_(draft.managed),
      immutable_(draft.immutable),
      class_(attributes_.number(CKA_CLASS).value_or(CK_UNAVAILABLE_INFORMATION)),
      key_type_(attributes_.number(CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION)),
      private_(attributes_.flag(CKA_PRIVATE)),
      on_token_(attributes_.flag(CKA_TOKEN)),
      pkey_(std::move(draft.pkey)),
      payload_(std::move(draft.payload)) {}

bool Object::is_key() const {
  return class_ == CKO_PUBLIC_KEY || class_ == CKO_PRIVATE_KEY || class_ == CKO_SECRET_KEY;
}

Tier Object::tier() const {
  if (immutable_) return Tier::kImmutable;
  return private_ ? Tier::kPrivate : Tier::kPublic;
}

bool Object::hides_value() const {
  return managed_ || attributes_.flag(CKA_SENSITIVE) || !attributes_.flag(CKA_EXTRACTABLE);
}

Outcome<EVP_PKEY*> Object::pkey(const core::Crypto& crypto) const {
  const Lock lock(cache_mutex_);
  if (!pkey_) {
    auto parsed = parse_key(crypto, attributes_, value());
    if (!parsed) return std::move(parsed).error();
    pkey_ = *std::move(parsed);
  }
  return pkey_.get();
}

Draft Object::redraft() const {
  Draft draft;
  draft.attributes = attributes_;
  draft.value = value_;
  draft.managed = managed_;
  draft.immutable = immutable_;
  const Lock lock(cache_mutex_);
  draft.pkey = pkey_;
  draft.payload = payload_;
  return draft;
}

std::string unique_id(const Object& object) { return core::to_hex(object.id()); }

Outcome<core::ByteView> read_attribute(const Object& object, CK_ATTRIBUTE_TYPE type,
                                       core::Bytes& scratch) {
  const auto* const rule = find_rule(type, object.object_class());
  const auto absent = [] { return fault(CKR_ATTRIBUTE_TYPE_INVALID, "no such attribute"); };
  if (rule == nullptr || !applies_to(*rule, object.key_type())) return absent();
  if (rule->sensitive) {
    if (object.hides_value()) return fault(CKR_ATTRIBUTE_SENSITIVE, "the attribute is sensitive");
    return secret_attribute(object.key_type(), object.value(), type);
  }
  if (const auto stored = object.attributes().find(type)) return *stored;
  if (type == CKA_UNIQUE_ID) {
    const auto text = unique_id(object);
    scratch.assign(text.begin(), text.end());
    return core::ByteView(scratch);
  }
  if (type == CKA_VALUE_LEN && !object.managed()) {
    const CK_ULONG length = object.value().size();
    scratch.resize(sizeof length);
    std::memcpy(scratch.data(), &length, sizeof length);
    return core::ByteView(scratch);
  }
  // Attributes with a default of "empty" are there on every object of their class.
  if (rule->settable != 0 &&
      (rule->kind == Kind::kText || rule->kind == Kind::kDate || type == CKA_ID ||
       type == CKA_SUBJECT || type == CKA_OBJECT_ID || type == CKA_VALUE)) {
    return core::ByteView{};
  }
  return absent();
}

}  // namespace tallystick::token
