// Killed in the middle: what was acknowledged is there afterwards.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

TEST(Crash, EveryAcknowledgedObjectIsThereAfterAKill) {
  TestToken token;
  token.close_session();
  token.finalize();
  int acknowledged = 0;
  for (const int kill_after : {1, 5, 17, 60}) {
    Child child([&](int /*in*/, int out) {
      must(token.module()->C_Initialize(nullptr));
      Session session(token.functions(), slot_of(token.module(), "test"));
      must(session.login(CKU_USER, kUserPin));
      for (int i = 0; i < 5000; ++i) {
        (void)generate_aes(session, Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "kept"));
        write_byte(out, 'k');
      }
      return 0;
    });
    int seen = 0;
    while (seen < kill_after) {
      const auto got = static_cast<int>(child.receive(64).size());
      ASSERT_GT(got, 0);
      seen += got;
    }
    child.kill();
    while (const auto rest = static_cast<int>(child.receive(64).size())) seen += rest;
    (void)child.wait();
    acknowledged += seen;

    token.initialize();
    token.open_and_login();
    const auto there = token.session().find(Attributes().text(CKA_LABEL, "kept"));
    EXPECT_GE(static_cast<int>(there.size()), acknowledged);
    // At most the one that was under way when the kill came, in each round.
    acknowledged = static_cast<int>(there.size());
    Gcm gcm(core::Bytes(12, 1));
    EXPECT_THAT(token.session().encrypt(gcm, there.back(), bytes("x")).rv, IsOk());
    token.close_session();
    token.finalize();
  }
  token.initialize();
}

TEST(Crash, NothingButWholeObjectsIsThereAfterAKillDuringChanges) {
  TestToken token;
  (void)must(token.session().create(Attributes()
                                        .number(CKA_CLASS, CKO_DATA)
                                        .flag(CKA_TOKEN, true)
                                        .flag(CKA_PRIVATE, true)
                                        .text(CKA_APPLICATION, "counter")
                                        .text(CKA_LABEL, "0")
                                        .text(CKA_VALUE, "0")));
  token.close_session();
  token.finalize();
  for (int round = 0; round < 4; ++round) {
    Child child([&](int /*in*/, int out) {
      must(token.module()->C_Initialize(nullptr));
      Session session(token.functions(), slot_of(token.module(), "test"));
      must(session.login(CKU_USER, kUserPin));
      const auto counter = session.find(Attributes().text(CKA_APPLICATION, "counter")).at(0);
      for (int i = 0; i < 5000; ++i) {
        const auto text = std::to_string(i) + std::string(static_cast<std::size_t>(i % 50), '.');
        must(session.set(counter, Attributes().text(CKA_LABEL, text).text(CKA_VALUE, text)));
        write_byte(out, 'k');
      }
      return 0;
    });
    for (int i = 0; i < 10 * (round + 1); ++i) ASSERT_EQ(child.receive(), "k");
    child.kill();
    (void)child.wait();
    token.initialize();
    token.open_and_login();
    const auto found = token.session().find(Attributes().text(CKA_APPLICATION, "counter"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(must(token.session().get(found[0], CKA_LABEL)),
              must(token.session().get(found[0], CKA_VALUE)));
    token.close_session();
    token.finalize();
  }
  token.initialize();
}

TEST(Crash, AKillDuringInitTokenLeavesATokenOrNone) {
  for (int round = 0; round < 6; ++round) {
    Bench bench;
    bench.finalize();
    Child child([&](int /*in*/, int out) {
      must(bench.module()->C_Initialize(nullptr));
      write_byte(out, 'r');
      return init_token(bench.functions(), bench.module().free_slot(), kSoPin, "new") == CKR_OK ? 0
                                                                                                : 1;
    });
    ASSERT_EQ(child.receive(), "r");
    // Later each round: what the child has done by then differs.
    std::this_thread::sleep_for(round * std::chrono::milliseconds(6));
    child.kill();
    (void)child.wait();
    bench.initialize();
    const auto slots = bench.module().slots();
    ASSERT_FALSE(slots.empty());
    for (const auto slot : slots) {
      CK_TOKEN_INFO info{};
      EXPECT_THAT(bench.module()->C_GetTokenInfo(slot, &info), IsOk());
    }
    // The next token is made as if nothing had been.
    EXPECT_NE(make_token(bench.module(), "after it"), CK_UNAVAILABLE_INFORMATION);
  }
}

}  // namespace
}  // namespace tallystick::test
