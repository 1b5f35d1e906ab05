// Owners for the objects of libcrypto, so that no path forgets to free one.
#pragma once

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <memory>

namespace tallystick::core {

template <auto kFree>
struct HandleDeleter {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};

using LibCtxPtr = std::unique_ptr<OSSL_LIB_CTX, HandleDeleter<OSSL_LIB_CTX_free>>;
using ProviderPtr = std::unique_ptr<OSSL_PROVIDER, HandleDeleter<OSSL_PROVIDER_unload>>;
using MdPtr = std::unique_ptr<EVP_MD, HandleDeleter<EVP_MD_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, HandleDeleter<EVP_MD_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, HandleDeleter<EVP_CIPHER_free>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, HandleDeleter<EVP_CIPHER_CTX_free>>;
using MacPtr = std::unique_ptr<EVP_MAC, HandleDeleter<EVP_MAC_free>>;
using MacCtxPtr = std::unique_ptr<EVP_MAC_CTX, HandleDeleter<EVP_MAC_CTX_free>>;
using KdfPtr = std::unique_ptr<EVP_KDF, HandleDeleter<EVP_KDF_free>>;
using KdfCtxPtr = std::unique_ptr<EVP_KDF_CTX, HandleDeleter<EVP_KDF_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, HandleDeleter<EVP_PKEY_free>>;
using KeymgmtPtr = std::unique_ptr<EVP_KEYMGMT, HandleDeleter<EVP_KEYMGMT_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, HandleDeleter<EVP_PKEY_CTX_free>>;
using BnPtr = std::unique_ptr<BIGNUM, HandleDeleter<BN_clear_free>>;
using BnCtxPtr = std::unique_ptr<BN_CTX, HandleDeleter<BN_CTX_free>>;
using EcGroupPtr = std::unique_ptr<EC_GROUP, HandleDeleter<EC_GROUP_free>>;
using EcPointPtr = std::unique_ptr<EC_POINT, HandleDeleter<EC_POINT_clear_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, HandleDeleter<ECDSA_SIG_free>>;
using X509Ptr = std::unique_ptr<X509, HandleDeleter<X509_free>>;
using BioPtr = std::unique_ptr<BIO, HandleDeleter<BIO_free_all>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, HandleDeleter<PKCS8_PRIV_KEY_INFO_free>>;

}  // namespace tallystick::core
