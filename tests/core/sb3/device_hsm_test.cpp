// The Device-HSM profile: shares and keys, what gives them out, and what refuses.
#include "core/provisioning/device_hsm.h"

#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/key_wrap.h"
#include "core/crypto/mac.h"
#include "core/ts1/derive.h"
#include "tests/core/sb3/file_world.h"

namespace tallystick::core::testing {
namespace {

using KeyType = DeviceHsm::KeyType;
using StoredKeyType = DeviceHsm::StoredKeyType;

Bytes text(std::string_view value) { return to_bytes(bytes_of(value)); }

class DeviceHsms : public ::testing::Test {
 protected:
  World world_{kFamilyUniform};
  Bytes seed_ = random_bytes(16);

  [[nodiscard]] DeviceHsm make() const {
    return must(DeviceHsm::make(crypto(), world_.part, seed_));
  }
  [[nodiscard]] Bytes context() const {
    return concatenated({text("TSDH"), Bytes{1}, world_.icm_family.id});
  }
  // The keys that a part has and no caller gets.
  [[nodiscard]] sb3::ShareKeys keys_of(const DeviceHsm& hsm) const {
    const auto share = must(sb3::open_share(crypto(), world_.icm_family, hsm.enc_share()));
    return must(sb3::ShareKeys::create(crypto(), world_.icm_family, share.view()));
  }
};

// docs/formats.md section 10, computed here from its text and the family's secrets.
TEST_F(DeviceHsms, DeriveEverythingAsTheFormatSays) {
  const auto hsm = make();
  const auto master = *hsm.enc_master_share();
  EXPECT_TRUE(std::equal(hsm.enc_share().begin(), hsm.enc_share().end(), master.begin()));
  const auto nonce = ByteView(master).subspan(48);
  const auto& family = world_.icm_family;
  const auto kdf = [&](ByteView key, std::string_view label, ByteView bound,
                       std::size_t size = 32) {
    return must(counter_kdf(crypto(), Hash::kSha256, key, bytes_of(label), bound, size));
  };
  const auto rnd =
      kdf(family.k_oem_master_share->view(), "TSDH/RND", concatenated({context(), nonce}));
  const auto share =
      must(hmac_secret(crypto(), Hash::kSha256, rnd.view(),
                       {text("TSDH/F"), Bytes{0}, context(), Bytes{0, 0, 0, 16}, seed_}));
  const auto wrapping = kdf(family.k_oem_share.view(), "TSDH/SHARE", context());
  EXPECT_EQ(to_bytes(hsm.enc_share()),
            must(wrap_key(crypto(), wrapping.view(),
                          concatenated({text("TSDH"), Bytes{1, 1, 0, 0}, share.view()}))));

  Bytes salted = {static_cast<std::uint8_t>(family.shares.size())};
  const auto lv = [&](ByteView part) {
    salted = concatenated({salted, Bytes{0, 0, 0, static_cast<std::uint8_t>(part.size())}, part});
  };
  for (const auto& one : family.shares) lv(one.view());
  lv(share.view());
  const auto prk = must(hmac_secret(crypto(), Hash::kSha256, text("TSDH/G"), {salted}));
  const auto master_key =
      must(hkdf_expand(crypto(), Hash::kSha256, prk.view(),
                       concatenated({text("TSDH/MK"), Bytes{0}, context()}), 32));
  const auto authority = must(hsm.authority({Curve::kP256}));
  EXPECT_EQ(to_bytes(authority.part_common_key.view()),
            to_bytes(kdf(master_key.view(), "TSDH/PCK", context()).view()));
  const auto public_of = [&](std::string_view label, Curve curve) {
    const auto value = kdf(master_key.view(), label, context(), field_size(curve) + 16);
    const auto scalar = must(ec_scalar_from(crypto(), curve, value.view()));
    return to_bytes(must(EcPrivateKey::from_scalar(crypto(), curve, scalar.view())).public_xy());
  };
  EXPECT_EQ(authority.signer, public_of("TSDH/ISK", Curve::kP256));
  EXPECT_EQ(must(hsm.authority({Curve::kP384})).signer, public_of("TSDH/ISK-384", Curve::kP384));
  const auto certificate = must(hsm.certificate_public_key());
  EXPECT_EQ(to_bytes(certificate), public_of("TSDH/CERT", Curve::kP256));
  EXPECT_EQ(must(hsm.owner()),
            must(sha256(crypto(), {text("TSDH/OWNER"), Bytes{0}, context(), certificate})));
  const auto blob_key = kdf(master_key.view(), "TSDH/BLOB", context());
  const auto blob =
      must(unwrap_key(crypto(), blob_key.view(), must(hsm.make_key(KeyType::kEncryption)).blob));
  EXPECT_EQ(to_bytes(blob.view()), concatenated({text("TSDH"), Bytes{1, 2, 0xA5, 0xC3},
                                                 authority.part_common_key.view()}));
  const auto store_key = kdf(master_key.view(), "TSDH/STORE", context());
  const auto key = random_bytes(32);
  EXPECT_EQ(must(hsm.wrap_stored_key(StoredKeyType::kCkdf, key)),
            must(wrap_key(crypto(), store_key.view(),
                          concatenated({text("TSDH"), Bytes{1, 3, 0, 1}, key}))));
}

TEST_F(DeviceHsms, GiveTheSizesThatNxpsHave) {
  const auto hsm = make();
  EXPECT_EQ(hsm.enc_share().size(), 48U);
  EXPECT_EQ(hsm.enc_master_share()->size(), 64U);
  EXPECT_EQ(must(hsm.certificate_public_key()).size(), 64U);
  const auto signing = must(hsm.make_key(KeyType::kSigning));
  EXPECT_EQ(signing.blob.size(), 48U);
  EXPECT_FALSE(all_zero(signing.public_key));
  const auto encryption = must(hsm.make_key(KeyType::kEncryption));
  EXPECT_EQ(encryption.blob.size(), 48U);
  EXPECT_TRUE(all_zero(encryption.public_key)) << "it has none";
  EXPECT_EQ(must(hsm.wrap_stored_key(StoredKeyType::kCkdf, random_bytes(32))).size(), 48U);
  EXPECT_EQ(must(hsm.wrap_stored_key(StoredKeyType::kAes, random_bytes(16))).size(), 32U);
  EXPECT_EQ(must(hsm.sign(signing.blob, random_bytes(220))).size(), 64U);
}

TEST_F(DeviceHsms, MakeAnotherShareEveryTime) {
  EXPECT_NE(make().enc_share(), make().enc_share()) << "the same seed, another nonce";
}

TEST_F(DeviceHsms, S01_MakeAShareAgainOnlyFromItsOwnSeedAndItsOwnBlob) {
  const auto hsm = make();
  const auto master = *hsm.enc_master_share();
  const auto again = must(DeviceHsm::make_again(crypto(), world_.part, seed_, master));
  EXPECT_EQ(again.enc_share(), hsm.enc_share());
  EXPECT_EQ(must(again.make_key(KeyType::kSigning)).blob,
            must(hsm.make_key(KeyType::kSigning)).blob);
  for (std::size_t bit = 0; bit < 8 * master.size(); ++bit) {
    auto damaged = master;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_TRUE(fails_with(DeviceHsm::make_again(crypto(), world_.part, seed_, damaged),
                           ErrorCode::kShareRefused))
        << bit;
  }
  EXPECT_TRUE(fails_with(DeviceHsm::make_again(crypto(), world_.part, random_bytes(16), master),
                         ErrorCode::kShareRefused));
  auto mixed = *make().enc_master_share();
  std::copy(master.begin() + 48, master.end(), mixed.begin() + 48);
  EXPECT_TRUE(fails_with(DeviceHsm::make_again(crypto(), world_.part, seed_, mixed),
                         ErrorCode::kShareRefused))
      << "one share with another's nonce";
  EXPECT_TRUE(
      fails_with(DeviceHsm::make_again(crypto(), world_.part, seed_, ByteView(master).first(63)),
                 ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(DeviceHsm::make(crypto(), world_.part, random_bytes(15)),
                         ErrorCode::kInvalidArgument));
}

TEST_F(DeviceHsms, S12_AnotherFamilysPartsOpenNothing) {
  const World other(kFamilyUniform);
  const auto hsm = make();
  EXPECT_TRUE(fails_with(DeviceHsm::take_in(crypto(), other.part, hsm.enc_share()),
                         ErrorCode::kShareRefused));
  const auto taken = must(DeviceHsm::take_in(crypto(), world_.part, hsm.enc_share()));
  EXPECT_FALSE(taken.enc_master_share().has_value());
  EXPECT_EQ(must(taken.authority({})).signer, must(hsm.authority({})).signer);
}

TEST_F(DeviceHsms, D10_ADamagedShareDoesNotOpen) {
  const auto sealed = make().enc_share();
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    auto damaged = sealed;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_TRUE(
        fails_with(DeviceHsm::take_in(crypto(), world_.part, damaged), ErrorCode::kShareRefused))
        << bit;
  }
}

TEST_F(DeviceHsms, NeedOperationTwelve) {
  const auto software =
      software_with(permissions_without(Operation::kNxpCommands), world_.icm_family.id);
  const ProvisioningSoftware running(crypto(), world_.part_family, software);
  const auto hsm = make();
  EXPECT_TRUE(fails_with(DeviceHsm::make(crypto(), running, seed_), ErrorCode::kNotPermitted));
  EXPECT_TRUE(fails_with(DeviceHsm::make_again(crypto(), running, seed_, *hsm.enc_master_share()),
                         ErrorCode::kNotPermitted));
  EXPECT_TRUE(
      fails_with(DeviceHsm::take_in(crypto(), running, hsm.enc_share()), ErrorCode::kNotPermitted));
}

TEST(DeviceHsmFamilies, S05_PartsWithoutTheMasterKeyMakeNoShareAndTakeThemIn) {
  const World world;
  EXPECT_TRUE(
      fails_with(DeviceHsm::make(crypto(), world.part, Bytes(16)), ErrorCode::kNotPermitted));
  const auto made = must(DeviceHsm::make(crypto(), world.oem_device, Bytes(16)));
  EXPECT_TRUE(is_ok(DeviceHsm::take_in(crypto(), world.part, made.enc_share())));
}

TEST(DeviceHsmFamilies, CountedOnesHaveNoSharesForEveryPart) {
  const World world(kFamilyCounted);
  EXPECT_TRUE(fails_with(DeviceHsm::make(crypto(), world.oem_device, Bytes(16)),
                         ErrorCode::kCountedFamily));
  EXPECT_TRUE(fails_with(DeviceHsm::take_in(crypto(), world.part, {}), ErrorCode::kCountedFamily));
}

TEST_F(DeviceHsms, P06_BlobsServeOnlyWhatTheyWereMadeFor) {
  const auto hsm = make();
  const auto signing = must(hsm.make_key(KeyType::kSigning)).blob;
  const auto encryption = must(hsm.make_key(KeyType::kEncryption)).blob;
  const auto stored = must(hsm.wrap_stored_key(StoredKeyType::kCkdf, random_bytes(32)));
  const auto header = sb3::encode_header(Sb3World().header);
  Bytes data(256);
  EXPECT_TRUE(fails_with(hsm.sign(encryption, data), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(hsm.sign(stored, data), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(hsm.encrypt_block(signing, header, 1, data), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(hsm.unwrap_stored_key(encryption), ErrorCode::kOpenFailed));
  EXPECT_TRUE(fails_with(hsm.unwrap_stored_key(to_bytes(hsm.enc_share())), ErrorCode::kOpenFailed));
  EXPECT_TRUE(all_zero(data)) << "nothing was encrypted";
  EXPECT_TRUE(fails_with(make().sign(signing, data), ErrorCode::kOpenFailed)) << "another share";
  EXPECT_TRUE(fails_with(hsm.make_key(static_cast<KeyType>(1)), ErrorCode::kInvalidArgument));
  for (const std::size_t size : {0U, 8U, 15U, 24U, 33U, 40U}) {
    EXPECT_TRUE(fails_with(hsm.wrap_stored_key(StoredKeyType::kAes, Bytes(size)),
                           ErrorCode::kInvalidArgument))
        << size;
  }
  for (const std::uint32_t type : {0U, 7U, 0x10001U}) {
    EXPECT_TRUE(fails_with(hsm.wrap_stored_key(static_cast<StoredKeyType>(type), Bytes(32)),
                           ErrorCode::kInvalidArgument))
        << type;
  }
}

// Wrapped with the very key that blobs are wrapped with.
TEST_F(DeviceHsms, P06_BlobsOfAnotherHeaderOrLengthDoNotOpen) {
  const auto hsm = make();
  const auto wrapping_key = must(keys_of(hsm).blob_key());
  const auto header = sb3::encode_header(Sb3World().header);
  Bytes data(256);
  const auto signs = [&](const Bytes& head, std::size_t size) {
    const auto blob =
        must(wrap_key(crypto(), wrapping_key.view(), concatenated({head, Bytes(size, 7)})));
    return hsm.sign(blob, data);
  };
  const auto encrypts = [&](const Bytes& head, std::size_t size) {
    const auto blob =
        must(wrap_key(crypto(), wrapping_key.view(), concatenated({head, Bytes(size, 7)})));
    return hsm.encrypt_block(blob, header, 1, data);
  };
  const auto signing = concatenated({text("TSDH"), Bytes{1, 2, 0xC3, 0xA5}});
  const auto encryption = concatenated({text("TSDH"), Bytes{1, 2, 0xA5, 0xC3}});
  for (std::size_t at = 0; at < 8; ++at) {
    auto head = signing;
    head[at] ^= 1U;
    EXPECT_TRUE(fails_with(signs(head, 32), ErrorCode::kOpenFailed)) << at;
    head = encryption;
    head[at] ^= 1U;
    EXPECT_TRUE(fails_with(encrypts(head, 32), ErrorCode::kOpenFailed)) << at;
  }
  for (const std::size_t size : {8U, 16U, 24U, 40U, 64U}) {
    EXPECT_TRUE(fails_with(signs(signing, size), ErrorCode::kOpenFailed)) << size;
    EXPECT_TRUE(fails_with(encrypts(encryption, size), ErrorCode::kOpenFailed)) << size;
  }
  EXPECT_TRUE(all_zero(data)) << "nothing was encrypted";
  EXPECT_TRUE(is_ok(signs(signing, 32)));
  EXPECT_TRUE(is_ok(encrypts(encryption, 32)));
}

TEST_F(DeviceHsms, P06_StoredKeysOfAnotherHeaderTypeOrLengthDoNotOpen) {
  const auto hsm = make();
  const auto wrapping_key = must(keys_of(hsm).store_key());
  const auto opened = [&](const Bytes& head, std::size_t size) {
    return hsm.unwrap_stored_key(
        must(wrap_key(crypto(), wrapping_key.view(), concatenated({head, Bytes(size, 7)}))));
  };
  const auto head_of = [](std::uint8_t high, std::uint8_t low) {
    return concatenated({text("TSDH"), Bytes{1, 3, high, low}});
  };
  for (std::uint8_t type = 1; type <= 6; ++type) {
    const auto key = must(opened(head_of(0, type), 16));
    EXPECT_EQ(static_cast<std::uint8_t>(key.type), type);
    EXPECT_EQ(to_bytes(key.key.view()), Bytes(16, 7));
    EXPECT_TRUE(is_ok(opened(head_of(0, type), 32)));
    for (const std::size_t size : {8U, 24U, 40U, 64U}) {
      EXPECT_TRUE(fails_with(opened(head_of(0, type), size), ErrorCode::kOpenFailed)) << size;
    }
  }
  for (const auto& head : {head_of(0, 0), head_of(0, 7), head_of(1, 1), head_of(0xFF, 0xFF)}) {
    EXPECT_TRUE(fails_with(opened(head, 32), ErrorCode::kOpenFailed)) << to_hex(head);
  }
  for (std::size_t at = 0; at < 6; ++at) {
    auto head = head_of(0, 5);
    head[at] ^= 1U;
    EXPECT_TRUE(fails_with(opened(head, 32), ErrorCode::kOpenFailed)) << at;
  }
}

TEST_F(DeviceHsms, P03_EncryptBlocksOnlyUnderAHeader) {
  const auto hsm = make();
  const auto blob = must(hsm.make_key(KeyType::kEncryption)).blob;
  const auto header = sb3::encode_header(Sb3World().header);
  Bytes data(256, 7);
  EXPECT_TRUE(fails_with(hsm.encrypt_block(blob, header, 0, data), ErrorCode::kInvalidArgument));
  for (const std::size_t size : {0U, 240U, 255U, 257U, 272U}) {
    Bytes other(size, 7);
    EXPECT_TRUE(fails_with(hsm.encrypt_block(blob, header, 1, other), ErrorCode::kInvalidArgument))
        << size;
    EXPECT_EQ(other, Bytes(size, 7));
  }
  EXPECT_TRUE(fails_with(hsm.encrypt_block(blob, ByteView(header).first(59), 1, data),
                         ErrorCode::kMalformed));
  EXPECT_EQ(data, Bytes(256, 7));
  EXPECT_TRUE(is_ok(hsm.encrypt_block(blob, header, 1, data)));
  EXPECT_NE(data, Bytes(256, 7));
}

// What an OEM's client does with the operations of one part, and another part takes in.
TEST_F(DeviceHsms, MakeAFileThatAnotherPartOfTheFamilyReads) {
  const auto hsm = make();
  const auto signing = must(hsm.make_key(KeyType::kSigning));
  const auto encryption = must(hsm.make_key(KeyType::kEncryption));
  Sb3World plan;
  plan.certificate = {to_bytes(signing.public_key), hsm.enc_share()};
  const auto firmware = random_bytes(1000);
  sb3::CommandWriter commands;
  must(commands.add({.tag = sb3::CommandTag::kLoad, .address = 0x100, .length = 1000}, firmware));
  auto file_template = plan.header;
  file_template.block0_length = 60;
  const auto file = must(sb3::build_file(
      crypto(), plan.header, plan.certificate, must(commands.blocks()),
      [&](std::uint32_t number, MutableByteView data) {
        return hsm.encrypt_block(encryption.blob, sb3::encode_header(file_template), number, data);
      },
      [&](ByteView manifest) { return hsm.sign(signing.blob, manifest); }));

  class Part : public RecordingTarget {
   public:
    Part(const Sb3World& plan, const ProvisioningSoftware& running)
        : RecordingTarget(plan), running_(&running) {}
    Result<sb3::Authority> authority(const sb3::Header& header,
                                     const sb3::Certificate& certificate) override {
      const auto hsm = DeviceHsm::take_in(crypto(), *running_, certificate.enc_oem_share);
      if (!hsm) return hsm.error();
      return hsm->authority(header.variant);
    }

   private:
    const ProvisioningSoftware* running_;
  };
  Part part(plan, world_.part);
  ASSERT_TRUE(is_ok(read_file(part, file)));
  ASSERT_EQ(part.taken.size(), 1U);
  EXPECT_EQ(part.taken[0].data, firmware);
  // Another OEM's share in the same file: its signer is another.
  auto stolen = file;
  const auto other = make().enc_share();
  std::copy(other.begin(), other.end(), stolen.begin() + 172);
  Part again(plan, world_.part);
  EXPECT_TRUE(refused_at(read_file(again, stolen), 3));
}

}  // namespace
}  // namespace tallystick::core::testing
