// Object: an immutable snapshot of one object of a token or session. A change makes a new snapshot
// with the same id and the next generation, so that an operation that holds one keeps what it began
// with (A48), whatever is changed, destroyed or logged out meanwhile.
#pragma once

#include <array>
#include <memory>

#include "core/base/secret.h"
#include "core/crypto/handles.h"
#include "pkcs11/engine/attribute_set.h"
#include "pkcs11/engine/lock.h"

namespace tallystick::core {
class Crypto;
}

namespace tallystick::token {

using ObjectId = core::ByteArray<16>;
using SharedSecret = std::shared_ptr<const core::Secret>;
using SharedPkey = std::shared_ptr<EVP_PKEY>;

inline SharedSecret share(core::Secret secret) {
  return std::make_shared<const core::Secret>(std::move(secret));
}
inline SharedPkey share(core::PkeyPtr key) { return {key.release(), EVP_PKEY_free}; }

// What a mechanism family decodes from a key once and hangs on its object.
class Payload {
 public:
  Payload() = default;
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  virtual ~Payload() = default;
};

// An object before it exists: what a mechanism or an importer made. `attributes` are the ones the
// maker decides; the policy lays the caller's template over or under them.
struct Draft {
  AttributeSet attributes;
  // The secret value of a key: CKA_VALUE of secret and EC private keys, an encoding of the
  // key type's own for others and of the mechanism's for managed keys. Null for public objects.
  SharedSecret value;
  // Either may be left null; it is then made from attributes and value at first use.
  SharedPkey pkey;
  std::shared_ptr<const Payload> payload;
  // Managed keys obey the strict rules (docs: managed and ordinary keys).
  bool managed = false;
  // Stands under the root key and survives C_InitToken and C_InitPIN; cannot be destroyed.
  bool immutable = false;
};

// How a row is sealed at rest; the numbers are stored.
enum class Tier : std::uint8_t { kPublic = 0, kPrivate = 1, kImmutable = 2 };

class Object {
 public:
  static std::shared_ptr<const Object> make(const ObjectId& id, std::uint64_t generation,
                                            Draft draft);
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  ~Object() = default;

  [[nodiscard]] const ObjectId& id() const { return id_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  [[nodiscard]] const AttributeSet& attributes() const { return attributes_; }
  [[nodiscard]] core::ByteView value() const { return value_ ? value_->view() : core::ByteView{}; }
  [[nodiscard]] const SharedSecret& shared_value() const { return value_; }
  [[nodiscard]] bool managed() const { return managed_; }
  [[nodiscard]] bool immutable() const { return immutable_; }

  [[nodiscard]] CK_OBJECT_CLASS object_class() const { return class_; }
  // CK_UNAVAILABLE_INFORMATION for objects that are no keys.
  [[nodiscard]] CK_KEY_TYPE key_type() const { return key_type_; }
  [[nodiscard]] bool is_key() const;
  [[nodiscard]] bool is_private() const { return private_; }
  [[nodiscard]] bool on_token() const { return on_token_; }
  [[nodiscard]] Tier tier() const;
  [[nodiscard]] bool flag(CK_ATTRIBUTE_TYPE type) const { return attributes_.flag(type); }
  // True when the secret value may not be shown: CKA_SENSITIVE, or not CKA_EXTRACTABLE.
  [[nodiscard]] bool hides_value() const;

  // The parsed asymmetric key, made at first use and kept. CKR_KEY_TYPE_INCONSISTENT for objects
  // that have none.
  [[nodiscard]] Outcome<EVP_PKEY*> pkey(const core::Crypto& crypto) const;

  // The decoded form that a mechanism family hangs on the object. `make` runs at first use, gives
  // Outcome<std::shared_ptr<const T>>, and is given one T per key type only.
  template <typename T, typename Make>
  Outcome<std::shared_ptr<const T>> payload(Make make) const {
    const Lock lock(cache_mutex_);
    if (!payload_) {
      auto made = make();
      if (!made) return std::move(made).error();
      payload_ = *std::move(made);
    }
    auto typed = std::dynamic_pointer_cast<const T>(payload_);
    if (!typed) return fault(CKR_KEY_TYPE_INCONSISTENT, "the key is of another kind");
    return typed;
  }

  // What a mechanism prepares from the key at first use and copies for each operation, such as a
  // context that is keyed already: setting one up costs more than many a message. `variant` says
  // what it is prepared for within the use: a mechanism, or one with some of its parameters. One T
  // per variant.
  enum class Prepared : std::uint8_t { kSign, kVerify, kEncrypt, kDecrypt, kDerive };
  template <typename T, typename Make>
  Outcome<std::shared_ptr<const T>> prepared(Prepared use, std::uint64_t variant, Make make) const {
    const Lock lock(cache_mutex_);
    auto& kept = prepared_[static_cast<std::size_t>(use)];
    if (kept.variant != variant || !kept.payload) {
      auto made = make();
      if (!made) return std::move(made).error();
      kept = {variant, *std::move(made)};
    }
    auto typed = std::dynamic_pointer_cast<const T>(kept.payload);
    if (!typed) return fault(CKR_GENERAL_ERROR, "a mechanism prepared two kinds of state");
    return typed;
  }

  // A draft of the next snapshot: shares the secret, the parsed key and the payload.
  [[nodiscard]] Draft redraft() const;

 private:
  Object(const ObjectId& id, std::uint64_t generation, Draft draft);

  ObjectId id_;
  std::uint64_t generation_;
  AttributeSet attributes_;
  SharedSecret value_;
  bool managed_;
  bool immutable_;
  CK_OBJECT_CLASS class_;
  CK_KEY_TYPE key_type_;
  bool private_;
  bool on_token_;

  mutable Mutex cache_mutex_;
  mutable SharedPkey pkey_ TS_GUARDED_BY(cache_mutex_);
  // The last variant of each use; a key that changes between mechanisms prepares anew.
  struct Kept {
    std::uint64_t variant = 0;
    std::shared_ptr<const Payload> payload;
  };
  mutable std::array<Kept, 5> prepared_ TS_GUARDED_BY(cache_mutex_);
  mutable std::shared_ptr<const Payload> payload_ TS_GUARDED_BY(cache_mutex_);
};

using ObjectPtr = std::shared_ptr<const Object>;

// CKA_UNIQUE_ID: the id in hexadecimal.
std::string unique_id(const Object& object);

// One attribute as C_GetAttributeValue gives it, computed ones included. CKR_ATTRIBUTE_SENSITIVE or
// CKR_ATTRIBUTE_TYPE_INVALID where it does not. The view lives as long as the object; `scratch`
// holds what was computed.
Outcome<core::ByteView> read_attribute(const Object& object, CK_ATTRIBUTE_TYPE type,
                                       core::Bytes& scratch);

}  // namespace tallystick::token
