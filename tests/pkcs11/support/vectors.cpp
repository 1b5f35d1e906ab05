#include "tests/pkcs11/support/vectors.h"

#include <zlib.h>

#include <array>
#include <filesystem>
#include <stdexcept>

namespace tallystick::test {

std::string load_text(const std::string& name) {
  auto path = std::string(TALLYSTICK_VECTORS) + "/" + name;
  if (!std::filesystem::exists(path)) path += ".gz";
  // Reads a plain file as it is.
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("no vectors: " + path);
  std::string text;
  std::array<char, 65536> piece{};
  int got = 0;
  while ((got = gzread(file, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  const bool whole = got == 0;
  (void)gzclose(file);
  if (!whole) throw std::runtime_error("damaged vectors: " + path);
  return text;
}

nlohmann::json load_vectors(const std::string& name) {
  return nlohmann::json::parse(load_text(name));
}

core::Bytes unhex(const std::string& text) {
  core::Bytes out;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(at, 2), nullptr, 16)));
  }
  return out;
}

}  // namespace tallystick::test
