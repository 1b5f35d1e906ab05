// Key agreement on the NIST curves, the X9.63 KDF, and what a derived key may be.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tallystick/pkcs11_v3.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"
#include "tests/pkcs11/support/public_keys.h"

namespace tallystick::test {
namespace {

Attributes agrees() { return Attributes().flag(CKA_DERIVE, true); }

// X9.63 from its definition: blocks of H(Z ‖ u32 counter ‖ shared data).
core::Bytes x963(const char* hash, const core::Bytes& agreed, const core::Bytes& shared,
                 std::size_t size) {
  core::Bytes out;
  for (std::uint8_t counter = 1; out.size() < size; ++counter) {
    core::Bytes input = agreed;
    input.insert(input.end(), {0, 0, 0, counter});
    input.insert(input.end(), shared.begin(), shared.end());
    std::array<unsigned char, 64> block{};
    std::size_t length = 0;
    if (EVP_Q_digest(nullptr, hash, nullptr, input.data(), input.size(), block.data(), &length) !=
        1) {
      throw std::runtime_error("digest");
    }
    out.insert(out.end(), block.begin(), block.begin() + static_cast<long>(length));
  }
  out.resize(size);
  return out;
}

class NistEcdh : public ::testing::TestWithParam<const char*> {
 protected:
  NistEcdh()
      : own_(libcrypto_key(GetParam())),
        peer_(libcrypto_key(GetParam())),
        point_(point_of(peer_.get())),
        key_(must(session().create(private_key(own_.get()).append(agrees())))),
        agreed_(agreed_with(own_.get(), peer_.get())) {}
  Session& session() { return token_.session(); }
  Answer<CK_OBJECT_HANDLE> derive(const Ecdh& ecdh, const Attributes& wanted) {
    return session().derive(ecdh, key_, wanted);
  }
  core::Bytes value(CK_OBJECT_HANDLE key) { return must(session().get(key, CKA_VALUE)); }
  void refuse(const Ecdh& ecdh, const Attributes& wanted, CK_RV rv) {
    EXPECT_THAT(derive(ecdh, wanted).rv, ReturnsRv(rv));
  }

  TestToken token_;
  PkeyPtr own_;
  PkeyPtr peer_;
  core::Bytes point_;
  CK_OBJECT_HANDLE key_;
  core::Bytes agreed_;
};
INSTANTIATE_TEST_SUITE_P(Each, NistEcdh, ::testing::Values("P-256", "P-384", "P-521"),
                         [](const auto& tested) {
                           return "P" + std::string(tested.param).substr(2);
                         });

// What is agreed on is no signature, as what is derived from a secret key would be its MAC (A15).
TEST_P(NistEcdh, A15_AKeyThatSignsAgreesToo) {
  const auto pair = generate_on(session(), GetParam(), {},
                                agrees().flag(CKA_SIGN, true).flag(CKA_SENSITIVE, true));
  EXPECT_THAT(session().derive(Ecdh(point_), pair.private_key, readable_secret()).rv, IsOk());
}

TEST_P(NistEcdh, TheSecretIsThatOfLibcrypto) {
  // The point bare or in an OCTET STRING, with and without the cofactor, which is 1.
  for (const auto& form : {point_, octets(point_)}) {
    for (const auto type : {CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE}) {
      EXPECT_EQ(value(must(derive(Ecdh(form, CKD_NULL, {}, type), readable_secret()))), agreed_);
    }
  }
  const auto pair = generate_on(session(), GetParam(), {}, agrees());
  const auto theirs = public_key_of(session(), pair.public_key);
  EXPECT_EQ(value(must(session().derive(Ecdh(point_), pair.private_key, readable_secret()))),
            agreed_with(peer_.get(), theirs.get()));
}

TEST_P(NistEcdh, AShorterKeyIsTheEndOfTheSecret) {
  for (const CK_ULONG length : {16UL, 24UL, 31UL, 32UL}) {
    EXPECT_EQ(value(must(derive(Ecdh(point_), readable_secret(length)))),
              core::Bytes(agreed_.end() - static_cast<long>(length), agreed_.end()));
  }
}

TEST_P(NistEcdh, TheX963KdfWithEveryHashIsThatOfItsDefinition) {
  for (const auto& hash : kHashCases) {
    for (const auto& shared : {core::Bytes{}, bytes("shared"), core::Bytes(1000, 0x31)}) {
      for (const CK_ULONG length : {16UL, 32UL, 100UL, 500UL}) {
        EXPECT_EQ(value(must(derive(Ecdh(point_, hash.kdf, shared), readable_secret(length)))),
                  x963(hash.name, agreed_, shared, length))
            << hash.name << " " << length;
      }
    }
  }
}

TEST_P(NistEcdh, ADerivedAesKeyEncrypts) {
  const auto wanted = [](CK_ULONG length) {
    return Attributes()
        .number(CKA_CLASS, CKO_SECRET_KEY)
        .number(CKA_KEY_TYPE, CKK_AES)
        .number(CKA_VALUE_LEN, length)
        .flag(CKA_ENCRYPT, true);
  };
  for (const CK_ULONG length : {16UL, 24UL, 32UL}) {
    const auto key = must(derive(Ecdh(point_, CKD_SHA256_KDF), wanted(length)));
    EXPECT_TRUE(session().flag(key, CKA_SENSITIVE));
    EXPECT_FALSE(session().flag(key, CKA_LOCAL));
    Gcm gcm(core::Bytes(12, 1));
    const auto same = must(session().create(
        secret_key(CKK_AES, x963("SHA256", agreed_, {}, length)).flag(CKA_ENCRYPT, true)));
    EXPECT_EQ(must(session().encrypt(gcm, key, bytes("x"))),
              must(session().encrypt(gcm, same, bytes("x"))));
  }
  for (const CK_ULONG length : {17UL, 33UL, 64UL}) {
    refuse(Ecdh(point_, CKD_SHA256_KDF), wanted(length), CKR_KEY_SIZE_RANGE);
  }
}

// A13: nothing that can be searched comes of an agreement.
TEST_P(NistEcdh, A13_KeysShorterThan128BitsAreNotDerived) {
  for (CK_ULONG length = 0; length < 16; ++length) {
    const auto wanted = Attributes()
                            .number(CKA_CLASS, CKO_SECRET_KEY)
                            .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
                            .number(CKA_VALUE_LEN, length);
    refuse(Ecdh(point_), wanted, CKR_KEY_SIZE_RANGE);
    refuse(Ecdh(point_, CKD_SHA256_KDF), wanted, CKR_KEY_SIZE_RANGE);
  }
}

TEST_P(NistEcdh, LengthsThatDoNotExistAreRefused) {
  refuse(Ecdh(point_), readable_secret(agreed_.size() + 1), CKR_KEY_SIZE_RANGE);
  refuse(Ecdh(point_), readable_secret(~0UL), CKR_KEY_SIZE_RANGE);
  refuse(Ecdh(point_, CKD_SHA1_KDF), readable_secret(4097), CKR_KEY_SIZE_RANGE);
  refuse(Ecdh(point_, CKD_SHA1_KDF), readable_secret(), CKR_TEMPLATE_INCOMPLETE);
  refuse(Ecdh(point_), readable_secret(0, CKK_AES), CKR_TEMPLATE_INCOMPLETE);
  refuse(Ecdh(point_), readable_secret(32, CKK_RSA), CKR_ATTRIBUTE_VALUE_INVALID);
  refuse(Ecdh(point_), Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY), CKR_TEMPLATE_INCONSISTENT);
  refuse(Ecdh(point_), readable_secret().bytes(CKA_VALUE, core::Bytes(32, 1)),
         CKR_TEMPLATE_INCONSISTENT);
}

TEST_P(NistEcdh, ATemplateWithoutClassAndTypeGivesAGenericSecret) {
  const auto key = must(derive(Ecdh(point_), {}));
  EXPECT_EQ(session().number(key, CKA_CLASS), CKO_SECRET_KEY);
  EXPECT_EQ(session().number(key, CKA_KEY_TYPE), CKK_GENERIC_SECRET);
  EXPECT_EQ(session().number(key, CKA_VALUE_LEN), agreed_.size());
  // What nobody asked to read is not read.
  EXPECT_THAT(session().get(key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
}

// A06: a key that came of an imported one has never been always sensitive.
TEST_P(NistEcdh, A06_TheHistoryOfADerivedKeyIsThatOfItsParent) {
  const auto imported = must(derive(Ecdh(point_), {}));
  EXPECT_FALSE(session().flag(imported, CKA_ALWAYS_SENSITIVE));
  EXPECT_FALSE(session().flag(imported, CKA_NEVER_EXTRACTABLE));
  const auto pair = generate_on(session(), GetParam(), {}, agrees());
  const auto sensitive = must(session().derive(Ecdh(point_), pair.private_key, {}));
  EXPECT_TRUE(session().flag(sensitive, CKA_ALWAYS_SENSITIVE));
  EXPECT_TRUE(session().flag(sensitive, CKA_NEVER_EXTRACTABLE));
  const auto readable = must(session().derive(Ecdh(point_), pair.private_key, readable_secret()));
  EXPECT_FALSE(session().flag(readable, CKA_ALWAYS_SENSITIVE));
}

// A24: a point off the curve, at infinity, on another curve, in another form.
TEST_P(NistEcdh, A24_PointsThatAreNotOnTheCurveAreRefused) {
  const auto refuse_point = [&](const core::Bytes& point) {
    refuse(Ecdh(point), readable_secret(), CKR_MECHANISM_PARAM_INVALID);
  };
  auto off = point_;
  off.back() ^= 1U;
  refuse_point(off);
  refuse_point(octets(off));
  refuse_point({});
  refuse_point({0});
  refuse_point(octets(core::Bytes{0}));
  refuse_point(core::Bytes(point_.begin(), point_.end() - 1));
  auto more = point_;
  more.push_back(0);
  refuse_point(more);
  refuse_point(core::Bytes(point_.size(), 0xFF));
  auto zeros = core::Bytes(point_.size(), 0);
  refuse_point(zeros);
  zeros[0] = 4;
  refuse_point(zeros);
  auto hybrid = point_;
  hybrid[0] = static_cast<std::uint8_t>(6U + (point_.back() & 1U));
  refuse_point(hybrid);
  core::Bytes compressed(point_.begin(), point_.begin() + 1 + static_cast<long>(agreed_.size()));
  compressed[0] = static_cast<std::uint8_t>(2U + (point_.back() & 1U));
  refuse_point(compressed);
  for (const auto* const curve : {"P-256", "P-384", "P-521", "X25519"}) {
    if (std::string(curve) != GetParam()) {
      refuse_point(point_of(libcrypto_key(curve).get()));
    }
  }
  EXPECT_EQ(value(must(derive(Ecdh(point_), readable_secret()))), agreed_);
}

TEST_P(NistEcdh, A64_ParametersOfTheWrongFormAreRefused) {
  const auto rv = [&](Mechanism mechanism) {
    return session().derive(std::move(mechanism), key_, readable_secret()).rv;
  };
  for (const std::size_t size :
       {std::size_t{0}, sizeof(CK_ECDH1_DERIVE_PARAMS) - 1, sizeof(CK_ECDH1_DERIVE_PARAMS),
        sizeof(CK_ECDH1_DERIVE_PARAMS) + 1}) {
    EXPECT_THAT(rv({CKM_ECDH1_DERIVE, core::Bytes(size)}), ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  }
  const auto with = [&](const std::function<void(CK_ECDH1_DERIVE_PARAMS&)>& change) {
    Ecdh ecdh(point_, CKD_SHA256_KDF, bytes("shared"));
    change(ecdh.params());
    refuse(ecdh, readable_secret(32), CKR_MECHANISM_PARAM_INVALID);
  };
  with([](auto& params) { params.kdf = 0; });
  with([](auto& params) { params.kdf = CKD_SHA1_KDF_ASN1; });
  with([](auto& params) { params.kdf = 0xE; });
  with([](auto& params) { params.kdf = CKD_NULL; });
  with([](auto& params) { params.pSharedData = nullptr; });
  with([](auto& params) { params.ulSharedDataLen = ~0UL; });
  with([](auto& params) { params.pPublicData = nullptr; });
  with([](auto& params) { params.ulPublicDataLen = ~0UL; });
  with([](auto& params) { params.ulPublicDataLen = 0; });
  with([](auto& params) { params.ulPublicDataLen -= 1; });
}

// The agreed value itself is no answer to who asked for one that has gone through a KDF.
TEST_P(NistEcdh, A64_AKdfThatIsNotOfferedIsNotTakenForNone) {
  for (const CK_ULONG kdf : {0UL, CKD_SHA1_KDF_ASN1, CKD_CPDIVERSIFY_KDF, 0xEUL, ~0UL}) {
    refuse(Ecdh(point_, kdf), readable_secret(32), CKR_MECHANISM_PARAM_INVALID);
  }
}

TEST_P(NistEcdh, KeysThatDoNotDeriveAreRefused) {
  const auto signs = must(session().create(private_key(own_.get()).flag(CKA_SIGN, true)));
  const auto rv = [&](CK_OBJECT_HANDLE key) {
    return session().derive(Ecdh(point_), key, readable_secret()).rv;
  };
  EXPECT_THAT(rv(signs), ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  const auto public_half = must(session().create(public_key(own_.get()).append(agrees())));
  EXPECT_THAT(rv(public_half), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  const auto secret =
      must(session().create(secret_key(CKK_GENERIC_SECRET, core::Bytes(32, 1)).append(agrees())));
  EXPECT_THAT(rv(secret), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
  const auto edwards = generate_on(session(), "ED25519", {}, agrees());
  EXPECT_THAT(rv(edwards.private_key), ReturnsRv(CKR_KEY_TYPE_INCONSISTENT));
}

TEST_P(NistEcdh, RefusedDerivationsLeaveNothingBehind) {
  const auto before = session().find({}).size();
  refuse(Ecdh({}), readable_secret(), CKR_MECHANISM_PARAM_INVALID);
  refuse(Ecdh(point_), readable_secret().flag(CKA_LOCAL, true), CKR_ATTRIBUTE_READ_ONLY);
  refuse(Ecdh(point_), readable_secret().bytes(CKA_MODULUS, core::Bytes(256, 1)),
         CKR_ATTRIBUTE_TYPE_INVALID);
  EXPECT_EQ(session().find({}).size(), before);
}

}  // namespace
}  // namespace tallystick::test
