// The log hook: one line for each call that failed, to where TALLYSTICK_LOG or the configuration
// says: a file or "stderr". The variable is ignored in privileged programs (A76). What callers ask
// in the normal course, such as whether there is an attribute, is no failure.
#pragma once

#include <string>
#include <string_view>

#include "pkcs11/engine/fault.h"

namespace tallystick::token {

class Log {
 public:
  // To where TALLYSTICK_LOG says, else to `configured`; nowhere when both are empty.
  explicit Log(const std::string& configured = {});
  static Log standard_error() { return Log(kStandardError); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void failure(std::string_view where, const Fault& fault) const;

 private:
  static constexpr int kStandardError = 2;
  explicit Log(int fd) : fd_(fd) {}

  int fd_ = -1;
  bool owned_ = false;
};

// Control characters, quotes and bytes outside ASCII as \xNN, so that a label cannot drive a
// terminal (A78).
std::string escaped(std::string_view text);

}  // namespace tallystick::token
