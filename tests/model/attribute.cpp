#include "tests/model/attribute.h"

#include <algorithm>
#include <cstring>

namespace tallystick::model {
namespace {

constexpr unsigned kMaking = kCreate | kGenerate | kUnwrap | kDerive;
constexpr unsigned kMakingAndCopy = kMaking | kCopy;
constexpr unsigned kAnyTime = kMakingAndCopy | kSet;
constexpr unsigned kHidden = kPrivate | kSecret;
constexpr unsigned kKeys = kPublic | kHidden;
constexpr unsigned kAll = kData | kKeys;

Row name_row(CK_ATTRIBUTE_TYPE type, const char* name, unsigned classes, Kind kind = Kind::kBytes) {
  return {type, name, kind, classes, kAnyTime};
}
Row use_row(CK_ATTRIBUTE_TYPE type, const char* name, unsigned classes) {
  return {type, name, Kind::kFlag, classes, kAnyTime, Moves::kDown, true};
}
Row secret_row(CK_ATTRIBUTE_TYPE type, const char* name, unsigned classes) {
  return {type, name, Kind::kBytes, classes, kCreate, Moves::kFreely, false, true};
}

bool is_rsa(CK_ATTRIBUTE_TYPE type) {
  switch (type) {
    case CKA_MODULUS:
    case CKA_MODULUS_BITS:
    case CKA_PUBLIC_EXPONENT:
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
    case CKA_PRIME_2:
      return true;
    default:
      return false;
  }
}

}  // namespace

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {CKA_CLASS, "CLASS", Kind::kNumber, kAll, kMaking},
      {CKA_TOKEN, "TOKEN", Kind::kFlag, kAll, kMakingAndCopy},
      {CKA_PRIVATE, "PRIVATE", Kind::kFlag, kAll, kMakingAndCopy, Moves::kUp},
      {CKA_MODIFIABLE, "MODIFIABLE", Kind::kFlag, kAll, kMakingAndCopy, Moves::kDown},
      {CKA_COPYABLE, "COPYABLE", Kind::kFlag, kAll, kAnyTime, Moves::kDown},
      {CKA_DESTROYABLE, "DESTROYABLE", Kind::kFlag, kAll, kAnyTime, Moves::kDown},
      name_row(CKA_LABEL, "LABEL", kAll),
      {CKA_UNIQUE_ID, "UNIQUE_ID", Kind::kBytes, kAll, 0},
      name_row(CKA_APPLICATION, "APPLICATION", kData),
      name_row(CKA_OBJECT_ID, "OBJECT_ID", kData),
      name_row(CKA_VALUE, "VALUE", kData),
      {CKA_KEY_TYPE, "KEY_TYPE", Kind::kNumber, kKeys, kMaking},
      name_row(CKA_ID, "ID", kKeys),
      name_row(CKA_SUBJECT, "SUBJECT", kPublic | kPrivate),
      name_row(CKA_START_DATE, "START_DATE", kKeys, Kind::kDate),
      name_row(CKA_END_DATE, "END_DATE", kKeys, Kind::kDate),
      {CKA_ALLOWED_MECHANISMS, "ALLOWED_MECHANISMS", Kind::kNumbers, kKeys, kMaking},
      {CKA_LOCAL, "LOCAL", Kind::kFlag, kKeys, 0},
      {CKA_KEY_GEN_MECHANISM, "KEY_GEN_MECHANISM", Kind::kNumber, kKeys, 0},
      {CKA_TRUSTED, "TRUSTED", Kind::kFlag, kPublic | kSecret, kSet},
      {CKA_WRAP_TEMPLATE, "WRAP_TEMPLATE", Kind::kArray, kPublic | kSecret, kMaking},
      {CKA_UNWRAP_TEMPLATE, "UNWRAP_TEMPLATE", Kind::kArray, kHidden, kMaking},
      {CKA_DERIVE_TEMPLATE, "DERIVE_TEMPLATE", Kind::kArray, kHidden, kMaking},
      use_row(CKA_ENCRYPT, "ENCRYPT", kPublic | kSecret),
      use_row(CKA_DECRYPT, "DECRYPT", kHidden),
      use_row(CKA_SIGN, "SIGN", kHidden),
      use_row(CKA_SIGN_RECOVER, "SIGN_RECOVER", kPrivate),
      use_row(CKA_VERIFY, "VERIFY", kPublic | kSecret),
      use_row(CKA_VERIFY_RECOVER, "VERIFY_RECOVER", kPublic),
      use_row(CKA_WRAP, "WRAP", kPublic | kSecret),
      use_row(CKA_UNWRAP, "UNWRAP", kHidden),
      use_row(CKA_DERIVE, "DERIVE", kKeys),
      use_row(CKA_ENCAPSULATE, "ENCAPSULATE", kPublic),
      use_row(CKA_DECAPSULATE, "DECAPSULATE", kPrivate),
      {CKA_SENSITIVE, "SENSITIVE", Kind::kFlag, kHidden, kAnyTime, Moves::kUp},
      {CKA_EXTRACTABLE, "EXTRACTABLE", Kind::kFlag, kHidden, kAnyTime, Moves::kDown},
      {CKA_WRAP_WITH_TRUSTED, "WRAP_WITH_TRUSTED", Kind::kFlag, kHidden, kAnyTime, Moves::kUp},
      {CKA_ALWAYS_AUTHENTICATE, "ALWAYS_AUTHENTICATE", Kind::kFlag, kPrivate, kMaking, Moves::kUp},
      {CKA_ALWAYS_SENSITIVE, "ALWAYS_SENSITIVE", Kind::kFlag, kHidden, 0},
      {CKA_NEVER_EXTRACTABLE, "NEVER_EXTRACTABLE", Kind::kFlag, kHidden, 0},
      secret_row(CKA_VALUE, "VALUE", kHidden),
      {CKA_VALUE_LEN, "VALUE_LEN", Kind::kNumber, kSecret, kGenerate | kUnwrap | kDerive},
      {CKA_EC_PARAMS, "EC_PARAMS", Kind::kBytes, kPublic | kPrivate, kMaking},
      {CKA_EC_POINT, "EC_POINT", Kind::kBytes, kPublic, kCreate},
      {CKA_PUBLIC_KEY_INFO, "PUBLIC_KEY_INFO", Kind::kBytes, kPublic | kPrivate, kCreate},
      {CKA_MODULUS, "MODULUS", Kind::kBytes, kPublic | kPrivate, kCreate | kUnwrap},
      {CKA_MODULUS_BITS, "MODULUS_BITS", Kind::kNumber, kPublic, kCreate | kGenerate},
      {CKA_PUBLIC_EXPONENT, "PUBLIC_EXPONENT", Kind::kBytes, kPublic | kPrivate,
       kCreate | kGenerate | kUnwrap},
      secret_row(CKA_PRIVATE_EXPONENT, "PRIVATE_EXPONENT", kPrivate),
      secret_row(CKA_PRIME_1, "PRIME_1", kPrivate),
      secret_row(CKA_PRIME_2, "PRIME_2", kPrivate),
  };
  return kRows;
}

const Row* row_of(CK_ATTRIBUTE_TYPE type, CK_OBJECT_CLASS object_class, CK_KEY_TYPE key_type) {
  if ((object_class == CKO_PRIVATE_KEY || object_class == CKO_PUBLIC_KEY)) {
    const bool curve = type == CKA_EC_PARAMS || type == CKA_EC_POINT || type == CKA_VALUE;
    if (key_type == CKK_RSA ? curve : is_rsa(type)) return nullptr;
  }
  const auto& all = rows();
  const auto at = std::ranges::find_if(all, [&](const Row& row) {
    return row.type == type && (row.classes & class_set(object_class)) != 0;
  });
  return at == all.end() ? nullptr : &*at;
}

unsigned class_set(CK_OBJECT_CLASS object_class) {
  switch (object_class) {
    case CKO_DATA:
      return kData;
    case CKO_PUBLIC_KEY:
      return kPublic;
    case CKO_PRIVATE_KEY:
      return kPrivate;
    case CKO_SECRET_KEY:
      return kSecret;
    default:
      return 0;
  }
}

bool well_formed(const Row& row, const Bytes& value) {
  switch (row.kind) {
    case Kind::kFlag:
      return value.size() == 1 && value[0] <= 1;
    case Kind::kNumber:
      return value.size() == sizeof(CK_ULONG);
    case Kind::kNumbers:
      return value.size() % sizeof(CK_ULONG) == 0;
    case Kind::kDate:
      return value.empty() || value.size() == sizeof(CK_DATE);
    case Kind::kBytes:
    case Kind::kArray:
      break;
  }
  return true;
}

Bytes bytes_of(CK_ULONG number) {
  Bytes out(sizeof number);
  std::memcpy(out.data(), &number, sizeof number);
  return out;
}

Bytes bytes_of(bool flag) { return {static_cast<std::uint8_t>(flag ? 1 : 0)}; }

std::optional<CK_ULONG> number_in(const Bytes& value) {
  CK_ULONG out = 0;
  if (value.size() != sizeof out) return std::nullopt;
  std::memcpy(&out, value.data(), sizeof out);
  return out;
}

const Attribute* find(const Template& attributes, CK_ATTRIBUTE_TYPE type) {
  const auto at = std::ranges::find(attributes, type, &Attribute::type);
  return at == attributes.end() ? nullptr : &*at;
}

std::string hex(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

std::string attribute_name(CK_ATTRIBUTE_TYPE type) {
  const auto at = std::ranges::find(rows(), type, &Row::type);
  return at == rows().end() ? "0x" + hex(bytes_of(type)) : at->name;
}

std::string to_text(const Template& attributes) {
  std::string out = "{";
  for (const auto& one : attributes) {
    if (out.size() > 1) out += ", ";
    out += attribute_name(one.type);
    if (one.no_pointer) {
      out += "=NULL";
    } else if (!one.inner.empty()) {
      out += "=" + to_text(one.inner);
    } else {
      const auto number = number_in(one.value);
      out +=
          "=" + (number                  ? std::to_string(*number)
                 : one.value.size() > 20 ? hex({one.value.begin(), one.value.begin() + 16}) + "..."
                                         : hex(one.value));
    }
  }
  return out + "}";
}

}  // namespace tallystick::model
