// Runs the cases of a vector file through the module's C_* functions and counts what became of
// each, so that none is skipped in silence: a case held, or it does not apply for a reason that
// stands in the test with its exact number.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/pkcs11/support/vectors.h"

namespace tallystick::test {

// What became of one case.
class Verdict {
 public:
  // The module did what the case says it should. `what` stands in the message when it did not.
  static Verdict held(bool it_did, std::string what = {}) { return {it_did, {}, std::move(what)}; }
  // The module does not offer what the case needs.
  static Verdict not_applicable(std::string reason) { return {false, std::move(reason), {}}; }

  [[nodiscard]] bool applies() const { return reason_.empty(); }
  [[nodiscard]] bool holds() const { return held_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const std::string& what() const { return what_; }

 private:
  Verdict(bool held, std::string reason, std::string what)
      : held_(held), reason_(std::move(reason)), what_(std::move(what)) {}
  bool held_;
  std::string reason_;
  std::string what_;
};

// What a Wycheproof case wants: an `acceptable` one may go either way.
bool may_pass(const nlohmann::json& test);
bool may_fail(const nlohmann::json& test);
// For a check that either accepts or refuses.
Verdict as_expected(const nlohmann::json& test, bool accepted);

struct Counts {
  std::size_t total = 0;
  std::size_t held = 0;
  std::map<std::string, std::size_t> not_applicable = {};
};

using CaseRun = std::function<Verdict(const nlohmann::json& test)>;
// Prepares what the cases of a group share, such as its key, and gives what runs each of them.
using GroupRun = std::function<CaseRun(const nlohmann::json& group)>;

// A file with "testGroups" and their "tests", as Wycheproof and ACVP have them, or with "tests" of
// one group, plain or gzipped; or a CAVP response file (.rsp) brought into that shape.
void run_vectors(const std::string& file, const Counts& expected, const GroupRun& group_run);

// For the group of which no case applies.
CaseRun none_apply(const std::string& reason);

// A CAVP response file as {"testGroups": [{<name in brackets>: <text>, "tests": [{<name>:
// <text>}]}]} with text as it stands in the file, names without spaces ("PLAINTEXT LENGTH" is
// "PLAINTEXTLENGTH"). A line of one word, such as FAIL, is a member that is true. What stands in
// brackets holds until it is given again, and so does a block of lines without a count, such as a
// key that the cases after it share.
nlohmann::json cavp_as_json(const std::string& text);

}  // namespace tallystick::test
