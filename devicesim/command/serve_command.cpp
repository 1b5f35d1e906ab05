// serve: parts behind serial lines.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include <nlohmann/json.hpp>

#include "devicesim/command/subcommand.h"
#include "devicesim/command/text.h"
#include "devicesim/line/server.h"

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Status;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr unsigned kMostParts = 10'000;

struct ServeOptions {
  ServerOptions server;
  std::string folder;
  unsigned count = 0;
  ManufactureOptions manufacture;
  bool no_pty = false;
  bool json = false;
  bool verbose = false;
};

// part-0001.part and so on, as the chip maker's command names them.
std::string part_name(unsigned number) {
  auto digits = std::to_string(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return "part-" + digits + ".part";
}

// The first `count` parts of the folder by their names; those that are missing are made, blank.
Status find_or_make(Desk& desk, const ServeOptions& options, std::vector<std::string>& files) {
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) return Error{ErrorCode::kStorage, options.folder + ": " + error.message()};
  for (unsigned number = 1; number <= options.count; ++number) {
    auto path = (fs::path(options.folder) / part_name(number)).string();
    if (!fs::exists(fs::symlink_status(path, error))) {
      if (options.manufacture.fingerprint.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     path + ": is not there, and to make it --icm-fingerprint is needed"};
      }
      const auto manufacture = manufacture_of(options.manufacture);
      if (!manufacture) return manufacture.error();
      const auto part = Part::create(desk.crypto, path, *manufacture);
      if (!part) return part.error();
    }
    files.push_back(std::move(path));
  }
  return {};
}

// All that are there.
Status find_all(const std::string& folder, std::vector<std::string>& files) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".part") files.push_back(entry.path().string());
  }
  if (error) return Error{ErrorCode::kStorage, folder + ": " + error.message()};
  if (files.empty()) return Error{ErrorCode::kInvalidArgument, folder + ": there is no part in it"};
  std::ranges::sort(files);
  return {};
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

Status run(Desk& desk, const ServeOptions& options) {
  auto server = options.server;
  server.terminals = !options.no_pty;
  if (server.files.empty() == options.folder.empty()) {
    return Error{ErrorCode::kInvalidArgument, "name either the parts' files or --dir"};
  }
  if (!options.folder.empty()) {
    auto found = options.count == 0 ? find_all(options.folder, server.files)
                                    : find_or_make(desk, options, server.files);
    if (!found) return found;
  }
  const auto ready = [&](const std::vector<ServedPart>& parts) -> Status {
    // In one line, so that a program knows when it has read all of it.
    if (options.json) {
      desk.out << as_json(parts).dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    } else {
      print(parts, desk.out);
    }
    desk.out.flush();
    if (desk.out) return {};
    return Error{ErrorCode::kStorage, "what was to be printed could not be written"};
  };
  ServerLog log;
  if (options.verbose) {
    log = [&desk](const std::string& file, const std::string& line) {
      desk.err << printable(file) << ": " << printable(line) << std::endl;
    };
  }
  return serve(desk.crypto, server, ready, log);
}

void describe(CLI::App& command, ServeOptions& options) {
  command.add_option("files", options.server.files, "The parts' files");
  auto* const folder = command.add_option("--dir", options.folder,
                                          "Folder of parts, in place of their files: all in it");
  auto* const count =
      command
          .add_option("--count", options.count,
                      "As many: part-0001.part and so on; those that are missing are made, blank")
          ->check(CLI::Range(1U, kMostParts))
          ->needs(folder);
  add_manufacture_options(command, options.manufacture)->needs(count);
  command.add_option("--links", options.server.link_folder,
                     "Folder for the links to the terminals, PART.tty (beside each part's file)");
  auto* const tcp = command.add_option(
      "--tcp", options.server.tcp,
      "TCP port of the first part on 127.0.0.1, further parts have the next ones; 0: any");
  command.add_flag("--no-pty", options.no_pty, "TCP alone, no terminals")->needs(tcp);
  command.add_option("--baud", options.server.baud, "Pace of each line (as fast as it goes)")
      ->check(CLI::Range(10U, 100'000'000U));
  command.add_flag("--json", options.json, "Print where the parts are as one line of JSON");
  command.add_flag("--verbose", options.verbose, "Say on standard error what each command did");
}

}  // namespace

void add_serve_command(CLI::App& app, Chosen& chosen) {
  add_command<ServeOptions>(
      app, chosen, "serve",
      "Let parts be reached over serial lines that speak mboot, until it is interrupted", run,
      describe);
}

}  // namespace tallystick::device
