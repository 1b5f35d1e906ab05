// boot: the ROM verifies and starts an application.
#include <ostream>

#include <nlohmann/json.hpp>

#include "devicesim/command/subcommand.h"
#include "devicesim/command/text.h"

namespace tallystick::device {
namespace {

using core::Error;
using core::ErrorCode;
using core::Status;
using Json = nlohmann::ordered_json;

struct BootOptions {
  std::string file;
  bool report = false;
  bool confirm = false;
  bool json = false;
};

// From here on the header was read.
bool has_header(const SlotReport& slot) {
  return slot.verdict >= SlotVerdict::kBelowFloor || slot.verdict == SlotVerdict::kValid;
}

Json as_json(const BootReport& report, bool confirmed) {
  Json document;
  document["software"] = Json();
  if (report.software) {
    document["software"] = {{"name", report.software->name}, {"version", report.software->version}};
  }
  document["software_error"] =
      report.software_error ? Json(report.software_error->message) : Json();
  document["floor"] = report.floor;
  document["slots"] = Json::array();
  for (const auto& slot : report.slots) {
    Json one;
    one["slot"] = slot.slot;
    one["valid"] = slot.verdict == SlotVerdict::kValid;
    one["verdict"] = verdict_text(slot.verdict);
    one["name"] = has_header(slot) ? Json(slot.header.name) : Json();
    one["version"] = has_header(slot) ? Json(slot.header.version) : Json();
    one["floor"] = has_header(slot) ? Json(slot.header.floor) : Json();
    one["attempts"] = unsigned{slot.attempts};
    one["confirmed"] = slot.confirmed;
    document["slots"].push_back(std::move(one));
  }
  document["chosen"] = report.chosen ? Json(*report.chosen) : Json();
  document["started"] = report.started;
  document["confirmed"] = confirmed;
  return document;
}

void print(const BootReport& report, bool confirmed, std::ostream& out) {
  if (report.software) {
    out << "software    " << printable(report.software->name) << " version "
        << report.software->version << "\n";
  } else {
    out << "software    "
        << (report.software_error ? printable(report.software_error->message) : "none") << "\n";
  }
  for (const auto& slot : report.slots) {
    out << "slot " << slot.slot << "  ";
    if (has_header(slot)) {
      out << printable(slot.header.name) << " version " << slot.header.version << ", ";
    }
    out << verdict_text(slot.verdict);
    if (slot.confirmed) {
      out << ", confirmed";
    } else if (slot.attempts > 0) {
      out << ", attempt " << unsigned{slot.attempts} << " of " << unsigned{kBootAttempts};
    }
    out << "\n";
  }
  out << "floor       " << report.floor << "\n";
  if (report.started) {
    out << "started     slot " << *report.chosen << (confirmed ? ", confirmed" : "") << "\n";
  } else if (report.chosen) {
    out << "would start slot " << *report.chosen << "\n";
  } else {
    out << "started     nothing\n";
  }
}

Status boot(Desk& desk, const BootOptions& options) {
  auto part = Part::open(desk.crypto, options.file);
  if (!part) return std::move(part).error();
  auto report = options.report ? (*part)->boot_report() : (*part)->boot();
  if (!report) return std::move(report).error();
  bool confirmed = false;
  if (options.confirm && report->started) {
    if (auto done = (*part)->confirm_application(); !done) return done;
    confirmed = true;
    report->floor = (*part)->info().boot.floor;
  }
  if (options.json) {
    desk.out << as_json(*report, confirmed).dump(2) << "\n";
  } else {
    print(*report, confirmed, desk.out);
  }
  if (report->chosen) return {};
  return Error{ErrorCode::kLifeCycle, "the ROM finds no application to start"};
}

}  // namespace

void add_boot_command(CLI::App& app, Chosen& chosen) {
  add_command<BootOptions>(
      app, chosen, "boot",
      "Reset the part as in the product: its ROM verifies the application slots and starts one",
      boot, [](CLI::App& command, BootOptions& options) {
        add_file(command, options.file);
        auto* const report = command.add_flag("--report", options.report,
                                              "Say what would be started, and change nothing");
        command
            .add_flag("--confirm", options.confirm,
                      "Let the application that was started say that all is well")
            ->excludes(report);
        command.add_flag("--json", options.json, "Print JSON");
      });
}

}  // namespace tallystick::device
