// Dice: templates.
#include "tests/model/dice.h"

namespace tallystick::model {

void Dice::place(Template& out, bool secret) {
  if (chance(25)) out.push_back(flag(CKA_TOKEN, chance(70)));
  if (chance(25)) out.push_back(flag(CKA_PRIVATE, secret ? chance(50) : chance(40)));
}

void Dice::uses(Template& out, CK_OBJECT_CLASS object_class) {
  const auto add_use = [&](CK_ATTRIBUTE_TYPE type) {
    if ((row_of(type, object_class, CKK_AES) != nullptr || chance(2)) &&
        find(out, type) == nullptr) {
      out.push_back(flag(type, chance(92)));
    }
  };
  constexpr CK_ATTRIBUTE_TYPE kUses[] = {CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN,  CKA_VERIFY,
                                         CKA_WRAP,    CKA_UNWRAP,  CKA_DERIVE};
  switch (below(10)) {
    case 0:
      break;
    case 1:
    case 2:
      add_use(CKA_WRAP);
      break;
    case 3:
      add_use(CKA_UNWRAP);
      break;
    case 4:
    case 5:
      add_use(CKA_WRAP);
      add_use(CKA_UNWRAP);
      break;
    case 6:
      add_use(CKA_ENCRYPT);
      add_use(CKA_DECRYPT);
      break;
    case 7:
      add_use(CKA_DECRYPT);
      if (chance(40)) add_use(CKA_WRAP);
      break;
    case 8:
      add_use(chance(65) ? CKA_DERIVE : CKA_SIGN);
      if (chance(15)) add_use(CKA_DERIVE);
      break;
    default:
      for (const auto type : kUses) {
        if (chance(35)) add_use(type);
      }
  }
}

void Dice::secrecy(Template& out) {
  if (chance(30)) out.push_back(flag(CKA_SENSITIVE, chance(55)));
  if (chance(75)) out.push_back(flag(CKA_EXTRACTABLE, chance(80)));
  if (chance(6)) out.push_back(flag(CKA_WRAP_WITH_TRUSTED, chance(70)));
}

Template Dice::inner() {
  constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_SIGN, CKA_DECRYPT,
                                          CKA_WRAP_WITH_TRUSTED};
  Template out = {flag(one_of(kTypes), chance(60))};
  if (chance(30)) {
    const auto more = flag(one_of(kTypes), chance(50));
    if (more.type != out[0].type) out.push_back(more);
  }
  if (chance(3)) out.push_back({CKA_VALUE, Bytes(16, 1)});
  return out;
}

void Dice::extras(Template& out, CK_OBJECT_CLASS object_class) {
  if (chance(15)) out.push_back({CKA_LABEL, Bytes(below(3), static_cast<std::uint8_t>('a'))});
  if (chance(8)) out.push_back({CKA_ID, Bytes(2, static_cast<std::uint8_t>(below(3)))});
  if (chance(4)) out.push_back(flag(CKA_MODIFIABLE, chance(30)));
  if (chance(4)) out.push_back(flag(CKA_COPYABLE, chance(30)));
  if (chance(4)) out.push_back(flag(CKA_DESTROYABLE, chance(50)));
  if (object_class == CKO_DATA) return;
  if (chance(5)) {
    constexpr CK_MECHANISM_TYPE kSome[] = {CKM_AES_KEY_WRAP_KWP, CKM_AES_GCM, CKM_SHA256_HMAC};
    Bytes list = bytes_of(CK_ULONG{one_of(kSome)});
    out.push_back({CKA_ALLOWED_MECHANISMS, list});
  }
  if (object_class == CKO_PRIVATE_KEY && chance(5)) {
    out.push_back(flag(CKA_ALWAYS_AUTHENTICATE, chance(80)));
  }
  const auto add_array = [&](CK_ATTRIBUTE_TYPE type) {
    if (row_of(type, object_class, CKK_AES) != nullptr) out.push_back({type, {}, false, inner()});
  };
  const auto does = [&out](CK_ATTRIBUTE_TYPE use) { return find(out, use) != nullptr; };
  if (chance(does(CKA_WRAP) ? 8 : 2)) add_array(CKA_WRAP_TEMPLATE);
  if (chance(does(CKA_UNWRAP) ? 10 : 2)) add_array(CKA_UNWRAP_TEMPLATE);
  if (chance(does(CKA_DERIVE) ? 14 : 2)) add_array(CKA_DERIVE_TEMPLATE);
}

void Dice::spoil(Template& out, unsigned percent) {
  if (!chance(percent)) return;
  constexpr CK_ATTRIBUTE_TYPE kComputed[] = {CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
                                             CKA_TRUSTED};
  constexpr CK_ATTRIBUTE_TYPE kFlags[] = {CKA_TOKEN,  CKA_PRIVATE,     CKA_WRAP,
                                          CKA_SIGN,   CKA_EXTRACTABLE, CKA_SENSITIVE,
                                          CKA_VERIFY, CKA_MODIFIABLE};
  switch (below(8)) {
    case 0:
      if (!out.empty()) out.push_back(out[below(static_cast<unsigned>(out.size()))]);
      break;
    case 1:
      out.push_back({one_of(kFlags), Bytes{2}});
      break;
    case 2:
      out.push_back({one_of(kFlags), Bytes(below(4), 1)});
      break;
    case 3:
      out.push_back({one_of(kFlags), {}, true});
      break;
    case 4:
      out.push_back(flag(one_of(kComputed), chance(70)));
      break;
    case 5:
      out.push_back({CKA_UNIQUE_ID, Bytes(3, 'u')});
      break;
    case 6:
      out.push_back({chance(50) ? CKA_MODULUS : CKA_APPLICATION, Bytes(8, 1)});
      break;
    default:
      if (!out.empty())
        out.erase(out.begin() + static_cast<long>(below(static_cast<unsigned>(out.size()))));
  }
}

}  // namespace tallystick::model
