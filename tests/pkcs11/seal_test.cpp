// CKM_TS_SEAL and CKM_TS_OPEN: assets as streams and as keys.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pkcs11/support/sealed_assets.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using core::AssetKind;
using core::Suite;

class Sealing : public ::testing::TestWithParam<Suite> {
 protected:
  Sealing() : share_(must(token_.make_share())), context_(context_of(token_.session(), share_)) {
    // The target's side of the same share set, in core.
    const auto blob =
        must(session_.wrap(with_byte(CKM_TS_OEM_SHARE_WRAP, 1), token_.family(), share_));
    target_ = must(session_.unwrap(CKM_TS_OEM_SHARE_WRAP, token_.family(), blob, {}));
    part_family_ = token_.world().family_for(core::FamilyRole::kPart);
    software_ = value(core::verify_software(token_.crypto(), token_.world().software(),
                                            token_.world().icm_key().public_xy(),
                                            context_.family_id, core::FamilyRole::kPart, 0));
    part_.emplace(token_.crypto(), part_family_, *software_);
    part_share_ = value(part_->take_share(blob, nullptr));
  }

  CK_OBJECT_HANDLE key(std::string_view label) {
    return asset_key(session_, share_, label, GetParam());
  }
  CK_OBJECT_HANDLE target_key(std::string_view label) {
    return asset_key(session_, target_, label, GetParam());
  }
  // What core's Opener makes of sealed bytes; nothing when they do not open.
  std::optional<core::Bytes> open_in_core(core::ByteView context, core::ByteView sealed,
                                          std::string_view label) {
    const auto master = value(part_->derive_master_key(part_share_));
    const auto asset = value(part_->derive_asset_key(master, GetParam(), label));
    auto opener = value(part_->open_asset(asset, context));
    core::Bytes out;
    const core::ByteSink sink = [&out](core::ByteView piece) -> core::Status {
      out.insert(out.end(), piece.begin(), piece.end());
      return {};
    };
    if (!opener.stream.update(sealed, sink) || !opener.stream.finish(sink)) return std::nullopt;
    return out;
  }
  core::Bytes seal_in_core(core::ByteView context, core::ByteView plain, std::string_view label) {
    auto share = core::OemShare{part_share_.context, core::HolderRole::kOem,
                                part_share_.oem_share.clone(), std::nullopt};
    const auto master = value(part_->derive_master_key(share));
    const auto asset = value(part_->derive_asset_key(master, GetParam(), label));
    auto sealer = value(part_->seal_asset(asset, context));
    core::Bytes out;
    const core::ByteSink sink = [&out](core::ByteView piece) -> core::Status {
      out.insert(out.end(), piece.begin(), piece.end());
      return {};
    };
    done(sealer.stream.update(plain, sink));
    done(sealer.stream.finish(sink));
    return out;
  }

  FamilyToken token_;
  Session& session_ = token_.session();
  CK_OBJECT_HANDLE share_;
  core::Context context_;
  CK_OBJECT_HANDLE target_ = 0;
  core::Family part_family_;
  std::optional<core::Software> software_;
  std::optional<core::ProvisioningSoftware> part_;
  core::OemShare part_share_;
};
INSTANTIATE_TEST_SUITE_P(BothSuites, Sealing, ::testing::Values(Suite::kGcm, Suite::kCcm),
                         [](const auto& tested) {
                           return tested.param == Suite::kGcm ? "Gcm" : "Ccm";
                         });

TEST_P(Sealing, WhatTheTokenSealsCoresOpenerOpensAtEveryLength) {
  const auto k_encd = key("TS1/ENCD");
  for (const std::size_t length : {0UL, 1UL, 16383UL, 16384UL, 16385UL, 32768UL, 100000UL}) {
    const auto plain = pattern(length, 3);
    const auto context = context_for(context_, GetParam(), entry_of(AssetKind::kData, length));
    auto mechanism = seal(context);
    const auto whole = must(session_.encrypt(mechanism, k_encd, plain));
    EXPECT_EQ(whole.size(), value(core::sealed_length(length)));
    EXPECT_EQ(open_in_core(context, whole, "TS1/ENCD"), plain);
    for (const std::size_t step : {1000UL, 16384UL, 20000UL}) {
      const auto parts = must(session_.encrypt_parts(mechanism, k_encd, plain, step));
      EXPECT_EQ(open_in_core(context, parts, "TS1/ENCD"), plain) << length << " by " << step;
      EXPECT_NE(parts, whole) << "a salt served twice";
    }
  }
}

TEST_P(Sealing, FurtherTypesHaveKeysOfTheirOwn) {
  const auto plain = pattern(500, 1);
  auto entry = entry_of(AssetKind::kFurther, plain.size());
  entry.name = "calibration";
  const auto context = context_for(context_, GetParam(), entry);
  auto mechanism = seal(context);
  const auto sealed = must(session_.encrypt(mechanism, key("TS1/X/calibration"), plain));
  EXPECT_EQ(open_in_core(context, sealed, "TS1/X/calibration"), plain);
  EXPECT_THAT(session_.encrypt(mechanism, key("TS1/X/other"), plain).rv,
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(session_.encrypt(mechanism, key("TS1/ENCD"), plain).rv,
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
}

TEST_P(Sealing, S03_S20_AContextThatIsNotTheKeysIsRefused) {
  const auto plain = pattern(100, 1);
  const auto k_encd = key("TS1/ENCD");
  const auto try_context = [&](const core::Context& changed, Suite suite) {
    auto mechanism = seal(context_for(changed, suite, entry_of(AssetKind::kData, plain.size())));
    return session_.encrypt(mechanism, k_encd, plain).rv;
  };
  const auto bad = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  EXPECT_THAT(try_context(context_, GetParam()), IsOk());
  auto changed = context_;
  changed.family_id[0] ^= 1U;
  EXPECT_THAT(try_context(changed, GetParam()), bad);
  changed = context_;
  changed.oem_id[0] ^= 1U;
  EXPECT_THAT(try_context(changed, GetParam()), bad);
  changed = context_;
  changed.share_id[0] ^= 1U;
  EXPECT_THAT(try_context(changed, GetParam()), bad);
  changed = context_;
  changed.sw_floor ^= 1U;
  EXPECT_THAT(try_context(changed, GetParam()), bad);
  EXPECT_THAT(try_context(context_, GetParam() == Suite::kGcm ? Suite::kCcm : Suite::kGcm), bad);
}

TEST_P(Sealing, TheContextHasItsExactFormAndLength) {
  const auto k_encd = key("TS1/ENCD");
  const auto good = context_for(context_, GetParam(), entry_of(AssetKind::kData, 10));
  ASSERT_EQ(good.size(), core::kAssetContextSize);
  const auto try_bytes = [&](core::Bytes context) {
    auto mechanism = seal(context);
    return session_.encrypt(mechanism, k_encd, core::Bytes(10, 0)).rv;
  };
  for (const std::size_t size : {0UL, 1UL, 217UL, 219UL}) {
    auto wrong = good;
    wrong.resize(size);
    EXPECT_THAT(try_bytes(wrong), ReturnsRv(CKR_MECHANISM_PARAM_INVALID)) << size;
  }
  // Prefix, magic, format, zeros at the end: all parsed.
  for (const std::size_t at : {0UL, 9UL, 10UL, 14UL, good.size() - 1}) {
    auto wrong = good;
    wrong[at] ^= 0x40U;
    EXPECT_THAT(try_bytes(wrong), ReturnsRv(CKR_MECHANISM_PARAM_INVALID)) << at;
  }
}

TEST_P(Sealing, TheLengthOfTheDataIsThatOfTheContext) {
  const auto k_encd = key("TS1/ENCD");
  auto mechanism = seal(context_for(context_, GetParam(), entry_of(AssetKind::kData, 1000)));
  for (const std::size_t length : {0UL, 999UL, 1001UL}) {
    must(token_->C_EncryptInit(token_.handle(), mechanism.get(), k_encd));
    auto plain = core::Bytes(length, 1);
    core::Bytes out(20000, 0xEE);
    CK_ULONG size = out.size();
    EXPECT_NE(token_->C_Encrypt(token_.handle(), pointer(plain), length, out.data(), &size), CKR_OK)
        << length;
    EXPECT_NE(session_.encrypt_parts(mechanism, k_encd, plain, 100).rv, CKR_OK) << length;
  }
  EXPECT_THAT(session_.encrypt(mechanism, k_encd, core::Bytes(1000, 1)).rv, IsOk());
}

// The memory behind these lengths is never touched: only the length of the output is asked for.
TEST_P(Sealing, A60_APartThatIsLongerThanTheAssetIsRefusedBeforeItIsRead) {
  const auto k_encd = key("TS1/ENCD");
  auto mechanism = seal(context_for(context_, GetParam(), entry_of(AssetKind::kData, 1000)));
  CK_BYTE byte = 0;
  CK_ULONG size = 0;
  for (const CK_ULONG length : {1000UL, 1001UL, 1UL << 32U, 1UL << 46U}) {
    must(token_->C_EncryptInit(token_.handle(), mechanism.get(), k_encd));
    EXPECT_THAT(token_->C_EncryptUpdate(token_.handle(), &byte, length, nullptr, &size),
                length == 1000 ? IsOk() : ReturnsRv(CKR_DATA_LEN_RANGE))
        << length;
    must(token_->C_EncryptInit(token_.handle(), nullptr, 0));
  }
}

TEST_P(Sealing, APartThatIsMoreThanIsLeftOfTheAssetIsRefusedWhenItComes) {
  const auto k_encd = key("TS1/ENCD");
  auto mechanism = seal(context_for(context_, GetParam(), entry_of(AssetKind::kData, 1000)));
  auto plain = core::Bytes(1000, 1);
  core::Bytes out(50000);
  must(token_->C_EncryptInit(token_.handle(), mechanism.get(), k_encd));
  CK_ULONG size = out.size();
  must(token_->C_EncryptUpdate(token_.handle(), plain.data(), 600, out.data(), &size));
  size = out.size();
  EXPECT_THAT(token_->C_EncryptUpdate(token_.handle(), plain.data(), 401, out.data(), &size),
              ReturnsRv(CKR_DATA_LEN_RANGE));
}

TEST_P(Sealing, EveryKindHasItsKey) {
  const auto plain = pattern(32, 1);
  for (const auto kind : {AssetKind::kData, AssetKind::kConfiguration, AssetKind::kCertificate}) {
    auto mechanism = seal(context_for(context_, GetParam(), entry_of(kind, 32)));
    EXPECT_THAT(session_.encrypt(mechanism, key("TS1/ENCD"), plain).rv, IsOk());
  }
  for (const auto kind : {AssetKind::kSecretKey, AssetKind::kPrivateKey}) {
    auto mechanism = seal(context_for(context_, GetParam(), entry_of(kind, 32, core::kAssetSign)));
    EXPECT_NE(session_.encrypt(mechanism, key("TS1/ENCD"), plain).rv, CKR_OK);
    // K_ENCK wraps keys and encrypts nothing that a caller brings.
    EXPECT_NE(session_.encrypt(mechanism, key("TS1/ENCK"), plain).rv, CKR_OK);
  }
}

TEST_P(Sealing, ATargetCannotSeal) {
  const auto plain = pattern(32, 1);
  auto mechanism = seal(context_for(context_, GetParam(), entry_of(AssetKind::kData, 32)));
  EXPECT_NE(session_.encrypt(mechanism, target_key("TS1/ENCD"), plain).rv, CKR_OK);
  const auto key =
      must(session_.create(secret_key(CKK_GENERIC_SECRET, plain).flag(CKA_EXTRACTABLE, true)));
  EXPECT_NE(session_
                .wrap(seal(context_for(context_, GetParam(),
                                       entry_of(AssetKind::kSecretKey, 32, core::kAssetSign))),
                      target_key("TS1/ENCK"), key)
                .rv,
            CKR_OK);
}

TEST_P(Sealing, NeitherTheOemNorATargetTokenReadsDataAssets) {
  const auto plain = pattern(32, 1);
  const auto context = context_for(context_, GetParam(), entry_of(AssetKind::kData, 32));
  auto sealing = seal(context);
  const auto sealed = must(session_.encrypt(sealing, key("TS1/ENCD"), plain));
  auto opening = open(context);
  EXPECT_NE(session_.decrypt(opening, key("TS1/ENCD"), sealed).rv, CKR_OK);
  EXPECT_THAT(session_.decrypt(opening, target_key("TS1/ENCD"), sealed).rv,
              ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
}

// ---- Keys ----

TEST_P(Sealing, AnOrdinaryKeyIsSealedAndOpensInCore) {
  const auto plain = pattern(32, 5);
  const auto secret =
      must(session_.create(secret_key(CKK_GENERIC_SECRET, plain).flag(CKA_EXTRACTABLE, true)));
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, core::kAssetSign));
  const auto sealed = must(session_.wrap(seal(context), key("TS1/ENCK"), secret));
  EXPECT_EQ(open_in_core(context, sealed, "TS1/ENCK"), plain);
  // Its length and kind are compared.
  EXPECT_THAT(session_
                  .wrap(seal(context_for(context_, GetParam(),
                                         entry_of(AssetKind::kSecretKey, 33, core::kAssetSign))),
                        key("TS1/ENCK"), secret)
                  .rv,
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  EXPECT_THAT(session_
                  .wrap(seal(context_for(context_, GetParam(),
                                         entry_of(AssetKind::kPrivateKey, 32, core::kAssetSign))),
                        key("TS1/ENCK"), secret)
                  .rv,
              ReturnsRv(CKR_MECHANISM_PARAM_INVALID));
  const auto kept = must(session_.create(secret_key(CKK_GENERIC_SECRET, plain)));
  EXPECT_THAT(session_.wrap(seal(context), key("TS1/ENCK"), kept).rv,
              ReturnsRv(CKR_KEY_UNEXTRACTABLE));
}

TEST_P(Sealing, AnOpenedKeyHasTheUsesThatItsFlagsGrantAndNoOthers) {
  struct Granted {
    std::uint8_t flags;
    CK_KEY_TYPE type;
    bool sign;
    bool decrypt;
    bool derive;
    bool unwrap;
  };
  const auto k_enck = key("TS1/ENCK");
  const auto opening_key = target_key("TS1/ENCK");
  const auto plain = pattern(32, 5);
  const auto secret =
      must(session_.create(secret_key(CKK_GENERIC_SECRET, plain).flag(CKA_EXTRACTABLE, true)));
  for (const auto& granted :
       {Granted{0, CKK_AES, false, false, false, false},
        Granted{core::kAssetSign, CKK_AES, true, false, false, false},
        Granted{core::kAssetDecrypt, CKK_AES, false, true, false, false},
        Granted{core::kAssetUnwrap, CKK_AES, false, false, false, true},
        Granted{core::kAssetSign, CKK_GENERIC_SECRET, true, false, false, false},
        Granted{core::kAssetDerive, CKK_GENERIC_SECRET, false, false, true, false}}) {
    const auto context =
        context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, granted.flags));
    const auto sealed = must(session_.wrap(seal(context), k_enck, secret));
    const auto opened = must(session_.unwrap(open(context), opening_key, sealed,
                                             Attributes().number(CKA_KEY_TYPE, granted.type)));
    EXPECT_EQ(session_.flag(opened, CKA_SIGN), granted.sign);
    EXPECT_EQ(session_.flag(opened, CKA_VERIFY), granted.sign);
    EXPECT_EQ(session_.flag(opened, CKA_DECRYPT), granted.decrypt);
    EXPECT_EQ(session_.flag(opened, CKA_DERIVE), granted.derive);
    EXPECT_EQ(session_.flag(opened, CKA_UNWRAP), granted.unwrap);
    EXPECT_FALSE(session_.flag(opened, CKA_ENCRYPT));
    EXPECT_FALSE(session_.flag(opened, CKA_WRAP));
    EXPECT_TRUE(session_.flag(opened, CKA_SENSITIVE));
    EXPECT_FALSE(session_.flag(opened, CKA_EXTRACTABLE));
    EXPECT_FALSE(session_.flag(opened, CKA_COPYABLE));
    EXPECT_FALSE(session_.flag(opened, CKA_MODIFIABLE));
    EXPECT_THAT(session_.get(opened, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
    for (const CK_ATTRIBUTE_TYPE more :
         {CKA_SIGN, CKA_DECRYPT, CKA_DERIVE, CKA_UNWRAP, CKA_WRAP, CKA_ENCRYPT, CKA_EXTRACTABLE}) {
      if (session_.flag(opened, more)) continue;
      EXPECT_NE(session_
                    .unwrap(open(context), opening_key, sealed,
                            Attributes().number(CKA_KEY_TYPE, granted.type).flag(more, true))
                    .rv,
                CKR_OK)
          << std::hex << more;
    }
  }
}

TEST_P(Sealing, A01_AnOpenedKeyThatUnwrapsDoesNotDecryptWrappedKeys) {
  const auto plain = pattern(32, 5);
  const auto secret =
      must(session_.create(secret_key(CKK_GENERIC_SECRET, plain).flag(CKA_EXTRACTABLE, true)));
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, core::kAssetUnwrap));
  const auto sealed = must(session_.wrap(seal(context), key("TS1/ENCK"), secret));
  const auto opened = must(session_.unwrap(open(context), target_key("TS1/ENCK"), sealed,
                                           Attributes().number(CKA_KEY_TYPE, CKK_AES)));
  const auto twin = must(session_.create(secret_key(CKK_AES, plain).flag(CKA_WRAP, true)));
  const auto readable = must(session_.create(secret_key(CKK_GENERIC_SECRET, plain)
                                                 .flag(CKA_SENSITIVE, false)
                                                 .flag(CKA_EXTRACTABLE, true)));
  const auto blob = must(session_.wrap(CKM_AES_KEY_WRAP_KWP, twin, readable));
  const auto wanted =
      Attributes().number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  Mechanism kwp(CKM_AES_KEY_WRAP_KWP);
  EXPECT_THAT(session_.unwrap(kwp, opened, blob, wanted).rv, IsOk());
  EXPECT_THAT(session_.decrypt(kwp, opened, blob).rv, ReturnsRv(CKR_KEY_FUNCTION_NOT_PERMITTED));
  // Its one mechanism is KWP.
  EXPECT_THAT(session_.unwrap(CKM_AES_KEY_WRAP, opened, blob, wanted).rv,
              ReturnsRv(CKR_MECHANISM_INVALID));
}

TEST_P(Sealing, AnOpenedMacKeyComputesWhatTheOriginalDoes) {
  const auto plain = pattern(32, 5);
  const auto secret = must(session_.create(
      secret_key(CKK_GENERIC_SECRET, plain).flag(CKA_EXTRACTABLE, true).flag(CKA_SIGN, true)));
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, core::kAssetSign));
  const auto sealed = must(session_.wrap(seal(context), key("TS1/ENCK"), secret));
  const auto opened = must(session_.unwrap(open(context), target_key("TS1/ENCK"), sealed, {}));
  EXPECT_EQ(must(session_.sign(CKM_SHA256_HMAC, opened, bytes("x"))),
            must(session_.sign(CKM_SHA256_HMAC, secret, bytes("x"))));
  EXPECT_NE(session_.sign(CKM_SHA384_HMAC, opened, bytes("x")).rv, CKR_OK) << "one mechanism";
}

TEST_P(Sealing, A38_ASealedKeyOpensWholeOrNotAtAll) {
  const auto secret = must(
      session_.create(secret_key(CKK_GENERIC_SECRET, pattern(32, 5)).flag(CKA_EXTRACTABLE, true)));
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, core::kAssetSign));
  const auto opening_key = target_key("TS1/ENCK");
  const auto sealed = must(session_.wrap(seal(context), key("TS1/ENCK"), secret));
  const auto before = object_count(session_);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto damaged = sealed;
    damaged[at] ^= 1U;
    ASSERT_THAT(session_.unwrap(open(context), opening_key, damaged, {}).rv,
                ReturnsRv(CKR_WRAPPED_KEY_INVALID))
        << at;
  }
  for (std::size_t size = 0; size < sealed.size(); size += 9) {
    const core::Bytes cut(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_THAT(
        session_.unwrap(open(context), opening_key, cut, {}).rv,
        ::testing::AnyOf(ReturnsRv(CKR_WRAPPED_KEY_INVALID), ReturnsRv(CKR_WRAPPED_KEY_LEN_RANGE)));
  }
  EXPECT_EQ(object_count(session_), before);
}

TEST_P(Sealing, APrivateKeyTravelsAsPkcs8AndSigns) {
  const auto own = value(core::EcPrivateKey::generate(token_.crypto(), core::Curve::kP256));
  const auto scalar = value(own.scalar());
  const auto pkcs8 = value(own.pkcs8());
  const auto private_key = must(session_.create(
      ec_private_key(core::Curve::kP256, scalar.view()).flag(CKA_EXTRACTABLE, true)));
  const auto context = context_for(
      context_, GetParam(), entry_of(AssetKind::kPrivateKey, pkcs8.size(), core::kAssetSign));
  const auto sealed = must(session_.wrap(seal(context), key("TS1/ENCK"), private_key));
  const core::Bytes expected(pkcs8.view().begin(), pkcs8.view().end());
  EXPECT_EQ(open_in_core(context, sealed, "TS1/ENCK"), expected);
  const auto opened = must(session_.unwrap(open(context), target_key("TS1/ENCK"), sealed, {}));
  EXPECT_EQ(session_.number(opened, CKA_CLASS), static_cast<CK_ULONG>(CKO_PRIVATE_KEY));
  const auto signature = must(session_.sign(CKM_ECDSA_SHA256, opened, bytes("x")));
  EXPECT_TRUE(own.public_key().verify(token_.crypto(), {bytes("x")}, signature).ok());
}

// Rule 9: parsed only after the last tag, and a sealed value that is no PKCS#8 is refused then.
TEST_P(Sealing, SealedBytesThatAreNoKeyAreRefused) {
  const auto junk = pattern(121, 9);
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kPrivateKey, 121, core::kAssetSign));
  const auto sealed = seal_in_core(context, junk, "TS1/ENCK");
  ASSERT_EQ(open_in_core(context, sealed, "TS1/ENCK"), junk);
  EXPECT_THAT(session_.unwrap(open(context), target_key("TS1/ENCK"), sealed, {}).rv,
              ReturnsRv(CKR_WRAPPED_KEY_INVALID));
}

// Sealed by the OEM itself, under a context that says another length.
TEST_P(Sealing, S15_AKeyThatIsNotAsLongAsItsContextSaysDoesNotOpen) {
  const auto opening_key = target_key("TS1/ENCK");
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, core::kAssetSign));
  for (const std::size_t length : {16UL, 31UL, 32UL, 33UL, 64UL}) {
    const auto sealed = seal_in_core(context, pattern(length, 1), "TS1/ENCK");
    EXPECT_THAT(session_.unwrap(open(context), opening_key, sealed, {}).rv,
                ReturnsRv(length == 32 ? CKR_OK : CKR_WRAPPED_KEY_INVALID))
        << length;
  }
}

TEST_P(Sealing, A24_AnOpenedSecretHasATypeThatThereIsAndALengthThatTheTypeHas) {
  const auto opening_key = target_key("TS1/ENCK");
  const auto opened = [&](std::size_t length, CK_KEY_TYPE type) {
    const auto context = context_for(context_, GetParam(),
                                     entry_of(AssetKind::kSecretKey, length, core::kAssetSign));
    const auto sealed = seal_in_core(context, pattern(length, 1), "TS1/ENCK");
    return session_
        .unwrap(open(context), opening_key, sealed, Attributes().number(CKA_KEY_TYPE, type))
        .rv;
  };
  const auto inconsistent = ReturnsRv(CKR_TEMPLATE_INCONSISTENT);
  for (const CK_KEY_TYPE type : {CKK_AES, CKK_GENERIC_SECRET, CKK_SHA256_HMAC}) {
    EXPECT_THAT(opened(32, type), IsOk());
  }
  for (const CK_KEY_TYPE type : {CKK_SHA384_HMAC, CKK_HKDF, CKK_EC, CKK_RSA, CKK_TS_FAMILY,
                                 CKK_TS_OEM_SHARE, CKK_TS_MASTER_KEY, CKK_TS_ASSET_KEY}) {
    EXPECT_THAT(opened(32, type), inconsistent) << std::hex << type;
  }
  for (const std::size_t length : {0UL, 1UL, 15UL, 20UL, 33UL, 64UL}) {
    EXPECT_THAT(opened(length, CKK_AES), inconsistent) << length;
  }
  for (const CK_KEY_TYPE type : {CKK_GENERIC_SECRET, CKK_SHA256_HMAC}) {
    EXPECT_THAT(opened(0, type), inconsistent);
    EXPECT_THAT(opened(1, type), IsOk());
    EXPECT_THAT(opened(4096, type), IsOk());
    EXPECT_THAT(opened(4097, type), inconsistent);
    // More than any key is not even opened.
    EXPECT_THAT(opened(64UL << 10U, type), ReturnsRv(CKR_WRAPPED_KEY_INVALID));
  }
}

TEST_P(Sealing, OnlyATargetOpensKeys) {
  const auto secret = must(
      session_.create(secret_key(CKK_GENERIC_SECRET, pattern(32, 5)).flag(CKA_EXTRACTABLE, true)));
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, core::kAssetSign));
  const auto k_enck = key("TS1/ENCK");
  const auto sealed = must(session_.wrap(seal(context), k_enck, secret));
  EXPECT_NE(session_.unwrap(open(context), k_enck, sealed, {}).rv, CKR_OK);
}

// ---- Generated assets ----

TEST_P(Sealing, AGeneratedAssetIsSealedInItsOwnShareSetOnly) {
  const auto generated =
      must(session_.derive(asset_generate(CK_TS_ASSET_AES256, "asset"), share_, {}));
  const auto flags = static_cast<std::uint8_t>(core::kAssetGenerated | core::kAssetSign);
  const auto context =
      context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, 32, flags));
  const auto sealed = must(session_.wrap(seal(context), key("TS1/ENCK"), generated));
  EXPECT_TRUE(open_in_core(context, sealed, "TS1/ENCK").has_value());

  // Not said to be generated; and in another share set.
  EXPECT_NE(session_
                .wrap(seal(context_for(context_, GetParam(),
                                       entry_of(AssetKind::kSecretKey, 32, core::kAssetSign))),
                      key("TS1/ENCK"), generated)
                .rv,
            CKR_OK);
  const auto second = must(token_.make_share());
  const auto second_key = asset_key(session_, second, "TS1/ENCK", GetParam());
  EXPECT_THAT(session_
                  .wrap(seal(context_for(context_of(session_, second), GetParam(),
                                         entry_of(AssetKind::kSecretKey, 32, flags))),
                        second_key, generated)
                  .rv,
              ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
  // An ordinary key is not passed off as generated.
  const auto ordinary = must(
      session_.create(secret_key(CKK_GENERIC_SECRET, pattern(32, 5)).flag(CKA_EXTRACTABLE, true)));
  EXPECT_NE(session_.wrap(seal(context), key("TS1/ENCK"), ordinary).rv, CKR_OK);
}

TEST_P(Sealing, A25_TheShareSetsOwnKeysAreNotSealedAsItsAssets) {
  const auto master = master_key(session_, share_);
  const auto k_enck = key("TS1/ENCK");
  // As long as each is stored.
  const auto sealed = [&](CK_OBJECT_HANDLE object, std::size_t length) {
    const auto flags = static_cast<std::uint8_t>(core::kAssetGenerated | core::kAssetSign);
    const auto context =
        context_for(context_, GetParam(), entry_of(AssetKind::kSecretKey, length, flags));
    return session_.wrap(seal(context), k_enck, object).rv;
  };
  EXPECT_THAT(sealed(master, 32), ReturnsRv(CKR_KEY_NOT_WRAPPABLE));
  for (const auto* const label : {"TS1/ENCK", "TS1/ENCD", "TS1/X/other", "TS1/AUTH", "TS1/PROOF"}) {
    EXPECT_THAT(sealed(key(label), 32), ReturnsRv(CKR_KEY_NOT_WRAPPABLE)) << label;
  }
  for (const std::size_t length : {33UL, 65UL, 97UL}) {
    EXPECT_THAT(sealed(share_, length), ReturnsRv(CKR_KEY_NOT_WRAPPABLE)) << length;
  }
  EXPECT_NE(sealed(token_.family(), 32), CKR_OK);
}

TEST_P(Sealing, S21_GeneratedAssetsDifferByTypeNameAndIndexAndNothingElse) {
  const auto info = [&](unsigned type, std::string_view name, std::uint32_t index) {
    const auto made = must(session_.derive(asset_generate(type, name, index), share_, {}));
    return must(session_.get(made, CKA_PUBLIC_KEY_INFO));
  };
  const auto first = info(CK_TS_ASSET_P256, "a", 0);
  EXPECT_EQ(info(CK_TS_ASSET_P256, "a", 0), first);
  EXPECT_NE(info(CK_TS_ASSET_P256, "b", 0), first);
  EXPECT_NE(info(CK_TS_ASSET_P256, "a", 1), first);
  EXPECT_NE(info(CK_TS_ASSET_P384, "a", 0), first);
  EXPECT_EQ(info(CK_TS_ASSET_ED25519, "a", 0), info(CK_TS_ASSET_ED25519, "a", 0));
}

TEST_P(Sealing, GeneratedAssetsKeepToTheirParameters) {
  const auto bad = ReturnsRv(CKR_MECHANISM_PARAM_INVALID);
  const auto made = [&](const Mechanism& mechanism) {
    return session_.derive(mechanism, share_, {}).rv;
  };
  EXPECT_THAT(made(asset_generate(0, "x")), bad);
  EXPECT_THAT(made(asset_generate(8, "x")), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_AES128, "")), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_AES128, std::string(33, 'x'))), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_AES128, std::string("a\0b", 3))), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_AES128, "\xFF")), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_AES128, "x", 0, 16)), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_BYTES, "x", 0, 0)), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_BYTES, "x", 0, 1025)), bad);
  EXPECT_THAT(made(asset_generate(CK_TS_ASSET_BYTES, "x", 0, 1024)), IsOk());
  EXPECT_THAT(made({CKM_TS_ASSET_GENERATE, core::Bytes(8, 1)}), bad);
  EXPECT_THAT(made(CKM_TS_ASSET_GENERATE), bad);
  struct Type {
    unsigned type;
    CK_KEY_TYPE key_type;
  };
  for (const auto& tested :
       {Type{CK_TS_ASSET_AES128, CKK_AES}, Type{CK_TS_ASSET_AES256, CKK_AES},
        Type{CK_TS_ASSET_HMAC256, CKK_SHA256_HMAC}, Type{CK_TS_ASSET_P256, CKK_EC},
        Type{CK_TS_ASSET_P384, CKK_EC}, Type{CK_TS_ASSET_ED25519, CKK_EC_EDWARDS}}) {
    const auto key = must(session_.derive(asset_generate(tested.type, "x"), share_, {}));
    EXPECT_EQ(session_.number(key, CKA_KEY_TYPE), tested.key_type);
    EXPECT_TRUE(session_.flag(key, CKA_EXTRACTABLE));
    EXPECT_TRUE(session_.flag(key, CKA_SENSITIVE));
    EXPECT_THAT(session_.get(key, CKA_VALUE).rv, ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
    for (const CK_ATTRIBUTE_TYPE use : {CKA_SIGN, CKA_DECRYPT, CKA_DERIVE, CKA_UNWRAP}) {
      const auto has = session_.get(key, use);
      EXPECT_TRUE(has.rv != CKR_OK || has.value == core::Bytes{CK_FALSE});
    }
  }
}

}  // namespace
}  // namespace tallystick::test
