#include "core/crypto/aead.h"

#include <climits>

namespace tallystick::core {
namespace {

constexpr std::size_t kLargestMessage = INT_MAX - Aead::kTagSize;

Error open_failed() { return {ErrorCode::kOpenFailed, "the sealed bytes do not open", 0}; }

// A context that holds the key and waits for a nonce.
CipherCtxPtr keyed_context(const EVP_CIPHER* cipher, AeadAlgorithm algorithm, ByteView key,
                           std::size_t nonce_size, bool sealing) {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  const int direction = sealing ? 1 : 0;
  if (!context ||
      EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, direction, nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce_size),
                          nullptr) != 1) {
    return nullptr;
  }
  // CCM wants its tag length before the key.
  if (algorithm == AeadAlgorithm::kCcm &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, Aead::kTagSize, nullptr) != 1) {
    return nullptr;
  }
  if (EVP_CipherInit_ex2(context.get(), nullptr, key.data(), nullptr, direction, nullptr) != 1) {
    return nullptr;
  }
  return context;
}

bool feed_aad(EVP_CIPHER_CTX* context, AeadAlgorithm algorithm, ByteView aad, std::size_t length) {
  int written = 0;
  // CCM wants the length of the message before the associated data. It is told even where there is
  // none: after an opening that failed libcrypto believes that it knows the length already, and
  // would go on with that of the message before.
  if (algorithm == AeadAlgorithm::kCcm &&
      EVP_CipherUpdate(context, nullptr, &written, nullptr, static_cast<int>(length)) != 1) {
    return false;
  }
  if (aad.empty()) return true;
  return EVP_CipherUpdate(context, nullptr, &written, aad.data(), static_cast<int>(aad.size())) ==
         1;
}

// One pass over the message. Empty messages still go in with pointers that are not null: a null
// one means "associated data" or "finish" to libcrypto, and CCM would then accept any tag.
bool feed_message(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) {
  std::uint8_t unused_out = 0;
  const std::uint8_t unused_in = 0;
  int written = 0;
  return EVP_CipherUpdate(context, in.empty() ? &unused_out : out, &written,
                          in.empty() ? &unused_in : in.data(), static_cast<int>(in.size())) == 1;
}

bool finish(EVP_CIPHER_CTX* context, AeadAlgorithm algorithm) {
  // CCM is complete after its one update.
  if (algorithm == AeadAlgorithm::kCcm) return true;
  std::array<std::uint8_t, EVP_MAX_BLOCK_LENGTH> unused{};
  int written = 0;
  return EVP_CipherFinal_ex(context, unused.data(), &written) == 1;
}

}  // namespace

Result<Aead> Aead::create(const Crypto& crypto, AeadAlgorithm algorithm, ByteView key,
                          std::size_t nonce_size, AeadUse use) {
  const auto* const cipher =
      crypto.aes(algorithm == AeadAlgorithm::kGcm ? AesMode::kGcm : AesMode::kCcm, key.size());
  if (cipher == nullptr || nonce_size == 0 || nonce_size > INT_MAX) {
    return Error{ErrorCode::kInvalidArgument, "not the size of an AES key or a nonce", 0};
  }
  CipherCtxPtr seal;
  CipherCtxPtr open;
  if (use != AeadUse::kOpen) seal = keyed_context(cipher, algorithm, key, nonce_size, true);
  if (use != AeadUse::kSeal) open = keyed_context(cipher, algorithm, key, nonce_size, false);
  if ((use != AeadUse::kOpen && !seal) || (use != AeadUse::kSeal && !open)) {
    return crypto_error("AEAD key");
  }
  return Aead(std::move(seal), std::move(open), algorithm, nonce_size);
}

Status Aead::seal(ByteView nonce, ByteView aad, ByteView plaintext, MutableByteView out) {
  if (!seal_ || nonce.size() != nonce_size_ || plaintext.size() > kLargestMessage ||
      aad.size() > kLargestMessage || out.size() != plaintext.size() + kTagSize) {
    return Error{ErrorCode::kInvalidArgument, "AEAD sizes", 0};
  }
  auto* const context = seal_.get();
  if (EVP_CipherInit_ex2(context, nullptr, nullptr, nonce.data(), 1, nullptr) != 1 ||
      !feed_aad(context, algorithm_, aad, plaintext.size()) ||
      !feed_message(context, plaintext, out.data()) || !finish(context, algorithm_) ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize,
                          out.data() + plaintext.size()) != 1) {
    return crypto_error("AEAD seal");
  }
  return {};
}

Status Aead::open(ByteView nonce, ByteView aad, ByteView sealed, MutableByteView out) {
  if (!open_ || nonce.size() != nonce_size_ || sealed.size() > kLargestMessage ||
      aad.size() > kLargestMessage ||
      (sealed.size() >= kTagSize && out.size() != sealed.size() - kTagSize)) {
    return Error{ErrorCode::kInvalidArgument, "AEAD sizes", 0};
  }
  if (sealed.size() < kTagSize) return open_failed();
  const auto ciphertext = sealed.first(sealed.size() - kTagSize);
  // libcrypto reads the expected tag through a pointer to non-const.
  auto* const tag = const_cast<std::uint8_t*>(sealed.last(kTagSize).data());
  auto* const context = open_.get();
  if (EVP_CipherInit_ex2(context, nullptr, nullptr, nonce.data(), 0, nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag) != 1) {
    return crypto_error("AEAD open");
  }
  if (!feed_aad(context, algorithm_, aad, ciphertext.size()) ||
      !feed_message(context, ciphertext, out.data()) || !finish(context, algorithm_)) {
    wipe(out);
    (void)crypto_error("AEAD open");  // empties the queue: every cause gives the same answer
    return open_failed();
  }
  return {};
}

}  // namespace tallystick::core
