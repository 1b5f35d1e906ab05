// Sessions, and tokens with few and with many objects.
#include <array>
#include <memory>

#include "tests/bench/cases.h"
#include "tests/bench/cold_start.h"
#include "tests/bench/disk.h"
#include "tests/bench/operations.h"

namespace tallystick::bench {
namespace {

constexpr std::size_t kCommitsInRound = 20;
constexpr std::size_t kFewObjects = 100;
// A new write-ahead log grows, which costs the disk more than the log of a database in use.
constexpr double kWarmUpSeconds = 2;

Case open_and_close(World& world, std::size_t objects) {
  Case one;
  one.raw = missing("");
  if (objects > kFewObjects) world.many_for_other();
  both(one, world, [objects](Module& module) -> Lane {
    module.fill(objects);
    return repeated(
        [&module] { must(module.call().C_CloseSession(module.open_session()), "C_CloseSession"); });
  });
  one.target = {.most_microseconds = 0.3};
  return one;
}

Case find_among(World& world, std::size_t objects) {
  Case one;
  one.raw = missing("");
  if (objects > kFewObjects) world.many_for_other();
  both(one, world, [objects](Module& module) -> Lane {
    module.fill(objects);
    // Not the first, not the last.
    return repeated([&module, session = module.open_session(), label = object_label(objects / 2)] {
      (void)find(module.call(), session, label);
    });
  });
  one.target = {.most_microseconds = 5};
  return one;
}

template <typename Operation>
void warm_up(Operation operation) {
  for (const Stopwatch watch; watch.read().wall < kWarmUpSeconds;) operation();
}

// Raw is SQLite alone, committing a row of that size on the same disk.
Case create_durably(World& world) {
  Case one;
  const auto loop = std::make_shared<CommitLoop>(world.folder + "/commits.db");
  warm_up([&loop] { loop->commit_row(); });
  one.raw = Sample([loop](std::size_t count) {
    const Stopwatch watch;
    for (std::size_t i = 0; i < count; ++i) loop->commit_row();
    return Took{watch.read().wall, 0};
  });
  both(one, world, [](Module& module) -> Lane {
    const auto session = module.open_session();
    warm_up([&] { destroy(module, session, module.create_key(session, "warm-up")); });
    return Sample([&module, session](std::size_t count) {
      std::vector<CK_OBJECT_HANDLE> made;
      const Stopwatch watch;
      for (std::size_t i = 0; i < count; ++i) made.push_back(module.create_key(session, "made"));
      const auto took = watch.read();
      for (const auto object : made) destroy(module, session, object);
      return Took{took.wall, 0};
    });
  });
  one.count = kCommitsInRound;
  one.target = {.to_raw = 0.6};
  return one;
}

}  // namespace

std::vector<Group> session_groups() {
  return {{{"C_OpenSession + C_CloseSession", [](World& in) { return open_and_close(in, 0); }}},
          {{"token object creation, durable", create_durably}}};
}

std::vector<Group> object_groups(const World& world) {
  std::vector<Group> groups;
  std::size_t last = 0;
  for (const auto objects : {std::size_t{10}, std::size_t{1'000}, world.many_objects}) {
    if (objects <= last) continue;
    last = objects;
    groups.push_back({{"find by label, " + std::to_string(objects) + " objects",
                       [objects](World& in) { return find_among(in, objects); }}});
  }
  groups.push_back({{"open + close, " + std::to_string(world.many_objects) + " objects",
                     [](World& in) { return open_and_close(in, in.many_objects); }}});
  groups.push_back(
      {{"cold start, " + std::to_string(world.many_objects) + " objects", cold_start_case}});
  return groups;
}

}  // namespace tallystick::bench
