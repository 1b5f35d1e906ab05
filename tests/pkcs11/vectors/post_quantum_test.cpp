// Wycheproof's and ACVP's ML-DSA signatures and ML-KEM decapsulations. Where libcrypto has neither,
// no case applies, and all of them are counted so.
#include "tests/pkcs11/support/post_quantum.h"

#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

constexpr const char* kAbsent = "libcrypto of this release does not have the algorithm";
constexpr const char* kInternal = "ML-DSA's inner functions, which PKCS#11 does not reach";
constexpr const char* kHash = "a hash that the token does not offer here";
constexpr const char* kRandom = "randomness that the token makes itself";

// `needs`: the parameter set without which nothing of the file applies.
void run_pq(const std::string& file, const char* needs, const Counts& expected,
            const GroupRun& group_run) {
  if (libcrypto_has(needs)) {
    run_vectors(file, expected, group_run);
  } else {
    run_vectors(file, {expected.total, 0, {{kAbsent, expected.total}}},
                [](const nlohmann::json&) { return none_apply(kAbsent); });
  }
}

Answer<CK_OBJECT_HANDLE> import_public(Session& session, const PqCase& set,
                                       const core::Bytes& value) {
  return session.create(pq_object(set, CKO_PUBLIC_KEY).bytes(CKA_VALUE, value));
}
Answer<CK_OBJECT_HANDLE> import_private(Session& session, const PqCase& set, CK_ATTRIBUTE_TYPE type,
                                        const core::Bytes& value) {
  return session.create(pq_object(set, CKO_PRIVATE_KEY)
                            .bytes(type, value)
                            .flag(CKA_SENSITIVE, false)
                            .flag(CKA_EXTRACTABLE, true));
}

core::Bytes context_in(const nlohmann::json& test, const char* name) {
  return test.contains(name) ? unhex(test[name]) : core::Bytes{};
}

class MlDsaVectors : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Each, MlDsaVectors, ::testing::Values(65, 87));

TEST_P(MlDsaVectors, WycheproofsSignaturesAreAcceptedOrRefusedAsTheyShould) {
  TestToken token;
  auto& session = token.session();
  const auto number = std::to_string(GetParam());
  const auto& set = pq_case(("ML-DSA-" + number).c_str());
  const std::size_t total = GetParam() == 65 ? 210 : 241;
  run_pq("wycheproof/mldsa_" + number + "_verify_test.json", set.name, {total, total},
         [&](const nlohmann::json& group) -> CaseRun {
           const auto key = import_public(session, set, unhex(group["publicKey"]));
           return [&session, key](const nlohmann::json& test) {
             if (key.rv != CKR_OK) return as_expected(test, false);
             SignContext mechanism(CKM_ML_DSA, CKH_HEDGE_PREFERRED, context_in(test, "ctx"));
             const auto rv =
                 pq_verify(session, mechanism, key.value, unhex(test["msg"]), unhex(test["sig"]));
             return as_expected(test, rv == CKR_OK);
           };
         });
}

TEST(WycheproofMlDsa, WhatTheTokenSignsIsTheExpectedSignature) {
  TestToken token;
  auto& session = token.session();
  const auto& set = pq_case("ML-DSA-65");
  run_pq("wycheproof/mldsa_65_sign_seed_test.json", set.name,
         {105, 87, {{kInternal, 17}, {kRandom, 1}}}, [&](const nlohmann::json& group) -> CaseRun {
           const auto key = import_private(session, set, CKA_SEED, unhex(group["privateSeed"]));
           return [&session, key](const nlohmann::json& test) {
             if (!test.contains("msg")) return Verdict::not_applicable(kInternal);
             if (test.contains("rnd")) return Verdict::not_applicable(kRandom);
             if (key.rv != CKR_OK) return as_expected(test, false);
             SignContext mechanism(CKM_ML_DSA, CKH_DETERMINISTIC_REQUIRED, context_in(test, "ctx"));
             const auto made = pq_sign(session, mechanism, key.value, unhex(test["msg"]));
             if (made.rv != CKR_OK) return as_expected(test, false);
             return Verdict::held(may_pass(test) && made.value == unhex(test["sig"]),
                                  "another signature");
           };
         });
}

// The token's mechanism for a hash by the name that ACVP gives it; 0 where there is none.
CK_MECHANISM_TYPE hash_ml_dsa(const std::string& name) {
  const auto* const hash = hash_case(name);
  if (hash == nullptr) return 0;
  static const std::map<CK_MECHANISM_TYPE, CK_MECHANISM_TYPE> kTypes = {
      {CKM_SHA224, CKM_HASH_ML_DSA_SHA224},     {CKM_SHA256, CKM_HASH_ML_DSA_SHA256},
      {CKM_SHA384, CKM_HASH_ML_DSA_SHA384},     {CKM_SHA512, CKM_HASH_ML_DSA_SHA512},
      {CKM_SHA3_224, CKM_HASH_ML_DSA_SHA3_224}, {CKM_SHA3_256, CKM_HASH_ML_DSA_SHA3_256},
      {CKM_SHA3_384, CKM_HASH_ML_DSA_SHA3_384}, {CKM_SHA3_512, CKM_HASH_ML_DSA_SHA3_512}};
  const auto at = kTypes.find(hash->digest);
  return at == kTypes.end() ? 0 : at->second;
}

TEST(AcvpMlDsa, EverySignatureIsAcceptedOrRefusedAsItShould) {
  TestToken token;
  auto& session = token.session();
  run_pq("acvp/ML-DSA-sigVer-FIPS204.json", "ML-DSA-65", {120, 51, {{kInternal, 60}, {kHash, 9}}},
         [&](const nlohmann::json& group) -> CaseRun {
           if (group["signatureInterface"] != "external") return none_apply(kInternal);
           const bool hashed = group["preHash"] == "preHash";
           const auto& set = pq_case(group["parameterSet"].get<std::string>().c_str());
           return [&session, &set, hashed](const nlohmann::json& test) {
             const auto type = hashed ? hash_ml_dsa(test["hashAlg"]) : CKM_ML_DSA;
             if (type == 0) return Verdict::not_applicable(kHash);
             const auto key = must(import_public(session, set, unhex(test["pk"])));
             SignContext mechanism(type, CKH_HEDGE_PREFERRED, context_in(test, "context"));
             const auto rv = pq_verify(session, mechanism, key, unhex(test["message"]),
                                       unhex(test["signature"]));
             return Verdict::held((rv == CKR_OK) == test["testPassed"].get<bool>(), rv_name(rv));
           };
         });
}

// ---- ML-KEM ----

core::Bytes secret_of(const TestToken& token, Session& session, CK_OBJECT_HANDLE key,
                      const core::Bytes& ciphertext) {
  const auto made = decapsulate(token.module(), session, key, ciphertext, readable_secret());
  return made.rv == CKR_OK ? must(session.get(made.value, CKA_VALUE)) : core::Bytes{};
}

// The public value of a private key: the end of its CKA_PUBLIC_KEY_INFO.
bool has_public(Session& session, CK_OBJECT_HANDLE key, const core::Bytes& value) {
  const auto info = must(session.get(key, CKA_PUBLIC_KEY_INFO));
  return info.size() > value.size() &&
         std::equal(value.begin(), value.end(), info.end() - static_cast<long>(value.size()));
}

TEST(WycheproofMlKem, KeysComeOfTheirSeeds) {
  TestToken token;
  auto& session = token.session();
  const auto& set = pq_case("ML-KEM-768");
  run_pq("wycheproof/mlkem_768_keygen_seed_test.json", set.name, {100, 100},
         [&](const nlohmann::json&) -> CaseRun {
           return [&](const nlohmann::json& test) {
             const auto key = must(import_private(session, set, CKA_SEED, unhex(test["seed"])));
             return Verdict::held(must(session.get(key, CKA_VALUE)) == unhex(test["dk"]) &&
                                      has_public(session, key, unhex(test["ek"])),
                                  "another key");
           };
         });
}

TEST(WycheproofMlKem, EveryCiphertextGivesItsSecretOrIsRefused) {
  TestToken token;
  auto& session = token.session();
  const auto& set = pq_case("ML-KEM-768");
  run_pq("wycheproof/mlkem_768_test.json", set.name, {193, 193},
         [&](const nlohmann::json&) -> CaseRun {
           return [&](const nlohmann::json& test) {
             const auto key = import_private(session, set, CKA_SEED, unhex(test["seed"]));
             if (key.rv != CKR_OK) return as_expected(test, false);
             const auto secret = secret_of(token, session, key.value, unhex(test["c"]));
             if (secret.empty()) return as_expected(test, false);
             return Verdict::held(may_pass(test) && secret == unhex(test["K"]) &&
                                      has_public(session, key.value, unhex(test["ek"])),
                                  "another secret");
           };
         });
}

// The cases of encapsulation give the randomness, which the token makes itself; their ciphertexts
// are opened like those of decapsulation. A key that does not pass the standard's check is not
// taken.
TEST(AcvpMlKem, EveryCiphertextGivesItsSecretAndOnlyGoodKeysAreTaken) {
  TestToken token;
  auto& session = token.session();
  run_pq("acvp/ML-KEM-encapDecap-FIPS203.json", "ML-KEM-768", {165, 165},
         [&](const nlohmann::json& group) -> CaseRun {
           const std::string function = group["function"];
           const auto& set = pq_case(group["parameterSet"].get<std::string>().c_str());
           return [&, function](const nlohmann::json& test) {
             if (function == "encapsulationKeyCheck") {
               const auto rv = import_public(session, set, unhex(test["ek"])).rv;
               return Verdict::held((rv == CKR_OK) == test["testPassed"].get<bool>(), rv_name(rv));
             }
             const auto key = import_private(session, set, CKA_VALUE, unhex(test["dk"]));
             if (function == "decapsulationKeyCheck") {
               return Verdict::held((key.rv == CKR_OK) == test["testPassed"].get<bool>(),
                                    rv_name(key.rv));
             }
             const auto secret = secret_of(token, session, must(key), unhex(test["c"]));
             return Verdict::held(secret == unhex(test["k"]), "another secret");
           };
         });
}

}  // namespace
}  // namespace tallystick::test
