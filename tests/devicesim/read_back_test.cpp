// What a part gives out: nothing that it should keep, whatever is asked in whatever state.
#include <gtest/gtest.h>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;

// Reads every byte and every aligned block of the flash and puts together what came out.
core::Bytes all_that_reads(device::Part& part) {
  core::Bytes out;
  for (const std::size_t step : {std::size_t{1}, std::size_t{64}}) {
    for (std::uint64_t at = 0; at < kSmallFlash; at += step) {
      if (auto read = part.read_flash(at, step); read) {
        out.insert(out.end(), read->begin(), read->end());
      }
    }
  }
  return out;
}

bool found(const core::Bytes& in, core::ByteView what) {
  return std::search(in.begin(), in.end(), what.begin(), what.end()) != in.end();
}

class ReadingBack : public ::testing::Test {
 protected:
  void expect_secrets_stay(const char* state) {
    const auto out = all_that_reads(*part_);
    const core::ByteArray<32> challenge{9};
    auto proof = value(part_->prove(challenge));
    for (const auto& asset : plan_.assets) {
      const auto sample = core::ByteView(asset.content).first(8);
      const bool secret = asset.entry.is_key() || (asset.entry.flags & core::kAssetWriteOnly) != 0;
      EXPECT_EQ(found(out, sample), !secret) << asset.entry.name << ", " << state;
      EXPECT_FALSE(found(proof, sample)) << asset.entry.name << ", " << state;
    }
  }

  World world_;
  OemDesk oem_{world_};
  PackagePlan plan_ = small_plan();
  std::shared_ptr<Medium> medium_ = new_medium();
  std::unique_ptr<device::Part> part_ = ready_part(world_, "", medium_);
};

TEST_F(ReadingBack, D01_GivesNoKeyAndNoWriteOnlyAssetInAnyState) {
  const auto package = oem_.package(plan_);
  EXPECT_TRUE(all_that_reads(*part_).empty());
  auto installer = [&] {
    done(part_->load_share_blob(oem_.share_blob()));
    return value(part_->install_package(package.size()));
  }();
  done(installer->update(package));
  EXPECT_TRUE(all_that_reads(*part_).empty()) << "staged and not committed";
  done(installer->finish());
  expect_secrets_stay("provisioned");
  done(part_->lock());
  expect_secrets_stay("locked");
  part_.reset();
  part_ = reopened(world_, medium_);
  expect_secrets_stay("after power-off");
}

TEST_F(ReadingBack, D01_SaysWhyItRefuses) {
  done(program(*part_, oem_.share_blob(), oem_.package(plan_)));
  EXPECT_THAT(part_->read_flash(0xC000, 10), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part_->read_flash(0xC000 + 490, 20), FailsWith(ErrorCode::kNotPermitted))
      << "over the end of a write-only asset";
  EXPECT_THAT(part_->read_flash(39990, 20), FailsWith(ErrorCode::kNotPermitted));
  EXPECT_THAT(part_->read_flash(kSmallFlash, 1), FailsWith(ErrorCode::kInvalidArgument))
      << "the key store stands behind the flash";
  EXPECT_THAT(part_->read_flash(UINT64_MAX, 2), FailsWith(ErrorCode::kInvalidArgument));
  const auto too_much = part_->read_flash(0, device::Part::kMostRead + 1);
  ASSERT_THAT(too_much, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(too_much.error().message, ::testing::HasSubstr("at most 1 MiB"));
}

TEST_F(ReadingBack, D01_ShowsNothingOfASmallerPackageThatReplacedALarger) {
  done(program(*part_, oem_.share_blob(), oem_.package(plan_)));
  PackagePlan smaller;
  smaller.version = 2;
  smaller.assets.push_back(
      flash_asset(7, "firmware", 0, pattern(100, 60), core::AssetKind::kData, 0, 2));
  done(program(*part_, oem_.share_blob(), oem_.package(smaller)));
  EXPECT_EQ(value(part_->read_flash(0, 100)), smaller.assets[0].content);
  EXPECT_THAT(part_->read_flash(0, 101), FailsWith(ErrorCode::kNotPermitted));
}

}  // namespace
}  // namespace tallystick::test
