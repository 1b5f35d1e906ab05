// Terminal: a pseudo-terminal that stands for a part's serial port, and a symbolic link whose name
// does not change from run to run. The part's side keeps the other side open and raw, so that hosts
// come and go without the line noticing.
#pragma once

#include <string>

#include "core/base/result.h"
#include "devicesim/descriptor.h"

namespace tallystick::device {

struct Terminal {
  Descriptor master;  // the part's side; does not block
  Descriptor slave;   // keeps the terminal alive
  std::string path;   // of the slave

  static core::Result<Terminal> open();
};

// Gone with the object, if it still leads where it led.
class Link {
 public:
  // kStorage when something stands there that is not what a server left which was killed: a link to
  // a terminal that is gone.
  static core::Result<Link> create(const std::string& target, const std::string& path);
  Link() = default;
  Link(Link&& other) noexcept;
  Link& operator=(Link&& other) noexcept;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Link(std::string target, std::string path) : target_(std::move(target)), path_(std::move(path)) {}

  std::string target_;
  std::string path_;  // empty: none
};

}  // namespace tallystick::device
