// What every command works with: the output, the modules, where PINs come from, libcrypto.
#pragma once

#include <functional>
#include <memory>

#include "core/crypto/crypto.h"
#include "tools/cli/output.h"
#include "tools/cli/pkcs11/module.h"

namespace tallystick::cli {

class Environment {
 public:
  Environment(std::ostream& normal, std::ostream& errors) : out(normal, errors) {}

  Output out;
  Modules modules;
  // For every token whose URI names no PIN source.
  std::string pin_source;
  // What the command line asked for; set by the sub-command that was named.
  std::function<Done(Environment&)> action;

  // Made at the first call.
  Outcome<std::shared_ptr<const core::Crypto>> crypto();
  // Seconds since 1970.
  [[nodiscard]] static std::int64_t now();

 private:
  std::shared_ptr<const core::Crypto> crypto_;
};

}  // namespace tallystick::cli
