#include "core/crypto/key_wrap.h"

#include <openssl/modes.h>

namespace tallystick::core {
namespace {

constexpr std::size_t kBlock = 8;

// The block cipher that libcrypto's key wrap calls. Its own ciphers for key wrap compute AES from
// tables; under the same library's key wrap the bare block cipher is the processor's, in constant
// time.
struct BlockCipher {
  CipherCtxPtr context;
  bool failed = false;

  static void run(const unsigned char in[16], unsigned char out[16], const void* self) {
    // libcrypto hands on what it was given, which is not const.
    auto& cipher = *static_cast<BlockCipher*>(const_cast<void*>(self));
    int written = 0;
    cipher.failed = EVP_CipherUpdate(cipher.context.get(), out, &written, in, 16) != 1 ||
                    written != 16 || cipher.failed;
  }
};

Result<BlockCipher> keyed(const Crypto& crypto, ByteView key, bool wrapping) {
  const auto* const cipher = crypto.aes(AesMode::kEcb, key.size());
  if (cipher == nullptr) return Error{ErrorCode::kInvalidArgument, "not the size of an AES key", 0};
  BlockCipher out{CipherCtxPtr(EVP_CIPHER_CTX_new())};
  if (!out.context ||
      EVP_CipherInit_ex2(out.context.get(), cipher, key.data(), nullptr, wrapping ? 1 : 0,
                         nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(out.context.get(), 0) != 1) {
    return crypto_error("AES key wrap");
  }
  return out;
}

}  // namespace

Result<Bytes> wrap_key(const Crypto& crypto, ByteView key, ByteView plaintext) {
  if (plaintext.size() < 2 * kBlock || plaintext.size() % kBlock != 0 ||
      plaintext.size() > kMostWrapped) {
    return Error{ErrorCode::kInvalidArgument, "only whole blocks are wrapped, two or more", 0};
  }
  auto cipher = keyed(crypto, key, true);
  if (!cipher) return std::move(cipher).error();
  Bytes out(plaintext.size() + kKeyWrapOverhead);
  const auto written = CRYPTO_128_wrap(&*cipher, nullptr, out.data(), plaintext.data(),
                                       plaintext.size(), &BlockCipher::run);
  if (cipher->failed || written != out.size()) return crypto_error("AES key wrap");
  return out;
}

Result<Secret> unwrap_key(const Crypto& crypto, ByteView key, ByteView wrapped) {
  const Error refused{ErrorCode::kOpenFailed, "a wrapped key does not open", 0};
  if (wrapped.size() < 3 * kBlock || wrapped.size() % kBlock != 0 ||
      wrapped.size() > kMostWrapped + kKeyWrapOverhead) {
    return refused;
  }
  auto cipher = keyed(crypto, key, false);
  if (!cipher) return std::move(cipher).error();
  Secret out(wrapped.size() - kKeyWrapOverhead);
  const auto written = CRYPTO_128_unwrap(&*cipher, nullptr, out.span().data(), wrapped.data(),
                                         wrapped.size(), &BlockCipher::run);
  if (cipher->failed) return crypto_error("AES key wrap");
  if (written != out.size()) {
    forget_crypto_errors();
    return refused;
  }
  return out;
}

}  // namespace tallystick::core
