// Vector files of tests/vectors, plain or gzipped, and the hexadecimal text in them.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/base/bytes.h"

namespace tallystick::test {

nlohmann::json load_vectors(const std::string& name);
core::Bytes unhex(const std::string& text);

}  // namespace tallystick::test
