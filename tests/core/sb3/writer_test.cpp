// Making SB3.1 files: what no file can have is refused before anything is signed.
#include "core/sb3/writer.h"

#include "tests/core/sb3/file_world.h"

namespace tallystick::core::testing {
namespace {

TEST(Sb3Writing, TakesCommandsOnlyWithTheLengthOfTheirData) {
  using sb3::Command;
  using sb3::CommandTag;
  sb3::CommandWriter writer;
  Command load{.tag = CommandTag::kLoad, .length = 5};
  EXPECT_TRUE(fails_with(writer.add(load, Bytes(4)), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(
      fails_with(writer.add({.tag = CommandTag::kErase}, Bytes(4)), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(writer.add({.tag = CommandTag::kProgramFuses, .length = 5}, Bytes(5)),
                         ErrorCode::kInvalidArgument));
  EXPECT_TRUE(
      fails_with(writer.add({.tag = CommandTag::kLoadKeyBlob, .length = 70000}, Bytes(70000)),
                 ErrorCode::kInvalidArgument));
  EXPECT_TRUE(fails_with(writer.add({}), ErrorCode::kInvalidArgument));
  EXPECT_EQ(must(writer.blocks()).size(), 1U);
}

class Sb3Building : public ::testing::TestWithParam<Curve> {
 protected:
  // A file of blocks of these sizes, with a signer's key and a signature of so many bytes.
  Result<Bytes> build(std::initializer_list<std::size_t> blocks, std::size_t signer,
                      std::size_t signature) {
    sealed_ = 0;
    signed_ = false;
    auto certificate = world_.certificate;
    certificate.signer.resize(signer);
    std::vector<Secret> data;
    for (const auto size : blocks) data.emplace_back(size);
    return sb3::build_file(
        crypto(), world_.header, certificate, std::move(data),
        [&](std::uint32_t, MutableByteView) -> Status {
          ++sealed_;
          return {};
        },
        [&](ByteView) -> Result<Bytes> {
          signed_ = true;
          return Bytes(signature);
        });
  }

  Sb3World world_{GetParam()};
  std::size_t right_ = 2 * field_size(GetParam());
  std::size_t sealed_ = 0;
  bool signed_ = false;
};
INSTANTIATE_TEST_SUITE_P(Both, Sb3Building, ::testing::Values(Curve::kP256, Curve::kP384),
                         [](const auto& tested) {
                           return tested.param == Curve::kP256 ? "Sha256" : "Sha384";
                         });

TEST_P(Sb3Building, TakesOnlyASignerOfItsCurveAndWholeBlocks) {
  const auto refuses = [&](std::initializer_list<std::size_t> blocks, std::size_t signer) {
    auto refused = fails_with(build(blocks, signer, right_), ErrorCode::kInvalidArgument);
    if (refused && signed_) refused = ::testing::AssertionFailure() << "signed";
    return refused;
  };
  EXPECT_TRUE(is_ok(build({256, 256}, right_, right_)));
  EXPECT_EQ(sealed_, 2U);
  for (const std::size_t signer : {std::size_t{0}, right_ - 1, right_ + 1, 160 - right_}) {
    EXPECT_TRUE(refuses({256}, signer)) << signer;
  }
  EXPECT_TRUE(refuses({}, right_)) << "no blocks";
  for (const std::size_t size : {0U, 16U, 255U, 257U, 512U}) {
    EXPECT_TRUE(refuses({256, size}, right_)) << size;
    EXPECT_EQ(sealed_, 0U) << "the last is the first to be sealed";
    EXPECT_TRUE(refuses({size, 256}, right_)) << size;
  }
}

TEST_P(Sb3Building, TakesNoSignatureOfAnotherCurve) {
  for (const std::size_t signature : {std::size_t{0}, right_ - 1, right_ + 1, 160 - right_}) {
    EXPECT_TRUE(fails_with(build({256}, right_, signature), ErrorCode::kInvalidArgument))
        << signature;
  }
}

}  // namespace
}  // namespace tallystick::core::testing
