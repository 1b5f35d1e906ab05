#include "provider/tls_signatures.h"

#include <openssl/prov_ssl.h>

#include <array>

#include "provider/key_types.h"
#include "provider/params.h"

namespace tallystick::provider {
namespace {

// Numbers of the TLS SignatureScheme registry for ML-DSA (draft-ietf-tls-mldsa).
struct Scheme {
  const char* name;
  const KeyType* type;
  const char* oid;
  unsigned int code_point;
  unsigned int security_bits;
};
constexpr std::array kSchemes = {
    Scheme{"mldsa44", &kMlDsa44, "2.16.840.1.101.3.4.3.17", 0x0904, 128},
    Scheme{"mldsa65", &kMlDsa65, "2.16.840.1.101.3.4.3.18", 0x0905, 192},
    Scheme{"mldsa87", &kMlDsa87, "2.16.840.1.101.3.4.3.19", 0x0906, 256}};

}  // namespace

int give_tls_signatures(const Context& context, OSSL_CALLBACK* take, void* argument) {
  // OSSL_CAPABILITY_TLS_SIGALG_... of OpenSSL 3.2.
  for (Scheme scheme : kSchemes) {
    if (!libcrypto_has(context, *scheme.type)) continue;
    int first_tls = TLS1_3_VERSION;
    int last_tls = 0;
    int no_dtls = -1;
    const std::array<OSSL_PARAM, 10> params{
        text_for("tls-sigalg-iana-name", scheme.name),
        text_for("tls-sigalg-name", scheme.type->name),
        text_for("tls-sigalg-oid", scheme.oid),
        OSSL_PARAM_construct_uint("tls-sigalg-code-point", &scheme.code_point),
        OSSL_PARAM_construct_uint("tls-sigalg-sec-bits", &scheme.security_bits),
        OSSL_PARAM_construct_int("tls-min-tls", &first_tls),
        OSSL_PARAM_construct_int("tls-max-tls", &last_tls),
        OSSL_PARAM_construct_int("tls-min-dtls", &no_dtls),
        OSSL_PARAM_construct_int("tls-max-dtls", &no_dtls),
        OSSL_PARAM_construct_end()};
    if (take(params.data(), argument) == 0) return 0;
  }
  return 1;
}

}  // namespace tallystick::provider
