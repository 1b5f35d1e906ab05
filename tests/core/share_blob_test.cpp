#include "core/ts1/share_blob.h"

#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

class ShareBlobs : public ::testing::Test {
 protected:
  World world_;
  OemShare share_ = world_.make_share();
  Bytes role1_ = must(world_.oem_device.give_share(share_, Suite::kGcm));
  Bytes role2_ = must(world_.oem_device.give_master(share_, Suite::kCcm));
  Bytes role3_ = must(world_.oem_device.give_for_device(
      share_, Suite::kGcm, world_.request(share_.context, world_.token_key), world_.token_key.key,
      world_.part_key.key.public_key()));

  [[nodiscard]] Result<OemShare> take(ByteView blob) const {
    return world_.part.take_share(blob, &world_.part_key.key);
  }
};

TEST_F(ShareBlobs, HaveTheSizesOfTheProfile) {
  EXPECT_EQ(role1_.size(), kShareBlobSize);
  EXPECT_EQ(role2_.size(), 224U) << "with 32 bytes of OEM_RND_INPUT";
  EXPECT_EQ(role3_.size(), kDeviceBlobSize);
  for (const std::size_t size : {16UL, 64UL}) {
    const auto share = must(world_.oem_device.make_share(world_.oem.id, 1, random_bytes(size)));
    EXPECT_EQ(must(world_.oem_device.give_master(share, Suite::kGcm)).size(), 192 + size);
  }
}

TEST_F(ShareBlobs, CarryTheSameShareInEveryRole) {
  for (const auto& blob : {role1_, role3_}) {
    const auto taken = must(take(blob));
    EXPECT_EQ(taken.role, HolderRole::kTarget);
    EXPECT_EQ(taken.context, share_.context);
    EXPECT_FALSE(taken.origin.has_value());
    EXPECT_TRUE(equal_in_constant_time(taken.oem_share.view(), share_.oem_share.view()));
  }
}

TEST_F(ShareBlobs, RefuseEveryFlippedByteWithOneErrorForWhatIsSealed) {
  for (const auto* blob : {&role1_, &role3_}) {
    for (std::size_t at = 0; at < blob->size(); ++at) {
      auto bad = *blob;
      bad[at] ^= 0x20U;
      const auto result = take(bad);
      ASSERT_FALSE(result.ok()) << blob->size() << " " << at;
      if (blob->size() == kShareBlobSize && at >= ShareBlobHeader::kSize) {
        EXPECT_TRUE(fails_with(result, ErrorCode::kOpenFailed)) << at;
        EXPECT_EQ(result.error().check, 4);
      }
    }
  }
}

TEST_F(ShareBlobs, RefuseEveryOtherLength) {
  for (const auto* blob : {&role1_, &role3_}) {
    for (std::size_t size = 0; size < blob->size(); ++size) {
      ASSERT_TRUE(refused_at(take(ByteView(*blob).first(size)), 1)) << size;
    }
    EXPECT_TRUE(refused_at(take(concatenated({*blob, Bytes(1)})), 1));
  }
  for (const std::size_t size : {207UL, 257UL}) {
    auto blob = role2_;
    blob.resize(size);
    EXPECT_TRUE(fails_with(parse_share_blob(blob), ErrorCode::kMalformed));
  }
}

TEST_F(ShareBlobs, S01_OnlyTrueBlobsRegenerateAmongAllPairsOfBatchesAndOems) {
  // Three batches of two OEMs of one family: the header of each with the sealed bytes of each.
  const Signer oems[] = {make_signer(), make_signer()};
  std::vector<Bytes> blobs;
  std::vector<const Signer*> owners;
  for (const auto& oem : oems) {
    for (int batch = 0; batch < 3; ++batch) {
      const auto share = must(world_.oem_device.make_share(oem.id, 1, random_bytes(32)));
      blobs.push_back(must(world_.oem_device.give_master(share, Suite::kGcm)));
      owners.push_back(&oem);
    }
  }
  const auto nonce = random_bytes(32);
  for (std::size_t header = 0; header < blobs.size(); ++header) {
    for (std::size_t sealed = 0; sealed < blobs.size(); ++sealed) {
      const auto mixed = concatenated({ByteView(blobs[header]).first(ShareBlobHeader::kSize),
                                       ByteView(blobs[sealed]).subspan(ShareBlobHeader::kSize)});
      const auto& oem = *owners[header];
      const auto consent =
          oem.sign({must(regeneration_message(crypto(), world_.token_key.id, nonce, mixed))});
      const auto result = world_.oem_device.regenerate(mixed, world_.token_key.id, nonce,
                                                       oem.key.public_xy(), consent);
      if (header == sealed) {
        EXPECT_TRUE(is_ok(result));
      } else {
        EXPECT_TRUE(fails_with(result, ErrorCode::kOpenFailed)) << header << " " << sealed;
      }
    }
  }
}

TEST_F(ShareBlobs, S02_RefuseABlobInAnothersRole) {
  EXPECT_TRUE(refused_at(take(role2_), 1));
  for (const std::uint8_t role : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{3}}) {
    auto relabelled = role1_;
    relabelled[6] = role;
    EXPECT_TRUE(refused_at(take(relabelled), 1)) << int{role};
  }
  // The magic of role 2 as well, and lengths that both roles could have.
  auto swapped = role2_;
  swapped[3] = 'S';
  swapped[2] = 'O';
  swapped[6] = 1;
  EXPECT_FALSE(take(swapped).ok());
  const auto nonce = random_bytes(32);
  EXPECT_TRUE(refused_at(world_.oem_device.regenerate(role1_, world_.token_key.id, nonce,
                                                      world_.oem.key.public_xy(), Bytes(96)),
                         1));
}

TEST_F(ShareBlobs, S03_RefuseAnotherFamilyAndNewerSoftwareBeforeOpening) {
  const World other;
  EXPECT_TRUE(fails_with(other.part.take_share(role1_, nullptr), ErrorCode::kWrongFamily));
  EXPECT_TRUE(refused_at(other.part.take_share(role1_, nullptr), 2));
  const auto old = software_with(every_permission(), world_.icm_family.id, 1);
  const ProvisioningSoftware device(crypto(), world_.part_family, old);
  EXPECT_TRUE(fails_with(device.take_share(role1_, nullptr), ErrorCode::kSoftwareTooOld));
  EXPECT_TRUE(refused_at(device.take_share(role1_, nullptr), 2));
}

TEST_F(ShareBlobs, S06_DeviceBlobsStayClosedForOtherDevicesOfTheFamily) {
  const auto other = make_signer(Curve::kP256);
  const auto result = world_.part.take_share(role3_, &other.key);
  EXPECT_TRUE(fails_with(result, ErrorCode::kWrongRecipient));
  EXPECT_TRUE(refused_at(result, 3));
  EXPECT_TRUE(refused_at(world_.part.take_share(role3_, nullptr), 3));
  // With all secrets of the family but the device key: nothing opens.
  const auto parsed = must(parse_share_blob(role3_));
  EXPECT_TRUE(fails_with(
      open_device_blob(crypto(), parsed, world_.part_family.k_oem_share.view(), other.key),
      ErrorCode::kOpenFailed));
  EXPECT_FALSE(open_share_blob(crypto(), parsed, world_.part_family.k_oem_share.view()).ok());
}

TEST_F(ShareBlobs, AreMintedOnlyUnderAGrantThatHolds) {
  const auto mint = [this](const DeviceBlobRequest& request) {
    return world_.oem_device.give_for_device(share_, Suite::kGcm, request, world_.token_key.key,
                                             world_.part_key.key.public_key());
  };
  const auto good = world_.request(share_.context, world_.token_key, 10, 10);
  EXPECT_TRUE(is_ok(mint(good)));
  auto bad = good;
  bad.number = 0;
  EXPECT_TRUE(fails_with(mint(bad), ErrorCode::kGrantRefused));
  bad.number = 11;
  EXPECT_TRUE(fails_with(mint(bad), ErrorCode::kGrantRefused));
  bad = good;
  bad.limit = 11;
  EXPECT_TRUE(fails_with(mint(bad), ErrorCode::kGrantRefused));
  bad = good;
  bad.job_id[0] ^= 1U;
  EXPECT_TRUE(fails_with(mint(bad), ErrorCode::kGrantRefused));
  bad = good;
  bad.grant[95] ^= 1U;
  EXPECT_TRUE(fails_with(mint(bad), ErrorCode::kGrantRefused));
  bad = good;
  bad.oem_public_key = make_signer().xy96();
  EXPECT_TRUE(fails_with(mint(bad), ErrorCode::kGrantRefused));
  EXPECT_TRUE(fails_with(mint(world_.request(share_.context, make_signer(Curve::kP256))),
                         ErrorCode::kGrantRefused));
}

TEST_F(ShareBlobs, RefuseAGrantingKeyThatIsNoPoint) {
  auto share = share_.clone();
  auto request = world_.request(share.context, world_.token_key);
  request.oem_public_key.fill(1);
  share.context.oem_id = must(sha256(crypto(), {request.oem_public_key}));
  EXPECT_TRUE(fails_with(
      world_.oem_device.give_for_device(share, Suite::kGcm, request, world_.token_key.key,
                                        world_.part_key.key.public_key()),
      ErrorCode::kGrantRefused));
}

TEST_F(ShareBlobs, RefuseAMinterThatIsNoPointThoughItHasAGrant) {
  const auto good = must(parse_share_blob(role3_));
  auto blob = good;
  blob.device->minter.fill(1);
  blob.device->grant = array_of<96>(
      world_.oem.sign({must(grant_message(crypto(), blob.header.context, blob.device->job_id,
                                          blob.device->limit, blob.device->minter))}));
  EXPECT_TRUE(is_ok(check_device_blob(crypto(), good, world_.part_key.id)));
  EXPECT_TRUE(
      fails_with(check_device_blob(crypto(), blob, world_.part_key.id), ErrorCode::kGrantRefused));
}

TEST_F(ShareBlobs, S05_RefuseAConsentingKeyThatIsNoPoint) {
  const Bytes key(96, 1);
  auto blob = role2_;
  const auto id = must(sha256(crypto(), {key}));
  std::copy(id.begin(), id.end(), blob.begin() + 32);
  ASSERT_EQ(must(parse_share_blob(blob)).header.context.oem_id, id);
  EXPECT_TRUE(fails_with(
      check_consent(crypto(), world_.token_key.id, random_bytes(32), blob, key, Bytes(96)),
      ErrorCode::kConsentRefused));
}

TEST_F(ShareBlobs, AreOfARoleThatThereIs) {
  for (const std::uint8_t role : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{255}}) {
    auto blob = role1_;
    blob[6] = role;
    EXPECT_TRUE(fails_with(parse_share_blob(blob), ErrorCode::kMalformed)) << int{role};
  }
}

TEST_F(ShareBlobs, AreForRegenerationOrForTakingIn) {
  // Said of the blob and not of the device, which could do nothing about it.
  EXPECT_TRUE(fails_with(world_.part.take_share(role2_, nullptr), ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(check_consent(crypto(), world_.token_key.id, random_bytes(32), role1_,
                                       world_.oem.key.public_xy(), Bytes(96)),
                         ErrorCode::kMalformed));
  EXPECT_TRUE(fails_with(check_consent(crypto(), world_.token_key.id, random_bytes(32), {},
                                       world_.oem.key.public_xy(), Bytes(96)),
                         ErrorCode::kMalformed));
}

TEST_F(ShareBlobs, RefuseARecipientOnAnotherCurve) {
  const auto p384 = make_signer();
  EXPECT_FALSE(world_.oem_device
                   .give_for_device(share_, Suite::kGcm,
                                    world_.request(share_.context, world_.token_key),
                                    world_.token_key.key, p384.key.public_key())
                   .ok());
}

TEST_F(ShareBlobs, S05_RegenerateOnlyWithConsentForThisTokenNonceAndBlob) {
  const auto nonce = random_bytes(32);
  const auto& id = world_.token_key.id;
  const auto& oem = world_.oem;
  const auto consent = oem.sign({must(regeneration_message(crypto(), id, nonce, role2_))});
  const auto xy = oem.key.public_xy();
  const auto again = must(world_.oem_device.regenerate(role2_, id, nonce, xy, consent));
  EXPECT_EQ(again.role, HolderRole::kOem);
  EXPECT_TRUE(equal_in_constant_time(again.oem_share.view(), share_.oem_share.view()));
  EXPECT_EQ(again.context, share_.context);

  const auto refused = [&](const DeviceId& device, ByteView n, ByteView key, ByteView signature) {
    return fails_with(world_.oem_device.regenerate(role2_, device, n, key, signature),
                      ErrorCode::kConsentRefused);
  };
  EXPECT_TRUE(refused(world_.part_key.id, nonce, xy, consent));
  EXPECT_TRUE(refused(id, random_bytes(32), xy, consent));
  const auto stranger = make_signer();
  EXPECT_TRUE(refused(id, nonce, stranger.key.public_xy(), consent));
  EXPECT_TRUE(refused(id, nonce, stranger.key.public_xy(),
                      stranger.sign({must(regeneration_message(crypto(), id, nonce, role2_))})));
  EXPECT_TRUE(refused(id, nonce, xy, Bytes(96)));
  EXPECT_TRUE(refused(id, nonce, xy, {}));
  EXPECT_TRUE(refused(id, nonce, {}, consent));
  const auto other = must(world_.oem_device.give_master(share_, Suite::kGcm));
  EXPECT_TRUE(fails_with(world_.oem_device.regenerate(other, id, nonce, xy, consent),
                         ErrorCode::kConsentRefused));
}

TEST_F(ShareBlobs, S05_AreNotRegeneratedWithoutTheMasterShare) {
  const auto nonce = random_bytes(32);
  const auto consent =
      world_.oem.sign({must(regeneration_message(crypto(), world_.token_key.id, nonce, role2_))});
  const auto result = world_.part.regenerate(role2_, world_.token_key.id, nonce,
                                             world_.oem.key.public_xy(), consent);
  EXPECT_TRUE(fails_with(result, ErrorCode::kNotPermitted));
}

TEST_F(ShareBlobs, OpenOnlyInTheirOwnRole) {
  const auto one = must(parse_share_blob(role1_));
  const auto two = must(parse_share_blob(role2_));
  const auto& family = world_.icm_family;
  EXPECT_FALSE(open_share_blob(crypto(), two, family.k_oem_share.view()).ok());
  EXPECT_FALSE(open_master_blob(crypto(), one, family.k_oem_master_share->view()).ok());
  EXPECT_TRUE(
      fails_with(open_device_blob(crypto(), one, family.k_oem_share.view(), world_.part_key.key),
                 ErrorCode::kMalformed));
  EXPECT_TRUE(
      fails_with(check_device_blob(crypto(), one, world_.part_key.id), ErrorCode::kMalformed));
}

TEST_F(ShareBlobs, RefuseSealedContentsOfAnotherForm) {
  // Sealed well, but not exactly one share; the holder of the key alone could make these.
  const auto& key = world_.icm_family.k_oem_share;
  const auto header = ByteView(role1_).first(ShareBlobHeader::kSize);
  const auto good = must(seal(crypto(), Suite::kGcm, key.view(), header, Bytes(32)));
  EXPECT_TRUE(is_ok(take(concatenated({header, good}))));
  for (const std::size_t size : {31UL, 33UL}) {
    const auto sealed = must(seal(crypto(), Suite::kGcm, key.view(), header, Bytes(size)));
    EXPECT_FALSE(take(concatenated({header, sealed})).ok());
  }
  const auto& master = *world_.icm_family.k_oem_master_share;
  const auto header2 = to_bytes(ByteView(role2_).first(ShareBlobHeader::kSize));
  const auto lv = [](std::size_t size) {
    return concatenated({Bytes{0, 0, 0, static_cast<std::uint8_t>(size)}, Bytes(size, 1)});
  };
  const auto opens = [&](const Bytes& inside) {
    const auto blob =
        concatenated({header2, must(seal(crypto(), Suite::kCcm, master.view(), header2, inside))});
    const auto parsed = parse_share_blob(blob);
    return parsed.ok() && open_master_blob(crypto(), *parsed, master.view()).ok();
  };
  EXPECT_TRUE(opens(concatenated({lv(16), lv(32)})));
  EXPECT_TRUE(opens(concatenated({lv(64), lv(32)})));
  EXPECT_FALSE(opens(concatenated({lv(15), lv(33)})));
  EXPECT_FALSE(opens(concatenated({lv(65), lv(31)})));
  EXPECT_FALSE(opens(concatenated({lv(32), lv(31)})));
  EXPECT_FALSE(opens(concatenated({lv(16), lv(31), Bytes(1)})));
  EXPECT_FALSE(opens(concatenated({lv(16), lv(32), Bytes(1)})));
  EXPECT_FALSE(opens(concatenated({Bytes{0xFF, 0xFF, 0xFF, 0xFF}, Bytes(52)})));
  EXPECT_FALSE(opens(Bytes(64)));
}

TEST_F(ShareBlobs, S22_ZeroInputTwiceGivesDifferentShares) {
  const Bytes zeros(32);
  const auto a = must(world_.oem_device.make_share(world_.oem.id, 1, zeros));
  const auto b = must(world_.oem_device.make_share(world_.oem.id, 1, zeros));
  EXPECT_NE(to_hex(a.oem_share.view()), to_hex(b.oem_share.view()));
  EXPECT_NE(a.context.share_id, b.context.share_id);
  EXPECT_NE(to_hex(a.origin->rnd_share.view()), to_hex(b.origin->rnd_share.view()));
}

}  // namespace
}  // namespace tallystick::core::testing
