#include "devicesim/mboot/status_code.h"

namespace tallystick::mboot {

std::string_view status_name(StatusCode status) {
  switch (status) {
    case StatusCode::kSuccess:
      return "success";
    case StatusCode::kFail:
      return "fail";
    case StatusCode::kInvalidArgument:
      return "invalid argument";
    case StatusCode::kFlashAlignment:
      return "flash alignment";
    case StatusCode::kUnknownCommand:
      return "unknown command";
    case StatusCode::kSecurityViolation:
      return "security violation";
    case StatusCode::kAbortDataPhase:
      return "abort data phase";
    case StatusCode::kSignature:
      return "signature";
    case StatusCode::kUnknownFileCommand:
      return "unknown command in the file";
    case StatusCode::kUnexpectedFileCommand:
      return "unexpected command in the file";
    case StatusCode::kRollbackBlocked:
      return "rollback blocked";
    case StatusCode::kBadKek:
      return "bad key-encryption key";
    case StatusCode::kMemoryRange:
      return "memory range";
    case StatusCode::kUnknownProperty:
      return "unknown property";
    case StatusCode::kReadOnlyProperty:
      return "read-only property";
  }
  return "unknown status";
}

}  // namespace tallystick::mboot
