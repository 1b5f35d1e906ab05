// Ciphers as the core calls them.
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

#include "provider/cipher.h"
#include "provider/dispatch.h"
#include "provider/openssl_3_5.h"
#include "provider/params.h"
#include "provider/secret_key.h"

namespace tallystick::provider {
namespace {

constexpr CipherType kTypes[] = {
    {"AES-128-CBC", "AES-128-CBC:AES128:2.16.840.1.101.3.4.1.2", 16, CipherMode::kCbc, false},
    {"AES-192-CBC", "AES-192-CBC:AES192:2.16.840.1.101.3.4.1.22", 24, CipherMode::kCbc, false},
    {"AES-256-CBC", "AES-256-CBC:AES256:2.16.840.1.101.3.4.1.42", 32, CipherMode::kCbc, false},
    {"AES-128-CTR", "AES-128-CTR", 16, CipherMode::kCtr, false},
    {"AES-192-CTR", "AES-192-CTR", 24, CipherMode::kCtr, false},
    {"AES-256-CTR", "AES-256-CTR", 32, CipherMode::kCtr, false},
    {"AES-128-GCM", "AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6", 16, CipherMode::kGcm,
     false},
    {"AES-192-GCM", "AES-192-GCM:id-aes192-GCM:2.16.840.1.101.3.4.1.26", 24, CipherMode::kGcm,
     false},
    {"AES-256-GCM", "AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46", 32, CipherMode::kGcm,
     false},
    {"AES-128-CCM", "AES-128-CCM:id-aes128-CCM:2.16.840.1.101.3.4.1.7", 16, CipherMode::kCcm,
     false},
    {"AES-192-CCM", "AES-192-CCM:id-aes192-CCM:2.16.840.1.101.3.4.1.27", 24, CipherMode::kCcm,
     false},
    {"AES-256-CCM", "AES-256-CCM:id-aes256-CCM:2.16.840.1.101.3.4.1.47", 32, CipherMode::kCcm,
     false},
    {"AES-128-CBC", "TALLYSTICK-AES-128-CBC", 16, CipherMode::kCbc, true},
    {"AES-256-CBC", "TALLYSTICK-AES-256-CBC", 32, CipherMode::kCbc, true},
    {"AES-128-CTR", "TALLYSTICK-AES-128-CTR", 16, CipherMode::kCtr, true},
    {"AES-256-CTR", "TALLYSTICK-AES-256-CTR", 32, CipherMode::kCtr, true},
};
constexpr std::size_t kTypeCount = std::size(kTypes);

Cipher& cipher_of(void* cipher) { return *static_cast<Cipher*>(cipher); }
core::ByteView view(const unsigned char* data, std::size_t size) {
  return data == nullptr ? core::ByteView() : core::ByteView(data, size);
}

template <std::size_t kIndex>
void* new_cipher(void* provider_context) {
  Context& context = context_of(provider_context);
  return answer(context, static_cast<Cipher*>(nullptr), [&]() -> Outcome<Cipher*> {
    auto cipher = Cipher::make(context, kTypes[kIndex]);
    if (!cipher) return std::move(cipher).error();
    return cipher->release();
  });
}
void free_cipher(void* cipher) { delete static_cast<Cipher*>(cipher); }

void* duplicate(void* cipher) {
  return answer(cipher_of(cipher).context(), static_cast<Cipher*>(nullptr),
                [&]() -> Outcome<Cipher*> {
                  auto copy = cipher_of(cipher).duplicate();
                  if (!copy) return std::move(copy).error();
                  return copy->release();
                });
}

template <bool kEncrypt>
int begin(void* cipher, const unsigned char* key, std::size_t key_size, const unsigned char* iv,
          std::size_t iv_size, const OSSL_PARAM params[]) {
  return done(cipher_of(cipher).context(), [&] {
    return cipher_of(cipher).begin(kEncrypt, view(key, key_size), view(iv, iv_size), params);
  });
}

template <bool kEncrypt>
int begin_with_object(void* cipher, void* key, const unsigned char* iv, std::size_t iv_size,
                      const OSSL_PARAM params[]) {
  return done(cipher_of(cipher).context(), [&] {
    if (key == nullptr) {
      return cipher_of(cipher).begin(kEncrypt, core::ByteView(), view(iv, iv_size), params);
    }
    const SecretKey& secret = *static_cast<const SecretKey*>(key);
    if (secret.token) {
      return cipher_of(cipher).begin(kEncrypt, *secret.token, view(iv, iv_size), params);
    }
    return cipher_of(cipher).begin(kEncrypt, secret.bytes.view(), view(iv, iv_size), params);
  });
}

int update(void* cipher, unsigned char* out, std::size_t* size, std::size_t room,
           const unsigned char* data, std::size_t data_size) {
  return done(cipher_of(cipher).context(),
              [&] { return cipher_of(cipher).update(out, size, room, data, data_size); });
}
int finish(void* cipher, unsigned char* out, std::size_t* size, std::size_t room) {
  return done(cipher_of(cipher).context(),
              [&] { return cipher_of(cipher).finish(out, size, room); });
}
int whole(void* cipher, unsigned char* out, std::size_t* size, std::size_t room,
          const unsigned char* data, std::size_t data_size) {
  return done(cipher_of(cipher).context(),
              [&] { return cipher_of(cipher).whole(out, size, room, data, data_size); });
}

int get_context_params(void* cipher, OSSL_PARAM params[]) {
  return cipher_of(cipher).get_params(params);
}
int set_context_params(void* cipher, const OSSL_PARAM params[]) {
  return done(cipher_of(cipher).context(), [&] { return cipher_of(cipher).set_params(params); });
}

// What is asked without a context to ask libcrypto in: the numbers of each cipher.
template <std::size_t kIndex>
int get_params(OSSL_PARAM params[]) {
  constexpr const CipherType& kType = kTypes[kIndex];
  const bool stream = kType.mode != CipherMode::kCbc;
  unsigned int mode = EVP_CIPH_CBC_MODE;
  if (kType.mode == CipherMode::kCtr) mode = EVP_CIPH_CTR_MODE;
  if (kType.mode == CipherMode::kGcm) mode = EVP_CIPH_GCM_MODE;
  if (kType.mode == CipherMode::kCcm) mode = EVP_CIPH_CCM_MODE;
  const auto number = [params](const char* name, std::size_t value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_size_t(param, value) == 1;
  };
  const auto flag = [params](const char* name, bool value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_int(param, value ? 1 : 0) == 1;
  };
  OSSL_PARAM* asked_mode = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_MODE);
  return (asked_mode == nullptr || OSSL_PARAM_set_uint(asked_mode, mode) == 1) &&
                 flag(OSSL_CIPHER_PARAM_AEAD, kType.authenticated()) &&
                 flag(OSSL_CIPHER_PARAM_CUSTOM_IV, kType.authenticated()) &&
                 flag(OSSL_CIPHER_PARAM_CTS, false) &&
                 flag(OSSL_CIPHER_PARAM_TLS1_MULTIBLOCK, false) &&
                 flag(OSSL_CIPHER_PARAM_HAS_RAND_KEY, false) &&
                 number(OSSL_CIPHER_PARAM_KEYLEN,
                        kType.by_label ? EVP_MAX_KEY_LENGTH : kType.key_size) &&
                 number(OSSL_CIPHER_PARAM_BLOCK_SIZE, stream ? 1 : 16) &&
                 number(OSSL_CIPHER_PARAM_IVLEN, kType.authenticated() ? 12 : 16)
             ? 1
             : 0;
}

// Lists of our own, for which no cipher of the default provider is fetched: libcrypto asks for the
// second when it takes a cipher into its tables, which it does with all of them as soon as anybody
// wants one, be it for random bytes.
const OSSL_PARAM* gettable_params(void* /*provider_context*/) {
  static const OSSL_PARAM list[] = {OSSL_PARAM_uint(OSSL_CIPHER_PARAM_MODE, nullptr),
                                    OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, nullptr),
                                    OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, nullptr),
                                    OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_BLOCK_SIZE, nullptr),
                                    OSSL_PARAM_int(OSSL_CIPHER_PARAM_AEAD, nullptr),
                                    OSSL_PARAM_int(OSSL_CIPHER_PARAM_CUSTOM_IV, nullptr),
                                    OSSL_PARAM_int(OSSL_CIPHER_PARAM_CTS, nullptr),
                                    OSSL_PARAM_int(OSSL_CIPHER_PARAM_TLS1_MULTIBLOCK, nullptr),
                                    OSSL_PARAM_int(OSSL_CIPHER_PARAM_HAS_RAND_KEY, nullptr),
                                    OSSL_PARAM_END};
  return list;
}
template <std::size_t kIndex>
const OSSL_PARAM* gettable_context_params(void* /*cipher*/, void* /*provider_context*/) {
  static const OSSL_PARAM plain[] = {
      OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, nullptr),
      OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, nullptr),
      OSSL_PARAM_uint(OSSL_CIPHER_PARAM_PADDING, nullptr),
      OSSL_PARAM_uint(OSSL_CIPHER_PARAM_NUM, nullptr),
      OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_IV, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_UPDATED_IV, nullptr, 0),
      OSSL_PARAM_octet_ptr(OSSL_CIPHER_PARAM_TLS_MAC, nullptr, 0),
      OSSL_PARAM_END};
  static const OSSL_PARAM authenticated[] = {
      OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, nullptr),
      OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, nullptr),
      OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_TAGLEN, nullptr),
      OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_IV, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_UPDATED_IV, nullptr, 0),
      OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, 0),
      OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_TLS1_AAD_PAD, nullptr),
      OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_GET_IV_GEN, nullptr, 0),
      OSSL_PARAM_END};
  return kTypes[kIndex].authenticated() ? authenticated : plain;
}
template <std::size_t kIndex>
const OSSL_PARAM* settable_context_params(void* /*cipher*/, void* provider_context) {
  static const std::vector<OSSL_PARAM> list = [provider_context] {
    const core::CipherPtr own(
        EVP_CIPHER_fetch(context_of(provider_context).lib(), kTypes[kIndex].name, nullptr));
    return with_uri(own ? EVP_CIPHER_settable_ctx_params(own.get()) : nullptr);
  }();
  return list.data();
}

template <std::size_t kIndex>
OSSL_ALGORITHM row() {
  static const OSSL_DISPATCH functions[] = {
      on<OSSL_FUNC_cipher_newctx_fn>(OSSL_FUNC_CIPHER_NEWCTX, new_cipher<kIndex>),
      on<OSSL_FUNC_cipher_freectx_fn>(OSSL_FUNC_CIPHER_FREECTX, free_cipher),
      on<OSSL_FUNC_cipher_dupctx_fn>(OSSL_FUNC_CIPHER_DUPCTX, duplicate),
      on<OSSL_FUNC_cipher_encrypt_init_fn>(OSSL_FUNC_CIPHER_ENCRYPT_INIT, begin<true>),
      on<OSSL_FUNC_cipher_decrypt_init_fn>(OSSL_FUNC_CIPHER_DECRYPT_INIT, begin<false>),
      on<openssl_3_5::InitCipherByObject>(openssl_3_5::kEncryptInitByObject,
                                          begin_with_object<true>),
      on<openssl_3_5::InitCipherByObject>(openssl_3_5::kDecryptInitByObject,
                                          begin_with_object<false>),
      on<OSSL_FUNC_cipher_update_fn>(OSSL_FUNC_CIPHER_UPDATE, update),
      on<OSSL_FUNC_cipher_final_fn>(OSSL_FUNC_CIPHER_FINAL, finish),
      on<OSSL_FUNC_cipher_cipher_fn>(OSSL_FUNC_CIPHER_CIPHER, whole),
      on<OSSL_FUNC_cipher_get_params_fn>(OSSL_FUNC_CIPHER_GET_PARAMS, get_params<kIndex>),
      on<OSSL_FUNC_cipher_gettable_params_fn>(OSSL_FUNC_CIPHER_GETTABLE_PARAMS, gettable_params),
      on<OSSL_FUNC_cipher_get_ctx_params_fn>(OSSL_FUNC_CIPHER_GET_CTX_PARAMS, get_context_params),
      on<OSSL_FUNC_cipher_set_ctx_params_fn>(OSSL_FUNC_CIPHER_SET_CTX_PARAMS, set_context_params),
      on<OSSL_FUNC_cipher_gettable_ctx_params_fn>(OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS,
                                                  gettable_context_params<kIndex>),
      on<OSSL_FUNC_cipher_settable_ctx_params_fn>(OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS,
                                                  settable_context_params<kIndex>),
      end_of_table()};
  return {kTypes[kIndex].names, kCipherProperties, functions, "AES by a token"};
}

template <std::size_t... kIndexes>
const OSSL_ALGORITHM* rows(std::index_sequence<kIndexes...> /*all*/) {
  static const OSSL_ALGORITHM algorithms[] = {row<kIndexes>()...,
                                              {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace

const OSSL_ALGORITHM* cipher_algorithms() { return rows(std::make_index_sequence<kTypeCount>()); }

}  // namespace tallystick::provider
