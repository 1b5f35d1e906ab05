#include "provider/premaster.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace tallystick::provider {
namespace {

// All bits where a number is zero, none where it is not; without a branch.
std::uint32_t mask_if_zero(std::uint32_t number) { return ((number | (0U - number)) >> 31U) - 1U; }

// What modules answer to a cipher text whose padding does not hold. SoftHSM2 has no word of its own
// for it.
bool is_of_the_padding(CK_RV rv) {
  return rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE ||
         rv == CKR_DATA_INVALID || rv == CKR_DATA_LEN_RANGE || rv == CKR_GENERAL_ERROR ||
         rv == CKR_FUNCTION_FAILED;
}

}  // namespace

TlsVersions tls_versions_of(EVP_PKEY_CTX* operation) {
  TlsVersions versions;
  std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &versions.client),
      OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION,
                                &versions.negotiated),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(operation, params.data()) <= 0) return {};
  return versions;
}

Outcome<core::Secret> premaster_of(OSSL_LIB_CTX* lib, const Outcome<core::Secret>& opened,
                                   const TlsVersions& versions) {
  if (!opened && !is_of_the_padding(opened.error().rv)) return opened.error();
  core::Secret out(kPremasterBytes);
  if (RAND_priv_bytes_ex(lib, out.span().data(), kPremasterBytes, 0) != 1) {
    return fail(Reason::kOperation, "no random numbers");
  }
  core::Secret offered(kPremasterBytes);
  std::uint32_t size = 0;
  if (opened) {
    size = static_cast<std::uint32_t>(opened->size());
    std::copy_n(opened->view().begin(), std::min(opened->size(), kPremasterBytes),
                offered.span().begin());
  }
  const auto bytes = offered.view();
  const std::uint32_t version = static_cast<std::uint32_t>(bytes[0]) << 8U | bytes[1];
  const std::uint32_t of_negotiated =
      versions.negotiated == 0 ? 0 : mask_if_zero(version ^ versions.negotiated);
  const std::uint32_t good = mask_if_zero(size ^ kPremasterBytes) &
                             (mask_if_zero(version ^ versions.client) | of_negotiated);
  const auto take = static_cast<std::uint8_t>(good & 0xFFU);
  auto chosen = out.span();
  for (std::size_t i = 0; i < kPremasterBytes; ++i) {
    chosen[i] = static_cast<std::uint8_t>((bytes[i] & take) | (chosen[i] & ~take & 0xFF));
  }
  return out;
}

}  // namespace tallystick::provider
