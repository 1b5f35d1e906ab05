// Wycheproof's ECDSA cases.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

struct RawSignatures {
  const char* name;
  const char* file;
  core::Curve curve;
  CK_MECHANISM_TYPE mechanism;
  std::size_t cases;
};
class RawEcdsa : public ::testing::TestWithParam<RawSignatures> {};
INSTANTIATE_TEST_SUITE_P(
    Wycheproof, RawEcdsa,
    ::testing::Values(RawSignatures{"P256Sha256", "ecdsa_secp256r1_sha256_p1363_test",
                                    core::Curve::kP256, CKM_ECDSA_SHA256, 262},
                      RawSignatures{"P384Sha384", "ecdsa_secp384r1_sha384_p1363_test",
                                    core::Curve::kP384, CKM_ECDSA_SHA384, 280}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(RawEcdsa, EveryCaseIsAcceptedOrRefusedAsItShould) {
  TestToken token;
  auto& session = token.session();
  const auto& file = GetParam();
  run_vectors(std::string("wycheproof/") + file.file + ".json", {file.cases, file.cases},
              [&](const nlohmann::json& group) -> CaseRun {
                auto point = unhex(group["publicKey"]["uncompressed"]);
                point.erase(point.begin());
                const auto key = must(session.create(ec_public_key(file.curve, point)));
                return [&, key](const nlohmann::json& test) {
                  return as_expected(test, session.verify(file.mechanism, key, unhex(test["msg"]),
                                                          unhex(test["sig"])) == CKR_OK);
                };
              });
}

}  // namespace
}  // namespace tallystick::test
