// `tallystick part ...`: what one does with a single part.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "tools/cli/commands/command.h"
#include "tools/cli/commands/commands.h"
#include "tools/cli/commands/options.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/identity_files.h"
#include "tools/cli/formats/inspect.h"
#include "tools/cli/formats/part_file.h"
#include "tools/cli/formats/software_file.h"

namespace tallystick::cli {
namespace {

using PartPtr = std::unique_ptr<device::Part>;

Outcome<PartPtr> opened_part(Environment& env, const std::string& path) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  return open_part(*crypto, path);
}

struct PartOptions {
  std::string part;
};

Done show(Environment& env, const PartOptions& options) {
  const auto part = opened_part(env, options.part);
  if (!part) return part.error();
  env.out.data(part_document((*part)->info(), (*part)->boot_error()));
  return {};
}

struct LockOptions {
  std::string part;
  bool dry_run = false;
};

Done rehearse(Environment& env, const std::string& path, device::Part& part) {
  const auto rehearsal = part.rehearse_lock();
  if (!rehearsal) return from_core(path, rehearsal.error());
  nlohmann::ordered_json document{
      {"from", std::string(device::life_cycle_name(rehearsal->from))},
      {"to", std::string(device::life_cycle_name(device::LifeCycle::kLocked))},
      {"isp_reachable", rehearsal->isp_open},
      {"debug_can_be_opened", rehearsal->debug_can_be_opened}};
  document["application_slot"] = nullptr;
  if (rehearsal->starts) document["application_slot"] = *rehearsal->starts;
  document["notes"] = rehearsal->notes;
  env.out.data(document);
  if (rehearsal->refused) return from_core(path, *rehearsal->refused);
  return {};
}

Done lock(Environment& env, const LockOptions& options) {
  const auto part = opened_part(env, options.part);
  if (!part) return part.error();
  if (options.dry_run) return rehearse(env, options.part, **part);
  if (auto done = (*part)->lock(); !done) return from_core(options.part, done.error());
  env.out.say("The part is locked.");
  return {};
}

struct SoftwareOptions {
  std::string part;
  std::string image;
};

Done install_software(Environment& env, const SoftwareOptions& options) {
  const auto image = read_software_file(options.image);
  if (!image) return image.error();
  const auto part = opened_part(env, options.part);
  if (!part) return part.error();
  if (auto done = (*part)->load_software(*image); !done) {
    return from_core(options.part + ", software", done.error());
  }
  if (auto done = (*part)->reset(); !done) return from_core(options.part, done.error());
  env.out.say("The part runs the software.");
  return {};
}

struct CertificateOptions {
  std::string part;
  std::string output;
  bool pem = false;
};

Done certificate(Environment& env, const CertificateOptions& options) {
  const auto part = opened_part(env, options.part);
  if (!part) return part.error();
  if ((*part)->certificate().empty()) return refused(options.part, "the part is not certified");
  auto bytes = in_form((*part)->certificate(), options.pem);
  if (!bytes) return std::move(bytes).error();
  return write_file(options.output, *bytes);
}

struct ReadOptions {
  std::string part;
  std::uint32_t slot = 0;
  std::string output;
};

Done read_asset(Environment& env, const ReadOptions& options) {
  const auto part = opened_part(env, options.part);
  if (!part) return part.error();
  const device::PartInfo info = (*part)->info();
  const std::string what = options.part + ", slot " + std::to_string(options.slot);
  for (const core::PackageEntry& entry : info.assets) {
    if (entry.slot != options.slot) continue;
    if (entry.is_key()) {
      return refused(what, "it is in the key store, which no command of a part reads");
    }
    auto file = AtomicFile::create(options.output, FileMode::kPrivate);
    if (!file) return std::move(file).error();
    for (std::uint64_t at = 0; at < entry.plaintext_length;) {
      const auto size = static_cast<std::size_t>(
          std::min<std::uint64_t>(device::Part::kMostRead, entry.plaintext_length - at));
      const auto bytes = (*part)->read_flash(entry.address + at, size);
      if (!bytes) return from_core(what, bytes.error());
      if (auto done = file->write(*bytes); !done) return done;
      at += size;
    }
    return file->commit();
  }
  return refused(what, "there is nothing in it");
}

Option part_argument(Command command, std::string& part) {
  return command.add_option("part", part, "The part's file").required();
}

}  // namespace

void add_part_commands(Command app, Environment& env) {
  Command group = app.add("part", "Look at one part, load software, lock, read");
  add_command<PartOptions>(
      group, env, "info", "What a part tells about itself", show,
      [](Command command, PartOptions& options) { part_argument(command, options.part); });
  add_command<LockOptions>(group, env, "lock", "Lock a programmed part for good", lock,
                           [](Command command, LockOptions& options) {
                             part_argument(command, options.part);
                             command.add_flag(
                                 "--dry-run", options.dry_run,
                                 "Say what would happen, whether the serial line stays "
                                 "reachable for one, and do nothing");
                           });
  add_command<SoftwareOptions>(
      group, env, "install-software", "Load provisioning software and reset the part",
      install_software, [](Command command, SoftwareOptions& options) {
        part_argument(command, options.part);
        command.add_option("image", options.image, "The image, .tssw").required();
      });
  add_command<CertificateOptions>(group, env, "certificate", "The part's certificate", certificate,
                                  [](Command command, CertificateOptions& options) {
                                    part_argument(command, options.part);
                                    command.add_flag("--pem", options.pem,
                                                     "Write PEM instead of DER");
                                    add_output_option(command, options.output).required();
                                  });
  add_command<ReadOptions>(
      group, env, "read", "Read an installed asset back, where the part allows it", read_asset,
      [](Command command, ReadOptions& options) {
        part_argument(command, options.part);
        command.add_option("--slot", options.slot, "The asset's slot").required();
        add_output_option(command, options.output).required();
      });
}

}  // namespace tallystick::cli
