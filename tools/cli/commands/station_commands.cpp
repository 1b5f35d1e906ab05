// `tallystick station init` and `check`: a job for a line of stations. `run` has a file of its own.
#include "tools/cli/commands/station_commands.h"

#include <nlohmann/json.hpp>

#include "tools/cli/commands/commands.h"
#include "tools/cli/formats/challenge.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/text.h"
#include "tools/station/job_init.h"
#include "tools/station/ledger.h"

namespace tallystick::cli {
namespace {

using Json = nlohmann::ordered_json;

// A job as it was found to be right, and how far its record has come.
Outcome<Json> job_document(const station::Job& job) {
  station::Count count(job.file.parts);
  if (auto done = station::Ledger::look(job, count); !done) return std::move(done).error();
  const auto& header = job.head.header;
  Json states = Json::array();
  for (const auto state : job.file.life_cycles) states.push_back(life_cycle_text(state));
  Json document{{"job", job.file.name},
                {"icm_fingerprint", core::to_hex(job.file.icm_fingerprint)},
                {"family_id", uuid_text(header.context.family_id)},
                {"oem_id", core::to_hex(header.context.oem_id)},
                {"share_id", core::to_hex(header.context.share_id)},
                {"package_version", header.package_version},
                {"package_digest", job.package_digest},
                {"package_bytes", job.package->size()},
                {"assets", job.head.entries.size()},
                {"product", header.product},
                {"counted", job.counted()}};
  if (job.counted()) document["share_blobs"] = job.device_blobs.size();
  if (job.software_header) document["software_version"] = job.software_header->version;
  document["life_cycle"] = std::move(states);
  document["lock"] = job.file.lock;
  document["challenge"] = job.file.challenge.has_value();
  document["parts"] = job.file.parts;
  document["done"] = count.done_count();
  Json unresolved = Json::array();
  for (const auto& part : count.unresolved()) unresolved.push_back(core::to_hex(part));
  document["unresolved"] = std::move(unresolved);
  return document;
}

Done show_job(Environment& env, const station::Job& job) {
  const auto document = job_document(job);
  if (!document) return document.error();
  env.out.data(*document);
  return {};
}

struct InitOptions {
  std::string folder;
  std::string name;
  std::string icm_certificate;
  std::string fingerprint;
  std::string package;
  std::string shares;
  std::string software;
  std::uint64_t parts = 0;
  bool lock = false;
  std::string challenge;
  std::string product;
  std::vector<std::string> life_cycles;
};

Done init(Environment& env, const InitOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  station::JobFile file;
  file.name = options.name;
  const auto fingerprint = parse_fingerprint(options.fingerprint);
  if (!fingerprint) return fingerprint.error();
  file.icm_fingerprint = *fingerprint;
  file.parts = options.parts;
  file.lock = options.lock;
  file.product = options.product;
  if (!options.challenge.empty()) {
    const auto challenge = parse_challenge(options.challenge);
    if (!challenge) return challenge.error();
    file.challenge = *challenge;
  }
  if (!options.life_cycles.empty()) file.life_cycles.clear();
  for (const auto& name : options.life_cycles) {
    for (std::uint8_t state = 0; state <= 2; ++state) {
      if (life_cycle_text(state) == name) file.life_cycles.insert(state);
    }
  }
  station::JobSources sources{{}, options.package, options.shares, options.software};
  auto certificate = load_certificate(options.icm_certificate);
  if (!certificate) return std::move(certificate).error();
  sources.icm_certificate = *std::move(certificate);
  const auto job = station::make_job(*crypto, options.folder, std::move(file), sources);
  if (!job) return job.error();
  return show_job(env, **job);
}

struct CheckOptions {
  std::string folder;
  std::string fingerprint;
};

Done check(Environment& env, const CheckOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  std::optional<core::ByteArray<32>> fingerprint;
  if (!options.fingerprint.empty()) {
    const auto parsed = parse_fingerprint(options.fingerprint);
    if (!parsed) return parsed.error();
    fingerprint = *parsed;
  }
  const auto job = station::open_job(*crypto, options.folder, fingerprint);
  if (!job) return job.error();
  return show_job(env, **job);
}

}  // namespace

void add_station_commands(Command app, Environment& env) {
  Command group = app.add("station", "Program parts over their serial lines, from a job's folder");
  add_command<InitOptions>(
      group, env, "init", "Make a job's folder and verify everything in it", init,
      [](Command command, InitOptions& options) {
        command.add_option("job", options.folder, "The folder to make").required();
        command.add_option("--name", options.name, "What the job is called");
        command.add_option("--icm-certificate", options.icm_certificate, "The ICM's certificate")
            .required();
        command
            .add_option("--fingerprint", options.fingerprint,
                        "What the ICM's fingerprint has to be")
            .required();
        command.add_option("--package", options.package, "The package, .tspk").required();
        command
            .add_option("--shares", options.shares,
                        "The share blob, .tsos, or a directory of ID.tsop")
            .required();
        command.add_option("--software", options.software,
                           "Software to load into parts that run none, or an older one");
        command.add_option("--parts", options.parts, "How many parts the job is for (0: no end)");
        command.add_flag("--lock", options.lock, "Lock each part when it is programmed");
        command.add_option("--challenge", options.challenge,
                           "The OEM's 32 bytes for the proofs, in hex or file:PATH");
        command.add_option("--product", options.product,
                           "Product that a part has to be (default: the package's)");
        command
            .add_option("--life-cycle", options.life_cycles,
                        "State in which a part is programmed (default: blank, provisioning)")
            .one_of({"blank", "provisioning", "provisioned"});
      });
  add_command<CheckOptions>(
      group, env, "check", "Verify a job before the line starts, and show how far it has come",
      check, [](Command command, CheckOptions& options) {
        command.add_option("job", options.folder, "The job's folder").required();
        command.add_option("--fingerprint", options.fingerprint,
                           "What the ICM's fingerprint has to be");
      });
  add_station_run(group, env);
}

}  // namespace tallystick::cli
