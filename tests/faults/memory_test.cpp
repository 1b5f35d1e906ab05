// Requests for memory fail, one or all from one on: each function answers with an error, leaves no
// lock and no half change behind, and the next call works.
#include <unistd.h>

#include <new>

#include "tests/faults/support/memory_tap.h"
#include "tests/faults/support/memory_trials.h"
#include "tests/faults/support/trials.h"

namespace tallystick::test {
namespace {

struct Tried {
  CK_RV rv = CKR_OK;
  bool threw = false;  // the test's own code, which the operation's run is part of, had no memory
};

Tried try_without(Scene& scene, const Operation& operation, std::uint64_t at, bool lasting) {
  Tried tried;
  MemoryTap::arm(at, lasting);
  try {
    tried.rv = operation.run(scene);
  } catch (const std::exception&) {
    tried.threw = true;
  }
  (void)MemoryTap::disarm();
  return tried;
}

std::uint64_t count(const Stage& stage, const Operation& operation) {
  stage.set_up(operation.prepared);
  auto scene = stage.open(operation);
  MemoryTap::arm(~std::uint64_t{0}, false);
  (void)operation.run(*scene);
  const auto requests = MemoryTap::disarm();
  stage.close(std::move(scene));
  return requests;
}

// All points in one process: what a failure breaks for good, the next point would meet as well.
int trials(const Stage& stage, const Operation& operation, bool lasting, std::uint64_t step,
           int out) {
  std::unique_ptr<Scene> scene;
  std::string before;
  bool sound = true;
  const bool sees_all = operation.as == As::kUser;
  const auto objects = [&] { return objects_of(*scene->session).exact; };
  for (std::uint64_t at = 0;; at += step) {
    (void)alarm(60);
    if (scene == nullptr) {
      stage.set_up(operation.prepared);
      scene = stage.open(operation);
      if (sees_all) before = objects();
    }
    const auto tried = try_without(*scene, operation, at, lasting);
    write_byte(out, '.');
    const auto where = " at request " + std::to_string(at);
    if (!MemoryTap::struck()) {
      if (tried.rv == operation.answer) break;
      complain("answers " + rv_name(tried.rv) + " with all the memory it wants");
      return 1;
    }
    if (!tried.threw && tried.rv == operation.answer) {
      stage.close(std::move(scene));
      continue;
    }
    if (!tried.threw && !is_clean(tried.rv)) {
      complain("answers " + rv_name(tried.rv) + where);
      sound = false;
    }
    // After a failure nothing has changed, as far as the function itself failed.
    if (sees_all && !tried.threw && objects() != before) {
      complain("something has changed" + where);
      return 1;
    }
    if (!tried.threw) {
      if (operation.as != As::kNobodyWithoutSession) operation.prepare(*scene);
      const auto again = operation.run(*scene);
      if (again != operation.answer) {
        complain("the next try answers " + rv_name(again) + where);
        sound = false;
      }
    }
    stage.close(std::move(scene));
  }
  if (scene != nullptr) stage.close(std::move(scene));
  return sound ? 0 : 1;
}

TEST(WithoutMemory, EachFunctionFailsCleanlyAndTheNextCallWorks) {
  const auto& stage = the_stage();
  for (const bool lasting : {false, true}) {
    Figures figures(lasting ? "no memory from one request on" : "no memory once");
    for (const auto& operation : operations()) {
      if (!wanted(operation.name)) continue;
      SCOPED_TRACE(std::string(operation.name) + (lasting ? ", lasting" : ", once"));
      const Expected expected(stage, operation);
      figures.operation();
      const auto requests = count(stage, operation);
      ASSERT_GT(requests, 10U);
      const auto step = stride(requests, 15);
      Child child([&](int, int out) { return trials(stage, operation, lasting, step, out); });
      while (!child.receive().empty()) figures.point();
      EXPECT_EQ(child.wait(), 0);
      // The last of them had all the memory it wanted.
      try {
        expected.check_objects(state_of(stage), Reached::kAcknowledged);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
}

// C_Initialize, the first look at a slot and C_OpenSession, which operations() has behind it.
CK_RV begin(const Stage& stage) {
  auto& call = *stage.module().functions();
  auto rv = call.C_Initialize(nullptr);
  if (rv != CKR_OK) return rv;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  CK_ULONG slots = 0;
  rv = call.C_GetSlotList(CK_TRUE, nullptr, &slots);
  if (rv == CKR_OK) {
    rv = call.C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session);
  }
  const auto ended = call.C_Finalize(nullptr);
  return rv == CKR_OK ? ended : rv;
}

int beginnings(const Stage& stage, bool lasting, std::uint64_t step, int out) {
  // What the process makes once and for all is made.
  if (begin(stage) != CKR_OK) return 1;
  for (std::uint64_t at = 0;; at += step) {
    (void)alarm(60);
    MemoryTap::arm(at, lasting);
    const auto rv = begin(stage);
    (void)MemoryTap::disarm();
    write_byte(out, '.');
    if (!MemoryTap::struck()) return rv == CKR_OK ? 0 : 1;
    if (rv != CKR_OK && !is_clean(rv) && rv != CKR_TOKEN_NOT_RECOGNIZED) {
      complain("answers " + rv_name(rv) + " at request " + std::to_string(at));
      return 1;
    }
    if (const auto again = begin(stage); again != CKR_OK) {
      complain("the next try answers " + rv_name(again) + " after request " + std::to_string(at));
      return 1;
    }
  }
}

TEST(WithoutMemory, AModuleThatCouldNotBeginBeginsTheNextTime) {
  const auto& stage = the_stage();
  Stage::use_home(stage.home());
  for (const bool lasting : {false, true}) {
    Figures figures(lasting ? "beginning, no memory from one request on"
                            : "beginning, no memory once");
    figures.operation();
    stage.set_up(Prepared::kFamily);
    MemoryTap::arm(~std::uint64_t{0}, false);
    must(begin(stage));
    const auto requests = MemoryTap::disarm();
    Child child(
        [&](int, int out) { return beginnings(stage, lasting, stride(requests, 60), out); });
    while (!child.receive().empty()) figures.point();
    EXPECT_EQ(child.wait(), 0);
  }
}

}  // namespace
}  // namespace tallystick::test
