// The provider as OpenSSL loads it: what it is called, what it offers, and its errors.
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <cstring>
#include <new>

#include "provider/asym_cipher.h"
#include "provider/cipher.h"
#include "provider/context.h"
#include "provider/decoder.h"
#include "provider/digest.h"
#include "provider/dispatch.h"
#include "provider/encoder.h"
#include "provider/exchange.h"
#include "provider/kdf.h"
#include "provider/kem.h"
#include "provider/keymgmt.h"
#include "provider/mac.h"
#include "provider/openssl_3_5.h"
#include "provider/random.h"
#include "provider/signature.h"
#include "provider/skeymgmt.h"
#include "provider/store.h"
#include "provider/tls_groups.h"
#include "provider/tls_signatures.h"

namespace tallystick::provider {
namespace {

void teardown(void* provider_context) { delete static_cast<Context*>(provider_context); }

const OSSL_PARAM* gettable_params(void* /*provider_context*/) {
  static const OSSL_PARAM gettable[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                                        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
                                        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, nullptr, 0),
                                        OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr),
                                        OSSL_PARAM_END};
  return gettable;
}

int get_params(void* /*provider_context*/, OSSL_PARAM params[]) {
  const auto text = [params](const char* name, const char* value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_utf8_ptr(param, value) != 0;
  };
  OSSL_PARAM* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  return text(OSSL_PROV_PARAM_NAME, "Tallystick provider for PKCS#11 tokens") &&
                 text(OSSL_PROV_PARAM_VERSION, TALLYSTICK_VERSION) &&
                 text(OSSL_PROV_PARAM_BUILDINFO, TALLYSTICK_VERSION) &&
                 (status == nullptr || OSSL_PARAM_set_int(status, 1) != 0)
             ? 1
             : 0;
}

const OSSL_ALGORITHM* algorithms(const Context& context, int operation) {
  switch (operation) {
    case OSSL_OP_STORE:
      return store_algorithms();
    case OSSL_OP_KEYMGMT:
      return keymgmt_algorithms();
    case OSSL_OP_SIGNATURE:
      return signature_algorithms();
    case OSSL_OP_ASYM_CIPHER:
      return asym_cipher_algorithms();
    case OSSL_OP_KEYEXCH:
      return exchange_algorithms();
    case OSSL_OP_KEM:
      return kem_algorithms();
    case OSSL_OP_DIGEST:
      return digest_algorithms(context.settings());
    case OSSL_OP_CIPHER:
      return cipher_algorithms();
    case OSSL_OP_RAND:
      return random_algorithms();
    case openssl_3_5::kSkeymgmt:
      return skeymgmt_algorithms();
    case OSSL_OP_MAC:
      return mac_algorithms();
    case OSSL_OP_KDF:
      return kdf_algorithms();
    case OSSL_OP_ENCODER:
      return encoder_algorithms();
    case OSSL_OP_DECODER:
      return decoder_algorithms();
    default:
      return nullptr;
  }
}

const OSSL_ALGORITHM* query(void* provider_context, int operation, int* no_store) {
  *no_store = 0;
  try {
    return algorithms(context_of(provider_context), operation);
  } catch (const std::bad_alloc&) {
    // To be asked again.
    *no_store = 1;
    return nullptr;
  }
}

int capabilities(void* provider_context, const char* capability, OSSL_CALLBACK* take,
                 void* argument) {
  if (std::strcmp(capability, "TLS-GROUP") == 0) {
    return give_tls_groups(context_of(provider_context), take, argument);
  }
  if (std::strcmp(capability, "TLS-SIGALG") == 0) {
    return give_tls_signatures(context_of(provider_context), take, argument);
  }
  return 0;
}

const OSSL_ITEM* reason_strings(void* /*provider_context*/) {
  constexpr auto kLast = static_cast<std::size_t>(Reason::kMemory);
  static const auto reason_items = [] {
    std::array<OSSL_ITEM, kLast + 1> strings{};
    for (std::size_t i = 0; i < kLast; ++i) {
      const auto number = static_cast<unsigned int>(i + 1);
      // The texts are literals, and end where literals end.
      strings.at(i) = {number, const_cast<char*>(reason_text(static_cast<Reason>(number)).data())};
    }
    return strings;
  }();
  return reason_items.data();
}

const OSSL_DISPATCH kProvider[] = {
    on<OSSL_FUNC_provider_teardown_fn>(OSSL_FUNC_PROVIDER_TEARDOWN, teardown),
    on<OSSL_FUNC_provider_gettable_params_fn>(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable_params),
    on<OSSL_FUNC_provider_get_params_fn>(OSSL_FUNC_PROVIDER_GET_PARAMS, get_params),
    on<OSSL_FUNC_provider_query_operation_fn>(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
    on<OSSL_FUNC_provider_get_capabilities_fn>(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities),
    on<OSSL_FUNC_provider_get_reason_strings_fn>(OSSL_FUNC_PROVIDER_GET_REASON_STRINGS,
                                                 reason_strings),
    end_of_table()};

}  // namespace
}  // namespace tallystick::provider

extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(
    const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* in, const OSSL_DISPATCH** out,
    void** provider_context) {
  try {
    *provider_context = tallystick::provider::Context::make(handle, in);
  } catch (...) {
    *provider_context = nullptr;
  }
  if (*provider_context == nullptr) return 0;
  *out = tallystick::provider::kProvider;
  return 1;
}
