// Keys from passwords: every MAC, the limits, and what such a key is taken for.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

class Pbkdf2Keys : public ::testing::Test {
 protected:
  Session& session() { return token_.session(); }
  core::Bytes key_of(const Pbkdf2& pbkdf2, CK_ULONG length) {
    return must(
        session().get(must(session().generate(pbkdf2, readable_secret(length))), CKA_VALUE));
  }
  PasswordToken token_;
};

TEST_F(Pbkdf2Keys, AreThoseOfLibcryptoWithEveryMac) {
  const struct {
    CK_ULONG prf;
    const char* hash;
  } prfs[] = {{CKP_PKCS5_PBKD2_HMAC_SHA1, "SHA1"},
              {CKP_PKCS5_PBKD2_HMAC_SHA224, "SHA224"},
              {CKP_PKCS5_PBKD2_HMAC_SHA256, "SHA256"},
              {CKP_PKCS5_PBKD2_HMAC_SHA384, "SHA384"},
              {CKP_PKCS5_PBKD2_HMAC_SHA512, "SHA512"},
              {CKP_PKCS5_PBKD2_HMAC_SHA512_224, "SHA512-224"},
              {CKP_PKCS5_PBKD2_HMAC_SHA512_256, "SHA512-256"}};
  const auto salt = some_bytes(16);
  for (const auto& [prf, hash] : prfs) {
    for (const std::string password : {"", "password", "p\xC3\xA4ssword"}) {
      core::Bytes expected(100);
      ASSERT_EQ(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                                  static_cast<int>(salt.size()), 10, EVP_get_digestbyname(hash),
                                  static_cast<int>(expected.size()), expected.data()),
                1);
      EXPECT_EQ(key_of(Pbkdf2(prf, bytes(password), salt, 10), 100), expected) << hash;
    }
  }
}

TEST_F(Pbkdf2Keys, NeedNoSaltAndOneIteration) {
  EXPECT_EQ(key_of(Pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA256, bytes("p"), {}, 1), 16).size(), 16U);
}

TEST_F(Pbkdf2Keys, AreOfTheTypeAndUsesOfTheTemplate) {
  const auto key = must(session().generate(
      Pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA256, bytes("p"), bytes("salt"), 10), aes_template(32)));
  EXPECT_EQ(session().number(key, CKA_KEY_TYPE), CKK_AES);
  EXPECT_TRUE(session().flag(key, CKA_SENSITIVE));
  EXPECT_TRUE(session().flag(key, CKA_ENCRYPT));
}

// A06, A12: whoever knows the password has the key. It is no more born here than an imported one,
// and wraps nothing that may not be read.
TEST_F(Pbkdf2Keys, A06_A12_HaveTheHistoryOfImportedKeys) {
  const auto key =
      must(session().generate(Pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA256, bytes("p"), bytes("salt"), 10),
                              aes_template(32).flag(CKA_WRAP, true)));
  EXPECT_FALSE(session().flag(key, CKA_LOCAL));
  EXPECT_FALSE(session().flag(key, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(session().flag(key, CKA_NEVER_EXTRACTABLE));
  EXPECT_EQ(session().number(key, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
  const auto secret =
      generate_aes(session(), Attributes().flag(CKA_EXTRACTABLE, true).flag(CKA_ENCRYPT, true));
  EXPECT_THAT(session().wrap(CKM_AES_KEY_WRAP_KWP, key, secret).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

TEST_F(Pbkdf2Keys, A13_LengthsAreThoseOfTheKeyType) {
  const Pbkdf2 pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA256, bytes("p"), bytes("salt"), 10);
  const auto rv = [&](const Attributes& wanted) { return session().generate(pbkdf2, wanted).rv; };
  EXPECT_THAT(rv({}), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(rv(readable_secret(15)), ReturnsRv(CKR_KEY_SIZE_RANGE));
  EXPECT_THAT(rv(readable_secret(4097)), ReturnsRv(CKR_KEY_SIZE_RANGE));
  EXPECT_THAT(rv(readable_secret(20, CKK_AES)), ReturnsRv(CKR_KEY_SIZE_RANGE));
  EXPECT_THAT(rv(readable_secret(32, CKK_EC)), ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  EXPECT_THAT(rv(Attributes().number(CKA_CLASS, CKO_DATA)), ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST_F(Pbkdf2Keys, A64_ParametersOfTheWrongFormAreRefused) {
  for (const std::size_t size :
       {std::size_t{0}, sizeof(CK_PKCS5_PBKD2_PARAMS2) - 1, sizeof(CK_PKCS5_PBKD2_PARAMS2),
        sizeof(CK_PKCS5_PBKD2_PARAMS2) + 1}) {
    EXPECT_THAT(session().generate({CKM_PKCS5_PBKD2, core::Bytes(size)}, readable_secret(32)).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  const auto before = session().find({}).size();
  const auto with = [&](const std::function<void(CK_PKCS5_PBKD2_PARAMS2&)>& change) {
    Pbkdf2 pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA256, bytes("password"), bytes("salt"), 10);
    change(pbkdf2.params());
    EXPECT_THAT(session().generate(pbkdf2, readable_secret(32)).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  };
  with([](auto& params) { params.saltSource = 0; });
  with([](auto& params) { params.saltSource = 2; });
  with([](auto& params) { params.pSaltSourceData = nullptr; });
  with([](auto& params) { params.ulSaltSourceDataLen = ~0UL; });
  with([](auto& params) { params.iterations = 0; });
  with([](auto& params) { params.iterations = 10'000'001; });
  with([](auto& params) { params.iterations = ~0UL; });
  with([](auto& params) { params.prf = 0; });
  with([](auto& params) { params.prf = 2; });  // GOST
  with([](auto& params) { params.prf = 9; });
  with([](auto& params) { params.ulPrfDataLen = 1; });
  with([](auto& params) { params.pPassword = nullptr; });
  with([](auto& params) { params.ulPasswordLen = ~0UL; });
  // The older structure has a pointer to the length in its place.
  static CK_ULONG length = 8;
  with([](auto& params) { params.ulPasswordLen = reinterpret_cast<CK_ULONG>(&length); });
  EXPECT_EQ(session().find({}).size(), before);
}

}  // namespace
}  // namespace tallystick::test
