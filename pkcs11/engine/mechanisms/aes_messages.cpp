// AES-GCM and AES-CCM, message after message (PKCS#11 3.0, CK_GCM_MESSAGE_PARAMS and
// CK_CCM_MESSAGE_PARAMS).
#include <algorithm>

#include "core/crypto/aead.h"
#include "pkcs11/engine/mechanisms/aead_message.h"
#include "pkcs11/engine/mechanisms/aes_ccm.h"
#include "pkcs11/engine/mechanisms/aes_gcm.h"
#include "pkcs11/engine/mechanisms/cipher_context.h"
#include "pkcs11/engine/mechanisms/held_data.h"
#include "pkcs11/engine/token.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kTagSize = kGcmTagSize;
static_assert(kTagSize == kCcmTagSize);
// By parts: what is held until its tag was seen, or until the text of CCM is whole.
constexpr std::size_t kLargestHeld = kGcmLargestHeld;

// ---- One message of either mode ----

class Gcm {
 public:
  using Params = CK_GCM_MESSAGE_PARAMS;
  // Whether ciphertext comes out as the text goes in.
  static constexpr bool kStreams = true;
  static Outcome<AeadMessage> read(const CallParameter& parameter) {
    return read_gcm_message(parameter);
  }
  static Outcome<Gcm> start(const core::Crypto& crypto, const Object& key, bool encrypting,
                            const AeadMessage& message, core::ByteView aad) {
    auto context = gcm_context(crypto, key, encrypting, message.nonce, aad);
    if (!context) return std::move(context).error();
    return Gcm(*std::move(context));
  }

  Outcome<void> encrypt(core::ByteView in, core::MutableByteView out) {
    return gcm_encrypt(context_.get(), in, out);
  }
  // The rest of the text, and the tag.
  Outcome<void> seal(core::ByteView in, core::MutableByteView out, core::MutableByteView tag) {
    if (auto done = encrypt(in, out); !done) return done;
    return gcm_tag(context_.get(), tag);
  }
  bool open(core::ByteView in, core::ByteView tag, core::MutableByteView out) {
    return gcm_open(context_.get(), in, tag, out);
  }

 private:
  explicit Gcm(LentCipherPtr context) : context_(std::move(context)) {}
  LentCipherPtr context_;
};

// libcrypto takes the message in one piece, tag and all.
class Ccm {
 public:
  using Params = CK_CCM_MESSAGE_PARAMS;
  static constexpr bool kStreams = false;
  static Outcome<AeadMessage> read(const CallParameter& parameter) {
    return read_ccm_message(parameter);
  }
  static Outcome<Ccm> start(const core::Crypto& crypto, const Object& key, bool encrypting,
                            const AeadMessage& message, core::ByteView aad) {
    if (aad.size() > kCcmLargestAad) return bad_parameter("associated data that are too long");
    auto aead =
        core::Aead::create(crypto, core::AeadAlgorithm::kCcm, key.value(), message.nonce.size(),
                           encrypting ? core::AeadUse::kSeal : core::AeadUse::kOpen);
    if (!aead) return from_core(aead.error(), CKR_KEY_SIZE_RANGE);
    return Ccm(*std::move(aead), message.nonce, core::Bytes(aad.begin(), aad.end()));
  }

  Outcome<void> seal(core::ByteView in, core::MutableByteView out, core::MutableByteView tag) {
    core::Bytes sealed(in.size() + kTagSize);
    if (auto done = aead_.seal(nonce_, aad_, in, sealed); !done) {
      return from_core(done.error(), CKR_FUNCTION_FAILED);
    }
    const core::ByteView whole(sealed);
    std::ranges::copy(whole.first(in.size()), out.begin());
    std::ranges::copy(whole.last(kTagSize), tag.begin());
    return {};
  }
  bool open(core::ByteView in, core::ByteView tag, core::MutableByteView out) {
    core::Bytes sealed(in.begin(), in.end());
    sealed.insert(sealed.end(), tag.begin(), tag.end());
    const bool good = aead_.open(nonce_, aad_, sealed, out).ok();
    if (!good) forget_errors();
    return good;
  }

 private:
  Ccm(core::Aead aead, core::Bytes nonce, core::Bytes aad)
      : aead_(std::move(aead)), nonce_(std::move(nonce)), aad_(std::move(aad)) {}
  core::Aead aead_;
  core::Bytes nonce_;
  core::Bytes aad_;
};

// ---- Message after message ----

Fault not_authentic() {
  return fault(CKR_AEAD_DECRYPT_FAILED, "the message does not carry its tag");
}

Outcome<std::size_t> part_size(std::size_t in, bool encrypting) {
  if (in > kLargestPart) return wrong_length(encrypting, "too much data in one call");
  return in;
}

// The text's length, where the parameter tells it.
Outcome<void> check_size(const AeadMessage& message, std::size_t size, bool encrypting) {
  if (message.size.value_or(size) != size) {
    return wrong_length(encrypting, "not the length in the parameter");
  }
  return {};
}

template <typename Mode>
class MessageEncrypt final : public MessageOperation {
 public:
  explicit MessageEncrypt(const OperationInput& input)
      : crypto_(input.context.crypto),
        key_(input.key),
        nonces_(input.context.token.services().nonces->source(*input.key)) {}

  Outcome<std::size_t> once_size(std::size_t in) const override { return part_size(in, true); }
  Outcome<std::size_t> once(const CallParameter& parameter, core::ByteView aad, core::ByteView in,
                            core::MutableByteView out) override {
    auto message = Mode::read(parameter);
    if (!message) return std::move(message).error();
    if (auto fits = check_size(*message, in.size(), true); !fits) return std::move(fits).error();
    if (auto started = start(*message, aad); !started) return std::move(started).error();
    core::ByteArray<kTagSize> tag{};
    if (auto done = mode_->seal(in, out, tag); !done) return std::move(done).error();
    message->write_nonce();
    message->write_tag(tag);
    return in.size();
  }

  Outcome<void> begin(const CallParameter& parameter, core::ByteView aad) override {
    auto message = Mode::read(parameter);
    if (!message) return std::move(message).error();
    if (auto started = start(*message, aad); !started) return started;
    held_.emplace(std::min(message->size.value_or(0), kLargestHeld));
    message->write_nonce();
    return {};
  }
  Outcome<std::size_t> next_size(std::size_t in, bool last) const override {
    if (Mode::kStreams) return once_size(in);
    // The session lets no part come before its message has begun.
    if (!held_->has_room_for(in)) return wrong_length(true, "more than was announced");
    return last ? held_->size() + in : 0;
  }
  Outcome<std::size_t> next(const CallParameter& parameter, core::ByteView in, bool last,
                            core::MutableByteView out) override {
    // Read before anything is done: only the last part's parameter must name a place for the tag.
    auto message = Mode::read(parameter);
    if (last && !message) return std::move(message).error();
    if (!last) return next_part(in, out);
    if constexpr (!Mode::kStreams) {
      held_->add(in);
      in = held_->span();
      if (auto fits = check_size(*message, in.size(), true); !fits) return std::move(fits).error();
    }
    core::ByteArray<kTagSize> tag{};
    const auto done = mode_->seal(in, out, tag);
    held_.reset();
    if (!done) return done.error();
    message->write_tag(tag);
    return in.size();
  }
  bool in_place() const override { return true; }

 private:
  // Every message gets its nonce before it is touched: a failure may lose one, never use it twice.
  Outcome<void> start(AeadMessage& message, core::ByteView aad) {
    if (auto made = message.make_nonce(crypto_, *key_, *nonces_); !made) return made;
    auto mode = Mode::start(crypto_, *key_, true, message, aad);
    if (!mode) return std::move(mode).error();
    mode_.emplace(*std::move(mode));
    return {};
  }
  Outcome<std::size_t> next_part(core::ByteView in, core::MutableByteView out) {
    if constexpr (Mode::kStreams) {
      if (auto done = mode_->encrypt(in, out); !done) return std::move(done).error();
      return in.size();
    } else {
      held_->add(in);
      return std::size_t{0};
    }
  }

  const core::Crypto& crypto_;
  const ObjectPtr key_;
  const std::shared_ptr<NonceSource> nonces_;
  std::optional<Mode> mode_;
  std::optional<HeldData> held_;  // text, where the mode does not stream
};

template <typename Mode>
class MessageDecrypt final : public MessageOperation {
 public:
  explicit MessageDecrypt(const OperationInput& input)
      : crypto_(input.context.crypto), key_(input.key) {}

  Outcome<std::size_t> once_size(std::size_t in) const override { return part_size(in, false); }
  // Not into the caller's buffer before the tag was seen: another thread could read it there (A35).
  Outcome<std::size_t> once(const CallParameter& parameter, core::ByteView aad, core::ByteView in,
                            core::MutableByteView out) override {
    auto message = started(parameter, aad);
    if (!message) return std::move(message).error();
    if (auto fits = check_size(*message, in.size(), false); !fits) return std::move(fits).error();
    const auto scratch = std::make_unique_for_overwrite<std::uint8_t[]>(in.size());
    const core::MutableByteView plaintext(scratch.get(), in.size());
    const bool good = mode_->open(in, message->tag(), plaintext);
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
    if (in > kLargestHeld - held_.size()) {
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
    auto message = Mode::read(parameter);
    if (!message) return std::move(message).error();
    if (auto fits = check_size(*message, held_.size() + in.size(), false); !fits) {
      return std::move(fits).error();
    }
    held_.insert(held_.end(), in.begin(), in.end());
    const bool good = mode_->open(held_, message->tag(), held_);
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
    auto message = Mode::read(parameter);
    if (!message) return message;
    auto mode = Mode::start(crypto_, *key_, false, *message, aad);
    if (!mode) return std::move(mode).error();
    mode_.emplace(*std::move(mode));
    return message;
  }

  const core::Crypto& crypto_;
  const ObjectPtr key_;
  std::optional<Mode> mode_;
  core::Bytes held_;  // ciphertext
};

// The block that C_Message...Init gets says nothing yet; many callers send one all the same.
template <typename Mode, template <typename> class Operation>
Outcome<std::unique_ptr<MessageOperation>> make(const OperationInput& input) {
  const auto size = input.parameter.bytes().size();
  if (size != 0 && size != sizeof(typename Mode::Params)) {
    return bad_parameter("not the size of the parameter");
  }
  return std::unique_ptr<MessageOperation>(std::make_unique<Operation<Mode>>(input));
}

}  // namespace

Outcome<std::unique_ptr<MessageOperation>> make_gcm_message_encrypt(const OperationInput& input) {
  return make<Gcm, MessageEncrypt>(input);
}
Outcome<std::unique_ptr<MessageOperation>> make_gcm_message_decrypt(const OperationInput& input) {
  return make<Gcm, MessageDecrypt>(input);
}
Outcome<std::unique_ptr<MessageOperation>> make_ccm_message_encrypt(const OperationInput& input) {
  return make<Ccm, MessageEncrypt>(input);
}
Outcome<std::unique_ptr<MessageOperation>> make_ccm_message_decrypt(const OperationInput& input) {
  return make<Ccm, MessageDecrypt>(input);
}

}  // namespace tallystick::token
