// debug ...: the way back to the part's owner.
#include <ostream>

#include "devicesim/command/subcommand.h"
#include "devicesim/command/text.h"
#include "devicesim/new_file.h"

namespace tallystick::device {
namespace {

using core::Status;

struct DebugOptions {
  std::string file;
  std::string token;
  std::string output;
  bool force = false;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

Status give(Desk& desk, const DebugOptions& options, core::ByteView bytes, FileMode mode) {
  if (options.output.empty()) {
    desk.out << core::to_hex(bytes) << "\n";
    return {};
  }
  return write_new_file(options.output, bytes, mode,
                        options.force ? Existing::kReplace : Existing::kKeep);
}

Status challenge(Desk& desk, const DebugOptions& options) {
  auto part = Part::open(desk.crypto, options.file);
  if (!part) return std::move(part).error();
  const auto made = (*part)->make_debug_challenge();
  if (!made) return made.error();
  return give(desk, options, core::encode_debug_challenge(*made), FileMode::kPublic);
}

Status open(Desk& desk, const DebugOptions& options) {
  const auto token = read_input_file(options.token, core::kDebugTokenSize);
  if (!token) return token.error();
  auto part = Part::open(desk.crypto, options.file);
  if (!part) return std::move(part).error();
  if (auto opened = (*part)->open_debug(*token); !opened) return opened;
  desk.out << "The part is erased, its debug port open.\n";
  return {};
}

Status read(Desk& desk, const DebugOptions& options) {
  auto part = Part::open(desk.crypto, options.file);
  if (!part) return std::move(part).error();
  core::Bytes out(options.length);
  if (auto done = (*part)->read_debug(options.offset, out); !done) return done;
  return give(desk, options, out, FileMode::kPrivate);
}

void add_output(CLI::App& command, DebugOptions& options) {
  auto* const output =
      command.add_option("--out", options.output, "Write to this new file, not as hex");
  command.add_flag("--force", options.force, "Replace the file if it is there")->needs(output);
}

}  // namespace

void add_debug_commands(CLI::App& app, Chosen& chosen) {
  auto* const group = app.add_subcommand("debug", "Open the debug port of a part, which erases it");
  group->require_subcommand(1);
  add_command<DebugOptions>(*group, chosen, "challenge",
                            "A fresh challenge for the owner to sign, in place of the one before",
                            challenge, [](CLI::App& command, DebugOptions& options) {
                              add_file(command, options.file);
                              add_output(command, options);
                            });
  add_command<DebugOptions>(
      *group, chosen, "open", "Erase the part and open its debug port, for good", open,
      [](CLI::App& command, DebugOptions& options) {
        add_file(command, options.file);
        command.add_option("token", options.token, "What the owner signed")->required();
      });
  add_command<DebugOptions>(
      *group, chosen, "read", "Read memory through the debug port", read,
      [](CLI::App& command, DebugOptions& options) {
        add_file(command, options.file);
        command
            .add_option("--offset", options.offset, "In the flash; the key store stands behind it")
            ->required();
        command.add_option("--length", options.length, "Bytes, at most 1 MiB")
            ->required()
            ->check(CLI::Range(1U, 1024U * 1024U));
        add_output(command, options);
      });
}

}  // namespace tallystick::device
