// The provider in programs: threads, forked children, contexts that are copied, and a module that
// others use and end. program.sh makes the token and says where everything is.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "tests/provider/loaded.h"

namespace tallystick {
namespace {

// By OpenSSL without the provider: the public key travels as SubjectPublicKeyInfo.
bool verifies(EVP_PKEY* key, std::string_view message,
              const std::vector<unsigned char>& signature) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return false;
  const unsigned char* at = der;
  const LibCtxPtr plain(OSSL_LIB_CTX_new());
  const PkeyPtr other(d2i_PUBKEY_ex(nullptr, &at, size, plain.get(), nullptr));
  OPENSSL_free(der);
  const MdCtxPtr context(EVP_MD_CTX_new());
  return other &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", plain.get(), nullptr,
                                 other.get(), nullptr) > 0 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

// The module as somebody else in the process uses it, straight from the file.
class Foreigner {
 public:
  Foreigner() : library_(::dlopen(module_path().c_str(), RTLD_NOW | RTLD_LOCAL)) {
    const auto list =
        reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
    if (list != nullptr) list(&functions_);
  }
  ~Foreigner() { ::dlclose(library_); }
  Foreigner(const Foreigner&) = delete;
  Foreigner& operator=(const Foreigner&) = delete;
  CK_FUNCTION_LIST* operator->() const { return functions_; }

  [[nodiscard]] CK_SLOT_ID slot() const {
    CK_ULONG count = 16;
    std::array<CK_SLOT_ID, 16> slots{};
    functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info{};
      if (functions_->C_GetTokenInfo(slots.at(i), &info) == CKR_OK &&
          std::string(reinterpret_cast<char*>(info.label), 5) == "line ") {
        return slots.at(i);
      }
    }
    return CK_UNAVAILABLE_INFORMATION;
  }
  [[nodiscard]] CK_SESSION_HANDLE session() const {
    CK_SESSION_HANDLE handle = 0;
    functions_->C_OpenSession(slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                              &handle);
    return handle;
  }

 private:
  void* library_;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

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
  const auto sessions = [&foreigner] {
    CK_TOKEN_INFO info{};
    foreigner->C_GetTokenInfo(foreigner.slot(), &info);
    return info.ulSessionCount;
  };
  const CK_ULONG before = sessions();
  for (int i = 0; i < 20; ++i) {
    const Loaded again;
    const PkeyPtr own = again.key(uri(GetParam()));
    ASSERT_TRUE(own);
    EXPECT_FALSE(again.sign(own.get(), "message").empty());
  }
  EXPECT_EQ(sessions(), before);
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

}  // namespace
}  // namespace tallystick
