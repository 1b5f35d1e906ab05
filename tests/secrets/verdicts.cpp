// Stand-ins that the linker puts before functions of the product and of libcrypto (-Wl,--wrap, see
// CMakeLists.txt). Each calls the real one and marks its verdict public: that something matched or
// did not is for everybody to know, what stood in it is not. Only what such a function gives back
// is marked; whatever else branches on a secret, inside of it or outside, stays an error.
#include <openssl/evp.h>
#include <openssl/modes.h>

#include <cstring>

#include "core/crypto/kdf.h"
#include "core/crypto/padding.h"
#include "pkcs11/engine/row.h"
#include "tests/secrets/secret_marks.h"

namespace tallystick {

namespace test {
std::string_view Stand::secret_derivations;
bool Stand::stopping_early = false;
}  // namespace test

namespace {

using core::ByteView;
using test::mark_public;
using test::mark_secret;
using test::mark_value_public;
using test::Stand;

// The names are those of the functions as the linker knows them.
#define TS_WRAP(result, name, symbol, ...)               \
  result real_##name(__VA_ARGS__) asm("__real_" symbol); \
  result name(__VA_ARGS__) asm("__wrap_" symbol)

}  // namespace

// ---- ours ----

TS_WRAP(bool, equal,
        "_ZN10tallystick4core22equal_in_constant_timeESt4spanIKhLm18446744073709551615EES3_",
        ByteView a, ByteView b);
bool equal(ByteView a, ByteView b) {
  if (Stand::stopping_early) {
    bool same = a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
    mark_value_public(same);
    return same;
  }
  bool same = real_equal(a, b);
  mark_value_public(same);
  return same;
}

TS_WRAP(core::Unpadded, unpadded, "_ZN10tallystick4core19data_before_paddingERKSt5arrayIhLm16EE",
        const core::ByteArray<16>& block);
core::Unpadded unpadded(const core::ByteArray<16>& block) {
  core::Unpadded out;
  if (Stand::stopping_early) {
    const auto pad = block.back();
    out = {pad >= 1 && pad <= 16, 16U - pad};
    for (std::size_t i = 0; out.right && i < pad; ++i) out.right = block[15 - i] == pad;
  } else {
    out = real_unpadded(block);
  }
  mark_value_public(out);
  return out;
}

// A cost that valgrind has patience for. The PIN's own is a number in the row and no secret.
TS_WRAP(core::Result<core::Secret>, scrypt,
        "_ZN10tallystick4core6scryptERKNS0_6CryptoESt4spanIKhLm18446744073709551615EES6_NS0_"
        "10ScryptCostEm",
        const core::Crypto& crypto, ByteView password, ByteView salt, core::ScryptCost cost,
        std::size_t size);
core::Result<core::Secret> scrypt(const core::Crypto& crypto, ByteView password, ByteView salt,
                                  core::ScryptCost /*cost*/, std::size_t size) {
  return real_scrypt(crypto, password, salt, {16, 1, 1}, size);
}

TS_WRAP(core::Result<core::Secret>, hkdf,
        "_ZN10tallystick4core4hkdfERKNS0_6CryptoENS0_4HashESt4spanIKhLm18446744073709551615EES7_S7_"
        "m",
        const core::Crypto& crypto, core::Hash hash, ByteView salt, ByteView ikm, ByteView info,
        std::size_t size);
core::Result<core::Secret> hkdf(const core::Crypto& crypto, core::Hash hash, ByteView salt,
                                ByteView ikm, ByteView info, std::size_t size) {
  auto out = real_hkdf(crypto, hash, salt, ikm, info, size);
  if (out && !Stand::secret_derivations.empty() &&
      core::text_of(info).find(Stand::secret_derivations) != std::string_view::npos) {
    mark_secret(out->view());
  }
  return out;
}

// Ciphertexts are public: they are written to the disk.
TS_WRAP(token::Outcome<core::Bytes>, seal_bytes,
        "_ZN10tallystick5token10seal_bytesERKNS_4core6CryptoESt4spanIKhLm18446744073709551615EES7_"
        "S7_",
        const core::Crypto& crypto, ByteView key, ByteView aad, ByteView plaintext);
token::Outcome<core::Bytes> seal_bytes(const core::Crypto& crypto, ByteView key, ByteView aad,
                                       ByteView plaintext) {
  auto out = real_seal_bytes(crypto, key, aad, plaintext);
  if (out) mark_public(*out);
  return out;
}

}  // namespace tallystick

// ---- libcrypto's, as the product calls them ----

extern "C" {
int __real_EVP_CipherUpdate(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int);
int __real_EVP_CipherFinal_ex(EVP_CIPHER_CTX*, unsigned char*, int*);
std::size_t __real_CRYPTO_128_unwrap(void*, const unsigned char*, unsigned char*,
                                     const unsigned char*, std::size_t, block128_f);
std::size_t __real_CRYPTO_128_unwrap_pad(void*, const unsigned char*, unsigned char*,
                                         const unsigned char*, std::size_t, block128_f);
int __real_EVP_PKEY_decrypt(EVP_PKEY_CTX*, unsigned char*, std::size_t*, const unsigned char*,
                            std::size_t);

// GCM's verdict, and CCM's.
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX* context, unsigned char* out, int* size) {
  int result = __real_EVP_CipherFinal_ex(context, out, size);
  tallystick::test::mark_value_public(result);
  return result;
}
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX* context, unsigned char* out, int* size,
                            const unsigned char* in, int in_size) {
  int result = __real_EVP_CipherUpdate(context, out, size, in, in_size);
  tallystick::test::mark_value_public(result);
  return result;
}
std::size_t __wrap_CRYPTO_128_unwrap(void* key, const unsigned char* iv, unsigned char* out,
                                     const unsigned char* in, std::size_t size, block128_f block) {
  auto result = __real_CRYPTO_128_unwrap(key, iv, out, in, size, block);
  tallystick::test::mark_value_public(result);
  return result;
}
std::size_t __wrap_CRYPTO_128_unwrap_pad(void* key, const unsigned char* iv, unsigned char* out,
                                         const unsigned char* in, std::size_t size,
                                         block128_f block) {
  auto result = __real_CRYPTO_128_unwrap_pad(key, iv, out, in, size, block);
  tallystick::test::mark_value_public(result);
  return result;
}
// What an RSA key has opened is a secret; that it opened, and to which length, is the verdict.
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX* context, unsigned char* out, std::size_t* size,
                            const unsigned char* in, std::size_t in_size) {
  const int result = __real_EVP_PKEY_decrypt(context, out, size, in, in_size);
  if (out != nullptr) tallystick::test::mark_secret({out, *size});
  return result;
}
}
