// The record of a job, as a run that was broken off left it: what is appended is found again.
#include "tools/cli/programming/record.h"

#include <nlohmann/json.hpp>

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/file.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::as_file({data, size});
  {
    const auto record = cli::Record::open(path);
    if (!record) return 0;
    (void)record->has("", "");
  }
  {
    auto record = cli::Record::open(path);
    fuzz::expect(record.ok(), "a record that opened opens again");
    fuzz::expect(
        record->append({{"part_id", "a part"}, {"package_digest", "a package"}, {"result", "ok"}})
            .ok(),
        "a line can be appended");
  }
  const auto record = cli::Record::open(path);
  fuzz::expect(record && record->has("a part", "a package"), "a line that was appended is found");
  return 0;
}
