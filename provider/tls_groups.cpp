#include "provider/tls_groups.h"

#include <openssl/core_names.h>
#include <openssl/prov_ssl.h>

#include <array>

#include "provider/key_types.h"
#include "provider/params.h"

namespace tallystick::provider {
namespace {

struct Group {
  // Of TLS, and of the key.
  const char* name;
  const char* inner_name;
  const KeyType* type;
  unsigned int id;
  unsigned int security_bits;
  // Older ones than TLS 1.3 only: the newest version of TLS and DTLS, 0 for all, -1 for none.
  int last_tls;
  int last_dtls;
};

constexpr std::array kGroups = {
    Group{"secp256r1", "prime256v1", &kEc, 23, 128, 0, 0},
    Group{"P-256", "prime256v1", &kEc, 23, 128, 0, 0},
    Group{"secp384r1", "secp384r1", &kEc, 24, 192, 0, 0},
    Group{"P-384", "secp384r1", &kEc, 24, 192, 0, 0},
    Group{"secp521r1", "secp521r1", &kEc, 25, 256, 0, 0},
    Group{"P-521", "secp521r1", &kEc, 25, 256, 0, 0},
    Group{"brainpoolP256r1", "brainpoolP256r1", &kEc, 26, 128, TLS1_2_VERSION, DTLS1_2_VERSION},
    Group{"brainpoolP384r1", "brainpoolP384r1", &kEc, 27, 192, TLS1_2_VERSION, DTLS1_2_VERSION},
    Group{"brainpoolP512r1", "brainpoolP512r1", &kEc, 28, 256, TLS1_2_VERSION, DTLS1_2_VERSION},
    Group{"x25519", "X25519", &kX25519, 29, 128, 0, 0},
    Group{"X25519", "X25519", &kX25519, 29, 128, 0, 0},
    Group{"x448", "X448", &kX448, 30, 224, 0, 0},
    Group{"X448", "X448", &kX448, 30, 224, 0, 0},
    Group{"MLKEM512", "", &kMlKem512, 0x200, 128, 0, -1},
    Group{"MLKEM768", "", &kMlKem768, 0x201, 192, 0, -1},
    Group{"MLKEM1024", "", &kMlKem1024, 0x202, 256, 0, -1},
};

}  // namespace

int give_tls_groups(const Context& context, OSSL_CALLBACK* take, void* argument) {
  for (Group group : kGroups) {
    // Its secret is sent, not agreed on: in TLS 1.3 only, and never in DTLS.
    unsigned int is_kem = group.type->post_quantum == nullptr ? 0 : 1;
    if (is_kem != 0 && !libcrypto_has(context, *group.type)) continue;
    int first_tls = is_kem == 0 ? TLS1_VERSION : TLS1_3_VERSION;
    int first_dtls = is_kem == 0 ? DTLS1_VERSION : -1;
    const std::array<OSSL_PARAM, 11> params{
        text_for(OSSL_CAPABILITY_TLS_GROUP_NAME, group.name),
        text_for(OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL, group.inner_name),
        text_for(OSSL_CAPABILITY_TLS_GROUP_ALG, group.type->name),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_ID, &group.id),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS, &group.security_bits),
        OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_IS_KEM, &is_kem),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MIN_TLS, &first_tls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MAX_TLS, &group.last_tls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, &first_dtls),
        OSSL_PARAM_construct_int(OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, &group.last_dtls),
        OSSL_PARAM_construct_end()};
    if (take(params.data(), argument) == 0) return 0;
  }
  return 1;
}

}  // namespace tallystick::provider
