#include "tests/secrets/needles.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace tallystick::test {
namespace {

constexpr std::size_t kHead = 8;
constexpr std::size_t kPiece = 16;  // of a value as it is

std::uint64_t head_of(const std::uint8_t* at) {
  std::uint64_t head = 0;
  std::memcpy(&head, at, kHead);
  return head;
}

std::size_t slot_of(std::uint64_t head) { return (head * 0x9E3779B97F4A7C15ULL) >> 44U; }

core::Bytes hexadecimal(core::ByteView value, bool upper) {
  auto text = core::to_hex(value);
  if (upper)
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  const auto bytes = core::bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

core::Bytes base64(core::ByteView value) {
  core::Bytes out(4 * ((value.size() + 2) / 3) + 1);
  const int size = EVP_EncodeBlock(out.data(), value.data(), static_cast<int>(value.size()));
  // The last characters depend on what follows.
  out.resize(static_cast<std::size_t>(size) - (value.size() % 3 == 0 ? 0 : 4));
  return out;
}

}  // namespace

void Needles::add_windows(const std::string& name, core::ByteView form, std::size_t length) {
  if (form.size() < length || length < kHead) return;
  names_.push_back(name);
  for (std::size_t at = 0; at + length <= form.size(); ++at) {
    const auto bytes = form.subspan(at, length);
    // Zeros stand everywhere.
    if (std::ranges::count(bytes, bytes[0]) == static_cast<std::ptrdiff_t>(length)) continue;
    const auto head = head_of(bytes.data());
    windows_.emplace(head, Window{names_.size() - 1, {bytes.begin(), bytes.end()}});
    possible_[slot_of(head)] = true;
  }
}

Needles& Needles::add(const std::string& name, core::ByteView value) {
  if (value.size() < kPiece) throw std::runtime_error("fixture: a needle that is too short");
  add_windows(name, value, kPiece);
  add_windows(name + " in hexadecimal", hexadecimal(value, false), 2 * kHead);
  add_windows(name + " in capital hexadecimal", hexadecimal(value, true), 2 * kHead);
  for (std::size_t cut = 0; cut < 3 && cut + kHead < value.size(); ++cut) {
    add_windows(name + " in base64", base64(value.subspan(cut)), 12);
  }
  return *this;
}

Needles& Needles::add_number(const std::string& name, core::ByteView big_endian) {
  add(name, big_endian);
  const core::Bytes turned(big_endian.rbegin(), big_endian.rend());
  add_windows(name + " turned round", turned, kPiece);
  add_windows(name + " turned round, in hexadecimal", hexadecimal(turned, false), 2 * kHead);
  return *this;
}

Needles::Found Needles::in(core::ByteView haystack) const {
  Found found;
  for (std::size_t at = 0; at + kHead <= haystack.size(); ++at) {
    const auto head = head_of(haystack.data() + at);
    if (!possible_[slot_of(head)]) continue;
    const auto [first, last] = windows_.equal_range(head);
    std::set<std::size_t> here;
    for (auto window = first; window != last; ++window) {
      const auto& bytes = window->second.bytes;
      if (bytes.size() <= haystack.size() - at &&
          std::memcmp(bytes.data(), haystack.data() + at, bytes.size()) == 0 &&
          here.insert(window->second.name).second) {
        ++found[names_[window->second.name]];
      }
    }
  }
  return found;
}

}  // namespace tallystick::test
