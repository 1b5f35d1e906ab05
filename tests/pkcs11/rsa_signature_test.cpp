// RSA signatures against plain libcrypto, and what the mechanisms refuse.
#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"

namespace tallystick::test {
namespace {

// A token with libcrypto's key in it, both halves.
class RsaSignatures : public ::testing::Test {
 protected:
  RsaSignatures()
      : own_(must(token_.session().create(private_key(some_rsa_key())))),
        peer_(must(token_.session().create(public_key(some_rsa_key())))) {}

  Session& session() { return token_.session(); }
  CK_RV sign_start(CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
    return session()->C_SignInit(session().handle(), mechanism, key);
  }
  // Signs and verifies here and there, in one piece and in parts.
  void hold_against_libcrypto(const Mechanism& mechanism, const Scheme& scheme,
                              const core::Bytes& message) {
    const auto once = must(session().sign(mechanism, own_, message));
    const auto parts = must(session().sign_parts(mechanism, own_, message, 1000));
    EXPECT_TRUE(verifies(some_rsa_key(), scheme, message, once));
    EXPECT_TRUE(verifies(some_rsa_key(), scheme, message, parts));
    const auto theirs = signed_by(some_rsa_key(), scheme, message);
    EXPECT_THAT(session().verify(mechanism, peer_, message, theirs), IsOk());
    EXPECT_THAT(session().verify_parts(mechanism, peer_, message, theirs, 1000), IsOk());
    auto other = message;
    other.push_back(0);
    EXPECT_THAT(session().verify(mechanism, peer_, other, theirs),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }

  TestToken token_;
  CK_OBJECT_HANDLE own_;
  CK_OBJECT_HANDLE peer_;
};

TEST_F(RsaSignatures, Pkcs1WithEveryHashAgreesWithLibcrypto) {
  for (const auto& hash : kHashCases) {
    SCOPED_TRACE(hash.name);
    const Scheme scheme{.hash = hash.name, .padding = RSA_PKCS1_PADDING};
    for (const auto& message : {bytes(""), bytes("message"), core::Bytes(5000, 0x77)}) {
      hold_against_libcrypto(Mechanism(hash.rsa_pkcs), scheme, message);
    }
  }
}

TEST_F(RsaSignatures, PssWithEveryHashMaskAndSaltAgreesWithLibcrypto) {
  for (const auto& hash : kHashCases) {
    for (const auto& mask : kHashCases) {
      SCOPED_TRACE(std::string(hash.name) + " " + mask.name);
      const auto longest = 256 - hash.size - 2;
      for (const std::size_t salt : {std::size_t{0}, std::size_t{1}, hash.size, longest}) {
        const Scheme scheme{.hash = hash.name,
                            .mgf = mask.name,
                            .padding = RSA_PKCS1_PSS_PADDING,
                            .salt = static_cast<int>(salt)};
        const auto message = bytes("salted");
        const auto made =
            must(session().sign(pss(hash.rsa_pss, hash.digest, mask.mgf, salt), own_, message));
        EXPECT_TRUE(verifies(some_rsa_key(), scheme, message, made)) << salt;
        EXPECT_THAT(session().verify(pss(hash.rsa_pss, hash.digest, mask.mgf, salt), peer_, message,
                                     signed_by(some_rsa_key(), scheme, message)),
                    IsOk())
            << salt;
      }
    }
  }
}

TEST_F(RsaSignatures, PssOfAHashIsPssOfTheMessage) {
  for (const auto& hash : {kHashCases[0], kHashCases[2], kHashCases[4]}) {
    const auto message = bytes("hashed by the caller");
    const auto digest = must(session().digest(hash.digest, message));
    const auto bare = pss(CKM_RSA_PKCS_PSS, hash.digest, hash.mgf, hash.size);
    const auto whole = pss(hash.rsa_pss, hash.digest, hash.mgf, hash.size);
    EXPECT_THAT(session().verify(whole, peer_, message, must(session().sign(bare, own_, digest))),
                IsOk());
    EXPECT_THAT(session().verify(bare, peer_, digest, must(session().sign(whole, own_, message))),
                IsOk());
    for (const std::size_t size : {std::size_t{0}, hash.size - 1, hash.size + 1}) {
      EXPECT_THAT(session().sign(bare, own_, core::Bytes(size, 1)).rv,
                  ReturnsRv(CKR_DATA_LEN_RANGE));
      EXPECT_THAT(session().verify(bare, peer_, core::Bytes(size, 1), core::Bytes(256, 1)),
                  ReturnsRv(CKR_DATA_LEN_RANGE));
    }
  }
}

TEST_F(RsaSignatures, SaltsDifferFromOneSignatureToTheNext) {
  const auto mechanism = pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32);
  EXPECT_NE(must(session().sign(mechanism, own_, bytes("x"))),
            must(session().sign(mechanism, own_, bytes("x"))));
}

TEST_F(RsaSignatures, BareDataIsSignedUpToElevenBytesLessThanTheModulus) {
  for (const std::size_t size : {1U, 32U, 244U, 245U}) {
    const core::Bytes data(size, 0x42);
    const auto made = must(session().sign(CKM_RSA_PKCS, own_, data));
    EXPECT_THAT(session().verify(CKM_RSA_PKCS, peer_, data, made), IsOk());
    // Type 1 padding, then the data as they are.
    core::Bytes padded{0, 1};
    padded.resize(256 - size - 1, 0xFF);
    padded.push_back(0);
    padded.insert(padded.end(), data.begin(), data.end());
    EXPECT_EQ(encrypted_to(some_rsa_key(), {.padding = RSA_NO_PADDING}, made), padded) << size;
    auto other = data;
    other.back() ^= 1U;
    EXPECT_THAT(session().verify(CKM_RSA_PKCS, peer_, other, made),
                ReturnsRv(CKR_SIGNATURE_INVALID));
    other.resize(size - 1);
    if (!other.empty()) {
      EXPECT_THAT(session().verify(CKM_RSA_PKCS, peer_, other, made),
                  ReturnsRv(CKR_SIGNATURE_INVALID));
    }
  }
  for (const std::size_t size : {0U, 246U, 256U, 5000U}) {
    EXPECT_THAT(session().sign(CKM_RSA_PKCS, own_, core::Bytes(size, 1)).rv,
                ReturnsRv(CKR_DATA_LEN_RANGE));
    EXPECT_THAT(session().verify(CKM_RSA_PKCS, peer_, core::Bytes(size, 1), core::Bytes(256, 1)),
                ReturnsRv(CKR_DATA_LEN_RANGE));
  }
}

TEST_F(RsaSignatures, ADigestInfoOfTheCallerIsTheHashingMechanism) {
  // What OpenSSH and TLS stacks hand over: DER of the hash and its algorithm.
  const auto message = bytes("in a DigestInfo");
  core::Bytes info{0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
  const auto digest = must(session().digest(CKM_SHA256, message));
  info.insert(info.end(), digest.begin(), digest.end());
  EXPECT_EQ(must(session().sign(CKM_RSA_PKCS, own_, info)),
            must(session().sign(CKM_SHA256_RSA_PKCS, own_, message)));
}

TEST_F(RsaSignatures, BareDataIsSignedInOnePieceOnly) {
  Mechanism mechanism(CKM_RSA_PKCS);
  ASSERT_THAT(sign_start(mechanism.get(), own_), IsOk());
  auto data = bytes("x");
  EXPECT_THAT(session()->C_SignUpdate(session().handle(), data.data(), data.size()),
              ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
}

TEST_F(RsaSignatures, ALengthMayBeAskedAndAShortBufferEndsNothing) {
  Mechanism mechanism(CKM_SHA256_RSA_PKCS);
  ASSERT_THAT(sign_start(mechanism.get(), own_), IsOk());
  auto data = bytes("x");
  CK_ULONG size = 0;
  EXPECT_THAT(session()->C_Sign(session().handle(), data.data(), data.size(), nullptr, &size),
              IsOk());
  EXPECT_EQ(size, 256U);
  core::Bytes signature(256);
  size = 255;
  EXPECT_THAT(
      session()->C_Sign(session().handle(), data.data(), data.size(), signature.data(), &size),
      ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(size, 256U);
  EXPECT_THAT(
      session()->C_Sign(session().handle(), data.data(), data.size(), signature.data(), &size),
      IsOk());
}

TEST_F(RsaSignatures, SignaturesOfAnotherLengthAreRefused) {
  const auto made = must(session().sign(CKM_SHA256_RSA_PKCS, own_, bytes("x")));
  for (const std::size_t size : {0U, 1U, 128U, 255U, 257U, 512U}) {
    auto other = made;
    other.resize(size, 0);
    EXPECT_THAT(session().verify(CKM_SHA256_RSA_PKCS, peer_, bytes("x"), other),
                ReturnsRv(CKR_SIGNATURE_LEN_RANGE));
  }
  for (const std::size_t at : {0U, 1U, 100U, 255U}) {
    auto other = made;
    other[at] ^= 1U;
    EXPECT_THAT(session().verify(CKM_SHA256_RSA_PKCS, peer_, bytes("x"), other),
                ReturnsRv(CKR_SIGNATURE_INVALID));
  }
  EXPECT_THAT(session().verify(CKM_SHA256_RSA_PKCS, peer_, bytes("x"), core::Bytes(256, 0xFF)),
              ReturnsRv(CKR_SIGNATURE_INVALID));
}

// A64
TEST_F(RsaSignatures, A64_ParametersOfTheWrongFormAreRefused) {
  const auto refuse = [&](Mechanism mechanism) {
    EXPECT_THAT(sign_start(mechanism.get(), own_), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(session()->C_VerifyInit(session().handle(), mechanism.get(), peer_),
                ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  };
  refuse({CKM_RSA_PKCS, {1}});
  refuse({CKM_SHA256_RSA_PKCS, {1}});
  for (const auto type : {CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS}) {
    refuse({type});
    refuse({type, core::Bytes(sizeof(CK_RSA_PKCS_PSS_PARAMS) - 1)});
    refuse({type, core::Bytes(sizeof(CK_RSA_PKCS_PSS_PARAMS) + 1)});
    refuse({type, core::Bytes(sizeof(CK_RSA_PKCS_PSS_PARAMS))});
    refuse({type, core::Bytes(sizeof(CK_RSA_PKCS_PSS_PARAMS), 0xFF)});
    refuse(pss(type, CKM_MD5, CKG_MGF1_SHA256, 32));
    refuse(pss(type, CKM_SHA256_RSA_PKCS, CKG_MGF1_SHA256, 32));
    refuse(pss(type, CKM_SHA256, 0, 32));
    refuse(pss(type, CKM_SHA256, 10, 32));
    // 256 - 32 - 2 is the longest salt of this key.
    refuse(pss(type, CKM_SHA256, CKG_MGF1_SHA256, 223));
    refuse(pss(type, CKM_SHA256, CKG_MGF1_SHA256, ~0UL));
    refuse(pss(type, CKM_SHA256, CKG_MGF1_SHA256, 1UL << 32U));
  }
  // The mechanism names the hash; the parameter may not name another.
  refuse(pss(CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 48));
  refuse(pss(CKM_SHA1_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA1, 20));
  // A null pointer with a length.
  CK_MECHANISM null = {CKM_RSA_PKCS_PSS, nullptr, sizeof(CK_RSA_PKCS_PSS_PARAMS)};
  EXPECT_THAT(sign_start(&null, own_), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST_F(RsaSignatures, KeysOfOtherTypesAndHalvesAreRefused) {
  const auto ec = generate_ec(session());
  Mechanism rsa(CKM_SHA256_RSA_PKCS);
  EXPECT_THAT(sign_start(rsa.get(), ec.private_key), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(session()->C_VerifyInit(session().handle(), rsa.get(), ec.public_key),
              ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  Mechanism ecdsa(CKM_ECDSA);
  EXPECT_THAT(sign_start(ecdsa.get(), own_), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(sign_start(rsa.get(), peer_), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(session()->C_VerifyInit(session().handle(), rsa.get(), own_),
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto decrypts = must(session().create(private_key(some_rsa_key()).flag(CKA_DECRYPT, true)));
  EXPECT_THAT(sign_start(rsa.get(), decrypts), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

// One key between mechanisms and parameters: what was prepared for one is not used for another.
TEST_F(RsaSignatures, AKeyThatChangesBetweenSchemesSignsEachRightly) {
  const auto message = bytes("x");
  for (int round = 0; round < 3; ++round) {
    for (const auto& hash : {kHashCases[1], kHashCases[2], kHashCases[6]}) {
      hold_against_libcrypto(Mechanism(hash.rsa_pkcs),
                             {.hash = hash.name, .padding = RSA_PKCS1_PADDING}, message);
      for (const int salt : {0, 20}) {
        hold_against_libcrypto(
            pss(hash.rsa_pss, hash.digest, CKG_MGF1_SHA1, static_cast<CK_ULONG>(salt)),
            {.hash = hash.name, .mgf = "SHA1", .padding = RSA_PKCS1_PSS_PADDING, .salt = salt},
            message);
      }
    }
  }
}

}  // namespace
}  // namespace tallystick::test
