// The provider in programs: threads, forked children, contexts that are copied, and a module that
// others use and end. program.sh makes the token and says where everything is.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/provider/foreigner.h"

namespace tallystick {
namespace {

class Provider : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(loaded.complete());
    key = loaded.key(uri(GetParam()));
    ASSERT_TRUE(key) << queued_errors();
  }
  void expect_signs(std::string_view message) {
    const auto signature = loaded.sign(key.get(), message);
    ASSERT_FALSE(signature.empty()) << queued_errors();
    EXPECT_TRUE(verifies(key.get(), message, signature));
  }
  Loaded loaded;
  PkeyPtr key;
};

TEST_P(Provider, SignsInSixteenThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([this, &good, i] {
      for (int j = 0; j < 10; ++j) {
        const std::string message = "message " + std::to_string(i) + "." + std::to_string(j);
        const auto signature = loaded.sign(key.get(), message);
        if (!signature.empty() && verifies(key.get(), message, signature)) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

TEST_P(Provider, SignsInThreeChildrenAtOnceAndInTheParent) {
  expect_signs("before");
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      bool good = true;
      for (int j = 0; j < 10; ++j) {
        const auto signature = loaded.sign(key.get(), "in a child");
        good = good && !signature.empty() && verifies(key.get(), "in a child", signature);
      }
      if (!good) std::fputs(queued_errors().c_str(), stderr);
      // The handlers of exit() run in the child, too.
      std::exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (int j = 0; j < 10; ++j) expect_signs("in the parent");
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  }
}

TEST_P(Provider, SignsOnAfterSomebodyElseEndedTheModule) {
  expect_signs("before");
  const Foreigner foreigner;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(foreigner->C_Finalize(nullptr), CKR_OK);
    expect_signs("after");
  }
}

TEST_P(Provider, SignsOnAfterSomebodyElseClosedAllSessions) {
  expect_signs("before");
  const Foreigner foreigner;
  ASSERT_EQ(foreigner->C_CloseAllSessions(foreigner.slot()), CKR_OK);
  expect_signs("after");
}

TEST_P(Provider, LeavesTheSessionsOfOthersAlone) {
  const Foreigner foreigner;
  const CK_SESSION_HANDLE session = foreigner.session();
  {
    const Loaded second;
    const PkeyPtr own = second.key(uri(GetParam()));
    ASSERT_TRUE(own);
    EXPECT_FALSE(second.sign(own.get(), "message").empty());
  }
  CK_SESSION_INFO info{};
  EXPECT_EQ(foreigner->C_GetSessionInfo(session, &info), CKR_OK);
  EXPECT_EQ(foreigner->C_CloseSession(session), CKR_OK);
}

TEST_P(Provider, LoadsAndUnloadsManyTimesWithoutLeavingSessions) {
  const Foreigner foreigner;
  const CK_ULONG before = foreigner.sessions();
  for (int i = 0; i < 20; ++i) {
    const Loaded again;
    const PkeyPtr own = again.key(uri(GetParam()));
    ASSERT_TRUE(own);
    EXPECT_FALSE(again.sign(own.get(), "message").empty());
  }
  EXPECT_EQ(foreigner.sessions(), before);
}

TEST_P(Provider, DuplicatedContextsSignTheirOwnMessages) {
  const MdCtxPtr first(EVP_MD_CTX_new());
  const MdCtxPtr second(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_DigestSignInit_ex(first.get(), nullptr, "SHA256", loaded.lib(), nullptr, key.get(),
                                  nullptr),
            1);
  ASSERT_EQ(EVP_DigestSignUpdate(first.get(), "one", 3), 1);
  ASSERT_EQ(EVP_MD_CTX_copy_ex(second.get(), first.get()), 1);
  ASSERT_EQ(EVP_DigestSignUpdate(first.get(), " and two", 8), 1);
  ASSERT_EQ(EVP_DigestSignUpdate(second.get(), " and three", 10), 1);
  const auto finish = [this](EVP_MD_CTX* context) {
    std::vector<unsigned char> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    std::size_t size = signature.size();
    EXPECT_EQ(EVP_DigestSignFinal(context, signature.data(), &size), 1) << queued_errors();
    signature.resize(size);
    return signature;
  };
  EXPECT_TRUE(verifies(key.get(), "one and two", finish(first.get())));
  EXPECT_TRUE(verifies(key.get(), "one and three", finish(second.get())));
}

TEST_P(Provider, A77_ExportsNoPrivatePart) {
  OSSL_PARAM* params = nullptr;
  EXPECT_EQ(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &params), 0);
  EXPECT_EQ(EVP_PKEY_todata(key.get(), EVP_PKEY_PUBLIC_KEY, &params), 1);
  OSSL_PARAM_free(params);
}

INSTANTIATE_TEST_SUITE_P(, Provider, ::testing::Values("rsa", "ec"),
                         [](const auto& param) { return std::string(param.param); });

TEST(ProviderPins, AWrongOneIsTriedOnce) {
  const Loaded loaded;
  ERR_clear_error();
  // OpenSSL's queue holds the last 16 errors.
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(loaded.key(uri("ec", "99999999")));
  const std::string errors = queued_errors();
  EXPECT_NE(errors.find("CKR_PIN_INCORRECT"), std::string::npos) << errors;
  EXPECT_EQ(errors.find("CKR_PIN_INCORRECT"), errors.rfind("CKR_PIN_INCORRECT")) << errors;
  EXPECT_NE(errors.find("is not tried again"), std::string::npos) << errors;
  EXPECT_TRUE(loaded.key(uri("ec"))) << queued_errors();
}

TEST(ProviderKeys, ADestroyedOneIsNamed) {
  const Loaded loaded;
  const PkeyPtr key = loaded.key(uri("spare"));
  ASSERT_TRUE(key) << queued_errors();
  ASSERT_FALSE(loaded.sign(key.get(), "message").empty());
  const Foreigner foreigner;
  const CK_SESSION_HANDLE session = foreigner.session();
  std::string label = "spare";
  CK_ATTRIBUTE wanted{CKA_LABEL, label.data(), label.size()};
  ASSERT_EQ(foreigner->C_FindObjectsInit(session, &wanted, 1), CKR_OK);
  std::array<CK_OBJECT_HANDLE, 8> objects{};
  CK_ULONG count = 0;
  ASSERT_EQ(foreigner->C_FindObjects(session, objects.data(), objects.size(), &count), CKR_OK);
  foreigner->C_FindObjectsFinal(session);
  ASSERT_EQ(count, 2U);
  for (CK_ULONG i = 0; i < count; ++i) {
    EXPECT_EQ(foreigner->C_DestroyObject(session, objects.at(i)), CKR_OK);
  }
  foreigner->C_CloseSession(session);
  ERR_clear_error();
  EXPECT_TRUE(loaded.sign(key.get(), "message").empty());
  EXPECT_NE(queued_errors().find("spare"), std::string::npos);
}

// As libcrypto's own key does: who gives no length has room.
TEST(ProviderKem, ADecapsulationMayLeaveTheLengthOut) {
  const Loaded loaded;
  const core::PkeyCtxPtr generation(
      EVP_PKEY_CTX_new_from_name(loaded.lib(), "ML-KEM-768", "?provider=tallystick"));
  if (!generation) GTEST_SKIP() << "this OpenSSL has no ML-KEM";
  std::string where = uri("kem");
  const std::array<OSSL_PARAM, 2> options{
      OSSL_PARAM_construct_utf8_string("tallystick_uri", where.data(), 0),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  ASSERT_GT(EVP_PKEY_keygen_init(generation.get()), 0);
  ASSERT_GT(EVP_PKEY_CTX_set_params(generation.get(), options.data()), 0);
  ERR_clear_error();
  if (EVP_PKEY_generate(generation.get(), &made) <= 0) {
    const std::string errors = queued_errors();
    ASSERT_NE(errors.find("CKR_MECHANISM_INVALID"), std::string::npos) << errors;
    GTEST_SKIP() << "the module has no ML-KEM";
  }
  const PkeyPtr key(made);

  const auto operation = [&] {
    return core::PkeyCtxPtr(EVP_PKEY_CTX_new_from_pkey(loaded.lib(), key.get(), nullptr));
  };
  std::array<unsigned char, 1088> ciphertext{};
  std::array<unsigned char, 32> theirs{};
  std::size_t size = ciphertext.size();
  std::size_t secret_size = theirs.size();
  const auto sender = operation();
  ASSERT_GT(EVP_PKEY_encapsulate_init(sender.get(), nullptr), 0) << queued_errors();
  ASSERT_GT(
      EVP_PKEY_encapsulate(sender.get(), ciphertext.data(), &size, theirs.data(), &secret_size), 0);
  std::array<unsigned char, 32> ours{};
  const auto receiver = operation();
  ASSERT_GT(EVP_PKEY_decapsulate_init(receiver.get(), nullptr), 0) << queued_errors();
  EXPECT_GT(EVP_PKEY_decapsulate(receiver.get(), ours.data(), nullptr, ciphertext.data(), size), 0)
      << queued_errors();
  EXPECT_EQ(ours, theirs);
  std::size_t room = 31;
  EXPECT_LE(EVP_PKEY_decapsulate(receiver.get(), ours.data(), &room, ciphertext.data(), size), 0);
}

}  // namespace
}  // namespace tallystick
