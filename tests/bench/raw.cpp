#include "tests/bench/raw.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <array>

#include "tests/bench/module.h"

namespace tallystick::bench {
namespace {

void right(bool good, const char* what) {
  if (!good) stop(std::string(what) + " failed in libcrypto");
}

int length(std::size_t size) { return static_cast<int>(size); }

}  // namespace

Raw::Raw()
    : lib_(OSSL_LIB_CTX_new()),
      provider_(OSSL_PROVIDER_load(lib_.get(), "default")),
      gcm_(EVP_CIPHER_fetch(lib_.get(), "AES-256-GCM", nullptr)),
      wrap_(EVP_CIPHER_fetch(lib_.get(), "AES-256-WRAP", nullptr)),
      wrap_padded_(EVP_CIPHER_fetch(lib_.get(), "AES-256-WRAP-PAD", nullptr)),
      cmac_(EVP_MAC_fetch(lib_.get(), "CMAC", nullptr)) {
  right(lib_ && provider_ && gcm_ && wrap_ && wrap_padded_ && cmac_, "set-up");
  random(key_);
}

core::PkeyPtr Raw::p256() const {
  core::PkeyPtr key(EVP_PKEY_Q_keygen(lib_.get(), nullptr, "EC", "P-256"));
  right(key != nullptr, "key generation");
  return key;
}

core::PkeyPtr Raw::rsa() const {
  core::PkeyPtr key(EVP_PKEY_Q_keygen(lib_.get(), nullptr, "RSA", std::size_t{2048}));
  right(key != nullptr, "key generation");
  return key;
}

core::Bytes Raw::sign(EVP_PKEY* key, core::ByteView hash) const {
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(lib_.get(), key, nullptr));
  core::Bytes signature(80);
  std::size_t size = signature.size();
  right(context && EVP_PKEY_sign_init(context.get()) == 1 &&
            EVP_PKEY_sign(context.get(), signature.data(), &size, hash.data(), hash.size()) == 1,
        "signature");
  signature.resize(size);
  return signature;
}

void Raw::verify(EVP_PKEY* key, core::ByteView hash, core::ByteView signature) const {
  const core::PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(lib_.get(), key, nullptr));
  right(context && EVP_PKEY_verify_init(context.get()) == 1 &&
            EVP_PKEY_verify(context.get(), signature.data(), signature.size(), hash.data(),
                            hash.size()) == 1,
        "verification");
}

void Raw::sign_message(EVP_PKEY* key, core::ByteView message) const {
  const core::MdCtxPtr context(EVP_MD_CTX_new());
  std::array<std::uint8_t, 512> signature{};
  std::size_t size = signature.size();
  right(context &&
            EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", lib_.get(), nullptr, key,
                                  nullptr) == 1 &&
            EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                           message.size()) == 1,
        "signature");
}

void Raw::encoded_point(EVP_PKEY* key) const {
  std::array<std::uint8_t, 160> point{};
  std::size_t size = 0;
  right(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                        &size) == 1,
        "public key");
}

void Raw::gcm(core::ByteView iv, core::ByteView in, core::MutableByteView out) const {
  const core::CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int written = 0;
  right(context &&
            EVP_EncryptInit_ex2(context.get(), gcm_.get(), key_.data(), iv.data(), nullptr) == 1 &&
            EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(), length(in.size())) ==
                1 &&
            EVP_EncryptFinal_ex(context.get(), out.data() + written, &written) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16,
                                out.subspan(in.size()).data()) == 1,
        "AES-GCM");
}

void Raw::cmac(core::ByteView message) const {
  static constexpr std::string_view kCipher = "AES-256-CBC";
  std::array<char, 16> name{};
  kCipher.copy(name.data(), kCipher.size());
  const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name.data(), 0),
      OSSL_PARAM_construct_end()};
  const core::MacCtxPtr context(EVP_MAC_CTX_new(cmac_.get()));
  std::array<std::uint8_t, 16> tag{};
  std::size_t size = 0;
  right(context && EVP_MAC_init(context.get(), key_.data(), key_.size(), params.data()) == 1 &&
            EVP_MAC_update(context.get(), message.data(), message.size()) == 1 &&
            EVP_MAC_final(context.get(), tag.data(), &size, tag.size()) == 1,
        "AES-CMAC");
}

void Raw::wrap_and_unwrap(bool padded) const {
  const auto* const cipher = padded ? wrap_padded_.get() : wrap_.get();
  const core::ByteArray<32> plain{4, 5, 6};
  core::ByteArray<56> wrapped{};
  core::ByteArray<56> again{};
  int size = 0;
  for (const int direction : {1, 0}) {
    const core::CipherCtxPtr context(EVP_CIPHER_CTX_new());
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    auto* const out = direction == 1 ? wrapped.data() : again.data();
    const auto* const in = direction == 1 ? plain.data() : wrapped.data();
    right(
        EVP_CipherInit_ex2(context.get(), cipher, key_.data(), nullptr, direction, nullptr) == 1 &&
            EVP_CipherUpdate(context.get(), out, &size, in,
                             direction == 1 ? length(plain.size()) : size) == 1,
        "AES key wrap");
  }
  right(static_cast<std::size_t>(size) == plain.size(), "AES key unwrap");
}

void Raw::random(core::MutableByteView out) const {
  right(RAND_bytes_ex(lib_.get(), out.data(), out.size(), 0) == 1, "random");
}

void Raw::write_key(EVP_PKEY* key, const std::string& path) const {
  const core::BioPtr file(BIO_new_file(path.c_str(), "w"));
  right(file && PEM_write_bio_PKCS8PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr,
                                              nullptr) == 1,
        "writing a key");
}

core::PkeyPtr Raw::read_key(const std::string& path) const {
  const core::BioPtr file(BIO_new_file(path.c_str(), "r"));
  core::PkeyPtr key(
      PEM_read_bio_PrivateKey_ex(file.get(), nullptr, nullptr, nullptr, lib_.get(), nullptr));
  right(key != nullptr, "reading a key");
  return key;
}

}  // namespace tallystick::bench
