// One part is one id: what ties papers, blobs, proofs and storage to the part that they are for.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "core/certificate/device_certificate.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::Part;
using device::PartFile;

constexpr core::ByteArray<32> kChallenge{5, 0, 5};

core::EcPublicKey key_of(const World& world, core::ByteView xy) {
  return value(core::EcPublicKey::from_xy(world.crypto(), core::Curve::kP256, xy));
}

core::Proof proof_of(Part& part) { return value(core::parse_proof(value(part.prove(kChallenge)))); }

void copy_range(const Medium& from, Medium& to, Range range) {
  core::Bytes content(static_cast<std::size_t>(range.end - range.from));
  from.read(range.from, content);
  to.write(range.from, content);
  to.sync();
}

class Clones : public ::testing::Test {
 protected:
  // A part's storage after each step of its life.
  std::vector<Medium> history() {
    const auto medium = new_medium();
    std::vector<Medium> media;
    const auto keep = [&] { media.push_back(*medium); };
    auto part = blank_part(world_, "", medium);
    keep();
    make_ready(world_, *part, world_.software());
    keep();
    done(program(*part, oem_.share_blob(), oem_.package(plan_)));
    keep();
    done(part->lock());
    keep();
    return media;
  }

  World world_;
  OemDesk oem_{world_};
  PackagePlan plan_ = small_plan();
};

TEST_F(Clones, D05_TheStateOfOnePartInHalfOfAnotherIsRefused) {
  const auto original = history();
  const auto target = history();
  for (const auto& from : original) {
    for (const auto& to : target) {
      for (unsigned place = 0; place < 2; ++place) {
        const auto medium = std::make_shared<Medium>(to);
        copy_range(from, *medium, record_range(from, place));
        EXPECT_THAT(Part::open_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium)),
                    FailsWith(ErrorCode::kStorage));
      }
    }
  }
}

TEST_F(Clones, D05_TheBankOfOnePartInAnotherShowsInItsProof) {
  const auto good = oem_.package(plan_);
  auto other_plan = small_plan(1, 80);
  const auto source = new_medium();
  done(program(*ready_part(world_, "", source), oem_.share_blob(), oem_.package(other_plan)));
  const auto medium = new_medium();
  auto part = ready_part(world_, "", medium);
  done(program(*part, oem_.share_blob(), good));
  part.reset();

  const auto slots_that_hold = [&](Part& asked) {
    const auto proof = proof_of(asked);
    unsigned held = 0;
    for (std::size_t i = 0; i < plan_.assets.size(); ++i) {
      const auto mac = expected_mac(world_, oem_, plan_, good, i, asked.id(), kChallenge);
      for (const auto& slot : proof.slots) held += slot.mac == mac ? 1U : 0U;
    }
    return held;
  };
  EXPECT_EQ(slots_that_hold(*reopened(world_, medium)), plan_.assets.size());
  copy_range(*source, *medium, bank_range(*source, 1));
  EXPECT_EQ(slots_that_hold(*reopened(world_, medium)), 0U);
}

TEST_F(Clones, D05_WhatWasSealedToOnePartMakesNoSecond) {
  const auto original = ready_part(world_);
  const auto certificate =
      core::Bytes(original->certificate().begin(), original->certificate().end());
  auto clone = blank_part(world_);
  EXPECT_THAT(clone->fill_immutable_memory(
                  world_.family_blob(core::FamilyRole::kPart, original->public_key())),
              FailsAtCheck(4, ErrorCode::kWrongRecipient));
  make_ready(world_, *clone, world_.software());
  EXPECT_THAT(clone->store_certificate(certificate), FailsWith(ErrorCode::kWrongRecipient));
  EXPECT_THAT(program(*clone, oem_.device_blob(original->public_key()), oem_.package(plan_)),
              FailsAtCheck(4, ErrorCode::kWrongRecipient));
  EXPECT_FALSE(clone->info().package.has_value());
}

TEST_F(Clones, D05_D07_ACopyOfAWholeFileHasItsIdAndIsNoSecondPart) {
  const auto medium = std::make_shared<Medium>(history().back());
  const auto copy = std::make_shared<Medium>(*medium);
  auto part = reopened(world_, medium);
  auto clone = reopened(world_, copy);
  EXPECT_EQ(proof_of(*clone).part_id, proof_of(*part).part_id);
  EXPECT_EQ(core::to_hex(clone->public_key()), core::to_hex(part->public_key()));
}

class Identity : public ::testing::Test {
 protected:
  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
};

TEST_F(Identity, D07_IsTheSameAtEveryStationAndInEveryRole) {
  auto part = ready_part(world_, "", medium_);
  const auto id = part->id();
  const auto key = core::Bytes(part->public_key().begin(), part->public_key().end());
  const auto package = oem_.package(small_plan());
  // Two stations, each with a blob that was counted for this part.
  for (std::uint64_t station = 1; station <= 2; ++station) {
    done(program(*part, oem_.device_blob(key, station), package));
    part.reset();
    part = reopened(world_, medium_);
    const auto proof = proof_of(*part);
    EXPECT_EQ(proof.part_id, id);
    EXPECT_THAT(
        core::check_proof_signature(world_.crypto(), kChallenge, key_of(world_, key), proof),
        Succeeds());
  }
  // A second certificate for the same key names the same device; there is none for another name.
  const auto again = world_.certificate(core::DeviceKind::kPart, key);
  EXPECT_NE(core::Bytes(part->certificate().begin(), part->certificate().end()), again);
  EXPECT_THAT(part->store_certificate(again), Succeeds());
  EXPECT_EQ(
      value(core::verify_device_certificate(world_.crypto(), again, world_.icm_key().public_xy()))
          .id,
      id);
  EXPECT_THAT(part->store_certificate(world_.certificate(core::DeviceKind::kToken, key)),
              FailsWith(ErrorCode::kWrongRecipient));
  EXPECT_THAT(part->fill_immutable_memory(world_.family_blob(core::FamilyRole::kPart, key)),
              FailsWith(ErrorCode::kAlreadyPresent));
  // Another OEM's job finds the part owned, whatever blob was counted for it.
  const OemDesk stranger(world_);
  EXPECT_THAT(program(*part, stranger.device_blob(key), stranger.package(small_plan(2))),
              FailsAtCheck(6, ErrorCode::kWrongOwner));
  EXPECT_EQ(part->id(), id);
}

class SwappedKeys : public Identity {
 protected:
  // The station's own key, which it would like to be taken for the part's.
  core::EcPrivateKey station_ =
      value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  core::DeviceId station_id_ = value(core::key_id(world_.crypto(), station_.public_xy()));
  std::unique_ptr<Part> part_ = ready_part(world_, "", medium_);
};

TEST_F(SwappedKeys, D08_LeaveThePartWithoutPapersAndTheStationWithoutShares) {
  // What the ICM seals to the station's key is nothing to the part, and the other way round.
  auto blank = blank_part(world_);
  EXPECT_THAT(blank->fill_immutable_memory(
                  world_.family_blob(core::FamilyRole::kPart, station_.public_xy())),
              FailsAtCheck(4, ErrorCode::kWrongRecipient));
  EXPECT_THAT(
      part_->store_certificate(world_.certificate(core::DeviceKind::kPart, station_.public_xy())),
      FailsWith(ErrorCode::kWrongRecipient));
  EXPECT_THAT(program(*part_, oem_.device_blob(station_.public_xy()), oem_.package(small_plan())),
              FailsAtCheck(4, ErrorCode::kWrongRecipient));
}

TEST_F(SwappedKeys, D08_CannotBePutIntoABlobAfterwards) {
  const auto device = value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  const auto id = value(core::key_id(world_.crypto(), device.public_xy()));
  auto blob = oem_.device_blob(device.public_xy());
  const auto checked = [&](const core::DeviceId& own) {
    return core::check_device_blob(world_.crypto(), value(core::parse_share_blob(blob)), own);
  };
  const auto opened = [&](const core::EcPrivateKey& key) {
    return core::open_device_blob(world_.crypto(), value(core::parse_share_blob(blob)),
                                  world_.family().k_oem_share.view(), key);
  };
  ASSERT_THAT(checked(id), Succeeds());
  ASSERT_THAT(opened(device), Succeeds());
  EXPECT_THAT(checked(station_id_), FailsWith(ErrorCode::kWrongRecipient));
  EXPECT_THAT(opened(station_), FailsWith(ErrorCode::kOpenFailed));
  std::copy(station_id_.begin(), station_id_.end(), blob.begin() + core::ShareBlobHeader::kSize);
  EXPECT_THAT(checked(station_id_), FailsWith(ErrorCode::kGrantRefused))
      << "the minter's signature covers the id";
  for (const core::EcPrivateKey* key : {&device, &std::as_const(station_)}) {
    EXPECT_THAT(opened(*key), FailsWith(ErrorCode::kOpenFailed))
        << "the share is sealed under the id and the key";
  }
}

TEST_F(SwappedKeys, D08_DoNotPassInAProof) {
  const auto plan = small_plan();
  const auto package = oem_.package(plan);
  done(program(*part_, oem_.device_blob(part_->public_key()), package));
  auto proof = proof_of(*part_);
  const auto part_key = key_of(world_, part_->public_key());
  const auto mac = expected_mac(world_, oem_, plan, package, 0, proof.part_id, kChallenge);
  const auto has = [&proof](const core::ByteArray<48>& wanted) {
    return std::any_of(proof.slots.begin(), proof.slots.end(),
                       [&](const auto& slot) { return slot.mac == wanted; });
  };
  ASSERT_TRUE(has(mac));
  ASSERT_THAT(core::check_proof_signature(world_.crypto(), kChallenge, part_key, proof),
              Succeeds());
  // The station signs the part's proof as its own.
  proof.part_id = station_id_;
  done(core::sign_proof(world_.crypto(), kChallenge, station_, proof));
  EXPECT_THAT(core::check_proof_signature(world_.crypto(), kChallenge, part_key, proof),
              FailsWith(ErrorCode::kProofRefused));
  EXPECT_FALSE(has(expected_mac(world_, oem_, plan, package, 0, station_id_, kChallenge)))
      << "what the part computed names the part";
  // Its key would do for the signature, but has no certificate of the ICM.
  const World elsewhere;
  const auto forged = elsewhere.certificate(core::DeviceKind::kPart, station_.public_xy());
  EXPECT_THAT(
      core::verify_device_certificate(world_.crypto(), forged, world_.icm_key().public_xy()),
      FailsWith(ErrorCode::kBadSignature));
  // Nor does it help to keep the part's id.
  proof.part_id = part_->id();
  done(core::sign_proof(world_.crypto(), kChallenge, station_, proof));
  for (const auto& key : {part_key, station_.public_key()}) {
    EXPECT_THAT(core::check_proof_signature(world_.crypto(), kChallenge, key, proof),
                FailsWith(ErrorCode::kProofRefused));
  }
}

}  // namespace
}  // namespace tallystick::test
