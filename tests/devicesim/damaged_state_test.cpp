// A part's state stands twice in its storage. Whatever becomes of one of the two places, the part
// is what it was when the last call returned; when both are lost it says so. An older state never
// comes back.
#include <gtest/gtest.h>

#include "tests/devicesim/support/power_cuts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::LifeCycle;
using device::Part;
using device::PartFile;

class DamagedState : public ::testing::Test {
 protected:
  DamagedState() { blank_part(world_, "", medium_); }

  void make_ready() {
    const auto part = reopened(world_, medium_);
    test::make_ready(world_, *part, world_.software());
  }
  void install(std::uint32_t version, std::uint32_t seed) {
    const auto package = oem_.package(small_plan(version, seed));
    done(program(*reopened(world_, medium_), oem_.share_blob(), package));
  }
  void lock() { done(reopened(world_, medium_)->lock()); }

  core::Result<PartFile> open_file(const std::shared_ptr<Medium>& medium,
                                   std::optional<Failure> failure = std::nullopt) {
    return PartFile::open(world_.crypto(), std::make_unique<MediumStorage>(medium, failure));
  }
  // All that the part remembers, to the byte.
  core::Bytes state_in(const std::shared_ptr<Medium>& medium) {
    const auto state = value(device::encode_state(value(open_file(medium)).take_state()));
    return {state.view().begin(), state.view().end()};
  }

  // Damages every `step`-th byte of either place in turn. Opening mends the place, so that each
  // damage meets a part at rest.
  void expect_no_loss(std::size_t step) {
    const auto state = state_in(medium_);
    const auto at_rest = *medium_;
    for (unsigned place = 0; place < 2; ++place) {
      const auto record = record_range(*medium_, place);
      for (auto at = record.from; at < record.end; at += step) {
        medium_->flip(at, at % 8);
        ASSERT_EQ(state_in(medium_), state) << "place " << place << ", byte " << at - record.from;
        ASSERT_TRUE(*medium_ == at_rest) << "the place holds the state again";
      }
    }
  }

  static void erase(Medium& medium, Range range) {
    medium.write(range.from, core::Bytes(static_cast<std::size_t>(range.end - range.from)));
    medium.sync();
  }
  // Puts what `from` has in a place into `to`.
  static void transplant(const Medium& from, Medium& to, unsigned place) {
    const auto record = record_range(from, place);
    core::Bytes content(static_cast<std::size_t>(record.end - record.from));
    from.read(record.from, content);
    to.write(record.from, content);
    to.sync();
  }

  World world_;
  OemDesk oem_{world_};
  std::shared_ptr<Medium> medium_ = new_medium();
};

TEST_F(DamagedState, D02_NeverShowsALockedPartOpen) {
  make_ready();
  install(1, 1);
  lock();
  expect_no_loss(1);
  EXPECT_EQ(reopened(world_, medium_)->life_cycle(), LifeCycle::kLocked);
}

TEST_F(DamagedState, S19_NeverShowsThePackageBeforeAnUpdate) {
  make_ready();
  install(1, 1);
  install(2, 50);
  expect_no_loss(1);
  const auto info = reopened(world_, medium_)->info();
  EXPECT_EQ(info.minimum_package_version, 2U);
  EXPECT_EQ(info.package->package_version, 2U);
}

TEST_F(DamagedState, D02_S07_TakesNoAcknowledgedChangeBack) {
  const std::vector<std::pair<const char*, Change>> changes = {
      {"immutable memory",
       [this](Part& part) {
         return part.fill_immutable_memory(
             world_.family_blob(core::FamilyRole::kPart, part.public_key()));
       }},
      {"certificate",
       [this](Part& part) {
         return part.store_certificate(
             world_.certificate(core::DeviceKind::kPart, part.public_key()));
       }},
      {"software", [this](Part& part) { return part.load_software(world_.software(4)); }},
      {"minimum version and life cycle", [](Part& part) { return part.reset(); }},
      {"fuse", [](Part& part) { return part.blow_fuse(3, 0x80); }},
      {"first installation",
       [this](Part& part) {
         return program(part, oem_.share_blob(), oem_.package(small_plan(1, 1)));
       }},
      {"lock", [](Part& part) { return part.lock(); }}};
  auto part = reopened(world_, medium_);
  core::Bytes before = state_in(std::make_shared<Medium>(*medium_));
  for (const auto& [what, change] : changes) {
    SCOPED_TRACE(what);
    done(change(*part));
    auto after = state_in(std::make_shared<Medium>(*medium_));
    ASSERT_NE(after, before);
    expect_no_loss(41);
    before = std::move(after);
  }
}

TEST_F(DamagedState, D02_SurvivesTheLossOfAWholePlaceOrASector) {
  make_ready();
  install(1, 1);
  lock();
  const auto state = state_in(medium_);
  const auto at_rest = *medium_;
  for (unsigned place = 0; place < 2; ++place) {
    SCOPED_TRACE(place);
    const auto record = record_range(*medium_, place);
    erase(*medium_, record);
    EXPECT_EQ(state_in(medium_), state) << "erased";
    EXPECT_TRUE(*medium_ == at_rest);
    medium_->write(record.from, pattern(record.end - record.from, place + 1));
    medium_->sync();
    EXPECT_EQ(state_in(medium_), state) << "overwritten";
    EXPECT_TRUE(*medium_ == at_rest);
    for (auto at = record.from; at < record.end; at += Medium::kSector) {
      medium_->lose_sector(at);
      EXPECT_EQ(state_in(medium_), state) << "sector at " << at;
      EXPECT_TRUE(medium_->readable(record.from, record.end - record.from)) << "written again";
    }
  }
}

TEST_F(DamagedState, D02_OfBothPlacesIsAnErrorAndNoOlderState) {
  make_ready();
  install(1, 1);
  lock();
  const auto record = record_range(*medium_, 0);
  const auto other = record_range(*medium_, 1);
  for (auto at = record.from; at < record.end; at += 53) {
    const auto medium = std::make_shared<Medium>(*medium_);
    medium->flip(at, 3);
    medium->flip(other.end - 1 - (at - record.from), 5);
    const auto damaged = *medium;
    const auto part = Part::open_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium));
    ASSERT_THAT(part, FailsWith(ErrorCode::kStorage)) << at;
    EXPECT_THAT(part.error().message, ::testing::HasSubstr("no whole copy"));
    EXPECT_TRUE(*medium == damaged) << "what may be left is left alone";
  }
  medium_->lose_sector(record.from);
  medium_->lose_sector(other.from);
  EXPECT_THAT(open_file(medium_), FailsWith(ErrorCode::kStorage));
}

TEST_F(DamagedState, D02_AnOldPlacePutBackIsNotTakenForTheState) {
  make_ready();
  install(1, 1);
  const auto old = *medium_;
  done(reopened(world_, medium_)->blow_fuse(0, 1));
  lock();
  const auto state = state_in(medium_);
  for (unsigned place = 0; place < 2; ++place) {
    const auto mixed = std::make_shared<Medium>(*medium_);
    transplant(old, *mixed, place);
    const auto opened = open_file(mixed);
    ASSERT_THAT(opened, FailsWith(ErrorCode::kStorage));
    EXPECT_THAT(opened.error().message, ::testing::HasSubstr("not of one history"));
  }
  EXPECT_EQ(state_in(medium_), state);
}

TEST_F(DamagedState, TwoStatesOfOneGenerationAreAnError) {
  make_ready();
  install(1, 1);
  const auto locked = std::make_shared<Medium>(*medium_);
  done(reopened(world_, locked)->lock());
  done(reopened(world_, medium_)->blow_fuse(0, 1));
  for (unsigned place = 0; place < 2; ++place) {
    const auto mixed = std::make_shared<Medium>(*medium_);
    transplant(*locked, *mixed, place);
    EXPECT_THAT(open_file(mixed), FailsWith(ErrorCode::kStorage));
  }
}

TEST_F(DamagedState, D02_APowerCutWhileAPlaceIsMendedLosesNothing) {
  make_ready();
  install(1, 1);
  lock();
  const auto at_rest = *medium_;
  const auto state = state_in(medium_);
  for (unsigned place = 0; place < 2; ++place) {
    for (std::uint64_t at = 0; at < 2; ++at) {
      for (const auto cut : {Cut::kLost, Cut::kKept, Cut::kTorn, Cut::kOvertaken}) {
        const auto medium = std::make_shared<Medium>(at_rest);
        medium->flip(record_range(at_rest, place).from + 100, 2);
        EXPECT_THAT(open_file(medium, Failure{at, true}), FailsWith(ErrorCode::kStorage))
            << "nobody sees the state before it stands in both places";
        medium->power_cut(cut, static_cast<std::uint32_t>(at));
        EXPECT_EQ(state_in(medium), state);
        EXPECT_TRUE(*medium == at_rest);
      }
    }
  }
}

TEST_F(DamagedState, D03_OnTopOfAPowerCutNeverShowsHalfAPackage) {
  make_ready();
  install(1, 1);
  const auto base = *medium_;
  const auto plans = std::array{small_plan(1, 1), small_plan(2, 50)};
  const auto package = oem_.package(plans[1]);
  const auto blob = oem_.share_blob();
  std::array<unsigned, 3> seen{};  // the old package, the new one, an error
  for (std::uint64_t at = 0;; ++at) {
    bool over = false;
    for (const auto cut : {Cut::kLost, Cut::kKept, Cut::kTorn, Cut::kOvertaken}) {
      for (unsigned place = 0; place < 2; ++place) {
        const auto medium = std::make_shared<Medium>(base);
        over = program(*reopened(world_, medium, Failure{at, true}), blob, package).ok();
        medium->power_cut(cut, static_cast<std::uint32_t>(at));
        medium->flip(record_range(base, place).from + 200, 4);
        const auto part =
            Part::open_in(world_.crypto_ptr(), std::make_unique<MediumStorage>(medium));
        if (!part) {
          EXPECT_EQ(part.error().code, ErrorCode::kStorage);
          ++seen[2];
          continue;
        }
        const auto version = (*part)->info().package->package_version;
        ASSERT_TRUE(version == 1 || version == 2);
        ++seen[version - 1];
        EXPECT_FALSE(over && version == 1);
        EXPECT_EQ(value((*part)->read_flash(0, 40000)), plans[version - 1].assets[0].content)
            << "cut at " << at << ", place " << place << " damaged";
      }
    }
    if (over) break;
  }
  for (const auto count : seen) EXPECT_GT(count, 0U);
}

}  // namespace
}  // namespace tallystick::test
