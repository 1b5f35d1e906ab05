// The status words of mboot: how a part says what became of a command.
#pragma once

#include <cstdint>
#include <string_view>

namespace tallystick::mboot {

enum class StatusCode : std::uint32_t {
  kSuccess = 0,
  kFail = 1,
  kInvalidArgument = 4,
  kFlashAlignment = 101,  // an erase that does not begin and end with a sector
  kUnknownCommand = 10000,
  kSecurityViolation = 10001,
  kAbortDataPhase = 10002,
  kSignature = 10101,
  kUnknownFileCommand = 10107,  // in a file that the part was sent
  kRollbackBlocked = 10115,
  kUnexpectedFileCommand = 10117,  // one that the part does not do
  kBadKek = 10118,                 // sealed for shares that the part does not have
  kMemoryRange = 10200,
  kUnknownProperty = 10300,
  kReadOnlyProperty = 10301,
};

// For people; "unknown status" for any other word.
std::string_view status_name(StatusCode status);

}  // namespace tallystick::mboot
