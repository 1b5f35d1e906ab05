// Runner: times several implementations of one thing in turns, so that what the machine does
// meanwhile falls on all of them alike, and what is compared are medians of rounds.
#pragma once

#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tallystick::bench {

using Clock = std::chrono::steady_clock;

// Seconds. On a machine that does other things too, the processor's time says more of code that
// never waits; it is 0 where it would say nothing.
struct Took {
  double wall = 0;
  double processor = 0;
};

class Stopwatch {
 public:
  Stopwatch() : wall_(Clock::now()), processor_(std::clock()) {}
  [[nodiscard]] Took read() const {
    return {std::chrono::duration<double>(Clock::now() - wall_).count(),
            static_cast<double>(std::clock() - processor_) / CLOCKS_PER_SEC};
  }

 private:
  Clock::time_point wall_;
  std::clock_t processor_;
};

// How long `count` repetitions took. What is not to be timed is left out by the function.
using Sample = std::function<Took(std::size_t count)>;

// A sample of something that is simply repeated.
template <typename Operation>
Sample repeated(Operation operation) {
  return [operation = std::move(operation)](std::size_t count) mutable {
    const Stopwatch watch;
    for (std::size_t i = 0; i < count; ++i) operation();
    return watch.read();
  };
}

// One implementation of a case. Without a sample it has a reason.
struct Lane {
  Lane() = default;
  Lane(Sample how) : sample(std::move(how)) {}  // NOLINT(google-explicit-constructor)
  Sample sample;
  std::string missing;
};

Lane missing(std::string reason);

// What the token is to reach; 0 where nothing is asked.
struct Target {
  double to_raw = 0;
  // No case may be slower than the other token.
  double to_other = 1;
  double most_microseconds = 0;
};

struct Case {
  std::string name;
  Target target;
  Lane raw;
  Lane ours;
  Lane other;
  // Repetitions in a round; found by measuring when 0.
  std::size_t count = 0;
  // Something worth saying beside the figures, asked after the last round.
  std::function<std::string()> note;
};

// Nanoseconds of one repetition, one entry for each round; empty where the lane is missing.
struct Timings {
  std::vector<double> rounds;
  std::string missing;
  [[nodiscard]] bool measured() const { return !rounds.empty(); }
};

struct Result {
  std::string name;
  Target target;
  Timings raw;
  Timings ours;
  Timings other;
  std::string note;
};

struct Pace {
  std::size_t rounds = 15;
  double batch_seconds = 0.04;
  // Tell the processor's time where there is one.
  bool processor_time = false;
};

double median(std::vector<double> values);
// How many times `one` is as fast as `another`: the median of the rounds' ratios.
std::optional<double> speed(const Timings& one, const Timings& another);

// Runs all lanes of all cases in turns.
std::vector<Result> run_in_turns(const std::vector<Case>& cases, const Pace& pace);

}  // namespace tallystick::bench
