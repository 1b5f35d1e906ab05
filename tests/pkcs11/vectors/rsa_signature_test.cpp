// Wycheproof's and ACVP's RSA signatures.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

Attributes rsa_public(const std::string& modulus, const std::string& exponent) {
  return Attributes()
      .number(CKA_CLASS, CKO_PUBLIC_KEY)
      .number(CKA_KEY_TYPE, CKK_RSA)
      .bytes(CKA_MODULUS, unhex(modulus))
      .bytes(CKA_PUBLIC_EXPONENT, unhex(exponent));
}

struct SignatureFile {
  const char* name;
  Counts counts;
};
std::string name_of(const ::testing::TestParamInfo<SignatureFile>& tested) {
  std::string name = tested.param.name;
  std::erase_if(name, [](char c) { return c == '_'; });
  return name;
}

// A mechanism for the group; nullopt and the reason where the token has none.
using Chosen = std::variant<Mechanism, std::string>;

void run_wycheproof(const SignatureFile& file,
                    const std::function<Chosen(const nlohmann::json&)>& choose) {
  TestToken token;
  auto& session = token.session();
  run_vectors(std::string("wycheproof/") + file.name + "_test.json", file.counts,
              [&](const nlohmann::json& group) -> CaseRun {
                const auto chosen = choose(group);
                if (const auto* reason = std::get_if<std::string>(&chosen)) {
                  return none_apply(*reason);
                }
                const auto key = must(session.create(rsa_public(
                    group["publicKey"]["modulus"], group["publicKey"]["publicExponent"])));
                return [&session, key,
                        mechanism = std::get<Mechanism>(chosen)](const nlohmann::json& test) {
                  const auto message = unhex(test["msg"]);
                  const auto signature = unhex(test["sig"]);
                  const auto rv = session.verify(mechanism, key, message, signature);
                  // In parts it is the same.
                  if (session.verify_parts(mechanism, key, message, signature, 7) != rv) {
                    return Verdict::held(false, "differs in parts");
                  }
                  return as_expected(test, rv == CKR_OK);
                };
              });
}

class WycheproofPkcs1 : public ::testing::TestWithParam<SignatureFile> {};
INSTANTIATE_TEST_SUITE_P(Rsa, WycheproofPkcs1,
                         ::testing::Values(SignatureFile{"rsa_signature_2048_sha256", {259, 259}},
                                           SignatureFile{"rsa_signature_3072_sha384", {259, 259}},
                                           SignatureFile{"rsa_signature_4096_sha512", {259, 259}}),
                         name_of);

TEST_P(WycheproofPkcs1, EverySignatureIsAcceptedOrRefusedAsItShould) {
  run_wycheproof(GetParam(), [](const nlohmann::json& group) -> Chosen {
    return Mechanism(hash_case(group["sha"])->rsa_pkcs);
  });
}

class WycheproofPss : public ::testing::TestWithParam<SignatureFile> {};
INSTANTIATE_TEST_SUITE_P(Rsa, WycheproofPss,
                         ::testing::Values(SignatureFile{"rsa_pss_2048_sha256_mgf1_0", {103, 103}},
                                           SignatureFile{"rsa_pss_2048_sha256_mgf1_32", {108, 108}},
                                           SignatureFile{"rsa_pss_2048_sha384_mgf1_48", {141, 141}},
                                           SignatureFile{"rsa_pss_3072_sha256_mgf1_32", {108, 108}},
                                           SignatureFile{"rsa_pss_4096_sha384_mgf1_48", {141, 141}},
                                           SignatureFile{"rsa_pss_4096_sha512_mgf1_64", {179, 179}},
                                           SignatureFile{"rsa_pss_misc", {150, 150}}),
                         name_of);

TEST_P(WycheproofPss, EverySignatureIsAcceptedOrRefusedAsItShould) {
  run_wycheproof(GetParam(), [](const nlohmann::json& group) -> Chosen {
    const auto* const hash = hash_case(group["sha"]);
    const auto* const mgf = hash_case(group["mgfSha"]);
    return pss(hash->rsa_pss, hash->digest, mgf->mgf, group["sLen"].get<CK_ULONG>());
  });
}

constexpr const char* kRandomised = "a message mixed with a random value first (SP 800-106)";

// The mechanism of an ACVP group.
Chosen acvp_mechanism(const nlohmann::json& group) {
  const auto* const hash = hash_case(group["hashAlg"]);
  if (hash == nullptr) return "a hash that is not offered (SHAKE)";
  if (group["sigType"] == "pkcs1v1.5") return Mechanism(hash->rsa_pkcs);
  if (group["maskFunction"] != "mgf1") return "a mask that is not MGF1";
  return pss(hash->rsa_pss, hash->digest, hash->mgf, group["saltLen"].get<CK_ULONG>());
}

void run_acvp(const std::string& file, const Counts& counts) {
  TestToken token;
  auto& session = token.session();
  run_vectors(file, counts, [&](const nlohmann::json& group) -> CaseRun {
    const auto chosen = acvp_mechanism(group);
    if (const auto* reason = std::get_if<std::string>(&chosen)) return none_apply(*reason);
    const auto key = must(session.create(rsa_public(group["n"], group["e"])));
    return [&session, key, mechanism = std::get<Mechanism>(chosen)](const nlohmann::json& test) {
      if (test.contains("randomValue")) {
        return Verdict::not_applicable(kRandomised);
      }
      const auto rv =
          session.verify(mechanism, key, unhex(test["message"]), unhex(test["signature"]));
      const bool good = test.value("testPassed", true);
      return Verdict::held((rv == CKR_OK) == good, rv_name(rv));
    };
  });
}

TEST(AcvpRsa, EverySignatureIsAcceptedOrRefusedAsItShould) {
  run_acvp(
      "acvp/RSA-SigVer-FIPS186-5.json",
      {270, 126, {{"a hash that is not offered (SHAKE)", 108}, {"a mask that is not MGF1", 36}}});
}

TEST(AcvpRsa, EveryGeneratedSignatureVerifies) {
  run_acvp("acvp/RSA-SigGen-FIPS186-5.json", {96,
                                              23,
                                              {{"a hash that is not offered (SHAKE)", 40},
                                               {"a mask that is not MGF1", 12},
                                               {kRandomised, 21}}});
}

}  // namespace
}  // namespace tallystick::test
