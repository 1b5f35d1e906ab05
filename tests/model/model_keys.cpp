// The model: making, wrapping, unwrapping and deriving keys.
#include <algorithm>

#include "tests/model/maker.h"

namespace tallystick::model {
namespace {

const Bytes kP256 = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::size_t kShortestKey = 16;
constexpr std::size_t kAgreed = 32;  // bytes that P-256 gives

CK_ATTRIBUTE_TYPE flag_of(Use use) {
  switch (use) {
    case Use::kEncrypt:
      return CKA_ENCRYPT;
    case Use::kDecrypt:
      return CKA_DECRYPT;
    case Use::kSign:
      return CKA_SIGN;
    case Use::kVerify:
      return CKA_VERIFY;
    case Use::kWrap:
      return CKA_WRAP;
    case Use::kUnwrap:
      return CKA_UNWRAP;
    default:
      return CKA_DERIVE;
  }
}

CK_RV bad_handle(Use use) {
  if (use == Use::kWrap) return CKR_WRAPPING_KEY_HANDLE_INVALID;
  if (use == Use::kUnwrap) return CKR_UNWRAPPING_KEY_HANDLE_INVALID;
  return CKR_KEY_HANDLE_INVALID;
}
CK_RV bad_type(Use use) {
  if (use == Use::kWrap) return CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
  if (use == Use::kUnwrap) return CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
  return CKR_KEY_TYPE_INCONSISTENT;
}

bool ciphers(const Object& key) {
  return key.flag(CKA_DECRYPT) || key.has_ciphered ||
         (key.object_class() == CKO_SECRET_KEY && key.flag(CKA_ENCRYPT));
}

// The one mechanism that a managed key has for a use (docs/pkcs11.md, key table).
bool is_own_mechanism(const Object& key, Use use, CK_MECHANISM_TYPE type) {
  switch (key.managed) {
    case Managed::kDevice:
      return use == Use::kUnwrap ? type == CKM_TS_FAMILY_WRAP || type == CKM_TS_SHARE_FOR_DEVICE
                                 : type == CKM_ECDSA_SHA256;
    case Managed::kFamily:
      return type == CKM_TS_OEM_SHARE_WRAP || type == CKM_TS_MASTER_SHARE_WRAP;
    case Managed::kShare:
      return type == CKM_TS_MASTER_KEY_DERIVE || type == CKM_TS_ASSET_GENERATE;
    case Managed::kMaster:
      return type == CKM_TS_ASSET_KEY_DERIVE;
    case Managed::kAsset:
      if (key.label == "TS1/AUTH") return type == CKM_AES_CMAC;
      if (key.label == "TS1/PROOF") return type == CKM_SHA384_HMAC;
      return type == (key.role_oem ? CKM_TS_SEAL : CKM_TS_OPEN);
    default:
      return false;
  }
}

const std::set<CK_KEY_TYPE> kAes = {CKK_AES};
const std::set<CK_KEY_TYPE> kRsa = {CKK_RSA};
const std::set<CK_KEY_TYPE> kEc = {CKK_EC};
const std::set<Use> kCipher = {Use::kEncrypt, Use::kDecrypt};
const std::set<Use> kSignature = {Use::kSign, Use::kVerify};
const std::set<Use> kCipherAndWrap = {Use::kEncrypt, Use::kDecrypt, Use::kWrap, Use::kUnwrap};
const std::set<Use> kWrapping = {Use::kWrap, Use::kUnwrap};

}  // namespace

const Mechanism* mechanism_of(CK_MECHANISM_TYPE type) {
  static const std::vector<Mechanism> kMechanisms = {
      {CKM_AES_GCM, kCipher, kAes},
      {CKM_AES_CBC_PAD, kCipher, kAes},
      {CKM_AES_KEY_WRAP, kCipherAndWrap, kAes},
      {CKM_AES_KEY_WRAP_KWP, kCipherAndWrap, kAes},
      {CKM_AES_CMAC, kSignature, kAes},
      {CKM_SHA256_HMAC, kSignature, {CKK_GENERIC_SECRET, CKK_SHA256_HMAC}},
      {CKM_ECDSA, kSignature, kEc},
      {CKM_ECDSA_SHA256, kSignature, kEc},
      {CKM_RSA_PKCS, {Use::kSign, Use::kVerify, Use::kEncrypt}, kRsa},
      {CKM_RSA_PKCS_OAEP, kCipherAndWrap, kRsa},
      {CKM_HKDF_DERIVE, {Use::kDerive}, {CKK_HKDF, CKK_GENERIC_SECRET}},
      {CKM_ECDH1_DERIVE, {Use::kDerive}, kEc},
      {CKM_TS_OEM_SHARE_WRAP, kWrapping, {CKK_TS_FAMILY}},
      {CKM_TS_SEAL, {Use::kEncrypt, Use::kWrap}, {CKK_TS_ASSET_KEY}},
      {CKM_TS_OPEN, {Use::kDecrypt, Use::kUnwrap}, {CKK_TS_ASSET_KEY}},
      {CKM_TS_MASTER_KEY_DERIVE, {Use::kDerive}, {CKK_TS_OEM_SHARE}},
      {CKM_TS_ASSET_KEY_DERIVE, {Use::kDerive}, {CKK_TS_MASTER_KEY}},
      {CKM_TS_ASSET_GENERATE, {Use::kDerive}, {CKK_TS_OEM_SHARE}},
  };
  const auto at = std::ranges::find(kMechanisms, type, &Mechanism::type);
  return at == kMechanisms.end() ? nullptr : &*at;
}

unsigned strength(const Object& key, const Value& value) {
  if (key.key_type() == CKK_EC) return 128;
  if (key.key_type() == CKK_RSA) return value.size * 8 < 3072 ? 112 : 128;
  // A PKCS#8 that was unwrapped as a secret key is long, however long it is.
  if (value.size == 0) return 256;
  return static_cast<unsigned>(std::min<std::size_t>(value.size * 8, 256));
}

void Model::use_faults(const Object* key, Use use, const Call& call, Verdict& verdict) const {
  const auto* const mechanism = mechanism_of(call.mechanism);
  const bool does = mechanism != nullptr && mechanism->uses.contains(use);
  verdict.add_if(!does, CKR_MECHANISM_INVALID);
  verdict.add_if(key == nullptr, bad_handle(use));
  verdict.add_if(call.shape == Shape::kBadParameter, CKR_MECHANISM_PARAM_INVALID);
  if (key == nullptr || !does) return;
  const auto object_class = key->object_class();
  const bool is_key = object_class == CKO_SECRET_KEY || object_class == CKO_PRIVATE_KEY ||
                      object_class == CKO_PUBLIC_KEY;
  if (!is_key || !mechanism->key_types.contains(key->key_type())) {
    verdict.add(bad_type(use));
    return;
  }
  verdict.add_if(!key->flag(flag_of(use)) && on(Rule::kUsesAreAsked),
                 CKR_KEY_FUNCTION_NOT_PERMITTED);
  const bool in_one_call = use == Use::kUnwrap || use == Use::kDerive;
  verdict.add_if(in_one_call && key->flag(CKA_ALWAYS_AUTHENTICATE), CKR_USER_NOT_LOGGED_IN);
  if (key->managed != Managed::kNo) {
    verdict.add_if(!is_own_mechanism(*key, use, call.mechanism) && on(Rule::kManagedMechanism),
                   CKR_MECHANISM_INVALID);
    return;
  }
  // What is derived is a MAC under the key (A15).
  verdict.add_if(use == Use::kDerive && object_class == CKO_SECRET_KEY && key->hides_value() &&
                     (key->flag(CKA_SIGN) || ciphers(*key)) && on(Rule::kMacIsDerivation),
                 CKR_KEY_FUNCTION_NOT_PERMITTED);
  const auto allowed = key->attributes.find(CKA_ALLOWED_MECHANISMS);
  if (allowed != key->attributes.end() && on(Rule::kAllowedMechanisms)) {
    bool listed = false;
    for (std::size_t at = 0; at + sizeof(CK_ULONG) <= allowed->second.size();
         at += sizeof(CK_ULONG)) {
      const auto* const first = allowed->second.data() + at;
      listed = listed || number_in({first, first + sizeof(CK_ULONG)}) == call.mechanism;
    }
    verdict.add_if(!listed, CKR_MECHANISM_INVALID);
  }
}

// ---- Generation ----

Plan Model::plan_generate(const Call& call, const Session& session) {
  if (call.mechanism == CKM_TS_OEM_SHARE_GEN) return plan_share(call, session);
  Maker maker(*this, session, kGenerate);
  auto& verdict = maker.verdict();
  const auto& asked = call.attributes;
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  reading_faults(asked, rules, verdict);
  const bool aes = call.mechanism == CKM_AES_KEY_GEN;
  if (!aes && call.mechanism != CKM_GENERIC_SECRET_KEY_GEN) {
    verdict.add(CKR_MECHANISM_INVALID);
    return {verdict, {}};
  }
  verdict.add_if(call.shape == Shape::kBadParameter, CKR_MECHANISM_PARAM_INVALID);
  const auto length = maker.number(asked, CKA_VALUE_LEN, true);
  CK_KEY_TYPE key_type = CKK_AES;
  if (!aes) {
    key_type = maker.number(asked, CKA_KEY_TYPE, false).value_or(CKK_GENERIC_SECRET);
    verdict.add_if(key_type == CKK_AES, CKR_TEMPLATE_INCONSISTENT);
    verdict.add_if(!is_secret_type(key_type), CKR_ATTRIBUTE_VALUE_INVALID);
  }
  if (length) {
    const bool good = aes ? *length == 16 || *length == 24 || *length == 32
                          : *length >= kShortestKey && *length <= 4096;
    verdict.add_if(!good, CKR_KEY_SIZE_RANGE);
  }
  maker.decide_number(CKA_CLASS, CKO_SECRET_KEY).decide_number(CKA_KEY_TYPE, key_type);
  maker.of_value(new_value(length.value_or(0)));
  return maker.finish(asked, call.mechanism);
}

std::pair<Plan, Plan> Model::plan_pair(const Call& call, const Session& session) {
  Maker public_maker(*this, session, kGenerate);
  Maker private_maker(*this, session, kGenerate);
  auto& verdict = public_maker.verdict();
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  verdict.add_if(call.shape == Shape::kBadParameter, CKR_MECHANISM_PARAM_INVALID);
  reading_faults(call.attributes, rules, verdict);
  reading_faults(call.attributes2, rules, verdict);
  const bool rsa = call.mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN;
  if (!rsa && call.mechanism != CKM_EC_KEY_PAIR_GEN) {
    verdict.add(CKR_MECHANISM_INVALID);
    return {Plan{verdict, {}}, Plan{}};
  }
  const auto* const params = find(call.attributes, CKA_EC_PARAMS);
  verdict.add_if(!rsa && params == nullptr, CKR_TEMPLATE_INCOMPLETE);
  const auto bits =
      rsa ? public_maker.number(call.attributes, CKA_MODULUS_BITS, true) : std::nullopt;
  const int value = new_value(rsa ? bits.value_or(0) / 8 : 32);
  for (auto* const maker : {&public_maker, &private_maker}) {
    maker->decide_number(CKA_KEY_TYPE, rsa ? CKK_RSA : CKK_EC).of_value(value);
    if (params != nullptr) maker->decide(CKA_EC_PARAMS, params->value);
    maker->decide_number(CKA_CLASS, maker == &public_maker ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY);
  }
  auto public_plan = public_maker.finish(call.attributes, call.mechanism);
  auto private_plan = private_maker.finish(call.attributes2, call.mechanism);
  public_plan.verdict.merge(private_plan.verdict);
  return {std::move(public_plan), std::move(private_plan)};
}

// ---- Wrapping ----

void Model::wrap_faults(const Object& wrapping, const Object& key, Verdict& verdict) const {
  const auto object_class = key.object_class();
  if (object_class != CKO_SECRET_KEY && object_class != CKO_PRIVATE_KEY) {
    verdict.add(CKR_KEY_NOT_WRAPPABLE);
    return;
  }
  const auto demanded = wrapping.arrays.find(CKA_WRAP_TEMPLATE);
  if (demanded != wrapping.arrays.end() && on(Rule::kWrapTemplate)) {
    for (const auto& one : demanded->second) {
      const auto reading = read(key, one.type);
      verdict.add_if(reading.rv != CKR_OK || reading.value != one.value, CKR_KEY_HANDLE_INVALID);
    }
  }
  verdict.add_if(!key.flag(CKA_EXTRACTABLE) && on(Rule::kExtractable), CKR_KEY_UNEXTRACTABLE);
  if (key.managed != Managed::kNo) {
    verdict.add_if(on(Rule::kManagedStaysInside), CKR_KEY_NOT_WRAPPABLE);
    return;
  }
  const bool trusted = wrapping.flag(CKA_TRUSTED);
  verdict.add_if(key.flag(CKA_WRAP_WITH_TRUSTED) && !trusted && on(Rule::kWrapWithTrusted),
                 CKR_KEY_NOT_WRAPPABLE);
  if (!key.flag(CKA_SENSITIVE)) return;
  verdict.add_if(key.has_wrapped && on(Rule::kWrappingKeysStay), CKR_KEY_NOT_WRAPPABLE);
  verdict.add_if(strength(wrapping, values.at(static_cast<std::size_t>(wrapping.value))) <
                         strength(key, values.at(static_cast<std::size_t>(key.value))) &&
                     on(Rule::kWrappingKeyStrength),
                 CKR_WRAPPING_KEY_SIZE_RANGE);
  const bool from_here_counts = !trusted && on(Rule::kWrappingKeyFromHere);
  if (wrapping.object_class() == CKO_SECRET_KEY) {
    verdict.add_if(ciphers(wrapping) && on(Rule::kWrappingKeyCiphers),
                   CKR_KEY_FUNCTION_NOT_PERMITTED);
    const bool from_here = wrapping.flag(CKA_LOCAL) && wrapping.flag(CKA_ALWAYS_SENSITIVE);
    verdict.add_if(!from_here && from_here_counts, CKR_KEY_FUNCTION_NOT_PERMITTED);
    return;
  }
  // A public key: its private half decides.
  bool any_from_here = false;
  bool all_from_here = true;
  for (const auto& [ref, half] : objects) {
    if (half.value != wrapping.value || half.object_class() != CKO_PRIVATE_KEY ||
        half.slot != wrapping.slot || !visible(half)) {
      continue;
    }
    verdict.add_if(ciphers(half) && on(Rule::kWrappingKeyCiphers), CKR_KEY_FUNCTION_NOT_PERMITTED);
    const bool stays =
        half.has_wrapped || half.flag(CKA_NEVER_EXTRACTABLE) || !on(Rule::kPrivateHalfStays);
    const bool from_here = half.flag(CKA_LOCAL) && half.flag(CKA_ALWAYS_SENSITIVE) && stays;
    any_from_here = any_from_here || from_here;
    all_from_here = all_from_here && from_here;
  }
  verdict.add_if(!any_from_here && from_here_counts, CKR_KEY_FUNCTION_NOT_PERMITTED);
  if (any_from_here && !all_from_here) verdict.perhaps(CKR_KEY_FUNCTION_NOT_PERMITTED);
}

Verdict Model::expect_wrap(const Call& call, const Session& session) {
  Verdict verdict;
  const auto* const wrapping = object(session, call.object);
  const auto* const key = object(session, call.key);
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  use_faults(wrapping, Use::kWrap, call, verdict);
  verdict.add_if(key == nullptr, CKR_KEY_HANDLE_INVALID);
  const auto* const mechanism = mechanism_of(call.mechanism);
  if (wrapping == nullptr || key == nullptr || mechanism == nullptr ||
      !mechanism->uses.contains(Use::kWrap)) {
    return verdict;
  }
  if (call.mechanism == CKM_TS_OEM_SHARE_WRAP) {
    vendor_wrap_faults(*wrapping, *key, verdict);
  } else if (wrapping->managed != Managed::kNo ||
             !mechanism->key_types.contains(wrapping->key_type())) {
    // Refused above; what becomes of the key does not matter any more.
  } else {
    wrap_faults(*wrapping, *key, verdict);
  }
  const auto size = key->value < 0 ? 0 : values.at(static_cast<std::size_t>(key->value)).size;
  const bool whole = size % 8 == 0 && size >= kShortestKey;
  if (key->object_class() == CKO_PRIVATE_KEY || (size == 0 && key->managed == Managed::kNo)) {
    // How long a PKCS#8 is, is not the model's to know.
    if (call.mechanism != CKM_AES_KEY_WRAP_KWP) verdict.perhaps(CKR_KEY_SIZE_RANGE);
  } else if (key->managed == Managed::kNo) {
    verdict.add_if(call.mechanism == CKM_AES_KEY_WRAP && !whole, CKR_KEY_SIZE_RANGE);
    const auto modulus = values.at(static_cast<std::size_t>(std::max(wrapping->value, 0))).size;
    verdict.add_if(call.mechanism == CKM_RSA_PKCS_OAEP && size + 42 > modulus, CKR_KEY_SIZE_RANGE);
  }
  verdict.add_if(verdict.clean() && call.shape == Shape::kTooSmall, CKR_BUFFER_TOO_SMALL);
  return verdict;
}

Plan Model::plan_unwrap(const Call& call, const Session& session) {
  const auto* const key = object(session, call.object);
  if (call.mechanism == CKM_TS_OEM_SHARE_WRAP) return plan_taken_share(call, session, key);
  Maker maker(*this, session, kUnwrap);
  auto& verdict = maker.verdict();
  const auto given = outputs.find(call.blob);
  const bool nothing = given == outputs.end() && call.bytes.empty();
  verdict.add_if(call.shape == Shape::kNullPointer || nothing, CKR_ARGUMENTS_BAD);
  reading_faults(call.attributes, rules, verdict);
  use_faults(key, Use::kUnwrap, call, verdict);
  if (key == nullptr) return {verdict, {}};
  Template asked = call.attributes;
  if (on(Rule::kUnwrapTemplate)) {
    asked = with_demands(*key, CKA_UNWRAP_TEMPLATE, call.attributes, verdict);
  }
  const bool opens = given != outputs.end() && !given->second.signature &&
                     given->second.mechanism == call.mechanism && given->second.key == key->value &&
                     call.shape != Shape::kTampered;
  if (!opens) {
    verdict.add(CKR_WRAPPED_KEY_INVALID);
    verdict.perhaps(CKR_WRAPPED_KEY_LEN_RANGE);
  }
  const auto object_class = maker.number(asked, CKA_CLASS, true);
  const auto key_type = maker.number(asked, CKA_KEY_TYPE, true);
  if (!object_class || !key_type) return {verdict, {}};
  maker.decide_number(CKA_CLASS, *object_class).decide_number(CKA_KEY_TYPE, *key_type);
  if (*object_class != CKO_SECRET_KEY && *object_class != CKO_PRIVATE_KEY) {
    verdict.add(CKR_TEMPLATE_INCONSISTENT);
    return {verdict, {}};
  }
  const bool secret = *object_class == CKO_SECRET_KEY;
  verdict.add_if(secret && !is_secret_type(*key_type), CKR_ATTRIBUTE_VALUE_INVALID);
  if (!opens) return maker.finish(asked);

  const auto& output = given->second;
  int value = output.wrapped;
  if (output.data) {
    value = value_named("bytes " + hex(*output.data), output.data->size(), *output.data);
  }
  verdict.add_if(output.data && output.data->empty(), CKR_WRAPPED_KEY_INVALID);
  if (secret) {
    const auto size = values.at(static_cast<std::size_t>(value)).size;
    const bool aes_size = size == 16 || size == 24 || size == 32;
    verdict.add_if(*key_type == CKK_AES && !aes_size, CKR_WRAPPED_KEY_INVALID);
    maker.of_value(value);
    return maker.finish(asked);
  }
  // A private key: the value is the encoding of another one.
  const auto at = std::ranges::find(values, value, &Value::encoded);
  if (at == values.end()) {
    verdict.add(CKR_WRAPPED_KEY_INVALID);
    return {verdict, {}};
  }
  const auto own = static_cast<int>(at - values.begin());
  const bool is_rsa = at->size > 64;
  if (*key_type != (is_rsa ? CKK_RSA : CKK_EC)) {
    verdict.add(CKR_WRAPPED_KEY_INVALID);
    return {verdict, {}};
  }
  // The numbers of the key are what they are; the dice know no right ones.
  const auto* const modulus = find(asked, CKA_MODULUS);
  verdict.add_if(is_rsa && modulus != nullptr && modulus->value.size() != at->size,
                 CKR_TEMPLATE_INCONSISTENT);
  if (!is_rsa) maker.decide(CKA_EC_PARAMS, kP256);
  maker.of_value(own);
  return maker.finish(asked);
}

// ---- Derivation ----

Plan Model::plan_derive(const Call& call, const Session& session) {
  const auto* const base = object(session, call.object);
  if (call.mechanism == CKM_TS_MASTER_KEY_DERIVE || call.mechanism == CKM_TS_ASSET_KEY_DERIVE ||
      call.mechanism == CKM_TS_ASSET_GENERATE) {
    return plan_vendor_derive(call, session, base);
  }
  Maker maker(*this, session, kDerive);
  auto& verdict = maker.verdict();
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  reading_faults(call.attributes, rules, verdict);
  use_faults(base, Use::kDerive, call, verdict);
  if (base == nullptr) return {verdict, {}};
  const bool agreement = call.mechanism == CKM_ECDH1_DERIVE;
  verdict.add_if(agreement && base->object_class() != CKO_PRIVATE_KEY, CKR_KEY_TYPE_INCONSISTENT);
  Template asked = call.attributes;
  if (on(Rule::kDeriveTemplate)) {
    asked = with_demands(*base, CKA_DERIVE_TEMPLATE, call.attributes, verdict);
  }
  const auto object_class = maker.number(asked, CKA_CLASS, false).value_or(CKO_SECRET_KEY);
  const auto key_type = maker.number(asked, CKA_KEY_TYPE, false).value_or(CKK_GENERIC_SECRET);
  const auto length = maker.number(asked, CKA_VALUE_LEN, !agreement || key_type == CKK_AES);
  verdict.add_if(object_class != CKO_SECRET_KEY, CKR_TEMPLATE_INCONSISTENT);
  verdict.add_if(!is_secret_type(key_type), CKR_ATTRIBUTE_VALUE_INVALID);
  if (length) {
    const bool good = key_type == CKK_AES ? *length == 16 || *length == 24 || *length == 32
                                          : *length >= kShortestKey && *length <= 4096;
    verdict.add_if(!good || (agreement && *length > kAgreed), CKR_KEY_SIZE_RANGE);
  }
  maker.decide_number(CKA_CLASS, CKO_SECRET_KEY).decide_number(CKA_KEY_TYPE, key_type);
  const auto size = length.value_or(kAgreed);
  maker.of_value(value_named(
      (agreement ? "ECDH " : "HKDF ") + std::to_string(base->value) + " " + std::to_string(size),
      size));
  return maker.finish(asked, std::nullopt, base);
}

}  // namespace tallystick::model
