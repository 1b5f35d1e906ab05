// job.toml.
#include <algorithm>
#include <sstream>

#include <toml++/toml.h>

#include "tools/cli/formats/names.h"
#include "tools/cli/formats/toml_reader.h"
#include "tools/cli/text.h"
#include "tools/station/job.h"

namespace tallystick::station {
namespace {

constexpr std::string_view kFormat = "tallystick-job-1";
constexpr std::uint64_t kMostParts = 1'000'000'000;

// One name in the job's folder and nothing else (P05): a job comes from somebody else.
bool plain(const std::string& name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

std::string file_name(cli::TomlTable& table, const std::string& key, const std::string& usual) {
  auto name = table.text(key).value_or(usual);
  if (!plain(name)) table.complain(key, "must name a file in the job's folder, without a path");
  return name;
}

std::optional<std::uint8_t> life_cycle_named(const std::string& name) {
  for (std::uint8_t state = 0; state <= 2; ++state) {
    if (cli::life_cycle_text(state) == name) return state;
  }
  return std::nullopt;
}

void read_expectations(cli::TomlTable& table, JobFile& job) {
  job.product = table.text("product").value_or("");
  if (job.product.size() > core::kNameSize) table.complain("product", "is too long");
  const auto states = table.texts("life_cycle");
  if (!states) return;
  job.life_cycles.clear();
  for (const auto& name : *states) {
    const auto state = life_cycle_named(name);
    if (!state) table.complain("life_cycle", "knows blank, provisioning and provisioned");
    job.life_cycles.insert(state.value_or(0));
  }
  if (job.life_cycles.empty()) table.complain("life_cycle", "names no state");
}

}  // namespace

Outcome<JobFile> read_job_file(const std::string& path) {
  auto file = cli::TomlFile::read(path);
  if (!file) return std::move(file).error();
  auto table = file->root();
  JobFile job;
  if (table.required_text("format") != kFormat) {
    table.complain("format", "must be \"" + std::string(kFormat) + "\"");
  }
  job.name = table.text("name").value_or("");
  const auto fingerprint = cli::array_from_hex<32>(table.required_text("icm_fingerprint"));
  if (!fingerprint) table.complain("icm_fingerprint", "must be 64 hexadecimal digits");
  job.icm_fingerprint = fingerprint.value_or(core::ByteArray<32>{});
  job.icm_certificate = file_name(table, "icm_certificate", job.icm_certificate);
  job.package = file_name(table, "package", job.package);
  job.shares = file_name(table, "shares", job.shares);
  if (const auto software = table.text("software")) {
    job.software = *software;
    if (!plain(*software)) {
      table.complain("software", "must name a file in the job's folder, without a path");
    }
  }
  job.parts = table.number("parts", kMostParts).value_or(0);
  job.lock = table.boolean("lock").value_or(false);
  if (const auto challenge = table.text("challenge")) {
    job.challenge = cli::array_from_hex<core::kChallengeSize>(*challenge);
    if (!job.challenge) table.complain("challenge", "must be 64 hexadecimal digits");
  }
  read_expectations(table, job);
  if (auto done = table.finish(); !done) return std::move(done).error();
  return job;
}

std::string job_file_text(const JobFile& job) {
  toml::array states;
  for (const auto state : job.life_cycles) states.push_back(cli::life_cycle_text(state));
  toml::table table{{"format", kFormat},
                    {"icm_fingerprint", core::to_hex(job.icm_fingerprint)},
                    {"icm_certificate", job.icm_certificate},
                    {"package", job.package},
                    {"shares", job.shares},
                    {"lock", job.lock},
                    {"life_cycle", std::move(states)}};
  if (!job.name.empty()) table.insert("name", job.name);
  if (!job.software.empty()) table.insert("software", job.software);
  if (job.parts != 0) table.insert("parts", static_cast<std::int64_t>(job.parts));
  if (job.challenge) table.insert("challenge", core::to_hex(*job.challenge));
  if (!job.product.empty()) table.insert("product", job.product);
  std::ostringstream out;
  out << table << "\n";
  return out.str();
}

}  // namespace tallystick::station
