// A44, A47: two calls that meet at the worst moment leave the state that one of their orders
// leaves.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

// Runs `work` in a second thread; joins it in any case.
class Beside {
 public:
  explicit Beside(std::function<void()> work) : thread_(std::move(work)) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

bool a_try_is_spent(TestToken& token) {
  return (token.module().token_info(token.slot()).flags & CKF_USER_PIN_COUNT_LOW) != 0;
}

TEST(Races, A44_ALoginEndsWithTheLastSessionThatIsClosedUnderIt) {
  TestToken token;
  token.close_session();
  for (int round = 0; round < 3; ++round) {
    CK_SESSION_HANDLE session = 0;
    must(token->C_OpenSession(token.slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                              &session));
    std::atomic<bool> ended = false;
    CK_RV logged_in = CKR_OK;
    Beside other([&] {
      std::string pin = kUserPin;
      logged_in =
          token->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
      ended = true;
    });
    // The login has begun when its try is spent; then it works on the PIN for a while.
    while (!a_try_is_spent(token) && !ended) std::this_thread::yield();
    must(token->C_CloseSession(session));
    other.join();
    EXPECT_THAT(logged_in, ::testing::AnyOf(IsOk(), ReturnsRv(CKR_SESSION_HANDLE_INVALID)));
    const Session next(token.functions(), token.slot());
    EXPECT_EQ(next.state(), static_cast<CK_STATE>(CKS_RW_PUBLIC_SESSION));
  }
}

TEST(Races, A47_ASessionThatIsClosedUnderItsCallsLeavesNoObject) {
  TestToken token;
  for (int round = 0; round < 100; ++round) {
    CK_SESSION_HANDLE session = 0;
    must(token->C_OpenSession(token.slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                              &session));
    std::atomic<int> made = 0;
    Beside other([&] {
      auto wanted = Attributes()
                        .number(CKA_CLASS, CKO_DATA)
                        .flag(CKA_PRIVATE, round % 2 == 0)
                        .text(CKA_LABEL, "short-lived");
      CK_OBJECT_HANDLE object = 0;
      while (token->C_CreateObject(session, wanted.data(), wanted.size(), &object) == CKR_OK) {
        ++made;
      }
    });
    while (made < 3) std::this_thread::yield();
    must(token->C_CloseSession(session));
    other.join();
    ASSERT_TRUE(token.session().find(Attributes().text(CKA_LABEL, "short-lived")).empty());
  }
}

TEST(Races, A47_ADestroyedObjectDoesNotComeBack) {
  TestToken token;
  std::atomic<bool> done = false;
  Beside maker([&] {
    Session session(token.functions(), token.slot());
    for (int i = 0; i < 300; ++i) (void)data_object(session, "passing", true, i % 2 == 0);
    done = true;
  });
  auto& session = token.session();
  const auto all = [] { return Attributes().text(CKA_LABEL, "passing"); };
  while (!done) {
    for (const auto object : session.find(all())) (void)session.destroy(object);
  }
  maker.join();
  for (const auto object : session.find(all())) must(session.destroy(object));
  EXPECT_TRUE(session.find(all()).empty());
  token.restart_and_login();
  EXPECT_TRUE(token.session().find(all()).empty());
}

TEST(Races, OfTwoThatMakeOneFamilyOneSucceeds) {
  TestToken token;
  const World world;
  for (unsigned round = 0; round < 10; ++round) {
    const core::Bytes id(16, static_cast<std::uint8_t>(round + 1));
    std::atomic<int> ready = 0;
    std::atomic<int> succeeded = 0;
    const auto make = [&] {
      Session session(token.functions(), token.slot());
      ++ready;
      while (ready < 2) std::this_thread::yield();
      const auto made = session.generate(family_gen(id, 0, 1, world.family().icm_public_key), {});
      if (made.rv == CKR_OK) {
        ++succeeded;
      } else {
        EXPECT_THAT(made.rv, ReturnsRv(CKR_FUNCTION_REJECTED));
      }
    };
    {
      const Beside one(make);
      make();
    }
    EXPECT_EQ(succeeded, 1);
    EXPECT_EQ(token.session().find(Attributes().bytes(CKA_TS_FAMILY_ID, id)).size(), 1U);
  }
}

}  // namespace
}  // namespace tallystick::test
