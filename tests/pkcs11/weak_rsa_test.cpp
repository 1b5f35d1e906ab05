// The switch for PKCS#1 v1.5 decryption and bare RSA, through the engine: it belongs to whoever
// makes a Module.
#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/module.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/outcome.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/vectors/runner.h"
#include "tests/support/scratch.h"

namespace tallystick::test {
namespace {

using token::Outcome;
using token::Output;

// A module with the switch on, and a session in which the user is logged in.
class WeakRsa : public ::testing::Test {
 protected:
  WeakRsa() {
    token::ModuleOptions options;
    options.home = scratch_.file("home");
    options.settings = token::Settings{};
    options.settings->rsa_pkcs1_decrypt = true;
    options.settings->rsa_raw = true;
    module_ = got(token::Module::create(std::move(options)));
    const std::string label(32, ' ');
    got(got(module_->token(0))->initialize(core::bytes_of(kSoPin), core::bytes_of(label)));
    const auto handle = got(module_->open_session(0, CKF_SERIAL_SESSION | CKF_RW_SESSION));
    session_ = got(module_->session(handle));
    got(session_->login(CKU_SO, core::bytes_of(kSoPin)));
    got(session_->init_pin(core::bytes_of(kUserPin)));
    got(session_->logout());
    got(session_->login(CKU_USER, core::bytes_of(kUserPin)));
  }

  CK_OBJECT_HANDLE create(Attributes attributes) {
    return got(session_->create(got(token::Template::read(attributes.data(), attributes.size()))));
  }
  CK_OBJECT_HANDLE own(EVP_PKEY* key) {
    return create(
        private_key(key).flag(CKA_SIGN, true).flag(CKA_DECRYPT, true).flag(CKA_UNWRAP, true));
  }
  CK_OBJECT_HANDLE peer(EVP_PKEY* key) {
    return create(
        public_key(key).flag(CKA_VERIFY, true).flag(CKA_ENCRYPT, true).flag(CKA_WRAP, true));
  }
  // One operation in one piece.
  using Start = Outcome<void> (token::Session::*)(const CK_MECHANISM*, CK_OBJECT_HANDLE);
  using Work = Outcome<void> (token::Session::*)(core::ByteView, Output);
  Answer<core::Bytes> run(Start start, Work work, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key,
                          const core::Bytes& data) {
    const CK_MECHANISM mechanism{type, nullptr, 0};
    if (auto begun = ((*session_).*start)(&mechanism, key); !begun) return {begun.error().rv, {}};
    core::Bytes out(512);
    CK_ULONG size = out.size();
    auto done = ((*session_).*work)(data, Output(out.data(), &size));
    if (!done) return {done.error().rv, {}};
    out.resize(size);
    return {CKR_OK, out};
  }
  Answer<core::Bytes> decrypt(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key,
                              const core::Bytes& data) {
    return run(&token::Session::decrypt_start, &token::Session::decrypt, type, key, data);
  }
  Answer<core::Bytes> encrypt(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key,
                              const core::Bytes& data) {
    return run(&token::Session::encrypt_start, &token::Session::encrypt, type, key, data);
  }
  Answer<core::Bytes> sign(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key, const core::Bytes& data) {
    return run(&token::Session::sign_start, &token::Session::sign, type, key, data);
  }
  CK_RV verify(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key, const core::Bytes& data,
               const core::Bytes& signature) {
    const CK_MECHANISM mechanism{type, nullptr, 0};
    got(session_->verify_start(&mechanism, key));
    return rv_of(session_->verify(data, signature));
  }

  Scratch scratch_;
  std::shared_ptr<token::Module> module_;
  std::shared_ptr<token::Session> session_;
};

TEST_F(WeakRsa, AddsDecryptionWrappingAndBareRsaAndNothingElse) {
  constexpr CK_FLAGS kMessages = CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE;
  const token::MechanismTable& with = module_->mechanisms();
  token::MechanismTable without;
  const auto crypto = core::Crypto::create();
  ASSERT_TRUE(crypto);
  token::register_standard_mechanisms(without, token::Settings{}, **crypto);
  EXPECT_EQ(with.find(CKM_RSA_PKCS)->flags(),
            without.find(CKM_RSA_PKCS)->flags() | CKF_DECRYPT | CKF_WRAP);
  EXPECT_EQ(without.find(CKM_RSA_X_509), nullptr);
  EXPECT_EQ(with.find(CKM_RSA_X_509)->flags() & ~kMessages,
            CKF_SIGN | CKF_VERIFY | CKF_ENCRYPT | CKF_DECRYPT);
  for (const auto type : without.types()) {
    if (type == CKM_RSA_PKCS) continue;
    EXPECT_EQ(with.find(type)->flags(), without.find(type)->flags()) << type;
  }
}

class WeakRsaVectors : public WeakRsa, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Wycheproof, WeakRsaVectors, ::testing::Values(2048, 3072));

// Where it is on, every ciphertext that does not open has one answer at least.
TEST_P(WeakRsaVectors, A31_Pkcs1CiphertextsOpenOrAreRefusedWithOneCode) {
  const auto bits = GetParam();
  run_vectors("wycheproof/rsa_pkcs1_" + std::to_string(bits) + "_test.json", {67, 67},
              [&](const nlohmann::json& group) -> CaseRun {
                const auto libcrypto = from_pkcs8(unhex(group["privateKeyPkcs8"]));
                const auto key = own(libcrypto.get());
                const std::size_t size = static_cast<std::size_t>(bits) / 8;
                return [this, key, size](const nlohmann::json& test) {
                  const auto data = unhex(test["ct"]);
                  const auto plain = decrypt(CKM_RSA_PKCS, key, data);
                  if (test["result"] == "valid") {
                    return Verdict::held(plain.rv == CKR_OK && plain.value == unhex(test["msg"]),
                                         rv_name(plain.rv));
                  }
                  return Verdict::held(
                      plain.rv == (data.size() == size ? CKR_ENCRYPTED_DATA_INVALID
                                                       : CKR_ENCRYPTED_DATA_LEN_RANGE),
                      rv_name(plain.rv));
                };
              });
}

// A31: even so, no key comes in by it, and no sensitive one goes out.
TEST_F(WeakRsa, A31_NothingIsUnwrappedAndNothingSensitiveIsWrapped) {
  const auto key = own(some_rsa_key());
  const auto wrapping = peer(some_rsa_key());
  const CK_MECHANISM pkcs1{CKM_RSA_PKCS, nullptr, 0};
  Attributes wanted;
  wanted.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  const auto blob =
      encrypted_to(some_rsa_key(), {.padding = RSA_PKCS1_PADDING}, core::Bytes(16, 1));
  EXPECT_THAT(rv_of(session_->unwrap(pkcs1, key, blob,
                                     got(token::Template::read(wanted.data(), wanted.size())))),
              ReturnsRv(CKR_MECHANISM_INVALID));
  core::Bytes out(256);
  CK_ULONG size = out.size();
  const auto open = create(secret_key(CKK_GENERIC_SECRET, core::Bytes(16, 1))
                               .flag(CKA_SENSITIVE, false)
                               .flag(CKA_EXTRACTABLE, true));
  EXPECT_THAT(rv_of(session_->wrap(pkcs1, wrapping, open, Output(out.data(), &size))), IsOk());
  EXPECT_EQ(decrypted_by(some_rsa_key(), {.padding = RSA_PKCS1_PADDING}, out), core::Bytes(16, 1));
  const auto sensitive =
      create(secret_key(CKK_GENERIC_SECRET, core::Bytes(16, 1)).flag(CKA_EXTRACTABLE, true));
  EXPECT_THAT(rv_of(session_->wrap(pkcs1, wrapping, sensitive, Output(out.data(), &size))),
              ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
}

TEST_F(WeakRsa, BareRsaIsThatOfLibcrypto) {
  const auto key = own(some_rsa_key());
  const auto their = peer(some_rsa_key());
  const Scheme raw{.padding = RSA_NO_PADDING};
  core::Bytes number(256, 0x11);
  number[0] = 0;
  EXPECT_EQ(must(encrypt(CKM_RSA_X_509, their, number)), encrypted_to(some_rsa_key(), raw, number));
  EXPECT_EQ(must(decrypt(CKM_RSA_X_509, key, number)), decrypted_by(some_rsa_key(), raw, number));
  const auto signature = must(sign(CKM_RSA_X_509, key, number));
  EXPECT_EQ(encrypted_to(some_rsa_key(), raw, signature), number);
  EXPECT_THAT(verify(CKM_RSA_X_509, their, number, signature), IsOk());
  // Shorter ones have zeros before them.
  const core::Bytes shorter(number.begin() + 1, number.end());
  EXPECT_EQ(must(sign(CKM_RSA_X_509, key, shorter)), signature);
  EXPECT_EQ(must(encrypt(CKM_RSA_X_509, their, shorter)),
            must(encrypt(CKM_RSA_X_509, their, number)));
  EXPECT_THAT(verify(CKM_RSA_X_509, their, shorter, signature), IsOk());
  auto other = number;
  other.back() ^= 1U;
  EXPECT_THAT(verify(CKM_RSA_X_509, their, other, signature), ReturnsRv(CKR_SIGNATURE_INVALID));
  // Beyond the modulus, and longer than it.
  const core::Bytes beyond(256, 0xFF);
  EXPECT_THAT(sign(CKM_RSA_X_509, key, beyond).rv, ReturnsRv(CKR_DATA_INVALID));
  EXPECT_THAT(encrypt(CKM_RSA_X_509, their, beyond).rv, ReturnsRv(CKR_DATA_INVALID));
  EXPECT_THAT(decrypt(CKM_RSA_X_509, key, beyond).rv, ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
  EXPECT_THAT(sign(CKM_RSA_X_509, key, core::Bytes(257, 1)).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
  EXPECT_THAT(encrypt(CKM_RSA_X_509, their, core::Bytes(257, 1)).rv, ReturnsRv(CKR_DATA_LEN_RANGE));
}

}  // namespace
}  // namespace tallystick::test
