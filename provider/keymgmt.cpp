#include "provider/keymgmt.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <vector>

#include "provider/dispatch.h"
#include "provider/secret_key.h"

namespace tallystick::provider {
namespace {

constexpr int kPrivate = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
constexpr int kPublic = OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
constexpr int kParameters = OSSL_KEYMGMT_SELECT_ALL_PARAMETERS;

using ParamsPtr = std::unique_ptr<OSSL_PARAM, core::HandleDeleter<OSSL_PARAM_free>>;

Key& key_of(void* key) { return *static_cast<Key*>(key); }
const Key& key_of(const void* key) { return *static_cast<const Key*>(key); }

core::PkeyCtxPtr context_for(const Key& key) {
  return core::PkeyCtxPtr(
      key.pkey ? EVP_PKEY_CTX_new_from_pkey(key.context->lib(), key.pkey.get(), nullptr)
               : EVP_PKEY_CTX_new_from_name(key.context->lib(), key.type->name, nullptr));
}

template <const KeyType& kType>
void* new_key(void* provider_context) {
  auto* key = new (std::nothrow) Key;
  if (key == nullptr) return nullptr;
  key->context = &context_of(provider_context);
  key->type = &kType;
  return key;
}

void free_key(void* key) { delete static_cast<Key*>(key); }

void* load_key(const void* reference, std::size_t size) {
  return KeyReference::take(reference, size);
}

int has(const void* key, int selection) {
  if (key == nullptr) return 0;
  // Nobody asks for parameters of types that have none.
  const int wanted = selection & OSSL_KEYMGMT_SELECT_KEYPAIR;
  if ((key_of(key).parts & wanted) != wanted) return 0;
  return (selection & kParameters) == 0 || key_of(key).pkey ? 1 : 0;
}

int match(const void* first, const void* second, int selection) {
  const Key& a = key_of(first);
  const Key& b = key_of(second);
  if (!a.pkey || !b.pkey || a.type != b.type) return 0;
  if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0) {
    return EVP_PKEY_parameters_eq(a.pkey.get(), b.pkey.get()) == 1 ? 1 : 0;
  }
  return EVP_PKEY_eq(a.pkey.get(), b.pkey.get()) == 1 ? 1 : 0;
}

int validate(const void* key, int selection, int how) {
  const Key& checked = key_of(key);
  if (!checked.pkey) return 0;
  const core::PkeyCtxPtr context = context_for(checked);
  if (!context) return 0;
  const bool quick = how == OSSL_KEYMGMT_VALIDATE_QUICK_CHECK;
  const int pair = selection & OSSL_KEYMGMT_SELECT_KEYPAIR;
  if ((pair & kPrivate) != 0 && !checked.in_token()) return EVP_PKEY_check(context.get());
  if (pair != 0) {
    // That a token's private key belongs to its public one is the token's word.
    return quick ? EVP_PKEY_public_check_quick(context.get())
                 : EVP_PKEY_public_check(context.get());
  }
  return quick ? EVP_PKEY_param_check_quick(context.get()) : EVP_PKEY_param_check(context.get());
}

int parts_in(const OSSL_PARAM params[]) {
  const auto in = [params](const char* name) {
    return OSSL_PARAM_locate_const(params, name) != nullptr;
  };
  int parts = kParameters;
  if (in(OSSL_PKEY_PARAM_RSA_N) || in(OSSL_PKEY_PARAM_PUB_KEY)) parts |= kPublic;
  // What a post-quantum key is made of is all of it.
  if (in(OSSL_PKEY_PARAM_RSA_D) || in(OSSL_PKEY_PARAM_PRIV_KEY) || in(kSeedParam)) {
    parts |= kPrivate | kPublic;
  }
  return parts;
}

int import_key(void* key, int selection, const OSSL_PARAM params[]) {
  Key& imported = key_of(key);
  const core::PkeyCtxPtr context(
      EVP_PKEY_CTX_new_from_name(imported.context->lib(), imported.type->name, nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &made, selection, const_cast<OSSL_PARAM*>(params)) <= 0) {
    return 0;
  }
  imported.pkey.reset(made);
  imported.parts = parts_in(params) & selection;
  return 1;
}

int export_key(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  const Key& exported = key_of(key);
  if (!exported.pkey) return 0;
  // No private key leaves a token. Who asks for it goes on to let the token do the work, so this is
  // no error yet.
  if ((selection & kPrivate) != 0 && exported.in_token()) return 0;
  if ((exported.parts & kPrivate) == 0) selection &= ~kPrivate;
  OSSL_PARAM* params = nullptr;
  if (EVP_PKEY_todata(exported.pkey.get(), selection, &params) <= 0) return 0;
  const ParamsPtr owned(params);
  return callback(params, argument);
}

// What may go in and out, for who asks before he does it.
template <const KeyType& kType>
const OSSL_PARAM* types(int selection) {
  static const OSSL_PARAM rsa_types[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, nullptr, 0),
                                         OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, nullptr, 0),
                                         OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, nullptr, 0),
                                         OSSL_PARAM_END};
  static const OSSL_PARAM ec_types[] = {
      OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_BN(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0), OSSL_PARAM_END};
  static const OSSL_PARAM octet_types[] = {
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0), OSSL_PARAM_END};
  static const OSSL_PARAM seeded_types[] = {
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
      OSSL_PARAM_octet_string(kSeedParam, nullptr, 0), OSSL_PARAM_END};
  if ((selection & OSSL_KEYMGMT_SELECT_ALL) == 0) return nullptr;
  if (&kType == &kRsa || &kType == &kRsaPss) return rsa_types;
  if (&kType == &kEc) return ec_types;
  if (kType.post_quantum != nullptr) return seeded_types;
  return octet_types;
}

int get_params(void* key, OSSL_PARAM params[]) {
  const Key& asked = key_of(key);
  return asked.pkey ? EVP_PKEY_get_params(asked.pkey.get(), params) : 0;
}

template <const KeyType& kType>
const OSSL_PARAM* gettable_params(void* provider_context) {
  const core::KeymgmtPtr own(
      EVP_KEYMGMT_fetch(context_of(provider_context).lib(), kType.name, nullptr));
  // A table of the default provider's, which outlives the handle.
  return own ? EVP_KEYMGMT_gettable_params(own.get()) : nullptr;
}

// The public key of a TLS peer comes so, into a key that has at most parameters.
int set_params(void* key, const OSSL_PARAM params[]) {
  Key& changed = key_of(key);
  if (params == nullptr || params->key == nullptr) return 1;
  const OSSL_PARAM* encoded = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
  // How the public part is written may change; what it is may not.
  if (changed.in_token() &&
      (encoded != nullptr || OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_PUB_KEY) != nullptr)) {
    return 0;
  }
  if (!changed.pkey) {
    if (encoded == nullptr || encoded->data_type != OSSL_PARAM_OCTET_STRING) return 0;
    changed.pkey.reset(EVP_PKEY_new_raw_public_key_ex(
        changed.context->lib(), changed.type->name, nullptr,
        static_cast<const unsigned char*>(encoded->data), encoded->data_size));
    if (!changed.pkey) return 0;
  } else {
    core::PkeyPtr copy(EVP_PKEY_dup(changed.pkey.get()));
    if (!copy || EVP_PKEY_set_params(copy.get(), const_cast<OSSL_PARAM*>(params)) <= 0) return 0;
    changed.pkey = std::move(copy);
  }
  if (encoded != nullptr) changed.parts |= kPublic;
  return 1;
}

template <const KeyType& kType>
const OSSL_PARAM* settable_params(void* provider_context) {
  const core::KeymgmtPtr own(
      EVP_KEYMGMT_fetch(context_of(provider_context).lib(), kType.name, nullptr));
  return own ? EVP_KEYMGMT_settable_params(own.get()) : nullptr;
}

// Only the parameters of a key, as a key of their own; types without parameters give an empty one.
bool parameters_only(Key& key) {
  const core::PkeyPtr whole = std::move(key.pkey);
  if (!whole || key.type != &kEc) return true;
  OSSL_PARAM* params = nullptr;
  if (EVP_PKEY_todata(whole.get(), EVP_PKEY_KEY_PARAMETERS, &params) <= 0) return false;
  const ParamsPtr owned(params);
  return import_key(&key, kParameters, params) == 1;
}

void* duplicate(const void* key, int selection) {
  const Key& original = key_of(key);
  return answer(*original.context, static_cast<Key*>(nullptr), [&]() -> Outcome<Key*> {
    KeyPtr copy = same_key(original);
    if ((selection & kPrivate) == 0) {
      // Whoever takes only the public part gets no way to the token. A private key of libcrypto's
      // own keeps its private part inside, and nobody reaches it through this key.
      copy->token = nullptr;
      copy->parts &= ~kPrivate;
    }
    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0) {
      copy->parts &= kParameters;
      if (!parameters_only(*copy)) return fail(Reason::kKey, name_of(original) + ": not copied");
    }
    return copy.release();
  });
}

template <const KeyType& kType>
const char* operation_name(int operation) {
  switch (operation) {
    case OSSL_OP_SIGNATURE:
      return kType.signature;
    case OSSL_OP_KEYEXCH:
      return kType.exchange;
    // Where nothing else is said, an operation is called what its keys are: encapsulation, too.
    default:
      return kType.name;
  }
}

template <const KeyType& kType>
void* init_generation(void* provider_context, int selection, const OSSL_PARAM params[]) {
  return generation_init(context_of(provider_context), kType, selection, params);
}

template <const KeyType& kType>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      on<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, new_key<kType>),
      on<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, free_key),
      on<OSSL_FUNC_keymgmt_load_fn>(OSSL_FUNC_KEYMGMT_LOAD, load_key),
      on<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
      on<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
      on<OSSL_FUNC_keymgmt_validate_fn>(OSSL_FUNC_KEYMGMT_VALIDATE, validate),
      on<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT, import_key),
      on<OSSL_FUNC_keymgmt_import_types_fn>(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, types<kType>),
      on<OSSL_FUNC_keymgmt_export_fn>(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
      on<OSSL_FUNC_keymgmt_export_types_fn>(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, types<kType>),
      on<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
      on<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS,
                                               gettable_params<kType>),
      on<OSSL_FUNC_keymgmt_set_params_fn>(OSSL_FUNC_KEYMGMT_SET_PARAMS, set_params),
      on<OSSL_FUNC_keymgmt_settable_params_fn>(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS,
                                               settable_params<kType>),
      on<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP, duplicate),
      on<OSSL_FUNC_keymgmt_query_operation_name_fn>(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME,
                                                    operation_name<kType>),
      on<OSSL_FUNC_keymgmt_gen_init_fn>(OSSL_FUNC_KEYMGMT_GEN_INIT, init_generation<kType>),
      on<OSSL_FUNC_keymgmt_gen_set_template_fn>(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE,
                                                generation_set_template),
      on<OSSL_FUNC_keymgmt_gen_set_params_fn>(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS,
                                              generation_set_params),
      on<OSSL_FUNC_keymgmt_gen_settable_params_fn>(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS,
                                                   generation_settable),
      on<OSSL_FUNC_keymgmt_gen_fn>(OSSL_FUNC_KEYMGMT_GEN, generate),
      on<OSSL_FUNC_keymgmt_gen_cleanup_fn>(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, generation_cleanup),
      end_of_table()};
  return table;
}

}  // namespace

const OSSL_ALGORITHM* keymgmt_algorithms() {
  static const OSSL_ALGORITHM* const managers = [] {
    std::vector<OSSL_ALGORITHM> all{keymgmt_of_hmac(), keymgmt_of_cmac(), keymgmt_of_asset_key()};
    for_each_type([&all]<const KeyType & kType>() {
      all.push_back({kType.names, kProperties, functions<kType>(), "keys of a token"});
    });
    return kept(all);
  }();
  return managers;
}

}  // namespace tallystick::provider
