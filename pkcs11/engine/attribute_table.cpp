#include "pkcs11/engine/attribute_table.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "pkcs11/engine/keys/parameter_set.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kMaxAllowedMechanisms = 64;

constexpr std::uint16_t kKeys = kPublicKey | kPrivateKey | kSecretKey;
constexpr std::uint16_t kHidden = kPrivateKey | kSecretKey;  // keys with something to hide
constexpr std::uint16_t kStorage = kData | kCertificate | kKeys | kSoftware;
constexpr std::uint16_t kObjects = kStorage | kProfile;
constexpr std::uint16_t kAll = kObjects | kOther;

constexpr std::uint8_t kNever = 0;
constexpr std::uint8_t kMaking = kAtCreate | kAtGenerate | kAtUnwrap | kAtDerive;
constexpr std::uint8_t kMakingAndCopy = kMaking | kAtCopy;
constexpr std::uint8_t kAnyTime = kMakingAndCopy | kAtSet;

// Columns: type, name, kind, classes, settable by a caller, direction, sensitive, usage, bit in
// the policy column of stored rows (append only: bits are on disk).
constexpr auto kTable = std::to_array<AttributeRule>({
    // What every object has.
    {CKA_CLASS, "CLASS", Kind::kNumber, kAll, kMaking},
    {CKA_TOKEN, "TOKEN", Kind::kBool, kObjects, kMakingAndCopy},
    {CKA_PRIVATE, "PRIVATE", Kind::kBool, kObjects, kMakingAndCopy, Direction::kOnlyTrue, false,
     false, 1},
    {CKA_MODIFIABLE, "MODIFIABLE", Kind::kBool, kObjects, kMakingAndCopy, Direction::kOnlyFalse,
     false, false, 2},
    {CKA_COPYABLE, "COPYABLE", Kind::kBool, kObjects, kAnyTime, Direction::kOnlyFalse, false, false,
     3},
    {CKA_DESTROYABLE, "DESTROYABLE", Kind::kBool, kObjects, kAnyTime, Direction::kOnlyFalse, false,
     false, 4},
    {CKA_LABEL, "LABEL", Kind::kText, kObjects, kAnyTime},
    {CKA_UNIQUE_ID, "UNIQUE_ID", Kind::kText, kAll, kNever},
    {CKA_PROFILE_ID, "PROFILE_ID", Kind::kNumber, kProfile, kNever},

    // Data.
    {CKA_APPLICATION, "APPLICATION", Kind::kText, kData, kAnyTime},
    {CKA_OBJECT_ID, "OBJECT_ID", Kind::kBytes, kData, kAnyTime},
    {CKA_VALUE, "VALUE", Kind::kBytes, kData, kAnyTime},

    // Certificates.
    {CKA_CERTIFICATE_TYPE, "CERTIFICATE_TYPE", Kind::kNumber, kCertificate, kAtCreate},
    {CKA_CERTIFICATE_CATEGORY, "CERTIFICATE_CATEGORY", Kind::kNumber, kCertificate, kAtCreate},
    {CKA_VALUE, "VALUE", Kind::kBytes, kCertificate, kAtCreate},
    {CKA_ISSUER, "ISSUER", Kind::kBytes, kCertificate, kAtCreate | kAtCopy | kAtSet},
    {CKA_SERIAL_NUMBER, "SERIAL_NUMBER", Kind::kBytes, kCertificate, kAtCreate | kAtCopy | kAtSet},
    {CKA_URL, "URL", Kind::kText, kCertificate, kAtCreate},
    {CKA_HASH_OF_SUBJECT_PUBLIC_KEY, "HASH_OF_SUBJECT_PUBLIC_KEY", Kind::kBytes, kCertificate,
     kAtCreate},
    {CKA_HASH_OF_ISSUER_PUBLIC_KEY, "HASH_OF_ISSUER_PUBLIC_KEY", Kind::kBytes, kCertificate,
     kAtCreate},
    {CKA_NAME_HASH_ALGORITHM, "NAME_HASH_ALGORITHM", Kind::kNumber, kCertificate, kAtCreate},
    {CKA_JAVA_MIDP_SECURITY_DOMAIN, "JAVA_MIDP_SECURITY_DOMAIN", Kind::kNumber, kCertificate,
     kAtCreate},
    // Only the SO sets it, and only on what is there (A07).
    {CKA_TRUSTED, "TRUSTED", Kind::kBool, kCertificate | kPublicKey | kSecretKey, kAtSet,
     Direction::kAny, false, false, 5},
    // Of public objects only: a check value of a secret tells about it (A17).
    {CKA_CHECK_VALUE, "CHECK_VALUE", Kind::kBytes, kCertificate, kAtCreate},

    // Keys.
    {CKA_KEY_TYPE, "KEY_TYPE", Kind::kNumber, kKeys, kMaking},
    {CKA_ID, "ID", Kind::kBytes, kKeys | kCertificate, kAnyTime},
    {CKA_SUBJECT, "SUBJECT", Kind::kBytes, kCertificate | kPublicKey | kPrivateKey, kAnyTime},
    {CKA_START_DATE, "START_DATE", Kind::kDate, kKeys | kCertificate, kAnyTime},
    {CKA_END_DATE, "END_DATE", Kind::kDate, kKeys | kCertificate, kAnyTime},
    {CKA_PUBLIC_KEY_INFO, "PUBLIC_KEY_INFO", Kind::kBytes, kCertificate | kPublicKey | kPrivateKey,
     kAtCreate},
    {CKA_ALLOWED_MECHANISMS, "ALLOWED_MECHANISMS", Kind::kNumbers, kKeys, kMaking},
    {CKA_LOCAL, "LOCAL", Kind::kBool, kKeys, kNever, Direction::kAny, false, false, 6},
    {CKA_KEY_GEN_MECHANISM, "KEY_GEN_MECHANISM", Kind::kNumber, kKeys, kNever},

    // What the key may do is bound to other keys' attributes; never changed.
    {CKA_WRAP_TEMPLATE, "WRAP_TEMPLATE", Kind::kTemplate, kPublicKey | kSecretKey, kMaking},
    {CKA_UNWRAP_TEMPLATE, "UNWRAP_TEMPLATE", Kind::kTemplate, kHidden, kMaking},
    {CKA_DERIVE_TEMPLATE, "DERIVE_TEMPLATE", Kind::kTemplate, kHidden, kMaking},
    {CKA_ENCAPSULATE_TEMPLATE, "ENCAPSULATE_TEMPLATE", Kind::kTemplate, kPublicKey, kMaking},
    {CKA_DECAPSULATE_TEMPLATE, "DECAPSULATE_TEMPLATE", Kind::kTemplate, kPrivateKey, kMaking},

    // Uses. Set when the key is made; afterwards they can only be given up.
    {CKA_ENCRYPT, "ENCRYPT", Kind::kBool, kPublicKey | kSecretKey, kAnyTime, Direction::kOnlyFalse,
     false, true, 7},
    {CKA_DECRYPT, "DECRYPT", Kind::kBool, kHidden, kAnyTime, Direction::kOnlyFalse, false, true, 8},
    {CKA_SIGN, "SIGN", Kind::kBool, kHidden, kAnyTime, Direction::kOnlyFalse, false, true, 9},
    {CKA_SIGN_RECOVER, "SIGN_RECOVER", Kind::kBool, kPrivateKey, kAnyTime, Direction::kOnlyFalse,
     false, true, 10},
    {CKA_VERIFY, "VERIFY", Kind::kBool, kPublicKey | kSecretKey, kAnyTime, Direction::kOnlyFalse,
     false, true, 11},
    {CKA_VERIFY_RECOVER, "VERIFY_RECOVER", Kind::kBool, kPublicKey, kAnyTime, Direction::kOnlyFalse,
     false, true, 12},
    {CKA_WRAP, "WRAP", Kind::kBool, kPublicKey | kSecretKey, kAnyTime, Direction::kOnlyFalse, false,
     true, 13},
    {CKA_UNWRAP, "UNWRAP", Kind::kBool, kHidden, kAnyTime, Direction::kOnlyFalse, false, true, 14},
    {CKA_DERIVE, "DERIVE", Kind::kBool, kKeys, kAnyTime, Direction::kOnlyFalse, false, true, 15},
    {CKA_ENCAPSULATE, "ENCAPSULATE", Kind::kBool, kPublicKey, kAnyTime, Direction::kOnlyFalse,
     false, true, 22},
    {CKA_DECAPSULATE, "DECAPSULATE", Kind::kBool, kPrivateKey, kAnyTime, Direction::kOnlyFalse,
     false, true, 23},

    // Secrecy.
    {CKA_SENSITIVE, "SENSITIVE", Kind::kBool, kHidden, kAnyTime, Direction::kOnlyTrue, false, false,
     16},
    {CKA_EXTRACTABLE, "EXTRACTABLE", Kind::kBool, kHidden, kAnyTime, Direction::kOnlyFalse, false,
     false, 17},
    {CKA_WRAP_WITH_TRUSTED, "WRAP_WITH_TRUSTED", Kind::kBool, kHidden, kAnyTime,
     Direction::kOnlyTrue, false, false, 18},
    {CKA_ALWAYS_AUTHENTICATE, "ALWAYS_AUTHENTICATE", Kind::kBool, kPrivateKey, kMaking,
     Direction::kOnlyTrue, false, false, 19},
    {CKA_ALWAYS_SENSITIVE, "ALWAYS_SENSITIVE", Kind::kBool, kHidden, kNever, Direction::kAny, false,
     false, 20},
    {CKA_NEVER_EXTRACTABLE, "NEVER_EXTRACTABLE", Kind::kBool, kHidden, kNever, Direction::kAny,
     false, false, 21},

    // Values.
    {CKA_VALUE, "VALUE", Kind::kBytes, kHidden, kAtCreate, Direction::kAny, true},
    {CKA_VALUE, "VALUE", Kind::kBytes, kPublicKey, kAtCreate},
    {CKA_SEED, "SEED", Kind::kBytes, kPrivateKey, kAtCreate, Direction::kAny, true},
    {CKA_PARAMETER_SET, "PARAMETER_SET", Kind::kNumber, kPublicKey | kPrivateKey,
     kAtCreate | kAtGenerate | kAtUnwrap},
    {CKA_VALUE_LEN, "VALUE_LEN", Kind::kNumber, kSecretKey, kAtGenerate | kAtUnwrap | kAtDerive},
    {CKA_EC_PARAMS, "EC_PARAMS", Kind::kBytes, kPublicKey | kPrivateKey,
     kAtCreate | kAtGenerate | kAtUnwrap | kAtDerive},
    {CKA_EC_POINT, "EC_POINT", Kind::kBytes, kPublicKey, kAtCreate},
    {CKA_MODULUS, "MODULUS", Kind::kBytes, kPublicKey | kPrivateKey, kAtCreate | kAtUnwrap},
    {CKA_MODULUS_BITS, "MODULUS_BITS", Kind::kNumber, kPublicKey, kAtCreate | kAtGenerate},
    {CKA_PUBLIC_EXPONENT, "PUBLIC_EXPONENT", Kind::kBytes, kPublicKey | kPrivateKey,
     kAtCreate | kAtGenerate | kAtUnwrap},
    {CKA_PRIVATE_EXPONENT, "PRIVATE_EXPONENT", Kind::kBytes, kPrivateKey, kAtCreate,
     Direction::kAny, true},
    {CKA_PRIME_1, "PRIME_1", Kind::kBytes, kPrivateKey, kAtCreate, Direction::kAny, true},
    {CKA_PRIME_2, "PRIME_2", Kind::kBytes, kPrivateKey, kAtCreate, Direction::kAny, true},
    {CKA_EXPONENT_1, "EXPONENT_1", Kind::kBytes, kPrivateKey, kAtCreate, Direction::kAny, true},
    {CKA_EXPONENT_2, "EXPONENT_2", Kind::kBytes, kPrivateKey, kAtCreate, Direction::kAny, true},
    {CKA_COEFFICIENT, "COEFFICIENT", Kind::kBytes, kPrivateKey, kAtCreate, Direction::kAny, true},
    {CKA_VALUE, "VALUE", Kind::kBytes, kSoftware, kAtCreate},

    // Ours: computed, never a caller's.
    {CKA_TS_FAMILY_ID, "TS_FAMILY_ID", Kind::kBytes, kAll, kNever},
    {CKA_TS_OEM_ID, "TS_OEM_ID", Kind::kBytes, kAll, kNever},
    {CKA_TS_SHARE_ID, "TS_SHARE_ID", Kind::kBytes, kAll, kNever},
    {CKA_TS_SW_FLOOR, "TS_SW_FLOOR", Kind::kNumber, kAll, kNever},
    {CKA_TS_ROLE, "TS_ROLE", Kind::kNumber, kAll, kNever},
    {CKA_TS_SUITE, "TS_SUITE", Kind::kNumber, kAll, kNever},
    {CKA_TS_LABEL, "TS_LABEL", Kind::kText, kAll, kNever},
    {CKA_TS_DEVICE_ID, "TS_DEVICE_ID", Kind::kBytes, kAll, kNever},
    {CKA_TS_SW_VERSION, "TS_SW_VERSION", Kind::kNumber, kAll, kNever},
    {CKA_TS_ICM_PUBLIC_KEY, "TS_ICM_PUBLIC_KEY", Kind::kBytes, kAll, kNever},
    {CKA_TS_FAMILY_FLAGS, "TS_FAMILY_FLAGS", Kind::kNumber, kAll, kNever},
    {CKA_TS_NONCE, "TS_NONCE", Kind::kBytes, kAll, kNever},
});

}  // namespace

std::uint16_t class_bit(CK_OBJECT_CLASS object_class) {
  switch (object_class) {
    case CKO_DATA:
      return kData;
    case CKO_CERTIFICATE:
      return kCertificate;
    case CKO_PUBLIC_KEY:
      return kPublicKey;
    case CKO_PRIVATE_KEY:
      return kPrivateKey;
    case CKO_SECRET_KEY:
      return kSecretKey;
    case CKO_TS_SOFTWARE:
      return kSoftware;
    case CKO_PROFILE:
      return kProfile;
    default:
      return kOther;
  }
}

const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type, CK_OBJECT_CLASS object_class) {
  const auto bit = class_bit(object_class);
  const auto* const at = std::ranges::find_if(kTable, [&](const AttributeRule& rule) {
    return rule.type == type && (rule.classes & bit) != 0;
  });
  return at == kTable.end() ? nullptr : at;
}

bool applies_to(const AttributeRule& rule, CK_KEY_TYPE key_type) {
  if (key_type == CK_UNAVAILABLE_INFORMATION) return true;
  switch (rule.type) {
    case CKA_MODULUS:
    case CKA_MODULUS_BITS:
    case CKA_PUBLIC_EXPONENT:
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
    case CKA_PRIME_2:
    case CKA_EXPONENT_1:
    case CKA_EXPONENT_2:
    case CKA_COEFFICIENT:
      return key_type == CKK_RSA;
    case CKA_VALUE:
      return (rule.classes & kPublicKey) != 0 ? has_parameter_set(key_type) : key_type != CKK_RSA;
    case CKA_PARAMETER_SET:
      return has_parameter_set(key_type);
    case CKA_SEED:
      return key_type == CKK_ML_KEM || key_type == CKK_ML_DSA;
    case CKA_EC_PARAMS:
    case CKA_EC_POINT:
      return key_type == CKK_EC || key_type == CKK_EC_EDWARDS || key_type == CKK_EC_MONTGOMERY;
    default:
      return true;
  }
}

const AttributeRule* find_rule(CK_ATTRIBUTE_TYPE type) {
  const auto* const at = std::ranges::find(kTable, type, &AttributeRule::type);
  return at == kTable.end() ? nullptr : at;
}

std::span<const AttributeRule> attribute_table() { return kTable; }

std::string attribute_name(CK_ATTRIBUTE_TYPE type) {
  if (const auto* const rule = find_rule(type)) return std::string("CKA_") + rule->name;
  std::array<char, 32> number{};
  (void)std::snprintf(number.data(), number.size(), "attribute 0x%lx", type);
  return number.data();
}

bool is_template(CK_ATTRIBUTE_TYPE type) {
  const auto* const rule = find_rule(type);
  return rule != nullptr && rule->kind == Kind::kTemplate;
}

Outcome<void> check_value(const AttributeRule& rule, core::ByteView value) {
  bool good = true;
  switch (rule.kind) {
    case Kind::kBool:
      good = value.size() == sizeof(CK_BBOOL) && value[0] <= CK_TRUE;
      break;
    case Kind::kNumber:
      good = value.size() == sizeof(CK_ULONG);
      break;
    case Kind::kNumbers:
      good = value.size() % sizeof(CK_ULONG) == 0 &&
             value.size() <= kMaxAllowedMechanisms * sizeof(CK_ULONG);
      break;
    case Kind::kDate:
      good = value.empty() || value.size() == sizeof(CK_DATE);
      break;
    case Kind::kText:
    case Kind::kBytes:
    case Kind::kTemplate:  // checked where it was read
      break;
  }
  if (!good) return bad_value(attribute_name(rule.type) + " has a value it cannot have");
  return {};
}

}  // namespace tallystick::token
