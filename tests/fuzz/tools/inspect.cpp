// `inspect`, which takes any file of the profile for what it says it is.
#include "tools/cli/formats/inspect.h"

#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/file.h"
#include "tools/cli/environment.h"

using namespace tallystick;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::ostringstream out;
  static cli::Environment env(out, out);
  const auto document = cli::inspect_file(env, fuzz::as_file({data, size}));
  if (document) {
    fuzz::expect(
        !document->dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::strict).empty(),
        "what was found can be printed");
  } else {
    fuzz::expect(!cli::line_of(document.error()).empty(), "a refused file is told what is wrong");
  }
  out.str({});
  return 0;
}
