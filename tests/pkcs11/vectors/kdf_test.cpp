// Published known answers for keys that are derived from secret keys and from passwords.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

// The token's longest and shortest derived keys; data objects have neither limit.
constexpr CK_ULONG kShortestKey = 16;
constexpr CK_ULONG kLongestKey = 4096;

// ---- HKDF ----

struct HkdfCase {
  CK_MECHANISM_TYPE hash;
  core::Bytes salt;
  core::Bytes info;
  CK_ULONG size;
};

// As a data object and, where keys have that length, as a key: in one step and in two.
Verdict hkdf_case(Session& session, const core::Bytes& secret, const HkdfCase& test,
                  const core::Bytes& expected) {
  const auto base = base_key(session, secret, CKK_HKDF);
  Hkdf data(test.hash, test.info, CKM_HKDF_DATA);
  data.salt(test.salt);
  const auto object = session.derive(data, base, Attributes().number(CKA_VALUE_LEN, test.size));
  if (expected.empty()) {
    return Verdict::held(object.rv == CKR_KEY_SIZE_RANGE, rv_name(object.rv));
  }
  if (object.rv != CKR_OK) return Verdict::held(false, rv_name(object.rv));
  bool held = must(session.get(object.value, CKA_VALUE)) == expected;
  Hkdf both(test.hash, test.info);
  both.salt(test.salt);
  const auto key = session.derive(both, base, readable_secret(test.size));
  if (test.size >= kShortestKey && test.size <= kLongestKey) {
    Hkdf extract(test.hash);
    extract.steps(true, false).salt(test.salt);
    Hkdf expand(test.hash, test.info);
    expand.steps(false, true);
    const auto prk = must(session.derive(extract, base, Attributes().flag(CKA_DERIVE, true)));
    const auto again = must(session.derive(expand, prk, readable_secret(test.size)));
    held = held && must(session.get(must(key), CKA_VALUE)) == expected &&
           must(session.get(again, CKA_VALUE)) == expected;
  } else {
    held = held && key.rv == CKR_KEY_SIZE_RANGE;
  }
  return Verdict::held(held, "another key");
}

struct HkdfFile {
  const char* name;
  CK_MECHANISM_TYPE hash;
  Counts counts;
};
class WycheproofHkdf : public ::testing::TestWithParam<HkdfFile> {};
INSTANTIATE_TEST_SUITE_P(KdfVectors, WycheproofHkdf,
                         ::testing::Values(HkdfFile{"hkdf_sha256", CKM_SHA256, {86, 86}},
                                           HkdfFile{"hkdf_sha384", CKM_SHA384, {83, 83}},
                                           HkdfFile{"hkdf_sha512", CKM_SHA512, {83, 83}}),
                         [](const auto& tested) { return tested.param.name; });
TEST_P(WycheproofHkdf, EveryCase) {
  TestToken token;
  const auto& file = GetParam();
  run_vectors("wycheproof/" + std::string(file.name) + "_test.json", file.counts,
              [&](const nlohmann::json&) -> CaseRun {
                return [&](const nlohmann::json& test) {
                  return hkdf_case(token.session(), unhex(test["ikm"]),
                                   {file.hash, unhex(test["salt"]), unhex(test["info"]),
                                    test["size"].get<CK_ULONG>()},
                                   unhex(test["okm"]));
                };
              });
}

TEST(KdfVectors, Rfc5869) {
  TestToken token;
  auto& session = token.session();
  run_vectors("rfc/rfc5869_hkdf_sha256.json", {3, 3}, [&](const nlohmann::json&) -> CaseRun {
    return [&](const nlohmann::json& test) {
      Hkdf extract(CKM_SHA256);
      extract.steps(true, false).salt(unhex(test["salt"]));
      const auto prk =
          must(session.derive(extract, base_key(session, unhex(test["ikm"])), readable_secret()));
      if (must(session.get(prk, CKA_VALUE)) != unhex(test["prk"])) {
        return Verdict::held(false, "another pseudo-random key");
      }
      return hkdf_case(
          session, unhex(test["ikm"]),
          {CKM_SHA256, unhex(test["salt"]), unhex(test["info"]), test["l"].get<CK_ULONG>()},
          unhex(test["okm"]));
    };
  });
}

}  // namespace
}  // namespace tallystick::test
