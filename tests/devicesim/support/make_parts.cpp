// Parts for the scripts: FOLDER/part-1.part, part-2.part, … of one uniform family, certified, with
// software that permits everything and runs.
//
//   devicesim_make_parts FOLDER COUNT
#include <cstdlib>
#include <iostream>

#include "tests/devicesim/support/parts.h"

using namespace tallystick;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: devicesim_make_parts FOLDER COUNT\n";
    return 2;
  }
  const test::World world({core::kFamilyUniform});
  for (int number = 1; number <= std::atoi(argv[2]); ++number) {
    const auto path = std::string(argv[1]) + "/part-" + std::to_string(number) + ".part";
    const auto part =
        test::value(device::Part::create(world.crypto_ptr(), path, test::manufacture_for(world)));
    test::make_ready(world, *part, world.software());
  }
  return 0;
}
