#include "pkcs11/engine/keys/pq_key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "pkcs11/engine/keys/der.h"

namespace tallystick::token {
namespace {

// libcrypto's name for a seed, of which the headers of 3.0 know nothing.
constexpr const char* kSeed = "seed";

// ---- The two parts of a stored secret ----

struct SecretParts {
  core::ByteView seed;  // empty where it is not known
  core::ByteView expanded;
};

SecretParts parts_of(CK_KEY_TYPE key_type, core::ByteView value) {
  // No expanded key of a type is as long as another with its seed.
  for (const auto& set : parameter_sets()) {
    if (set.key_type == key_type && value.size() == set.seed_size + set.private_size) {
      return {value.first(set.seed_size), value.subspan(set.seed_size)};
    }
  }
  return {{}, value};
}

// ---- libcrypto's keys ----

struct Part {
  const char* name;
  core::ByteView bytes;  // left out when empty
};

// Null when the parts are none of a key, or of different ones.
core::PkeyPtr key_of(const core::Crypto& crypto, const ParameterSet& set, int selection,
                     const std::array<Part, 2>& parts) {
  const auto context = core::key_context(crypto.lib(), set.identifier);
  std::array<OSSL_PARAM, 3> params;
  auto* next = params.data();
  for (const auto& part : parts) {
    if (part.bytes.empty()) continue;
    // libcrypto only reads what this points to.
    *next++ = OSSL_PARAM_construct_octet_string(
        part.name, const_cast<std::uint8_t*>(part.bytes.data()), part.bytes.size());
  }
  *next = OSSL_PARAM_construct_end();
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.data()) != 1) {
    return nullptr;
  }
  return core::PkeyPtr(key);
}

core::PkeyPtr public_key(const core::Crypto& crypto, const ParameterSet& set,
                         core::ByteView value) {
  return key_of(crypto, set, EVP_PKEY_PUBLIC_KEY, {{{OSSL_PKEY_PARAM_PUB_KEY, value}, {}}});
}

core::PkeyPtr private_key(const core::Crypto& crypto, const ParameterSet& set,
                          const SecretParts& parts) {
  return key_of(crypto, set, EVP_PKEY_KEYPAIR,
                {{{kSeed, parts.seed}, {OSSL_PKEY_PARAM_PRIV_KEY, parts.expanded}}});
}

bool read_part(const EVP_PKEY* key, const char* name, core::MutableByteView out) {
  std::size_t size = 0;
  const bool read =
      EVP_PKEY_get_octet_string_param(key, name, out.data(), out.size(), &size) == 1 &&
      size == out.size();
  if (!read) forget_errors();
  return read;
}

// ---- Drafts ----

// What both halves of a key say of it.
struct PublicParts {
  const ParameterSet* set;
  core::Bytes value;
  core::Bytes info;
};

// Null for a key that is none of the type's.
const ParameterSet* set_of(CK_KEY_TYPE key_type, const EVP_PKEY* key) {
  const auto all = parameter_sets();
  const auto at = std::ranges::find_if(all, [&](const ParameterSet& one) {
    return one.key_type == key_type && EVP_PKEY_is_a(key, one.identifier) == 1;
  });
  return at == all.end() ? nullptr : &*at;
}

Outcome<PublicParts> public_parts(CK_KEY_TYPE key_type, const EVP_PKEY* key) {
  const auto* const set = set_of(key_type, key);
  if (set == nullptr) return wrong_key_type("not a key of this type");
  core::Bytes value(set->public_size);
  if (!read_part(key, OSSL_PKEY_PARAM_PUB_KEY, value)) return crypto_failed("public key");
  auto info = public_key_info(set->identifier, value);
  if (!info) return std::move(info).error();
  return PublicParts{set, std::move(value), *std::move(info)};
}

Draft draft_of(const SharedPkey& key, CK_OBJECT_CLASS object_class, const PublicParts& parts) {
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, object_class)
      .set_number(CKA_KEY_TYPE, parts.set->key_type)
      .set_number(CKA_PARAMETER_SET, parts.set->number)
      .set(CKA_PUBLIC_KEY_INFO, parts.info);
  draft.pkey = key;
  return draft;
}

Draft public_draft(const SharedPkey& key, const PublicParts& parts) {
  auto draft = draft_of(key, CKO_PUBLIC_KEY, parts);
  draft.attributes.set(CKA_VALUE, parts.value);
  return draft;
}

Outcome<Draft> private_draft(const SharedPkey& key, const PublicParts& parts) {
  const auto& set = *parts.set;
  core::Secret whole(set.seed_size + set.private_size);
  const bool has_seed =
      set.seed_size > 0 && read_part(key.get(), kSeed, whole.span().first(set.seed_size));
  if (!has_seed) whole.truncate(set.private_size);
  if (!read_part(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, whole.span().last(set.private_size))) {
    return crypto_failed("private key");
  }
  auto draft = draft_of(key, CKO_PRIVATE_KEY, parts);
  draft.value = share(std::move(whole));
  return draft;
}

// ---- Templates ----

Outcome<const ParameterSet*> wanted_set(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                        const Template& wanted) {
  auto number = wanted.required_number(CKA_PARAMETER_SET);
  if (!number) return std::move(number).error();
  auto set = find_parameter_set(key_type, *number);
  if (set && !core::has_keys_of(crypto.lib(), (*set)->identifier)) {
    return bad_value("libcrypto does not have keys of this type");
  }
  return set;
}

Fault not_a_key() { return bad_value("not a key of the parameter set"); }

// Whether the halves of a key belong together.
bool is_whole(const core::Crypto& crypto, EVP_PKEY* key) {
  const core::PkeyCtxPtr check(EVP_PKEY_CTX_new_from_pkey(crypto.lib(), key, nullptr));
  return check && EVP_PKEY_check(check.get()) == 1;
}

}  // namespace

Outcome<const ParameterSet*> parameter_set_of(const AttributeSet& attributes) {
  return find_parameter_set(
      attributes.number(CKA_KEY_TYPE).value_or(CK_UNAVAILABLE_INFORMATION),
      attributes.number(CKA_PARAMETER_SET).value_or(CK_UNAVAILABLE_INFORMATION));
}

Outcome<SharedPkey> generate_pq_key(const core::Crypto& crypto, const ParameterSet& set) {
  const auto context = core::key_context(crypto.lib(), set.identifier);
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1) {
    return crypto_failed("key generation");
  }
  return share(core::PkeyPtr(key));
}

Outcome<Draft> pq_private_draft(CK_KEY_TYPE key_type, const SharedPkey& key) {
  auto parts = public_parts(key_type, key.get());
  if (!parts) return std::move(parts).error();
  return private_draft(key, *parts);
}

Outcome<ProducedPair> pq_pair_drafts(CK_KEY_TYPE key_type, const SharedPkey& key) {
  auto parts = public_parts(key_type, key.get());
  if (!parts) return std::move(parts).error();
  auto private_half = private_draft(key, *parts);
  if (!private_half) return std::move(private_half).error();
  return ProducedPair{public_draft(key, *parts), *std::move(private_half)};
}

Outcome<Draft> import_pq_public(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                const Template& wanted) {
  auto set = wanted_set(crypto, key_type, wanted);
  if (!set) return std::move(set).error();
  const auto value = wanted.find(CKA_VALUE);
  if (!value) return incomplete_template("CKA_VALUE is missing");
  if (value->size() != (*set)->public_size) return not_a_key();
  auto key = public_key(crypto, **set, *value);
  if (!key) {
    forget_errors();
    return not_a_key();
  }
  const auto shared = share(std::move(key));
  auto parts = public_parts(key_type, shared.get());
  if (!parts) return std::move(parts).error();
  return public_draft(shared, *parts);
}

Outcome<Draft> import_pq_private(const core::Crypto& crypto, CK_KEY_TYPE key_type,
                                 const Template& wanted) {
  auto set = wanted_set(crypto, key_type, wanted);
  if (!set) return std::move(set).error();
  // What another token does not know, it gives as an empty value.
  const SecretParts given{wanted.find(CKA_SEED).value_or(core::ByteView{}),
                          wanted.find(CKA_VALUE).value_or(core::ByteView{})};
  if (given.seed.empty() && given.expanded.empty()) {
    return incomplete_template("CKA_SEED and CKA_VALUE are missing");
  }
  if ((!given.seed.empty() && given.seed.size() != (*set)->seed_size) ||
      (!given.expanded.empty() && given.expanded.size() != (*set)->private_size)) {
    return not_a_key();
  }
  auto key = private_key(crypto, **set, given);
  if (!key || !is_whole(crypto, key.get())) {
    forget_errors();
    return not_a_key();
  }
  auto draft = pq_private_draft(key_type, share(std::move(key)));
  if (!draft) return draft;
  // libcrypto compares too; but which of the two it keeps is a matter of its settings.
  const auto kept = parts_of(key_type, draft->value->view());
  if ((!given.expanded.empty() && !core::equal_in_constant_time(kept.expanded, given.expanded)) ||
      (!given.seed.empty() && !core::equal_in_constant_time(kept.seed, given.seed))) {
    return not_a_key();
  }
  return draft;
}

Outcome<SharedPkey> parse_pq_key(const core::Crypto& crypto, const AttributeSet& attributes,
                                 core::ByteView value) {
  auto set = parameter_set_of(attributes);
  if (!set) return std::move(set).error();
  auto key = attributes.number(CKA_CLASS) == CKO_PRIVATE_KEY
                 ? private_key(crypto, **set, parts_of((*set)->key_type, value))
                 : public_key(crypto, **set, attributes.bytes(CKA_VALUE));
  if (!key) return crypto_failed("a stored key");
  return share(std::move(key));
}

core::ByteView pq_secret(CK_KEY_TYPE key_type, core::ByteView value, CK_ATTRIBUTE_TYPE type) {
  const auto parts = parts_of(key_type, value);
  return type == CKA_SEED ? parts.seed : parts.expanded;
}

}  // namespace tallystick::token
