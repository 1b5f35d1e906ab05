#include "core/base/result.h"

#include <openssl/err.h>

namespace tallystick::core {

Error crypto_error(std::string_view what) {
  std::string message(what);
  // The oldest entry is the cause; the later ones only say which callers passed it on.
  if (const auto code = ERR_get_error(); code != 0) {
    if (const char* reason = ERR_reason_error_string(code); reason != nullptr) {
      message += " (";
      message += reason;
      message += ")";
    }
  }
  ERR_clear_error();
  return {ErrorCode::kCrypto, std::move(message), 0};
}

}  // namespace tallystick::core
