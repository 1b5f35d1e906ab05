// Secret keys, random numbers and digests of a token in programs, which can do what no command can:
// name a cipher's key, copy contexts, go on in a child. symmetric.sh makes the token and says where
// everything is; TALLYSTICK_TEST_CONFIG is an openssl.cnf in which the token makes digests as well.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/provider/loaded.h"

namespace tallystick {
namespace {

using Bytes = std::vector<unsigned char>;
using RandPtr = std::unique_ptr<EVP_RAND, core::HandleDeleter<EVP_RAND_free>>;
using RandCtxPtr = std::unique_ptr<EVP_RAND_CTX, core::HandleDeleter<EVP_RAND_CTX_free>>;

constexpr const char* kOurs = "provider=tallystick";

std::string secret_uri(const std::string& label) {
  return "pkcs11:token=line;object=" + label + ";type=secret-key?module-path=" + module_path() +
         "&pin-value=" + variable("TALLYSTICK_TEST_PIN");
}

// The value of a key, which the script has imported.
Bytes value_of(const std::string& label) {
  std::ifstream file(variable("TALLYSTICK_TEST_HOME") + "/" + label + ".bin", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Bytes message_of(std::size_t size) {
  Bytes message(size);
  for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<unsigned char>(i * 7 + i / 251);
  return message;
}

// One message through a cipher, in steps of a size. Empty where something failed.
struct Pass {
  bool encrypts = true;
  Bytes key;        // or the key's URI
  std::string uri;  //
  Bytes iv;
  Bytes aad;
  Bytes tag;  // taken to decrypt, given by encryption
  bool pads = true;
  std::size_t step = 1000000;
};
std::optional<Bytes> through(EVP_CIPHER* cipher, Pass& how, const Bytes& data) {
  const core::CipherCtxPtr context(EVP_CIPHER_CTX_new());
  const bool ccm = EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CCM_MODE;
  const bool aead = ccm || EVP_CIPHER_get_mode(cipher) == EVP_CIPH_GCM_MODE;
  const int direction = how.encrypts ? 1 : 0;
  int size = 0;
  if (EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, direction, nullptr) <= 0) {
    return std::nullopt;
  }
  if (aead && (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN,
                                   static_cast<int>(how.iv.size()), nullptr) <= 0 ||
               ((ccm || !how.encrypts) &&
                EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16,
                                    how.encrypts ? nullptr : how.tag.data()) <= 0))) {
    return std::nullopt;
  }
  const std::array<OSSL_PARAM, 2> named{OSSL_PARAM_construct_utf8_string("uri", how.uri.data(), 0),
                                        OSSL_PARAM_construct_end()};
  if (EVP_CipherInit_ex2(context.get(), nullptr, how.uri.empty() ? how.key.data() : nullptr,
                         how.iv.data(), direction, how.uri.empty() ? nullptr : named.data()) <= 0) {
    return std::nullopt;
  }
  if (!how.pads) EVP_CIPHER_CTX_set_padding(context.get(), 0);
  if (ccm && EVP_CipherUpdate(context.get(), nullptr, &size, nullptr,
                              static_cast<int>(data.size())) <= 0) {
    return std::nullopt;
  }
  if (!how.aad.empty() && EVP_CipherUpdate(context.get(), nullptr, &size, how.aad.data(),
                                           static_cast<int>(how.aad.size())) <= 0) {
    return std::nullopt;
  }
  Bytes out(data.size() + 64);
  std::size_t written = 0;
  for (std::size_t at = 0; at < data.size(); at += how.step) {
    const auto some = static_cast<int>(std::min(how.step, data.size() - at));
    if (EVP_CipherUpdate(context.get(), out.data() + written, &size, data.data() + at, some) <= 0) {
      return std::nullopt;
    }
    written += static_cast<std::size_t>(size);
  }
  if (!(ccm && !how.encrypts)) {
    if (EVP_CipherFinal_ex(context.get(), out.data() + written, &size) <= 0) return std::nullopt;
    written += static_cast<std::size_t>(size);
  }
  if (aead && how.encrypts) {
    how.tag.resize(16);
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, how.tag.data()) <= 0) {
      return std::nullopt;
    }
  }
  out.resize(written);
  return out;
}

struct Mode {
  const char* cipher;
  const char* label;
  std::size_t iv_size;
};
std::ostream& operator<<(std::ostream& out, const Mode& mode) { return out << mode.cipher; }

class Ciphers : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(loaded.complete());
    ours.reset(EVP_CIPHER_fetch(loaded.lib(), GetParam().cipher, kOurs));
    theirs.reset(EVP_CIPHER_fetch(plain.get(), GetParam().cipher, nullptr));
    ASSERT_TRUE(ours && theirs);
    // SoftHSM2 has no CCM.
    if (ccm() && variable("TALLYSTICK_TEST_NO_CCM") == "1") has_mode = false;
  }
  [[nodiscard]] bool ccm() const { return EVP_CIPHER_get_mode(ours.get()) == EVP_CIPH_CCM_MODE; }
  [[nodiscard]] bool gcm() const { return EVP_CIPHER_get_mode(ours.get()) == EVP_CIPH_GCM_MODE; }
  [[nodiscard]] Pass in_token() const {
    Pass how;
    how.uri = secret_uri(GetParam().label);
    how.iv = message_of(GetParam().iv_size);
    if (ccm() || gcm()) how.aad = message_of(33);
    return how;
  }
  [[nodiscard]] Pass in_software() const {
    Pass how = in_token();
    how.uri.clear();
    how.key = value_of(GetParam().label);
    return how;
  }
  Loaded loaded;
  LibCtxPtr plain{OSSL_LIB_CTX_new()};
  core::CipherPtr ours;
  core::CipherPtr theirs;
  bool has_mode = true;
};

TEST_P(Ciphers, EncryptsInTheTokenWhatOpensslDecrypts) {
  if (!has_mode) {
    Pass how = in_token();
    EXPECT_FALSE(through(ours.get(), how, message_of(100)));
    EXPECT_NE(queued_errors().find("CKM_AES_CCM"), std::string::npos);
    return;
  }
  for (const std::size_t size : {0U, 1U, 16U, 100U, 5000U}) {
    for (const std::size_t step : {1000000U, 16U, 7U}) {
      if (ccm() && (step < size || size == 0)) continue;
      Pass token = in_token();
      token.step = step;
      const auto encrypted = through(ours.get(), token, message_of(size));
      ASSERT_TRUE(encrypted) << size << " by " << step << "\n" << queued_errors();
      Pass software = in_software();
      software.encrypts = false;
      software.tag = token.tag;
      EXPECT_EQ(through(theirs.get(), software, *encrypted), message_of(size)) << size;
    }
  }
}

TEST_P(Ciphers, DecryptsInTheTokenWhatOpensslEncrypts) {
  if (!has_mode) return;
  for (const std::size_t size : {0U, 1U, 16U, 100U, 5000U}) {
    if (ccm() && size == 0) continue;
    for (const std::size_t step : {1000000U, 16U, 7U}) {
      if ((ccm() || gcm()) && step < size) continue;
      Pass software = in_software();
      const auto encrypted = through(theirs.get(), software, message_of(size));
      ASSERT_TRUE(encrypted);
      Pass token = in_token();
      token.encrypts = false;
      token.step = step;
      token.tag = software.tag;
      EXPECT_EQ(through(ours.get(), token, *encrypted), message_of(size))
          << size << " by " << step << "\n"
          << queued_errors();
    }
  }
}

TEST_P(Ciphers, RefusesWhatWasAltered) {
  if (!has_mode || !(ccm() || gcm())) return;
  Pass software = in_software();
  auto encrypted = through(theirs.get(), software, message_of(100));
  ASSERT_TRUE(encrypted);
  Pass token = in_token();
  token.encrypts = false;
  token.tag = software.tag;
  token.tag[0] ^= 1U;
  EXPECT_FALSE(through(ours.get(), token, *encrypted));
  EXPECT_NE(queued_errors().find("CKR_"), std::string::npos);
  token.tag = software.tag;
  (*encrypted)[50] ^= 1U;
  EXPECT_FALSE(through(ours.get(), token, *encrypted));
  token.aad[0] ^= 1U;
  (*encrypted)[50] ^= 1U;
  EXPECT_FALSE(through(ours.get(), token, *encrypted));
}

TEST_P(Ciphers, DecryptsInOnePieceOnlyWhereThereIsATag) {
  if (!has_mode || !gcm()) return;
  Pass software = in_software();
  const auto encrypted = through(theirs.get(), software, message_of(100));
  ASSERT_TRUE(encrypted);
  Pass token = in_token();
  token.encrypts = false;
  token.tag = software.tag;
  token.step = 50;
  EXPECT_FALSE(through(ours.get(), token, *encrypted));
  EXPECT_NE(queued_errors().find("CKM_AES_GCM"), std::string::npos);
}

TEST_P(Ciphers, DoesWithBytesWhatOpensslDoes) {
  for (const std::size_t size : {1U, 16U, 5000U}) {
    Pass by_us = in_software();
    Pass by_them = in_software();
    by_us.step = by_them.step = ccm() ? 1000000 : 7;
    const auto encrypted = through(ours.get(), by_us, message_of(size));
    ASSERT_TRUE(encrypted) << queued_errors();
    EXPECT_EQ(encrypted, through(theirs.get(), by_them, message_of(size)));
    EXPECT_EQ(by_us.tag, by_them.tag);
    by_us.encrypts = false;
    EXPECT_EQ(through(ours.get(), by_us, *encrypted), message_of(size)) << queued_errors();
  }
}

TEST_P(Ciphers, TakesNoKeyOfAnotherSizeOrKind) {
  Pass how = in_token();
  how.uri = secret_uri(value_of(GetParam().label).size() == 16 ? "aes256" : "aes128");
  EXPECT_FALSE(through(ours.get(), how, message_of(10)));
  EXPECT_NE(queued_errors().find("bytes, and AES-"), std::string::npos);
  how.uri = secret_uri("generic");
  EXPECT_FALSE(through(ours.get(), how, message_of(10)));
  EXPECT_NE(queued_errors().find("not an AES key"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    , Ciphers,
    ::testing::Values(Mode{"AES-128-CBC", "aes128", 16}, Mode{"AES-256-CBC", "aes256", 16},
                      Mode{"AES-256-CTR", "aes256", 16}, Mode{"AES-128-GCM", "aes128", 12},
                      Mode{"AES-256-GCM", "aes256", 12}, Mode{"AES-256-CCM", "aes256", 13}),
    [](const auto& param) {
      std::string name = param.param.cipher;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(Cbc, WithoutPaddingTakesWholeBlocksOnly) {
  const Loaded loaded;
  const core::CipherPtr ours(EVP_CIPHER_fetch(loaded.lib(), "AES-256-CBC", kOurs));
  ASSERT_TRUE(ours);
  Pass how;
  how.uri = secret_uri("aes256");
  how.iv = message_of(16);
  how.pads = false;
  const auto encrypted = through(ours.get(), how, message_of(64));
  ASSERT_TRUE(encrypted) << queued_errors();
  EXPECT_EQ(encrypted->size(), 64U);
  how.encrypts = false;
  EXPECT_EQ(through(ours.get(), how, *encrypted), message_of(64)) << queued_errors();
  how.encrypts = true;
  EXPECT_FALSE(through(ours.get(), how, message_of(63)));
}

TEST(Gcm, EncryptsNoSecondMessageUnderOneNonce) {
  const Loaded loaded;
  const core::CipherPtr ours(EVP_CIPHER_fetch(loaded.lib(), "AES-256-GCM", kOurs));
  const core::CipherCtxPtr context(EVP_CIPHER_CTX_new());
  std::string uri = secret_uri("aes256");
  const std::array<OSSL_PARAM, 2> named{OSSL_PARAM_construct_utf8_string("uri", uri.data(), 0),
                                        OSSL_PARAM_construct_end()};
  const Bytes iv = message_of(12);
  Bytes out(64);
  int size = 0;
  ASSERT_EQ(EVP_EncryptInit_ex2(context.get(), ours.get(), nullptr, iv.data(), named.data()), 1)
      << queued_errors();
  ASSERT_EQ(EVP_EncryptUpdate(context.get(), out.data(), &size, iv.data(), 12), 1)
      << queued_errors();
  ASSERT_EQ(EVP_EncryptFinal_ex(context.get(), out.data(), &size), 1);
  ASSERT_EQ(EVP_EncryptInit_ex2(context.get(), nullptr, nullptr, nullptr, nullptr), 1);
  EXPECT_LE(EVP_EncryptUpdate(context.get(), out.data(), &size, iv.data(), 12), 0);
}

// EVP_MAC and EVP_MD of the token, in one shape.
class Macs : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(loaded.complete());
    mac.reset(EVP_MAC_fetch(loaded.lib(), "HMAC", kOurs));
    ASSERT_TRUE(mac);
  }
  [[nodiscard]] core::MacCtxPtr begun() const {
    core::MacCtxPtr context(EVP_MAC_CTX_new(mac.get()));
    std::string uri = secret_uri("generic");
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 3> params{
        OSSL_PARAM_construct_utf8_string("uri", uri.data(), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    EXPECT_EQ(EVP_MAC_init(context.get(), nullptr, 0, params.data()), 1) << queued_errors();
    return context;
  }
  static Bytes finish(EVP_MAC_CTX* context) {
    Bytes value(EVP_MAX_MD_SIZE);
    std::size_t size = 0;
    if (EVP_MAC_final(context, value.data(), &size, value.size()) != 1) return {};
    value.resize(size);
    return value;
  }
  static Bytes expected(const Bytes& message) {
    const LibCtxPtr plain(OSSL_LIB_CTX_new());
    Bytes value(EVP_MAX_MD_SIZE);
    const Bytes key = value_of("generic");
    std::size_t size = 0;
    EVP_Q_mac(plain.get(), "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
              message.data(), message.size(), value.data(), value.size(), &size);
    value.resize(size);
    return value;
  }
  Loaded loaded;
  core::MacPtr mac;
};

TEST_F(Macs, CopiesGoTheirOwnWays) {
  const auto first = begun();
  const Bytes start = message_of(1000);
  ASSERT_EQ(EVP_MAC_update(first.get(), start.data(), start.size()), 1);
  const core::MacCtxPtr second(EVP_MAC_CTX_dup(first.get()));
  ASSERT_TRUE(second) << queued_errors();
  ASSERT_EQ(EVP_MAC_update(second.get(), start.data(), 10), 1);
  EXPECT_EQ(finish(first.get()), expected(start)) << queued_errors();
  Bytes longer = start;
  longer.insert(longer.end(), start.begin(), start.begin() + 10);
  EXPECT_EQ(finish(second.get()), expected(longer)) << queued_errors();
}

TEST_F(Macs, AreMadeAgainWithTheSameKey) {
  const auto context = begun();
  for (const std::size_t size : {5U, 700000U, 0U}) {
    const Bytes message = message_of(size);
    ASSERT_EQ(EVP_MAC_init(context.get(), nullptr, 0, nullptr), 1);
    ASSERT_EQ(EVP_MAC_update(context.get(), message.data(), message.size()), 1);
    EXPECT_EQ(finish(context.get()), expected(message)) << queued_errors();
  }
}

TEST_F(Macs, AreMadeInSixteenThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (std::size_t i = 0; i < 16; ++i) {
    threads.emplace_back([this, &good, i] {
      // Some in one call, some in parts.
      const Bytes message = message_of(i % 4 == 0 ? 300000 + i : 100 + i);
      const auto context = begun();
      EVP_MAC_update(context.get(), message.data(), message.size());
      if (finish(context.get()) == expected(message)) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 16);
}

TEST_F(Macs, BegunInTheParentEndInTheChild) {
  const auto context = begun();
  const Bytes message = message_of(1000);
  ASSERT_EQ(EVP_MAC_update(context.get(), message.data(), message.size()), 1);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(finish(context.get()) == expected(message) ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(finish(context.get()), expected(message));
}

TEST_F(Macs, OfAForgottenContextLeaveNoSession) {
  // A session for each would be more than some modules have.
  std::vector<core::MacCtxPtr> many;
  for (int i = 0; i < 2000; ++i) {
    many.push_back(begun());
    ASSERT_EQ(EVP_MAC_update(many.back().get(), message_of(10).data(), 10), 1);
  }
  EXPECT_EQ(finish(many.front().get()), expected(message_of(10)));
}

TEST_F(Macs, A77_TheirKeysGiveNoSecretOut) {
  const PkeyPtr key = loaded.key(secret_uri("generic"));
  ASSERT_TRUE(key) << queued_errors();
  EXPECT_EQ(EVP_PKEY_is_a(key.get(), "HMAC"), 1);
  OSSL_PARAM* params = nullptr;
  EXPECT_EQ(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &params), 0);
  OSSL_PARAM_free(params);
  Bytes raw(256);
  std::size_t size = raw.size();
  EXPECT_EQ(EVP_PKEY_get_raw_private_key(key.get(), raw.data(), &size), 0);
  EXPECT_EQ(raw, Bytes(256));
}

class WithToken : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(OSSL_LIB_CTX_load_config(lib.get(), variable("TALLYSTICK_TEST_CONFIG").c_str()), 1);
  }
  LibCtxPtr lib{OSSL_LIB_CTX_new()};
};

TEST_F(WithToken, RandomNumbersAreTheTokens) {
  const RandPtr rand(EVP_RAND_fetch(lib.get(), "TALLYSTICK-RAND", nullptr));
  ASSERT_TRUE(rand);
  const RandCtxPtr context(EVP_RAND_CTX_new(rand.get(), nullptr));
  ASSERT_EQ(EVP_RAND_instantiate(context.get(), 256, 0, nullptr, 0, nullptr), 1) << queued_errors();
  Bytes first(100000);
  Bytes second(100000);
  ASSERT_EQ(EVP_RAND_generate(context.get(), first.data(), first.size(), 256, 0, nullptr, 0), 1)
      << queued_errors();
  ASSERT_EQ(EVP_RAND_generate(context.get(), second.data(), second.size(), 256, 0, nullptr, 0), 1);
  EXPECT_NE(first, second);
  EXPECT_EQ(EVP_RAND_get_state(context.get()), EVP_RAND_STATE_READY);
}

TEST_F(WithToken, RandomNumbersSeedOpensslsOwnGenerators) {
  const RandPtr source(EVP_RAND_fetch(lib.get(), "TALLYSTICK-RAND", nullptr));
  const RandPtr generator(EVP_RAND_fetch(lib.get(), "HASH-DRBG", nullptr));
  const RandCtxPtr parent(EVP_RAND_CTX_new(source.get(), nullptr));
  const RandCtxPtr child(EVP_RAND_CTX_new(generator.get(), parent.get()));
  ASSERT_EQ(EVP_RAND_enable_locking(parent.get()), 1);
  ASSERT_EQ(EVP_RAND_instantiate(parent.get(), 256, 0, nullptr, 0, nullptr), 1);
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  ASSERT_EQ(EVP_RAND_instantiate(child.get(), 256, 0, nullptr, 0, params.data()), 1)
      << queued_errors();
  Bytes numbers(64);
  EXPECT_EQ(EVP_RAND_generate(child.get(), numbers.data(), numbers.size(), 256, 1, nullptr, 0), 1)
      << queued_errors();
}

Bytes digest_by(OSSL_LIB_CTX* lib, const char* properties, const Bytes& message) {
  const core::MdPtr md(EVP_MD_fetch(lib, "SHA256", properties));
  Bytes value(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (!md ||
      EVP_Digest(message.data(), message.size(), value.data(), &size, md.get(), nullptr) != 1) {
    return {};
  }
  value.resize(size);
  return value;
}

TEST_F(WithToken, DigestsAreThoseOfOpenssl) {
  const LibCtxPtr plain(OSSL_LIB_CTX_new());
  for (const std::size_t size : {0U, 1U, 64U, 1000U, 700000U}) {
    EXPECT_EQ(digest_by(lib.get(), kOurs, message_of(size)),
              digest_by(plain.get(), nullptr, message_of(size)))
        << queued_errors();
  }
}

TEST_F(WithToken, DigestsAreCopiedAsTlsDoes) {
  const core::MdPtr md(EVP_MD_fetch(lib.get(), "SHA256", kOurs));
  ASSERT_TRUE(md);
  const LibCtxPtr plain(OSSL_LIB_CTX_new());
  const MdCtxPtr transcript(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_DigestInit_ex2(transcript.get(), md.get(), nullptr), 1) << queued_errors();
  Bytes all;
  for (const std::size_t size : {10U, 5000U, 100000U}) {
    const Bytes more = message_of(size);
    ASSERT_EQ(EVP_DigestUpdate(transcript.get(), more.data(), more.size()), 1);
    all.insert(all.end(), more.begin(), more.end());
    const MdCtxPtr copy(EVP_MD_CTX_new());
    ASSERT_EQ(EVP_MD_CTX_copy_ex(copy.get(), transcript.get()), 1) << queued_errors();
    Bytes value(EVP_MAX_MD_SIZE);
    unsigned int length = 0;
    ASSERT_EQ(EVP_DigestFinal_ex(copy.get(), value.data(), &length), 1) << queued_errors();
    value.resize(length);
    EXPECT_EQ(value, digest_by(plain.get(), nullptr, all));
  }
}

TEST_F(WithToken, DigestsCanBeLeftToOthers) {
  const auto provider_of = [this](const char* properties) -> std::string {
    const core::MdPtr md(EVP_MD_fetch(lib.get(), "SHA256", properties));
    return md ? OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(md.get())) : "";
  };
  EXPECT_EQ(provider_of("?provider=tallystick"), "tallystick");
  EXPECT_EQ(provider_of("?provider=tallystick,tallystick.digest!=yes"), "default");
  EXPECT_EQ(provider_of("tallystick.digest=yes"), "tallystick");
}

TEST(WithoutToken, NoDigestIsOffered) {
  const Loaded loaded;
  EXPECT_FALSE(core::MdPtr(EVP_MD_fetch(loaded.lib(), "SHA256", kOurs)));
  EXPECT_TRUE(core::MdPtr(EVP_MD_fetch(loaded.lib(), "SHA256", "?provider=tallystick")));
}

}  // namespace
}  // namespace tallystick
