// Published known answers for AES-KW and AES-KWP, as wrapping of keys and as cipher for data.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

class WrapDesk {
 public:
  explicit WrapDesk(CK_MECHANISM_TYPE type) : mechanism_(type) {}

  Verdict check(const core::Bytes& kek, const core::Bytes& text, const core::Bytes& blob,
                bool valid) {
    const auto wrapping = session().create(secret_key(CKK_AES, kek)
                                               .flag(CKA_WRAP, true)
                                               .flag(CKA_UNWRAP, true)
                                               .flag(CKA_ENCRYPT, true)
                                               .flag(CKA_DECRYPT, true));
    if (wrapping.rv != CKR_OK) return Verdict::held(!valid, "no AES key");
    const auto verdict = valid ? agrees(wrapping.value, text, blob) : refuses(wrapping.value, blob);
    must(session().destroy(wrapping.value));
    return verdict;
  }

 private:
  Session& session() { return token_.session(); }
  static Attributes readable() {
    return Attributes().flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true);
  }
  static Attributes unwrapped() {
    return Attributes()
        .number(CKA_CLASS, CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
        .flag(CKA_EXTRACTABLE, true);
  }

  // An unwrapped key cannot be read; its wrapping is deterministic and shows what it is.
  Verdict agrees(CK_OBJECT_HANDLE kek, const core::Bytes& text, const core::Bytes& blob) {
    if (session().encrypt(mechanism_, kek, text).value != blob)
      return Verdict::held(false, "encrypt");
    if (session().decrypt(mechanism_, kek, blob).value != text)
      return Verdict::held(false, "decrypt");
    const auto key =
        must(session().create(secret_key(CKK_GENERIC_SECRET, text).append(readable())));
    const auto wrapped = session().wrap(mechanism_, kek, key);
    const auto back = session().unwrap(mechanism_, kek, blob, unwrapped().flag(CKA_SIGN, true));
    if (wrapped.value != blob || back.rv != CKR_OK) return Verdict::held(false, rv_name(back.rv));
    const auto same =
        must(session().create(secret_key(CKK_GENERIC_SECRET, text).flag(CKA_SIGN, true)));
    const bool held = must(session().sign(CKM_SHA256_HMAC, back.value, bytes("x"))) ==
                      must(session().sign(CKM_SHA256_HMAC, same, bytes("x")));
    for (const auto object : {key, back.value, same}) must(session().destroy(object));
    return Verdict::held(held, "another key");
  }

  Verdict refuses(CK_OBJECT_HANDLE kek, const core::Bytes& blob) {
    const auto data = session().decrypt(mechanism_, kek, blob).rv;
    const auto key = session().unwrap(mechanism_, kek, blob, unwrapped()).rv;
    return Verdict::held(
        (data == CKR_ENCRYPTED_DATA_INVALID && key == CKR_WRAPPED_KEY_INVALID) ||
            (data == CKR_ENCRYPTED_DATA_LEN_RANGE && key == CKR_WRAPPED_KEY_LEN_RANGE),
        rv_name(data) + ", " + rv_name(key));
  }

  TestToken token_;
  Mechanism mechanism_;
};

struct Kind {
  const char* name;
  CK_MECHANISM_TYPE type;
  const char* wycheproof;
  std::size_t wycheproof_cases;
  const char* acvp;
  const char* cavp;
};
class KeyWrapVectors : public ::testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Published, KeyWrapVectors,
                         ::testing::Values(Kind{"Kw", CKM_AES_KEY_WRAP, "aes_wrap_test", 165,
                                                "ACVP-AES-KW-1.0", "KW"},
                                           Kind{"Kwp", CKM_AES_KEY_WRAP_KWP, "aes_kwp_test", 254,
                                                "ACVP-AES-KWP-1.0", "KWP"}),
                         [](const auto& tested) { return tested.param.name; });

// The acceptable ones are keys shorter than KW takes, which the token refuses.
TEST_P(KeyWrapVectors, Wycheproof) {
  WrapDesk desk(GetParam().type);
  const auto cases = GetParam().wycheproof_cases;
  run_vectors(std::string("wycheproof/") + GetParam().wycheproof + ".json", {cases, cases},
              [&](const nlohmann::json&) -> CaseRun {
                return [&](const nlohmann::json& test) {
                  return desk.check(unhex(test["key"]), unhex(test["msg"]), unhex(test["ct"]),
                                    test["result"] == "valid");
                };
              });
}

TEST_P(KeyWrapVectors, Acvp) {
  WrapDesk desk(GetParam().type);
  run_vectors(std::string("acvp/") + GetParam().acvp + ".json", {144, 144},
              [&](const nlohmann::json&) -> CaseRun {
                return [&](const nlohmann::json& test) {
                  return desk.check(unhex(test["key"]), unhex(test.value("pt", "")),
                                    unhex(test["ct"]), test.value("testPassed", true));
                };
              });
}

TEST_P(KeyWrapVectors, Cavp) {
  WrapDesk desk(GetParam().type);
  for (const char* const direction : {"_AE_", "_AD_"}) {
    for (const char* const bits : {"128", "192", "256"}) {
      run_vectors(std::string("cavp/") + GetParam().cavp + direction + bits + ".rsp", {100, 100},
                  [&](const nlohmann::json&) -> CaseRun {
                    return [&](const nlohmann::json& test) {
                      return desk.check(unhex(test["K"]), unhex(test.value("P", "")),
                                        unhex(test["C"]), !test.contains("FAIL"));
                    };
                  });
    }
  }
}

}  // namespace
}  // namespace tallystick::test
