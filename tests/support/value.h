// For fixtures: the value of a Result, or an exception that ends the test with the error's text.
#pragma once

#include <stdexcept>
#include <string>

#include "core/base/result.h"

namespace tallystick::test {

template <typename T>
T value(core::Result<T> result) {
  if (!result) throw std::runtime_error("fixture: " + result.error().message);
  return *std::move(result);
}

inline void done(const core::Status& status) {
  if (!status) throw std::runtime_error("fixture: " + status.error().message);
}

}  // namespace tallystick::test
