#include "core/sb3/command.h"

namespace tallystick::core::sb3 {

std::string_view command_name(CommandTag tag) {
  switch (tag) {
    case CommandTag::kErase:
      return "erase";
    case CommandTag::kLoad:
      return "load";
    case CommandTag::kExecute:
      return "execute";
    case CommandTag::kCall:
      return "call";
    case CommandTag::kProgramFuses:
      return "programFuses";
    case CommandTag::kProgramIfr:
      return "programIFR";
    case CommandTag::kLoadCmac:
      return "loadCMAC";
    case CommandTag::kCopy:
      return "copy";
    case CommandTag::kLoadHashLocking:
      return "loadHashLocking";
    case CommandTag::kLoadKeyBlob:
      return "loadKeyBlob";
    case CommandTag::kConfigureMemory:
      return "configureMemory";
    case CommandTag::kFillMemory:
      return "fillMemory";
    case CommandTag::kFirmwareVersionCheck:
      return "checkFwVersion";
  }
  return "unknown command";
}

bool Command::has_data() const {
  switch (tag) {
    case CommandTag::kLoad:
    case CommandTag::kLoadCmac:
    case CommandTag::kLoadHashLocking:
    case CommandTag::kProgramFuses:
    case CommandTag::kProgramIfr:
    case CommandTag::kLoadKeyBlob:
      return true;
    default:
      return false;
  }
}

}  // namespace tallystick::core::sb3
