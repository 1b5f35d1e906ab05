// `tallystick station run`: the line at work.
#include <unistd.h>

#include <iostream>

#include <nlohmann/json.hpp>

#include "tools/cli/commands/station_commands.h"
#include "tools/cli/text.h"
#include "tools/station/station.h"

namespace tallystick::cli {
namespace {

struct RunOptions {
  std::string folder;
  std::vector<std::string> ports;
  std::optional<std::uint32_t> parts;
  bool once = false;
  bool release = false;
  std::uint32_t baud = 115200;
  std::uint32_t patience = 30;
};

std::string part_text(const station::PartEnd& end) {
  auto text = end.port;
  if (!core::all_zero(end.part_id)) text += ", part " + core::to_hex(end.part_id);
  return text;
}

const char* lead_text(station::Result result) {
  return result == station::Result::kSkipped ? "skipped: " : "";
}

// One line for each part that did not come through, and one that moves for the whole.
class Display : public station::Watcher {
 public:
  explicit Display(Environment& env)
      : env_(env), moves_(!env.out.quiet() && !env.out.json() && ::isatty(STDERR_FILENO) == 1) {}
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;
  ~Display() override { clear(); }

  void part_ended(const station::PartEnd& end) override {
    clear();
    const auto& verdict = end.verdict;
    env_.out.complain(line_of(Failure{
        Exit::kPartial, part_text(end),
        lead_text(verdict.result) + std::string(station::step_name(verdict.step)) + ": " +
            verdict.why,
        verdict.made == station::Made::kPerhaps ? "it may hold the package; connect it again"
                                                : ""}));
  }

  void progress(const station::Figures& figures) override {
    if (!moves_) return;
    std::cerr << "\rProgramming: " << figures.done;
    if (figures.parts != 0) std::cerr << '/' << figures.parts;
    std::cerr << " done, " << figures.at_work << " at work at " << figures.ports << " ports";
    if (const auto bad = figures.failed + figures.refused; bad != 0) {
      std::cerr << ", " << bad << " failed";
    }
    if (figures.skipped != 0) std::cerr << ", " << figures.skipped << " skipped";
    std::cerr << "; yield " << with_decimals(figures.yield_percent(), 1) << " %, "
              << with_decimals(figures.parts_per_second(), 1) << " parts per second\x1b[K"
              << std::flush;
    drawn_ = true;
  }

 private:
  void clear() {
    if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
    drawn_ = false;
  }

  Environment& env_;
  bool moves_;
  bool drawn_ = false;
};

nlohmann::ordered_json summary(const station::RunEnd& end) {
  const auto& f = end.figures;
  auto unresolved = nlohmann::ordered_json::array();
  for (const auto& part : end.unresolved) unresolved.push_back(core::to_hex(part));
  return {{"ports", f.ports},
          {"programmed", f.programmed},
          {"found_done", f.found},
          {"known", f.known},
          {"skipped", f.skipped},
          {"refused", f.refused},
          {"failed", f.failed},
          {"retries", f.retries},
          {"done", f.done},
          {"parts", f.parts},
          {"unresolved", std::move(unresolved)},
          {"yield_percent", rounded(f.yield_percent())},
          {"seconds", rounded(f.seconds)},
          {"parts_per_second", rounded(f.parts_per_second())},
          {"interrupted", end.interrupted}};
}

// The exit status that goes with it; each part that failed had its line.
Done conclude(const station::RunEnd& end) {
  const auto& f = end.figures;
  if (end.stopped) return *end.stopped;
  const bool short_of = f.parts != 0 && f.done < f.parts;
  const auto bad = f.failed + f.refused;
  if (end.interrupted && short_of) {
    return Failure{Exit::kPartial, "station", "interrupted", "run it again to go on"};
  }
  if (bad == 0 && !short_of && end.unresolved.empty()) {
    if (!end.interrupted) return {};
    return Failure{Exit::kPartial, "station", "interrupted", "run it again to go on"};
  }
  const bool nothing_done = f.programmed + f.found + f.known == 0;
  const bool refused_all = nothing_done && f.refused != 0 && f.failed == 0;
  const auto exit = refused_all ? Exit::kRefused : Exit::kPartial;
  std::string why;
  if (bad != 0) why = std::to_string(bad) + (bad == 1 ? " part failed" : " parts failed");
  if (short_of) {
    if (!why.empty()) why += ", ";
    why += std::to_string(f.parts - f.done) + " of " + std::to_string(f.parts) + " are left";
  }
  if (!end.unresolved.empty()) {
    if (!why.empty()) why += ", ";
    why += std::to_string(end.unresolved.size()) + " may be done and were not seen again";
  }
  return Failure{exit, "station", why, "the record says what happened to each"};
}

Done run_line(Environment& env, const RunOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  if (!station::known_baud(options.baud)) {
    return usage_failure("--baud " + std::to_string(options.baud), "no terminal has this speed");
  }
  const auto job = station::open_job(*crypto, options.folder);
  if (!job) return job.error();
  station::StationOptions run;
  run.ports = options.ports;
  if (options.parts) run.parts = *options.parts;
  run.once = options.once;
  run.release = options.release;
  run.baud = options.baud;
  run.patience.answer = std::chrono::seconds(options.patience);
  run.patience.acknowledge =
      std::min<std::chrono::milliseconds>(run.patience.acknowledge, run.patience.answer);
  Outcome<station::RunEnd> end = Failure{};
  {
    Display display(env);
    end = station::run_station(*job, run, display);
  }
  if (!end) return std::move(end).error();
  env.out.data(summary(*end));
  return conclude(*end);
}

}  // namespace

void add_station_run(Command group, Environment& env) {
  add_command<RunOptions>(
      group, env, "run",
      "Program the parts at the ports: who they are, software, shares, package, proof, lock.\n"
      "Run again after an interruption, it goes on where it stopped; no part is done twice.",
      run_line, [](Command command, RunOptions& options) {
        command.add_option("job", options.folder, "The job's folder").required();
        command
            .add_option("--ports", options.ports,
                        "Folders of ports, patterns, devices, tcp:127.0.0.1:PORT")
            .required();
        command.add_option("--parts", options.parts,
                           "How many parts, instead of the job's number (0: no end)");
        command.add_flag("--once", options.once,
                         "One part for each port; do not wait for further ones");
        command.add_flag("--release", options.release,
                         "Give up the parts of earlier runs whose end nobody knows");
        command.add_option("--baud", options.baud, "Speed of the terminals").show_default();
        command
            .add_option("--patience", options.patience,
                        "Seconds that a part may take for an answer")
            .show_default()
            .between(1, 3600);
      });
}

}  // namespace tallystick::cli
