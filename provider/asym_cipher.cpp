#include "provider/asym_cipher.h"

#include <openssl/core_dispatch.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "provider/digest_numbers.h"
#include "provider/dispatch.h"
#include "provider/operation.h"
#include "provider/premaster.h"
#include "provider/seal.h"

namespace tallystick::provider {
namespace {

class Cipher {
 public:
  explicit Cipher(Context& context) : context_(context) {}
  [[nodiscard]] Context& context() const { return context_; }
  [[nodiscard]] EVP_PKEY_CTX* parameters() const { return operation_.get(); }

  Done begin(const Key& key, bool to_decrypt, const OSSL_PARAM params[]);
  int encrypt(unsigned char* out, std::size_t* size, std::size_t room, core::ByteView data);
  // Null: only the size.
  Done decrypt(unsigned char* out, std::size_t* size, std::size_t room, core::ByteView data);
  [[nodiscard]] Outcome<std::unique_ptr<Cipher>> duplicate() const;

 private:
  [[nodiscard]] Failure failed(const char* what) const {
    return fail(Reason::kOperation, name_of(*key_) + ": " + what);
  }
  // RSA_PKCS1_PADDING and so on; 0 where the operation tells none.
  [[nodiscard]] int padding() const {
    return number_of(operation_.get(), OSSL_ASYM_CIPHER_PARAM_PAD_MODE).value_or(0);
  }
  Outcome<core::Secret> decrypt_in_token(core::ByteView data) const;
  Outcome<core::Secret> decrypt_by(Mechanism mechanism, core::ByteView data) const;
  Outcome<core::Secret> decrypt_oaep(core::ByteView data) const;

  Context& context_;
  KeyPtr key_;
  // Parameters are its; with a key of libcrypto's own, everything.
  Operation operation_;
};

Done Cipher::begin(const Key& key, bool to_decrypt, const OSSL_PARAM params[]) {
  if (!key.pkey) return fail(Reason::kKey, "no key is given");
  key_ = same_key(key);
  const bool own = to_decrypt && !key.in_token();
  return operation_.begin(key, own ? EVP_PKEY_decrypt_init_ex : EVP_PKEY_encrypt_init_ex, params);
}

int Cipher::encrypt(unsigned char* out, std::size_t* size, std::size_t room, core::ByteView data) {
  if (!operation_) return 0;
  *size = room;
  return EVP_PKEY_encrypt(operation_.get(), out, size, data.data(), data.size());
}

Outcome<core::Secret> Cipher::decrypt_by(Mechanism mechanism, core::ByteView data) const {
  return use_in_token(*key_, [&](Session& session, ObjectHandle object, const core::Secret* pin) {
    return session.decrypt(mechanism, object, data, pin);
  });
}

// What is not said is SHA-1, and for the mask the same digest: the defaults of PKCS#1.
Outcome<core::Secret> Cipher::decrypt_oaep(core::ByteView data) const {
  int digest = operation_.digest(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, context_.lib());
  if (digest == NID_undef) digest = NID_sha1;
  int mask = operation_.digest(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, context_.lib());
  if (mask == NID_undef) mask = digest;
  const DigestNumbers* digest_number = digest_numbers(digest);
  const DigestNumbers* mask_number = digest_numbers(mask);
  if (digest_number == nullptr || mask_number == nullptr) {
    return failed("PKCS#11 has no number for this digest in OAEP");
  }
  unsigned char* label = nullptr;
  const int label_size = EVP_PKEY_CTX_get0_rsa_oaep_label(operation_.get(), &label);
  CK_RSA_PKCS_OAEP_PARAMS params{};
  params.hashAlg = digest_number->mechanism;
  params.mgf = mask_number->mgf1;
  params.source = CKZ_DATA_SPECIFIED;
  if (label_size > 0) {
    params.pSourceData = label;
    params.ulSourceDataLen = static_cast<CK_ULONG>(label_size);
  }
  return decrypt_by(
      Mechanism(CKM_RSA_PKCS_OAEP, {reinterpret_cast<const std::uint8_t*>(&params), sizeof params}),
      data);
}

Outcome<core::Secret> Cipher::decrypt_in_token(core::ByteView data) const {
  switch (padding()) {
    case RSA_PKCS1_PADDING:
      return decrypt_by(Mechanism(CKM_RSA_PKCS), data);
    case RSA_PKCS1_OAEP_PADDING:
      return decrypt_oaep(data);
    case RSA_NO_PADDING:
      return decrypt_by(Mechanism(CKM_RSA_X_509), data);
    case RSA_PKCS1_WITH_TLS_PADDING:
      return premaster_of(context_.lib(), decrypt_by(Mechanism(CKM_RSA_PKCS), data),
                          tls_versions_of(operation_.get()));
    default:
      return failed("no mechanism of PKCS#11 has this padding");
  }
}

Done Cipher::decrypt(unsigned char* out, std::size_t* size, std::size_t room, core::ByteView data) {
  if (!operation_) return fail(Reason::kOperation, "no decryption has begun");
  if (!key_->in_token()) {
    *size = room;
    if (EVP_PKEY_decrypt(operation_.get(), out, size, data.data(), data.size()) > 0) return {};
    return failed("not decrypted");
  }
  if (out == nullptr) {
    *size = padding() == RSA_PKCS1_WITH_TLS_PADDING
                ? kPremasterBytes
                : static_cast<std::size_t>(EVP_PKEY_get_size(key_->pkey.get()));
    return {};
  }
  const auto plain = decrypt_in_token(data);
  if (!plain) return plain.error();
  if (plain->size() > room) return failed("no room for the plain text");
  std::copy(plain->view().begin(), plain->view().end(), out);
  *size = plain->size();
  return {};
}

Outcome<std::unique_ptr<Cipher>> Cipher::duplicate() const {
  auto copy = std::make_unique<Cipher>(context_);
  if (key_) copy->key_ = same_key(*key_);
  auto operation = operation_.duplicate();
  if (!operation) return std::move(operation).error();
  copy->operation_ = *std::move(operation);
  return copy;
}

Cipher& cipher_of(void* cipher) { return *static_cast<Cipher*>(cipher); }

void* new_cipher(void* provider_context) {
  return new (std::nothrow) Cipher(context_of(provider_context));
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

template <bool kDecrypt>
int begin(void* cipher, void* key, const OSSL_PARAM params[]) {
  if (key == nullptr) return 0;
  return done(cipher_of(cipher).context(),
              [&] { return cipher_of(cipher).begin(*static_cast<Key*>(key), kDecrypt, params); });
}

int encrypt(void* cipher, unsigned char* out, std::size_t* size, std::size_t room,
            const unsigned char* data, std::size_t data_size) {
  return cipher_of(cipher).encrypt(out, size, room, {data, data_size});
}

int decrypt(void* cipher, unsigned char* out, std::size_t* size, std::size_t room,
            const unsigned char* data, std::size_t data_size) {
  return done(cipher_of(cipher).context(), [&] {
    return cipher_of(cipher).decrypt(out, size, room, {data, data_size});
  });
}

const OSSL_DISPATCH kFunctions[] = {
    on<OSSL_FUNC_asym_cipher_newctx_fn>(OSSL_FUNC_ASYM_CIPHER_NEWCTX, new_cipher),
    on<OSSL_FUNC_asym_cipher_freectx_fn>(OSSL_FUNC_ASYM_CIPHER_FREECTX, free_cipher),
    on<OSSL_FUNC_asym_cipher_dupctx_fn>(OSSL_FUNC_ASYM_CIPHER_DUPCTX, duplicate),
    on<OSSL_FUNC_asym_cipher_encrypt_init_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, begin<false>),
    on<OSSL_FUNC_asym_cipher_encrypt_fn>(OSSL_FUNC_ASYM_CIPHER_ENCRYPT, encrypt),
    on<OSSL_FUNC_asym_cipher_decrypt_init_fn>(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, begin<true>),
    on<OSSL_FUNC_asym_cipher_decrypt_fn>(OSSL_FUNC_ASYM_CIPHER_DECRYPT, decrypt),
    on<OSSL_FUNC_asym_cipher_get_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS,
                                                ParamsOf<Cipher>::get),
    on<OSSL_FUNC_asym_cipher_gettable_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS,
                                                     ParamsOf<Cipher>::gettable),
    on<OSSL_FUNC_asym_cipher_set_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS,
                                                ParamsOf<Cipher>::set),
    on<OSSL_FUNC_asym_cipher_settable_ctx_params_fn>(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS,
                                                     ParamsOf<Cipher>::settable),
    end_of_table()};

}  // namespace

const OSSL_ALGORITHM* asym_cipher_algorithms() {
  static const OSSL_ALGORITHM algorithms[] = {
      {"RSA:rsaEncryption:1.2.840.113549.1.1.1", kProperties, kFunctions, "RSA by a token"},
      cipher_of_asset_key(),
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace tallystick::provider
