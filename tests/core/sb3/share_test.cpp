// OEM_SHARE of the Device-HSM profile: how it is made and sealed, and that nothing else opens as
// one.
#include "core/sb3/share.h"

#include "core/crypto/kdf.h"
#include "core/crypto/key_wrap.h"
#include "tests/core/support/world.h"

namespace tallystick::core::testing {
namespace {

class Sb3Shares : public ::testing::Test {
 protected:
  World world_{kFamilyUniform};
  const Family& family_ = world_.part_family;
};

TEST_F(Sb3Shares, AreMadeOnlyOfASeedAndTheMasterKey) {
  const auto nonce = random_array<sb3::kShareNonceSize>();
  for (const std::size_t size : {0U, 15U, 17U, 32U}) {
    EXPECT_TRUE(fails_with(sb3::derive_share(crypto(), family_, nonce, Bytes(size)),
                           ErrorCode::kInvalidArgument))
        << size;
  }
  EXPECT_TRUE(is_ok(sb3::derive_share(crypto(), family_, nonce, Bytes(16))));
  const World not_uniform;
  ASSERT_FALSE(not_uniform.part_family.k_oem_master_share.has_value());
  EXPECT_TRUE(fails_with(sb3::derive_share(crypto(), not_uniform.part_family, nonce, Bytes(16)),
                         ErrorCode::kInvalidArgument));
}

TEST_F(Sb3Shares, AreSealedOnlyInTheirOneSize) {
  for (const std::size_t size : {0U, 8U, 24U, 31U, 33U, 40U, 5000U}) {
    EXPECT_TRUE(
        fails_with(sb3::seal_share(crypto(), family_, Bytes(size)), ErrorCode::kInvalidArgument))
        << size;
  }
  const auto share = random_bytes(32);
  const auto sealed = must(sb3::seal_share(crypto(), family_, share));
  EXPECT_EQ(to_bytes(must(sb3::open_share(crypto(), family_, sealed)).view()), share);
}

// Under the very key that shares are wrapped with.
TEST_F(Sb3Shares, P06_AKeyUnderAnotherHeaderIsNoShare) {
  const auto context = concatenated({bytes_of("TSDH"), Bytes{1}, family_.id});
  const auto key = must(counter_kdf(crypto(), Hash::kSha256, family_.k_oem_share.view(),
                                    bytes_of("TSDH/SHARE"), context, 32));
  const auto opened = [&](ByteView plain) {
    const auto wrapped = must(wrap_key(crypto(), key.view(), plain));
    return sb3::open_share(crypto(), family_, array_of<sb3::kEncShareSize>(wrapped));
  };
  const auto good = concatenated({bytes_of("TSDH"), Bytes{1, 1, 0, 0}, Bytes(32, 7)});
  EXPECT_EQ(to_bytes(must(opened(good)).view()), Bytes(32, 7));
  for (std::size_t at = 0; at < 8; ++at) {
    auto bad = good;
    bad[at] ^= 2U;
    EXPECT_TRUE(fails_with(opened(bad), ErrorCode::kOpenFailed)) << at;
  }
}

}  // namespace
}  // namespace tallystick::core::testing
