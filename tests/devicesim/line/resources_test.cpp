// Who a part is over its line: identity, certificate, proof, and the lock.
#include <gtest/gtest.h>

#include "core/certificate/device_certificate.h"
#include "devicesim/line/part_target.h"
#include "devicesim/mboot/resource.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using device::PartTarget;
using mboot::Identity;
using mboot::Reply;
using mboot::Resource;
using mboot::StatusCode;
using mboot::Tag;

constexpr std::uint32_t kChallengeAt = device::Ram::kStart + 0x8000;

class Resources : public ::testing::Test {
 protected:
  PartTarget target_for(const std::shared_ptr<Medium>& medium) {
    return PartTarget([this, medium] {
      return device::Part::open_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium));
    });
  }
  void SetUp() override { ready_part(world_, "meter", medium_); }

  StatusCode send(Tag tag, const std::vector<std::uint32_t>& parameters, ByteView data) {
    const auto reply = target_.execute({tag, mboot::kDataPhaseFollows, parameters});
    if (reply.data != Reply::Data::kFromHost) {
      return static_cast<StatusCode>(reply.packet.parameters.front());
    }
    if (const auto wrote = target_.write(data); wrote != StatusCode::kSuccess) return wrote;
    return target_.finish();
  }
  void receive_file(ByteView file) {
    EXPECT_EQ(send(Tag::kReceiveSbFile, {static_cast<std::uint32_t>(file.size())}, file),
              StatusCode::kSuccess);
  }
  void write_challenge(ByteView challenge) {
    EXPECT_EQ(send(Tag::kWriteMemory, {kChallengeAt, 32, 0}, challenge), StatusCode::kSuccess);
  }
  struct Given {
    StatusCode status{};
    Bytes bytes;
  };
  Given resource(Resource which, std::uint32_t address = 0,
                 std::uint32_t most = mboot::kMostResource) {
    const auto reply = target_.execute(
        {Tag::kFlashReadResource, 0, {address, most, static_cast<std::uint32_t>(which)}});
    EXPECT_EQ(reply.packet.tag, Tag::kFlashReadResourceResponse);
    Given given{static_cast<StatusCode>(reply.packet.parameters.front()), {}};
    EXPECT_EQ(reply.packet.parameters.at(1), reply.length);
    if (given.status != StatusCode::kSuccess) return given;
    given.bytes.resize(static_cast<std::size_t>(reply.length));
    if (!given.bytes.empty()) {
      EXPECT_EQ(target_.read(given.bytes), StatusCode::kSuccess);
    }
    given.status = target_.finish();
    return given;
  }
  StatusCode lock(std::uint32_t state = 3) {
    return static_cast<StatusCode>(
        target_.execute({Tag::kUpdateLifeCycle, 0, {state}}).packet.parameters.front());
  }
  Bytes package() const {
    auto plan = small_plan();
    plan.product = "meter";
    return oem_.package(plan);
  }
  core::Proof proof_for(ByteView challenge) {
    write_challenge(challenge);
    const auto given = resource(Resource::kProof, kChallengeAt);
    EXPECT_EQ(given.status, StatusCode::kSuccess);
    return value(core::parse_proof(given.bytes));
  }

  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
  PartTarget target_ = target_for(medium_);
};

TEST_F(Resources, TellWhoThePartSaysItIs) {
  const auto said = mboot::decode_identity(resource(Resource::kIdentity).bytes);
  ASSERT_TRUE(said.has_value());
  target_.power_off();
  const auto info = reopened(world_, medium_)->info();
  EXPECT_EQ(said->part_id, info.id);
  EXPECT_EQ(said->family_id, *info.family_id);
  EXPECT_EQ(said->software_version, info.software->version);
  EXPECT_EQ(said->product, "meter");
  EXPECT_EQ(said->life_cycle, 1);
  EXPECT_EQ(said->flags, Identity::kCertified | Identity::kHasFamily);
  receive_file(oem_.share_blob());
  receive_file(package());
  const auto then = mboot::decode_identity(resource(Resource::kIdentity).bytes);
  ASSERT_TRUE(then.has_value());
  EXPECT_EQ(then->life_cycle, 2);
  EXPECT_NE(then->flags & Identity::kInstalled, 0);
}

TEST_F(Resources, D06_ProveTheCertifiedKeyOverAFreshChallenge) {
  const auto der = resource(Resource::kCertificate).bytes;
  const auto device =
      value(core::verify_device_certificate(world_.crypto(), der, world_.icm_key().public_xy()));
  const Bytes one = pattern(32, 1);
  const Bytes other = pattern(32, 2);
  const auto proof = proof_for(one);
  EXPECT_TRUE(core::check_proof_signature(world_.crypto(), one, device.key, proof).ok());
  EXPECT_FALSE(core::check_proof_signature(world_.crypto(), other, device.key, proof).ok())
      << "a proof is for one challenge";
  EXPECT_EQ(proof.part_id, device.id);
}

TEST_F(Resources, OfABlankPartAreItsNameAlone) {
  auto blank = new_medium();
  blank_part(world_, "", blank);
  target_ = target_for(blank);
  const auto said = mboot::decode_identity(resource(Resource::kIdentity).bytes);
  ASSERT_TRUE(said.has_value());
  EXPECT_EQ(said->flags, 0);
  EXPECT_EQ(said->software_version, 0U);
  const auto certificate = resource(Resource::kCertificate);
  EXPECT_EQ(certificate.status, StatusCode::kSuccess);
  EXPECT_TRUE(certificate.bytes.empty());
  write_challenge(Bytes(32));
  EXPECT_EQ(resource(Resource::kProof, kChallengeAt).status, StatusCode::kSecurityViolation)
      << "no software runs";
  EXPECT_EQ(lock(), StatusCode::kSecurityViolation);
}

TEST_F(Resources, P03_RefuseOtherOptionsAddressesAndLengths) {
  EXPECT_EQ(resource(static_cast<Resource>(0)).status, StatusCode::kInvalidArgument);
  EXPECT_EQ(resource(static_cast<Resource>(0x54530004)).status, StatusCode::kInvalidArgument);
  EXPECT_EQ(resource(Resource::kIdentity, 4).status, StatusCode::kInvalidArgument);
  EXPECT_EQ(resource(Resource::kCertificate, kChallengeAt).status, StatusCode::kInvalidArgument);
  EXPECT_EQ(resource(Resource::kIdentity, 0, 103).status, StatusCode::kInvalidArgument);
  for (const std::uint32_t bad :
       {0U, device::Ram::kStart - 1, device::Ram::kStart + device::Ram::kSize - 31, 0xFFFFFFFFU}) {
    EXPECT_EQ(resource(Resource::kProof, bad).status, StatusCode::kMemoryRange) << bad;
  }
  for (const std::uint32_t state : {0U, 1U, 2U, 4U, 255U, 0xFFFFFFFFU, 0x103U}) {
    EXPECT_EQ(lock(state), StatusCode::kInvalidArgument) << state;
  }
}

TEST_F(Resources, TheLockTakesWholePartsOnlyAndIsForGood) {
  EXPECT_EQ(lock(), StatusCode::kSecurityViolation) << "nothing is installed";
  receive_file(oem_.share_blob());
  receive_file(package());
  EXPECT_EQ(lock(), StatusCode::kSuccess);
  EXPECT_EQ(proof_for(pattern(32, 3)).life_cycle, 3) << "a locked part still proves";
  EXPECT_EQ(lock(), StatusCode::kSecurityViolation);
  target_.power_off();
  EXPECT_EQ(proof_for(pattern(32, 4)).life_cycle, 3);
}

TEST(Identities, AreReadBackAsTheyWereWritten) {
  Identity identity;
  identity.life_cycle = 255;
  identity.flags = 7;
  identity.software_version = 0x01020304;
  identity.minimum_software_version = 5;
  identity.part_id.fill(6);
  identity.family_id.fill(7);
  identity.family_flags = 2;
  identity.product = std::string(32, 'p');
  const auto bytes = mboot::encode_identity(identity);
  ASSERT_EQ(bytes.size(), Identity::kSize);
  EXPECT_EQ(mboot::decode_identity(bytes), identity);
}

TEST(Identities, P02_OfAnotherFormAreNone) {
  const auto good = mboot::encode_identity({});
  ASSERT_TRUE(mboot::decode_identity(good).has_value());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(mboot::decode_identity(ByteView(good).first(size)).has_value()) << size;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_FALSE(mboot::decode_identity(longer).has_value());
  // Magic, format, zeros, and a product that goes on behind its end.
  for (const std::size_t at : {0U, 4U, 5U, 65U, 71U, 80U}) {
    auto bad = good;
    bad[at] ^= 0x41U;
    EXPECT_FALSE(mboot::decode_identity(bad).has_value()) << at;
  }
}

}  // namespace
}  // namespace tallystick::test
