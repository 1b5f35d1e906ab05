#include "tests/core/support/vectors.h"

#include <zlib.h>

#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace tallystick::core::testing {
namespace {

unsigned digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  throw std::invalid_argument("not a hex digit");
}

// `window_bits` chooses the container, as zlib's inflateInit2 has it.
std::string inflate_all(std::string compressed, int window_bits) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) throw std::runtime_error("zlib");
  stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string out;
  std::array<char, 65536> buffer{};
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END) throw std::runtime_error("damaged compressed vector");
  return out;
}

std::string read_file(std::ifstream& file) {
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

Bytes from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) throw std::invalid_argument("odd number of hex digits");
  Bytes out;
  out.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(digit(digits[i]) << 4U | digit(digits[i + 1])));
  }
  return out;
}

std::string read_vector(const std::string& name) {
  const auto path = std::string(TALLYSTICK_VECTORS "/") + name;
  if (std::ifstream plain(path, std::ios::binary); plain) return read_file(plain);
  std::ifstream compressed(path + ".gz", std::ios::binary);
  if (!compressed) throw std::runtime_error("no vector file " + path);
  return inflate_all(read_file(compressed), 16 + MAX_WBITS);
}

nlohmann::json load_vectors(const std::string& name) {
  return nlohmann::json::parse(read_vector(name));
}

Bytes inflate_zlib(ByteView compressed) {
  const auto out = inflate_all(std::string(text_of(compressed)), MAX_WBITS);
  const auto view = bytes_of(out);
  return {view.begin(), view.end()};
}

Bytes hex_of(const nlohmann::json& test, const char* member) {
  return from_hex(test.at(member).get_ref<const std::string&>());
}

std::string string_of(const nlohmann::json& test, const char* member) {
  return test.at(member).get<std::string>();
}

}  // namespace tallystick::core::testing
