#include "core/base/bytes.h"

#include <openssl/crypto.h>

#include <cstring>

namespace tallystick::core {

bool equal_in_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool all_zero(ByteView bytes) {
  // All of it in any case, so that the time tells nothing; a word at once, since flash is asked.
  std::uint64_t seen = 0;
  for (; bytes.size() >= sizeof seen; bytes = bytes.subspan(sizeof seen)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    seen |= word;
  }
  for (const auto byte : bytes) seen |= byte;
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
