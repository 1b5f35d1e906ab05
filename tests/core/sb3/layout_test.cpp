// The fields of an SB3.1 file's block 0, and what is refused whoever signed it.
#include "core/sb3/layout.h"

#include "core/base/little_endian.h"
#include "tests/core/sb3/file_world.h"

namespace tallystick::core::testing {
namespace {

TEST(Sb3Headers, P03_OfAnotherFormAreRefused) {
  Sb3World world;
  const auto good = sb3::encode_header(world.header);
  ASSERT_TRUE(is_ok(sb3::parse_header(good)));
  EXPECT_EQ(sb3::encode_header(must(sb3::parse_header(good))), good);
  for (const std::size_t at : {0U, 4U, 6U, 16U, 17U, 36U, 40U, 50U}) {
    auto bad = good;
    bad[at] ^= 0x41;
    EXPECT_TRUE(refused_at(sb3::parse_header(bad), 1)) << at;
  }
  EXPECT_TRUE(refused_at(sb3::parse_header(ByteView(good).first(59)), 1));
}

class Sb3Certificates : public ::testing::TestWithParam<Curve> {};
INSTANTIATE_TEST_SUITE_P(Both, Sb3Certificates, ::testing::Values(Curve::kP256, Curve::kP384),
                         [](const auto& tested) {
                           return tested.param == Curve::kP256 ? "Sha256" : "Sha384";
                         });

TEST_P(Sb3Certificates, P03_OfAnotherFormAreRefused) {
  const Sb3World world(GetParam());
  const auto good = sb3::encode_certificate(world.variant, world.certificate);
  const auto parsed = must(sb3::parse_certificate(world.variant, good));
  EXPECT_EQ(parsed.signer, world.certificate.signer);
  EXPECT_EQ(parsed.enc_oem_share, world.certificate.enc_oem_share);
  // Magic, versions, length, flags; what stands behind may be anything.
  for (std::size_t at = 0; at < 16; ++at) {
    auto bad = good;
    bad[at] ^= 0x41U;
    EXPECT_TRUE(refused_at(sb3::parse_certificate(world.variant, bad), 1)) << at;
  }
  for (const auto size : {std::size_t{0}, std::size_t{16}, good.size() - 1, good.size() + 1}) {
    auto bad = good;
    bad.resize(size);
    EXPECT_TRUE(refused_at(sb3::parse_certificate(world.variant, bad), 1)) << size;
    if (size < 12) continue;
    Bytes length;
    little_endian::append32(length, static_cast<std::uint32_t>(size));
    std::ranges::copy(length, bad.begin() + 8);
    EXPECT_TRUE(refused_at(sb3::parse_certificate(world.variant, bad), 1)) << size;
  }
  const sb3::Variant other{GetParam() == Curve::kP256 ? Curve::kP384 : Curve::kP256};
  EXPECT_TRUE(refused_at(sb3::parse_certificate(other, good), 1));
}

}  // namespace
}  // namespace tallystick::core::testing
