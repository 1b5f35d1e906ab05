// `oem regenerate`: the token refuses a blob with one answer for every cause; the command finds out
// which it was, and speaks of the consent only when it is the consent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/factory.h"

namespace tallystick::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Regenerate : public Factory {
 protected:
  void SetUp() override {
    Factory::SetUp();
    make_shares("shares");
    consent("oem", "consent.json");
  }
  void consent(const std::string& token, const std::string& file) {
    does({"oem", "consent", master(), "--device", "pkcs11:token=" + token, "--oem-key", oem_key(),
          "-o", scratch_ / file});
  }
  std::string master() { return scratch_ / "shares/master.tsms"; }
  Ran regenerate(const std::vector<std::string>& more, const std::string& blob = "") {
    std::vector<std::string> arguments = {"oem", "regenerate", blob.empty() ? master() : blob,
                                          "--token", "pkcs11:token=oem"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tallystick(arguments);
  }
  std::vector<std::string> with(const std::string& consent, const std::string& folder = "again") {
    return {"--consent", scratch_ / consent, "-o", scratch_ / folder};
  }
  // Refused, with this advice and no other.
  static void expect_advice(const Ran& ran, const std::string& advice) {
    EXPECT_EQ(ran.status, 2) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("CKR_WRAPPED_KEY_INVALID"));
    EXPECT_THAT(ran.err, HasSubstr(advice));
  }
};

TEST_F(Regenerate, SaysThatItIsTheConsentOnlyWhenItIs) {
  expect_advice(regenerate({"-o", scratch_ / "again"}), "without the OEM's consent");

  make_provisioning_token("spare");
  consent("spare", "other.json");
  expect_advice(regenerate(with("other.json")), "the consent is for token");

  std::string changed = contents_of(master());
  changed.back() = static_cast<char>(changed.back() ^ 1);
  scratch_.file("changed.tsms", changed);
  expect_advice(regenerate(with("consent.json"), scratch_ / "changed.tsms"),
                "the consent is for another blob");
  does({"oem", "consent", scratch_ / "changed.tsms", "--device", "pkcs11:token=oem", "--oem-key",
        oem_key(), "-o", scratch_ / "for-changed.json"});
  expect_advice(regenerate(with("for-changed.json"), scratch_ / "changed.tsms"),
                "the blob does not open");

  std::string foreign = contents_of(master());
  foreign[16] = static_cast<char>(foreign[16] ^ 1);
  scratch_.file("foreign.tsms", foreign);
  expect_advice(regenerate(with("consent.json"), scratch_ / "foreign.tsms"),
                "the blob is of the family");

  const Ran good = regenerate(with("consent.json"));
  ASSERT_EQ(good.status, 0) << good.err;
  expect_advice(regenerate(with("consent.json")), "the consent was used before");
}

TEST_F(Regenerate, OtherRefusalsKeepTheirOwnAdvice) {
  // Software that does not permit it.
  std::string list = contents_of(scratch_ / "software.toml");
  list.replace(list.find("version = 1"), 11, "version = 2");
  list.replace(list.find("regenerate = true\n"), 18, "");
  does({"icm", "sign-software", scratch_.file("without.toml", list), "--family", family_,
        "--icm-key", icm_key(), "-o", scratch_ / "without.tssw"});
  does({"oem", "install-software", scratch_ / "without.tssw", "--token", "pkcs11:token=oem",
        "--fingerprint", json({"icm", "fingerprint", icm_key()})["fingerprint"]});
  const Ran ran = regenerate(with("consent.json"));
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("CKR_KEY_FUNCTION_NOT_PERMITTED"));
  EXPECT_THAT(ran.err, Not(HasSubstr("consent")));
}

TEST_F(Regenerate, AConsentIsNotSpentOnADirectoryOfAnotherShareSet) {
  make_shares("others");
  const Ran ran = regenerate(with("consent.json", "others"));
  EXPECT_EQ(ran.status, 4);
  EXPECT_THAT(ran.err, HasSubstr("it holds another share set"));
  const Ran again = regenerate(with("consent.json"));
  EXPECT_EQ(again.status, 0) << again.err;
}

}  // namespace
}  // namespace tallystick::cli
