// HKDF (RFC 5869) with every hash: keys, data, and keys to derive from.
#include "core/crypto/kdf.h"
#include "pkcs11/engine/mechanisms/hash_numbers.h"
#include "pkcs11/engine/mechanisms/secrets.h"
#include "pkcs11/engine/mechanisms/standard.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kLargestSalt = 64UL << 10;
// What libcrypto takes.
constexpr std::size_t kLargestInfo = 1024;
constexpr CK_ULONG kLargestKey = 4096;

struct Hkdf {
  bool extract = false;
  bool expand = false;
  core::Hash hash = core::Hash::kSha256;
  core::Secret salt;  // may be a key
  core::Bytes info;
};

Outcome<bool> as_flag(CK_BBOOL value) {
  if (value > CK_TRUE) return bad_parameter("a boolean that is neither true nor false");
  return value == CK_TRUE;
}

Outcome<std::optional<CK_OBJECT_HANDLE>> salt_key(const Parameter& parameter) {
  auto params = parameter.as<CK_HKDF_PARAMS>();
  if (!params) return std::move(params).error();
  std::optional<CK_OBJECT_HANDLE> handle;
  if (params->bExtract != CK_FALSE && params->ulSaltType == CKF_HKDF_SALT_KEY) {
    handle = params->hSaltKey;
  }
  return handle;
}

Outcome<core::Secret> salt_in(const CK_HKDF_PARAMS& params, const Object* key) {
  switch (params.ulSaltType) {
    case CKF_HKDF_SALT_NULL:
      return core::Secret();
    case CKF_HKDF_SALT_DATA: {
      auto salt = view_memory(params.pSalt, params.ulSaltLen, kLargestSalt);
      if (!salt) return std::move(salt).error();
      return core::Secret::copy_of(*salt);
    }
    case CKF_HKDF_SALT_KEY:
      if (key == nullptr) return bad_parameter("no key for the salt");
      return core::Secret::copy_of(key->value());
    default:
      return bad_parameter("not one of the kinds of salt");
  }
}

// What a step does not use is not looked at.
Outcome<Hkdf> hkdf_in(const DeriveInput& input) {
  auto params = input.parameter.as<CK_HKDF_PARAMS>();
  if (!params) return std::move(params).error();
  auto extract = as_flag(params->bExtract);
  if (!extract) return std::move(extract).error();
  auto expand = as_flag(params->bExpand);
  if (!expand) return std::move(expand).error();
  if (!*extract && !*expand) return bad_parameter("neither of the two steps");
  const auto hash = any_hash_with(&DigestNumbers::digest, params->prfHashMechanism);
  if (!hash) return bad_parameter("a hash that is not offered");
  Hkdf hkdf{*extract, *expand, *hash, {}, {}};
  if (hkdf.extract) {
    auto salt = salt_in(*params, input.second_key.get());
    if (!salt) return std::move(salt).error();
    hkdf.salt = *std::move(salt);
  }
  if (hkdf.expand) {
    auto info = copy_memory(params->pInfo, params->ulInfoLen, kLargestInfo);
    if (!info) return std::move(info).error();
    hkdf.info = *std::move(info);
  }
  return hkdf;
}

// `length` as the template gives it: needed for expansion, and that of the hash without.
Outcome<std::size_t> output_length(const Hkdf& hkdf, std::optional<std::size_t> length) {
  const auto whole = core::hash_size(hkdf.hash);
  if (!hkdf.expand) {
    if (length.value_or(whole) != whole) return bad_template("extraction gives a hash's length");
    return whole;
  }
  if (!length) return incomplete_template("CKA_VALUE_LEN is missing");
  if (*length == 0 || *length > 255 * whole) {
    return fault(CKR_KEY_SIZE_RANGE, "not a length that the hash expands to");
  }
  return *length;
}

Outcome<core::Secret> run(const DeriveInput& input, const Hkdf& hkdf, std::size_t size) {
  const auto& crypto = input.context.crypto;
  const auto key = input.base_key->value();
  if (!hkdf.extract && key.size() < core::hash_size(hkdf.hash)) {
    return fault(CKR_KEY_SIZE_RANGE, "a key shorter than the hash is extracted first");
  }
  auto out = !hkdf.expand ? core::hkdf_extract(crypto, hkdf.hash, hkdf.salt.view(), key)
             : !hkdf.extract
                 ? core::hkdf_expand(crypto, hkdf.hash, key, hkdf.info, size)
                 : core::hkdf(crypto, hkdf.hash, hkdf.salt.view(), key, hkdf.info, size);
  if (!out) return from_core(out.error(), CKR_FUNCTION_FAILED);
  return *std::move(out);
}

Outcome<Produced> derive_key(const DeriveInput& input) {
  auto hkdf = hkdf_in(input);
  if (!hkdf) return std::move(hkdf).error();
  auto wanted = wanted_secret(input.wanted);
  if (!wanted) return std::move(wanted).error();
  auto length = output_length(*hkdf, wanted->length);
  if (!length) return std::move(length).error();
  auto value = run(input, *hkdf, *length);
  if (!value) return std::move(value).error();
  return secret_of(wanted->type, *std::move(value));
}

// Data are not searched for, so that they may be short: the IV of a TLS connection has 12 bytes.
Outcome<Produced> derive_data(const DeriveInput& input) {
  auto hkdf = hkdf_in(input);
  if (!hkdf) return std::move(hkdf).error();
  auto wanted = input.wanted.number(CKA_VALUE_LEN);
  if (!wanted) return std::move(wanted).error();
  auto length = output_length(*hkdf, *wanted);
  if (!length) return std::move(length).error();
  auto value = run(input, *hkdf, *length);
  if (!value) return std::move(value).error();
  Produced produced;
  produced.object.attributes.set_number(CKA_CLASS, CKO_DATA).set(CKA_VALUE, value->view());
  // What came of a private key is private unless the template says otherwise.
  if (!input.wanted.has(CKA_PRIVATE)) {
    produced.object.attributes.set_flag(CKA_PRIVATE, input.base_key->is_private());
  }
  return produced;
}

Outcome<Produced> generate(const GenerateInput& input) {
  return make_secret(input, CKK_HKDF, kShortestSecret);
}

}  // namespace

void register_hkdf(MechanismTable& table) {
  Mechanism derive;
  derive.type = CKM_HKDF_DERIVE;
  derive.min_key_size = 1;
  derive.max_key_size = kLargestKey;
  derive.key_types = {CKK_HKDF, CKK_GENERIC_SECRET};
  derive.second_key = &salt_key;
  derive.derive = &derive_key;
  table.add(derive);

  auto data = derive;
  data.type = CKM_HKDF_DATA;
  data.derive = &derive_data;
  table.add(std::move(data));

  Mechanism key_gen;
  key_gen.type = CKM_HKDF_KEY_GEN;
  key_gen.min_key_size = kShortestSecret;
  key_gen.max_key_size = kLargestKey;
  key_gen.key_types = {CKK_HKDF};
  key_gen.generate = &generate;
  table.add(std::move(key_gen));
}

}  // namespace tallystick::token
