#include "core/base/result.h"

#include <openssl/err.h>

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
  // Going back to the mark takes it away.
  if (ERR_pop_to_mark() == 1) (void)ERR_set_mark();
}

}  // namespace tallystick::core
