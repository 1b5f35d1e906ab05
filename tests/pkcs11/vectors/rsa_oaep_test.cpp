// Wycheproof's OAEP ciphertexts, through C_Decrypt and C_UnwrapKey.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/vectors/runner.h"

namespace tallystick::test {
namespace {

struct OaepFile {
  const char* name;
  Counts counts;
};
class WycheproofOaep : public ::testing::TestWithParam<OaepFile> {};
INSTANTIATE_TEST_SUITE_P(Rsa, WycheproofOaep,
                         ::testing::Values(OaepFile{"rsa_oaep_2048_sha1_mgf1sha1", {36, 36}},
                                           OaepFile{"rsa_oaep_2048_sha256_mgf1sha1", {31, 31}},
                                           OaepFile{"rsa_oaep_2048_sha256_mgf1sha256", {37, 37}},
                                           OaepFile{"rsa_oaep_3072_sha256_mgf1sha256", {37, 37}},
                                           OaepFile{"rsa_oaep_3072_sha512_mgf1sha512", {33, 33}},
                                           OaepFile{"rsa_oaep_4096_sha256_mgf1sha256", {37, 37}},
                                           OaepFile{"rsa_oaep_4096_sha512_mgf1sha512", {36, 36}},
                                           OaepFile{"rsa_oaep_misc",
                                                    {395,
                                                     230,
                                                     {{"a modulus of 1024 bits", 60},
                                                      {"a modulus of 1536 bits", 60},
                                                      {"a modulus of 8192 bits", 45}}}}),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           std::erase(name, '_');
                           return name;
                         });

// A32: one answer to every ciphertext that does not open, whatever is wrong with it.
TEST_P(WycheproofOaep, A32_EveryCiphertextOpensOrIsRefusedWithOneCode) {
  TestToken token;
  auto& session = token.session();
  run_vectors(
      std::string("wycheproof/") + GetParam().name + "_test.json", GetParam().counts,
      [&](const nlohmann::json& group) -> CaseRun {
        const auto bits = group["keySize"].get<int>();
        if (bits < 2048 || bits > 4096) {
          return none_apply("a modulus of " + std::to_string(bits) + " bits");
        }
        const auto* const hash = hash_case(group["sha"]);
        const auto* const mgf = hash_case(group["mgfSha"]);
        const auto libcrypto = from_pkcs8(unhex(group["privateKeyPkcs8"]));
        const auto key = must(session.create(
            private_key(libcrypto.get()).flag(CKA_DECRYPT, true).flag(CKA_UNWRAP, true)));
        const std::size_t size = (static_cast<std::size_t>(bits) + 7) / 8;
        return [&session, key, hash, mgf, size](const nlohmann::json& test) {
          Oaep oaep(hash->digest, mgf->mgf, unhex(test["label"]));
          const auto message = unhex(test["msg"]);
          const auto ciphertext = unhex(test["ct"]);
          const auto plain = session.decrypt(oaep, key, ciphertext);
          const auto unwrapped = session.unwrap(oaep, key, ciphertext,
                                                Attributes()
                                                    .number(CKA_CLASS, CKO_SECRET_KEY)
                                                    .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET));
          if (test["result"] == "valid" || (plain.rv == CKR_OK && may_pass(test))) {
            if (plain.rv != CKR_OK || plain.value != message) {
              return Verdict::held(false, "decryption " + rv_name(plain.rv));
            }
            // A key has at least one byte.
            const bool comes = unwrapped.rv == CKR_OK &&
                               session.number(unwrapped.value, CKA_VALUE_LEN) == message.size();
            return Verdict::held(comes || message.empty(), "unwrapping " + rv_name(unwrapped.rv));
          }
          const bool right_size = ciphertext.size() == size;
          const bool one_code =
              plain.rv ==
                  (right_size ? CKR_ENCRYPTED_DATA_INVALID : CKR_ENCRYPTED_DATA_LEN_RANGE) &&
              unwrapped.rv == (right_size ? CKR_WRAPPED_KEY_INVALID : CKR_WRAPPED_KEY_LEN_RANGE);
          return Verdict::held(one_code, rv_name(plain.rv) + ", " + rv_name(unwrapped.rv));
        };
      });
}

}  // namespace
}  // namespace tallystick::test
