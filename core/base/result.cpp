#include "core/base/result.h"

#include <openssl/err.h>

#include <new>

namespace tallystick::core {

Error crypto_error(std::string_view what) {
  std::string message(what);
  if (const auto code = ERR_peek_last_error(); code != 0) {
    if (const char* reason = ERR_reason_error_string(code); reason != nullptr) {
      message += " (";
      message += reason;
      message += ")";
    }
  }
  forget_crypto_errors();
  return {ErrorCode::kCrypto, std::move(message), 0};
}

void forget_crypto_errors() {
  // Want of memory is no property of what was worked on, and is told like any other.
  const auto latest = ERR_peek_last_error();
  // Going back to the mark takes it away.
  if (ERR_pop_to_mark() == 1) (void)ERR_set_mark();
  // What stands there still is somebody else's.
  const bool no_memory =
      ERR_GET_REASON(latest) == ERR_R_MALLOC_FAILURE && latest != ERR_peek_last_error();
  if (no_memory) throw std::bad_alloc();
}

}  // namespace tallystick::core
