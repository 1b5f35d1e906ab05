// Dice: encryption, signatures, digests, and the keys of the profile.
#include <algorithm>

#include "tests/model/dice.h"

namespace tallystick::model {

void Dice::cipher(Model& model) {
  const bool decrypts = chance(50);
  auto first = start(Op::kInit);
  first.session = any_session(model);
  first.use = decrypts ? Use::kDecrypt : Use::kEncrypt;
  auto second = start(Op::kRun);
  second.session = first.session;
  second.use = first.use;
  const auto use = decrypts ? CKA_DECRYPT : CKA_ENCRYPT;
  const bool opens = decrypts && chance(80);
  first.object = pick(model, first.session, [&](const Object& one) {
    return is_ordinary(one) && one.flag(use) &&
           (!opens || std::ranges::any_of(model.outputs, [&](const auto& output) {
             return output.second.key == one.value && !output.second.signature;
           }));
  });
  if (no_use()) return;
  const auto key = model.objects.find(first.object);
  if (decrypts && key != model.objects.end()) {
    // Wrapped keys above all: what comes out must not be one of those that hide their value.
    const bool wrapped = chance(70);
    second.blob = pick_output(model, [&](const Output& one) {
      return one.key == key->second.value && !one.signature && (!wrapped || one.wrapped >= 0);
    });
  }
  const auto given = model.outputs.find(second.blob);
  const bool matching = given != model.outputs.end();
  const auto at = model.objects.find(first.object);
  constexpr CK_MECHANISM_TYPE kAes[] = {CKM_AES_GCM, CKM_AES_CBC_PAD, CKM_AES_KEY_WRAP,
                                        CKM_AES_KEY_WRAP_KWP};
  first.mechanism = one_of(kAes);
  if (at != model.objects.end() && at->second.key_type() == CKK_RSA) {
    first.mechanism = decrypts || chance(70) ? CKM_RSA_PKCS_OAEP : CKM_RSA_PKCS;
  }
  if (matching && chance(90)) first.mechanism = given->second.mechanism;
  if (chance(2)) first.mechanism = chance(50) ? CKM_AES_ECB : CKM_TS_SEAL;
  if (!decrypts) second.bytes = data();
  if (decrypts && !matching) second.bytes = random_bytes(below(60));
  if (chance(2)) first.shape = chance(60) ? Shape::kNullPointer : Shape::kBadParameter;
  if (!decrypts && chance(6)) {
    second.shape = chance(50) ? Shape::kLengthOnly : Shape::kTooSmall;
  } else if (decrypts && chance(4)) {
    second.shape = Shape::kTampered;
  }
  add(first);
  if (at != model.objects.end() && at->second.flag(CKA_ALWAYS_AUTHENTICATE) && chance(40)) {
    if (const auto* const session = model.session(first.session)) {
      auto pin = start(Op::kLogin);
      pin.session = first.session;
      pin.number = CKU_CONTEXT_SPECIFIC;
      pin.bytes = model.tokens.at(session->slot).user_pin;
      if (chance(15)) pin.bytes.push_back('w');
      add(pin);
    }
  }
  if (chance(93)) add(second);
}

void Dice::sign(Model& model) {
  const bool checks = chance(40);
  auto first = start(Op::kInit);
  first.session = any_session(model);
  first.use = checks ? Use::kVerify : Use::kSign;
  auto second = start(Op::kRun);
  second.session = first.session;
  second.use = first.use;
  const auto signs = [](const Output& one) {
    return one.mechanism == CKM_AES_CMAC || one.mechanism == CKM_SHA256_HMAC ||
           one.mechanism == CKM_ECDSA || one.mechanism == CKM_RSA_PKCS;
  };
  if (checks) second.blob = pick_output(model, signs);
  const auto given = model.outputs.find(second.blob);
  const bool matching = given != model.outputs.end() && given->second.data.has_value();
  const auto use = checks ? CKA_VERIFY : CKA_SIGN;
  first.object = pick(model, first.session, [&](const Object& one) {
    return is_ordinary(one) && one.flag(use) && (!matching || one.value == given->second.key);
  });
  if (no_use()) return;
  const auto at = model.objects.find(first.object);
  first.mechanism = CKM_AES_CMAC;
  if (at != model.objects.end()) {
    const auto type = at->second.key_type();
    if (type == CKK_EC) first.mechanism = CKM_ECDSA;
    if (type == CKK_RSA) first.mechanism = CKM_RSA_PKCS;
    if (type == CKK_GENERIC_SECRET || type == CKK_SHA256_HMAC) first.mechanism = CKM_SHA256_HMAC;
  }
  if (chance(3)) first.mechanism = CKM_SHA256_HMAC;
  second.bytes = matching && chance(85) ? *given->second.data : data();
  if (chance(2)) first.shape = chance(60) ? Shape::kNullPointer : Shape::kBadParameter;
  if (!checks && chance(6)) second.shape = chance(50) ? Shape::kLengthOnly : Shape::kTooSmall;
  if (checks && chance(10)) second.shape = Shape::kTampered;
  add(first);
  if (chance(93)) add(second);
}

void Dice::digest(Model& model) {
  auto first = start(Op::kInit);
  first.session = any_session(model);
  first.use = Use::kDigest;
  first.mechanism = chance(96) ? CKM_SHA256 : CKM_AES_GCM;
  if (chance(3)) first.shape = Shape::kNullPointer;
  add(first);
  if (chance(70)) {
    auto key = start(Op::kDigestKey);
    key.session = first.session;
    key.object = pick(model, first.session, is_secret);
    add(key);
  }
  if (chance(40)) {
    auto save = start(chance(80) ? Op::kSaveState : Op::kRestoreState);
    save.session = first.session;
    add(save);
  }
  auto last = start(Op::kRun);
  last.session = first.session;
  last.use = Use::kDigest;
  last.bytes = data();
  if (chance(90)) add(last);
}

void Dice::vendor(Model& model) {
  const auto session = any_session(model);
  const auto of_kind = [](Managed kind) {
    return [kind](const Object& one) { return one.managed == kind; };
  };
  Call call;
  const auto label = [this] {
    constexpr const char* kLabels[] = {"TS1/ENCK", "TS1/ENCD", "TS1/AUTH", "TS1/PROOF"};
    const std::string text = one_of(kLabels);
    Bytes out = {1};
    out.insert(out.end(), text.begin(), text.end());
    return out;
  };
  switch (below(10)) {
    case 0:
      call = start(Op::kGenerate);
      call.mechanism = CKM_TS_OEM_SHARE_GEN;
      call.bytes = given_.share_parameter;
      break;
    case 1:
      call = start(Op::kWrap);
      call.mechanism = CKM_TS_OEM_SHARE_WRAP;
      call.object = pick(model, session, of_kind(Managed::kFamily));
      call.key = pick(model, session, of_kind(Managed::kShare));
      break;
    case 2:
      call = start(Op::kUnwrap);
      call.mechanism = CKM_TS_OEM_SHARE_WRAP;
      call.object = pick(model, session, of_kind(Managed::kFamily));
      call.blob = pick_output(
          model, [](const Output& one) { return one.mechanism == CKM_TS_OEM_SHARE_WRAP; });
      if (call.blob == 0) call.bytes = random_bytes(184);
      if (chance(10)) call.shape = Shape::kTampered;
      break;
    case 3:
      call = start(Op::kDerive);
      call.mechanism = CKM_TS_MASTER_KEY_DERIVE;
      call.object = pick(model, session, of_kind(Managed::kShare));
      break;
    case 4:
    case 5:
      call = start(Op::kDerive);
      call.mechanism = CKM_TS_ASSET_KEY_DERIVE;
      call.bytes = label();
      call.object = pick(model, session, of_kind(Managed::kMaster));
      break;
    case 6:
      call = start(Op::kDerive);
      call.mechanism = CKM_TS_ASSET_GENERATE;
      call.bytes = {2, 0, 0, 0, 1, 0, 0, 0, 0, 'x'};
      call.object = pick(model, session, of_kind(Managed::kShare));
      break;
    case 7: {
      // An ordinary use of a key that is not for it.
      call = start(chance(50) ? Op::kSet : Op::kCopy);
      call.object = pick(model, session, [](const Object& one) { return !is_ordinary(one); });
      if (chance(50)) call.attributes = {flag(CKA_EXTRACTABLE, chance(50))};
      break;
    }
    case 8: {
      call = start(Op::kInit);
      constexpr Use kUses[] = {Use::kEncrypt, Use::kDecrypt, Use::kSign, Use::kVerify};
      call.use = one_of(kUses);
      constexpr CK_MECHANISM_TYPE kSome[] = {CKM_AES_GCM, CKM_AES_KEY_WRAP_KWP, CKM_SHA256_HMAC,
                                             CKM_ECDSA, CKM_HKDF_DERIVE};
      call.mechanism = one_of(kSome);
      call.object = pick(model, session, [](const Object& one) { return !is_ordinary(one); });
      break;
    }
    default: {
      call = start(chance(60) ? Op::kWrap : Op::kDerive);
      call.mechanism = call.op == Op::kWrap ? CKM_AES_KEY_WRAP_KWP : CKM_HKDF_DERIVE;
      const auto managed = [](const Object& one) { return !is_ordinary(one); };
      call.object = pick(model, session, [&](const Object& one) {
        return call.op == Op::kWrap ? is_ordinary(one) && one.flag(CKA_WRAP) : managed(one);
      });
      if (call.op == Op::kWrap) call.key = pick(model, session, managed);
      break;
    }
  }
  call.session = session;
  const bool makes = call.op == Op::kGenerate || call.op == Op::kUnwrap || call.op == Op::kDerive;
  if (makes && chance(40)) {
    place(call.attributes, true);
    if (chance(30)) secrecy(call.attributes);
    if (chance(20)) uses(call.attributes, CKO_SECRET_KEY);
    if (chance(30)) extras(call.attributes, CKO_SECRET_KEY);
    spoil(call.attributes);
  }
  add(call);
}

}  // namespace tallystick::model
