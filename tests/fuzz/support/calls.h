// Calls with an output buffer, the way the standard has them: the length is asked for, then memory
// of that length is given, or of less where the input says so.
#pragma once

#include "tests/fuzz/support/arguments.h"
#include "tests/fuzz/support/expect.h"

namespace tallystick::fuzz {

// Nothing that goes in is as large as that.
constexpr CK_ULONG kMostAnnounced = 1UL << 24U;

// `call(CK_BYTE*, CK_ULONG*)`. Gives what it wrote; empty when it failed.
template <typename Call>
core::Bytes answer(Arguments& arguments, Call call) {
  CK_ULONG announced = 0;
  if (call(nullptr, &announced) != CKR_OK) return {};
  expect(announced <= kMostAnnounced, "an announced length is not absurd");
  const auto less = arguments.in().u8();
  if (less >= 0xF0) {
    CK_ULONG size = announced - std::min<CK_ULONG>(announced, less - 0xEFU);
    auto* const small = arguments.memory().room(size);
    const auto given = size;
    const auto rv = call(small, &size);
    if (rv == CKR_OK) {
      expect(size <= given, "no more is written than there is room for");
      return {small, small + size};
    }
    if (rv != CKR_BUFFER_TOO_SMALL) return {};
    expect(size > given, "a buffer that is too small is told the length that is needed");
  }
  auto size = announced;
  auto* const out = arguments.memory().room(announced);
  if (call(out, &size) != CKR_OK) return {};
  expect(size <= announced, "an announced length holds");
  return {out, out + size};
}

// A copy of an input's bytes that C_* may take as not const.
inline Region copied(Arguments& arguments, core::ByteView bytes) {
  return {arguments.memory().copy(bytes), bytes.size()};
}

}  // namespace tallystick::fuzz
