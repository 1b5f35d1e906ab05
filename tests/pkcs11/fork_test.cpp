// A46: what a forked child sees.
#include <gtest/gtest.h>

#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

TEST(Fork, A46_TheChildIsNotInitialisedAndTheParentGoesOn) {
  TestToken token;
  const auto key = generate_aes(token.session());
  EXPECT_EQ(
      in_child([&] {
        CK_INFO info{};
        if (token->C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED) return 1;
        CK_SESSION_INFO session{};
        if (token->C_GetSessionInfo(token.handle(), &session) != CKR_CRYPTOKI_NOT_INITIALIZED) {
          return 2;
        }
        if (token->C_DestroyObject(token.handle(), key) != CKR_CRYPTOKI_NOT_INITIALIZED) {
          return 3;
        }
        if (token->C_Finalize(nullptr) != CKR_CRYPTOKI_NOT_INITIALIZED) return 4;
        return 0;
      }),
      0);
  EXPECT_EQ(token.session().state(), static_cast<CK_STATE>(CKS_RW_USER_FUNCTIONS));
  EXPECT_TRUE(token.session().flag(key, CKA_ENCRYPT));
}

TEST(Fork, A46_TheChildInitialisesAndSeesTheTokenButNotTheLogin) {
  TestToken token;
  (void)data_object(token.session(), "for both", true, true);
  EXPECT_EQ(in_child([&] {
              if (token->C_Initialize(nullptr) != CKR_OK) return 1;
              CK_SESSION_INFO info{};
              if (token->C_GetSessionInfo(token.handle(), &info) != CKR_SESSION_HANDLE_INVALID) {
                return 2;
              }
              Session session(token.functions(), token.slot());
              if (session.state() != CKS_RW_PUBLIC_SESSION) return 3;
              if (!session.find(Attributes().text(CKA_LABEL, "for both")).empty()) return 4;
              if (session.login(CKU_USER, kUserPin) != CKR_OK) return 5;
              if (session.find(Attributes().text(CKA_LABEL, "for both")).size() != 1) return 6;
              if (token->C_Finalize(nullptr) != CKR_OK) return 7;
              return 0;
            }),
            0);
}

TEST(Fork, A46_ParentAndChildrenDrawDifferentRandomNumbers) {
  TestToken token;
  (void)must(token.session().random(32));  // the generator is seeded before the fork
  constexpr std::size_t kSize = 32;
  std::vector<std::string> seen;
  for (int round = 0; round < 3; ++round) {
    Child child([&](int /*in*/, int out) {
      must(token->C_Initialize(nullptr));
      Session session(token.functions(), token.slot());
      for (const auto byte : must(session.random(kSize))) write_byte(out, static_cast<char>(byte));
      return 0;
    });
    std::string drawn;
    while (drawn.size() < kSize) {
      const auto piece = child.receive(kSize);
      if (piece.empty()) break;
      drawn += piece;
    }
    EXPECT_EQ(child.wait(), 0);
    ASSERT_EQ(drawn.size(), kSize);
    seen.push_back(drawn);
    const auto own = must(token.session().random(kSize));
    seen.emplace_back(own.begin(), own.end());
  }
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(Fork, A46_ANewlyInitialisedChildDoesNotDisturbTheParentsStore) {
  TestToken token;
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(in_child([&] {
                must(token->C_Initialize(nullptr));
                Session session(token.functions(), token.slot());
                must(session.login(CKU_USER, kUserPin));
                (void)data_object(session, "child's", true, true);
                return 0;
              }),
              0);
    (void)data_object(token.session(), "parent's", true, true);
  }
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(), 3U);
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "parent's")).size(), 3U);
}

}  // namespace
}  // namespace tallystick::test
