// A40, A41, A42: PIN search.
#include <gtest/gtest.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

constexpr const char* kWrongPin = "not the PIN";

// Wrong logins until the token says that it is locked; how many were compared.
int tries_until_locked(Session& session, CK_USER_TYPE user) {
  int tries = 0;
  while (session.login(user, kWrongPin) == CKR_PIN_INCORRECT) {
    ++tries;
    if (tries > 100) break;
  }
  return tries;
}

TEST(Tries, A40_TheUsersPinLocksAndTheRightPinDoesNotOpenItAnyMore) {
  TestToken token;
  must(token.session().logout());
  const auto tries = tries_until_locked(token.session(), CKU_USER);
  EXPECT_GE(tries, 3);
  EXPECT_LE(tries, 15);
  EXPECT_THAT(token.session().login(CKU_USER, kUserPin), ReturnsRv(CKR_PIN_LOCKED));
  EXPECT_EQ(token.module().token_info(token.slot()).flags &
                (CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY),
            static_cast<CK_FLAGS>(CKF_USER_PIN_LOCKED | CKF_USER_PIN_COUNT_LOW));
  // It stays so over a restart, and C_InitPIN is the way out.
  token.close_session();
  token.restart();
  Session session(token.functions(), slot_of(token.module(), "test"));
  EXPECT_THAT(session.login(CKU_USER, kUserPin), ReturnsRv(CKR_PIN_LOCKED));
  must(session.login(CKU_SO, kSoPin));
  must(session.init_pin("another PIN"));
  must(session.logout());
  EXPECT_THAT(session.login(CKU_USER, "another PIN"), IsOk());
}

TEST(Tries, A40_TheSoPinLocksTheSameWayAndInitTokenIsNoWayRound) {
  TestToken token;
  must(token.session().logout());
  const auto tries = tries_until_locked(token.session(), CKU_SO);
  EXPECT_GE(tries, 3);
  EXPECT_LE(tries, 15);
  EXPECT_THAT(token.session().login(CKU_SO, kSoPin), ReturnsRv(CKR_PIN_LOCKED));
  EXPECT_EQ(token.module().token_info(token.slot()).flags &
                (CKF_SO_PIN_LOCKED | CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY),
            static_cast<CK_FLAGS>(CKF_SO_PIN_LOCKED | CKF_SO_PIN_COUNT_LOW));
  token.close_session();
  EXPECT_THAT(init_token(token.functions(), token.slot(), kSoPin, "test"),
              ReturnsRv(CKR_PIN_LOCKED));
}

TEST(Tries, A40_InitTokenWithAWrongPinCountsAsATry) {
  TestToken token;
  token.close_session();
  int tries = 0;
  while (init_token(token.functions(), token.slot(), kWrongPin, "test") == CKR_PIN_INCORRECT) {
    ASSERT_LT(++tries, 100);
  }
  EXPECT_GE(tries, 3);
  Session session(token.functions(), token.slot());
  EXPECT_THAT(session.login(CKU_SO, kSoPin), ReturnsRv(CKR_PIN_LOCKED));
}

TEST(Tries, A40_LoginAndSetPinShareOneCounterInEveryOrder) {
  for (const unsigned order : {0x0U, 0x3FFU, 0x155U, 0x2AAU, 0x01FU, 0x3E0U}) {
    TestToken token;
    must(token.session().logout());
    int tries = 0;
    for (unsigned i = 0; i < 40; ++i) {
      const auto rv = ((order >> (i % 10)) & 1U) != 0
                          ? token.session().set_pin(kWrongPin, "a new PIN")
                          : token.session().login(CKU_USER, kWrongPin);
      if (rv == CKR_PIN_LOCKED) break;
      ASSERT_THAT(rv, ReturnsRv(CKR_PIN_INCORRECT));
      ++tries;
    }
    EXPECT_EQ(tries, 10) << std::hex << order;
    EXPECT_THAT(token.session().set_pin(kUserPin, "a new PIN"), ReturnsRv(CKR_PIN_LOCKED));
    EXPECT_THAT(token.session().login(CKU_USER, kUserPin), ReturnsRv(CKR_PIN_LOCKED));
  }
}

TEST(Tries, ARightPinGivesTheTriesBackAndTheFlagsSayHowManyAreLeft) {
  TestToken token;
  const auto flags = [&] { return token.module().token_info(token.slot()).flags; };
  must(token.session().logout());
  EXPECT_EQ(flags() & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED), 0U);
  EXPECT_THAT(token.session().login(CKU_USER, kWrongPin), ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_NE(flags() & CKF_USER_PIN_COUNT_LOW, 0U);
  for (int i = 0; i < 8; ++i) (void)token.session().login(CKU_USER, kWrongPin);
  EXPECT_NE(flags() & CKF_USER_PIN_FINAL_TRY, 0U);
  EXPECT_THAT(token.session().login(CKU_USER, kUserPin), IsOk());
  EXPECT_EQ(flags() & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED), 0U);
}

// No PIN is so long: nothing is compared, and no try is lost.
TEST(Tries, A60_WhatIsLongerThanAnyPinIsNoTry) {
  TestToken token;
  const auto flags = [&] { return token.module().token_info(token.slot()).flags; };
  must(token.session().logout());
  const std::string longer(CK_ULONG{token.module().token_info(token.slot()).ulMaxPinLen} + 1, 'x');
  EXPECT_THAT(token.session().login(CKU_USER, longer), ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_THAT(token.session().set_pin(longer, "a new PIN"), ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_THAT(token.session().login(CKU_SO, longer), ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_EQ(flags() & (CKF_USER_PIN_COUNT_LOW | CKF_SO_PIN_COUNT_LOW), 0U);
  EXPECT_THAT(token.session().login(CKU_USER, longer.substr(1)), ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_NE(flags() & CKF_USER_PIN_COUNT_LOW, 0U);
}

// Each spends its try before the PIN is compared: together more than there are.
TEST(Tries, A40_MoreProcessesThanTriesLogInAtOnceWithTheRightPin) {
  TestToken token;
  token.close_session();
  token.finalize();
  std::vector<std::unique_ptr<Child>> children;
  for (int p = 0; p < 24; ++p) {
    children.push_back(std::make_unique<Child>([&](int in, int out) {
      must(token->C_Initialize(nullptr));
      Session session(token.functions(), token.slot());
      write_byte(out, 'r');
      char go = 0;
      if (!read_byte(in, go)) return 1;
      return session.login(CKU_USER, kUserPin) == CKR_OK ? 0 : 2;
    }));
  }
  for (const auto& child : children) ASSERT_EQ(child->receive(), "r");
  for (const auto& child : children) child->send('g');
  for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
}

TEST(Tries, TheSosTriesAreNotTheUsers) {
  TestToken token;
  must(token.session().logout());
  (void)tries_until_locked(token.session(), CKU_USER);
  EXPECT_THAT(token.session().login(CKU_SO, kSoPin), IsOk());
}

// Each round a process is killed with the right PIN in its hands, after the try was written and
// before the PIN could be compared. Nothing is given back.
TEST(Tries, A40_TriesStaySpentAfterAKill) {
  TestToken token;
  token.close_session();
  token.finalize();
  const Database database(token.home().databases().front());
  const auto spent = [&] { return database.number("SELECT tries FROM pin WHERE role = 1"); };
  ASSERT_EQ(spent(), 0);
  int kills = 0;
  for (int round = 0; round < 200 && kills < 10; ++round) {
    const auto before = spent();
    Child child([&](int in, int out) {
      must(token.module()->C_Initialize(nullptr));
      Session session(token.functions(), slot_of(token.module(), "test"));
      write_byte(out, 'r');
      char go = 0;
      (void)read_byte(in, go);
      return session.login(CKU_USER, kUserPin) == CKR_OK ? 0 : 1;
    });
    ASSERT_EQ(child.receive(), "r");
    child.send('g');
    // The login's try shows in the file while the slow derivation still runs.
    for (int look = 0; look < 100000 && spent() == before; ++look) {
    }
    child.kill();
    (void)child.wait();
    const auto after = spent();
    if (after == 0) continue;  // this login was faster than the kill
    ASSERT_EQ(after, before + 1);
    ++kills;
    if (after != kills) kills = static_cast<int>(after);
  }
  ASSERT_EQ(kills, 10) << "no kill ever fell between the write and the compare";
  token.initialize();
  Session session(token.functions(), slot_of(token.module(), "test"));
  EXPECT_THAT(session.login(CKU_USER, kUserPin), ReturnsRv(CKR_PIN_LOCKED));
}

TEST(Tries, A41_ThirtyTwoProcessesTogetherGetNoMoreTriesThanOne) {
  constexpr int kProcesses = 32;
  TestToken token;
  token.close_session();
  token.finalize();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(std::make_unique<Child>([&](int in, int /*out*/) {
      must(token.module()->C_Initialize(nullptr));
      Session session(token.functions(), slot_of(token.module(), "test"));
      char go = 0;
      (void)read_byte(in, go);
      const auto rv = session.login(CKU_USER, kWrongPin);
      if (rv == CKR_PIN_LOCKED) return 0;
      return rv == CKR_PIN_INCORRECT ? 1 : 2;
    }));
  }
  for (const auto& child : children) child->send('g');
  int compared = 0;
  for (const auto& child : children) {
    const auto status = child->wait();
    EXPECT_LT(status, 2);
    compared += status == 1 ? 1 : 0;
  }
  EXPECT_EQ(compared, 10);
}

TEST(Tries, A42_ADamagedPinRowGivesEveryPinTheSameError) {
  TestToken token;
  must(token.session().logout());
  EXPECT_THAT(token.session().login(CKU_USER, kWrongPin), ReturnsRv(CKR_PIN_INCORRECT));
  const Database database(token.home().databases().front());
  for (const char* column : {"sealed", "salt"}) {
    const auto query = std::string("SELECT ") + column + " FROM pin WHERE role = 1";
    const auto update = std::string("UPDATE pin SET ") + column + " = ?1 WHERE role = 1";
    const auto good = database.blobs(query).front();
    auto bad = good;
    bad[bad.size() / 2] ^= 1U;
    database.run_with(update, bad);
    for (const auto& pin : {std::string(kUserPin), std::string(kWrongPin)}) {
      EXPECT_THAT(token.session().login(CKU_USER, pin), ReturnsRv(CKR_DEVICE_ERROR)) << column;
    }
    database.run_with(update, good);
  }
  EXPECT_THAT(token.session().login(CKU_USER, kUserPin), IsOk());
}

TEST(Tries, A42_EachGuessOnTheCopiedFilesCostsAMemoryHardDerivation) {
  TestToken token;
  const Database database(token.home().databases().front());
  for (const char* role : {"0", "1"}) {
    const auto where = std::string(" FROM pin WHERE role = ") + role;
    const auto memory =
        128 * database.number("SELECT cost_n" + where) * database.number("SELECT cost_r" + where);
    EXPECT_GE(memory, 32LL << 20U);
    EXPECT_GE(database.blobs("SELECT salt" + where).front().size(), 16U);
  }
  const auto salts = database.blobs("SELECT salt FROM pin");
  EXPECT_NE(salts.at(0), salts.at(1));
}

}  // namespace
}  // namespace tallystick::test
