// Key management of secret keys that are EVP_PKEYs.
#include <openssl/core_names.h>

#include <array>

#include "pkcs11/include/tallystick/pkcs11_tallystick.h"
#include "provider/dispatch.h"
#include "provider/params.h"
#include "provider/secret_key.h"

namespace tallystick::provider {
namespace {

constexpr int kSecret = OSSL_KEYMGMT_SELECT_PRIVATE_KEY;
// openssl pkeyutl takes input of ten times the size of a key and cuts off the rest without a word:
// with this, 64 MiB of an asset.
constexpr int kSizeOfAssetKey = 64 * 1024 * 1024 / 10 + 1;
constexpr int kLongestMac = 64;

SecretKey& key_of(void* key) { return *static_cast<SecretKey*>(key); }
const SecretKey& key_of(const void* key) { return *static_cast<const SecretKey*>(key); }

template <const SecretType& kType>
void* new_key(void* provider_context) {
  auto* key = new (std::nothrow) SecretKey;
  if (key == nullptr) return nullptr;
  key->context = &context_of(provider_context);
  key->type = &kType;
  return key;
}
void free_key(void* key) { delete static_cast<SecretKey*>(key); }
void* load_key(const void* reference, std::size_t size) {
  return Reference<SecretKey>::take(reference, size);
}

int has(const void* key, int selection) {
  if (key == nullptr) return 0;
  return (selection & kSecret) == 0 || key_of(key).complete() ? 1 : 0;
}

int match(const void* first, const void* second, int selection) {
  const SecretKey& a = key_of(first);
  const SecretKey& b = key_of(second);
  if ((selection & kSecret) == 0) return 1;
  if (a.type != b.type || a.cipher != b.cipher || a.token.has_value() != b.token.has_value()) {
    return 0;
  }
  if (a.token) {
    return a.token->object == b.token->object || a.token->object->uri() == b.token->object->uri();
  }
  return a.has_bytes == b.has_bytes && core::equal_in_constant_time(a.bytes.view(), b.bytes.view())
             ? 1
             : 0;
}

int import_key(void* key, int selection, const OSSL_PARAM params[]) {
  SecretKey& imported = key_of(key);
  if ((selection & kSecret) == 0) return 0;
  if (const auto bytes = octets_param(params, OSSL_PKEY_PARAM_PRIV_KEY)) {
    imported.bytes = core::Secret::copy_of(*bytes);
    imported.has_bytes = true;
  }
  if (const auto cipher = text_param(params, OSSL_PKEY_PARAM_CIPHER)) imported.cipher = *cipher;
  return imported.has_bytes ? 1 : 0;
}

int export_key(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
  SecretKey& exported = key_of(key);
  // No secret leaves a token. Who asks for it goes on to let the token do the work.
  if ((selection & kSecret) == 0 || !exported.has_bytes) return 0;
  std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, exported.bytes.span().data(),
                                        exported.bytes.size()),
      exported.cipher.empty()
          ? OSSL_PARAM_construct_end()
          : OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_CIPHER, exported.cipher.data(), 0),
      OSSL_PARAM_construct_end()};
  return callback(params.data(), argument);
}

const OSSL_PARAM* types(int selection) {
  static const OSSL_PARAM list[] = {OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, nullptr, 0),
                                    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_CIPHER, nullptr, 0),
                                    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_PROPERTIES, nullptr, 0),
                                    OSSL_PARAM_END};
  return (selection & kSecret) == 0 ? nullptr : list;
}

int get_params(void* key, OSSL_PARAM params[]) {
  const SecretKey& asked = key_of(key);
  const std::size_t size = asked.token ? asked.token->size : asked.bytes.size();
  const auto number = [params](const char* name, int value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_int(param, value) == 1;
  };
  const int bits = static_cast<int>(size) * 8;
  return number(OSSL_PKEY_PARAM_BITS, bits) && number(OSSL_PKEY_PARAM_SECURITY_BITS, bits) &&
                 number(OSSL_PKEY_PARAM_MAX_SIZE,
                        asked.type == &kAssetKey ? kSizeOfAssetKey : kLongestMac)
             ? 1
             : 0;
}

const OSSL_PARAM* gettable(void* /*provider_context*/) {
  static const OSSL_PARAM list[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, nullptr),
                                    OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, nullptr),
                                    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, nullptr),
                                    OSSL_PARAM_END};
  return list;
}

void* duplicate(const void* key, int selection) {
  const SecretKey& original = key_of(key);
  return answer(*original.context, static_cast<SecretKey*>(nullptr), [&]() -> Outcome<SecretKey*> {
    SecretKeyPtr copy = same_key(original);
    if ((selection & kSecret) == 0) {
      copy->token.reset();
      copy->has_bytes = false;
      copy->bytes = core::Secret();
    }
    return copy.release();
  });
}

// "Generation" of a MAC's key is how the core takes one in option by option: its bytes, or a URI.
template <const SecretType& kType>
void* begin_generation(void* provider_context, int selection, const OSSL_PARAM params[]);

int set_generation_params(void* key, const OSSL_PARAM params[]) {
  SecretKey& changed = key_of(key);
  if (params == nullptr || params->key == nullptr) return 1;
  return done(*changed.context, [&]() -> Done {
    if (const auto uri = uri_param(params)) {
      auto secret = secret_by_uri(*changed.context, *uri);
      if (!secret) return std::move(secret).error();
      changed.token = *std::move(secret);
    }
    if (const auto bytes = octets_param(params, OSSL_PKEY_PARAM_PRIV_KEY)) {
      changed.bytes = core::Secret::copy_of(*bytes);
      changed.has_bytes = true;
    }
    if (const auto cipher = text_param(params, OSSL_PKEY_PARAM_CIPHER)) changed.cipher = *cipher;
    return {};
  });
}

template <const SecretType& kType>
void* begin_generation(void* provider_context, int /*selection*/, const OSSL_PARAM params[]) {
  void* key = new_key<kType>(provider_context);
  if (key == nullptr || set_generation_params(key, params) == 1) return key;
  free_key(key);
  return nullptr;
}

const OSSL_PARAM* generation_settable(void* /*key*/, void* /*provider_context*/) {
  static const auto list = with_uri(types(kSecret));
  return list.data();
}

void* generate(void* key, OSSL_CALLBACK* /*progress*/, void* /*argument*/) {
  const SecretKey& taken = key_of(key);
  return answer(*taken.context, static_cast<SecretKey*>(nullptr), [&]() -> Outcome<SecretKey*> {
    if (taken.token && taken.has_bytes) {
      return fail(Reason::kKey, "a key and the URI of one: give one of them");
    }
    if (!taken.complete()) return fail(Reason::kKey, "no key: give key, hexkey or uri");
    return same_key(taken).release();
  });
}

// What stands for a MAC can be taken in; what seals is only ever a token's.
template <const SecretType& kType>
const OSSL_DISPATCH* mac_functions() {
  static const OSSL_DISPATCH table[] = {
      on<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, new_key<kType>),
      on<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, free_key),
      on<OSSL_FUNC_keymgmt_load_fn>(OSSL_FUNC_KEYMGMT_LOAD, load_key),
      on<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
      on<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
      on<OSSL_FUNC_keymgmt_import_fn>(OSSL_FUNC_KEYMGMT_IMPORT, import_key),
      on<OSSL_FUNC_keymgmt_import_types_fn>(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, types),
      on<OSSL_FUNC_keymgmt_export_fn>(OSSL_FUNC_KEYMGMT_EXPORT, export_key),
      on<OSSL_FUNC_keymgmt_export_types_fn>(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, types),
      on<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
      on<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable),
      on<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP, duplicate),
      on<OSSL_FUNC_keymgmt_gen_init_fn>(OSSL_FUNC_KEYMGMT_GEN_INIT, begin_generation<kType>),
      on<OSSL_FUNC_keymgmt_gen_set_params_fn>(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS,
                                              set_generation_params),
      on<OSSL_FUNC_keymgmt_gen_settable_params_fn>(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS,
                                                   generation_settable),
      on<OSSL_FUNC_keymgmt_gen_fn>(OSSL_FUNC_KEYMGMT_GEN, generate),
      on<OSSL_FUNC_keymgmt_gen_cleanup_fn>(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, free_key),
      end_of_table()};
  return table;
}

const OSSL_DISPATCH kAssetKeyFunctions[] = {
    on<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, new_key<kAssetKey>),
    on<OSSL_FUNC_keymgmt_free_fn>(OSSL_FUNC_KEYMGMT_FREE, free_key),
    on<OSSL_FUNC_keymgmt_load_fn>(OSSL_FUNC_KEYMGMT_LOAD, load_key),
    on<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, has),
    on<OSSL_FUNC_keymgmt_match_fn>(OSSL_FUNC_KEYMGMT_MATCH, match),
    on<OSSL_FUNC_keymgmt_get_params_fn>(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),
    on<OSSL_FUNC_keymgmt_gettable_params_fn>(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable),
    on<OSSL_FUNC_keymgmt_dup_fn>(OSSL_FUNC_KEYMGMT_DUP, duplicate),
    end_of_table()};

}  // namespace

SecretKeyPtr same_key(const SecretKey& key) {
  auto copy = std::make_unique<SecretKey>();
  copy->context = key.context;
  copy->type = key.type;
  copy->token = key.token;
  copy->has_bytes = key.has_bytes;
  copy->bytes = key.bytes.clone();
  copy->cipher = key.cipher;
  return copy;
}

SecretKeyPtr secret_key(Context& context, TokenSecret secret) {
  auto key = std::make_unique<SecretKey>();
  key->context = &context;
  key->type = &kHmacKey;
  if (secret.type == CKK_AES) key->type = &kCmacKey;
  if (secret.type == CKK_TS_ASSET_KEY) key->type = &kAssetKey;
  key->token = std::move(secret);
  return key;
}

OSSL_ALGORITHM keymgmt_of_hmac() {
  return {kHmacKey.name, kMacProperties, mac_functions<kHmacKey>(), "HMAC keys of a token"};
}
OSSL_ALGORITHM keymgmt_of_cmac() {
  return {kCmacKey.name, kMacProperties, mac_functions<kCmacKey>(), "CMAC keys of a token"};
}
OSSL_ALGORITHM keymgmt_of_asset_key() {
  return {kAssetKey.name, kProperties, kAssetKeyFunctions, "keys of a token that seal assets"};
}

}  // namespace tallystick::provider
