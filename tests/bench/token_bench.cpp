// How fast the token is, beside libcrypto alone and beside SoftHSM2: the three run in turns in this
// one process, each module with a token of its own, and medians and ratios of the rounds are told.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>

#include <CLI/CLI.hpp>

#include "tests/bench/cold_start.h"
#include "tests/bench/report.h"

namespace {

using namespace tallystick;
using namespace tallystick::bench;

struct Options {
  std::string filter;
  std::string json;
  std::string ours = TALLYSTICK_MODULE;
  std::string other = "/usr/lib/softhsm/libsofthsm2.so";
  std::string folder = std::filesystem::temp_directory_path().string();
  std::size_t rounds = 0;
  std::size_t objects = 0;
  bool quick = false;
  bool processor_time = false;
};

// Where both tokens are kept, and the settings that make the modules look there.
class Home {
 public:
  explicit Home(const std::string& parent) {
    auto name = parent + "/tallystick-bench-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) stop("no new folder in " + parent);
    path_ = name;
    for (const auto* const part : {"/ours", "/softhsm2"}) {
      std::filesystem::create_directory(path_ + part);
      std::filesystem::permissions(path_ + part, std::filesystem::perms::owner_all);
    }
    std::ofstream(path_ + "/softhsm2.conf") << "directories.tokendir = " << path_ << "/softhsm2\n"
                                            << "objectstore.backend = file\n"
                                            << "log.level = ERROR\n";
    (void)setenv("TALLYSTICK_HOME", (path_ + "/ours").c_str(), 1);
    (void)setenv("SOFTHSM2_CONF", (path_ + "/softhsm2.conf").c_str(), 1);
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
    if (!memory_.empty()) std::filesystem::remove_all(memory_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

  // SoftHSM2 takes a hundred milliseconds of a disk for each object it makes. It gets its many
  // objects in memory; they would be searched from the cache all the same.
  void move_other_to_memory() {
    if (!memory_.empty() || access("/dev/shm", W_OK) != 0) return;
    std::string name = "/dev/shm/tallystick-bench-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) return;
    memory_ = name;
    std::filesystem::copy(path_ + "/softhsm2", memory_, std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(path_ + "/softhsm2");
    std::filesystem::create_directory_symlink(memory_, path_ + "/softhsm2");
  }

 private:
  std::string path_;
  std::string memory_;
};

const std::vector<Scaling>& scalings() {
  static const std::vector<Scaling> kScalings = {
      {"P-256 sign: two threads to one", "P-256 sign, 2 threads", "P-256 sign, 1 thread", 1.9},
      {"P-256 sign: four threads to two", "P-256 sign, 4 threads", "P-256 sign, 2 threads", 1.0},
      {"issuance: two threads to one", "device issuance, 2 threads", "device issuance, 1 thread",
       0},
  };
  return kScalings;
}

std::vector<Case> chosen_cases(const Group& group, const std::regex& filter, World& world) {
  std::vector<Case> cases;
  for (const auto& maker : group) {
    if (!std::regex_search(maker.name, filter)) continue;
    cases.push_back(maker.make(world));
    cases.back().name = maker.name;
  }
  return cases;
}

std::vector<Result> run_all(const std::regex& filter, const Pace& pace, World& world) {
  auto groups = crypto_groups();
  for (auto more : {thread_groups(), session_groups(), object_groups(world)}) {
    for (auto& group : more) groups.push_back(std::move(group));
  }
  std::vector<Result> results;
  print_table_head(std::cout);
  for (const auto& group : groups) {
    for (auto& result : run_in_turns(chosen_cases(group, filter, world), pace)) {
      print_row(std::cout, result);
      std::cout.flush();
      results.push_back(std::move(result));
    }
  }
  for (const auto& scaling : scalings()) print_scaling(std::cout, scaling, results);
  std::cout << "Medians of " << pace.rounds
            << " rounds; ours/... are speeds, above 1 is faster; targets are to raw / to SoftHSM2. "
               "Raw has its keys parsed and algorithms fetched.\n";
  for (const auto& result : results) {
    if (!result.note.empty()) std::cout << result.note << '\n';
  }
  return results;
}

int run(const Options& options) {
  constexpr std::size_t kQuickObjects = 1'000;
  Pace pace;
  if (options.quick) pace = {.rounds = 5, .batch_seconds = 0.01};
  pace.processor_time = options.processor_time;
  if (options.rounds != 0) pace.rounds = options.rounds;

  Home home(options.folder);
  const Raw raw;
  const auto ours = Module::start(options.ours);
  if (!ours) stop("no module " + options.ours);
  const auto other = Module::start(options.other);
  World world{.raw = raw, .ours = ours.get(), .other = other.get(), .folder = home.path()};
  world.many_for_other = [&home] { home.move_other_to_memory(); };
  if (options.quick) world.many_objects = kQuickObjects;
  if (options.objects != 0) world.many_objects = options.objects;

  const auto results =
      run_all(std::regex(options.filter, std::regex::ECMAScript | std::regex::icase), pace, world);
  if (options.json.empty()) return 0;
  std::ofstream file(options.json);
  file << report_json(results, scalings(), pace).dump(2) << '\n';
  file.close();
  if (!file) stop("cannot write " + options.json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && argv[1] == kColdStartWord) return cold_start_child(argv[2], argv[3]);
  Options options;
  CLI::App app("Times the token beside libcrypto and SoftHSM2", "tallystick_bench_token");
  app.add_option("--filter", options.filter, "only cases whose name this regular expression finds");
  app.add_option("--rounds", options.rounds, "rounds of each case (15; 5 with --quick)");
  app.add_option("--json", options.json, "write the figures here, too");
  app.add_option("--objects", options.objects, "how many are many (10000; 1000 with --quick)");
  app.add_option("--folder", options.folder, "the tokens are made in it: choose the disk");
  app.add_option("--module", options.ours, "our module");
  app.add_option("--softhsm2", options.other, "the module of SoftHSM2");
  app.add_flag("--processor-time", options.processor_time,
               "time spent on the processor, for a machine that does other things too");
  app.add_flag("--quick", options.quick, "few short rounds: shows that it works");
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
