// The layout of packages: the builder, the parser, and the contexts of single assets.
#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "tests/core/support/fake_part.h"
#include "tests/core/support/package_world.h"

namespace tallystick::core::testing {
namespace {

PackageHeader header_for(const Context& context) {
  PackageHeader header;
  header.suite = Suite::kGcm;
  header.package_version = 1;
  header.context = context;
  return header;
}

Result<PackageBuilder> build(const std::vector<Asset>& assets, std::string product = "") {
  auto header = header_for({});
  header.product = std::move(product);
  std::vector<PackageEntry> entries;
  for (const auto& one : assets) entries.push_back(one.entry);
  return PackageBuilder::create(header, entries);
}

TEST(PackageBuilders, FillInCountsAndLengths) {
  const auto builder = must(build(four_assets(), "product"));
  EXPECT_EQ(builder.header().asset_count, 4);
  EXPECT_EQ(builder.header().product, "product");
  std::uint64_t body = 0;
  for (const auto& entry : builder.entries()) {
    EXPECT_EQ(entry.sealed_length, must(sealed_length(entry.plaintext_length)));
    body += entry.sealed_length;
  }
  EXPECT_EQ(builder.header().body_length, body);
  EXPECT_EQ(builder.head().raw.size(), package_head_size(4));
  EXPECT_EQ(builder.seal_context(0).size(), kAssetContextSize);
  EXPECT_NE(builder.seal_context(0), builder.seal_context(1));
}

TEST(PackageBuilders, RefuseWhatAPartWouldRefuse) {
  const auto one = [](auto change) {
    auto made = asset(1, AssetKind::kData, Bytes(10), "n", 0, 0x1000);
    change(made.entry);
    return build({made});
  };
  EXPECT_TRUE(is_ok(one([](PackageEntry&) {})));
  const std::function<void(PackageEntry&)> bad[] = {
      [](PackageEntry& e) { e.kind = static_cast<AssetKind>(3); },
      [](PackageEntry& e) { e.flags = 4; },
      [](PackageEntry& e) { e.flags = 8; },
      [](PackageEntry& e) { e.flags = kAssetSign; },
      [](PackageEntry& e) { e.name = std::string(33, 'n'); },
      [](PackageEntry& e) { e.name = "\xFF"; },
      [](PackageEntry& e) { e.name = std::string("a\0b", 3); },
      [](PackageEntry& e) { e.plaintext_length = 1ULL << 40U; },
      [](PackageEntry& e) { e.plaintext_length = ~0ULL; },
      [](PackageEntry& e) { e.address = ~0ULL - 5; },
      [](PackageEntry& e) { e.kind = AssetKind::kSecretKey; },  // with an address
      [](PackageEntry& e) {
        e.kind = AssetKind::kSecretKey;
        e.address = 0;
        e.flags = kAssetDecrypt | kAssetUnwrap;
      },
      [](PackageEntry& e) {
        e.kind = AssetKind::kFurther;
        e.name = "Not A Label";
      },
      [](PackageEntry& e) {
        e.kind = AssetKind::kFurther;
        e.name = "";
      }};
  int number = 0;
  for (const auto& change : bad) {
    EXPECT_TRUE(fails_with(one(change), ErrorCode::kInvalidArgument)) << number;
    ++number;
  }
  EXPECT_TRUE(fails_with(build({}), ErrorCode::kInvalidArgument));
  std::vector<Asset> many;
  for (std::uint16_t id = 0; id < 65; ++id)
    many.push_back(asset(id, AssetKind::kSecretKey, Bytes(1)));
  EXPECT_TRUE(fails_with(build(many), ErrorCode::kInvalidArgument));
  many.pop_back();
  EXPECT_TRUE(is_ok(build(many)));
  EXPECT_TRUE(fails_with(build(four_assets(), std::string(33, 'p')), ErrorCode::kInvalidArgument));
}

TEST(PackageBuilders, RefuseDoubledIdsSlotsAndOverlappingRanges) {
  const auto two = [](auto change) {
    auto a = asset(1, AssetKind::kData, Bytes(0x100), "a", 0, 0x1000);
    auto b = asset(2, AssetKind::kConfiguration, Bytes(0x100), "b", 0, 0x1100);
    change(b.entry);
    return build({a, b});
  };
  EXPECT_TRUE(is_ok(two([](PackageEntry&) {}))) << "ranges that touch do not overlap";
  EXPECT_FALSE(two([](PackageEntry& e) { e.asset_id = 1; }).ok());
  EXPECT_FALSE(two([](PackageEntry& e) { e.slot = 1; }).ok());
  EXPECT_FALSE(two([](PackageEntry& e) { e.address = 0x10FF; }).ok());
  EXPECT_FALSE(two([](PackageEntry& e) { e.address = 0xF01; }).ok());
  EXPECT_TRUE(is_ok(two([](PackageEntry& e) { e.address = 0xF00; })));
  EXPECT_TRUE(is_ok(two([](PackageEntry& e) {
    e.address = 0x1080;
    e.plaintext_length = 0;
  }))) << "an empty range overlaps nothing";
  EXPECT_TRUE(is_ok(two([](PackageEntry& e) { e.address = ~0ULL - 0xFF; })))
      << "a range may end at 2^64";
}

TEST(PackageBuilders, CompareOnlyRangesOfBytesThatLieInFlash) {
  // In either order: a key has no place, an empty asset takes none.
  const auto flash = asset(1, AssetKind::kData, Bytes(0x100), "a", 0, 0);
  const auto key = asset(2, AssetKind::kSecretKey, Bytes(32), "k", kAssetSign);
  auto empty = asset(3, AssetKind::kData, {}, "e", 0, 0x80);
  EXPECT_TRUE(is_ok(build({flash, key, empty})));
  EXPECT_TRUE(is_ok(build({empty, key, flash})));
}

TEST(PackageHeads, AreParsedIntoWhatTheBuilderWrote) {
  const World world;
  const auto share = world.make_share();
  const auto package = make_package(world, share, four_assets(), Suite::kCcm, 7, "product");
  const auto size = must(package_head_size_of(ByteView(package).first(kPackageHeaderSize)));
  EXPECT_EQ(size, package_head_size(4));
  const auto head = must(parse_package_head(ByteView(package).first(size), package.size()));
  EXPECT_EQ(head.header.suite, Suite::kCcm);
  EXPECT_EQ(head.header.package_version, 7U);
  EXPECT_EQ(head.header.context, share.context);
  EXPECT_EQ(head.header.product, "product");
  EXPECT_EQ(to_hex(head.oem_public_key()), to_hex(world.oem.key.public_xy()));
  EXPECT_EQ(head.header_bytes().size(), 128U);
  EXPECT_EQ(head.entry_bytes(3).size(), 128U);
  EXPECT_EQ(head.tagged_bytes().size(), head.signed_bytes().size() + 96);
  EXPECT_EQ(head.tag().size(), 16U);
  EXPECT_TRUE(is_ok(check_package_signature(crypto(), head)));
  EXPECT_TRUE(is_ok(check_package_entries(head)));
}

TEST(PackageHeads, RefuseLengthsThatDoNotAgree) {
  const World world;
  const auto package = make_package(world, world.make_share(), four_assets());
  const auto head = ByteView(package).first(package_head_size(4));
  for (const std::uint64_t total : {std::uint64_t{0}, std::uint64_t{package.size() - 1},
                                    std::uint64_t{package.size() + 1}, ~std::uint64_t{0}}) {
    EXPECT_TRUE(refused_at(parse_package_head(head, total), 1));
  }
  for (std::size_t size = 0; size < head.size(); size += 11) {
    EXPECT_TRUE(refused_at(parse_package_head(head.first(size), package.size()), 1));
  }
  EXPECT_TRUE(refused_at(package_head_size_of(head.first(127)), 1));
}

TEST(PackageHeads, RefuseAPackageOfNothing) {
  const World world;
  const auto package = make_package(world, world.make_share(), four_assets());
  Bytes head = to_bytes(ByteView(package).first(kPackageHeaderSize));
  head[7] = 0;                                         // assets
  std::fill_n(head.begin() + 88, 8, std::uint8_t{0});  // the body's length
  head.resize(package_head_size(0));
  EXPECT_TRUE(refused_at(parse_package_head(head, head.size()), 1));
}

TEST(PackageHeads, RefuseAKeyThatIsNoPointAndAProductThatIsNoText) {
  const World world;
  const auto package = make_package(world, world.make_share(), four_assets());
  const auto size = package_head_size(4);
  auto head = must(parse_package_head(ByteView(package).first(size), package.size()));
  std::fill_n(head.raw.end() - static_cast<std::ptrdiff_t>(kPackageTrailerSize), 96,
              std::uint8_t{1});
  head.header.context.oem_id = must(sha256(crypto(), {head.oem_public_key()}));
  EXPECT_TRUE(fails_with(check_package_signature(crypto(), head), ErrorCode::kBadSignature));
  head.raw[kPackageHeaderSize - kNameSize] = 0xFF;
  EXPECT_TRUE(fails_with(check_package_entries(head), ErrorCode::kInconsistent));
}

TEST(AssetContexts, AreParsedBackAndRefusedWhenChanged) {
  const auto builder = must(build(four_assets(), "product"));
  for (std::size_t i = 0; i < 4; ++i) {
    const auto context = builder.seal_context(i);
    const auto parsed = must(parse_asset_context(context));
    EXPECT_EQ(parsed.entry.name, builder.entries()[i].name);
    EXPECT_EQ(parsed.entry.kind, builder.entries()[i].kind);
    EXPECT_EQ(parsed.entry.plaintext_length, builder.entries()[i].plaintext_length);
    EXPECT_EQ(parsed.header.product, "product");
    for (const std::size_t size : {0UL, 10UL, 217UL}) {
      EXPECT_TRUE(
          fails_with(parse_asset_context(ByteView(context).first(size)), ErrorCode::kMalformed));
    }
    EXPECT_FALSE(parse_asset_context(concatenated({context, Bytes(1)})).ok());
    // Text, magic, format, suite, n; kind, flags; lengths; name; zeros at the end.
    for (const std::size_t at :
         {0UL, 9UL, 10UL, 15UL, 16UL, 17UL, 10 + 128 + 2UL, 10 + 128 + 16UL, 10 + 128 + 24UL,
          10 + 128 + 32UL + 31, 10 + 128 + 64 + 4UL, 217UL, 10 + 96 + 31UL}) {
      auto bad = context;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ 0x84U);
      EXPECT_TRUE(fails_with(parse_asset_context(bad), ErrorCode::kMalformed)) << i << " " << at;
    }
  }
}

TEST(AssetLabels, FollowTheKind) {
  for (const auto kind : {AssetKind::kData, AssetKind::kConfiguration, AssetKind::kCertificate}) {
    EXPECT_EQ(label_for(kind, "x"), "TS1/ENCD");
  }
  for (const auto kind : {AssetKind::kSecretKey, AssetKind::kPrivateKey}) {
    EXPECT_EQ(label_for(kind, "x"), "TS1/ENCK");
  }
  EXPECT_EQ(label_for(AssetKind::kFurther, "modem"), "TS1/X/modem");
}

}  // namespace
}  // namespace tallystick::core::testing
