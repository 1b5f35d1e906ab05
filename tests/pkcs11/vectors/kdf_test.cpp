// Published known answers for keys that are derived from secret keys and from passwords.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"
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

// ---- SP 800-108 in counter mode ----

// Neither function below takes the length in, so that a shorter output is the beginning of one that
// has a key's length.
CK_ULONG key_length(std::size_t bits) { return std::max<CK_ULONG>((bits + 7) / 8, kShortestKey); }
// Whether the first `bits` bits are those of `expected`.
bool begins_with(core::Bytes made, const core::Bytes& expected, std::size_t bits) {
  made.resize((bits + 7) / 8);
  if (const auto rest = bits % 8; rest != 0) {
    made.back() = static_cast<std::uint8_t>(made.back() & 0xFFU << (8 - rest));
  }
  return made == expected;
}

const char* const kInsideAByte = "a counter that begins inside a byte";

struct CounterCase {
  std::string prf;
  core::Bytes key;
  core::Bytes before;
  CK_ULONG counter_bits;
  core::Bytes after;
  std::size_t bits;
};

Verdict counter_case(Session& session, const CounterCase& test, const core::Bytes& expected) {
  const bool cmac = test.prf.find("CMAC") != std::string::npos;
  const auto& hash = test.prf;
  const auto prf = cmac                    ? CKM_AES_CMAC
                   : hash.ends_with("224") ? CKM_SHA224_HMAC
                   : hash.ends_with("256") ? CKM_SHA256_HMAC
                   : hash.ends_with("384") ? CKM_SHA384_HMAC
                   : hash.ends_with("512") ? CKM_SHA512_HMAC
                                           : CKM_SHA_1_HMAC;
  const auto base = base_key(session, test.key, cmac ? CKK_AES : CKK_GENERIC_SECRET);
  CounterKdf kdf(prf);
  if (!test.before.empty()) kdf.bytes(test.before);
  kdf.counter(test.counter_bits);
  if (!test.after.empty()) kdf.bytes(test.after);
  const auto key = session.derive(kdf, base, readable_secret(key_length(test.bits)));
  must(session.destroy(base));
  if (key.rv != CKR_OK) return Verdict::held(false, rv_name(key.rv));
  const auto made = must(session.get(key.value, CKA_VALUE));
  must(session.destroy(key.value));
  return Verdict::held(begins_with(made, expected, test.bits), "another key");
}

struct CounterFile {
  const char* name;
  Counts counts;
};
class AcvpCounterKdf : public ::testing::TestWithParam<CounterFile> {};
INSTANTIATE_TEST_SUITE_P(
    KdfVectors, AcvpCounterKdf,
    ::testing::Values(CounterFile{"KDF-1.0", {540, 378, {{kInsideAByte, 162}}}},
                      CounterFile{"KDF-1.0-cmac", {554, 385, {{kInsideAByte, 169}}}}),
    [](const auto& tested) {
      return std::string(tested.param.name) == "KDF-1.0" ? "Hmac" : "Cmac";
    });
TEST_P(AcvpCounterKdf, EveryCase) {
  TestToken token;
  run_vectors("acvp/" + std::string(GetParam().name) + ".json", GetParam().counts,
              [&](const nlohmann::json& group) -> CaseRun {
                const std::string where = group["counterLocation"];
                return [&, where](const nlohmann::json& test) {
                  const auto fixed = unhex(test["fixedData"]);
                  const auto at = where == "before fixed data" ? std::size_t{0}
                                  : where == "after fixed data"
                                      ? 8 * fixed.size()
                                      : test["breakLocation"].get<std::size_t>();
                  if (at % 8 != 0) return Verdict::not_applicable(kInsideAByte);
                  const auto split = fixed.begin() + static_cast<std::ptrdiff_t>(at / 8);
                  return counter_case(
                      token.session(),
                      {group["macMode"], unhex(test["keyIn"]), core::Bytes(fixed.begin(), split),
                       group["counterLength"].get<CK_ULONG>(), core::Bytes(split, fixed.end()),
                       group["keyOutLength"].get<std::size_t>()},
                      unhex(test["keyOut"]));
                };
              });
}

class CavpCounterKdf : public ::testing::TestWithParam<CounterFile> {};
INSTANTIATE_TEST_SUITE_P(KdfVectors, CavpCounterKdf,
                         ::testing::Values(CounterFile{"KDFCTR_gen", {1920, 1920}},
                                           CounterFile{"KDFCTR_gen_cmac", {480, 480}}),
                         [](const auto& tested) { return tested.param.name; });
TEST_P(CavpCounterKdf, EveryCase) {
  TestToken token;
  run_vectors("cavp/" + std::string(GetParam().name) + ".rsp", GetParam().counts,
              [&](const nlohmann::json& group) -> CaseRun {
                return [&](const nlohmann::json& test) {
                  const std::string where = group["CTRLOCATION"];
                  const auto bytes_in = [&](const char* name) {
                    return test.contains(name) ? unhex(test[name]) : core::Bytes();
                  };
                  const auto fixed = bytes_in("FixedInputData");
                  const bool middle = where == "MIDDLE_FIXED";
                  return counter_case(token.session(),
                                      {group["PRF"], unhex(test["KI"]),
                                       middle                   ? bytes_in("DataBeforeCtrData")
                                       : where == "AFTER_FIXED" ? fixed
                                                                : core::Bytes(),
                                       std::stoul(group["RLEN"].get<std::string>()),
                                       middle                    ? bytes_in("DataAfterCtrData")
                                       : where == "BEFORE_FIXED" ? fixed
                                                                 : core::Bytes(),
                                       std::stoul(test["L"].get<std::string>())},
                                      unhex(test["KO"]));
                };
              });
}

// ---- PBKDF2 ----

Verdict pbkdf2_case(Session& session, const Pbkdf2& pbkdf2, std::size_t bits,
                    const core::Bytes& expected) {
  const auto key = session.generate(pbkdf2, readable_secret(key_length(bits)));
  if (key.rv != CKR_OK) return Verdict::held(false, rv_name(key.rv));
  const auto made = must(session.get(key.value, CKA_VALUE));
  must(session.destroy(key.value));
  return Verdict::held(begins_with(made, expected, bits), "another key");
}

struct Pbkdf2File {
  const char* name;
  CK_ULONG prf;
  std::size_t cases;
};
class WycheproofPbkdf2 : public ::testing::TestWithParam<Pbkdf2File> {};
INSTANTIATE_TEST_SUITE_P(
    KdfVectors, WycheproofPbkdf2,
    ::testing::Values(Pbkdf2File{"pbkdf2_hmacsha256", CKP_PKCS5_PBKD2_HMAC_SHA256, 60},
                      Pbkdf2File{"pbkdf2_hmacsha512", CKP_PKCS5_PBKD2_HMAC_SHA512, 58}),
    [](const auto& tested) { return tested.param.name; });
TEST_P(WycheproofPbkdf2, EveryCase) {
  PasswordToken token;
  run_vectors("wycheproof/" + std::string(GetParam().name) + "_test.json",
              {GetParam().cases, GetParam().cases}, [&](const nlohmann::json&) -> CaseRun {
                return [&](const nlohmann::json& test) {
                  return pbkdf2_case(
                      token.session(),
                      Pbkdf2(GetParam().prf, unhex(test["password"]), unhex(test["salt"]),
                             test["iterationCount"].get<CK_ULONG>()),
                      8 * test["dkLen"].get<std::size_t>(), unhex(test["dk"]));
                };
              });
}

TEST(KdfVectors, AcvpPbkdf2) {
  PasswordToken token;
  run_vectors("acvp/PBKDF-1.0.json", {50, 50}, [&](const nlohmann::json&) -> CaseRun {
    return [&](const nlohmann::json& test) {
      return pbkdf2_case(
          token.session(),
          Pbkdf2(CKP_PKCS5_PBKD2_HMAC_SHA224, bytes(test["password"].get<std::string>()),
                 unhex(test["salt"]), test["iterationCount"].get<CK_ULONG>()),
          test["keyLen"].get<std::size_t>(), unhex(test["derivedKey"]));
    };
  });
}

}  // namespace
}  // namespace tallystick::test
