// AES key wrap and AES-CBC: published known answers, and what neither takes.
#include "core/crypto/key_wrap.h"

#include <sys/mman.h>

#include <climits>
#include <memory>

#include "core/crypto/cbc.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

struct KnownWrap {
  const char* clause;
  const char* key;
  const char* plain;
  const char* wrapped;
};
// RFC 3394 section 4.
constexpr std::array kRfc3394 = {
    KnownWrap{"4.1", "000102030405060708090A0B0C0D0E0F", "00112233445566778899AABBCCDDEEFF",
              "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"},
    KnownWrap{"4.2", "000102030405060708090A0B0C0D0E0F1011121314151617",
              "00112233445566778899AABBCCDDEEFF",
              "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"},
    KnownWrap{"4.3", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
              "00112233445566778899AABBCCDDEEFF",
              "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"},
    KnownWrap{"4.6", "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
              "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
              "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"},
};

TEST(KeyWrap, GivesTheAnswersOfRfc3394) {
  for (const auto& known : kRfc3394) {
    SCOPED_TRACE(known.clause);
    const auto key = from_hex(known.key);
    EXPECT_EQ(must(wrap_key(crypto(), key, from_hex(known.plain))), from_hex(known.wrapped));
    EXPECT_EQ(to_bytes(must(unwrap_key(crypto(), key, from_hex(known.wrapped))).view()),
              from_hex(known.plain));
  }
}

TEST(KeyWrap, A38_RefusesEveryFlippedBitAndEveryCutWithOneError) {
  const auto key = random_bytes(32);
  const auto wrapped = must(wrap_key(crypto(), key, random_bytes(40)));
  for (std::size_t bit = 0; bit < 8 * wrapped.size(); ++bit) {
    auto damaged = wrapped;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_TRUE(fails_with(unwrap_key(crypto(), key, damaged), ErrorCode::kOpenFailed)) << bit;
  }
  for (std::size_t size = 0; size < wrapped.size(); ++size) {
    EXPECT_TRUE(fails_with(unwrap_key(crypto(), key, ByteView(wrapped).first(size)),
                           ErrorCode::kOpenFailed))
        << size;
  }
  EXPECT_TRUE(fails_with(unwrap_key(crypto(), random_bytes(32), wrapped), ErrorCode::kOpenFailed));
}

TEST(KeyWrap, P01_TakesOnlyWholeBlocksAndNotTooMany) {
  const auto key = random_bytes(16);
  for (const std::size_t size : {0U, 8U, 15U, 17U, 4104U}) {
    EXPECT_TRUE(fails_with(wrap_key(crypto(), key, Bytes(size)), ErrorCode::kInvalidArgument))
        << size;
  }
  EXPECT_TRUE(is_ok(wrap_key(crypto(), key, Bytes(kMostWrapped))));
  EXPECT_TRUE(fails_with(wrap_key(crypto(), Bytes(15), Bytes(16)), ErrorCode::kInvalidArgument));
}

// What libcrypto's own cipher wraps and unwraps is refused here when it is longer than anything is.
TEST(KeyWrap, P01_OpensNothingLongerThanItWraps) {
  const auto key = random_bytes(16);
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher(
      EVP_CIPHER_fetch(crypto().lib(), "AES-128-WRAP", nullptr), &EVP_CIPHER_free);
  const auto wrapped = [&](std::size_t size) {
    const Bytes plain(size, 7);
    Bytes out(size + kKeyWrapOverhead);
    const CipherCtxPtr context(EVP_CIPHER_CTX_new());
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    int written = 0;
    EXPECT_EQ(EVP_EncryptInit_ex2(context.get(), cipher.get(), key.data(), nullptr, nullptr), 1);
    EXPECT_EQ(EVP_EncryptUpdate(context.get(), out.data(), &written, plain.data(),
                                static_cast<int>(size)),
              1);
    EXPECT_EQ(written, static_cast<int>(out.size()));
    return out;
  };
  EXPECT_EQ(to_bytes(must(unwrap_key(crypto(), key, wrapped(kMostWrapped))).view()),
            Bytes(kMostWrapped, 7));
  for (const std::size_t more : {8U, 16U, 4096U}) {
    EXPECT_TRUE(
        fails_with(unwrap_key(crypto(), key, wrapped(kMostWrapped + more)), ErrorCode::kOpenFailed))
        << more;
  }
}

// SP 800-38A F.2.1 and F.2.5.
TEST(Cbc, GivesTheAnswersOfSp80038a) {
  const auto iv = array_from_hex<16>("000102030405060708090a0b0c0d0e0f");
  const auto plain = from_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  const std::array<std::pair<const char*, const char*>, 2> known = {{
      {"2b7e151628aed2a6abf7158809cf4f3c",
       "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
       "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"},
  }};
  for (const auto& [key, expected] : known) {
    auto data = plain;
    ASSERT_TRUE(is_ok(cbc_encrypt(crypto(), from_hex(key), iv, data)));
    EXPECT_EQ(data, from_hex(expected));
    ASSERT_TRUE(is_ok(cbc_decrypt(crypto(), from_hex(key), iv, data)));
    EXPECT_EQ(data, plain);
  }
  Bytes odd(17);
  EXPECT_TRUE(fails_with(cbc_encrypt(crypto(), Bytes(16), iv, odd), ErrorCode::kInvalidArgument));
  Bytes even(16);
  EXPECT_TRUE(fails_with(cbc_decrypt(crypto(), Bytes(8), iv, even), ErrorCode::kInvalidArgument));
}

TEST(Cbc, P01_TakesNoMoreThanLibcryptoCanBeTold) {
  // Addresses that nobody may read: only the size is looked at.
  constexpr std::size_t kSize = std::size_t{INT_MAX} + 1;
  void* const memory =
      mmap(nullptr, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const MutableByteView data(static_cast<std::uint8_t*>(memory), kSize);
  EXPECT_TRUE(fails_with(cbc_encrypt(crypto(), Bytes(16), {}, data), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(cbc_decrypt(crypto(), Bytes(16), {}, data), ErrorCode::kInvalidArgument));
  munmap(memory, kSize);
}

}  // namespace
}  // namespace tallystick::core::testing
