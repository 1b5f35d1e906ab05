#include "core/ts1/family.h"

#include <gtest/gtest.h>

#include <set>

#include "core/ts1/family_blob.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

TEST(Families, AreBornWithFreshSecrets) {
  const auto icm = make_signer();
  for (std::uint8_t further = 0; further <= 6; ++further) {
    const auto family = must(generate_family(crypto(), random_array<16>(), kFamilyUniform, further,
                                             icm.key.public_xy()));
    EXPECT_EQ(family.role, FamilyRole::kIcm);
    EXPECT_TRUE(family.uniform());
    EXPECT_FALSE(family.counted());
    ASSERT_EQ(family.shares.size(), 2U + further);
    std::set<std::string> secrets = {to_hex(family.k_oem_share.view()),
                                     to_hex(family.k_oem_master_share->view())};
    for (const auto& share : family.shares) secrets.insert(to_hex(share.view()));
    EXPECT_EQ(secrets.size(), 4U + further);
  }
}

TEST(Families, RefuseFlagsSharesAndKeysOutOfRange) {
  const auto xy = to_bytes(make_signer().key.public_xy());
  const FamilyId id{};
  for (const std::uint8_t flags : {std::uint8_t{3}, std::uint8_t{4}, std::uint8_t{255}}) {
    EXPECT_TRUE(
        fails_with(generate_family(crypto(), id, flags, 0, xy), ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(fails_with(generate_family(crypto(), id, 0, 7, xy), ErrorCode::kInvalidArgument));
  auto off = xy;
  off[95] ^= 1U;
  EXPECT_TRUE(fails_with(generate_family(crypto(), id, 0, 0, off), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(generate_family(crypto(), id, 0, 0, Bytes(64)), ErrorCode::kMalformed));
}

TEST(Families, RoundTripThroughTheImportForm) {
  const auto family = make_family(make_signer(), kFamilyCounted, 6);
  const auto form = encode_family_import(family);
  const auto back = must(parse_family_import(crypto(), form.view()));
  EXPECT_EQ(back.id, family.id);
  EXPECT_TRUE(back.counted());
  EXPECT_EQ(to_hex(encode_family_import(back).view()), to_hex(form.view()));
}

TEST(Families, RefuseAnImportThatIsNotExact) {
  const auto good = to_bytes(encode_family_import(make_family(make_signer())).view());
  EXPECT_TRUE(is_ok(parse_family_import(crypto(), good)));
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_TRUE(fails_with(parse_family_import(crypto(), ByteView(good).first(size)),
                           ErrorCode::kMalformed));
  }
  EXPECT_TRUE(fails_with(parse_family_import(crypto(), concatenated({good, Bytes(1)})),
                         ErrorCode::kMalformed));
  // Magic, version, flags, number of shares, a coordinate of the key.
  for (const std::size_t at : {0UL, 3UL, 4UL, 5UL, 7UL, good.size() - 1}) {
    auto bad = good;
    bad[at] = static_cast<std::uint8_t>(bad[at] ^ 0x40U);
    EXPECT_TRUE(fails_with(parse_family_import(crypto(), bad), ErrorCode::kMalformed)) << at;
  }
  auto flags = good;
  flags[6] = 3;
  EXPECT_TRUE(fails_with(parse_family_import(crypto(), flags), ErrorCode::kMalformed));
}

TEST(Families, RefuseAnImportWithTooFewOrTooManyShares) {
  for (const std::size_t shares : {1UL, 9UL}) {
    auto family = make_family(make_signer());
    while (family.shares.size() > shares) family.shares.pop_back();
    while (family.shares.size() < shares) family.shares.push_back(family.shares.front().clone());
    const auto form = encode_family_import(family);
    EXPECT_TRUE(fails_with(parse_family_import(crypto(), form.view()), ErrorCode::kMalformed));
  }
}

class FamilyBlobs : public ::testing::Test {
 protected:
  [[nodiscard]] Bytes blob_for(const Family& family, FamilyRole role) const {
    const auto front = must(seal_family_blob(crypto(), family, role, device_.key.public_key()));
    return concatenated({front, icm_.sign({front})});
  }
  [[nodiscard]] Result<Family> opened(ByteView blob) const {
    return open_family_blob(crypto(), blob, icm_.id, device_.key,
                            [](const FamilyId&) { return false; });
  }

  Signer icm_ = make_signer();
  Signer device_ = make_signer(Curve::kP256);
};

TEST_F(FamilyBlobs, S05_GiveTheMasterShareOnlyToThoseWhoMayHaveIt) {
  for (const std::uint8_t flags : {std::uint8_t{0}, kFamilyUniform, kFamilyCounted}) {
    const auto family = make_family(icm_, flags);
    for (const auto role : {FamilyRole::kProvisioning, FamilyRole::kStation, FamilyRole::kPart}) {
      const auto got = must(opened(blob_for(family, role)));
      EXPECT_EQ(got.role, role);
      EXPECT_EQ(got.flags, flags);
      const bool carries = role == FamilyRole::kProvisioning ||
                           (role == FamilyRole::kPart && flags == kFamilyUniform);
      EXPECT_EQ(got.k_oem_master_share.has_value(), carries);
    }
  }
}

TEST_F(FamilyBlobs, RefuseEveryFlippedByte) {
  const auto blob = blob_for(make_family(icm_), FamilyRole::kPart);
  ASSERT_TRUE(is_ok(opened(blob)));
  for (std::size_t at = 0; at < blob.size(); ++at) {
    auto bad = blob;
    bad[at] ^= 0x04U;
    const auto result = opened(bad);
    ASSERT_FALSE(result.ok()) << at;
    EXPECT_GE(result.error().check, 1) << at;
    EXPECT_LE(result.error().check, 3) << at << ": nothing is opened before the signature holds";
  }
}

TEST_F(FamilyBlobs, RefuseEveryOtherLength) {
  const auto blob = blob_for(make_family(icm_), FamilyRole::kStation);
  for (std::size_t size = 0; size < blob.size(); size += 13) {
    EXPECT_FALSE(opened(ByteView(blob).first(size)).ok()) << size;
  }
  EXPECT_FALSE(opened(concatenated({blob, Bytes(1)})).ok());
}

TEST_F(FamilyBlobs, AreLookedAtWithoutOpening) {
  const auto family = make_family(icm_);
  const auto header = must(parse_family_blob(blob_for(family, FamilyRole::kStation)));
  EXPECT_EQ(header.role, FamilyRole::kStation);
  EXPECT_EQ(header.family_id, family.id);
  EXPECT_EQ(header.recipient_id, device_.id);
  EXPECT_EQ(header.icm_public_key, family.icm_public_key);
}

TEST_F(FamilyBlobs, RefuseAFormThatIsNotTheProfiles) {
  const auto good = blob_for(make_family(icm_), FamilyRole::kPart);
  // A letter of the magic, the version, roles that there are not or that get none, the flags.
  const std::pair<std::size_t, std::uint8_t> changes[] = {{0, 'X'}, {4, 1}, {5, 2},
                                                          {6, 1},   {6, 5}, {7, 3}};
  for (const auto& [at, byte] : changes) {
    auto bad = good;
    bad[at] = byte;
    EXPECT_TRUE(fails_with(parse_family_blob(bad), ErrorCode::kMalformed)) << at;
  }
}

TEST_F(FamilyBlobs, RefuseAnIcmKeyThatIsNoPoint) {
  auto front = must(
      seal_family_blob(crypto(), make_family(icm_), FamilyRole::kPart, device_.key.public_key()));
  // The expected fingerprint fits it all the same.
  const auto key = icm_.xy96();
  const auto at = std::search(front.begin(), front.end(), key.begin(), key.end());
  ASSERT_NE(at, front.end());
  std::fill_n(at, key.size(), std::uint8_t{1});
  const auto blob = concatenated({front, icm_.sign({front})});
  const auto fingerprint = must(icm_fingerprint(crypto(), Bytes(kIcmKeySize, 1)));
  EXPECT_TRUE(refused_at(open_family_blob(crypto(), blob, fingerprint, device_.key,
                                          [](const FamilyId&) { return false; }),
                         3));
}

TEST_F(FamilyBlobs, RefuseTooFewOrTooManySharesThatTheIcmSealed) {
  for (const std::size_t shares : {1UL, 9UL}) {
    auto family = make_family(icm_);
    while (family.shares.size() > shares) family.shares.pop_back();
    while (family.shares.size() < shares) family.shares.push_back(family.shares.front().clone());
    // With K_OEM_MASTER_SHARE one share less is still as long as a blob may be.
    EXPECT_TRUE(refused_at(opened(blob_for(family, FamilyRole::kProvisioning)), 6)) << shares;
  }
}

TEST_F(FamilyBlobs, AreMadeByTheIcmRoleForOtherRolesOnly) {
  const auto family = make_family(icm_);
  EXPECT_FALSE(seal_family_blob(crypto(), family, FamilyRole::kIcm, device_.key.public_key()).ok());
  const auto token = as_role(family, FamilyRole::kProvisioning);
  EXPECT_FALSE(seal_family_blob(crypto(), token, FamilyRole::kPart, device_.key.public_key()).ok());
  auto without_master = make_family(icm_);
  without_master.k_oem_master_share.reset();
  EXPECT_TRUE(fails_with(
      seal_family_blob(crypto(), without_master, FamilyRole::kStation, device_.key.public_key()),
      ErrorCode::kNotPermitted));
  const auto p384 = make_signer();
  EXPECT_FALSE(seal_family_blob(crypto(), family, FamilyRole::kPart, p384.key.public_key()).ok());
}

TEST_F(FamilyBlobs, AreAskedAboutByTheirFamilyId) {
  const auto family = make_family(icm_);
  FamilyId asked{};
  const auto result = open_family_blob(crypto(), blob_for(family, FamilyRole::kPart), icm_.id,
                                       device_.key, [&asked](const FamilyId& id) {
                                         asked = id;
                                         return true;
                                       });
  EXPECT_TRUE(refused_at(result, 5));
  EXPECT_TRUE(fails_with(result, ErrorCode::kAlreadyPresent));
  EXPECT_EQ(asked, family.id);
}

}  // namespace
}  // namespace tallystick::core::testing
