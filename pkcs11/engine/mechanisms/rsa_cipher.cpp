// RSA encryption: OAEP, also as a wrapping, and PKCS#1 v1.5 and bare RSA as far as they are
// offered.
#include <openssl/rsa.h>

#include <algorithm>

#include "pkcs11/engine/keys/wrapped_key.h"
#include "pkcs11/engine/mechanisms/rsa.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kLargestLabel = 64UL << 10;

// The key of an operation, made ready for one padding and direction.
struct RsaCipher {
  ObjectPtr key;
  core::PkeyCtxPtr context;
  std::size_t size;          // of a ciphertext
  std::size_t longest;       // plaintext
  std::size_t shortest = 0;  // plaintext; less has zeros before it
};

bool start(EVP_PKEY_CTX* context, Object::Prepared use, int padding) {
  const auto init =
      use == Object::Prepared::kEncrypt ? EVP_PKEY_encrypt_init : EVP_PKEY_decrypt_init;
  return init(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1;
}

// One call of libcrypto. `refused` is the answer to every ciphertext that does not open, whatever
// the cause (A31, A32).
Outcome<core::Secret> decrypted(const RsaCipher& rsa, core::ByteView in, const Fault& refused) {
  // libcrypto wants room for a whole modulus.
  core::Secret out(rsa.size);
  std::size_t size = out.size();
  if (EVP_PKEY_decrypt(rsa.context.get(), out.span().data(), &size, in.data(), in.size()) != 1) {
    forget_errors();
    return refused;
  }
  out.truncate(size);
  return out;
}

Outcome<void> encrypted(const RsaCipher& rsa, core::ByteView in, core::MutableByteView out) {
  const std::uint8_t nothing = 0;
  core::Secret padded(in.size() < rsa.shortest ? rsa.shortest : 0);
  if (!padded.empty()) {
    std::ranges::copy(in, padded.span().last(in.size()).begin());
    in = padded.view();
  }
  if (rsa.shortest > 0 && !below_modulus(*rsa.key, in)) {
    return fault(CKR_DATA_INVALID, "a number beyond the modulus");
  }
  std::size_t size = out.size();
  if (EVP_PKEY_encrypt(rsa.context.get(), out.data(), &size, in.empty() ? &nothing : in.data(),
                       in.size()) != 1 ||
      size != out.size()) {
    return crypto_failed("RSA encryption");
  }
  return {};
}

class Encrypt final : public CipherOperation {
 public:
  explicit Encrypt(RsaCipher rsa) : rsa_(std::move(rsa)) {}
  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (in > rsa_.longest) return fault(CKR_DATA_LEN_RANGE, "too long for the key");
    return rsa_.size;
  }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    if (auto done = encrypted(rsa_, in, out.first(rsa_.size)); !done) {
      return std::move(done).error();
    }
    return rsa_.size;
  }

 private:
  RsaCipher rsa_;
};

class Decrypt final : public CipherOperation {
 public:
  explicit Decrypt(RsaCipher rsa) : rsa_(std::move(rsa)) {}
  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (in != rsa_.size) {
      return fault(CKR_ENCRYPTED_DATA_LEN_RANGE, "not the length of a ciphertext");
    }
    return rsa_.longest;
  }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    auto plain =
        decrypted(rsa_, in, fault(CKR_ENCRYPTED_DATA_INVALID, "the ciphertext does not open"));
    if (!plain) return std::move(plain).error();
    if (plain->size() > out.size()) return crypto_failed("RSA decryption");
    std::ranges::copy(plain->view(), out.begin());
    return plain->size();
  }

 private:
  RsaCipher rsa_;
};

// ---- OAEP ----

// What it takes of a modulus (RFC 8017, 7.1.1). Every key has room for it.
constexpr std::size_t oaep_overhead(std::size_t hash) { return 2 * hash + 2; }
static_assert(oaep_overhead(EVP_MAX_MD_SIZE) < kSmallestModulus / 8);

struct OaepParams {
  core::Hash hash;
  core::Hash mgf;
  core::Bytes label;
};

Outcome<OaepParams> oaep_params(const Parameter& parameter) {
  auto params = parameter.as<CK_RSA_PKCS_OAEP_PARAMS>();
  if (!params) return std::move(params).error();
  const auto hash = signature_hash(params->hashAlg);
  const auto mgf = hash_with(&HashNumbers::mgf, params->mgf);
  if (!hash || !mgf) return bad_parameter("a hash or mask of OAEP that is not offered");
  auto label = copy_memory(params->pSourceData, params->ulSourceDataLen, kLargestLabel);
  if (!label) return std::move(label).error();
  // Some callers leave the source open when there is no label.
  const bool open = params->source == 0 && label->empty();
  if (params->source != CKZ_DATA_SPECIFIED && !open) {
    return bad_parameter("a source of the label that is not known");
  }
  return OaepParams{*hash, *mgf, *std::move(label)};
}

Outcome<RsaCipher> oaep(const Context& where, const Parameter& parameter, const ObjectPtr& key,
                        Object::Prepared use) {
  auto params = oaep_params(parameter);
  if (!params) return std::move(params).error();
  const auto size = rsa_size(*key);
  const auto overhead = oaep_overhead(core::hash_size(params->hash));
  const auto& crypto = where.crypto;
  auto context =
      ready_context(where, *key, use, rsa_variant(CKM_RSA_PKCS_OAEP, params->hash, params->mgf),
                    "OAEP", [&crypto, &params, use](EVP_PKEY_CTX* made) {
                      return start(made, use, RSA_PKCS1_OAEP_PADDING) &&
                             EVP_PKEY_CTX_set_rsa_oaep_md(made, crypto.md(params->hash)) == 1 &&
                             EVP_PKEY_CTX_set_rsa_mgf1_md(made, crypto.md(params->mgf)) == 1;
                    });
  if (!context) return std::move(context).error();
  if (!params->label.empty()) {
    auto* const owned = OPENSSL_memdup(params->label.data(), params->label.size());
    if (owned == nullptr ||
        EVP_PKEY_CTX_set0_rsa_oaep_label(context->get(), owned,
                                         static_cast<int>(params->label.size())) != 1) {
      OPENSSL_free(owned);
      return crypto_failed("OAEP");
    }
  }
  return RsaCipher{key, *std::move(context), size, size - overhead};
}

template <typename Operation>
Outcome<std::unique_ptr<CipherOperation>> operation(Outcome<RsaCipher> rsa) {
  if (!rsa) return std::move(rsa).error();
  return std::unique_ptr<CipherOperation>(std::make_unique<Operation>(*std::move(rsa)));
}

Outcome<std::unique_ptr<CipherOperation>> oaep_encrypt(const OperationInput& input) {
  return operation<Encrypt>(
      oaep(input.context, input.parameter, input.key, Object::Prepared::kEncrypt));
}
Outcome<std::unique_ptr<CipherOperation>> oaep_decrypt(const OperationInput& input) {
  return operation<Decrypt>(
      oaep(input.context, input.parameter, input.key, Object::Prepared::kDecrypt));
}

// ---- Wrapping: the encoding of the key is the plaintext. Its size is asked first ----

Outcome<std::size_t> wrapped_size(const WrapInput& input, const Outcome<RsaCipher>& rsa) {
  if (!rsa) return rsa.error();
  auto size = key_encoding_size(input.context.crypto, *input.key);
  if (!size) return size;
  if (*size > rsa->longest) return fault(CKR_KEY_SIZE_RANGE, "too long for the wrapping key");
  return rsa->size;
}

Outcome<core::Bytes> wrap(const WrapInput& input, const Outcome<RsaCipher>& rsa) {
  if (!rsa) return rsa.error();
  auto encoded = key_encoding(input.context.crypto, *input.key);
  if (!encoded) return std::move(encoded).error();
  core::Bytes out(rsa->size);
  if (auto done = encrypted(*rsa, encoded->view(), out); !done) return std::move(done).error();
  return out;
}

Outcome<RsaCipher> oaep_to_wrap(const WrapInput& input) {
  return oaep(input.context, input.parameter, input.wrapping_key, Object::Prepared::kEncrypt);
}
Outcome<std::size_t> oaep_wrapped_size(const WrapInput& input) {
  return wrapped_size(input, oaep_to_wrap(input));
}
Outcome<core::Bytes> oaep_wrap(const WrapInput& input) { return wrap(input, oaep_to_wrap(input)); }

Outcome<Produced> oaep_unwrap(const UnwrapInput& input) {
  auto rsa = oaep(input.context, input.parameter, input.unwrapping_key, Object::Prepared::kDecrypt);
  if (!rsa) return std::move(rsa).error();
  if (input.blob.size() != rsa->size) {
    return fault(CKR_WRAPPED_KEY_LEN_RANGE, "not the length of a wrapped key");
  }
  auto encoded =
      decrypted(*rsa, input.blob, fault(CKR_WRAPPED_KEY_INVALID, "not the wrapping of such a key"));
  if (!encoded) return std::move(encoded).error();
  auto draft = key_from_encoding(input.context.crypto, input.wanted, encoded->view());
  if (!draft) return std::move(draft).error();
  return Produced{*std::move(draft), {}, nullptr};
}

// ---- PKCS#1 v1.5 and bare RSA ----

Outcome<RsaCipher> plain_cipher(const Context& where, const Parameter& parameter,
                                const ObjectPtr& key, Object::Prepared use, bool padded) {
  if (auto none = parameter.none(); !none) return std::move(none).error();
  auto context =
      ready_context(where, *key, use, padded ? CKM_RSA_PKCS : CKM_RSA_X_509, "RSA encryption",
                    [use, padded](EVP_PKEY_CTX* made) {
                      return start(made, use, padded ? RSA_PKCS1_PADDING : RSA_NO_PADDING);
                    });
  if (!context) return std::move(context).error();
  const auto size = rsa_size(*key);
  return RsaCipher{key, *std::move(context), size, padded ? size - kPkcs1Overhead : size,
                   padded ? 0 : size};
}

template <typename Operation, Object::Prepared kUse, bool kPadded>
Outcome<std::unique_ptr<CipherOperation>> make_plain(const OperationInput& input) {
  return operation<Operation>(
      plain_cipher(input.context, input.parameter, input.key, kUse, kPadded));
}

Outcome<RsaCipher> pkcs1_to_wrap(const WrapInput& input) {
  return plain_cipher(input.context, input.parameter, input.wrapping_key,
                      Object::Prepared::kEncrypt, true);
}
Outcome<std::size_t> pkcs1_wrapped_size(const WrapInput& input) {
  return wrapped_size(input, pkcs1_to_wrap(input));
}
Outcome<core::Bytes> pkcs1_wrap(const WrapInput& input) {
  return wrap(input, pkcs1_to_wrap(input));
}

}  // namespace

void register_rsa_oaep(MechanismTable& table) {
  auto oaep = rsa_mechanism(CKM_RSA_PKCS_OAEP);
  // Who does not know the plaintext cannot change a ciphertext into another one that opens.
  oaep.authenticated = true;
  oaep.encrypt = &oaep_encrypt;
  oaep.decrypt = &oaep_decrypt;
  oaep.wrapped_size = &oaep_wrapped_size;
  oaep.wrap = &oaep_wrap;
  oaep.unwrap = &oaep_unwrap;
  table.add(std::move(oaep));
}

void add_pkcs1_encryption(Mechanism& mechanism, bool decrypts) {
  mechanism.encrypt = &make_plain<Encrypt, Object::Prepared::kEncrypt, true>;
  if (!decrypts) return;
  mechanism.decrypt = &make_plain<Decrypt, Object::Prepared::kDecrypt, true>;
  mechanism.wrapped_size = &pkcs1_wrapped_size;
  mechanism.wrap = &pkcs1_wrap;
}

void add_raw_encryption(Mechanism& mechanism) {
  mechanism.encrypt = &make_plain<Encrypt, Object::Prepared::kEncrypt, false>;
  mechanism.decrypt = &make_plain<Decrypt, Object::Prepared::kDecrypt, false>;
}

}  // namespace tallystick::token
