// Included before everything else in a build for tools/mutate: each check of the sources asks here
// whether it stands. $TALLYSTICK_MUTANT is the number of the one that does not; the numbers of
// those that refused something go to the file $TALLYSTICK_MUTANT_HITS, each once.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace tallystick_mutants {

inline constexpr int kMost = 128 * 1024;

inline void note(const char* path, int number) noexcept {
  static std::array<std::atomic<bool>, kMost> noted{};
  if (noted[static_cast<unsigned>(number)].exchange(true)) return;
  const int file = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  (void)::dprintf(file, "%d\n", number);
  (void)::close(file);
}

// Called when the check has found something to refuse: true when it may.
inline bool stands(int number) noexcept {
  static const int removed = [] {
    const char* const text = std::getenv("TALLYSTICK_MUTANT");
    return text != nullptr ? std::atoi(text) : -1;
  }();
  static const char* const hits = std::getenv("TALLYSTICK_MUTANT_HITS");
  if (hits != nullptr) note(hits, number);
  return number != removed;
}

}  // namespace tallystick_mutants
