#include "tools/station/status_text.h"

namespace tallystick::station {
namespace {

using mboot::StatusCode;

// docs/serial-line.md has the whole table.
const char* meaning(StatusCode status) {
  switch (status) {
    case StatusCode::kFail:
      return "the part could not store it or failed inside";
    case StatusCode::kInvalidArgument:
      return "it is not of its form";
    case StatusCode::kSecurityViolation:
      return "life cycle, owner, product or recipient forbid it, or its software does not permit "
             "it";
    case StatusCode::kSignature:
      return "signature, tag or sealed bytes do not hold";
    case StatusCode::kRollbackBlocked:
      return "the part had a newer one before";
    case StatusCode::kBadKek:
      return "the share blob is not the package's, or of another family";
    case StatusCode::kUnknownCommand:
      return "the part does not know the command";
    case StatusCode::kMemoryRange:
      return "the part has no such memory";
    default:
      return nullptr;
  }
}

}  // namespace

std::string status_text(StatusCode status) {
  auto text = "status " + std::to_string(static_cast<std::uint32_t>(status)) + ", " +
              std::string(mboot::status_name(status));
  if (const auto* more = meaning(status)) text += std::string(" (") + more + ")";
  return text;
}

}  // namespace tallystick::station
