// lock, and its rehearsal.
#include <ostream>

#include <nlohmann/json.hpp>

#include "devicesim/command/subcommand.h"
#include "devicesim/command/text.h"

namespace tallystick::device {
namespace {

using core::Status;
using Json = nlohmann::ordered_json;

struct LockOptions {
  std::string file;
  bool dry_run = false;
  bool json = false;
};

Json as_json(const LockRehearsal& rehearsal, bool locked) {
  Json document;
  document["from"] = life_cycle_name(rehearsal.from);
  document["to"] = life_cycle_name(LifeCycle::kLocked);
  document["locked"] = locked;
  document["permitted"] = !rehearsal.refused.has_value();
  document["refused"] = rehearsal.refused ? Json(rehearsal.refused->message) : Json();
  document["isp_reachable"] = rehearsal.isp_open;
  document["application_slot"] = rehearsal.starts ? Json(*rehearsal.starts) : Json();
  document["debug_can_be_opened"] = rehearsal.debug_can_be_opened;
  document["notes"] = rehearsal.notes;
  return document;
}

void print(const LockRehearsal& rehearsal, bool locked, std::ostream& out) {
  out << "life cycle  " << life_cycle_name(rehearsal.from) << (locked ? " to " : ", would go to ")
      << life_cycle_name(LifeCycle::kLocked) << ", for good\n";
  if (rehearsal.refused) out << "refused     " << printable(rehearsal.refused->message) << "\n";
  out << "isp         "
      << (rehearsal.isp_open ? "stays reachable: identity, proofs, readable assets"
                             : "closes: identity and debug tokens alone")
      << "\n"
      << "application ";
  if (rehearsal.starts) {
    out << "slot " << *rehearsal.starts << " starts\n";
  } else {
    out << "none starts\n";
  }
  out << "debug       "
      << (rehearsal.debug_can_be_opened ? "the owner's token opens it, and erases the part"
                                        : "cannot be opened any more")
      << "\n";
  for (const auto& note : rehearsal.notes) out << "note        " << printable(note) << "\n";
}

Status lock(Desk& desk, const LockOptions& options) {
  auto part = Part::open(desk.crypto, options.file);
  if (!part) return std::move(part).error();
  auto rehearsal = (*part)->rehearse_lock();
  if (!rehearsal) return std::move(rehearsal).error();
  bool locked = false;
  if (!options.dry_run) {
    if (auto done = (*part)->lock(); !done) return done;
    locked = true;
  }
  if (options.json) {
    desk.out << as_json(*rehearsal, locked).dump(2) << "\n";
  } else {
    print(*rehearsal, locked, desk.out);
  }
  if (rehearsal->refused) return *rehearsal->refused;
  return {};
}

}  // namespace

void add_life_cycle_commands(CLI::App& app, Chosen& chosen) {
  add_command<LockOptions>(
      app, chosen, "lock", "Lock a programmed part, for good", lock,
      [](CLI::App& command, LockOptions& options) {
        add_file(command, options.file);
        command.add_flag("--dry-run", options.dry_run,
                         "Say what would happen, whether the serial line stays reachable for one, "
                         "and do nothing");
        command.add_flag("--json", options.json, "Print JSON");
      });
}

}  // namespace tallystick::device
