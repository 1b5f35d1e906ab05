#include "pkcs11/engine/mechanisms/cipher_context.h"

#include <atomic>

namespace tallystick::token {

struct ReadyCipher : Payload {
  explicit ReadyCipher(core::CipherCtxPtr of) : context(std::move(of)) {}
  ReadyCipher(const ReadyCipher&) = delete;
  ReadyCipher& operator=(const ReadyCipher&) = delete;
  ~ReadyCipher() override { EVP_CIPHER_CTX_free(spare.load()); }

  const core::CipherCtxPtr context;
  // A copy that no operation has at the moment: making one costs as much as sealing two kilobytes.
  mutable std::atomic<EVP_CIPHER_CTX*> spare{nullptr};
};

void ReturnCipher::operator()(EVP_CIPHER_CTX* context) const {
  EVP_CIPHER_CTX_free(keep ? owner->spare.exchange(context, std::memory_order_acq_rel) : context);
}

namespace {

// Asked of the modes that pad alone: libcrypto asks the cipher again each time it takes an IV.
bool without_padding(EVP_CIPHER_CTX* context, core::AesMode mode) {
  return (mode != core::AesMode::kCbc && mode != core::AesMode::kEcb) ||
         EVP_CIPHER_CTX_set_padding(context, 0) == 1;
}

}  // namespace

Outcome<LentCipherPtr> keyed_cipher(const core::Crypto& crypto, const Object& key,
                                    CK_MECHANISM_TYPE type, core::AesMode mode, bool encrypting) {
  const auto use = encrypting ? Object::Prepared::kEncrypt : Object::Prepared::kDecrypt;
  auto ready =
      key.prepared<ReadyCipher>(use, type, [&]() -> Outcome<std::shared_ptr<const ReadyCipher>> {
        const auto value = key.value();
        const auto* const cipher = crypto.aes(mode, value.size());
        if (cipher == nullptr) return fault(CKR_KEY_SIZE_RANGE, "not the size of an AES key");
        core::CipherCtxPtr made(EVP_CIPHER_CTX_new());
        if (!made ||
            EVP_CipherInit_ex2(made.get(), cipher, value.data(), nullptr, encrypting ? 1 : 0,
                               nullptr) != 1 ||
            !without_padding(made.get(), mode)) {
          return crypto_failed("AES");
        }
        return std::make_shared<const ReadyCipher>(std::move(made));
      });
  if (!ready) return std::move(ready).error();
  if (auto* const spare = (*ready)->spare.exchange(nullptr, std::memory_order_acq_rel)) {
    return LentCipherPtr(spare, ReturnCipher{*std::move(ready)});
  }
  core::CipherCtxPtr copy(EVP_CIPHER_CTX_new());
  if (!copy || EVP_CIPHER_CTX_copy(copy.get(), (*ready)->context.get()) != 1) {
    return crypto_failed("AES");
  }
  return LentCipherPtr(copy.release(), ReturnCipher{*std::move(ready)});
}

bool start_cipher(EVP_CIPHER_CTX* context, core::ByteView iv) {
  return EVP_CipherInit_ex2(context, nullptr, nullptr, iv.data(), -1, nullptr) == 1;
}

int feed_cipher(EVP_CIPHER_CTX* context, core::ByteView in, std::uint8_t* out) {
  if (in.empty()) return 0;
  int written = 0;
  if (EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) != 1) {
    return -1;
  }
  return written;
}

}  // namespace tallystick::token
