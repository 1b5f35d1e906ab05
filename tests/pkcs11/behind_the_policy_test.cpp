// What mechanisms refuse though the policy, the importers and the store let nothing of the kind
// come so far: no C_* function reaches these checks.
#include <gtest/gtest.h>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/mechanisms/aead_message.h"
#include "pkcs11/engine/mechanisms/cipher_context.h"
#include "pkcs11/engine/mechanisms/ts_mechanisms.h"
#include "pkcs11/engine/mechanisms/ts_running.h"
#include "pkcs11/engine/module.h"
#include "tallystick/pkcs11_tallystick.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/outcome.h"
#include "tests/support/scratch.h"
#include "tests/support/world.h"

namespace tallystick::test {
namespace {

using token::Draft;
using token::Outcome;

token::ObjectPtr aes_key(std::size_t size, bool managed) {
  Draft draft;
  draft.attributes.set_number(CKA_CLASS, CKO_SECRET_KEY).set_number(CKA_KEY_TYPE, CKK_AES);
  draft.value = token::share(core::Secret::copy_of(core::Bytes(size, 1)));
  draft.managed = managed;
  return token::Object::make({}, 1, std::move(draft));
}

TEST(BehindThePolicy, A33_AManagedKeyTakesNoNonceOfTheCaller) {
  token::NonceSource source;
  token::AeadMessage message{nullptr, nullptr, core::Bytes(12), {CKG_NO_GENERATE, 0}, {}};
  const auto made = [&](bool managed) {
    return rv_of(message.make_nonce(*shared_crypto(), *aes_key(32, managed), source));
  };
  EXPECT_EQ(made(true), CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(made(false), CKR_OK);
  message.rule.generator = CKG_GENERATE;
  EXPECT_EQ(made(true), CKR_OK);
}

TEST(BehindThePolicy, A24_AnAesKeyHasOneOfThreeSizes) {
  for (const std::size_t size : {0UL, 1UL, 15UL, 16UL, 17UL, 24UL, 31UL, 32UL, 33UL}) {
    const bool good = size == 16 || size == 24 || size == 32;
    for (const auto mode : {core::AesMode::kCbc, core::AesMode::kCtr, core::AesMode::kGcm}) {
      EXPECT_EQ(rv_of(token::keyed_cipher(*shared_crypto(), *aes_key(size, false), CKM_AES_CBC,
                                          mode, true)),
                good ? CKR_OK : CKR_KEY_SIZE_RANGE)
          << size;
    }
  }
}

// CKM_AES_CMAC and CKM_SHA384_HMAC mean more on K_AUTH and K_PROOF, and on these alone.
TEST(BehindThePolicy, A03_A10_OnlyManagedKeysOfTheirLabelAreTagAndProofKeys) {
  token::MechanismTable table;
  token::register_ts_package_tag(table);
  const auto serves = [&](CK_MECHANISM_TYPE mechanism, std::string_view label, bool managed) {
    Draft draft;
    draft.attributes.set_number(CKA_CLASS, CKO_SECRET_KEY).set_text(CKA_TS_LABEL, label);
    draft.managed = managed;
    return table.find(mechanism, *token::Object::make({}, 1, std::move(draft))) != nullptr;
  };
  for (const auto& [mechanism, own, other] :
       {std::tuple(CKM_AES_CMAC, core::kLabelAuth, core::kLabelProof),
        std::tuple(CKM_SHA384_HMAC, core::kLabelProof, core::kLabelAuth)}) {
    EXPECT_TRUE(serves(mechanism, own, true));
    EXPECT_FALSE(serves(mechanism, own, false));
    for (const auto label : {other, core::kLabelEncKey, std::string_view("TS1/AUT"),
                             std::string_view("TS1/AUTHX"), std::string_view()}) {
      EXPECT_FALSE(serves(mechanism, label, true)) << label;
    }
  }
}

// A token with a family and its software, and a session in which the user is logged in.
class RunningSoftware : public ::testing::Test {
 protected:
  RunningSoftware() {
    token::ModuleOptions options;
    options.home = scratch_.file("home");
    options.settings = token::Settings{};
    module_ = got(token::Module::create(std::move(options)));
    token_ = got(module_->token(0));
  }
  void initialize() {
    const std::string label(32, ' ');
    got(token_->initialize(core::bytes_of(kSoPin), core::bytes_of(label)));
    session_ =
        got(module_->session(got(module_->open_session(0, CKF_SERIAL_SESSION | CKF_RW_SESSION))));
    got(session_->login(CKU_SO, core::bytes_of(kSoPin)));
    got(session_->init_pin(core::bytes_of(kUserPin)));
    got(session_->logout());
    got(session_->login(CKU_USER, core::bytes_of(kUserPin)));
    token::ChangeSet changes;
    changes.add(token::family_draft(world_.family_for(core::FamilyRole::kProvisioning)));
    got(token_->commit(std::move(changes)));
    Attributes software;
    software.number(CKA_CLASS, CKO_TS_SOFTWARE).bytes(CKA_VALUE, world_.software(5));
    got(session_->create(got(token::Template::read(software.data(), software.size()))));
  }
  CK_RV running() { return rv_of(token::Running::find(token_->context(), world_.family().id)); }

  const World world_;
  Scratch scratch_;
  std::shared_ptr<token::Module> module_;
  std::shared_ptr<token::Token> token_;
  std::shared_ptr<token::Session> session_;
};

TEST_F(RunningSoftware, S07_IsTheOneThatTheFamilyRanLast) {
  initialize();
  EXPECT_EQ(running(), CKR_OK);
  const auto say = [&](CK_ULONG version) {
    const auto family = token_->find_family(world_.family().id);
    auto next = family->redraft();
    next.attributes.set_number(CKA_TS_SW_VERSION, version);
    token::ChangeSet changes;
    changes.replace(family, std::move(next));
    got(token_->commit(std::move(changes)));
  };
  for (const CK_ULONG other : {4UL, 6UL, 0UL}) {
    say(other);
    EXPECT_EQ(running(), CKR_KEY_FUNCTION_NOT_PERMITTED) << other;
  }
  say(5);
  EXPECT_EQ(running(), CKR_OK);
}

TEST_F(RunningSoftware, ThereIsNoDeviceKeyInASlotWithoutAToken) {
  EXPECT_EQ(rv_of(token::own_device_key(token_->context())), CKR_TOKEN_NOT_PRESENT);
  initialize();
  EXPECT_EQ(rv_of(token::own_device_key(token_->context())), CKR_OK);
}

}  // namespace
}  // namespace tallystick::test
