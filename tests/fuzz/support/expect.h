// What must hold for every input. A target that finds it broken ends the process, which is how
// libFuzzer and the test of the corpus tell a finding.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/base/bytes.h"

namespace tallystick::fuzz {

inline void expect(bool holds, const char* what) {
  if (holds) return;
  (void)std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

inline bool same(core::ByteView a, core::ByteView b) { return std::ranges::equal(a, b); }

}  // namespace tallystick::fuzz
