#include "devicesim/command.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "devicesim/line/server.h"
#include "devicesim/new_file.h"
#include "devicesim/part.h"

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Result;
using core::Status;
using Json = nlohmann::ordered_json;

struct Arguments {
  std::string file;
  std::string fingerprint;
  std::string product;
  std::uint64_t flash_base = 0;
  std::uint64_t flash_size = MemoryMap().flash_size;
  std::uint32_t minimum_software = 0;
  std::string challenge;
  std::string output;
  bool force = false;
  bool json = false;
  ServerOptions server;
  bool no_pty = false;
  bool verbose = false;
};

Result<core::ByteArray<32>> bytes_from_hex(const char* what, const std::string& text) {
  core::ByteArray<32> out{};
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  bool good = text.size() == 2 * out.size();
  for (std::size_t i = 0; good && i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    out[i] = static_cast<std::uint8_t>((high << 4) | low);
  }
  if (good) return out;
  return Error{ErrorCode::kInvalidArgument, std::string(what) + " has 64 hexadecimal digits"};
}

// Names come from packages: control characters must not reach a terminal.
std::string printable(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool c1 =
        byte == 0xC2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xA0;
    if (byte >= 0x20 && byte != 0x7F && !c1) {
      out += name[i];
      continue;
    }
    out += "\\x" + core::to_hex({&byte, 1});
    if (c1) {
      const auto next = static_cast<unsigned char>(name[++i]);
      out += "\\x" + core::to_hex({&next, 1});
    }
  }
  return out;
}

Json asset_as_json(const core::PackageEntry& entry) {
  Json asset;
  asset["asset_id"] = entry.asset_id;
  asset["name"] = entry.name;
  asset["kind"] = static_cast<unsigned>(entry.kind);
  asset["flags"] = entry.flags;
  asset["slot"] = entry.slot;
  asset["address"] = entry.address;
  asset["length"] = entry.plaintext_length;
  asset["version"] = entry.asset_version;
  return asset;
}

Json as_json(const PartInfo& info) {
  Json part;
  part["part_id"] = core::to_hex(info.id);
  part["public_key"] = core::to_hex(info.public_key);
  part["life_cycle"] = life_cycle_name(info.life_cycle);
  part["product"] = info.manufacture.product;
  part["icm_fingerprint"] = core::to_hex(info.manufacture.icm_fingerprint);
  part["flash_base"] = info.manufacture.memory.flash_base;
  part["flash_size"] = info.manufacture.memory.flash_size;
  part["certified"] = info.certified;
  part["family_id"] = info.family_id ? Json(core::to_hex(*info.family_id)) : Json();
  part["family_flags"] = info.family_flags;
  part["minimum_software_version"] = info.minimum_software_version;
  part["minimum_package_version"] = info.minimum_package_version;
  part["owner"] = info.owner ? Json(core::to_hex(*info.owner)) : Json();
  part["software"] = Json();
  if (info.software) {
    part["software"] = {{"name", info.software->name}, {"version", info.software->version}};
  }
  part["package"] = Json();
  if (info.package) {
    part["package"] = {{"version", info.package->package_version},
                       {"suite", static_cast<unsigned>(info.package->suite)},
                       {"share_id", core::to_hex(info.package->context.share_id)}};
  }
  part["assets"] = Json::array();
  for (const auto& entry : info.assets) part["assets"].push_back(asset_as_json(entry));
  return part;
}

void print(const PartInfo& info, std::ostream& out) {
  out << "part        " << core::to_hex(info.id) << "\n"
      << "life cycle  " << life_cycle_name(info.life_cycle) << "\n"
      << "product     " << printable(info.manufacture.product) << "\n"
      << "flash       " << info.manufacture.memory.flash_size << " bytes at "
      << info.manufacture.memory.flash_base << "\n"
      << "certified   " << (info.certified ? "yes" : "no") << "\n"
      << "family      " << (info.family_id ? core::to_hex(*info.family_id) : "none") << "\n"
      << "owner       " << (info.owner ? core::to_hex(*info.owner) : "none") << "\n"
      << "minimum     software " << info.minimum_software_version << ", package "
      << info.minimum_package_version << "\n";
  if (info.software) {
    out << "software    " << printable(info.software->name) << " version " << info.software->version
        << "\n";
  } else {
    out << "software    none runs\n";
  }
  if (!info.package) return;
  out << "package     version " << info.package->package_version << ", " << info.assets.size()
      << " assets\n";
  for (const auto& entry : info.assets) {
    out << "  slot " << entry.slot << "  " << printable(entry.name) << "  kind "
        << static_cast<unsigned>(entry.kind) << ", " << entry.plaintext_length << " bytes, version "
        << entry.asset_version << "\n";
  }
}

Status show(const Part& part, bool json, std::ostream& out, std::ostream& err) {
  if (json) {
    out << as_json(part.info()).dump(2) << "\n";
  } else {
    print(part.info(), out);
  }
  if (part.boot_error()) err << "note: " << part.boot_error()->message << "\n";
  return {};
}

Status create(const Part::CryptoPtr& crypto, const Arguments& arguments, std::ostream& out) {
  auto fingerprint = bytes_from_hex("the fingerprint", arguments.fingerprint);
  if (!fingerprint) return std::move(fingerprint).error();
  Manufacture manufacture;
  manufacture.icm_fingerprint = *fingerprint;
  manufacture.product = arguments.product;
  manufacture.memory = {arguments.flash_base, arguments.flash_size};
  manufacture.minimum_software_version = arguments.minimum_software;
  auto part = Part::create(crypto, arguments.file, manufacture);
  if (!part) return std::move(part).error();
  if (arguments.json) {
    out << as_json((*part)->info()).dump(2) << "\n";
  } else {
    out << core::to_hex((*part)->id()) << "\n";
  }
  return {};
}

Status prove(Part& part, const Arguments& arguments, std::ostream& out) {
  auto challenge = bytes_from_hex("the challenge", arguments.challenge);
  if (!challenge) return std::move(challenge).error();
  auto proof = part.prove(*challenge);
  if (!proof) return std::move(proof).error();
  if (arguments.output.empty()) {
    out << core::to_hex(*proof) << "\n";
    return {};
  }
  return write_new_file(arguments.output, *proof, FileMode::kPublic,
                        arguments.force ? Existing::kReplace : Existing::kKeep);
}

Json as_json(const std::vector<ServedPart>& parts) {
  Json list = Json::array();
  for (const auto& part : parts) {
    Json one;
    one["file"] = part.file;
    one["pty"] = part.terminal.empty() ? Json() : Json(part.terminal);
    one["link"] = part.link.empty() ? Json() : Json(part.link);
    one["tcp"] = part.tcp == 0 ? Json() : Json(part.tcp);
    list.push_back(std::move(one));
  }
  return {{"parts", std::move(list)}};
}

void print(const std::vector<ServedPart>& parts, std::ostream& out) {
  for (const auto& part : parts) {
    out << printable(part.file);
    if (!part.terminal.empty()) out << "  " << part.terminal << "  " << printable(part.link);
    if (part.tcp != 0) out << "  127.0.0.1:" << part.tcp;
    out << "\n";
  }
}

Status serve(const Part::CryptoPtr& crypto, const Arguments& arguments, std::ostream& out,
             std::ostream& err) {
  auto options = arguments.server;
  options.terminals = !arguments.no_pty;
  const auto ready = [&](const std::vector<ServedPart>& parts) -> Status {
    // In one line, so that a program knows when it has read all of it.
    if (arguments.json) {
      out << as_json(parts).dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    } else {
      print(parts, out);
    }
    out.flush();
    if (out) return {};
    return Error{ErrorCode::kStorage, "what was to be printed could not be written"};
  };
  ServerLog log;
  if (arguments.verbose) {
    log = [&err](const std::string& file, const std::string& line) {
      err << printable(file) << ": " << printable(line) << std::endl;
    };
  }
  return serve(crypto, options, ready, log);
}

int exit_status(const Error& error) {
  switch (error.code) {
    case ErrorCode::kStorage:
      return kExitStorage;
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    default:
      return kExitRefused;
  }
}

Status run(const CLI::App& app, const Arguments& arguments, std::ostream& out, std::ostream& err) {
  auto crypto = core::Crypto::create();
  if (!crypto) return std::move(crypto).error();
  if (app.got_subcommand("create")) return create(*crypto, arguments, out);
  if (app.got_subcommand("serve")) return serve(*crypto, arguments, out, err);
  auto part = Part::open(*crypto, arguments.file);
  if (!part) return std::move(part).error();
  if (app.got_subcommand("show")) return show(**part, arguments.json, out, err);
  if (app.got_subcommand("prove")) return prove(**part, arguments, out);
  // Opening the file was power-on; its reset is the one that counts.
  if ((*part)->boot_error()) return *(*part)->boot_error();
  return show(**part, arguments.json, out, err);
}

void describe(CLI::App& app, Arguments& arguments) {
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("tallystick-devicesim ") + TALLYSTICK_VERSION);
  app.footer(
      "Exit status: 0 done, 1 refused by the part, 2 wrong arguments, 3 a file cannot be read or "
      "written.");
  const auto with_file = [&](const char* name, const char* what) {
    auto* const command = app.add_subcommand(name, what);
    command->add_option("file", arguments.file, "The part's file")->required();
    return command;
  };
  auto* const create = with_file("create", "Make a blank part in a new file and power it on");
  create
      ->add_option("--icm-fingerprint", arguments.fingerprint,
                   "SHA-256 of the chip maker's public key, 64 hexadecimal digits")
      ->required();
  create->add_option("--product", arguments.product, "Product name, up to 32 bytes");
  create->add_option("--flash-base", arguments.flash_base, "Address of the flash (0)");
  create->add_option("--flash-size", arguments.flash_size, "Bytes of flash (16777216)");
  create->add_option("--minimum-software", arguments.minimum_software,
                     "Lowest provisioning-software version that the part will run");
  create->add_flag("--json", arguments.json, "Print the part as JSON");
  with_file("show", "Power the part on and show it, without secrets")
      ->add_flag("--json", arguments.json, "Print JSON");
  with_file("reset", "Power-cycle the part and show what runs; fails when its software is refused")
      ->add_flag("--json", arguments.json, "Print JSON");
  auto* const prove = with_file("prove", "Let the part prove what it holds");
  prove->add_option("--challenge", arguments.challenge, "64 hexadecimal digits")->required();
  auto* const output =
      prove->add_option("--out", arguments.output, "Write the proof to this new file, not as hex");
  prove->add_flag("--force", arguments.force, "Replace the file if it is there")->needs(output);
  auto* const serve = app.add_subcommand(
      "serve", "Let parts be reached over serial lines that speak mboot, until it is interrupted");
  serve->add_option("files", arguments.server.files, "The parts' files")->required();
  serve->add_option("--links", arguments.server.link_folder,
                    "Folder for the links to the terminals, PART.tty (beside each part's file)");
  auto* const tcp = serve->add_option(
      "--tcp", arguments.server.tcp,
      "TCP port of the first part on 127.0.0.1, further parts have the next ones; 0: any");
  serve->add_flag("--no-pty", arguments.no_pty, "TCP alone, no terminals")->needs(tcp);
  serve->add_option("--baud", arguments.server.baud, "Pace of each line (as fast as it goes)")
      ->check(CLI::Range(10U, 100'000'000U));
  serve->add_flag("--json", arguments.json, "Print where the parts are as one line of JSON");
  serve->add_flag("--verbose", arguments.verbose, "Say on standard error what each command did");
}

}  // namespace

int run_command(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  Arguments arguments;
  CLI::App app("Simulated parts, each in a file of its own", "tallystick-devicesim");
  describe(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kExitDone : kExitUsage;
  }
  if (auto done = run(app, arguments, out, err); !done) {
    err << "tallystick-devicesim: " << done.error().message << "\n";
    return exit_status(done.error());
  }
  out.flush();
  if (!out) return kExitStorage;
  return kExitDone;
}

}  // namespace tallystick::device
