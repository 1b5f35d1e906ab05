#include "devicesim/puf/stream.h"

#include <algorithm>

namespace tallystick::device::puf {

core::Result<Stream> Stream::create(const core::Crypto& crypto, const core::ByteArray<32>& seed) {
  core::CipherCtxPtr context(EVP_CIPHER_CTX_new());
  const core::ByteArray<16> counter{};
  if (!context || EVP_EncryptInit_ex2(context.get(), crypto.aes(core::AesMode::kCtr, seed.size()),
                                      seed.data(), counter.data(), nullptr) != 1) {
    return core::crypto_error("random stream");
  }
  return Stream(std::move(context));
}

core::Status Stream::fill(core::MutableByteView out) {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  int written = 0;
  if (EVP_EncryptUpdate(context_.get(), out.data(), &written, out.data(),
                        static_cast<int>(out.size())) != 1) {
    return core::crypto_error("random stream");
  }
  return {};
}

}  // namespace tallystick::device::puf
