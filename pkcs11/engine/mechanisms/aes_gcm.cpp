#include "pkcs11/engine/mechanisms/aes_gcm.h"

#include <algorithm>
#include <array>

#include "pkcs11/engine/mechanisms/cipher_context.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kTagSize = 16;
constexpr std::size_t kUsualIv = 12;  // libcrypto's default
constexpr std::size_t kLargestIv = 128;
constexpr std::size_t kLargestAad = 1UL << 20;
// What is held back until the tag was seen, in decryption by parts.
constexpr std::size_t kLargestHeld = (64UL << 20) + kTagSize;

// A context with key, IV and associated data in place.
Outcome<core::CipherCtxPtr> keyed(const OperationInput& input, bool encrypting) {
  auto params = input.parameter.as<CK_GCM_PARAMS>();
  if (!params) return std::move(params).error();
  // Short tags are easier to forge (A34).
  if (params->ulTagBits != 8 * kTagSize) return bad_parameter("GCM tags have 128 bits");
  auto iv = copy_memory(params->pIv, params->ulIvLen, kLargestIv);
  if (!iv) return std::move(iv).error();
  if (iv->empty()) return bad_parameter("GCM needs an IV");
  auto aad = copy_memory(params->pAAD, params->ulAADLen, kLargestAad);
  if (!aad) return std::move(aad).error();

  auto context =
      keyed_cipher(input.context, *input.key, CKM_AES_GCM, core::AesMode::kGcm, encrypting);
  if (!context) return context;
  if ((iv->size() != kUsualIv && EVP_CIPHER_CTX_ctrl(context->get(), EVP_CTRL_AEAD_SET_IVLEN,
                                                     static_cast<int>(iv->size()), nullptr) != 1) ||
      !start_cipher(context->get(), *iv) || feed_cipher(context->get(), *aad, nullptr) < 0) {
    return crypto_failed("AES-GCM");
  }
  return context;
}

Outcome<void> check_part(std::size_t size) {
  if (size > kLargestPart) return fault(CKR_DATA_LEN_RANGE, "too much data in one call");
  return {};
}

bool feed(EVP_CIPHER_CTX* context, core::ByteView in, core::MutableByteView out) {
  return feed_cipher(context, in, out.data()) == static_cast<int>(in.size());
}

bool finish_context(EVP_CIPHER_CTX* context) {
  std::array<std::uint8_t, EVP_MAX_BLOCK_LENGTH> unused{};
  int written = 0;
  return EVP_CipherFinal_ex(context, unused.data(), &written) == 1;
}

class GcmEncrypt final : public CipherOperation {
 public:
  explicit GcmEncrypt(core::CipherCtxPtr context) : context_(std::move(context)) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (auto good = check_part(in); !good) return std::move(good).error();
    return in + kTagSize;
  }
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    if (auto fed = update(in, out.first(in.size())); !fed) return fed;
    if (auto done = finish(out.subspan(in.size())); !done) return done;
    return out.size();
  }
  Outcome<std::size_t> update_size(std::size_t in) const override {
    if (auto good = check_part(in); !good) return std::move(good).error();
    return in;
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView out) override {
    if (!feed(context_.get(), in, out)) return crypto_failed("AES-GCM");
    return in.size();
  }
  Outcome<std::size_t> finish_size() const override { return kTagSize; }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    if (!finish_context(context_.get()) ||
        EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, out.data()) != 1) {
      return crypto_failed("AES-GCM");
    }
    return kTagSize;
  }
  bool in_place() const override { return true; }

 private:
  core::CipherCtxPtr context_;
};

class GcmDecrypt final : public CipherOperation {
 public:
  explicit GcmDecrypt(core::CipherCtxPtr context) : context_(std::move(context)) {}

  Outcome<std::size_t> once_size(std::size_t in) const override {
    if (in < kTagSize) return fault(CKR_ENCRYPTED_DATA_LEN_RANGE, "shorter than its tag");
    if (in - kTagSize > kLargestPart) {
      return fault(CKR_ENCRYPTED_DATA_LEN_RANGE, "too much data in one call");
    }
    return in - kTagSize;
  }
  // Not into the caller's buffer before the tag was seen: another thread could read it there (A35).
  Outcome<std::size_t> once(core::ByteView in, core::MutableByteView out) override {
    const auto size = in.size() - kTagSize;
    const auto scratch = std::make_unique_for_overwrite<std::uint8_t[]>(size);
    const core::MutableByteView plaintext(scratch.get(), size);
    auto opened = open(in, plaintext);
    if (opened) std::ranges::copy(plaintext, out.begin());
    core::wipe(plaintext);
    return opened;
  }
  // By parts nothing comes out before the end (A35).
  Outcome<std::size_t> update_size(std::size_t in) const override {
    if (in > kLargestHeld - held_.size()) {
      return fault(CKR_ENCRYPTED_DATA_LEN_RANGE, "too much data for decryption by parts");
    }
    return std::size_t{0};
  }
  Outcome<std::size_t> update(core::ByteView in, core::MutableByteView) override {
    held_.insert(held_.end(), in.begin(), in.end());
    return std::size_t{0};
  }
  Outcome<std::size_t> finish_size() const override { return once_size(held_.size()); }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    const auto plaintext = core::MutableByteView(held_).first(held_.size() - kTagSize);
    auto opened = open(held_, plaintext);
    if (opened) std::ranges::copy(plaintext, out.begin());
    core::wipe(plaintext);
    return opened;
  }
  bool in_place() const override { return true; }

 private:
  // `plaintext` may be where the ciphertext is. After a failure its contents mean nothing.
  Outcome<std::size_t> open(core::ByteView in, core::MutableByteView plaintext) {
    auto tag = core::array_of<kTagSize>(in.last(kTagSize));
    if (EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) != 1) {
      return crypto_failed("AES-GCM");
    }
    if (!feed(context_.get(), in.first(plaintext.size()), plaintext) ||
        !finish_context(context_.get())) {
      forget_errors();
      return fault(CKR_ENCRYPTED_DATA_INVALID, "the data does not carry its tag");
    }
    return plaintext.size();
  }

  core::CipherCtxPtr context_;
  core::Bytes held_;
};

template <typename Operation>
Outcome<std::unique_ptr<CipherOperation>> make(const OperationInput& input, bool encrypting) {
  auto context = keyed(input, encrypting);
  if (!context) return std::move(context).error();
  return std::unique_ptr<CipherOperation>(std::make_unique<Operation>(*std::move(context)));
}

}  // namespace

Outcome<std::unique_ptr<CipherOperation>> make_gcm_encrypt(const OperationInput& input) {
  return make<GcmEncrypt>(input, true);
}

Outcome<std::unique_ptr<CipherOperation>> make_gcm_decrypt(const OperationInput& input) {
  return make<GcmDecrypt>(input, false);
}

}  // namespace tallystick::token
