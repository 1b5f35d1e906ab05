#include "tools/cli/environment.h"

#include <chrono>

namespace tallystick::cli {

Outcome<std::shared_ptr<const core::Crypto>> Environment::crypto() {
  if (!crypto_) {
    auto made = core::Crypto::create();
    if (!made) return from_core("libcrypto", made.error());
    crypto_ = *made;
  }
  return crypto_;
}

std::int64_t Environment::now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace tallystick::cli
