// `tallystick inspect`: anyone may look at any file.
#include <nlohmann/json.hpp>

#include "tools/cli/commands/command.h"
#include "tools/cli/commands/commands.h"
#include "tools/cli/formats/inspect.h"

namespace tallystick::cli {
namespace {

struct InspectOptions {
  std::string file;
};

Done inspect(Environment& env, const InspectOptions& options) {
  const auto document = inspect_file(env, options.file);
  if (!document) return document.error();
  env.out.data(*document);
  return {};
}

}  // namespace

void add_inspect_command(Command app, Environment& env) {
  add_command<InspectOptions>(
      app, env, "inspect",
      "What a file says: package, software, share or family blob, proof, part, SB3.1 container.\n"
      "Shows no secrets and checks no signature. Looking at a part powers it on.",
      inspect, [](Command command, InspectOptions& options) {
        command.add_option("file", options.file, "The file").required();
      });
}

}  // namespace tallystick::cli
