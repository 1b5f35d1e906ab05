// What providers stumble over, in programs: many TLS handshakes, a token that goes away or is
// locked while its key is in use, two tokens with a PIN each. program.sh makes the tokens.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/provider/foreigner.h"

namespace tallystick {
namespace {

namespace fs = std::filesystem;
using core::BioPtr;
using core::X509Ptr;
using SslCtxPtr = std::unique_ptr<SSL_CTX, core::HandleDeleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, core::HandleDeleter<SSL_free>>;

X509Ptr certificate(const Loaded& loaded, EVP_PKEY* key) {
  X509Ptr made(X509_new_ex(loaded.lib(), nullptr));
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  return X509_sign(made.get(), key, EVP_sha256()) > 0 ? std::move(made) : nullptr;
}

// Both ends of a connection in this process, with the same key and certificate at both.
class Line {
 public:
  Line(const Loaded& loaded, EVP_PKEY* key, int version)
      : certificate_(certificate(loaded, key)),
        server_(SSL_CTX_new_ex(loaded.lib(), nullptr, TLS_server_method())),
        client_(SSL_CTX_new_ex(loaded.lib(), nullptr, TLS_client_method())) {
    for (SSL_CTX* end : {server_.get(), client_.get()}) {
      SSL_CTX_use_certificate(end, certificate_.get());
      SSL_CTX_use_PrivateKey(end, key);
      SSL_CTX_set_max_proto_version(end, version);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(end), certificate_.get());
    }
    // The client's certificate is asked for, and no name is looked at.
    SSL_CTX_set_verify(server_.get(), SSL_VERIFY_PEER, nullptr);
  }
  [[nodiscard]] bool shake_hands() const {
    const SslPtr at_server(SSL_new(server_.get()));
    const SslPtr at_client(SSL_new(client_.get()));
    BIO* one = nullptr;
    BIO* other = nullptr;
    if (BIO_new_bio_pair(&one, 0, &other, 0) <= 0) return false;
    SSL_set_bio(at_server.get(), one, one);
    SSL_set_bio(at_client.get(), other, other);
    SSL_set_accept_state(at_server.get());
    SSL_set_connect_state(at_client.get());
    for (int round = 0; round < 10; ++round) {
      SSL_do_handshake(at_client.get());
      SSL_do_handshake(at_server.get());
      if (SSL_is_init_finished(at_server.get()) != 0 &&
          SSL_is_init_finished(at_client.get()) != 0) {
        return SSL_get0_peer_certificate(at_server.get()) != nullptr;
      }
    }
    return false;
  }

 private:
  X509Ptr certificate_;
  SslCtxPtr server_;
  SslCtxPtr client_;
};

// TALLYSTICK_TEST_HANDSHAKES: how many; 10000 by hand.
TEST(ProviderHazards, ManyHandshakesLeaveNoSession) {
  const std::string asked = variable("TALLYSTICK_TEST_HANDSHAKES");
  const int count = asked.empty() ? 100 : std::stoi(asked);
  const Foreigner foreigner;
  for (const char* label : {"ec", "rsa"}) {
    const Loaded loaded;
    const PkeyPtr key = loaded.key(uri(label));
    ASSERT_TRUE(key) << queued_errors();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Line line(loaded, key.get(), version);
      ASSERT_TRUE(line.shake_hands()) << queued_errors();
      const CK_ULONG before = foreigner.sessions();
      for (int i = 0; i < count / 4; ++i) ASSERT_TRUE(line.shake_hands()) << queued_errors();
      EXPECT_EQ(foreigner.sessions(), before);
    }
  }
}

TEST(ProviderHazards, TwoTokensAndTwoPinsAtOnce) {
  const Loaded loaded;
  const std::string second =
      "pkcs11:token=second;object=ec;type=private?module-path=" + module_path() +
      "&pin-value=" + variable("TALLYSTICK_TEST_SECOND_PIN");
  const PkeyPtr one = loaded.key(uri("ec"));
  const PkeyPtr other = loaded.key(second);
  ASSERT_TRUE(one && other) << queued_errors();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(verifies(one.get(), "one", loaded.sign(one.get(), "one")));
    EXPECT_TRUE(verifies(other.get(), "other", loaded.sign(other.get(), "other")));
  }
  EXPECT_NE(EVP_PKEY_eq(one.get(), other.get()), 1);
}

// Locked by somebody's wrong PINs: who is logged in signs on, and nobody logs in any more.
TEST(ProviderHazards, ATokenThatIsLockedMeanwhileIsNamed) {
  const std::string label =
      "pkcs11:token=spoilt;object=ec;type=private?module-path=" + module_path() +
      "&pin-value=" + variable("TALLYSTICK_TEST_PIN");
  const Loaded loaded;
  const PkeyPtr key = loaded.key(label);
  ASSERT_TRUE(key) << queued_errors();
  const pid_t child = ::fork();
  if (child == 0) {
    const Foreigner other;
    other->C_Finalize(nullptr);
    other->C_Initialize(nullptr);
    const CK_SLOT_ID slot = other.slot("spoilt");
    CK_SESSION_HANDLE session = 0;
    other->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
    std::string wrong = "00000000";
    CK_RV rv = CKR_PIN_INCORRECT;
    for (int i = 0; i < 100 && rv == CKR_PIN_INCORRECT; ++i) {
      rv =
          other->C_Login(session, CKU_USER, reinterpret_cast<CK_BYTE*>(wrong.data()), wrong.size());
    }
    ::_exit(rv == CKR_PIN_LOCKED ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) GTEST_SKIP() << "this module locks no PIN";
  EXPECT_TRUE(verifies(key.get(), "message", loaded.sign(key.get(), "message"))) << queued_errors();
  ERR_clear_error();
  const Loaded late;
  const pid_t second = ::fork();
  if (second == 0) {
    // A new login, of a process that has none.
    const PkeyPtr again = late.key(label);
    ::_exit(!again && queued_errors().find("CKR_PIN_LOCKED") != std::string::npos ? 0 : 1);
  }
  ASSERT_EQ(::waitpid(second, &status, 0), second);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// The folder of all tokens is gone and comes back.
TEST(ProviderHazards, ATokenThatGoesMeanwhileIsAnErrorAndComesBack) {
  const fs::path folder = variable("TALLYSTICK_TEST_TOKENS");
  if (folder.empty()) GTEST_SKIP() << "this module forgets a token that was away";
  const fs::path aside = folder.string() + ".aside";
  const Loaded loaded;
  const PkeyPtr key = loaded.key(uri("ec"));
  ASSERT_TRUE(key) << queued_errors();
  ASSERT_FALSE(loaded.sign(key.get(), "before").empty());
  fs::rename(folder, aside);
  for (int i = 0; i < 3; ++i) {
    ERR_clear_error();
    const auto signature = loaded.sign(key.get(), "meanwhile");
    // A module that has the key in its memory may sign on.
    if (signature.empty()) {
      EXPECT_NE(queued_errors().find("line"), std::string::npos);
    } else {
      EXPECT_TRUE(verifies(key.get(), "meanwhile", signature));
    }
  }
  fs::remove_all(folder);
  fs::rename(aside, folder);
  EXPECT_TRUE(verifies(key.get(), "after", loaded.sign(key.get(), "after"))) << queued_errors();
}

}  // namespace
}  // namespace tallystick
