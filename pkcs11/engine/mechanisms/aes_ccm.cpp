// The mode begins with the length of the message, which the parameter tells, and libcrypto takes
// the message in one piece: by parts it is held until the end, in either direction.
#include "pkcs11/engine/mechanisms/aes_ccm.h"

#include "core/crypto/aead.h"
#include "pkcs11/engine/mechanisms/held_cipher.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kTagSize = kCcmTagSize;
constexpr std::size_t kShortestNonce = 7;
constexpr std::size_t kLongestNonce = 13;
constexpr std::size_t kLargestHeld = (64UL << 20) + kTagSize;

struct Message {
  core::Aead aead;
  core::Bytes nonce;
  core::Bytes aad;
  std::size_t size;  // of the plaintext
};

// Whether the nonce leaves room to write the length: 15 - nonce bytes.
bool length_fits(CK_ULONG size, std::size_t nonce) {
  const auto bits = 8 * (15 - nonce);
  return bits >= 64 || size >> bits == 0;
}

Outcome<Message> read_message(const OperationInput& input, core::AeadUse use) {
  auto params = input.parameter.as<CK_CCM_PARAMS>();
  if (!params) return std::move(params).error();
  // Short tags are easier to forge (A34).
  if (params->ulMACLen != kTagSize) return bad_parameter("CCM tags have 16 bytes");
  auto nonce = ccm_nonce(params->pNonce, params->ulNonceLen, params->ulDataLen);
  if (!nonce) return std::move(nonce).error();
  auto aad = copy_memory(params->pAAD, params->ulAADLen, kCcmLargestAad);
  if (!aad) return std::move(aad).error();
  auto aead = core::Aead::create(input.context.crypto, core::AeadAlgorithm::kCcm,
                                 input.key->value(), nonce->size(), use);
  if (!aead) return from_core(aead.error(), CKR_KEY_SIZE_RANGE);
  return Message{*std::move(aead), *std::move(nonce), *std::move(aad), params->ulDataLen};
}

class CcmEncrypt final : public HeldCipher {
 public:
  static constexpr auto kUse = core::AeadUse::kSeal;
  explicit CcmEncrypt(Message message)
      : HeldCipher(true, std::min(message.size, kLargestHeld)), message_(std::move(message)) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (in != message_.size) return wrong_length(true, "not the length in the parameter");
    return in + kTagSize;
  }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    auto sealed = message_.aead.seal(message_.nonce, message_.aad, in, out);
    if (!sealed) return from_core(sealed.error(), CKR_FUNCTION_FAILED);
    return out.size();
  }

 private:
  Message message_;
};

class CcmDecrypt final : public HeldCipher {
 public:
  static constexpr auto kUse = core::AeadUse::kOpen;
  explicit CcmDecrypt(Message message)
      : HeldCipher(false, std::min(message.size + kTagSize, kLargestHeld)),
        message_(std::move(message)) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (in != message_.size + kTagSize) {
      return wrong_length(false, "not the length in the parameter and a tag");
    }
    return message_.size;
  }
  // Not into the caller's buffer before the tag was seen: another thread could read it there (A35).
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    const auto scratch = std::make_unique_for_overwrite<std::uint8_t[]>(message_.size);
    return open(in, {scratch.get(), message_.size}, out);
  }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    return open(held(), held().first(message_.size), out);
  }

 private:
  Outcome<std::size_t> open(core::ByteView in, core::MutableByteView plaintext,
                            core::MutableByteView out) {
    auto opened = message_.aead.open(message_.nonce, message_.aad, in, plaintext);
    if (opened) std::ranges::copy(plaintext, out.begin());
    core::wipe(plaintext);
    if (!opened) {
      return fault(CKR_ENCRYPTED_DATA_INVALID, "the data does not carry its tag");
    }
    return plaintext.size();
  }

  Message message_;
};

template <typename Operation>
Outcome<std::unique_ptr<CipherOperation>> make(const OperationInput& input) {
  auto message = read_message(input, Operation::kUse);
  if (!message) return std::move(message).error();
  return std::unique_ptr<CipherOperation>(std::make_unique<Operation>(*std::move(message)));
}

}  // namespace

Outcome<core::Bytes> ccm_nonce(const void* memory, CK_ULONG length, CK_ULONG size) {
  auto nonce = copy_memory(memory, length, kLongestNonce);
  if (!nonce) return nonce;
  if (nonce->size() < kShortestNonce) return bad_parameter("CCM nonces have 7 to 13 bytes");
  if (!length_fits(size, nonce->size()) || size > kLargestPart) {
    return bad_parameter("too much data for CCM with this nonce");
  }
  return nonce;
}

Outcome<std::unique_ptr<CipherOperation>> make_ccm_encrypt(const OperationInput& input) {
  return make<CcmEncrypt>(input);
}

Outcome<std::unique_ptr<CipherOperation>> make_ccm_decrypt(const OperationInput& input) {
  return make<CcmDecrypt>(input);
}

}  // namespace tallystick::token
