// A67: each cap is reached; what is asked beyond it has its error, nothing is lost, and the token
// works as before.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

using ::testing::SizeIs;

class Floods : public ::testing::Test {
 protected:
  // One signature and one search, as before.
  void works() {
    const auto pair = generate_ec(token_.session(), core::Curve::kP256);
    const auto message = bytes("after the flood");
    const auto signature = must(token_.session().sign(CKM_ECDSA_SHA256, pair.private_key, message));
    EXPECT_THAT(token_.session().verify(CKM_ECDSA_SHA256, pair.public_key, message, signature),
                IsOk());
    EXPECT_THAT(token_.session().find(Attributes().text(CKA_LABEL, "before")), SizeIs(1));
  }

  TestToken token_;
  CK_OBJECT_HANDLE before_ = must(token_.session().create(
      Attributes().number(CKA_CLASS, CKO_DATA).flag(CKA_TOKEN, true).text(CKA_LABEL, "before")));
};

TEST_F(Floods, A67_OfSessionsEndAtTheirCap) {
  std::vector<CK_SESSION_HANDLE> open;
  CK_SESSION_HANDLE session = 0;
  CK_RV rv = CKR_OK;
  while (open.size() <= 16384) {
    rv = token_->C_OpenSession(token_.slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &session);
    if (rv != CKR_OK) break;
    open.push_back(session);
  }
  EXPECT_THAT(rv, ReturnsRv(CKR_SESSION_COUNT));
  EXPECT_THAT(open, SizeIs(16383));  // and the test's own
  works();
  EXPECT_THAT(token_->C_CloseSession(open.back()), IsOk());
  EXPECT_THAT(
      token_->C_OpenSession(token_.slot(), CKF_SERIAL_SESSION, nullptr, nullptr, &open.back()),
      IsOk());
  for (const auto one : open) ASSERT_THAT(token_->C_CloseSession(one), IsOk());
  works();
}

TEST_F(Floods, A67_OfSavedStatesForgetTheOldest) {
  CK_MECHANISM sha{CKM_SHA256, nullptr, 0};
  const auto save = [&] {
    CK_ULONG size = 0;
    must(token_->C_GetOperationState(token_.handle(), nullptr, &size));
    core::Bytes state(size);
    must(token_->C_GetOperationState(token_.handle(), state.data(), &size));
    return state;
  };
  must(token_->C_DigestInit(token_.handle(), &sha));
  auto first = save();
  core::Bytes last;
  for (int i = 0; i < 1024; ++i) last = save();
  EXPECT_THAT(token_->C_SetOperationState(token_.handle(), first.data(), first.size(), 0, 0),
              ReturnsRv(CKR_SAVED_STATE_INVALID));
  EXPECT_THAT(token_->C_SetOperationState(token_.handle(), last.data(), last.size(), 0, 0), IsOk());
  works();
}

TEST_F(Floods, A67_OfAttributesAndOfTheirBytesAreRefused) {
  auto& session = token_.session();
  Attributes many;
  for (CK_ATTRIBUTE_TYPE type = 0; type < 256; ++type) many.text(CKA_VENDOR_DEFINED | type, "x");
  EXPECT_THAT(session.create(many).rv, ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(session.create(many.text(CKA_LABEL, "one more")).rv, ReturnsRv(CKR_ARGUMENTS_BAD));
  const auto data = [](std::size_t size) {
    return Attributes()
        .number(CKA_CLASS, CKO_DATA)
        .flag(CKA_TOKEN, true)
        .bytes(CKA_VALUE, core::Bytes(size, 0x5A));
  };
  EXPECT_THAT(session.create(data((4U << 20U) + 1)).rv, ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  const auto large = must(session.create(data(1U << 20U)));
  EXPECT_THAT(must(session.get(large, CKA_VALUE)), SizeIs(1U << 20U));
  works();
}

TEST_F(Floods, A67_OfSessionObjectsAndSearchesLeaveNothingBehind) {
  {
    Session other(token_.functions(), token_.slot());
    for (int i = 0; i < 5000; ++i) {
      must(other.create(Attributes().number(CKA_CLASS, CKO_DATA).text(CKA_LABEL, "flood")));
    }
    EXPECT_THAT(token_.session().find(Attributes().text(CKA_LABEL, "flood")), SizeIs(5000));
    // Searches that were begun and never ended.
    for (int i = 0; i < 1000; ++i) {
      const Session forgetful(token_.functions(), token_.slot());
      must(token_->C_FindObjectsInit(forgetful.handle(), nullptr, 0));
    }
  }
  EXPECT_THAT(token_.session().find(Attributes().text(CKA_LABEL, "flood")), SizeIs(0));
  works();
}

}  // namespace
}  // namespace tallystick::test
