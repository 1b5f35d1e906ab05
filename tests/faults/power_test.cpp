// The power goes at each storage call, and of what was not synced everything, nothing or some is
// there: what was acknowledged is there afterwards, and nothing is half there. Recovery is cut off
// in the same way.
#include "tests/faults/support/cheap_pins.h"
#include "tests/faults/support/disk.h"
#include "tests/faults/support/storage_tap.h"
#include "tests/faults/support/trials.h"

namespace tallystick::test {
namespace {

constexpr const char* kBegins = "the operation begins";
constexpr const char* kAcknowledged = "the operation is acknowledged";

std::vector<StorageEvent> record(const Stage& stage, const Operation& operation) {
  StorageTap::watch(stage.folder());
  StorageTap::start_recording();
  auto scene = stage.open(operation);
  StorageTap::mark(kBegins);
  const auto rv = operation.run(*scene);
  StorageTap::mark(kAcknowledged);
  EXPECT_THAT(rv, ReturnsRv(operation.answer));
  stage.close(std::move(scene));
  return StorageTap::stop_recording();
}

class PowerCuts : public ::testing::Test {
 protected:
  void cut(const Operation& operation) {
    const Expected expected(stage_, operation);
    figures_.operation();
    Stage::use_home(stage_.home());
    stage_.set_up(operation.prepared);
    const Disk disk(stage_.folder());
    const auto events = record(stage_, operation);
    auto reached = Reached::kNotYetCompared;
    bool begun = false;
    const auto every = try_all() ? 1U : 4U;
    for (std::size_t count = 0; count <= events.size(); ++count) {
      if (count > 0 && events[count - 1].call == StorageCall::kMark) {
        const auto& mark = events[count - 1].path;
        if (mark == kBegins) begun = true;
        if (mark == kAcknowledged) reached = Reached::kAcknowledged;
        if (begun && mark == kPinLookedAt && reached == Reached::kNotYetCompared) {
          reached = Reached::kUnknown;
        }
      }
      if (!begun) continue;
      std::uint32_t seed = 0;
      for (const auto loss : kLosses) {
        ++seed;
        // At a mark, right after something was promised, all of them are tried.
        const bool promised = events[count - 1].call == StorageCall::kMark;
        if (!promised && (count + seed) % every != 0) continue;
        SCOPED_TRACE("cut after call " + std::to_string(count) + " of " +
                     std::to_string(events.size()) + ", " + name_of(loss));
        disk.put(events, count, loss, static_cast<std::uint32_t>(count) * 31 + seed,
                 stage_.other_folder());
        Stage::use_home(stage_.other_folder() + "/home");
        figures_.point();
        check(expected, reached);
        if (loss == Loss::kNothing && (try_all() || promised)) cut_recovery(disk, events, count);
        if (HasFailure()) return;
      }
    }
  }

 private:
  void check(const Expected& expected, Reached reached) {
    try {
      expected.check(state_of(stage_), reached);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }

  // What the state was before a recovery that is itself cut off, it is after the next one.
  void cut_recovery(const Disk& disk, const std::vector<StorageEvent>& events, std::size_t count) {
    const auto recovering = stage_.other_folder();
    disk.put(events, count, Loss::kNothing, 0, recovering);
    const Disk cut_once(recovering);
    StorageTap::watch(recovering);
    StorageTap::start_recording();
    const auto whole = state_of(stage_);
    const auto recovery = StorageTap::stop_recording();
    Stage::use_home(stage_.folder() + "-again/home");
    const auto step = try_all() ? 1U : 1 + recovery.size() / 3;
    for (std::size_t at = 0; at <= recovery.size(); at += step) {
      const auto loss = kLosses[at % std::size(kLosses)];
      SCOPED_TRACE("recovery cut after call " + std::to_string(at) + " of " +
                   std::to_string(recovery.size()) + ", " + name_of(loss));
      cut_once.put(recovery, at, loss, static_cast<std::uint32_t>(at), stage_.folder() + "-again");
      figures_.point();
      try {
        EXPECT_EQ(state_of(stage_).exact, whole.exact);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      if (HasFailure()) return;
    }
  }

  const Stage& stage_ = the_stage();
  Figures figures_{"power"};
};

TEST_F(PowerCuts, A40_AtEachStorageCallOfEachOperationLoseNothingAndLeaveNothingHalf) {
  for (const auto& operation : operations()) {
    if (!wanted(operation.name)) continue;
    SCOPED_TRACE(operation.name);
    cut(operation);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tallystick::test
