// A46: fork in every state of the parent. The child finds the module not initialised and can use it
// anew; the parent goes on where it was, whatever the child did and however it ended.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

// How a child leaves: the module still in use, or finalised; by _exit(), or by exit() with all that
// was registered for it.
enum class Leaving { kAtOnce, kFinalized, kThroughExit };
constexpr std::array kAllLeavings = {Leaving::kAtOnce, Leaving::kFinalized, Leaving::kThroughExit};

// 0 when the module begins anew in this child and serves it.
int works_in_child(const Module& module, Leaving leaving) {
  CK_INFO info{};
  if (module->C_GetInfo(&info) != CKR_CRYPTOKI_NOT_INITIALIZED) return 1;
  if (module->C_Initialize(nullptr) != CKR_OK) return 2;
  {
    Session session(module.functions(), slot_of(module, "test"));
    if (session.login(CKU_USER, kUserPin) != CKR_OK) return 3;
    const auto pair = generate_ec(session);
    const auto signature = must(session.sign(CKM_ECDSA_SHA256, pair.private_key, bytes("child")));
    if (session.verify(CKM_ECDSA_SHA256, pair.public_key, bytes("child"), signature) != CKR_OK) {
      return 4;
    }
    (void)data_object(session, "child's", true, true);
    if (session.find(Attributes().text(CKA_LABEL, "child's")).empty()) return 5;
  }
  if (leaving == Leaving::kFinalized && module->C_Finalize(nullptr) != CKR_OK) return 6;
  if (leaving == Leaving::kThroughExit) std::exit(0);
  return 0;
}

void fork_in_between(TestToken& token) {
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(in_child([&] { return works_in_child(token.module(), leaving); }), 0);
  }
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(),
            kAllLeavings.size());
}

TEST(ForkStates, A46_NotInitialised) {
  TestToken token;
  token.close_session();
  token.finalize();
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(in_child([&] { return works_in_child(token.module(), leaving); }), 0);
  }
  CK_INFO info{};
  EXPECT_THAT(token->C_GetInfo(&info), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  token.initialize();
  token.open_and_login();
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(), 3U);
}

TEST(ForkStates, A46_InitialisedWithoutASession) {
  TestToken token;
  token.close_session();
  token.restart();
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(in_child([&] { return works_in_child(token.module(), leaving); }), 0);
  }
  token.open_and_login();
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(), 3U);
}

TEST(ForkStates, A46_AnOpenSessionBeforeLogin) {
  TestToken token;
  must(token.session().logout());
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(in_child([&] { return works_in_child(token.module(), leaving); }), 0);
  }
  EXPECT_EQ(token.session().state(), static_cast<CK_STATE>(CKS_RW_PUBLIC_SESSION));
  must(token.session().login(CKU_USER, kUserPin));
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(), 3U);
}

TEST(ForkStates, A46_InTheMiddleOfASearch) {
  TestToken token;
  for (int i = 0; i < 3; ++i) (void)data_object(token.session(), "ours", true, true);
  Attributes pattern;
  pattern.text(CKA_LABEL, "ours");
  must(token->C_FindObjectsInit(token.handle(), pattern.data(), pattern.size()));
  std::array<CK_OBJECT_HANDLE, 3> found{};
  CK_ULONG count = 0;
  must(token->C_FindObjects(token.handle(), found.data(), 1, &count));
  ASSERT_EQ(count, 1U);
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(in_child([&] {
                if (token->C_FindObjects(token.handle(), found.data(), 1, &count) !=
                    CKR_CRYPTOKI_NOT_INITIALIZED) {
                  return 10;
                }
                return works_in_child(token.module(), leaving);
              }),
              0);
  }
  must(token->C_FindObjects(token.handle(), &found[1], 2, &count));
  EXPECT_EQ(count, 2U);
  must(token->C_FindObjectsFinal(token.handle()));
}

TEST(ForkStates, A46_InTheMiddleOfASignature) {
  TestToken token;
  const auto pair = generate_ec(token.session());
  CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, nullptr, 0};
  auto data = bytes("0123456789");
  must(token->C_SignInit(token.handle(), &mechanism, pair.private_key));
  must(token->C_SignUpdate(token.handle(), data.data(), 5));
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(
        in_child([&] {
          if (token->C_SignUpdate(token.handle(), data.data(), 5) != CKR_CRYPTOKI_NOT_INITIALIZED) {
            return 10;
          }
          return works_in_child(token.module(), leaving);
        }),
        0);
  }
  must(token->C_SignUpdate(token.handle(), data.data() + 5, 5));
  core::Bytes signature(64);
  CK_ULONG size = signature.size();
  must(token->C_SignFinal(token.handle(), signature.data(), &size));
  EXPECT_THAT(token.session().verify(CKM_ECDSA_SHA256, pair.public_key, data, signature), IsOk());
}

TEST(ForkStates, A46_InTheMiddleOfAnEncryption) {
  TestToken token;
  const auto key = generate_aes(token.session());
  Gcm gcm(core::Bytes(12, 1));
  const auto data = bytes(std::string(32, 'x'));
  const auto expected = must(token.session().encrypt(gcm, key, data));

  auto input = data;
  core::Bytes sealed(64);
  CK_ULONG first = sealed.size();
  must(token->C_EncryptInit(token.handle(), gcm.get(), key));
  must(token->C_EncryptUpdate(token.handle(), input.data(), 16, sealed.data(), &first));
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(in_child([&] {
                CK_ULONG size = sealed.size();
                if (token->C_EncryptUpdate(token.handle(), input.data(), 16, sealed.data(),
                                           &size) != CKR_CRYPTOKI_NOT_INITIALIZED) {
                  return 10;
                }
                return works_in_child(token.module(), leaving);
              }),
              0);
  }
  CK_ULONG second = sealed.size() - first;
  must(token->C_EncryptUpdate(token.handle(), input.data() + 16, 16, sealed.data() + first,
                              &second));
  CK_ULONG last = sealed.size() - first - second;
  must(token->C_EncryptFinal(token.handle(), sealed.data() + first + second, &last));
  sealed.resize(first + second + last);
  EXPECT_EQ(sealed, expected);
}

TEST(ForkStates, A46_InTheMiddleOfMessages) {
  TestToken token;
  const auto* const v3 = token.module().v3();
  const auto key = generate_aes(token.session());
  GcmMessage message;
  auto mechanism = message.mechanism();
  must(v3->C_MessageEncryptInit(token.handle(), &mechanism, key));
  must(v3->C_EncryptMessageBegin(token.handle(), message.get(), GcmMessage::size(), nullptr, 0));
  auto data = bytes("message");
  for (const auto leaving : kAllLeavings) {
    EXPECT_EQ(in_child([&] {
                core::Bytes out(64);
                CK_ULONG size = out.size();
                if (v3->C_EncryptMessageNext(token.handle(), message.get(), GcmMessage::size(),
                                             data.data(), data.size(), out.data(), &size,
                                             CKF_END_OF_MESSAGE) != CKR_CRYPTOKI_NOT_INITIALIZED) {
                  return 10;
                }
                return works_in_child(token.module(), leaving);
              }),
              0);
  }
  core::Bytes sealed(64);
  CK_ULONG size = sealed.size();
  must(v3->C_EncryptMessageNext(token.handle(), message.get(), GcmMessage::size(), data.data(),
                                data.size(), sealed.data(), &size, CKF_END_OF_MESSAGE));
  must(v3->C_MessageEncryptFinal(token.handle()));
  sealed.resize(size);
  sealed.insert(sealed.end(), message.tag().begin(), message.tag().end());
  Gcm gcm(message.iv());
  EXPECT_EQ(must(token.session().decrypt(gcm, key, sealed)), data);
}

TEST(ForkStates, A46_LoggedIn) {
  TestToken token;
  fork_in_between(token);
  EXPECT_EQ(token.session().state(), static_cast<CK_STATE>(CKS_RW_USER_FUNCTIONS));
}

// SQLite's notes about locks are a process's, and its locks are not inherited with them: without
// care the parent takes the write-ahead log away from under the child.
TEST(ForkStates, A46_WhatTheChildMadeStaysAfterTheParentHasFinished) {
  TestToken token;
  (void)data_object(token.session(), "parent's", true, true);
  Child child([&](int in, int out) {
    must(token->C_Initialize(nullptr));
    Session session(token.functions(), token.slot());
    must(session.login(CKU_USER, kUserPin));
    (void)data_object(session, "child's", true, true);
    char go = 0;
    write_byte(out, 'r');
    if (!read_byte(in, go)) return 1;
    (void)data_object(session, "child's", true, true);
    write_byte(out, 'r');
    if (!read_byte(in, go)) return 2;
    // What another process wrote meanwhile is seen, and nothing is written over it.
    if (session.find(Attributes().text(CKA_LABEL, "third's")).size() != 1) return 3;
    (void)data_object(session, "child's", true, true);
    must(token->C_Finalize(nullptr));
    return 0;
  });
  ASSERT_EQ(child.receive(), "r");
  token.close_session();
  token.finalize();
  child.send('g');
  ASSERT_EQ(child.receive(), "r");
  EXPECT_EQ(in_child([&] {
              must(token->C_Initialize(nullptr));
              Session session(token.functions(), token.slot());
              must(session.login(CKU_USER, kUserPin));
              (void)data_object(session, "third's", true, true);
              must(token->C_Finalize(nullptr));
              return 0;
            }),
            0);
  child.send('g');
  EXPECT_EQ(child.wait(), 0);
  token.initialize();
  token.open_and_login();
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "parent's")).size(), 1U);
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(), 3U);
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "third's")).size(), 1U);
}

TEST(ForkStates, A46_AGrandchildWorksThoughItsParentNeverInitialised) {
  TestToken token;
  EXPECT_EQ(in_child([&] {
              const auto status =
                  in_child([&] { return works_in_child(token.module(), Leaving::kFinalized); });
              return status != 0 ? status : works_in_child(token.module(), Leaving::kAtOnce);
            }),
            0);
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(), 2U);
}

// The threads are anywhere in the module when the process forks: in libcrypto, in SQLite, at a
// lock.
TEST(ForkStates, A46_A47_OtherThreadsInsideCalls) {
  TestToken token;
  const auto pair = generate_ec(token.session());
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> busy = 0;
  std::vector<std::thread> threads;
  constexpr int kThreads = 4;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      try {
        Session session(token.functions(), token.slot());
        ++busy;
        while (!done) {
          if (t % 2 == 0) {
            (void)must(session.sign(CKM_ECDSA_SHA256, pair.private_key, bytes("thread")));
            (void)generate_aes(session);
          } else {
            const auto object = data_object(session, "thread's", true, true);
            if (session.find(Attributes().text(CKA_LABEL, "thread's")).empty()) ++wrong;
            must(session.destroy(object));
          }
        }
      } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "thread: %s\n", error.what());
        ++wrong;
        ++busy;
      }
    });
  }
  while (busy < kThreads) std::this_thread::yield();
  constexpr int kChildren = 12;
  for (int round = 0; round < kChildren; ++round) {
    const auto leaving = round % 2 == 0 ? Leaving::kAtOnce : Leaving::kFinalized;
    EXPECT_EQ(in_child([&] { return works_in_child(token.module(), leaving); }), 0);
  }
  done = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(token.session().find(Attributes().text(CKA_LABEL, "thread's")).empty());
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "child's")).size(),
            static_cast<std::size_t>(kChildren));
}

}  // namespace
}  // namespace tallystick::test
