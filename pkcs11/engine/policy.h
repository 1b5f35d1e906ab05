// The policy: one function that every way of making, using and changing an object goes through.
// Both populations do: ordinary keys, which take stock templates and may not lose a sensitive
// value, and managed keys, whose makers decide and whose templates may only tighten.
#pragma once

#include "pkcs11/engine/hooks.h"
#include "pkcs11/engine/mechanism.h"

namespace tallystick::token {

enum class Use : std::uint8_t {
  kEncrypt,
  kDecrypt,
  kSign,
  kVerify,
  kWrap,
  kUnwrap,
  kDerive,
  kDigest,
  kEncapsulate,
  kDecapsulate,
};

// Who asks, from which kind of session.
struct Caller {
  bool user = false;
  bool so = false;
  bool read_write = false;
};

struct Request {
  Action action = Action::kUse;
  Caller caller;
  CK_MECHANISM_TYPE mechanism_type = CK_UNAVAILABLE_INFORMATION;

  // Making: what the caller wants and what the mechanism or importer made.
  const Template* wanted = nullptr;
  const Draft* made = nullptr;
  // Deriving and unwrapping: the key that it came from. Null for what was encapsulated, which the
  // other side has too.
  const Object* parent = nullptr;

  // Copying, changing, destroying, using: the object itself.
  const Object* object = nullptr;

  // Using, and making with a mechanism that makes keys of its own.
  Use use = Use::kEncrypt;
  const Mechanism* mechanism = nullptr;
  const Object* wrapped = nullptr;        // the key to be wrapped
  const Object* wrapping_pair = nullptr;  // the other half of an asymmetric wrapping key, if here
};

class Policy {
 public:
  explicit Policy(Hooks hooks) : hooks_(std::move(hooks)) {}

  // The attributes that the object has afterwards; empty for uses and destruction. `caller` has
  // the rights, the template fits the attribute table, and nothing of threats A01 to A25 happens.
  [[nodiscard]] Outcome<AttributeSet> decide(const Request& request) const;

 private:
  Hooks hooks_;
};

// The bits of the policy attributes, in the order of the attribute table; every stored row is bound
// to them.
std::uint64_t policy_bits(const AttributeSet& attributes);
// The security strength of a key in bits (SP 800-57 part 1, table 2).
unsigned strength_bits(const Object& key);

}  // namespace tallystick::token
