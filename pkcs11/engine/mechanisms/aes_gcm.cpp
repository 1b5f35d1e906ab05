#include "pkcs11/engine/mechanisms/aes_gcm.h"

#include <algorithm>
#include <array>

#include "pkcs11/engine/mechanisms/cipher_context.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kTagSize = kGcmTagSize;
constexpr std::size_t kUsualIv = 12;  // libcrypto's default
constexpr std::size_t kLargestAad = 1UL << 20;
constexpr std::size_t kLargestHeld = kGcmLargestHeld + kTagSize;

// The context of C_EncryptInit and C_DecryptInit.
Outcome<LentCipherPtr> keyed(const OperationInput& input, bool encrypting) {
  auto params = input.parameter.as<CK_GCM_PARAMS>();
  if (!params) return std::move(params).error();
  if (params->ulTagBits != 8 * kTagSize) return bad_parameter("GCM tags have 128 bits");
  auto iv = copy_memory(params->pIv, params->ulIvLen, kGcmLargestIv);
  if (!iv) return std::move(iv).error();
  auto aad = copy_memory(params->pAAD, params->ulAADLen, kLargestAad);
  if (!aad) return std::move(aad).error();
  return gcm_context(input.context.crypto, *input.key, encrypting, *iv, *aad);
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

}  // namespace

Outcome<LentCipherPtr> gcm_context(const core::Crypto& crypto, const Object& key, bool encrypting,
                                   core::ByteView iv, core::ByteView aad) {
  if (iv.empty()) return bad_parameter("GCM needs an IV");
  if (aad.size() > kLargestAad) return bad_parameter("too much associated data");
  auto context = keyed_cipher(crypto, key, CKM_AES_GCM, core::AesMode::kGcm, encrypting);
  if (!context) return context;
  const bool usual = iv.size() == kUsualIv;
  context->get_deleter().keep = usual;
  if ((!usual && EVP_CIPHER_CTX_ctrl(context->get(), EVP_CTRL_AEAD_SET_IVLEN,
                                     static_cast<int>(iv.size()), nullptr) != 1) ||
      !start_cipher(context->get(), iv) || feed_cipher(context->get(), aad, nullptr) < 0) {
    return crypto_failed("AES-GCM");
  }
  return context;
}

Outcome<void> gcm_encrypt(EVP_CIPHER_CTX* context, core::ByteView in, core::MutableByteView out) {
  if (!feed(context, in, out)) return crypto_failed("AES-GCM");
  return {};
}

Outcome<void> gcm_tag(EVP_CIPHER_CTX* context, core::MutableByteView tag) {
  if (!finish_context(context) ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) != 1) {
    return crypto_failed("AES-GCM");
  }
  return {};
}

bool gcm_open(EVP_CIPHER_CTX* context, core::ByteView in, core::ByteView tag,
              core::MutableByteView out) {
  auto expected = core::array_of<kTagSize>(tag);
  const bool good =
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, expected.data()) == 1 &&
      feed(context, in, out) && finish_context(context);
  if (!good) forget_errors();
  return good;
}

namespace {

class GcmEncrypt final : public CipherOperation {
 public:
  explicit GcmEncrypt(LentCipherPtr context) : context_(std::move(context)) {}

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
    if (auto done = gcm_encrypt(context_.get(), in, out); !done) return std::move(done).error();
    return in.size();
  }
  Outcome<std::size_t> finish_size() const override { return kTagSize; }
  Outcome<std::size_t> finish(core::MutableByteView out) override {
    if (auto done = gcm_tag(context_.get(), out); !done) return std::move(done).error();
    return kTagSize;
  }
  bool in_place() const override { return true; }

 private:
  LentCipherPtr context_;
};

class GcmDecrypt final : public CipherOperation {
 public:
  explicit GcmDecrypt(LentCipherPtr context) : context_(std::move(context)) {}

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
    if (!gcm_open(context_.get(), in.first(plaintext.size()), in.last(kTagSize), plaintext)) {
      return fault(CKR_ENCRYPTED_DATA_INVALID, "the data does not carry its tag");
    }
    return plaintext.size();
  }

  LentCipherPtr context_;
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
