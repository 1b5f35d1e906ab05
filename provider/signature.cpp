#include "provider/signature.h"

#include <openssl/core_dispatch.h>

#include <algorithm>

#include "provider/dispatch.h"
#include "provider/keymgmt.h"
#include "provider/secret_key.h"
#include "provider/signing.h"

namespace tallystick::provider {
namespace {

Signing& signing_of(void* signing) { return *static_cast<Signing*>(signing); }
const Key* key_of(void* key) { return static_cast<const Key*>(key); }

core::ByteView bytes(const unsigned char* data, std::size_t size) {
  return data == nullptr ? core::ByteView() : core::ByteView(data, size);
}

// Asked with no buffer the size is told, else make() -> Outcome<Bytes> is written into it.
template <typename Make>
int write_signature(Signing& signing, unsigned char* out, std::size_t* size, std::size_t room,
                    Make make) {
  if (out == nullptr) {
    *size = signing.longest();
    return 1;
  }
  return done(signing.context(), [&]() -> Done {
    const auto signature = make();
    if (!signature) return signature.error();
    if (signature->size() > room) return fail(Reason::kOperation, "no room for the signature");
    std::copy(signature->begin(), signature->end(), out);
    *size = signature->size();
    return {};
  });
}

void* new_signing(void* provider_context, const char* /*properties*/) {
  return new (std::nothrow) Signing(context_of(provider_context));
}
void free_signing(void* signing) { delete static_cast<Signing*>(signing); }

void* duplicate(void* signing) {
  return answer(signing_of(signing).context(), static_cast<Signing*>(nullptr),
                [&]() -> Outcome<Signing*> {
                  auto copy = signing_of(signing).duplicate();
                  if (!copy) return std::move(copy).error();
                  return copy->release();
                });
}

template <auto kBegin>
int begin(void* signing, void* key, const OSSL_PARAM params[]) {
  return done(signing_of(signing).context(),
              [&] { return (signing_of(signing).*kBegin)(key_of(key), params); });
}

template <auto kBegin>
int begin_digest(void* signing, const char* digest, void* key, const OSSL_PARAM params[]) {
  return done(signing_of(signing).context(),
              [&] { return (signing_of(signing).*kBegin)(key_of(key), digest, params); });
}

int sign(void* signing, unsigned char* out, std::size_t* size, std::size_t room,
         const unsigned char* data, std::size_t data_size) {
  return write_signature(signing_of(signing), out, size, room,
                         [&] { return signing_of(signing).sign(bytes(data, data_size)); });
}

int verify(void* signing, const unsigned char* signature, std::size_t size,
           const unsigned char* data, std::size_t data_size) {
  return signing_of(signing).verify(bytes(signature, size), bytes(data, data_size));
}

int recover(void* signing, unsigned char* out, std::size_t* size, std::size_t room,
            const unsigned char* signature, std::size_t signature_size) {
  if (out != nullptr) *size = room;
  return signing_of(signing).recover(out, size, bytes(signature, signature_size));
}

int update(void* signing, const unsigned char* data, std::size_t size) {
  return done(signing_of(signing).context(),
              [&] { return signing_of(signing).update(bytes(data, size)); });
}

int finish_sign(void* signing, unsigned char* out, std::size_t* size, std::size_t room) {
  return write_signature(signing_of(signing), out, size, room,
                         [&] { return signing_of(signing).finish_sign(); });
}

int finish_verify(void* signing, const unsigned char* signature, std::size_t size) {
  return signing_of(signing).finish_verify(bytes(signature, size));
}

int sign_message(void* signing, unsigned char* out, std::size_t* size, std::size_t room,
                 const unsigned char* data, std::size_t data_size) {
  return write_signature(signing_of(signing), out, size, room,
                         [&] { return signing_of(signing).sign_message(bytes(data, data_size)); });
}

int verify_message(void* signing, const unsigned char* signature, std::size_t size,
                   const unsigned char* data, std::size_t data_size) {
  return signing_of(signing).verify_message(bytes(signature, size), bytes(data, data_size));
}

const OSSL_DISPATCH kFunctions[] = {
    on<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_signing),
    on<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, free_signing),
    on<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
    on<OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT,
                                         begin<&Signing::begin_sign>),
    on<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, sign),
    on<OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT,
                                           begin<&Signing::begin_verify>),
    on<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, verify),
    on<OSSL_FUNC_signature_verify_recover_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT,
                                                   begin<&Signing::begin_recover>),
    on<OSSL_FUNC_signature_verify_recover_fn>(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, recover),
    on<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
                                                begin_digest<&Signing::begin_digest_sign>),
    on<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update),
    on<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL,
                                                 finish_sign),
    on<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_message),
    on<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                                  begin_digest<&Signing::begin_digest_verify>),
    on<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE,
                                                    update),
    on<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL,
                                                   finish_verify),
    on<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, verify_message),
    on<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS,
                                              ParamsOf<Signing>::get),
    on<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
                                                   ParamsOf<Signing>::gettable),
    on<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS,
                                              ParamsOf<Signing>::set),
    on<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
                                                   ParamsOf<Signing>::settable),
    end_of_table()};

// EdDSA, ML-DSA and SLH-DSA sign whole messages only; what it does not do stays off its table, so
// that the core says so.
const OSSL_DISPATCH kMessageFunctions[] = {
    on<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_signing),
    on<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, free_signing),
    on<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
    on<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT,
                                                begin_digest<&Signing::begin_digest_sign>),
    on<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign_message),
    on<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                                  begin_digest<&Signing::begin_digest_verify>),
    on<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, verify_message),
    on<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS,
                                              ParamsOf<Signing>::get),
    on<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS,
                                                   ParamsOf<Signing>::gettable),
    end_of_table()};

}  // namespace

const OSSL_ALGORITHM* signature_algorithms() {
  static const OSSL_ALGORITHM* const signatures = [] {
    std::vector<OSSL_ALGORITHM> all{{kRsa.names, kProperties, kFunctions, "RSA by a token"},
                                    {kEc.signature, kProperties, kFunctions, "ECDSA by a token"},
                                    signature_of_hmac(),
                                    signature_of_cmac()};
    for_each_type([&all]<const KeyType & kType>() {
      const bool of_digests = &kType == &kRsa || &kType == &kRsaPss || &kType == &kEc;
      if (of_digests || kType.signature == nullptr) return;
      all.push_back({kType.names, kProperties, kMessageFunctions, "by a token"});
    });
    return kept(all);
  }();
  return signatures;
}

}  // namespace tallystick::provider
