#include "tests/faults/support/trials.h"

namespace tallystick::test {
namespace {

int tries_of(const State& state, int role) { return role == 0 ? state.so_tries : state.user_tries; }

}  // namespace

Expected::Expected(const Stage& stage, const Operation& operation) : operation_(&operation) {
  Stage::use_home(stage.home());
  stage.set_up(operation.prepared);
  before_ = state_of(stage);
  stage.set_up(operation.prepared);
  auto scene = stage.open(operation);
  const auto rv = operation.run(*scene);
  if (rv != operation.answer) {
    throw std::runtime_error(std::string(operation.name) + ": " + rv_name(rv));
  }
  stage.close(std::move(scene));
  after_ = state_of(stage);
  if (operation.answer == CKR_OK && operation.changes && before_.shape == after_.shape) {
    throw std::runtime_error(std::string(operation.name) + " changes nothing that is seen");
  }
}

void Expected::check_objects(const State& state, Reached reached) const {
  if (state.shape == after_.shape) return;
  EXPECT_NE(reached, Reached::kAcknowledged) << "lost after it was acknowledged; there is\n"
                                             << state.shape << "and should be\n"
                                             << after_.shape;
  EXPECT_EQ(state.exact, before_.exact);
}

void Expected::check(const State& state, Reached reached) const {
  check_objects(state, reached);
  const auto role = operation_->compares;
  if (role < 0) return;
  const auto now = tries_of(state, role);
  const auto before = tries_of(before_, role);
  const auto after = tries_of(after_, role);
  // A login before the operation's own has set the user's tries back.
  const auto at_first = operation_->as == As::kUser || operation_->as == As::kSo ? 0 : before;
  if (reached == Reached::kAcknowledged) {
    EXPECT_EQ(now, after) << "tries";
  } else if (reached == Reached::kUnknown) {
    EXPECT_TRUE(now == at_first + 1 || now == after) << now << " tries are spent";
  } else {
    EXPECT_TRUE(now == before || now == before + 1 || now == at_first || now == at_first + 1 ||
                now == after)
        << now << " tries are spent";
  }
}

const Stage& the_stage() {
  static const Stage stage;
  return stage;
}

}  // namespace tallystick::test
