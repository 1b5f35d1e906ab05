// HKDF: the steps and kinds of salt with every hash, data objects, and which keys it takes.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::test {
namespace {

core::Bytes hmac(const char* hash, const core::Bytes& key, const core::Bytes& data) {
  core::Bytes out(64);
  std::size_t size = 0;
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, hash, nullptr, key.data(), key.size(), data.data(),
                data.size(), out.data(), out.size(), &size) == nullptr) {
    throw std::runtime_error("HMAC");
  }
  out.resize(size);
  return out;
}

// RFC 5869, section 2.3.
core::Bytes expanded(const char* hash, const core::Bytes& key, const core::Bytes& info,
                     std::size_t size) {
  core::Bytes out;
  core::Bytes block;
  for (std::uint8_t counter = 1; out.size() < size; ++counter) {
    block.insert(block.end(), info.begin(), info.end());
    block.push_back(counter);
    block = hmac(hash, key, block);
    out.insert(out.end(), block.begin(), block.end());
  }
  out.resize(size);
  return out;
}

struct HkdfHash {
  const char* name;
  CK_MECHANISM_TYPE digest;
  std::size_t size;
};
constexpr HkdfHash kHashes[] = {{"SHA1", CKM_SHA_1, 20},
                                {"SHA224", CKM_SHA224, 28},
                                {"SHA256", CKM_SHA256, 32},
                                {"SHA384", CKM_SHA384, 48},
                                {"SHA512", CKM_SHA512, 64},
                                {"SHA512-224", CKM_SHA512_224, 28},
                                {"SHA512-256", CKM_SHA512_256, 32},
                                {"SHA3-224", CKM_SHA3_224, 28},
                                {"SHA3-256", CKM_SHA3_256, 32},
                                {"SHA3-384", CKM_SHA3_384, 48},
                                {"SHA3-512", CKM_SHA3_512, 64}};

class HkdfHashes : public ::testing::Test {
 protected:
  Session& session() { return token_.session(); }
  core::Bytes key_of(const Hkdf& hkdf, CK_OBJECT_HANDLE base, CK_ULONG length = 0) {
    return must(
        session().get(must(session().derive(hkdf, base, readable_secret(length))), CKA_VALUE));
  }
  TestToken token_;
};

TEST_F(HkdfHashes, EachStepGivesWhatTheRfcDefines) {
  for (const auto& hash : kHashes) {
    SCOPED_TRACE(hash.name);
    for (const std::size_t size : {std::size_t{16}, std::size_t{64}, std::size_t{200}}) {
      const auto secret = some_bytes(size);
      const auto salt = bytes("some salt");
      const auto info = bytes("info");
      const auto prk = hmac(hash.name, salt, secret);
      for (const auto type : {CKK_GENERIC_SECRET, CKK_HKDF}) {
        const auto base = base_key(session(), secret, type);
        Hkdf extract(hash.digest);
        extract.steps(true, false).salt(salt);
        EXPECT_EQ(key_of(extract, base), prk);
        EXPECT_EQ(key_of(extract, base, hash.size), prk);
        Hkdf both(hash.digest, info);
        both.salt(salt);
        for (const CK_ULONG length : {16UL, 100UL, 1000UL}) {
          EXPECT_EQ(key_of(both, base, length), expanded(hash.name, prk, info, length));
        }
        Hkdf expand(hash.digest, info);
        expand.steps(false, true);
        EXPECT_EQ(key_of(expand, base_key(session(), prk, type), 77),
                  expanded(hash.name, prk, info, 77));
      }
    }
  }
}

TEST_F(HkdfHashes, NoSaltAnEmptyOneAndZerosAreTheSame) {
  for (const auto& hash : kHashes) {
    SCOPED_TRACE(hash.name);
    const auto base = base_key(session(), some_bytes(32));
    const auto zeros = core::Bytes(hash.size);
    Hkdf none(hash.digest);
    Hkdf empty(hash.digest);
    empty.salt({});
    Hkdf given(hash.digest);
    given.salt(zeros);
    const auto value = key_of(none, base, 32);
    EXPECT_EQ(value, key_of(empty, base, 32));
    EXPECT_EQ(value, key_of(given, base, 32));
    EXPECT_EQ(value, expanded(hash.name, hmac(hash.name, zeros, some_bytes(32)), {}, 32));
  }
}

TEST_F(HkdfHashes, AKeyAsSaltIsItsValueAsSalt) {
  for (const auto& hash : kHashes) {
    SCOPED_TRACE(hash.name);
    const auto base = base_key(session(), some_bytes(40));
    for (const auto type : {CKK_GENERIC_SECRET, CKK_HKDF}) {
      Hkdf with_key(hash.digest);
      with_key.salt_key(base_key(session(), bytes("a salt that is a key"), type));
      Hkdf with_data(hash.digest);
      with_data.salt(bytes("a salt that is a key"));
      EXPECT_EQ(key_of(with_key, base, 32), key_of(with_data, base, 32));
    }
  }
}

TEST_F(HkdfHashes, DataComeInEveryLengthThatTheHashExpandsTo) {
  for (const auto& hash : kHashes) {
    SCOPED_TRACE(hash.name);
    const auto secret = some_bytes(32);
    const auto base = base_key(session(), secret);
    const auto most = 255 * hash.size;
    Hkdf hkdf(hash.digest, bytes("i"), CKM_HKDF_DATA);
    const auto rv = [&](CK_ULONG length) {
      return session().derive(hkdf, base, Attributes().number(CKA_VALUE_LEN, length)).rv;
    };
    const auto prk = hmac(hash.name, core::Bytes(hash.size), secret);
    for (const std::size_t length : {std::size_t{1}, std::size_t{12}, most}) {
      const auto data =
          must(session().derive(hkdf, base, Attributes().number(CKA_VALUE_LEN, length)));
      EXPECT_EQ(must(session().get(data, CKA_VALUE)), expanded(hash.name, prk, bytes("i"), length));
    }
    EXPECT_THAT(rv(0), ReturnsRv(CKR_KEY_SIZE_RANGE));
    EXPECT_THAT(rv(most + 1), ReturnsRv(CKR_KEY_SIZE_RANGE));
    EXPECT_THAT(rv(~0UL), ReturnsRv(CKR_KEY_SIZE_RANGE));
  }
}

class HkdfKeys : public ::testing::Test {
 protected:
  HkdfKeys() : base_(base_key(session(), some_bytes(32))) {}
  Session& session() { return token_.session(); }
  CK_RV rv(const Hkdf& hkdf, const Attributes& wanted) {
    return session().derive(hkdf, base_, wanted).rv;
  }
  void refuse(const Hkdf& hkdf, const Attributes& wanted, CK_RV answer) {
    EXPECT_THAT(rv(hkdf, wanted), ReturnsRv(answer));
  }

  TestToken token_;
  CK_OBJECT_HANDLE base_;
};

TEST_F(HkdfKeys, ADataObjectIsPrivateWhenItsBaseKeyIs) {
  Hkdf hkdf(CKM_SHA256, {}, CKM_HKDF_DATA);
  const auto sized = Attributes().number(CKA_VALUE_LEN, 12);
  const auto data = must(session().derive(hkdf, base_, sized));
  EXPECT_EQ(session().number(data, CKA_CLASS), CKO_DATA);
  EXPECT_TRUE(session().flag(data, CKA_PRIVATE));
  EXPECT_FALSE(session().flag(data, CKA_TOKEN));
  const auto asked = must(session().derive(
      hkdf, base_, Attributes(sized).number(CKA_CLASS, CKO_DATA).flag(CKA_PRIVATE, false)));
  EXPECT_FALSE(session().flag(asked, CKA_PRIVATE));
  const auto open = must(session().create(
      secret_key(CKK_HKDF, some_bytes(32)).flag(CKA_DERIVE, true).flag(CKA_PRIVATE, false)));
  EXPECT_FALSE(session().flag(must(session().derive(hkdf, open, sized)), CKA_PRIVATE));
}

TEST_F(HkdfKeys, DataHaveNoAttributesOfKeys) {
  Hkdf hkdf(CKM_SHA256, {}, CKM_HKDF_DATA);
  const auto sized = [] { return Attributes().number(CKA_VALUE_LEN, 12); };
  refuse(hkdf, sized().number(CKA_CLASS, CKO_SECRET_KEY), CKR_TEMPLATE_INCONSISTENT);
  refuse(hkdf, sized().number(CKA_KEY_TYPE, CKK_AES), CKR_ATTRIBUTE_TYPE_INVALID);
  refuse(hkdf, sized().flag(CKA_SENSITIVE, true), CKR_ATTRIBUTE_TYPE_INVALID);
  refuse(hkdf, sized().bytes(CKA_VALUE, core::Bytes(12)), CKR_TEMPLATE_INCONSISTENT);
  refuse(hkdf, {}, CKR_TEMPLATE_INCOMPLETE);
}

TEST_F(HkdfKeys, ExtractedDataAreAsLongAsTheHash) {
  Hkdf extract(CKM_SHA256, {}, CKM_HKDF_DATA);
  extract.steps(true, false);
  const auto data = [](CK_ULONG length) { return Attributes().number(CKA_VALUE_LEN, length); };
  EXPECT_THAT(rv(extract, {}), IsOk());
  EXPECT_THAT(rv(extract, data(32)), IsOk());
  for (const CK_ULONG other : {0UL, 12UL, 31UL, 33UL}) {
    refuse(extract, data(other), CKR_TEMPLATE_INCONSISTENT);
  }
}

TEST_F(HkdfKeys, LengthsAreThoseOfTheStepsAndOfTheKeyType) {
  Hkdf both(CKM_SHA256);
  refuse(both, {}, CKR_TEMPLATE_INCOMPLETE);
  refuse(both, readable_secret(4097), CKR_KEY_SIZE_RANGE);
  refuse(both, readable_secret(17, CKK_AES), CKR_KEY_SIZE_RANGE);
  refuse(both, readable_secret(32, CKK_EC), CKR_ATTRIBUTE_VALUE_INVALID);
  refuse(both, Attributes().number(CKA_CLASS, CKO_DATA), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_THAT(rv(both, readable_secret(4096)), IsOk());
  Hkdf extract(CKM_SHA256);
  extract.steps(true, false);
  refuse(extract, readable_secret(31), CKR_TEMPLATE_INCONSISTENT);
  refuse(extract, readable_secret(33), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_THAT(rv(extract, readable_secret(0, CKK_AES)), IsOk());
  Hkdf to_sha1(CKM_SHA_1);
  to_sha1.steps(true, false);
  refuse(to_sha1, readable_secret(0, CKK_AES), CKR_KEY_SIZE_RANGE);
  // What is expanded must be as long as the hash.
  Hkdf expand(CKM_SHA384);
  expand.steps(false, true);
  refuse(expand, readable_secret(32), CKR_KEY_SIZE_RANGE);
}

TEST_F(HkdfKeys, A13_KeysShorterThan128BitsAreNotDerived) {
  for (CK_ULONG length = 0; length < 16; ++length) {
    refuse(Hkdf(CKM_SHA256), Attributes().number(CKA_VALUE_LEN, length), CKR_KEY_SIZE_RANGE);
  }
}

TEST_F(HkdfKeys, A06_TheHistoryOfADerivedKeyIsThatOfItsParent) {
  Hkdf hkdf(CKM_SHA256);
  const auto sized = Attributes().number(CKA_VALUE_LEN, 32);
  const auto of_imported = must(session().derive(hkdf, base_, sized));
  EXPECT_TRUE(session().flag(of_imported, CKA_SENSITIVE));
  EXPECT_THAT(session().get(of_imported, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  EXPECT_FALSE(session().flag(of_imported, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(session().flag(of_imported, CKA_NEVER_EXTRACTABLE));
  EXPECT_FALSE(session().flag(of_imported, CKA_LOCAL));
  const auto born = must(session().generate(CKM_HKDF_KEY_GEN, sized));
  const auto of_born = must(session().derive(hkdf, born, sized));
  EXPECT_TRUE(session().flag(of_born, CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(session().flag(of_born, CKA_NEVER_EXTRACTABLE));
  const auto read = must(session().derive(hkdf, born, readable_secret(32)));
  EXPECT_FALSE(session().flag(read, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(session().flag(read, CKA_NEVER_EXTRACTABLE));
}

TEST_F(HkdfKeys, GeneratedOnesAreForDerivingAlone) {
  const auto key =
      must(session().generate(CKM_HKDF_KEY_GEN, Attributes().number(CKA_VALUE_LEN, 48)));
  EXPECT_EQ(session().number(key, CKA_KEY_TYPE), CKK_HKDF);
  EXPECT_EQ(session().number(key, CKA_VALUE_LEN), 48U);
  EXPECT_EQ(session().number(key, CKA_KEY_GEN_MECHANISM), CKM_HKDF_KEY_GEN);
  EXPECT_TRUE(session().flag(key, CKA_DERIVE));
  EXPECT_FALSE(session().flag(key, CKA_SIGN));
  EXPECT_TRUE(session().flag(key, CKA_LOCAL));
  const auto generate = [&](const Attributes& wanted) {
    return session().generate(CKM_HKDF_KEY_GEN, wanted).rv;
  };
  EXPECT_THAT(generate({}), ReturnsRv(CKR_TEMPLATE_INCOMPLETE));
  EXPECT_THAT(generate(Attributes().number(CKA_VALUE_LEN, 15)), ReturnsRv(CKR_KEY_SIZE_RANGE));
  EXPECT_THAT(generate(Attributes().number(CKA_VALUE_LEN, 4097)), ReturnsRv(CKR_KEY_SIZE_RANGE));
  EXPECT_THAT(generate(aes_template(32)), ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
}

TEST_F(HkdfKeys, KeysThatDoNotDeriveAreRefusedAsBaseAndAsSalt) {
  const auto with_salt = [&](CK_OBJECT_HANDLE salt) {
    Hkdf hkdf(CKM_SHA256);
    hkdf.salt_key(salt);
    return rv(hkdf, readable_secret(32));
  };
  const auto from = [&](CK_OBJECT_HANDLE base) {
    return session().derive(Hkdf(CKM_SHA256), base, readable_secret(32)).rv;
  };
  const auto signs =
      must(session().create(secret_key(CKK_GENERIC_SECRET, some_bytes(32)).flag(CKA_SIGN, true)));
  EXPECT_THAT(from(signs), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  EXPECT_THAT(with_salt(signs), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto aes = base_key(session(), some_bytes(32), CKK_AES);
  EXPECT_THAT(from(aes), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(with_salt(aes), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  const auto data = data_object(session(), "no key", false, false);
  EXPECT_THAT(from(data), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  EXPECT_THAT(with_salt(data), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  const auto other = must(session().create(secret_key(CKK_GENERIC_SECRET, some_bytes(32))
                                               .flag(CKA_DERIVE, true)
                                               .numbers(CKA_ALLOWED_MECHANISMS, {CKM_HKDF_DATA})));
  EXPECT_THAT(from(other), ReturnsRv(CKR_MECHANISM_INVALID));
  EXPECT_THAT(with_salt(other), ReturnsRv(CKR_MECHANISM_INVALID));
  EXPECT_THAT(from(CK_INVALID_HANDLE), ReturnsRv(CKR_KEY_HANDLE_INVALID));
  EXPECT_THAT(with_salt(CK_INVALID_HANDLE), ReturnsRv(CKR_KEY_HANDLE_INVALID));
  EXPECT_THAT(with_salt(~0UL), ReturnsRv(CKR_KEY_HANDLE_INVALID));
}

TEST_F(HkdfKeys, APrivateSaltKeyNeedsTheLogin) {
  const auto salt = must(session().create(
      secret_key(CKK_HKDF, some_bytes(32)).flag(CKA_DERIVE, true).flag(CKA_TOKEN, true)));
  must(session().logout());
  const auto open = must(session().create(
      secret_key(CKK_HKDF, some_bytes(32)).flag(CKA_DERIVE, true).flag(CKA_PRIVATE, false)));
  Hkdf hkdf(CKM_SHA256);
  hkdf.salt_key(salt);
  EXPECT_THAT(session().derive(hkdf, open, readable_secret(32).flag(CKA_PRIVATE, false)).rv,
              ReturnsRv(CKR_KEY_HANDLE_INVALID));
}

// A23: what a key demands of keys that come of it holds whatever place it takes. As a salt it gives
// the very bytes that are expanded from it.
TEST_F(HkdfKeys, ATemplateForDerivedKeysHoldsForTheSaltToo) {
  const auto sensitive = Attributes().flag(CKA_SENSITIVE, true);
  auto demands = secret_key(CKK_HKDF, some_bytes(32)).flag(CKA_DERIVE, true);
  auto inner = sensitive;
  demands.bytes(CKA_DERIVE_TEMPLATE,
                core::ByteView(reinterpret_cast<const std::uint8_t*>(inner.data()),
                               inner.size() * sizeof(CK_ATTRIBUTE)));
  const auto bound = must(session().create(demands));
  Hkdf expand(CKM_SHA256, bytes("x"));
  expand.steps(false, true);
  EXPECT_THAT(session().derive(expand, bound, readable_secret(32)).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  const auto same = base_key(session(), {bytes("x\x01")});
  Hkdf extract(CKM_SHA256);
  extract.steps(true, false).salt_key(bound);
  EXPECT_THAT(session().derive(extract, same, readable_secret(32)).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  Hkdf data(CKM_SHA256, {}, CKM_HKDF_DATA);
  data.steps(true, false).salt_key(bound);
  EXPECT_THAT(session().derive(data, same, {}).rv, ReturnsRv(CKR_ATTRIBUTE_TYPE_INVALID));
  const auto key = must(session().derive(extract, same, {}));
  EXPECT_TRUE(session().flag(key, CKA_SENSITIVE));
}

// A15: whoever may compute HMAC under a key computes what is derived from it.
TEST_F(HkdfKeys, A15_AKeyThatSignsIsNoBaseAndNoSaltAndNeitherIsItsCopy) {
  const auto both = must(session().create(
      secret_key(CKK_GENERIC_SECRET, some_bytes(32)).flag(CKA_SIGN, true).flag(CKA_DERIVE, true)));
  Hkdf hkdf(CKM_SHA256);
  const auto wanted = Attributes().number(CKA_VALUE_LEN, 32);
  EXPECT_THAT(session().derive(hkdf, both, wanted).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  Hkdf salted(CKM_SHA256);
  salted.salt_key(both);
  refuse(salted, wanted, CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_THAT(session().copy(both, Attributes().flag(CKA_SIGN, false)).rv,
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  EXPECT_THAT(session().set(both, Attributes().flag(CKA_SIGN, false)),
              ReturnsRv(CKR_TEMPLATE_INCONSISTENT));
  must(session().copy(both, Attributes().flag(CKA_DERIVE, false)));
  // Where the value may be read there is nothing to compute.
  const auto open = must(session().create(secret_key(CKK_GENERIC_SECRET, some_bytes(32))
                                              .flag(CKA_SIGN, true)
                                              .flag(CKA_DERIVE, true)
                                              .flag(CKA_SENSITIVE, false)
                                              .flag(CKA_EXTRACTABLE, true)));
  EXPECT_THAT(session().derive(hkdf, open, wanted).rv, IsOk());
}

TEST_F(HkdfKeys, A64_ParametersOfTheWrongFormAreRefused) {
  for (const std::size_t size : {std::size_t{0}, sizeof(CK_HKDF_PARAMS) - 1, sizeof(CK_HKDF_PARAMS),
                                 sizeof(CK_HKDF_PARAMS) + 1}) {
    EXPECT_THAT(
        session().derive({CKM_HKDF_DERIVE, core::Bytes(size)}, base_, readable_secret(32)).rv,
        ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  const auto with = [&](const std::function<void(CK_HKDF_PARAMS&)>& change) {
    for (const auto type : {CKM_HKDF_DERIVE, CKM_HKDF_DATA}) {
      Hkdf hkdf(CKM_SHA256, bytes("info"), type);
      hkdf.salt(bytes("salt"));
      change(hkdf.params());
      refuse(hkdf, Attributes().number(CKA_VALUE_LEN, 32), CKR_MECHANISM_PARAM_INVALID);
    }
  };
  with([](auto& params) { params.bExtract = 2; });
  with([](auto& params) { params.bExpand = 0xFF; });
  with([](auto& params) { params.bExtract = params.bExpand = CK_FALSE; });
  with([](auto& params) { params.prfHashMechanism = CKM_MD5; });
  with([](auto& params) { params.prfHashMechanism = CKM_SHA256_HMAC; });
  with([](auto& params) { params.ulSaltType = 0; });
  with([](auto& params) { params.ulSaltType = CKF_HKDF_SALT_NULL | CKF_HKDF_SALT_DATA; });
  with([](auto& params) { params.pSalt = nullptr; });
  with([](auto& params) { params.ulSaltLen = ~0UL; });
  with([](auto& params) { params.ulSaltLen = (1UL << 16) + 1; });
  with([](auto& params) { params.pInfo = nullptr; });
  with([](auto& params) { params.ulInfoLen = ~0UL; });
  with([](auto& params) { params.ulInfoLen = 1025; });
}

TEST_F(HkdfKeys, WhatAStepDoesNotUseIsNotLookedAt) {
  Hkdf expand(CKM_SHA256);
  expand.steps(false, true);
  expand.params().ulSaltType = CKF_HKDF_SALT_KEY;
  expand.params().hSaltKey = ~0UL;
  EXPECT_THAT(rv(expand, readable_secret(32)), IsOk());
  Hkdf extract(CKM_SHA256);
  extract.steps(true, false);
  extract.params().ulInfoLen = ~0UL;
  EXPECT_THAT(rv(extract, readable_secret(32)), IsOk());
}

TEST_F(HkdfKeys, TheLongestInfoAndSaltAreTaken) {
  Hkdf hkdf(CKM_SHA256, core::Bytes(1024, 7));
  hkdf.salt(core::Bytes(1UL << 16, 9));
  EXPECT_EQ(
      must(session().get(must(session().derive(hkdf, base_, readable_secret(32))), CKA_VALUE)),
      expanded("SHA256", hmac("SHA256", core::Bytes(1UL << 16, 9), some_bytes(32)),
               core::Bytes(1024, 7), 32));
}

TEST_F(HkdfKeys, RefusedDerivationsLeaveNothingBehind) {
  const auto before = session().find({}).size();
  refuse(Hkdf(CKM_MD5), readable_secret(32), CKR_MECHANISM_PARAM_INVALID);
  refuse(Hkdf(CKM_SHA256), readable_secret(32).flag(CKA_LOCAL, true), CKR_ATTRIBUTE_READ_ONLY);
  EXPECT_EQ(session().find({}).size(), before);
}

}  // namespace
}  // namespace tallystick::test
