// The key store that a host fills, and key blobs, without the commands around them: what stands
// behind the lengths that commands announce, and blobs of other forms that the part's own key made.
#include "devicesim/line/key_provisioning.h"

#include "core/base/reader.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::Bytes;
using core::ByteView;
using core::ErrorCode;
using device::KeyProvisioning;

class KeyProvisionings : public ::testing::Test {
 protected:
  // The layout is that of docs/formats.md; here every field is free.
  struct Blob {
    const char* magic = "TSKB";
    std::uint8_t version = 1;
    std::uint8_t selection = 3;
    std::size_t length = 32;  // as the header says
    std::size_t size = 32;    // of the key
  };
  Bytes blob_of(const Blob& blob) const {
    core::Writer header;
    header.text(blob.magic).u8(blob.version).u8(blob.selection);
    header.u16(static_cast<std::uint16_t>(blob.length));
    const Bytes salt(32, 6);
    const auto& crypto = world_.crypto();
    const auto unique = value(part_->derive_unique_key("TSDH/KEYBLOB"));
    const auto derived =
        value(core::hkdf(crypto, core::Hash::kSha256, salt, unique.view(), header.view(), 32 + 12));
    auto aead =
        value(core::Aead::create(crypto, core::AeadAlgorithm::kGcm, derived.view().first(32)));
    Bytes sealed(blob.size + core::Aead::kTagSize);
    done(aead.seal(derived.view().subspan(32), header.view(), pattern(blob.size, 4), sealed));
    core::Writer out;
    out.bytes(header.view()).bytes(salt).bytes(sealed);
    return out.take();
  }

  World world_{{core::kFamilyUniform}};
  std::unique_ptr<device::Part> part_ = ready_part(world_);
  KeyProvisioning keys_;
};

TEST_F(KeyProvisionings, P03_BlobsOfAnotherFormOpenNotEvenUnderThePartsOwnKey) {
  const auto good = blob_of({});
  EXPECT_TRUE(core::equal_in_constant_time(value(device::open_key_blob(*part_, good)).view(),
                                           pattern(32, 4)))
      << "the key is the one that blobs are made with";
  for (const auto& other : {Blob{.magic = "TSKC"}, Blob{.version = 0}, Blob{.version = 2},
                            Blob{.selection = 4}, Blob{.selection = 255}, Blob{.length = 16},
                            Blob{.length = 0}, Blob{.length = 17, .size = 17},
                            Blob{.length = 0, .size = 0}, Blob{.length = 40, .size = 40}}) {
    EXPECT_THAT(device::open_key_blob(*part_, blob_of(other)), FailsWith(ErrorCode::kOpenFailed))
        << other.magic << " " << int{other.version} << " " << int{other.selection} << " "
        << other.length << " " << other.size;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(device::open_key_blob(*part_, ByteView(good).first(size)),
                FailsWith(ErrorCode::kOpenFailed))
        << size;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_THAT(device::open_key_blob(*part_, longer), FailsWith(ErrorCode::kOpenFailed));
}

TEST_F(KeyProvisionings, NoKeyGoesInWithoutAStore) {
  EXPECT_THAT(keys_.set_user_key(*part_, 11), FailsWith(ErrorCode::kInvalidArgument));
  done(keys_.enroll(*part_));
  EXPECT_THAT(keys_.set_user_key(*part_, 11), Succeeds());
  keys_.clear();
  EXPECT_THAT(keys_.set_user_key(*part_, 11), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(KeyProvisionings, P01_TakeNoMoreBytesThanAKeyMayHaveWhateverWasAnnounced) {
  done(keys_.enroll(*part_));
  const auto all =
      std::array{value(keys_.set_user_key(*part_, 11)), value(keys_.take_sealed(*part_)),
                 value(keys_.take_data_key(*part_, 0))};
  for (const auto& transfer : all) {
    EXPECT_THAT(transfer->write(Bytes(KeyProvisioning::kMostData + 1)),
                FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(transfer->write(Bytes(KeyProvisioning::kMostData)), Succeeds());
    EXPECT_THAT(transfer->write(Bytes(1)), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(transfer->write({}), Succeeds());
  }
}

}  // namespace
}  // namespace tallystick::test
