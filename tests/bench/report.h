// Report: the results as a table for people and as JSON for programs.
#pragma once

#include <iosfwd>

#include <nlohmann/json.hpp>

#include "tests/bench/runner.h"

namespace tallystick::bench {

// How much more several threads do than fewer, computed from results that were run in turns.
struct Scaling {
  std::string name;
  std::string more;  // name of the result with more threads
  std::string fewer;
  double least = 0;  // what ours is to reach
};

void print_table_head(std::ostream& out);
void print_row(std::ostream& out, const Result& result);
// Prints nothing where one of the two results is not there.
void print_scaling(std::ostream& out, const Scaling& scaling, const std::vector<Result>& results);

nlohmann::json report_json(const std::vector<Result>& results, const std::vector<Scaling>& scalings,
                           const Pace& pace);

}  // namespace tallystick::bench
