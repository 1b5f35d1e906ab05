// Nothing branches on a secret and nothing is looked up by one: valgrind's memcheck takes secrets
// for undefined and complains of both. The functions of the product run as they are; where one
// gives a verdict, verdicts.cpp says that it is public. Each family of tests has one that stops
// early on purpose, which has to be found by the same run.
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <iostream>

#include "core/crypto/padding.h"
#include "core/ts1/seal.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"
#include "tests/secrets/secret_marks.h"
#include "tests/support/oem_desk.h"
#include "tests/support/value.h"

namespace tallystick::test {
namespace {

constexpr const char* kRsaKey = "TALLYSTICK_TEST_RSA_KEY";

unsigned complaints() { return VALGRIND_COUNT_ERRORS; }

// How often memcheck complained while something ran.
unsigned complaints_of(const std::function<void()>& work) {
  const auto before = complaints();
  work();
  return complaints() - before;
}

class ConstantTime : public ::testing::Test {
 protected:
  ~ConstantTime() override {
    Stand::stopping_early = false;
    Stand::secret_derivations = {};
  }
};

// The module's own functions, linked into this program, with a token of its own.
class ConstantTimeToken : public ConstantTime {
 protected:
  ConstantTimeToken() {
    CK_C_GetFunctionList get = &C_GetFunctionList;
    must(get(&functions_));
    home_.configure("[mechanisms]\nrsa_pkcs1_decrypt = true\nrsa_raw = true\n");
    must(functions_->C_Initialize(nullptr));
    must(init_token(functions_, 0, kSoPin, "secrets"));
    session_.emplace(functions_, 0);
    must(session_->login(CKU_SO, kSoPin));
    must(session_->init_pin(kUserPin));
    must(session_->logout());
  }
  ~ConstantTimeToken() override {
    session_.reset();
    (void)functions_->C_Finalize(nullptr);
  }

  Session& session() { return *session_; }
  void log_in() { must(session_->login(CKU_USER, kUserPin)); }

  // With a value that counts as secret.
  CK_OBJECT_HANDLE create_secret(CK_KEY_TYPE type, std::size_t size, const Attributes& more) {
    auto value = random_bytes(size);
    mark_secret(value);
    auto attributes = secret_key(type, value).append(more);
    mark_public(value);
    return must(session().create(attributes));
  }
  // Of a key that was made before valgrind took over, which is slow at it.
  KeyPair rsa_pair(CK_ATTRIBUTE_TYPE public_use, CK_ATTRIBUTE_TYPE private_use) {
    core::Bytes der(4096);
    std::size_t size = 0;
    if (OPENSSL_hexstr2buf_ex(der.data(), der.size(), &size, std::getenv(kRsaKey), 0) != 1) {
      throw std::runtime_error("fixture: no RSA key");
    }
    const auto key = from_pkcs8(core::ByteView(der).first(size));
    return {must(session().create(public_key(key.get()).flag(public_use, true))),
            must(session().create(private_key(key.get()).flag(private_use, true)))};
  }
  // What comes out of a key that is secret, for whoever may see it.
  static core::Bytes seen(Answer<core::Bytes> answer) {
    auto bytes = must(std::move(answer));
    mark_public(bytes);
    return bytes;
  }

  CK_FUNCTION_LIST* functions_ = nullptr;
  Home home_;
  std::optional<Session> session_;
};

// ---- What memcheck sees at all ----

__attribute__((noinline)) bool same_until_it_differs(core::ByteView a, core::ByteView b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

TEST_F(ConstantTime, A37_WhatStopsEarlyIsFound) {
  auto secret = random_bytes(32);
  const auto guess = random_bytes(32);
  bool same = false;
  mark_secret(secret);
  EXPECT_GT(complaints_of([&] { same = same_until_it_differs(secret, guess); }), 0U);
  EXPECT_GT(complaints_of([&] { same = std::memcmp(secret.data(), guess.data(), 32) == 0; }), 0U);
  mark_public(secret);
  mark_value_public(same);
  EXPECT_FALSE(same);
}

TEST_F(ConstantTime, A37_WhatIsLookedUpByASecretIsFound) {
  static constexpr core::ByteArray<256> kTable = {1, 2, 3};
  auto secret = random_bytes(1);
  mark_secret(secret);
  volatile std::uint8_t out = 0;
  EXPECT_GT(complaints_of([&] { out = kTable[secret[0]]; }), 0U);
  (void)out;
}

// ---- Comparisons ----

TEST_F(ConstantTime, A37_ComparisonsLookAtEveryByte) {
  for (const std::size_t size : {1UL, 7UL, 16UL, 32UL, 33UL, 64UL, 1000UL}) {
    const auto right = random_bytes(size);
    for (const std::size_t wrong_at : {size, std::size_t{0}, size / 2, size - 1}) {
      auto secret = right;
      if (wrong_at < size) secret[wrong_at] ^= 0x20;
      mark_secret(secret);
      EXPECT_EQ(complaints_of([&] {
                  EXPECT_EQ(core::equal_in_constant_time(secret, right), wrong_at == size);
                }),
                0U);
    }
  }
}

TEST_F(ConstantTime, A30_PaddingIsRemovedWithoutABranch) {
  const auto run = [](std::size_t wrong_at) {
    core::ByteArray<16> block{};
    block.fill(5);
    if (wrong_at < 16) block[wrong_at] = 9;
    mark_secret(block);
    return complaints_of([&] { (void)core::data_before_padding(block); });
  };
  for (std::size_t wrong_at = 0; wrong_at <= 16; ++wrong_at) EXPECT_EQ(run(wrong_at), 0U);
  Stand::stopping_early = true;
  EXPECT_GT(run(12), 0U) << "one that stops early has to be found";
}

// ---- PINs and the root key ----

TEST_F(ConstantTimeToken, A37_ALoginBranchesOnNothingOfThePin) {
  Stand::secret_derivations = "Tallystick/pin";
  const auto log_in = [&](CK_USER_TYPE user, std::string_view text) {
    core::Bytes pin(text.begin(), text.end());
    mark_secret(pin);
    return functions_->C_Login(session().handle(), user, pin.data(), pin.size());
  };
  EXPECT_EQ(complaints_of([&] {
              EXPECT_THAT(log_in(CKU_USER, "not the user's PIN"), ReturnsRv(CKR_PIN_INCORRECT));
              EXPECT_THAT(log_in(CKU_USER, "the user's PIM"), ReturnsRv(CKR_PIN_INCORRECT));
              EXPECT_THAT(log_in(CKU_USER, kUserPin), IsOk());
              EXPECT_THAT(session().logout(), IsOk());
              EXPECT_THAT(log_in(CKU_SO, kSoPin), IsOk());
            }),
            0U);
}

TEST_F(ConstantTimeToken, A37_ANewPinIsNeverLookedAt) {
  log_in();
  Stand::secret_derivations = "Tallystick/pin";
  auto old_pin = bytes(kUserPin);
  auto new_pin = bytes("a PIN that is new");
  mark_secret(old_pin);
  mark_secret(new_pin);
  EXPECT_EQ(complaints_of([&] {
              EXPECT_THAT(functions_->C_SetPIN(session().handle(), old_pin.data(), old_pin.size(),
                                               new_pin.data(), new_pin.size()),
                          IsOk());
            }),
            0U);
}

TEST_F(ConstantTimeToken, A37_TheRootKeyIsCheckedWithoutAnEarlyEnd) {
  // The check value of root.key, when a process opens the token.
  const auto open = [&] {
    session_.reset();
    must(functions_->C_Finalize(nullptr));
    must(functions_->C_Initialize(nullptr));
    CK_TOKEN_INFO info{};
    EXPECT_THAT(functions_->C_GetTokenInfo(0, &info), IsOk());
  };
  Stand::secret_derivations = "Tallystick/check";
  EXPECT_EQ(complaints_of(open), 0U);
  Stand::stopping_early = true;
  EXPECT_GT(complaints_of(open), 0U) << "one that stops early has to be found";
}

// ---- MACs and tickets ----

TEST_F(ConstantTimeToken, A37_MacsAreComparedToTheEnd) {
  log_in();
  const auto both = Attributes().flag(CKA_SIGN, true).flag(CKA_VERIFY, true);
  const auto hmac_key = create_secret(CKK_GENERIC_SECRET, 32, both);
  const auto aes_key = create_secret(CKK_AES, 32, both);
  const core::Bytes message(100, 3);
  const std::vector<std::pair<Mechanism, CK_OBJECT_HANDLE>> kinds = {
      {CKM_SHA256_HMAC, hmac_key},
      {CKM_SHA512_HMAC, hmac_key},
      {with_number(CKM_SHA256_HMAC_GENERAL, 20), hmac_key},
      {CKM_AES_CMAC, aes_key}};
  for (const auto& [mechanism, key] : kinds) {
    core::Bytes mac;
    const auto verify = [&, &mechanism = mechanism, &key = key](std::size_t wrong_at) {
      auto tried = mac;
      if (wrong_at < tried.size()) tried[wrong_at] ^= 1;
      return session().verify(mechanism, key, message, tried);
    };
    EXPECT_EQ(complaints_of([&, &mechanism = mechanism, &key = key] {
                mac = seen(session().sign(mechanism, key, message));
                EXPECT_THAT(verify(mac.size()), IsOk());
                EXPECT_THAT(verify(0), ReturnsRv(CKR_SIGNATURE_INVALID));
                EXPECT_THAT(verify(mac.size() - 1), ReturnsRv(CKR_SIGNATURE_INVALID));
              }),
              0U);
    Stand::stopping_early = true;
    EXPECT_GT(complaints_of([&] { (void)verify(7); }), 0U)
        << "one that stops early has to be found";
    Stand::stopping_early = false;
  }
}

TEST_F(ConstantTimeToken, A37_TicketsOfSavedStatesAreComparedToTheEnd) {
  CK_MECHANISM sha256{CKM_SHA256, nullptr, 0};
  core::Bytes part(10, 1);
  must(functions_->C_DigestInit(session().handle(), &sha256));
  must(functions_->C_DigestUpdate(session().handle(), part.data(), part.size()));
  core::Bytes ticket(100);
  CK_ULONG size = ticket.size();
  must(functions_->C_GetOperationState(session().handle(), ticket.data(), &size));
  ticket.resize(size);
  const auto restore = [&](std::size_t wrong_at) {
    auto tried = ticket;
    if (wrong_at < tried.size()) tried[wrong_at] ^= 1;
    mark_secret(tried);
    return functions_->C_SetOperationState(session().handle(), tried.data(), tried.size(), 0, 0);
  };
  EXPECT_EQ(complaints_of([&] {
              EXPECT_THAT(restore(10), ReturnsRv(CKR_SAVED_STATE_INVALID));
              EXPECT_THAT(restore(ticket.size()), IsOk());
            }),
            0U);
}

// ---- Decryption and unwrapping ----

TEST_F(ConstantTimeToken, A30_DecryptionWithPaddingBranchesOnNothingThatItDecrypts) {
  log_in();
  const auto key =
      create_secret(CKK_AES, 32, Attributes().flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true));
  Mechanism padded(CKM_AES_CBC_PAD, core::Bytes(16, 1));
  const auto sealed = seen(session().encrypt(padded, key, core::Bytes(40, 2)));
  const auto open = [&](std::size_t wrong_at, std::size_t step) {
    auto tried = sealed;
    if (wrong_at < tried.size()) tried[wrong_at] ^= 1;
    return step == 0 ? session().decrypt(padded, key, tried)
                     : session().decrypt_parts(padded, key, tried, step);
  };
  EXPECT_EQ(complaints_of([&] {
              for (const std::size_t step : {0UL, 5UL, 16UL}) {
                EXPECT_THAT(open(sealed.size(), step).rv, IsOk());
                // In the padding of the last block, and in the last block itself.
                for (const std::size_t at : {31UL, 25UL, 40UL}) {
                  EXPECT_THAT(open(at, step).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
                }
              }
            }),
            0U);
  Stand::stopping_early = true;
  EXPECT_GT(complaints_of([&] { (void)open(25, 0); }), 0U)
      << "one that stops early has to be found";
}

TEST_F(ConstantTimeToken, A37_TagsAreComparedToTheEnd) {
  log_in();
  const auto both = Attributes().flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true);
  const auto gcm_key = create_secret(CKK_AES, 32, both);
  const auto ccm_key = create_secret(CKK_AES, 16, both);
  const core::Bytes message(100, 3);
  Gcm gcm(core::Bytes(12, 4), core::Bytes(20, 5));
  Ccm sealing(message.size(), core::Bytes(12, 4), core::Bytes(20, 5));
  const auto try_all = [&](Mechanism& mechanism, CK_OBJECT_HANDLE key) {
    const auto sealed = seen(session().encrypt(mechanism, key, message));
    EXPECT_THAT(session().decrypt(mechanism, key, sealed).rv, IsOk());
    for (const std::size_t at : {0UL, 100UL, 115UL}) {
      auto wrong = sealed;
      wrong[at] ^= 1;
      EXPECT_THAT(session().decrypt(mechanism, key, wrong).rv,
                  ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
    }
  };
  EXPECT_EQ(complaints_of([&] { try_all(gcm, gcm_key); }), 0U);
  EXPECT_EQ(complaints_of([&] { try_all(sealing, ccm_key); }), 0U);
}

TEST_F(ConstantTimeToken, A37_A38_UnwrappingBranchesOnNothingThatItUnwraps) {
  log_in();
  const auto kek =
      create_secret(CKK_AES, 32, Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true));
  const auto key = create_secret(
      CKK_GENERIC_SECRET, 32, Attributes().flag(CKA_EXTRACTABLE, true).flag(CKA_SENSITIVE, false));
  for (const CK_MECHANISM_TYPE type : {CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_KWP}) {
    EXPECT_EQ(complaints_of([&] {
                const auto blob = seen(session().wrap(type, kek, key));
                for (std::size_t at = 0; at <= blob.size(); at += 8) {
                  auto tried = blob;
                  if (at < tried.size()) tried[at] ^= 1;
                  EXPECT_THAT(session()
                                  .unwrap(type, kek, tried,
                                          Attributes()
                                              .number(CKA_CLASS, CKO_SECRET_KEY)
                                              .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET))
                                  .rv,
                              ReturnsRv(at < tried.size() ? CKR_WRAPPED_KEY_INVALID : CKR_OK));
                }
              }),
              0U);
  }
}

TEST_F(ConstantTimeToken, A31_A32_WhatRsaDecryptsIsHandedOnUnseen) {
  log_in();
  const auto pair = rsa_pair(CKA_ENCRYPT, CKA_DECRYPT);
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  Mechanism pkcs1(CKM_RSA_PKCS);
  Mechanism raw(CKM_RSA_X_509);
  for (auto* const mechanism : {static_cast<Mechanism*>(&oaep), &pkcs1, &raw}) {
    auto sealed = must(session().encrypt(*mechanism, pair.public_key, core::Bytes(32, 7)));
    EXPECT_EQ(complaints_of([&] {
                EXPECT_THAT(session().decrypt(*mechanism, pair.private_key, sealed).rv, IsOk());
                sealed[5] ^= 1;
                (void)session().decrypt(*mechanism, pair.private_key, sealed);
              }),
              0U);
  }
}

TEST_F(ConstantTimeToken, A32_AKeyThatRsaUnwrapsIsNotLookedAt) {
  log_in();
  const auto pair = rsa_pair(CKA_WRAP, CKA_UNWRAP);
  const auto key = must(session().create(secret_key(CKK_GENERIC_SECRET, random_bytes(32))
                                             .flag(CKA_EXTRACTABLE, true)
                                             .flag(CKA_SENSITIVE, false)));
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  const auto blob = must(session().wrap(oaep, pair.public_key, key));
  EXPECT_EQ(complaints_of([&] {
              EXPECT_THAT(session()
                              .unwrap(oaep, pair.private_key, blob,
                                      Attributes()
                                          .number(CKA_CLASS, CKO_SECRET_KEY)
                                          .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET))
                              .rv,
                          IsOk());
            }),
            0U);
}

// ---- The profile ----

TEST_F(ConstantTime, A37_CommitmentsAndChunksAreComparedToTheEnd) {
  for (const auto suite : {core::Suite::kGcm, core::Suite::kCcm}) {
    auto key = random_bytes(32);
    core::Bytes sealed;
    const core::ByteSink keep = [&sealed](core::ByteView piece) -> core::Status {
      sealed.insert(sealed.end(), piece.begin(), piece.end());
      return {};
    };
    auto sealer = value(core::Sealer::create(*shared_crypto(), suite, key, {}));
    done(sealer.update(core::Bytes(300, 4), keep));
    done(sealer.finish(keep));
    mark_secret(key);
    const auto open = [&](std::size_t wrong_at) {
      auto tried = sealed;
      if (wrong_at < tried.size()) tried[wrong_at] ^= 1;
      const core::ByteSink nowhere = [](core::ByteView) -> core::Status { return {}; };
      auto opener = value(core::Opener::create(*shared_crypto(), suite, key, {}));
      const auto fed = opener.update(tried, nowhere);
      return bool{fed} && bool{opener.finish(nowhere)};
    };
    EXPECT_EQ(complaints_of([&] {
                EXPECT_TRUE(open(sealed.size()));
                EXPECT_FALSE(open(core::kSaltSize)) << "the commitment's first byte";
                EXPECT_FALSE(open(core::kSealPrefix - 1)) << "its last byte";
                EXPECT_FALSE(open(core::kSealPrefix)) << "the chunk";
                EXPECT_FALSE(open(sealed.size() - 1)) << "its tag";
              }),
              0U);
    Stand::stopping_early = true;
    EXPECT_GT(complaints_of([&] { (void)open(core::kSaltSize); }), 0U)
        << "one that stops early has to be found";
    Stand::stopping_early = false;
  }
}

TEST_F(ConstantTime, A37_PackageTagsAndShareBlobsAreComparedToTheEnd) {
  const World world;
  const OemDesk desk(world);
  const auto& device = desk.device();
  // As a target of the share set has it.
  const auto master =
      value(device.derive_master_key(value(device.take_share(desk.share_blob(), nullptr))));
  const auto k_auth = value(device.derive_asset_key(master, core::Suite::kGcm, core::kLabelAuth));
  const auto package = desk.package(small_plan());
  const auto size = core::package_head_size(small_plan().assets.size());
  const auto head =
      value(core::parse_package_head(core::ByteView(package).first(size), package.size()));
  mark_secret(k_auth.value.view());
  const auto check = [&](bool right) {
    core::Bytes tag(head.tag().begin(), head.tag().end());
    if (!right) tag[0] ^= 1;
    return device.check_package_tag(k_auth, head.tagged_bytes(), tag);
  };
  EXPECT_EQ(complaints_of([&] {
              EXPECT_TRUE(check(true));
              EXPECT_FALSE(check(false));
            }),
            0U);
  Stand::stopping_early = true;
  EXPECT_GT(complaints_of([&] { (void)check(false); }), 0U)
      << "one that stops early has to be found";
  Stand::stopping_early = false;

  const auto blob = desk.share_blob();
  mark_secret(world.family().k_oem_share.view());
  mark_secret(device.family().k_oem_share.view());
  EXPECT_EQ(complaints_of([&] {
              EXPECT_TRUE(device.take_share(blob, nullptr));
              auto wrong = blob;
              wrong.back() ^= 1;
              EXPECT_FALSE(device.take_share(wrong, nullptr));
            }),
            0U);
}

}  // namespace
}  // namespace tallystick::test

// Runs itself again under valgrind, since memcheck watches from outside.
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (!::testing::GTEST_FLAG(list_tests) && RUNNING_ON_VALGRIND == 0) {
    const auto key = tallystick::test::to_pkcs8(tallystick::test::some_rsa_key());
    (void)setenv(tallystick::test::kRsaKey, tallystick::core::to_hex(key).c_str(), 1);
    std::vector<std::string> words = {TALLYSTICK_VALGRIND,
                                      "--quiet",
                                      "--tool=memcheck",
                                      "--leak-check=no",
                                      "--error-limit=no",
                                      "--num-callers=30",
                                      "--suppressions=" TALLYSTICK_SUPPRESSIONS,
                                      argv[0],
                                      "--gtest_filter=" + ::testing::GTEST_FLAG(filter)};
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    (void)execv(TALLYSTICK_VALGRIND, pointers.data());
    std::cerr << "valgrind does not start\n";
    return 1;
  }
  return RUN_ALL_TESTS();
}
