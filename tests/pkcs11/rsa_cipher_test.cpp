// RSA encryption and wrapping against plain libcrypto, and what the mechanisms refuse.
#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "tallystick/pkcs11_v3.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"

namespace tallystick::test {
namespace {

Attributes deciphers() { return Attributes().flag(CKA_DECRYPT, true).flag(CKA_UNWRAP, true); }
Attributes enciphers() { return Attributes().flag(CKA_ENCRYPT, true).flag(CKA_WRAP, true); }
Attributes unwrapped(CK_KEY_TYPE type = CKK_GENERIC_SECRET) {
  return Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, type);
}

class RsaCiphers : public ::testing::Test {
 protected:
  RsaCiphers()
      : own_(must(session().create(private_key(some_rsa_key()).append(deciphers())))),
        peer_(must(session().create(public_key(some_rsa_key()).append(enciphers())))) {}

  Session& session() { return token_.session(); }
  CK_RV encrypt_start(CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
    return session()->C_EncryptInit(session().handle(), mechanism, key);
  }
  CK_RV decrypt_start(CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
    return session()->C_DecryptInit(session().handle(), mechanism, key);
  }
  CK_MECHANISM_INFO info(CK_MECHANISM_TYPE type) {
    CK_MECHANISM_INFO out{};
    must(session()->C_GetMechanismInfo(token_.slot(), type, &out));
    return out;
  }

  TestToken token_;
  CK_OBJECT_HANDLE own_;
  CK_OBJECT_HANDLE peer_;
};

TEST_F(RsaCiphers, OaepWithEveryHashMaskAndLabelAgreesWithLibcrypto) {
  for (const auto& hash : kHashCases) {
    for (const auto& mask : kHashCases) {
      for (const auto& label : {core::Bytes{}, bytes("label"), core::Bytes(1000, 0x11)}) {
        SCOPED_TRACE(std::string(hash.name) + " " + mask.name);
        const Scheme scheme{
            .hash = hash.name, .mgf = mask.name, .padding = RSA_PKCS1_OAEP_PADDING, .label = label};
        Oaep oaep(hash.digest, mask.mgf, label);
        const core::Bytes data(256 - 2 * hash.size - 2, 0x5C);
        EXPECT_EQ(decrypted_by(some_rsa_key(), scheme, must(session().encrypt(oaep, peer_, data))),
                  data);
        EXPECT_EQ(must(session().decrypt(oaep, own_, encrypted_to(some_rsa_key(), scheme, data))),
                  data);
      }
    }
  }
}

TEST_F(RsaCiphers, OaepTakesFromNothingToAllThatFits) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  for (const std::size_t size : {0U, 1U, 32U, 189U, 190U}) {
    const core::Bytes data(size, 0x42);
    EXPECT_EQ(must(session().decrypt(oaep, own_, must(session().encrypt(oaep, peer_, data)))), data)
        << size;
  }
  EXPECT_THAT(session().encrypt(oaep, peer_, core::Bytes(191, 0x42)).rv,
              ReturnsRv(CKR_DATA_LEN_RANGE));
}

TEST_F(RsaCiphers, TheSameDataIsEncryptedAnewEachTime) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  EXPECT_NE(must(session().encrypt(oaep, peer_, bytes("x"))),
            must(session().encrypt(oaep, peer_, bytes("x"))));
}

// A32: a wrong key, label, hash, mask or byte has one answer, and the buffer stays as it was.
TEST_F(RsaCiphers, A32_WhatDoesNotOpenHasOneAnswer) {
  Oaep right(CKM_SHA256, CKG_MGF1_SHA256, bytes("label"));
  const auto good = must(session().encrypt(right, peer_, bytes("secret")));
  const auto refuse = [&](Oaep& oaep, CK_OBJECT_HANDLE key, core::Bytes data) {
    core::Bytes out(256, 0xA5);
    CK_ULONG size = out.size();
    ASSERT_THAT(decrypt_start(oaep.get(), key), IsOk());
    EXPECT_THAT(
        session()->C_Decrypt(session().handle(), data.data(), data.size(), out.data(), &size),
        ReturnsRv(CKR_ENCRYPTED_DATA_INVALID));
    EXPECT_EQ(out, core::Bytes(256, 0xA5));
    EXPECT_THAT(session().unwrap(oaep, key, data, unwrapped()).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  };
  Oaep label(CKM_SHA256, CKG_MGF1_SHA256, bytes("Label"));
  Oaep none(CKM_SHA256, CKG_MGF1_SHA256);
  Oaep hash(CKM_SHA3_256, CKG_MGF1_SHA256, bytes("label"));
  Oaep mask(CKM_SHA256, CKG_MGF1_SHA1, bytes("label"));
  for (auto* const wrong : {&label, &none, &hash, &mask}) refuse(*wrong, own_, good);
  for (const std::size_t at : {1U, 2U, 100U, 255U}) {
    auto damaged = good;
    damaged[at] ^= 1U;
    refuse(right, own_, damaged);
  }
  refuse(right, own_, core::Bytes(256, 0));
  refuse(right, own_, core::Bytes(256, 0xFF));
  const auto other = generate_rsa(session(), 2048, {}, deciphers());
  refuse(right, other.private_key, core::Bytes(256, 0x33));
  EXPECT_EQ(must(session().decrypt(right, own_, good)), bytes("secret"));
  for (const std::size_t size : {0U, 1U, 255U, 257U, 512U}) {
    EXPECT_THAT(session().decrypt(right, own_, core::Bytes(size, 1)).rv,
                ReturnsRv(CKR_ENCRYPTED_DATA_LEN_RANGE));
    EXPECT_THAT(session().unwrap(right, own_, core::Bytes(size, 1), unwrapped()).rv,
                ReturnsRv(CKR_WRAPPED_KEY_LEN_RANGE));
  }
}

TEST_F(RsaCiphers, A64_OaepParametersOfTheWrongFormAreRefused) {
  const auto refuse = [&](CK_MECHANISM* mechanism) {
    EXPECT_THAT(encrypt_start(mechanism, peer_), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
    EXPECT_THAT(decrypt_start(mechanism, own_), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  };
  for (const std::size_t size :
       {std::size_t{0}, sizeof(CK_RSA_PKCS_OAEP_PARAMS) - 1, sizeof(CK_RSA_PKCS_OAEP_PARAMS),
        sizeof(CK_RSA_PKCS_OAEP_PARAMS) + 1}) {
    Mechanism mechanism(CKM_RSA_PKCS_OAEP, core::Bytes(size));
    refuse(mechanism.get());
  }
  CK_MECHANISM null = {CKM_RSA_PKCS_OAEP, nullptr, sizeof(CK_RSA_PKCS_OAEP_PARAMS)};
  refuse(&null);
  EXPECT_THAT(
      session().unwrap(Mechanism(CKM_RSA_PKCS_OAEP), own_, core::Bytes(256), unwrapped()).rv,
      ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  const auto with = [&](const std::function<void(CK_RSA_PKCS_OAEP_PARAMS&)>& change) {
    Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256, bytes("label"));
    change(oaep.params());
    refuse(oaep.get());
  };
  with([](auto& params) { params.hashAlg = CKM_MD5; });
  with([](auto& params) { params.hashAlg = CKM_SHA256_HMAC; });
  with([](auto& params) { params.mgf = 0; });
  with([](auto& params) { params.mgf = 10; });
  with([](auto& params) { params.source = 2; });
  with([](auto& params) { params.source = 0; });
  with([](auto& params) { params.pSourceData = nullptr; });
  with([](auto& params) { params.ulSourceDataLen = ~0UL; });
  with([](auto& params) { params.ulSourceDataLen = 1UL << 20U; });
}

TEST_F(RsaCiphers, ALabelThatIsOpenOrEmptyIsNone) {
  Oaep plain(CKM_SHA256, CKG_MGF1_SHA256);
  const auto data = must(session().encrypt(plain, peer_, bytes("x")));
  Oaep open(CKM_SHA256, CKG_MGF1_SHA256);
  open.params().source = 0;
  EXPECT_EQ(must(session().decrypt(open, own_, data)), bytes("x"));
  Oaep empty(CKM_SHA256, CKG_MGF1_SHA256, bytes("not read"));
  empty.params().ulSourceDataLen = 0;
  EXPECT_EQ(must(session().decrypt(empty, own_, data)), bytes("x"));
}

// A65: the label is the token's own from C_...Init on.
TEST_F(RsaCiphers, A65_ALabelThatIsChangedAfterwardsChangesNothing) {
  Oaep right(CKM_SHA256, CKG_MGF1_SHA256, bytes("label"));
  const auto data = must(session().encrypt(right, peer_, bytes("x")));
  auto label = bytes("label");
  Oaep theirs(CKM_SHA256, CKG_MGF1_SHA256);
  theirs.params().pSourceData = label.data();
  theirs.params().ulSourceDataLen = label.size();
  ASSERT_THAT(decrypt_start(theirs.get(), own_), IsOk());
  label.assign(label.size(), 0);
  theirs.params().mgf = 0;
  core::Bytes out(256);
  CK_ULONG size = out.size();
  auto copy = data;
  EXPECT_THAT(session()->C_Decrypt(session().handle(), copy.data(), copy.size(), out.data(), &size),
              IsOk());
  EXPECT_EQ(size, 1U);
}

// A31: version 1.5 encrypts and signs; it neither decrypts, wraps nor unwraps.
TEST_F(RsaCiphers, A31_Pkcs1NeitherDecryptsNorWrapsNorUnwraps) {
  const auto flags = info(CKM_RSA_PKCS).flags;
  EXPECT_EQ(flags & (CKF_ENCRYPT | CKF_SIGN | CKF_VERIFY), CKF_ENCRYPT | CKF_SIGN | CKF_VERIFY);
  EXPECT_EQ(flags & (CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP), 0U);
  Mechanism pkcs1(CKM_RSA_PKCS);
  EXPECT_THAT(decrypt_start(pkcs1.get(), own_), ReturnsRv(CKR_MECHANISM_INVALID));
  const auto data =
      encrypted_to(some_rsa_key(), {.padding = RSA_PKCS1_PADDING}, core::Bytes(16, 1));
  EXPECT_THAT(session().unwrap(CKM_RSA_PKCS, own_, data, unwrapped()).rv,
              ReturnsRv(CKR_MECHANISM_INVALID));
  const auto open = must(session().create(secret_key(CKK_GENERIC_SECRET, core::Bytes(16, 1))
                                              .flag(CKA_SENSITIVE, false)
                                              .flag(CKA_EXTRACTABLE, true)));
  EXPECT_THAT(session().wrap(CKM_RSA_PKCS, peer_, open).rv, ReturnsRv(CKR_MECHANISM_INVALID));
  // Bare RSA is not there at all.
  CK_MECHANISM_INFO none{};
  EXPECT_THAT(session()->C_GetMechanismInfo(token_.slot(), CKM_RSA_X_509, &none),
              ReturnsRv(CKR_MECHANISM_INVALID));
  Mechanism raw(CKM_RSA_X_509);
  EXPECT_THAT(session()->C_SignInit(session().handle(), raw.get(), own_),
              ReturnsRv(CKR_MECHANISM_INVALID));
}

TEST_F(RsaCiphers, Pkcs1EncryptsForLibcrypto) {
  Mechanism pkcs1(CKM_RSA_PKCS);
  for (const std::size_t size : {0U, 1U, 245U}) {
    const core::Bytes data(size, 0x42);
    EXPECT_EQ(decrypted_by(some_rsa_key(), {.padding = RSA_PKCS1_PADDING},
                           must(session().encrypt(pkcs1, peer_, data))),
              data);
  }
  EXPECT_THAT(session().encrypt(pkcs1, peer_, core::Bytes(246, 1)).rv,
              ReturnsRv(CKR_DATA_LEN_RANGE));
}

TEST_F(RsaCiphers, KeysOfOtherTypesAndHalvesAreRefused) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  EXPECT_THAT(encrypt_start(oaep.get(), own_), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(decrypt_start(oaep.get(), peer_), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto aes = generate_aes(session());
  EXPECT_THAT(encrypt_start(oaep.get(), aes), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  const auto open = must(session().create(secret_key(CKK_AES, core::Bytes(32, 1))
                                              .flag(CKA_SENSITIVE, false)
                                              .flag(CKA_EXTRACTABLE, true)));
  const auto kek = generate_aes(session(), Attributes().flag(CKA_WRAP, true));
  EXPECT_THAT(session().wrap(oaep, kek, open).rv, ReturnsRv(CKR_WRAPPING_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(session().unwrap(oaep, aes, core::Bytes(256), unwrapped()).rv,
              ReturnsRv(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT));
}

// ---- Wrapping ----

TEST_F(RsaCiphers, AReadableKeyIsWrappedAndComesBackTheSame) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256, bytes("label"));
  const core::Bytes value(32, 0x5A);
  const auto open = must(session().create(
      secret_key(CKK_AES, value).flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true)));
  const auto blob = must(session().wrap(oaep, peer_, open));
  EXPECT_EQ(blob.size(), 256U);
  EXPECT_EQ(decrypted_by(some_rsa_key(),
                         {.hash = "SHA256",
                          .mgf = "SHA256",
                          .padding = RSA_PKCS1_OAEP_PADDING,
                          .label = bytes("label")},
                         blob),
            value);
  const auto back =
      must(session().unwrap(oaep, own_, blob, unwrapped(CKK_AES).flag(CKA_ENCRYPT, true)));
  EXPECT_TRUE(session().flag(back, CKA_SENSITIVE));
  EXPECT_FALSE(session().flag(back, CKA_LOCAL));
  Gcm gcm(core::Bytes(12, 1));
  const auto same = must(session().create(secret_key(CKK_AES, value).flag(CKA_ENCRYPT, true)));
  EXPECT_EQ(must(session().encrypt(gcm, back, bytes("x"))),
            must(session().encrypt(gcm, same, bytes("x"))));
  // A key that is as long as it says, of the type that the template says.
  EXPECT_THAT(session().unwrap(oaep, own_, blob, unwrapped(CKK_AES).number(CKA_VALUE_LEN, 16)).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_THAT(session().unwrap(oaep, own_, blob, unwrapped(CKK_AES).flag(CKA_SENSITIVE, false)).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST_F(RsaCiphers, AKeyThatDoesNotFitIsNotWrapped) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  const auto long_key = must(session().create(secret_key(CKK_GENERIC_SECRET, core::Bytes(191, 1))
                                                  .flag(CKA_SENSITIVE, false)
                                                  .flag(CKA_EXTRACTABLE, true)));
  EXPECT_THAT(session().wrap(oaep, peer_, long_key).rv, ReturnsRv(CKR_KEY_SIZE_RANGE));
}

// A02: a sensitive key does not leave under a public key that came from outside.
TEST_F(RsaCiphers, A02_ASensitiveKeyDoesNotLeaveUnderAPublicKeyFromOutside) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  const auto outside = libcrypto_key("RSA-4096");
  const auto foreign = must(session().create(public_key(outside.get()).flag(CKA_WRAP, true)));
  const auto key = generate_aes(session(), Attributes().flag(CKA_EXTRACTABLE, true), 16);
  EXPECT_THAT(session().wrap(oaep, foreign, key).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  // Nor when the private half is here but was made outside, or may decrypt (A01).
  must(session().create(private_key(outside.get()).flag(CKA_UNWRAP, true)));
  EXPECT_THAT(session().wrap(oaep, foreign, key).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

// A02: nor under one whose private half may leave the token, to come back as one that decrypts.
TEST_F(RsaCiphers, A02_ASensitiveKeyDoesNotLeaveUnderAPairWhosePrivateHalfMayLeave) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  const auto key = generate_aes(session(), Attributes().flag(CKA_EXTRACTABLE, true), 16);
  const auto wraps = Attributes().flag(CKA_WRAP, true);
  const auto leaves = generate_rsa(session(), 3072, wraps,
                                   Attributes().flag(CKA_SIGN, true).flag(CKA_EXTRACTABLE, true));
  EXPECT_THAT(session().wrap(oaep, leaves.public_key, key).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  must(session().set(leaves.private_key, Attributes().flag(CKA_EXTRACTABLE, false)));
  EXPECT_THAT(session().wrap(oaep, leaves.public_key, key).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED))
      << "it could have left before";
  const auto stays = generate_rsa(session(), 3072, wraps, Attributes().flag(CKA_SIGN, true));
  EXPECT_THAT(session().wrap(oaep, stays.public_key, key).rv, IsOk());
}

// A01, A12: under a pair made here that only wraps, and only when it is as strong as the key.
TEST_F(RsaCiphers, A01_A12_ASensitiveKeyLeavesUnderAPairThatOnlyWrapsAndIsStrongEnough) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  const auto small = generate_rsa(session(), 2048, Attributes().flag(CKA_WRAP, true),
                                  Attributes().flag(CKA_UNWRAP, true));
  const auto large = generate_rsa(session(), 3072, Attributes().flag(CKA_WRAP, true),
                                  Attributes().flag(CKA_UNWRAP, true));
  const auto both = generate_rsa(session(), 3072, enciphers(), deciphers());
  const auto extractable = Attributes().flag(CKA_EXTRACTABLE, true);
  const auto aes128 = generate_aes(session(), extractable, 16);
  const auto aes256 = generate_aes(session(), extractable, 32);
  const auto wrap = [&](const KeyPair& pair, CK_OBJECT_HANDLE key) {
    return session().wrap(oaep, pair.public_key, key).rv;
  };
  EXPECT_THAT(wrap(large, aes128), IsOk());
  EXPECT_THAT(wrap(large, aes256), ReturnsRv(CKR_WRAPPING_KEY_SIZE_RANGE));
  EXPECT_THAT(wrap(small, aes128), ReturnsRv(CKR_WRAPPING_KEY_SIZE_RANGE));
  EXPECT_THAT(wrap(both, aes128), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto blob = must(session().wrap(oaep, large.public_key, aes128));
  const auto back = must(session().unwrap(oaep, large.private_key, blob, unwrapped(CKK_AES)));
  EXPECT_EQ(session().number(back, CKA_VALUE_LEN), 16U);
  EXPECT_THAT(session().decrypt(oaep, large.private_key, blob).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

// A10: bytes that nobody encrypted do not become a key.
TEST_F(RsaCiphers, A10_RandomBytesNeverUnwrapIntoAKey) {
  Oaep oaep(CKM_SHA256, CKG_MGF1_SHA256);
  const auto before = session().find({}).size();
  for (int i = 0; i < 300; ++i) {
    auto blob = must(session().random(256));
    blob[0] &= 0x3FU;
    ASSERT_THAT(session().unwrap(oaep, own_, blob, unwrapped()).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
  EXPECT_EQ(session().find({}).size(), before);
}

}  // namespace
}  // namespace tallystick::test
