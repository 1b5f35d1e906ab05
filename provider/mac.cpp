#include "provider/mac.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include <algorithm>
#include <cstring>

#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/mac_numbers.h"
#include "provider/mechanism_names.h"
#include "provider/params.h"

namespace tallystick::provider {
namespace {

constexpr std::size_t kAesBlock = 16;

}  // namespace

Outcome<std::unique_ptr<Mac>> Mac::make(Context& context, const char* name) {
  const core::MacPtr mac(EVP_MAC_fetch(context.lib(), name, nullptr));
  core::MacCtxPtr own(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
  if (!own) return fail(Reason::kMemory, std::string("no ") + name);
  return std::unique_ptr<Mac>(new Mac(context, name, std::move(own)));
}

Done Mac::take_digest(const std::string& digest) {
  const core::MdPtr md(EVP_MD_fetch(context_.lib(), digest.c_str(), nullptr));
  if (!md) return fail(Reason::kOperation, "digest " + digest + ": not known");
  digest_ = EVP_MD_get_type(md.get());
  return {};
}

Done Mac::take_cipher(const std::string& cipher) {
  const core::CipherPtr found(EVP_CIPHER_fetch(context_.lib(), cipher.c_str(), nullptr));
  if (!found) return fail(Reason::kOperation, "cipher " + cipher + ": not known");
  // Of CMAC, PKCS#11 has AES; 0 stands for a cipher that no key of a token fits.
  const bool aes = EVP_CIPHER_is_a(found.get(), "AES-128-CBC") ||
                   EVP_CIPHER_is_a(found.get(), "AES-192-CBC") ||
                   EVP_CIPHER_is_a(found.get(), "AES-256-CBC");
  if (!aes && key_) {
    return fail(Reason::kOperation,
                key_->name() + ": cipher " + cipher + ": a token makes CMACs by AES in CBC mode");
  }
  cipher_key_size_ = aes ? static_cast<std::size_t>(EVP_CIPHER_get_key_length(found.get())) : 0;
  return {};
}

Done Mac::set_params(const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return {};
  const auto uri = uri_param(params);
  const bool bytes = OSSL_PARAM_locate_const(params, OSSL_MAC_PARAM_KEY) != nullptr;
  if (uri && bytes) return fail(Reason::kKey, "a key and the URI of one: give one of them");
  if (uri) {
    auto key = secret_by_uri(context_, *uri);
    if (!key) return std::move(key).error();
    key_ = *std::move(key);
  } else if (bytes) {
    key_.reset();
  }
  if (const auto digest = text_param(params, OSSL_MAC_PARAM_DIGEST)) {
    if (auto done = take_digest(*digest); !done) return done;
  }
  if (const auto cipher = text_param(params, OSSL_MAC_PARAM_CIPHER)) {
    if (auto done = take_cipher(*cipher); !done) return done;
  }
  if (const OSSL_PARAM* size = OSSL_PARAM_locate_const(params, OSSL_MAC_PARAM_SIZE)) {
    if (OSSL_PARAM_get_size_t(size, &wanted_size_) == 0 || wanted_size_ == 0) {
      return fail(Reason::kOperation, "size: not a length");
    }
  }
  if (EVP_MAC_CTX_set_params(own_.get(), params) <= 0) {
    return fail(Reason::kOperation, std::string(name_) + ": a parameter is refused");
  }
  return {};
}

Outcome<CK_MECHANISM_TYPE> Mac::mechanism() const {
  if (std::strcmp(name_, kCmac) == 0) {
    if (key_->type != CKK_AES) {
      return fail(Reason::kKey, key_->name() + ": not an AES key, which CMAC wants");
    }
    if (cipher_key_size_ != 0 && key_->size != 0 && cipher_key_size_ != key_->size) {
      return fail(Reason::kKey, key_->name() + ": it has " + std::to_string(key_->size) +
                                    " bytes, and the cipher takes " +
                                    std::to_string(cipher_key_size_));
    }
    return CKM_AES_CMAC;
  }
  const HmacNumbers* of_key = hmac_of_key_type(key_->type);
  if (of_key == nullptr && key_->type != CKK_GENERIC_SECRET) {
    return fail(Reason::kKey, key_->name() + ": not a key for HMAC");
  }
  const HmacNumbers* hmac = digest_ == 0 ? of_key : hmac_numbers(digest_);
  if (hmac == nullptr) {
    return fail(Reason::kOperation,
                key_->name() + (digest_ == 0 ? ": no digest is given"
                                             : ": PKCS#11 has no HMAC with this digest"));
  }
  if (of_key != nullptr && of_key != hmac) {
    return fail(Reason::kKey, key_->name() + ": it is a key for " +
                                  mechanism_name(of_key->mechanism) + ", not for " +
                                  mechanism_name(hmac->mechanism));
  }
  return hmac->mechanism;
}

core::MdPtr Mac::message_digest() const {
  if (std::strcmp(name_, kCmac) == 0) return nullptr;
  const HmacNumbers* of_key = hmac_of_key_type(key_->type);
  const int digest = digest_ == 0 && of_key != nullptr ? of_key->digest : digest_;
  return core::MdPtr(digest == 0 ? nullptr
                                 : EVP_MD_fetch(context_.lib(), OBJ_nid2sn(digest), nullptr));
}

std::size_t Mac::natural_size() const {
  if (std::strcmp(name_, kCmac) == 0) return kAesBlock;
  const core::MdPtr md = message_digest();
  return md ? static_cast<std::size_t>(EVP_MD_get_size(md.get())) : 0;
}

std::size_t Mac::size() const {
  if (!key_) return EVP_MAC_CTX_get_mac_size(own_.get());
  return wanted_size_ != 0 ? wanted_size_ : natural_size();
}

int Mac::get_params(OSSL_PARAM params[]) const {
  if (!key_) return EVP_MAC_CTX_get_params(own_.get(), params);
  OSSL_PARAM* size = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_SIZE);
  if (size != nullptr && OSSL_PARAM_set_size_t(size, this->size()) == 0) return 0;
  OSSL_PARAM* block = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_BLOCK_SIZE);
  if (block == nullptr) return 1;
  const core::MdPtr md = message_digest();
  if (std::strcmp(name_, kHmac) == 0 && !md) return 0;
  return OSSL_PARAM_set_size_t(
      block, md ? static_cast<std::size_t>(EVP_MD_get_block_size(md.get())) : kAesBlock);
}

Done Mac::begin(const unsigned char* key, std::size_t size, const OSSL_PARAM params[]) {
  if (auto done = set_params(params); !done) return done;
  intake_->forget();
  begun_ = true;
  if (key != nullptr) key_.reset();
  if (!key_) {
    const Quietly quietly;
    if (EVP_MAC_init(own_.get(), key, size, nullptr) > 0) return {};
    return fail(Reason::kOperation,
                std::string(name_) + ": it does not begin; has it a key" +
                    (std::strcmp(name_, kHmac) == 0 ? " and a digest?" : " and a cipher?"));
  }
  // Said before the data is read, not after.
  const auto used = mechanism();
  if (!used) return used.error();
  if (wanted_size_ > natural_size()) {
    return fail(Reason::kOperation, key_->name() + ": a MAC of " + std::to_string(wanted_size_) +
                                        " bytes is wanted, and " + mechanism_name(*used) +
                                        " gives " + std::to_string(natural_size()));
  }
  return {};
}

Intake::Begin Mac::stream() const {
  return [this]() -> Outcome<Stream> {
    const auto type = mechanism();
    if (!type) return type.error();
    return key_->object->use([&](Session& session, ObjectHandle handle) {
      Mechanism mechanism(*type);
      return Stream::begin(StreamKind::kSign, session, mechanism, handle);
    });
  };
}

Done Mac::update(core::ByteView data) {
  if (!begun_) return fail(Reason::kOperation, "no MAC has begun");
  if (key_) return intake_->take(data, stream());
  if (EVP_MAC_update(own_.get(), data.data(), data.size()) > 0) return {};
  return fail(Reason::kOperation, std::string(name_) + ": the data is not taken");
}

Done Mac::finish(unsigned char* out, std::size_t* size, std::size_t room) {
  if (!begun_) return fail(Reason::kOperation, "no MAC has begun");
  if (!key_) {
    if (EVP_MAC_final(own_.get(), out, size, room) > 0) return {};
    return fail(Reason::kOperation, std::string(name_) + ": no MAC");
  }
  if (out == nullptr) {
    *size = this->size();
    return {};
  }
  const std::size_t wanted = this->size();
  if (wanted > room) return fail(Reason::kOperation, "no room for the MAC");
  auto value = intake_->finish(stream());
  if (!value) return std::move(value).error();
  if (value->size() < wanted) return from_rv(Reason::kOperation, key_->name(), CKR_DEVICE_ERROR);
  std::copy_n(value->begin(), wanted, out);
  *size = wanted;
  return {};
}

Outcome<std::unique_ptr<Mac>> Mac::duplicate() const {
  // libcrypto's own does nothing beside a token's key, and some that have not begun are not copied.
  core::MacCtxPtr own(key_ ? EVP_MAC_CTX_new(EVP_MAC_CTX_get0_mac(own_.get()))
                           : EVP_MAC_CTX_dup(own_.get()));
  if (!own) return fail(Reason::kMemory, std::string(name_) + ": not copied");
  std::unique_ptr<Mac> copy(new Mac(context_, name_, std::move(own)));
  copy->key_ = key_;
  copy->digest_ = digest_;
  copy->cipher_key_size_ = cipher_key_size_;
  copy->wanted_size_ = wanted_size_;
  copy->begun_ = begun_;
  auto intake = intake_->duplicate([this] { return key_->object->token().session(); });
  if (!intake) return std::move(intake).error();
  copy->intake_ = *std::move(intake);
  return copy;
}

const OSSL_PARAM* Mac::own_settable() const {
  return EVP_MAC_settable_ctx_params(EVP_MAC_CTX_get0_mac(own_.get()));
}
const OSSL_PARAM* Mac::own_gettable() const {
  return EVP_MAC_gettable_ctx_params(EVP_MAC_CTX_get0_mac(own_.get()));
}

}  // namespace tallystick::provider
