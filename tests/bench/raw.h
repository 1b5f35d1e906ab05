// Raw: libcrypto without a token, in a library context of its own. Keys are parsed and algorithms
// fetched once; each operation has its own context, as a program has one for each message.
#pragma once

#include <memory>
#include <string>

#include "core/base/bytes.h"
#include "core/crypto/handles.h"

namespace tallystick::bench {

class Raw {
 public:
  Raw();

  [[nodiscard]] core::PkeyPtr p256() const;
  [[nodiscard]] core::PkeyPtr rsa() const;
  // DER in, as EVP_PKEY_sign gives it.
  [[nodiscard]] core::Bytes sign(EVP_PKEY* key, core::ByteView hash) const;
  void verify(EVP_PKEY* key, core::ByteView hash, core::ByteView signature) const;
  void sign_message(EVP_PKEY* key, core::ByteView message) const;
  void encoded_point(EVP_PKEY* key) const;
  void gcm(core::ByteView iv, core::ByteView in, core::MutableByteView out) const;
  void cmac(core::ByteView message) const;
  // Wraps 32 bytes and unwraps them again.
  void wrap_and_unwrap(bool padded) const;
  void random(core::MutableByteView out) const;

  void write_key(EVP_PKEY* key, const std::string& path) const;
  [[nodiscard]] core::PkeyPtr read_key(const std::string& path) const;

 private:
  core::LibCtxPtr lib_;
  core::ProviderPtr provider_;
  core::CipherPtr gcm_;
  core::CipherPtr wrap_;
  core::CipherPtr wrap_padded_;
  core::MacPtr cmac_;
  core::ByteArray<32> key_{};
};

}  // namespace tallystick::bench
