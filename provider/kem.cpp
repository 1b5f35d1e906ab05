#include "provider/kem.h"

#include <openssl/core_dispatch.h>

#include <algorithm>

#include "provider/dispatch.h"
#include "provider/keymgmt.h"
#include "provider/operation.h"

namespace tallystick::provider {
namespace {

// Of every parameter set (FIPS 203, table 3).
constexpr std::size_t kSharedSize = 32;

class Kem {
 public:
  explicit Kem(Context& context) : context_(context) {}
  [[nodiscard]] Context& context() const { return context_; }
  [[nodiscard]] EVP_PKEY_CTX* parameters() const { return operation_.get(); }

  Done begin(const Key& key, bool decapsulates, const OSSL_PARAM params[]);
  // Null: only the sizes.
  Done encapsulate(unsigned char* ciphertext, std::size_t* size, unsigned char* secret,
                   std::size_t* secret_size);
  Done decapsulate(unsigned char* secret, std::size_t* size, core::ByteView ciphertext);

 private:
  [[nodiscard]] Outcome<core::Secret> decapsulate_in_token(core::ByteView ciphertext) const;

  Context& context_;
  KeyPtr key_;
  // Of the public key, except where a key of libcrypto's own opens.
  Operation operation_;
};

Done Kem::begin(const Key& key, bool decapsulates, const OSSL_PARAM params[]) {
  if (!key.pkey) return fail(Reason::kKey, "no key is given");
  key_ = same_key(key);
  const bool own = decapsulates && !key.in_token();
  return operation_.begin(key, own ? EVP_PKEY_decapsulate_init : EVP_PKEY_encapsulate_init, params);
}

Done Kem::encapsulate(unsigned char* ciphertext, std::size_t* size, unsigned char* secret,
                      std::size_t* secret_size) {
  if (operation_ &&
      EVP_PKEY_encapsulate(operation_.get(), ciphertext, size, secret, secret_size) > 0) {
    return {};
  }
  return fail(Reason::kOperation, "no secret is encapsulated");
}

Outcome<core::Secret> Kem::decapsulate_in_token(core::ByteView ciphertext) const {
  return use_in_token(
      *key_,
      [&](Session& session, ObjectHandle object, const core::Secret*) -> Outcome<core::Secret> {
        Mechanism mechanism(CKM_ML_KEM);
        Template secret = readable_secret(kSharedSize);
        const auto opened = session.decapsulate(mechanism, object, ciphertext, secret);
        if (!opened) return opened.error();
        return session.take_secret(*opened);
      });
}

Done Kem::decapsulate(unsigned char* secret, std::size_t* size, core::ByteView ciphertext) {
  if (!key_) return fail(Reason::kOperation, "no decapsulation has begun");
  if (!key_->in_token()) {
    if (EVP_PKEY_decapsulate(operation_.get(), secret, size, ciphertext.data(), ciphertext.size()) >
        0) {
      return {};
    }
    return fail(Reason::kOperation, name_of(*key_) + ": nothing is decapsulated");
  }
  if (secret == nullptr) {
    *size = kSharedSize;
    return {};
  }
  // As libcrypto, which takes it that there is room where nobody says how much.
  if (size != nullptr && *size < kSharedSize) {
    return fail(Reason::kOperation, "no room for the shared secret");
  }
  const auto opened = decapsulate_in_token(ciphertext);
  if (!opened) return opened.error();
  if (opened->size() != kSharedSize) {
    return from_rv(Reason::kOperation, name_of(*key_) + ": the shared secret", CKR_DEVICE_ERROR);
  }
  std::copy(opened->view().begin(), opened->view().end(), secret);
  if (size != nullptr) *size = kSharedSize;
  return {};
}

Kem& kem_of(void* kem) { return *static_cast<Kem*>(kem); }

void* new_kem(void* provider_context) {
  return new (std::nothrow) Kem(context_of(provider_context));
}
void free_kem(void* kem) { delete static_cast<Kem*>(kem); }

template <bool kDecapsulates>
int begin(void* kem, void* key, const OSSL_PARAM params[]) {
  if (key == nullptr) return 0;
  return done(kem_of(kem).context(),
              [&] { return kem_of(kem).begin(*static_cast<Key*>(key), kDecapsulates, params); });
}

int encapsulate(void* kem, unsigned char* ciphertext, std::size_t* size, unsigned char* secret,
                std::size_t* secret_size) {
  return done(kem_of(kem).context(),
              [&] { return kem_of(kem).encapsulate(ciphertext, size, secret, secret_size); });
}

int decapsulate(void* kem, unsigned char* secret, std::size_t* size,
                const unsigned char* ciphertext, std::size_t ciphertext_size) {
  return done(kem_of(kem).context(), [&] {
    return kem_of(kem).decapsulate(secret, size, {ciphertext, ciphertext_size});
  });
}

// Not copied: libcrypto's own cannot be either.
const OSSL_DISPATCH kFunctions[] = {
    on<OSSL_FUNC_kem_newctx_fn>(OSSL_FUNC_KEM_NEWCTX, new_kem),
    on<OSSL_FUNC_kem_freectx_fn>(OSSL_FUNC_KEM_FREECTX, free_kem),
    on<OSSL_FUNC_kem_encapsulate_init_fn>(OSSL_FUNC_KEM_ENCAPSULATE_INIT, begin<false>),
    on<OSSL_FUNC_kem_encapsulate_fn>(OSSL_FUNC_KEM_ENCAPSULATE, encapsulate),
    on<OSSL_FUNC_kem_decapsulate_init_fn>(OSSL_FUNC_KEM_DECAPSULATE_INIT, begin<true>),
    on<OSSL_FUNC_kem_decapsulate_fn>(OSSL_FUNC_KEM_DECAPSULATE, decapsulate),
    on<OSSL_FUNC_kem_get_ctx_params_fn>(OSSL_FUNC_KEM_GET_CTX_PARAMS, ParamsOf<Kem>::get),
    on<OSSL_FUNC_kem_gettable_ctx_params_fn>(OSSL_FUNC_KEM_GETTABLE_CTX_PARAMS,
                                             ParamsOf<Kem>::gettable),
    on<OSSL_FUNC_kem_set_ctx_params_fn>(OSSL_FUNC_KEM_SET_CTX_PARAMS, ParamsOf<Kem>::set),
    on<OSSL_FUNC_kem_settable_ctx_params_fn>(OSSL_FUNC_KEM_SETTABLE_CTX_PARAMS,
                                             ParamsOf<Kem>::settable),
    end_of_table()};

}  // namespace

const OSSL_ALGORITHM* kem_algorithms() {
  static const OSSL_ALGORITHM* const kems = [] {
    std::vector<OSSL_ALGORITHM> all;
    for_each_type([&all]<const KeyType & kType>() {
      if (kType.post_quantum != &kMlKem) return;
      all.push_back({kType.names, kProperties, kFunctions, "by a token"});
    });
    return kept(all);
  }();
  return kems;
}

}  // namespace tallystick::provider
