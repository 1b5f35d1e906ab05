// Published known answers for the AES modes that encrypt data.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

const char* const kShortTag = "a tag that is not 16 bytes long";
const char* const kOddNonce = "a nonce of a length the token does not take";

core::Bytes joined(core::Bytes first, const core::Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// Encrypts and decrypts under one imported key after the other.
class Desk {
 public:
  Session& session() { return token_.session(); }

  // Where the plaintext is known both directions have to agree with the case, whole and in parts.
  Verdict agrees(Mechanism& mechanism, const core::Bytes& key, const core::Bytes& text,
                 const core::Bytes& sealed) {
    const auto handle = import(key);
    const bool held = session().encrypt(mechanism, handle, text).value == sealed &&
                      session().encrypt_parts(mechanism, handle, text, 7).value == sealed &&
                      session().decrypt_parts(mechanism, handle, sealed, 5).value == text;
    const auto opened = session().decrypt(mechanism, handle, sealed);
    must(session().destroy(handle));
    return Verdict::held(held && opened.rv == CKR_OK && opened.value == text, rv_name(opened.rv));
  }

  // The case has to be refused with this answer.
  Verdict refuses(Mechanism& mechanism, const core::Bytes& key, const core::Bytes& sealed,
                  CK_RV answer = CKR_ENCRYPTED_DATA_INVALID) {
    const auto handle = import(key);
    const auto whole = session().decrypt(mechanism, handle, sealed);
    const auto parts = session().decrypt_parts(mechanism, handle, sealed, 16);
    must(session().destroy(handle));
    return Verdict::held(whole.rv == answer && parts.rv == answer, rv_name(whole.rv));
  }

  // The parameter has to be refused.
  Verdict refuses_parameter(Mechanism& mechanism, const core::Bytes& key, std::string reason) {
    const auto handle = import(key);
    const auto rv = session().encrypt(mechanism, handle, bytes("x")).rv;
    must(session().destroy(handle));
    if (rv != CKR_MECHANISM_PARAM_INVALID) return Verdict::held(false, rv_name(rv));
    return Verdict::not_applicable(std::move(reason));
  }

 private:
  CK_OBJECT_HANDLE import(const core::Bytes& key) {
    return must(
        session().create(secret_key(CKK_AES, key).flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true)));
  }
  TestToken token_;
};

// ---- GCM ----

Verdict gcm_case(Desk& desk, const core::Bytes& key, const core::Bytes& iv, const core::Bytes& aad,
                 const core::Bytes& text, const core::Bytes& sealed, CK_ULONG tag_bits,
                 bool valid) {
  Gcm gcm(iv, aad, tag_bits);
  if (tag_bits != 128) return desk.refuses_parameter(gcm, key, kShortTag);
  if (iv.empty() || iv.size() > 128) return desk.refuses_parameter(gcm, key, kOddNonce);
  return valid ? desk.agrees(gcm, key, text, sealed) : desk.refuses(gcm, key, sealed);
}

TEST(AesVectors, WycheproofGcm) {
  Desk desk;
  run_vectors("wycheproof/aes_gcm_test.json", {316, 307, {{kOddNonce, 9}}},
              [&](const nlohmann::json& group) -> CaseRun {
                const auto tag_bits = group["tagSize"].get<CK_ULONG>();
                return [&, tag_bits](const nlohmann::json& test) {
                  return gcm_case(desk, unhex(test["key"]), unhex(test["iv"]), unhex(test["aad"]),
                                  unhex(test["msg"]), joined(unhex(test["ct"]), unhex(test["tag"])),
                                  tag_bits, test["result"] == "valid");
                };
              });
}

TEST(AesVectors, AcvpGcm) {
  Desk desk;
  run_vectors("acvp/ACVP-AES-GCM-1.0.json", {60, 30, {{kShortTag, 30}}},
              [&](const nlohmann::json& group) -> CaseRun {
                const auto tag_bits = group["tagLen"].get<CK_ULONG>();
                return [&, tag_bits](const nlohmann::json& test) {
                  return gcm_case(desk, unhex(test["key"]), unhex(test["iv"]), unhex(test["aad"]),
                                  unhex(test.value("pt", "")),
                                  joined(unhex(test.value("ct", "")), unhex(test["tag"])), tag_bits,
                                  test.value("testPassed", true));
                };
              });
}

class CavpGcm : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(AesVectors, CavpGcm,
                         ::testing::Values("gcmDecrypt128", "gcmDecrypt256", "gcmEncryptExtIV128",
                                           "gcmEncryptExtIV256"),
                         [](const auto& tested) { return tested.param; });
TEST_P(CavpGcm, EveryCase) {
  Desk desk;
  run_vectors("cavp/" + std::string(GetParam()) + ".rsp", {225, 225},
              [&](const nlohmann::json& group) -> CaseRun {
                const auto tag_bits = std::stoul(group["Taglen"].get<std::string>());
                return [&, tag_bits](const nlohmann::json& test) {
                  return gcm_case(desk, unhex(test["Key"]), unhex(test["IV"]), unhex(test["AAD"]),
                                  unhex(test.value("PT", "")),
                                  joined(unhex(test["CT"]), unhex(test["Tag"])), tag_bits,
                                  !test.contains("FAIL"));
                };
              });
}

// ---- CCM ----

Verdict ccm_case(Desk& desk, const core::Bytes& key, const core::Bytes& nonce,
                 const core::Bytes& aad, const core::Bytes& text, const core::Bytes& sealed,
                 std::size_t tag_size, bool valid) {
  Ccm ccm(sealed.size() - std::min(tag_size, sealed.size()), nonce, aad, tag_size);
  if (tag_size != 16) return desk.refuses_parameter(ccm, key, kShortTag);
  if (nonce.size() < 7 || nonce.size() > 13) return desk.refuses_parameter(ccm, key, kOddNonce);
  return valid ? desk.agrees(ccm, key, text, sealed) : desk.refuses(ccm, key, sealed);
}

TEST(AesVectors, WycheproofCcm) {
  Desk desk;
  run_vectors("wycheproof/aes_ccm_test.json", {552, 342, {{kShortTag, 210}}},
              [&](const nlohmann::json& group) -> CaseRun {
                const auto tag_size = group["tagSize"].get<std::size_t>() / 8;
                return [&, tag_size](const nlohmann::json& test) {
                  return ccm_case(desk, unhex(test["key"]), unhex(test["iv"]), unhex(test["aad"]),
                                  unhex(test["msg"]), joined(unhex(test["ct"]), unhex(test["tag"])),
                                  tag_size, test["result"] == "valid");
                };
              });
}

TEST(AesVectors, AcvpCcm) {
  Desk desk;
  run_vectors("acvp/ACVP-AES-CCM-1.0.json", {618, 618},
              [&](const nlohmann::json& group) -> CaseRun {
                const auto tag_size = group["tagLen"].get<std::size_t>() / 8;
                return [&, tag_size](const nlohmann::json& test) {
                  return ccm_case(desk, unhex(test["key"]), unhex(test["iv"]), unhex(test["aad"]),
                                  unhex(test.value("pt", "")), unhex(test["ct"]), tag_size,
                                  test.value("testPassed", true));
                };
              });
}

struct CcmFile {
  const char* name;
  std::size_t cases;
};
class CavpCcm : public ::testing::TestWithParam<CcmFile> {};
INSTANTIATE_TEST_SUITE_P(AesVectors, CavpCcm,
                         ::testing::Values(CcmFile{"DVPT", 120}, CcmFile{"VADT", 99},
                                           CcmFile{"VNT", 70}, CcmFile{"VPT", 100},
                                           CcmFile{"VTT", 10}),
                         [](const auto& tested) { return tested.param.name; });
TEST_P(CavpCcm, EveryCase) {
  Desk desk;
  const auto& file = GetParam();
  for (const char* const bits : {"128", "192", "256"}) {
    run_vectors(std::string("cavp/ccm_") + file.name + bits + ".rsp", {file.cases, file.cases},
                [&](const nlohmann::json& group) -> CaseRun {
                  return [&desk, group](const nlohmann::json& test) {
                    auto all = group;
                    all.update(test);
                    const auto cut = [&all](const char* name, const char* length) {
                      auto value = unhex(all.value(name, ""));
                      // Nothing is written as one zero byte.
                      if (all.at(length) == "0") value.clear();
                      return value;
                    };
                    return ccm_case(desk, unhex(all["Key"]), unhex(all["Nonce"]),
                                    cut("Adata", "Alen"), cut("Payload", "Plen"), unhex(all["CT"]),
                                    std::stoul(all["Tlen"].get<std::string>()),
                                    all.value("Result", "Pass") == "Pass");
                  };
                });
  }
}

// ---- CTR and CBC ----

TEST(AesVectors, AcvpCtr) {
  Desk desk;
  const std::string bits = "a message that is not a number of whole bytes";
  run_vectors(
      "acvp/ACVP-AES-CTR-1.0.json", {150, 98, {{bits, 52}}}, [&](const nlohmann::json&) -> CaseRun {
        return [&](const nlohmann::json& test) {
          if (test["payloadLen"].get<unsigned>() % 8 != 0) {
            return Verdict::not_applicable(bits);
          }
          // The counter of RFC 3686 has 32 bits.
          auto mechanism = ctr(unhex(test["iv"]), 32);
          return desk.agrees(mechanism, unhex(test["key"]), unhex(test["pt"]), unhex(test["ct"]));
        };
      });
}

TEST(AesVectors, WycheproofCbcPkcs5) {
  Desk desk;
  run_vectors(
      "wycheproof/aes_cbc_pkcs5_test.json", {216, 216}, [&](const nlohmann::json&) -> CaseRun {
        return [&](const nlohmann::json& test) {
          Mechanism mechanism(CKM_AES_CBC_PAD, unhex(test["iv"]));
          const auto sealed = unhex(test["ct"]);
          if (test["result"] == "valid") {
            return desk.agrees(mechanism, unhex(test["key"]), unhex(test["msg"]), sealed);
          }
          const bool whole = !sealed.empty() && sealed.size() % 16 == 0;
          return desk.refuses(mechanism, unhex(test["key"]), sealed,
                              whole ? CKR_ENCRYPTED_DATA_INVALID : CKR_ENCRYPTED_DATA_LEN_RANGE);
        };
      });
}

}  // namespace
}  // namespace tallystick::test
