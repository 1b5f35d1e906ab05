#include "tests/bench/report.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>

namespace tallystick::bench {
namespace {

using Cells = std::array<std::string, 7>;
constexpr std::array<std::size_t, 7> kWidths = {32, 11, 11, 11, 8, 13, 20};

// The name and the target stand on the left of their columns, figures on the right.
void print_cells(std::ostream& out, const Cells& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto width = static_cast<int>(kWidths[i]);
    const bool figure = i != 0 && i + 1 != cells.size();
    out << (i == 0 ? "" : " | ") << (figure ? std::right : std::left) << std::setw(width)
        << cells[i];
  }
  out << '\n';
}

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

std::string plain(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

std::string duration(const Timings& timings) {
  if (!timings.measured()) return timings.missing.empty() ? "-" : timings.missing;
  const double ns = median(timings.rounds);
  if (ns < 1e4) return fixed(ns, 0) + " ns";
  if (ns < 1e6) return fixed(ns / 1e3, 1) + " us";
  return fixed(ns / 1e6, 2) + " ms";
}

std::string ratio(const std::optional<double>& value) { return value ? fixed(*value, 2) : "-"; }

// As it is printed, so that a figure and its verdict never contradict each other.
bool reaches(double value, double least) {
  return std::round(value * 100) >= std::round(least * 100);
}

struct Verdict {
  std::string wanted;
  // Nothing was asked, or not all of it could be measured.
  std::optional<bool> met;
};

Verdict verdict_on(const Result& result) {
  Verdict out;
  bool met = true;
  const auto ask = [&](const std::optional<double>& value, double least) {
    if (least <= 0) return;
    out.wanted += (out.wanted.empty() ? "" : " / ") + plain(least);
    if (value && !reaches(*value, least)) met = false;
  };
  const auto& target = result.target;
  if (target.most_microseconds > 0) {
    out.wanted = "<= " + plain(target.most_microseconds) + " us";
    if (median(result.ours.rounds) > target.most_microseconds * 1000) met = false;
  }
  ask(speed(result.ours, result.raw), target.to_raw);
  ask(speed(result.ours, result.other), target.to_other);
  if (result.ours.measured() && !out.wanted.empty()) out.met = met;
  return out;
}

std::string said(const Verdict& verdict) {
  return verdict.wanted + (verdict.met && !*verdict.met ? "  missed" : "");
}

const Result* named(const std::vector<Result>& results, const std::string& name) {
  const auto at = std::ranges::find(results, name, &Result::name);
  return at == results.end() ? nullptr : &*at;
}

nlohmann::json to_json(const Timings& timings) {
  if (!timings.measured()) return {{"missing", timings.missing}};
  return {{"median_ns", median(timings.rounds)}, {"rounds_ns", timings.rounds}};
}

nlohmann::json number_or_null(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name"))
      return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "unknown";
}

}  // namespace

void print_table_head(std::ostream& out) {
  print_cells(out, {"case", "raw", "ours", "SoftHSM2", "ours/raw", "ours/SoftHSM2", "target"});
  std::size_t width = 3 * (kWidths.size() - 1);
  for (const auto one : kWidths) width += one;
  out << std::string(width, '-') << '\n';
}

void print_row(std::ostream& out, const Result& result) {
  print_cells(out, {result.name, duration(result.raw), duration(result.ours),
                    duration(result.other), ratio(speed(result.ours, result.raw)),
                    ratio(speed(result.ours, result.other)), said(verdict_on(result))});
}

void print_scaling(std::ostream& out, const Scaling& scaling, const std::vector<Result>& results) {
  const auto* const more = named(results, scaling.more);
  const auto* const fewer = named(results, scaling.fewer);
  if (more == nullptr || fewer == nullptr) return;
  const auto ours = speed(more->ours, fewer->ours);
  std::string wanted;
  if (scaling.least > 0) wanted = ">= " + plain(scaling.least);
  if (ours && !reaches(*ours, scaling.least)) wanted += "  missed";
  print_cells(out, {scaling.name, ratio(speed(more->raw, fewer->raw)), ratio(ours),
                    ratio(speed(more->other, fewer->other)), "", "", wanted});
}

nlohmann::json report_json(const std::vector<Result>& results, const std::vector<Scaling>& scalings,
                           const Pace& pace) {
  nlohmann::json out;
  out["machine"] = {{"processor", processor()},
                    {"cores", sysconf(_SC_NPROCESSORS_ONLN)},
                    {"libcrypto", OpenSSL_version(OPENSSL_VERSION)}};
  out["rounds"] = pace.rounds;
  out["cases"] = nlohmann::json::array();
  for (const auto& result : results) {
    const auto verdict = verdict_on(result);
    out["cases"].push_back(
        {{"name", result.name},
         {"raw", to_json(result.raw)},
         {"ours", to_json(result.ours)},
         {"softhsm2", to_json(result.other)},
         {"ours_to_raw", number_or_null(speed(result.ours, result.raw))},
         {"ours_to_softhsm2", number_or_null(speed(result.ours, result.other))},
         {"target", verdict.wanted},
         {"met", verdict.met ? nlohmann::json(*verdict.met) : nlohmann::json(nullptr)},
         {"note", result.note}});
  }
  out["scaling"] = nlohmann::json::array();
  for (const auto& scaling : scalings) {
    const auto* const more = named(results, scaling.more);
    const auto* const fewer = named(results, scaling.fewer);
    if (more == nullptr || fewer == nullptr) continue;
    out["scaling"].push_back({{"name", scaling.name},
                              {"raw", number_or_null(speed(more->raw, fewer->raw))},
                              {"ours", number_or_null(speed(more->ours, fewer->ours))},
                              {"softhsm2", number_or_null(speed(more->other, fewer->other))},
                              {"least", scaling.least}});
  }
  return out;
}

}  // namespace tallystick::bench
