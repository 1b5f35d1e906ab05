// Packages that were changed, cut or made to lie: the part is afterwards what it was before, to the
// last byte of its storage.
#include <gtest/gtest.h>

#include <random>

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;

class Tampering : public ::testing::Test {
 protected:
  Tampering() {
    done(program(*part_, oem_.share_blob(), oem_.package(small_plan(1, 1))));
    done(part_->load_share_blob(oem_.share_blob()));
  }

  // Pushes the bytes through as a package that claims `length`.
  core::Status offer(core::ByteView bytes, std::uint64_t length) {
    auto installer = part_->install_package(length);
    if (!installer) return std::move(installer).error();
    if (auto taken = (*installer)->update(bytes); !taken) return taken;
    return (*installer)->finish();
  }

  void expect_unchanged(const Medium& before, const Snapshot& state) {
    medium_->sync();
    EXPECT_TRUE(*medium_ == before);
    EXPECT_EQ(snapshot(*part_), state);
  }

  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
  std::unique_ptr<device::Part> part_ = ready_part(world_, "", medium_);
  core::Bytes package_ = oem_.package(small_plan(2, 50));
};

TEST_F(Tampering, S17_EveryFlippedBitLeavesThePartAsItWas) {
  const auto before = *medium_;
  const auto state = snapshot(*part_);
  const auto head = core::package_head_size(small_plan().assets.size());
  std::minstd_rand random(2024);
  for (std::size_t i = 0; i < 300; ++i) {
    // A third of them in the head, the others anywhere.
    const auto at = random() % (i % 3 == 0 ? head : package_.size());
    auto changed = package_;
    changed[at] ^= static_cast<std::uint8_t>(1U << (random() % 8));
    EXPECT_FALSE(offer(changed, changed.size()).ok()) << "byte " << at;
    EXPECT_TRUE(*medium_ == before) << "byte " << at;
  }
  expect_unchanged(before, state);
  EXPECT_THAT(offer(package_, package_.size()), Succeeds()) << "the package itself is good";
}

TEST_F(Tampering, S17_ABadLastByteLeavesTheOldPackageInForce) {
  const auto before = *medium_;
  const auto state = snapshot(*part_);
  package_.back() ^= 1;
  EXPECT_THAT(offer(package_, package_.size()), FailsAtCheck(10, ErrorCode::kOpenFailed));
  expect_unchanged(before, state);
}

TEST_F(Tampering, EveryCutLengthIsRefused) {
  const auto before = *medium_;
  const auto state = snapshot(*part_);
  const auto head = core::package_head_size(small_plan().assets.size());
  std::vector<std::size_t> lengths = {0, 1, 127, 128, 129, head - 1, head, head + 1};
  for (std::size_t edge = head + 56; edge < package_.size(); edge += 16400) {
    for (const auto near : {edge - 1, edge, edge + 1}) lengths.push_back(near);
  }
  lengths.push_back(package_.size() - 1);
  for (const auto length : lengths) {
    const auto cut = core::ByteView(package_).first(length);
    EXPECT_FALSE(offer(cut, length).ok()) << length << ", and says so";
    EXPECT_FALSE(offer(cut, package_.size()).ok()) << length << ", and claims to be whole";
  }
  expect_unchanged(before, state);
}

TEST_F(Tampering, LengthsThatLieAreRefused) {
  const auto before = *medium_;
  const auto state = snapshot(*part_);
  for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{package_.size() - 1},
                                     std::uint64_t{package_.size() + 1}, UINT64_MAX}) {
    EXPECT_FALSE(offer(package_, length).ok()) << length;
  }
  auto longer = package_;
  longer.push_back(0);
  EXPECT_FALSE(offer(longer, longer.size()).ok());
  EXPECT_FALSE(offer(longer, package_.size()).ok());
  expect_unchanged(before, state);
}

TEST_F(Tampering, D10_WhatNeverVerifiesChangesNothing) {
  const auto before = *medium_;
  const auto state = snapshot(*part_);
  // Well-formed heads with any fields, under a signature and tag that cannot hold.
  std::minstd_rand random(7);
  for (int i = 0; i < 300; ++i) {
    auto hostile = package_;
    const auto changes = 1 + random() % 40;
    for (std::size_t c = 0; c < changes; ++c) {
      // Behind magic, format, suite, family and OEM, so that many come past the first checks.
      hostile[80 + random() % (hostile.size() - 80)] = static_cast<std::uint8_t>(random() >> 8U);
    }
    EXPECT_FALSE(offer(hostile, hostile.size()).ok());
  }
  expect_unchanged(before, state);
}

TEST_F(Tampering, D10_GarbageChangesNothing) {
  const auto before = *medium_;
  const auto state = snapshot(*part_);
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    auto garbage = pattern(1 + seed * 37, seed);
    if (seed % 2 == 0 && garbage.size() > 4) {
      const auto magic = core::bytes_of("TSPK");
      std::copy(magic.begin(), magic.end(), garbage.begin());
    }
    EXPECT_FALSE(offer(garbage, garbage.size()).ok());
    (void)part_->load_share_blob(garbage);
    EXPECT_FALSE(part_->load_software(garbage).ok());
    EXPECT_FALSE(part_->store_certificate(garbage).ok());
    EXPECT_FALSE(part_->fill_immutable_memory(garbage).ok());
  }
  expect_unchanged(before, state);
}

TEST_F(Tampering, EveryFlippedByteOfTheShareBlobIsRefused) {
  const auto before = *medium_;
  const auto state = snapshot(*part_);
  const auto blob = oem_.share_blob();
  for (std::size_t at = 0; at < blob.size(); ++at) {
    auto changed = blob;
    changed[at] ^= 1;
    EXPECT_FALSE(program(*part_, changed, package_).ok()) << "byte " << at;
  }
  expect_unchanged(before, state);
}

}  // namespace
}  // namespace tallystick::test
