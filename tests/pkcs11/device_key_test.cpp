// The device key: the token's identity.
#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

class DeviceKey : public ::testing::Test {
 protected:
  CK_OBJECT_HANDLE private_half() { return device_key(token_.session(), CKO_PRIVATE_KEY); }
  CK_OBJECT_HANDLE public_half() { return device_key(token_.session(), CKO_PUBLIC_KEY); }
  TestToken token_;
};

TEST_F(DeviceKey, IsThereFromTheFirstInitTokenAndNamedByItsHash) {
  const auto xy = device_xy(token_.session());
  const auto id = value(core::key_id(*shared_crypto(), xy));
  for (const auto half : {private_half(), public_half()}) {
    EXPECT_EQ(must(token_.session().get(half, CKA_TS_DEVICE_ID)),
              core::Bytes(id.begin(), id.end()));
    EXPECT_EQ(must(token_.session().get(half, CKA_TS_NONCE)).size(), 32U);
    EXPECT_FALSE(token_.session().flag(half, CKA_DESTROYABLE));
    EXPECT_FALSE(token_.session().flag(half, CKA_MODIFIABLE));
    EXPECT_TRUE(token_.session().flag(half, CKA_LOCAL));
  }
  EXPECT_TRUE(token_.session().flag(private_half(), CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(token_.session().flag(private_half(), CKA_NEVER_EXTRACTABLE));
}

TEST_F(DeviceKey, ThePublicHalfIsReadableBeforeLoginAndThePrivateHalfIsNot) {
  const auto xy = device_xy(token_.session());
  must(token_.session().logout());
  EXPECT_EQ(device_xy(token_.session()), xy);
  EXPECT_TRUE(token_.session().find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY)).empty());
}

TEST_F(DeviceKey, StaysOverInitTokenAndARestartWithItsCertificate) {
  const World world;
  const auto xy = device_xy(token_.session());
  (void)must(token_.session().create(
      Attributes()
          .number(CKA_CLASS, CKO_CERTIFICATE)
          .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
          .flag(CKA_TOKEN, true)
          .text(CKA_LABEL, "device")
          .bytes(CKA_SUBJECT, {})
          .bytes(CKA_VALUE, world.certificate(core::DeviceKind::kToken, xy))));
  token_.close_session();
  must(init_token(token_.functions(), token_.slot(), kSoPin, "test"));
  token_.restart();
  Session session(token_.functions(), slot_of(token_.module(), "test"));
  EXPECT_EQ(device_xy(session), xy);
  EXPECT_EQ(session.find(Attributes().number(CKA_CLASS, CKO_CERTIFICATE)).size(), 1U);
}

TEST_F(DeviceKey, DiffersFromTokenToToken) {
  Session other(token_.functions(), make_token(token_.module(), "other"));
  EXPECT_NE(device_xy(other), device_xy(token_.session()));
}

TEST_F(DeviceKey, SignsWholeMessages) {
  auto& session = token_.session();
  const auto& crypto = *shared_crypto();
  const auto key =
      value(core::EcPublicKey::from_xy(crypto, core::Curve::kP256, device_xy(session)));
  for (const auto& message : {bytes("hello"), bytes("T"), bytes(""), bytes("XTS1"), bytes("tS")}) {
    const auto whole = session.sign(CKM_ECDSA_SHA256, private_half(), message);
    ASSERT_THAT(whole.rv, IsOk());
    EXPECT_TRUE(key.verify(crypto, {message}, whole.value).ok());
    const auto parts = session.sign_parts(CKM_ECDSA_SHA256, private_half(), message, 1);
    ASSERT_THAT(parts.rv, IsOk());
    EXPECT_TRUE(key.verify(crypto, {message}, parts.value).ok());
    EXPECT_THAT(session.verify(CKM_ECDSA_SHA256, public_half(), message, whole.value), IsOk());
  }
}

// Blobs and proofs that this key signs inside the vendor mechanisms begin with "TS".
TEST_F(DeviceKey, A20_DoesNotSignAMessageThatBeginsLikeOneOfTheProfile) {
  auto& session = token_.session();
  for (const auto& message : {bytes("TS"), bytes("TSOP and more"), bytes("TS1/PROOF")}) {
    EXPECT_NE(session.sign(CKM_ECDSA_SHA256, private_half(), message).rv, CKR_OK);
    for (const std::size_t step : {1UL, 2UL, 3UL, 100UL}) {
      EXPECT_NE(session.sign_parts(CKM_ECDSA_SHA256, private_half(), message, step).rv, CKR_OK)
          << step;
    }
  }
  // An empty piece in between changes nothing.
  Mechanism ecdsa(CKM_ECDSA_SHA256);
  must(token_->C_SignInit(token_.handle(), ecdsa.get(), private_half()));
  auto t = bytes("T");
  auto s = bytes("S1/PROOF");
  auto rv = token_->C_SignUpdate(token_.handle(), pointer(t), 1);
  if (rv == CKR_OK) rv = token_->C_SignUpdate(token_.handle(), pointer(t), 0);
  if (rv == CKR_OK) rv = token_->C_SignUpdate(token_.handle(), pointer(s), s.size());
  core::Bytes out(64);
  CK_ULONG size = out.size();
  if (rv == CKR_OK) rv = token_->C_SignFinal(token_.handle(), out.data(), &size);
  EXPECT_NE(rv, CKR_OK);
}

TEST_F(DeviceKey, A20_SignsNoDigestThatSomebodyElseMade) {
  auto& session = token_.session();
  EXPECT_NE(session.sign(CKM_ECDSA, private_half(), core::Bytes(32, 1)).rv, CKR_OK);
  EXPECT_NE(session.sign(CKM_ECDSA_SHA384, private_half(), bytes("x")).rv, CKR_OK);
}

TEST_F(DeviceKey, DerivesDecryptsAndWrapsNothing) {
  auto& session = token_.session();
  CK_MECHANISM ecdh{CKM_ECDH1_DERIVE, nullptr, 0};
  CK_OBJECT_HANDLE made = 0;
  EXPECT_NE(token_->C_DeriveKey(token_.handle(), &ecdh, private_half(), nullptr, 0, &made), CKR_OK);
  const auto kek = generate_aes(session, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  EXPECT_NE(session.wrap(CKM_AES_KEY_WRAP_KWP, kek, private_half()).rv, CKR_OK);
  EXPECT_NE(session.unwrap(CKM_AES_KEY_WRAP_KWP, private_half(), core::Bytes(40), {}).rv, CKR_OK);
  EXPECT_FALSE(session.flag(private_half(), CKA_DERIVE));
}

TEST_F(DeviceKey, CannotBeReadChangedCopiedOrDestroyed) {
  auto& session = token_.session();
  EXPECT_THAT(session.get(private_half(), CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  for (const auto half : {private_half(), public_half()}) {
    EXPECT_THAT(session.destroy(half), ReturnsRv(CKR_ACTION_PROHIBITED));
    EXPECT_THAT(session.copy(half, {}).rv, ReturnsRv(CKR_ACTION_PROHIBITED));
    EXPECT_NE(session.set(half, Attributes().text(CKA_LABEL, "x")), CKR_OK);
    EXPECT_NE(session.set(half, Attributes().bytes(CKA_TS_NONCE, core::Bytes(32, 0))), CKR_OK);
  }
}

TEST_F(DeviceKey, A22_AnotherKeyOfTheSameLabelIsNotTakenForIt) {
  auto& session = token_.session();
  const World world;
  (void)generate_ec(session, core::Curve::kP256,
                    Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "device"),
                    Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "device"));
  // The family still opens with the one that the token was born with.
  const auto own = session.find(Attributes()
                                    .number(CKA_CLASS, CKO_PRIVATE_KEY)
                                    .text(CKA_LABEL, "device")
                                    .flag(CKA_DESTROYABLE, false));
  ASSERT_EQ(own.size(), 1U);
  const auto publics = session.find(Attributes()
                                        .number(CKA_CLASS, CKO_PUBLIC_KEY)
                                        .text(CKA_LABEL, "device")
                                        .flag(CKA_DESTROYABLE, false));
  ASSERT_EQ(publics.size(), 1U);
  const auto blob =
      world.family_blob(core::FamilyRole::kProvisioning, public_xy(session, publics[0]));
  const auto& fingerprint = world.fingerprint();
  EXPECT_THAT(
      session
          .unwrap({CKM_TS_FAMILY_WRAP, {fingerprint.begin(), fingerprint.end()}}, own[0], blob, {})
          .rv,
      IsOk());
}

}  // namespace
}  // namespace tallystick::test
