// Port: one serial line as the host has it, a terminal or a connection on the loopback interface.
// It never blocks, is raw, and is this station's alone while it is open.
//
//   /dev/ttyUSB0, ports/part-1.tty    a terminal, or a link to one
//   tcp:127.0.0.1:4000                a connection, on the loopback interface only
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "tools/cli/file_io.h"

namespace tallystick::station {

class Port {
 public:
  // `baud` is for terminals. kFile: it is not there, is no line, or somebody else has it.
  static cli::Outcome<Port> open(const std::string& name, unsigned baud);
  Port(Port&&) noexcept = default;
  Port& operator=(Port&&) = delete;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  // A terminal gets its settings back.
  ~Port();

  [[nodiscard]] int descriptor() const { return fd_.get(); }
  // What has come; false: the line is gone.
  bool read(core::Bytes& bytes);
  // Says what can be said now, and takes that from the front of `bytes`; false: the line is gone.
  bool write(core::Bytes& bytes);

 private:
  explicit Port(cli::FileHandle fd) : fd_(std::move(fd)) {}
  static cli::Outcome<Port> connect(const std::string& name);
  cli::Done take_terminal(const std::string& name, unsigned baud);

  cli::FileHandle fd_;
  std::optional<termios> before_;  // terminals only
  bool exclusive_ = false;
};

// The speeds of terminals that there are.
bool known_baud(unsigned baud);

// What the operator named as ports. Folders and patterns are looked at anew each time, so that
// ports come and go.
class PortFinder {
 public:
  // Each text: a folder, a pattern with *, ? or [, a device, or tcp:HOST:PORT. kUsage for what can
  // be none of them, such as a host that is not this machine.
  static cli::Outcome<PortFinder> create(std::vector<std::string> places);
  // Sorted, each once. In folders and patterns, terminals only.
  [[nodiscard]] std::vector<std::string> find() const;

 private:
  explicit PortFinder(std::vector<std::string> places) : places_(std::move(places)) {}
  std::vector<std::string> places_;
};

}  // namespace tallystick::station
