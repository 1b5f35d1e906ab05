#include "tests/core/support/fake_part.h"

#include <algorithm>

namespace tallystick::core::testing {

std::uint32_t FakePart::minimum_asset_version(std::uint16_t asset_id) const {
  const auto found = minimum_assets.find(asset_id);
  return found == minimum_assets.end() ? 0 : found->second;
}

bool FakePart::range_permitted(const PackageEntry& entry) const {
  return permit_ranges || entry.is_key();
}

Status FakePart::step() {
  if (fail_after == 0) return Error{ErrorCode::kStorage, "the flash does not answer", 0};
  if (fail_after > 0) --fail_after;
  return {};
}

Status FakePart::begin_asset(const PackageHead& head, std::size_t index) {
  EXPECT_EQ(index, begun);
  EXPECT_EQ(begun, ended);
  EXPECT_LT(index, head.entries.size());
  ++begun;
  staged.emplace_back();
  return step();
}

Status FakePart::write_asset(ByteView plaintext) {
  EXPECT_EQ(begun, ended + 1);
  if (auto stepped = step(); !stepped) return stepped;
  staged.back().insert(staged.back().end(), plaintext.begin(), plaintext.end());
  bytes_seen += plaintext.size();
  return {};
}

Status FakePart::end_asset() {
  EXPECT_EQ(begun, ended + 1);
  ++ended;
  return step();
}

void FakePart::abandon() {
  ++abandoned;
  staged.clear();
}

Result<VerifiedPackage> install(FakePart& part, ByteView package, std::size_t piece) {
  PackageReader reader(crypto(), package.size(), part);
  while (!package.empty()) {
    const auto now = package.first(std::min(piece, package.size()));
    if (auto taken = reader.update(now); !taken) {
      // What comes after an error is refused too, and reaches nothing.
      const auto seen = part.bytes_seen;
      EXPECT_FALSE(reader.update(now).ok());
      EXPECT_FALSE(reader.finish().ok());
      EXPECT_EQ(part.bytes_seen, seen);
      return std::move(taken).error();
    }
    package = package.subspan(now.size());
  }
  return reader.finish();
}

::testing::AssertionResult refuses(FakePart& part, ByteView package, int check, std::size_t piece) {
  const auto result = install(part, package, piece);
  if (auto refused = refused_at(result, check); !refused) return refused;
  if (!part.staged.empty()) return ::testing::AssertionFailure() << "something stays staged";
  const std::size_t expected = part.begun > 0 ? 1 : 0;
  if (part.abandoned != expected) {
    return ::testing::AssertionFailure()
           << "abandoned " << part.abandoned << " times after " << part.begun << " assets begun";
  }
  if (check < 10 && part.begun != 0) {
    return ::testing::AssertionFailure() << "staging began before check " << check;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace tallystick::core::testing
