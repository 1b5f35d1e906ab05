// C_Initialize, C_Finalize, loading and unloading.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

CK_RV no_mutex(CK_VOID_PTR_PTR /*mutex*/) { return CKR_OK; }
CK_RV no_mutex_use(CK_VOID_PTR /*mutex*/) { return CKR_OK; }

TEST(Lifecycle, InitializeFailsOnTheSecondCallAndWorksAgainAfterFinalize) {
  const Home home;
  const Module module;
  ASSERT_THAT(module->C_Initialize(nullptr), IsOk());
  EXPECT_THAT(module->C_Initialize(nullptr), ReturnsRv(CKR_CRYPTOKI_ALREADY_INITIALIZED));
  EXPECT_THAT(module->C_Finalize(nullptr), IsOk());
  EXPECT_THAT(module->C_Finalize(nullptr), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_Initialize(nullptr), IsOk());
  EXPECT_THAT(module->C_Finalize(nullptr), IsOk());
}

TEST(Lifecycle, FinalizeRefusesAReservedArgumentAndChangesNothing) {
  const Bench bench;
  int anything = 0;
  EXPECT_THAT(bench.module()->C_Finalize(&anything), ReturnsRv(CKR_ARGUMENTS_BAD));
  CK_INFO info{};
  EXPECT_THAT(bench.module()->C_GetInfo(&info), IsOk());
}

TEST(Lifecycle, InitializeTakesTheLockingArgumentsThatItCanServe) {
  const Home home;
  const Module module;
  CK_C_INITIALIZE_ARGS args{};
  EXPECT_THAT(module->C_Initialize(&args), IsOk());
  EXPECT_THAT(module->C_Finalize(nullptr), IsOk());

  args.flags = CKF_OS_LOCKING_OK;
  EXPECT_THAT(module->C_Initialize(&args), IsOk());
  EXPECT_THAT(module->C_Finalize(nullptr), IsOk());

  args.CreateMutex = no_mutex;
  args.DestroyMutex = no_mutex_use;
  args.LockMutex = no_mutex_use;
  args.UnlockMutex = no_mutex_use;
  EXPECT_THAT(module->C_Initialize(&args), IsOk());
  EXPECT_THAT(module->C_Finalize(nullptr), IsOk());

  args.flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS;
  EXPECT_THAT(module->C_Initialize(&args), IsOk());
  EXPECT_THAT(module->C_Finalize(nullptr), IsOk());
}

TEST(Lifecycle, InitializeRefusesArgumentsThatContradictThemselves) {
  const Home home;
  const Module module;
  CK_C_INITIALIZE_ARGS args{};
  int anything = 0;
  args.pReserved = &anything;
  EXPECT_THAT(module->C_Initialize(&args), ReturnsRv(CKR_ARGUMENTS_BAD));

  // Some of the mutex functions, not all.
  args.pReserved = nullptr;
  args.CreateMutex = no_mutex;
  EXPECT_THAT(module->C_Initialize(&args), ReturnsRv(CKR_ARGUMENTS_BAD));
  args.DestroyMutex = no_mutex_use;
  args.LockMutex = no_mutex_use;
  EXPECT_THAT(module->C_Initialize(&args), ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(module->C_Finalize(nullptr), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
}

TEST(Lifecycle, AnApplicationThatForbidsTheSystemsLocksIsNotServed) {
  const Home home;
  const Module module;
  CK_C_INITIALIZE_ARGS args{};
  args.CreateMutex = no_mutex;
  args.DestroyMutex = no_mutex_use;
  args.LockMutex = no_mutex_use;
  args.UnlockMutex = no_mutex_use;
  // Without CKF_OS_LOCKING_OK the caller asks for its own primitives and no others.
  EXPECT_THAT(module->C_Initialize(&args), ReturnsRv(CKR_CANT_LOCK));
  args.flags = CKF_OS_LOCKING_OK;
  EXPECT_THAT(module->C_Initialize(&args), IsOk());
  EXPECT_THAT(module->C_Finalize(nullptr), IsOk());
}

TEST(Lifecycle, CallsBeforeInitializeSayThatItIsMissing) {
  const Home home;
  const Module module;
  CK_INFO info{};
  CK_ULONG count = 0;
  CK_SLOT_INFO slot{};
  CK_TOKEN_INFO token{};
  CK_SESSION_HANDLE session = 0;
  CK_BYTE byte = 0;
  EXPECT_THAT(module->C_GetInfo(&info), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_GetSlotList(CK_FALSE, nullptr, &count),
              ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_GetSlotInfo(0, &slot), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_GetTokenInfo(0, &token), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
              ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_CloseAllSessions(0), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_GenerateRandom(1, &byte, 1), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_DestroyObject(1, 1), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
  EXPECT_THAT(module->C_SignFinal(1, &byte, &count), ReturnsRv(CKR_CRYPTOKI_NOT_INITIALIZED));
}

TEST(Lifecycle, TheFunctionsOfOldParallelCallsAnswerWithoutASession) {
  const Bench bench;
  EXPECT_THAT(bench.module()->C_GetFunctionStatus(0), ReturnsRv(CKR_FUNCTION_NOT_PARALLEL));
  EXPECT_THAT(bench.module()->C_CancelFunction(0), ReturnsRv(CKR_FUNCTION_NOT_PARALLEL));
}

TEST(Lifecycle, InfoNamesTheLibrary) {
  const Bench bench;
  CK_INFO info{};
  ASSERT_THAT(bench.module()->C_GetInfo(&info), IsOk());
  EXPECT_EQ(info.cryptokiVersion.major, 2);
  EXPECT_EQ(info.cryptokiVersion.minor, 40);
  EXPECT_EQ(info.flags, 0U);
  const std::string maker(reinterpret_cast<const char*>(info.manufacturerID),
                          sizeof info.manufacturerID);
  EXPECT_THAT(maker, ::testing::StartsWith("Tallystick"));
  EXPECT_EQ(maker.find('\0'), std::string::npos) << "blank padded, not terminated";
}

TEST(Lifecycle, SessionsAndHandlesAreGoneAfterFinalize) {
  TestToken token;
  const auto session = token.handle();
  const auto key = generate_aes(token.session());
  token.restart();
  CK_SESSION_INFO info{};
  EXPECT_THAT(token->C_GetSessionInfo(session, &info), ReturnsRv(CKR_SESSION_HANDLE_INVALID));
  token.open_and_login();
  EXPECT_THAT(token.session().destroy(key), ReturnsRv(CKR_OBJECT_HANDLE_INVALID));
}

TEST(Lifecycle, TheModuleIsLoadedUsedAndUnloadedAHundredTimes) {
  const Home home;
  for (int round = 0; round < 100; ++round) {
    const Module module;
    ASSERT_THAT(module->C_Initialize(nullptr), IsOk());
    const auto slot = module.free_slot();
    {
      Session session(module.functions(), slot);
      ASSERT_EQ(must(session.digest(CKM_SHA256, bytes("abc"))).size(), 32U);
    }
    ASSERT_THAT(module->C_Finalize(nullptr), IsOk());
  }
}

TEST(Lifecycle, TheModuleIsUnloadedWithoutFinalize) {
  EXPECT_EQ(in_child([] {
              const Home home;
              const Module module;
              must(module->C_Initialize(nullptr));
              const auto slot = make_token(module);
              CK_SESSION_HANDLE session = 0;
              must(module->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session));
              return 0;
            }),
            0);
}

// exit() runs what libraries registered; the module has nothing there that could crash.
TEST(Lifecycle, TheProcessEndsCleanlyWithTheModuleInUse) {
  EXPECT_EXIT(
      {
        auto* const home = new Home;
        auto* const module = new Module;
        must((*module)->C_Initialize(nullptr));
        const auto slot = make_token(*module);
        auto* const session = new Session(module->functions(), slot);
        must(session->login(CKU_USER, kUserPin));
        (void)generate_aes(*session);
        std::filesystem::remove_all(home->path());
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

// A late user: some programs still call in from their own exit handlers, after libcrypto's.
TEST(Lifecycle, CallsFromAnExitHandlerDoNotCrash) {
  static Module* late = nullptr;
  static CK_SESSION_HANDLE session = 0;
  EXPECT_EXIT(
      {
        auto* const home = new Home;
        late = new Module;
        // Registered before anything of libcrypto in this process, so it runs after it.
        (void)std::atexit([] {
          std::array<CK_BYTE, 8> random{};
          const auto rv = (*late)->C_GenerateRandom(session, random.data(), random.size());
          (void)rv;
          (void)(*late)->C_Finalize(nullptr);
        });
        must((*late)->C_Initialize(nullptr));
        const auto slot = late->free_slot();
        must((*late)->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session));
        std::filesystem::remove_all(home->path());
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

// The module keeps to its own library context: an application's default context, its properties
// and its error queue stay as they were.
TEST(Lifecycle, AnotherUserOfLibcryptoInTheProcessSeesNothingOfTheModule) {
  const std::unique_ptr<OSSL_LIB_CTX, decltype(&OSSL_LIB_CTX_free)> own(OSSL_LIB_CTX_new(),
                                                                        &OSSL_LIB_CTX_free);
  OSSL_LIB_CTX* const before = OSSL_LIB_CTX_set0_default(own.get());
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  const auto mine = ERR_peek_last_error();
  {
    TestToken token;
    const auto key = generate_aes(token.session());
    Gcm gcm(core::Bytes(12, 1));
    auto sealed = must(token.session().encrypt(gcm, key, bytes("text")));
    sealed[0] ^= 1U;
    EXPECT_NE(token.session().decrypt(gcm, key, sealed).rv, CKR_OK);
    EXPECT_EQ(OSSL_LIB_CTX_set0_default(nullptr), own.get());
  }
  EXPECT_EQ(ERR_peek_last_error(), mine);
  EXPECT_EQ(ERR_peek_error(), mine);
  ERR_clear_error();
  EXPECT_EQ(OSSL_LIB_CTX_set0_default(before), own.get());
}

}  // namespace
}  // namespace tallystick::test
