// How something in the provider fails: one line that names what was asked for and the reason, which
// the entry points put on OpenSSL's error queue. Never a secret.
#pragma once

#include <string>
#include <string_view>

#include <p11-kit/pkcs11.h>

#include "core/base/result.h"

namespace tallystick::provider {

// The numbers of the error queue. Their texts stand in failure.cpp.
enum class Reason : int {
  kSetting = 1,
  kUri,
  kModule,
  kToken,
  kPin,
  kObject,
  kAmbiguous,
  kKey,
  kOperation,
  kMemory,
};

struct Failure {
  Reason reason = Reason::kOperation;
  std::string text;
  // What the module answered; CKR_OK: the failure is none of a module's.
  CK_RV rv = CKR_OK;
};

template <typename T>
using Outcome = core::Result<T, Failure>;
using Done = Outcome<void>;

inline Failure fail(Reason reason, std::string text) { return {reason, std::move(text), CKR_OK}; }
// "<what>: the PIN is wrong [CKR_PIN_INCORRECT]".
Failure from_rv(Reason reason, const std::string& what, CK_RV rv);

// Short texts for the reasons, in the order of their numbers.
std::string_view reason_text(Reason reason);

}  // namespace tallystick::provider
