// HKDF, TLS 1.3's use of it, KBKDF and PBKDF2. libcrypto's own derivation always stands beside: it
// takes every parameter, and without a URI it does everything, as without this provider. With the
// URI of a key (of a token, for PBKDF2) the derivation is the token's. What it gives is the
// caller's bytes, so the key has to allow that they are read.
#pragma once

#include <openssl/core.h>
#include <openssl/kdf.h>

#include "provider/token_secret.h"

namespace tallystick::provider {

// What a token needs to know of the parameters.
struct KdfInputs {
  int digest = 0;
  bool by_cmac = false;
  core::Bytes salt;
  core::Bytes info;
  int mode = 0;
  // Of TLS 1.3.
  core::Bytes prefix;
  core::Bytes label;
  core::Bytes data;
  // Of KBKDF.
  bool feedback = false;
  bool with_length = true;
  bool with_separator = true;
  int counter_bits = 32;
  bool has_seed = false;
  // Of PBKDF2.
  std::optional<core::Secret> password;
  std::uint64_t iterations = 0;
};

// The derivations by a token (kdf_in_token.cpp). `out` is filled.
using DeriveInToken = Done (*)(Context& context, const TokenSecret& key, const KdfInputs& inputs,
                               core::MutableByteView out);
Done hkdf_in_token(Context& context, const TokenSecret& key, const KdfInputs& inputs,
                   core::MutableByteView out);
Done tls13_kdf_in_token(Context& context, const TokenSecret& key, const KdfInputs& inputs,
                        core::MutableByteView out);
Done kbkdf_in_token(Context& context, const TokenSecret& key, const KdfInputs& inputs,
                    core::MutableByteView out);
// From a password: the token makes the key.
Done pbkdf2_in_token(Token& token, const KdfInputs& inputs, core::MutableByteView out);

struct KdfType {
  const char* name;
  // As the default provider has them.
  const char* names;
  // Null: PBKDF2, which takes a password and no key.
  DeriveInToken derive;
};
inline constexpr KdfType kHkdf{"HKDF", "HKDF", hkdf_in_token};
inline constexpr KdfType kTls13Kdf{"TLS13-KDF", "TLS13-KDF", tls13_kdf_in_token};
inline constexpr KdfType kKbkdf{"KBKDF", "KBKDF", kbkdf_in_token};
inline constexpr KdfType kPbkdf2{"PBKDF2", "PBKDF2:1.2.840.113549.1.5.12", nullptr};

class Kdf {
 public:
  static Outcome<std::unique_ptr<Kdf>> make(Context& context, const KdfType& type);

  [[nodiscard]] Context& context() const { return context_; }
  Done set_params(const OSSL_PARAM params[]);
  int get_params(OSSL_PARAM params[]) { return EVP_KDF_CTX_get_params(own_.get(), params); }
  Done derive(core::MutableByteView out, const OSSL_PARAM params[]);
  void reset();
  [[nodiscard]] Outcome<std::unique_ptr<Kdf>> duplicate() const;
  [[nodiscard]] const EVP_KDF* own() const { return EVP_KDF_CTX_kdf(own_.get()); }

 private:
  Kdf(Context& context, const KdfType& type, core::KdfCtxPtr own)
      : context_(context), type_(type), own_(std::move(own)) {}
  Done take_uri(const std::string& text);
  Done take(const OSSL_PARAM params[]);

  Context& context_;
  const KdfType& type_;
  core::KdfCtxPtr own_;
  // One of them is set where a token derives.
  std::optional<TokenSecret> key_;
  std::shared_ptr<Token> token_;
  KdfInputs inputs_;
};

const OSSL_ALGORITHM* kdf_algorithms();

}  // namespace tallystick::provider
