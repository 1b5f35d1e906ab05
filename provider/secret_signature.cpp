// A MAC in the shape of a signature: EVP_DigestSign with a secret key.
#include <openssl/core_names.h>

#include "provider/dispatch.h"
#include "provider/mac.h"
#include "provider/params.h"
#include "provider/secret_key.h"

namespace tallystick::provider {
namespace {

// The operation's context is the MAC itself.
Mac& mac_of(void* signature) { return *static_cast<Mac*>(signature); }

template <const char* const& kName>
void* new_signature(void* provider_context, const char* /*properties*/) {
  Context& context = context_of(provider_context);
  return answer(context, static_cast<Mac*>(nullptr), [&]() -> Outcome<Mac*> {
    auto mac = Mac::make(context, kName);
    if (!mac) return std::move(mac).error();
    return mac->release();
  });
}
void free_signature(void* signature) { delete static_cast<Mac*>(signature); }

void* duplicate(void* signature) {
  const Mac& mac = mac_of(signature);
  return answer(mac.context(), static_cast<Mac*>(nullptr), [&]() -> Outcome<Mac*> {
    auto copy = mac.duplicate();
    if (!copy) return std::move(copy).error();
    return copy->release();
  });
}

int begin(void* signature, const char* digest, void* key, const OSSL_PARAM params[]) {
  Mac& mac = mac_of(signature);
  return done(mac.context(), [&]() -> Done {
    std::string digest_name = digest == nullptr ? "" : digest;
    const auto* secret = static_cast<const SecretKey*>(key);
    std::string cipher = secret == nullptr ? "" : secret->cipher;
    std::vector<OSSL_PARAM> own;
    if (!digest_name.empty()) {
      own.push_back(OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name.data(), 0));
    }
    if (!cipher.empty()) {
      own.push_back(OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher.data(), 0));
    }
    own.push_back(OSSL_PARAM_construct_end());
    if (secret != nullptr && secret->token) mac.use(*secret->token);
    if (auto done = mac.set_params(own.data()); !done) return done;
    if (secret == nullptr || secret->token) return mac.begin(nullptr, 0, params);
    if (!secret->has_bytes) return fail(Reason::kKey, "no key is given");
    // An empty key has an address, too.
    static const unsigned char nothing = 0;
    return mac.begin(secret->bytes.empty() ? &nothing : secret->bytes.view().data(),
                     secret->bytes.size(), params);
  });
}

int update(void* signature, const unsigned char* data, std::size_t size) {
  Mac& mac = mac_of(signature);
  return done(mac.context(), [&] { return mac.update({data, size}); });
}

int finish(void* signature, unsigned char* out, std::size_t* size, std::size_t room) {
  Mac& mac = mac_of(signature);
  return done(mac.context(), [&] { return mac.finish(out, size, room); });
}

int set_params(void* signature, const OSSL_PARAM params[]) {
  Mac& mac = mac_of(signature);
  return done(mac.context(), [&] { return mac.set_params(params); });
}

template <const char* const& kName>
const OSSL_PARAM* settable(void* /*signature*/, void* provider_context) {
  const auto mac = Mac::make(context_of(provider_context), kName);
  return mac ? (*mac)->own_settable() : nullptr;
}

template <const char* const& kName>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      on<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_signature<kName>),
      on<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
      on<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, free_signature),
      on<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, begin),
      on<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update),
      on<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, finish),
      on<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_params),
      on<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
                                                     settable<kName>),
      end_of_table()};
  return table;
}

}  // namespace

OSSL_ALGORITHM signature_of_hmac() {
  return {kHmac, kMacProperties, functions<kHmac>(), "HMAC by a token"};
}
OSSL_ALGORITHM signature_of_cmac() {
  return {kCmac, kMacProperties, functions<kCmac>(), "CMAC by a token"};
}

}  // namespace tallystick::provider
