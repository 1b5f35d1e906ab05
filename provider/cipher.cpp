#include "provider/cipher.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/params.h"

namespace tallystick::provider {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kMostIv = 128;

std::size_t usual_iv_size(CipherMode mode) {
  switch (mode) {
    case CipherMode::kCbc:
    case CipherMode::kCtr:
      return kBlock;
    case CipherMode::kGcm:
      return 12;
    case CipherMode::kCcm:
      return 7;
  }
  return 0;
}

Done put(const core::WipedBytes& from, unsigned char* out, std::size_t* size, std::size_t room) {
  if (from.size() > room) return fail(Reason::kOperation, "no room for what the token gives");
  std::copy(from.begin(), from.end(), out);
  *size = from.size();
  return {};
}

template <typename Params>
Mechanism mechanism_with(CK_MECHANISM_TYPE type, const Params& params) {
  return {type, {reinterpret_cast<const std::uint8_t*>(&params), sizeof params}};
}

}  // namespace

Outcome<std::unique_ptr<Cipher>> Cipher::make(Context& context, const CipherType& type) {
  const core::CipherPtr cipher(EVP_CIPHER_fetch(context.lib(), type.name, nullptr));
  core::CipherCtxPtr own(EVP_CIPHER_CTX_new());
  if (!cipher || !own ||
      EVP_CipherInit_ex2(own.get(), cipher.get(), nullptr, nullptr, 1, nullptr) <= 0) {
    return fail(Reason::kMemory, std::string("no ") + type.name);
  }
  std::unique_ptr<Cipher> made(new Cipher(context, type, std::move(own)));
  made->iv_size_ = usual_iv_size(type.mode);
  if (type.mode == CipherMode::kCcm) made->tag_size_ = 12;
  return made;
}

Failure Cipher::failed(const std::string& why) const {
  return fail(Reason::kOperation, (key_ ? key_->name() : std::string(type_.name)) + ": " + why);
}

Done Cipher::use(TokenSecret key) {
  if (key.type != CKK_AES) return fail(Reason::kKey, key.name() + ": not an AES key");
  if (key.size != 0 && key.size != type_.key_size) {
    return fail(Reason::kKey, key.name() + ": it has " + std::to_string(key.size) + " bytes, and " +
                                  type_.name + " takes " + std::to_string(type_.key_size));
  }
  key_ = std::move(key);
  return {};
}

// Zeros at the end are what "openssl enc -K" fills with.
Done Cipher::use_label(core::ByteView key) {
  while (!key.empty() && key.back() == 0) key = key.first(key.size() - 1);
  if (context_.settings().token.empty()) {
    return fail(Reason::kSetting,
                std::string(type_.names) + ": tallystick-token does not say in which token");
  }
  if (key.empty()) return fail(Reason::kKey, std::string(type_.names) + ": the label is empty");
  auto found = secret_by_label(context_, context_.settings().token, key);
  if (!found) return std::move(found).error();
  return use(*std::move(found));
}

Done Cipher::restart(bool to_encrypt, core::ByteView iv) {
  encrypts_ = to_encrypt;
  // No two messages under one nonce.
  if (nonce_used_) iv_.clear();
  nonce_used_ = false;
  if (!iv.empty()) iv_.assign(iv.begin(), iv.end());
  aad_.clear();
  stream_.reset();
  streaming_ = false;
  message_done_ = false;
  // A tag that is to be checked may have come before.
  if (to_encrypt) tag_.clear();
  return {};
}

Done Cipher::begin(bool to_encrypt, core::ByteView key, core::ByteView iv,
                   const OSSL_PARAM params[]) {
  if (auto done = set_params(params); !done) return done;
  if (type_.by_label) {
    if (!key.empty()) {
      if (auto done = use_label(key); !done) return done;
    }
    return restart(to_encrypt, iv);
  }
  if (!key.empty()) key_.reset();
  if (key_) return restart(to_encrypt, iv);
  // An IV may come before the key that says whose it is.
  if (auto done = restart(to_encrypt, iv); !done) return done;
  if (EVP_CipherInit_ex2(own_.get(), nullptr, key.empty() ? nullptr : key.data(),
                         iv.empty() ? nullptr : iv.data(), to_encrypt ? 1 : 0, nullptr) > 0) {
    return {};
  }
  return failed("it does not begin");
}

Done Cipher::begin(bool to_encrypt, const TokenSecret& key, core::ByteView iv,
                   const OSSL_PARAM params[]) {
  if (auto done = use(key); !done) return done;
  return begin(to_encrypt, core::ByteView(), iv, params);
}

Done Cipher::begin_stream(std::size_t data_size) {
  if (iv_.size() != iv_size_) {
    return failed("the IV has " + std::to_string(iv_.size()) + " bytes, and " +
                  std::to_string(iv_size_) + " are wanted");
  }
  CK_AES_CTR_PARAMS ctr{};
  CK_GCM_PARAMS gcm{};
  CK_CCM_PARAMS ccm{};
  std::optional<Mechanism> mechanism;
  switch (type_.mode) {
    case CipherMode::kCbc:
      mechanism.emplace(pads_ ? CKM_AES_CBC_PAD : CKM_AES_CBC, iv_);
      break;
    case CipherMode::kCtr:
      ctr.ulCounterBits = 8 * kBlock;
      std::copy(iv_.begin(), iv_.end(), std::begin(ctr.cb));
      mechanism.emplace(mechanism_with(CKM_AES_CTR, ctr));
      break;
    case CipherMode::kGcm:
      gcm.pIv = iv_.data();
      gcm.ulIvLen = static_cast<CK_ULONG>(iv_.size());
      gcm.ulIvBits = gcm.ulIvLen * 8;
      gcm.pAAD = aad_.empty() ? nullptr : aad_.data();
      gcm.ulAADLen = static_cast<CK_ULONG>(aad_.size());
      gcm.ulTagBits = static_cast<CK_ULONG>(8 * tag_size_);
      mechanism.emplace(mechanism_with(CKM_AES_GCM, gcm));
      break;
    case CipherMode::kCcm:
      ccm.ulDataLen = static_cast<CK_ULONG>(data_size);
      ccm.pNonce = iv_.data();
      ccm.ulNonceLen = static_cast<CK_ULONG>(iv_.size());
      ccm.pAAD = aad_.empty() ? nullptr : aad_.data();
      ccm.ulAADLen = static_cast<CK_ULONG>(aad_.size());
      ccm.ulMACLen = static_cast<CK_ULONG>(tag_size_);
      mechanism.emplace(mechanism_with(CKM_AES_CCM, ccm));
      break;
  }
  auto begun = key_->object->use([&](Session& session, ObjectHandle handle) {
    return Stream::begin(encrypts_ ? StreamKind::kEncrypt : StreamKind::kDecrypt, session,
                         *mechanism, handle);
  });
  if (!begun) return std::move(begun).error();
  stream_.emplace(*std::move(begun));
  streaming_ = true;
  nonce_used_ = type_.authenticated() && encrypts_;
  return {};
}

// A message with its tag, in one call of the token's.
Done Cipher::transform_message(core::ByteView data, core::WipedBytes& out) {
  if (message_done_) return failed("a token takes such a message in one piece");
  core::WipedBytes with_tag;
  if (!encrypts_) {
    if (tag_.size() != tag_size_) return failed("the tag has to be given before the data");
    with_tag.assign(data.begin(), data.end());
    with_tag.insert(with_tag.end(), tag_.begin(), tag_.end());
  }
  if (auto done = begin_stream(data.size()); !done) return done;
  auto done = stream_->whole(encrypts_ ? data : core::ByteView(with_tag), out);
  stream_.reset();
  if (!done) return done;
  const std::size_t expected = data.size() + (encrypts_ ? tag_size_ : 0);
  if (out.size() != expected) return from_rv(Reason::kOperation, key_->name(), CKR_DEVICE_ERROR);
  if (encrypts_) {
    tag_.assign(out.end() - static_cast<long>(tag_size_), out.end());
    out.resize(data.size());
  }
  message_done_ = true;
  return {};
}

Done Cipher::transform(core::ByteView data, core::WipedBytes& out) {
  // Encryption by GCM gives its bytes out as they come.
  if (type_.mode == CipherMode::kCcm || (type_.mode == CipherMode::kGcm && !encrypts_)) {
    return transform_message(data, out);
  }
  if (!streaming_) {
    if (auto done = begin_stream(data.size()); !done) return done;
  }
  if (!stream_) return failed("it has ended");
  return stream_->transform(data, out);
}

Done Cipher::update(unsigned char* out, std::size_t* size, std::size_t room,
                    const unsigned char* data, std::size_t data_size) {
  *size = 0;
  if (!key_) {
    if (type_.by_label) return failed("no key is named");
    int written = 0;
    if (EVP_CipherUpdate(own_.get(), out, &written, data, static_cast<int>(data_size)) <= 0) {
      return failed("the data is not taken");
    }
    *size = static_cast<std::size_t>(written);
    return {};
  }
  if (out == nullptr) {
    // CCM is told the length of what comes by data that is none.
    if (data != nullptr) {
      if (!type_.authenticated()) return failed("no place for the data");
      if (streaming_ || message_done_) return failed("associated data after the data");
      aad_.insert(aad_.end(), data, data + data_size);
    }
    *size = data_size;
    return {};
  }
  core::WipedBytes transformed;
  if (auto done = transform({data, data_size}, transformed); !done) return done;
  return put(transformed, out, size, room);
}

Done Cipher::finish(unsigned char* out, std::size_t* size, std::size_t room) {
  *size = 0;
  if (!key_) {
    if (type_.by_label) return failed("no key is named");
    int written = 0;
    if (EVP_CipherFinal_ex(own_.get(), out, &written) <= 0) return failed("it does not end well");
    *size = static_cast<std::size_t>(written);
    return {};
  }
  core::WipedBytes rest;
  if (type_.authenticated() && !streaming_ && !message_done_) {
    // A message without data; its tag is made, or checked, all the same.
    if (auto done = transform_message({}, rest); !done) return done;
  }
  if (message_done_) return {};
  if (!streaming_) {
    if (auto done = begin_stream(0); !done) return done;
  }
  if (!stream_) return failed("it has ended");
  auto done = stream_->finish(rest);
  stream_.reset();
  if (!done) return done;
  if (type_.mode == CipherMode::kGcm) {
    if (rest.size() != tag_size_) return failed("the token keeps data back to the end");
    tag_.assign(rest.begin(), rest.end());
    return {};
  }
  return put(rest, out, size, room);
}

Done Cipher::whole(unsigned char* out, std::size_t* size, std::size_t room,
                   const unsigned char* data, std::size_t data_size) {
  if (!key_) {
    if (type_.by_label) return failed("no key is named");
    const int written = EVP_Cipher(own_.get(), out, data, static_cast<unsigned int>(data_size));
    if (written < 0) return failed("the data is not taken");
    *size = static_cast<std::size_t>(written);
    return {};
  }
  if (!streaming_) pads_ = false;
  return data == nullptr ? finish(out, size, room) : update(out, size, room, data, data_size);
}

Done Cipher::set_params(const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return {};
  if (const auto uri = uri_param(params)) {
    auto key = secret_by_uri(context_, *uri);
    if (!key) return std::move(key).error();
    if (auto done = use(*std::move(key)); !done) return done;
  }
  const auto number = [params](const char* name, std::size_t& into) {
    const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, name);
    return param == nullptr || OSSL_PARAM_get_size_t(param, &into) == 1;
  };
  if (const OSSL_PARAM* padding = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_PADDING)) {
    unsigned int pads = 1;
    if (OSSL_PARAM_get_uint(padding, &pads) == 0) return failed("padding: not a number");
    pads_ = pads != 0;
  }
  if (type_.authenticated()) {
    if (!number(OSSL_CIPHER_PARAM_AEAD_IVLEN, iv_size_) || iv_size_ > kMostIv) {
      return failed("ivlen: not a length");
    }
    if (const OSSL_PARAM* tag = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_AEAD_TAG)) {
      // Without data it says how long the tag is to be.
      tag_size_ = tag->data_size;
      if (const auto bytes = octets_param(params, OSSL_CIPHER_PARAM_AEAD_TAG);
          bytes && bytes->data() != nullptr) {
        tag_.assign(bytes->begin(), bytes->end());
      }
    }
  }
  // libcrypto's own has not begun where the token works, and would take a tag for too early.
  if (key_ || EVP_CIPHER_CTX_set_params(own_.get(), params) > 0) return {};
  return failed("a parameter is refused");
}

int Cipher::get_params(OSSL_PARAM params[]) const {
  if (!key_) return EVP_CIPHER_CTX_get_params(own_.get(), params);
  const auto put_number = [params](const char* name, std::size_t value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_size_t(param, value) == 1;
  };
  const auto put_octets = [params](const char* name, const core::Bytes& value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    if (param == nullptr) return true;
    return OSSL_PARAM_set_octet_string(param, value.data(), value.size()) == 1 ||
           OSSL_PARAM_set_octet_ptr(param, value.data(), value.size()) == 1;
  };
  OSSL_PARAM* padding = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_PADDING);
  if (padding != nullptr && OSSL_PARAM_set_uint(padding, pads_ ? 1 : 0) == 0) return 0;
  OSSL_PARAM* tag = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD_TAG);
  if (tag != nullptr) {
    if (!encrypts_ || tag_.empty() || tag->data_size > tag_.size() ||
        tag->data_type != OSSL_PARAM_OCTET_STRING || tag->data == nullptr) {
      return 0;
    }
    std::copy_n(tag_.begin(), tag->data_size, static_cast<std::uint8_t*>(tag->data));
    tag->return_size = tag->data_size;
  }
  const std::size_t key_size = type_.by_label ? EVP_MAX_KEY_LENGTH : type_.key_size;
  return put_number(OSSL_CIPHER_PARAM_KEYLEN, key_size) &&
                 put_number(OSSL_CIPHER_PARAM_IVLEN, iv_size_) &&
                 put_number(OSSL_CIPHER_PARAM_AEAD_TAGLEN, tag_size_) &&
                 put_octets(OSSL_CIPHER_PARAM_IV, iv_)
             ? 1
             : 0;
}

Outcome<std::unique_ptr<Cipher>> Cipher::duplicate() const {
  core::CipherCtxPtr own(EVP_CIPHER_CTX_new());
  if (!own || EVP_CIPHER_CTX_copy(own.get(), own_.get()) <= 0) return failed("not copied");
  if (stream_) return failed("no copy of what a token has begun");
  std::unique_ptr<Cipher> copy(new Cipher(context_, type_, std::move(own)));
  copy->key_ = key_;
  copy->encrypts_ = encrypts_;
  copy->pads_ = pads_;
  copy->iv_ = iv_;
  copy->iv_size_ = iv_size_;
  copy->aad_ = aad_;
  copy->tag_ = tag_;
  copy->tag_size_ = tag_size_;
  copy->streaming_ = streaming_;
  copy->message_done_ = message_done_;
  copy->nonce_used_ = nonce_used_;
  return copy;
}

}  // namespace tallystick::provider
