// Key derivations by a token, whose result is read and destroyed.
#include <openssl/core_names.h>

#include <algorithm>
#include <array>

#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/digest_numbers.h"
#include "provider/kdf.h"
#include "provider/mac_numbers.h"

namespace tallystick::provider {
namespace {

Failure refused(const TokenSecret& key, const std::string& why) {
  return fail(Reason::kOperation, key.name() + ": " + why);
}

template <typename Params>
Mechanism mechanism_with(CK_MECHANISM_TYPE type, const Params& params) {
  return {type, {reinterpret_cast<const std::uint8_t*>(&params), sizeof params}};
}
CK_BYTE* bytes_at(const core::Bytes& bytes) { return const_cast<CK_BYTE*>(bytes.data()); }

Done take_value(Session& session, ObjectHandle derived, core::MutableByteView out) {
  auto value = session.take_secret(derived, out.size());
  if (!value) return std::move(value).error();
  if (value->size() != out.size()) {
    return from_rv(Reason::kOperation, session.name() + ": what was derived", CKR_DEVICE_ERROR);
  }
  std::copy(value->view().begin(), value->view().end(), out.begin());
  return {};
}

Done derive(const TokenSecret& key, Mechanism& mechanism, Template& made,
            core::MutableByteView out) {
  return key.object->use([&](Session& session, ObjectHandle base) -> Done {
    const auto derived = session.derive(mechanism, base, made);
    if (!derived) return derived.error();
    return take_value(session, *derived, out);
  });
}

bool not_offered(CK_RV rv) {
  return rv == CKR_MECHANISM_INVALID || rv == CKR_KEY_FUNCTION_NOT_PERMITTED;
}

// As data, which may have any length; where a module has keys only, as a key.
Done derive_hkdf(const TokenSecret& key, const CK_HKDF_PARAMS& params, core::MutableByteView out) {
  // Extraction alone gives what the hash gives; the length is not asked for then.
  const bool sized = params.bExpand == CK_TRUE;
  Template data;
  data.number(CKA_CLASS, CKO_DATA).flag(CKA_TOKEN, false);
  if (sized) data.number(CKA_VALUE_LEN, out.size());
  Mechanism as_data = mechanism_with(CKM_HKDF_DATA, params);
  auto done = derive(key, as_data, data, out);
  if (done || !not_offered(done.error().rv)) return done;
  Template secret = readable_secret(out.size());
  Mechanism as_key = mechanism_with(CKM_HKDF_DERIVE, params);
  return derive(key, as_key, secret, out);
}

Outcome<CK_HKDF_PARAMS> hkdf_params(const TokenSecret& key, const KdfInputs& inputs, bool extract,
                                    bool expand, const core::Bytes& salt, const core::Bytes& info) {
  const DigestNumbers* digest = digest_numbers(inputs.digest);
  if (digest == nullptr) {
    return refused(key, inputs.digest == 0 ? "no digest is given"
                                           : "PKCS#11 has no number for this digest in HKDF");
  }
  CK_HKDF_PARAMS params{};
  params.bExtract = extract ? CK_TRUE : CK_FALSE;
  params.bExpand = expand ? CK_TRUE : CK_FALSE;
  params.prfHashMechanism = digest->mechanism;
  params.ulSaltType = extract && !salt.empty() ? CKF_HKDF_SALT_DATA : CKF_HKDF_SALT_NULL;
  if (params.ulSaltType == CKF_HKDF_SALT_DATA) {
    params.pSalt = bytes_at(salt);
    params.ulSaltLen = static_cast<CK_ULONG>(salt.size());
  }
  if (expand && !info.empty()) {
    params.pInfo = bytes_at(info);
    params.ulInfoLen = static_cast<CK_ULONG>(info.size());
  }
  return params;
}

Outcome<std::size_t> digest_size(Context& context, const TokenSecret& key, int digest) {
  const core::MdPtr md(digest == 0 ? nullptr
                                   : EVP_MD_fetch(context.lib(), OBJ_nid2sn(digest), nullptr));
  if (!md) return refused(key, "no digest is given");
  return static_cast<std::size_t>(EVP_MD_get_size(md.get()));
}

void append_short(core::Bytes& to, const core::Bytes& first, const core::Bytes& second = {}) {
  to.push_back(static_cast<std::uint8_t>(first.size() + second.size()));
  to.insert(to.end(), first.begin(), first.end());
  to.insert(to.end(), second.begin(), second.end());
}

// RFC 8446, section 7.1: the salt of an extraction is "derived" from the secret before it.
Outcome<core::Bytes> salt_of_tls13(Context& context, const TokenSecret& key,
                                   const KdfInputs& inputs, std::size_t size) {
  if (inputs.salt.empty()) return core::Bytes();
  const core::MdPtr md(EVP_MD_fetch(context.lib(), OBJ_nid2sn(inputs.digest), nullptr));
  core::Bytes nothing(size);
  unsigned int hashed = 0;
  const core::KdfPtr kdf(EVP_KDF_fetch(context.lib(), "TLS13-KDF", nullptr));
  const core::KdfCtxPtr own(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  if (!md || !own || EVP_Digest(nullptr, 0, nothing.data(), &hashed, md.get(), nullptr) <= 0) {
    return refused(key, "the salt is not derived");
  }
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  const auto octets = [](const char* name, const core::Bytes& bytes) {
    return OSSL_PARAM_construct_octet_string(name, bytes_at(bytes), bytes.size());
  };
  const std::array<OSSL_PARAM, 7> params{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                       const_cast<char*>(OBJ_nid2sn(inputs.digest)), 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      octets(OSSL_KDF_PARAM_KEY, inputs.salt),
      octets(OSSL_KDF_PARAM_PREFIX, inputs.prefix),
      octets(OSSL_KDF_PARAM_LABEL, inputs.label),
      octets(OSSL_KDF_PARAM_DATA, nothing),
      OSSL_PARAM_construct_end()};
  core::Bytes salt(size);
  if (EVP_KDF_derive(own.get(), salt.data(), salt.size(), params.data()) <= 0) {
    return refused(key, "the salt is not derived");
  }
  return salt;
}

CK_PRF_DATA_PARAM field(CK_PRF_DATA_TYPE type, const void* value, std::size_t size) {
  return {type, const_cast<void*>(value), static_cast<CK_ULONG>(size)};
}

}  // namespace

Done hkdf_in_token(Context& context, const TokenSecret& key, const KdfInputs& inputs,
                   core::MutableByteView out) {
  const bool extract = inputs.mode != EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  const bool expand = inputs.mode != EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
  if (!expand) {
    const auto size = digest_size(context, key, inputs.digest);
    if (!size) return size.error();
    if (out.size() != *size) {
      return refused(key, "extraction gives " + std::to_string(*size) + " bytes, and " +
                              std::to_string(out.size()) + " are wanted");
    }
  }
  const auto params = hkdf_params(key, inputs, extract, expand, inputs.salt, inputs.info);
  if (!params) return params.error();
  return derive_hkdf(key, *params, out);
}

Done tls13_kdf_in_token(Context& context, const TokenSecret& key, const KdfInputs& inputs,
                        core::MutableByteView out) {
  const auto size = digest_size(context, key, inputs.digest);
  if (!size) return size.error();
  if (inputs.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY) {
    const auto salt = salt_of_tls13(context, key, inputs, *size);
    if (!salt) return salt.error();
    if (out.size() != *size) return refused(key, "extraction gives as much as the digest");
    const auto params = hkdf_params(key, inputs, true, false, *salt, {});
    if (!params) return params.error();
    return derive_hkdf(key, *params, out);
  }
  if (inputs.mode != EVP_KDF_HKDF_MODE_EXPAND_ONLY) {
    return refused(key, "TLS 1.3 extracts or expands, not both at once");
  }
  if (inputs.prefix.size() + inputs.label.size() > 255 || inputs.data.size() > 255 ||
      out.size() > 65535) {
    return refused(key, "label, data or length do not fit TLS 1.3");
  }
  // HkdfLabel.
  core::Bytes info{static_cast<std::uint8_t>(out.size() >> 8U),
                   static_cast<std::uint8_t>(out.size() & 0xFFU)};
  append_short(info, inputs.prefix, inputs.label);
  append_short(info, inputs.data);
  const auto params = hkdf_params(key, inputs, false, true, {}, info);
  if (!params) return params.error();
  return derive_hkdf(key, *params, out);
}

// SP 800-108r1, counter mode, the input as libcrypto has it: counter, label (its salt), a zero,
// context (its info), the length in bits.
Done kbkdf_in_token(Context& /*context*/, const TokenSecret& key, const KdfInputs& inputs,
                    core::MutableByteView out) {
  if (inputs.feedback || inputs.has_seed) {
    return refused(key, "KBKDF by a token is counter mode, without a seed");
  }
  CK_SP800_108_KDF_PARAMS params{};
  if (inputs.by_cmac) {
    params.prfType = CKM_AES_CMAC;
  } else {
    const HmacNumbers* hmac = hmac_numbers(inputs.digest);
    if (hmac == nullptr) {
      return refused(
          key, inputs.digest == 0 ? "no digest is given" : "PKCS#11 has no HMAC with this digest");
    }
    params.prfType = hmac->mechanism;
  }
  const CK_SP800_108_COUNTER_FORMAT counter{CK_FALSE, static_cast<CK_ULONG>(inputs.counter_bits)};
  const CK_SP800_108_DKM_LENGTH_FORMAT length{CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, CK_FALSE, 32};
  static const std::uint8_t separator = 0;
  std::vector<CK_PRF_DATA_PARAM> fields{
      field(CK_SP800_108_ITERATION_VARIABLE, &counter, sizeof counter)};
  if (!inputs.salt.empty()) {
    fields.push_back(field(CK_SP800_108_BYTE_ARRAY, inputs.salt.data(), inputs.salt.size()));
  }
  if (inputs.with_separator) fields.push_back(field(CK_SP800_108_BYTE_ARRAY, &separator, 1));
  if (!inputs.info.empty()) {
    fields.push_back(field(CK_SP800_108_BYTE_ARRAY, inputs.info.data(), inputs.info.size()));
  }
  if (inputs.with_length) {
    fields.push_back(field(CK_SP800_108_DKM_LENGTH, &length, sizeof length));
  }
  params.ulNumberOfDataParams = static_cast<CK_ULONG>(fields.size());
  params.pDataParams = fields.data();
  Mechanism mechanism = mechanism_with(CKM_SP800_108_COUNTER_KDF, params);
  Template secret = readable_secret(out.size());
  return derive(key, mechanism, secret, out);
}

Done pbkdf2_in_token(Token& token, const KdfInputs& inputs, core::MutableByteView out) {
  const auto refuse = [&token](const std::string& why) {
    return fail(Reason::kOperation, token.name() + ": " + why);
  };
  const int digest = inputs.digest == 0 ? NID_sha1 : inputs.digest;
  const HmacNumbers* hmac = hmac_numbers(digest);
  if (hmac == nullptr || hmac->pbkdf2 == 0) {
    return refuse("PKCS#11 has no number for this digest in PBKDF2");
  }
  if (!inputs.password) return refuse("no password is given");
  CK_PKCS5_PBKD2_PARAMS2 params{};
  params.saltSource = CKZ_SALT_SPECIFIED;
  params.pSaltSourceData = bytes_at(inputs.salt);
  params.ulSaltSourceDataLen = static_cast<CK_ULONG>(inputs.salt.size());
  // libcrypto's default.
  params.iterations = static_cast<CK_ULONG>(inputs.iterations == 0 ? 2048 : inputs.iterations);
  params.prf = hmac->pbkdf2;
  params.pPassword = const_cast<CK_UTF8CHAR*>(inputs.password->view().data());
  params.ulPasswordLen = static_cast<CK_ULONG>(inputs.password->size());
  Mechanism mechanism = mechanism_with(CKM_PKCS5_PBKD2, params);
  Template secret = readable_secret(out.size());
  auto session = token.session();
  if (!session) return std::move(session).error();
  const auto made = session->generate(mechanism, secret);
  if (!made) return made.error();
  return take_value(*session, *made, out);
}

}  // namespace tallystick::provider
