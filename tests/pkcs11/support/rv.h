// Return values of C_* functions with their names, and the matchers that tests compare them with.
#pragma once

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <utility>

#include <p11-kit/pkcs11.h>

namespace tallystick::test {

// "CKR_PIN_INCORRECT", or the number in hexadecimal.
std::string rv_name(CK_RV rv);

class RvMatcher {
 public:
  using is_gtest_matcher = void;
  explicit RvMatcher(CK_RV expected) : expected_(expected) {}
  bool MatchAndExplain(CK_RV rv, std::ostream* out) const {
    if (out != nullptr) *out << "which is " << rv_name(rv);
    return rv == expected_;
  }
  void DescribeTo(std::ostream* out) const { *out << "is " << rv_name(expected_); }
  void DescribeNegationTo(std::ostream* out) const { *out << "is not " << rv_name(expected_); }

 private:
  CK_RV expected_;
};

inline RvMatcher ReturnsRv(CK_RV expected) { return RvMatcher(expected); }
inline RvMatcher IsOk() { return RvMatcher(CKR_OK); }

// What a call gave: its return value, and what it wrote where that is CKR_OK.
template <typename T>
struct Answer {
  CK_RV rv = CKR_GENERAL_ERROR;
  T value{};
};

// For fixtures: the value, or an exception that ends the test with the name of the error.
template <typename T>
T must(Answer<T> answer) {
  if (answer.rv != CKR_OK) throw std::runtime_error("fixture: " + rv_name(answer.rv));
  return std::move(answer.value);
}
inline void must(CK_RV rv) {
  if (rv != CKR_OK) throw std::runtime_error("fixture: " + rv_name(rv));
}

}  // namespace tallystick::test
