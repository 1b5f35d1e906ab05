// OEM_SHARE: made, given out and taken in as blobs of three roles, regenerated.
#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using core::Suite;

TEST(ShareGen, MakesAShareOfTheOem) {
  FamilyToken token;
  const auto share = must(token.make_share(1));
  auto& session = token.session();
  EXPECT_EQ(session.number(share, CKA_KEY_TYPE), CKK_TS_OEM_SHARE);
  EXPECT_EQ(session.number(share, CKA_TS_ROLE), CK_TS_ROLE_OEM);
  EXPECT_EQ(session.number(share, CKA_TS_SW_FLOOR), 1U);
  const auto context = context_of(session, share);
  EXPECT_EQ(context.family_id, token.world().family().id);
  EXPECT_EQ(context.oem_id, token.oem_id());
  EXPECT_TRUE(session.flag(share, CKA_SENSITIVE));
  EXPECT_TRUE(session.flag(share, CKA_EXTRACTABLE));
  EXPECT_FALSE(session.flag(share, CKA_COPYABLE));
  EXPECT_FALSE(session.flag(share, CKA_MODIFIABLE));
  EXPECT_THAT(session.get(share, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
}

TEST(ShareGen, S22_TheSameInputTwiceMakesTwoShares) {
  FamilyToken token;
  const auto first = must(token.make_share());
  const auto second = must(token.make_share());
  auto& session = token.session();
  EXPECT_NE(context_of(session, first).share_id, context_of(session, second).share_id);
  const auto public_key = [&](CK_OBJECT_HANDLE share) {
    const auto key = must(session.derive(asset_generate(CK_TS_ASSET_P256, "key"), share, {}));
    return must(session.get(key, CKA_PUBLIC_KEY_INFO));
  };
  EXPECT_NE(public_key(first), public_key(second));
}

TEST(ShareGen, KeepsToTheLengthsOfItsParameter) {
  FamilyToken token;
  const auto& id = token.world().family().id;
  const auto oem = token.oem_id();
  const auto try_length = [&](std::size_t length) {
    return token.session().generate(share_gen(id, oem, 1, core::Bytes(length, 1)), {}).rv;
  };
  EXPECT_THAT(try_length(15), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(try_length(16), IsOk());
  EXPECT_THAT(try_length(64), IsOk());
  EXPECT_THAT(try_length(65), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  for (const std::size_t length : {0UL, 1UL, 51UL, 52UL, 67UL}) {
    EXPECT_THAT(token.session().generate({CKM_TS_OEM_SHARE_GEN, core::Bytes(length, 0)}, {}).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  // The form comes first, whatever family it names.
  EXPECT_THAT(
      token.session().generate(share_gen(core::Bytes(16, 9), oem, 1, core::Bytes(65, 1)), {}).rv,
      ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST(ShareGen, S07_AFloorAboveTheRunningSoftwareIsRefused) {
  FamilyToken token;
  EXPECT_THAT(token.make_share(1).rv, IsOk());
  EXPECT_NE(token.make_share(2).rv, CKR_OK);
  EXPECT_NE(token.make_share(0xFFFFFFFFU).rv, CKR_OK);
}

TEST(ShareGen, NeedsAFamilyThatIsHere) {
  FamilyToken token;
  EXPECT_THAT(
      token.session()
          .generate(share_gen(core::Bytes(16, 9), token.oem_id(), 1, core::Bytes(32, 1)), {})
          .rv,
      ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

TEST(ShareGen, S05_AStationTokenMakesAndRegeneratesNothing) {
  FamilyOptions options;
  options.role = core::FamilyRole::kStation;
  FamilyToken station(options);
  EXPECT_THAT(station.make_share().rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_EQ(station.session().number(station.family(), CKA_TS_ROLE), CK_TS_ROLE_STATION);

  const OemDesk desk(station.world());
  const auto blob = desk.master_blob();
  const auto rv = station.session()
                      .unwrap(regenerate(station.crypto(), desk.key(), device_id(station.session()),
                                         device_nonce(station.session()), blob),
                              station.family(), blob, {})
                      .rv;
  EXPECT_NE(rv, CKR_OK);
}

TEST(ShareGen, TheShareIsASessionObjectOrATokenObjectAsTheTemplateSays) {
  FamilyToken token;
  (void)must(token.make_share());
  (void)must(token.make_share(1, Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "batch 7")));
  token.restart_and_login();
  const auto kept = token.session().find(Attributes().number(CKA_KEY_TYPE, CKK_TS_OEM_SHARE));
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(must(token.session().get(kept[0], CKA_LABEL)), bytes("batch 7"));
  EXPECT_THAT(
      token.session().wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), token.family(), kept[0]).rv,
      IsOk());
  EXPECT_THAT(token.session().destroy(kept[0]), IsOk());
}

// ---- Role 1 ----

TEST(ShareBlob, RoleOneGoesOutAndComesInAsATarget) {
  FamilyToken token;
  auto& session = token.session();
  const auto share = must(token.make_share());
  for (const unsigned suite : {1U, 2U}) {
    const auto blob =
        must(session.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, suite), token.family(), share));
    EXPECT_EQ(blob.size(), core::kShareBlobSize);
    const auto target = must(session.unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(), blob, {}));
    EXPECT_EQ(session.number(target, CKA_TS_ROLE), CK_TS_ROLE_TARGET);
    EXPECT_EQ(context_of(session, target), context_of(session, share));
    EXPECT_FALSE(session.flag(target, CKA_EXTRACTABLE));
  }
}

TEST(ShareBlob, RoleOneIsWhatCoreTakes) {
  FamilyToken token;
  const auto share = must(token.make_share());
  const auto blob =
      must(token.session().wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), token.family(), share));
  const auto parsed = value(core::parse_share_blob(blob));
  EXPECT_TRUE(
      core::open_share_blob(token.crypto(), parsed, token.world().family().k_oem_share.view())
          .ok());
  // And the other way: a blob of core's is taken by the token.
  const OemDesk desk(token.world());
  EXPECT_THAT(token.take_share(desk).rv, IsOk());
}

TEST(ShareBlob, ATargetGivesNothingOn) {
  FamilyToken token;
  auto& session = token.session();
  const OemDesk desk(token.world());
  const auto target = must(token.take_share(desk));
  EXPECT_NE(session.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), token.family(), target).rv, CKR_OK);
  EXPECT_NE(session.wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), token.family(), target).rv,
            CKR_OK);
  EXPECT_NE(session.derive(asset_generate(CK_TS_ASSET_AES256, "x"), target, {}).rv, CKR_OK);
}

TEST(ShareBlob, A38_EveryFlippedByteOfRoleOneIsRefused) {
  FamilyToken token;
  const OemDesk desk(token.world());
  const auto good = desk.share_blob();
  const auto before = object_count(token.session());
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto damaged = good;
    damaged[at] ^= 1U;
    ASSERT_NE(token.session().unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(), damaged, {}).rv, CKR_OK)
        << at;
    if (at >= core::ShareBlobHeader::kSize) {
      ASSERT_THAT(token.session().unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(), damaged, {}).rv,
                  ReturnsRv(CKR_WRAPPED_KEY_INVALID))
          << at;
    }
  }
  EXPECT_EQ(object_count(token.session()), before);
}

TEST(ShareBlob, S02_ABlobOfOneRoleIsNotTakenForAnother) {
  FamilyToken token;
  auto& session = token.session();
  const OemDesk desk(token.world());
  const auto device = device_key(session, CKO_PRIVATE_KEY);
  const auto role3 = desk.device_blob(device_xy(session));
  EXPECT_NE(session.unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(), desk.master_blob(), {}).rv,
            CKR_OK);
  EXPECT_NE(session.unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(), role3, {}).rv, CKR_OK);
  EXPECT_NE(session.unwrap(CKM_TS_SHARE_FOR_DEVICE, device, desk.share_blob(), {}).rv, CKR_OK);
  EXPECT_NE(session.unwrap(CKM_TS_SHARE_FOR_DEVICE, token.family(), role3, {}).rv, CKR_OK);
  EXPECT_NE(session.unwrap(CKM_TS_OEM_SHARE_WRAP, device, desk.share_blob(), {}).rv, CKR_OK);
  const auto other =
      generate_ec(session, core::Curve::kP256, {}, Attributes().flag(CKA_UNWRAP, true));
  EXPECT_THAT(session.unwrap(CKM_TS_SHARE_FOR_DEVICE, other.private_key, role3, {}).rv,
              ReturnsRv(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(session.unwrap(CKM_TS_SHARE_FOR_DEVICE, device, role3, {}).rv, IsOk());
}

TEST(ShareBlob, AShareIsWrappedByItsOwnFamilyOnly) {
  FamilyToken token;
  auto& session = token.session();
  const World second;
  const auto other = must(import_family(session, import_form(second.family())));
  const auto share = must(token.make_share());
  for (const CK_MECHANISM_TYPE type : {CKM_TS_OEM_SHARE_WRAP, CKM_TS_MASTER_SHARE_WRAP}) {
    EXPECT_THAT(session.wrap(with_byte(type, 1), other, share).rv,
                ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
    EXPECT_THAT(session.wrap(with_byte(type, 1), token.family(), share).rv, IsOk());
  }
}

// A template may only tighten: what this one says holds for the share's own blobs too.
TEST(ShareBlob, A25_AShareThatIsSaidNotToBeExtractableGoesIntoNoBlob) {
  FamilyToken token;
  auto& session = token.session();
  const auto kept = must(token.make_share(1, Attributes().flag(CKA_EXTRACTABLE, false)));
  for (const CK_MECHANISM_TYPE type : {CKM_TS_OEM_SHARE_WRAP, CKM_TS_MASTER_SHARE_WRAP}) {
    EXPECT_THAT(session.wrap(with_byte(type, 1), token.family(), kept).rv,
                ReturnsRv(CKR_KEY_UNEXTRACTABLE));
  }
  const auto part = value(core::EcPrivateKey::generate(token.crypto(), core::Curve::kP256));
  const auto device =
      import_device(session, part.public_xy(),
                    token.world().certificate(core::DeviceKind::kPart, part.public_xy()));
  EXPECT_THAT(session
                  .wrap(share_for_device(token.crypto(), context_of(session, kept), token.oem_key(),
                                         device_xy(session)),
                        device, kept)
                  .rv,
              ReturnsRv(CKR_KEY_UNEXTRACTABLE));
  // It serves its own token all the same.
  EXPECT_THAT(session.derive(CKM_TS_MASTER_KEY_DERIVE, kept, {}).rv, IsOk());
}

TEST(ShareBlob, SuitesAreOneAndTwo) {
  FamilyToken token;
  const auto share = must(token.make_share());
  for (const CK_MECHANISM_TYPE type : {CKM_TS_OEM_SHARE_WRAP, CKM_TS_MASTER_SHARE_WRAP}) {
    for (const unsigned suite : {0U, 3U, 255U}) {
      EXPECT_THAT(token.session().wrap(with_byte(type, suite), token.family(), share).rv,
                  ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    }
    EXPECT_THAT(token.session().wrap(type, token.family(), share).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(token.session().wrap({type, core::Bytes(2, 1)}, token.family(), share).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

TEST(ShareBlob, ACountedFamilyNeitherMakesNorTakesRoleOne) {
  FamilyOptions options;
  options.world.flags = core::kFamilyCounted;
  FamilyToken token(options);
  const auto share = must(token.make_share());
  EXPECT_THAT(token.session().wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), token.family(), share).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  // A blob as an uncounted family of the same secrets would make it.
  const auto& family = token.world().family();
  const auto blob =
      value(core::seal_share_blob(token.crypto(), Suite::kGcm, context_of(token.session(), share),
                                  family.k_oem_share.view(), core::Bytes(32, 1)));
  EXPECT_THAT(token.session().unwrap(CKM_TS_OEM_SHARE_WRAP, token.family(), blob, {}).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(
      token.session().wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), token.family(), share).rv,
      IsOk());
}

// ---- Role 3 ----

class ShareForDevice : public ::testing::Test {
 protected:
  // A second token of the same family, as the station or another provisioning device.
  ShareForDevice() : other_(token_.functions(), make_token(token_.module(), "station")) {
    must(other_.login(CKU_USER, kUserPin));
    must(take_family(other_, token_.world(), core::FamilyRole::kStation));
    must(install(other_, token_.world().software()));
    share_ = must(token_.make_share());
    const auto xy = device_xy(other_);
    recipient_ = import_device(token_.session(), xy,
                               token_.world().certificate(core::DeviceKind::kToken, xy));
  }
  Mechanism mechanism(std::uint64_t number, std::uint64_t limit,
                      const core::EcPrivateKey* key = nullptr, core::ByteView minter = {}) {
    const auto own = device_xy(token_.session());
    return share_for_device(token_.crypto(), context_of(token_.session(), share_),
                            key != nullptr ? *key : token_.oem_key(),
                            minter.empty() ? core::ByteView(own) : minter, number, limit);
  }
  FamilyToken token_;
  Session other_;
  CK_OBJECT_HANDLE share_ = 0;
  CK_OBJECT_HANDLE recipient_ = 0;
};

TEST_F(ShareForDevice, GoesToOneDeviceAndOpensThereAsATarget) {
  const auto blob = must(token_.session().wrap(mechanism(1, 10), recipient_, share_));
  EXPECT_EQ(blob.size(), core::kDeviceBlobSize);
  const auto device = device_key(other_, CKO_PRIVATE_KEY);
  const auto target = must(other_.unwrap(CKM_TS_SHARE_FOR_DEVICE, device, blob, {}));
  EXPECT_EQ(other_.number(target, CKA_TS_ROLE), CK_TS_ROLE_TARGET);
  EXPECT_EQ(context_of(other_, target), context_of(token_.session(), share_));
  // Nobody else opens it.
  EXPECT_NE(
      token_.session()
          .unwrap(CKM_TS_SHARE_FOR_DEVICE, device_key(token_.session(), CKO_PRIVATE_KEY), blob, {})
          .rv,
      CKR_OK);
}

TEST_F(ShareForDevice, KeepsToTheGrant) {
  auto& session = token_.session();
  EXPECT_THAT(session.wrap(mechanism(10, 10), recipient_, share_).rv, IsOk());
  EXPECT_NE(session.wrap(mechanism(0, 10), recipient_, share_).rv, CKR_OK);
  EXPECT_NE(session.wrap(mechanism(11, 10), recipient_, share_).rv, CKR_OK);
  const auto stranger = value(core::EcPrivateKey::generate(token_.crypto(), core::Curve::kP384));
  EXPECT_NE(session.wrap(mechanism(1, 10, &stranger), recipient_, share_).rv, CKR_OK);
  EXPECT_NE(session.wrap(mechanism(1, 10, nullptr, device_xy(other_)), recipient_, share_).rv,
            CKR_OK);
  // Every byte of the grant's parameter counts.
  const auto good = mechanism(1, 10);
  auto copy = good;
  const auto* const raw = static_cast<const std::uint8_t*>(copy.get()->pParameter);
  const core::Bytes parameter(raw, raw + copy.get()->ulParameterLen);
  ASSERT_EQ(parameter.size(), 225U);
  for (const std::size_t at : {1UL, 32UL, 33UL, 40UL, 100UL, 129UL, 224UL}) {
    auto damaged = parameter;
    damaged[at] ^= 0x80U;
    EXPECT_NE(session.wrap({CKM_TS_SHARE_FOR_DEVICE, damaged}, recipient_, share_).rv, CKR_OK)
        << at;
  }
  for (const std::uint8_t suite : {std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{255}}) {
    auto wrong = parameter;
    wrong[0] = suite;
    EXPECT_THAT(session.wrap({CKM_TS_SHARE_FOR_DEVICE, wrong}, recipient_, share_).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  for (const std::size_t size : {0UL, 224UL, 226UL}) {
    auto wrong = parameter;
    wrong.resize(size);
    EXPECT_THAT(session.wrap({CKM_TS_SHARE_FOR_DEVICE, wrong}, recipient_, share_).rv,
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
}

TEST_F(ShareForDevice, NeedsTheRecipientsCertificate) {
  const auto stranger = value(core::EcPrivateKey::generate(token_.crypto(), core::Curve::kP256));
  const auto uncertified = import_device(token_.session(), stranger.public_xy(), {}, false);
  EXPECT_THAT(token_.session().wrap(mechanism(1, 10), uncertified, share_).rv,
              ReturnsRv(CKR_WRAPPING_KEY_HANDLE_INVALID));
}

TEST_F(ShareForDevice, A38_EveryFlippedByteIsRefused) {
  const auto good = must(token_.session().wrap(mechanism(1, 10), recipient_, share_));
  const auto device = device_key(other_, CKO_PRIVATE_KEY);
  for (std::size_t at = 0; at < good.size(); at += 3) {
    auto damaged = good;
    damaged[at] ^= 1U;
    ASSERT_NE(other_.unwrap(CKM_TS_SHARE_FOR_DEVICE, device, damaged, {}).rv, CKR_OK) << at;
  }
}

// ---- Role 2 and regeneration ----

class Regeneration : public ::testing::Test {
 protected:
  Regeneration() {
    share_ = must(token_.make_share());
    blob_ = must(
        token_.session().wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), token_.family(), share_));
  }
  Mechanism consent(const core::EcPrivateKey* key = nullptr) {
    auto& session = token_.session();
    return regenerate(token_.crypto(), key != nullptr ? *key : token_.oem_key(), device_id(session),
                      device_nonce(session), blob_);
  }
  CK_RV try_with(const Mechanism& mechanism, core::Bytes blob) {
    return token_.session().unwrap(mechanism, token_.family(), std::move(blob), {}).rv;
  }
  static core::Bytes public_key_of(Session& session, CK_OBJECT_HANDLE share) {
    const auto key =
        must(session.derive(asset_generate(CK_TS_ASSET_P384, "identity", 3), share, {}));
    return must(session.get(key, CKA_PUBLIC_KEY_INFO));
  }
  FamilyToken token_;
  CK_OBJECT_HANDLE share_ = 0;
  core::Bytes blob_;
};

TEST_F(Regeneration, MakesEverythingAgain) {
  auto& session = token_.session();
  const auto again = must(session.unwrap(consent(), token_.family(), blob_, {}));
  EXPECT_EQ(session.number(again, CKA_TS_ROLE), CK_TS_ROLE_OEM);
  EXPECT_EQ(context_of(session, again), context_of(session, share_));
  EXPECT_EQ(public_key_of(session, again), public_key_of(session, share_));
  // And the same master key: a target of the first share set takes the second's blob.
  EXPECT_THAT(session.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), token_.family(), again).rv, IsOk());
}

TEST_F(Regeneration, WorksInAnotherProvisioningDeviceOfTheFamily) {
  Session other(token_.functions(), make_token(token_.module(), "second device"));
  must(other.login(CKU_USER, kUserPin));
  must(take_family(other, token_.world(), core::FamilyRole::kProvisioning));
  must(install(other, token_.world().software()));
  const auto family = family_key(other, token_.world().family().id);
  const auto mechanism =
      regenerate(token_.crypto(), token_.oem_key(), device_id(other), device_nonce(other), blob_);
  const auto again = must(other.unwrap(mechanism, family, blob_, {}));
  EXPECT_EQ(public_key_of(other, again), public_key_of(token_.session(), share_));
}

TEST_F(Regeneration, TheNonceServesOnce) {
  const auto mechanism = consent();
  const auto nonce = device_nonce(token_.session());
  ASSERT_THAT(try_with(mechanism, blob_), IsOk());
  EXPECT_NE(device_nonce(token_.session()), nonce);
  EXPECT_THAT(try_with(mechanism, blob_), ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  EXPECT_THAT(try_with(consent(), blob_), IsOk());
}

TEST_F(Regeneration, TheUsedNonceIsUsedAfterARestartToo) {
  const auto mechanism = consent();
  ASSERT_THAT(try_with(mechanism, blob_), IsOk());
  token_.restart_and_login();
  EXPECT_THAT(try_with(mechanism, blob_), ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

TEST_F(Regeneration, OfTwoProcessesWithOneConsentOneFails) {
  const auto mechanism = consent();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Child>([&](int in, int out) {
      must(token_->C_Initialize(nullptr));
      Session session(token_.functions(), slot_of(token_.module(), "test"));
      must(session.login(CKU_USER, kUserPin));
      const auto family = family_key(session, token_.world().family().id);
      write_byte(out, 'r');
      char go = 0;
      (void)read_byte(in, go);
      return session.unwrap(mechanism, family, blob_, Attributes().flag(CKA_TOKEN, true)).rv ==
                     CKR_OK
                 ? 0
                 : 1;
    }));
  }
  for (const auto& child : children) ASSERT_EQ(child->receive(), "r");
  for (const auto& child : children) child->send('g');
  int served = 0;
  for (const auto& child : children) served += child->wait() == 0 ? 1 : 0;
  EXPECT_EQ(served, 1);
  EXPECT_EQ(token_.session()
                .find(Attributes().number(CKA_KEY_TYPE, CKK_TS_OEM_SHARE).flag(CKA_TOKEN, true))
                .size(),
            1U);
}

TEST_F(Regeneration, S05_NeedsTheConsentOfThisOemForThisDeviceNonceAndBlob) {
  const auto refused = ReturnsRv(CKR_WRAPPED_KEY_INVALID);
  auto& session = token_.session();
  const auto stranger = value(core::EcPrivateKey::generate(token_.crypto(), core::Curve::kP384));
  EXPECT_THAT(try_with(consent(&stranger), blob_), refused);
  EXPECT_THAT(try_with(regenerate(token_.crypto(), token_.oem_key(), core::Bytes(32, 1),
                                  device_nonce(session), blob_),
                       blob_),
              refused);
  EXPECT_THAT(try_with(regenerate(token_.crypto(), token_.oem_key(), device_id(session),
                                  core::Bytes(32, 1), blob_),
                       blob_),
              refused);
  const auto another =
      must(session.wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), token_.family(), share_));
  EXPECT_THAT(try_with(consent(), another), refused);
  EXPECT_THAT(try_with({CKM_TS_MASTER_SHARE_WRAP, core::Bytes(192, 0)}, blob_), refused);
  for (const std::size_t size : {0UL, 96UL, 191UL, 193UL}) {
    EXPECT_THAT(try_with({CKM_TS_MASTER_SHARE_WRAP, core::Bytes(size, 0)}, blob_),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  EXPECT_THAT(try_with(consent(), blob_), IsOk());
}

TEST_F(Regeneration, A38_EveryFlippedByteIsRefusedThoughTheOemConsented) {
  const auto good = blob_;
  for (std::size_t at = 0; at < good.size(); at += 5) {
    blob_ = good;
    blob_[at] ^= 1U;
    ASSERT_NE(try_with(consent(), blob_), CKR_OK) << at;
  }
}

TEST_F(Regeneration, S01_BlobsOfTwoBatchesDoNotMix) {
  auto& session = token_.session();
  const auto second = must(token_.make_share());
  const auto other =
      must(session.wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), token_.family(), second));
  // The header of one before the sealed part of the other.
  core::Bytes mixed(blob_.begin(), blob_.begin() + 80);
  mixed.insert(mixed.end(), other.begin() + 80, other.end());
  blob_ = mixed;
  EXPECT_THAT(try_with(consent(), blob_), ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

}  // namespace
}  // namespace tallystick::test
