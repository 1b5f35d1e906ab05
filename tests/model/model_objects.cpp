// The model: objects and their attributes.
#include <algorithm>

#include "tests/model/maker.h"

namespace tallystick::model {
namespace {

bool is_good_length(CK_KEY_TYPE key_type, std::size_t size) {
  if (key_type == CKK_AES) return size == 16 || size == 24 || size == 32;
  return size >= 1 && size <= 4096;
}

bool wraps_and_ciphers(const Object& object) {
  return object.flag(CKA_WRAP) && (object.flag(CKA_ENCRYPT) || object.flag(CKA_DECRYPT));
}

}  // namespace

Plan Model::plan_create(const Call& call, const Session& session) {
  const auto& asked = call.attributes;
  Maker maker(*this, session, kCreate);
  auto& verdict = maker.verdict();
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  reading_faults(asked, rules, verdict);
  const auto object_class = maker.number(asked, CKA_CLASS, true);
  if (!object_class) return {verdict, {}};
  maker.decide_number(CKA_CLASS, *object_class);
  if (*object_class == CKO_DATA) return maker.finish(asked);
  if (class_set(*object_class) == 0) {
    verdict.add(CKR_ATTRIBUTE_VALUE_INVALID);
    return {verdict, {}};
  }
  const auto key_type = maker.number(asked, CKA_KEY_TYPE, true);
  if (!key_type) return {verdict, {}};
  maker.decide_number(CKA_KEY_TYPE, *key_type);

  const auto needs = [&](CK_ATTRIBUTE_TYPE type) -> const Attribute* {
    const auto* const one = find(asked, type);
    verdict.add_if(one == nullptr, CKR_TEMPLATE_INCOMPLETE);
    return one;
  };
  if (*object_class == CKO_SECRET_KEY) {
    const auto* const value = needs(CKA_VALUE);
    verdict.add_if(!is_secret_type(*key_type), CKR_ATTRIBUTE_VALUE_INVALID);
    if (value != nullptr) {
      verdict.add_if(!value->no_pointer && !is_good_length(*key_type, value->value.size()),
                     CKR_ATTRIBUTE_VALUE_INVALID);
      maker.of_value(value_named("bytes " + hex(value->value), value->value.size(), value->value));
    }
    return maker.finish(asked);
  }
  if (*key_type == CKK_EC) {
    const auto* const params = needs(CKA_EC_PARAMS);
    const auto* const value = needs(*object_class == CKO_PRIVATE_KEY ? CKA_VALUE : CKA_EC_POINT);
    if (params != nullptr && value != nullptr) {
      maker.decide(CKA_EC_PARAMS, params->value);
      maker.of_value(value_named("EC " + hex(value->value), 32));
    }
    return maker.finish(asked);
  }
  if (*key_type == CKK_RSA) {
    const auto* const modulus = needs(CKA_MODULUS);
    const auto* const exponent = needs(CKA_PUBLIC_EXPONENT);
    if (*object_class == CKO_PRIVATE_KEY) {
      for (const auto type : {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2}) (void)needs(type);
    }
    if (modulus != nullptr && exponent != nullptr) {
      maker.decide(CKA_MODULUS, modulus->value).decide(CKA_PUBLIC_EXPONENT, exponent->value);
      if (*object_class == CKO_PUBLIC_KEY) {
        maker.decide_number(CKA_MODULUS_BITS, modulus->value.size() * 8);
      }
      maker.of_value(value_named("RSA " + hex(modulus->value), modulus->value.size()));
    }
    return maker.finish(asked);
  }
  verdict.add(CKR_ATTRIBUTE_VALUE_INVALID);
  return {verdict, {}};
}

// What C_CopyObject and C_SetAttributeValue may change.
void Model::lay_changes(Way way, const Object& from, const Call& call, bool so, Plan& plan) const {
  auto& next = plan.object;
  auto& verdict = plan.verdict;
  std::set<CK_ATTRIBUTE_TYPE> known;
  for (const auto& one : call.attributes) {
    if (one.no_pointer || !known.insert(one.type).second) continue;
    const auto* const row = row_of(one.type, from.object_class(), from.key_type());
    if (row == nullptr) {
      verdict.add(CKR_ATTRIBUTE_TYPE_INVALID);
      continue;
    }
    const bool formed = row->kind == Kind::kArray || well_formed(*row, one.value);
    verdict.add_if(!formed, CKR_ATTRIBUTE_VALUE_INVALID);
    if (!formed) continue;
    if ((row->ways & static_cast<unsigned>(way)) == 0) {
      verdict.add_if(on(Rule::kComputed), CKR_ATTRIBUTE_READ_ONLY);
      continue;
    }
    const bool asked = one.value == bytes_of(true);
    const bool changes = row->kind == Kind::kFlag && from.flag(one.type) != asked;
    if (changes) {
      const bool back = row->moves != Moves::kFreely && asked != (row->moves == Moves::kUp);
      verdict.add_if(back && on(row->is_use ? Rule::kUsesAreNotAdded : Rule::kOneWay),
                     CKR_ATTRIBUTE_READ_ONLY);
      verdict.add_if(one.type == CKA_TRUSTED && !so && on(Rule::kTrustedBySo),
                     CKR_ATTRIBUTE_READ_ONLY);
    }
    next.attributes[one.type] = one.value;
  }
  if (from.object_class() == CKO_DATA || from.object_class() == CKO_PUBLIC_KEY) {
    // Below is about values that are hidden.
    if (!wraps_and_ciphers(from)) return;
  }
  if (on(Rule::kSplitUses)) {
    const bool gives_up_half = wraps_and_ciphers(from) && next.flag(CKA_WRAP) &&
                               (next.flag(CKA_ENCRYPT) != from.flag(CKA_ENCRYPT) ||
                                next.flag(CKA_DECRYPT) != from.flag(CKA_DECRYPT));
    verdict.add_if(gives_up_half, CKR_TEMPLATE_INCONSISTENT);
    const bool only_derives = from.object_class() == CKO_SECRET_KEY && from.hides_value() &&
                              from.flag(CKA_SIGN) && next.flag(CKA_DERIVE) && !next.flag(CKA_SIGN);
    verdict.add_if(only_derives, CKR_TEMPLATE_INCONSISTENT);
  }
  if (from.object_class() == CKO_PUBLIC_KEY || from.object_class() == CKO_DATA) return;
  const bool always = from.flag(CKA_ALWAYS_SENSITIVE) && next.flag(CKA_SENSITIVE);
  const bool never = from.flag(CKA_NEVER_EXTRACTABLE) && !next.flag(CKA_EXTRACTABLE);
  next.attributes[CKA_ALWAYS_SENSITIVE] = bytes_of(always);
  next.attributes[CKA_NEVER_EXTRACTABLE] = bytes_of(never);
}

Plan Model::plan_copy(const Call& call, const Session& session) {
  Plan plan;
  auto& verdict = plan.verdict;
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  reading_faults(call.attributes, rules, verdict);
  const auto* const from = object(session, call.object);
  if (from == nullptr) {
    verdict.add(CKR_OBJECT_HANDLE_INVALID);
    return plan;
  }
  verdict.add_if(from->managed != Managed::kNo && on(Rule::kManagedStaysAsItIs),
                 CKR_ACTION_PROHIBITED);
  verdict.add_if(!from->flag(CKA_COPYABLE) && from->managed == Managed::kNo && on(Rule::kCopyable),
                 CKR_ACTION_PROHIBITED);
  plan.object = *from;
  plan.object.seen.clear();
  const bool so = tokens.at(session.slot).login == Login::kSo;
  lay_changes(kCopy, *from, call, so, plan);
  auto& next = plan.object;
  if (next.attributes.contains(CKA_TRUSTED) && on(Rule::kTrustStays)) {
    next.attributes[CKA_TRUSTED] = bytes_of(false);
  }
  verdict.add_if(next.flag(CKA_TOKEN) && !session.read_write && on(Rule::kReadOnlySession),
                 CKR_SESSION_READ_ONLY);
  verdict.add_if(next.flag(CKA_PRIVATE) && tokens.at(session.slot).login != Login::kUser &&
                     on(Rule::kPrivateNeedsUser),
                 CKR_USER_NOT_LOGGED_IN);
  next.session = next.flag(CKA_TOKEN) ? 0 : session.ref;
  return plan;
}

Plan Model::plan_set(const Call& call, const Session& session) {
  Plan plan;
  auto& verdict = plan.verdict;
  verdict.add_if(call.shape == Shape::kNullPointer, CKR_ARGUMENTS_BAD);
  reading_faults(call.attributes, rules, verdict);
  const auto* const from = object(session, call.object);
  if (from == nullptr) {
    verdict.add(CKR_OBJECT_HANDLE_INVALID);
    return plan;
  }
  verdict.add_if(from->on_token() && !session.read_write && on(Rule::kReadOnlySession),
                 CKR_SESSION_READ_ONLY);
  const bool managed = from->managed != Managed::kNo;
  verdict.add_if(managed && on(Rule::kManagedStaysAsItIs), CKR_ACTION_PROHIBITED);
  verdict.add_if(!managed && !from->flag(CKA_MODIFIABLE) && on(Rule::kModifiable),
                 CKR_ACTION_PROHIBITED);
  plan.object = *from;
  lay_changes(kSet, *from, call, tokens.at(session.slot).login == Login::kSo, plan);
  return plan;
}

Verdict Model::expect_destroy(const Call& call, const Session& session) {
  Verdict verdict;
  const auto* const target = object(session, call.object);
  if (target == nullptr) {
    verdict.add(CKR_OBJECT_HANDLE_INVALID);
    return verdict;
  }
  verdict.add_if(target->on_token() && !session.read_write && on(Rule::kReadOnlySession),
                 CKR_SESSION_READ_ONLY);
  verdict.add_if(!target->flag(CKA_DESTROYABLE) && on(Rule::kDestroyable), CKR_ACTION_PROHIBITED);
  return verdict;
}

Model::Reading Model::read(const Object& object, CK_ATTRIBUTE_TYPE type) const {
  const bool managed = object.managed != Managed::kNo;
  const auto known = object.attributes.find(type);
  if (object.managed == Managed::kFixed) {
    if (known != object.attributes.end()) return {CKR_OK, known->second};
    return {CKR_OK, std::nullopt, true};
  }
  const auto* const row = row_of(type, object.object_class(), object.key_type());
  if (row == nullptr) return {CKR_ATTRIBUTE_TYPE_INVALID, std::nullopt};
  if (row->is_secret) {
    if (object.hides_value() && on(Rule::kHidden)) return {CKR_ATTRIBUTE_SENSITIVE, std::nullopt};
    if (object.object_class() != CKO_SECRET_KEY || object.value < 0) return {};
    return {CKR_OK, values.at(static_cast<std::size_t>(object.value)).bytes};
  }
  if (row->kind == Kind::kArray) {
    const auto array = object.arrays.find(type);
    if (array == object.arrays.end()) return {CKR_ATTRIBUTE_TYPE_INVALID, std::nullopt};
    return {};
  }
  if (known != object.attributes.end()) return {CKR_OK, known->second};
  switch (type) {
    case CKA_LABEL:
    case CKA_ID:
    case CKA_SUBJECT:
    case CKA_START_DATE:
    case CKA_END_DATE:
    case CKA_APPLICATION:
    case CKA_OBJECT_ID:
    case CKA_VALUE:
      return {CKR_OK, Bytes{}};
    default:
      break;
  }
  if (managed) return {CKR_OK, std::nullopt, true};
  switch (type) {
    case CKA_UNIQUE_ID:
    case CKA_EC_POINT:
    case CKA_EC_PARAMS:
    case CKA_PUBLIC_KEY_INFO:
    case CKA_MODULUS:
    case CKA_PUBLIC_EXPONENT:
    case CKA_MODULUS_BITS:
      return {};
    case CKA_VALUE_LEN:
      if (values.at(static_cast<std::size_t>(object.value)).size == 0) return {};
      return {CKR_OK, bytes_of(CK_ULONG{values.at(static_cast<std::size_t>(object.value)).size})};
    default:
      return {CKR_ATTRIBUTE_TYPE_INVALID, std::nullopt};
  }
}

std::vector<CK_OBJECT_HANDLE> Model::matching(unsigned slot, const Template& pattern) const {
  std::vector<CK_OBJECT_HANDLE> out;
  for (const auto& entry : objects) {
    const auto& object = entry.second;
    if (object.slot != slot || !visible(object)) continue;
    const bool all = std::ranges::all_of(pattern, [&](const Attribute& wanted) {
      auto reading = read(object, wanted.type);
      if (wanted.type == CKA_VALUE && !on(Rule::kNotFoundByValue) && object.value >= 0) {
        reading = {CKR_OK, values.at(static_cast<std::size_t>(object.value)).bytes};
      }
      return reading.rv == CKR_OK && reading.value && *reading.value == wanted.value;
    });
    if (all) out.push_back(object.handle);
  }
  return out;
}

}  // namespace tallystick::model
