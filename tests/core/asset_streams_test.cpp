// Sealing, opening and tagging as devices offer them: the context has to fit the key.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

class AssetStreams : public ::testing::Test {
 protected:
  World world_;
  OemShare share_ = world_.make_share();
  MasterKey master_ = must(world_.oem_device.derive_master_key(share_));
  MasterKey part_master_ = must(world_.part.derive_master_key(must(
      world_.part.take_share(must(world_.oem_device.give_share(share_, Suite::kGcm)), nullptr))));

  [[nodiscard]] AssetKey oem_key(std::string_view label, Suite suite = Suite::kGcm) const {
    return must(world_.oem_device.derive_asset_key(master_, suite, label));
  }
  [[nodiscard]] AssetKey part_key(std::string_view label, Suite suite = Suite::kGcm) const {
    return must(world_.part.derive_asset_key(part_master_, suite, label));
  }
  [[nodiscard]] static PackageBuilder builder_for(const Context& context,
                                                  Suite suite = Suite::kGcm) {
    PackageHeader header;
    header.suite = suite;
    header.context = context;
    std::vector<PackageEntry> entries;
    for (const auto& one : four_assets()) entries.push_back(one.entry);
    auto further = asset(9, AssetKind::kFurther, Bytes(3), "modem", 0, 0x200000).entry;
    entries.push_back(further);
    return must(PackageBuilder::create(header, entries));
  }
};

TEST_F(AssetStreams, S09_TakeTheKeyOfTheAssetsKindOnly) {
  const auto builder = builder_for(share_.context);
  const std::string labels[] = {"TS1/ENCD", "TS1/ENCK", "TS1/X/modem", "TS1/X/other", "TS1/AUTH"};
  for (std::size_t i = 0; i < builder.entries().size(); ++i) {
    const auto wanted = label_for(builder.entries()[i].kind, builder.entries()[i].name);
    for (const auto& label : labels) {
      const auto seal = world_.oem_device.seal_asset(oem_key(label), builder.seal_context(i));
      const auto open = world_.part.open_asset(part_key(label), builder.seal_context(i));
      if (label == wanted) {
        EXPECT_TRUE(is_ok(seal));
        EXPECT_TRUE(is_ok(open));
        EXPECT_EQ(seal->asset.entry.asset_id, builder.entries()[i].asset_id);
      } else {
        EXPECT_TRUE(fails_with(seal, ErrorCode::kInvalidArgument)) << label;
        EXPECT_TRUE(fails_with(open, ErrorCode::kInvalidArgument)) << label;
      }
    }
  }
}

TEST_F(AssetStreams, S03_S13_RefuseContextsOfAnotherShareSetOrSuite) {
  const auto key = oem_key(kLabelEncData);
  std::vector<Context> others(4, share_.context);
  others[0].family_id[0] ^= 1U;
  others[1].oem_id[0] ^= 1U;
  others[2].share_id[0] ^= 1U;
  others[3].sw_floor ^= 1U;
  for (const auto& other : others) {
    EXPECT_TRUE(fails_with(world_.oem_device.seal_asset(key, builder_for(other).seal_context(0)),
                           ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(fails_with(
      world_.oem_device.seal_asset(key, builder_for(share_.context, Suite::kCcm).seal_context(0)),
      ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(world_.oem_device.seal_asset(key, {}), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(world_.part.open_asset(part_key(kLabelEncData), Bytes(218)),
                         ErrorCode::kMalformed));
}

TEST_F(AssetStreams, SealForTheOemAndOpenForTargetsOnly) {
  const auto context = builder_for(share_.context).seal_context(0);
  EXPECT_TRUE(fails_with(world_.oem_device.seal_asset(part_key(kLabelEncData), context),
                         ErrorCode::kNotPermitted));
  EXPECT_TRUE(fails_with(world_.part.open_asset(oem_key(kLabelEncData), context),
                         ErrorCode::kNotPermitted));
}

TEST_F(AssetStreams, S12_S22_ThousandRegenerationsNeverRepeatASealingKeyAndNonce) {
  const auto context = builder_for(share_.context).seal_context(1);
  const auto key = oem_key(kLabelEncData);
  std::set<Bytes> prefixes;
  for (int i = 0; i < 1000; ++i) {
    auto sealer = must(world_.oem_device.seal_asset(key, context));
    Bytes out;
    const ByteSink sink = [&out](ByteView piece) -> Status {
      out.insert(out.end(), piece.begin(), piece.end());
      return {};
    };
    must(sealer.stream.finish(sink));
    prefixes.insert(to_bytes(ByteView(out).first(kSealPrefix)));
  }
  EXPECT_EQ(prefixes.size(), 1000U);
}

class PackageTags : public AssetStreams {
 protected:
  Bytes package_ = make_package(world_, share_, four_assets());
  Bytes tagged_ = to_bytes(ByteView(package_).first(package_head_size(4) - 16));

  [[nodiscard]] Result<ByteArray<16>> tag(ByteView tagged) const {
    return world_.oem_device.tag_package(oem_key(kLabelAuth), tagged);
  }
  // The head changed, and signed again by the OEM.
  [[nodiscard]] Bytes resigned(const std::function<void(Bytes&)>& change) const {
    auto front = to_bytes(ByteView(tagged_).first(tagged_.size() - 192));
    change(front);
    return to_bytes(
        ByteView(signed_and_tagged(world_, share_, Suite::kGcm, front)).first(tagged_.size()));
  }
};

TEST_F(PackageTags, HoldForTheHeadTheyWereMadeFor) {
  const auto made = must(tag(tagged_));
  EXPECT_EQ(to_hex(made), to_hex(ByteView(package_).subspan(tagged_.size(), 16)));
  const auto k_auth = part_key(kLabelAuth);
  EXPECT_TRUE(is_ok(world_.part.check_package_tag(k_auth, tagged_, made)));
  for (std::size_t bit = 0; bit < 128; ++bit) {
    auto bad = made;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1U << bit % 8);
    EXPECT_TRUE(
        fails_with(world_.part.check_package_tag(k_auth, tagged_, bad), ErrorCode::kTagMismatch));
  }
  EXPECT_TRUE(fails_with(world_.part.check_package_tag(k_auth, tagged_, ByteView(made).first(15)),
                         ErrorCode::kTagMismatch));
  EXPECT_TRUE(
      fails_with(world_.part.check_package_tag(k_auth, tagged_, {}), ErrorCode::kTagMismatch));
}

TEST_F(PackageTags, AreMadeOnlyForWellFormedHeadsOfTheirShareSetThatVerify) {
  EXPECT_TRUE(fails_with(tag({}), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(tag(ByteView(tagged_).first(447)), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(tag(ByteView(tagged_).first(tagged_.size() - 1)), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(tag(Bytes(tagged_.size())), ErrorCode::kMalformed));
  auto endless = tagged_;
  std::fill_n(endless.begin() + 88, 8, std::uint8_t{0xFF});
  EXPECT_TRUE(fails_with(tag(endless), ErrorCode::kMalformed));
  auto unsigned_head = tagged_;
  unsigned_head.back() ^= 1U;
  EXPECT_TRUE(fails_with(tag(unsigned_head), ErrorCode::kBadSignature));
  auto stranger = tagged_;
  const auto key = make_signer();
  std::copy_n(key.key.public_xy().begin(), 96, stranger.end() - 192);
  EXPECT_TRUE(fails_with(tag(stranger), ErrorCode::kWrongOwner));
  EXPECT_TRUE(fails_with(tag(resigned([](Bytes& front) { front[128 + 127] = 1; })),
                         ErrorCode::kInconsistent));
  EXPECT_TRUE(
      fails_with(tag(resigned([](Bytes& front) { front[70] ^= 1U; })), ErrorCode::kInconsistent))
      << "another share set";
  EXPECT_TRUE(
      fails_with(tag(resigned([](Bytes& front) { front[6] = 2; })), ErrorCode::kInconsistent))
      << "another suite";
  EXPECT_TRUE(is_ok(tag(resigned([](Bytes&) {}))));
}

TEST_F(PackageTags, NeedTheKeyForTags) {
  EXPECT_TRUE(fails_with(world_.oem_device.tag_package(oem_key(kLabelEncData), tagged_),
                         ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(world_.part.check_package_tag(part_key(kLabelEncData), tagged_, Bytes(16)),
                         ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(world_.oem_device.tag_package(part_key(kLabelAuth), tagged_),
                         ErrorCode::kNotPermitted));
}

}  // namespace
}  // namespace tallystick::core::testing
