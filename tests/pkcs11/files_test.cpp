// The token's files: modes, links, foreign and damaged databases.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/pkcs11/support/database.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) throw std::runtime_error("stat " + path.string());
  return status.st_mode & 07777U;
}

CK_RV token_info(const Module& module, CK_SLOT_ID slot) {
  CK_TOKEN_INFO info{};
  return module->C_GetTokenInfo(slot, &info);
}

// Whether the token in a slot can be used at all: its info is read, the user logs in.
CK_RV use(const Bench& bench, CK_SLOT_ID slot) {
  if (const auto rv = token_info(bench.module(), slot); rv != CKR_OK) return rv;
  CK_SESSION_HANDLE session = 0;
  auto rv = bench.module()->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                          nullptr, &session);
  if (rv != CKR_OK) return rv;
  std::string pin = kUserPin;
  rv = bench.module()->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()),
                               pin.size());
  (void)bench.module()->C_CloseSession(session);
  return rv;
}

TEST(Files, A75_AreTheUsersOwnAndNobodyElsesToRead) {
  const auto before = umask(0);
  {
    TestToken token;
    (void)data_object(token.session(), "x", true, true);
    std::size_t files = 0;
    EXPECT_EQ(mode_of(token.home().path()), 0700U);
    for (const auto& entry : fs::recursive_directory_iterator(token.home().path())) {
      EXPECT_EQ(mode_of(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
      files += entry.is_directory() ? 0U : 1U;
    }
    EXPECT_GE(files, 2U);
  }
  (void)umask(before);
}

TEST(Files, A75_FilesThatOthersMayReadAreRefused) {
  TestToken token;
  const auto slot = token.slot();
  token.close_session();
  for (const auto& path : {token.home().root_keys().front(), token.home().databases().front()}) {
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
    token.restart();
    EXPECT_NE(use(token, slot), CKR_OK) << path;
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
    token.restart();
    EXPECT_THAT(use(token, slot), IsOk()) << path;
  }
}

TEST(Files, A75_LinksInPlaceOfFilesAreNotFollowed) {
  TestToken token;
  const auto slot = token.slot();
  token.close_session();
  for (const auto& path : {token.home().root_keys().front(), token.home().databases().front()}) {
    token.finalize();
    const auto aside = path + ".moved";
    fs::rename(path, aside);
    fs::create_symlink(aside, path);
    token.initialize();
    EXPECT_NE(use(token, slot), CKR_OK) << path;
    token.finalize();
    fs::remove(path);
    fs::rename(aside, path);
    token.initialize();
    EXPECT_THAT(use(token, slot), IsOk()) << path;
  }
}

TEST(Files, A75_APreMadeLinkIsNotWrittenThrough) {
  Bench bench;
  const auto slot = bench.module().free_slot();
  (void)make_token(bench.module());
  const auto folder = fs::path(bench.home().databases().front()).parent_path();
  const auto next = folder.parent_path() / std::to_string(slot + 1);
  const auto elsewhere = fs::path(bench.home().path()).parent_path() / "elsewhere";
  fs::create_directory(elsewhere);
  fs::create_directory_symlink(elsewhere, next);
  bench.restart();
  const auto free_slot = bench.module().free_slot();
  (void)init_token(bench.functions(), free_slot, kSoPin, "through a link");
  EXPECT_TRUE(fs::is_empty(elsewhere));
}

TEST(Files, ADatabaseOfAnotherTokenIsFoundOut) {
  Bench bench;
  const auto first = make_token(bench.module(), "first");
  const auto second = make_token(bench.module(), "second");
  bench.finalize();
  const auto databases = bench.home().databases();
  ASSERT_EQ(databases.size(), 2U);
  for (const auto& path : databases) Database(path).run("PRAGMA wal_checkpoint(TRUNCATE)");
  for (const auto& path : databases) {
    fs::remove(path + "-wal");
    fs::remove(path + "-shm");
  }
  fs::rename(databases[0], databases[0] + ".aside");
  fs::rename(databases[1], databases[0]);
  fs::rename(databases[0] + ".aside", databases[1]);
  bench.initialize();
  EXPECT_THAT(use(bench, first), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
  EXPECT_THAT(use(bench, second), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
  // Neither is taken for a slot that may be initialised.
  EXPECT_NE(init_token(bench.functions(), first, kSoPin, "over it"), CKR_OK);
  EXPECT_EQ(bench.home().databases().size(), 2U);
  EXPECT_NE(bench.module().slots().back(), first);
}

TEST(Files, WholeFoldersMayChangePlaces) {
  Bench bench;
  (void)make_token(bench.module(), "first");
  (void)make_token(bench.module(), "second");
  bench.finalize();
  const auto databases = bench.home().databases();
  const auto a = fs::path(databases[0]).parent_path();
  const auto b = fs::path(databases[1]).parent_path();
  fs::rename(a, a.string() + ".aside");
  fs::rename(b, a);
  fs::rename(a.string() + ".aside", b);
  bench.initialize();
  EXPECT_THAT(use(bench, slot_of(bench.module(), "first")), IsOk());
  EXPECT_THAT(use(bench, slot_of(bench.module(), "second")), IsOk());
}

TEST(Files, AMissingRootKeyIsAnErrorAndNoNewToken) {
  TestToken token;
  const auto slot = token.slot();
  token.close_session();
  token.finalize();
  fs::remove(token.home().root_keys().front());
  token.initialize();
  EXPECT_NE(use(token, slot), CKR_OK);
  EXPECT_NE(init_token(token.functions(), slot, kSoPin, "over it"), CKR_OK);
  EXPECT_EQ(token.home().databases().size(), 1U);
  EXPECT_THAT(use(token, make_token(token.module(), "beside it")), IsOk());
}

TEST(Files, AFolderThatMayNotBeLookedAtIsNoEmptySlot) {
  TestToken token;
  const auto slot = token.slot();
  token.close_session();
  token.finalize();
  fs::permissions(token.home().path(), fs::perms::none);
  EXPECT_EQ(in_child([&] {
              // Whom the mode does not hold back becomes somebody whom it does.
              constexpr uid_t kNobody = 65534;
              if (geteuid() == 0 && setuid(kNobody) != 0) return 1;
              (void)unsetenv("TALLYSTICK_CONF");
              (void)setenv("XDG_CONFIG_HOME", "/nowhere", 1);
              if (token->C_Initialize(nullptr) != CKR_OK) return 2;
              return use(token, 0) == CKR_TOKEN_NOT_RECOGNIZED ? 0 : 3;
            }),
            0);
  fs::permissions(token.home().path(), fs::perms::owner_all);
  token.initialize();
  EXPECT_THAT(use(token, slot), IsOk());
}

TEST(Files, ANewerSchemaIsRefusedAndLeftAsItIs) {
  TestToken token;
  const auto slot = token.slot();
  token.close_session();
  token.finalize();
  const auto path = token.home().databases().front();
  Database(path).run("PRAGMA user_version = 4711");
  token.initialize();
  EXPECT_THAT(use(token, slot), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED));
  EXPECT_EQ(Database(path).number("PRAGMA user_version"), 4711);
  token.finalize();
  Database(path).run("PRAGMA user_version = 3");
  token.initialize();
  EXPECT_THAT(use(token, slot), IsOk());
}

TEST(Files, A73_ADatabaseWithMoreInItThanATokenIsRefused) {
  for (const char* const sql :
       {"CREATE TRIGGER evil AFTER UPDATE ON pin BEGIN UPDATE pin SET tries = 0; END",
        "CREATE VIEW evil AS SELECT * FROM object", "CREATE TABLE evil (x)",
        "CREATE INDEX evil ON object (class)"}) {
    TestToken token;
    const auto slot = token.slot();
    token.close_session();
    token.finalize();
    Database(token.home().databases().front()).run(sql);
    token.initialize();
    EXPECT_THAT(use(token, slot), ReturnsRv(CKR_TOKEN_NOT_RECOGNIZED)) << sql;
  }
}

TEST(Files, BytesThatAreNoDatabaseAreAnError) {
  for (const auto& content : {std::string("junk"), std::string(100000, 'x'), std::string()}) {
    TestToken token;
    const auto slot = token.slot();
    token.close_session();
    token.finalize();
    const auto path = token.home().databases().front();
    fs::remove(path + "-wal");
    fs::remove(path + "-shm");
    write_file(path, bytes(content));
    token.initialize();
    EXPECT_NE(use(token, slot), CKR_OK) << content.size();
  }
}

// A home that cannot be written to. Root writes anywhere, so the folder's place is taken by a file.
TEST(Files, AHomeThatCannotBeMadeIsAClearError) {
  const Home home;
  write_file(home.path(), bytes("in the way"));
  const Module module;
  const auto rv = module->C_Initialize(nullptr);
  if (rv == CKR_OK) {
    CK_ULONG count = 0;
    EXPECT_NE(module->C_GetSlotList(CK_FALSE, nullptr, &count) == CKR_OK &&
                  init_token(module.functions(), 0, kSoPin, "x") == CKR_OK,
              true);
    (void)module->C_Finalize(nullptr);
  } else {
    EXPECT_THAT(rv, ::testing::AnyOf(ReturnsRv(CKR_GENERAL_ERROR), ReturnsRv(CKR_DEVICE_ERROR),
                                     ReturnsRv(CKR_FUNCTION_FAILED)));
  }
}

// Files may grow no further: what a full disk does to writes, without a disk of its own.
TEST(Files, AFullDiskIsAClearErrorAndLosesNothing) {
  TestToken token;
  (void)data_object(token.session(), "before", true, true);
  token.close_session();
  token.finalize();
  const auto status = in_child([&] {
    must(token.module()->C_Initialize(nullptr));
    Session session(token.functions(), slot_of(token.module(), "test"));
    must(session.login(CKU_USER, kUserPin));
    (void)signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit { 200000, 200000 };
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 10;
    int made = 0;
    for (int i = 0; i < 200; ++i) {
      const auto rv = session
                          .create(Attributes()
                                      .number(CKA_CLASS, CKO_DATA)
                                      .flag(CKA_TOKEN, true)
                                      .text(CKA_LABEL, "filling")
                                      .bytes(CKA_VALUE, core::Bytes(20000, 1)))
                          .rv;
      if (rv == CKR_OK) {
        ++made;
        continue;
      }
      if (rv != CKR_DEVICE_MEMORY && rv != CKR_DEVICE_ERROR && rv != CKR_FUNCTION_FAILED) return 11;
      // What was acknowledged is there, what was not is not.
      const auto there =
          static_cast<int>(session.find(Attributes().text(CKA_LABEL, "filling")).size());
      return there == made ? 0 : 12;
    }
    return 13;
  });
  EXPECT_EQ(status, 0);
  token.initialize();
  token.open_and_login();
  EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "before")).size(), 1U);
  EXPECT_NE(data_object(token.session(), "after", true, true), 0U);
}

TEST(Files, A74_NoSecretStandsInAnyFile) {
  FamilyToken token;
  const auto& family = token.world().family();
  const core::Bytes known(32, 0xC7);
  (void)must(token.session().create(secret_key(CKK_AES, known).flag(CKA_TOKEN, true)));
  (void)data_object(token.session(), "a private text that nobody else reads", true, true);
  token.close_session();
  token.finalize();
  std::vector<core::Bytes> secrets = {
      known,
      bytes("a private text that nobody else reads"),
      bytes(kUserPin),
      bytes(kSoPin),
      {family.k_oem_share.view().begin(), family.k_oem_share.view().end()},
      {family.k_oem_master_share->view().begin(), family.k_oem_master_share->view().end()}};
  for (const auto& share : family.shares) {
    secrets.emplace_back(share.view().begin(), share.view().end());
  }
  std::size_t looked = 0;
  for (const auto& entry : fs::recursive_directory_iterator(token.home().path())) {
    if (!entry.is_regular_file()) continue;
    ++looked;
    const auto content = read_file(entry.path().string());
    for (const auto& secret : secrets) {
      EXPECT_FALSE(holds(content, secret)) << entry.path();
    }
  }
  EXPECT_GE(looked, 2U);
}

TEST(Files, A76_ARelativeOrMissingHomeIsResolvedOnce) {
  const Home home;
  const auto before = fs::current_path();
  const Module module;
  ASSERT_THAT(module->C_Initialize(nullptr), IsOk());
  const auto slot = make_token(module, "moved");
  fs::current_path("/");
  EXPECT_EQ(slot_of(module, "moved"), slot);
  fs::current_path(before);
  must(module->C_Finalize(nullptr));
}

}  // namespace
}  // namespace tallystick::test
