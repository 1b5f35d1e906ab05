// What the server refuses before it looks at a file.
#include "devicesim/line/server.h"

#include "tests/devicesim/support/parts.h"

namespace tallystick::test {
namespace {

using core::ErrorCode;
using device::ServerOptions;

// `ready` ends what should not have begun.
core::Status serve(const ServerOptions& options) {
  return device::serve(shared_crypto(), options, [](const auto&) -> core::Status {
    return core::Error{ErrorCode::kStorage, "it serves"};
  });
}

TEST(Servers, P01_TakeNoMorePartsThanTheySay) {
  ServerOptions options;
  options.files.assign(10'001, "/nonexistent");
  EXPECT_THAT(serve(options), FailsWith(ErrorCode::kInvalidArgument));
  options.files.pop_back();
  EXPECT_THAT(serve(options), FailsWith(ErrorCode::kStorage)) << "now the files are looked at";
}

TEST(Servers, NeedAWayInForTheHost) {
  ServerOptions options;
  options.files = {"/nonexistent"};
  options.terminals = false;
  EXPECT_THAT(serve(options), FailsWith(ErrorCode::kInvalidArgument));
  options.tcp = 0;
  EXPECT_THAT(serve(options), FailsWith(ErrorCode::kStorage)) << "now the file is looked at";
}

}  // namespace
}  // namespace tallystick::test
