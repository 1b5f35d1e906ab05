#include "provider/signing.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <array>
#include <cstring>

#include "provider/digest_numbers.h"
#include "provider/keymgmt.h"
#include "provider/token_signature.h"

namespace tallystick::provider {
Failure Signing::failed(const char* what) const {
  return fail(Reason::kOperation, name_of(*key_) + ": " + what);
}

bool Signing::one_piece() const {
  return key_->type == &kEd25519 || key_->type == &kEd448 || key_->type->post_quantum != nullptr;
}

Done Signing::take_key(const Key* key) {
  if (key != nullptr) key_ = same_key(*key);
  if (!key_ || !key_->pkey) return fail(Reason::kKey, "no key is given");
  plain_ = Operation();
  own_.reset();
  digest_.reset();
  parameters_ = nullptr;
  later_ = false;
  return {};
}

Done Signing::begin_plain(Operation::Init init, const OSSL_PARAM params[]) {
  auto done = plain_.begin(*key_, init, params);
  parameters_ = plain_.get();
  return done;
}

Done Signing::begin_later(const OSSL_PARAM params[]) {
  later_ = true;
  const bool asked = params != nullptr && params->key != nullptr;
  // What libcrypto would refuse it has to see: keys that are bound to a padding, odd digests.
  const EVP_MD* md = digest_ ? EVP_MD_CTX_get0_md(digest_.get()) : nullptr;
  const bool usual = md == nullptr || digest_numbers(EVP_MD_get_type(md)) != nullptr;
  if (!asked && usual && key_->type != &kRsaPss) return {};
  if (auto done = begin_now(); !done) return done;
  if (asked && EVP_PKEY_CTX_set_params(parameters_, params) <= 0) {
    return failed("a parameter is refused");
  }
  return {};
}

Done Signing::begin_now() {
  if (parameters_ != nullptr || !later_) return {};
  if (auto done = begin_plain(EVP_PKEY_verify_init_ex, nullptr); !done) return done;
  if (!digest_) return {};
  const char* name = EVP_MD_get0_name(EVP_MD_CTX_get0_md(digest_.get()));
  const std::array<OSSL_PARAM, 2> named{
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(name), 0),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_set_params(parameters_, named.data()) > 0) return {};
  parameters_ = nullptr;
  plain_ = Operation();
  return failed("the digest is refused");
}

EVP_PKEY_CTX* Signing::parameters() {
  if (parameters_ == nullptr && later_)
    static_cast<void>(done(context_, [&] { return begin_now(); }));
  return parameters_;
}

Done Signing::begin_sign(const Key* key, const OSSL_PARAM params[]) {
  if (auto done = take_key(key); !done) return done;
  if (key_->in_token()) return begin_later(params);
  return begin_plain(EVP_PKEY_sign_init_ex, params);
}

Done Signing::begin_verify(const Key* key, const OSSL_PARAM params[]) {
  if (auto done = take_key(key); !done) return done;
  return begin_plain(EVP_PKEY_verify_init_ex, params);
}

Done Signing::begin_recover(const Key* key, const OSSL_PARAM params[]) {
  if (auto done = take_key(key); !done) return done;
  return begin_plain(EVP_PKEY_verify_recover_init_ex, params);
}

std::size_t Signing::longest() const {
  const int size = key_ ? EVP_PKEY_get_size(key_->pkey.get()) : 0;
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

Outcome<core::Bytes> Signing::sign_by_rsa_as_asked(core::ByteView digest) const {
  RsaPadding padding;
  if (parameters_ == nullptr) {
    padding.mode = RSA_PKCS1_PADDING;
    padding.digest = digest_ ? EVP_MD_get_type(EVP_MD_CTX_get0_md(digest_.get())) : NID_undef;
    return sign_by_rsa(*key_, padding, digest);
  }
  padding.digest = digest_of(parameters_, OSSL_SIGNATURE_PARAM_DIGEST, context_.lib());
  const auto mode = number_of(parameters_, OSSL_SIGNATURE_PARAM_PAD_MODE);
  if (!mode) return failed("no padding");
  padding.mode = *mode;
  if (padding.mode == RSA_PKCS1_PSS_PADDING) {
    padding.mgf1_digest = digest_of(parameters_, OSSL_SIGNATURE_PARAM_MGF1_DIGEST, context_.lib());
    if (padding.mgf1_digest == NID_undef) padding.mgf1_digest = padding.digest;
    const auto salt = number_of(parameters_, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
    if (!salt) return failed("no length of the salt");
    padding.salt = *salt;
  }
  return sign_by_rsa(*key_, padding, digest);
}

Outcome<core::Bytes> Signing::sign_in_token(core::ByteView data) const {
  if (key_->type == &kEc) return sign_by_ecdsa(*key_, data);
  if (one_piece()) return sign_message_by(*key_, data);
  return sign_by_rsa_as_asked(data);
}

Outcome<core::Bytes> Signing::sign(core::ByteView digest) {
  if (!plain_ && !later_) return fail(Reason::kOperation, "no signature has begun");
  if (key_->in_token()) {
    if (parameters_ == nullptr) return sign_in_token(digest);
    const int named = digest_of(parameters_, OSSL_SIGNATURE_PARAM_DIGEST, context_.lib());
    const EVP_MD* md = EVP_get_digestbynid(named);
    if (md != nullptr && digest.size() != static_cast<std::size_t>(EVP_MD_get_size(md))) {
      return failed("what is to be signed is not as long as the digest");
    }
    return sign_in_token(digest);
  }
  core::Bytes signature(longest());
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(plain_.get(), signature.data(), &size, digest.data(), digest.size()) <= 0) {
    return failed("not signed");
  }
  signature.resize(size);
  return signature;
}

int Signing::verify(core::ByteView signature, core::ByteView digest) const {
  return plain_ ? EVP_PKEY_verify(plain_.get(), signature.data(), signature.size(), digest.data(),
                                  digest.size())
                : 0;
}

int Signing::recover(unsigned char* out, std::size_t* size, core::ByteView signature) const {
  return plain_
             ? EVP_PKEY_verify_recover(plain_.get(), out, size, signature.data(), signature.size())
             : 0;
}

Done Signing::begin_own_digest(bool to_sign, const char* digest, const OSSL_PARAM params[]) {
  own_.reset(EVP_MD_CTX_new());
  const auto init = to_sign ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex;
  if (!own_ || init(own_.get(), &parameters_, digest, context_.lib(), nullptr, key_->pkey.get(),
                    params) <= 0) {
    return failed("the operation does not begin");
  }
  return {};
}

Done Signing::begin_digest_sign(const Key* key, const char* digest, const OSSL_PARAM params[]) {
  if (auto done = take_key(key); !done) return done;
  if (!key_->in_token()) return begin_own_digest(true, digest, params);
  if (one_piece()) {
    // Contexts, variants and the like: libcrypto's operation would take them, and the token's
    // signature would be another one.
    if (params != nullptr && params->key != nullptr) return failed("a parameter is refused");
    return begin_own_digest(false, digest, nullptr);
  }

  std::array<char, 64> usual{};
  if (digest == nullptr || *digest == 0) {
    if (EVP_PKEY_get_default_digest_name(key_->pkey.get(), usual.data(), usual.size()) <= 0) {
      return failed("no digest is given");
    }
    digest = usual.data();
  }
  const core::MdPtr md(EVP_MD_fetch(context_.lib(), digest, nullptr));
  digest_.reset(EVP_MD_CTX_new());
  if (!md || !digest_ || EVP_DigestInit_ex2(digest_.get(), md.get(), nullptr) <= 0) {
    return failed("the digest is not known");
  }
  return begin_later(params);
}

Done Signing::begin_digest_verify(const Key* key, const char* digest, const OSSL_PARAM params[]) {
  if (auto done = take_key(key); !done) return done;
  return begin_own_digest(false, digest, params);
}

Done Signing::update(core::ByteView data) {
  int updated = 0;
  if (digest_) {
    updated = EVP_DigestUpdate(digest_.get(), data.data(), data.size());
  } else if (own_ && key_->parts != 0) {
    // To sign and to verify are the same call underneath, but each knows its own operation.
    updated = EVP_PKEY_CTX_get_operation(parameters_) == EVP_PKEY_OP_SIGNCTX
                  ? EVP_DigestSignUpdate(own_.get(), data.data(), data.size())
                  : EVP_DigestVerifyUpdate(own_.get(), data.data(), data.size());
  } else {
    return fail(Reason::kOperation, "no signature has begun");
  }
  if (updated <= 0) return failed("the data is not taken");
  return {};
}

Outcome<core::Bytes> Signing::finish_sign() {
  if (digest_) {
    core::Bytes value(EVP_MAX_MD_SIZE);
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(digest_.get(), value.data(), &size) <= 0) return failed("no digest");
    return sign_in_token(core::ByteView(value).first(size));
  }
  if (!own_) return fail(Reason::kOperation, "no signature has begun");
  core::Bytes signature(longest());
  std::size_t size = signature.size();
  if (EVP_DigestSignFinal(own_.get(), signature.data(), &size) <= 0) return failed("not signed");
  signature.resize(size);
  return signature;
}

int Signing::finish_verify(core::ByteView signature) const {
  return own_ ? EVP_DigestVerifyFinal(own_.get(), signature.data(), signature.size()) : 0;
}

Outcome<core::Bytes> Signing::sign_message(core::ByteView message) {
  if (digest_) {
    if (auto done = update(message); !done) return std::move(done).error();
    return finish_sign();
  }
  if (!own_) return fail(Reason::kOperation, "no signature has begun");
  if (key_->in_token()) return sign_in_token(message);
  core::Bytes signature(longest());
  std::size_t size = signature.size();
  if (EVP_DigestSign(own_.get(), signature.data(), &size, message.data(), message.size()) <= 0) {
    return failed("not signed");
  }
  signature.resize(size);
  return signature;
}

int Signing::verify_message(core::ByteView signature, core::ByteView message) const {
  return own_ ? EVP_DigestVerify(own_.get(), signature.data(), signature.size(), message.data(),
                                 message.size())
              : 0;
}

Outcome<std::unique_ptr<Signing>> Signing::duplicate() const {
  auto copy = std::make_unique<Signing>(context_);
  if (!key_) return copy;
  copy->key_ = same_key(*key_);
  copy->later_ = later_;
  const auto copied = [](const core::MdCtxPtr& from, core::MdCtxPtr& to) {
    if (!from) return true;
    to.reset(EVP_MD_CTX_new());
    return to && EVP_MD_CTX_copy_ex(to.get(), from.get()) > 0;
  };
  if (!copied(own_, copy->own_) || !copied(digest_, copy->digest_)) return failed("not copied");
  if (plain_) {
    auto plain = plain_.duplicate();
    if (!plain) return std::move(plain).error();
    copy->plain_ = *std::move(plain);
    copy->parameters_ = copy->plain_.get();
  } else if (copy->own_) {
    copy->parameters_ = EVP_MD_CTX_get_pkey_ctx(copy->own_.get());
  }
  return copy;
}

}  // namespace tallystick::provider
