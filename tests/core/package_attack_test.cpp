// Packages that somebody changed on the way, with or without the OEM's keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/reader.h"
#include "core/crypto/mac.h"
#include "tests/core/support/fake_part.h"
#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

class ChangedPackages : public ::testing::TestWithParam<Suite> {
 protected:
  World world_;
  OemShare share_ = world_.make_share();
  Bytes blob_ = must(world_.oem_device.give_share(share_, Suite::kGcm));
  std::vector<Asset> assets_ = four_assets();
  Bytes package_ = make_package(world_, share_, assets_, GetParam());

  [[nodiscard]] FakePart part() const { return {world_.part, blob_}; }

  // Refused, wherever; nothing stays staged, and before opening nothing is staged at all.
  [[nodiscard]] ::testing::AssertionResult refused(ByteView package) const {
    auto target = part();
    const auto result = install(target, package);
    if (result.ok()) return ::testing::AssertionFailure() << "was not refused";
    auto again = part();
    return refuses(again, package, result.error().check);
  }

  [[nodiscard]] std::vector<ByteView> entries() const {
    std::vector<ByteView> out;
    for (std::size_t i = 0; i < 4; ++i) {
      out.push_back(ByteView(package_).subspan(kPackageHeaderSize + i * kPackageEntrySize,
                                               kPackageEntrySize));
    }
    return out;
  }
  [[nodiscard]] std::vector<ByteView> bodies() const {
    std::vector<ByteView> out;
    auto rest = ByteView(package_).subspan(package_head_size(4));
    for (const auto& one : assets_) {
      out.push_back(rest.first(must(sealed_length(one.data.size()))));
      rest = rest.subspan(out.back().size());
    }
    return out;
  }
  // A package of these entries and bodies, header counts to match, signed and tagged by the OEM.
  [[nodiscard]] Bytes reassembled(const std::vector<ByteView>& some_entries,
                                  const std::vector<ByteView>& some_bodies) const {
    auto front = to_bytes(ByteView(package_).first(kPackageHeaderSize));
    front[7] = static_cast<std::uint8_t>(some_entries.size());
    std::uint64_t length = 0;
    for (const auto body : some_bodies) length += body.size();
    const auto encoded = be64(length);
    std::copy(encoded.begin(), encoded.end(), front.begin() + 88);
    for (const auto entry : some_entries) front.insert(front.end(), entry.begin(), entry.end());
    auto out = signed_and_tagged(world_, share_, GetParam(), front);
    for (const auto body : some_bodies) out.insert(out.end(), body.begin(), body.end());
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(BothSuites, ChangedPackages, ::testing::Values(Suite::kGcm, Suite::kCcm),
                         [](const auto& tested) {
                           return tested.param == Suite::kGcm ? "Gcm" : "Ccm";
                         });

TEST_P(ChangedPackages, AreTheBaselineThatInstalls) {
  auto target = part();
  EXPECT_TRUE(is_ok(install(target, package_)));
  auto again = part();
  EXPECT_TRUE(is_ok(install(again, reassembled(entries(), bodies()))));
}

TEST_P(ChangedPackages, S13_EveryFlippedByteOfHeaderEntriesAndTrailerIsRefusedBeforeStaging) {
  for (std::size_t at = 0; at < package_head_size(4); ++at) {
    auto bad = package_;
    bad[at] ^= 0x08U;
    auto target = part();
    const auto result = install(target, bad, bad.size());
    ASSERT_FALSE(result.ok()) << at;
    ASSERT_GE(result.error().check, 1) << at;
    ASSERT_LE(result.error().check, 7) << at;
    ASSERT_EQ(target.begun, 0U) << at;
    ASSERT_EQ(target.abandoned, 0U) << at;
  }
}

TEST_P(ChangedPackages, S13_EveryFlippedBitOfTheHeaderIsRefused) {
  for (std::size_t bit = 0; bit < 8 * kPackageHeaderSize; ++bit) {
    auto bad = package_;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1U << bit % 8);
    auto target = part();
    ASSERT_FALSE(install(target, bad, bad.size()).ok()) << bit;
    ASSERT_EQ(target.begun, 0U) << bit;
  }
}

TEST_P(ChangedPackages, S13_HeaderBitsThatTheOemChangesNoLongerOpenTheAssets) {
  // Signed and tagged again, but sealed under another context: version, created, product, address,
  // asset version, slot. Nothing that describes an asset can move without its seal.
  const std::size_t head = kPackageHeaderSize;
  for (const std::size_t at : {11UL, 87UL, 96UL, head + 7, head + 15, head + 115, head + 3}) {
    const auto bad = changed_by_oem(world_, share_, GetParam(), package_, [at](Bytes& front) {
      front[at] =
          static_cast<std::uint8_t>(front[at] ^ (at == kPackageHeaderSize + 3 ? 1U : 0x40U));
    });
    auto target = part();
    EXPECT_TRUE(refuses(target, bad, 10)) << at;
    EXPECT_EQ(target.bytes_seen, 0U) << at;
  }
}

TEST_P(ChangedPackages, S15_EveryCutAtAChunkEdgeIsRefused) {
  std::set<std::size_t> cuts;
  std::size_t start = package_head_size(4);
  for (const auto body : bodies()) {
    for (std::size_t chunk = 0; kSealPrefix + chunk * kSealedChunkSize <= body.size(); ++chunk) {
      const auto edge = start + kSealPrefix + chunk * kSealedChunkSize;
      for (const std::size_t at : {edge - 16, edge - 1, edge, edge + 1, edge + 16}) {
        if (at < package_.size()) cuts.insert(at);
      }
    }
    cuts.insert(start);
    cuts.insert(start + 1);
    start += body.size();
  }
  for (const auto cut : cuts) {
    // A shorter file is refused by its length …
    auto target = part();
    EXPECT_TRUE(refuses(target, ByteView(package_).first(cut), 1)) << cut;
    // … and a stream that ends early, by its end.
    auto announced = part();
    PackageReader reader(crypto(), package_.size(), announced);
    ASSERT_TRUE(is_ok(reader.update(ByteView(package_).first(cut))));
    EXPECT_TRUE(refused_at(reader.finish(), 1));
    EXPECT_TRUE(announced.staged.empty());
  }
  for (std::size_t cut = 0; cut < package_head_size(4); cut += 3) {
    auto target = part();
    ASSERT_TRUE(refuses(target, ByteView(package_).first(cut), 1)) << cut;
  }
  auto longer = part();
  EXPECT_TRUE(refuses(longer, concatenated({package_, Bytes(1)}), 1));
}

TEST_P(ChangedPackages, S17_NoByteOfAFailingOrLaterChunkIsStaged) {
  std::size_t start = package_head_size(4);
  std::size_t before = 0;
  std::size_t index = 0;
  for (const auto body : bodies()) {
    for (std::size_t at = 0; at < body.size(); at += at < kSealPrefix ? 9 : 5003) {
      auto bad = package_;
      bad[start + at] ^= 0x01U;
      auto target = part();
      ASSERT_TRUE(refuses(target, bad, 10)) << index << " " << at;
      const auto chunk = at < kSealPrefix ? 0 : (at - kSealPrefix) / kSealedChunkSize;
      ASSERT_EQ(target.bytes_seen, before + chunk * kChunkSize) << index << " " << at;
      ASSERT_EQ(target.begun, index + 1);
    }
    // The last byte is in the last tag.
    auto bad = package_;
    bad[start + body.size() - 1] ^= 0x80U;
    auto target = part();
    ASSERT_TRUE(refuses(target, bad, 10));
    start += body.size();
    before += assets_[index].data.size();
    ++index;
  }
}

TEST_P(ChangedPackages, S14_SwappedDroppedAndDoubledAssetsAreRefused) {
  const auto e = entries();
  const auto b = bodies();
  const auto header = ByteView(package_).first(kPackageHeaderSize);
  const auto trailer =
      ByteView(package_).subspan(kPackageHeaderSize + 4 * kPackageEntrySize, kPackageTrailerSize);
  const auto plain = [&](const std::vector<std::size_t>& entry_order,
                         const std::vector<std::size_t>& body_order) {
    auto out = to_bytes(header);
    out[7] = static_cast<std::uint8_t>(entry_order.size());
    for (const auto i : entry_order) out.insert(out.end(), e[i].begin(), e[i].end());
    out.insert(out.end(), trailer.begin(), trailer.end());
    for (const auto i : body_order) out.insert(out.end(), b[i].begin(), b[i].end());
    return out;
  };
  ASSERT_EQ(plain({0, 1, 2, 3}, {0, 1, 2, 3}), package_);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = i + 1; j < 4; ++j) {
      std::vector<std::size_t> order = {0, 1, 2, 3};
      std::swap(order[i], order[j]);
      EXPECT_TRUE(refused(plain(order, order))) << "entries and bodies " << i << " " << j;
      EXPECT_TRUE(refused(plain({0, 1, 2, 3}, order))) << "bodies " << i << " " << j;
      EXPECT_TRUE(refused(plain(order, {0, 1, 2, 3}))) << "entries " << i << " " << j;
    }
    std::vector<std::size_t> dropped;
    std::vector<std::size_t> doubled;
    for (std::size_t k = 0; k < 4; ++k) {
      if (k != i) dropped.push_back(k);
      doubled.push_back(k == (i + 1) % 4 ? i : k);
    }
    EXPECT_TRUE(refused(plain(dropped, dropped)));
    EXPECT_TRUE(refused(plain({0, 1, 2, 3}, dropped)));
    EXPECT_TRUE(refused(plain(doubled, doubled)));
    EXPECT_TRUE(refused(plain({0, 1, 2, 3}, doubled)));
    std::vector<std::size_t> five = {0, 1, 2, 3, i};
    EXPECT_TRUE(refused(plain(five, five)));
    EXPECT_TRUE(refused(plain({0, 1, 2, 3}, five)));
  }
}

TEST_P(ChangedPackages, S14_AssetsMovedBetweenPackagesAreRefusedEvenWhenSignedAgain) {
  const auto other = make_package(world_, share_, assets_, GetParam(), 2);
  auto e = entries();
  auto b = bodies();
  auto rest = ByteView(other).subspan(package_head_size(4));
  for (std::size_t i = 0; i < 4; ++i) {
    const auto foreign_entry =
        ByteView(other).subspan(kPackageHeaderSize + i * kPackageEntrySize, kPackageEntrySize);
    const auto foreign_body = rest.first(b[i].size());
    rest = rest.subspan(b[i].size());
    auto mixed_entries = e;
    auto mixed_bodies = b;
    mixed_entries[i] = foreign_entry;
    mixed_bodies[i] = foreign_body;
    auto target = part();
    EXPECT_TRUE(refuses(target, reassembled(mixed_entries, mixed_bodies), 10)) << i;
  }
}

TEST_P(ChangedPackages, S09_TheTwoKindsOfKeysOpenNothingOfEachOther) {
  // The AES key's entry becomes data at an address: K_ENCD does not open what K_ENCK sealed.
  const auto bad = changed_by_oem(world_, share_, GetParam(), package_, [](Bytes& front) {
    auto* const entry = front.data() + kPackageHeaderSize + 2 * kPackageEntrySize;
    entry[2] = 0;
    entry[3] = 0;
    entry[14] = 0xF0;
  });
  auto target = part();
  EXPECT_TRUE(refuses(target, bad, 10));
  EXPECT_EQ(target.begun, 3U);
}

// Encrypt, then MAC: over everything that the signature covers, under a key that seals nothing.
TEST_P(ChangedPackages, S18_ATagOfAnotherHeadOrUnderASealingKeyIsRefused) {
  const auto tag_at = package_head_size(4) - 16;
  const auto with_tag = [&](Bytes package, ByteView tag) {
    std::ranges::copy(tag, package.begin() + static_cast<std::ptrdiff_t>(tag_at));
    return package;
  };
  const auto old_tag = to_bytes(ByteView(package_).subspan(tag_at, 16));
  for (std::size_t at = 8; at < kPackageHeaderSize + 4 * kPackageEntrySize; at += 3) {
    // The OEM signed the change; the tag is still that of the package as it was.
    const auto bad = with_tag(changed_by_oem(world_, share_, GetParam(), package_,
                                             [at](Bytes& front) { front[at] ^= 0x01U; }),
                              old_tag);
    auto target = part();
    ASSERT_FALSE(install(target, bad).ok()) << at;
    ASSERT_EQ(target.begun, 0U) << at;
  }
  const auto tag_under = [&](std::string_view label) {
    const auto key = must(world_.oem_device.derive_asset_key(
        must(world_.oem_device.derive_master_key(share_)), GetParam(), label));
    return must(cmac(crypto(), key.value.view(), {ByteView(package_).first(tag_at)}));
  };
  auto good = part();
  EXPECT_TRUE(is_ok(install(good, with_tag(package_, tag_under(kLabelAuth)))));
  for (const auto label : {kLabelEncKey, kLabelEncData}) {
    auto target = part();
    EXPECT_TRUE(refuses(target, with_tag(package_, tag_under(label)), 5)) << label;
    EXPECT_EQ(target.begun, 0U);
  }
}

TEST_P(ChangedPackages, S04_AStrangerWithTheSameSoftwareCannotReplaceTheOem) {
  const auto first = world_.oem.id;
  world_.oem = make_signer();
  const auto share = world_.make_share();
  const auto package = make_package(world_, share, assets_, GetParam());
  const auto blob = must(world_.oem_device.give_share(share, Suite::kGcm));
  // The stranger's own shares and signature are good for a part without an owner only.
  FakePart blank(world_.part, blob);
  EXPECT_TRUE(is_ok(install(blank, package)));
  FakePart owned(world_.part, blob);
  owned.owner_id = first;
  EXPECT_TRUE(refuses(owned, package, 6));
  // With everything of the OEM's but its signing key, the stranger's signature is not the OEM's.
  const auto resigned = changed_by_oem(world_, share_, GetParam(), package_, [](Bytes&) {});
  auto target = part();
  EXPECT_TRUE(refuses(target, resigned, 6));
}

}  // namespace
}  // namespace tallystick::core::testing
