// A47: eight threads on one token.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

constexpr int kWorkers = 8;

// Runs `work` in each thread with a session of its own, and counts what it reports as wrong.
int in_threads(TestToken& token, const std::function<int(Session&, int)>& work) {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kWorkers; ++t) {
    threads.emplace_back([&, t] {
      try {
        Session session(token.functions(), token.slot());
        wrong += work(session, t);
      } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "thread: %s\n", error.what());
        ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return wrong;
}

TEST(Threads, A47_CreateFindSignAndDestroyBesideEachOther) {
  TestToken token;
  const auto pair = generate_ec(token.session());
  const auto shared_key = generate_aes(token.session());
  EXPECT_EQ(in_threads(token,
                       [&](Session& session, int t) {
                         int wrong = 0;
                         const auto label = "thread " + std::to_string(t);
                         for (int i = 0; i < 20; ++i) {
                           const auto data = data_object(session, label, i % 5 == 0, i % 2 == 0);
                           const auto key =
                               generate_aes(session, Attributes().text(CKA_LABEL, label));
                           if (session.find(Attributes().text(CKA_LABEL, label)).size() != 2) {
                             ++wrong;
                           }
                           Gcm gcm(core::Bytes(12, 1));
                           const auto sealed = must(session.encrypt(gcm, shared_key, bytes(label)));
                           if (must(session.decrypt(gcm, shared_key, sealed)) != bytes(label)) {
                             ++wrong;
                           }
                           const auto signature =
                               must(session.sign(CKM_ECDSA_SHA256, pair.private_key, bytes(label)));
                           if (session.verify(CKM_ECDSA_SHA256, pair.public_key, bytes(label),
                                              signature) != CKR_OK) {
                             ++wrong;
                           }
                           (void)must(session.digest(CKM_SHA256, bytes(label)));
                           (void)must(session.random(16));
                           must(session.destroy(data));
                           must(session.destroy(key));
                         }
                         return wrong;
                       }),
            0);
}

TEST(Threads, A47_OfSeveralThreadsThatDestroyOneObjectOneSucceeds) {
  TestToken token;
  for (int round = 0; round < 10; ++round) {
    const auto object = data_object(token.session(), "x", round % 2 == 0, false);
    std::atomic<int> destroyed = 0;
    EXPECT_EQ(in_threads(token,
                         [&](Session& session, int) {
                           const auto rv = session.destroy(object);
                           if (rv == CKR_OK) ++destroyed;
                           return rv == CKR_OK || rv == CKR_OBJECT_HANDLE_INVALID ||
                                          rv == CKR_FUNCTION_FAILED
                                      ? 0
                                      : 1;
                         }),
              0);
    EXPECT_EQ(destroyed, 1);
  }
}

TEST(Threads, A47_SessionsAreOpenedAndClosedWhileOthersWork) {
  TestToken token;
  EXPECT_EQ(in_threads(token,
                       [&](Session& session, int t) {
                         for (int i = 0; i < 30; ++i) {
                           if (t % 2 == 0) {
                             Session more(token.functions(), token.slot());
                             (void)data_object(more, "of the session", false, false);
                           } else {
                             (void)session.find(Attributes().number(CKA_CLASS, CKO_DATA));
                             (void)token.module().token_info(token.slot());
                           }
                         }
                         return 0;
                       }),
            0);
  EXPECT_TRUE(token.session().find(Attributes().text(CKA_LABEL, "of the session")).empty());
}

TEST(Threads, A47_LogoutsAndLoginsWhileOthersWorkGiveErrorsAndNoCrash) {
  TestToken token;
  const auto key = generate_aes(token.session(), Attributes().flag(CKA_TOKEN, true));
  EXPECT_EQ(in_threads(token,
                       [&](Session& session, int t) {
                         for (int i = 0; i < 10; ++i) {
                           if (t == 0) {
                             (void)session.logout();
                             (void)session.login(CKU_USER, kUserPin);
                           } else {
                             Gcm gcm(core::Bytes(12, 1));
                             const auto found =
                                 session.find(Attributes().number(CKA_KEY_TYPE, CKK_AES));
                             for (const auto object : found) {
                               (void)session.encrypt(gcm, object, bytes("x"));
                             }
                             (void)session.encrypt(gcm, key, bytes("x"));
                           }
                         }
                         return 0;
                       }),
            0);
}

TEST(Threads, A08_A47_OneWayAttributesHoldAgainstARaceOfTwoThreads) {
  TestToken token;
  for (int round = 0; round < 20; ++round) {
    const auto key = must(token.session().create(secret_key(CKK_AES, core::Bytes(32, 1))
                                                     .flag(CKA_SENSITIVE, false)
                                                     .flag(CKA_EXTRACTABLE, true)
                                                     .flag(CKA_TOKEN, round % 2 == 0)));
    EXPECT_EQ(in_threads(token,
                         [&](Session& session, int t) {
                           if (t % 2 == 0) {
                             (void)session.set(key, Attributes().flag(CKA_SENSITIVE, true));
                           } else {
                             (void)session.set(key, Attributes().text(CKA_LABEL, "x"));
                           }
                           return 0;
                         }),
              0);
    // Whoever tightened it was told so, and no later change put the old value back.
    if (token.session().set(key, Attributes().flag(CKA_SENSITIVE, true)) == CKR_OK) {
      EXPECT_TRUE(token.session().flag(key, CKA_SENSITIVE));
    }
    must(token.session().destroy(key));
  }
}

TEST(Threads, A47_TheVendorMechanismsServeSeveralThreads) {
  FamilyToken token;
  const auto share = must(token.make_share());
  // Looked up once: a search belongs to its session, and the fixture's serves one thread.
  const auto family = token.family();
  EXPECT_EQ(
      in_threads(token,
                 [&](Session& session, int) {
                   for (int i = 0; i < 5; ++i) {
                     (void)asset_key(session, share, "TS1/ENCD");
                     (void)must(session.derive(asset_generate(CK_TS_ASSET_AES256, "x"), share, {}));
                     (void)must(session.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), family, share));
                   }
                   return 0;
                 }),
      0);
}

TEST(Threads, OfTwoSessionsWithOneConsentOneRegenerates) {
  FamilyToken token;
  const auto share = must(token.make_share());
  const auto blob =
      must(token.session().wrap(with_byte(CKM_TS_MASTER_SHARE_WRAP, 1), token.family(), share));
  const auto mechanism = regenerate(token.crypto(), token.oem_key(), device_id(token.session()),
                                    device_nonce(token.session()), blob);
  const auto family = token.family();
  std::atomic<int> served = 0;
  EXPECT_EQ(in_threads(token,
                       [&](Session& session, int) {
                         if (session.unwrap(mechanism, family, blob, {}).rv == CKR_OK) ++served;
                         return 0;
                       }),
            0);
  EXPECT_EQ(served, 1);
}

}  // namespace
}  // namespace tallystick::test
