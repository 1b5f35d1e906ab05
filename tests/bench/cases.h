// The cases, in groups that are run in turns.
#pragma once

#include "tests/bench/module.h"
#include "tests/bench/raw.h"
#include "tests/bench/runner.h"

namespace tallystick::bench {

struct World {
  const Raw& raw;
  // Null when not on this machine.
  Module* ours = nullptr;
  Module* other = nullptr;
  // Empty, on the disk whose commits are counted.
  std::string folder;
  // What "10,000 objects" is in this run.
  std::size_t many_objects = 10'000;
  // Called before SoftHSM2 gets many objects.
  std::function<void()> many_for_other = [] {};
};

struct Maker {
  std::string name;
  std::function<Case(World&)> make;
};
using Group = std::vector<Maker>;

std::vector<Group> crypto_groups();
std::vector<Group> session_groups();
std::vector<Group> thread_groups();
std::vector<Group> object_groups(const World& world);

// A lane of a module; `make` is only called when there is one.
template <typename Make>
Lane lane_of(Module* module, Make make) {
  if (module == nullptr) return missing("not installed");
  return make(*module);
}

// The same lane for both modules.
template <typename Make>
void both(Case& one, World& world, Make make) {
  one.ours = lane_of(world.ours, make);
  one.other = lane_of(world.other, make);
}

}  // namespace tallystick::bench
