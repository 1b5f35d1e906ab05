// What the engine's functions return, for the tests that call it without C_*.
#pragma once

#include <stdexcept>
#include <utility>

#include "pkcs11/engine/fault.h"

namespace tallystick::test {

// For fixtures: the value, or an exception that ends the test with the reason.
template <typename T>
T got(token::Outcome<T> outcome) {
  if (!outcome) throw std::runtime_error(outcome.error().message);
  return *std::move(outcome);
}
inline void got(const token::Outcome<void>& outcome) {
  if (!outcome) throw std::runtime_error(outcome.error().message);
}

// What C_* would answer.
template <typename T>
CK_RV rv_of(const token::Outcome<T>& outcome) {
  return outcome ? CKR_OK : outcome.error().rv;
}

}  // namespace tallystick::test
