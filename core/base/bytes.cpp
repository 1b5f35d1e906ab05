#include "core/base/bytes.h"

#include <openssl/crypto.h>

namespace tallystick::core {

bool equal_in_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool all_zero(ByteView bytes) {
  std::uint8_t seen = 0;
  for (const auto byte : bytes) seen = static_cast<std::uint8_t>(seen | byte);
  return seen == 0;
}

std::string to_hex(ByteView bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out.push_back(kDigits[byte >> 4U]);
    out.push_back(kDigits[byte & 15U]);
  }
  return out;
}

}  // namespace tallystick::core
