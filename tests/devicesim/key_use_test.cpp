// Keys of the key store are used and never given out: each operation against libcrypto's own
// answer, and each use that the flags of the asset forbid.
#include "devicesim/key_use.h"

#include <gtest/gtest.h>

#include "core/base/reader.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/mac.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using core::ErrorCode;
using device::KeyOperation;
using device::KeyPath;
using device::KeyRequest;

constexpr std::array kOperations = {KeyOperation::kSign, KeyOperation::kPublicKey,
                                    KeyOperation::kHmac, KeyOperation::kCmac,
                                    KeyOperation::kDecrypt};
constexpr std::array kPaths = {KeyPath::kItself, KeyPath::kDerived, KeyPath::kUnwrapped};

Bytes bytes_of(const core::Secret& secret) { return {secret.view().begin(), secret.view().end()}; }

class Keys : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kSigning = 11;
  static constexpr std::uint32_t kDecrypting = 12;
  static constexpr std::uint32_t kDeriving = 13;
  static constexpr std::uint32_t kUnwrapping = 14;
  static constexpr std::uint32_t kUseless = 15;
  static constexpr std::uint32_t kP256 = 16;
  static constexpr std::uint32_t kP384 = 17;
  static constexpr std::uint32_t kEd25519 = 18;
  static constexpr std::uint32_t kMuteP256 = 19;

  Keys() {
    PackagePlan plan;
    const auto add = [&](std::uint32_t slot, Bytes content, core::AssetKind kind,
                         std::uint8_t flags) {
      plan.assets.push_back(key_asset(static_cast<std::uint16_t>(slot), std::to_string(slot),
                                      std::move(content), kind, flags));
    };
    constexpr auto kSecret = core::AssetKind::kSecretKey;
    constexpr auto kPrivate = core::AssetKind::kPrivateKey;
    add(kSigning, key_, kSecret, core::kAssetSign);
    add(kDecrypting, key_, kSecret, core::kAssetDecrypt);
    add(kDeriving, key_, kSecret, core::kAssetDerive);
    add(kUnwrapping, key_, kSecret, core::kAssetUnwrap);
    add(kUseless, key_, kSecret, 0);
    add(kP256, bytes_of(value(p256_.pkcs8())), kPrivate, core::kAssetSign);
    add(kP384, bytes_of(value(p384_.pkcs8())), kPrivate, core::kAssetSign);
    add(kEd25519, ed25519_, kPrivate, core::kAssetSign);
    add(kMuteP256, bytes_of(value(p256_.pkcs8())), kPrivate,
        core::kAssetDecrypt | core::kAssetDerive);
    plan.assets.push_back(flash_asset(1, "data", 0, pattern(1000, 2)));
    done(program(*part_, oem_.share_blob(), oem_.package(plan)));
  }

  core::Result<core::Secret> use(std::uint32_t slot, KeyOperation operation, ByteView input,
                                 KeyPath path = KeyPath::kItself, ByteView by = {},
                                 ByteView aside = {}) {
    KeyRequest request;
    request.slot = slot;
    request.operation = operation;
    request.input = input;
    request.aside = aside;
    request.path = path;
    request.by = by;
    return part_->use_key(request);
  }
  // nonce ‖ ciphertext ‖ tag under a key.
  Bytes sealed(ByteView key, ByteView plaintext, ByteView aside = {}) const {
    auto aead = value(core::Aead::create(world_.crypto(), core::AeadAlgorithm::kGcm, key));
    const Bytes nonce(12, 5);
    Bytes out(nonce);
    out.resize(12 + plaintext.size() + core::Aead::kTagSize);
    done(aead.seal(nonce, aside, plaintext, core::MutableByteView(out).subspan(12)));
    return out;
  }
  Bytes wrapped(KeyOperation operation, ByteView inner) const {
    core::Writer aside;
    aside.text("TS1/UNWRAP").u8(0).u8(static_cast<std::uint8_t>(operation));
    return sealed(key_, inner, aside.view());
  }
  core::Secret derived(KeyOperation operation, ByteView context) const {
    core::Writer whole;
    whole.u8(static_cast<std::uint8_t>(operation)).bytes(context);
    return value(core::counter_kdf(world_.crypto(), core::Hash::kSha256, key_,
                                   core::bytes_of("TS1/DERIVE"), whole.view(), 32));
  }
  Bytes hmac(ByteView key, ByteView message) const {
    Bytes out(32);
    done(core::hmac(world_.crypto(), core::Hash::kSha256, key, {message}, out));
    return out;
  }

  World world_;
  OemDesk oem_{world_};
  Bytes key_ = pattern(32, 90);
  Bytes message_ = pattern(700, 91);
  core::EcPrivateKey p256_ =
      value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP256));
  core::EcPrivateKey p384_ =
      value(core::EcPrivateKey::generate(world_.crypto(), core::Curve::kP384));
  // RFC 8032, 7.1, the first test: seed and public key.
  Bytes seed_ = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
  Bytes ed25519_ = [this] {
    Bytes der = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
    der.insert(der.end(), seed_.begin(), seed_.end());
    return der;
  }();
  std::shared_ptr<Medium> medium_ = new_medium();
  std::unique_ptr<device::Part> part_ = ready_part(world_, "", medium_);
};

TEST_F(Keys, SignWithEcdsaOnBothCurves) {
  const auto p256 = bytes_of(value(use(kP256, KeyOperation::kSign, message_)));
  EXPECT_THAT(p256_.public_key().verify(world_.crypto(), {message_}, p256), Succeeds());
  const auto p384 = bytes_of(value(use(kP384, KeyOperation::kSign, message_)));
  EXPECT_THAT(p384_.public_key().verify(world_.crypto(), {message_}, p384), Succeeds());
  EXPECT_EQ(bytes_of(value(use(kP256, KeyOperation::kPublicKey, {}))),
            Bytes(p256_.public_xy().begin(), p256_.public_xy().end()));
}

TEST_F(Keys, SignWithEd25519AsRfc8032Says) {
  EXPECT_EQ(core::to_hex(value(use(kEd25519, KeyOperation::kPublicKey, {})).view()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(
      core::to_hex(value(use(kEd25519, KeyOperation::kSign, {})).view()),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
      "1cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

TEST_F(Keys, MakeMacs) {
  EXPECT_EQ(bytes_of(value(use(kSigning, KeyOperation::kHmac, message_))), hmac(key_, message_));
  const auto cmac = value(core::cmac(world_.crypto(), key_, {message_}));
  EXPECT_EQ(bytes_of(value(use(kSigning, KeyOperation::kCmac, message_))),
            Bytes(cmac.begin(), cmac.end()));
}

TEST_F(Keys, DecryptWhatIsAuthentic) {
  const Bytes aside = {1, 2, 3};
  const auto good = sealed(key_, message_, aside);
  EXPECT_EQ(
      bytes_of(value(use(kDecrypting, KeyOperation::kDecrypt, good, KeyPath::kItself, {}, aside))),
      message_);
  EXPECT_TRUE(value(use(kDecrypting, KeyOperation::kDecrypt, sealed(key_, {}))).empty());
  EXPECT_THAT(use(kDecrypting, KeyOperation::kDecrypt, good), FailsWith(ErrorCode::kOpenFailed));
  for (std::size_t at = 0; at < good.size(); at += 13) {
    auto bad = good;
    bad[at] ^= 1;
    EXPECT_THAT(use(kDecrypting, KeyOperation::kDecrypt, bad, KeyPath::kItself, {}, aside),
                FailsWith(ErrorCode::kOpenFailed));
  }
  EXPECT_THAT(use(kDecrypting, KeyOperation::kDecrypt, ByteView(good).first(27)),
              FailsWith(ErrorCode::kOpenFailed));
}

TEST_F(Keys, DeriveAnotherKeyForEachContextAndOperation) {
  const Bytes one = {1};
  const Bytes two = {2};
  const auto mac = value(use(kDeriving, KeyOperation::kHmac, message_, KeyPath::kDerived, one));
  EXPECT_EQ(bytes_of(mac), hmac(derived(KeyOperation::kHmac, one).view(), message_));
  EXPECT_NE(bytes_of(mac),
            bytes_of(value(use(kDeriving, KeyOperation::kHmac, message_, KeyPath::kDerived, two))));
  const auto key = derived(KeyOperation::kDecrypt, one);
  EXPECT_EQ(bytes_of(value(use(kDeriving, KeyOperation::kDecrypt, sealed(key.view(), message_),
                               KeyPath::kDerived, one))),
            message_);
  const auto of_mac = derived(KeyOperation::kHmac, one);
  EXPECT_THAT(use(kDeriving, KeyOperation::kDecrypt, sealed(of_mac.view(), message_),
                  KeyPath::kDerived, one),
              FailsWith(ErrorCode::kOpenFailed))
      << "a key that was derived for MACs decrypts nothing";
}

TEST_F(Keys, UnwrapAKeyForOneOperationAndForgetIt) {
  const auto inner = pattern(32, 92);
  const auto for_mac = wrapped(KeyOperation::kHmac, inner);
  EXPECT_EQ(bytes_of(value(
                use(kUnwrapping, KeyOperation::kHmac, message_, KeyPath::kUnwrapped, for_mac))),
            hmac(inner, message_));
  EXPECT_THAT(use(kUnwrapping, KeyOperation::kCmac, message_, KeyPath::kUnwrapped, for_mac),
              FailsWith(ErrorCode::kOpenFailed));
  const auto for_signing = wrapped(KeyOperation::kSign, value(p256_.pkcs8()).view());
  const auto signature =
      value(use(kUnwrapping, KeyOperation::kSign, message_, KeyPath::kUnwrapped, for_signing));
  EXPECT_THAT(p256_.public_key().verify(world_.crypto(), {message_}, signature.view()), Succeeds());
}

TEST_F(Keys, D01_DoNothingButWhatTheirFlagsSay) {
  const auto something = sealed(key_, message_);
  for (const auto slot :
       {kSigning, kDecrypting, kDeriving, kUnwrapping, kUseless, kP256, kEd25519, kMuteP256}) {
    for (const auto operation : kOperations) {
      for (const auto path : kPaths) {
        SCOPED_TRACE("slot " + std::to_string(slot) + ", operation " +
                     std::to_string(static_cast<int>(operation)) + ", path " +
                     std::to_string(static_cast<int>(path)));
        const auto inner = wrapped(
            operation, operation <= KeyOperation::kPublicKey ? ByteView(ed25519_) : ByteView(key_));
        const auto by = path == KeyPath::kUnwrapped ? inner : Bytes{1};
        const auto key = path == KeyPath::kDerived ? bytes_of(derived(operation, by)) : key_;
        const auto input = operation == KeyOperation::kDecrypt ? sealed(key, message_) : message_;
        const bool of_private = operation <= KeyOperation::kPublicKey;
        bool allowed = false;
        if (slot == kSigning) {
          allowed = path == KeyPath::kItself &&
                    (operation == KeyOperation::kHmac || operation == KeyOperation::kCmac);
        } else if (slot == kDecrypting) {
          allowed = path == KeyPath::kItself && operation == KeyOperation::kDecrypt;
        } else if (slot == kDeriving) {
          allowed = path == KeyPath::kDerived && !of_private;
        } else if (slot == kUnwrapping) {
          allowed = path == KeyPath::kUnwrapped;
        } else if (slot == kP256 || slot == kEd25519) {
          allowed = path == KeyPath::kItself && of_private;
        }
        const auto used = use(slot, operation, input, path, by);
        EXPECT_EQ(used.ok(), allowed) << (used.ok() ? "" : used.error().message);
      }
    }
  }
  EXPECT_THAT(use(kDecrypting, KeyOperation::kHmac, message_), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(use(kUseless, KeyOperation::kHmac, message_), FailsWith(ErrorCode::kNotPermitted));
}

TEST_F(Keys, P03_RefuseRequestsThatMakeNoSense) {
  EXPECT_THAT(use(99, KeyOperation::kHmac, message_), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(use(1, KeyOperation::kHmac, message_), FailsWith(ErrorCode::kInvalidArgument))
      << "data is no key";
  EXPECT_THAT(use(kSigning, static_cast<KeyOperation>(0), message_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(use(kSigning, static_cast<KeyOperation>(6), message_),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(use(kSigning, KeyOperation::kHmac, message_, static_cast<KeyPath>(3)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(use(kSigning, KeyOperation::kHmac, Bytes(device::kMostKeyInput + 1)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(use(kSigning, KeyOperation::kHmac, Bytes(device::kMostKeyInput)), Succeeds());
  for (const auto operation : {0, 6}) {
    const auto used = use(kDecrypting, static_cast<KeyOperation>(operation), message_);
    EXPECT_THAT(used, FailsWith(ErrorCode::kInvalidArgument)) << "whatever the key is for";
  }
}

TEST_F(Keys, P01_TakeNoMoreBesideTheInputThanTheySay) {
  constexpr auto kDecrypt = KeyOperation::kDecrypt;
  constexpr auto kHmac = KeyOperation::kHmac;
  const Bytes most(device::kMostKeyAside, 7);
  const Bytes more(device::kMostKeyAside + 1, 7);
  const auto opened = [&](ByteView aside) {
    const auto input = sealed(key_, message_, aside);
    return use(kDecrypting, kDecrypt, input, KeyPath::kItself, {}, aside);
  };
  EXPECT_THAT(opened(most), Succeeds());
  EXPECT_THAT(opened(more), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(use(kDeriving, kHmac, message_, KeyPath::kDerived, most), Succeeds());
  EXPECT_THAT(use(kDeriving, kHmac, message_, KeyPath::kDerived, more),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Keys, ThatAreDerivedAreSecretKeysAndTheErrorSaysSo) {
  for (const auto operation : {KeyOperation::kSign, KeyOperation::kPublicKey}) {
    const auto used = use(kDeriving, operation, message_, KeyPath::kDerived, message_);
    ASSERT_THAT(used, FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(used.error().message, ::testing::HasSubstr("derived is a secret key"));
  }
}

TEST_F(Keys, D01_NeverComeOutOfAnyOperation) {
  const auto holds = [&](ByteView out, ByteView secret) {
    return std::search(out.begin(), out.end(), secret.begin(), secret.begin() + 16) != out.end();
  };
  const auto scalar = value(p256_.scalar());
  for (std::uint32_t slot = 0; slot < 25; ++slot) {
    for (const auto operation : kOperations) {
      for (const auto path : kPaths) {
        const auto by = path == KeyPath::kUnwrapped ? wrapped(operation, key_) : Bytes{1};
        const auto used = use(slot, operation, sealed(key_, {}), path, by);
        if (!used) {
          EXPECT_EQ(used.error().message.find(core::to_hex(key_)), std::string::npos);
          continue;
        }
        EXPECT_FALSE(holds(used->view(), key_));
        EXPECT_FALSE(holds(used->view(), seed_));
        EXPECT_FALSE(holds(used->view(), scalar.view()));
      }
    }
  }
}

TEST_F(Keys, AreThereInALockedPartAndNotBeforeAPackage) {
  done(part_->lock());
  EXPECT_THAT(use(kSigning, KeyOperation::kHmac, message_), Succeeds());
  part_.reset();
  part_ = reopened(world_, medium_);
  EXPECT_EQ(bytes_of(value(use(kSigning, KeyOperation::kHmac, message_))), hmac(key_, message_));
  part_ = ready_part(world_);
  EXPECT_THAT(use(kSigning, KeyOperation::kHmac, message_), FailsWith(ErrorCode::kLifeCycle));
}

// No part comes to be like that by itself.
TEST(KeysOfNoPackage, AreRefused) {
  const World world;
  const auto medium = new_medium();
  ready_part(world, "", medium);
  {
    auto file =
        value(device::PartFile::open(world.crypto(), std::make_unique<MediumStorage>(medium)));
    auto state = file.take_state();
    done(state.life_cycle.advance(device::LifeCycle::kProvisioned));
    done(file.commit(state));
  }
  KeyRequest request;
  request.operation = KeyOperation::kHmac;
  EXPECT_THAT(reopened(world, medium)->use_key(request), FailsWith(ErrorCode::kLifeCycle));
}

TEST_F(Keys, OfAWrongSizeOrFormAreRefusedWhenTheyAreUsed) {
  constexpr std::array<std::uint16_t, 3> kNoAesKeys = {15, 17, 33};
  PackagePlan plan;
  plan.version = 2;
  plan.assets.push_back(key_asset(1, "short", pattern(15, 1)));
  plan.assets.push_back(key_asset(2, "odd", pattern(17, 1)));
  plan.assets.push_back(key_asset(3, "empty", {}, core::AssetKind::kSecretKey,
                                  core::kAssetSign | core::kAssetDerive));
  plan.assets.push_back(key_asset(4, "no key", pattern(100, 1), core::AssetKind::kPrivateKey));
  for (const auto size : kNoAesKeys) {
    constexpr auto kSecret = core::AssetKind::kSecretKey;
    const auto add = [&](std::uint16_t slot, std::uint8_t flags) {
      plan.assets.push_back(
          key_asset(slot, std::to_string(slot), pattern(size, 1), kSecret, flags));
    };
    add(size, core::kAssetDecrypt);
    add(static_cast<std::uint16_t>(100 + size), core::kAssetUnwrap);
  }
  done(program(*part_, oem_.share_blob(), oem_.package(plan)));
  for (std::uint32_t slot = 1; slot <= 4; ++slot) {
    for (const auto operation : kOperations) {
      if (slot == 2 && operation == KeyOperation::kHmac) continue;
      EXPECT_THAT(use(slot, operation, message_),
                  ::testing::AnyOf(FailsWith(ErrorCode::kInvalidArgument),
                                   FailsWith(ErrorCode::kNotPermitted)))
          << slot;
    }
  }
  EXPECT_THAT(use(2, KeyOperation::kHmac, message_), Succeeds());
  EXPECT_THAT(use(3, KeyOperation::kHmac, message_, KeyPath::kDerived, message_),
              FailsWith(ErrorCode::kInvalidArgument));
  // The key is at fault, not the bytes that do not open under it.
  for (const auto size : kNoAesKeys) {
    for (const auto& input : {message_, Bytes{}}) {
      EXPECT_THAT(use(size, KeyOperation::kDecrypt, input), FailsWith(ErrorCode::kInvalidArgument));
      EXPECT_THAT(use(100U + size, KeyOperation::kHmac, message_, KeyPath::kUnwrapped, input),
                  FailsWith(ErrorCode::kInvalidArgument));
    }
  }
}

}  // namespace
}  // namespace tallystick::test
