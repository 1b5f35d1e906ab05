// Wycheproof's and ACVP's ECDSA signatures.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

struct EcdsaFile {
  const char* name;
  const char* curve;
  std::size_t half;  // bytes of r
  CK_MECHANISM_TYPE mechanism;
  Counts counts;
};

CK_OBJECT_HANDLE import_point(Session& session, const std::string& curve,
                              const core::Bytes& point) {
  return must(session.create(Attributes()
                                 .number(CKA_CLASS, CKO_PUBLIC_KEY)
                                 .number(CKA_KEY_TYPE, CKK_EC)
                                 .bytes(CKA_EC_PARAMS, curve_params(curve))
                                 .bytes(CKA_EC_POINT, octets(point))));
}

class WycheproofEcdsa : public ::testing::TestWithParam<EcdsaFile> {};
INSTANTIATE_TEST_SUITE_P(
    Raw, WycheproofEcdsa,
    ::testing::Values(
        EcdsaFile{"ecdsa_secp256r1_sha256_p1363", "P-256", 32, CKM_ECDSA_SHA256, {262, 262}},
        EcdsaFile{"ecdsa_secp384r1_sha384_p1363", "P-384", 48, CKM_ECDSA_SHA384, {280, 280}}),
    [](const auto& tested) { return tested.param.half == 32 ? "P256Sha256" : "P384Sha384"; });
constexpr const char* kNotRaw = "a signature that is not DER of r and s of the curve";
INSTANTIATE_TEST_SUITE_P(
    Der, WycheproofEcdsa,
    ::testing::Values(
        EcdsaFile{
            "ecdsa_secp256r1_sha512", "P-256", 32, CKM_ECDSA_SHA512, {554, 320, {{kNotRaw, 234}}}},
        EcdsaFile{
            "ecdsa_secp384r1_sha512", "P-384", 48, CKM_ECDSA_SHA512, {542, 306, {{kNotRaw, 236}}}},
        EcdsaFile{
            "ecdsa_secp521r1_sha512", "P-521", 66, CKM_ECDSA_SHA512, {542, 314, {{kNotRaw, 228}}}}),
    [](const auto& tested) {
      return tested.param.half == 32   ? "P256Sha512"
             : tested.param.half == 48 ? "P384Sha512"
                                       : "P521Sha512";
    });

TEST_P(WycheproofEcdsa, EveryCaseIsAcceptedOrRefusedAsItShould) {
  TestToken token;
  auto& session = token.session();
  const auto& file = GetParam();
  const bool der = std::string(file.name).find("p1363") == std::string::npos;
  run_vectors(
      std::string("wycheproof/") + file.name + "_test.json", file.counts,
      [&](const nlohmann::json& group) -> CaseRun {
        const auto key =
            import_point(session, file.curve, unhex(group["publicKey"]["uncompressed"]));
        return [&, key](const nlohmann::json& test) {
          auto signature = unhex(test["sig"]);
          if (der) signature = ecdsa_raw(signature, file.half);
          if (der && signature.empty()) return Verdict::not_applicable(kNotRaw);
          const auto rv = session.verify(file.mechanism, key, unhex(test["msg"]), signature);
          const bool known =
              rv == CKR_OK || rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE;
          return known ? as_expected(test, rv == CKR_OK) : Verdict::held(false, rv_name(rv));
        };
      });
}

TEST(AcvpEcdsa, EverySignatureIsAcceptedOrRefusedAsItShould) {
  TestToken token;
  auto& session = token.session();
  run_vectors("acvp/ECDSA-SigVer-FIPS186-5.json",
              {196,
               84,
               {{"P-224 is not offered", 49},
                {"SHA2-512/256 is not offered", 21},
                {"SHAKE is not offered", 42}}},
              [&](const nlohmann::json& group) -> CaseRun {
                const std::string curve = group["curve"];
                const std::string hash_name = group["hashAlg"];
                if (curve == "P-224") return none_apply("P-224 is not offered");
                const auto* const hash = hash_case(hash_name);
                if (hash == nullptr) {
                  return none_apply((hash_name.starts_with("SHAKE") ? "SHAKE" : hash_name) +
                                    " is not offered");
                }
                const std::size_t half = curve == "P-256" ? 32 : curve == "P-384" ? 48 : 66;
                return [&session, curve, hash, half](const nlohmann::json& test) {
                  const auto padded = [half](const std::string& text) {
                    auto bytes = unhex(text.size() % 2 != 0 ? "0" + text : text);
                    bytes.insert(bytes.begin(), half - bytes.size(), 0);
                    return bytes;
                  };
                  const auto join = [](core::Bytes first, const core::Bytes& second) {
                    first.insert(first.end(), second.begin(), second.end());
                    return first;
                  };
                  auto point = join(padded(test["qx"]), padded(test["qy"]));
                  point.insert(point.begin(), 4);
                  const auto key = import_point(session, curve, point);
                  const auto rv = session.verify(hash->ecdsa, key, unhex(test["message"]),
                                                 join(padded(test["r"]), padded(test["s"])));
                  must(session.destroy(key));
                  return Verdict::held((rv == CKR_OK) == test["testPassed"].get<bool>(),
                                       rv_name(rv));
                };
              });
}

}  // namespace
}  // namespace tallystick::test
