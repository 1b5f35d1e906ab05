// Marks for valgrind's memcheck: bytes that are marked secret count as undefined, and so does all
// that is computed from them; a branch or an index that depends on one is then an error (A37). A
// verdict is marked public by whoever gives it.
#pragma once

#include <valgrind/memcheck.h>

#include "core/base/bytes.h"

namespace tallystick::test {

inline void mark_secret(core::ByteView bytes) {
  (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size());
}
inline void mark_public(core::ByteView bytes) {
  (void)VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size());
}
template <typename T>
void mark_value_public(T& value) {
  (void)VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value);
}

// What the stand-ins of verdicts.cpp do.
struct Stand {
  // What core::hkdf gives counts as secret when its info holds this; nothing when empty.
  static std::string_view secret_derivations;
  // Comparisons and the removal of padding stop at the first byte that is wrong, as they must not:
  // memcheck then has to complain.
  static bool stopping_early;
};

}  // namespace tallystick::test
