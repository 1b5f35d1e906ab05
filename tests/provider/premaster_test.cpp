// RSA key exchange of TLS 1.2 with the server's key in a token (RFC 5246, 7.4.7.1): what a client
// sent is opened, and nothing is told of what does not open.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "tests/provider/foreigner.h"

namespace tallystick {
namespace {

using core::PkeyCtxPtr;
using Data = std::vector<unsigned char>;

constexpr unsigned kTls12 = 0x0303;
constexpr std::size_t kSize = 48;

class Premaster : public ::testing::Test {
 protected:
  void SetUp() override {
    key_ = loaded_.key(uri("rsa"));
    ASSERT_TRUE(key_) << queued_errors();
  }
  // 48 bytes of a client that says this version.
  static Data chosen(unsigned version) {
    Data secret(kSize, 0x42);
    secret[0] = static_cast<unsigned char>(version >> 8U);
    secret[1] = static_cast<unsigned char>(version & 0xFFU);
    return secret;
  }
  [[nodiscard]] Data encrypted(const Data& data) const {
    const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(loaded_.lib(), key_.get(), nullptr));
    Data out(256);
    std::size_t size = out.size();
    EXPECT_GT(EVP_PKEY_encrypt_init(context.get()), 0);
    EXPECT_GT(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING), 0);
    EXPECT_GT(EVP_PKEY_encrypt(context.get(), out.data(), &size, data.data(), data.size()), 0)
        << queued_errors();
    return out;
  }
  // As libssl opens it. Empty: refused.
  [[nodiscard]] Data opened(const Data& sent, unsigned client = kTls12,
                            unsigned negotiated = 0) const {
    const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(loaded_.lib(), key_.get(), nullptr));
    const std::array<OSSL_PARAM, 3> versions{
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &client),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &negotiated),
        OSSL_PARAM_construct_end()};
    Data out(kSize);
    std::size_t size = out.size();
    if (EVP_PKEY_decrypt_init(context.get()) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_WITH_TLS_PADDING) <= 0 ||
        EVP_PKEY_CTX_set_params(context.get(), versions.data()) <= 0 ||
        EVP_PKEY_decrypt(context.get(), out.data(), &size, sent.data(), sent.size()) <= 0) {
      return {};
    }
    EXPECT_EQ(size, kSize);
    return out;
  }

 private:
  Loaded loaded_;
  PkeyPtr key_;
};

TEST_F(Premaster, IsWhatTheClientChose) {
  EXPECT_EQ(opened(encrypted(chosen(kTls12))), chosen(kTls12)) << queued_errors();
  EXPECT_EQ(opened(encrypted(chosen(0x0301)), kTls12, 0x0301), chosen(0x0301))
      << "a client that says the version that was agreed on";
}

TEST_F(Premaster, IsRandomWhereTheClientsDoesNotHold) {
  auto damaged = encrypted(chosen(kTls12));
  damaged[100] ^= 1U;
  const Data bad[] = {encrypted(chosen(0x0302)),    // another version
                      encrypted(Data(47, 3)),       // too short
                      encrypted(Data(49, 3)),       // too long
                      encrypted({3, 3}), damaged};  // does not open, but for one time in thousands
  for (const auto& sent : bad) {
    const auto one = opened(sent);
    const auto other = opened(sent);
    ASSERT_EQ(one.size(), kSize) << queued_errors();
    ASSERT_EQ(other.size(), kSize) << queued_errors();
    EXPECT_NE(one, other);
    EXPECT_NE(one, chosen(0x0302));
  }
}

}  // namespace
}  // namespace tallystick
