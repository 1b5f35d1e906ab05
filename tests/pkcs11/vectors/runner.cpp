#include "tests/pkcs11/vectors/runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "tests/support/tally.h"

namespace tallystick::test {
namespace {

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// `name = value`, or `name` alone.
void set_member(nlohmann::json& object, const std::string& line) {
  const auto equals = line.find('=');
  const auto name = without_spaces(trimmed(line.substr(0, equals)));
  if (equals == std::string::npos) {
    object[name] = true;
  } else {
    object[name] = trimmed(line.substr(equals + 1));
  }
}

nlohmann::json load(const std::string& file) {
  if (file.ends_with(".rsp")) return cavp_as_json(load_text(file));
  auto vectors = load_vectors(file);
  // A file that is one group.
  if (vectors.contains("tests")) return {{"testGroups", nlohmann::json::array({vectors})}};
  return vectors;
}

// ACVP and Wycheproof number their cases; CAVP counts them within a group.
std::string name_of(const nlohmann::json& test) {
  for (const char* const name : {"tcId", "COUNT", "Count"}) {
    if (test.contains(name)) return test[name].dump();
  }
  return "?";
}

}  // namespace

bool may_pass(const nlohmann::json& test) { return test.at("result") != "invalid"; }
bool may_fail(const nlohmann::json& test) { return test.at("result") != "valid"; }

Verdict as_expected(const nlohmann::json& test, bool accepted) {
  return Verdict::held(accepted ? may_pass(test) : may_fail(test),
                       accepted ? "was accepted" : "was refused");
}

CaseRun none_apply(const std::string& reason) {
  return [reason](const nlohmann::json&) { return Verdict::not_applicable(reason); };
}

void run_vectors(const std::string& file, const Counts& expected, const GroupRun& group_run) {
  Tally tally(file);
  const auto vectors = load(file);
  for (const auto& group : vectors.at("testGroups")) {
    const auto run = group_run(group);
    for (const auto& test : group.at("tests")) {
      const auto verdict = run(test);
      if (!verdict.applies()) {
        tally.not_applicable(verdict.reason());
        continue;
      }
      EXPECT_TRUE(verdict.holds()) << file << " case " << name_of(test) << " "
                                   << test.value("comment", "") << ": " << verdict.what();
      tally.passed(verdict.holds());
    }
  }
  tally.expect(expected.total, expected.held, expected.not_applicable);
}

nlohmann::json cavp_as_json(const std::string& text) {
  auto groups = nlohmann::json::array();
  auto headers = nlohmann::json::object();
  auto tests = nlohmann::json::array();
  auto test = nlohmann::json::object();
  const auto end_group = [&] {
    if (tests.empty()) return;
    auto group = headers;
    group["tests"] = std::exchange(tests, nlohmann::json::array());
    groups.push_back(std::move(group));
  };
  const auto end_block = [&] {
    const auto block = std::exchange(test, nlohmann::json::object());
    if (block.contains("COUNT") || block.contains("Count")) {
      tests.push_back(block);
    } else if (!block.empty()) {
      end_group();
      headers.update(block);
    }
  };
  std::istringstream lines(text);
  std::string raw;
  while (std::getline(lines, raw)) {
    const auto line = trimmed(raw);
    if (line.empty()) {
      end_block();
    } else if (line.front() == '[') {
      end_block();
      end_group();
      std::istringstream members(line.substr(1, line.find(']') - 1));
      for (std::string member; std::getline(members, member, ',');) {
        set_member(headers, trimmed(member));
      }
    } else if (line.front() != '#') {
      set_member(test, line);
    }
  }
  end_block();
  end_group();
  return {{"testGroups", std::move(groups)}};
}

}  // namespace tallystick::test
