#include "core/crypto/mac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

namespace tallystick::core {
namespace {

constexpr std::size_t kCmacSize = 16;

Result<MacCtxPtr> start(EVP_MAC* algorithm, ByteView key, const char* parameter,
                        const char* value) {
  MacCtxPtr context(EVP_MAC_CTX_new(algorithm));
  if (!context) return crypto_error("MAC");
  // libcrypto takes the name as char* and only reads it.
  const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(parameter, const_cast<char*>(value), 0),
      OSSL_PARAM_construct_end()};
  // HMAC keys may be empty, but the pointer to one may not be null.
  const std::uint8_t nothing = 0;
  const auto* const bytes = key.empty() ? &nothing : key.data();
  if (EVP_MAC_init(context.get(), bytes, key.size(), params.data()) != 1) {
    return crypto_error("MAC key");
  }
  return context;
}

Status feed_all(Mac& mac, std::initializer_list<ByteView> parts) {
  for (const auto part : parts) {
    if (auto fed = mac.update(part); !fed) return fed;
  }
  return {};
}

}  // namespace

Result<Mac> Mac::hmac(const Crypto& crypto, Hash hash, ByteView key) {
  auto context =
      start(crypto.hmac(), key, OSSL_MAC_PARAM_DIGEST, EVP_MD_get0_name(crypto.md(hash)));
  if (!context) return std::move(context).error();
  return Mac(*std::move(context), hash_size(hash));
}

Result<Mac> Mac::cmac(const Crypto& crypto, ByteView key) {
  const char* const cipher = key.size() == 16   ? "AES-128-CBC"
                             : key.size() == 24 ? "AES-192-CBC"
                             : key.size() == 32 ? "AES-256-CBC"
                                                : nullptr;
  if (cipher == nullptr) return Error{ErrorCode::kInvalidArgument, "not the size of an AES key", 0};
  auto context = start(crypto.cmac(), key, OSSL_MAC_PARAM_CIPHER, cipher);
  if (!context) return std::move(context).error();
  return Mac(*std::move(context), kCmacSize);
}

Result<Mac> Mac::copy() const {
  MacCtxPtr context(EVP_MAC_CTX_dup(context_.get()));
  if (!context) return crypto_error("MAC");
  return Mac(std::move(context), size_);
}

Status Mac::update(ByteView data) {
  if (!data.empty() && EVP_MAC_update(context_.get(), data.data(), data.size()) != 1) {
    return crypto_error("MAC");
  }
  return {};
}

Status Mac::finish(MutableByteView out) {
  if (out.size() != size_) return Error{ErrorCode::kInvalidArgument, "wrong MAC length", 0};
  std::size_t written = 0;
  if (EVP_MAC_final(context_.get(), out.data(), &written, out.size()) != 1) {
    return crypto_error("MAC");
  }
  return {};
}

Status hmac(const Crypto& crypto, Hash hash, ByteView key, std::initializer_list<ByteView> parts,
            MutableByteView out) {
  auto mac = Mac::hmac(crypto, hash, key);
  if (!mac) return std::move(mac).error();
  if (auto fed = feed_all(*mac, parts); !fed) return fed;
  return mac->finish(out);
}

Result<Secret> hmac_secret(const Crypto& crypto, Hash hash, ByteView key,
                           std::initializer_list<ByteView> parts) {
  Secret out(hash_size(hash));
  if (auto done = hmac(crypto, hash, key, parts, out.span()); !done) {
    return std::move(done).error();
  }
  return out;
}

Result<ByteArray<16>> cmac(const Crypto& crypto, ByteView key,
                           std::initializer_list<ByteView> parts) {
  auto mac = Mac::cmac(crypto, key);
  if (!mac) return std::move(mac).error();
  if (auto fed = feed_all(*mac, parts); !fed) return std::move(fed).error();
  ByteArray<16> out{};
  if (auto done = mac->finish(out); !done) return std::move(done).error();
  return out;
}

}  // namespace tallystick::core
