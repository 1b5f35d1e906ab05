// How a command fails: one line that says what, why, and what to do. Never a secret.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "tools/cli/exit_codes.h"

namespace tallystick::cli {

struct Failure {
  Exit exit = Exit::kInternal;
  std::string what;  // what was being done, or with what
  std::string why;
  std::string advice;  // what to do about it; may be empty
  // The CK_RV of a PKCS#11 module; 0: the failure is none of a module's.
  unsigned long answer = 0;
};

template <typename T>
using Outcome = core::Result<T, Failure>;
using Done = Outcome<void>;

inline Failure usage_failure(std::string what, std::string why, std::string advice = "see --help") {
  return {Exit::kUsage, std::move(what), std::move(why), std::move(advice)};
}
inline Failure file_failure(std::string what, std::string why, std::string advice = "") {
  return {Exit::kFile, std::move(what), std::move(why), std::move(advice)};
}
inline Failure refused(std::string what, std::string why, std::string advice = "") {
  return {Exit::kRefused, std::move(what), std::move(why), std::move(advice)};
}
inline Failure token_failure(std::string what, std::string why, std::string advice = "") {
  return {Exit::kToken, std::move(what), std::move(why), std::move(advice)};
}

// A core error under the exit status that its code calls for.
Failure from_core(std::string what, const core::Error& error, std::string advice = "");
// "<what>: <system's reason>" for errno.
Failure from_errno(std::string what, int error_number, std::string advice = "");

// The same failure with one more thing to do about it.
Failure with_advice(Failure failure, const std::string& more);

// "tallystick: <what>: <why> (<advice>)", control characters escaped.
std::string line_of(const Failure& failure);

// Text for a terminal: control characters, bidirectional overrides and bytes that are not UTF-8
// come out as \xNN.
std::string printable(std::string_view text);

}  // namespace tallystick::cli
