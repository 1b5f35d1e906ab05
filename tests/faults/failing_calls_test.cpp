// Storage calls fail, once or from one on for good: the function says so, the process goes on, and
// when the fault is gone the same call succeeds. What was acknowledged stays, nothing is half
// there.
#include <cstdio>

#include "tests/faults/support/process.h"
#include "tests/faults/support/storage_tap.h"
#include "tests/faults/support/trials.h"

namespace tallystick::test {
namespace {

// How the child ended; what went wrong is on its standard error.
constexpr int kStruck = 0;
constexpr int kNotReached = 10;
constexpr int kFailed = 20;

int complain(const std::string& what) {
  (void)std::fprintf(stderr, "child: %s\n", what.c_str());
  return kFailed;
}

bool is_clean(CK_RV rv) { return rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_MEMORY; }

// Reading and signing, as far as the login goes.
void read_and_sign(Scene& scene, As as) {
  for (const auto slot : scene.stage.module().slots()) {
    CK_TOKEN_INFO info{};
    (void)scene.functions->C_GetTokenInfo(slot, &info);
  }
  if (as != As::kUser) return;
  (void)objects_of(*scene.session);
  const auto keys = scene.session->find(
      Attributes().number(CKA_CLASS, CKO_PRIVATE_KEY).text(CKA_LABEL, "signing"));
  must(scene.session->sign(CKM_ECDSA_SHA256, keys.at(0), bytes("a message")).rv);
}

int trial(const Stage& stage, const Operation& operation, const StoragePlan& plan) {
  auto scene = stage.open(operation);
  const bool sees_all = operation.as == As::kUser;
  const auto before = sees_all ? objects_of(*scene->session).exact : std::string();
  StorageTap::watch(stage.folder());
  StorageTap::arm(plan);
  const auto rv = operation.run(*scene);
  const bool struck = StorageTap::struck();
  if (struck && plan.lasting) read_and_sign(*scene, operation.as);
  (void)StorageTap::disarm();
  if (!struck) return rv == operation.answer ? kNotReached : complain(rv_name(rv));
  if (rv != operation.answer) {
    if (!is_clean(rv)) return complain("answers " + rv_name(rv));
    if (sees_all && objects_of(*scene->session).exact != before) {
      return complain("something is there of what failed");
    }
    if (operation.as != As::kNobodyWithoutSession) operation.prepare(*scene);
    const auto again = operation.run(*scene);
    if (again != operation.answer) return complain("the next try answers " + rv_name(again));
  }
  read_and_sign(*scene, operation.as);
  stage.close(std::move(scene));
  return kStruck;
}

TEST(FailingCalls, AreReportedAndTheTokenGoesOn) {
  const auto& stage = the_stage();
  for (const auto& method : failing_methods()) {
    Figures figures(method.name);
    for (const auto& operation : operations()) {
      if (!wanted(operation.name)) continue;
      const Expected expected(stage, operation);
      figures.operation();
      auto plan = method.plan;
      const std::uint64_t step = try_all() ? 1 : 5;
      for (plan.at = 0;; plan.at += step) {
        SCOPED_TRACE(std::string(operation.name) + ", " + method.name + " at call " +
                     std::to_string(plan.at));
        stage.set_up(operation.prepared);
        const auto status = run_apart([&] { return trial(stage, operation, plan); });
        figures.point();
        EXPECT_TRUE(status == kStruck || status == kNotReached) << status;
        try {
          expected.check_objects(state_of(stage), Reached::kAcknowledged);
        } catch (const std::exception& error) {
          ADD_FAILURE() << error.what();
        }
        if (testing::Test::HasFailure()) return;
        if (status == kNotReached) break;
      }
    }
  }
}

}  // namespace
}  // namespace tallystick::test
