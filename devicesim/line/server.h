// Server: any number of simulated parts, each behind a serial line of its own: a pseudo-terminal, a
// TCP port on the loopback interface, or both. One thread, one wait for all of them; a part that
// nobody talks to costs descriptors and little else, and its file is opened when a command first
// needs it.
#pragma once

#include <functional>
#include <iosfwd>

#include "devicesim/part.h"

namespace tallystick::device {

struct ServerOptions {
  std::vector<std::string> files;
  bool terminals = true;
  // Links to the terminals: in this folder, or where it is empty beside the part's file.
  std::string link_folder;
  // The first part's TCP port, the second has the next; 0: any that are free; nothing: no TCP.
  std::optional<std::uint16_t> tcp;
  std::uint32_t baud = 0;  // 0: as fast as it goes
};

// Where a part is reached.
struct ServedPart {
  std::string file;
  std::string terminal;  // empty: none
  std::string link;
  std::uint16_t tcp = 0;  // 0: none
};

// Serves until SIGINT, SIGTERM or SIGHUP, for which it is ended in good order: links are removed,
// parts lose their power. `ready` is told when all parts can be reached, and may end it with an
// error. `log`, where there is one, is told what became of each command.
using Ready = std::function<core::Status(const std::vector<ServedPart>&)>;
using ServerLog = std::function<void(const std::string& file, const std::string& line)>;
core::Status serve(const Part::CryptoPtr& crypto, const ServerOptions& options, const Ready& ready,
                   const ServerLog& log = {});

}  // namespace tallystick::device
