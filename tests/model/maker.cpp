#include "tests/model/maker.h"

#include <algorithm>

namespace tallystick::model {
namespace {

bool is_key_with_secrets(CK_OBJECT_CLASS object_class) {
  return object_class == CKO_PRIVATE_KEY || object_class == CKO_SECRET_KEY;
}
bool is_key(CK_OBJECT_CLASS object_class) {
  return object_class == CKO_PUBLIC_KEY || is_key_with_secrets(object_class);
}

bool may_become(const Row& row, bool now, bool next) {
  if (now == next || row.moves == Moves::kFreely) return true;
  return row.moves == Moves::kUp ? next : !next;
}

// What a key of a type is for when nobody says.
bool is_for(CK_ATTRIBUTE_TYPE use, CK_KEY_TYPE key_type) {
  const bool cipher = use == CKA_ENCRYPT || use == CKA_DECRYPT;
  const bool signature = use == CKA_SIGN || use == CKA_VERIFY;
  if (key_type == CKK_AES) return cipher;
  if (key_type == CKK_HKDF) return use == CKA_DERIVE;
  return signature;
}

}  // namespace

Maker& Maker::decide(CK_ATTRIBUTE_TYPE type, const Bytes& value) {
  plan_.object.attributes[type] = value;
  decided_.insert(type);
  return *this;
}

Maker& Maker::managed(Managed kind) {
  plan_.object.managed = kind;
  decide_flag(CKA_PRIVATE, true).decide_flag(CKA_SENSITIVE, true);
  decide_flag(CKA_DESTROYABLE, true);
  return decide_flag(CKA_MODIFIABLE, false).decide_flag(CKA_COPYABLE, false);
}

Maker& Maker::of_value(int value) {
  plan_.object.value = value;
  return *this;
}

std::optional<CK_ULONG> Maker::number(const Template& attributes, CK_ATTRIBUTE_TYPE type,
                                      bool required) {
  const auto* const one = find(attributes, type);
  if (one == nullptr) {
    plan_.verdict.add_if(required, CKR_TEMPLATE_INCOMPLETE);
    return std::nullopt;
  }
  const auto value = number_in(one->value);
  plan_.verdict.add_if(!value || one->no_pointer, CKR_ATTRIBUTE_VALUE_INVALID);
  return value;
}

void Maker::lay(const Template& attributes) {
  std::set<CK_ATTRIBUTE_TYPE> known;
  for (const auto& one : attributes) {
    if (one.no_pointer || !known.insert(one.type).second) continue;
    const auto* const row = row_of(one.type, plan_.object.object_class(), plan_.object.key_type());
    if (row == nullptr) {
      plan_.verdict.add(CKR_ATTRIBUTE_TYPE_INVALID);
    } else if (row->kind != Kind::kArray && !well_formed(*row, one.value)) {
      plan_.verdict.add(CKR_ATTRIBUTE_VALUE_INVALID);
    } else {
      lay_one(*row, one);
    }
  }
}

void Maker::lay_one(const Row& row, const Attribute& one) {
  auto& object = plan_.object;
  auto& verdict = plan_.verdict;
  if (one.type == CKA_TRUSTED) {
    verdict.add_if(one.value == bytes_of(true) && model_.on(Rule::kTrustedBySo),
                   CKR_TEMPLATE_INCONSISTENT);
    return;
  }
  if ((row.ways & static_cast<unsigned>(way_)) == 0) {
    if (!model_.on(Rule::kComputed)) return;
    verdict.add(row.ways == 0 ? CKR_ATTRIBUTE_READ_ONLY : CKR_TEMPLATE_INCONSISTENT);
    return;
  }
  if (row.is_secret) return;  // taken where the key was made
  const bool managed = object.managed != Managed::kNo;
  if (row.kind == Kind::kArray) {
    verdict.add_if(managed, CKR_TEMPLATE_INCONSISTENT);
    object.arrays[one.type] = one.inner;
    return;
  }
  if (one.type == CKA_VALUE_LEN) {
    const bool fits = !managed && object.value >= 0 &&
                      model_.values.at(static_cast<std::size_t>(object.value)).size ==
                          number_in(one.value).value_or(0);
    verdict.add_if(!fits, CKR_TEMPLATE_INCONSISTENT);
    return;
  }
  if (managed && model_.on(Rule::kManagedTemplate)) {
    lay_managed(row, one.value);
    return;
  }
  if (decided_.contains(one.type) && one.type != CKA_EC_POINT) {
    verdict.add_if(object.attributes[one.type] != one.value, CKR_TEMPLATE_INCONSISTENT);
    return;
  }
  object.attributes[one.type] = one.value;
}

// A template names and places a managed key, says again what is so, or tightens.
void Maker::lay_managed(const Row& row, const Bytes& value) {
  auto& object = plan_.object;
  constexpr std::array kNames = {CKA_TOKEN,   CKA_LABEL,      CKA_ID,
                                 CKA_SUBJECT, CKA_START_DATE, CKA_END_DATE};
  if (std::ranges::find(kNames, row.type) != kNames.end() && !decided_.contains(row.type)) {
    object.attributes[row.type] = value;
    return;
  }
  const bool now = decided_.contains(row.type) ? object.flag(row.type)
                                               : !row.is_use && row.moves == Moves::kDown;
  const bool flag = row.kind == Kind::kFlag;
  const bool same = decided_.contains(row.type) ? object.attributes[row.type] == value
                                                : flag && row.is_use && value == bytes_of(false);
  const bool tightens = flag && row.moves != Moves::kFreely && !row.is_use &&
                        may_become(row, now, value == bytes_of(true)) &&
                        value == bytes_of(row.moves == Moves::kUp);
  const bool use_given_up = row.is_use && decided_.contains(row.type) && value == bytes_of(false);
  if (!same && !tightens && !use_given_up) {
    plan_.verdict.add(CKR_TEMPLATE_INCONSISTENT);
    return;
  }
  object.attributes[row.type] = value;
}

void Maker::defaults() {
  auto& object = plan_.object;
  const auto object_class = object.object_class();
  const bool secrets = is_key_with_secrets(object_class);
  const auto set = [&object](CK_ATTRIBUTE_TYPE type, bool value) {
    object.attributes.try_emplace(type, bytes_of(value));
  };
  set(CKA_TOKEN, false);
  set(CKA_PRIVATE, secrets);
  set(CKA_MODIFIABLE, true);
  set(CKA_COPYABLE, true);
  set(CKA_DESTROYABLE, true);
  if (!is_key(object_class)) return;
  if (object_class != CKO_PRIVATE_KEY) set(CKA_TRUSTED, false);
  if (secrets) {
    set(CKA_SENSITIVE, true);
    set(CKA_EXTRACTABLE, false);
    set(CKA_WRAP_WITH_TRUSTED, false);
  }
  if (object_class == CKO_PRIVATE_KEY) set(CKA_ALWAYS_AUTHENTICATE, false);
  bool named = object.managed != Managed::kNo;
  for (const auto& row : rows()) named = named || (row.is_use && object.flag(row.type));
  for (const auto& row : rows()) {
    if (!row.is_use || (row.classes & class_set(object_class)) == 0) continue;
    set(row.type, !named && is_for(row.type, object.key_type()));
  }
  object.has_ciphered = object.flag(CKA_DECRYPT) || object.flag(CKA_ENCRYPT);
  object.has_wrapped = object.flag(CKA_WRAP) || object.flag(CKA_UNWRAP);
}

void Maker::history(std::optional<CK_MECHANISM_TYPE> generated_by, const Object* parent) {
  auto& object = plan_.object;
  const auto object_class = object.object_class();
  if (!is_key(object_class)) return;
  const bool generated = generated_by.has_value() || !model_.on(Rule::kHistory);
  object.attributes[CKA_LOCAL] = bytes_of(generated);
  object.attributes[CKA_KEY_GEN_MECHANISM] =
      bytes_of(generated_by.value_or(CK_UNAVAILABLE_INFORMATION));
  if (!is_key_with_secrets(object_class)) return;
  const bool always = parent != nullptr ? parent->flag(CKA_ALWAYS_SENSITIVE) : generated;
  const bool never = parent != nullptr ? parent->flag(CKA_NEVER_EXTRACTABLE) : generated;
  object.attributes[CKA_ALWAYS_SENSITIVE] = bytes_of(always && object.flag(CKA_SENSITIVE));
  object.attributes[CKA_NEVER_EXTRACTABLE] = bytes_of(never && !object.flag(CKA_EXTRACTABLE));
}

void Maker::place() {
  auto& object = plan_.object;
  auto& verdict = plan_.verdict;
  verdict.add_if(
      model_.on(Rule::kReadOnlySession) && object.flag(CKA_TOKEN) && !session_.read_write,
      CKR_SESSION_READ_ONLY);
  verdict.add_if(model_.on(Rule::kPrivateNeedsUser) && object.flag(CKA_PRIVATE) &&
                     model_.tokens.at(session_.slot).login != Login::kUser,
                 CKR_USER_NOT_LOGGED_IN);
  object.slot = session_.slot;
  object.session = object.flag(CKA_TOKEN) ? 0 : session_.ref;
}

Plan Maker::finish(const Template& attributes, std::optional<CK_MECHANISM_TYPE> generated_by,
                   const Object* parent) {
  lay(attributes);
  auto& object = plan_.object;
  auto& verdict = plan_.verdict;
  const bool managed = object.managed != Managed::kNo;
  const auto said = object.attributes.find(CKA_SENSITIVE);
  if (way_ == kUnwrap && !managed && said != object.attributes.end()) {
    verdict.add_if(model_.on(Rule::kUnwrappedIsSensitive) && said->second == bytes_of(false),
                   CKR_TEMPLATE_INCONSISTENT);
  }
  defaults();
  history(generated_by, parent);
  verdict.add_if(object.flag(CKA_ALWAYS_AUTHENTICATE) && !object.flag(CKA_PRIVATE),
                 CKR_TEMPLATE_INCONSISTENT);
  place();
  return plan_;
}

Template with_demands(const Object& key, CK_ATTRIBUTE_TYPE which, const Template& asked,
                      Verdict& verdict) {
  Template all = asked;
  const auto at = key.arrays.find(which);
  if (at == key.arrays.end()) return all;
  for (const auto& one : at->second) {
    const auto* const given = find(asked, one.type);
    verdict.add_if(given != nullptr && given->value != one.value, CKR_TEMPLATE_INCONSISTENT);
    if (given == nullptr) all.push_back(one);
  }
  return all;
}

}  // namespace tallystick::model
