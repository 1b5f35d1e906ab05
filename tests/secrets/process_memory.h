// The memory of another process as a debugger, a core dump or a thief of its swap sees it.
#pragma once

#include <string>
#include <vector>

#include "tests/secrets/needles.h"

namespace tallystick::test {

struct Mapping {
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  std::string name;  // "[heap]", a file, or nothing
  bool writable = false;
  bool in_dumps = true;  // false after MADV_DONTDUMP
};

std::vector<Mapping> mappings_of(int pid);

enum class Look : std::uint8_t {
  kEverything,  // all that the process can write to
  kDumped,      // what the kernel puts into a core dump
};

// What is found in the memory of a process that stands still, with the kind of mapping it is in.
// `skip` is the start of a mapping that is the test's own.
Needles::Found find_in_process(int pid, const Needles& needles, Look look, std::uintptr_t skip = 0);
// The same in one file, and in every regular file under a folder.
Needles::Found find_in_file(const std::string& path, const Needles& needles);
Needles::Found find_in_folder(const std::string& path, const Needles& needles);

// "2 x user PIN (heap), ...", for messages; empty when nothing was found.
std::string words(const Needles::Found& found);

}  // namespace tallystick::test
