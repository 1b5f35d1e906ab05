// Vector files of tests/vectors, plain or gzipped, and the hexadecimal text in them.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/base/bytes.h"

namespace tallystick::test {

// The content of tests/vectors/<name> or of tests/vectors/<name>.gz.
std::string load_text(const std::string& name);
nlohmann::json load_vectors(const std::string& name);
core::Bytes unhex(const std::string& text);

}  // namespace tallystick::test
