#include "pkcs11/engine/mechanisms/aes_kwp.h"

#include "core/crypto/crypto.h"
#include "pkcs11/engine/keys/wrapped_key.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kBlock = 8;
constexpr std::size_t kShortestWrapping = 16;

// A context that wraps or unwraps in one call.
Outcome<core::CipherCtxPtr> keyed(const core::Crypto& crypto, core::ByteView key, bool wrapping) {
  const char* const name = key.size() == 16   ? "AES-128-WRAP-PAD"
                           : key.size() == 24 ? "AES-192-WRAP-PAD"
                                              : "AES-256-WRAP-PAD";
  const core::CipherPtr cipher(EVP_CIPHER_fetch(crypto.lib(), name, nullptr));
  core::CipherCtxPtr context(EVP_CIPHER_CTX_new());
  if (!cipher || !context) return crypto_failed("AES key wrap");
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, wrapping ? 1 : 0,
                         nullptr) != 1) {
    return crypto_failed("AES key wrap");
  }
  return context;
}

std::size_t wrapped(std::size_t size) { return (size + kBlock - 1) / kBlock * kBlock + kBlock; }

}  // namespace

Outcome<std::size_t> kwp_size(const WrapInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  auto size = key_encoding_size(input.context.crypto, *input.key);
  if (!size) return size;
  return wrapped(*size);
}

Outcome<core::Bytes> kwp_wrap(const WrapInput& input) {
  auto encoded = key_encoding(input.context.crypto, *input.key);
  if (!encoded) return std::move(encoded).error();
  auto context = keyed(input.context.crypto, input.wrapping_key->value(), true);
  if (!context) return std::move(context).error();
  core::Bytes out(wrapped(encoded->size()) + kBlock);
  int written = 0;
  if (EVP_CipherUpdate(context->get(), out.data(), &written, encoded->view().data(),
                       static_cast<int>(encoded->size())) != 1 ||
      written <= 0) {
    return crypto_failed("AES key wrap");
  }
  out.resize(static_cast<std::size_t>(written));
  return out;
}

Outcome<Produced> kwp_unwrap(const UnwrapInput& input) {
  if (auto none = input.parameter.none(); !none) return std::move(none).error();
  if (input.blob.size() < kShortestWrapping || input.blob.size() % kBlock != 0) {
    return fault(CKR_WRAPPED_KEY_LEN_RANGE, "not the length of a wrapped key");
  }
  auto context = keyed(input.context.crypto, input.unwrapping_key->value(), false);
  if (!context) return std::move(context).error();
  core::Secret out(input.blob.size() + kBlock);
  int written = 0;
  if (EVP_CipherUpdate(context->get(), out.span().data(), &written, input.blob.data(),
                       static_cast<int>(input.blob.size())) != 1 ||
      written <= 0) {
    forget_errors();
    return fault(CKR_WRAPPED_KEY_INVALID, "not the wrapping of such a key");
  }
  out.truncate(static_cast<std::size_t>(written));
  auto draft = key_from_encoding(input.context.crypto, input.wanted, out.view());
  if (!draft) return std::move(draft).error();
  return Produced{*std::move(draft), {}, nullptr};
}

}  // namespace tallystick::token
