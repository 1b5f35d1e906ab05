// Work that is done again and again, each time without memory at another request.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "tests/pkcs11/support/rv.h"

namespace tallystick::test {

// What may be answered without memory. libcrypto does not always say that it had none: then its
// caller can only tell that a key, a point or a signature was not taken. A wrong PIN is never the
// answer.
bool is_clean(CK_RV rv);
// To stderr, from a forked process.
void complain(const std::string& what);

enum class Went : std::uint8_t {
  kWell,
  kFailed,  // and said so; so does an exception
  kBadly,
};

struct Job {
  const char* name;
  // In a forked process: prepares, and gives the work, which can be done any number of times.
  std::function<std::function<Went()>()> ready;
  // How many tries after a failure the first that goes well may take.
  int patience = 1;
};

// Each job in a process of its own: nothing crashes or hangs, no failure is passed over as badly as
// by a wrong answer, and after each failure the next try goes well. In GoogleTest's words.
void expect_clean_without_memory(const char* figures, std::span<const Job> jobs);

}  // namespace tallystick::test
