// AES-GCM, message after message (PKCS#11 3.0, CK_GCM_MESSAGE_PARAMS).
#include <algorithm>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/mechanisms/aead_message.h"
#include "pkcs11/engine/mechanisms/aes_gcm.h"
#include "pkcs11/engine/mechanisms/cipher_context.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

Fault not_authentic() {
  return fault(CKR_AEAD_DECRYPT_FAILED, "the message does not carry its tag");
}

Outcome<std::size_t> part_size(std::size_t in, CK_RV too_long) {
  if (in > kLargestPart) return fault(too_long, "too much data in one call");
  return in;
}

class GcmMessageEncrypt final : public MessageOperation {
 public:
  explicit GcmMessageEncrypt(const OperationInput& input)
      : crypto_(input.context.crypto),
        key_(input.key),
        nonces_(input.context.token.services().nonces->source(*input.key)) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    return part_size(in, CKR_DATA_LEN_RANGE);
  }
  Outcome<std::size_t> once(const CallParameter& parameter, core::ByteView aad, core::ByteView in,
                            core::MutableByteView out) override {
    auto message = started(parameter, aad);
    if (!message) return std::move(message).error();
    if (auto done = gcm_encrypt(context_.get(), in, out); !done) return std::move(done).error();
    core::ByteArray<kGcmTagSize> tag{};
    if (auto done = gcm_tag(context_.get(), tag); !done) return std::move(done).error();
    message->write_nonce();
    message->write_tag(tag);
    return in.size();
  }

  Outcome<void> begin(const CallParameter& parameter, core::ByteView aad) override {
    auto message = started(parameter, aad);
    if (!message) return std::move(message).error();
    message->write_nonce();
    return {};
  }
  Outcome<std::size_t> next_size(std::size_t in, bool) const override { return once_size(in); }
  Outcome<std::size_t> next(const CallParameter& parameter, core::ByteView in, bool last,
                            core::MutableByteView out) override {
    // Read before anything is done: only the last part's parameter must name a place for the tag.
    auto message = read_gcm_message(parameter);
    if (last && !message) return std::move(message).error();
    if (auto done = gcm_encrypt(context_.get(), in, out); !done) return std::move(done).error();
    if (!last) return in.size();
    core::ByteArray<kGcmTagSize> tag{};
    if (auto done = gcm_tag(context_.get(), tag); !done) return std::move(done).error();
    message->write_tag(tag);
    return in.size();
  }
  bool in_place() const override { return true; }

 private:
  // Every message gets its nonce before it is touched: a failure may lose one, never use it twice.
  Outcome<AeadMessage> started(const CallParameter& parameter, core::ByteView aad) {
    auto message = read_gcm_message(parameter);
    if (!message) return message;
    if (auto made = message->make_nonce(crypto_, *key_, *nonces_); !made) {
      return std::move(made).error();
    }
    auto context = gcm_context(crypto_, *key_, true, message->nonce, aad);
    if (!context) return std::move(context).error();
    context_ = *std::move(context);
    return message;
  }

  const core::Crypto& crypto_;
  const ObjectPtr key_;
  const std::shared_ptr<NonceSource> nonces_;
  LentCipherPtr context_;
};

class GcmMessageDecrypt final : public MessageOperation {
 public:
  explicit GcmMessageDecrypt(const OperationInput& input)
      : crypto_(input.context.crypto), key_(input.key) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    return part_size(in, CKR_ENCRYPTED_DATA_LEN_RANGE);
  }
  // Not into the caller's buffer before the tag was seen: another thread could read it there (A35).
  Outcome<std::size_t> once(const CallParameter& parameter, core::ByteView aad, core::ByteView in,
                            core::MutableByteView out) override {
    auto message = started(parameter, aad);
    if (!message) return std::move(message).error();
    const auto scratch = std::make_unique_for_overwrite<std::uint8_t[]>(in.size());
    const core::MutableByteView plaintext(scratch.get(), in.size());
    const bool good = gcm_open(context_.get(), in, message->tag(), plaintext);
    if (good) std::ranges::copy(plaintext, out.begin());
    core::wipe(plaintext);
    if (!good) return not_authentic();
    return in.size();
  }

  Outcome<void> begin(const CallParameter& parameter, core::ByteView aad) override {
    held_.clear();
    if (auto message = started(parameter, aad); !message) return std::move(message).error();
    return {};
  }
  // By parts nothing comes out before the end (A35).
  Outcome<std::size_t> next_size(std::size_t in, bool last) const override {
    if (in > kGcmLargestHeld - held_.size()) {
      return fault(CKR_ENCRYPTED_DATA_LEN_RANGE, "too much data for decryption by parts");
    }
    return last ? held_.size() + in : 0;
  }
  Outcome<std::size_t> next(const CallParameter& parameter, core::ByteView in, bool last,
                            core::MutableByteView out) override {
    if (!last) {
      held_.insert(held_.end(), in.begin(), in.end());
      return std::size_t{0};
    }
    auto message = read_gcm_message(parameter);
    if (!message) return std::move(message).error();
    held_.insert(held_.end(), in.begin(), in.end());
    const bool good = gcm_open(context_.get(), held_, message->tag(), held_);
    if (good) std::ranges::copy(held_, out.begin());
    const auto size = held_.size();
    core::wipe(held_);
    held_.clear();
    if (!good) return not_authentic();
    return size;
  }
  bool in_place() const override { return true; }

 private:
  Outcome<AeadMessage> started(const CallParameter& parameter, core::ByteView aad) {
    auto message = read_gcm_message(parameter);
    if (!message) return message;
    auto context = gcm_context(crypto_, *key_, false, message->nonce, aad);
    if (!context) return std::move(context).error();
    context_ = *std::move(context);
    return message;
  }

  const core::Crypto& crypto_;
  const ObjectPtr key_;
  LentCipherPtr context_;
  core::Bytes held_;  // ciphertext
};

// The block that C_Message...Init gets says nothing yet; many callers send one all the same.
Outcome<void> check_init(const Parameter& parameter) {
  if (parameter.bytes().empty() || parameter.bytes().size() == sizeof(CK_GCM_MESSAGE_PARAMS)) {
    return {};
  }
  return bad_parameter("not the size of the parameter");
}

template <typename Operation>
Outcome<std::unique_ptr<MessageOperation>> make(const OperationInput& input) {
  if (auto good = check_init(input.parameter); !good) return std::move(good).error();
  return std::unique_ptr<MessageOperation>(std::make_unique<Operation>(input));
}

}  // namespace

Outcome<std::unique_ptr<MessageOperation>> make_gcm_message_encrypt(const OperationInput& input) {
  return make<GcmMessageEncrypt>(input);
}

Outcome<std::unique_ptr<MessageOperation>> make_gcm_message_decrypt(const OperationInput& input) {
  return make<GcmMessageDecrypt>(input);
}

}  // namespace tallystick::token
