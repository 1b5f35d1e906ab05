// The process is killed at each of its storage calls, one after another: what was acknowledged is
// there afterwards, and nothing is half there.
#include "tests/faults/support/process.h"
#include "tests/faults/support/trials.h"

namespace tallystick::test {
namespace {

// From the operation's beginning to the end of C_Finalize, which writes the log back.
Ran run_killed(const Stage& stage, const Operation& operation, std::uint64_t at) {
  stage.set_up(operation.prepared);
  std::unique_ptr<Scene> scene;
  return run_to_kill(
      stage.folder(), at, [&] { return operation.run(*scene) == operation.answer; },
      [&] { scene = stage.open(operation); }, [&] { stage.close(std::move(scene)); });
}

TEST(Killed, A40_AtEachStorageCallOfEachOperationLosesNothingAndLeavesNothingHalf) {
  const auto& stage = the_stage();
  Figures figures("kill");
  for (const auto& operation : operations()) {
    if (!wanted(operation.name)) continue;
    SCOPED_TRACE(operation.name);
    const Expected expected(stage, operation);
    figures.operation();
    const std::uint64_t step = try_all() ? 1 : 3;
    for (std::uint64_t at = 0;; at += step) {
      SCOPED_TRACE("killed at call " + std::to_string(at));
      const auto ran = run_killed(stage, operation, at);
      figures.point();
      if (!ran.killed) {
        // An empty run would be no trial; the short form may go past the end at its last step.
        ASSERT_GE(at, 4U);
        ASSERT_EQ(ran.status, 0);
        ASSERT_TRUE(ran.acknowledged);
        break;
      }
      const auto state = state_of(stage);
      expected.check(state, ran.acknowledged ? Reached::kAcknowledged : Reached::kNotYetCompared);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace tallystick::test
