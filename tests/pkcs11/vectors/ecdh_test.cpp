// Wycheproof's key agreements: P-256 and P-384 with bare points, X25519.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

struct EcdhFile {
  const char* name;
  const char* curve;
  CK_KEY_TYPE key_type;
  Counts counts;
};
class WycheproofEcdh : public ::testing::TestWithParam<EcdhFile> {};
constexpr const char* kCompressed = "a compressed point";
INSTANTIATE_TEST_SUITE_P(
    Points, WycheproofEcdh,
    ::testing::Values(
        EcdhFile{"ecdh_secp256r1_ecpoint", "P-256", CKK_EC, {355, 354, {{kCompressed, 1}}}},
        EcdhFile{"ecdh_secp384r1_ecpoint", "P-384", CKK_EC, {790, 789, {{kCompressed, 1}}}},
        EcdhFile{"x25519", "X25519", CKK_EC_MONTGOMERY, {518, 518}}),
    [](const auto& tested) {
      std::string name = tested.param.curve;
      std::erase(name, '-');
      return name;
    });

// A24: a point off the curve is found at every agreement.
TEST_P(WycheproofEcdh, A24_EveryAgreementGivesTheSecretOrRefusesThePoint) {
  TestToken token;
  auto& session = token.session();
  const auto& file = GetParam();
  run_vectors(std::string("wycheproof/") + file.name + "_test.json", file.counts,
              [&](const nlohmann::json&) -> CaseRun {
                return [&](const nlohmann::json& test) {
                  const auto has = [&](const char* flag) {
                    const auto& flags = test["flags"];
                    return std::find(flags.begin(), flags.end(), flag) != flags.end();
                  };
                  const auto peer = unhex(test["public"]);
                  if (test["result"] == "acceptable" && has("CompressedPoint")) {
                    return Verdict::not_applicable(kCompressed);
                  }
                  const std::string digits = test["private"];
                  const auto own = must(session.create(
                      Attributes()
                          .number(CKA_CLASS, CKO_PRIVATE_KEY)
                          .number(CKA_KEY_TYPE, file.key_type)
                          .bytes(CKA_EC_PARAMS, curve_params(file.curve))
                          .bytes(CKA_VALUE, unhex(digits.size() % 2 != 0 ? "0" + digits : digits))
                          .flag(CKA_DERIVE, true)));
                  const auto agreed = session.derive(Ecdh(peer), own, readable_secret());
                  must(session.destroy(own));
                  // A secret that does not depend on our key is none.
                  const bool refuse = test["result"] == "invalid" || has("ZeroSharedSecret");
                  if (refuse) {
                    return Verdict::held(agreed.rv == CKR_MECHANISM_PARAM_INVALID,
                                         rv_name(agreed.rv));
                  }
                  if (agreed.rv != CKR_OK) return Verdict::held(false, rv_name(agreed.rv));
                  const auto secret = must(session.get(agreed.value, CKA_VALUE));
                  must(session.destroy(agreed.value));
                  return Verdict::held(secret == unhex(test["shared"]), "another secret");
                };
              });
}

}  // namespace
}  // namespace tallystick::test
