#include "provider/failure.h"

#include "pkcs11/client/rv.h"

namespace tallystick::provider {

Failure from_rv(Reason reason, const std::string& what, CK_RV rv) {
  return {reason, what + ": " + client::rv_text(rv), rv};
}

std::string_view reason_text(Reason reason) {
  switch (reason) {
    case Reason::kSetting:
      return "bad setting";
    case Reason::kUri:
      return "bad uri";
    case Reason::kModule:
      return "module failed";
    case Reason::kToken:
      return "no such token";
    case Reason::kPin:
      return "login failed";
    case Reason::kObject:
      return "no such object";
    case Reason::kAmbiguous:
      return "ambiguous uri";
    case Reason::kKey:
      return "bad key";
    case Reason::kOperation:
      return "operation failed";
    case Reason::kMemory:
      return "out of memory";
  }
  return "failed";
}

}  // namespace tallystick::provider
