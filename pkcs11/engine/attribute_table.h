// The one table of attributes: what each is, where it applies, who may set it and when, and which
// way it may move. Policy, templates, storage and searches all read it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "pkcs11/engine/fault.h"

namespace tallystick::token {

enum class Kind : std::uint8_t {
  kBool,
  kNumber,   // CK_ULONG
  kNumbers,  // array of CK_ULONG
  kText,     // UTF-8
  kBytes,
  kDate,      // CK_DATE or empty
  kTemplate,  // array of CK_ATTRIBUTE; kept as encode() of an AttributeSet
};

// Classes an attribute applies to, as bits.
enum ClassBit : std::uint16_t {
  kData = 1,
  kCertificate = 2,
  kPublicKey = 4,
  kPrivateKey = 8,
  kSecretKey = 16,
  kSoftware = 32,
  kProfile = 64,
  kOther = 128,
};
std::uint16_t class_bit(CK_OBJECT_CLASS object_class);

// Ways an attribute may be given by a caller, as bits.
enum PathBit : std::uint8_t {
  kAtCreate = 1,
  kAtGenerate = 2,
  kAtUnwrap = 4,
  kAtDerive = 8,
  kAtCopy = 16,
  kAtSet = 32,
};

// What a one-way attribute may become, once the object exists.
enum class Direction : std::uint8_t { kAny, kOnlyTrue, kOnlyFalse };

struct AttributeRule {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
  Kind kind;
  std::uint16_t classes;
  std::uint8_t settable;  // PathBits
  Direction direction = Direction::kAny;
  bool sensitive = false;   // hidden when CKA_SENSITIVE or not CKA_EXTRACTABLE; never searched
  bool usage = false;       // says what the key may do: never added later
  unsigned policy_bit = 0;  // 1 to 64 for the flags that every stored row is bound to
};

// Kept with a key and its copies, and never shown: the value has been able to encrypt or decrypt in
// some object. A copy that gave those uses up must still not wrap, because another object of the
// same value may undo its wrappings (A01). Deliberately not in the table.
constexpr CK_ATTRIBUTE_TYPE kHasCiphered = TS_VENDOR(0xF001UL);
// The same for wrapping and unwrapping. A copy that gave those uses up is still not wrapped: it
// would come back as a key that decrypts what its other copies have wrapped (A25).
constexpr CK_ATTRIBUTE_TYPE kHasWrapped = TS_VENDOR(0xF002UL);

// The rule for an attribute on objects of a class; nullptr when it does not apply.
const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type, CK_OBJECT_CLASS object_class);
// Whether keys of this type have the attribute of the rule: the numbers of RSA are not those of a
// curve. True for objects that are no keys.
bool applies_to(const AttributeRule& rule, CK_KEY_TYPE key_type);
// The rule for an attribute on whatever class comes first; nullptr when it is not known at all.
const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type);
std::span<const AttributeRule> attribute_table();
// For messages: "CKA_LABEL", or the number of one that is not in the table.
std::string attribute_name(CK_ATTRIBUTE_TYPE type);
// Whether the attribute is an array of CK_ATTRIBUTE. CKA_ALLOWED_MECHANISMS, whose number has the
// same mark, is not.
bool is_template(CK_ATTRIBUTE_TYPE type);
// A63: lengths and booleans, before anything is compared or stored; CKR_ATTRIBUTE_VALUE_INVALID.
Outcome<void> check_value(const AttributeRule& rule, core::ByteView value);

}  // namespace tallystick::token
