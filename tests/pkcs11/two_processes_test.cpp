// Several processes on one token.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

// A second process that is logged in and does one thing for each byte it is sent.
class OtherProcess {
 public:
  OtherProcess(TestToken& token, const std::function<int(Session&, char)>& work)
      : child_([&token, work](int in, int out) {
          must(token->C_Initialize(nullptr));
          Session session(token.functions(), slot_of(token.module(), "test"));
          must(session.login(CKU_USER, kUserPin));
          write_byte(out, 'r');
          char what = 0;
          while (read_byte(in, what) && what != 'q') {
            write_byte(out, static_cast<char>('0' + work(session, what)));
          }
          return 0;
        }) {
    if (child_.receive() != "r") throw std::runtime_error("the other process did not start");
  }
  int ask(char what) {
    child_.send(what);
    const auto answer = child_.receive();
    return answer.empty() ? -1 : answer[0] - '0';
  }
  int quit() {
    child_.send('q');
    return child_.wait();
  }

 private:
  Child child_;
};

int count(const Session& session, std::string_view label) {
  return static_cast<int>(session.find(Attributes().text(CKA_LABEL, label)).size());
}

TEST(TwoProcesses, SeeEachOthersCommitsAtTheirNextCall) {
  TestToken token;
  OtherProcess other(token, [](Session& session, char what) {
    if (what == 'c') (void)data_object(session, "theirs", true, true);
    if (what == 'd') must(session.destroy(session.find(Attributes().text(CKA_LABEL, "ours"))[0]));
    if (what == 's') {
      must(session.set(session.find(Attributes().text(CKA_LABEL, "theirs"))[0],
                       Attributes().text(CKA_LABEL, "renamed")));
    }
    return count(session, "ours");
  });
  EXPECT_EQ(other.ask('n'), 0);
  const auto ours = data_object(token.session(), "ours", true, true);
  EXPECT_EQ(other.ask('n'), 1);
  EXPECT_EQ(other.ask('c'), 1);
  EXPECT_EQ(count(token.session(), "theirs"), 1);
  EXPECT_EQ(other.ask('s'), 1);
  EXPECT_EQ(count(token.session(), "theirs"), 0);
  EXPECT_EQ(count(token.session(), "renamed"), 1);
  EXPECT_EQ(other.ask('d'), 0);
  EXPECT_THAT(token.session().destroy(ours), ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
  EXPECT_EQ(other.quit(), 0);
}

TEST(TwoProcesses, SessionObjectsStayInTheirProcess) {
  TestToken token;
  (void)data_object(token.session(), "ours", false, false);
  OtherProcess other(token, [](Session& session, char) { return count(session, "ours"); });
  EXPECT_EQ(other.ask('n'), 0);
  EXPECT_EQ(other.quit(), 0);
}

TEST(TwoProcesses, HandlesStayTheSameWhileTheOtherChangesThings) {
  TestToken token;
  const auto ours = data_object(token.session(), "ours", true, true);
  OtherProcess other(token, [](Session& session, char) {
    must(session.set(session.find(Attributes().text(CKA_LABEL, "ours"))[0],
                     Attributes().text(CKA_APPLICATION, "changed")));
    for (int i = 0; i < 20; ++i) (void)data_object(session, "more", true, true);
    return 0;
  });
  EXPECT_EQ(other.ask('n'), 0);
  EXPECT_EQ(must(token.session().get(ours, CKA_APPLICATION)), bytes("changed"));
  EXPECT_EQ(count(token.session(), "more"), 20);
  EXPECT_EQ(other.quit(), 0);
}

TEST(TwoProcesses, AChangeOfAnObjectThatTheOtherChangedIsNotLost) {
  TestToken token;
  const auto ours = data_object(token.session(), "ours", true, true);
  OtherProcess other(token, [](Session& session, char) {
    must(session.set(session.find(Attributes().text(CKA_LABEL, "ours"))[0],
                     Attributes().text(CKA_APPLICATION, "by the other")));
    return 0;
  });
  EXPECT_EQ(other.ask('n'), 0);
  must(token.session().set(ours, Attributes().bytes(CKA_OBJECT_ID, core::Bytes{1})));
  EXPECT_EQ(must(token.session().get(ours, CKA_APPLICATION)), bytes("by the other"));
  EXPECT_EQ(must(token.session().get(ours, CKA_OBJECT_ID)), (core::Bytes{1}));
  EXPECT_EQ(other.quit(), 0);
}

TEST(TwoProcesses, SoftwareInstalledByOneCountsForTheOther) {
  FamilyToken token;
  const auto image =
      token.world().software(2, kForAll, all_permissions_but(core::Operation::kMakeShares));
  OtherProcess other(token, [image](Session& session, char) {
    must(install(session, image));
    return 0;
  });
  EXPECT_THAT(token.make_share().rv, IsOk());
  EXPECT_EQ(other.ask('n'), 0);
  EXPECT_THAT(token.make_share().rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_EQ(other.quit(), 0);
}

TEST(TwoProcesses, ManyWritersLoseNothing) {
  TestToken token;
  constexpr int kProcesses = 4;
  constexpr int kObjects = 25;
  std::vector<std::unique_ptr<Child>> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(std::make_unique<Child>([&token](int in, int /*out*/) {
      must(token->C_Initialize(nullptr));
      Session session(token.functions(), slot_of(token.module(), "test"));
      must(session.login(CKU_USER, kUserPin));
      char go = 0;
      (void)read_byte(in, go);
      for (int i = 0; i < kObjects; ++i) (void)data_object(session, "written", true, true);
      return 0;
    }));
  }
  for (const auto& child : children) child->send('g');
  for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  EXPECT_EQ(count(token.session(), "written"), kProcesses * kObjects);
}

}  // namespace
}  // namespace tallystick::test
