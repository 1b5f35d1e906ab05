#include "core/crypto/cbc.h"

#include <climits>

namespace tallystick::core {
namespace {

Status run(const Crypto& crypto, bool encrypting, ByteView key, const ByteArray<16>& iv,
           MutableByteView data) {
  const auto* const cipher = crypto.aes(AesMode::kCbc, key.size());
  if (cipher == nullptr || data.size() % 16 != 0 || data.size() > INT_MAX) {
    return Error{ErrorCode::kInvalidArgument, "sizes of an AES-CBC key or its data", 0};
  }
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int written = 0;
  if (!context ||
      EVP_CipherInit_ex2(context.get(), cipher, key.data(), iv.data(), encrypting ? 1 : 0,
                         nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_CipherUpdate(context.get(), data.data(), &written, data.data(),
                       static_cast<int>(data.size())) != 1 ||
      written != static_cast<int>(data.size())) {
    return crypto_error("AES-CBC");
  }
  return {};
}

}  // namespace

Status cbc_encrypt(const Crypto& crypto, ByteView key, const ByteArray<16>& iv,
                   MutableByteView data) {
  return run(crypto, true, key, iv, data);
}

Status cbc_decrypt(const Crypto& crypto, ByteView key, const ByteArray<16>& iv,
                   MutableByteView data) {
  return run(crypto, false, key, iv, data);
}

}  // namespace tallystick::core
