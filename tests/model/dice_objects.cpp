// Dice: calls on objects.
#include "tests/model/dice.h"

namespace tallystick::model {

void Dice::create(Model& model) {
  auto call = start(Op::kCreate);
  call.session = any_session(model);
  auto& out = call.attributes;
  const unsigned dice = below(100);
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  if (dice < 60) {
    constexpr CK_KEY_TYPE kTypes[] = {CKK_AES,         CKK_AES, CKK_AES, CKK_GENERIC_SECRET,
                                      CKK_SHA256_HMAC, CKK_HKDF};
    const auto type = one_of(kTypes);
    constexpr std::size_t kSizes[] = {16, 32, 32, 24};
    auto size = one_of(kSizes);
    if (chance(4)) size = below(40);
    out = {
        number(CKA_CLASS, object_class), number(CKA_KEY_TYPE, type), {CKA_VALUE, key_bytes(size)}};
    if (chance(3)) out.push_back(number(CKA_VALUE_LEN, size));
  } else if (dice < 70) {
    object_class = CKO_DATA;
    out = {number(CKA_CLASS, object_class), {CKA_VALUE, Bytes(below(20), kKnownMark)}};
    if (chance(30)) out.push_back({CKA_APPLICATION, Bytes(3, 'p')});
  } else if (dice < 80) {
    object_class = CKO_PRIVATE_KEY;
    out = {number(CKA_CLASS, object_class),
           number(CKA_KEY_TYPE, CKK_EC),
           {CKA_EC_PARAMS, p256()},
           {CKA_VALUE, Bytes(32, static_cast<std::uint8_t>(1 + below(3)))}};
  } else if (dice < 86) {
    object_class = CKO_PUBLIC_KEY;
    out = {number(CKA_CLASS, object_class),
           number(CKA_KEY_TYPE, CKK_EC),
           {CKA_EC_PARAMS, p256()},
           {CKA_EC_POINT, octet_string(peer_point())}};
  } else {
    const bool secret = dice < 91;
    object_class = secret ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY;
    out = secret ? given_.rsa_private : given_.rsa_public;
    out.push_back(number(CKA_CLASS, object_class));
    out.push_back(number(CKA_KEY_TYPE, CKK_RSA));
  }
  const bool secret = object_class == CKO_SECRET_KEY || object_class == CKO_PRIVATE_KEY;
  place(out, secret);
  if (secret) secrecy(out);
  if (object_class != CKO_DATA) uses(out, object_class);
  extras(out, object_class);
  spoil(out);
  if (chance(1)) call.shape = Shape::kNullPointer;
  add(call);
}

void Dice::generate(Model& model) {
  const bool pair = chance(25);
  auto call = start(pair ? Op::kGeneratePair : Op::kGenerate);
  call.session = any_session(model);
  auto& out = call.attributes;
  if (pair) {
    call.mechanism = CKM_EC_KEY_PAIR_GEN;
    out = {{CKA_EC_PARAMS, p256()}};
    auto& secret = call.attributes2;
    place(out, false);
    place(secret, true);
    secrecy(secret);
    uses(out, CKO_PUBLIC_KEY);
    uses(secret, CKO_PRIVATE_KEY);
    extras(secret, CKO_PRIVATE_KEY);
    spoil(out, 4);
    spoil(secret, 4);
  } else {
    const bool aes = chance(75);
    call.mechanism = aes ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN;
    constexpr CK_ULONG kSizes[] = {16, 32, 32, 24};
    auto size = one_of(kSizes);
    if (chance(3)) size = below(40);
    out = {number(CKA_VALUE_LEN, size)};
    if (chance(20)) out.push_back(number(CKA_CLASS, chance(95) ? CKO_SECRET_KEY : CKO_DATA));
    if (!aes && chance(60)) {
      constexpr CK_KEY_TYPE kTypes[] = {CKK_GENERIC_SECRET, CKK_HKDF, CKK_SHA256_HMAC, CKK_AES};
      out.push_back(number(CKA_KEY_TYPE, one_of(kTypes)));
    }
    place(out, true);
    secrecy(out);
    uses(out, CKO_SECRET_KEY);
    extras(out, CKO_SECRET_KEY);
    spoil(out);
  }
  if (chance(2)) call.mechanism = chance(50) ? CKM_AES_GCM : 0x7777;
  if (chance(2)) call.shape = chance(50) ? Shape::kNullPointer : Shape::kBadParameter;
  add(call);
}

void Dice::copy_or_set(Model& model) {
  auto call = start(chance(50) ? Op::kCopy : Op::kSet);
  call.session = any_session(model);
  call.object = pick(model, call.session, is_ordinary, 94);
  constexpr CK_ATTRIBUTE_TYPE kFlags[] = {
      CKA_SENSITIVE,        CKA_EXTRACTABLE, CKA_WRAP_WITH_TRUSTED,
      CKA_ENCRYPT,          CKA_DECRYPT,     CKA_SIGN,
      CKA_VERIFY,           CKA_WRAP,        CKA_UNWRAP,
      CKA_DERIVE,           CKA_WRAP,        CKA_UNWRAP,
      CKA_TRUSTED,          CKA_TOKEN,       CKA_PRIVATE,
      CKA_COPYABLE,         CKA_MODIFIABLE,  CKA_DESTROYABLE,
      CKA_ALWAYS_SENSITIVE, CKA_DERIVE};
  const auto at = model.objects.find(call.object);
  const unsigned changes = below(4);
  for (unsigned i = 0; i < changes; ++i) {
    const auto type = one_of(kFlags);
    if (at != model.objects.end() &&
        row_of(type, at->second.object_class(), at->second.key_type()) == nullptr && chance(90)) {
      continue;
    }
    if (find(call.attributes, type) != nullptr && chance(95)) continue;
    const bool rises = type == CKA_SENSITIVE || type == CKA_WRAP_WITH_TRUSTED ||
                       type == CKA_TRUSTED || type == CKA_TOKEN || type == CKA_PRIVATE;
    call.attributes.push_back(flag(type, chance(80) == rises));
  }
  if (chance(20))
    call.attributes.push_back({CKA_LABEL, Bytes(below(3), static_cast<std::uint8_t>('b'))});
  if (chance(12)) {
    // One of two uses that belong together is given up.
    call.object = pick(model, call.session, [](const Object& one) {
      const bool ciphers = one.flag(CKA_ENCRYPT) || one.flag(CKA_DECRYPT);
      return is_ordinary(one) &&
             ((one.flag(CKA_WRAP) && ciphers) || (one.flag(CKA_SIGN) && one.flag(CKA_DERIVE)));
    });
    constexpr CK_ATTRIBUTE_TYPE kHalves[] = {CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN};
    if (fitted_) call.attributes = {flag(one_of(kHalves), false)};
  }
  // The SO is there to trust.
  const auto* const session = model.session(call.session);
  if (call.op == Op::kSet && session != nullptr &&
      model.tokens.at(session->slot).login == Login::kSo && chance(60)) {
    call.object = pick(model, call.session,
                       [](const Object& one) { return is_ordinary(one) && one.flag(CKA_WRAP); });
    call.attributes = {flag(CKA_TRUSTED, chance(85))};
    if (chance(40)) {
      auto copy = start(Op::kCopy);
      copy.session = call.session;
      copy.object = call.object;
      add(call);
      add(copy);
      return;
    }
  }
  spoil(call.attributes);
  if (chance(1)) call.shape = Shape::kNullPointer;
  add(call);
}

void Dice::destroy(Model& model) {
  auto call = start(Op::kDestroy);
  call.session = any_session(model);
  // Not so many objects that nothing meets twice.
  call.object = pick(model, call.session, is_ordinary, 92);
  add(call);
  if (model.objects.size() > 60) {
    auto more = start(Op::kDestroy);
    more.session = any_session(model);
    more.object = pick(model, more.session, is_ordinary, 99);
    add(more);
  }
}

void Dice::get(Model& model) {
  auto call = start(Op::kGet);
  call.session = any_session(model);
  call.object = pick(
      model, call.session, [](const Object&) { return true; }, 93);
  const auto& all = rows();
  if (chance(20)) {
    // Everything of the object, in one call.
    for (const auto& row : all) call.attributes.push_back({row.type, {}});
  } else {
    const unsigned count = below(6);
    for (unsigned i = 0; i < count; ++i) {
      call.attributes.push_back({all[below(static_cast<unsigned>(all.size()))].type, {}});
    }
    if (chance(40)) call.attributes.push_back({CKA_VALUE, {}});
  }
  const unsigned dice = below(100);
  if (dice < 10) call.shape = Shape::kLengthOnly;
  if (dice >= 10 && dice < 15) call.shape = Shape::kTooSmall;
  if (dice == 99) call.shape = Shape::kNullPointer;
  add(call);
}

void Dice::search(Model& model) {
  auto first = start(Op::kFindInit);
  first.session = any_session(model);
  auto& pattern = first.attributes;
  constexpr CK_OBJECT_CLASS kClasses[] = {CKO_SECRET_KEY, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY,
                                          CKO_DATA};
  constexpr CK_ATTRIBUTE_TYPE kFlags[] = {CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE,
                                          CKA_WRAP};
  if (chance(40)) pattern.push_back(number(CKA_CLASS, one_of(kClasses)));
  if (chance(20)) pattern.push_back({CKA_LABEL, Bytes(below(3), static_cast<std::uint8_t>('a'))});
  if (chance(20)) pattern.push_back(number(CKA_KEY_TYPE, chance(50) ? CKK_AES : CKK_EC));
  if (chance(30)) pattern.push_back(flag(one_of(kFlags), chance(50)));
  if (chance(35)) {
    // A guess at a value, hidden or not.
    const auto ref = pick(model, first.session, is_secret, 100);
    const auto at = model.objects.find(ref);
    if (at != model.objects.end() && at->second.value >= 0) {
      const auto& value = model.values.at(static_cast<std::size_t>(at->second.value));
      if (value.bytes) pattern = {{CKA_VALUE, *value.bytes}};
    }
  }
  if (chance(3) && !pattern.empty()) pattern.push_back(pattern[0]);
  add(first);
  const unsigned rounds = chance(90) ? 1 : below(3);
  for (unsigned i = 0; i < rounds; ++i) {
    auto more = start(Op::kFind);
    more.session = first.session;
    more.number = chance(80) ? 500 : below(5);
    if (chance(2)) more.shape = Shape::kNullPointer;
    add(more);
  }
  if (chance(95)) {
    auto last = start(Op::kFindFinal);
    last.session = first.session;
    add(last);
  }
}

}  // namespace tallystick::model
