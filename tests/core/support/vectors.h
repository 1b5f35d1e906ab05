// The files of tests/vectors, plain or compressed.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/bytes.h"

namespace tallystick::core::testing {

// Throws on anything that is not hex: a broken vector must not pass as an empty one.
Bytes from_hex(std::string_view digits);
template <std::size_t N>
ByteArray<N> array_from_hex(std::string_view digits) {
  const auto bytes = from_hex(digits);
  return bytes.size() == N ? array_of<N>(bytes) : throw std::invalid_argument("length of hex");
}

// The content of tests/vectors/<name> or of tests/vectors/<name>.gz.
std::string read_vector(const std::string& name);
nlohmann::json load_vectors(const std::string& name);

// A zlib stream as the chunked-encryption vectors carry it.
Bytes inflate_zlib(ByteView compressed);

// A member that is hex, and one that is text.
Bytes hex_of(const nlohmann::json& test, const char* member);
std::string string_of(const nlohmann::json& test, const char* member);

}  // namespace tallystick::core::testing
