#include "core/ts1/seal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

const Bytes kContext = {1, 2, 3};

// Feeds `input` to a sealer or opener in pieces; `out` gets what comes out.
template <typename Stream>
Status feed(Stream& stream, ByteView input, std::size_t piece, Bytes& out) {
  const ByteSink sink = [&out](ByteView bytes) -> Status {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  };
  while (!input.empty()) {
    const auto now = input.first(std::min(piece, input.size()));
    if (auto fed = stream.update(now, sink); !fed) return fed;
    input = input.subspan(now.size());
  }
  return stream.finish(sink);
}

class Sealing : public ::testing::TestWithParam<Suite> {
 protected:
  [[nodiscard]] Result<Bytes> open_in_pieces(ByteView sealed, std::size_t piece) const {
    auto opener = must(Opener::create(crypto(), GetParam(), key_, kContext));
    Bytes out;
    if (auto fed = feed(opener, sealed, piece, out); !fed) {
      released_ = out;
      return std::move(fed).error();
    }
    return out;
  }
  [[nodiscard]] Bytes sealed(ByteView plaintext) const {
    return must(seal(crypto(), GetParam(), key_, kContext, plaintext));
  }

  Bytes key_ = random_bytes(32);
  mutable Bytes released_;
};
INSTANTIATE_TEST_SUITE_P(BothSuites, Sealing, ::testing::Values(Suite::kGcm, Suite::kCcm),
                         [](const auto& tested) {
                           return tested.param == Suite::kGcm ? "Gcm" : "Ccm";
                         });

TEST_P(Sealing, GivesTheSameBytesInAnyCutIntoPieces) {
  const auto salt = random_bytes(kSaltSize);
  for (const std::size_t length : {0UL, 1UL, 16383UL, 16384UL, 16385UL, 40000UL}) {
    const auto plaintext = random_bytes(length);
    Bytes whole;
    for (const std::size_t piece : {50000UL, 1UL, 7UL, 16383UL, 16384UL, 16385UL, 16400UL}) {
      auto sealer = must(Sealer::create_with_salt(crypto(), GetParam(), key_, kContext, salt));
      Bytes out;
      ASSERT_TRUE(is_ok(feed(sealer, plaintext, piece, out)));
      if (whole.empty()) whole = out;
      ASSERT_TRUE(out == whole) << length << " bytes in pieces of " << piece;
      ASSERT_EQ(out.size(), must(sealed_length(length)));
      ASSERT_TRUE(must(open_in_pieces(out, piece)) == plaintext) << length << " / " << piece;
    }
  }
}

TEST_P(Sealing, S15_RefusesEveryCutAtAChunkEdgeOfAFiveChunkImage) {
  const auto whole = sealed(random_bytes(4 * kChunkSize + 777));
  std::set<std::size_t> cuts = {0, 1, kSaltSize - 1, kSaltSize, kSaltSize + 1, whole.size() - 1};
  for (std::size_t chunk = 0; chunk <= 4; ++chunk) {
    const auto edge = kSealPrefix + chunk * kSealedChunkSize;
    for (const std::size_t at : {edge - 17, edge - 16, edge - 15, edge - 1, edge, edge + 1,
                                 edge + 15, edge + 16, edge + 17}) {
      cuts.insert(at);
    }
  }
  for (const auto cut : cuts) {
    for (const std::size_t piece : {4096UL, 100000UL}) {
      EXPECT_TRUE(
          fails_with(open_in_pieces(ByteView(whole).first(cut), piece), ErrorCode::kOpenFailed))
          << cut;
      EXPECT_EQ(released_.size() % kChunkSize, 0U);
      EXPECT_LE(released_.size(), cut);
    }
  }
}

TEST_P(Sealing, S15_RefusesWhatIsAppended) {
  for (const std::size_t length : {0UL, 100UL, 16384UL, 4 * 16384UL + 5}) {
    const auto whole = sealed(random_bytes(length));
    for (const std::size_t extra : {1UL, 15UL, 16UL, 17UL, 16400UL}) {
      EXPECT_TRUE(fails_with(open_in_pieces(concatenated({whole, Bytes(extra)}), 16400),
                             ErrorCode::kOpenFailed));
    }
  }
}

TEST_P(Sealing, S15_RefusesSwappedDroppedAndDoubledChunks) {
  const auto whole = sealed(random_bytes(4 * kChunkSize + 777));
  const auto prefix = ByteView(whole).first(kSealPrefix);
  std::vector<ByteView> chunks;
  for (auto rest = ByteView(whole).subspan(kSealPrefix); !rest.empty();) {
    chunks.push_back(rest.first(std::min(kSealedChunkSize, rest.size())));
    rest = rest.subspan(chunks.back().size());
  }
  ASSERT_EQ(chunks.size(), 5U);
  const std::vector<std::vector<std::size_t>> orders = {{1, 0, 2, 3, 4},
                                                        {0, 1, 3, 2, 4},
                                                        {0, 1, 2, 4, 3},
                                                        {1, 2, 3, 4},
                                                        {0, 1, 2, 4},
                                                        {0, 0, 1, 2, 3, 4},
                                                        {0, 1, 2, 3, 3, 4},
                                                        {0, 1, 2, 3, 4, 4},
                                                        {0, 1, 2, 3},
                                                        {4},
                                                        {0}};
  for (const auto& order : orders) {
    auto file = to_bytes(prefix);
    for (const auto at : order) file.insert(file.end(), chunks[at].begin(), chunks[at].end());
    EXPECT_TRUE(fails_with(open_in_pieces(file, 5000), ErrorCode::kOpenFailed));
  }
  auto good = to_bytes(prefix);
  for (const auto chunk : chunks) good.insert(good.end(), chunk.begin(), chunk.end());
  EXPECT_TRUE(is_ok(open_in_pieces(good, 5000)));
}

TEST_P(Sealing, ReleasesNoByteOfAFailingOrLaterChunk) {
  const auto plaintext = random_bytes(4 * kChunkSize + 777);
  const auto whole = sealed(plaintext);
  for (std::size_t chunk = 0; chunk < 5; ++chunk) {
    auto damaged = whole;
    damaged[kSealPrefix + chunk * kSealedChunkSize + 3] ^= 1U;
    EXPECT_TRUE(fails_with(open_in_pieces(damaged, 1000), ErrorCode::kOpenFailed));
    EXPECT_TRUE(std::ranges::equal(released_, ByteView(plaintext).first(chunk * kChunkSize)));
  }
}

TEST_P(Sealing, RefusesEveryFlippedBitOfTheTagOfAnEmptyLastChunk) {
  for (const std::size_t length : {0UL, 16384UL, 32768UL}) {
    const auto whole = sealed(random_bytes(length));
    for (std::size_t bit = 0; bit < 128; ++bit) {
      auto damaged = whole;
      auto& byte = damaged[whole.size() - 16 + bit / 8];
      byte = static_cast<std::uint8_t>(byte ^ 1U << bit % 8);
      ASSERT_TRUE(fails_with(open_in_pieces(damaged, whole.size()), ErrorCode::kOpenFailed));
    }
  }
}

TEST_P(Sealing, S16_ChecksTheCommitmentBeforeAnyChunk) {
  const auto whole = sealed(random_bytes(40000));
  const auto other = sealed(random_bytes(40000));
  for (std::size_t at = 0; at < kSealPrefix; ++at) {
    auto damaged = whole;
    damaged[at] ^= 0x10U;
    EXPECT_TRUE(fails_with(open_in_pieces(damaged, 1000), ErrorCode::kOpenFailed));
    EXPECT_TRUE(released_.empty());
  }
  auto swapped = whole;
  std::copy_n(other.begin() + kSaltSize, kCommitmentSize, swapped.begin() + kSaltSize);
  EXPECT_TRUE(fails_with(open_in_pieces(swapped, 1000), ErrorCode::kOpenFailed));
  EXPECT_TRUE(released_.empty());
}

TEST_P(Sealing, RefusesAnotherKeyContextOrSuite) {
  const auto whole = sealed(random_bytes(100));
  const auto other = GetParam() == Suite::kGcm ? Suite::kCcm : Suite::kGcm;
  EXPECT_TRUE(fails_with(open(crypto(), GetParam(), random_bytes(32), kContext, whole),
                         ErrorCode::kOpenFailed));
  EXPECT_TRUE(
      fails_with(open(crypto(), GetParam(), key_, Bytes{1, 2}, whole), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(open(crypto(), other, key_, kContext, whole), ErrorCode::kOpenFailed));
  EXPECT_EQ(must(open(crypto(), GetParam(), key_, kContext, whole)).size(), 100U);
}

TEST_P(Sealing, S12_NeverRepeatsASaltAndSoNeverAKeyAndNonce) {
  std::set<Bytes> salts;
  std::set<Bytes> commitments;
  const Bytes plaintext(32);
  for (int i = 0; i < 1000; ++i) {
    const auto one = sealed(plaintext);
    salts.insert(to_bytes(ByteView(one).first(kSaltSize)));
    // The commitment comes from the same derivation as key and nonce.
    commitments.insert(to_bytes(ByteView(one).subspan(kSaltSize, kCommitmentSize)));
  }
  EXPECT_EQ(salts.size(), 1000U);
  EXPECT_EQ(commitments.size(), 1000U);
}

TEST_P(Sealing, IsSpentAfterFinish) {
  auto sealer = must(Sealer::create(crypto(), GetParam(), key_, kContext));
  const ByteSink sink = [](ByteView) -> Status { return {}; };
  must(sealer.finish(sink));
  EXPECT_TRUE(fails_with(sealer.update(Bytes(1), sink), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(sealer.finish(sink), ErrorCode::kInvalidArgument));
}

TEST_P(Sealing, StaysFailedAfterAFailure) {
  auto whole = sealed(random_bytes(20000));
  auto opener = must(Opener::create(crypto(), GetParam(), key_, kContext));
  std::size_t seen = 0;
  const ByteSink sink = [&seen](ByteView bytes) -> Status {
    seen += bytes.size();
    return {};
  };
  auto damaged = whole;
  damaged[100] ^= 1U;
  EXPECT_TRUE(fails_with(opener.update(damaged, sink), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(opener.update(whole, sink), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(opener.finish(sink), ErrorCode::kOpenFailed));
  EXPECT_EQ(seen, 0U);
}

TEST_P(Sealing, PassesOnTheErrorOfASink) {
  const ByteSink full = [](ByteView) -> Status { return Error{ErrorCode::kStorage, "full", 0}; };
  const ByteSink sink = [](ByteView) -> Status { return {}; };
  auto sealer = must(Sealer::create(crypto(), GetParam(), key_, kContext));
  EXPECT_TRUE(fails_with(sealer.update(Bytes(kChunkSize), full), ErrorCode::kStorage));
  auto second = must(Sealer::create(crypto(), GetParam(), key_, kContext));
  EXPECT_TRUE(fails_with(second.finish(full), ErrorCode::kStorage));

  const auto whole = sealed(random_bytes(20000));
  auto opener = must(Opener::create(crypto(), GetParam(), key_, kContext));
  EXPECT_TRUE(fails_with(opener.update(whole, full), ErrorCode::kStorage));
  EXPECT_FALSE(opener.finish(sink).ok()) << "a stream with a hole does not end well";
  auto last = must(Opener::create(crypto(), GetParam(), key_, kContext));
  must(last.update(whole, sink));
  EXPECT_TRUE(fails_with(last.finish(full), ErrorCode::kStorage));
}

TEST_P(Sealing, RefusesKeysAndSaltsOfAnotherSize) {
  for (const std::size_t size : {0UL, 16UL, 31UL, 33UL}) {
    EXPECT_FALSE(Sealer::create(crypto(), GetParam(), Bytes(size), kContext).ok());
    EXPECT_FALSE(Opener::create(crypto(), GetParam(), Bytes(size), kContext).ok());
    EXPECT_FALSE(seal(crypto(), GetParam(), Bytes(size), kContext, {}).ok());
    EXPECT_FALSE(open(crypto(), GetParam(), Bytes(size), kContext, Bytes(100)).ok());
  }
  EXPECT_FALSE(Sealer::create_with_salt(crypto(), GetParam(), key_, kContext, Bytes(23)).ok());
}

TEST(SealedLengths, FollowFromThePlaintextUpToTwoToTheForty) {
  EXPECT_EQ(must(sealed_length(0)), 72U);
  EXPECT_EQ(must(sealed_length(16383)), 56U + 16383 + 16);
  EXPECT_EQ(must(sealed_length(16384)), 56U + 16384 + 32);
  EXPECT_EQ(must(sealed_length((1ULL << 40U) - 1)),
            56 + (1ULL << 40U) - 1 + 16 * (((1ULL << 40U) - 1) / 16384 + 1));
  for (const std::uint64_t length : {1ULL << 40U, ~0ULL, ~0ULL - 72}) {
    EXPECT_TRUE(fails_with(sealed_length(length), ErrorCode::kInvalidArgument));
  }
}

TEST(Suites, AreOneAndTwo) {
  EXPECT_EQ(must(suite_from(1)), Suite::kGcm);
  EXPECT_EQ(must(suite_from(2)), Suite::kCcm);
  for (const int number : {0, 3, 255}) {
    EXPECT_TRUE(fails_with(suite_from(static_cast<std::uint8_t>(number)), ErrorCode::kMalformed));
  }
}

}  // namespace
}  // namespace tallystick::core::testing
