// Counts what became of the cases of a vector file, so that none is skipped in silence: a case has
// passed, or does not apply for a reason that stands in the test with its exact number.
#pragma once

#include <map>
#include <string>

namespace tallystick::test {

class Tally {
 public:
  explicit Tally(std::string file) : file_(std::move(file)) {}

  // One case is done; the test's own assertions have said whether it held.
  void passed(bool held) { held ? ++passed_ : ++failed_; }
  void not_applicable(const std::string& reason) { ++reasons_[reason]; }

  // Prints the counts and compares them with those expected.
  void expect(std::size_t total, std::size_t passed,
              const std::map<std::string, std::size_t>& not_applicable = {}) const;

 private:
  std::string file_;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  std::map<std::string, std::size_t> reasons_;
};

}  // namespace tallystick::test
