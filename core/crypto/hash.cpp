#include "core/crypto/hash.h"

namespace tallystick::core {

Result<Hasher> Hasher::create(const Crypto& crypto, Hash hash) {
  MdCtxPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex2(context.get(), crypto.md(hash), nullptr) != 1) {
    return crypto_error("digest");
  }
  return Hasher(std::move(context), hash_size(hash));
}

Status Hasher::update(ByteView data) {
  if (!data.empty() && EVP_DigestUpdate(context_.get(), data.data(), data.size()) != 1) {
    return crypto_error("digest");
  }
  return {};
}

Result<Hasher> Hasher::copy() const {
  MdCtxPtr context(EVP_MD_CTX_new());
  if (!context || EVP_MD_CTX_copy_ex(context.get(), context_.get()) != 1) {
    return crypto_error("digest");
  }
  return Hasher(std::move(context), size_);
}

Status Hasher::finish(MutableByteView out) {
  if (out.size() != size_) return Error{ErrorCode::kInvalidArgument, "wrong digest length", 0};
  if (EVP_DigestFinal_ex(context_.get(), out.data(), nullptr) != 1) return crypto_error("digest");
  return {};
}

Status digest(const Crypto& crypto, Hash hash, std::initializer_list<ByteView> parts,
              MutableByteView out) {
  auto hasher = Hasher::create(crypto, hash);
  if (!hasher) return std::move(hasher).error();
  for (const auto part : parts) {
    if (auto fed = hasher->update(part); !fed) return fed;
  }
  return hasher->finish(out);
}

Result<ByteArray<32>> sha256(const Crypto& crypto, std::initializer_list<ByteView> parts) {
  ByteArray<32> out{};
  if (auto done = digest(crypto, Hash::kSha256, parts, out); !done) return std::move(done).error();
  return out;
}

Result<ByteArray<48>> sha384(const Crypto& crypto, std::initializer_list<ByteView> parts) {
  ByteArray<48> out{};
  if (auto done = digest(crypto, Hash::kSha384, parts, out); !done) return std::move(done).error();
  return out;
}

}  // namespace tallystick::core
