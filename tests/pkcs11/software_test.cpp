// Provisioning software in the token.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

class Software : public ::testing::Test {
 protected:
  static FamilyOptions bare() {
    FamilyOptions options;
    options.software = false;
    return options;
  }
  std::vector<CK_OBJECT_HANDLE> installed() {
    return token_.session().find(Attributes().number(CKA_CLASS, CKO_TS_SOFTWARE));
  }
  FamilyToken token_{bare()};
  const World& world_ = token_.world();
};

TEST_F(Software, IsInstalledAndSaysWhatItIs) {
  const auto image = world_.software(7);
  const auto software = must(install(token_.session(), image));
  auto& session = token_.session();
  EXPECT_EQ(session.number(software, CKA_TS_SW_VERSION), 7U);
  EXPECT_EQ(must(session.get(software, CKA_LABEL)), bytes("test software"));
  EXPECT_EQ(must(session.get(software, CKA_VALUE)), image);
  EXPECT_EQ(must(session.get(software, CKA_TS_FAMILY_ID)),
            core::Bytes(world_.family().id.begin(), world_.family().id.end()));
  EXPECT_TRUE(session.flag(software, CKA_TOKEN));
  EXPECT_FALSE(session.flag(software, CKA_PRIVATE));
  EXPECT_EQ(session.number(token_.family(), CKA_TS_SW_VERSION), 7U);
}

TEST_F(Software, IsReadableBeforeLogin) {
  must(install(token_.session(), world_.software(7)));
  must(token_.session().logout());
  ASSERT_EQ(installed().size(), 1U);
  EXPECT_EQ(token_.session().number(installed()[0], CKA_TS_SW_VERSION), 7U);
}

TEST_F(Software, S07_AnOlderOneIsRefusedAndTheSameOrANewerReplacesIt) {
  must(install(token_.session(), world_.software(5)));
  EXPECT_THAT(install(token_.session(), world_.software(4)).rv,
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  EXPECT_THAT(install(token_.session(), world_.software(5)).rv, IsOk());
  ASSERT_EQ(installed().size(), 1U);
  must(install(token_.session(), world_.software(6)));
  ASSERT_EQ(installed().size(), 1U);
  EXPECT_EQ(token_.session().number(installed()[0], CKA_TS_SW_VERSION), 6U);
  token_.restart_and_login();
  EXPECT_THAT(install(token_.session(), world_.software(5)).rv,
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
  ASSERT_EQ(installed().size(), 1U);
  EXPECT_EQ(token_.session().number(installed()[0], CKA_TS_SW_VERSION), 6U);
}

TEST_F(Software, S07_InitTokenIsNoWayBackToAnOlderOne) {
  must(install(token_.session(), world_.software(5)));
  token_.close_session();
  must(init_token(token_.functions(), token_.slot(), kSoPin, "test"));
  {
    Session so(token_.functions(), token_.slot());
    must(so.login(CKU_SO, kSoPin));
    must(so.init_pin(kUserPin));
  }
  token_.open_and_login();
  EXPECT_THAT(install(token_.session(), world_.software(4)).rv,
              ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID));
}

TEST_F(Software, S08_EveryFlippedByteOfTheHeaderAndSignatureIsRefused) {
  const auto image = world_.software(1);
  for (std::size_t at = 0; at < image.size(); ++at) {
    auto damaged = image;
    damaged[at] ^= 1U;
    ASSERT_THAT(install(token_.session(), damaged).rv, ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID))
        << at;
  }
  EXPECT_TRUE(installed().empty());
  EXPECT_THAT(install(token_.session(), image).rv, IsOk());
}

TEST_F(Software, OfAnotherFamilyRoleOrLengthIsRefused) {
  const World stranger;
  const auto bad = ReturnsRv(CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_THAT(install(token_.session(), stranger.software()).rv, bad);
  EXPECT_THAT(install(token_.session(), world_.software(1, kForPart)).rv, bad);
  EXPECT_THAT(install(token_.session(), world_.software(1, kForStation)).rv, bad);
  auto image = world_.software(1);
  image.push_back(0);
  EXPECT_THAT(install(token_.session(), image).rv, bad);
  for (const std::size_t size : {0UL, 1UL, 127UL, 223UL, 224UL, image.size() - 2}) {
    EXPECT_NE(install(token_.session(), core::ByteView(image).first(size)).rv, CKR_OK) << size;
  }
  EXPECT_TRUE(installed().empty());
}

TEST_F(Software, WithoutAnImageIsIncomplete) {
  EXPECT_THAT(token_.session().create(Attributes().number(CKA_CLASS, CKO_TS_SOFTWARE)).rv,
              ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
}

TEST_F(Software, CannotBeDestroyedChangedOrCopied) {
  const auto software = must(install(token_.session(), world_.software(1)));
  auto& session = token_.session();
  EXPECT_THAT(session.destroy(software), ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_THAT(session.copy(software, {}).rv, ReturnsRv(CKR_ACTION_PROHIBITED));
  EXPECT_NE(session.set(software, Attributes().text(CKA_LABEL, "x")), CKR_OK);
  EXPECT_NE(session.set(software, Attributes().bytes(CKA_VALUE, world_.software(1))), CKR_OK);
}

TEST_F(Software, TheTemplateGivesItNothingElse) {
  const auto image = world_.software(1);
  for (const auto& more :
       {Attributes().number(CKA_TS_SW_VERSION, 99), Attributes().flag(CKA_DESTROYABLE, true),
        Attributes().flag(CKA_MODIFIABLE, true), Attributes().flag(CKA_TOKEN, false),
        Attributes().bytes(CKA_TS_FAMILY_ID, core::Bytes(16, 0))}) {
    EXPECT_NE(token_.session()
                  .create(Attributes()
                              .number(CKA_CLASS, CKO_TS_SOFTWARE)
                              .bytes(CKA_VALUE, image)
                              .append(more))
                  .rv,
              CKR_OK);
  }
  EXPECT_TRUE(installed().empty());
}

}  // namespace
}  // namespace tallystick::test
