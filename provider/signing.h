// One signature operation. libcrypto's own operation on the public key always stands beside it: it
// takes and gives all parameters (padding, digests, the algorithm's identifier), and it verifies.
// With a key of a token only the last step, the signature itself, is the token's; and where nobody
// asks for parameters that are not the usual ones, libcrypto's operation does not begin at all.
#pragma once

#include "provider/operation.h"

namespace tallystick::provider {

class Signing {
 public:
  explicit Signing(Context& context) : context_(context) {}

  [[nodiscard]] Context& context() const { return context_; }

  // A null key: the one of the last operation.
  Done begin_sign(const Key* key, const OSSL_PARAM params[]);
  Done begin_verify(const Key* key, const OSSL_PARAM params[]);
  Done begin_recover(const Key* key, const OSSL_PARAM params[]);
  // The longest signature, and the signature of what was given.
  [[nodiscard]] std::size_t longest() const;
  Outcome<core::Bytes> sign(core::ByteView digest);
  [[nodiscard]] int verify(core::ByteView signature, core::ByteView digest) const;
  int recover(unsigned char* out, std::size_t* size, core::ByteView signature) const;

  Done begin_digest_sign(const Key* key, const char* digest, const OSSL_PARAM params[]);
  Done begin_digest_verify(const Key* key, const char* digest, const OSSL_PARAM params[]);
  Done update(core::ByteView data);
  Outcome<core::Bytes> finish_sign();
  [[nodiscard]] int finish_verify(core::ByteView signature) const;
  // A message in one piece, the only way for EdDSA, ML-DSA and SLH-DSA.
  Outcome<core::Bytes> sign_message(core::ByteView message);
  [[nodiscard]] int verify_message(core::ByteView signature, core::ByteView message) const;

  // libcrypto's own operation, for parameters; null before an operation has begun.
  [[nodiscard]] EVP_PKEY_CTX* parameters();

  [[nodiscard]] Outcome<std::unique_ptr<Signing>> duplicate() const;

 private:
  Done take_key(const Key* key);
  Done begin_plain(Operation::Init init, const OSSL_PARAM params[]);
  // For a key of a token.
  Done begin_later(const OSSL_PARAM params[]);
  Done begin_now();
  Done begin_own_digest(bool to_sign, const char* digest, const OSSL_PARAM params[]);
  Outcome<core::Bytes> sign_in_token(core::ByteView data) const;
  Outcome<core::Bytes> sign_by_rsa_as_asked(core::ByteView digest) const;
  [[nodiscard]] bool one_piece() const;
  [[nodiscard]] Failure failed(const char* what) const;

  Context& context_;
  KeyPtr key_;
  // libcrypto's operation without a digest of its own.
  Operation plain_;
  // libcrypto's operation with its digest inside.
  core::MdCtxPtr own_;
  // The digest of what a token signs.
  core::MdCtxPtr digest_;
  // Of plain_ or of own_; null where plain_ has not begun yet.
  EVP_PKEY_CTX* parameters_ = nullptr;
  // A token signs, and plain_ begins when it is needed.
  bool later_ = false;
};

}  // namespace tallystick::provider
