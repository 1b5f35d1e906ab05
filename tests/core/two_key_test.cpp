// S16: GCM does not commit to its key. A file whose chunk carries a tag that is right under two
// keys is made here, and opens with the key it commits to and with no other.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/crypto/kdf.h"
#include "core/ts1/seal.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

using Block = ByteArray<16>;

Block operator^(const Block& a, const Block& b) {
  Block out{};
  for (std::size_t i = 0; i < 16; ++i) out[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
  return out;
}

// Multiplication in GCM's field (SP 800-38D, algorithm 1).
Block times(const Block& x, Block v) {
  Block z{};
  for (std::size_t bit = 0; bit < 128; ++bit) {
    if ((unsigned{x[bit / 8]} >> (7 - bit % 8) & 1U) != 0) z = z ^ v;
    const bool carry = (v[15] & 1U) != 0;
    for (std::size_t i = 15; i > 0; --i) {
      v[i] = static_cast<std::uint8_t>(v[i] >> 1U | (v[i - 1] & 1U) << 7U);
    }
    v[0] = static_cast<std::uint8_t>(v[0] >> 1U);
    if (carry) v[0] = static_cast<std::uint8_t>(v[0] ^ 0xE1U);
  }
  return z;
}

// x^(2^128 − 2).
Block inverse(const Block& x) {
  Block out{0x80};
  Block power = x;
  for (int i = 1; i < 128; ++i) {
    power = times(power, power);
    out = times(out, power);
  }
  return out;
}

Block aes(ByteView key, const Block& in) {
  const CipherPtr cipher(EVP_CIPHER_fetch(crypto().lib(), "AES-256-ECB", nullptr));
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  Block out{};
  int written = 0;
  EXPECT_EQ(EVP_EncryptInit_ex2(context.get(), cipher.get(), key.data(), nullptr, nullptr), 1);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(), 16), 1);
  return out;
}

struct Derived {
  Secret bytes;
  [[nodiscard]] ByteView key() const { return bytes.view().first(32); }
  [[nodiscard]] ByteView nonce() const { return bytes.view().subspan(32, 12); }
  [[nodiscard]] ByteView commitment() const { return bytes.view().last(32); }
};

Derived derive(ByteView key, ByteView salt, ByteView context) {
  const auto info = concatenated(
      {bytes_of("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"), Bytes(1), salt, context});
  return {must(hkdf_expand(crypto(), Hash::kSha512, key, info, 76))};
}

Block first_counter(ByteView nonce) {
  Block out{};
  std::ranges::copy(nonce, out.begin());
  out[15] = 1;
  return out;
}

TEST(TwoKeyFiles, S16_OpenOnlyWithTheKeyTheyCommitTo) {
  const auto key1 = random_bytes(32);
  const auto key2 = random_bytes(32);
  const auto salt = random_bytes(kSaltSize);
  const Bytes context = {7};
  const auto one = derive(key1, salt, context);
  const auto two = derive(key2, salt, context);

  // One block of ciphertext C with C·H1² + L·H1 + E1 = C·H2² + L·H2 + E2.
  const auto h1 = aes(one.key(), Block{});
  const auto h2 = aes(two.key(), Block{});
  const auto e1 = aes(one.key(), first_counter(one.nonce()));
  const auto e2 = aes(two.key(), first_counter(two.nonce()));
  Block lengths{};
  lengths[15] = 128;
  const auto c = times(times(lengths, h1 ^ h2) ^ e1 ^ e2, inverse(times(h1, h1) ^ times(h2, h2)));
  const auto tag = times(c, times(h1, h1)) ^ times(lengths, h1) ^ e1;
  const auto chunk = concatenated({c, tag});

  // The AEAD alone takes the chunk under both keys …
  for (const auto* derived : {&one, &two}) {
    auto aead = must(Aead::create(crypto(), AeadAlgorithm::kGcm, derived->key()));
    Bytes out(16);
    ASSERT_TRUE(is_ok(aead.open(derived->nonce(), {}, chunk, out)));
  }
  // … and the sealed file only under the one whose commitment it carries.
  const auto file1 = concatenated({salt, one.commitment(), chunk});
  const auto file2 = concatenated({salt, two.commitment(), chunk});
  EXPECT_TRUE(is_ok(open(crypto(), Suite::kGcm, key1, context, file1)));
  EXPECT_TRUE(is_ok(open(crypto(), Suite::kGcm, key2, context, file2)));
  EXPECT_TRUE(
      fails_with(open(crypto(), Suite::kGcm, key2, context, file1), ErrorCode::kOpenFailed));
  EXPECT_TRUE(
      fails_with(open(crypto(), Suite::kGcm, key1, context, file2), ErrorCode::kOpenFailed));
}

}  // namespace
}  // namespace tallystick::core::testing
