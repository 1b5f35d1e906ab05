#include "tests/support/tally.h"

#include <gtest/gtest.h>

#include <iostream>

namespace tallystick::test {

void Tally::expect(std::size_t total, std::size_t passed,
                   const std::map<std::string, std::size_t>& not_applicable) const {
  std::size_t set_aside = 0;
  std::cout << file_ << ": " << total << " cases, " << passed_ << " passed";
  for (const auto& [reason, count] : reasons_) {
    std::cout << ", " << count << " not applicable (" << reason << ")";
    set_aside += count;
  }
  std::cout << "\n";
  EXPECT_EQ(failed_, 0U) << file_;
  EXPECT_EQ(passed_, passed) << file_;
  EXPECT_EQ(reasons_, not_applicable) << file_;
  EXPECT_EQ(passed_ + failed_ + set_aside, total) << file_;
}

}  // namespace tallystick::test
