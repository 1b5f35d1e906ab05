// `icm manufacture-token` and `icm manufacture-parts`: devices get their certificate and their
// family's immutable portion.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include <nlohmann/json.hpp>

#include "devicesim/part.h"
#include "tools/cli/commands/icm_commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/certify.h"
#include "tools/cli/formats/names.h"
#include "tools/cli/formats/software_file.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/pkcs11/token_client.h"
#include "tools/cli/programming/jobs.h"
#include "tools/cli/programming/workbench.h"
#include "tools/cli/progress.h"

namespace tallystick::cli {
namespace {

// The chip maker's desk: the token with the families and the key that signs.
struct Desk {
  std::shared_ptr<const core::Crypto> crypto;
  TokenClient token;
  FamilyInfo family;
  SigningKey key;
  core::ByteArray<32> fingerprint;
};

struct DeskOptions {
  std::string icm_token;
  std::string icm_key;
  std::string family;
  std::string name = kIssuerName;
};

void add_desk_options(Command command, DeskOptions& options) {
  command
      .add_option("--icm-token", options.icm_token,
                  "pkcs11: URI of the chip maker's Tallystick token")
      .required();
  add_icm_key_option(command, options.icm_key).required();
  add_family_option(command, options.family);
  command.add_option("--name", options.name, "The issuer's common name").show_default();
}

Outcome<Desk> open_desk(Environment& env, const DeskOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto id = parse_family(options.family);
  if (!id) return id.error();
  auto session = open_token(env, options.icm_token, kWritable);
  if (!session) return std::move(session).error();
  TokenClient token(**crypto, *std::move(session));
  auto family = token.family(*id);
  if (!family) return std::move(family).error();
  auto key = SigningKey::open(env, options.icm_key);
  if (!key) return std::move(key).error();
  if (!core::equal_in_constant_time(key->public_xy(), family->icm_public_key)) {
    return refused(options.icm_key, "it is not the key of this family");
  }
  const auto fingerprint = core::key_id(**crypto, key->public_xy());
  if (!fingerprint) return from_core("fingerprint", fingerprint.error());
  return Desk{*crypto, std::move(token), *std::move(family), *std::move(key), *fingerprint};
}

struct Papers {
  core::Bytes certificate;
  core::Bytes family_blob;  // signed
};

// Certificate and family blob for one device.
Outcome<Papers> papers_for(Desk& desk, const DeviceIdentity& device, core::FamilyRole role,
                           const std::string& issuer) {
  auto certificate = certify_device(*desk.crypto, desk.key, device, issuer);
  if (!certificate) return std::move(certificate).error();
  auto blob = desk.token.wrap_family(desk.family, role, device.xy, *certificate);
  if (!blob) return std::move(blob).error();
  const auto signature = desk.key.sign("family blob", *blob);
  if (!signature) return signature.error();
  blob->insert(blob->end(), signature->begin(), signature->end());
  return Papers{*std::move(certificate), *std::move(blob)};
}

struct TokenOptions {
  DeskOptions desk;
  std::string recipient;
  std::string role = "provisioning";
};

Done manufacture_token(Environment& env, const TokenOptions& options) {
  const auto role = role_named(options.role);
  if (!role) return usage_failure("--role " + options.role, "not provisioning or station");
  auto desk = open_desk(env, options.desk);
  if (!desk) return std::move(desk).error();
  auto session = open_token(env, options.recipient, kWritable);
  if (!session) return std::move(session).error();
  TokenClient recipient(*desk->crypto, *std::move(session));
  auto key = recipient.device_key();
  if (!key) return std::move(key).error();
  const DeviceIdentity device{core::DeviceKind::kToken, key->id, key->xy};
  const auto papers = papers_for(*desk, device, *role, options.desk.name);
  if (!papers) return papers.error();
  if (auto done = recipient.add_certificate(papers->certificate, "device"); !done) return done;
  auto family = recipient.unwrap_family(papers->family_blob, desk->fingerprint);
  if (!family) return std::move(family).error();
  env.out.data(nlohmann::ordered_json{{"device_id", core::to_hex(key->id)},
                                      {"role", options.role},
                                      {"family_id", uuid_text(family->id)}});
  return {};
}

struct PartsOptions {
  DeskOptions desk;
  unsigned count = 0;
  std::string directory;
  std::string product;
  std::string software;
  std::uint64_t flash_base = 0x80000000;
  std::uint64_t flash_size = 16ULL * 1024 * 1024;
  std::uint32_t minimum_software = 0;
  std::string key = "stored";
};

// part-0001.part and so on.
std::string part_name(unsigned number) {
  std::string digits = std::to_string(number);
  return "part-" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits + ".part";
}

// Makes parts with several threads: a part waits for its disk most of the time. The desk's token
// and HSM serve one of them at a time.
class PartsLine {
 public:
  PartsLine(Desk& desk, const PartsOptions& options, const Workbench& bench, core::Bytes software)
      : desk_(&desk), options_(&options), bench_(&bench), software_(std::move(software)) {}

  // How many parts were made; fewer than `names` after a failure or an interruption.
  std::size_t run(const std::vector<std::string>& names, const Interrupt& interrupt,
                  Progress& progress) {
    std::vector<std::thread> crew;
    const auto work = [&] { work_through(names, interrupt, progress); };
    for (std::size_t i = 1; i < std::min<std::size_t>(jobs_at_once(), names.size()); ++i) {
      crew.emplace_back(work);
    }
    work();
    for (std::thread& worker : crew) worker.join();
    return made_;
  }
  // The first one.
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

 private:
  void work_through(const std::vector<std::string>& names, const Interrupt& interrupt,
                    Progress& progress) {
    while (!interrupt.requested()) {
      const std::size_t index = next_++;
      if (index >= names.size()) return;
      Done done = make(names[index]);
      const std::lock_guard lock(mutex_);
      if (!done) {
        if (!failure_) failure_ = std::move(done).error();
        next_ = names.size();
        return;
      }
      ++made_;
      progress.step();
    }
  }

  Done make(const std::string& name) {
    device::Manufacture manufacture;
    manufacture.icm_fingerprint = desk_->fingerprint;
    manufacture.product = options_->product;
    manufacture.memory = {options_->flash_base, options_->flash_size};
    manufacture.minimum_software_version = options_->minimum_software;
    manufacture.key = device::key_source_from(options_->key).value_or(device::KeySource::kStored);
    if (auto done = make_whole(name, manufacture); !done) return done;
    return bench_->deliver(name);
  }

  Done make_whole(const std::string& name, const device::Manufacture& manufacture) {
    auto part = device::Part::create(desk_->crypto, bench_->path(name), manufacture);
    if (!part) return from_core(name, part.error());
    const auto papers = papers_of(**part);
    if (!papers) return papers.error();
    core::Status done = (*part)->fill_immutable_memory(papers->family_blob);
    if (done) done = (*part)->store_certificate(papers->certificate);
    if (done && !software_.empty()) done = (*part)->load_software(software_);
    if (!done) return from_core(name, done.error());
    return {};
  }

  Outcome<Papers> papers_of(const device::Part& part) {
    const core::ByteView xy = part.public_key();
    const DeviceIdentity device{core::DeviceKind::kPart, part.id(),
                                core::Bytes(xy.begin(), xy.end())};
    const std::lock_guard lock(desk_mutex_);
    return papers_for(*desk_, device, core::FamilyRole::kPart, options_->desk.name);
  }

  Desk* desk_;
  const PartsOptions* options_;
  const Workbench* bench_;
  core::Bytes software_;
  std::mutex desk_mutex_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::size_t made_ = 0;
  std::optional<Failure> failure_;
};

// The first names that are free.
std::vector<std::string> free_names(const std::string& directory, unsigned count) {
  std::vector<std::string> names;
  for (unsigned number = 1; names.size() < count; ++number) {
    std::string name = part_name(number);
    auto path = directory;
    path += '/';
    path += name;
    if (!exists(path)) names.push_back(std::move(name));
  }
  return names;
}

Done manufacture_parts(Environment& env, const PartsOptions& options) {
  auto desk = open_desk(env, options.desk);
  if (!desk) return std::move(desk).error();
  core::Bytes software;
  if (!options.software.empty()) {
    auto image = read_software_file(options.software);
    if (!image) return std::move(image).error();
    const auto checked =
        core::verify_software_signature(*desk->crypto, *image, desk->key.public_xy());
    if (!checked) return from_core(options.software, checked.error());
    software = *std::move(image);
  }
  if (auto done = make_directory(options.directory); !done) return done;
  const auto bench = Workbench::open(options.directory);
  if (!bench) return bench.error();
  const Interrupt interrupt;
  std::size_t made = 0;
  std::optional<Failure> failure;
  double seconds = 0;
  {
    Progress progress("Making parts", options.count, !env.out.quiet() && !env.out.json());
    PartsLine line(*desk, options, *bench, std::move(software));
    made = line.run(free_names(options.directory, options.count), interrupt, progress);
    failure = line.failure();
    seconds = progress.seconds();
  }
  env.out.data(nlohmann::ordered_json{
      {"parts", made}, {"directory", options.directory}, {"seconds", rounded(seconds)}});
  if (made == options.count) return {};
  if (!failure) failure = Failure{Exit::kPartial, "manufacture", "interrupted", ""};
  if (made > 0) failure->exit = Exit::kPartial;
  return with_advice(*std::move(failure), std::to_string(made) +
                                              " parts are whole; run again for the other " +
                                              std::to_string(options.count - made));
}

}  // namespace

void add_icm_manufacture_commands(Command group, Environment& env) {
  add_command<TokenOptions>(
      group, env, "manufacture-token",
      "Certify a token and put the family into it: a provisioning or a station token",
      manufacture_token, [](Command command, TokenOptions& options) {
        add_desk_options(command, options.desk);
        command.add_option("--token", options.recipient, "pkcs11: URI of the token to make")
            .required();
        command.add_option("--role", options.role, "provisioning or station")
            .one_of({"provisioning", "station"})
            .show_default();
      });
  add_command<PartsOptions>(
      group, env, "manufacture-parts",
      "Make blank, certified parts: one file each, part-0001.part and so on", manufacture_parts,
      [](Command command, PartsOptions& options) {
        add_desk_options(command, options.desk);
        command.add_option("count", options.count, "How many").required().between(1, 1000000);
        command.add_option("--dir", options.directory, "Where to put them").required();
        command.add_option("--product", options.product, "The product they are for");
        command.add_option("--software", options.software, "Signed software to load");
        command.add_option("--flash-base", options.flash_base, "Address of the flash")
            .show_default();
        command.add_option("--flash-size", options.flash_size, "Bytes of flash").show_default();
        command.add_option("--minimum-software", options.minimum_software,
                           "The lowest software version that a part ever runs");
        command
            .add_option("--key", options.key,
                        "Where the device key is: stored, or regenerated by a PUF")
            .one_of({"stored", "puf"})
            .show_default();
      });
}

}  // namespace tallystick::cli
