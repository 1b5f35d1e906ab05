// Needles: known secret values, to be found again in memory and files in whatever form something
// has left them: as they are, turned round (numbers of libcrypto lie in memory that way), in
// hexadecimal and in base64. A piece of sixteen bytes counts: freed memory keeps the rest of what
// an allocator has written over.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace tallystick::test {

class Needles {
 public:
  // "name" or "name in hexadecimal" of everything that was found, with how often.
  using Found = std::map<std::string, std::size_t>;

  // Values of at least 16 bytes that nobody finds by accident; the name is for messages.
  Needles& add(const std::string& name, core::ByteView value);
  // A number: also with its bytes turned round.
  Needles& add_number(const std::string& name, core::ByteView big_endian);

  [[nodiscard]] Found in(core::ByteView haystack) const;
  [[nodiscard]] std::size_t size() const { return names_.size(); }

 private:
  // Bytes that stand in one form of one value.
  struct Window {
    std::size_t name;
    core::Bytes bytes;
  };

  void add_windows(const std::string& name, core::ByteView form, std::size_t length);

  std::vector<std::string> names_;
  std::multimap<std::uint64_t, Window> windows_;  // by their first eight bytes
  // Which beginnings there are at all, so that most places cost one look.
  std::vector<bool> possible_ = std::vector<bool>(1UL << 20U);
};

}  // namespace tallystick::test
