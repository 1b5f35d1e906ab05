// Keys from passwords: PBKDF2 of PKCS#5 with HMAC (CKM_PKCS5_PBKD2).
#include "core/crypto/kdf.h"
#include "pkcs11/engine/mechanisms/secrets.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

// The length stands where the older CK_PKCS5_PBKD2_PARAMS has a pointer to it, and nothing tells
// the two apart; no pointer is as small as this, so that none is taken for a length, or followed.
constexpr std::size_t kLargestPassword = 32UL << 10;
constexpr std::size_t kLargestSalt = 64UL << 10;
// Some seconds of work; a call cannot be broken off.
constexpr CK_ULONG kMostIterations = 10'000'000;

std::optional<core::Hash> hash_of(CK_PKCS5_PBKD2_PSEUDO_RANDOM_FUNCTION_TYPE prf) {
  switch (prf) {
    case CKP_PKCS5_PBKD2_HMAC_SHA1:
      return core::Hash::kSha1;
    case CKP_PKCS5_PBKD2_HMAC_SHA224:
      return core::Hash::kSha224;
    case CKP_PKCS5_PBKD2_HMAC_SHA256:
      return core::Hash::kSha256;
    case CKP_PKCS5_PBKD2_HMAC_SHA384:
      return core::Hash::kSha384;
    case CKP_PKCS5_PBKD2_HMAC_SHA512:
      return core::Hash::kSha512;
    case CKP_PKCS5_PBKD2_HMAC_SHA512_224:
      return core::Hash::kSha512_224;
    case CKP_PKCS5_PBKD2_HMAC_SHA512_256:
      return core::Hash::kSha512_256;
    default:
      return std::nullopt;
  }
}

Outcome<Produced> generate(const GenerateInput& input) {
  auto params = input.parameter.as<CK_PKCS5_PBKD2_PARAMS2>();
  if (!params) return std::move(params).error();
  const auto hash = hash_of(params->prf);
  if (!hash) return bad_parameter("a MAC that is not offered");
  if (params->ulPrfDataLen != 0) return bad_parameter("HMAC takes no data of its own");
  if (params->saltSource != CKZ_SALT_SPECIFIED) return bad_parameter("not a source of salt");
  if (params->iterations == 0) return bad_parameter("no iterations");
  if (params->iterations > kMostIterations) return bad_parameter("more than 10,000,000 iterations");
  auto salt = copy_memory(params->pSaltSourceData, params->ulSaltSourceDataLen, kLargestSalt);
  if (!salt) return std::move(salt).error();
  auto given = view_memory(params->pPassword, params->ulPasswordLen, kLargestPassword);
  if (!given) return std::move(given).error();
  const auto password = core::Secret::copy_of(*given);
  auto wanted = wanted_secret(input.wanted);
  if (!wanted) return std::move(wanted).error();
  if (!wanted->length) return incomplete_template("CKA_VALUE_LEN is missing");
  auto value = core::pbkdf2(input.context.crypto, *hash, password.view(), *salt, params->iterations,
                            *wanted->length);
  if (!value) return from_core(value.error(), CKR_FUNCTION_FAILED);
  return secret_of(wanted->type, *std::move(value));
}

}  // namespace

void register_pbkdf2(MechanismTable& table) {
  Mechanism mechanism;
  mechanism.type = CKM_PKCS5_PBKD2;
  mechanism.value_from_parameter = true;
  mechanism.generate = &generate;
  table.add(std::move(mechanism));
}

}  // namespace tallystick::token
