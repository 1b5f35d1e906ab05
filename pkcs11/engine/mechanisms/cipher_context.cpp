#include "pkcs11/engine/mechanisms/cipher_context.h"

namespace tallystick::token {
namespace {

struct ReadyCipher : Payload {
  explicit ReadyCipher(core::CipherCtxPtr of) : context(std::move(of)) {}
  const core::CipherCtxPtr context;
};

}  // namespace

Outcome<core::CipherCtxPtr> keyed_cipher(const core::Crypto& crypto, const Object& key,
                                         CK_MECHANISM_TYPE type, core::AesMode mode,
                                         bool encrypting) {
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
            EVP_CIPHER_CTX_set_padding(made.get(), 0) != 1) {
          return crypto_failed("AES");
        }
        return std::make_shared<const ReadyCipher>(std::move(made));
      });
  if (!ready) return std::move(ready).error();
  core::CipherCtxPtr copy(EVP_CIPHER_CTX_new());
  if (!copy || EVP_CIPHER_CTX_copy(copy.get(), (*ready)->context.get()) != 1) {
    return crypto_failed("AES");
  }
  return copy;
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
