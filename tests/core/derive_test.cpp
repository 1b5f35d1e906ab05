#include "core/ts1/derive.h"

#include <gtest/gtest.h>

#include <set>

#include "core/crypto/mac.h"
#include "core/ts1/generated_asset.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

Context random_context(std::uint32_t sw_floor = 1) {
  return {random_array<16>(), random_array<32>(), random_array<16>(), sw_floor};
}

std::string hex(Result<Secret>&& secret) { return to_hex(must(std::move(secret)).view()); }

std::vector<Secret> random_shares(std::size_t count) {
  std::vector<Secret> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(must(crypto().random_secret(32)));
  return out;
}

TEST(Derivation, S10_DifferentFieldsGiveDifferentContexts) {
  const auto base = random_context();
  std::set<Bytes> seen;
  const auto add = [&seen](const Context& context) {
    const auto bytes = context.encode();
    return seen.insert(to_bytes(bytes)).second;
  };
  EXPECT_TRUE(add(base));
  for (std::size_t bit = 0; bit < 8; ++bit) {
    const auto flip = [bit](auto& field, std::size_t at) {
      field[at] = static_cast<std::uint8_t>(field[at] ^ 1U << bit);
    };
    for (std::size_t at = 0; at < 16; ++at) {
      auto family = base;
      flip(family.family_id, at);
      auto share = base;
      flip(share.share_id, at);
      EXPECT_TRUE(add(family));
      EXPECT_TRUE(add(share));
    }
    for (std::size_t at = 0; at < 32; ++at) {
      auto oem = base;
      flip(oem.oem_id, at);
      EXPECT_TRUE(add(oem));
    }
  }
  for (std::uint32_t floor = 2; floor != 0; floor *= 2) {
    auto other = base;
    other.sw_floor = floor;
    EXPECT_TRUE(add(other));
  }
  EXPECT_EQ(seen.size(), 1U + 2 * 128 + 256 + 31);
}

TEST(Derivation, S10_InputsThatOnlyMoveAnEdgeGiveDifferentShares) {
  // lv() keeps "AB" ‖ "C" apart from "A" ‖ "BC": a longer input is never a shorter one with a tail.
  const auto context = random_context();
  const auto rnd = random_bytes(32);
  const auto input = random_bytes(64);
  std::set<std::string> seen;
  for (std::size_t size = kLeastRndInput; size <= kMostRndInput; ++size) {
    seen.insert(hex(derive_oem_share(crypto(), context, rnd, ByteView(input).first(size))));
  }
  EXPECT_EQ(seen.size(), kMostRndInput - kLeastRndInput + 1);
}

TEST(Derivation, S22_TakesSixteenToSixtyFourBytesOfInput) {
  const auto context = random_context();
  for (const std::size_t size : {0UL, 1UL, 15UL, 65UL, 1000UL}) {
    EXPECT_TRUE(fails_with(derive_oem_share(crypto(), context, Bytes(32), Bytes(size)),
                           ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails_with(derive_seed(crypto(), context, Bytes(32), Bytes(size)),
                           ErrorCode::kInvalidArgument));
  }
  for (const std::size_t size : {16UL, 64UL}) {
    EXPECT_TRUE(is_ok(derive_oem_share(crypto(), context, Bytes(32), Bytes(size))));
  }
  for (const std::size_t size : {0UL, 31UL, 33UL}) {
    EXPECT_FALSE(derive_oem_share(crypto(), context, Bytes(size), Bytes(32)).ok());
    EXPECT_FALSE(derive_seed(crypto(), context, Bytes(size), Bytes(32)).ok());
  }
}

TEST(Derivation, TakesSecretsOfTheirSizeOnly) {
  const auto context = random_context();
  std::vector<Secret> shares;
  for (int i = 0; i < 2; ++i) shares.push_back(Secret::copy_of(Bytes(kSecretSize, 1)));
  EXPECT_TRUE(is_ok(derive_master_key(crypto(), context, shares, Bytes(32))));
  EXPECT_TRUE(is_ok(derive_asset_key(crypto(), context, Bytes(32), Suite::kGcm, kLabelAuth)));
  for (const std::size_t size : {0UL, 31UL, 33UL}) {
    EXPECT_TRUE(fails_with(derive_master_key(crypto(), context, shares, Bytes(size)),
                           ErrorCode::kInvalidArgument));
    EXPECT_TRUE(
        fails_with(derive_asset_key(crypto(), context, Bytes(size), Suite::kGcm, kLabelAuth),
                   ErrorCode::kInvalidArgument));
  }
}

TEST(Derivation, S02_KeepsItsTwoInputsApart) {
  const auto context = random_context();
  const auto a = random_bytes(32);
  const auto b = random_bytes(32);
  EXPECT_NE(hex(derive_oem_share(crypto(), context, a, b)),
            hex(derive_oem_share(crypto(), context, b, a)));
  const auto same = must(derive_oem_share(crypto(), context, a, a));
  EXPECT_FALSE(all_zero(same.view()));
  EXPECT_NE(hex(derive_oem_share(crypto(), context, a, a)),
            hex(derive_oem_share(crypto(), context, b, b)));
}

TEST(Derivation, S07_S09_AllKeysOfAllSuitesAndVersionsAreDifferent) {
  for (int round = 0; round < 20; ++round) {
    const auto rnd = random_bytes(32);
    const auto input = random_bytes(32);
    const auto shares = random_shares(3);
    auto context = random_context();
    std::set<std::string> seen;
    std::size_t count = 0;
    const auto add = [&](std::string value) {
      seen.insert(std::move(value));
      ++count;
    };
    for (const std::uint32_t version : {1U, 2U}) {
      context.sw_floor = version;
      const auto share = must(derive_oem_share(crypto(), context, rnd, input));
      const auto master = must(derive_master_key(crypto(), context, shares, share.view()));
      add(to_hex(share.view()));
      add(to_hex(master.view()));
      add(hex(derive_seed(crypto(), context, rnd, input)));
      for (const auto suite : {Suite::kGcm, Suite::kCcm}) {
        for (const std::string_view label :
             {kLabelEncKey, kLabelEncData, kLabelAuth, kLabelProof, std::string_view("TS1/X/a"),
              std::string_view("TS1/X/b")}) {
          add(hex(derive_asset_key(crypto(), context, master.view(), suite, label)));
        }
      }
    }
    for (const auto& share : shares) add(to_hex(share.view()));
    EXPECT_EQ(seen.size(), count);
  }
}

TEST(Derivation, S09_OrderAndNumberOfSharesMatter) {
  const auto context = random_context();
  const auto oem_share = random_bytes(32);
  std::set<std::string> seen;
  const auto shares = random_shares(8);
  for (std::size_t count = kLeastShares; count <= kMostShares; ++count) {
    auto some = clones(shares);
    some.resize(count);
    seen.insert(hex(derive_master_key(crypto(), context, some, oem_share)));
    std::swap(some[0], some[1]);
    seen.insert(hex(derive_master_key(crypto(), context, some, oem_share)));
  }
  EXPECT_EQ(seen.size(), 14U);
  for (const std::size_t count : {0UL, 1UL, 9UL}) {
    EXPECT_TRUE(fails_with(derive_master_key(crypto(), context, random_shares(count), oem_share),
                           ErrorCode::kInvalidArgument));
  }
}

TEST(Derivation, S11_IsNotTheCmacKdfWhoseOutputCanBeForced) {
  // With CMAC as PRF and one block, who knows the key picks the last context block X so that the
  // result is T: X = AES⁻¹(T) ^ subkey ^ chaining value. Here the same inputs go into HMAC.
  const auto context = random_context();
  const auto master = random_bytes(32);
  const auto derived = must(derive_asset_key(crypto(), context, master, Suite::kGcm, kLabelAuth));
  const auto input = concatenated({Bytes{0, 0, 0, 1}, bytes_of(kLabelAuth), Bytes(1),
                                   context.encode(), Bytes{1}, Bytes{0, 0, 1, 0}});
  const auto low = must(cmac(crypto(), master, {input}));
  EXPECT_FALSE(equal_in_constant_time(derived.view().first(16), low));
  EXPECT_TRUE(equal_in_constant_time(
      derived.view(), must(hmac_secret(crypto(), Hash::kSha256, master, {input})).view()));
}

TEST(Labels, AreTheFourFixedOnesAndFurtherNames) {
  for (const std::string_view good :
       {"TS1/ENCK", "TS1/ENCD", "TS1/AUTH", "TS1/PROOF", "TS1/X/a", "TS1/X/modem-calibration.v2"}) {
    EXPECT_TRUE(valid_label(good)) << good;
  }
  for (const std::string_view bad :
       {"", "TS1/", "TS1/X", "TS1/X/", "TS1/ENCX", "ts1/enck", "TS1/X/A", "TS1/X/a b", "TS1/X/a/b",
        "TS1/X/\xC3\xBC", "TS1/ENCK ", "TS1/SEED"}) {
    EXPECT_FALSE(valid_label(bad)) << bad;
    EXPECT_TRUE(fails_with(derive_asset_key(crypto(), {}, Bytes(32), Suite::kGcm, bad),
                           ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(valid_further_name(std::string(32, 'z')));
  EXPECT_FALSE(valid_further_name(std::string(33, 'z')));
  EXPECT_FALSE(valid_further_name(""));
}

}  // namespace
}  // namespace tallystick::core::testing
