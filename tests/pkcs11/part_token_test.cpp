// A token that is the part: only there do data assets come out in clear (CKM_TS_OPEN).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pkcs11/support/sealed_assets.h"
#include "tests/pkcs11/support/vendor.h"

namespace tallystick::test {
namespace {

using core::AssetKind;
using core::Suite;

class PartToken : public ::testing::TestWithParam<Suite> {
 protected:
  static FamilyOptions part() {
    FamilyOptions options;
    options.role = core::FamilyRole::kPart;
    return options;
  }
  PartToken()
      : k_encd_(
            asset_key(token_.session(), must(token_.take_share(desk_)), "TS1/ENCD", GetParam())) {}

  // The sealing context of an asset of `length` bytes.
  [[nodiscard]] core::Bytes context(std::size_t length) const {
    return context_for(desk_.context(), GetParam(), entry_of(AssetKind::kData, length));
  }
  // The OEM's side, in core, which seals whatever it is given.
  [[nodiscard]] core::Bytes sealed(core::ByteView context, core::ByteView plain) const {
    const auto& oem = desk_.device();
    const auto master = value(oem.derive_master_key(desk_.share()));
    auto sealer =
        value(oem.seal_asset(value(oem.derive_asset_key(master, GetParam(), "TS1/ENCD")), context));
    core::Bytes out;
    const core::ByteSink sink = [&out](core::ByteView piece) -> core::Status {
      out.insert(out.end(), piece.begin(), piece.end());
      return {};
    };
    done(sealer.stream.update(plain, sink));
    done(sealer.stream.finish(sink));
    return out;
  }
  // One call for all: the answer, and whether any of the plaintext is in the output.
  CK_RV refused(core::ByteView context, core::Bytes blob, core::ByteView plain) {
    auto mechanism = open(context);
    core::Bytes out(blob.size() + 64, 0xEE);
    CK_ULONG size = out.size();
    must(token_->C_DecryptInit(token_.handle(), mechanism.get(), k_encd_));
    const auto rv =
        token_->C_Decrypt(token_.handle(), pointer(blob), blob.size(), out.data(), &size);
    EXPECT_FALSE(plain.size() >= 16 && holds(out, plain.first(16)));
    return rv;
  }

  FamilyToken token_{part()};
  const OemDesk desk_{token_.world()};
  CK_OBJECT_HANDLE k_encd_;
};
INSTANTIATE_TEST_SUITE_P(BothSuites, PartToken, ::testing::Values(Suite::kGcm, Suite::kCcm),
                         [](const auto& tested) {
                           return tested.param == Suite::kGcm ? "Gcm" : "Ccm";
                         });

TEST_P(PartToken, OpensDataAssetsOfEveryLengthInOnePieceAndInParts) {
  for (const std::size_t length : {0UL, 1UL, 16383UL, 16384UL, 16385UL, 32768UL, 100000UL}) {
    const auto plain = pattern(length, 3);
    const auto blob = sealed(context(length), plain);
    auto mechanism = open(context(length));
    EXPECT_EQ(must(token_.session().decrypt(mechanism, k_encd_, blob)), plain) << length;
    for (const std::size_t step : {1000UL, 16400UL, 20000UL, 200000UL}) {
      EXPECT_EQ(must(token_.session().decrypt_parts(mechanism, k_encd_, blob, step)), plain)
          << length << " by " << step;
    }
  }
}

TEST_P(PartToken, A35_A38_ADamagedAssetHasOneAnswerAndNothingOfItComesOut) {
  const auto invalid = ReturnsRv(CKR_ENCRYPTED_DATA_INVALID);
  const auto plain = pattern(100, 3);
  const auto good = sealed(context(100), plain);
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto damaged = good;
    damaged[at] ^= 1U;
    ASSERT_THAT(refused(context(100), damaged, plain), invalid) << at;
    auto mechanism = open(context(100));
    ASSERT_THAT(token_.session().decrypt_parts(mechanism, k_encd_, damaged, 50).rv, invalid) << at;
  }
  // In the last of three chunks: in one piece it is all or nothing.
  const auto longer = pattern(40000, 3);
  auto blob = sealed(context(40000), longer);
  blob.back() ^= 1U;
  EXPECT_THAT(refused(context(40000), blob, longer), invalid);
  blob.back() ^= 1U;
  for (const std::size_t size : {0UL, 1UL, 56UL, 16456UL, 32856UL, blob.size() - 1}) {
    const core::Bytes cut(blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THAT(refused(context(40000), cut, longer), invalid) << size;
  }
}

// Sealed by the OEM itself, under a context that says another length.
TEST_P(PartToken, S15_AnAssetThatIsNotAsLongAsItsContextSaysDoesNotOpen) {
  const auto invalid = ReturnsRv(CKR_ENCRYPTED_DATA_INVALID);
  for (const std::size_t length : {0UL, 99UL, 101UL, 40000UL}) {
    const auto plain = pattern(length, 3);
    auto blob = sealed(context(100), plain);
    EXPECT_THAT(refused(context(100), blob, plain), invalid) << length;
    auto mechanism = open(context(100));
    EXPECT_THAT(token_.session().decrypt_parts(mechanism, k_encd_, blob, 50).rv, invalid) << length;
  }
  // What is too long is refused before a chunk of it comes out.
  const auto plain = pattern(40000, 3);
  auto blob = sealed(context(100), plain);
  auto mechanism = open(context(100));
  core::Bytes out(60000, 0xEE);
  CK_ULONG size = out.size();
  must(token_->C_DecryptInit(token_.handle(), mechanism.get(), k_encd_));
  EXPECT_THAT(token_->C_DecryptUpdate(token_.handle(), blob.data(), blob.size(), out.data(), &size),
              invalid);
  EXPECT_EQ(std::ranges::count(out, 0xEE), static_cast<std::ptrdiff_t>(out.size()));
}

TEST_P(PartToken, SealsNothingAndMakesNoShare) {
  EXPECT_NE(token_.make_share().rv, CKR_OK);
  auto mechanism = seal(context(100));
  EXPECT_NE(token_.session().encrypt(mechanism, k_encd_, pattern(100, 3)).rv, CKR_OK);
}

}  // namespace
}  // namespace tallystick::test
