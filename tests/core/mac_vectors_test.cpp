// Wycheproof's AES-CMAC, HMAC and HKDF cases.
#include <gtest/gtest.h>

#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

Tally run(const std::string& file, const std::function<bool(const nlohmann::json&)>& holds) {
  Tally tally(file);
  const auto vectors = load_vectors(file);
  for (const auto& group : vectors.at("testGroups")) {
    for (const auto& test : group.at("tests")) {
      const bool held = holds(test);
      EXPECT_TRUE(held) << file << " " << test.at("tcId") << " " << test.at("comment");
      tally.passed(held);
    }
  }
  return tally;
}

// Tags shorter than the MAC are its beginning.
bool same_tag(ByteView mac, const nlohmann::json& test) {
  const auto tag = hex_of(test, "tag");
  const bool equal = tag.size() <= mac.size() && equal_in_constant_time(mac.first(tag.size()), tag);
  return equal == (test.at("result") == "valid");
}

TEST(WycheproofMac, AesCmac) {
  run("wycheproof/aes_cmac_test.json", [](const auto& test) {
    const auto mac = cmac(crypto(), hex_of(test, "key"), {hex_of(test, "msg")});
    return mac.ok() ? same_tag(*mac, test) : test.at("result") == "invalid";
  }).expect(311, 311);
}

bool hmac_holds(Hash hash, const nlohmann::json& test) {
  Bytes mac(hash_size(hash));
  return hmac(crypto(), hash, hex_of(test, "key"), {hex_of(test, "msg")}, mac).ok() &&
         same_tag(mac, test);
}

TEST(WycheproofMac, HmacSha2) {
  for (const auto& [hash, name] : {std::pair(Hash::kSha256, "256"), std::pair(Hash::kSha384, "384"),
                                   std::pair(Hash::kSha512, "512")}) {
    run("wycheproof/hmac_sha" + std::string(name) + "_test.json", [h = hash](const auto& test) {
      return hmac_holds(h, test);
    }).expect(174, 174);
  }
}

bool hkdf_holds(Hash hash, const nlohmann::json& test) {
  const auto size = test.at("size").get<std::size_t>();
  const auto info = hex_of(test, "info");
  const auto out = hkdf(crypto(), hash, hex_of(test, "salt"), hex_of(test, "ikm"), info, size);
  if (test.at("result") == "invalid") return !out.ok();
  // The two steps one after another give the same.
  const auto prk = hkdf_extract(crypto(), hash, hex_of(test, "salt"), hex_of(test, "ikm"));
  if (!prk) return false;
  const auto expanded = hkdf_expand(crypto(), hash, prk->view(), info, size);
  const auto okm = hex_of(test, "okm");
  return out.ok() && equal_in_constant_time(out->view(), okm) && expanded.ok() &&
         equal_in_constant_time(expanded->view(), okm);
}

TEST(WycheproofKdf, HkdfSha256) {
  run("wycheproof/hkdf_sha256_test.json", [](const auto& test) {
    return hkdf_holds(Hash::kSha256, test);
  }).expect(86, 86);
}

TEST(WycheproofKdf, HkdfSha384) {
  run("wycheproof/hkdf_sha384_test.json", [](const auto& test) {
    return hkdf_holds(Hash::kSha384, test);
  }).expect(83, 83);
}

TEST(WycheproofKdf, HkdfSha512) {
  run("wycheproof/hkdf_sha512_test.json", [](const auto& test) {
    return hkdf_holds(Hash::kSha512, test);
  }).expect(83, 83);
}

}  // namespace
}  // namespace tallystick::core::testing
