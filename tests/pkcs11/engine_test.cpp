// An application that also uses an ENGINE of libcrypto, as everything does that reaches tokens
// through one: engines belong to the process, not to a library context.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <gtest/gtest.h>
#include <openssl/engine.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <map>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

int asked = 0;

int count(EVP_PKEY_CTX*) {
  ++asked;
  return 1;
}
int make_nothing(EVP_PKEY_CTX*, EVP_PKEY*) { return 0; }
int zeros(unsigned char* out, int size) {
  std::fill_n(out, size, static_cast<unsigned char>(0));
  return 1;
}
int ready() { return 1; }

std::map<int, EVP_PKEY_METHOD*> made_methods;
constexpr std::array<int, 2> kTypes = {EVP_PKEY_EC, EVP_PKEY_RSA};

// What PKCS#11 engines do: libcrypto's own methods, which leave alone what the new ones pick out.
int methods(ENGINE*, EVP_PKEY_METHOD** method, const int** types, int type) {
  if (method == nullptr) {
    *types = kTypes.data();
    return static_cast<int>(kTypes.size());
  }
  // libcrypto asks again and again, and frees one of each type with the engine.
  auto& mine = made_methods[type];
  if (mine == nullptr) {
    mine = EVP_PKEY_meth_new(type, 0);
    EVP_PKEY_meth_copy(mine, EVP_PKEY_meth_find(type));
    EVP_PKEY_meth_set_keygen(mine, count, make_nothing);
  }
  *method = mine;
  return 1;
}

// Makes an engine the process's default.
class HostileEngine {
 public:
  explicit HostileEngine(unsigned defaults) : engine_(ENGINE_new()) {
    static const RAND_METHOD kZeros = {nullptr, zeros, nullptr, nullptr, zeros, ready};
    if (ENGINE_set_id(engine_, "counting") != 1 || ENGINE_set_name(engine_, "counting") != 1 ||
        ENGINE_set_pkey_meths(engine_, methods) != 1 || ENGINE_set_RAND(engine_, &kZeros) != 1 ||
        ENGINE_set_default(engine_, defaults) != 1) {
      throw std::runtime_error("libcrypto takes no engine");
    }
    // Forget the method that was found before.
    (void)RAND_set_rand_method(nullptr);
  }
  HostileEngine(const HostileEngine&) = delete;
  HostileEngine& operator=(const HostileEngine&) = delete;
  ~HostileEngine() {
    ENGINE_unregister_pkey_meths(engine_);
    ENGINE_unregister_RAND(engine_);
    (void)RAND_set_rand_method(nullptr);
    ENGINE_free(engine_);
    made_methods.clear();
  }

 private:
  ENGINE* engine_;
};

TEST(Engine, OfTheApplicationMakesNoneOfTheTokensKeysAndHindersNone) {
  const HostileEngine engine(ENGINE_METHOD_PKEY_METHS);
  // The application's own keys are made through it.
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> own(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), &EVP_PKEY_CTX_free);
  ASSERT_EQ(EVP_PKEY_keygen_init(own.get()), 1);
  ASSERT_EQ(asked, 1);
  asked = 0;
  TestToken token;
  auto& session = token.session();
  const auto pair = generate_ec(session);
  const auto signature = must(session.sign(CKM_ECDSA_SHA256, pair.private_key, bytes("text")));
  EXPECT_THAT(session.verify(CKM_ECDSA_SHA256, pair.public_key, bytes("text"), signature), IsOk());
  // Once more with keys that are read back from the token's file.
  (void)generate_ec(session, core::Curve::kP256, {},
                    Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "kept"));
  token.restart_and_login();
  auto& again = token.session();
  const auto kept =
      again.find(Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, "kept"));
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_THAT(again.sign(CKM_ECDSA_SHA256, kept[0], bytes("text")).rv, IsOk());
  EXPECT_EQ(asked, 0);
}

TEST(Engine, OfTheApplicationGivesNoRandomNumbersToItsUser) {
  TestToken token;
  const HostileEngine engine(ENGINE_METHOD_RAND);
  core::Bytes own(32, 1);
  ASSERT_EQ(RAND_bytes(own.data(), static_cast<int>(own.size())), 1);
  ASSERT_EQ(own, core::Bytes(32));
  EXPECT_NE(must(token.session().random(32)), core::Bytes(32));
}

}  // namespace
}  // namespace tallystick::test
