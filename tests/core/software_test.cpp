#include "core/ts1/software.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

class SoftwareImages : public ::testing::Test {
 protected:
  [[nodiscard]] Bytes image_of(ByteView payload, std::uint32_t version = 5,
                               std::uint16_t mask = 0x1C) const {
    const auto header =
        must(software_header(crypto(), {mask, version, family_, "provisioning"}, payload));
    return must(assemble_software(header, icm_.sign({header}), payload));
  }
  [[nodiscard]] Result<Software> verified(ByteView image, std::uint32_t minimum = 0,
                                          FamilyRole role = FamilyRole::kPart) const {
    return verify_software(crypto(), image, icm_.key.public_xy(), family_, role, minimum);
  }

  Signer icm_ = make_signer();
  FamilyId family_ = random_array<16>();
  Bytes payload_ = must(Permissions::encode(every_permission()));
  Bytes image_ = image_of(payload_);
};

TEST_F(SoftwareImages, AreVerifiedByDevicesAndByAnyoneWithTheKey) {
  const auto software = must(verified(image_, 5));
  EXPECT_EQ(software.header.version, 5U);
  EXPECT_EQ(software.header.name, "provisioning");
  EXPECT_EQ(software.permissions.records().size(), every_permission().size());
  const auto anyone = must(verify_software_signature(crypto(), image_, icm_.key.public_xy()));
  EXPECT_EQ(anyone.header.family_id, family_);
  EXPECT_FALSE(verify_software_signature(crypto(), image_, make_signer().key.public_xy()).ok());
  EXPECT_FALSE(verify_software_signature(crypto(), image_, Bytes(96)).ok());
}

TEST_F(SoftwareImages, S07_RefuseAVersionBelowTheHighestThatRan) {
  EXPECT_TRUE(refused_at(verified(image_, 6), 5));
  EXPECT_TRUE(fails_with(verified(image_, 6), ErrorCode::kRollback));
  EXPECT_TRUE(is_ok(verified(image_, 5)));
}

TEST_F(SoftwareImages, S08_RefuseEveryFlippedByteOfHeaderSignatureAndPayload) {
  for (std::size_t at = 0; at < image_.size(); ++at) {
    auto bad = image_;
    bad[at] ^= 0x01U;
    const auto result = verified(bad);
    ASSERT_FALSE(result.ok()) << at;
    // The magic and the payload's length are part of check 1; the payload is covered by its digest.
    const bool form = at < 4 || (at >= 12 && at < 16);
    EXPECT_EQ(result.error().check, form ? 1 : at < kSoftwarePrefix ? 2 : 6) << at;
  }
}

TEST_F(SoftwareImages, S08_RefuseAThousandFlippedBytesOfALongPayload) {
  std::vector<PermissionRecord> records;
  for (std::uint32_t from = 0; from < 3; ++from) {
    for (std::uint32_t to = from + 1; to <= 3; ++to) records.push_back({11, from * 256 + to});
  }
  // A payload has at most 256 records; a thousand different flips of it all the same.
  const auto payload = must(Permissions::encode(records));
  const auto image = image_of(payload);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    auto bad = image;
    auto& byte = bad[kSoftwarePrefix + i % payload.size()];
    byte = static_cast<std::uint8_t>(byte ^ (1 + i / payload.size()));
    if (refused_at(verified(bad), 6)) ++refused;
  }
  EXPECT_EQ(refused, 1000U);
}

TEST_F(SoftwareImages, RefuseEveryOtherLength) {
  for (std::size_t size = 0; size < image_.size(); ++size) {
    ASSERT_TRUE(refused_at(verified(ByteView(image_).first(size)), 1)) << size;
  }
  EXPECT_TRUE(refused_at(verified({}), 1));
  EXPECT_TRUE(refused_at(verified(concatenated({image_, Bytes(1)})), 1));
}

TEST_F(SoftwareImages, RunOnlyInTheRolesOfTheirMask) {
  for (const auto role : {FamilyRole::kProvisioning, FamilyRole::kStation, FamilyRole::kPart}) {
    const auto mask = static_cast<std::uint16_t>(1U << static_cast<unsigned>(role));
    const auto image = image_of(payload_, 5, mask);
    EXPECT_TRUE(is_ok(verified(image, 0, role)));
    for (const auto other :
         {FamilyRole::kProvisioning, FamilyRole::kStation, FamilyRole::kPart, FamilyRole::kIcm}) {
      if (other == role) continue;
      EXPECT_TRUE(refused_at(verified(image, 0, other), 4));
    }
  }
}

TEST_F(SoftwareImages, AreNotMadeInAFormThatWouldBeRefused) {
  for (const std::uint16_t mask :
       {std::uint16_t{0}, std::uint16_t{2}, std::uint16_t{0x20}, std::uint16_t{0x8004}}) {
    EXPECT_TRUE(fails_with(software_header(crypto(), {mask, 1, family_, ""}, payload_),
                           ErrorCode::kInvalidArgument));
  }
  EXPECT_TRUE(
      fails_with(software_header(crypto(), {0x1C, 1, family_, std::string(33, 'n')}, payload_),
                 ErrorCode::kInvalidArgument));
  const auto header = must(software_header(crypto(), {0x1C, 1, family_, ""}, payload_));
  EXPECT_FALSE(assemble_software(header, Bytes(95), payload_).ok());
  EXPECT_FALSE(assemble_software(Bytes(127), Bytes(96), payload_).ok());
}

Result<Permissions> parsed(std::initializer_list<ByteView> parts) {
  return Permissions::parse(concatenated(parts));
}

TEST(PermissionLists, RefusePayloadsOfAnotherForm) {
  const Bytes record = {0, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(is_ok(parsed({Bytes{0, 1}, record})));
  EXPECT_TRUE(refused_at(parsed({}), 7));
  EXPECT_TRUE(refused_at(parsed({Bytes{0}}), 7));
  EXPECT_TRUE(refused_at(parsed({Bytes{0, 0}}), 7));
  EXPECT_TRUE(refused_at(parsed({Bytes{0, 2}, record}), 7));
  EXPECT_TRUE(refused_at(parsed({Bytes{0, 1}, record, Bytes{0}}), 7));
  EXPECT_TRUE(refused_at(parsed({Bytes{0, 1}, ByteView(record).first(7)}), 7));
  EXPECT_TRUE(refused_at(parsed({Bytes{0, 2}, record, record}), 7));
  EXPECT_TRUE(refused_at(parsed({Bytes{1, 1}, Bytes(257 * 8, 1)}), 7));
}

TEST(PermissionLists, RefuseRecordsWithoutMeaning) {
  const std::vector<PermissionRecord> bad = {
      {0, 0},  {13, 0},     {0xFFFF, 0}, {1, 1},  {2, 1},      {7, 1},        {9, 1},
      {10, 1}, {12, 1},     {3, 0},      {3, 1},  {3, 0x10},   {4, 0},        {4, 0x80000002},
      {5, 0},  {5, 1},      {5, 8},      {6, 0},  {6, 9},      {8, 0},        {8, 0x80},
      {11, 0}, {11, 0x101}, {11, 0x100}, {11, 4}, {11, 0x304}, {11, 0x10001}, {11, 0x302}};
  for (const auto& record : bad) {
    EXPECT_TRUE(fails_with(Permissions::encode({record}), ErrorCode::kInvalidArgument))
        << record.operation << " " << record.argument;
  }
  EXPECT_FALSE(Permissions::encode({}).ok());
  EXPECT_FALSE(Permissions::encode({{1, 0}, {1, 0}}).ok()) << "twice";
}

TEST(PermissionLists, PermitNoTypeBehindTheLastBit) {
  const auto first = must(Permissions::parse(
      must(Permissions::encode({{static_cast<std::uint16_t>(Operation::kGenerate), 1}}))));
  EXPECT_TRUE(first.generates(static_cast<GeneratedType>(1)));
  EXPECT_FALSE(first.generates(static_cast<GeneratedType>(0)));
  EXPECT_FALSE(first.generates(static_cast<GeneratedType>(33)));
}

TEST(PermissionLists, AreWrittenInOrderAndAnswerForEachBit) {
  auto records = every_permission();
  std::reverse(records.begin(), records.end());
  const auto all = must(Permissions::parse(must(Permissions::encode(records))));
  EXPECT_EQ(all.records(), every_permission());
  EXPECT_TRUE(all.moves(0, 1));
  EXPECT_TRUE(all.moves(1, 3));
  EXPECT_FALSE(all.moves(0, 3));
  EXPECT_FALSE(all.moves(3, 1));
  const auto some = must(Permissions::parse(
      must(Permissions::encode({{3, 8}, {4, 2}, {5, 4}, {6, 2}, {8, 0x41}, {11, 0x203}}))));
  EXPECT_TRUE(some.gives(BlobRole::kDevice));
  EXPECT_FALSE(some.gives(BlobRole::kShare));
  EXPECT_TRUE(some.takes(BlobRole::kShare));
  EXPECT_FALSE(some.takes(BlobRole::kDevice));
  EXPECT_TRUE(some.seals(Suite::kCcm));
  EXPECT_FALSE(some.seals(Suite::kGcm));
  EXPECT_TRUE(some.opens(Suite::kGcm));
  EXPECT_FALSE(some.opens(Suite::kCcm));
  EXPECT_TRUE(some.generates(GeneratedType::kAes128));
  EXPECT_TRUE(some.generates(GeneratedType::kBytes));
  EXPECT_FALSE(some.generates(GeneratedType::kP256));
  EXPECT_FALSE(some.allows(Operation::kProve));
  EXPECT_TRUE(some.moves(2, 3));
  const Permissions none;
  EXPECT_FALSE(none.allows(Operation::kMakeShares));
  EXPECT_FALSE(none.seals(Suite::kGcm));
}

}  // namespace
}  // namespace tallystick::core::testing
