// AES in the modes that PKCS#11 has. libcrypto's own cipher always stands beside: it takes keys
// that are bytes, and then does everything, as without this provider. With a key in a token,
// encryption and decryption are the token's.
//
// A token gives nothing of an authenticated message out before it has checked the tag, and OpenSSL
// takes nothing out of the last step: so GCM decrypts when it has the tag before the data and the
// data in one piece, as CCM does in OpenSSL anyway.
#pragma once

#include <openssl/core.h>
#include <openssl/evp.h>

#include "provider/stream.h"
#include "provider/token_secret.h"

namespace tallystick::provider {

enum class CipherMode { kCbc, kCtr, kGcm, kCcm };

struct CipherType {
  // The name that libcrypto knows it by, and all of them as the default provider has them.
  const char* name;
  const char* names;
  std::size_t key_size;
  CipherMode mode;
  // Its key is bytes that name a key of the token: for "openssl enc", which has no other place for
  // the name of one.
  bool by_label;

  [[nodiscard]] bool authenticated() const {
    return mode == CipherMode::kGcm || mode == CipherMode::kCcm;
  }
};

class Cipher {
 public:
  static Outcome<std::unique_ptr<Cipher>> make(Context& context, const CipherType& type);

  [[nodiscard]] Context& context() const { return context_; }
  [[nodiscard]] const CipherType& type() const { return type_; }
  [[nodiscard]] const EVP_CIPHER* own() const { return EVP_CIPHER_CTX_get0_cipher(own_.get()); }

  // Null key, IV: what is there already.
  Done begin(bool to_encrypt, core::ByteView key, core::ByteView iv, const OSSL_PARAM params[]);
  Done begin(bool to_encrypt, const TokenSecret& key, core::ByteView iv, const OSSL_PARAM params[]);
  // A null `out`: associated data, or for CCM the length of what comes.
  Done update(unsigned char* out, std::size_t* size, std::size_t room, const unsigned char* data,
              std::size_t data_size);
  Done finish(unsigned char* out, std::size_t* size, std::size_t room);
  // All in one call, without padding.
  Done whole(unsigned char* out, std::size_t* size, std::size_t room, const unsigned char* data,
             std::size_t data_size);

  Done set_params(const OSSL_PARAM params[]);
  int get_params(OSSL_PARAM params[]) const;
  [[nodiscard]] Outcome<std::unique_ptr<Cipher>> duplicate() const;

 private:
  Cipher(Context& context, const CipherType& type, core::CipherCtxPtr own)
      : context_(context), type_(type), own_(std::move(own)) {}
  Done use(TokenSecret key);
  Done use_label(core::ByteView key);
  Done restart(bool to_encrypt, core::ByteView iv);
  Done begin_stream(std::size_t data_size);
  Done transform(core::ByteView data, core::WipedBytes& out);
  Done transform_message(core::ByteView data, core::WipedBytes& out);
  [[nodiscard]] Failure failed(const std::string& why) const;

  Context& context_;
  const CipherType& type_;
  core::CipherCtxPtr own_;
  // Set: a key of the token, and what it needs besides.
  std::optional<TokenSecret> key_;
  bool encrypts_ = true;
  bool pads_ = true;
  core::Bytes iv_;
  std::size_t iv_size_ = 0;
  core::Bytes aad_;
  core::Bytes tag_;
  std::size_t tag_size_ = 16;
  // Data has come; of a message that is authenticated, its one piece.
  bool streaming_ = false;
  bool message_done_ = false;
  bool nonce_used_ = false;
  std::optional<Stream> stream_;
};

const OSSL_ALGORITHM* cipher_algorithms();

}  // namespace tallystick::provider
