#include "pkcs11/engine/policy.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "pkcs11/engine/attribute_table.h"
#include "pkcs11/engine/keys/ec_key.h"
#include "pkcs11/engine/keys/ecx_key.h"
#include "pkcs11/engine/keys/pq_key.h"
#include "pkcs11/engine/keys/rsa_key.h"

namespace tallystick::token {
namespace {

std::uint8_t path_of(Action action) {
  switch (action) {
    case Action::kCreate:
      return kAtCreate;
    case Action::kGenerate:
      return kAtGenerate;
    case Action::kUnwrap:
      return kAtUnwrap;
    case Action::kDerive:
      return kAtDerive;
    case Action::kCopy:
      return kAtCopy;
    case Action::kSet:
      return kAtSet;
    default:
      return 0;
  }
}

bool has_secrets(CK_OBJECT_CLASS object_class) {
  return object_class == CKO_PRIVATE_KEY || object_class == CKO_SECRET_KEY;
}

bool is_key_class(CK_OBJECT_CLASS object_class) {
  return object_class == CKO_PUBLIC_KEY || has_secrets(object_class);
}

bool as_bool(core::ByteView value) { return value[0] != CK_FALSE; }

// Whether a flag may go from what it is to what is asked.
bool may_move(const AttributeRule& rule, bool now, bool next) {
  if (now == next || rule.direction == Direction::kAny) return true;
  return rule.direction == Direction::kOnlyTrue ? next : !next;
}

Fault read_only(const AttributeRule& rule) {
  return fault(CKR_ATTRIBUTE_READ_ONLY, attribute_name(rule.type) + " is not the caller's");
}
Fault contradicts(const AttributeRule& rule) {
  return bad_template(attribute_name(rule.type) + " contradicts what is made");
}

Outcome<const AttributeRule*> rule_for(CK_ATTRIBUTE_TYPE type, const AttributeSet& attributes) {
  const auto known = [&attributes](CK_ATTRIBUTE_TYPE number) {
    return attributes.number(number).value_or(CK_UNAVAILABLE_INFORMATION);
  };
  const auto* const rule = find_rule(type, known(CKA_CLASS));
  if (rule == nullptr || !applies_to(*rule, known(CKA_KEY_TYPE))) {
    return fault(CKR_ATTRIBUTE_TYPE_INVALID,
                 attribute_name(type) + " is not an attribute of the object");
  }
  return rule;
}

// Names and dates, which say nothing about what a key may do.
bool is_presentation(CK_ATTRIBUTE_TYPE type) {
  constexpr std::array kTypes = {CKA_TOKEN,   CKA_LABEL,      CKA_ID,
                                 CKA_SUBJECT, CKA_START_DATE, CKA_END_DATE};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

// Whether a value is another form of the one that an importer has brought it into.
bool same_value(CK_ATTRIBUTE_TYPE type, core::ByteView decided, core::ByteView wanted) {
  switch (type) {
    case CKA_EC_POINT:
      return true;  // only importers take it, and they have checked it
    case CKA_EC_PARAMS:
      return same_ecx_curve(decided, wanted);
    case CKA_MODULUS:
    case CKA_PUBLIC_EXPONENT:
      return std::ranges::equal(significant(decided), significant(wanted));
    default:
      return false;
  }
}

// An attribute of the template that the maker has decided too.
Outcome<void> reconcile(const AttributeRule& rule, core::ByteView decided, core::ByteView wanted,
                        bool managed, AttributeSet& result) {
  if (std::ranges::equal(decided, wanted) || same_value(rule.type, decided, wanted)) return {};
  const bool tightens = rule.kind == Kind::kBool && rule.direction != Direction::kAny &&
                        may_move(rule, as_bool(decided), as_bool(wanted));
  if (!managed || !tightens) return contradicts(rule);
  result.set(rule.type, wanted);
  return {};
}

// Lays the caller's template under what the maker decided.
Outcome<void> lay_template(const Request& request, AttributeSet& result) {
  const auto& made = *request.made;
  const bool is_data =
      request.action == Action::kDerive && made.attributes.number(CKA_CLASS) == CKO_DATA;
  for (const auto& [type, value] : request.wanted->entries()) {
    if (type == CKA_VALUE_LEN && is_data) continue;  // only says how much is derived
    auto found = rule_for(type, made.attributes);
    if (!found) return std::move(found).error();
    const auto& rule = **found;
    if (auto good = check_value(rule, value); !good) return good;
    // Saying that nothing is trusted is no claim.
    if (type == CKA_TRUSTED && !as_bool(value)) continue;
    if ((rule.settable & path_of(request.action)) == 0) {
      return rule.settable == 0 ? read_only(rule) : contradicts(rule);
    }
    if (rule.sensitive) continue;  // the importer has taken the value
    if (type == CKA_VALUE_LEN) {
      CK_ULONG length = 0;
      std::memcpy(&length, value.data(), sizeof length);
      if (made.managed || !made.value || made.value->size() != length) return contradicts(rule);
      continue;
    }
    if (const auto decided = made.attributes.find(type)) {
      if (auto done = reconcile(rule, *decided, value, made.managed, result); !done) return done;
      continue;
    }
    if (made.managed && !is_presentation(type)) {
      // What is not decided is as its default; a template may restate that or tighten it.
      const bool restates = rule.kind == Kind::kBool &&
                            (rule.usage ? !as_bool(value)
                             : rule.direction == Direction::kOnlyTrue
                                 ? as_bool(value)
                                 : rule.direction == Direction::kOnlyFalse && !as_bool(value));
      if (!restates) return contradicts(rule);
    }
    result.set(type, value);
  }
  return {};
}

void set_default(AttributeSet& attributes, CK_ATTRIBUTE_TYPE type, bool value) {
  if (!attributes.has(type)) attributes.set_flag(type, value);
}

// What a key may do when its template names no use: what its type is for.
void default_uses(AttributeSet& attributes, CK_OBJECT_CLASS object_class) {
  bool named = false;
  for (const auto& rule : attribute_table()) {
    named = named || (rule.usage && attributes.flag(rule.type));
  }
  const auto key_type = attributes.number(CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION);
  const bool cipher = key_type == CKK_AES;
  const bool derives = key_type == CKK_EC_MONTGOMERY || key_type == CKK_HKDF;
  const bool encapsulates = key_type == CKK_ML_KEM;
  for (const auto& rule : attribute_table()) {
    if (!rule.usage || (rule.classes & class_bit(object_class)) == 0) continue;
    bool value = false;
    if (!named) {
      switch (rule.type) {
        case CKA_ENCRYPT:
        case CKA_DECRYPT:
          value = cipher;
          break;
        case CKA_SIGN:
        case CKA_VERIFY:
          value = !cipher && !derives && !encapsulates;
          break;
        case CKA_DERIVE:
          value = derives;
          break;
        case CKA_ENCAPSULATE:
        case CKA_DECAPSULATE:
          value = encapsulates;
          break;
        default:
          break;
      }
    }
    set_default(attributes, rule.type, value);
  }
}

// ALWAYS_SENSITIVE and its like: computed on every path (A06).
void write_history(const Request& request, AttributeSet& attributes, CK_OBJECT_CLASS object_class) {
  const bool known_outside =
      request.mechanism != nullptr && request.mechanism->value_from_parameter;
  const bool generated = request.action == Action::kGenerate && !known_outside;
  attributes.set_flag(CKA_LOCAL, generated);
  attributes.set_number(CKA_KEY_GEN_MECHANISM,
                        generated ? request.mechanism_type : CK_UNAVAILABLE_INFORMATION);
  if (!has_secrets(object_class)) return;
  const bool sensitive = attributes.flag(CKA_SENSITIVE);
  const bool extractable = attributes.flag(CKA_EXTRACTABLE);
  bool was_sensitive = generated;
  bool was_kept = generated;
  if (request.action == Action::kDerive && request.parent != nullptr) {
    was_sensitive = request.parent->flag(CKA_ALWAYS_SENSITIVE);
    was_kept = request.parent->flag(CKA_NEVER_EXTRACTABLE);
  }
  attributes.set_flag(CKA_ALWAYS_SENSITIVE, was_sensitive && sensitive);
  attributes.set_flag(CKA_NEVER_EXTRACTABLE, was_kept && !extractable);
}

void write_defaults(const Request& request, AttributeSet& attributes,
                    CK_OBJECT_CLASS object_class) {
  const auto& made = *request.made;
  set_default(attributes, CKA_TOKEN, false);
  set_default(attributes, CKA_PRIVATE, has_secrets(object_class));
  set_default(attributes, CKA_MODIFIABLE, !made.managed);
  set_default(attributes, CKA_COPYABLE, !made.managed);
  set_default(attributes, CKA_DESTROYABLE, !made.immutable);
  if (object_class == CKO_CERTIFICATE) set_default(attributes, CKA_TRUSTED, false);
  if (!is_key_class(object_class)) return;
  if (object_class != CKO_PRIVATE_KEY) set_default(attributes, CKA_TRUSTED, false);
  if (has_secrets(object_class)) {
    set_default(attributes, CKA_SENSITIVE, true);
    set_default(attributes, CKA_EXTRACTABLE, false);
    set_default(attributes, CKA_WRAP_WITH_TRUSTED, false);
  }
  if (object_class == CKO_PRIVATE_KEY) set_default(attributes, CKA_ALWAYS_AUTHENTICATE, false);
  if (made.managed) {
    for (const auto& rule : attribute_table()) {
      if (rule.usage && (rule.classes & class_bit(object_class)) != 0) {
        set_default(attributes, rule.type, false);
      }
    }
  } else {
    default_uses(attributes, object_class);
  }
  if (attributes.flag(CKA_DECRYPT) || attributes.flag(CKA_ENCRYPT)) {
    attributes.set_flag(kHasCiphered, true);
  }
  if (attributes.flag(CKA_WRAP) || attributes.flag(CKA_UNWRAP)) {
    attributes.set_flag(kHasWrapped, true);
  }
  write_history(request, attributes, object_class);
}

bool has_ciphered(const Object& key) {
  return key.flag(CKA_DECRYPT) || key.flag(kHasCiphered) ||
         (key.object_class() == CKO_SECRET_KEY && key.flag(CKA_ENCRYPT));
}

bool has_wrapped(const Object& key) {
  return key.flag(CKA_WRAP) || key.flag(CKA_UNWRAP) || key.flag(kHasWrapped);
}

// What is derived from a secret key is a MAC under it: one that also signs or ciphers could compute
// it (A15). Keys whose value may be read anyway are let go.
bool computes_derivations(const Object& key) {
  return key.object_class() == CKO_SECRET_KEY && key.hides_value() &&
         (key.flag(CKA_SIGN) || has_ciphered(key));
}

// Where the session and the login allow an object to be, or to be changed.
Outcome<void> check_place(const Caller& caller, const AttributeSet& attributes) {
  if (attributes.flag(CKA_TOKEN) && !caller.read_write) {
    return fault(CKR_SESSION_READ_ONLY, "token objects need a read/write session");
  }
  if (attributes.flag(CKA_PRIVATE) && !caller.user) return not_logged_in();
  return {};
}

Outcome<AttributeSet> decide_making(const Request& request) {
  const auto& made = *request.made;
  const auto object_class = made.attributes.number(CKA_CLASS);
  if (!object_class) return incomplete_template("CKA_CLASS is missing");
  AttributeSet result = made.attributes;
  if (auto laid = lay_template(request, result); !laid) {
    return std::move(laid).error();
  }
  if (!made.managed && request.action == Action::kUnwrap && has_secrets(*object_class)) {
    // Unwrapped again under softer attributes, a sensitive key would come out in clear (A04).
    if (result.has(CKA_SENSITIVE) && !result.flag(CKA_SENSITIVE)) {
      return bad_template("an unwrapped key is sensitive");
    }
  }
  write_defaults(request, result, *object_class);
  if (result.flag(CKA_ALWAYS_AUTHENTICATE) && !result.flag(CKA_PRIVATE)) {
    return bad_template("a key that wants the PIN each time is private");
  }
  if (made.managed && has_secrets(*object_class) &&
      (!result.flag(CKA_SENSITIVE) || !result.flag(CKA_PRIVATE))) {
    return bad_template("a managed key is private and sensitive");
  }
  if (auto placed = check_place(request.caller, result); !placed) return std::move(placed).error();
  return result;
}

// The template of C_CopyObject and C_SetAttributeValue over what there is.
Outcome<AttributeSet> lay_changes(const Request& request) {
  const auto& object = *request.object;
  AttributeSet result = object.attributes();
  for (const auto& [type, value] : request.wanted->entries()) {
    auto found = rule_for(type, object.attributes());
    if (!found) return std::move(found).error();
    const auto& rule = **found;
    if (auto good = check_value(rule, value); !good) return std::move(good).error();
    if ((rule.settable & path_of(request.action)) == 0) return read_only(rule);
    if (rule.kind == Kind::kBool && !may_move(rule, result.flag(type), as_bool(value))) {
      return read_only(rule);
    }
    if (type == CKA_TRUSTED && !request.caller.so && as_bool(value) != result.flag(type)) {
      return read_only(rule);
    }
    result.set(type, value);
  }
  // A key that could read what it wraps does not become one that only wraps: its
  // copy still could (A01).
  const bool wraps_and_ciphers =
      object.flag(CKA_WRAP) && (object.flag(CKA_ENCRYPT) || object.flag(CKA_DECRYPT));
  if (wraps_and_ciphers && result.flag(CKA_WRAP) &&
      (result.flag(CKA_ENCRYPT) != object.flag(CKA_ENCRYPT) ||
       result.flag(CKA_DECRYPT) != object.flag(CKA_DECRYPT))) {
    return bad_template("a key that wraps and ciphers keeps both uses or gives up wrapping");
  }
  // Nor does a secret key that signs become one that only derives (A15).
  if (computes_derivations(object) && object.flag(CKA_SIGN) && result.flag(CKA_DERIVE) &&
      !result.flag(CKA_SIGN)) {
    return bad_template("a secret key that signs and derives keeps both or gives up deriving");
  }
  if (has_secrets(object.object_class())) {
    result.set_flag(CKA_ALWAYS_SENSITIVE,
                    object.flag(CKA_ALWAYS_SENSITIVE) && result.flag(CKA_SENSITIVE));
    result.set_flag(CKA_NEVER_EXTRACTABLE,
                    object.flag(CKA_NEVER_EXTRACTABLE) && !result.flag(CKA_EXTRACTABLE));
  }
  return result;
}

Fault prohibited(std::string_view what) { return fault(CKR_ACTION_PROHIBITED, what); }

Outcome<AttributeSet> decide_copying(const Request& request) {
  const auto& object = *request.object;
  if (object.managed() || !object.flag(CKA_COPYABLE)) return prohibited("not copyable");
  auto result = lay_changes(request);
  if (!result) return result;
  // Trust is given to one object by the SO and does not travel (A07).
  if (result->has(CKA_TRUSTED)) result->set_flag(CKA_TRUSTED, false);
  if (auto placed = check_place(request.caller, *result); !placed) {
    return std::move(placed).error();
  }
  return result;
}

Outcome<AttributeSet> decide_changing(const Request& request) {
  const auto& object = *request.object;
  if (object.on_token() && !request.caller.read_write) {
    return fault(CKR_SESSION_READ_ONLY, "token objects need a read/write session");
  }
  if (object.managed() || object.immutable() || !object.flag(CKA_MODIFIABLE)) {
    return prohibited("not modifiable");
  }
  return lay_changes(request);
}

Outcome<void> decide_destroying(const Request& request) {
  const auto& object = *request.object;
  if (object.on_token() && !request.caller.read_write) {
    return fault(CKR_SESSION_READ_ONLY, "token objects need a read/write session");
  }
  if (object.immutable() || !object.flag(CKA_DESTROYABLE)) return prohibited("not destroyable");
  return {};
}

CK_ATTRIBUTE_TYPE usage_of(Use use) {
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
    case Use::kDerive:
    case Use::kDigest:
      return CKA_DERIVE;
    case Use::kEncapsulate:
      return CKA_ENCAPSULATE;
    case Use::kDecapsulate:
      return CKA_DECAPSULATE;
  }
  return CKA_DERIVE;
}

CK_RV wrong_type_of(Use use) {
  if (use == Use::kWrap) return CKR_WRAPPING_KEY_TYPE_INCONSISTENT;
  if (use == Use::kUnwrap || use == Use::kDecapsulate) return CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT;
  return CKR_KEY_TYPE_INCONSISTENT;
}

// What keeps the value of an ordinary key inside while another ordinary key wraps it (A01 to A04,
// A08, A11, A12). Keys whose value may be read anyway are let go.
Outcome<void> check_ordinary_wrap(const Request& request) {
  const auto& wrapping = *request.object;
  const auto& key = *request.wrapped;
  const auto* const pair = request.wrapping_pair;
  if (key.flag(CKA_WRAP_WITH_TRUSTED) && !wrapping.flag(CKA_TRUSTED)) {
    return fault(CKR_KEY_NOT_WRAPPABLE, "the key leaves under trusted keys only");
  }
  if (!key.flag(CKA_SENSITIVE)) return {};
  if (!request.mechanism->authenticated) {
    return fault(CKR_KEY_NOT_WRAPPABLE, "sensitive keys leave only authenticated");
  }
  if (has_wrapped(key)) {
    return fault(CKR_KEY_NOT_WRAPPABLE, "keys that wrap or unwrap are not wrapped");
  }
  if (wrapping.managed()) return {};
  // A public key that encrypts is no harm; its private half that decrypts is.
  const bool public_half = wrapping.object_class() == CKO_PUBLIC_KEY;
  if ((!public_half && has_ciphered(wrapping)) || (pair != nullptr && has_ciphered(*pair))) {
    return not_permitted("a key that also decrypts does not wrap sensitive keys");
  }
  if (strength_bits(wrapping) < strength_bits(key)) {
    return fault(CKR_WRAPPING_KEY_SIZE_RANGE, "the wrapping key is weaker than the key");
  }
  // A wrapping key that came from outside may be known there; the SO can vouch for it.
  const auto* const holder = wrapping.object_class() == CKO_PUBLIC_KEY ? pair : &wrapping;
  const bool born_here =
      holder != nullptr && holder->flag(CKA_LOCAL) && holder->flag(CKA_ALWAYS_SENSITIVE);
  // A private half that leaves comes back as one that decrypts.
  const bool stays =
      holder != nullptr && (has_wrapped(*holder) || holder->flag(CKA_NEVER_EXTRACTABLE));
  if (!(born_here && stays) && !wrapping.flag(CKA_TRUSTED)) {
    return not_permitted("the wrapping key was not made here to stay, and is not trusted");
  }
  return {};
}

// CKA_WRAP_TEMPLATE: which keys a wrapping key wraps (A23).
Outcome<void> check_wrap_template(const Object& wrapping, const Object& key) {
  const auto stored = wrapping.attributes().find(CKA_WRAP_TEMPLATE);
  if (!stored) return {};
  auto wanted = decode_attributes(*stored);
  if (!wanted) return std::move(wanted).error();
  core::Bytes scratch;
  for (const auto& [type, value] : wanted->all()) {
    const auto has = read_attribute(key, type, scratch);
    if (!has || !std::ranges::equal(*has, value)) {
      return fault(CKR_KEY_HANDLE_INVALID, "the wrapping key does not wrap such keys");
    }
  }
  return {};
}

Outcome<void> check_wrapped(const Request& request) {
  const auto& key = *request.wrapped;
  if (!has_secrets(key.object_class())) {
    return fault(CKR_KEY_NOT_WRAPPABLE, "only secret and private keys are wrapped");
  }
  if (auto fits = check_wrap_template(*request.object, key); !fits) return fits;
  // The vendor mechanisms know which managed keys they carry, extractable or not.
  if (key.managed() && request.mechanism->carries_managed) return {};
  if (!key.flag(CKA_EXTRACTABLE)) {
    return fault(CKR_KEY_UNEXTRACTABLE, "the key is not extractable");
  }
  if (key.managed())
    return fault(CKR_KEY_NOT_WRAPPABLE, "the key leaves by its own mechanism only");
  return check_ordinary_wrap(request);
}

Outcome<void> decide_using(const Request& request) {
  const auto& key = *request.object;
  if (request.use == Use::kDigest) {
    if (key.object_class() != CKO_SECRET_KEY || key.hides_value()) {
      return fault(CKR_KEY_INDIGESTIBLE, "only keys that may be read may be digested");
    }
    return {};
  }
  if (!key.is_key() || !request.mechanism->takes(key.key_type())) {
    return fault(wrong_type_of(request.use), "the mechanism does not work with this key");
  }
  if (!key.flag(usage_of(request.use))) return not_permitted("the key is not for this use");
  // One call does all of these: there is no moment in which the PIN could be given.
  const bool in_one_call = request.use == Use::kUnwrap || request.use == Use::kDerive ||
                           request.use == Use::kDecapsulate;
  if (in_one_call && key.flag(CKA_ALWAYS_AUTHENTICATE)) {
    return fault(CKR_USER_NOT_LOGGED_IN, "the key wants the PIN for each operation");
  }
  if (request.use == Use::kDerive && computes_derivations(key)) {
    return not_permitted("a key that also signs or ciphers does not derive");
  }
  const auto allowed = key.attributes().numbers(CKA_ALLOWED_MECHANISMS);
  const bool restricted = key.managed() || key.attributes().has(CKA_ALLOWED_MECHANISMS);
  if (restricted && std::ranges::find(allowed, request.mechanism->type) == allowed.end()) {
    return bad_mechanism("the key is for other mechanisms");
  }
  if (key.managed() && !request.mechanism->for_managed) {
    return not_permitted("the mechanism is not for managed keys");
  }
  if (request.use == Use::kUnwrap && !request.mechanism->authenticated) {
    return bad_mechanism("keys come in only authenticated");
  }
  if (request.use == Use::kWrap) return check_wrapped(request);
  return {};
}

Outcome<AttributeSet> decide_one(const Request& request) {
  switch (request.action) {
    case Action::kCreate:
    case Action::kGenerate:
    case Action::kUnwrap:
    case Action::kDerive:
      return decide_making(request);
    case Action::kCopy:
      return decide_copying(request);
    case Action::kSet:
      return decide_changing(request);
    case Action::kDestroy:
      if (auto allowed = decide_destroying(request); !allowed) return std::move(allowed).error();
      return AttributeSet{};
    case Action::kUse:
      if (auto allowed = decide_using(request); !allowed) return std::move(allowed).error();
      return AttributeSet{};
  }
  return fault(CKR_GENERAL_ERROR, "no such action");
}

}  // namespace

Outcome<AttributeSet> Policy::decide(const Request& request) const {
  auto verdict = decide_one(request);
  const bool changes = request.action != Action::kUse;
  if (verdict && changes) {
    if (auto anchored = hooks_.anchor->before_change(request.action); !anchored) {
      verdict = std::move(anchored).error();
    }
  }
  hooks_.audit->record(
      {request.action,
       request.mechanism != nullptr ? request.mechanism->type : request.mechanism_type,
       request.object, verdict ? CKR_OK : verdict.error().rv});
  return verdict;
}

std::uint64_t policy_bits(const AttributeSet& attributes) {
  std::uint64_t bits = 0;
  for (const auto& rule : attribute_table()) {
    if (rule.policy_bit != 0 && attributes.flag(rule.type)) {
      bits |= std::uint64_t{1} << (rule.policy_bit - 1);
    }
  }
  return bits;
}

unsigned strength_bits(const Object& key) {
  constexpr unsigned kMost = 256;
  const auto params = key.attributes().bytes(CKA_EC_PARAMS);
  switch (key.key_type()) {
    case CKK_EC: {
      const auto curve = find_curve(params);
      return curve ? std::min((*curve)->bits / 2, kMost) : kMost;
    }
    case CKK_EC_EDWARDS:
    case CKK_EC_MONTGOMERY: {
      const auto curve = find_ecx_curve(key.key_type(), params);
      return curve ? (*curve)->strength : kMost;
    }
    case CKK_ML_KEM:
    case CKK_ML_DSA:
    case CKK_SLH_DSA: {
      const auto set = parameter_set_of(key.attributes());
      return set ? (*set)->strength : kMost;
    }
    case CKK_RSA:
      return bits_of(key.attributes().bytes(CKA_MODULUS)) < 3072 ? 112 : 128;
    default: {
      const auto bits = key.value().size() * 8;
      return bits > kMost ? kMost : static_cast<unsigned>(bits);
    }
  }
}

}  // namespace tallystick::token
