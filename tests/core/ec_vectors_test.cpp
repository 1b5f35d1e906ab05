// Wycheproof's ECDSA cases with raw signatures and its ECDH cases with raw points.
#include <gtest/gtest.h>

#include "core/crypto/ec.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

void run_ecdsa(Curve curve, const std::string& file, std::size_t total) {
  Tally tally(file);
  const auto vectors = load_vectors(file);
  for (const auto& group : vectors.at("testGroups")) {
    const auto point = hex_of(group.at("publicKey"), "uncompressed");
    const auto key = must(EcPublicKey::from_xy(crypto(), curve, ByteView(point).subspan(1)));
    for (const auto& test : group.at("tests")) {
      const auto verified = key.verify(crypto(), {hex_of(test, "msg")}, hex_of(test, "sig"));
      const bool held = test.at("result") == "valid"
                            ? verified.ok()
                            : static_cast<bool>(fails_with(verified, ErrorCode::kBadSignature));
      EXPECT_TRUE(held) << file << " " << test.at("tcId") << " " << test.at("comment");
      tally.passed(held);
    }
  }
  tally.expect(total, total);
}

TEST(WycheproofEc, EcdsaP256WithRawSignatures) {
  run_ecdsa(Curve::kP256, "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", 262);
}

TEST(WycheproofEc, EcdsaP384WithRawSignatures) {
  run_ecdsa(Curve::kP384, "wycheproof/ecdsa_secp384r1_sha384_p1363_test.json", 280);
}

// The vectors write scalars without leading zeros or with one too many.
Bytes scalar_of(const nlohmann::json& test) {
  auto digits = string_of(test, "private");
  digits = digits.size() > 64 ? digits.substr(digits.size() - 64)
                              : std::string(64 - digits.size(), '0') + digits;
  return from_hex(digits);
}

TEST(WycheproofEc, EcdhP256WithRawPoints) {
  Tally tally("wycheproof/ecdh_secp256r1_ecpoint_test.json");
  const auto vectors = load_vectors("wycheproof/ecdh_secp256r1_ecpoint_test.json");
  for (const auto& group : vectors.at("testGroups")) {
    for (const auto& test : group.at("tests")) {
      const auto point = hex_of(test, "public");
      if (point.empty() || point[0] != 4) {
        tally.not_applicable("a point that is not X ‖ Y");
        continue;
      }
      const auto peer = EcPublicKey::from_xy(crypto(), Curve::kP256, ByteView(point).subspan(1));
      bool held = false;
      if (test.at("result") == "invalid") {
        held = static_cast<bool>(fails_with(peer, ErrorCode::kMalformed));
      } else if (peer.ok()) {
        const auto own = must(EcPrivateKey::from_scalar(crypto(), Curve::kP256, scalar_of(test)));
        held =
            equal_in_constant_time(must(own.ecdh(crypto(), *peer)).view(), hex_of(test, "shared"));
      }
      EXPECT_TRUE(held) << test.at("tcId") << " " << test.at("comment");
      tally.passed(held);
    }
  }
  tally.expect(355, 346, {{"a point that is not X ‖ Y", 9}});
}

}  // namespace
}  // namespace tallystick::core::testing
