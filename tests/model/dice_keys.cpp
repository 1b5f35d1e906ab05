// Dice: wrapping, unwrapping, derivation.
#include <algorithm>

#include "tests/model/dice.h"

namespace tallystick::model {

namespace {

CK_MECHANISM_TYPE wrapping_for(const Object* key, unsigned dice) {
  if (key != nullptr && key->key_type() == CKK_RSA) return CKM_RSA_PKCS_OAEP;
  return dice < 3 ? CKM_AES_KEY_WRAP_KWP : CKM_AES_KEY_WRAP;
}

}  // namespace

void Dice::wrap(Model& model) {
  auto call = start(Op::kWrap);
  call.session = any_session(model);
  // Often two that fit, but for one thing perhaps: then one rule alone decides.
  const bool good = chance(60);
  call.object = pick(model, call.session, [&](const Object& one) {
    return is_ordinary(one) && one.flag(CKA_WRAP) &&
           (!good || is_public(one) || (one.flag(CKA_LOCAL) && one.flag(CKA_ALWAYS_SENSITIVE)));
  });
  if (no_use()) return;
  call.key = pick(model, call.session, [&](const Object& one) {
    return is_ordinary(one) && one.flag(CKA_EXTRACTABLE) && (is_secret(one) || is_private(one)) &&
           (!good || (one.flag(CKA_SENSITIVE) && !one.has_wrapped));
  });
  if (no_use()) return;
  const auto at = model.objects.find(call.object);
  call.mechanism = wrapping_for(at == model.objects.end() ? nullptr : &at->second, below(4));
  if (chance(4)) {
    constexpr CK_MECHANISM_TYPE kOthers[] = {CKM_AES_CBC_PAD, CKM_AES_GCM, CKM_AES_ECB,
                                             CKM_TS_OEM_SHARE_WRAP, CKM_RSA_PKCS_OAEP};
    call.mechanism = one_of(kOthers);
  }
  const unsigned dice = below(100);
  if (dice < 5) call.shape = Shape::kLengthOnly;
  if (dice == 5 || dice == 6) call.shape = Shape::kTooSmall;
  if (dice == 7) call.shape = Shape::kNullPointer;
  if (dice == 8) call.shape = Shape::kBadParameter;
  add(call);
}

void Dice::unwrap(Model& model) {
  auto call = start(Op::kUnwrap);
  call.session = any_session(model);
  // A key first, and then what is under it.
  call.object = pick(model, call.session, [&](const Object& one) {
    return one.flag(CKA_UNWRAP) && is_ordinary(one) &&
           std::ranges::any_of(model.outputs, [&](const auto& output) {
             return output.second.key == one.value && output.second.wrapped >= 0;
           });
  });
  if (no_use()) return;
  const auto key = model.objects.find(call.object);
  call.blob = pick_output(model, [&](const Output& one) {
    const bool under = key != model.objects.end() && one.key == key->second.value;
    return under && one.mechanism != CKM_TS_OEM_SHARE_WRAP && (one.wrapped >= 0 || chance(30));
  });
  const auto given = model.outputs.find(call.blob);
  const bool matching = given != model.outputs.end();
  call.mechanism = matching ? given->second.mechanism : CKM_AES_KEY_WRAP_KWP;
  if (!matching || chance(3)) {
    call.blob = 0;
    call.bytes = random_bytes(chance(80) ? 24 : below(50));
  }
  auto& out = call.attributes;
  const bool was_private = matching && std::ranges::find(model.values, given->second.wrapped,
                                                         &Value::encoded) != model.values.end();
  const bool secret = chance(was_private ? 25 : 96);
  if (secret) {
    constexpr CK_KEY_TYPE kTypes[] = {CKK_AES, CKK_AES, CKK_GENERIC_SECRET, CKK_HKDF,
                                      CKK_SHA256_HMAC};
    out = {number(CKA_CLASS, CKO_SECRET_KEY), number(CKA_KEY_TYPE, one_of(kTypes))};
  } else {
    out = {number(CKA_CLASS, CKO_PRIVATE_KEY), number(CKA_KEY_TYPE, chance(80) ? CKK_EC : CKK_RSA)};
  }
  const auto object_class = secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY;
  place(out, true);
  if (chance(30)) secrecy(out);
  uses(out, object_class);
  extras(out, object_class);
  spoil(out);
  if (chance(2)) call.mechanism = CKM_AES_CBC_PAD;
  const unsigned dice = below(100);
  if (dice < 3) call.shape = Shape::kTampered;
  if (dice == 3) call.shape = Shape::kNullPointer;
  if (dice == 4) call.shape = Shape::kBadParameter;
  add(call);
}

void Dice::derive(Model& model) {
  auto call = start(Op::kDerive);
  call.session = any_session(model);
  call.object = pick(model, call.session, [&](const Object& one) {
    const bool macs = one.flag(CKA_SIGN) || one.has_ciphered;
    return is_ordinary(one) && one.flag(CKA_DERIVE) &&
           (is_private(one) ||
            (is_secret(one) && one.key_type() != CKK_AES && (!macs || chance(20))));
  });
  if (no_use()) return;
  const auto at = model.objects.find(call.object);
  const bool agreement = at != model.objects.end() && at->second.key_type() == CKK_EC;
  call.mechanism = agreement ? CKM_ECDH1_DERIVE : CKM_HKDF_DERIVE;
  if (chance(3)) call.mechanism = chance(50) ? CKM_TS_MASTER_KEY_DERIVE : 0x365;
  auto& out = call.attributes;
  constexpr CK_ULONG kSizes[] = {16, 32, 32, 24};
  auto size = one_of(kSizes);
  if (chance(5)) size = below(70);
  if (chance(90)) out.push_back(number(CKA_VALUE_LEN, size));
  if (chance(60)) {
    constexpr CK_KEY_TYPE kTypes[] = {CKK_AES, CKK_GENERIC_SECRET, CKK_HKDF, CKK_SHA256_HMAC};
    out.push_back(number(CKA_KEY_TYPE, one_of(kTypes)));
  }
  if (chance(30)) out.push_back(number(CKA_CLASS, chance(95) ? CKO_SECRET_KEY : CKO_PUBLIC_KEY));
  place(out, true);
  secrecy(out);
  uses(out, CKO_SECRET_KEY);
  extras(out, CKO_SECRET_KEY);
  spoil(out);
  const unsigned dice = below(100);
  if (dice == 3) call.shape = Shape::kNullPointer;
  if (dice == 4) call.shape = Shape::kBadParameter;
  add(call);
}

}  // namespace tallystick::model
