#include "tools/cli/formats/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;

const std::string kManifestHead = "product = \"meter\"\npackage_version = 3\nsuite = \"ccm\"\n";

std::string asset(const std::string& rest) { return kManifestHead + "[[asset]]\n" + rest; }

std::string manifest_error(const std::string& text) {
  const auto manifest = parse_manifest("package.toml", text, "");
  EXPECT_FALSE(manifest.ok()) << text;
  if (manifest) return "";
  EXPECT_EQ(manifest.error().exit, Exit::kFile);
  return line_of(manifest.error());
}

TEST(Manifest, ReadsAnAssetFromAFileRelativeToTheManifest) {
  const auto manifest =
      parse_manifest("package.toml",
                     asset("id = 1\nslot = 2\nname = \"fw\"\nkind = \"firmware\"\nversion = 9\n"
                           "address = 0x80000000\nfile = \"fw.bin\"\n"),
                     "/job");
  ASSERT_TRUE(manifest.ok()) << line_of(manifest.error());
  EXPECT_EQ(manifest->product, "meter");
  EXPECT_EQ(manifest->package_version, 3U);
  EXPECT_EQ(manifest->suite, core::Suite::kCcm);
  ASSERT_EQ(manifest->assets.size(), 1U);
  const ManifestAsset& found = manifest->assets[0];
  EXPECT_EQ(found.source.location, "/job/fw.bin");
  EXPECT_EQ(found.entry.asset_id, 1);
  EXPECT_EQ(found.entry.slot, 2U);
  EXPECT_EQ(found.entry.asset_version, 9U);
  EXPECT_EQ(found.entry.address, 0x80000000U);
  EXPECT_EQ(found.entry.flags, 0);
}

TEST(Manifest, AKeyIsWriteOnlyAndHasTheUsesThatAreNamed) {
  const auto manifest =
      parse_manifest("package.toml",
                     asset("id = 1\nslot = 2\nname = \"k\"\nkind = \"private-key\"\n"
                           "uses = [\"sign\", \"derive\"]\ngenerate = \"p256\"\nindex = 4\n"),
                     "");
  ASSERT_TRUE(manifest.ok()) << line_of(manifest.error());
  const ManifestAsset& found = manifest->assets[0];
  EXPECT_EQ(found.entry.flags,
            core::kAssetGenerated | core::kAssetWriteOnly | core::kAssetSign | core::kAssetDerive);
  EXPECT_EQ(found.source.generated.type, core::GeneratedType::kP256);
  EXPECT_EQ(found.source.generated.index, 4U);
  EXPECT_EQ(found.source.generated.name, "k");
}

TEST(Manifest, ErrorsNameTheLineAndTheKey) {
  const std::string key = "id = 1\nslot = 2\nname = \"k\"\nkind = \"key\"\n";
  EXPECT_THAT(manifest_error(asset(key)), HasSubstr("needs one of file, token and generate"));
  EXPECT_THAT(manifest_error(asset(key + "file = \"a\"\ntoken = \"pkcs11:\"\n")),
              HasSubstr("needs one of"));
  EXPECT_THAT(manifest_error(asset(key + "file = \"a\"\naddress = 4\n")),
              HasSubstr("address is not for keys"));
  EXPECT_THAT(manifest_error(asset(key + "[\x01")),
              HasSubstr("package.toml, line 9: a control character"));
  EXPECT_THAT(manifest_error(asset(key + "[\u00E9")),
              HasSubstr("package.toml, line 9: a character outside ASCII"));
  EXPECT_THAT(manifest_error(asset(key + "file = \"a\"\nadress = 4\n")),
              HasSubstr("package.toml, line 10: adress is not known here"));
  EXPECT_THAT(manifest_error(asset(key + "file = \"a\"\nuses = [\"decrypt\", \"unwrap\"]\n")),
              HasSubstr("both decrypt and unwrap"));
  EXPECT_THAT(manifest_error(asset(key + "file = \"a\"\nuses = [\"verify\"]\n")),
              HasSubstr("uses knows"));
  EXPECT_THAT(manifest_error(asset(key + "file = \"a\"\nindex = 1\n")),
              HasSubstr("for generated assets only"));
  EXPECT_THAT(manifest_error(asset(key + "generate = \"p256\"\n")),
              HasSubstr("needs kind = \"private-key\""));
  EXPECT_THAT(manifest_error(asset(key + "generate = \"bytes\"\n")), HasSubstr("needs a length"));
  EXPECT_THAT(manifest_error(asset(key + "generate = \"aes256\"\nlength = 4\n")),
              HasSubstr("is for \"bytes\" only"));
  EXPECT_THAT(manifest_error(asset("id = 1\nslot = 2\nname = \"a\"\nkind = \"firmwear\"\n")),
              HasSubstr("\"firmwear\" is not one of firmware"));
  EXPECT_THAT(
      manifest_error(asset("id = 1\nslot = 2\nname = \"a\"\nkind = \"data\"\nfile = \"f\"\n")),
      HasSubstr("address is missing"));
  EXPECT_THAT(manifest_error(asset("id = 70000\nslot = 2\nname = \"a\"\nkind = \"data\"\n")),
              HasSubstr("id must be a number from 0 to 65535"));
  EXPECT_THAT(manifest_error(asset("id = 1\nslot = 2\nname = \"\"\nkind = \"data\"\n")),
              HasSubstr("name must have 1 to 32 bytes"));
}

TEST(Manifest, TheHeadIsCheckedToo) {
  EXPECT_THAT(manifest_error("package_version = 1\n"), HasSubstr("asset is missing"));
  EXPECT_THAT(manifest_error("product = \"a\"\n"), HasSubstr("package_version is missing"));
  EXPECT_THAT(manifest_error("package_version = 1\nsuite = \"ctr\"\n"), HasSubstr("suite knows"));
  EXPECT_THAT(manifest_error("package_version = 1\nasset = 3\n"), HasSubstr("[[asset]]"));
}

TEST(Manifest, MoreThan64AssetsAreRefused) {
  std::string text = kManifestHead;
  for (int i = 0; i < 65; ++i) text += "[[asset]]\n";
  EXPECT_THAT(manifest_error(text), HasSubstr("more than 64"));
}

}  // namespace
}  // namespace tallystick::cli
