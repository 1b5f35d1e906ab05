// What providers may offer from OpenSSL 3.5 on: keys as opaque objects (EVP_SKEY). The numbers are
// part of libcrypto's interface for good, so that what is built against 3.0 offers them as well;
// nobody asks for them there.
#pragma once

#include <openssl/core.h>

#include <cstddef>

namespace tallystick::provider::openssl_3_5 {

inline constexpr int kSkeymgmt = 15;  // OSSL_OP_SKEYMGMT

inline constexpr int kEncryptInitByObject = 19;  // OSSL_FUNC_CIPHER_ENCRYPT_SKEY_INIT
inline constexpr int kDecryptInitByObject = 20;  // OSSL_FUNC_CIPHER_DECRYPT_SKEY_INIT
using InitCipherByObject = int(void* cipher, void* key, const unsigned char* iv,
                               std::size_t iv_size, const OSSL_PARAM params[]);

inline constexpr int kInitMacByObject = 13;  // OSSL_FUNC_MAC_INIT_SKEY
using InitMacByObject = int(void* mac, void* key, const OSSL_PARAM params[]);

// OSSL_FUNC_SKEYMGMT_...
inline constexpr int kFree = 1;
inline constexpr int kImport = 2;
inline constexpr int kExport = 3;
inline constexpr int kGenerate = 4;
inline constexpr int kGetKeyId = 5;
inline constexpr int kImportSettable = 6;
inline constexpr int kGenerateSettable = 7;
using Free = void(void* key);
using Import = void*(void* provider_context, int selection, const OSSL_PARAM params[]);
using Export = int(void* key, int selection, OSSL_CALLBACK* take, void* argument);
using Generate = void*(void* provider_context, const OSSL_PARAM params[]);
using GetKeyId = const char*(void* key);
using Settable = const OSSL_PARAM*(void* provider_context);

inline constexpr int kSelectSecret = 0x02;               // OSSL_SKEYMGMT_SELECT_SECRET_KEY
inline constexpr const char* kRawBytes = "raw-bytes";    // OSSL_SKEY_PARAM_RAW_BYTES
inline constexpr const char* kKeyLength = "key-length";  // OSSL_SKEY_PARAM_KEY_LENGTH

}  // namespace tallystick::provider::openssl_3_5
