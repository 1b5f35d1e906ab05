// What the chip maker does to a part: manufacture, first power-on, immutable memory, certificate.
#include <gtest/gtest.h>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using core::FamilyRole;
using device::LifeCycle;
using device::Part;

TEST(NewParts, AreBlankAndHaveAnIdentity) {
  const World world;
  const auto part = blank_part(world, "meter");
  const auto info = part->info();
  EXPECT_EQ(info.life_cycle, LifeCycle::kBlank);
  EXPECT_EQ(info.manufacture.product, "meter");
  EXPECT_EQ(info.id, value(core::key_id(world.crypto(), part->public_key())));
  EXPECT_THAT(core::EcPublicKey::from_xy(world.crypto(), core::Curve::kP256, part->public_key()),
              Succeeds());
  EXPECT_FALSE(info.certified);
  EXPECT_FALSE(info.family_id.has_value());
  EXPECT_FALSE(info.owner.has_value());
  EXPECT_FALSE(info.software.has_value());
  EXPECT_FALSE(info.package.has_value());
}

TEST(NewParts, KeepTheirDeviceKeyOverPowerOff) {
  const World world;
  const auto medium = new_medium();
  const auto first = blank_part(world, "", medium)->id();
  EXPECT_EQ(reopened(world, medium)->id(), first);
  EXPECT_NE(blank_part(world)->id(), first);
}

TEST(NewParts, NeedAFingerprintAValidProductAndRightStorage) {
  const World world;
  const auto make = [&](const device::Manufacture& manufacture) {
    return Part::create_in(world.crypto_ptr(), std::make_unique<MediumStorage>(new_medium()),
                           manufacture);
  };
  auto manufacture = manufacture_for(world);
  manufacture.icm_fingerprint = {};
  EXPECT_THAT(make(manufacture), FailsWith(ErrorCode::kInvalidArgument));
  manufacture = manufacture_for(world, std::string(33, 'x'));
  EXPECT_THAT(make(manufacture), FailsWith(ErrorCode::kInvalidArgument));
  manufacture = manufacture_for(world, "\xC0\x80");
  EXPECT_THAT(make(manufacture), FailsWith(ErrorCode::kInvalidArgument));
  manufacture = manufacture_for(world, "", 2 * kSmallFlash);
  EXPECT_THAT(make(manufacture), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(NewParts, AnswerToIdentityAloneWhileNoSoftwareRuns) {
  const World world;
  const OemDesk oem(world);
  auto part = blank_part(world);
  const core::ByteArray<32> challenge{};
  EXPECT_THAT(part->reset(), Succeeds());
  EXPECT_EQ(part->running(), nullptr);
  EXPECT_FALSE(part->boot_error().has_value());
  EXPECT_THAT(part->load_share_blob(oem.share_blob()), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part->install_package(1000), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part->prove(challenge), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part->read_flash(0, 1), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part->read_fuse(0), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part->blow_fuse(0, 1), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part->lock(), FailsWith(ErrorCode::kNotPermitted));
}

TEST(ImmutableMemory, IsFilledOnceInAPartsLife) {
  const World world;
  const auto medium = new_medium();
  auto part = blank_part(world, "", medium);
  const auto blob = world.family_blob(FamilyRole::kPart, part->public_key());
  EXPECT_THAT(part->fill_immutable_memory(blob), Succeeds());
  EXPECT_EQ(part->info().family_id, world.family().id);
  EXPECT_THAT(part->fill_immutable_memory(blob), FailsWith(ErrorCode::kAlreadyPresent));
  part.reset();
  part = reopened(world, medium);
  EXPECT_EQ(part->info().family_id, world.family().id);
  EXPECT_THAT(part->fill_immutable_memory(world.family_blob(FamilyRole::kPart, part->public_key())),
              FailsWith(ErrorCode::kAlreadyPresent));
}

TEST(ImmutableMemory, TakesOnlyWhatItsMakerSealedToThisPart) {
  const World world;
  const World stranger;
  auto part = blank_part(world);
  const auto other = blank_part(world);
  EXPECT_THAT(
      part->fill_immutable_memory(stranger.family_blob(FamilyRole::kPart, part->public_key())),
      FailsAtCheck(2, ErrorCode::kWrongOwner));
  EXPECT_THAT(
      part->fill_immutable_memory(world.family_blob(FamilyRole::kPart, other->public_key())),
      FailsAtCheck(4, ErrorCode::kWrongRecipient));
  EXPECT_THAT(
      part->fill_immutable_memory(world.family_blob(FamilyRole::kStation, part->public_key())),
      FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(
      part->fill_immutable_memory(world.family_blob(FamilyRole::kProvisioning, part->public_key())),
      FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(part->info().family_id.has_value());
  auto blob = world.family_blob(FamilyRole::kPart, part->public_key());
  blob[blob.size() / 2] ^= 1;
  EXPECT_THAT(part->fill_immutable_memory(blob), FailsAtCheck(3, ErrorCode::kBadSignature));
  EXPECT_FALSE(part->info().family_id.has_value());
}

TEST(Certificates, AreStoredOnlyForThisPartUnderItsMakersKey) {
  const World world;
  const World stranger;
  const auto medium = new_medium();
  auto part = blank_part(world, "", medium);
  const auto other = blank_part(world);
  const auto certificate = world.certificate(core::DeviceKind::kPart, part->public_key());
  EXPECT_THAT(part->store_certificate(certificate), FailsWith(ErrorCode::kLifeCycle))
      << "there is no key yet to check it with";
  done(part->fill_immutable_memory(world.family_blob(FamilyRole::kPart, part->public_key())));
  EXPECT_THAT(
      part->store_certificate(world.certificate(core::DeviceKind::kPart, other->public_key())),
      FailsWith(ErrorCode::kWrongRecipient));
  EXPECT_THAT(
      part->store_certificate(world.certificate(core::DeviceKind::kToken, part->public_key())),
      FailsWith(ErrorCode::kWrongRecipient));
  EXPECT_FALSE(
      part->store_certificate(stranger.certificate(core::DeviceKind::kPart, part->public_key()))
          .ok());
  EXPECT_TRUE(part->certificate().empty());
  EXPECT_THAT(part->store_certificate(certificate), Succeeds());
  part.reset();
  part = reopened(world, medium);
  EXPECT_EQ(core::Bytes(part->certificate().begin(), part->certificate().end()), certificate);
}

}  // namespace
}  // namespace tallystick::test
