// PKCS#8: what is written is what libcrypto's own encoder writes, and only whole keys are taken.
#include "core/crypto/pkcs8.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>

#include "core/crypto/signing_key.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

PkeyPtr new_key(const std::string& kind) {
  auto* const lib = crypto().lib();
  if (kind == "RSA") return PkeyPtr(EVP_PKEY_Q_keygen(lib, nullptr, "RSA", std::size_t{2048}));
  if (kind.starts_with("P-")) {
    return PkeyPtr(EVP_PKEY_Q_keygen(lib, nullptr, "EC", kind.c_str()));
  }
  return PkeyPtr(EVP_PKEY_Q_keygen(lib, nullptr, kind.c_str()));
}

Bytes libcrypto_der(const EVP_PKEY* key) {
  const Pkcs8Ptr info(EVP_PKEY2PKCS8(key));
  Bytes der(static_cast<std::size_t>(i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr)));
  auto* cursor = der.data();
  (void)i2d_PKCS8_PRIV_KEY_INFO(info.get(), &cursor);
  return der;
}

class Pkcs8Keys : public ::testing::TestWithParam<const char*> {
 protected:
  PkeyPtr key_ = new_key(GetParam());
  Bytes der_ = libcrypto_der(key_.get());
};
INSTANTIATE_TEST_SUITE_P(Each, Pkcs8Keys,
                         ::testing::Values("RSA", "P-256", "P-384", "P-521", "ED25519", "ED448",
                                           "X25519", "X448"));

TEST_P(Pkcs8Keys, AreWrittenAsLibcryptoWritesThem) {
  const auto written = must(pkcs8_der(key_.get()));
  EXPECT_EQ(to_bytes(written.view()), der_);
}

TEST_P(Pkcs8Keys, AreReadAsTheyWere) {
  const auto read = must(parse_pkcs8(crypto(), der_));
  EXPECT_EQ(EVP_PKEY_eq(read.get(), key_.get()), 1);
  EXPECT_EQ(libcrypto_der(read.get()), der_);
}

TEST_P(Pkcs8Keys, AreTakenWholeOrNotAtAll) {
  for (std::size_t cut = 0; cut < der_.size(); ++cut) {
    ASSERT_FALSE(parse_pkcs8(crypto(), ByteView(der_).first(cut)).ok()) << cut;
  }
  EXPECT_FALSE(parse_pkcs8(crypto(), concatenated({der_, Bytes(1)})).ok());
}

// Whatever byte is wrong, there is a key of the same type or none.
TEST_P(Pkcs8Keys, ChangedAnywhereAreAnotherKeyOrNone) {
  for (std::size_t at = 0; at < der_.size(); ++at) {
    auto bad = der_;
    bad[at] ^= 0x01U;
    const auto read = parse_pkcs8(crypto(), bad);
    if (read.ok()) {
      ASSERT_NE(read->get(), nullptr) << at;
    }
  }
}

TEST(Pkcs8EcKeys, WithThePublicKeyOfAnotherAreRefused) {
  const auto one = libcrypto_der(new_key("P-256").get());
  const auto other = libcrypto_der(new_key("P-256").get());
  // The last 64 bytes are X and Y.
  auto mixed = one;
  std::copy(other.end() - 64, other.end(), mixed.end() - 64);
  EXPECT_FALSE(parse_pkcs8(crypto(), mixed).ok());
}

TEST(Pkcs8EcKeys, OutOfTheirRangeAreRefused) {
  const auto key = new_key("P-256");
  const auto der = libcrypto_der(key.get());
  BIGNUM* number = nullptr;
  ASSERT_EQ(EVP_PKEY_get_bn_param(key.get(), "priv", &number), 1);
  const BnPtr owner(number);
  Bytes scalar(32);
  ASSERT_EQ(BN_bn2binpad(number, scalar.data(), 32), 32);
  const auto at = std::search(der.begin(), der.end(), scalar.begin(), scalar.end()) - der.begin();
  for (const std::uint8_t value : {std::uint8_t{0}, std::uint8_t{0xFF}}) {
    auto bad = der;
    std::fill_n(bad.begin() + at, 32, value);
    EXPECT_FALSE(parse_pkcs8(crypto(), bad).ok()) << int{value};
  }
}

// A P-256 key as RFC 5915 has it, of this version, and without the public key.
Bytes bare_p256(std::uint8_t version, const Bytes& scalar) {
  Bytes der = {0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07,    0x2A, 0x86, 0x48,
               0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,    0xCE, 0x3D, 0x03,
               0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, version, 0x04, 0x20};
  der.insert(der.end(), scalar.begin(), scalar.end());
  return der;
}

TEST(Pkcs8EcKeys, WithoutAPublicKeyHaveTheirVersionAndTheirRange) {
  Bytes scalar(32, 0x11);
  EXPECT_TRUE(parse_pkcs8(crypto(), bare_p256(1, scalar)).ok());
  EXPECT_FALSE(parse_pkcs8(crypto(), bare_p256(0, scalar)).ok());
  EXPECT_FALSE(parse_pkcs8(crypto(), bare_p256(2, scalar)).ok());
  EXPECT_FALSE(parse_pkcs8(crypto(), bare_p256(1, Bytes(32))).ok());
  EXPECT_FALSE(parse_pkcs8(crypto(), bare_p256(1, Bytes(32, 0xFF))).ok());
}

TEST(Pkcs8RawKeys, P03_HaveNothingBehindTheKey) {
  for (const std::string kind : {"ED25519", "X25519", "ED448", "X448"}) {
    auto der = libcrypto_der(new_key(kind).get());
    // The lengths, of one byte each, of SEQUENCE and of the OCTET STRING at 12 around that of the
    // key; then a byte more in it.
    ASSERT_EQ(der.at(1) + 2U, der.size());
    ASSERT_EQ(der.at(12), 0x04);
    ASSERT_EQ(der.at(13) + 14U, der.size());
    der[1] += 1;
    der[13] += 1;
    der.push_back(0);
    EXPECT_FALSE(parse_pkcs8(crypto(), der).ok()) << kind;
  }
}

TEST(Pkcs8RsaKeys, P03_HaveTwoPrimes) {
  auto der = libcrypto_der(new_key("RSA").get());
  // The lengths, of two bytes each, of SEQUENCE, OCTET STRING and SEQUENCE; then one number more.
  for (const std::size_t at : {2U, 24U, 28U}) {
    const auto length = static_cast<unsigned>(der.at(at) << 8U | der.at(at + 1)) + 3;
    der[at] = static_cast<std::uint8_t>(length >> 8U);
    der[at + 1] = static_cast<std::uint8_t>(length);
  }
  der.insert(der.end(), {0x02, 0x01, 0x03});
  EXPECT_FALSE(parse_pkcs8(crypto(), der).ok());
}

TEST(SigningPrivateKeys, AreOnTheProfilesCurvesOrOfEd25519) {
  for (const std::string kind : {"P-256", "P-384", "ED25519"}) {
    EXPECT_TRUE(is_ok(SigningPrivateKey::from_pkcs8(crypto(), libcrypto_der(new_key(kind).get()))))
        << kind;
  }
  for (const std::string kind : {"P-521", "RSA", "ED448", "X25519", "X448"}) {
    EXPECT_TRUE(
        fails_with(SigningPrivateKey::from_pkcs8(crypto(), libcrypto_der(new_key(kind).get())),
                   ErrorCode::kMalformed))
        << kind;
  }
  // One that has a group's name too, but none of a curve.
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(crypto().lib(), "DH", nullptr));
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_group_name(context.get(), "ffdhe2048"), 1);
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
  const PkeyPtr finite(made);
  EXPECT_TRUE(is_ok(parse_pkcs8(crypto(), libcrypto_der(finite.get()))));
  EXPECT_TRUE(fails_with(SigningPrivateKey::from_pkcs8(crypto(), libcrypto_der(finite.get())),
                         ErrorCode::kMalformed));
}

}  // namespace
}  // namespace tallystick::core::testing
