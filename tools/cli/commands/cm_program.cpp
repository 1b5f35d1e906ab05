// `tallystick program`: the contract manufacturer programs parts.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "tools/cli/commands/commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/commands/software_verify.h"
#include "tools/cli/formats/challenge.h"
#include "tools/cli/programming/jobs.h"
#include "tools/cli/programming/station.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

constexpr std::size_t kMostErrorsShown = 10;

struct ProgramOptions {
  std::vector<std::string> parts;
  StationJob job;
  std::string challenge;
  std::string record;
  unsigned threads = 0;
};

// Shows the run and finds its exit status.
Done conclude(Environment& env, const RunReport& run) {
  const double rate = run.seconds > 0 ? static_cast<double>(run.programmed) / run.seconds : 0;
  const std::size_t good = run.programmed + run.already;
  env.out.data(nlohmann::ordered_json{{"parts", run.parts},
                                      {"programmed", run.programmed},
                                      {"already_done", run.already},
                                      {"failed", run.failures.size()},
                                      {"yield_percent", rounded(100.0 * static_cast<double>(good) /
                                                                static_cast<double>(run.parts))},
                                      {"seconds", rounded(run.seconds)},
                                      {"parts_per_second", rounded(rate)},
                                      {"interrupted", run.interrupted}});
  if (run.stopped) return *run.stopped;
  const bool all_refused =
      good == 0 && !run.interrupted &&
      std::all_of(run.failures.begin(), run.failures.end(),
                  [](const PartReport& part) { return part.result == PartResult::kRefused; });
  // The last failure is what the command ends with; those before it are shown here.
  for (std::size_t i = 0; i + 1 < run.failures.size() && i < kMostErrorsShown; ++i) {
    env.out.complain(line_of(*run.failures[i].failure));
  }
  if (run.failures.empty()) {
    if (!run.interrupted) return {};
    return Failure{Exit::kPartial, "program", "interrupted",
                   std::to_string(run.parts - good) + " parts are left; run it again to go on"};
  }
  Failure failure = *run.failures.back().failure;
  if (good > 0 || run.interrupted) {
    failure.exit = Exit::kPartial;
  } else if (all_refused) {
    failure.exit = Exit::kRefused;
  }
  return failure;
}

Done program(Environment& env, const ProgramOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  StationJob job = options.job;
  if (!job.proofs.empty()) {
    const auto challenge = parse_challenge(options.challenge);
    if (!challenge) return challenge.error();
    job.challenge = *challenge;
  }
  const auto parts = files_named(options.parts, ".part");
  if (!parts) return parts.error();
  if (parts->empty()) {
    return file_failure(options.parts.front(), "there are no parts", "they end in .part");
  }
  auto station = Station::open(*crypto, std::move(job));
  if (!station) return std::move(station).error();
  auto record = Record::open(options.record);
  if (!record) return std::move(record).error();
  const unsigned threads = options.threads != 0 ? options.threads : jobs_at_once();
  const Interrupt interrupt;
  Progress progress("Programming", parts->size(), !env.out.quiet() && !env.out.json());
  RunReport run = station->run(*parts, threads, *record, interrupt, progress);
  return conclude(env, run);
}

}  // namespace

void add_cm_commands(Command app, Environment& env) {
  add_software_commands(app, env);
  add_command<ProgramOptions>(
      app, env, "program",
      "Program parts: software, shares, package, proof, lock. Run again after an interruption, it\n"
      "goes on where it stopped; a part that holds the package is not programmed twice.",
      program, [](Command command, ProgramOptions& options) {
        command.add_option("--parts", options.parts, "Directory of parts, or parts' files")
            .required();
        command.add_option("--package", options.job.package, "The package, .tspk").required();
        command.add_option("--shares", options.job.shares,
                           "The share blob, .tsos, or a directory of ID.tsop");
        command.add_option("--software", options.job.software,
                           "Software to load into parts that run another");
        command.add_option("--prove", options.job.proofs,
                           "Directory for each part's proof and certificate");
        command.add_option("--challenge", options.challenge,
                           "The OEM's 32 bytes for the proofs, in hex or file:PATH");
        command.add_flag("--lock", options.job.lock, "Lock each part when it is programmed");
        command.add_option("--record", options.record, "File for one JSON line a part");
        command
            .add_option("-j,--jobs", options.threads,
                        "Parts at once (default: twice the number of cores, at least 8)")
            .between(1, 256);
      });
}

}  // namespace tallystick::cli
