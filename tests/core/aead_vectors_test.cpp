// Wycheproof's AES-GCM and AES-CCM cases against core::Aead.
#include <gtest/gtest.h>

#include "core/crypto/aead.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

bool holds(AeadAlgorithm algorithm, const nlohmann::json& test) {
  const auto nonce = hex_of(test, "iv");
  const auto aad = hex_of(test, "aad");
  const auto message = hex_of(test, "msg");
  const auto sealed = concatenated({hex_of(test, "ct"), hex_of(test, "tag")});
  const bool valid = test.at("result") == "valid";
  auto aead = Aead::create(crypto(), algorithm, hex_of(test, "key"), nonce.size());
  if (!aead) return !valid;
  Bytes opened(sealed.size() - Aead::kTagSize);
  const auto opening = aead->open(nonce, aad, sealed, opened);
  if (!valid) return fails_with(opening, ErrorCode::kOpenFailed) && all_zero(opened);
  Bytes out(sealed.size());
  return opening.ok() && opened == message && aead->seal(nonce, aad, message, out).ok() &&
         out == sealed;
}

Tally run(AeadAlgorithm algorithm, const std::string& file) {
  Tally tally(file);
  const auto vectors = load_vectors(file);
  for (const auto& group : vectors.at("testGroups")) {
    for (const auto& test : group.at("tests")) {
      if (group.at("tagSize") != 128) {
        tally.not_applicable("a tag that is not 16 bytes long");
        continue;
      }
      if (hex_of(test, "iv").size() > 128) {
        tally.not_applicable("a nonce longer than the 128 bytes libcrypto takes");
        continue;
      }
      const bool held = holds(algorithm, test);
      EXPECT_TRUE(held) << test.at("tcId") << " " << test.at("comment");
      tally.passed(held);
    }
  }
  return tally;
}

TEST(WycheproofAead, AesGcm) {
  run(AeadAlgorithm::kGcm, "wycheproof/aes_gcm_test.json")
      .expect(316, 313, {{"a nonce longer than the 128 bytes libcrypto takes", 3}});
}

TEST(WycheproofAead, AesCcm) {
  run(AeadAlgorithm::kCcm, "wycheproof/aes_ccm_test.json")
      .expect(552, 342, {{"a tag that is not 16 bytes long", 210}});
}

}  // namespace
}  // namespace tallystick::core::testing
