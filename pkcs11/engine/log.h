// The log hook: one line for each call that failed, to where TALLYSTICK_LOG says: a file or
// "stderr". Without the variable, and in privileged programs (A76), nothing is written.
#pragma once

#include <string>
#include <string_view>

#include "pkcs11/engine/fault.h"

namespace tallystick::token {

class Log {
 public:
  Log();
  explicit Log(const char* target);  // for tests and other hosts of the engine
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void failure(std::string_view where, const Fault& fault) const;

 private:
  int fd_ = -1;
  bool owned_ = false;
};

// Control characters, quotes and bytes outside ASCII as \xNN, so that a label cannot drive a
// terminal (A78).
std::string escaped(std::string_view text);

}  // namespace tallystick::token
