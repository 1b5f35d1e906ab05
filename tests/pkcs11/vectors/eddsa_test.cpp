// Wycheproof's and ACVP's EdDSA signatures.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

constexpr const char* kContext = "a context, which libcrypto 3.0 does not offer";
constexpr const char* kHashed = "a message hashed first, which libcrypto 3.0 does not offer";

std::string curve_of(const nlohmann::json& group) {
  return group["curve"] == "ED-25519" ? "ED25519" : "ED448";
}

CK_OBJECT_HANDLE import_edwards_point(Session& session, const std::string& curve,
                                      const core::Bytes& point) {
  return must(session.create(Attributes()
                                 .number(CKA_CLASS, CKO_PUBLIC_KEY)
                                 .number(CKA_KEY_TYPE, CKK_EC_EDWARDS)
                                 .bytes(CKA_EC_PARAMS, curve_params(curve))
                                 .bytes(CKA_EC_POINT, octets(point))));
}

TEST(WycheproofEddsa, EveryEd25519SignatureIsAcceptedOrRefusedAsItShould) {
  TestToken token;
  auto& session = token.session();
  run_vectors(
      "wycheproof/ed25519_test.json", {151, 151}, [&](const nlohmann::json& group) -> CaseRun {
        const auto key = import_edwards_point(session, "ED25519", unhex(group["publicKey"]["pk"]));
        return [&session, key](const nlohmann::json& test) {
          const auto message = unhex(test["msg"]);
          const auto signature = unhex(test["sig"]);
          const auto rv = session.verify(CKM_EDDSA, key, message, signature);
          if (session.verify_parts(CKM_EDDSA, key, message, signature, 5) != rv) {
            return Verdict::held(false, "differs in parts");
          }
          return as_expected(test, rv == CKR_OK);
        };
      });
}

TEST(AcvpEddsa, EverySignatureIsAcceptedOrRefusedAsItShould) {
  TestToken token;
  auto& session = token.session();
  run_vectors(
      "acvp/EDDSA-SigVer-1.0.json", {20, 10, {{kHashed, 10}}},
      [&](const nlohmann::json& group) -> CaseRun {
        if (group["preHash"].get<bool>()) return none_apply(kHashed);
        return [&session, curve = curve_of(group)](const nlohmann::json& test) {
          if (!test.value("context", "").empty()) {
            return Verdict::not_applicable(kContext);
          }
          const auto key = import_edwards_point(session, curve, unhex(test["q"]));
          const auto rv =
              session.verify(CKM_EDDSA, key, unhex(test["message"]), unhex(test["signature"]));
          return Verdict::held((rv == CKR_OK) == test["testPassed"].get<bool>(), rv_name(rv));
        };
      });
}

// EdDSA is deterministic: what the token signs is what stands in the file.
TEST(AcvpEddsa, EverySignatureOfTheTokenIsTheExpectedOne) {
  TestToken token;
  auto& session = token.session();
  run_vectors("acvp/EDDSA-SigGen-1.0.json", {168, 42, {{kHashed, 84}, {kContext, 42}}},
              [&](const nlohmann::json& group) -> CaseRun {
                if (group["preHash"].get<bool>()) return none_apply(kHashed);
                const auto key =
                    must(session.create(Attributes()
                                            .number(CKA_CLASS, CKO_PRIVATE_KEY)
                                            .number(CKA_KEY_TYPE, CKK_EC_EDWARDS)
                                            .bytes(CKA_EC_PARAMS, curve_params(curve_of(group)))
                                            .bytes(CKA_VALUE, unhex(group["d"]))));
                return [&session, key](const nlohmann::json& test) {
                  if (test["contextLength"].get<int>() != 0)
                    return Verdict::not_applicable(kContext);
                  const auto made = session.sign(CKM_EDDSA, key, unhex(test["message"]));
                  return Verdict::held(made.rv == CKR_OK && made.value == unhex(test["signature"]),
                                       rv_name(made.rv));
                };
              });
}

}  // namespace
}  // namespace tallystick::test
