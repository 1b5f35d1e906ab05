// MACs as the core calls them.
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

#include "provider/dispatch.h"
#include "provider/mac.h"
#include "provider/openssl_3_5.h"
#include "provider/params.h"
#include "provider/secret_key.h"

namespace tallystick::provider {
namespace {

Mac& mac_of(void* mac) { return *static_cast<Mac*>(mac); }

template <const char* const& kName>
void* new_mac(void* provider_context) {
  Context& context = context_of(provider_context);
  return answer(context, static_cast<Mac*>(nullptr), [&]() -> Outcome<Mac*> {
    auto mac = Mac::make(context, kName);
    if (!mac) return std::move(mac).error();
    return mac->release();
  });
}
void free_mac(void* mac) { delete static_cast<Mac*>(mac); }

void* duplicate(void* mac) {
  return answer(mac_of(mac).context(), static_cast<Mac*>(nullptr), [&]() -> Outcome<Mac*> {
    auto copy = mac_of(mac).duplicate();
    if (!copy) return std::move(copy).error();
    return copy->release();
  });
}

int begin(void* mac, const unsigned char* key, std::size_t size, const OSSL_PARAM params[]) {
  return done(mac_of(mac).context(), [&] { return mac_of(mac).begin(key, size, params); });
}

// A key as an EVP_SKEY of this provider, from OpenSSL 3.5 on.
int begin_with_object(void* mac, void* key, const OSSL_PARAM params[]) {
  return done(mac_of(mac).context(), [&]() -> Done {
    const SecretKey& secret = *static_cast<const SecretKey*>(key);
    if (!secret.token) {
      return mac_of(mac).begin(secret.bytes.view().data(), secret.bytes.size(), params);
    }
    mac_of(mac).use(*secret.token);
    return mac_of(mac).begin(nullptr, 0, params);
  });
}

int update(void* mac, const unsigned char* data, std::size_t size) {
  return done(mac_of(mac).context(), [&] { return mac_of(mac).update({data, size}); });
}

int finish(void* mac, unsigned char* out, std::size_t* size, std::size_t room) {
  return done(mac_of(mac).context(), [&] { return mac_of(mac).finish(out, size, room); });
}

int get_params(void* mac, OSSL_PARAM params[]) { return mac_of(mac).get_params(params); }
int set_params(void* mac, const OSSL_PARAM params[]) {
  return done(mac_of(mac).context(), [&] { return mac_of(mac).set_params(params); });
}

template <const char* const& kName>
const OSSL_PARAM* settable(void* /*mac*/, void* provider_context) {
  // libcrypto's own list is a table of its default provider's, which outlives everything of ours.
  static const std::vector<OSSL_PARAM> list = [provider_context] {
    const auto mac = Mac::make(context_of(provider_context), kName);
    auto all = with_uri(mac ? (*mac)->own_settable() : nullptr);
    all.insert(all.begin(), OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, nullptr));
    return all;
  }();
  return list.data();
}

template <const char* const& kName>
const OSSL_PARAM* gettable(void* /*mac*/, void* provider_context) {
  const auto mac = Mac::make(context_of(provider_context), kName);
  return mac ? (*mac)->own_gettable() : nullptr;
}

template <const char* const& kName>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      on<OSSL_FUNC_mac_newctx_fn>(OSSL_FUNC_MAC_NEWCTX, new_mac<kName>),
      on<OSSL_FUNC_mac_dupctx_fn>(OSSL_FUNC_MAC_DUPCTX, duplicate),
      on<OSSL_FUNC_mac_freectx_fn>(OSSL_FUNC_MAC_FREECTX, free_mac),
      on<OSSL_FUNC_mac_init_fn>(OSSL_FUNC_MAC_INIT, begin),
      on<OSSL_FUNC_mac_update_fn>(OSSL_FUNC_MAC_UPDATE, update),
      on<OSSL_FUNC_mac_final_fn>(OSSL_FUNC_MAC_FINAL, finish),
      on<OSSL_FUNC_mac_get_ctx_params_fn>(OSSL_FUNC_MAC_GET_CTX_PARAMS, get_params),
      on<OSSL_FUNC_mac_set_ctx_params_fn>(OSSL_FUNC_MAC_SET_CTX_PARAMS, set_params),
      on<OSSL_FUNC_mac_gettable_ctx_params_fn>(OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, gettable<kName>),
      on<OSSL_FUNC_mac_settable_ctx_params_fn>(OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, settable<kName>),
      on<openssl_3_5::InitMacByObject>(openssl_3_5::kInitMacByObject, begin_with_object),
      end_of_table()};
  return table;
}

}  // namespace

const OSSL_ALGORITHM* mac_algorithms() {
  static const OSSL_ALGORITHM algorithms[] = {
      {kHmac, kMacProperties, functions<kHmac>(), "HMAC by a token"},
      {kCmac, kMacProperties, functions<kCmac>(), "CMAC by a token"},
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace tallystick::provider
