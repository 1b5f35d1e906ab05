// AES-CMAC and HMAC through C_Sign and C_Verify.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/vectors.h"

namespace tallystick::test {
namespace {

struct MacFile {
  const char* file;
  CK_MECHANISM_TYPE mechanism;
  CK_KEY_TYPE key_type;
  std::size_t mac_size;
  std::size_t cases;
};

class Macs : public ::testing::TestWithParam<MacFile> {};
INSTANTIATE_TEST_SUITE_P(
    Wycheproof, Macs,
    ::testing::Values(MacFile{"aes_cmac_test", CKM_AES_CMAC, CKK_AES, 16, 311},
                      MacFile{"hmac_sha256_test", CKM_SHA256_HMAC, CKK_GENERIC_SECRET, 32, 174},
                      MacFile{"hmac_sha384_test", CKM_SHA384_HMAC, CKK_GENERIC_SECRET, 48, 174},
                      MacFile{"hmac_sha512_test", CKM_SHA512_HMAC, CKK_GENERIC_SECRET, 64, 174}),
    [](const auto& tested) { return std::string(tested.param.file); });

TEST_P(Macs, AgreeWithEveryCaseOfTheirTagLength) {
  TestToken token;
  auto& session = token.session();
  const auto file = load_vectors(std::string("wycheproof/") + GetParam().file + ".json");
  std::size_t checked = 0;
  std::size_t no_such_key = 0;
  std::size_t truncated = 0;
  for (const auto& group : file["testGroups"]) {
    for (const auto& test : group["tests"]) {
      const auto name = test["tcId"].get<int>();
      const bool valid = test["result"] == "valid";
      const auto made = session.create(secret_key(GetParam().key_type, unhex(test["key"]))
                                           .flag(CKA_SIGN, true)
                                           .flag(CKA_VERIFY, true));
      if (made.rv != CKR_OK) {
        EXPECT_FALSE(valid) << name;
        ++no_such_key;
        continue;
      }
      const auto key = made.value;
      const auto message = unhex(test["msg"]);
      const auto tag = unhex(test["tag"]);
      const auto computed = must(session.sign(GetParam().mechanism, key, message));
      ASSERT_EQ(computed.size(), GetParam().mac_size);
      const auto verified = session.verify(GetParam().mechanism, key, message, tag);
      if (tag.size() != GetParam().mac_size) {
        // The mechanism knows the whole length only.
        EXPECT_THAT(verified, ReturnsRv(CKR_SIGNATURE_LEN_RANGE)) << name;
        const bool matches = std::equal(tag.begin(), tag.end(), computed.begin());
        EXPECT_EQ(matches, valid) << name;
        ++truncated;
      } else {
        EXPECT_THAT(verified, valid ? IsOk() : ReturnsRv(CKR_SIGNATURE_INVALID)) << name;
        EXPECT_EQ(computed == tag, valid) << name;
        EXPECT_EQ(session.verify_parts(GetParam().mechanism, key, message, tag, 3) == CKR_OK, valid)
            << name;
        ++checked;
      }
      must(session.destroy(key));
    }
  }
  EXPECT_EQ(checked + no_such_key + truncated, GetParam().cases);
  EXPECT_GT(checked, 60U);
  std::cout << checked << " checked, " << truncated << " truncated, " << no_such_key
            << " with a key size that is not one\n";
}

TEST(Mac, InPartsIsTheSameAsInOne) {
  TestToken token;
  auto& session = token.session();
  const auto key = generate_aes(session, Attributes().flag(CKA_SIGN, true));
  const core::Bytes data(1000, 0x33);
  const auto whole = must(session.sign(CKM_AES_CMAC, key, data));
  for (const std::size_t step : {1UL, 15UL, 16UL, 17UL, 999UL}) {
    EXPECT_EQ(must(session.sign_parts(CKM_AES_CMAC, key, data, step)), whole);
  }
}

TEST(Mac, TakesTheKeyTypesThatBelongToTheMechanism) {
  TestToken token;
  auto& session = token.session();
  const core::Bytes value(32, 1);
  const auto make = [&](CK_KEY_TYPE type) {
    return must(session.create(secret_key(type, value).flag(CKA_SIGN, true)));
  };
  const auto aes = make(CKK_AES);
  const auto generic = make(CKK_GENERIC_SECRET);
  const auto hmac = make(CKK_SHA256_HMAC);
  EXPECT_EQ(must(session.sign(CKM_SHA256_HMAC, generic, bytes("x"))),
            must(session.sign(CKM_SHA256_HMAC, hmac, bytes("x"))));
  EXPECT_THAT(
      session.sign(CKM_SHA256_HMAC, aes, bytes("x")).rv,
      ::testing::AnyOf(ReturnsRv(CKR_KEY_TYPE_INCONSISTENT), ReturnsRv(CKR_MECHANISM_INVALID)));
  EXPECT_THAT(
      session.sign(CKM_AES_CMAC, generic, bytes("x")).rv,
      ::testing::AnyOf(ReturnsRv(CKR_KEY_TYPE_INCONSISTENT), ReturnsRv(CKR_MECHANISM_INVALID)));
}

}  // namespace
}  // namespace tallystick::test
