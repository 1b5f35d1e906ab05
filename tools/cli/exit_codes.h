// The exit statuses of `tallystick`, one for each way to fail that a script tells apart.
#pragma once

namespace tallystick::cli {

enum class Exit : int {
  kOk = 0,
  kUsage = 1,     // the command line is wrong
  kRefused = 2,   // a check, a token or a part said no
  kToken = 3,     // a module, a token, a login or a key could not be reached
  kFile = 4,      // a file could not be read or written, or is not of its form
  kPartial = 5,   // interrupted, or some parts of many failed
  kInternal = 6,  // libcrypto or memory failed where they should not
};

// The same in words, for --help.
constexpr const char* kExitCodeHelp =
    "Options of every command: --json, --quiet, --module PATH, --pin-source SOURCE.\n"
    "Exit status: 0 done; 1 wrong command line; 2 refused or not verified; 3 token, module or "
    "PIN;\n"
    "4 file; 5 interrupted or done in part; 6 internal error.";

}  // namespace tallystick::cli
