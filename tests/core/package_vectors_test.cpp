// The packages of tests/vectors/ts1/packages.json: a part takes them, in any cut into pieces.
#include <gtest/gtest.h>

#include "tests/core/support/fake_part.h"
#include "tests/core/support/vectors.h"
#include "tests/support/tally.h"

namespace tallystick::core::testing {
namespace {

using test::Tally;

void expect_entry(const PackageEntry& entry, const nlohmann::json& asset) {
  EXPECT_EQ(entry.asset_id, asset.at("id").get<std::uint16_t>());
  EXPECT_EQ(static_cast<int>(entry.kind), asset.at("kind").get<int>());
  EXPECT_EQ(entry.flags, asset.at("flags").get<std::uint8_t>());
  EXPECT_EQ(entry.slot, asset.at("slot").get<std::uint32_t>());
  EXPECT_EQ(entry.address, asset.at("address").get<std::uint64_t>());
  EXPECT_EQ(entry.name, string_of(asset, "name"));
  EXPECT_EQ(entry.asset_version, asset.at("version").get<std::uint32_t>());
  EXPECT_EQ(entry.plaintext_length, hex_of(asset, "data").size());
}

void expect_installed(const nlohmann::json& test, FakePart& part, ByteView package,
                      std::size_t piece) {
  const auto verified = must(install(part, package, piece));
  const auto& head = verified.head;
  EXPECT_EQ(head.header.package_version, test.at("package_version").get<std::uint32_t>());
  EXPECT_EQ(head.header.created, test.at("created").get<std::uint64_t>());
  EXPECT_EQ(head.header.product, string_of(test, "product"));
  EXPECT_EQ(verified.owner, head.header.context.oem_id);
  EXPECT_EQ(verified.proof_key.size(), kSecretSize);
  const auto& assets = test.at("assets");
  ASSERT_EQ(part.staged.size(), assets.size());
  ASSERT_EQ(head.entries.size(), assets.size());
  EXPECT_EQ(part.ended, assets.size());
  EXPECT_EQ(part.abandoned, 0U);
  for (std::size_t i = 0; i < assets.size(); ++i) {
    expect_entry(head.entries[i], assets[i]);
    EXPECT_TRUE(part.staged[i] == hex_of(assets[i], "data")) << i;
  }
}

TEST(Ts1Vectors, PackagesAreInstalledWholeAndInPieces) {
  Tally tally("ts1/packages.json");
  const auto vectors = load_vectors("ts1/packages.json");
  for (const auto& test : vectors.at("tests")) {
    const auto& known = test.at("part");
    Family family;
    family.id = array_from_hex<16>(string_of(known, "family_id"));
    family.flags = known.value("counted", false) ? kFamilyCounted : std::uint8_t{0};
    for (const auto& share : known.at("shares")) {
      family.shares.push_back(Secret::copy_of(from_hex(share.get<std::string>())));
    }
    family.k_oem_share = Secret::copy_of(hex_of(known, "k_oem_share"));
    const auto software = software_with(every_permission(), family.id,
                                        known.at("software_version").get<std::uint32_t>());
    const ProvisioningSoftware running(crypto(), family, software);
    std::optional<EcPrivateKey> key;
    if (known.contains("device_private_key")) {
      key = must(
          EcPrivateKey::from_scalar(crypto(), Curve::kP256, hex_of(known, "device_private_key")));
    }
    const auto package = hex_of(test, "package");
    const bool failed_before = HasFailure();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{977}, package.size()}) {
      FakePart part(running, hex_of(test, "share_blob"), key ? &*key : nullptr);
      if (!known.at("product").is_null()) part.product_name = string_of(known, "product");
      if (!known.at("owner").is_null()) {
        part.owner_id = array_from_hex<32>(string_of(known, "owner"));
      }
      expect_installed(test, part, package, piece);
    }
    tally.passed(failed_before || !HasFailure());
  }
  tally.expect(7, 7);
}

}  // namespace
}  // namespace tallystick::core::testing
