// The chunked-encryption vectors of C2SP (Wycheproof's set from cobblestone) against Sealer and
// Opener.
#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "core/ts1/family.h"
#include "core/ts1/seal.h"
#include "tests/core/support/vectors.h"
#include "tests/core/support/world.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

std::string sha512_hex(ByteView bytes) {
  ByteArray<64> out{};
  must(digest(crypto(), Hash::kSha512, {bytes}, out));
  return to_hex(out);
}

bool holds(const nlohmann::json& test) {
  const auto key = hex_of(test, "key");
  const auto context = hex_of(test, "ctx");
  const auto sealed = inflate_zlib(hex_of(test, "ct"));
  Bytes plaintext;
  const ByteSink sink = [&plaintext](ByteView piece) -> Status {
    plaintext.insert(plaintext.end(), piece.begin(), piece.end());
    return {};
  };
  auto opener = Opener::create(crypto(), Suite::kGcm, key, context);
  if (!opener) return key.size() != kSecretSize && test.at("result") == "invalid";
  auto opened = opener->update(sealed, sink);
  if (opened.ok()) opened = opener->finish(sink);
  if (test.at("result") != "valid") {
    return fails_with(opened, ErrorCode::kOpenFailed) && plaintext.size() % kChunkSize == 0;
  }
  if (!opened || plaintext.size() != test.at("msgLength").get<std::size_t>() ||
      sha512_hex(plaintext) != string_of(test, "msgSha512")) {
    return false;
  }
  // Sealing with the same salt gives the same bytes.
  Bytes again;
  const ByteSink collect = [&again](ByteView piece) -> Status {
    again.insert(again.end(), piece.begin(), piece.end());
    return {};
  };
  auto sealer = must(Sealer::create_with_salt(crypto(), Suite::kGcm, key, context,
                                              ByteView(sealed).first(kSaltSize)));
  must(sealer.update(plaintext, collect));
  must(sealer.finish(collect));
  return again == sealed;
}

TEST(WycheproofChunkedEncryption, S15_Aes256Gcm) {
  const std::string file = "wycheproof/c2sp_chunked_encryption_aes_256_gcm_test.json";
  Tally tally(file);
  const auto vectors = load_vectors(file);
  for (const auto& group : vectors.at("testGroups")) {
    for (const auto& test : group.at("tests")) {
      const bool held = holds(test);
      EXPECT_TRUE(held) << test.at("tcId") << " " << test.at("comment");
      tally.passed(held);
    }
  }
  tally.expect(35, 35);
}

TEST(WycheproofChunkedEncryption, S15_Aes128GcmIsNoSuiteOfTheProfile) {
  const std::string file = "wycheproof/c2sp_chunked_encryption_aes_128_gcm_test.json";
  Tally tally(file);
  const auto vectors = load_vectors(file);
  for (const auto& group : vectors.at("testGroups")) {
    ASSERT_EQ(group.at("aead"), "AEAD_AES_128_GCM");
    for (std::size_t i = 0; i < group.at("tests").size(); ++i) {
      tally.not_applicable("the profile has 256-bit keys only");
    }
  }
  tally.expect(35, 0, {{"the profile has 256-bit keys only", 35}});
}

}  // namespace
}  // namespace tallystick::core::testing
